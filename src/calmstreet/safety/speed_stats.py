"""Speeds of many road users summed up, with what chance and what the site may be wrong by.

The random part of a mean or percentile shrinks with the number of vehicles; the site part (scale,
contact, clock) is the same for all of them and stays. Both are added as squares. Where a limit
is compared with, all speeds are shifted together by the site part.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, stdtrit

__all__ = [
    "FREE_HEADWAY_S",
    "INDICATIVE_BELOW",
    "Interval",
    "SpeedStats",
    "percentile_orders",
    "share_over",
    "space_mean_mps",
    "speed_stats",
    "v85_of",
    "wilson",
]

Array = NDArray[np.float64]

FREE_HEADWAY_S = 5.0
"""Who follows at least so long after the user before drives freely."""
INDICATIVE_BELOW = 100
_K95 = 1.959963984540054


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A value with its 95 % interval; NaN where it cannot be told."""

    value: float
    low: float
    high: float


_UNKNOWN = Interval(value=float("nan"), low=float("nan"), high=float("nan"))


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedStats:
    """``n`` speeds: mean, v85 (both m/s), space mean (m/s), share over the limit (0..1).

    ``sd_mps`` is the standard deviation of the speeds, measuring errors included; ``indicative``
    below INDICATIVE_BELOW.
    """

    n: int
    mean_mps: Interval
    sd_mps: float
    v85_mps: Interval
    space_mean_mps: float
    over: Interval
    indicative: bool


def speed_stats(
    speed_mps: Array, site_share: float, *, limit_mps: float, floor_mps: float = 0.0
) -> SpeedStats:
    """Sum up speeds (n,); ``site_share`` is one sigma common to all, as a share.

    ``limit_mps`` NaN leaves the share over it unknown. ``floor_mps`` is the least half of a 95 %
    interval of a speed, as long as the site is not verified.

    >>> stats = speed_stats(np.array([10.0, 20.0]), 0.0, limit_mps=15.0)
    >>> stats.mean_mps.value, round(stats.space_mean_mps, 3), stats.over.value, stats.indicative
    (15.0, 13.333, 0.5, True)
    """
    speeds = np.asarray(speed_mps, np.float64)
    return SpeedStats(
        n=len(speeds),
        mean_mps=_mean(speeds, site_share, floor_mps),
        sd_mps=float(speeds.std(ddof=1)) if len(speeds) > 1 else float("nan"),
        v85_mps=v85_of(speeds, site_share, floor_mps=floor_mps),
        space_mean_mps=space_mean_mps(speeds),
        over=share_over(speeds, limit_mps, site_share, floor_mps=floor_mps),
        indicative=len(speeds) < INDICATIVE_BELOW,
    )


def _mean(speeds: Array, site_share: float, floor_mps: float) -> Interval:
    n = len(speeds)
    if not n:
        return _UNKNOWN
    mean = float(speeds.mean())
    if n == 1:
        return Interval(value=mean, low=float("nan"), high=float("nan"))
    chance = float(stdtrit(n - 1, 0.975)) * float(speeds.std(ddof=1)) / np.sqrt(n)
    half = float(np.hypot(chance, max(_K95 * site_share * mean, floor_mps)))
    return Interval(value=mean, low=mean - half, high=mean + half)


def space_mean_mps(speeds: Array) -> float:
    """Return the space-mean speed, the harmonic mean; NaN for none.

    >>> round(space_mean_mps(np.array([20.0, 10.0])), 3)
    13.333
    """
    return float(len(speeds) / (1.0 / speeds).sum()) if len(speeds) else float("nan")


def percentile_orders(n: int, share: float = 0.85) -> tuple[int, int]:
    """Return the orders (from 1) between which a percentile lies with 95 %, by the binomial.

    The upper one is ``n`` where no order is high enough: with fewer than 23 speeds nobody can say
    how fast the fastest 15 % might be.

    >>> percentile_orders(20)
    (14, 20)
    """
    below = bdtr(np.arange(n, dtype=np.float64), n, share)
    low = int((below <= 0.025).sum())
    high = int((below < 0.975).sum()) + 1
    return max(low, 1), min(high, n)


def v85_of(speeds: Array, site_share: float, *, floor_mps: float = 0.0) -> Interval:
    """Return the speed that 85 % do not exceed (np.percentile), m/s.

    Its interval is that of binomial order statistics, widened by the site part.
    """
    if not len(speeds):
        return _UNKNOWN
    ordered = np.sort(speeds)
    value = float(np.percentile(ordered, 85))
    if len(ordered) == 1:
        return Interval(value=value, low=float("nan"), high=float("nan"))
    low, high = percentile_orders(len(ordered))
    site = max(_K95 * site_share * value, floor_mps)
    return Interval(
        value=value,
        low=value - float(np.hypot(value - min(ordered[low - 1], value), site)),
        high=value + float(np.hypot(max(ordered[high - 1], value) - value, site)),
    )


def wilson(count: int, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (E. B. Wilson, 1927).

    >>> [round(end, 3) for end in wilson(2, 10)]
    [0.057, 0.51]
    """
    p, z2 = count / n, _K95**2
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = _K95 * np.sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def share_over(
    speeds: Array, limit_mps: float, site_share: float, *, floor_mps: float = 0.0
) -> Interval:
    """Return which share drives faster than the limit: Wilson's interval, widened by the site.

    The site part shifts all speeds together by its 95 %, down and up.
    """
    n = len(speeds)
    if not n or not np.isfinite(limit_mps):
        return _UNKNOWN
    shift = np.maximum(_K95 * site_share * speeds, floor_mps)
    less, share, more = (
        float((speeds + way * shift > limit_mps).mean()) for way in (-1.0, 0.0, 1.0)
    )
    low, high = wilson(round(share * n), n)
    return Interval(
        value=share,
        low=max(0.0, share - float(np.hypot(share - low, share - less))),
        high=min(1.0, share + float(np.hypot(high - share, more - share))),
    )
