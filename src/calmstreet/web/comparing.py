"""Two periods side by side: only weekday-hours that were watched whole in both."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from calmstreet.model.kinds import Kind
from calmstreet.report.texts import texts
from calmstreet.safety.bins import CAMERA_MOVED, COMPLETE_SHARE
from calmstreet.store.queue import EventFilter, Queue
from calmstreet.units import local_datetime
from calmstreet.web.answers_junction import ComparedRow, Comparison
from calmstreet.web.counting import name_parts
from calmstreet.web.numbers import plain
from calmstreet.web.spans import View

__all__ = ["REGRESSION", "Ratio", "compare", "ratio_of"]

REGRESSION = "regression-to-the-mean"
_HOUR_NS = 3600 * 10**9
_LEAST_CLUSTERS = 4
_Z95 = 1.959963984540054

Hours = dict[int, float]
"""Mean count per watched hour by weekday-hour, 24 * weekday + hour, Monday 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """After over before with its 95 % interval; NaN where it cannot be told."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Side:
    """One period: counts by series and hour, seconds watched whole by weekday-hour."""

    view: View
    counts: dict[tuple[str, str], dict[int, list[float]]]
    hours: dict[int, int]


def compare(before: View, after: View, *, language: str) -> Comparison:
    """Compare two periods of a camera over the weekday-hours watched whole in both."""
    sides = _side(before), _side(after)
    matched = sorted(set(sides[0].hours) & set(sides[1].hours))
    names = sorted(set(sides[0].counts) & set(sides[1].counts))
    rows = [_row(name, sides, matched) for name in names] if matched else []
    exposure = [3600.0 * sum(side.hours[slot] for slot in matched) for side in sides]
    return Comparison(
        before=before.period,
        after=after.period,
        matched_hours=len(matched),
        matched=[divmod(slot, 24) for slot in matched],
        before_exposure_s=exposure[0],
        after_exposure_s=exposure[1],
        rows=rows,
        warning_code=REGRESSION,
        warning=texts(language).t("desk.regression"),
        reason="" if matched else "no-matched-hours",
    )


def _side(view: View) -> _Side:
    """Return what was counted in hours that were watched whole, event kinds included."""
    rows = view.seen.bins(
        view.camera_id, start_ns=view.start_ns, end_ns=view.end_ns, width_ns=_HOUR_NS
    )
    good = rows.exposure_s / 3600 >= COMPLETE_SHARE
    texts_of_flags, word = np.unique(rows.flags, return_inverse=True)
    good &= np.array([CAMERA_MOVED not in str(text) for text in texts_of_flags], bool)[word]
    good &= rows.start_ns + _HOUR_NS <= view.end_ns
    starts = np.unique(rows.start_ns)
    whole = np.setdiff1d(starts, np.unique(rows.start_ns[~good]))
    slots = {int(t): _slot(int(t), view.tz) for t in whole}
    counts: dict[tuple[str, str], dict[int, list[float]]] = {}
    names, number = np.unique(rows.what, return_inverse=True)
    for place, what in enumerate(names.tolist()):
        mine = np.flatnonzero(number == place)
        kind, t_ns, count = rows.kind[mine], rows.start_ns[mine], rows.count[mine]
        for group, kinds in _groups(kind):
            chosen = np.isin(kind, kinds)
            counts[what, group] = _by_slot(t_ns[chosen], count[chosen], slots)
    hours: dict[int, int] = {}
    for slot in slots.values():
        hours[slot] = hours.get(slot, 0) + 1
    counts |= _events(view, slots)
    return _Side(view=view, counts=counts, hours=hours)


def _groups(kinds: NDArray[np.uint8]) -> list[tuple[str, list[int]]]:
    there = sorted(int(kind) for kind in np.unique(kinds))
    people = {int(Kind.PEDESTRIAN), int(Kind.BICYCLE)}
    rows = [("total", there), ("motor", [k for k in there if k not in people])]
    return rows + [(Kind(k).name.lower(), [k]) for k in there if k in people]


def _slot(t_ns: int, tz: str) -> int:
    local = local_datetime(t_ns, tz)
    return 24 * local.weekday() + local.hour


def _by_slot(
    start_ns: NDArray[np.int64], count: NDArray[np.float64], slots: dict[int, int]
) -> dict[int, list[float]]:
    """Return the count of each whole hour by its weekday-hour."""
    sums = dict.fromkeys(slots, 0.0)
    for t, value in zip(start_ns.tolist(), count.tolist(), strict=True):
        if t in sums:
            sums[t] += value
    found: dict[int, list[float]] = {}
    for t, total in sums.items():
        found.setdefault(slots[t], []).append(total)
    return found


def _events(view: View, slots: dict[int, int]) -> dict[tuple[str, str], dict[int, list[float]]]:
    """Return how many events of each kind, not rejected, lay in each whole hour."""
    wanted = EventFilter(
        camera_id=view.camera_id, start_ns=view.start_ns, end_ns=view.end_ns, severity_min=1
    )
    times: dict[str, list[int]] = {"all": []}
    offset = min(slots, default=0) % _HOUR_NS
    for _, kind, _, start_ns, _ in Queue(seen=view.seen).by_movement(wanted):
        hour = (start_ns - offset) // _HOUR_NS * _HOUR_NS + offset
        times.setdefault(kind, []).append(hour)
        times["all"].append(hour)
    return {
        (f"events:{kind}", "total"): _by_slot(np.array(at, np.int64), np.ones(len(at)), slots)
        for kind, at in times.items()
    }


def _row(name: tuple[str, str], sides: tuple[_Side, _Side], matched: list[int]) -> ComparedRow:
    what, kind = name
    means = [
        np.array([np.mean(side.counts[name].get(slot, [0.0])) for slot in matched])
        for side in sides
    ]
    hours = [np.array([side.hours[slot] for slot in matched], float) for side in sides]
    ratio = ratio_of(means[0], means[1], hours[0], hours[1], np.array(matched) // 24)
    return ComparedRow.of(
        what=what.split(":")[0] if what.startswith("events:") else what,
        **(
            {**name_parts("queue:"), "place_id": what.partition(":")[2]}
            if what.startswith("events:")
            else name_parts(what)
        ),
        kind=kind,
        unit="per hour",
        before=plain(float(means[0].mean()), 4),
        after=plain(float(means[1].mean()), 4),
        before_exposure_s=3600.0 * float(hours[0].sum()),
        after_exposure_s=3600.0 * float(hours[1].sum()),
        ratio=plain(ratio.value, 4),
        ratio_low=plain(ratio.low, 4),
        ratio_high=plain(ratio.high, 4),
        verdict=_verdict(ratio),
    )


def _verdict(ratio: Ratio) -> str:
    if not np.isfinite(ratio.low) or not np.isfinite(ratio.high):
        return "not comparable"
    if ratio.low > 1:
        return "more"
    return "fewer" if ratio.high < 1 else "no difference shown"


def ratio_of(
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    before_hours: NDArray[np.float64],
    after_hours: NDArray[np.float64],
    weekday: NDArray[np.int64],
) -> Ratio:
    """Return the ratio of mean counts per hour (n,) over matched weekday-hours.

    The interval is on the logarithm: the larger of the Poisson variance and that of a ratio
    estimator (W. G. Cochran, Sampling Techniques, 1977, chapter 6) between weekdays, or between
    hours where fewer than four weekdays matched. With nothing counted on a side it is unknown.

    >>> one = np.ones(8)
    >>> ratio = ratio_of(100 * one, 120 * one, one, one, np.arange(8) % 4)
    >>> round(ratio.value, 2), ratio.low > 1.08, ratio.high < 1.33
    (1.2, True, True)
    """
    first, second = float(before.sum()), float(after.sum())
    if first <= 0 or second <= 0:
        return Ratio(value=second / first if first > 0 else np.nan, low=np.nan, high=np.nan)
    value = second / first
    poisson = float((before / before_hours).sum()) / first**2
    poisson += float((after / after_hours).sum()) / second**2
    days = np.unique(weekday)
    group = weekday if len(days) >= _LEAST_CLUSTERS else np.arange(len(before))
    off = after - value * before
    sums = np.array([off[group == one].sum() for one in np.unique(group)])
    n, reach, spread = len(sums), _Z95, 0.0
    if n > 1:
        spread = float((sums**2).sum()) * n / (n - 1) / second**2
        reach = float(stdtrit(n - 1, 0.975)) if spread > poisson else _Z95
    half = reach * np.sqrt(max(poisson, spread))
    return Ratio(value=value, low=value * float(np.exp(-half)), high=value * float(np.exp(half)))
