"""Intervals that hold what they promise: split conformal, scaled by hour, adaptive under drift.

Residuals of a time that was not learned from are divided by the usual size of residuals at that
series and hour; quantiles of these are the interval (Vovk and others, 2005; Lei and others, 2018).
Levels move where the newest days were missed more often than promised (Gibbs and Candes, 2021).
What was long ago is forgotten: a band rests on the newest eight weeks and is fitted anew each day.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calmstreet.forecast.grid import DAY_NS

__all__ = ["LEVELS", "Band", "Residuals", "adapted_levels", "banded", "finite_quantile", "fit_band"]

Floats = NDArray[np.float32]
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
FEWEST = 20
NEWEST_DAYS = 56
_HOURS = 24
_HOUR_NS = DAY_NS // _HOURS
_MOST_A_DAY = 500
_PRIOR = 12.0
_RATE = 0.03


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Band:
    """A band around forecasts: ``spread`` (s, 24) by series and hour, ``steps`` (5,) of it.

    ``levels`` (5,) are those used after adaptation; empty ``steps`` mean too few residuals.
    """

    spread: Floats
    steps: NDArray[np.float64]
    levels: NDArray[np.float64]
    residuals: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Residuals:
    """Truth less forecast ``value`` (s, n) of a time not learned from; ``wall_ns`` (n,) local."""

    value: Floats
    wall_ns: NDArray[np.int64]

    def and_then(self, value: Floats, *, wall_ns: NDArray[np.int64]) -> "Residuals":
        """Return these and newer ones, of the newest eight weeks."""
        both = np.concatenate([self.value, value], axis=1)
        wall = np.concatenate([self.wall_ns, wall_ns])
        fresh = wall > wall.max(initial=0) - NEWEST_DAYS * DAY_NS
        return Residuals(value=both[:, fresh], wall_ns=wall[fresh])

    def band(self) -> Band:
        """Return the band that these residuals give."""
        hour = self.wall_ns % DAY_NS // _HOUR_NS
        return fit_band(self.value, hour=hour, day=self.wall_ns // DAY_NS)


def finite_quantile(sorted_values: NDArray[np.float64], *, level: float) -> float:
    """Return the order statistic that holds its level also for few values (n + 1 correction).

    >>> [finite_quantile(np.arange(1.0, 20.0), level=p) for p in (0.05, 0.5, 0.95)]
    [1.0, 10.0, 19.0]
    """
    n = len(sorted_values)
    place = (n + 1) * level
    rank = np.ceil(place) if level > 0.5 else np.floor(place)
    if level == 0.5:
        return float(np.median(sorted_values))
    return float(sorted_values[int(np.clip(rank - 1, 0, n - 1))])


def fit_band(residual: Floats, *, hour: NDArray[np.int64], day: NDArray[np.int64]) -> Band:
    """Fit the band to residuals (s, n) of n forecasts with local ``hour`` and ``day`` (n,).

    Each half of the days is scaled by the other half, so that the scale knows nothing of what it
    scales.
    """
    usual = _spread(residual, hour)
    odd = (day % 2).astype(bool)
    own = np.empty(residual.shape)
    for half in (odd, ~odd):
        other = _spread(residual[:, ~half], hour[~half])
        own[:, half] = residual[:, half] / other[:, hour[half]]
    known = np.isfinite(own)
    if known.sum() < FEWEST:
        return Band(
            spread=usual, steps=np.empty(0), levels=np.array(LEVELS), residuals=int(known.sum())
        )
    levels = adapted_levels(own, day=day)
    ordered = np.sort(own[known])
    steps = np.array([finite_quantile(ordered, level=float(level)) for level in levels])
    return Band(spread=usual, steps=steps, levels=levels, residuals=len(ordered))


def _spread(residual: Floats, hour: NDArray[np.int64]) -> Floats:
    """Return the mean absolute residual (s, 24), drawn to the series' own where there are few."""
    known = np.isfinite(residual)
    size = np.where(known, np.abs(residual), 0).astype(np.float64)
    total, often = np.zeros((len(size), _HOURS)), np.zeros((len(size), _HOURS))
    for h in range(_HOURS):
        mine = hour == h
        total[:, h], often[:, h] = size[:, mine].sum(axis=1), known[:, mine].sum(axis=1)
    everywhere = total.sum() / max(1.0, often.sum())
    series = (total.sum(axis=1) + _PRIOR * everywhere) / (often.sum(axis=1) + _PRIOR)
    found = (total + _PRIOR * series[:, None]) / (often + _PRIOR)
    return np.asarray(np.maximum(found, 1e-6 + 1e-3 * everywhere), np.float32)


def adapted_levels(
    scaled: NDArray[np.float64], *, day: NDArray[np.int64], rate: float = _RATE
) -> NDArray[np.float64]:
    """Return the levels (5,) moved by what was missed, day after day, of scaled residuals (s, n).

    >>> steady = np.random.default_rng(0).normal(size=(1, 4000))
    >>> moved = adapted_levels(steady, day=np.arange(4000) // 40)
    >>> bool(np.abs(moved - np.array(LEVELS)).max() < 0.03)
    True
    """
    wanted = np.array(LEVELS)
    level = wanted.copy()
    days = np.unique(day)
    begin = len(days) // 3
    parts = [scaled[:, day == d] for d in days]
    parts = [part[np.isfinite(part)] for part in parts]
    few = [part[:: max(1, len(part) // _MOST_A_DAY)] for part in parts]
    for i in range(max(1, begin), len(days)):
        past = np.concatenate(few[max(0, i - 28) : i])
        if len(past) < FEWEST or not len(parts[i]):
            continue
        step = np.quantile(past, level)
        below = (parts[i][:, None] < step).mean(axis=0)
        level = np.clip(level + rate * (wanted - below), wanted * 0.4, 1 - 0.4 * (1 - wanted))
    level[2] = 0.5
    return level


def banded(point: Floats, *, band: Band, hour: NDArray[np.int64], least: float | None) -> Floats:
    """Return quantiles (5, s, n) around points (s, n); the median alone where there is no band.

    ``least`` bounds from below what can never be less, such as counts.
    """
    if not len(band.steps):
        found = np.full((len(LEVELS), *point.shape), np.nan, np.float32)
        found[2] = point
    else:
        scale = band.spread[:, hour]
        found = (point[None] + band.steps[:, None, None] * scale[None]).astype(np.float32)
        found = np.sort(found, axis=0)
    return found if least is None else np.maximum(found, np.float32(least))
