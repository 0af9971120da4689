"""Rates of conflicts with their interval, and whether there are enough days to believe them.

Conflicts of one day are alike (weather, traffic, works): the interval comes from drawing whole
days again (bootstrap by day blocks, Efron and Tibshirani 1993), never from drawing conflicts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calmstreet.model.conflicts import Conflicts
from calmstreet.units import local_datetime, zone_info

__all__ = [
    "LEAST_DAYS",
    "NOT_TWO_USERS",
    "ConflictRate",
    "DayCounts",
    "conflict_rate",
    "day_counts",
]

Array = NDArray[np.float64]

LEAST_DAYS = 3
"""No interval is told from fewer days."""

_DRAWS = 2000
_SEED = 20240229
_Z95 = 1.959963984540054

NOT_TWO_USERS = (
    "id switch",
    "duplicate boxes",
    "one party",
    "short track",
    "never coexisted",
    "camera-moved",
    "too-few-pictures",
)
"""Words of ``model.conflicts.REJECTIONS`` for pairs that were no two road users on their ways."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DayCounts:
    """Local days in order with their conflicts, interacting pairs and hours watched, all (n,)."""

    days: tuple[date, ...]
    conflicts: Array
    pairs: Array
    hours: Array


def day_counts(parts: Sequence[Conflicts], *, tz: str) -> DayCounts:
    """Return what each local day gave; days that nobody watched are not there.

    Pairs that were no two road users (an id switch, two boxes of one body), or seen while the
    camera looked elsewhere, are not counted.
    """
    counts: dict[date, list[float]] = {}
    for part in parts:
        for begin_ns, end_ns in part.watched_ns.tolist():
            for day, spent_s in _days_of(begin_ns, end_ns, tz):
                counts.setdefault(day, [0.0, 0.0, 0.0])[2] += spent_s / 3600.0
        real = ~np.isin(part.rejected_because, NOT_TWO_USERS)
        for start_ns, conflict in zip(
            part.start_ns[real].tolist(), part.is_conflict[real].tolist(), strict=True
        ):
            row = counts.setdefault(local_datetime(start_ns, tz).date(), [0.0, 0.0, 0.0])
            row[0] += conflict
            row[1] += 1
    days = tuple(sorted(counts))
    table = np.array([counts[day] for day in days]).reshape(-1, 3)
    return DayCounts(days=days, conflicts=table[:, 0], pairs=table[:, 1], hours=table[:, 2])


def _days_of(begin_ns: int, end_ns: int, tz: str) -> list[tuple[date, float]]:
    """Return the local days that a spell touches and how many seconds of it each has."""
    found, at_ns = [], begin_ns
    while at_ns < end_ns:
        day = local_datetime(at_ns, tz).date()
        midnight = datetime.combine(day + timedelta(days=1), time(), zone_info(tz))
        until_ns = min(end_ns, max(round(midnight.timestamp()) * 1_000_000_000, at_ns + 1))
        found.append((day, (until_ns - at_ns) / 1e9))
        at_ns = until_ns
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictRate:
    """``rate`` conflicts per unit of exposure over ``days`` days, with its 95 % interval.

    ``low95``, ``high95`` NaN under ``LEAST_DAYS`` days; ``half_width_share`` half the interval
    over the rate; ``enough`` it is within the wanted share; ``days_needed`` in all for that by
    the variance between the days seen, NaN when it cannot be told.
    """

    rate: float
    days: int
    low95: float
    high95: float
    half_width_share: float
    enough: bool
    days_needed: float


def conflict_rate(
    conflicts: ArrayLike, *, exposure: ArrayLike, wanted_share: float = 0.3
) -> ConflictRate:
    """Return the rate of conflicts (one number per day) per exposure (the same days).

    Exposure is in the unit of the rate: thousands of interacting pairs, or hours watched. Days
    without exposure do not count.

    >>> found = conflict_rate([4, 6, 5, 5], exposure=[10, 10, 10, 10])
    >>> found.rate, found.days, found.enough
    (0.5, 4, True)
    >>> conflict_rate([4, 6], exposure=[10, 10]).low95
    nan
    """
    counts = np.atleast_1d(np.asarray(conflicts, np.float64))
    watched = np.atleast_1d(np.asarray(exposure, np.float64))
    seen = watched > 0
    counts, watched = counts[seen], watched[seen]
    days = len(counts)
    rate = float(counts.sum() / watched.sum()) if days else float("nan")
    if days < LEAST_DAYS:
        nan = float("nan")
        return ConflictRate(
            rate=rate,
            days=days,
            low95=nan,
            high95=nan,
            half_width_share=nan,
            enough=False,
            days_needed=nan,
        )
    low, high = _interval(counts, watched)
    share = 0.5 * (high - low) / rate if rate > 0 else float("nan")
    return ConflictRate(
        rate=rate,
        days=days,
        low95=low,
        high95=high,
        half_width_share=share,
        enough=bool(share <= wanted_share),
        days_needed=_days_needed(counts, watched, rate, wanted_share),
    )


def _interval(counts: Array, watched: Array) -> tuple[float, float]:
    """Return the 2.5 and 97.5 percent points of the rate over drawn days."""
    draw = np.random.default_rng(_SEED).integers(0, len(counts), (_DRAWS, len(counts)))
    rates = counts[draw].sum(axis=1) / watched[draw].sum(axis=1)
    low, high = np.percentile(rates, [2.5, 97.5])
    return float(low), float(high)


def _days_needed(counts: Array, watched: Array, rate: float, wanted_share: float) -> float:
    """Return the days at which the half width of the ratio estimate is the wanted share."""
    if rate <= 0:
        return float("nan")
    spread = float(np.var(counts - rate * watched, ddof=1)) / float(watched.mean()) ** 2
    return float(np.ceil(max(_Z95**2 * spread / (wanted_share * rate) ** 2, LEAST_DAYS)))
