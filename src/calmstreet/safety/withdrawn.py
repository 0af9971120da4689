"""Which gates and zones cannot be used when, because the camera looked elsewhere.

A gate stays where it was drawn on the picture. When the camera turns, it lies over another piece
of ground: how far away that is, in metres through the plane where there is one, decides. Boxes are
registered to the reference picture, so a small shift harms nobody; a large one shows that metres,
gates and what hides them are no longer what was drawn and checked.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calmstreet.geometry.plane import Plane
from calmstreet.geometry.shapes import polygon_area, polyline_length
from calmstreet.geometry.turning import points_through
from calmstreet.model.flow import Withdrawn, no_withdrawn
from calmstreet.model.shifts import Shifts
from calmstreet.model.site import Point, Site

__all__ = ["MAX_MOVED_M", "MAX_MOVED_SHARE", "moved_too_far", "withdrawn_by"]

MAX_MOVED_M = 0.3
MAX_MOVED_SHARE = 0.02
_BETWEEN = 4

Array = NDArray[np.float64]


def withdrawn_by(shifts: Shifts, site: Site, *, plane: Plane | None = None) -> Withdrawn:
    """Return the gates and zones of one camera's site that each shift takes out of use.

    A gate or zone goes when any point of it lies over ground more than ``MAX_MOVED_M`` away, or,
    without a plane, more than ``MAX_MOVED_SHARE`` of its own length (zones: of the side of a square
    as large) away on the picture; all go while nobody knows where the camera looks.
    """
    if not len(shifts):
        return no_withdrawn()
    rows = [
        (name, int(start_ns), int(end_ns))
        for name, points_px, limit_px in _places(site, plane)
        for start_ns, end_ns, matrix in zip(
            shifts.start_ns, shifts.end_ns, shifts.matrix, strict=True
        )
        if moved_too_far(points_px, matrix, limit_px=limit_px, plane=plane)
    ]
    rows.sort(key=lambda row: (row[1], row[0]))
    return Withdrawn(
        place_id=np.array([row[0] for row in rows], np.str_),
        start_ns=np.array([row[1] for row in rows], np.int64),
        end_ns=np.array([row[2] for row in rows], np.int64),
    )


def moved_too_far(
    points_px: ArrayLike, matrix: ArrayLike, *, limit_px: float, plane: Plane | None = None
) -> bool:
    """Return whether a shift lays points (n, 2) of the picture over other ground than before.

    ``matrix`` (3, 3) sends pixels as seen to those of the reference picture, NaN: nowhere. Metres
    decide where ``plane`` knows them, else ``limit_px``.

    >>> aside = [[1, 0, 5.0], [0, 1, 0], [0, 0, 1]]
    >>> moved_too_far([[0, 0]], aside, limit_px=4.0), moved_too_far([[0, 0]], aside, limit_px=6.0)
    (True, False)
    """
    before = np.asarray(points_px, np.float64)
    after = points_through(before, matrix)
    if not np.isfinite(after).all():
        return True
    if plane is not None:
        moved_m = np.hypot(*(plane.to_m(after) - plane.to_m(before)).T)
        known = np.isfinite(moved_m)
        if known.any():
            return bool((moved_m[known] > MAX_MOVED_M).any())
    return bool((np.hypot(*(after - before).T) > limit_px).any())


def _places(site: Site, plane: Plane | None) -> Iterator[tuple[str, Array, float]]:
    """Yield id, points (n, 2) and limit in pixels of every gate and zone that the picture shows."""
    for gate in site.gates:
        line = _on_picture(gate.points_px, gate.points_m, plane)
        if len(line) > 1:
            yield gate.id, _along(line), MAX_MOVED_SHARE * float(polyline_length(line))
    for zone in site.zones:
        ring = _on_picture(zone.polygon_px, zone.polygon_m, plane)
        if len(ring) > 2:
            side_px = float(np.sqrt(abs(polygon_area(ring))))
            yield zone.id, _along(np.concatenate([ring, ring[:1]])), MAX_MOVED_SHARE * side_px


def _on_picture(
    points_px: tuple[Point, ...], points_m: tuple[Point, ...], plane: Plane | None
) -> Array:
    """Return a shape in pixels; what was drawn in metres goes through the plane."""
    if points_px or plane is None or not points_m:
        return np.asarray(points_px, np.float64).reshape(-1, 2)
    seen = plane.to_px(np.asarray(points_m, np.float64))
    return seen[np.isfinite(seen).all(axis=1)]


def _along(line: Array) -> Array:
    """Return the corners of a line (n, 2) with points between them."""
    share = (np.arange(_BETWEEN) / _BETWEEN)[None, :, None]
    between = line[:-1, None] + share * (line[1:] - line[:-1])[:, None]
    return np.concatenate([between.reshape(-1, 2), line[-1:]])
