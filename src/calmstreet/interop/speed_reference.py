"""Speeds that another instrument measured: a radar's list, or the fixes of a drive with GPS."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import FormatError, InputError
from calmstreet.units import from_iso, mps_from_kmh

__all__ = ["DriveBy", "RadarSpeeds", "read_speed_reference"]

_FASTEST_KMH = 300.0
_RADAR = ("time", "gate", "speed_kmh")
_DRIVE = ("time", "lon", "lat")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RadarSpeeds:
    """Rows of a radar: ``t_ns``, ``gate_id``, ``speed_mps`` (n,)."""

    t_ns: NDArray[np.int64]
    gate_id: NDArray[np.str_]
    speed_mps: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DriveBy:
    """Fixes of a car: ``t_ns`` (n,) rising, ``lonlat_deg`` (n, 2), ``speed_mps`` (n,) or NaN."""

    t_ns: NDArray[np.int64]
    lonlat_deg: NDArray[np.float64]
    speed_mps: NDArray[np.float64]


def read_speed_reference(path: Path, *, tz: str) -> RadarSpeeds | DriveBy:
    """Read a CSV of a radar (time, gate, speed_kmh) or of a drive (time, lon, lat).

    Times are ISO 8601, without an offset in ``tz``. Raises InputError for a file that cannot be
    read, FormatError naming the line and the cure for one that does not say what it should.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read; give a CSV of radar or GPS speeds") from error
    reader = csv.DictReader(text.splitlines())
    names = [name.strip() for name in reader.fieldnames or []]
    reader.fieldnames = names
    rows = list(enumerate(reader, start=2))
    drive = set(_DRIVE) <= set(names)
    if not drive and not set(_RADAR) <= set(names):
        raise FormatError(
            f"{path} has the columns {', '.join(names) or 'none'}; a radar needs "
            f"{', '.join(_RADAR)}, a drive with GPS {', '.join(_DRIVE)}"
        )
    if not rows:
        raise FormatError(f"{path} holds no rows under its heading; add the measured speeds")
    return _drive(path, rows, tz) if drive else _radar(path, rows, tz)


_Rows = list[tuple[int, dict[str, str]]]


def _radar(path: Path, rows: _Rows, tz: str) -> RadarSpeeds:
    return RadarSpeeds(
        t_ns=np.array([_time(path, *row, tz) for row in rows], np.int64),
        gate_id=np.array([(row["gate"] or "").strip() for _, row in rows], np.str_),
        speed_mps=np.array(
            [
                mps_from_kmh(_number(path, line, row, "speed_kmh", 0.0, _FASTEST_KMH))
                for line, row in rows
            ]
        ),
    )


def _drive(path: Path, rows: _Rows, tz: str) -> DriveBy:
    t_ns = np.array([_time(path, *row, tz) for row in rows], np.int64)
    late = np.flatnonzero(np.diff(t_ns) <= 0)
    if len(late):
        raise FormatError(
            f"{path} line {rows[int(late[0]) + 1][0]}: its time is not later than that of the row "
            "before; sort the fixes by time and remove doubles"
        )
    lon = [_number(path, line, row, "lon", -180.0, 180.0) for line, row in rows]
    lat = [_number(path, line, row, "lat", -90.0, 90.0) for line, row in rows]
    speed = [
        mps_from_kmh(_number(path, line, row, "speed_kmh", 0.0, _FASTEST_KMH))
        if (row.get("speed_kmh") or "").strip()
        else float("nan")
        for line, row in rows
    ]
    return DriveBy(t_ns=t_ns, lonlat_deg=np.array([lon, lat]).T, speed_mps=np.array(speed))


def _time(path: Path, line: int, row: dict[str, str], tz: str) -> int:
    try:
        return from_iso(row["time"] or "", tz)
    except InputError as error:
        raise FormatError(f"{path} line {line}: {error}") from error


def _number(
    path: Path, line: int, row: dict[str, str], name: str, low: float, high: float
) -> float:
    text = (row.get(name) or "").strip()
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise FormatError(
            f"{path} line {line}: {name} {text!r} must be a number from {low:g} to {high:g}"
        )
    return value
