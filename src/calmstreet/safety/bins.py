"""Counts in slices of time: minutes inside, quarter hours for people. Missing is not zero.

Minutes are cut in UTC; wider slices follow the local clock, so that a day has 96 quarter hours and
92 or 100 when the clocks change. A slice is complete when it was watched for ``COMPLETE_SHARE`` of
its width.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.bins import Bins
from calmstreet.model.flow import DIRECTIONS, UNMATCHED, Flow, PeakHour
from calmstreet.model.kinds import Kind
from calmstreet.model.site import Site
from calmstreet.safety.movements import movements_of, places_of
from calmstreet.units import NS_PER_S, local_datetime

__all__ = [
    "ALL_MOVEMENTS",
    "CAMERA_MOVED",
    "COMPLETE_SHARE",
    "aggregate",
    "gate_what",
    "geh",
    "minute_bins",
    "movement_what",
    "peak_hour",
    "peak_hour_of",
    "peak_hours",
    "totals",
]

ALL_MOVEMENTS = "movement:all"
CAMERA_MOVED = "camera-moved"
"""The flag of a slice in which a gate or zone of the series was withdrawn for a while."""
COMPLETE_SHARE = 0.98
_MINUTE_NS = 60 * NS_PER_S
_QUARTER_NS = 15 * _MINUTE_NS


def gate_what(gate_id: str, direction: str) -> str:
    """Return the name of a gate's series.

    >>> gate_what("stop", "to_left")
    'gate:stop:to_left'
    """
    return f"gate:{gate_id}:{direction}"


def movement_what(from_id: str, to_id: str) -> str:
    """Return the name of a movement's series.

    >>> movement_what("n", "s")
    'movement:n:s'
    """
    return f"movement:{from_id}:{to_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Marks:
    """Moments to be counted: series number, kind and time of each."""

    series: NDArray[np.int64]
    kind: NDArray[np.uint8]
    t_ns: NDArray[np.int64]


def minute_bins(
    flows: Sequence[Flow],
    *,
    site: Site,
    observed_kinds: Iterable[Kind],
    light_of: Callable[[int], str],
) -> Bins:
    """Return bins of 60 s of one camera's runs: every series and kind, zero where watched.

    ``site`` is of this camera; ``observed_kinds`` what the detector can name: only these, what was
    seen all the same, and unknown get rows, the others are "not observed" and absent.
    ``light_of(start_ns)`` gives day, dusk or night of a minute, "" when nobody knows; all but day
    is marked "unvalidated". Raises ValueError without flows or with flows of several cameras.
    """
    if len({flow.camera_id for flow in flows}) != 1:
        raise ValueError("bins need the flows of one camera")
    names = _series_of(site)
    marks = _marks_of(flows, names, site)
    kinds = sorted({Kind.UNKNOWN, *observed_kinds, *(Kind(k) for k in np.unique(marks.kind))})
    minutes, watched_s = _watched(flows)
    shape = (len(names), len(kinds), len(minutes))
    count = np.zeros(shape, np.float32)
    place = np.searchsorted(minutes, marks.t_ns // _MINUTE_NS * _MINUTE_NS)
    np.add.at(count, (marks.series, np.searchsorted(kinds, marks.kind), place), 1)
    gone_s = _withdrawn_s(flows, minutes, _places(site, names))
    used_s = np.maximum(watched_s - gone_s, 0.0)
    flags = _flags([light_of(int(start_ns)) for start_ns in minutes], used_s, gone_s)
    return Bins(
        camera_id=flows[0].camera_id,
        site_version=flows[0].site_version,
        width_s=60.0,
        what=np.repeat(np.array(names, np.str_), shape[1] * shape[2]),
        kind=np.tile(np.repeat(np.array(kinds, np.uint8), shape[2]), shape[0]),
        start_ns=np.tile(minutes, shape[0] * shape[1]),
        count=count.ravel(),
        exposure_s=np.repeat(used_s, shape[1], axis=0).ravel().astype(np.float32),
        flags=np.repeat(flags, shape[1], axis=0).ravel(),
    )


def _places(site: Site, names: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the gates and zones on which each series rests."""
    by_pair = {movement_what(m.from_id, m.to_id): m.id for m in movements_of(site)}
    return [
        (name.split(":")[1],)
        if name.startswith("gate:")
        else places_of(site, by_pair.get(name, ""))
        for name in names
    ]


