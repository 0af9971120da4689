"""Files on the wall clock: one run or several, nothing twice, gaps are gaps, later files join."""

from pathlib import Path
from typing import Any

import av
import pytest
from tests.whole.line import codes, gate, refused, tree, watched
from tests.whole.road import SITE, Block, a_film, a_site

from calmstreet.pipeline.counting import step_blocks
from calmstreet.store.catalogue import Catalogue

BLOCKS = (Block(at_s=3.0), Block(at_s=8.0, speed_px_s=-60.0, foot_px=65.0, grey=225))
"""The second is in the middle of the picture at the border of files at 8.0 s."""


def named(folder: Path, second: int) -> Path:
    return folder / f"cam_2026-03-02_07-30-{second:02d}.mp4"


def starts(summary: dict[str, Any]) -> list[str]:
    return [run["start"][11:19] for run in summary["runs"]]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return a_site(tmp_path / "SITE.toml")


def test_files_that_touch_are_one_run_and_nobody_is_torn(tmp_path: Path, site: Path) -> None:
    a = a_film(named(tmp_path, 0), BLOCKS, duration_s=8.0)
    b = a_film(named(tmp_path, 8), BLOCKS, duration_s=5.0, from_s=8.0)
    summary = watched(b, a, "--site", site, "--out", tmp_path / "out", "--video", "none")
    assert starts(summary) == ["07:30:00"]
    assert gate(summary) == (1, 1)
    assert summary["tracks"]["total"] == 2
    assert summary["exposure_s"] == pytest.approx(13.0, abs=0.2)
    assert summary["video"]["frames"] == pytest.approx(162, abs=1)
    with Catalogue.open(tmp_path / "out") as catalogue:
        (run,) = catalogue.runs()
        for _, points in step_blocks(catalogue, run):
            for track in points.tracks():
                t_s = (track.points.t_ns - run.start_ns) / 1e9
                assert not (t_s[0] > 7.0 and t_s[0] < 9.0), "a new track at the border"


def test_files_without_times_follow_each_other(tmp_path: Path, site: Path) -> None:
    a = a_film(tmp_path / "a.mp4", BLOCKS, duration_s=8.0)
    b = a_film(tmp_path / "b.mp4", BLOCKS, duration_s=5.0, from_s=8.0)
    summary = watched(a, b, "--site", site, "--out", tmp_path / "out", "--video", "none")
    assert gate(summary) == (1, 1)
    assert len(summary["runs"]) == 1
    assert summary["tracks"]["total"] == 2


def test_start_is_given_by_the_user(tmp_path: Path, site: Path) -> None:
    a = a_film(named(tmp_path, 0), BLOCKS, duration_s=12.0)
    words = (a, "--site", site, "--out", tmp_path / "out", "--video", "none")
    assert starts(watched(*words, "--start", "2026-05-05T10:00:00")) == ["10:00:00"]
    summary = watched(*words, "--start", "2026-05-05T10:00:00Z")
    assert starts(summary) == ["15:00:00"]
    assert summary["runs"][0]["time_known"] == "given"


def test_a_folder_is_its_videos(tmp_path: Path, site: Path) -> None:
    folder = tmp_path / "videos"
    folder.mkdir()
    (folder / "notes.txt").write_text("not a video")
    a_film(named(folder, 0), BLOCKS, duration_s=8.0)
    a_film(named(folder, 8), BLOCKS, duration_s=5.0, from_s=8.0)
    summary = watched(folder, "--site", site, "--out", tmp_path / "out", "--video", "none")
    assert gate(summary) == (1, 1)


def test_an_overlap_is_counted_once(tmp_path: Path, site: Path) -> None:
    a = a_film(named(tmp_path, 0), BLOCKS, duration_s=10.0)
    b = a_film(named(tmp_path, 2), BLOCKS, duration_s=11.0, from_s=2.0)
    summary = watched(a, b, "--site", site, "--out", tmp_path / "out", "--video", "none")
    assert gate(summary) == (1, 1)
    assert len(summary["runs"]) == 1
    assert summary["exposure_s"] == pytest.approx(13.0, abs=0.2)
    assert "overlap-dropped" in codes(summary)


