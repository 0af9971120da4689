"""The floor that every model must beat: last week's value, and the mean of four weeks."""

import numpy as np
from numpy.typing import NDArray

from calmstreet.forecast.lags import LookBack, Reach, mean_of_known

__all__ = ["FLOORS", "four_week_mean", "seasonal_naive"]

Floats = NDArray[np.float32]
Places = NDArray[np.int64]
FLOORS = ("seasonal-naive", "four-week-mean")


def seasonal_naive(look: LookBack, at: Places, *, origin: Places, reach: Reach) -> Floats:
    """Return (s, n): the value of the same clock and weekday, the newest that is known.

    Series shorter than two weeks have no last week: there it is the value of the day before.
    """
    if _has_weeks(look):
        parts = look.weekly(at, weeks=reach.weeks, origin=origin)
    else:
        parts = look.daily(at, days=reach.days, origin=origin)
    found = parts[0].copy()
    for part in parts[1:]:
        found = np.where(np.isfinite(found), found, part)
    return np.asarray(found, np.float32)


def four_week_mean(look: LookBack, at: Places, *, origin: Places, reach: Reach) -> Floats:
    """Return (s, n): the mean of the last four same weekdays at this clock.

    Series shorter than two weeks have no weeks: there it is the mean of up to five days.
    """
    if _has_weeks(look):
        return mean_of_known(look.weekly(at, weeks=reach.weeks, origin=origin))[0]
    return mean_of_known(look.daily(at, days=reach.days, origin=origin))[0]


def _has_weeks(look: LookBack) -> bool:
    return bool(look.grid.values.shape[1] >= 14 * look.grid.steps_per_day)
