"""A place: its cameras, gates, zones, movements, masks, signal heads and rule settings.

Everything here is plain and frozen; ``calmstreet.config`` reads it from SITE.toml.
Shapes are tuples of (x, y) in picture pixels unless a name says metres.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = [
    "CONTROLS",
    "FOOT",
    "TURNS",
    "ZONE_KINDS",
    "Camera",
    "CheckLength",
    "Gate",
    "Mask",
    "Movement",
    "PlaneSpec",
    "Point",
    "Signal",
    "Site",
    "Zone",
    "site_from_json",
]

Point = tuple[float, float]
FOOT: Point = (0.5, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckLength:
    """A length measured on the ground between two places of the picture; NaN sigma is default."""

    a_px: Point
    b_px: Point
    length_m: float
    sigma_m: float = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaneSpec:
    """What was measured to map a camera's picture to the ground; the fit is geometry's work.

    ``sigma_px`` is the standard error of a click; ``sigma_m`` that of the places, one for all or
    one each; NaN or () is geometry's default. ``size_px`` is the width and height of the picture
    the points were picked on, () for that of the video. ``k1`` and ``focal_px`` are the lens.
    """

    points_px: tuple[Point, ...] = ()
    points_m: tuple[Point, ...] = ()
    points_lonlat: tuple[Point, ...] = ()
    check_lengths: tuple[CheckLength, ...] = ()
    k1: float = 0.0
    focal_px: float = float("nan")
    size_px: tuple[float, ...] = ()
    sigma_px: float = float("nan")
    sigma_m: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """One camera of the site; ``plane`` is None until somebody calibrates it.

    ``reference`` is the picture on which its gates were drawn, a path beside the site file or "".
    """

    id: str
    plane: PlaneSpec | None = None
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A polyline (n >= 2 points) that road users cross with their ``anchor``.

    ``anchor`` is relative (x, y) in the box, (0.5, 1) is the foot. ``to_left`` / ``to_right``:
    standing at the first point, looking along the line on the picture, the side on which the
    road user ends; in metres north is up. ``signal`` names the head that governs it, "" for none;
    ``control`` is "stop" at a STOP sign; ``direction`` is the side on which those end whom signal
    or sign govern, "" where it follows from the junction zone (else both); ``turn_on_red`` is
    "left" or "right" where those who have stopped may turn on red, "" for nobody.
    """

    id: str
    camera_id: str
    points_px: tuple[Point, ...] = ()
    points_m: tuple[Point, ...] = ()
    anchor: Point = FOOT
    signal: str = ""
    control: str = ""
    direction: str = ""
    turn_on_red: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A polygon (n >= 3 corners) of one kind, see ``ZONE_KINDS``. NaN limits are unknown.

    ``signal`` of a crossing names the head that pedestrians obey, "" for none.
    """

    id: str
    camera_id: str
    kind: str
    polygon_px: tuple[Point, ...] = ()
    polygon_m: tuple[Point, ...] = ()
    control: str = ""
    signal: str = ""
    direction_deg: float = float("nan")
    speed_limit_kmh: float = float("nan")
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """From one zone or gate to another; ``turn`` is left, through, right, u or "" (derived)."""

    id: str
    from_id: str
    to_id: str
    turn: str = ""
    forbidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mask:
    """A polygon that is blackened in every kept picture and in which nobody is looked for."""

    camera_id: str
    polygon_px: tuple[Point, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A signal head: boxes (l, t, r, b) in pixels of its lamps by colour."""

    id: str
    camera_id: str
    lamps_px: Mapping[str, tuple[float, float, float, float]] = field(default_factory=dict)


