"""What is written is blurred pictures with their true times, whole or not at all."""

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from tests.video.clips import a_picture

from calmstreet.errors import PrivacyError, StoreError
from calmstreet.model.frame import Frame
from calmstreet.model.kept import BlurredFrame
from calmstreet.units import NS_PER_S
from calmstreet.video.blur import blur_still
from calmstreet.video.recorder import ClipWriter, write_video
from calmstreet.video.source import FileSource


def a_kept(i: int, t_s: float, width: int = 160) -> BlurredFrame:
    return blur_still(
        a_picture(i, width=width),
        camera_id="north",
        t_ns=round(t_s * NS_PER_S),
        camera_width_px=width,
        camera_height_px=96,
        box_px=np.empty((0, 4), np.float32),
        kind=np.empty(0, np.uint8),
    )


def test_times_and_pictures_come_back(tmp_path: Path) -> None:
    uneven = [0.0, 0.1, 0.35, 0.9, 2.0]
    path = tmp_path / "out.mp4"
    assert write_video((a_kept(i, t) for i, t in enumerate(uneven)), path=path) == 5
    source = FileSource(path=path, camera_id="north", start_ns=0)
    frames = list(source.frames())
    assert [round(frame.t_ns / NS_PER_S, 3) for frame in frames] == uneven
    assert source.info.codec == "h264"
    assert source.info.pixel_format == "yuv420p"
    assert np.abs(frames[2].bgr().astype(int) - a_picture(2)).mean() < 8
    assert [p.name for p in tmp_path.iterdir()] == ["out.mp4"]


def test_pictures_come_no_faster_than_asked(tmp_path: Path) -> None:
    with ClipWriter(path=tmp_path / "o.mp4", fps=5.0) as writer:
        written = [writer.write(a_kept(i, i / 10)) for i in range(6)]
    assert written == [True, False] * 3
    assert writer.pictures == 3
    with pytest.raises(StoreError, match="10 pictures"):
        ClipWriter(path=tmp_path / "p.mp4", fps=25.0)


def test_twenty_five_a_second_become_ten(tmp_path: Path) -> None:
    with ClipWriter(path=tmp_path / "o.mp4") as writer:
        for i in range(50):
            if i % 5 in (0, 2):
                writer.write(a_kept(i, i / 25))
    assert writer.pictures == 20


def test_a_long_pause_is_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "o.mp4"
    assert write_video((a_kept(i, t) for i, t in enumerate([0.0, 1.0, 3600.0, 3601.0])), path=path)
    frames = FileSource(path=path, camera_id="north", start_ns=0).frames()
    assert [round(frame.t_ns / NS_PER_S, 3) for frame in frames] == [0.0, 1.0, 1.5, 2.5]


def test_nothing_raw_is_written_and_nothing_half(tmp_path: Path) -> None:
    picture = a_picture(0)
    raw = Frame(
        camera_id="north", t_ns=0, index=0, luma=picture[..., 0], to_bgr=lambda _w, _h: picture
    )
    pictures = cast(Any, [a_kept(0, 0.0), raw])
    with pytest.raises(PrivacyError):
        write_video(pictures, path=tmp_path / "o.mp4")
    assert list(tmp_path.iterdir()) == []


def test_without_a_picture_there_is_no_file(tmp_path: Path) -> None:
    assert ClipWriter(path=tmp_path / "o.mp4").close() is None
    assert write_video([], path=tmp_path / "o.mp4") == 0
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_and_a_new_size_are_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be written"):
        write_video([a_kept(0, 0.0)], path=tmp_path / "absent" / "o.mp4")
    with pytest.raises(StoreError, match="size changed"):
        write_video([a_kept(0, 0.0), a_kept(1, 1.0, width=200)], path=tmp_path / "o.mp4")
    assert list(tmp_path.iterdir()) == []
