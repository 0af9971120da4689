"""Where things lie on the ground: the plane of a camera as its site describes it, remembered."""

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from calmstreet.errors import CalibrationError
from calmstreet.geometry.calibrate import fit_plane
from calmstreet.geometry.plane import Plane
from calmstreet.geometry.planes import site_frame
from calmstreet.model.site import Gate, Site, Zone, site_from_json
from calmstreet.store.seen import CameraRow, Seen
from calmstreet.web.answers_junction import PlaceShape
from calmstreet.web.numbers import plain

__all__ = ["Ground", "camera_lonlat", "site_of"]

Pair = tuple[float, float]
_MOST_PLANES, _MOST_SITES = 256, 16
_lock = threading.Lock()
Key = TypeVar("Key")
Thing = TypeVar("Thing")


class _Remembered(Generic[Key, Thing]):
    """The things that were made last, for all threads."""

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._things: OrderedDict[Key, Thing] = OrderedDict()

    def get(self, key: Key, make: Callable[[], Thing]) -> Thing:
        """Return the thing of a key, made where it is not there."""
        with _lock:
            if key in self._things:
                self._things.move_to_end(key)
                return self._things[key]
        thing = make()
        with _lock:
            self._things[key] = thing
            while len(self._things) > self._most:
                self._things.popitem(last=False)
        return thing


_planes: _Remembered[tuple[str, Pair | None, int, int], Plane | None] = _Remembered(
    most=_MOST_PLANES
)
_sites: _Remembered[str, Site] = _Remembered(most=_MOST_SITES)


def site_of(seen: Seen, site_version: str = "") -> Site | None:
    """Return the site of a result, or an earlier version, with only the cameras that are open."""
    found = seen.site_json(site_version)
    if found is None:
        return None
    version, text, _ = found
    site = _sites.get(version, lambda: site_from_json(json.loads(text)))
    if seen.cameras is None or {camera.id for camera in site.cameras} <= seen.cameras:
        return site
    return _only(site, seen.cameras)


def _only(site: Site, cameras: frozenset[str]) -> Site:
    parts = [site.of_camera(camera.id) for camera in site.cameras if camera.id in cameras]
    if not parts:
        return Site(id=site.id, name=site.name, tz=site.tz)
    names = ("cameras", "gates", "zones", "movements", "masks", "signals")
    joined = {name: tuple(row for part in parts for row in getattr(part, name)) for name in names}
    return Site(
        id=site.id,
        name=site.name,
        tz=site.tz,
        speed_limit_kmh=site.speed_limit_kmh,
        strict_blur=site.strict_blur,
        origin_lonlat=site.origin_lonlat,
        rules=site.rules,
        **joined,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ground:
    """A camera's part of a site and its plane, None where it has none that fits."""

    site: Site
    plane: Plane | None
    origin: Pair | None

    @classmethod
    def of(cls, site: Site | None, row: CameraRow) -> "Ground":
        """Return the ground under a camera; fits are remembered."""
        if site is None:
            return cls(site=Site(id="unknown"), plane=None, origin=None)
        mine = site.of_camera(row.camera_id)
        try:
            origin = site_frame(site)
        except CalibrationError:
            return cls(site=mine, plane=None, origin=None)
        return cls(site=mine, plane=_plane(mine, row, origin), origin=origin)

    @property
    def state(self) -> str:
        """Return whether the plane may carry speeds, is a sketch, or is missing."""
        if self.plane is None:
            return "none"
        return "trusted" if self.plane.trusted else "sketch"

    def gates(self) -> list[PlaceShape]:
        """Return the gates as far as they are known on picture, ground and map."""
        return [
            self._shape(gate, "gate", "gate", gate.points_px, gate.points_m)
            for gate in self.site.gates
        ]

    def zones(self) -> list[PlaceShape]:
        """Return the zones as far as they are known on picture, ground and map."""
        return [
            self._shape(zone, "zone", zone.kind, zone.polygon_px, zone.polygon_m)
            for zone in self.site.zones
        ]

    def _shape(
        self, place: Gate | Zone, what: str, kind: str, px: Sequence[Pair], metres: Sequence[Pair]
    ) -> PlaceShape:
        on_picture, on_ground = list(px), list(metres)
        if self.plane is not None and on_picture and not on_ground:
            on_ground = _pairs(self.plane.to_m(on_picture), 3)
        elif self.plane is not None and on_ground and not on_picture:
            on_picture = _pairs(self.plane.to_px(on_ground), 1)
        limit_kmh = place.speed_limit_kmh if isinstance(place, Zone) else float("nan")
        return PlaceShape.of(
            id=place.id,
            name=place.name,
            camera_id=place.camera_id,
            what=what,
            kind=kind,
            points_px=on_picture,
            points_m=on_ground,
            points_lonlat=self.lonlat(on_ground),
            speed_limit_kmh=plain(limit_kmh, 1),
        )

    def lonlat(self, places_m: Sequence[Pair]) -> list[Pair]:
        """Return degrees of metres, [] where nobody said where the metres begin."""
        if self.plane is None or self.plane.origin_lonlat is None or not len(places_m):
            return []
        return _pairs(self.plane.to_lonlat(places_m), 7)


def _pairs(places: object, digits: int) -> list[Pair]:
    """Return pairs; [] where any place is not known, such as over the horizon."""
    rows = np.asarray(places, np.float64).reshape(-1, 2)
    if not np.isfinite(rows).all():
        return []
    return [(round(x, digits), round(y, digits)) for x, y in rows.tolist()]


def _plane(site: Site, row: CameraRow, origin: Pair | None) -> Plane | None:
    """Return the plane of the one camera of a site, None where it has none that fits."""
    spec = next((camera.plane for camera in site.cameras), None)
    if spec is None:
        return None
    # What was replayed or imported has no picture; its plane says for which picture it is.
    given = spec.size_px if spec.size_px and not row.width_px else (row.width_px, row.height_px)
    width_px, height_px = round(given[0]), round(given[1])
    if not width_px:
        return None

    def fitted() -> Plane | None:
        try:
            return fit_plane(spec, width_px=width_px, height_px=height_px, origin_lonlat=origin)
        except CalibrationError:
            return None

    return _planes.get((repr(spec), origin, width_px, height_px), fitted)


def camera_lonlat(ground: Ground) -> Pair | None:
    """Return where a camera stands, else the middle of what it sees, else where metres begin."""
    if ground.plane is None:
        return ground.origin
    place = ground.plane.place_m[:2]
    if not np.isfinite(place).all():
        place = ground.plane.hull_m.mean(axis=0)
    found = ground.lonlat([(float(place[0]), float(place[1]))])
    return found[0] if found else ground.origin
