"""How good a forecast was: scores that reward honest uncertainty.

Sources: MASE of Hyndman and Koehler (2006); interval score and CRPS of Gneiting and Raftery (2007);
weighted interval score of Bracher and others (2021).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import erf

__all__ = [
    "coverage_share",
    "crps_ensemble",
    "crps_normal",
    "interval_score",
    "mean_absolute",
    "pinball",
    "seasonal_scale",
    "weighted_interval_score",
]

Floats = NDArray[np.float64]


def crps_normal(y: ArrayLike, *, mean: ArrayLike, sd: ArrayLike) -> Floats:
    """Return the continuous ranked probability score of normal forecasts; any shapes that fit.

    >>> round(float(crps_normal(0.0, mean=0.0, sd=1.0)), 6)
    0.233695
    """
    spread = np.asarray(sd, np.float64)
    z = (np.asarray(y, np.float64) - np.asarray(mean, np.float64)) / spread
    below = 0.5 * (1 + erf(z / np.sqrt(2)))
    density = np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)
    return np.asarray(spread * (z * (2 * below - 1) + 2 * density - 1 / np.sqrt(np.pi)))


def crps_ensemble(y: float, *, members: ArrayLike) -> float:
    """Return the score of an ensemble (n,): mean |x - y| less half the mean |x - x'|.

    >>> crps_ensemble(1.0, members=[0, 1, 2, 3])
    0.375
    """
    x = np.sort(np.asarray(members, np.float64))
    n = len(x)
    weight = 2 * np.arange(1, n + 1) - n - 1
    return float(np.abs(x - y).mean() - (weight * x).sum() / (n * n))


def interval_score(y: ArrayLike, *, low: ArrayLike, high: ArrayLike, alpha: float) -> Floats:
    """Return the score of central intervals of level ``1 - alpha``: width plus penalties.

    >>> float(interval_score(25.0, low=10.0, high=20.0, alpha=0.2))
    60.0
    """
    found, lower, upper = (np.asarray(v, np.float64) for v in (y, low, high))
    under, over = np.maximum(lower - found, 0.0), np.maximum(found - upper, 0.0)
    return np.asarray((upper - lower) + 2 / alpha * (under + over))


def weighted_interval_score(
    y: ArrayLike, *, median: ArrayLike, intervals: Sequence[tuple[float, ArrayLike, ArrayLike]]
) -> Floats:
    """Return the weighted interval score; ``intervals`` are (alpha, low, high).

    >>> float(weighted_interval_score(25.0, median=14.0,
    ...     intervals=[(0.5, 12.0, 16.0), (0.2, 10.0, 20.0)]))
    8.6
    """
    total = 0.5 * np.abs(np.asarray(y, np.float64) - np.asarray(median, np.float64))
    for alpha, low, high in intervals:
        total = total + alpha / 2 * interval_score(y, low=low, high=high, alpha=alpha)
    return np.asarray(total / (len(intervals) + 0.5))


def pinball(y: ArrayLike, *, quantile: ArrayLike, level: float) -> Floats:
    """Return the loss of a quantile forecast of one level.

    >>> float(pinball(3.0, quantile=1.0, level=0.9))
    1.8
    """
    gap = np.asarray(y, np.float64) - np.asarray(quantile, np.float64)
    return np.asarray(np.maximum(level * gap, (level - 1) * gap))


def coverage_share(y: ArrayLike, *, low: ArrayLike, high: ArrayLike) -> float:
    """Return the share of known values inside their intervals; NaN without any.

    >>> coverage_share([1.0, 5.0, float("nan")], low=0.0, high=2.0)
    0.5
    """
    found, lower, upper = np.broadcast_arrays(*(np.asarray(v, np.float64) for v in (y, low, high)))
    known = np.isfinite(found) & np.isfinite(lower) & np.isfinite(upper)
    inside = (found >= lower) & (found <= upper)
    return float(inside[known].mean()) if known.any() else float("nan")


def mean_absolute(error: ArrayLike) -> float:
    """Return the mean of the known absolute values; NaN without any.

    >>> mean_absolute([1.0, -3.0, float("nan")])
    2.0
    """
    gap = np.abs(np.asarray(error, np.float64))
    known = np.isfinite(gap)
    return float(gap[known].mean()) if known.any() else float("nan")


def seasonal_scale(y: ArrayLike, *, season: int) -> float:
    """Return MASE's scale: the mean absolute change over one season, known pairs only.

    ``y`` (n,) with NaN for missing. NaN when there is no pair or nothing ever changes.

    >>> seasonal_scale([1.0, 2.0, 3.0, 5.0], season=2)
    2.5
    """
    values = np.asarray(y, np.float64)
    if len(values) <= season:
        return float("nan")
    scale = mean_absolute(values[season:] - values[:-season])
    return scale if scale > 0 else float("nan")
