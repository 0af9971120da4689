"""Extreme values: how far the tail of near-misses reaches to where a crash begins.

Generalised Pareto over a threshold and generalised extreme value for maxima of blocks, signed as in
the textbooks: xi above 0 is a heavy tail (scipy's genextreme has c = -xi). Sources: Coles (2001);
Songchitruksa and Tarko (2006) for crashes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

__all__ = [
    "GpdFit",
    "anderson_darling",
    "block_maxima_probability",
    "crash_probability",
    "declustered",
    "draw_fits",
    "extremal_index",
    "fit_gpd",
    "mean_residual_life",
    "tail_probability",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class GpdFit:
    """A generalised Pareto tail: shape ``xi``, scale ``sigma`` and the number of excesses."""

    xi: float
    sigma: float
    count: int


def tail_probability(excess: ArrayLike, *, xi: ArrayLike, sigma: ArrayLike) -> Floats:
    """Return the probability that an excess over the threshold is at least so large.

    >>> round(float(tail_probability(1.5, xi=-0.2, sigma=0.45)), 8)
    0.00411523
    """
    return np.asarray(stats.genpareto.sf(excess, c=xi, scale=sigma), np.float64)


def crash_probability(fit: GpdFit, *, distance: float) -> float:
    """Return the probability that one excess reaches the crash, ``distance`` over the threshold.

    >>> round(crash_probability(GpdFit(xi=0.0, sigma=0.5, count=9), distance=2.0), 7)
    0.0183156
    """
    return float(tail_probability(distance, xi=fit.xi, sigma=fit.sigma))


def block_maxima_probability(*, location: float, scale: float, xi: float) -> float:
    """Return the probability that the maximum of a block reaches 0, where the crash begins.

    >>> round(block_maxima_probability(location=-1.8, scale=0.5, xi=-0.1), 7)
    0.011463
    """
    return float(stats.genextreme.sf(0.0, c=-xi, loc=location, scale=scale))


def fit_gpd(excess: ArrayLike) -> GpdFit:
    """Fit excesses (n,) over a threshold by greatest likelihood; xi is held within -0.9..0.9.

    NaN for fewer than ten. The likelihood is maximised over one parameter (Grimshaw, 1993).

    >>> drawn = stats.genpareto.rvs(-0.2, scale=0.45, size=4000, random_state=1)
    >>> fit = fit_gpd(drawn)
    >>> round(fit.xi, 1), round(fit.sigma, 1)
    (-0.2, 0.5)
    """
    x = np.asarray(excess, np.float64)
    n = len(x)
    if n < 10 or not x.max() > 0:
        return GpdFit(xi=float("nan"), sigma=float("nan"), count=n)
    top, mean = float(x.max()), float(x.mean())
    theta = np.concatenate([
        -np.geomspace(1e-4, 0.9995, 60)[::-1] / top, np.geomspace(1e-4, 60.0, 60) / mean
    ])  # fmt: skip
    best = theta[np.argmax(_profile(theta, x))]
    for _ in range(4):
        width = 0.3 * abs(best)
        near = np.linspace(best - width, best + width, 61)
        near = near[(near > -0.99999 / top) & (near != 0)]
        best = near[np.argmax(_profile(near, x))]
        theta = near
    xi = float(np.mean(np.log1p(best * x)))
    if _profile(np.array([best]), x)[0] < -n * np.log(mean) - n + 1e-9 or abs(xi) < 1e-6:
        return GpdFit(xi=0.0, sigma=mean, count=n)
    return GpdFit(xi=xi, sigma=float(xi / best), count=n)


def _profile(theta: Floats, x: Floats) -> Floats:
    """Return the log likelihood at theta = xi / sigma (m,), -inf where xi leaves -0.9..0.9."""
    xi = np.log1p(theta[:, None] * x[None]).mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = -len(x) * (np.log(xi / theta) + xi + 1)
    return np.where((np.abs(xi) <= 0.9) & (xi * theta > 0), found, -np.inf)


def draw_fits(excess: ArrayLike, *, draws: int = 500, seed: int = 1) -> tuple[Floats, Floats]:
    """Return xi and sigma (draws,) of refits to drawings with return (bootstrap).

    >>> xi, sigma = draw_fits(np.linspace(0.01, 1.0, 40), draws=5)
    >>> len(xi), bool((sigma > 0).all())
    (5, True)
    """
    x = np.asarray(excess, np.float64)
    random = np.random.default_rng(seed)
    fits = [fit_gpd(x[random.integers(0, len(x), len(x))]) for _ in range(draws)]
    return np.array([f.xi for f in fits]), np.array([f.sigma for f in fits])


def mean_residual_life(values: ArrayLike, *, thresholds: ArrayLike) -> tuple[Floats, Floats]:
    """Return the mean excess over each threshold (m,) and its standard error; NaN under ten.

    It is a straight line above a good threshold.

    >>> mean, error = mean_residual_life(np.arange(100.0), thresholds=[50.0])
    >>> mean.tolist()
    [25.0]
    """
    x = np.asarray(values, np.float64)
    over = [x[x > u] - u for u in np.asarray(thresholds, np.float64)]
    mean = [float(e.mean()) if len(e) >= 10 else np.nan for e in over]
    error = [float(e.std(ddof=1) / len(e) ** 0.5) if len(e) >= 10 else np.nan for e in over]
    return np.array(mean), np.array(error)


def anderson_darling(excess: ArrayLike, *, fit: GpdFit, draws: int = 200, seed: int = 1) -> float:
    """Return the probability of a worse fit if the tail were generalised Pareto (bootstrap).

    >>> drawn = stats.genpareto.rvs(0.1, scale=1, size=300, random_state=2)
    >>> anderson_darling(drawn, fit=fit_gpd(drawn)) > 0.05
    True
    """
    seen = _distance(np.asarray(excess, np.float64), fit)
    random = np.random.default_rng(seed)
    worse = 0
    for _ in range(draws):
        drawn = stats.genpareto.rvs(fit.xi, scale=fit.sigma, size=fit.count, random_state=random)
        worse += _distance(drawn, fit_gpd(drawn)) >= seen
    return (worse + 1) / (draws + 1)


def _distance(x: Floats, fit: GpdFit) -> float:
    if not np.isfinite(fit.xi):
        return float("inf")
    u = np.clip(stats.genpareto.cdf(np.sort(x), fit.xi, scale=fit.sigma), 1e-9, 1 - 1e-9)
    n = len(u)
    odd = 2 * np.arange(1, n + 1) - 1
    return float(-n - (odd * (np.log(u) + np.log(1 - u[::-1]))).mean())


def declustered(values: ArrayLike, *, time_s: ArrayLike, block_s: float) -> NDArray[np.bool_]:
    """Return which values (n,) are the greatest of their block of time.

    Near-misses of one platoon or one signal cycle are one story, not many. Blocks and not runs
    without a pause: at a busy junction there is no pause, and hours would become one story.

    >>> declustered([1.0, 3.0, 2.0, 5.0], time_s=[0.0, 10.0, 15.0, 300.0], block_s=60.0).tolist()
    [False, True, False, True]
    """
    value, time = np.asarray(values, np.float64), np.asarray(time_s, np.float64)
    keep = np.zeros(len(value), bool)
    if not len(value):
        return keep
    order = np.argsort(time, kind="stable")
    cluster = np.floor_divide(time[order], block_s)
    ranked = np.lexsort((-value[order], cluster))
    firsts = np.concatenate([[True], np.diff(cluster[ranked]) > 0])
    keep[order[ranked[firsts]]] = True
    return keep


def extremal_index(time_s: ArrayLike, *, span_s: float) -> float:
    """Return the extremal index of exceedance times (Ferro and Segers, 2003): 1 is no clustering.

    >>> extremal_index(np.random.default_rng(1).uniform(0, 1e6, 500), span_s=1e6) > 0.85
    True
    """
    gap = np.diff(np.sort(np.asarray(time_s, np.float64)))
    if len(gap) < 5 or span_s <= 0:
        return float("nan")
    gap = gap / (span_s / len(gap) / 50.0)
    if gap.max() <= 2:
        ratio = 2 * gap.sum() ** 2 / (len(gap) * (gap**2).sum())
    else:
        shifted = np.maximum(gap - 1, 0)
        below = np.maximum((shifted * np.maximum(gap - 2, 0)).sum(), 1e-12)
        ratio = 2 * shifted.sum() ** 2 / (len(gap) * below)
    return float(min(1.0, ratio))
