"""Two periods side by side: only weekday-hours that were watched whole in both."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from calmstreet.model.kinds import Kind
from calmstreet.report.texts import texts
from calmstreet.safety.bins import CAMERA_MOVED, COMPLETE_SHARE
from calmstreet.units import local_datetime
from calmstreet.web.answers_junction import ComparedRow, Comparison
from calmstreet.web.conflicting import happened, looked_throughout
from calmstreet.web.counting import name_parts
from calmstreet.web.numbers import plain
from calmstreet.web.spans import View

__all__ = ["REGRESSION", "Ratio", "compare", "ratio_of"]

REGRESSION = "regression-to-the-mean"
_HOUR_NS = 3600 * 10**9
_LEAST_CLUSTERS = 4
_Z95 = 1.959963984540054

Floats = NDArray[np.float64]
_WEEK_HOURS = 168


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """After over before with its 95 % interval; NaN where it cannot be told."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Side:
    """One period by weekday-hour, 24 * weekday + hour with Monday 0, all arrays (168,).

    ``hours`` are how many such hours were watched whole, ``sums`` what was counted in them.
    """

    view: View
    sums: dict[tuple[str, str], Floats]
    hours: NDArray[np.int64]


def compare(before: View, after: View, *, language: str) -> Comparison:
    """Compare two periods of a camera over the weekday-hours watched whole in both."""
    sides = _side(before), _side(after)
    matched = np.flatnonzero((sides[0].hours > 0) & (sides[1].hours > 0))
    names = sorted(set(sides[0].sums) & set(sides[1].sums))
    rows = [_row(name, sides, matched) for name in names] if len(matched) else []
    exposure = [3600.0 * int(side.hours[matched].sum()) for side in sides]
    return Comparison(
        before=before.period,
        after=after.period,
        matched_hours=len(matched),
        matched=[divmod(slot, 24) for slot in matched.tolist()],
        before_exposure_s=exposure[0],
        after_exposure_s=exposure[1],
        rows=rows,
        warning_code=REGRESSION,
        warning=texts(language).t("desk.regression"),
        reason="" if len(matched) else "no-matched-hours",
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
    starts, place = np.unique(rows.start_ns, return_inverse=True)
    whole = np.ones(len(starts), bool)
    whole[place[~good]] = False
    slots = np.array([_slot(t, view.tz) for t in starts.tolist()], np.int64)
    sums: dict[tuple[str, str], Floats] = {}
    names, number = np.unique(rows.what, return_inverse=True)
    counted = whole[place]
    for n, what in enumerate(names.tolist()):
        mine = np.flatnonzero((number == n) & counted)
        kind = rows.kind[mine]
        for group, kinds in _groups(rows.kind[number == n]):
            chosen = mine[np.isin(kind, kinds)]
            sums[what, group] = _by_slot(slots[place[chosen]], rows.count[chosen])
    hours = np.bincount(slots[whole], minlength=_WEEK_HOURS)
    return _Side(view=view, sums=sums | _events(view, starts[whole], slots[whole]), hours=hours)


def _groups(kinds: NDArray[np.uint8]) -> list[tuple[str, list[int]]]:
    there = sorted(int(kind) for kind in np.unique(kinds))
    people = {int(Kind.PEDESTRIAN), int(Kind.BICYCLE)}
    rows = [("total", there), ("motor", [k for k in there if k not in people])]
    return rows + [(Kind(k).name.lower(), [k]) for k in there if k in people]


def _slot(t_ns: int, tz: str) -> int:
    local = local_datetime(t_ns, tz)
    return 24 * local.weekday() + local.hour


def _by_slot(slots: NDArray[np.int64], count: Floats) -> Floats:
    """Return the sum of counts (n,) by their weekday-hours (n,)."""
    return np.bincount(slots, count, minlength=_WEEK_HOURS).astype(np.float64)


def _events(
    view: View, starts: NDArray[np.int64], slots: NDArray[np.int64]
) -> dict[tuple[str, str], Floats]:
    """Return how many events of each kind, not rejected, lay in whole hours that begin then.

    Where conflicts were not looked for all the time, they and all events together are left out.
    """
    found = happened(view)
    at_ns = np.array([one.start_ns for one in found], np.int64)
    kinds = np.array([one.kind for one in found], np.str_)
    hour = np.searchsorted(starts, at_ns, side="right") - 1
    inside = hour >= 0
    inside[inside] = at_ns[inside] - starts[hour[inside]] < _HOUR_NS
    rows = {("events:all", "total"): _by_slot(slots[hour[inside]], np.ones(int(inside.sum())))}
    for kind in np.unique(kinds).tolist():
        at = slots[hour[inside & (kinds == kind)]]
        rows[f"events:{kind}", "total"] = _by_slot(at, np.ones(len(at)))
    if not looked_throughout(view):
        for kind in ("all", "conflict"):
            rows.pop((f"events:{kind}", "total"), None)
    return rows


def _row(
    name: tuple[str, str], sides: tuple[_Side, _Side], matched: NDArray[np.int64]
) -> ComparedRow:
    what, kind = name
    hours = [side.hours[matched].astype(float) for side in sides]
    means = [side.sums[name][matched] / h for side, h in zip(sides, hours, strict=True)]
    ratio = ratio_of(means[0], means[1], hours[0], hours[1], matched // 24)
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