def _withdrawn_s(
    flows: Sequence[Flow], minutes: NDArray[np.int64], places: Sequence[tuple[str, ...]]
) -> NDArray[np.float64]:
    """Return how many watched seconds of each minute each series was withdrawn: (series, n)."""
    gone_ns = np.zeros((len(places), len(minutes)), np.int64)
    for flow in flows:
        for series, names in enumerate(places if len(flow.withdrawn) else ()):
            for start_ns, end_ns in flow.withdrawn.spells_of(*names):
                for from_ns, until_ns in flow.watched_ns:
                    first, last = max(start_ns, from_ns), min(end_ns, until_ns)
                    here = np.minimum(minutes + _MINUTE_NS, last) - np.maximum(minutes, first)
                    gone_ns[series] += np.maximum(here, 0)
    return gone_ns / NS_PER_S


def _flags(
    lights: Sequence[str], used_s: NDArray[np.float64], gone_s: NDArray[np.float64]
) -> NDArray[np.str_]:
    """Return the flags (series, minutes); series with the same exposure share them."""
    rows: dict[bytes, list[str]] = {}
    table = []
    for used, gone in zip(used_s, gone_s, strict=True):
        key = gone.tobytes()
        rows[key] = rows.get(key) or [
            _flag(light, part / 60, moved=lost > 0)
            for light, part, lost in zip(lights, used, gone, strict=True)
        ]
        table.append(rows[key])
    return np.array(table, np.str_).reshape(used_s.shape)


def _series_of(site: Site) -> list[str]:
    names = [gate_what(gate.id, side) for gate in site.gates for side in DIRECTIONS]
    movements = movements_of(site)
    names += [movement_what(m.from_id, m.to_id) for m in movements]
    if movements:
        names.append(movement_what(UNMATCHED, UNMATCHED))
    return list(dict.fromkeys(names))


def _marks_of(flows: Sequence[Flow], names: list[str], site: Site) -> _Marks:
    """Return the counted crossings and journeys of all flows."""
    number = {name: place for place, name in enumerate(names)}
    by_id = {m.id: movement_what(m.from_id, m.to_id) for m in movements_of(site)}
    by_id[UNMATCHED] = movement_what(UNMATCHED, UNMATCHED)
    series: list[int] = []
    kind: list[NDArray[np.uint8]] = [np.empty(0, np.uint8)]
    times: list[NDArray[np.int64]] = [np.empty(0, np.int64)]
    for flow in flows:
        passes, mine = flow.crossings, flow.journeys
        good = passes.counted
        pairs = zip(passes.gate_id[good], passes.direction[good], strict=True)
        series += [number[gate_what(str(gate), str(side))] for gate, side in pairs]
        kind.append(passes.kind[good])
        times.append(passes.t_ns[good])
        if by_id[UNMATCHED] not in number:
            continue
        series += [number[by_id[str(name)]] for name in mine.movement_id[mine.counted]]
        kind.append(mine.kind[mine.counted])
        times.append(mine.done_ns[mine.counted])
    return _Marks(
        series=np.array(series, np.int64), kind=np.concatenate(kind), t_ns=np.concatenate(times)
    )


