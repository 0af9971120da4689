"""Files of every odd kind give upright frames with their own times, or one clear sentence."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.shared_data import shared_data
from tests.video.clips import TWO_SECONDS, a_clip, a_picture, a_sound, a_still

from calmstreet.errors import VideoError
from calmstreet.model.frame import Frame
from calmstreet.units import NS_PER_S
from calmstreet.video.source import FileSource, SourceStats, find_videos, probe

START_NS = 1_700_000_000 * NS_PER_S
HEVC = {"x265-params": "log-level=none:pools=1:frame-threads=1"}


def read(path: Path) -> tuple[list[Frame], SourceStats]:
    source = FileSource(path=path, camera_id="north", start_ns=START_NS)
    frames = list(source.frames())
    return frames, source.stats


def times_s(frames: list[Frame]) -> list[float]:
    return [round((frame.t_ns - START_NS) / NS_PER_S, 3) for frame in frames]


def test_times_are_those_of_the_file_at_a_varying_rate(tmp_path: Path) -> None:
    uneven = [0.0, 0.1, 0.25, 0.9, 1.0, 1.8]
    frames, stats = read(a_clip(tmp_path / "v.mkv", times_s=uneven))
    assert times_s(frames) == uneven
    assert stats.delivered_fps == pytest.approx(5 / 1.8)
    assert not stats.partial
    assert [frame.index for frame in frames] == list(range(6))


def test_times_count_from_the_first_frame_even_before_zero(tmp_path: Path) -> None:
    frames, _ = read(a_clip(tmp_path / "n.mkv", times_s=[t - 1.0 for t in TWO_SECONDS]))
    assert times_s(frames) == list(TWO_SECONDS)


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt", "options"),
    [
        ("a.mp4", "libx264", "yuv420p", {}),
        ("a.mp4", "libx264", "yuv420p10le", {}),
        ("a.mp4", "libx264", "yuv422p", {}),
        ("a.mp4", "libx264", "yuv444p", {}),
        ("a.mp4", "libx265", "yuv420p", HEVC),
        ("a.mp4", "libx265", "yuv420p10le", HEVC),
        ("a.avi", "mjpeg", "yuvj420p", {}),
        ("a.avi", "rawvideo", "yuyv422", {}),
        ("a.avi", "rawvideo", "bgr24", {}),
        ("a.mkv", "rawvideo", "nv12", {}),
        ("a.mov", "png", "rgb24", {}),
    ],
)
def test_every_pixel_format_gives_the_same_picture(
    tmp_path: Path, name: str, codec: str, pix_fmt: str, options: dict[str, str]
) -> None:
    path = a_clip(tmp_path / name, codec=codec, pix_fmt=pix_fmt, options=options, ticks_per_s=10)
    frames, stats = read(path)
    assert len(frames) == stats.frames == len(TWO_SECONDS)
    bgr = frames[3].bgr()
    assert bgr.shape == (96, 160, 3)
    assert np.abs(bgr.astype(int) - a_picture(3)).mean() < 6
    assert frames[3].luma.shape == (96, 160)
    assert not frames[3].luma.flags.writeable


@pytest.mark.parametrize("options", [{"bf": "3"}, {"bf": "3", "b-pyramid": "normal"}])
def test_an_avi_with_b_frames_gives_every_picture_in_turn(
    tmp_path: Path, options: dict[str, str]
) -> None:
    path = a_clip(tmp_path / "b.avi", picture=a_level, ticks_per_s=10, options=options)
    frames, stats = read(path)
    assert stats.misordered_frames == 0
    assert times_s(frames) == list(TWO_SECONDS)
    levels = [int(np.median(frame.luma)) for frame in frames]
    assert levels == sorted(levels)
    assert len(set(levels)) == len(TWO_SECONDS)


def a_level(number: int) -> NDArray[np.uint8]:
    """Return a picture that gets lighter from one to the next, and grain that moves."""
    grain = np.random.default_rng(number).integers(0, 4, (96, 160, 3))
    return np.asarray(grain + 20 + 10 * number, np.uint8)


def test_grey_video_is_read(tmp_path: Path) -> None:
    frames, _ = read(a_clip(tmp_path / "g.mkv", codec="ffv1", pix_fmt="gray"))
    bgr = frames[0].bgr(80, 48)
    assert bgr.shape == (48, 80, 3)
    assert (bgr[..., 0] == bgr[..., 2]).all()


@pytest.mark.parametrize(("degrees", "turns"), [(90, 1), (-90, 3), (180, 2), (270, 3)])
def test_the_rotation_flag_is_applied(tmp_path: Path, degrees: int, turns: int) -> None:
    path = a_clip(tmp_path / "r.mp4", rotation_deg=degrees)
    upright = np.rot90(a_picture(0), turns)
    info = probe(path)
    frames, _ = read(path)
    assert (info.height_px, info.width_px) == frames[0].luma.shape == upright.shape[:2]
    assert np.abs(frames[0].bgr().astype(int) - upright).mean() < 6


def test_small_colour_is_the_large_one_shrunk(tmp_path: Path) -> None:
    big = a_clip(tmp_path / "b.mp4", picture=lambda i: a_picture(i, width=640, height=384))
    frames, _ = read(big)
    small = frames[0].bgr(160, 96).astype(int)
    assert np.abs(small - a_picture(0, width=640, height=384)[2::4, 2::4]).mean() < 6


def test_frames_sent_twice_are_found(tmp_path: Path) -> None:
    clip = a_clip(tmp_path / "t.mp4", picture=lambda i: a_picture(i // 2), times_s=TWO_SECONDS)
    frames, stats = read(clip)
    later = [frame.repeated for frame in frames][2:]
    assert later == [False, True] * (len(later) // 2)
    assert stats.repeated_frames >= len(frames) // 2 - 1
    assert stats.frames == len(frames)


def test_moving_pictures_are_not_repeated(tmp_path: Path) -> None:
    assert read(a_clip(tmp_path / "m.mp4"))[1].repeated_frames == 0


@pytest.mark.parametrize(
    ("name", "codec", "ticks"),
    [("c.mp4", "libx264", 90_000), ("c.mkv", "libx264", 90_000), ("c.avi", "mpeg4", 10)],
)
def test_a_cut_off_file_gives_what_it_has(
    tmp_path: Path, name: str, codec: str, ticks: int
) -> None:
    path = a_clip(
        tmp_path / name,
        times_s=[i / 10 for i in range(100)],
        codec=codec,
        ticks_per_s=ticks,
        options={"g": "10"},
        container_options={"movflags": "+faststart"} if name.endswith("mp4") else {},
    )
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])
    frames, stats = read(path)
    assert 20 < len(frames) < 80
    assert stats.partial
    assert name in stats.note


def test_damage_in_the_middle_is_counted_not_raised(tmp_path: Path) -> None:
    path = a_clip(tmp_path / "d.mkv", times_s=[i / 10 for i in range(60)], options={"g": "10"})
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 400] = bytes(400)
    path.write_bytes(content)
    frames, _ = read(path)
    instants = times_s(frames)
    assert len(frames) > 20
    assert instants == sorted(set(instants))


def test_a_bare_stream_says_that_its_times_are_assumed(tmp_path: Path) -> None:
    frames, stats = read(a_clip(tmp_path / "b.h264", format_name="h264"))
    assert len(frames) == len(TWO_SECONDS)
    assert "no times" in stats.note


def test_the_container_time_is_read(tmp_path: Path) -> None:
    path = a_clip(tmp_path / "w.mp4", metadata={"creation_time": "2023-11-14T22:13:20Z"})
    assert probe(path).creation_ns == START_NS
    assert (
        probe(a_clip(tmp_path / "x.mp4", metadata={"creation_time": "1904-01-01"})).creation_ns
        is None
    )


def refused(path: Path) -> str:
    with pytest.raises(VideoError) as caught:
        FileSource(path=path, camera_id="north", start_ns=0)
    text = str(caught.value)
    assert "\n" not in text
    assert path.name in text
    return text


def test_what_is_no_video_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "noise.mp4").write_bytes(np.random.default_rng(0).bytes(9000))
    (tmp_path / "words.txt").write_text("a street\n" * 50)
    one = a_clip(tmp_path / "one.gif", codec="gif", pix_fmt="rgb8", times_s=[0.0])
    assert "is not there" in refused(tmp_path / "absent.mp4")
    assert "empty" in refused(tmp_path / "empty.mp4")
    assert "cannot be decoded" in refused(tmp_path / "noise.mp4")
    assert "cannot be decoded" in refused(tmp_path / "words.txt")
    assert "sound only" in refused(a_sound(tmp_path / "sound.m4a"))
    assert "still picture" in refused(a_still(tmp_path / "still.jpg"))
    assert "still picture" in refused(a_still(tmp_path / "still.png"))
    assert "still picture" in refused(one)


def test_a_playlist_is_not_followed(tmp_path: Path) -> None:
    playlist = tmp_path / "live.m3u8"
    playlist.write_text("#EXTM3U\n#EXTINF:1,\nhttp://root:secret@127.0.0.1:9/a.ts\n")
    assert "secret" not in refused(playlist)


def test_videos_are_found_in_natural_order(tmp_path: Path) -> None:
    for name in ("clip10.mp4", "clip2.MP4", "notes.txt", ".hidden.mp4"):
        (tmp_path / name).touch()
    two, ten = tmp_path / "clip2.MP4", tmp_path / "clip10.mp4"
    assert find_videos([tmp_path]) == [two, ten]
    assert find_videos([ten, tmp_path]) == [ten, two]
    empty = tmp_path / "sub"
    empty.mkdir()
    with pytest.raises(VideoError, match="no video file"):
        find_videos([empty])
    with pytest.raises(VideoError, match="not there"):
        find_videos([tmp_path / "absent.mp4"])


@pytest.mark.real
def test_real_clip_whole() -> None:
    frames, stats = read(shared_data("video/sobral_video1_freeway.avi"))
    assert len(frames) == 500
    assert stats.repeated_frames == 0
    assert stats.delivered_fps == pytest.approx(15.0, rel=0.01)
