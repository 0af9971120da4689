"""Metres per pixel where a box stands, for pictures without a plane.

A box is as high as its kind is: ``HEIGHT_M[kind] / box height``. For kind ``unknown`` (a moving
blob that nobody named, often seen from above) the shorter side of the box is taken instead, since
from above the longer one is the length of the vehicle. This is good to a factor of about 1.5:
enough to say "half a metre beside the line", never enough for a published speed or length.
"""

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.kinds import HEIGHT_M, Kind

__all__ = ["metres_per_px", "px_from_m"]

_HEIGHTS_M = np.full(256, HEIGHT_M[Kind.UNKNOWN])
_HEIGHTS_M[: len(HEIGHT_M)] = HEIGHT_M


def metres_per_px(kind: NDArray[np.uint8], box_px: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return metres per pixel (n,) at boxes (n, 4) l, t, r, b of kinds (n,).

    NaN where a box has no height. A box that the picture's border cuts off gives too much.

    >>> metres_per_px(np.array([4], np.uint8), np.array([[0, 0, 40, 30]], np.float32)).tolist()
    [0.05]
    """
    box = np.asarray(box_px, np.float64)
    width, height = box[:, 2] - box[:, 0], box[:, 3] - box[:, 1]
    measured = np.where(kind == Kind.UNKNOWN, np.minimum(width, height), height)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(measured > 0, _HEIGHTS_M[kind] / measured, np.nan)


def px_from_m(
    length_m: float, *, kind: NDArray[np.uint8], box_px: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return how many pixels (n,) a length in metres has at each box; NaN where unknown.

    >>> px_from_m(0.5, kind=np.array([4], np.uint8),
    ...           box_px=np.array([[0, 0, 40, 30]], np.float32)).tolist()
    [10.0]
    """
    return length_m / metres_per_px(kind, box_px)
