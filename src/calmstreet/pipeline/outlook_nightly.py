"""`nightly`: every night the forecasts of all series, the scores of the last ones, the alarms."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import InputError
from calmstreet.forecast.engine import LIGHTGBM
from calmstreet.forecast.floor import seasonal_naive
from calmstreet.forecast.grid import DAY_NS, Grid
from calmstreet.forecast.lags import LookBack, Reach
from calmstreet.forecast.score import coverage_share, mean_absolute, weighted_interval_score
from calmstreet.pipeline.outlook_anomalies import find_anomalies
from calmstreet.pipeline.outlook_counts import read_counts
from calmstreet.pipeline.outlook_forecast import ForecastRequest, forecast_counts
from calmstreet.pipeline.outlook_tables import Table, read_table, write_table
from calmstreet.units import from_iso, local_datetime

__all__ = ["LIVE_COLUMNS", "run_nightly"]

Floats = NDArray[np.float64]
LIVE_COLUMNS = (
    "issued", "forecasts", "mae", "naive_mae", "wis", "coverage90", "coverage50", "models",
)  # fmt: skip
_FEWEST = 100
_NIGHTS = 14
_HELD = (0.80, 0.98)


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

    Where the forecasts of the last nights erred more than last week's value, or their 90 %
    intervals held less than 80 or more than 98 %, the floors are used tonight. Raises InputError or
    FormatError with one sentence.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"--out {out} is a file; name a folder")
    out.mkdir(parents=True, exist_ok=True)
    grid = read_counts(counts, tz=tz)
    scored = [row for path in _stored(out) if (row := _scored(path, grid)) is not None]
    if scored:
        write_table(out / "scores.csv", {name: [r[name] for r in scored] for name in LIVE_COLUMNS})
    reason = _fallback(scored[-_NIGHTS:])
    issued = local_datetime(int(grid.times_ns(grid.values.shape[1], 1)[0]), grid.tz)
    request = ForecastRequest(
        counts=counts,
        out=out / f"forecast-{issued:%Y-%m-%dT%H%M}.csv",
        horizon=horizon,
        tz=tz,
        holidays=holidays,
        models=("floors",) if reason else (LIGHTGBM,),
        lang=lang,
    )
    forecast = forecast_counts(request, progress=progress)
    alarms = find_anomalies(counts, out=out / "anomalies.csv", tz=tz, holidays=holidays, lang=lang)
    last_day = local_datetime(int(grid.times_ns(grid.values.shape[1], 1)[0]) - DAY_NS, grid.tz)
    recent = [row for row in alarms["first"] if row["end"] >= last_day.isoformat()]
    return {
        "verb": "nightly",
        "source": counts.name,
        "series": forecast["series"],
        "issued": issued.isoformat(),
        "fallback": reason,
        "scored": scored[-_NIGHTS:],
        "alarms_of_the_last_day": recent,
        "files": [
            *forecast["files"],
            *alarms["files"],
            *([str(out / "scores.csv")] if scored else []),
        ],
    }


def _stored(out: Path) -> list[Path]:
    """Return the forecasts of earlier nights, oldest first."""
    return sorted(p for p in out.glob("forecast-*.csv") if not p.stem.endswith(".scores"))


def _scored(path: Path, grid: Grid) -> dict[str, Any] | None:
    """Return the scores of stored forecasts against what came; None while nothing came."""
    table = read_table(path)
    place = {name: i for i, name in enumerate(grid.names)}
    moments = {word: from_iso(word, grid.tz) for word in dict.fromkeys(table.words("time"))}
    first_ns = min(moments.values())
    step = np.array([(moments[w] - grid.start_ns) // grid.step_ns for w in table.words("time")])
    series = np.array([place.get(name, -1) for name in table.words("series")])
    inside = (series >= 0) & (step >= 0) & (step < grid.values.shape[1])
    truth = np.full(len(table), np.nan)
    truth[inside] = grid.values[series[inside], step[inside]]
    low, lower, median, upper, high = (
        _quantile(table, f"p{p}") for p in ("05", "25", "50", "75", "95")
    )
    known = np.isfinite(truth) & np.isfinite(median)
    if not known.any():
        return None
    naive = _naive(grid, series, step, (first_ns - grid.start_ns) // grid.step_ns - 1, known)
    wis = weighted_interval_score(
        truth, median=median, intervals=[(0.5, lower, upper), (0.1, low, high)]
    )
    both = known & np.isfinite(naive)
    return {
        "issued": local_datetime(first_ns, grid.tz).isoformat(),
        "forecasts": int(known.sum()),
        "mae": mean_absolute((truth - median)[both]),
        "naive_mae": mean_absolute((truth - naive)[both]),
        "wis": mean_absolute(wis[known]),
        "coverage90": coverage_share(truth, low=low, high=high),
        "coverage50": coverage_share(truth, low=lower, high=upper),
        "models": "+".join(sorted(set(table.words("model")) - {""})),
    }


def _quantile(table: Table, name: str) -> Floats:
    return table.numbers(name, empty=True)


def _naive(
    grid: Grid, series: NDArray[np.int64], step: NDArray[np.int64], origin: int,
    known: NDArray[np.bool_],
) -> Floats:  # fmt: skip
    """Return last week's value (n,) for each row, as it was known at the origin."""
    at = np.unique(step[known])
    days = int(-(-(at.max() - origin) // grid.steps_per_day))
    reach = Reach(first=1, last=int(at.max() - origin), days=days, weeks=-(-days // 7))
    look = LookBack(grid, ahead=0)
    found = seasonal_naive(look, at, origin=np.full(len(at), origin, np.int64), reach=reach)
    rows = np.full(len(step), np.nan)
    rows[known] = found[series[known], np.searchsorted(at, step[known])]
    return rows


def _fallback(nights: list[dict[str, Any]]) -> str:
    """Return why the floors are to be used tonight, or nothing.

    >>> _fallback([])
    ''
    >>> night = {"forecasts": 500, "mae": 9.0, "naive_mae": 8.0, "coverage90": 0.9,
    ...     "models": "lightgbm"}
    >>> _fallback([night])
    'errors'
    """
    own = [night for night in nights if LIGHTGBM in str(night["models"])]
    count = sum(night["forecasts"] for night in own)
    if count < _FEWEST:
        return ""
    weight = np.array([night["forecasts"] for night in own], float)
    mae, naive, held = (
        float(np.average([night[name] for night in own], weights=weight))
        for name in ("mae", "naive_mae", "coverage90")
    )
    if mae > naive:
        return "errors"
    return "" if _HELD[0] <= held <= _HELD[1] else "coverage"
