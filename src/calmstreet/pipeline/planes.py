"""The plane of a camera for pictures of one size, fitted once, and what is to be said about it."""

from dataclasses import dataclass, replace

import numpy as np

from calmstreet.geometry.plane import Plane
from calmstreet.geometry.planes import planes_of
from calmstreet.model.flow import Crossings
from calmstreet.model.kinds import LENGTH_M, Kind
from calmstreet.model.site import Point, Site
from calmstreet.pipeline.warned import warn
from calmstreet.store.findings import Warned

__all__ = ["CameraPlane", "camera_plane", "eye_of", "length_alarm", "on_the_ground"]

MOST_REMEMBERED = 32
FEWEST_LENGTHS = 20
USUAL_SHARE = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraPlane:
    """``plane`` is None where a camera has no points or they say too little: counts only."""

    plane: Plane | None
    notes: tuple[Warned, ...] = ()


_known: dict[tuple[str, str, int, int], CameraPlane] = {}


def camera_plane(site: Site, camera_id: str, *, width_px: int, height_px: int) -> CameraPlane:
    """Return the plane of a camera in the site's one metric frame.

    Raises CalibrationError for points that contradict each other (mirrored, over the horizon).

    >>> camera_plane(Site(id="a"), "north", width_px=640, height_px=360).plane is None
    True
    """
    key = (site.site_version, camera_id, width_px, height_px)
    if key not in _known:
        if len(_known) >= MOST_REMEMBERED:
            _known.clear()
        _known[key] = _fitted(site, camera_id, width_px, height_px)
    return _known[key]


def _fitted(site: Site, camera_id: str, width_px: int, height_px: int) -> CameraPlane:
    found = planes_of(site, {camera_id: (width_px, height_px)})
    plane = found.planes.get(camera_id)
    if plane is None:
        why = found.counts_only.get(camera_id)
        return CameraPlane(
            plane=None, notes=(warn("plane-unused", camera=camera_id, note=why),) if why else ()
        )
    if plane.trusted:
        return CameraPlane(plane=plane)
    note = warn("plane-sketch", camera=camera_id, note="; ".join(plane.reasons))
    return CameraPlane(plane=plane, notes=(note,))


def on_the_ground(site: Site, plane: Plane | None) -> Site:
    """Return the site with gates and zones in metres too, where all of them can be laid there.

    Rules then ask where the front of a road user is. Without a trusted plane, or where a shape
    reaches over the horizon, the site stays as it was drawn.
    """
    if plane is None or not plane.trusted:
        return site
    gates = [
        g if g.points_m else replace(g, points_m=_laid(g.points_px, plane)) for g in site.gates
    ]
    zones = [
        z if z.polygon_m else replace(z, polygon_m=_laid(z.polygon_px, plane)) for z in site.zones
    ]
    if not (all(g.points_m for g in gates) and all(z.polygon_m for z in zones)):
        return site
    return replace(site, gates=tuple(gates), zones=tuple(zones))


def eye_of(plane: Plane | None) -> tuple[float, float] | None:
    """Return where over the ground a camera hangs (east, north), None where nobody knows."""
    if plane is None or not np.isfinite(plane.place_m[:2]).all():
        return None
    return float(plane.place_m[0]), float(plane.place_m[1])


def _laid(points_px: tuple[Point, ...], plane: Plane) -> tuple[Point, ...]:
    """Return pixels in metres, () where one is not on the ground."""
    there = plane.to_m(np.array(points_px, np.float64).reshape(-1, 2))
    if not np.isfinite(there).all():
        return ()
    return tuple((float(x), float(y)) for x, y in there)


def length_alarm(passes: Crossings) -> list[Warned]:
    """Return a warning when the cars of a run are too long or too short to be cars.

    Each car counts once, with its length at a gate, if anything of it was measured. Lengths are no
    calibration: they only tell that a plane should be looked at again.
    """
    usual_m = LENGTH_M[Kind.CAR]
    car = (passes.kind == Kind.CAR) & np.isfinite(passes.length_m)
    car &= np.abs(passes.length_m - usual_m) > 1e-3
    _, first = np.unique(passes.track_id[car], return_index=True)
    lengths_m = passes.length_m[car][first]
    if len(lengths_m) < FEWEST_LENGTHS:
        return []
    median_m = float(np.median(lengths_m))
    if abs(median_m - usual_m) <= USUAL_SHARE * usual_m:
        return []
    return [warn("vehicle-lengths", length_m=round(median_m, 1), count=len(lengths_m))]
