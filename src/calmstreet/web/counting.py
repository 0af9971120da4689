"""Counts over time: bins of the store as the columns of a page. Missing is not zero."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.kinds import KIND_NAMES, Kind
from calmstreet.safety.bins import peak_hour
from calmstreet.store.seen import BinRows
from calmstreet.web.answers_junction import CountSeries, CountsPage, QueuePage, QueueSeries
from calmstreet.web.numbers import flag_words, ms, plain
from calmstreet.web.spans import View

__all__ = ["STORED_S", "counts_page", "name_parts", "not_observed", "queue_page", "stored_width_s"]

STORED_S: tuple[int, ...] = (900, 3600, 86_400)
"""Widths of the bins that a result holds."""

_NS = 1_000_000_000
_MOST_SLICES = {900: 8 * 96, 3600: 62 * 24, 86_400: 20_000}
_ALL = tuple(Kind)


def stored_width_s(view: View, wanted_s: int) -> int:
    """Return the narrowest stored width, not below the wanted, that fits a page for a span."""
    span_s = (view.end_ns - view.start_ns) / _NS
    for width_s in STORED_S:
        if width_s >= wanted_s and span_s / width_s <= _MOST_SLICES[width_s]:
            return width_s
    return STORED_S[-1]


def name_parts(what: str) -> dict[str, str]:
    """Return the parts of the name of a series.

    >>> name_parts("gate:stop:to_left")["direction"], name_parts("movement:n:s")["to_id"]
    ('to_left', 's')
    """
    head, _, rest = what.partition(":")
    first, _, second = rest.partition(":")
    if head == "gate":
        return {"place_id": first, "direction": second, "from_id": "", "to_id": ""}
    if head == "movement":
        return {"place_id": "", "direction": "", "from_id": first, "to_id": second}
    return {"place_id": rest, "direction": "", "from_id": "", "to_id": ""}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Grid:
    """Slices of a page and of every series: counts (kind, slice), exposure and flags (slice)."""

    starts: NDArray[np.int64]
    counts: dict[str, NDArray[np.float64]]
    exposures: dict[str, NDArray[np.float64]]
    flags: dict[str, list[list[str]]]


def _grid(rows: BinRows, width_ns: int) -> _Grid:
    if not len(rows.start_ns):
        return _Grid(starts=np.empty(0, np.int64), counts={}, exposures={}, flags={})
    known = np.unique(rows.start_ns)
    starts = _without_holes(known, width_ns)
    place = np.searchsorted(starts, rows.start_ns)
    names, number = np.unique(rows.what, return_inverse=True)
    counts = np.zeros((len(names), len(Kind), len(starts)))
    exposures = np.zeros((len(names), len(starts)))
    counts[number, rows.kind, place] = rows.count
    np.maximum.at(exposures, (number, place), rows.exposure_s)
    return _Grid(
        starts=starts,
        counts={str(name): counts[i] for i, name in enumerate(names)},
        exposures={str(name): exposures[i] for i, name in enumerate(names)},
        flags=_flags(rows, names, number, place, len(starts)),
    )


def _without_holes(known: NDArray[np.int64], width_ns: int) -> NDArray[np.int64]:
    """Return the slices that were watched and those between them, which nobody watched."""
    pieces = [known[:1]]
    for before, after in zip(known[:-1].tolist(), known[1:].tolist(), strict=True):
        missing = round((after - before) / width_ns) - 1
        if 0 < missing <= 10_000:
            pieces.append(before + width_ns * np.arange(1, missing + 1, dtype=np.int64))
        pieces.append(np.array([after], np.int64))
    return np.concatenate(pieces)


def _flags(
    rows: BinRows,
    names: NDArray[np.str_],
    number: NDArray[np.intp],
    place: NDArray[np.intp],
    slices: int,
) -> dict[str, list[list[str]]]:
    texts, word = np.unique(rows.flags, return_inverse=True)
    known = [flag_words(str(text)) for text in texts]
    table = np.full((len(names), slices), -1, np.int64)
    table[number, place] = word
    return {
        str(name): [known[w] if w >= 0 else [] for w in table[i].tolist()]
        for i, name in enumerate(names)
    }


def counts_page(view: View, *, width_s: int, place_id: str | None) -> CountsPage:
    """Return counts by class and slice at gates and of movements."""
    width_s = stored_width_s(view, width_s)
    rows = view.seen.bins(
        view.camera_id, start_ns=view.start_ns, end_ns=view.end_ns, width_ns=width_s * _NS
    )
    grid = _grid(rows, width_s * _NS)
    names = [name for name in grid.counts if not name.startswith("queue:")]
    if place_id is not None:
        names = [name for name in names if place_id in name_parts(name).values()]
    exposure = _least({name: grid.exposures[name] for name in names}, len(grid.starts))
    observed = sorted(int(kind) for kind in np.unique(rows.kind))
    start_ns, volume, factor = _peak(grid, names, width_s)
    return CountsPage(
        period=view.period,
        width_s=float(width_s),
        starts_ms=[ms(t) for t in grid.starts.tolist()],
        exposure_s=[round(e, 1) for e in exposure.tolist()],
        flags=_joined([grid.flags[name] for name in names], len(grid.starts)),
        series=[row for name in names for row in _series(grid, name)],
        exposures_s={
            name: [round(e, 1) for e in grid.exposures[name].tolist()]
            for name in names
            if not np.array_equal(grid.exposures[name], exposure)
        },
        kinds=[KIND_NAMES[kind] for kind in observed],
        not_observed=not_observed(view),
        peak_start_ms=start_ns,
        peak_count=volume,
        peak_hour_factor=factor,
    )


def _least(exposures: dict[str, NDArray[np.float64]], slices: int) -> NDArray[np.float64]:
    return np.min(list(exposures.values()), axis=0) if exposures else np.zeros(slices)


def _joined(tables: list[list[list[str]]], slices: int) -> list[list[str]]:
    return [
        list(dict.fromkeys(word for table in tables for word in table[place]))
        for place in range(slices)
    ]


def _series(grid: _Grid, name: str) -> list[CountSeries]:
    """Return a series of all kinds together, and one of each kind that was seen."""
    counts, watched = grid.counts[name], grid.exposures[name] > 0
    kinds = [kind for kind in _ALL if counts[kind].any()]
    rows = [("total", counts.sum(axis=0)), *((KIND_NAMES[kind], counts[kind]) for kind in kinds)]
    return [
        CountSeries.of(
            what=name,
            **name_parts(name),
            kind=kind,
            total=float(values[watched].sum()) if watched.any() else None,
            counts=[
                value if seen else None
                for value, seen in zip(values.tolist(), watched.tolist(), strict=True)
            ],
        )
        for kind, values in rows
    ]


def _peak(
    grid: _Grid, names: list[str], width_s: int
) -> tuple[int | None, float | None, float | None]:
    """Return start, volume and factor of the busiest hour of all movements, else of all gates."""
    moving = [name for name in names if name.startswith("movement:")] or names
    if width_s != STORED_S[0] or not moving:
        return None, None, None
    people = int(Kind.PEDESTRIAN)
    count = np.sum([np.delete(grid.counts[name], people, axis=0).sum(axis=0) for name in moving], 0)
    share = _least({name: grid.exposures[name] for name in moving}, len(grid.starts)) / width_s
    hour = peak_hour(grid.starts, count, share)
    if not hour.known:
        return None, None, None
    return ms(hour.start_ns), plain(hour.volume, 1), plain(hour.phf, 4)


def not_observed(view: View) -> list[str]:
    """Return the kinds that the detector said it cannot tell."""
    return sorted(
        {
            name
            for note in view.seen.warnings(view.camera_id)
            if note.code == "kinds-not-observed"
            for name in str(note.args.get("kinds", "")).split(", ")
            if name in KIND_NAMES
        }
    )


def queue_page(view: View, *, width_s: int) -> QueuePage:
    """Return queues of zones and how long gates were covered, over slices of time."""
    width_s = stored_width_s(view, width_s)
    rows = view.seen.bins(
        view.camera_id,
        start_ns=view.start_ns,
        end_ns=view.end_ns,
        width_ns=width_s * _NS,
        prefix="queue:",
    )
    grid = _grid(rows, width_s * _NS)
    series = [
        QueueSeries(
            what=name,
            place_id=name_parts(name)["place_id"],
            unit="vehicles",
            values=_where(grid.counts[name].sum(axis=0), grid.exposures[name] > 0),
        )
        for name in grid.counts
    ]
    starts, share, exposure = occupied_shares(view, width_s * _NS)
    if not len(grid.starts):
        return QueuePage(
            period=view.period,
            width_s=float(width_s),
            starts_ms=[ms(t) for t in starts.tolist()],
            exposure_s=[round(e, 1) for e in exposure.tolist()],
            series=_covered(share, exposure),
        )
    return QueuePage(
        period=view.period,
        width_s=float(width_s),
        starts_ms=[ms(t) for t in grid.starts.tolist()],
        exposure_s=[round(e, 1) for e in _least(grid.exposures, len(grid.starts)).tolist()],
        series=[*series, *_covered(_aligned(share, starts, grid.starts), None)],
    )


def _covered(
    shares: dict[str, NDArray[np.float64]], exposure: NDArray[np.float64] | None
) -> list[QueueSeries]:
    return [
        QueueSeries(
            what=f"gate:{gate_id}",
            place_id=gate_id,
            unit="share",
            values=_where(values, np.isfinite(values) if exposure is None else exposure > 0),
        )
        for gate_id, values in shares.items()
    ]


def _aligned(
    shares: dict[str, NDArray[np.float64]], starts: NDArray[np.int64], onto: NDArray[np.int64]
) -> dict[str, NDArray[np.float64]]:
    moved = {}
    for gate_id, values in shares.items():
        line = np.full(len(onto), np.nan)
        known = np.isin(starts, onto)
        line[np.searchsorted(onto, starts[known])] = values[known]
        moved[gate_id] = line
    return moved


def _where(values: NDArray[np.float64], watched: NDArray[np.bool_]) -> list[float | None]:
    return [
        plain(value, 4) if seen else None
        for value, seen in zip(values.tolist(), watched.tolist(), strict=True)
    ]


def occupied_shares(
    view: View, width_ns: int
) -> tuple[NDArray[np.int64], dict[str, NDArray[np.float64]], NDArray[np.float64]]:
    """Return slices (n,), by gate the share of watched time it was covered, and exposure (n,)."""
    seconds, covered = view.seen.occupied(
        view.camera_id, start_ns=view.start_ns, end_ns=view.end_ns, width_ns=width_ns
    )
    starts = np.array(sorted(seconds), np.int64)
    exposure = np.array([seconds[t] for t in starts.tolist()])
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = {
            gate_id: np.array([by_start.get(t, 0.0) for t in starts.tolist()]) / exposure
            for gate_id, by_start in covered.items()
        }
    return starts, shares, exposure
