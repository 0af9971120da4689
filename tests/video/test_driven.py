"""A camera behind a windscreen is told from one on a mast."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from calmstreet.units import ns_from_s
from calmstreet.video.driven import drives
from calmstreet.video.quality import PictureWatch

WIDTH, HEIGHT = 160, 90
Luma = NDArray[np.uint8]

WALLS = cv2.resize(
    np.random.default_rng(4).integers(40, 215, (24, 32)).astype(np.uint8), (384, 288),
    interpolation=cv2.INTER_CUBIC,
)  # fmt: skip


def lane(gone: float) -> Luma:
    """Return the view along a lane between walls without end, ``gone`` turns of distance on."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float64)
    across, down = x - 0.45 * WIDTH, y - 0.4 * HEIGHT
    depth = np.log(np.hypot(across, down) + 2.0) - gone
    rows = (depth * 70.0) % (WALLS.shape[0] - 1)
    columns = (np.arctan2(down, across) / (2 * np.pi) + 0.5) * (WALLS.shape[1] - 1)
    picture = cv2.remap(
        WALLS, columns.astype(np.float32), rows.astype(np.float32), cv2.INTER_LINEAR
    )
    noise = np.random.default_rng(round(abs(gone) * 1000)).normal(0.0, 1.0, picture.shape)
    return np.asarray(np.clip(picture + noise, 0, 255), np.uint8)


def zoomed(scale: float, shift_px: float = 0.0) -> Luma:
    """Return a wall of corners, ``scale`` times as near, moved to the right."""
    wall = cv2.resize(
        np.random.default_rng(2).integers(20, 235, (12, 22)).astype(np.uint8), (WIDTH, HEIGHT),
        interpolation=cv2.INTER_CUBIC,
    )  # fmt: skip
    turn = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), 0.0, scale)
    turn[0, 2] += shift_px
    found = cv2.warpAffine(wall, turn, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)
    return np.asarray(found, np.uint8)


@pytest.mark.parametrize("scale", [1.02, 0.98])
def test_a_wall_that_comes_or_goes_is_a_drive(scale: float) -> None:
    assert drives(zoomed(1.0), zoomed(scale), apart_s=0.1)
    assert not drives(zoomed(1.0), zoomed(1.0), apart_s=0.1)


@pytest.mark.parametrize("shift_px", [0.3, 1.0, 3.0])
def test_sway_is_no_drive(shift_px: float) -> None:
    assert not drives(zoomed(1.0), zoomed(1.0, shift_px), apart_s=0.1)


def test_a_picture_without_corners_says_nothing() -> None:
    empty = np.full((HEIGHT, WIDTH), 90, np.uint8)
    assert not drives(empty, empty, apart_s=0.1)


def test_a_queue_that_comes_nearer_leaves_the_roadside_where_it_is() -> None:
    before, after = zoomed(1.0), zoomed(1.0).copy()
    near = zoomed(1.03)
    after[20:, 40:120] = near[20:, 40:120]
    assert not drives(before, after, apart_s=0.1)


def watched(rate_per_s: float, seconds: float = 12.0, fps: float = 10.0) -> PictureWatch:
    eye = PictureWatch()
    for i in range(int(seconds * fps)):
        eye.update(ns_from_s(i / fps), lane(rate_per_s * i / fps))
    return eye


@pytest.mark.parametrize("rate_per_s", [0.1, 0.2, -0.15])
def test_a_film_from_a_car_is_not_counted(rate_per_s: float) -> None:
    verdict = watched(rate_per_s).verdict()
    assert not verdict.countable
    assert verdict.reason.startswith("moving camera or edited film")
    assert verdict.driven_share > 0.5


def test_a_lane_before_which_a_camera_stands_is_counted() -> None:
    verdict = watched(0.0).verdict()
    assert verdict.countable
    assert verdict.driven_share == 0.0


def test_two_pictures_a_second_are_too_far_apart_to_tell() -> None:
    assert watched(0.3, fps=2.0).verdict().driven_share == 0.0
