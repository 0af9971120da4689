"""Painting over: cell means on a fixed grid, and constant polygons. Nothing that can be undone."""

from collections.abc import Sequence
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from calmstreet.video.zones import CELLS_PX, Zones

__all__ = ["FILL_LEVEL", "fill", "mosaic", "polygon_mask"]

FILL_LEVEL = 40
"""Grey level of the site's masks in a stored picture."""

_STEP_PX = 4


def polygon_mask(
    polygons: Sequence[Sequence[tuple[float, float]]], width_px: int, height_px: int, scale: float
) -> NDArray[np.uint8]:
    """Return uint8 (h, w), 255 in the polygons (corners in camera pixels) and one pixel around.

    >>> int(polygon_mask([[(0, 0), (4, 0), (4, 4), (0, 4)]], 8, 8, 0.5)[1, 1])
    255
    """
    mask = np.zeros((height_px, width_px), np.uint8)
    for polygon in polygons:
        corners = np.round(np.asarray(polygon, np.float64).reshape(-1, 2) * scale).astype(np.int32)
        cv2.fillPoly(mask, [corners], (255,))
    if mask.any():
        cv2.dilate(mask, np.ones((3, 3), np.uint8), mask)
    return mask


def fill(picture: NDArray[np.uint8], polygons: NDArray[np.uint8]) -> None:
    """Paint the polygons with one grey level, in place."""
    picture[polygons > 0] = FILL_LEVEL


def mosaic(picture: NDArray[np.uint8], zones: Zones) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return (mosaicked copy of ``picture`` (h, w, 3), mask uint8 (h, w) 255 where covered).

    The grid of each cell size starts in the picture's corner; each cell becomes the mean of the
    whole cell, painted as far as the zone reaches. Where zones overlap the coarser one wins.

    >>> picture = np.arange(8, dtype=np.uint8).reshape(1, 8, 1).repeat(8, 0).repeat(3, 2)
    >>> zone = Zones(np.array([[1, 1, 3, 3]], np.float32), np.array([6]))
    >>> mosaic(picture, zone)[0][0, :, 0].tolist()
    [2, 2, 2, 2, 4, 5, 6, 7]
    """
    height, width = picture.shape[:2]
    covered = np.zeros((height, width), np.uint8)
    result = picture.copy()
    for left, top, right, bottom, cell in _snapped(zones, width, height):
        x0, y0 = left // cell * cell, top // cell * cell
        x1, y1 = -(-right // cell) * cell, -(-bottom // cell) * cell
        x_in, y_in = min(x1, width), min(y1, height)
        patch = _padded(picture[y0:y_in, x0:x_in], x1 - x_in, y1 - y_in)
        cells = ((x1 - x0) // cell, (y1 - y0) // cell)
        small = cv2.resize(patch, cells, interpolation=cv2.INTER_AREA)
        large = cv2.resize(small, (x1 - x0, y1 - y0), interpolation=cv2.INTER_NEAREST)
        result[top:bottom, left:right] = large[top - y0 : bottom - y0, left - x0 : right - x0]
        covered[top:bottom, left:right] = 255
    return result, covered


def _snapped(zones: Zones, width: int, height: int) -> list[list[int]]:
    """Return rows of l, t, r, b, cell in whole pixels, coarsest last, those outside left out."""
    if not np.isfinite(zones.rect_px).all():
        raise ValueError("a zone to blur has a corner that is not a number")
    if (zones.rect_px[:, :2] > zones.rect_px[:, 2:]).any():
        raise ValueError("a zone to blur is turned inside out")
    cell = zones.cell_px
    if not np.isin(cell, CELLS_PX).all():
        raise ValueError("a mosaic cell has a size that is not allowed")
    limits = np.array([width, height, width, height], np.float64)
    rect = np.clip(zones.rect_px.astype(np.float64), 0.0, limits)
    rect[:, :2] = np.floor(rect[:, :2] / _STEP_PX) * _STEP_PX
    rect[:, 2:] = np.minimum(np.ceil(rect[:, 2:] / _STEP_PX) * _STEP_PX, limits[2:])
    inside = (
        (zones.rect_px[:, 2] > 0)
        & (zones.rect_px[:, 3] > 0)
        & (zones.rect_px[:, 0] < width)
        & (zones.rect_px[:, 1] < height)
        & (rect[:, :2] < rect[:, 2:]).all(axis=1)
    )
    rows = np.column_stack([rect, cell])[inside].astype(np.int64)
    different = {tuple(row) for row in rows.tolist()}
    needed = _needed(np.array(sorted(different), np.int64).reshape(-1, 5))
    return cast(list[list[int]], needed[np.argsort(needed[:, 4], kind="stable")].tolist())


def _needed(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the different rows l, t, r, b, cell that lie in no coarser or equal other one."""
    left, top, right, bottom, cell = (column[:, None] for column in rows.T)
    inside = (left >= left.T) & (top >= top.T) & (right <= right.T) & (bottom <= bottom.T)
    inside &= cell <= cell.T
    np.fill_diagonal(inside, False)
    return cast(NDArray[np.int64], rows[~inside.any(axis=1)])


def _padded(patch: NDArray[np.uint8], right: int, bottom: int) -> NDArray[np.uint8]:
    if not (right or bottom):
        return patch
    return cast(
        NDArray[np.uint8],
        cv2.copyMakeBorder(patch, 0, bottom, 0, right, cv2.BORDER_REPLICATE),
    )