ZONE_KINDS: tuple[str, ...] = (
    "approach",
    "lane",
    "carriageway",
    "crossing",
    "footway",
    "no-stopping",
    "bus-stop",
    "solid-line",
    "bus-lane",
    "motorway",
    "roadworks",
    "junction",
)
CONTROLS: tuple[str, ...] = ("zebra", "signal", "none")
TURNS: tuple[str, ...] = ("left", "through", "right", "u")
_LATER = ("turn_on_red",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One place with its cameras in one metric frame.

    ``origin_lonlat`` is where (0, 0) m lies, None when the points of the planes say. ``rules``
    maps a rule's name to its settings. ``site_version`` is the sha256 of the canonical
    JSON of everything here.
    """

    id: str
    name: str = ""
    tz: str = "UTC"
    speed_limit_kmh: float = float("nan")
    strict_blur: bool = False
    origin_lonlat: Point | None = None
    cameras: tuple[Camera, ...] = ()
    gates: tuple[Gate, ...] = ()
    zones: tuple[Zone, ...] = ()
    movements: tuple[Movement, ...] = ()
    masks: tuple[Mask, ...] = ()
    signals: tuple[Signal, ...] = ()
    rules: Mapping[str, Mapping[str, float | str | bool]] = field(default_factory=dict)

    def canonical_json(self) -> str:
        """Return the same text for the same site: order of keys and 4 or 4.0 do not matter.

        Fields of gates that came later are left out while empty: older sites keep their version.
        """
        plain = json.loads(json.dumps(asdict(self)), parse_int=float)
        for gate in plain["gates"]:
            for name in _LATER:
                if not gate[name]:
                    del gate[name]
        return json.dumps(plain, sort_keys=True, separators=(",", ":"))

    @property
    def site_version(self) -> str:
        """Return the sha256 of the canonical JSON, 64 hex digits."""
        return hashlib.sha256(self.canonical_json().encode()).hexdigest()

    def of_camera(self, camera_id: str) -> "Site":
        """Return the same site with only what belongs to one camera."""
        mine = {
            name: tuple(part for part in getattr(self, name) if part.camera_id == camera_id)
            for name in ("gates", "zones", "masks", "signals")
        }
        known = {part.id for name in ("gates", "zones") for part in mine[name]}
        return Site(
            id=self.id,
            name=self.name,
            tz=self.tz,
            speed_limit_kmh=self.speed_limit_kmh,
            strict_blur=self.strict_blur,
            origin_lonlat=self.origin_lonlat,
            cameras=tuple(camera for camera in self.cameras if camera.id == camera_id),
            movements=tuple(m for m in self.movements if {m.from_id, m.to_id} <= known),
            rules=self.rules,
            **mine,
        )


def site_from_json(tree: Mapping[str, Any]) -> Site:
    """Return the site whose canonical JSON was read into ``tree``.

    >>> import json
    >>> site = Site(id="x", gates=(Gate(id="g", camera_id="c", points_px=((1, 2), (3, 4))),))
    >>> site_from_json(json.loads(site.canonical_json())).site_version == site.site_version
    True
    """
    parts = {"gates": Gate, "zones": Zone, "movements": Movement, "masks": Mask}
    fields = dict(tree)
    for name, noun in parts.items():
        fields[name] = tuple(noun(**_tupled(row)) for row in tree[name])
    fields["signals"] = tuple(
        Signal(
            id=row["id"],
            camera_id=row["camera_id"],
            lamps_px={colour: _tupled(box) for colour, box in row["lamps_px"].items()},
        )
        for row in tree["signals"]
    )
    fields["cameras"] = tuple(
        Camera(
            id=row["id"],
            plane=_plane(row["plane"]) if row["plane"] else None,
            reference=row.get("reference", ""),
        )
        for row in tree["cameras"]
    )
    fields["origin_lonlat"] = _tupled(tree.get("origin_lonlat"))
    return Site(**fields)


def _plane(row: Mapping[str, Any]) -> PlaneSpec:
    lengths = tuple(CheckLength(**_tupled(length)) for length in row["check_lengths"])
    return PlaneSpec(**{**_tupled(dict(row)), "check_lengths": lengths})


def _tupled(value: Any) -> Any:
    """Return the same with tuples in the place of lists, all the way down."""
    if isinstance(value, list):
        return tuple(_tupled(item) for item in value)
    if isinstance(value, dict):
        return {key: _tupled(item) for key, item in value.items()}
    return value
