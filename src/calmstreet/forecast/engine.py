"""Which model forecasts which horizon, and how sure: fitted on the past, chosen on what follows.

The newest quarter of the data, at most eight weeks, is held out: there a model must beat seasonal
naive by 15 % and the four-week mean at all, or the better floor is used instead. The band comes
from the same held-out time. Nothing of it is scored: scores come from later folds (``backtest``).
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calmstreet.forecast.conformal import NEWEST_DAYS, Band, Residuals, banded
from calmstreet.forecast.features import Known, level_of, neighbours_of
from calmstreet.forecast.floor import FLOORS, four_week_mean, seasonal_naive
from calmstreet.forecast.grid import DAY_NS, Grid
from calmstreet.forecast.lags import LookBack, Reach, mean_of_known, reaches
from calmstreet.forecast.learned import Learned, is_installed, learn
from calmstreet.forecast.statistical import MSTL, mstl_points

__all__ = ["LIGHTGBM", "MARGIN", "Chosen", "Fitted", "fit"]

Floats = NDArray[np.float32]
Places = NDArray[np.int64]
Points = Mapping[str, Floats]
Predict = Callable[[LookBack, Places, Places, Reach], Floats]
LIGHTGBM = "lightgbm"
MARGIN = 0.15
_HELD_OUT_SHARE = 0.25
_MOST_ROWS = 200_000
_HOUR_NS = DAY_NS // 24


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chosen:
    """What forecasts one group of horizons: the model, the held-out errors, a band for each.

    ``residuals`` of the held-out time are what the bands rest on.
    """

    reach: Reach
    model: str
    held_out: Mapping[str, float]
    residuals: Mapping[str, Residuals]
    bands: Mapping[str, Band]
    learned: Learned | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fitted:
    """A forecaster of all horizons up to ``horizon`` steps."""

    horizon: int
    groups: tuple[Chosen, ...]
    known: Known
    least: float | None

    def group_of(self, ahead: int) -> Chosen:
        """Return the group that forecasts ``ahead`` steps."""
        return next(g for g in self.groups if g.reach.first <= ahead <= g.reach.last)

    def points(self, look: LookBack, at: Places, *, origin: Places, group: Chosen) -> Points:
        """Return the points (s, n) of the chosen model and of both floors, by name."""
        return {
            name: _point(name, group.learned)(look, at, origin, group.reach)
            for name in dict.fromkeys((group.model, *FLOORS))
        }

    def around(
        self,
        points: Points,
        *,
        wall_ns: Places,
        bands: Mapping[str, Band],
        model: str,
        alone: bool = False,
    ) -> Floats:
        """Return quantiles (5, s, n) around one model's points; NaN is unknown.

        Where the model is silent about a series the floors speak, unless it is asked ``alone``.
        """
        hour = wall_ns % DAY_NS // _HOUR_NS
        found = banded(points[model], band=bands[model], hour=hour, least=self.least)
        for other in () if alone else FLOORS[::-1]:
            lost = ~np.isfinite(found[2])
            if other != model and lost.any():
                spare = banded(points[other], band=bands[other], hour=hour, least=self.least)
                found = np.where(lost[None], spare, found)
        return found

    def quantiles(
        self, look: LookBack, at: Places, *, origin: Places, group: Chosen, model: str = ""
    ) -> Floats:
        """Return quantiles (5, s, n) of steps ``at`` seen from ``origin``; NaN is unknown.

        ``model`` asks for another than the chosen one, such as a floor.
        """
        points = self.points(look, at, origin=origin, group=group)
        wall_ns, name = look.wall_ns[at], model or group.model
        return self.around(
            points, wall_ns=wall_ns, bands=group.bands, model=name, alone=bool(model)
        )

    def better_floor(self, group: Chosen) -> str:
        """Return the floor that erred less in the held-out time."""
        return _best({name: group.held_out[name] for name in FLOORS})


def _point(name: str, learned: Learned | None) -> Predict:
    if name == LIGHTGBM and learned is not None:
        return lambda look, at, origin, _: learned.predict(look, at, origin=origin)[0]
    if name == MSTL:
        return lambda look, at, origin, _: mstl_points(look, at, origin=origin)
    floor = seasonal_naive if name == FLOORS[0] else four_week_mean
    return lambda look, at, origin, reach: floor(look, at, origin=origin, reach=reach)


def missing_share(look: LookBack, at: Places, *, origin: Places, reach: Reach) -> Floats:
    """Return the share (s, n) of the nearest past that is missing: weeks, days, last steps."""
    parts = [
        *look.weekly(at, weeks=reach.weeks, origin=origin),
        *look.daily(at, days=reach.days, origin=origin)[:3],
        *(look.taken(origin - k, origin=origin) for k in range(4)),
    ]
    often = mean_of_known(parts)[1]
    return np.asarray(1 - often / len(parts), np.float32)


def fit(
    grid: Grid,
    *,
    horizon: int,
    models: tuple[str, ...] = (LIGHTGBM,),
    holidays: frozenset[int] = frozenset(),
    seed: int = 1,
    workers: int = 2,
) -> Fitted:
    """Fit and choose models for horizons 1..``horizon`` from everything in ``grid``.

    ``models`` beside the floors; a model that is not installed is left out. Groups are fitted
    ``workers`` at a time, with the same result for any number.
    """
    look = LookBack(grid, ahead=0)
    end = held_out_from(grid)
    groups = reaches(horizon, steps_per_day=grid.steps_per_day)
    known = Known(
        level=level_of(grid.values[:, :end] if end > 1 else grid.values),
        near=neighbours_of(look, end=end, reach=groups[0]) if end > 50 else None,
        holidays=holidays,
    )
    wanted = tuple(m for m in models if m != LIGHTGBM or is_installed())
    with ThreadPoolExecutor(max(1, workers)) as pool:
        chosen = pool.map(
            lambda reach: _choose(look, end, reach, known=known, models=wanted, seed=seed), groups
        )
        found = tuple(chosen)
    least = 0.0 if not (grid.values < 0).any() else None
    return Fitted(horizon=horizon, groups=found, known=known, least=least)


def held_out_from(grid: Grid) -> int:
    """Return the first step of the held-out time."""
    count = grid.values.shape[1]
    held = min(NEWEST_DAYS * grid.steps_per_day, int(count * _HELD_OUT_SHARE))
    return int(count - max(1, held))


def _choose(
    look: LookBack, end: int, reach: Reach, *, known: Known, models: tuple[str, ...], seed: int
) -> Chosen:
    learned = None
    if LIGHTGBM in models and end > reach.last + 2 * look.grid.steps_per_day:
        learned = learn(look, end=end, reach=reach, known=known, seed=seed)
    names = [*FLOORS, *([LIGHTGBM] if learned is not None else [])]
    at, origin = _held_out_pairs(look, end, reach, len(known.level), seed)
    truth = look.taken(at)
    missed = {name: truth - _point(name, learned)(look, at, origin, reach) for name in names}
    held_out = _errors(missed, known.level)
    residuals = {n: Residuals(value=missed[n], wall_ns=look.wall_ns[at]) for n in names}
    model = _best(held_out)
    if MSTL in models:
        model, error, own = _with_mstl(look, end, reach, known, learned, held_out)
        held_out, residuals = {**held_out, MSTL: error}, {**residuals, MSTL: own}
    return Chosen(
        reach=reach, model=model, held_out=held_out, residuals=residuals,
        bands={name: own.band() for name, own in residuals.items()},
        learned=learned if model == LIGHTGBM else None,
    )  # fmt: skip


def _with_mstl(
    look: LookBack,
    end: int,
    reach: Reach,
    known: Known,
    learned: Learned | None,
    held_out: Mapping[str, float],
) -> tuple[str, float, Residuals]:
    """Return the choice, MSTL's error and residuals, compared at a few held-out origins."""
    stop = look.grid.values.shape[1]
    starts = np.unique(np.linspace(end - 1, max(end - 1, stop - 1 - reach.last), 6).astype(int))
    at = (starts[:, None] + reach.steps()[None]).reshape(-1).astype(np.int64)
    origin = np.repeat(starts, len(reach.steps())).astype(np.int64)
    at, origin = at[at < stop], origin[at < stop]
    truth = look.taken(at)
    names = (*held_out, MSTL)
    missed = {name: truth - _point(name, learned)(look, at, origin, reach) for name in names}
    model = _best(_errors(missed, known.level))
    if model != MSTL:
        model = _best(held_out)
    error = _errors({MSTL: missed[MSTL]}, known.level)[MSTL]
    return model, error, Residuals(value=missed[MSTL], wall_ns=look.wall_ns[at])


