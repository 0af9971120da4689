"""Points and lengths measured on the ground: CSV of our own, and OTVision's reference points.

Points: ``x_px,y_px`` with ``lon,lat`` or ``x_m,y_m``, optionally ``name`` and ``sigma_m``. Lengths:
``ax_px,ay_px,bx_px,by_px,length_m``, optionally ``name`` and ``sigma_m``. An ``.otrfpts`` file is
JSON with pixels and UTM metres; UTM metres are stretched by up to 0.1 % and turned against north,
so they become longitude and latitude here.
"""

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calmstreet.errors import FormatError
from calmstreet.geometry.lonlat import lonlat_from_utm
from calmstreet.interop.files import read_text
from calmstreet.model.site import CheckLength, Point

__all__ = ["GroundPoints", "read_check_lengths", "read_ground_points"]

_PX = ("x_px", "y_px")
_PLACES = {"points_lonlat": ("lon", "lat"), "points_m": ("x_m", "y_m")}
_ENDS = ("ax_px", "ay_px", "bx_px", "by_px", "length_m")
_UTM = (*_PX, "lon_utm", "lat_utm", "zone_utm")
_NAN = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundPoints:
    """Points of a picture and their places: metres or degrees, the other is empty.

    ``sigma_m`` is () where the file does not say.
    """

    names: tuple[str, ...]
    points_px: tuple[Point, ...]
    points_m: tuple[Point, ...] = ()
    points_lonlat: tuple[Point, ...] = ()
    sigma_m: tuple[float, ...] = ()


def read_ground_points(path: Path) -> GroundPoints:
    """Read a CSV of points or an ``.otrfpts`` file.

    Raises InputError where the file cannot be read and FormatError, naming row and column, where
    it does not read as points.
    """
    wanted = "a CSV with x_px, y_px and lon, lat or x_m, y_m"
    text = read_text(path, wanted)
    if path.suffix.lower() == ".otrfpts" or text.lstrip().startswith("{"):
        return _from_otvision(path, text)
    rows = _rows(path, text)
    header = set(rows[0]) if rows else set()
    kinds = [kind for kind, columns in _PLACES.items() if set(columns) <= header]
    if len(kinds) != 1 or not set(_PX) <= header:
        said = ", ".join(sorted(header)) or "nothing"
        raise FormatError(f"{path} has the columns {said}; give {wanted}")
    sigma_m = tuple(_number(path, row, "sigma_m", i, _NAN) for i, row in enumerate(rows, 2))
    return GroundPoints(
        names=tuple(row.get("name") or str(i) for i, row in enumerate(rows, 1)),
        points_px=_pairs(path, rows, _PX),
        sigma_m=_all_or_none(path, sigma_m),
        **{kinds[0]: _pairs(path, rows, _PLACES[kinds[0]])},
    )


def read_check_lengths(path: Path) -> tuple[CheckLength, ...]:
    """Read a CSV of lengths measured on the ground; raises as `read_ground_points`."""
    rows = _rows(path, read_text(path, "a CSV with " + ", ".join(_ENDS)))
    if not rows or not set(_ENDS) <= set(rows[0]):
        raise FormatError(f"{path} lacks columns; give {', '.join(_ENDS)}, and a row for each")
    lengths = []
    for i, row in enumerate(rows, 2):
        ax, ay, bx, by, length_m = (_number(path, row, name, i) for name in _ENDS)
        sigma_m = _number(path, row, "sigma_m", i, _NAN)
        if length_m <= 0 or sigma_m <= 0:
            raise FormatError(f"{path} row {i} has a length or sigma_m of 0 or less; give metres")
        lengths.append(
            CheckLength(a_px=(ax, ay), b_px=(bx, by), length_m=length_m, sigma_m=sigma_m)
        )
    return tuple(lengths)


def _rows(path: Path, text: str) -> list[dict[str, str]]:
    try:
        reader = csv.DictReader(io.StringIO(text), restval="", strict=True)
        return [
            {(k or "").strip(): v.strip() for k, v in row.items() if isinstance(v, str)}
            for row in reader
            if any(isinstance(v, str) and v.strip() for v in row.values())
        ]
    except csv.Error as error:
        raise FormatError(f"{path} does not read as CSV ({error}); separate by commas") from error


def _number(
    path: Path, row: Mapping[str, Any], column: str, line: int, default: float | None = None
) -> float:
    said = row.get(column, "")
    if said == "" and default is not None:
        return default
    try:
        value = float(said)
    except (TypeError, ValueError):
        value = _NAN
    if not math.isfinite(value):
        raise FormatError(f"{path} row {line} has {column} = {said!r}; write a number")
    return value


def _pairs(
    path: Path, rows: Sequence[Mapping[str, str]], columns: tuple[str, str]
) -> tuple[Point, ...]:
    first, second = columns
    return tuple(
        (_number(path, row, first, i), _number(path, row, second, i))
        for i, row in enumerate(rows, 2)
    )


def _all_or_none(path: Path, sigma_m: tuple[float, ...]) -> tuple[float, ...]:
    known = [value for value in sigma_m if math.isfinite(value)]
    if not known:
        return ()
    if len(known) < len(sigma_m) or min(known) <= 0:
        raise FormatError(f"{path} gives sigma_m for some points only or as 0; give it for each")
    return sigma_m


def _from_otvision(path: Path, text: str) -> GroundPoints:
    try:
        tree = json.loads(text)
    except json.JSONDecodeError as error:
        raise FormatError(f"{path} does not read as JSON ({error}); export it again") from error
    rows = list(tree.items()) if isinstance(tree, dict) else []
    if not rows or not all(isinstance(row, dict) and set(_UTM) <= set(row) for _, row in rows):
        raise FormatError(f"{path} is no OTVision file of points; each needs {', '.join(_UTM)}")
    names, lonlat, px = [], [], []
    for i, (name, row) in enumerate(rows, 1):
        x, y, east_m, north_m, zone = (_number(path, row, column, i) for column in _UTM)
        if not 1 <= zone <= 60:
            raise FormatError(f"{path} row {i} has zone_utm = {zone:g}; UTM has zones 1 to 60")
        place = lonlat_from_utm(
            [(east_m, north_m)], zone=int(zone), north=row.get("hemisphere", "N") != "S"
        )[0]
        names.append(str(name))
        px.append((x, y))
        lonlat.append((round(float(place[0]), 9), round(float(place[1]), 9)))
    return GroundPoints(names=tuple(names), points_px=tuple(px), points_lonlat=tuple(lonlat))
