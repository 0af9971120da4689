"""Many pictures of one head or plate, put together by somebody who knows exactly where it was."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from calmstreet.model.kinds import Kind
from calmstreet.video.mosaic import mosaic
from calmstreet.video.zones import Zones, zones_of

FINE = 4
SIDE_PX = 240
PICTURES = 30
MODULES = 6
READ = 0.5
"""A mark of six modules a side that correlates by less is not read; unblurred it is above 0.9."""

Floats = NDArray[np.float32]


def correlation(a: Floats, b: Floats) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / max(float(np.sqrt((a * a).sum() * (b * b).sum())), 1e-9))


def put_together(mark_px: int, zone: bool, kind: Kind, seed: int) -> tuple[float, float]:
    """Return correlation of the mean of aligned pictures, and of the same with the cells undone."""
    dice = np.random.default_rng(seed)
    side = mark_px * FINE
    modules = dice.integers(40, 216, (MODULES, MODULES)).astype(np.float32)
    mark = np.asarray(
        cv2.resize(modules, (side, side), interpolation=cv2.INTER_NEAREST), np.float32
    )
    ground = np.asarray(
        cv2.resize(dice.integers(60, 180, (8, 8)).astype(np.float32), (SIDE_PX * FINE,) * 2)
    )
    total, cell = np.zeros((3 * side, 3 * side), np.float32), 1
    for x, y in (dice.uniform(70, 110, (PICTURES, 2)) * FINE).astype(int):
        large = ground.copy()
        large[y : y + side, x : x + side] = mark
        small = cv2.resize(large, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
        small = np.clip(small + dice.normal(0, 2, small.shape), 0, 255)
        picture = np.asarray(small, np.uint8)[..., None].repeat(3, 2)
        if zone:
            zones = around(x / FINE, y / FINE, mark_px, kind)
            picture, cell = mosaic(picture, zones)[0], int(zones.cell_px[0])
        size = (SIDE_PX * FINE, SIDE_PX * FINE)
        whole = cv2.resize(picture[..., 0], size, interpolation=cv2.INTER_NEAREST)
        total += whole[y - side : y + 2 * side, x - side : x + 2 * side]
    total /= PICTURES
    cut = slice(side, 2 * side)
    return correlation(total[cut, cut], mark), undone(total, cell * FINE, mark)


def around(x: float, y: float, mark_px: int, kind: Kind) -> Zones:
    """Return the zones of a road user whose head or plate lies at (x, y)."""
    if kind == Kind.PEDESTRIAN:
        height, width = 7.3 * mark_px, 2.6 * mark_px
        box = (x + mark_px / 2 - width / 2, y, x + mark_px / 2 + width / 2, y + height)
    else:
        height, width = 11.0 * mark_px, 13.0 * mark_px
        box = (x - width / 2, y - 0.65 * height, x + width / 2, y + 0.35 * height)
    return zones_of(np.array([box], np.float32), np.array([kind], np.uint8))


def undone(total: Floats, cell: int, mark: Floats) -> float:
    """Return the best of several Wiener filters that know the shape of the cells."""
    kernel = np.zeros_like(total)
    kernel[:cell, :cell] = 1 / cell**2
    wave = np.fft.fft2(np.roll(kernel, (-(cell // 2), -(cell // 2)), (0, 1))) ** 2
    seen, side = np.fft.fft2(total - total.mean()), mark.shape[0]
    best = 0.0
    for noise in (1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 1e-4):
        sharp = np.fft.ifft2(seen * np.conj(wave) / (np.abs(wave) ** 2 + noise)).real
        best = max(
            best, correlation(sharp[side : 2 * side, side : 2 * side].astype(np.float32), mark)
        )
    return best


@pytest.mark.parametrize("head_px", [9, 12, 16, 24, 40])
def test_thirty_pictures_of_a_head_do_not_add_up(head_px: int) -> None:
    found = [put_together(head_px, True, Kind.PEDESTRIAN, seed) for seed in range(4)]
    assert np.mean(found, axis=0).max() < READ


@pytest.mark.parametrize("plate_px", [5, 8, 14])
def test_thirty_pictures_of_a_plate_do_not_add_up(plate_px: int) -> None:
    found = [put_together(plate_px, True, Kind.CAR, seed) for seed in range(4)]
    assert np.mean(found, axis=0).max() < READ


def test_without_mosaic_they_do() -> None:
    assert put_together(16, False, Kind.PEDESTRIAN, 0)[0] > 0.9
