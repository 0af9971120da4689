"""Videos as they come: odd rates, turned, deep, old and new codings, cut off, tiny, huge."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from tests.whole.line import calm, codes, gate, watched
from tests.whole.road import SITE, Block, a_film, a_site, picture_at

BLOCKS = (Block(at_s=3.0), Block(at_s=8.0, speed_px_s=-60.0, foot_px=65.0, grey=225))
LASTS_S = 11.0


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return a_site(tmp_path / "SITE.toml")


def counted(film: Path, site: Path, tmp_path: Path, *more: object) -> dict[str, Any]:
    return watched(film, "--site", site, "--out", tmp_path / "out", "--video", "none", *more)


@pytest.mark.parametrize(
    ("name", "coding"),
    [
        ("hevc.mp4", {"codec": "libx265", "options": {"x265-params": "log-level=none"}}),
        ("deep.mkv", {"codec": "libx265", "pix_fmt": "yuv420p10le"}),
        ("deep.mp4", {"pix_fmt": "yuv420p10le"}),
        ("full.mp4", {"pix_fmt": "yuv444p"}),
        ("old.avi", {"codec": "mpeg4", "ticks_per_s": 25}),
        ("pictures.avi", {"codec": "mjpeg", "pix_fmt": "yuvj420p", "ticks_per_s": 25}),
        ("stream.ts", {}),
        ("bare.h264", {"format_name": "h264"}),
        ("web.webm", {"codec": "libvpx", "options": {"deadline": "realtime", "cpu-used": "8"}}),
    ],
)
def test_codings(tmp_path: Path, site: Path, name: str, coding: dict[str, Any]) -> None:
    times = [i / 12.5 for i in range(138)]
    film = a_film(tmp_path / name, BLOCKS, times_s=times, **coding)
    summary = counted(film, site, tmp_path)
    assert gate(summary) == (1, 1), summary["warnings"]
    assert summary["video"]["frames"] == pytest.approx(138, abs=2)


def test_a_rate_that_varies(tmp_path: Path, site: Path) -> None:
    dice = np.random.default_rng(2)
    steps = np.cumsum(dice.choice([0.033, 0.05, 0.1, 0.2], 150))
    times = [0.0, *np.round(steps[steps < LASTS_S], 3).tolist()]
    summary = counted(a_film(tmp_path / "v.mkv", BLOCKS, times_s=times), site, tmp_path)
    assert gate(summary) == (1, 1)
    assert summary["video"]["duration_s"] == pytest.approx(LASTS_S, abs=0.4)


@pytest.mark.parametrize("fps", [5.0, 10.0, 25.0])
def test_counts_do_not_change_with_the_rate(tmp_path: Path, site: Path, fps: float) -> None:
    times = [i / fps for i in range(round(LASTS_S * fps))]
    summary = counted(a_film(tmp_path / "v.mp4", BLOCKS, times_s=times), site, tmp_path)
    assert gate(summary) == (1, 1)


@pytest.mark.parametrize(
    ("rotation_deg", "turn"),
    [
        (90, cv2.ROTATE_90_CLOCKWISE),
        (-90, cv2.ROTATE_90_COUNTERCLOCKWISE),
        (180, cv2.ROTATE_180),
    ],
)
def test_a_turned_camera(tmp_path: Path, site: Path, rotation_deg: int, turn: int) -> None:
    film = a_film(
        *(tmp_path / "v.mp4", BLOCKS), duration_s=LASTS_S, turn=turn, rotation_deg=rotation_deg
    )
    summary = counted(film, site, tmp_path)
    assert (summary["runs"][0]["width_px"], summary["runs"][0]["height_px"]) == (320, 180)
    assert gate(summary) == (1, 1)


def test_a_file_cut_off_is_counted_as_far_as_it_goes(tmp_path: Path, site: Path) -> None:
    film = a_film(
        *(tmp_path / "v.mp4", BLOCKS),
        duration_s=LASTS_S,
        container_options={"movflags": "+faststart"},
        options={"crf": "20", "g": "12"},
    )
    whole = film.read_bytes()
    film.write_bytes(whole[: len(whole) * 6 // 10])
    done = calm(
        *("analyse", film, "--site", site, "--out", tmp_path / "out", "--detector", "motion")
    )
    assert done.code == 0
    assert done.out.startswith("partial: ")
    assert "ends early" in done.out
    assert done.err.count("calmstreet:") == 0
    summary = counted(film, site, tmp_path)
    assert summary["state"] == "partial"
    assert "cut-off" in codes(summary)
    assert 4.0 < summary["exposure_s"] < 8.0
    assert gate(summary) == (0, 1)


def test_an_mkv_cut_off(tmp_path: Path, site: Path) -> None:
    film = a_film(tmp_path / "v.mkv", BLOCKS, duration_s=LASTS_S)
    whole = film.read_bytes()
    film.write_bytes(whole[: len(whole) // 2])
    summary = counted(film, site, tmp_path)
    assert (summary["state"], gate(summary)) == ("partial", (0, 1))


def test_damage_in_the_middle(tmp_path: Path, site: Path) -> None:
    film = a_film(tmp_path / "v.ts", BLOCKS, duration_s=LASTS_S, options={"crf": "20", "g": "12"})
    data = bytearray(film.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4000] = bytes(4000)
    film.write_bytes(bytes(data))
    done = calm("analyse", film, "--site", site, "--out", tmp_path / "out", "--detector", "motion")
    assert done.code == 0
    assert "Traceback" not in done.err


@pytest.mark.parametrize("frames", [2, 3, 7])
def test_less_than_a_second(tmp_path: Path, site: Path, frames: int) -> None:
    film = a_film(tmp_path / "v.mp4", BLOCKS, times_s=[i / 12.5 for i in range(frames)])
    done = calm(
        *("analyse", film, "--site", site, "--out", tmp_path / "out"),
        *("--detector", "motion", "--json"),
    )
    assert done.code == 0, done.err
    assert done.summary["video"]["frames"] == frames
    assert gate(done.summary) == (0, 0)
    assert (tmp_path / "out" / "tracks.mp4").is_file()


def big(path: Path, width: int, height: int, *, duration_s: float = LASTS_S, fps: int = 5) -> Path:
    """Write the road blown up to another size."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("mpeg4", rate=fps)
        stream.width, stream.height = width, height
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 8_000_000
        for i in range(round(duration_s * fps)):
            small = picture_at(i / fps, BLOCKS)
            picture = np.asarray(cv2.resize(small, (width, height)), np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts = i
            frame.time_base = Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("size", [(321, 181), (333, 187), (176, 98), (1920, 1080)])
def test_sizes(tmp_path: Path, size: tuple[int, int]) -> None:
    width, height = size
    film = big(tmp_path / "v.mkv", width, height)
    x = width // 2
    line = f"points_px = [[{x}, {height - 1}], [{x}, {height // 9}]]"
    site = a_site(tmp_path / "S.toml", SITE.replace("points_px = [[160, 179], [160, 20]]", line))
    summary = watched(film, "--site", site, "--out", tmp_path / "out")
    assert gate(summary) == (1, 1)
    with av.open(str(tmp_path / "out" / "tracks.mp4")) as container:
        kept = container.streams.video[0]
        assert kept.width <= 640
        assert kept.width / kept.height == pytest.approx(width / height, rel=0.02)
    assert (summary["runs"][0]["width_px"], summary["runs"][0]["height_px"]) == size


@pytest.mark.slow
def test_four_k(tmp_path: Path) -> None:
    film = big(tmp_path / "v.mkv", 3840, 2160, duration_s=6.0)
    line = "points_px = [[1920, 2159], [1920, 200]]"
    site = a_site(tmp_path / "S.toml", SITE.replace("points_px = [[160, 179], [160, 20]]", line))
    summary = watched(film, "--site", site, "--out", tmp_path / "out")
    assert gate(summary) == (0, 1)
    with av.open(str(tmp_path / "out" / "tracks.mp4")) as container:
        assert container.streams.video[0].width <= 640


def test_files_of_two_sizes(tmp_path: Path) -> None:
    a = a_film(tmp_path / "cam_2026-03-02_07-30-00.mp4", BLOCKS, duration_s=6.0)
    b = big(tmp_path / "cam_2026-03-02_07-30-06.mkv", 640, 360, duration_s=3.0)
    summary = watched(a, b, "--out", tmp_path / "out", "--video", "full")
    assert [run["width_px"] for run in summary["runs"]] == [320, 640]
    with av.open(str(tmp_path / "out" / "tracks.mp4")) as container:
        assert float(container.duration or 0) / av.time_base == pytest.approx(6.0, abs=0.3)
