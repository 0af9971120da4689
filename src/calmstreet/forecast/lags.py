"""Looking back by the local clock: the same time yesterday, the same time last week.

Days are counted on the wall clock, so that the morning peak stays the morning peak when summer time
begins or ends. Whatever lies after the origin of a forecast reads as missing: no leakage.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calmstreet.forecast.grid import DAY_NS, Grid, wall_clock

__all__ = ["Reach", "LookBack", "mean_of_known", "reaches"]

Floats = NDArray[np.float32]
Places = NDArray[np.int64]
WEEKS = 4
DAYS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """A group of horizons, in steps, with the nearest whole days and weeks known at all of them."""

    first: int
    last: int
    days: int
    weeks: int

    def steps(self) -> NDArray[np.int64]:
        """Return the horizons of the group."""
        return np.arange(self.first, self.last + 1, dtype=np.int64)


def reaches(horizon: int, *, steps_per_day: int) -> list[Reach]:
    """Return groups of horizons 1..horizon, each twice as long as the one before.

    >>> [(r.first, r.last, r.days, r.weeks) for r in reaches(24, steps_per_day=24)]
    [(1, 1, 1, 1), (2, 2, 1, 1), (3, 4, 1, 1), (5, 8, 1, 1), (9, 16, 1, 1), (17, 24, 1, 1)]
    """
    found, first = [], 1
    while first <= horizon:
        last = min(horizon, max(first, 2 * (first - 1)))
        days = -(-last // steps_per_day)
        found.append(Reach(first=first, last=last, days=days, weeks=-(-days // 7)))
        first = last + 1
    return found


class LookBack:
    """Where in a grid, and ``ahead`` steps beyond, the same local time of earlier days lies."""

    def __init__(self, grid: Grid, *, ahead: int) -> None:
        self.grid = grid
        count = grid.values.shape[1]
        self.wall_ns = wall_clock(grid.times_ns(0, count + ahead), grid.tz)
        self._order = np.argsort(self.wall_ns, kind="stable")
        self._sorted = self.wall_ns[self._order]
        self._known: dict[int, Places] = {}

    def days(self, count: int) -> Places:
        """Return the place of the same clock ``count`` days ago (t + ahead,), -1 for none."""
        if count not in self._known:
            wanted = self.wall_ns - count * DAY_NS
            at = np.searchsorted(self._sorted, wanted)
            at = np.minimum(at, len(self._sorted) - 1)
            hit = self._sorted[at] == wanted
            self._known[count] = np.where(hit, self._order[at], -1)
        return self._known[count]

    def taken(self, places: Places, *, origin: Places | None = None) -> Floats:
        """Return values (s, n) at places (n,); NaN at -1, after the end and after the origin."""
        values = self.grid.values
        bad = (places < 0) | (places >= values.shape[1])
        if origin is not None:
            bad = bad | (places > origin)
        found: Floats = values[:, np.where(bad, 0, places)]
        found[:, bad] = np.nan
        return found

    def ago(self, at: Places, *, days: int, origin: Places) -> Floats:
        """Return values (s, n) of the same clock ``days`` before places ``at``."""
        return self.taken(self.days(days)[at], origin=origin)

    def weekly(self, at: Places, *, weeks: int, origin: Places) -> list[Floats]:
        """Return values of the last four same weekdays from ``weeks`` weeks ago on."""
        return [self.ago(at, days=7 * (weeks + k), origin=origin) for k in range(WEEKS)]

    def daily(self, at: Places, *, days: int, origin: Places) -> list[Floats]:
        """Return values of the last five days from ``days`` days ago on."""
        return [self.ago(at, days=days + k, origin=origin) for k in range(DAYS)]


def mean_of_known(parts: list[Floats]) -> tuple[Floats, NDArray[np.int8]]:
    """Return the mean of the known values and how many there were, shape of the parts.

    >>> mean, often = mean_of_known([np.array([1.0, np.nan]), np.array([3.0, np.nan])])
    >>> mean.tolist(), often.tolist()
    ([2.0, nan], [2, 0])
    """
    total = np.zeros(parts[0].shape, np.float32)
    often = np.zeros(parts[0].shape, np.int8)
    for part in parts:
        known = np.isfinite(part)
        total += np.where(known, part, 0)
        often += known
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(total / often, np.float32), often
