"""The one model of SITE.toml: which tables and keys there are and what each may hold.

What needs two tables at once (unique ids, who names whom) is checked in ``references``.
"""

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    create_model,
    model_validator,
)

from calmstreet.config.rule_tables import rule_tables
from calmstreet.config.shapes import faulty_box, faulty_polygon, faulty_polyline
from calmstreet.errors import InputError
from calmstreet.units import zone_info

__all__ = ["TABLES", "SiteFile"]


_LEAST_M = 0.1


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)


def _known_zone(tz: str) -> str:
    try:
        zone_info(tz)
    except InputError as error:
        raise ValueError(str(error)) from error
    return tz


def _foot(value: Any) -> Any:
    return (0.5, 1.0) if value == "foot" else value


def _polyline(points: Any) -> Any:
    fault = faulty_polyline(points)
    if fault:
        raise ValueError(fault)
    return points


def _polygon(points: Any) -> Any:
    fault = faulty_polygon(points)
    if fault:
        raise ValueError(fault)
    return points


def _metric(points: Any) -> Any:
    """Refuse a shape as small as one in degrees is when taken for metres."""
    wide, high = (max(axis) - min(axis) for axis in zip(*points, strict=True))
    if max(wide, high) < _LEAST_M:
        raise ValueError(
            f"reaches over {max(wide, high):g} m only, so it looks like degrees; "
            "give metres east and north of a point of your choice"
        )
    return points


def _box(box: Any) -> Any:
    fault = faulty_box(box)
    if fault:
        raise ValueError(fault)
    return box


