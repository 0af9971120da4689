"""Layers of streets: GeoJSON by ourselves; GeoPackage, Shapefile and other grids with an extra."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import FormatError, InputError

__all__ = ["Layer", "read_layer"]

Floats = NDArray[np.float64]
_IDS = ("id", "segment_id", "osmid", "fid")
_MORE = (
    "{name} is no GeoJSON; for GeoPackage, Shapefile and others install: "
    "pip install 'calmstreet[spatial]'"
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layer:
    """Lines (k, 2) with their ids, names and the names of their properties."""

    lines: tuple[Floats, ...]
    ids: tuple[str, ...]
    names: dict[str, str]
    columns: tuple[str, ...]
    in_degrees: bool

    def origin_deg(self) -> tuple[float, float]:
        """Return the middle of all lines, the origin of metres where they are in degrees."""
        joined = np.concatenate(self.lines)
        middle = (joined.min(axis=0) + joined.max(axis=0)) / 2
        return float(middle[0]), float(middle[1])


def read_layer(path: Path) -> Layer:
    """Return the LineStrings of a file; raise InputError or FormatError with one sentence.

    GeoJSON is degrees (RFC 7946) unless its numbers cannot be: then metres are assumed. Other
    formats are turned into degrees by their own coordinate system.
    """
    if not path.is_file():
        raise InputError(f"{path} is not there or is no file; give the streets as GeoJSON")
    if path.suffix.lower() in (".geojson", ".json"):
        rows = list(_from_geojson(path))
    else:
        rows = list(_from_other(path))
    if not rows:
        raise FormatError(f"{path.name} holds no LineString; streets are lines")
    ids = _unique([row[1] for row in rows])
    lines = tuple(row[0] for row in rows)
    joined = np.concatenate(lines)
    degrees = bool((np.abs(joined[:, 0]) <= 180).all() and (np.abs(joined[:, 1]) <= 90).all())
    columns = {name for row in rows for name in row[3]}
    return Layer(
        lines=lines,
        ids=ids,
        names={key: row[2] for key, row in zip(ids, rows, strict=True)},
        columns=tuple(sorted(columns)),
        in_degrees=degrees,
    )


_Row = tuple[Floats, str, str, Mapping[str, Any]]


def _from_geojson(path: Path) -> Iterator[_Row]:
    try:
        tree = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise FormatError(
            f"{path.name} does not read as GeoJSON ({error}); export again"
        ) from error
    features = tree.get("features") if isinstance(tree, dict) else None
    if not isinstance(features, list):
        raise FormatError(f"{path.name} has no features; give a FeatureCollection of LineStrings")
    for number, feature in enumerate(features):
        shape = feature.get("geometry") or {}
        own = feature.get("properties") or {}
        key = _key(own, feature.get("id"), number)
        for line in _lines_of(shape, path.name):
            yield line, key, str(own.get("name") or ""), own


def _lines_of(shape: Mapping[str, Any], source: str) -> Iterator[Floats]:
    points = shape.get("coordinates") or []
    kind = shape.get("type")
    parts = [points] if kind == "LineString" else points if kind == "MultiLineString" else []
    for part in parts:
        try:
            line = np.array([point[:2] for point in part], np.float64)
        except (TypeError, ValueError) as error:
            raise FormatError(f"{source}: a line has a point that is no pair of numbers") from error
        if line.ndim == 2 and len(line) > 1 and np.isfinite(line).all():
            yield line


def _key(own: Mapping[str, Any], outer: object, number: int) -> str:
    if outer is not None:
        return str(outer)
    found = next((own[name] for name in _IDS if own.get(name) is not None), number)
    ends = "-".join(str(own[name]) for name in ("from", "to") if own.get(name) is not None)
    return f"{found}-{ends}" if ends else str(found)


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    """Return names made different by a number where they stand twice.

    >>> _unique(["a", "b", "a"])
    ('a', 'b', 'a.2')
    """
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name}.{seen[name]}")
    return tuple(found)


def _from_other(path: Path) -> Iterator[_Row]:
    """Yield lines of any vector format in degrees, through pyogrio, shapely and pyproj."""
    try:
        import pyogrio
        import shapely
        from pyproj import CRS, Transformer
    except ImportError as error:
        raise InputError(_MORE.format(name=path.name)) from error
    try:
        meta, _, shapes, fields = pyogrio.raw.read(path)
    except (RuntimeError, ValueError, OSError) as error:
        raise FormatError(
            f"{path.name} does not read as a layer ({error}); export again"
        ) from error
    if meta.get("crs") is None:
        raise FormatError(f"{path.name} names no coordinate system; export it with one")
    turn = Transformer.from_crs(CRS.from_user_input(meta["crs"]), "EPSG:4326", always_xy=True)
    names = [str(name) for name in meta["fields"]]
    for number, shape in enumerate(shapely.from_wkb(shapes)):
        own = {name: column[number] for name, column in zip(names, fields, strict=True)}
        for part in shapely.get_parts(shape):
            if part.geom_type == "LineString" and len(part.coords) > 1:
                points = shapely.get_coordinates(part)
                line = np.column_stack(turn.transform(points[:, 0], points[:, 1]))
                yield line, _key(own, None, number), str(own.get("name") or ""), own
