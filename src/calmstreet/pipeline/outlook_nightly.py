"""`nightly`: every night the forecasts of all series, the scores of the last ones, the alarms."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from calmstreet.errors import InputError
from calmstreet.forecast.grid import DAY_NS, Grid
from calmstreet.pipeline.outlook_anomalies import find_anomalies
from calmstreet.pipeline.outlook_counts import read_counts
from calmstreet.pipeline.outlook_forecast import ForecastRequest, forecast_counts
from calmstreet.pipeline.outlook_live import (
    LIVE_COLUMNS,
    SERIES_COLUMNS,
    Night,
    judged,
    night_row,
    series_rows,
)
from calmstreet.pipeline.outlook_tables import read_table, write_table
from calmstreet.units import local_datetime

__all__ = ["WEEKS", "run_nightly"]

WEEKS = 16
"""Of a result folder no more than so many of its newest weeks are read each night."""

_NIGHTS = 14
_READ_AGAIN = 21


def run_nightly(
    counts: Path,
    *,
    out: Path,
    horizon: str = "24h",
    tz: str = "UTC",
    holidays: str = "",
    lang: str = "en",
    progress: Callable[[str, float], None],
) -> dict[str, Any]:
    """Score the forecasts that lie in ``out``, forecast anew, look for anomalies.

    ``counts`` is a table or a result folder, of which the newest ``WEEKS`` are read. Series whose
    forecasts of the last nights erred more than last week's value, or whose 90 % intervals held
    less than 80 or more than 98 %, are left to the floors tonight. Raises InputError, FormatError
    or StoreError with one sentence.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"--out {out} is a file; name a folder")
    out.mkdir(parents=True, exist_ok=True)
    grid = read_counts(counts, tz=tz, weeks=WEEKS)
    nights, scored = _scored(out, grid)
    series = series_rows(nights[-_NIGHTS:])
    kept = _keep(out, scored, series)
    issued = local_datetime(int(grid.times_ns(grid.values.shape[1], 1)[0]), grid.tz)
    request = ForecastRequest(
        counts=counts,
        out=out / f"forecast-{issued:%Y-%m-%dT%H%M}.csv",
        horizon=horizon,
        tz=tz,
        holidays=holidays,
        floors_for=frozenset(row["series"] for row in series if row["fallback"]),
        weeks=WEEKS,
        lang=lang,
    )
    forecast = forecast_counts(request, progress=progress)
    alarms = find_anomalies(
        counts, out=out / "anomalies.csv", tz=tz, holidays=holidays, weeks=WEEKS, lang=lang
    )
    last_day = local_datetime(int(grid.times_ns(grid.values.shape[1], 1)[0]) - DAY_NS, grid.tz)
    return {
        "verb": "nightly",
        "source": counts.name,
        "series": forecast["series"],
        "issued": issued.isoformat(),
        "fallback": {row["series"]: row["fallback"] for row in series if row["fallback"]},
        "scored": scored[-_NIGHTS:],
        "alarms_of_the_last_day": [
            row for row in alarms["first"] if row["end"] >= last_day.isoformat()
        ],
        "files": [*forecast["files"], *alarms["files"], *kept],
    }


def _scored(out: Path, grid: Grid) -> tuple[list[Night], list[dict[str, Any]]]:
    """Return the newest nights judged anew, and the rows of all nights that anything came of."""
    paths = sorted(p for p in out.glob("forecast-*.csv") if not p.stem.endswith(".scores"))
    found = [judged(path, grid) for path in paths[-_READ_AGAIN:]]
    nights = [night for night in found if night is not None]
    rows = [night_row(night) for night in nights]
    return nights, [*_older(out, {row["issued"] for row in rows}), *rows]


def _older(out: Path, anew: set[str]) -> list[dict[str, Any]]:
    """Return the rows of nights that scores.csv has and that were not judged anew."""
    path = out / "scores.csv"
    if not path.is_file():
        return []
    table = read_table(path)
    table.need(*LIVE_COLUMNS)
    words = ("issued", "models")
    columns = {
        name: table.words(name) if name in words else table.numbers(name, empty=True).tolist()
        for name in LIVE_COLUMNS
    }
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    first = min(anew, default="~")
    return [row for row in rows if row["issued"] not in anew and row["issued"] < first]


def _keep(
    out: Path, scored: Sequence[dict[str, Any]], series: Sequence[dict[str, Any]]
) -> list[str]:
    """Write scores.csv and series.csv, where there is something to tell; return their paths."""
    told = (("scores.csv", LIVE_COLUMNS, scored), ("series.csv", SERIES_COLUMNS, series))
    written = []
    for name, columns, rows in told:
        if rows:
            write_table(out / name, {column: [row[column] for row in rows] for column in columns})
            written.append(str(out / name))
    return written
