"""How long a vehicle is, from how wide its box looks from aside.

Seen along its way a vehicle's length hardly shows and the kind's length stands; seen across, the
width of the net's box tells it. Each box adds a weight of one over its variance, at most as much as
all boxes of a pass may teach: their errors are alike.
"""

import numpy as np
from numpy.typing import NDArray

from calmstreet.geometry.plane import Plane
from calmstreet.model.kinds import VEHICLES, Eye, Flag, Kind
from calmstreet.model.points import TrackPoints
from calmstreet.perception.footprint import Body, body_width_px

__all__ = ["length_seen"]

Floats = NDArray[np.float64]

_EDGE_SHARE = 0.06
_STEP_M = 1.0
_TURN_RAD = 0.05
_LEAST_DOUBT_RAD, _MOST_DOUBT_RAD = 0.03, 0.3
_ALIKE = 2.0
_LEAST_PX_PER_M = 2.0
_IS_VEHICLE = np.zeros(256, np.bool_)
_IS_VEHICLE[[int(kind) for kind in VEHICLES]] = True
_IS_VEHICLE[Kind.UNKNOWN] = True
_SPOILT = np.uint8(Flag.BORDER | Flag.OVERLAPPED | Flag.TENTATIVE | Flag.COASTED)


def length_seen(
    points: TrackPoints, body: Body, plane: Plane, *, place_m: Floats, heading_sigma_rad: Floats
) -> tuple[Floats, Floats]:
    """Return the length (n,) in metres that each row's box shows, and its weight (n,) in 1/m2.

    ``place_m`` (n, 2) is where the bodies stand. The weight is 0, and the length 0, where the box
    does not tell: other eyes than the net's, hidden or cut boxes, no heading or a doubtful one
    (``heading_sigma_rad`` (n,)), people, or a vehicle seen from its end.
    """
    told, weight = np.zeros(len(points)), np.zeros(len(points))
    rows = np.flatnonzero(
        ((points.seen_by & np.uint8(Eye.NET)) > 0)
        & ((points.flags & _SPOILT) == 0)
        & _IS_VEHICLE[points.kind]
        & np.isfinite(body.heading_rad)
        & (heading_sigma_rad < _MOST_DOUBT_RAD)
        & np.isfinite(place_m).all(axis=1)
    )
    if not len(rows):
        return told, weight
    box = points.seen_px[rows].astype(np.float64)
    some = body.rows(rows)
    three = body.rows(np.concatenate([rows] * 3))
    n = len(rows)
    three.length_m[n : 2 * n] += _STEP_M
    three.heading_rad[2 * n :] += _TURN_RAD
    widths = body_width_px(plane, three, np.concatenate([place_m[rows]] * 3)).reshape(3, n)
    expected_px = widths[0]
    slope = (widths[1] - expected_px) / _STEP_M
    swing = (widths[2] - expected_px) / _TURN_RAD
    doubt_rad = np.maximum(heading_sigma_rad[rows], _LEAST_DOUBT_RAD)
    edges_px = _EDGE_SHARE * np.maximum(box[:, 3] - box[:, 1], 1.0)
    sigma_px = _ALIKE * np.hypot(edges_px, swing * doubt_rad)
    clear = np.isfinite(slope) & (slope > _LEAST_PX_PER_M)
    slope = np.where(clear, slope, 1.0)
    length_m = some.length_m + (box[:, 2] - box[:, 0] - expected_px) / slope
    told[rows] = np.where(clear, length_m, 0.0)
    weight[rows] = np.where(clear, (slope / sigma_px) ** 2, 0.0)
    return told, weight
