"""How the forecasts of earlier nights did against what came: in all, and series by series."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.forecast.floor import FLOORS, seasonal_naive
from calmstreet.forecast.grid import Grid
from calmstreet.forecast.lags import LookBack, Reach
from calmstreet.forecast.score import coverage_share, mean_absolute, weighted_interval_score
from calmstreet.pipeline.outlook_tables import Table, read_table
from calmstreet.units import from_iso, local_datetime

__all__ = [
    "LIVE_COLUMNS",
    "SERIES_COLUMNS",
    "Night",
    "fallback_of",
    "judged",
    "night_row",
    "series_rows",
]

Floats = NDArray[np.float64]
LIVE_COLUMNS = (
    "issued", "forecasts", "mae", "naive_mae", "wis", "coverage90", "coverage50", "models",
)  # fmt: skip
SERIES_COLUMNS = ("series", "forecasts", "mae", "naive_mae", "coverage90", "fallback")
_FEWEST = 100
_HELD = (0.80, 0.98)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Night:
    """What was forecast one night and what came: rows (n,) of which both are known.

    ``quantiles`` (5, n); ``naive`` is last week's value as it was known that night.
    """

    issued: str
    series: NDArray[np.str_]
    model: NDArray[np.str_]
    truth: Floats
    quantiles: Floats
    naive: Floats


def judged(path: Path, grid: Grid) -> Night | None:
    """Return a stored forecast beside what came; None while nothing came.

    Raises FormatError when the table is no forecast of ours.
    """
    table = read_table(path)
    place = {name: i for i, name in enumerate(grid.names)}
    moments = {word: from_iso(word, grid.tz) for word in dict.fromkeys(table.words("time"))}
    first_ns = min(moments.values())
    step = np.array([(moments[w] - grid.start_ns) // grid.step_ns for w in table.words("time")])
    series = np.array([place.get(name, -1) for name in table.words("series")])
    inside = (series >= 0) & (step >= 0) & (step < grid.values.shape[1])
    truth = np.full(len(table), np.nan)
    truth[inside] = grid.values[series[inside], step[inside]]
    quantiles = np.stack([_quantile(table, f"p{p}") for p in ("05", "25", "50", "75", "95")])
    known = np.isfinite(truth) & np.isfinite(quantiles[2])
    if not known.any():
        return None
    origin = (first_ns - grid.start_ns) // grid.step_ns - 1
    return Night(
        issued=local_datetime(first_ns, grid.tz).isoformat(),
        series=np.array(table.words("series"))[known],
        model=np.array(table.words("model"))[known],
        truth=truth[known],
        quantiles=quantiles[:, known],
        naive=_naive(grid, series[known], step[known], int(origin)),
    )


def _quantile(table: Table, name: str) -> Floats:
    return table.numbers(name, empty=True)


def _naive(grid: Grid, series: NDArray[np.int64], step: NDArray[np.int64], origin: int) -> Floats:
    """Return last week's value (n,) for each row, as it was known at the origin."""
    at = np.unique(step)
    days = int(-(-(at.max() - origin) // grid.steps_per_day))
    reach = Reach(first=1, last=int(at.max() - origin), days=days, weeks=-(-days // 7))
    look = LookBack(grid, ahead=0)
    found = seasonal_naive(look, at, origin=np.full(len(at), origin, np.int64), reach=reach)
    return np.asarray(found[series, np.searchsorted(at, step)], np.float64)


def night_row(night: Night) -> dict[str, Any]:
    """Return the scores of one night, all series together."""
    low, lower, median, upper, high = night.quantiles
    wis = weighted_interval_score(
        night.truth, median=median, intervals=[(0.5, lower, upper), (0.1, low, high)]
    )
    both = np.isfinite(night.naive)
    return {
        "issued": night.issued,
        "forecasts": len(night.truth),
        "mae": mean_absolute((night.truth - median)[both]),
        "naive_mae": mean_absolute((night.truth - night.naive)[both]),
        "wis": mean_absolute(wis),
        "coverage90": coverage_share(night.truth, low=low, high=high),
        "coverage50": coverage_share(night.truth, low=lower, high=upper),
        "models": "+".join(sorted(set(night.model.tolist()) - {""})),
    }


def series_rows(nights: Sequence[Night]) -> list[dict[str, Any]]:
    """Return how each series did over some nights where a model, not a floor, forecast it.

    ``fallback`` says why it is to be left to the floors: "errors", "coverage" or nothing. A series
    left to the floors is tried again when its bad nights are no longer among these.
    """
    if not any((~np.isin(night.model, FLOORS)).any() for night in nights):
        return []
    joined = {
        name: np.concatenate([getattr(night, name) for night in nights])
        for name in ("series", "model", "truth", "naive")
    }
    quantiles = np.concatenate([night.quantiles for night in nights], axis=1)
    own = ~np.isin(joined["model"], FLOORS)
    rows = []
    order = np.flatnonzero(own)[np.argsort(joined["series"][own], kind="stable")]
    names, begins = np.unique(joined["series"][order], return_index=True)
    for name, mine in zip(names.tolist(), np.split(order, begins[1:]), strict=True):
        truth, (low, _, median, _, high) = joined["truth"][mine], quantiles[:, mine]
        both = np.isfinite(joined["naive"][mine])
        row = {
            "series": name,
            "forecasts": len(mine),
            "mae": mean_absolute((truth - median)[both]),
            "naive_mae": mean_absolute((truth - joined["naive"][mine])[both]),
            "coverage90": coverage_share(truth, low=low, high=high),
        }
        rows.append({**row, "fallback": fallback_of(row)})
    return rows


def fallback_of(row: dict[str, Any]) -> str:
    """Return why a series is to be left to the floors, or nothing.

    >>> row = {"forecasts": 300, "mae": 9.0, "naive_mae": 8.0, "coverage90": 0.9}
    >>> fallback_of(row), fallback_of({**row, "mae": 5.0}), fallback_of({**row, "forecasts": 9})
    ('errors', '', '')
    """
    if row["forecasts"] < _FEWEST:
        return ""
    if row["mae"] > row["naive_mae"]:
        return "errors"
    held = row["coverage90"]
    return "" if held != held or _HELD[0] <= held <= _HELD[1] else "coverage"
