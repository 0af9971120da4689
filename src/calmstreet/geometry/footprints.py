"""Footprints on the ground against lines: oriented boxes in metres."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calmstreet.geometry.shapes import Line

__all__ = ["footprints_cover"]


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
