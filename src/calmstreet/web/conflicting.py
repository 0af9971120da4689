"""Conflicts and other events of one camera by movement, level and hour, over the time watched."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray

from calmstreet.safety.conflict_rates import (
    NOT_TWO_USERS,
    ConflictRate,
    DayCounts,
    conflict_rate,
)
from calmstreet.safety.conflict_rules import conflict_settings
from calmstreet.store.pairs import ConflictRow, Pairs
from calmstreet.store.queue import EventFilter, Queue
from calmstreet.units import local_datetime
from calmstreet.web.answers_junction import ConflictCell, ConflictPage, ConflictSums, DayRate
from calmstreet.web.numbers import plain, rate_per_hour
from calmstreet.web.spans import View

__all__ = ["Happened", "conflict_page", "happened", "hours_watched_s", "looked_throughout"]

_HOUR_NS = 3600 * 10**9
_QUARTER_NS = _HOUR_NS // 4
_CONFLICT = "conflict"
_OLDER = "not-judged"
_LEVELS = range(1, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """One conflict or other event that was not rejected."""

    movement_id: str
    kind: str
    level: int
    start_ns: int


def happened(view: View) -> list[Happened]:
    """Return conflicts of all levels and the other events, without those that were rejected.

    Conflicts are the pairs that a run found; of runs that say nothing of pairs, the events.
    """
    pairs = _pairs(view)
    return _joined(view, pairs, pairs.conflicts())


def looked_throughout(view: View) -> bool:
    """Return whether conflicts were looked for in every run, or nobody says that they were not."""
    return set(_pairs(view).reasons().values()) <= {"", _OLDER}


def _pairs(view: View) -> Pairs:
    return Pairs(
        seen=view.seen, camera_id=view.camera_id, start_ns=view.start_ns, end_ns=view.end_ns
    )


def _joined(view: View, pairs: Pairs, conflicts: Sequence[ConflictRow]) -> list[Happened]:
    judged = {run_id for run_id, why_not in pairs.reasons().items() if not why_not}
    wanted = EventFilter(
        camera_id=view.camera_id, start_ns=view.start_ns, end_ns=view.end_ns, severity_min=1
    )
    events = [
        Happened(movement_id=movement_id, kind=kind, level=severity, start_ns=start_ns)
        for movement_id, kind, severity, start_ns, run_id in Queue(seen=view.seen).by_movement(
            wanted
        )
        if kind != _CONFLICT or run_id not in judged
    ]
    return events + [
        Happened(movement_id=c.movement_id, kind=_CONFLICT, level=c.level, start_ns=c.start_ns)
        for c in conflicts
    ]


def conflict_page(view: View) -> ConflictPage:
    """Return what happened by movement, local hour, kind and level, and the rates of conflicts."""
    pairs = _pairs(view)
    conflicts = pairs.conflicts()
    found = _joined(view, pairs, conflicts)
    hours: dict[int, int] = {}
    cells: Counter[tuple[str, int, str, int]] = Counter()
    for one in found:
        slot = one.start_ns // _QUARTER_NS
        if slot not in hours:
            hours[slot] = local_datetime(slot * _QUARTER_NS, view.tz).hour
        cells[one.movement_id, hours[slot], one.kind, one.level] += 1
    spells = view.seen.watched(view.camera_id, start_ns=view.start_ns, end_ns=view.end_ns)
    exposure_s = float((spells[:, 1] - spells[:, 0]).sum()) / 1e9
    rate, low, high = rate_per_hour(len(found), exposure_s)
    return ConflictPage(
        period=view.period,
        available=view.ground.plane is not None,
        reason="" if view.ground.plane is not None else "no-plane",
        exposure_s=round(exposure_s, 1),
        hours_exposure_s=[round(s, 1) for s in hours_watched_s(spells, view.tz)],
        cells=[
            ConflictCell(movement_id=movement_id, hour=hour, kind=kind, level=level, n=n)
            for (movement_id, hour, kind, level), n in sorted(cells.items())
        ],
        by_kind=dict(Counter(one.kind for one in found)),
        per_hour=rate,
        per_hour_low=low,
        per_hour_high=high,
        conflicts=_sums(view, pairs, conflicts),
    )


def _sums(view: View, pairs: Pairs, conflicts: Sequence[ConflictRow]) -> ConflictSums:
    reasons = list(pairs.reasons().values())
    spells = pairs.watched()
    days, n_pairs = _days(view, pairs, conflicts, spells)
    share = conflict_settings(view.site.rules).rate_share
    levels = Counter(one.level for one in conflicts)
    return ConflictSums(
        why_not="" if "" in reasons else (reasons[-1] if reasons else "not-watched"),
        exposure_s=round(float(days.hours.sum()) * 3600, 1),
        hours_exposure_s=[round(s, 1) for s in hours_watched_s(spells, view.tz)],
        pairs=n_pairs,
        total=len(conflicts),
        by_level={str(level): levels[level] for level in _LEVELS},
        by_type=dict(Counter(one.type for one in conflicts)),
        per_hour=_rate(conflict_rate(days.conflicts, exposure=days.hours, wanted_share=share)),
        per_1000_pairs=_rate(
            conflict_rate(days.conflicts, exposure=days.pairs / 1000, wanted_share=share)
        ),
    )


def _days(
    view: View, pairs: Pairs, conflicts: Sequence[ConflictRow], spells: NDArray[np.int64]
) -> tuple[DayCounts, int]:
    """Return conflicts, pairs and hours watched by local day, and how many pairs there are."""
    counts: Counter[int] = Counter(one.start_ns // _QUARTER_NS for one in conflicts)
    by_slice = pairs.by_slice(width_ns=_QUARTER_NS, without=NOT_TWO_USERS)
    sums: dict[date, list[float]] = {}
    for local, seconds in _quarters(spells, view.tz):
        sums.setdefault(local.date(), [0.0, 0.0, 0.0])[2] += seconds / 3600
    for column, told in enumerate((counts, {t // _QUARTER_NS: n for t, n in by_slice.items()})):
        for slot, n in told.items():
            day = local_datetime(slot * _QUARTER_NS, view.tz).date()
            sums.setdefault(day, [0.0, 0.0, 0.0])[column] += n
    days = tuple(sorted(sums))
    table = np.array([sums[day] for day in days]).reshape(-1, 3)
    told_days = DayCounts(
        days=days,
        conflicts=table[:, 0],
        pairs=table[:, 1],
        hours=table[:, 2],
    )
    return told_days, sum(by_slice.values())


def _rate(rate: ConflictRate) -> DayRate:
    more = rate.days_needed - rate.days
    return DayRate(
        rate=plain(rate.rate, 4),
        low=plain(rate.low95, 4),
        high=plain(rate.high95, 4),
        days=rate.days,
        enough=rate.enough,
        more_days=max(int(more), 0) if np.isfinite(more) else None,
    )


def hours_watched_s(spells: NDArray[np.int64], tz: str) -> list[float]:
    """Return the seconds watched in each of the 24 local hours of spells (n, 2), UTC ns.

    >>> hours_watched_s(np.array([[0, 5400 * 10**9]]), "UTC")[:3]
    [3600.0, 1800.0, 0.0]
    """
    found = [0.0] * 24
    for local, seconds in _quarters(spells, tz):
        found[local.hour] += seconds
    return found


def _quarters(spells: NDArray[np.int64], tz: str) -> Iterator[tuple[datetime, float]]:
    """Yield the quarter hours of spells with the seconds of each; zones are whole quarters."""
    for start_ns, end_ns in spells.tolist():
        at_ns = start_ns
        while at_ns < end_ns:
            until_ns = min((at_ns // _QUARTER_NS + 1) * _QUARTER_NS, end_ns)
            yield local_datetime(at_ns, tz), (until_ns - at_ns) / 1e9
            at_ns = until_ns
