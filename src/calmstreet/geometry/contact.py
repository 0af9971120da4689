"""When two footprints touch: exact time to collision of oriented boxes that move straight on.

Method: swept separating axes. Two convex boxes with constant velocities overlap while their
projections overlap on all four box axes (Gottschalk, Lin and Manocha 1996); each axis gives an
interval of time in closed form, the contact is where all four intersect.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Footprints",
    "box_contact",
    "box_ttc",
    "corners_m",
    "make_footprints",
    "separation_m",
]

Array = NDArray[np.float64]

_STILL_MPS = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Footprints:
    """Boxes on the ground, all columns float64 (n,): centre, unit heading, size, velocity."""

    x_m: Array
    y_m: Array
    cos_heading: Array
    sin_heading: Array
    length_m: Array
    width_m: Array
    vx_mps: Array
    vy_mps: Array

    def __len__(self) -> int:
        return len(self.x_m)

    def __getitem__(self, index: Any) -> "Footprints":
        """Return the boxes that a mask, slice or index array picks."""
        return Footprints(**{part.name: getattr(self, part.name)[index] for part in fields(self)})


def make_footprints(
    xy_m: ArrayLike,
    *,
    heading_rad: ArrayLike,
    length_m: ArrayLike,
    width_m: ArrayLike,
    velocity_mps: ArrayLike,
) -> Footprints:
    """Return boxes from centres (n, 2), headings (counter-clockwise from east), sizes, velocities.

    >>> len(make_footprints([[0, 0]], heading_rad=0, length_m=4, width_m=2, velocity_mps=[[1, 0]]))
    1
    """
    place = np.asarray(xy_m, np.float64).reshape(-1, 2)
    speed = np.broadcast_to(np.asarray(velocity_mps, np.float64), place.shape)

    def column(values: ArrayLike) -> Array:
        spread = np.broadcast_to(np.asarray(values, np.float64), len(place))
        return np.ascontiguousarray(spread)

    heading = column(heading_rad)
    return Footprints(
        x_m=place[:, 0].copy(),
        y_m=place[:, 1].copy(),
        cos_heading=np.cos(heading),
        sin_heading=np.sin(heading),
        length_m=column(length_m),
        width_m=column(width_m),
        vx_mps=speed[:, 0].copy(),
        vy_mps=speed[:, 1].copy(),
    )


def box_ttc(a: Footprints, b: Footprints) -> tuple[Array, NDArray[np.bool_]]:
    """Return (TTC in s, overlap now) of each pair of boxes that go straight on.

    TTC is 0 where they overlap, inf where they never touch, NaN where something is unknown.

    >>> car = make_footprints([[0, 0], [0, 0]], heading_rad=0, length_m=4, width_m=2,
    ...                       velocity_mps=[[10, 0], [10, 0]])
    >>> other = make_footprints([[54, 0], [54, 4]], heading_rad=0, length_m=4, width_m=2,
    ...                         velocity_mps=[[-15, 0], [-15, 0]])
    >>> box_ttc(car, other)[0].tolist()
    [2.0, inf]
    """
    t_in, t_out = box_contact(a, b)
    hit = (t_in < t_out) & (t_out > 0)
    ttc = np.where(hit, np.maximum(t_in, 0.0), np.inf)
    return np.where(np.isnan(t_in), np.nan, ttc), hit & (t_in <= 0)


def box_contact(a: Footprints, b: Footprints) -> tuple[Array, Array]:
    """Return when each pair begins and ceases to overlap, s from now (both may lie in the past).

    They never touch where the beginning is not before the end; NaN where something is unknown.

    >>> box = make_footprints([[0, 0]], heading_rad=0, length_m=4, width_m=2, velocity_mps=[[2, 0]])
    >>> there = make_footprints([[8, 0]], heading_rad=0, length_m=4, width_m=2,
    ...                         velocity_mps=[[0, 0]])
    >>> [float(part[0]) for part in box_contact(box, there)]
    [2.0, 6.0]
    """
    dx, dy = b.x_m - a.x_m, b.y_m - a.y_m
    wx, wy = b.vx_mps - a.vx_mps, b.vy_mps - a.vy_mps
    t_in = np.full(dx.shape, -np.inf)
    t_out = np.full(dx.shape, np.inf)
    for cos, sin, reach in _axes(a, b):
        first, last = _touching_s(dx * cos + dy * sin, wx * cos + wy * sin, reach)
        np.maximum(t_in, first, out=t_in)
        np.minimum(t_out, last, out=t_out)
    unknown = np.isnan(dx + dy + wx + wy + a.length_m + b.length_m + a.width_m + b.width_m)
    unknown |= np.isnan(a.cos_heading + b.cos_heading)
    t_in[unknown] = np.nan
    t_out[unknown] = np.nan
    return t_in, t_out


def separation_m(a: Footprints, b: Footprints) -> Array:
    """Return the largest gap of the boxes over their axes, m; below 0 they overlap.

    It is the distance of boxes that face each other and never more than the distance otherwise.

    >>> box = make_footprints([[0, 0]], heading_rad=0, length_m=4, width_m=2, velocity_mps=[[0, 0]])
    >>> there = make_footprints([[7, 0]], heading_rad=0, length_m=4, width_m=2,
    ...                         velocity_mps=[[0, 0]])
    >>> separation_m(box, there).tolist()
    [3.0]
    """
    dx, dy = b.x_m - a.x_m, b.y_m - a.y_m
    gap = np.full(np.broadcast_shapes(dx.shape), -np.inf)
    for cos, sin, reach in _axes(a, b):
        gap = np.maximum(gap, np.abs(dx * cos + dy * sin) - reach)
    return gap


def corners_m(boxes: Footprints) -> Array:
    """Return the corners (n, 4, 2): front left, front right, rear right, rear left.

    >>> box = make_footprints([[0, 0]], heading_rad=0, length_m=4, width_m=2, velocity_mps=[[0, 0]])
    >>> corners_m(box)[0].tolist()
    [[2.0, 1.0], [2.0, -1.0], [-2.0, -1.0], [-2.0, 1.0]]
    """
    along = np.array([0.5, 0.5, -0.5, -0.5]) * boxes.length_m[:, None]
    aside = np.array([0.5, -0.5, -0.5, 0.5]) * boxes.width_m[:, None]
    cos, sin = boxes.cos_heading[:, None], boxes.sin_heading[:, None]
    x = boxes.x_m[:, None] + along * cos - aside * sin
    y = boxes.y_m[:, None] + along * sin + aside * cos
    return np.stack([x, y], axis=2)


def _axes(a: Footprints, b: Footprints) -> list[tuple[Array, Array, Array]]:
    """Return (cos, sin, half the sum of both extents) for the two axes of each box."""
    same = np.abs(a.cos_heading * b.cos_heading + a.sin_heading * b.sin_heading)
    across = np.abs(a.cos_heading * b.sin_heading - a.sin_heading * b.cos_heading)
    return [
        (a.cos_heading, a.sin_heading, 0.5 * (a.length_m + b.length_m * same + b.width_m * across)),
        (-a.sin_heading, a.cos_heading, 0.5 * (a.width_m + b.length_m * across + b.width_m * same)),
        (b.cos_heading, b.sin_heading, 0.5 * (b.length_m + a.length_m * same + a.width_m * across)),
        (-b.sin_heading, b.cos_heading, 0.5 * (b.width_m + a.length_m * across + a.width_m * same)),
    ]


def _touching_s(offset_m: Array, speed_mps: Array, reach_m: Array) -> tuple[Array, Array]:
    """Return when the projections on one axis begin and cease to overlap."""
    still = np.abs(speed_mps) < _STILL_MPS
    speed = np.where(still, 1.0, speed_mps)
    one, two = (-reach_m - offset_m) / speed, (reach_m - offset_m) / speed
    inside = np.where(np.abs(offset_m) < reach_m, -np.inf, np.inf)
    first = np.where(still, inside, np.minimum(one, two))
    last = np.where(still, -inside, np.maximum(one, two))
    return first, last
