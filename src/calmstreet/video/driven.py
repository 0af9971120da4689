"""Whether the camera itself drives: nearly everything moves, away from one point or towards it.

A camera behind a windscreen keeps horizon and bonnet where they are and its picture resembles
itself for minutes; tiles that shift alike do not tell it. Small corners do: they flow from one
point (Gibson 1950, the focus of expansion), and next to none stays. A mast that sways moves
everything as well, but not apart; in a full street kerbs, walls and trees stay.
"""

from functools import cache
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["DRIVEN_S", "drives"]

DRIVEN_S = (0.03, 0.35)
"""Least and longest time between two pictures that can be compared."""

_MOST_CORNERS = 200
_FEWEST_CORNERS = 24
_WINDOW = {"winSize": (11, 11), "maxLevel": 3}
_BACK_PX = 0.5
_MOVED_PX = 0.2
_STILL_PX = 0.1
_MOVED_SHARE = 0.8
_STILL_SHARE = 0.1
_OUTWARD_SHARE = 0.7
_OUTWARD_COSINE = 0.7
_RATE_PER_S = 0.08

Floats = NDArray[np.float64]


def drives(before: NDArray[np.uint8], after: NDArray[np.uint8], *, apart_s: float) -> bool:
    """Return whether two small luma pictures (h, w), ``apart_s`` seconds apart, show a drive."""
    flow = _flow(before, after)
    if flow is None:
        return False
    places, steps = flow
    length = np.hypot(*steps.T)
    moved = length > _MOVED_PX
    if moved.mean() < _MOVED_SHARE or (length < _STILL_PX).mean() > _STILL_SHARE:
        return False
    high, wide = before.shape
    away = places[moved] - _centres(wide, high)[:, None, :]
    along = (away * steps[moved]).sum(axis=2)
    reach = np.maximum(np.hypot(away[..., 0], away[..., 1]), 1e-6)
    straight = np.abs(along) / (reach * length[moved]) > _OUTWARD_COSINE
    for sign in (1.0, -1.0):
        outward = (straight & (sign * along > 0)).mean(axis=1)
        best = int(outward.argmax())
        rate = float(np.median(along[best] / reach[best] ** 2)) / apart_s
        if outward[best] >= _OUTWARD_SHARE and sign * rate > _RATE_PER_S:
            return True
    return False


def _flow(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> tuple[Floats, Floats] | None:
    """Return corners (n, 2) and their steps (n, 2), only those that lead back; None for few."""
    corners = cv2.goodFeaturesToTrack(before, _MOST_CORNERS, 0.005, 4)
    if corners is None or len(corners) < _FEWEST_CORNERS:
        return None
    follow = cast(Any, cv2.calcOpticalFlowPyrLK)
    there, found, _ = follow(before, after, corners, None, **_WINDOW)
    back, returned, _ = follow(after, before, there, None, **_WINDOW)
    off = np.hypot(*(back - corners)[:, 0].T)
    good = (found[:, 0] == 1) & (returned[:, 0] == 1) & (off < _BACK_PX)
    if np.count_nonzero(good) < _FEWEST_CORNERS:
        return None
    places = corners[good, 0].astype(np.float64)
    return places, there[good, 0].astype(np.float64) - places


@cache
def _centres(wide: int, high: int) -> Floats:
    """Return the points (n, 2) from which a picture may flow."""
    x, y = np.meshgrid(np.linspace(0.2, 0.8, 9) * wide, np.linspace(0.2, 0.8, 7) * high)
    return np.stack([x.ravel(), y.ravel()], axis=1)
