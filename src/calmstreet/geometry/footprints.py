"""Footprints on the ground against lines and areas: oriented boxes in metres."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calmstreet.geometry.shapes import Line, polygon_area

__all__ = ["footprints_cover", "shares_inside"]


def footprints_cover(
    line: Line,
    *,
    xy_m: ArrayLike,
    heading_rad: ArrayLike,
    length_m: ArrayLike,
    width_m: ArrayLike,
) -> NDArray[np.bool_]:
    """Return bool (n,): which footprints touch the finite line, in metres.

    ``xy_m`` (n, 2) centres; heading counter-clockwise from east (n,); length and width (n,). Each
    part of the line is turned into the frame of each footprint (separating axes: the two sides of
    the footprint and the normal of the line). NaN touches nothing.

    >>> from calmstreet.geometry.shapes import make_line
    >>> gate = make_line([(2, -5), (2, 5)], y_up=True)
    >>> footprints_cover(gate, xy_m=[(0, 0), (0, 0)], heading_rad=[0.0, np.pi / 2],
    ...                  length_m=[4.5, 4.5], width_m=[1.8, 1.8]).tolist()
    [True, False]
    """
    centre = np.asarray(xy_m, np.float64).reshape(-1, 2)
    heading = np.asarray(heading_rad, np.float64)[:, None]
    half_x = np.asarray(length_m, np.float64)[:, None] / 2
    half_y = np.asarray(width_m, np.float64)[:, None] / 2
    cos, sin = np.cos(heading), np.sin(heading)
    ends = []
    for end in (line.a[line.own], line.b[line.own]):
        dx, dy = end[None, :, 0] - centre[:, :1], end[None, :, 1] - centre[:, 1:]
        ends.append((dx * cos + dy * sin, dy * cos - dx * sin))
    (ax, ay), (bx, by) = ends
    meets = (np.minimum(ax, bx) <= half_x) & (np.maximum(ax, bx) >= -half_x)
    meets &= (np.minimum(ay, by) <= half_y) & (np.maximum(ay, by) >= -half_y)
    dx, dy = bx - ax, by - ay
    reach = np.abs(dy) * half_x + np.abs(dx) * half_y
    return np.asarray((meets & (np.abs(dy * ax - dx * ay) <= reach)).any(axis=1))


def shares_inside(
    polygon: ArrayLike,
    *,
    xy_m: ArrayLike,
    heading_rad: ArrayLike,
    length_m: ArrayLike,
    width_m: ArrayLike,
) -> NDArray[np.float64]:
    """Return (n,) in 0..1: which share of each footprint lies in a polygon (k, 2), in metres.

    Arguments as in ``footprints_cover``; NaN lies nowhere. The polygon is cut at the four sides of
    each footprint (Sutherland and Hodgman 1974).

    >>> zebra = [(0, -9), (3, -9), (3, 9), (0, 9)]
    >>> shares_inside(zebra, xy_m=[(-1.8, 0)], heading_rad=[0.0], length_m=[4.5],
    ...               width_m=[1.8]).round(3).tolist()
    [0.1]
    """
    corners = np.asarray(polygon, np.float64).reshape(-1, 2)
    centre = np.asarray(xy_m, np.float64).reshape(-1, 2)
    heading = np.asarray(heading_rad, np.float64)
    sizes = np.stack([np.asarray(side, np.float64) for side in (length_m, width_m)], axis=1)
    shares = np.zeros(len(centre))
    for row in np.flatnonzero(np.isfinite(centre).all(axis=1) & np.isfinite(heading)).tolist():
        cos, sin = np.cos(heading[row]), np.sin(heading[row])
        off = corners - centre[row]
        left = np.stack(
            [off[:, 0] * cos + off[:, 1] * sin, off[:, 1] * cos - off[:, 0] * sin], axis=1
        )
        for axis in (0, 1):
            left = _cut(left, axis, 0.5 * sizes[row, axis])
            left = _cut(left * -1.0, axis, 0.5 * sizes[row, axis])
        if len(left) > 2:
            shares[row] = min(polygon_area(left) / float(sizes[row].prod()), 1.0)
    return shares


def _cut(corners: NDArray[np.float64], axis: int, most: float) -> NDArray[np.float64]:
    """Return what of a polygon lies at ``most`` or below along an axis."""
    kept: list[NDArray[np.float64]] = []
    for here, before in zip(corners, np.roll(corners, 1, axis=0), strict=True):
        if (here[axis] <= most) != (before[axis] <= most):
            share = (most - before[axis]) / (here[axis] - before[axis])
            kept.append(before + share * (here - before))
        if here[axis] <= most:
            kept.append(here)
    return np.array(kept).reshape(-1, 2)