def _held_out_pairs(
    look: LookBack, end: int, reach: Reach, count: int, seed: int
) -> tuple[Places, Places]:
    """Return targets in the held-out time, with origins as far back as the group reaches."""
    stop = look.grid.values.shape[1]
    random = np.random.default_rng(seed + 1)
    most = max(200, _MOST_ROWS // count)
    targets = np.arange(end, stop, dtype=np.int64)
    often = min(4, reach.last - reach.first + 1, max(1, most // max(1, len(targets))))
    if len(targets) > most:
        targets = np.sort(random.choice(targets, size=most, replace=False))
    at = np.repeat(targets, often)
    ahead = random.integers(reach.first, reach.last + 1, size=len(at))
    origin = at - ahead
    return at[origin >= 0], origin[origin >= 0]


def _errors(residuals: Mapping[str, Floats], level: Floats) -> dict[str, float]:
    """Return the mean absolute error in levels of each model, where all of them spoke."""
    both = np.isfinite(np.stack(list(residuals.values()))).all(axis=0)
    if not both.any():
        return dict.fromkeys(residuals, float("nan"))
    scale = np.broadcast_to(level[:, None], both.shape)[both]
    return {
        name: float((np.abs(residual[both]) / scale).mean()) for name, residual in residuals.items()
    }


def _best(held_out: Mapping[str, float]) -> str:
    """Return the model to use: it beats naive by the margin and the mean, else the better floor.

    >>> _best({"seasonal-naive": 1.0, "four-week-mean": 0.9, "lightgbm": 0.86})
    'four-week-mean'
    >>> _best({"seasonal-naive": 1.0, "four-week-mean": 0.9, "lightgbm": 0.8})
    'lightgbm'
    """
    naive, mean = (held_out[name] for name in FLOORS)
    others = {name: error for name, error in held_out.items() if name not in FLOORS}
    best = min(others, key=lambda name: others[name], default="")
    if best and others[best] <= (1 - MARGIN) * naive and others[best] < mean:
        return best
    return FLOORS[1] if mean <= naive or naive != naive else FLOORS[0]
