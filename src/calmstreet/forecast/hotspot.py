"""Hot spots: local sums that chance does not make, on rates that small numbers do not fool.

Gi* of Getis and Ord (1992; Ord and Getis, 1995), on empirical Bayes rates (Marshall, 1991), with
the false discovery rate held (Benjamini and Hochberg, 1995).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

__all__ = ["adjusted", "eb_rates", "gi_star"]

Floats = NDArray[np.float64]


def gi_star(values: ArrayLike, *, near: Sequence[Sequence[int]]) -> Floats:
    """Return z (n,) of the local sums over ``near``, which holds each place itself too.

    >>> near = [[i for i in range(3) if abs(i - k) <= 1] for k in range(3)]
    >>> gi_star([1.0, 5.0, 1.0], near=near).round(3).tolist()
    [0.707, 0.0, 0.707]
    """
    x = np.asarray(values, np.float64)
    n = len(x)
    mean, sd = float(x.mean()), float(x.std())
    size = np.array([len(group) for group in near], np.float64)
    total = np.array([x[list(group)].sum() for group in near])
    under = sd * np.sqrt(np.maximum(n * size - size**2, 0) / max(1, n - 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(under > 1e-12, (total - mean * size) / under, 0.0)


def eb_rates(counts: ArrayLike, *, exposure: ArrayLike) -> Floats:
    """Return rates (n,) drawn to the common rate, the more the smaller the exposure.

    >>> eb_rates([0, 10], exposure=[1.0, 10.0]).round(2).tolist()
    [0.91, 0.91]
    """
    x, size = np.asarray(counts, np.float64), np.asarray(exposure, np.float64)
    mean = x.sum() / size.sum()
    raw = x / size
    spread = (size * (raw - mean) ** 2).sum() / size.sum() - mean / size.mean()
    between = max(spread, 0.0)
    weight = between / (between + mean / size) if mean > 0 else np.zeros(len(x))
    return np.asarray(weight * raw + (1 - weight) * mean)


def adjusted(p: ArrayLike) -> Floats:
    """Return p values (n,) adjusted so that a limit holds the false discovery rate.

    >>> adjusted([0.01, 0.02, 0.9]).round(3).tolist()
    [0.03, 0.03, 0.9]
    """
    values = np.asarray(p, np.float64)
    return np.asarray(stats.false_discovery_control(values)) if len(values) else values
