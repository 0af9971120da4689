"""The newest picture: replaced as a whole, blurred only, gone after a minute."""

import os
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import pytest

from calmstreet.errors import PrivacyError, StoreError
from calmstreet.model.kept import BlurredFrame
from calmstreet.store.live import live_path, read_live, save_live, sweep_live
from calmstreet.units import NS_PER_S

NOW_NS = 1_790_000_000 * NS_PER_S


def save(folder: Path, t_ns: int = NOW_NS) -> None:
    bgr = np.full((96, 160, 3), 90, np.uint8)
    save_live(
        folder,
        BlurredFrame(camera_id="north", t_ns=t_ns, bgr=bgr, scale=0.5),
        box_px=np.array([[10, 20, 30, 41]], np.float32),
        kind=np.array([4], np.uint8),
        track_id=np.array([7 << 32 | 3]),
        note="dusk",
    )


def test_the_newest_picture_comes_back_with_its_boxes(tmp_path: Path) -> None:
    save(tmp_path, NOW_NS - NS_PER_S)
    save(tmp_path)
    found = read_live(tmp_path, "north", now_ns=NOW_NS)
    assert found is not None
    assert (found.t_ns, found.width_px, found.height_px, found.note) == (NOW_NS, 160, 96, "dusk")
    assert found.box_px.tolist() == [[5.0, 10.0, 15.0, 20.5]]
    assert found.track_id.tolist() == [7 << 32 | 3]
    picture = cv2.imdecode(np.frombuffer(found.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (96, 160, 3)
    assert [path.name for path in (tmp_path / "live").iterdir()] == ["north.live"]


def test_old_pictures_are_not_shown_and_go(tmp_path: Path) -> None:
    save(tmp_path)
    path = live_path(tmp_path, "north")
    os.utime(path, ns=(NOW_NS, NOW_NS))
    assert read_live(tmp_path, "north", now_ns=NOW_NS + 59 * NS_PER_S) is not None
    assert read_live(tmp_path, "north", now_ns=NOW_NS + 61 * NS_PER_S) is None
    assert read_live(tmp_path, "south", now_ns=NOW_NS) is None
    assert sweep_live(tmp_path, now_ns=NOW_NS + 59 * NS_PER_S) == 0
    assert sweep_live(tmp_path, now_ns=NOW_NS + 61 * NS_PER_S) == 1
    assert not path.exists()


def test_only_blurred_pictures_are_shown(tmp_path: Path) -> None:
    with pytest.raises(PrivacyError, match="only blurred"):
        save_live(
            tmp_path,
            cast(Any, object()),
            box_px=np.empty((0, 4), np.float32),
            kind=np.empty(0, np.uint8),
            track_id=np.empty(0, np.int64),
        )
    assert not (tmp_path / "live").exists()


@pytest.mark.parametrize("content", [b"", b"calmlive", b"calmlive\0\0\0\2{}", b"x" * 200])
def test_a_foreign_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = live_path(tmp_path, "north")
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(StoreError, match="no live picture"):
        read_live(tmp_path, "north", now_ns=NOW_NS)


def test_a_disk_that_refuses_is_told(tmp_path: Path) -> None:
    (tmp_path / "live").write_text("a file", encoding="utf-8")
    with pytest.raises(StoreError, match="cannot be written"):
        save(tmp_path)
    with pytest.raises(StoreError, match="cannot be written"):
        save(tmp_path / "unmounted")
    assert not (tmp_path / "unmounted").exists()
