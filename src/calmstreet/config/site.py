"""SITE.toml in and out: read with every fault at once, checked against a frame, written."""

import math
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from calmstreet.config.plane import plane_of, plane_row
from calmstreet.config.references import Fault, reference_faults
from calmstreet.config.schema import (
    CameraTable,
    GateTable,
    SignalTable,
    SiteFile,
    ZoneTable,
)
from calmstreet.config.toml import to_toml
from calmstreet.config.wording import model_faults
from calmstreet.errors import ConfigError
from calmstreet.model.site import (
    FOOT,
    Camera,
    Gate,
    Mask,
    Movement,
    Point,
    Signal,
    Site,
    Zone,
)

__all__ = [
    "check_frame",
    "default_site",
    "dump_site_toml",
    "load_site",
    "parse_site",
    "site_json_schema",
    "site_of_tables",
]

_ONLY_CAMERA = "camera"
_EDGE_PX = 1.0
_NAN = float("nan")


def load_site(path: Path) -> tuple[Site, str]:
    """Read a SITE.toml and return the site and the text of the file.

    Raises ConfigError with every fault at once, each naming file, key and cure.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        why = error.strerror or "it cannot be read"
        raise ConfigError(f"{path}: {why}; give the path of a SITE.toml") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not text in UTF-8; save it as UTF-8") from error
    return parse_site(text, source=str(path)), text


def parse_site(text: str, *, source: str = "SITE.toml") -> Site:
    r"""Return the site that a TOML text describes; ``source`` names it in faults.

    Raises ConfigError with every fault at once.

    >>> parse_site('[site]\nid = "abay"').id
    'abay'
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source}: does not read as TOML: {error}; mend that line") from error
    return site_of_tables(raw, source=source)


def site_of_tables(raw: dict[str, Any], *, source: str = "SITE.toml") -> Site:
    """Return the site that the tables of a SITE.toml describe, as they were read.

    Raises ConfigError with every fault at once.

    >>> site_of_tables({"site": {"id": "abay"}}).id
    'abay'
    """
    faults = reference_faults(raw)
    parsed = None
    try:
        parsed = SiteFile.model_validate(raw)
    except ValidationError as error:
        faults = [*model_faults(error), *faults]
    if faults or parsed is None:
        raise ConfigError(*(_sentence(source, raw, fault) for fault in faults))
    return _site(parsed)


def _sentence(source: str, raw: dict[str, Any], fault: Fault) -> str:
    """Return file, key path, the id of the row where it has one, and what is wrong."""
    path, wrong = fault
    table, _, rest = path.partition("[")
    rows, index = raw.get(table), rest.partition("]")[0]
    if isinstance(rows, list) and index.isdigit() and int(index) < len(rows):
        row = rows[int(index)]
        if isinstance(row, dict) and isinstance(row.get("id"), str) and not path.endswith(".id"):
            path = f'{path} ("{row["id"]}")'
    return f"{source}: {path} {wrong}" if path else f"{source}: {wrong}"


def _site(file: SiteFile) -> Site:
    cameras = tuple(_camera(table) for table in file.camera) or (Camera(id=_ONLY_CAMERA),)
    only = cameras[0].id
    return Site(
        id=file.site.id,
        name=file.site.name,
        tz=file.site.tz,
        speed_limit_kmh=_or_nan(file.site.speed_limit_kmh),
        strict_blur=file.site.strict,
        origin_lonlat=file.site.origin_lonlat,
        cameras=cameras,
        gates=tuple(_gate(table, only) for table in file.gate),
        zones=tuple(_zone(table, only) for table in file.zone),
        movements=tuple(
            Movement(id=m.id, from_id=m.from_, to_id=m.to, turn=m.turn or "", forbidden=m.forbidden)
            for m in file.movement
        ),
        masks=tuple(Mask(camera_id=m.camera or only, polygon_px=m.polygon_px) for m in file.mask),
        signals=tuple(_signal(table, only) for table in file.signal),
        rules=_rules(file.rules),
    )


def _or_nan(value: float | None) -> float:
    return _NAN if value is None else value


def _camera(table: CameraTable) -> Camera:
    return Camera(
        id=table.id,
        plane=None if table.plane is None else plane_of(table.plane),
        reference=table.reference,
    )


def _gate(table: GateTable, only: str) -> Gate:
    return Gate(
        id=table.id,
        camera_id=table.camera or only,
        points_px=table.points_px or (),
        points_m=table.points_m or (),
        anchor=table.anchor,
        signal=table.signal or "",
        control=table.control or "",
        direction=table.direction or "",
        turn_on_red=table.turn_on_red or "",
        name=table.name,
    )


def _zone(table: ZoneTable, only: str) -> Zone:
    return Zone(
        id=table.id,
        camera_id=table.camera or only,
        kind=table.kind,
        polygon_px=table.polygon_px or (),
        polygon_m=table.polygon_m or (),
        control=table.control or "",
        signal=table.signal or "",
        direction_deg=_or_nan(table.direction_deg),
        speed_limit_kmh=_or_nan(table.speed_limit_kmh),
        name=table.name,
    )


def _signal(table: SignalTable, only: str) -> Signal:
    lamps = table.lamps_px.model_dump(exclude_none=True) if table.lamps_px else {}
    return Signal(id=table.id, camera_id=table.camera or only, lamps_px=lamps)


def _rules(table: BaseModel) -> dict[str, dict[str, float | str | bool]]:
    given: dict[str, dict[str, float | str | bool]] = table.model_dump(
        exclude_none=True, by_alias=True
    )
    return {name: settings for name, settings in given.items() if settings}


