"""What a learned model sees of the past: lags, profiles, the state of the street, the calendar."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calmstreet.forecast.floor import four_week_mean
from calmstreet.forecast.grid import DAY_NS
from calmstreet.forecast.lags import LookBack, Reach, mean_of_known

__all__ = ["Known", "features_of", "level_of", "neighbours_of"]

Floats = NDArray[np.float32]
Places = NDArray[np.int64]
_NEIGHBOURS = 4
_MOST_FOR_NEIGHBOURS = 1500
_HOUR_NS = DAY_NS // 24


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Known:
    """What is learned of the series before any feature: ``level`` (s,), ``near`` (s, k) or None.

    ``holidays`` are local dates as days since 1970.
    """

    level: Floats
    near: Places | None
    holidays: frozenset[int] = frozenset()


def level_of(values: Floats) -> Floats:
    """Return the mean size (s,) of each series, 1 where nothing is known or all is zero.

    >>> level_of(np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, np.nan]], np.float32)).tolist()
    [2.0, 1.0]
    """
    known = np.isfinite(values)
    often = known.sum(axis=1)
    total = np.where(known, np.abs(values), 0).sum(axis=1, dtype=np.float64)
    mean = total / np.maximum(often, 1)
    return np.where(mean > 0, mean, 1.0).astype(np.float32)


def neighbours_of(look: LookBack, *, end: int, reach: Reach) -> Places | None:
    """Return for each series the places (s, 4) of those whose surprises go with its own.

    Surprises are differences from the profile, before step ``end``. None for a single series and
    for very many.
    """
    count = look.grid.values.shape[0]
    if not _NEIGHBOURS < count <= _MOST_FOR_NEIGHBOURS:
        return None
    at = np.unique(np.linspace(end * 0.3, end - 1, 1500).astype(np.int64))
    surprise = look.taken(at) - four_week_mean(look, at, origin=at - 1, reach=reach)
    known = np.isfinite(surprise)
    centred = np.where(known, surprise, 0)
    size = np.sqrt((centred**2).sum(axis=1))
    together = (centred @ centred.T) / np.maximum(np.outer(size, size), 1e-9)
    np.fill_diagonal(together, -2)
    return np.argsort(-together, axis=1, kind="stable")[:, :_NEIGHBOURS].astype(np.int64)


def features_of(
    look: LookBack, at: Places, *, origin: Places, reach: Reach, known: Known
) -> tuple[Floats, Floats, Floats]:
    """Return features (s * n, f), the profile (s, n) they start from, and the missing share (s, n).

    ``at`` (n,) are the steps to forecast, ``origin`` (n,) the last step known for each. Values are
    in units of the level of their series.
    """
    scale = known.level[:, None]
    weekly = look.weekly(at, weeks=reach.weeks, origin=origin)
    daily = look.daily(at, days=reach.days, origin=origin)
    profile = four_week_mean(look, at, origin=origin, reach=reach)
    day_mean = mean_of_known(daily)[0]
    profile = np.where(np.isfinite(profile), profile, day_mean)
    recent = [look.taken(origin - k, origin=origin) for k in range(4)]
    columns: dict[str, Floats] = {}
    for name, parts in (("week", weekly), ("day", daily), ("recent", recent)):
        columns |= {f"{name}{k}": part / scale for k, part in enumerate(parts)}
    missing = np.mean([~np.isfinite(p) for p in (*weekly, *daily[:3], *recent)], axis=0)
    columns["profile"], columns["day_mean"] = profile / scale, day_mean / scale
    columns |= _surprises(look, origin=origin, known=known)
    columns |= _shape(look, at, origin=origin, reach=reach, known=known)
    columns |= _calendar(look, at, origin, known=known, count=len(known.level))
    return _stacked(columns), profile, missing.astype(np.float32)


def _stacked(columns: Mapping[str, Floats]) -> Floats:
    parts = list(columns.values())
    return np.stack([part.reshape(-1) for part in parts], axis=1).astype(np.float32)


def _surprises(look: LookBack, *, origin: Places, known: Known) -> dict[str, Floats]:
    """Return how far the street is from its profile now, over an hour and over a day."""
    near_reach = Reach(first=1, last=1, days=1, weeks=1)
    steps = look.grid.steps_per_day
    back = {0: 0, 1: 1, 2: 2, 3: 3}
    spread = [max(1, round(steps * share)) for share in (1 / 12, 1 / 6, 1 / 4, 1 / 2, 3 / 4, 1)]
    gaps = []
    for step in [*back, *spread]:
        place = np.maximum(origin - step, 0)
        profile = four_week_mean(look, place, origin=place - 1, reach=near_reach)
        gap = (look.taken(place, origin=origin) - profile) / known.level[:, None]
        gaps.append(gap)
    found = {f"gap{k}": gap for k, gap in enumerate(gaps)}
    found["gap_hour"] = mean_of_known(gaps[:4])[0]
    found["gap_day"] = mean_of_known(gaps)[0]
    if len(known.level) > 1:
        everywhere = mean_of_known(list(gaps[0]))[0]
        found["gap_all"] = np.broadcast_to(everywhere, gaps[0].shape)
    if known.near is not None:
        for step in (0, 1):
            parts = [gaps[step][known.near[:, k]] for k in range(known.near.shape[1])]
            found |= {f"near{step}_{k}": part for k, part in enumerate(parts[:2])}
            found[f"near{step}"] = mean_of_known(parts)[0]
    return found


def _shape(
    look: LookBack, at: Places, *, origin: Places, reach: Reach, known: Known
) -> dict[str, Floats]:
    """Return the profile just before and after the step, and between origin and step."""
    scale = known.level[:, None]
    found = {}
    for name, shift in (("before", -1), ("after", 1)):
        place = np.clip(at + shift, 0, len(look.wall_ns) - 1)
        found[name] = four_week_mean(look, place, origin=origin, reach=reach) / scale
    own = Reach(first=1, last=1, days=1, weeks=1)
    then = four_week_mean(look, origin, origin=origin - 1, reach=own) / scale
    found["from"] = then
    return found


def _calendar(
    look: LookBack, at: Places, origin: Places, *, known: Known, count: int
) -> dict[str, Floats]:
    wall = look.wall_ns[at]
    day = wall // DAY_NS
    columns = {
        "clock": (wall % DAY_NS) / _HOUR_NS,
        "weekday": (day + 3) % 7,
        "ahead": at - origin,
        "season": (day % 365.25) / 365.25,
    }
    if known.holidays:
        columns |= _holidays(day, known.holidays)
    for name, column in look.grid.outside.items():
        columns[f"outside_{name}"] = column[np.minimum(origin, len(column) - 1)]
    found = {k: np.broadcast_to(v.astype(np.float32), (count, len(at))) for k, v in columns.items()}
    return {**found, "level": np.broadcast_to(known.level[:, None], (count, len(at)))}


def _holidays(day: Places, holidays: frozenset[int]) -> dict[str, NDArray[np.float64]]:
    """Return whether this day, its neighbours and the days looked back at are holidays."""
    listed = np.array(sorted(holidays), np.int64)
    shifts = {"holiday": 0, "eve": 1, "day_after": -1, "week_ago": -7, "day_ago": -1}
    return {name: np.isin(day + shift, listed).astype(float) for name, shift in shifts.items()}
