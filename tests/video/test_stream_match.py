"""Two streams show one view or not, told by what stands still."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.video.test_stream_offset import street

from calmstreet.units import NS_PER_S
from calmstreet.video.stream_match import Album, match_streams, view_fit


def a_scene(seed: int = 1) -> NDArray[np.uint8]:
    coarse = np.random.default_rng(seed).normal(120, 35, (30, 50)).astype(np.float32)
    grey = cv2.resize(coarse, (1280, 720), interpolation=cv2.INTER_CUBIC)
    return np.clip(grey, 0, 255).astype(np.uint8)


def a_street(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    album = Album()
    album.add(0, picture)
    return album.leaf().street


@pytest.mark.parametrize("size", [(640, 360), (352, 288), (704, 576)])
def test_one_view_at_another_size_is_the_same(size: tuple[int, int]) -> None:
    small = np.asarray(cv2.resize(a_scene(), size, interpolation=cv2.INTER_AREA), np.uint8)
    assert view_fit(a_street(small), a_street(a_scene())) > 0.9


@pytest.mark.parametrize("share", [0.06, 0.1, 0.25])
def test_a_part_of_the_view_is_another(share: float) -> None:
    scene = a_scene()
    y, x = round(share * 720), round(share * 1280)
    part = np.ascontiguousarray(scene[y : 720 - y, x : 1280 - x])
    assert view_fit(a_street(scene), a_street(part)) < 0.6
    assert view_fit(a_street(scene), a_street(np.ascontiguousarray(scene[:, ::-1]))) < 0.3
    assert view_fit(a_street(scene), a_street(a_scene(2))) < 0.3


def test_an_album_forgets_what_is_old_and_tells_the_offset() -> None:
    sub, main = Album(kept_s=14.0), Album()
    times = np.arange(0, 30, 0.1)
    for t_s, seen in zip(times, street(times, 4, scale=2), strict=True):
        sub.add(round(t_s * NS_PER_S), seen)
        main.add(round((t_s + 0.12) * NS_PER_S), seen)
    leaf = sub.leaf()
    assert (leaf.shown.t_ns[-1] - leaf.shown.t_ns[0]) / NS_PER_S == pytest.approx(14.0, abs=0.2)
    found = match_streams(leaf, main.leaf())
    assert found.offset is not None
    assert found.offset.offset_s == pytest.approx(0.12, abs=0.03)
    sub.clear()
    assert match_streams(sub.leaf(), main.leaf()).offset is None