Id = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]
SignalName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:/#-]{1,80}$")]
Name = Annotated[str, Field(max_length=200)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Share = Annotated[Number, Field(ge=0, le=1)]
Limit = Annotated[Number, Field(gt=0, le=200)]
Pair = tuple[Number, Number]
LonLat = tuple[Annotated[Number, Field(ge=-180, le=180)], Annotated[Number, Field(ge=-90, le=90)]]
Sigma = Annotated[Number, Field(gt=0, le=100)]
Size = Annotated[Number, Field(gt=0)]
Polyline = Annotated[
    tuple[Pair, ...], AfterValidator(_polyline), Field(json_schema_extra={"minItems": 2})
]
Polygon = Annotated[
    tuple[Pair, ...], AfterValidator(_polygon), Field(json_schema_extra={"minItems": 3})
]
PolylineM = Annotated[Polyline, AfterValidator(_metric)]
PolygonM = Annotated[Polygon, AfterValidator(_metric)]
Box = Annotated[tuple[Number, Number, Number, Number], AfterValidator(_box)]
Anchor = Annotated[
    tuple[Share, Share],
    BeforeValidator(_foot),
    WithJsonSchema(
        {
            "anyOf": [
                {"const": "foot"},
                {
                    "type": "array",
                    "items": {"type": "number", "minimum": 0, "maximum": 1},
                    "minItems": 2,
                    "maxItems": 2,
                },
            ],
            "default": "foot",
        }
    ),
]
ZoneKind = Literal[
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
]


def _exactly_one(table: _Table, first: str, second: str) -> None:
    given = [key for key in (first, second) if getattr(table, key) is not None]
    if len(given) != 1:
        said = "both are given" if given else "none is given"
        raise ValueError(f"wants either {first} or {second}, {said}; write one of them")


class SiteTable(_Table):
    """The place as a whole."""

    id: Id
    name: Name = ""
    tz: Annotated[str, AfterValidator(_known_zone)] = "UTC"
    speed_limit_kmh: Limit | None = None
    strict: Annotated[bool, Field(strict=True)] = False
    origin_lonlat: LonLat | None = None


class CheckLength(_Table):
    """A length measured on the ground between two places of the picture."""

    a_px: Pair
    b_px: Pair
    length_m: Annotated[Number, Field(gt=0)]
    sigma_m: Sigma | None = None


class PlaneTable(_Table):
    """Points of the picture whose place on the ground is known."""

    points_px: Annotated[tuple[Pair, ...], Field(min_length=1)]
    points_m: tuple[Pair, ...] | None = None
    points_lonlat: tuple[LonLat, ...] | None = None
    check_lengths: tuple[CheckLength, ...] = ()
    k1: Annotated[Number, Field(ge=-1, le=1)] = 0.0
    focal_px: Size | None = None
    size_px: tuple[Size, Size] | None = None
    sigma_px: Sigma | None = None
    sigma_m: Sigma | tuple[Sigma, ...] | None = None

    @model_validator(mode="after")
    def _pairs_match(self) -> "PlaneTable":
        _exactly_one(self, "points_m", "points_lonlat")
        ground = self.points_m if self.points_m is not None else self.points_lonlat
        if ground is None or len(ground) != len(self.points_px):
            raise ValueError(
                f"points_px has {len(self.points_px)} points and its partner {len(ground or ())}; "
                "give every picture point its place on the ground"
            )
        if len(set(self.points_px)) < len(self.points_px):
            raise ValueError("points_px names a place twice; give every point once")
        if isinstance(self.sigma_m, tuple) and len(self.sigma_m) != len(self.points_px):
            raise ValueError(
                f"sigma_m has {len(self.sigma_m)} numbers for {len(self.points_px)} points; "
                "give one number for all, or one for each"
            )
        return self


class CameraTable(_Table):
    """One camera of the place."""

    id: Id
    plane: PlaneTable | None = None
    reference: Name = ""


class GateTable(_Table):
    """A line that road users cross."""

    id: Id
    camera: Id | None = None
    points_px: Polyline | None = None
    points_m: PolylineM | None = None
    anchor: Anchor = (0.5, 1.0)
    signal: SignalName | None = None
    control: Literal["stop"] | None = None
    direction: Literal["to_left", "to_right"] | None = None
    turn_on_red: Literal["left", "right"] | None = None
    name: Name = ""

    @model_validator(mode="after")
    def _one_shape(self) -> "GateTable":
        _exactly_one(self, "points_px", "points_m")
        if self.turn_on_red is not None and self.signal is None:
            raise ValueError(
                "turn_on_red belongs to a gate with a signal; add signal or remove turn_on_red"
            )
        return self


class ZoneTable(_Table):
    """An area of one kind."""

    id: Id
    camera: Id | None = None
    kind: ZoneKind
    polygon_px: Polygon | None = None
    polygon_m: PolygonM | None = None
    control: Literal["zebra", "signal", "none"] | None = None
    signal: SignalName | None = None
    direction_deg: Annotated[Number, Field(ge=0, lt=360)] | None = None
    speed_limit_kmh: Limit | None = None
    name: Name = ""

    @model_validator(mode="after")
    def _one_shape(self) -> "ZoneTable":
        _exactly_one(self, "polygon_px", "polygon_m")
        if self.control is not None and self.kind != "crossing":
            raise ValueError(
                f'control belongs to kind = "crossing", this is "{self.kind}"; remove control'
            )
        if self.signal is not None and self.kind != "crossing":
            raise ValueError(
                f'signal belongs to kind = "crossing", this is "{self.kind}"; remove signal'
            )
        return self


class MovementTable(_Table):
    """From one zone or gate to another."""

    id: Id
    from_: Annotated[Id, Field(alias="from")]
    to: Id
    turn: Literal["left", "through", "right", "u"] | None = None
    forbidden: Annotated[bool, Field(strict=True)] = False


class MaskTable(_Table):
    """An area that is blackened and in which nobody is looked for."""

    camera: Id | None = None
    polygon_px: Polygon


class LampTable(_Table):
    """Boxes l, t, r, b of the lamps of one signal head."""

    red: Box | None = None
    amber: Box | None = None
    green: Box | None = None

    @model_validator(mode="after")
    def _any_lamp(self) -> "LampTable":
        if self.red is None and self.amber is None and self.green is None:
            raise ValueError("holds no lamp; give at least one of red, amber, green")
        return self


class SignalTable(_Table):
    """A signal head."""

    id: Id
    camera: Id | None = None
    lamps_px: LampTable | None = None


class CountingTable(_Table):
    """Settings of the counting rule."""

    hysteresis_m: Annotated[Number, Field(ge=0, le=20)] | None = None


_RULE_TABLES = rule_tables()
_RULE_FIELDS: dict[str, Any] = {
    "counting": (CountingTable | None, None),
    **{
        name.replace("-", "_"): (Annotated[table | None, Field(alias=name)], None)
        for name, table in _RULE_TABLES.items()
    },
}
RulesTable: Any = create_model(
    "RulesTable",
    __config__=ConfigDict(extra="forbid", frozen=True),
    __doc__="Settings of rules by name.",
    **_RULE_FIELDS,
)


class SiteFile(_Table):
    """A whole SITE.toml."""

    site: SiteTable
    camera: tuple[CameraTable, ...] = ()
    gate: tuple[GateTable, ...] = ()
    zone: tuple[ZoneTable, ...] = ()
    movement: tuple[MovementTable, ...] = ()
    mask: tuple[MaskTable, ...] = ()
    signal: tuple[SignalTable, ...] = ()
    rules: RulesTable = RulesTable()


TABLES: dict[str, type[BaseModel]] = {
    "": SiteFile,
    "site": SiteTable,
    "camera": CameraTable,
    "camera.plane": PlaneTable,
    "camera.plane.check_lengths": CheckLength,
    "gate": GateTable,
    "zone": ZoneTable,
    "movement": MovementTable,
    "mask": MaskTable,
    "signal": SignalTable,
    "signal.lamps_px": LampTable,
    "rules": RulesTable,
    "rules.counting": CountingTable,
    **{f"rules.{name}": table for name, table in _RULE_TABLES.items()},
}
"""The model behind each table of the file, by its dotted name."""
