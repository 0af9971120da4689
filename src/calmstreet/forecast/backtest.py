"""Scores of forecasts as they would have been: rolling origin, refitted for every fold.

Each fold is forecast by what was fitted, and chosen, on what lies before it; its intervals are
renewed every day from what came until then, as ``nightly`` does. Floors are scored on the same
steps.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import InputError
from calmstreet.forecast.conformal import LEVELS, Band
from calmstreet.forecast.engine import LIGHTGBM, Chosen, Fitted, fit
from calmstreet.forecast.floor import FLOORS
from calmstreet.forecast.grid import DAY_NS, Grid
from calmstreet.forecast.lags import LookBack
from calmstreet.forecast.score import (
    coverage_share,
    mean_absolute,
    pinball,
    seasonal_scale,
    weighted_interval_score,
)
from calmstreet.forecast.statistical import MSTL

__all__ = ["CHOSEN", "Scores", "backtest", "key_horizons"]

Floats = NDArray[np.float32]
CHOSEN = "chosen"
_SHARE = 0.25
_DAYS = 91
_MOST_ROWS = 120_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """How one model did at one horizon, all folds together.

    ``model`` is "chosen" for what would have been used; ``used`` names it. Errors are in units of
    the series; ``mase`` is the mean over series of error / in-sample seasonal naive error.
    """

    horizon_s: float
    model: str
    used: str
    mase: float
    mae: float
    wis: float
    crps: float
    coverage90: float
    coverage50: float
    forecasts: int


def key_horizons(horizon: int, *, step_s: float) -> list[int]:
    """Return the horizons to score, in steps: first, quarter hours, hours, days, the last.

    >>> key_horizons(24, step_s=3600.0)
    [1, 2, 4, 8, 12, 24]
    """
    usual_s = (900, 1800, 3600, 7200, 14_400, 28_800, 43_200, 86_400, 172_800, 604_800)
    steps = {round(s / step_s) for s in usual_s if s % step_s == 0}
    return sorted({1, horizon, *steps} & set(range(1, horizon + 1)))


def backtest(
    grid: Grid,
    *,
    horizon: int,
    folds: int = 4,
    models: tuple[str, ...] = (LIGHTGBM,),
    holidays: frozenset[int] = frozenset(),
    workers: int = 2,
    progress: Callable[[float], None] = lambda _: None,
) -> list[Scores]:
    """Return scores by horizon and model over the newest quarter of the data, at most 13 weeks.

    Raises InputError where that is too short.
    """
    count = grid.values.shape[1]
    scored = min(_DAYS * grid.steps_per_day, int(count * _SHARE))
    borders = np.linspace(count - scored, count, folds + 1).astype(int)
    if scored < folds * (horizon + 1) or borders[0] < 4 * grid.steps_per_day:
        raise InputError(
            f"{count} steps are too few to score {folds} folds of {horizon} steps; give a longer "
            "table, a shorter --horizon or fewer --folds"
        )
    heights = key_horizons(horizon, step_s=grid.step_ns / 1e9)
    look = LookBack(grid, ahead=0)
    scale = _scales(grid, int(borders[0]))
    parts: list[_Part] = []
    for fold, (begin, end) in enumerate(pairwise(borders)):
        fitted = fit(
            grid.until(int(begin)), horizon=horizon, models=models, holidays=holidays,
            workers=workers,
        )  # fmt: skip
        parts += [_scored(look, fitted, int(begin), int(end), h) for h in heights]
        progress((fold + 1) / folds)
    return [
        row
        for h in heights
        for row in _summed([p for p in parts if p.ahead == h], scale, grid.step_ns / 1e9 * h)
    ]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Part:
    """Truth (s, n) and quantiles (5, s, n) by model of one fold and horizon."""

    ahead: int
    used: str
    truth: Floats
    quantiles: dict[str, Floats]


def _scored(look: LookBack, fitted: Fitted, begin: int, end: int, ahead: int) -> _Part:
    at = np.arange(begin - 1 + ahead, end, dtype=np.int64)
    group = fitted.group_of(ahead)
    most = 12 if group.model == MSTL else max(50, _MOST_ROWS // look.grid.values.shape[0])
    if len(at) > most:
        at = at[np.unique(np.linspace(0, len(at) - 1, most).astype(int))]
    points = fitted.points(look, at, origin=at - ahead, group=group)
    truth = look.taken(at)
    asked = {**{name: name for name in FLOORS}, CHOSEN: group.model}
    found: dict[str, list[Floats]] = {name: [] for name in asked}
    for rows in _days(look, at - ahead):
        came = at <= at[rows[0]] - ahead
        bands = {
            name: _newest(group, name, (truth - points[name])[:, came], look.wall_ns[at[came]])
            for name in points
        }
        mine = {name: own[:, rows] for name, own in points.items()}
        for name, model in asked.items():
            quantiles = fitted.around(
                mine, wall_ns=look.wall_ns[at[rows]], bands=bands, model=model, alone=name != CHOSEN
            )
            found[name].append(quantiles)
    joined = {name: np.concatenate(parts, axis=2) for name, parts in found.items()}
    return _Part(ahead=ahead, used=group.model, truth=truth, quantiles=joined)


def _days(look: LookBack, origin: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return the places of origins (n,) of each local day, day by day."""
    day = look.wall_ns[origin] // DAY_NS
    return np.split(np.arange(len(day)), np.flatnonzero(np.diff(day)) + 1)


