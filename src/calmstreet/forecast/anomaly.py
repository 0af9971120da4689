"""What was not expected: incidents on the street and faults of the data, told apart.

Expected is the profile of the weeks (or days) before, moved by the level of the last day; usual is
the size of surprises at this hour of the weeks before. Everything looks back only, so that the
same series gives the same alarms live. An incident lasts; a fault of the data looks impossible:
one value repeated for hours, zeros where there never were any, one single peak, no data at all.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calmstreet.forecast.grid import DAY_NS, Grid
from calmstreet.forecast.lags import LookBack

__all__ = ["Alarm", "Watched", "alarms_of", "watch_series"]

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]
LEAST_SCORE = 3.5
_MARGIN = 1.05
_A_DAY = 0.3
_HOUR_NS = DAY_NS // 24
_PAST_DAYS = 28
_UNLIKELY = 1e-6
_PEAK = 3.0
_GAP_S = 3600.0
_SHORT_NS = 900 * 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One episode from step ``first`` to ``last``, both in it.

    ``kind`` is incident or data; ``what`` drop, surge, stuck, zeros, peak or gap; ``score`` in
    usual surprises (NaN for faults); ``observed`` and ``expected`` are means over the episode.
    """

    first: int
    last: int
    kind: str
    what: str
    score: float
    observed: float
    expected: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Watched:
    """One series looked at: ``expected``, ``low``, ``high``, ``score`` (t,) and its alarms."""

    expected: Floats
    low: Floats
    high: Floats
    score: Floats
    alarms: tuple[Alarm, ...]
    watched_days: float


def watch_series(look: LookBack, *, place: int, holidays: frozenset[int] = frozenset()) -> Watched:
    """Return what one series of a grid was expected to be, and its alarms.

    The first days are a warm-up without incidents. One incident a day is told, and one more
    after a calm day.
    """
    grid = look.grid
    values = grid.values[place]
    expected = _expected(look, place)
    surprise = values - expected
    usual, limit = _usual(surprise, expected, grid)
    score = np.asarray(surprise / usual, np.float32)
    faults = _faults(values, expected, score, limit, grid)
    masked = np.zeros(len(values), bool)
    for fault in faults:
        masked[fault.first : fault.last + 1] = True
    calm = _holiday_factor(look, holidays)
    incidents = _incidents(np.where(masked, np.nan, score), limit * calm, values, expected, grid)
    told = _rationed(incidents, steps=grid.steps_per_day)
    known = np.isfinite(limit) & np.isfinite(values)
    return Watched(
        expected=expected,
        low=np.asarray(expected - limit * usual, np.float32),
        high=np.asarray(expected + limit * usual, np.float32),
        score=score,
        alarms=tuple(sorted([*told, *faults], key=lambda a: (a.first, a.kind))),
        watched_days=float(known.sum() / grid.steps_per_day),
    )


def alarms_of(grid: Grid, *, holidays: frozenset[int] = frozenset()) -> list[Watched]:
    """Return every series watched, in the order of the grid."""
    found = []
    for place in range(len(grid.names)):
        found.append(
            watch_series(LookBack(_only(grid, place), ahead=0), place=0, holidays=holidays)
        )
    return found


def _only(grid: Grid, place: int) -> Grid:
    return Grid(
        names=(grid.names[place],),
        values=grid.values[place : place + 1],
        start_ns=grid.start_ns,
        step_ns=grid.step_ns,
        tz=grid.tz,
        wall_ns=grid.wall_ns,
        whole=grid.whole,
    )