def test_a_gap_is_a_gap(tmp_path: Path, site: Path) -> None:
    a = a_film(named(tmp_path, 0), BLOCKS, duration_s=7.0)
    b = a_film(named(tmp_path, 20), BLOCKS, duration_s=7.0)
    summary = watched(a, b, "--site", site, "--out", tmp_path / "out", "--video", "full")
    assert starts(summary) == ["07:30:00", "07:30:20"]
    assert summary["exposure_s"] == pytest.approx(14.0, abs=0.3)
    assert summary["video"]["duration_s"] == pytest.approx(14.0, abs=0.2)
    assert "gap" in codes(summary)
    assert gate(summary)[1] == 2
    with av.open(str(tmp_path / "out" / "tracks.mp4")) as container:
        assert float(container.duration or 0) / av.time_base == pytest.approx(14.5, abs=0.6)


def test_a_hole_inside_a_file_is_a_gap(tmp_path: Path, site: Path) -> None:
    times = [t for t in (i / 12.5 for i in range(150)) if not 4.4 < t < 7.6]
    film = a_film(tmp_path / "v.mp4", BLOCKS, times_s=times)
    summary = watched(film, "--site", site, "--out", tmp_path / "out", "--video", "none")
    assert len(summary["runs"]) == 2
    assert summary["video"]["delivered_fps"] == pytest.approx(12.5, abs=0.1)
    assert summary["exposure_s"] == pytest.approx(12.0 - 3.2, abs=0.3)


def test_a_video_of_many_pieces_is_a_minute_in_all(tmp_path: Path, site: Path) -> None:
    pieces = [20.0 * k + i / 2.5 for k in range(5) for i in range(38)]
    film = a_film(tmp_path / "v.mp4", BLOCKS, times_s=pieces)
    summary = watched(film, "--site", site, "--out", tmp_path / "out")
    assert len(summary["runs"]) == 5
    with av.open(str(tmp_path / "out" / "tracks.mp4")) as container:
        assert float(container.duration or 0) / av.time_base == pytest.approx(62.0, abs=2.0)


def test_a_short_hole_is_none(tmp_path: Path, site: Path) -> None:
    times = [t for t in (i / 12.5 for i in range(150)) if not 4.4 < t < 5.4]
    film = a_film(tmp_path / "v.mp4", BLOCKS, times_s=times)
    summary = watched(film, "--site", site, "--out", tmp_path / "out", "--video", "none")
    assert len(summary["runs"]) == 1
    assert gate(summary) == (1, 1)


def test_later_files_join_and_earlier_ones_stay(tmp_path: Path, site: Path) -> None:
    a = a_film(named(tmp_path, 0), BLOCKS, duration_s=11.0)
    b = a_film(named(tmp_path, 30), BLOCKS, duration_s=11.0)
    words = ("--site", site, "--out", tmp_path / "out", "--video", "none")
    watched(a, *words)
    before = tree(tmp_path / "out" / "points")
    both = watched(b, *words)
    assert gate(both) == (2, 2)
    assert starts(both) == ["07:30:00", "07:30:30"]
    after = tree(tmp_path / "out" / "points")
    assert before.items() <= after.items()
    again = watched(b, *words)
    assert gate(again) == (2, 2)
    assert len(tree(tmp_path / "out" / "points")) == len(after)
    at_once = watched(a, b, "--site", site, "--out", tmp_path / "other", "--video", "none")
    assert at_once["gates"] == again["gates"]
    assert at_once["exposure_s"] == again["exposure_s"]


@pytest.mark.parametrize("at_s", [7.4, 9.2])
def test_a_later_file_that_touches_loses_nobody_near_the_border(
    tmp_path: Path, site: Path, at_s: float
) -> None:
    blocks = (BLOCKS[0], Block(at_s=at_s, speed_px_s=-60.0, foot_px=65.0, grey=225))
    a = a_film(named(tmp_path, 0), blocks, duration_s=8.0)
    b = a_film(named(tmp_path, 8), blocks, duration_s=5.0, from_s=8.0)
    words = ("--site", site, "--out", tmp_path / "out", "--video", "none")
    watched(a, *words)
    assert gate(watched(b, *words)) == (1, 1)


def test_half_of_a_run_is_not_replaced(tmp_path: Path, site: Path) -> None:
    a = a_film(named(tmp_path, 0), BLOCKS, duration_s=8.0)
    b = a_film(named(tmp_path, 8), BLOCKS, duration_s=5.0, from_s=8.0)
    far = a_film(named(tmp_path, 40), BLOCKS, duration_s=11.0)
    words = ("--site", site, "--out", tmp_path / "out", "--video", "none")
    assert gate(watched(a, b, far, *words)) == (2, 2)
    before = tree(tmp_path / "out")
    says = refused("analyse", b, *words, "--detector", "motion", says=a.name)
    assert "together" in says
    assert far.name not in says
    assert tree(tmp_path / "out") == before
    assert gate(watched(far, *words)) == (2, 2)
    assert gate(watched(a, b, *words)) == (2, 2)