def _newest(group: Chosen, name: str, value: Floats, wall_ns: NDArray[np.int64]) -> Band:
    """Return the band as it is on a morning, when what came until then is known."""
    if not len(wall_ns):
        return group.bands[name]
    return group.residuals[name].and_then(value, wall_ns=wall_ns).band()


def _scales(grid: Grid, end: int) -> NDArray[np.float64]:
    """Return the scale of MASE (s,): last week against the week before, or day against day."""
    days = 7 if end >= 14 * grid.steps_per_day else 1
    season = days * grid.steps_per_day
    return np.array([seasonal_scale(row[:end], season=season) for row in grid.values])


def _summed(parts: list[_Part], scale: NDArray[np.float64], horizon_s: float) -> list[Scores]:
    truth = np.concatenate([part.truth for part in parts], axis=1)
    names = [part.used for part in parts]
    used = max(sorted(set(names)), key=names.count)
    found = {
        name: np.concatenate([part.quantiles[name] for part in parts], axis=2)
        for name in (*FLOORS, CHOSEN)
    }
    common = np.isfinite(truth)
    for quantiles in found.values():
        common &= np.isfinite(quantiles[2])
    return [
        _score(np.where(common, truth, np.nan), quantiles, scale, horizon_s, name, used)
        for name, quantiles in found.items()
    ]


def _score(
    truth: Floats,
    quantiles: Floats,
    scale: NDArray[np.float64],
    horizon_s: float,
    name: str,
    used: str,
) -> Scores:
    low, lower, median, upper, high = quantiles
    wis = weighted_interval_score(
        truth, median=median, intervals=[(0.5, lower, upper), (0.1, low, high)]
    )
    losses = [pinball(truth, quantile=q, level=p) for p, q in zip(LEVELS, quantiles, strict=True)]
    each = np.array([mean_absolute(row) for row in truth - median])
    usable = np.isfinite(each) & np.isfinite(scale)
    return Scores(
        horizon_s=horizon_s,
        model=name,
        used=used if name == CHOSEN else name,
        mase=float((each[usable] / scale[usable]).mean()) if usable.any() else float("nan"),
        mae=mean_absolute(truth - median),
        wis=mean_absolute(wis),
        crps=_crps(losses),
        coverage90=coverage_share(truth, low=low, high=high),
        coverage50=coverage_share(truth, low=lower, high=upper),
        forecasts=int(np.isfinite(truth).sum()),
    )


def _crps(losses: list[NDArray[np.float64]]) -> float:
    """Return the CRPS as twice the integral of the quantile losses over the levels (trapezoids)."""
    means = [0.0, *(mean_absolute(loss) for loss in losses), 0.0]
    return float(2 * np.trapezoid(means, [0.0, *LEVELS, 1.0]))