def _watched(flows: Sequence[Flow]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the minutes that anybody watched and the seconds watched in each, at most 60.

    The minute of a run's very last step is there even when nothing was watched after it.
    """
    last = _last_minutes(flows)
    starts = np.concatenate([*(flow.minutes.start_ns for flow in flows), last])
    seconds = np.concatenate([*(flow.minutes.watched_s for flow in flows), np.zeros(len(last))])
    minutes, place = np.unique(starts, return_inverse=True)
    total = np.zeros(len(minutes))
    np.add.at(total, place, seconds)
    return minutes, np.minimum(total, 60.0)


def _last_minutes(flows: Sequence[Flow]) -> NDArray[np.int64]:
    ends = [flow.watched_ns[-1, 1] for flow in flows if len(flow.watched_ns)]
    return np.array(ends, np.int64) // _MINUTE_NS * _MINUTE_NS


def _flag(light: str, watched_share: float, *, moved: bool) -> str:
    words = [light or "light-unknown"]
    if light != "day":
        words.append("unvalidated")
    if moved:
        words.append(CAMERA_MOVED)
    if watched_share < COMPLETE_SHARE:
        words.append("partial")
    return ";".join(words)


def aggregate(bins: Bins, *, width_s: float, tz: str = "UTC") -> Bins:
    """Return the same counts in wider slices that begin on the local clock's full steps.

    ``width_s`` must be whole minutes. Flags are joined; "partial" is decided anew. The exposure of
    a slice is that of its minutes: nothing is scaled up.
    """
    width_ns = round(width_s * NS_PER_S)
    if width_ns < bins.width_s * NS_PER_S or width_ns % _MINUTE_NS:
        raise ValueError("bins can only be joined into wider ones of whole minutes")
    if not len(bins):
        return replace(bins, width_s=width_s)
    starts = _slice_starts(bins.start_ns, width_ns, tz)
    order = np.lexsort((starts, bins.kind, bins.what))
    keys = np.rec.fromarrays([bins.what[order], bins.kind[order], starts[order]])
    first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])[: len(keys)])
    pick = order[first]
    exposure_s = _sums(bins.exposure_s[order], first)
    return Bins(
        camera_id=bins.camera_id,
        site_version=bins.site_version,
        width_s=width_s,
        what=bins.what[pick],
        kind=bins.kind[pick],
        start_ns=starts[pick],
        count=_sums(bins.count[order], first).astype(np.float32),
        exposure_s=exposure_s.astype(np.float32),
        flags=_joined_flags(bins.flags[order], first, exposure_s / width_s),
    )


def _sums(column: NDArray[np.float32], first: NDArray[np.intp]) -> NDArray[np.float64]:
    wide = column.astype(np.float64)
    return np.add.reduceat(wide, first) if len(first) else wide


def _slice_starts(start_ns: NDArray[np.int64], width_ns: int, tz: str) -> NDArray[np.int64]:
    """Return where the local slice of each UTC minute begins, in UTC ns."""
    quarters, place = np.unique(start_ns // _QUARTER_NS, return_inverse=True)
    offsets = np.array([_offset_ns(int(q) * _QUARTER_NS, tz) for q in quarters], np.int64)
    offset = offsets[place] if len(quarters) else np.zeros(0, np.int64)
    return (start_ns + offset) // width_ns * width_ns - offset


def _offset_ns(t_ns: int, tz: str) -> int:
    offset = local_datetime(t_ns, tz).utcoffset()
    return 0 if offset is None else round(offset.total_seconds()) * NS_PER_S


def _joined_flags(
    flags: NDArray[np.str_], first: NDArray[np.intp], share: NDArray[np.float64]
) -> NDArray[np.str_]:
    words, number = np.unique(flags, return_inverse=True)
    last = np.concatenate([first[1:], [len(flags)]])
    known: dict[tuple[int, ...], str] = {}
    joined = []
    for start, end, watched in zip(first, last, share, strict=True):
        mixed = tuple(np.unique(number[start:end]).tolist())
        if mixed not in known:
            parts = [part for n in mixed for part in str(words[n]).split(";") if part != "partial"]
            known[mixed] = ";".join(sorted(set(parts), key=_FLAG_ORDER.index))
        partial = ";partial" if watched < COMPLETE_SHARE else ""
        joined.append(known[mixed] + partial)
    return np.array(joined, np.str_)


_FLAG_ORDER = ("day", "dusk", "night", "light-unknown", "unvalidated", CAMERA_MOVED)


def totals(bins: Bins, *, prefix: str = "") -> dict[str, dict[str, float]]:
    """Return counts per series and kind name, with "total", of the series that begin so.

    >>> empty = np.empty(0)
    >>> totals(Bins(camera_id="c", site_version="", width_s=60, what=["gate:a:to_left"], kind=[4],
    ...             start_ns=[0], count=[2], exposure_s=[60], flags=["day"]))
    {'gate:a:to_left': {'car': 2.0, 'total': 2.0}}
    """
    table: dict[str, dict[str, float]] = {}
    for what in dict.fromkeys(str(name) for name in bins.what if str(name).startswith(prefix)):
        mine = bins.what == what
        row = {
            Kind(kind).name.lower(): float(bins.count[mine & (bins.kind == kind)].sum())
            for kind in np.unique(bins.kind[mine])
        }
        table[what] = row | {"total": sum(row.values())}
    return table


def peak_hour(
    start_ns: NDArray[np.int64], count: NDArray[np.float64], exposure_share: NDArray[np.float64]
) -> PeakHour:
    """Return the busiest four complete quarter hours in a row, and the peak hour factor.

    PHF = V / (4 V15,max) (Highway Capacity Manual). Arrays (n,) of quarter hours in order of time;
    of equal hours the first one wins. An empty hour has no factor (NaN).

    >>> starts = np.arange(4) * 900_000_000_000
    >>> hour = peak_hour(starts, np.array([220.0, 250, 310, 270]), np.ones(4))
    >>> hour.volume, round(hour.phf, 4)
    (1050.0, 0.8468)
    >>> peak_hour(starts[:3], np.ones(3), np.ones(3)).watched_min
    45
    """
    complete = exposure_share >= COMPLETE_SHARE
    longest = run = 0
    best = PeakHour(watched_min=0)
    for row in range(len(start_ns)):
        follows = run > 0 and start_ns[row] - start_ns[row - 1] == _QUARTER_NS
        run = (run + 1 if follows else 1) if complete[row] else 0
        longest = max(longest, run)
        if run >= 4:
            best = _busier(best, start_ns[row - 3], count[row - 3 : row + 1])
    return best if best.known else PeakHour(watched_min=15 * longest)


def _busier(best: PeakHour, start_ns: int, quarters: NDArray[np.float64]) -> PeakHour:
    volume = float(quarters.sum())
    if best.known and volume <= best.volume:
        return best
    phf = volume / (4 * float(quarters.max())) if volume > 0 else float("nan")
    return PeakHour(watched_min=60, start_ns=int(start_ns), volume=volume, phf=phf)


def peak_hour_of(
    bins: Bins, *, whats: Iterable[str], kinds: Iterable[Kind] = tuple(Kind)
) -> PeakHour:
    """Return the peak hour of the sum of some series and kinds of quarter-hour bins.

    A quarter is as complete as the least watched of the series.
    """
    if round(bins.width_s) != 900:
        raise ValueError("a peak hour is made of bins of 900 s")
    wanted = np.isin(bins.what, list(whats)) & np.isin(bins.kind, [int(k) for k in kinds])
    starts, place = np.unique(bins.start_ns[wanted], return_inverse=True)
    count, share = np.zeros(len(starts)), np.full(len(starts), np.inf)
    np.add.at(count, place, bins.count[wanted])
    np.minimum.at(share, place, bins.exposure_s[wanted] / bins.width_s)
    return peak_hour(starts, count, share)


def peak_hours(bins: Bins) -> dict[str, PeakHour]:
    """Return the peak hour of every series of quarter-hour bins, pedestrians left out.

    "movement:all" is the sum of all movements, with those that no pair explains.
    """
    names = list(dict.fromkeys(str(what) for what in bins.what))
    kinds = tuple(kind for kind in Kind if kind is not Kind.PEDESTRIAN)
    table = {name: peak_hour_of(bins, whats=[name], kinds=kinds) for name in names}
    if journeys := [name for name in names if name.startswith("movement:")]:
        table[ALL_MOVEMENTS] = peak_hour_of(bins, whats=journeys, kinds=kinds)
    return table


def geh(counted: float, reference: float) -> float:
    """Return sqrt(2 (m - c)^2 / (m + c)) of two hourly volumes (G. E. Havers); 0 when both are 0.

    >>> round(geh(1050, 1000), 3)
    1.562
    """
    both = counted + reference
    return float(np.sqrt(2 * (counted - reference) ** 2 / both)) if both > 0 else 0.0
