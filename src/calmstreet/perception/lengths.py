"""How long a vehicle is, from how wide its box looks from aside.

Seen along its way a vehicle's length hardly shows and the kind's length stands; seen across, the
width of the net's box tells it. Each box adds a weight of one over its variance, at most as much as
all boxes of a pass may teach: their errors are alike.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from calmstreet.geometry.plane import Plane
from calmstreet.model.kinds import VEHICLES, Eye, Flag, Kind
from calmstreet.model.points import TrackPoints
from calmstreet.perception.footprint import Body, body_width_px, place_bodies

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
    points: TrackPoints, body: Body, plane: Plane, *, heading_sigma_rad: Floats
) -> tuple[Floats, Floats]:
    """Return the length (n,) in metres that each row's box shows, and its weight (n,) in 1/m2.

    The weight is 0, and the length 0, where the box does not tell: other eyes than the net's,
    hidden or cut boxes, no heading or a doubtful one (``heading_sigma_rad`` (n,)), people, or a
    vehicle seen from its end.
    """
    told, weight = np.zeros(len(points)), np.zeros(len(points))
    rows = np.flatnonzero(
        ((points.seen_by & np.uint8(Eye.NET)) > 0)
        & ((points.flags & _SPOILT) == 0)
        & _IS_VEHICLE[points.kind]
        & np.isfinite(body.heading_rad)
        & (heading_sigma_rad < _MOST_DOUBT_RAD)
    )
    if not len(rows):
        return told, weight
    box = points.seen_px[rows].astype(np.float64)
    some = Body(
        kind=body.kind[rows],
        heading_rad=body.heading_rad[rows],
        length_m=body.length_m[rows],
        width_m=body.width_m[rows],
    )
    longer = replace(some, length_m=some.length_m + _STEP_M)
    turned = replace(some, heading_rad=some.heading_rad + _TURN_RAD)
    place = place_bodies(plane, some, box)
    expected_px = body_width_px(plane, some, place)
    slope = (body_width_px(plane, longer, place) - expected_px) / _STEP_M
    swing = (body_width_px(plane, turned, place) - expected_px) / _TURN_RAD
    doubt_rad = np.maximum(heading_sigma_rad[rows], _LEAST_DOUBT_RAD)
    edges_px = _EDGE_SHARE * np.maximum(box[:, 3] - box[:, 1], 1.0)
    sigma_px = _ALIKE * np.hypot(edges_px, swing * doubt_rad)
    clear = np.isfinite(slope) & (slope > _LEAST_PX_PER_M)
    slope = np.where(clear, slope, 1.0)
    length_m = some.length_m + (box[:, 2] - box[:, 0] - expected_px) / slope
    told[rows] = np.where(clear, length_m, 0.0)
    weight[rows] = np.where(clear, (slope / sigma_px) ** 2, 0.0)
    return told, weight