def test_a_later_file_without_a_time_is_laid_behind(tmp_path: Path, site: Path) -> None:
    a = a_film(tmp_path / "a.mp4", BLOCKS, duration_s=11.0)
    b = a_film(tmp_path / "b.mp4", BLOCKS, duration_s=11.0)
    words = ("--site", site, "--out", tmp_path / "out", "--video", "none")
    watched(a, *words)
    assert gate(watched(b, *words)) == (2, 2)


def test_known_and_unknown_times_are_not_mixed(tmp_path: Path, site: Path) -> None:
    a = a_film(named(tmp_path, 0), BLOCKS, duration_s=5.0)
    b = a_film(tmp_path / "b.mp4", BLOCKS, duration_s=5.0)
    words = ("--site", site, "--out", tmp_path / "out", "--video", "none")
    watched(a, *words)
    says = refused("analyse", b, *words, "--detector", "motion", says="clock time is known")
    assert "--start" in says
    assert len(watched(b, *words, "--start", "2026-03-03T07:30:00")["runs"]) == 2


def test_years_between_two_videos(tmp_path: Path, site: Path) -> None:
    a = a_film(tmp_path / "cam_2020-03-02_07-30-00.mp4", BLOCKS, duration_s=11.0)
    b = a_film(named(tmp_path, 0), BLOCKS, duration_s=11.0)
    words = ("--site", site, "--out", tmp_path / "out", "--video", "none")
    summary = watched(a, b, *words)
    assert gate(summary) == (2, 2)
    assert summary["exposure_s"] == pytest.approx(22.0, abs=0.3)
    assert sum(tree(tmp_path / "out").values()) < 5_000_000


def test_what_was_counted_already_is_refused(tmp_path: Path, site: Path) -> None:
    a = a_film(named(tmp_path, 0), BLOCKS, duration_s=11.0)
    (tmp_path / "copy").mkdir()
    copy = named(tmp_path / "copy", 0)
    copy.write_bytes(a.read_bytes())
    words = ("--site", site, "--out", tmp_path / "out", "--video", "none")
    first = watched(a, *words)
    before = tree(tmp_path / "out")
    refused("analyse", copy, *words, "--detector", "motion", says="counted before")
    assert tree(tmp_path / "out").keys() == before.keys()
    assert gate(watched(a, *words)) == gate(first)


def test_another_site_in_the_same_folder_is_refused(tmp_path: Path, site: Path) -> None:
    a = a_film(named(tmp_path, 0), BLOCKS, duration_s=11.0)
    b = a_film(named(tmp_path, 30), BLOCKS, duration_s=5.0)
    out = tmp_path / "out"
    watched(a, "--site", site, "--out", out, "--video", "none")
    before = tree(out)
    other = a_site(tmp_path / "OTHER.toml", SITE.replace("[160, 179]", "[150, 179]"))
    says = refused(
        *("analyse", b, "--site", other, "--out", out, "--detector", "motion"),
        says="another site",
    )
    assert "--out" in says
    assert tree(out) == before
    replaced = watched(a, "--site", other, "--out", out, "--video", "none")
    assert gate(replaced) == (1, 1)


@pytest.mark.parametrize(
    ("name", "coding"),
    [
        ("twice.mp4", {"options": {"crf": "20", "bf": "0", "threads": "1"}}),
        ("twice.avi", {"codec": "mjpeg", "pix_fmt": "yuvj420p", "ticks_per_s": 25}),
    ],
)
def test_every_frame_sent_twice_counts_as_once(
    tmp_path: Path, site: Path, name: str, coding: dict[str, Any]
) -> None:
    once = [i / 12.5 for i in range(138)]
    twice = [i / 25 for i in range(276)]
    words = ("--site", site, "--video", "none")
    plain = a_film(tmp_path / "once.mp4", BLOCKS, times_s=once)
    shown = [once[i // 2] for i in range(276)]
    doubled = a_film(tmp_path / name, BLOCKS, times_s=twice, shows_s=shown, **coding)
    first = watched(plain, *words, "--out", tmp_path / "a")
    second = watched(doubled, *words, "--out", tmp_path / "b")
    assert second["video"]["frames"] == 2 * first["video"]["frames"]
    assert second["video"]["repeated_frames"] == pytest.approx(138, abs=8)
    assert gate(second) == gate(first) == (1, 1)
    assert "repeated-frames" in codes(second)
