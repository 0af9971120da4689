"""A statistical model for few series: MSTL with exponential smoothing, through statsforecast.

Seasons of a day and a week are taken apart by loess (Bandara, Hyndman and Bergmeir, 2021); what is
left is smoothed. Each series is fitted apart at each origin, which is slow: an extra, on request.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import InputError
from calmstreet.forecast.floor import four_week_mean
from calmstreet.forecast.lags import LookBack, Reach

__all__ = ["MOST_SERIES", "MSTL", "mstl_forecasts", "mstl_points"]

Floats = NDArray[np.float32]
Places = NDArray[np.int64]
MSTL = "mstl"
MOST_SERIES = 50
_WEEKS = 6
_MOST_MISSING = 0.25
_INSTALL = "mstl needs statsforecast; install it with: pip install 'calmstreet[forecast]'"


def mstl_forecasts(look: LookBack, *, origin: int, horizon: int) -> Floats:
    """Return forecasts (s, horizon) after step ``origin`` from the six weeks before.

    A series with over a quarter missing is NaN; what else is missing is taken from its profile.
    Raises InputError when statsforecast is not installed or there are more than 50 series.
    """
    model = _model(look)
    steps = look.grid.steps_per_day
    begin = max(0, origin + 1 - _WEEKS * 7 * steps)
    past = np.arange(begin, origin + 1, dtype=np.int64)
    values = look.taken(past)
    profile = four_week_mean(look, past, origin=past - 1, reach=_NEXT)
    known = np.isfinite(values)
    level = np.where(known, values, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    filled = np.where(known, values, np.where(np.isfinite(profile), profile, level[:, None]))
    found = np.full((len(values), horizon), np.nan, np.float32)
    if len(past) < 15 * steps:
        return found
    for i in np.flatnonzero(known.mean(axis=1) >= 1 - _MOST_MISSING):
        found[i] = model.forecast(y=filled[i].astype(np.float64), h=horizon)["mean"]
    return found


_NEXT = Reach(first=1, last=1, days=1, weeks=1)


def _model(look: LookBack) -> Any:
    if look.grid.values.shape[0] > MOST_SERIES:
        raise InputError(
            f"mstl fits each series apart; {look.grid.values.shape[0]} are too many (at most "
            f"{MOST_SERIES}); leave it out of --models"
        )
    try:
        from statsforecast import models
    except ImportError as error:
        raise InputError(_INSTALL) from error
    day = look.grid.steps_per_day
    if day < 2:
        return models.MSTL(season_length=[7], trend_forecaster=models.AutoETS(model="ZZN"))
    return models.MSTL(season_length=[day, 7 * day], trend_forecaster=models.AutoETS(model="ZZN"))


def mstl_points(look: LookBack, at: Places, *, origin: Places) -> Floats:
    """Return forecasts (s, n) of steps ``at`` from ``origin`` (n,), one fit for each origin."""
    found = np.full((look.grid.values.shape[0], len(at)), np.nan, np.float32)
    for start in np.unique(origin):
        mine = origin == start
        ahead = at[mine] - start
        found[:, mine] = mstl_forecasts(look, origin=int(start), horizon=int(ahead.max()))[
            :, ahead - 1
        ]
    return found
