"""From near-misses to risk: what the tail of one type of conflict can and cannot say.

A crash number is given only where 500 excesses, a stable threshold and a good fit allow it; with
176 excesses the 95 % interval of a true 36 crashes a year was 0 to 93. Else the answer is a rate
with its interval, "unstable", or how many more days must be watched.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from calmstreet.forecast.extremes import (
    GpdFit,
    anderson_darling,
    crash_probability,
    declustered,
    draw_fits,
    extremal_index,
    fit_gpd,
    tail_probability,
)

__all__ = ["ENOUGH", "THRESHOLDS_S", "Risk", "excesses", "rate_interval", "rate_ratio", "risk_of"]

Floats = NDArray[np.float64]
ENOUGH = 500
FEWEST = 30
THRESHOLDS_S = tuple(float(u) for u in np.round(np.arange(0.8, 2.01, 0.1), 1))
BLOCK_S = 60.0
_LEAST_P = 0.1
_HEAVIEST = 0.5
_LEAST_INDEX = 0.5
_HOURS_A_DAY = 24.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """What one group of conflicts says. ``verdict`` is crashes, unstable or not-enough.

    Rates are excesses an hour over ``threshold_s``; ``crashes`` with ``low`` and ``high`` (95 %) a
    year are NaN unless the verdict allows them; ``more_days`` of watching are missing else.
    """

    verdict: str
    reasons: tuple[str, ...]
    pairs: int
    excesses: int
    hours: float
    threshold_s: float
    xi: float
    sigma: float
    fit_p: float
    index: float
    rate: float
    rate_low: float
    rate_high: float
    crashes: float
    low: float
    high: float
    more_days: float


def rate_interval(count: float, *, hours: float) -> tuple[float, float]:
    """Return the exact 95 % interval of a rate an hour (Garwood, 1936).

    >>> low, high = rate_interval(10, hours=5.0)
    >>> round(low, 3), round(high, 3)
    (0.959, 3.678)
    """
    low = stats.chi2.ppf(0.025, 2 * count) / 2 if count > 0 else 0.0
    return float(low / hours), float(stats.chi2.ppf(0.975, 2 * count + 2) / 2 / hours)


def rate_ratio(
    count: float, *, hours: float, other_count: float, other_hours: float
) -> tuple[float, float, float]:
    """Return a rate against another with its 95 % interval (exact, by the binomial).

    >>> ratio, low, high = rate_ratio(20, hours=10.0, other_count=10, other_hours=10.0)
    >>> ratio, low < 2 < high
    (2.0, True)
    """
    if other_count <= 0:
        return float("nan"), float("nan"), float("inf")
    total = count + other_count
    share_low = stats.beta.ppf(0.025, count, total - count + 1) if count > 0 else 0.0
    share_high = stats.beta.ppf(0.975, count + 1, total - count) if total > count else 1.0
    scale = other_hours / hours
    ratio = count / other_count * scale
    bounds = [s / (1 - s) * scale if s < 1 else float("inf") for s in (share_low, share_high)]
    return float(ratio), float(bounds[0]), float(bounds[1])


def excesses(measure_s: ArrayLike, *, time_s: ArrayLike, threshold_s: float) -> int:
    """Return in how many minutes something came nearer than the threshold.

    >>> excesses([1.0, 0.9, 1.2, 3.0], time_s=[5.0, 50.0, 70.0, 200.0], threshold_s=1.5)
    2
    """
    value, time = np.asarray(measure_s, np.float64), np.asarray(time_s, np.float64)
    near = value < threshold_s
    return int(declustered(-value[near], time_s=time[near], block_s=BLOCK_S).sum())


def risk_of(
    measure_s: ArrayLike,
    *,
    time_s: ArrayLike,
    hours: float,
    hours_a_year: float = 8760.0,
    draws: int = 400,
    seed: int = 1,
) -> Risk:
    """Return the risk of one group: times to collision or post-encroachment times (n,) in s.

    ``time_s`` (n,) when each happened (the nearest of each minute counts); ``hours`` really
    watched. A measure of 0 or less is a crash.
    """
    value, time = np.asarray(measure_s, np.float64), np.asarray(time_s, np.float64)
    near = value <= max(THRESHOLDS_S)
    value, time = value[near], time[near]
    keep = declustered(-value, time_s=time, block_s=BLOCK_S)
    own, when = value[keep], time[keep]
    chosen, reasons, fit_p = _threshold(own, seed)
    threshold = chosen if np.isfinite(chosen) else max(THRESHOLDS_S)
    excess = threshold - own[own < threshold]
    fit = fit_gpd(excess)
    index = extremal_index(when[own < threshold], span_s=max(hours * 3600.0, 1.0))
    if fit.count >= FEWEST and index < _LEAST_INDEX:
        reasons = (*reasons, "clustered")
    verdict = "unstable" if reasons else "crashes"
    if fit.count < ENOUGH:
        verdict = "not-enough" if fit.count < FEWEST or not reasons else "unstable"
    rate = fit.count / hours
    rate_low, rate_high = rate_interval(fit.count, hours=hours)
    crashes = low = high = float("nan")
    if verdict == "crashes":
        crashes, low, high = _crashes(
            excess, fit, threshold, hours=hours, hours_a_year=hours_a_year, draws=draws, seed=seed
        )
    lacking = max(0, ENOUGH - fit.count)
    return Risk(
        verdict=verdict,
        reasons=reasons,
        pairs=len(np.asarray(measure_s)),
        excesses=fit.count,
        hours=hours,
        threshold_s=threshold,
        xi=fit.xi,
        sigma=fit.sigma,
        fit_p=fit_p,
        index=index,
        rate=rate,
        rate_low=rate_low,
        rate_high=rate_high,
        crashes=crashes,
        low=low,
        high=high,
        more_days=lacking / max(rate, 0.5 / hours) / _HOURS_A_DAY if lacking else 0.0,
    )


def _threshold(own: Floats, seed: int) -> tuple[float, tuple[str, ...], float]:
    """Return the greatest threshold that fits and stays, else NaN with the reasons and the last p.

    Stable: the shape at every lower threshold lies within its 95 % error of the shape here.
    """
    fits = {u: fit_gpd(u - own[own < u]) for u in THRESHOLDS_S}
    usable = [u for u in THRESHOLDS_S if fits[u].count >= FEWEST]
    if not usable:
        return float("nan"), (), float("nan")
    faults: list[str] = []
    fit_p = float("nan")
    for u in sorted(usable, reverse=True):
        if fits[u].xi > _HEAVIEST:
            faults.append("heavy-tail")
            continue
        if not _stays(u, usable, fits):
            faults.append("threshold")
            continue
        fit_p = anderson_darling(u - own[own < u], fit=fits[u], draws=100, seed=seed)
        if fit_p < _LEAST_P:
            faults.append("misfit")
            continue
        return u, (), fit_p
    return float("nan"), tuple(dict.fromkeys(faults)), fit_p


def _stays(u: float, usable: list[float], fits: dict[float, GpdFit]) -> bool:
    """Say whether shape and modified scale stay within their errors at the lower thresholds."""
    here = fits[u]
    for lower in usable:
        other = fits[lower]
        if lower >= u or other.count < FEWEST:
            continue
        error = (1 + other.xi) / other.count**0.5
        if abs(other.xi - here.xi) > 1.96 * max(error, 0.05):
            return False
    return True


def _crashes(
    excess: Floats,
    fit: GpdFit,
    threshold: float,
    *,
    hours: float,
    hours_a_year: float,
    draws: int,
    seed: int,
) -> tuple[float, float, float]:
    """Return crashes a year and the 95 % interval over rate and tail (bootstrap)."""
    per_year = hours_a_year / hours
    xi, sigma = draw_fits(excess, draws=draws, seed=seed)
    random = np.random.default_rng(seed + 1)
    counts = random.gamma(fit.count + 0.5, 1.0, draws)
    drawn = counts * per_year * tail_probability(threshold, xi=xi, sigma=sigma)
    mean = fit.count * per_year * crash_probability(fit, distance=threshold)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return mean, float(low), float(high)