def default_site(camera_id: str = _ONLY_CAMERA) -> Site:
    """Return a site that knows nothing but its one camera, for work without a SITE.toml.

    >>> default_site().cameras[0].id
    'camera'
    """
    return Site(id="site", cameras=(Camera(id=camera_id),))


def site_json_schema() -> dict[str, Any]:
    """Return the JSON Schema of SITE.toml.

    >>> sorted(site_json_schema()["required"])
    ['site']
    """
    schema = SiteFile.model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "SITE.toml",
    }


def check_frame(site: Site, camera_id: str, width_px: int, height_px: int) -> None:
    """Refuse what is drawn outside the frame of one camera; one pixel over the edge is allowed.

    Raises ConfigError naming every such gate, zone, mask and lamp, and the size of the frame.
    """
    faults = _without_plane(site.of_camera(camera_id))
    for what, points in _drawn(site.of_camera(camera_id)):
        outside = [p for p in points if not _inside(p, width_px, height_px)]
        if outside:
            x, y = outside[0]
            faults.append(
                f"SITE.toml: {what} reaches ({x:g}, {y:g}), outside the frame of camera "
                f'"{camera_id}" ({width_px} x {height_px} px); '
                "draw it on a picture of this size"
            )
    if faults:
        raise ConfigError(*faults)


def _without_plane(site: Site) -> list[str]:
    """Return a fault for what lies in metres though no camera of the site has a plane."""
    if any(camera.plane is not None for camera in site.cameras):
        return []
    metric = [(f'gate "{gate.id}"', "points") for gate in site.gates if gate.points_m]
    metric += [(f'zone "{zone.id}"', "polygon") for zone in site.zones if zone.polygon_m]
    return [
        f"SITE.toml: {what} is in metres but its camera has no [camera.plane]; "
        f"add the plane or draw it as {key}_px"
        for what, key in metric
    ]


def _inside(point: Point, width_px: int, height_px: int) -> bool:
    across = -_EDGE_PX <= point[0] <= width_px + _EDGE_PX
    return across and -_EDGE_PX <= point[1] <= height_px + _EDGE_PX


def _drawn(site: Site) -> Iterator[tuple[str, tuple[Point, ...]]]:
    for gate in site.gates:
        yield f'gate "{gate.id}"', gate.points_px
    for zone in site.zones:
        yield f'zone "{zone.id}"', zone.polygon_px
    for i, mask in enumerate(site.masks):
        yield f"mask[{i}]", mask.polygon_px
    for signal in site.signals:
        for colour, (left, top, right, bottom) in signal.lamps_px.items():
            yield f'the {colour} lamp of signal "{signal.id}"', ((left, top), (right, bottom))


def dump_site_toml(site: Site) -> str:
    """Return a SITE.toml that reads back as the same site.

    >>> parse_site(dump_site_toml(default_site("north"))).cameras[0].id
    'north'
    """
    document: dict[str, Any] = {
        "site": _known(
            id=site.id,
            name=site.name,
            tz=site.tz,
            speed_limit_kmh=site.speed_limit_kmh,
            strict=site.strict_blur,
            origin_lonlat=site.origin_lonlat,
        ),
        "camera": [_camera_row(camera) for camera in site.cameras],
        "gate": [_gate_row(gate) for gate in site.gates],
        "zone": [_zone_row(zone) for zone in site.zones],
        "movement": [
            _known(
                **{
                    "id": m.id,
                    "from": m.from_id,
                    "to": m.to_id,
                    "turn": m.turn,
                    "forbidden": m.forbidden or None,
                }
            )
            for m in site.movements
        ],
        "mask": [{"camera": m.camera_id, "polygon_px": m.polygon_px} for m in site.masks],
        "signal": [
            _known(id=s.id, camera=s.camera_id, lamps_px=dict(s.lamps_px) or None)
            for s in site.signals
        ],
        "rules": {name: dict(settings) for name, settings in site.rules.items()},
    }
    if site.cameras == (Camera(id=_ONLY_CAMERA),):
        _leave_out_camera(document)
    return to_toml({key: value for key, value in document.items() if value})


def _leave_out_camera(document: dict[str, Any]) -> None:
    """Do not name the one camera that nobody named: shapes in metres need none, but no plane."""
    del document["camera"]
    for table in ("gate", "zone", "mask", "signal"):
        for row in document[table]:
            row.pop("camera", None)


def _known(**values: Any) -> dict[str, Any]:
    """Return the values that say something: no empty text, no empty list, no NaN."""
    return {key: value for key, value in values.items() if not _says_nothing(value)}


def _says_nothing(value: Any) -> bool:
    return value in ("", (), None) or (isinstance(value, float) and math.isnan(value))


def _camera_row(camera: Camera) -> dict[str, Any]:
    plane = None if camera.plane is None else plane_row(camera.plane)
    return _known(id=camera.id, reference=camera.reference, plane=plane)


def _gate_row(gate: Gate) -> dict[str, Any]:
    return _known(
        id=gate.id,
        camera=gate.camera_id,
        name=gate.name,
        points_px=gate.points_px,
        points_m=gate.points_m,
        anchor="foot" if gate.anchor == FOOT else gate.anchor,
        signal=gate.signal,
        control=gate.control,
        direction=gate.direction,
        turn_on_red=gate.turn_on_red,
    )


def _zone_row(zone: Zone) -> dict[str, Any]:
    return _known(
        id=zone.id,
        camera=zone.camera_id,
        name=zone.name,
        kind=zone.kind,
        polygon_px=zone.polygon_px,
        polygon_m=zone.polygon_m,
        control=zone.control,
        signal=zone.signal,
        direction_deg=zone.direction_deg,
        speed_limit_kmh=zone.speed_limit_kmh,
    )