def _expected(look: LookBack, place: int) -> Floats:
    """Return the expected value (t,): median of days or weeks before, at the level of today."""
    values = look.grid.values
    steps = look.grid.steps_per_day
    at = np.arange(values.shape[1], dtype=np.int64)
    weeks = values.shape[1] >= 28 * steps
    days = (7, 14, 21, 28) if weeks else (1, 2, 3, 4, 5, 7)
    past = np.stack([look.ago(at, days=d, origin=at - 1)[place] for d in days])
    often = np.isfinite(past).sum(axis=0)
    with np.errstate(all="ignore"):
        profile = np.asarray(_nanmedian(past), np.float32)
    profile[often < 2] = np.nan
    profile = _smoothed(profile, max(1, steps // 96))
    return np.asarray(profile * _level(values[place], profile, steps), np.float32)


def _nanmedian(parts: Floats) -> Floats:
    """Return the median over axis 0 of the known values; NaN where none is, without a warning."""
    ordered = np.sort(parts, axis=0)
    often = np.isfinite(parts).sum(axis=0)
    low = np.take_along_axis(ordered, np.maximum((often - 1) // 2, 0)[None], axis=0)[0]
    high = np.take_along_axis(ordered, np.minimum(often // 2, len(parts) - 1)[None], axis=0)[0]
    return np.asarray(np.where(often > 0, (low + high) / 2, np.nan), np.float32)


def _smoothed(profile: Floats, half: int) -> Floats:
    """Return the mean of known values within ``half`` steps; NaN stays NaN."""
    known = np.isfinite(profile)
    width = 2 * half + 1
    kernel = np.ones(width)
    total = np.convolve(np.where(known, profile, 0), kernel, "same")[: len(profile)]
    often = np.convolve(known.astype(float), kernel, "same")[: len(profile)]
    return np.where(known, total / np.maximum(often, 1), np.nan).astype(np.float32)


def _level(values: Floats, profile: Floats, steps: int) -> Floats:
    """Return today's level (t,) against the profile: sums over the day before, within 0.6..1.6."""
    both = np.isfinite(values) & np.isfinite(profile)
    values = np.minimum(values, 3 * np.abs(profile))
    sums = [np.concatenate([[0.0], np.cumsum(np.where(both, v, 0))]) for v in (values, profile)]
    now = np.arange(len(values))
    past = np.maximum(now - steps, 0)
    seen, foreseen = (total[now] - total[past] for total in sums)
    often = np.concatenate([[0], np.cumsum(both)])
    enough = (often[now] - often[past] > steps // 4) & (foreseen > 0)
    ratio = np.where(enough, seen / np.where(enough, foreseen, 1.0), 1.0)
    return np.clip(ratio, 0.6, 1.6).astype(np.float32)


def _usual(surprise: Floats, expected: Floats, grid: Grid) -> tuple[Floats, Floats]:
    """Return the usual size of surprises (t,) and the score (t,) above which one is an alarm.

    Both from the four weeks before the day; NaN in the warm-up of three days with an expectation.
    """
    steps = grid.steps_per_day
    hour = (grid.wall_ns % DAY_NS // _HOUR_NS).astype(np.int64)
    usual = np.full(len(surprise), np.nan, np.float32)
    limit = np.full(len(surprise), np.nan, np.float32)
    block = max(steps, len(surprise) // 120)
    for begin in range(0, len(surprise), block):
        past = slice(max(0, begin - _PAST_DAYS * steps), begin)
        known = np.isfinite(surprise[past])
        if known.sum() < min(400, max(24, 3 * steps // 2)):
            continue
        size = _hourly(surprise[past], hour[past], expected[past])
        part = slice(begin, begin + block)
        usual[part] = size[hour[part]]
        lasting = _lasting(surprise[past] / size[hour[past]], grid)
        limit[part] = _limit(np.abs(lasting[np.isfinite(lasting)]), steps)
    return usual, limit


def _hourly(surprise: Floats, hour: NDArray[np.int64], expected: Floats) -> Floats:
    """Return the usual surprise of each hour (24,): mean size, outliers cut, drawn to all hours."""
    known = np.isfinite(surprise)
    size = np.abs(surprise[known])
    size = np.minimum(size, 6 * np.median(size) + 1e-9)
    often = np.bincount(hour[known], minlength=24)
    total = np.bincount(hour[known], size, minlength=24)
    everywhere = float(size.mean())
    least = 0.02 * float(np.abs(expected[known]).mean()) + 1e-6
    return np.maximum((total + 12 * everywhere) / (often + 12), least).astype(np.float32)


def _limit(scores: NDArray[np.floating], steps: int) -> float:
    """Return the score that the past passed 0.3 times a day, never below a least one."""
    if not len(scores):
        return float("nan")
    level = 1 - _A_DAY / steps
    return max(LEAST_SCORE, _MARGIN * float(np.quantile(scores, min(level, 0.9995))))


def _lasting(score: Floats, grid: Grid) -> Floats:
    """Return the lesser of this and the last score where both have one sign, for short steps."""
    if grid.step_ns > _SHORT_NS:
        return score
    before = np.concatenate([[np.nan], score[:-1]]).astype(np.float32)
    same = np.sign(score) == np.sign(before)
    least = np.where(np.abs(score) < np.abs(before), score, before)
    return np.where(np.isfinite(before) & np.isfinite(score), np.where(same, least, 0), np.nan)


def _holiday_factor(look: LookBack, holidays: frozenset[int]) -> Floats:
    """Return how much more surprising a step must be: twice on holidays, no incidents."""
    days = look.grid.wall_ns // DAY_NS
    listed = np.array(sorted(holidays), np.int64)
    return np.where(np.isin(days, listed), 2.0, 1.0).astype(np.float32)


def _incidents(
    score: Floats, limit: Floats, values: Floats, expected: Floats, grid: Grid
) -> list[Alarm]:
    lasting = _lasting(score, grid)
    with np.errstate(invalid="ignore"):
        over = np.abs(lasting) > limit
    found = []
    for first, last in _episodes(over, join=max(1, grid.steps_per_day // 24)):
        begin = max(0, first - 1) if grid.step_ns <= _SHORT_NS else first
        part = slice(begin, last + 1)
        strongest = float(
            lasting[first : last + 1][np.nanargmax(np.abs(lasting[first : last + 1]))]
        )
        found.append(
            Alarm(
                first=begin,
                last=last,
                kind="incident",
                what="drop" if strongest < 0 else "surge",
                score=abs(strongest),
                observed=_mean(values[part]),
                expected=_mean(expected[part]),
            )
        )
    return found


def _episodes(over: Bools, *, join: int) -> list[tuple[int, int]]:
    """Return first and last of runs, joined over breaks of at most ``join`` steps.

    >>> _episodes(np.array([0, 1, 0, 1, 0, 0, 0, 1], bool), join=1)
    [(1, 3), (7, 7)]
    """
    at = np.flatnonzero(over)
    if not len(at):
        return []
    cuts = np.flatnonzero(np.diff(at) > join + 1)
    firsts = at[np.concatenate([[0], cuts + 1])]
    lasts = at[np.concatenate([cuts, [len(at) - 1]])]
    return [(int(a), int(b)) for a, b in zip(firsts, lasts, strict=True)]


def _rationed(incidents: list[Alarm], *, steps: int) -> list[Alarm]:
    """Return the incidents that are told: one a day, and one saved from a calm day before."""
    told: list[Alarm] = []
    saved, since = 1.0, 0
    for incident in incidents:
        saved, since = min(2.0, saved + (incident.first - since) / steps), incident.first
        if saved >= 1.0:
            told.append(incident)
            saved -= 1.0
    return told


def _mean(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def _faults(
    values: Floats, expected: Floats, score: Floats, limit: Floats, grid: Grid
) -> list[Alarm]:
    spans = [("gap", a, b) for a, b in _gaps(values, grid)]
    spans += [("zeros", a, b) for a, b in _zeros(values, grid)]
    spans += [("stuck", a, b) for a, b in _stuck(values, grid)]
    if grid.step_ns <= _SHORT_NS:
        spans += [("peak", a, a) for a in _peaks(values, score, limit)]
    return [
        Alarm(
            first=a,
            last=b,
            kind="data",
            what=what,
            score=float("nan"),
            observed=_mean(values[a : b + 1]),
            expected=_mean(expected[a : b + 1]),
        )
        for what, a, b in spans
    ]


def _gaps(values: Floats, grid: Grid) -> list[tuple[int, int]]:
    """Return gaps of an hour and more, or of three steps where the steps are long or irregular."""
    missing = ~np.isfinite(values)
    usual = _usual_gap(missing)
    least = max(_GAP_S / (grid.step_ns / 1e9), 3.0, 3.0 * usual)
    return [(a, b) for a, b in _episodes(missing, join=0) if b - a + 1 >= least]


def _usual_gap(missing: Bools) -> float:
    """Return the length of gaps that is usual here: irregular times leave holes everywhere."""
    runs = [b - a + 1 for a, b in _episodes(missing, join=0)]
    often = len(runs) > 0.05 * len(missing)
    return float(np.quantile(runs, 0.98)) if often else 0.0


def _zeros(values: Floats, grid: Grid) -> list[tuple[int, int]]:
    """Return runs of zeros that chance does not make: zeros of this hour are too rare."""
    known = np.isfinite(values)
    zero = known & (values == 0)
    if not zero.any() or zero.sum() > 0.9 * known.sum():
        return []
    hour = (grid.wall_ns % DAY_NS // _HOUR_NS).astype(np.int64)
    found = []
    for first, last in _episodes(zero | ~known, join=0):
        part = np.zeros(len(values), bool)
        part[first : last + 1] = True
        often = np.bincount(hour[known & ~part], minlength=24)
        zeros = np.bincount(hour[zero & ~part], minlength=24)
        chance = (zeros + 0.5) / (often + 1)
        mine = part & zero
        runs = np.log(chance[hour[mine]]).sum()
        steps = int(mine.sum())
        if steps >= 3 and runs < np.log(_UNLIKELY) and steps * grid.step_ns >= 1800 * 10**9:
            inside = np.flatnonzero(mine)
            found.append((int(inside[0]), int(inside[-1])))
    return found


def _stuck(values: Floats, grid: Grid) -> list[tuple[int, int]]:
    """Return runs of one value, not zero, longer than chance makes in a series like this."""
    known = np.isfinite(values)
    at = np.flatnonzero(known)
    if len(at) < 50:
        return []
    own = values[at]
    same = (np.diff(own) == 0) & (own[1:] != 0)
    chance = min(0.9, (same.sum() + 1) / (len(same) + 2))
    least = np.log(1e-3 / len(own)) / np.log(chance)
    found = []
    for a, b in _episodes(same, join=0):
        first, last = int(at[a]), int(at[b + 1])
        lasts = (last - first + 1) * grid.step_ns >= 1800 * 10**9
        if b - a + 1 >= max(5.0, 2 * least) and lasts and len(np.unique(own)) > 5:
            found.append((first, last))
    return found


def _peaks(values: Floats, score: Floats, limit: Floats) -> list[int]:
    """Return steps far beyond any incident whose neighbours are both usual: one single value."""
    size = np.abs(score)
    with np.errstate(invalid="ignore"):
        high = size > _PEAK * np.maximum(limit, LEAST_SCORE)
        calm = ~(size > 0.5 * limit)
    before = np.concatenate([[False], (calm & np.isfinite(values))[:-1]])
    after = np.concatenate([(calm & np.isfinite(values))[1:], [False]])
    return [int(i) for i in np.flatnonzero(high & before & after)]
