"""COUNTS into a grid: our ``counts.csv`` as it is, anybody's series, or a result folder."""

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import FormatError, InputError, StoreError
from calmstreet.forecast.grid import DAY_NS, Grid, grid_of
from calmstreet.forecast.holiday import public_holidays
from calmstreet.forecast.refused import refuse_columns
from calmstreet.pipeline.outlook_store import read_stored
from calmstreet.store.duck import connect, quoted
from calmstreet.units import from_iso, local_datetime, ns_from_s

__all__ = ["duration_s", "holidays_of", "read_counts"]

_PERIOD = re.compile(r"(\d+(?:\.\d+)?)\s*(s|min|m|h|d|w)")
_ZONED = re.compile(r"[zZ]$|T.*[+-]\d\d(:?\d\d)?$|:.*[+-]\d\d(:?\d\d)?$")
_NO_SUCH_TIME = np.iinfo(np.int64).min
_SECONDS = {"s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}


def duration_s(text: str, *, option: str) -> float:
    """Return the seconds of a period such as 15min, 24h or 7d; raise InputError else.

    >>> duration_s("24h", option="--horizon"), duration_s("15 min", option="--step")
    (86400.0, 900.0)
    """
    found = _PERIOD.fullmatch(text.strip().lower())
    if not found or not float(found[1]) > 0:
        raise InputError(f"{option} {text!r} is no period; write 15min, 24h or 7d")
    return float(found[1]) * _SECONDS[found[2]]


def read_counts(
    path: Path,
    *,
    tz: str = "UTC",
    step: str = "",
    zeros: str = "count",
    outside: Sequence[str] = (),
    weeks: int | None = None,
) -> Grid:
    """Read ``series,time,value[,exposure_share]`` from CSV or Parquet and lay it on a grid.

    Times without an offset are local times of ``tz``; ``zeros`` "missing" says that 0 means
    nothing was measured; ``outside`` names other columns to look at, such as weather. Without a
    column ``series`` there is one series. A result folder is read from its store, on the clock of
    its site, with ``weeks`` no more than its newest weeks. Raises InputError, FormatError or
    StoreError with one sentence.
    """
    if zeros not in ("count", "missing"):
        raise InputError(f"--zeros {zeros!r} is not known; write count or missing")
    step_ns = ns_from_s(duration_s(step, option="--step")) if step else None
    if path.is_dir():
        if outside:
            raise InputError(f"{path} is a result folder, which has no other columns; leave --with")
        return read_stored(path, step_ns=step_ns, weeks=weeks)
    if not path.is_file():
        raise InputError(
            f"{path} is not there or is no file; give a CSV or Parquet table, or a result folder"
        )
    refuse_columns(outside, source=path.name)
    try:
        names, moments, columns = _loaded(path, outside)
    except StoreError as error:
        raise FormatError(
            f"{path.name} does not read as a table of series,time,value; {_first(error)}"
        ) from error
    times = _times(moments, tz=tz, source=path.name)
    columns, skipped = _real_times(columns, times)
    grid = grid_of(
        names,
        series=columns["series"].astype(np.int32),
        t_ns=times[columns["time"]],
        value=columns["value"],
        exposure_share=columns.get("exposure_share"),
        outside={name: columns[f"outside_{name}"] for name in outside},
        tz=tz,
        step_ns=step_ns,
        zero_is_missing=zeros == "missing",
    )
    return replace(grid, repairs={**grid.repairs, "skipped_hour": skipped}) if skipped else grid


def _real_times(
    columns: dict[str, NDArray[Any]], times: NDArray[np.int64]
) -> tuple[dict[str, NDArray[Any]], int]:
    """Return the rows whose local time there was, and how many were of an hour that was skipped."""
    real = times[columns["time"]] != _NO_SUCH_TIME
    return {name: column[real] for name, column in columns.items()}, int((~real).sum())


def holidays_of(codes: str, grid: Grid, *, ahead: int) -> frozenset[int]:
    """Return public holidays as days since 1970 around a grid and ``ahead`` steps beyond.

    ``codes`` are ISO codes joined by commas; nothing gives none. Raises InputError else.
    """
    days = -(-ahead // grid.steps_per_day) + 8
    first, last = int(grid.wall_ns[0] // DAY_NS), int(grid.wall_ns[-1] // DAY_NS)
    found: frozenset[int] = frozenset()
    for code in codes.split(",") if codes else ():
        found |= public_holidays(code.strip(), first_day=first - 8, last_day=last + days)
    return found


def _first(error: Exception) -> str:
    return str(error).splitlines()[0]


def _loaded(
    path: Path, outside: Sequence[str]
) -> tuple[list[str], list[Any], dict[str, NDArray[Any]]]:
    """Return names of series, distinct moments, and columns (n,) that point into both."""
    with connect(path.parent) as connection:
        term = _term(path)
        kinds = {
            str(row[0]): str(row[1])
            for row in connection.execute(f"DESCRIBE SELECT * FROM {term}").fetchall()
        }
        _check(path, kinds, outside)
        series = "CAST(series AS VARCHAR)" if "series" in kinds else "'series'"
        picked = [f"{series} AS s", "time AS t", 'CAST("value" AS VARCHAR) AS v']
        picked += ["CAST(exposure_share AS VARCHAR) AS e"] if "exposure_share" in kinds else []
        picked += [f'CAST("{name}" AS VARCHAR) AS o{i}' for i, name in enumerate(outside)]
        connection.execute(f"CREATE TEMP TABLE raw AS SELECT {', '.join(picked)} FROM {term}")
        names, moments = (_distinct(connection, column) for column in ("s", "t"))
        if not names or not moments:
            raise FormatError(f"{path.name} holds no rows; give at least one")
        columns = _columns(connection, path, kinds, outside)
    return [str(name) for name in names], moments, columns


def _term(path: Path) -> str:
    place = quoted(path.resolve())
    if path.suffix.lower() in (".parquet", ".pq"):
        return f"read_parquet({place})"
    return f"read_csv({place}, header = true, all_varchar = true)"


def _check(path: Path, kinds: dict[str, str], outside: Sequence[str]) -> None:
    refuse_columns(kinds, source=path.name)
    lacking = [name for name in ("time", "value", *outside) if name not in kinds]
    if lacking:
        raise FormatError(
            f"{path.name} has no column {', '.join(lacking)} (it has {', '.join(kinds)}); "
            "it needs series,time,value"
        )


def _distinct(connection: Any, column: str) -> list[Any]:
    """Number the distinct values of a column in a table ``k_COLUMN`` and return them in order."""
    connection.execute(
        f"CREATE TEMP TABLE k_{column} AS SELECT x, row_number() OVER (ORDER BY x) - 1 AS i"
        f" FROM (SELECT DISTINCT {column} AS x FROM raw WHERE {column} IS NOT NULL)"
    )
    return [r[0] for r in connection.execute(f"SELECT x FROM k_{column} ORDER BY i").fetchall()]


def _columns(
    connection: Any, path: Path, kinds: dict[str, str], outside: Sequence[str]
) -> dict[str, NDArray[Any]]:
    numbers = {"value": "v"}
    if "exposure_share" in kinds:
        numbers["exposure_share"] = "e"
    numbers |= {f"outside_{name}": f"o{i}" for i, name in enumerate(outside)}
    for name, column in numbers.items():
        empty = f"lower(trim({column})) NOT IN ('', 'na', 'nan', 'null', 'none')"
        bad = connection.execute(
            f"SELECT {column}, t FROM raw WHERE {empty} AND TRY_CAST({column} AS DOUBLE) IS NULL"
            f" AND {column} IS NOT NULL LIMIT 1"
        ).fetchone()
        if bad:
            raise FormatError(
                f"{path.name}: {name} {bad[0]!r} at {bad[1]} is no number; write it as 12 or 12.5"
            )
    absent = connection.execute("SELECT count(*) FROM raw WHERE t IS NULL OR s IS NULL").fetchone()
    if absent[0]:
        raise FormatError(f"{path.name}: {absent[0]} rows have no series or no time; fill them in")
    picked = ", ".join(
        f"TRY_CAST({column} AS DOUBLE) AS {name}" for name, column in numbers.items()
    )
    found = connection.execute(
        f"SELECT k_s.i AS series, k_t.i AS time, {_quoted_names(picked)} FROM raw"
        " JOIN k_s ON raw.s = k_s.x JOIN k_t ON raw.t = k_t.x"
    ).fetchnumpy()
    return {name: _plain(column) for name, column in found.items()}


def _quoted_names(picked: str) -> str:
    return re.sub(r"AS (outside_[^,]+|value|exposure_share)", r'AS "\1"', picked)


def _plain(column: Any) -> NDArray[Any]:
    """Return a column with NaN where the table has nothing."""
    if isinstance(column, np.ma.MaskedArray):
        return np.asarray(column.filled(np.nan))
    return np.asarray(column)


def _times(moments: Sequence[Any], *, tz: str, source: str) -> NDArray[np.int64]:
    """Return UTC ns of distinct moments: words, or dates and times of Parquet."""
    if isinstance(moments[0], str) and moments[0].startswith("+"):
        raise FormatError(
            f"{source}: times are counted from the first picture; a forecast needs the clock: "
            "analyse again with --start"
        )
    return np.array([_moment(m, tz, source) for m in moments], np.int64)


def _was_skipped(text: str, t_ns: int, tz: str) -> bool:
    """Say whether a local time fell into the hour that summer time skips.

    >>> _was_skipped("2026-03-29T02:30:00", from_iso("2026-03-29T02:30:00", "Europe/Berlin"),
    ...     "Europe/Berlin")
    True
    """
    if tz == "UTC" or _ZONED.search(text.strip()):
        return False
    given = datetime.fromisoformat(text.strip())
    return local_datetime(t_ns, tz).replace(tzinfo=None) != given.replace(tzinfo=None)


def _moment(moment: Any, tz: str, source: str) -> int:
    text = moment.isoformat() if isinstance(moment, datetime) else str(moment)
    try:
        t_ns = from_iso(text, tz)
        return _NO_SUCH_TIME if _was_skipped(text, t_ns, tz) else t_ns
    except InputError as error:
        found = re.fullmatch(r"-?\d+(\.\d+)?", text)
        if found and math.isfinite(float(text)):
            raise FormatError(
                f"{source}: time {text} is a number; write 2026-03-01T07:30:00+05:00"
            ) from error
        raise FormatError(f"{source}: {error}") from error
