"""Counts as tables: counts.csv, movements.csv, headways.csv and the numbers of summary.json.

Rows stand where somebody watched: zero means nobody came, a missing row means nobody looked, a
missing kind means that the detector cannot name it. Every file is written beside its place, put
on the disk and renamed, so that a reader sees the old or the new one, never a half.
"""

import csv
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import InputError
from calmstreet.model.bins import Bins
from calmstreet.model.flow import DIRECTIONS, UNMATCHED, Crossings, Flow, MovementTurn
from calmstreet.model.kinds import KIND_NAMES, Kind
from calmstreet.model.site import Gate
from calmstreet.units import NS_PER_S, local_datetime

__all__ = [
    "COUNT_COLUMNS",
    "HEADWAY_COLUMNS",
    "MOVEMENT_COLUMNS",
    "gates_summary",
    "journeys_summary",
    "movements_summary",
    "not_observed",
    "replacing",
    "time_text",
    "write_counts",
    "write_headways",
    "write_movements",
]

COUNT_COLUMNS = ("series", "time", "value", "exposure_share", "camera", "what", "kind", "flag")
MOVEMENT_COLUMNS = (
    "camera",
    "movement",
    "from",
    "to",
    "turn",
    "kind",
    "start",
    "count",
    "exposure_share",
    "flag",
)
HEADWAY_COLUMNS = (
    "camera",
    "gate",
    "direction",
    "track_id",
    "kind",
    "time",
    "headway_s",
    "gap_s",
)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``; afterwards put it on the disk and rename it.

    Raises InputError when the place cannot be written; the old file then stays as it was.
    """
    draft = path.with_name(f".{path.name}.draft")
    try:
        yield draft
        with draft.open("rb+") as written:
            os.fsync(written.fileno())
        draft.replace(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            f"{path} cannot be written ({reason}); choose an --out folder with room and rights"
        ) from error
    finally:
        draft.unlink(missing_ok=True)


def time_text(t_ns: int, tz: str, *, time_known: str = "given", decimals: int = 0) -> str:
    """Return ISO local time with offset, or "+hh:mm:ss" since the start when no clock is known.

    ``time_known`` is one of TIME_KNOWN; a run of unknown time counts from 1970.

    >>> time_text(15_000_000_000, "Asia/Almaty")
    '1970-01-01T06:00:15+06:00'
    >>> time_text(15_250_000_000, "Asia/Almaty", time_known="unknown", decimals=3)
    '+00:00:15.250'
    """
    if time_known != "unknown":
        spec = "milliseconds" if decimals else "seconds"
        return local_datetime(t_ns, tz).isoformat(timespec=spec)
    whole_s, rest_ns = divmod(t_ns, NS_PER_S)
    clock = f"+{whole_s // 3600:02d}:{whole_s // 60 % 60:02d}:{whole_s % 60:02d}"
    return f"{clock}.{rest_ns // 1_000_000:03d}" if decimals else clock


def _number(value: float) -> str:
    """Return a number as short as it is, "" for NaN.

    >>> _number(3.0), _number(0.25), _number(float("nan"))
    ('3', '0.25', '')
    """
    return "" if value != value else f"{value:.4f}".rstrip("0").rstrip(".")


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with replacing(path) as draft, draft.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(columns)
        table.writerows(rows)


def _watched_rows(bins: Bins) -> NDArray[np.intp]:
    """Return the rows that are to be told, in order of series, then time."""
    told = np.flatnonzero((bins.exposure_s > 0) | (bins.count > 0))
    order = np.lexsort((bins.start_ns[told], bins.kind[told], bins.what[told]))
    return told[order]


def write_counts(path: Path, bins: Sequence[Bins], *, tz: str, time_known: str = "given") -> None:
    """Write counts.csv: one row per series and slice of time, zero where watched.

    ``bins`` one per camera, of the width that is wanted (15 min). A series is
    "camera/what/kind"; kinds are not summed, so that adding rows counts nobody twice.
    """

    def rows() -> Iterator[tuple[str, ...]]:
        for mine in bins:
            times = _times(mine, tz, time_known)
            for row in _watched_rows(mine):
                what, kind = str(mine.what[row]), KIND_NAMES[mine.kind[row]]
                yield (
                    f"{mine.camera_id}/{what}/{kind}",
                    times[int(mine.start_ns[row])],
                    _number(float(mine.count[row])),
                    _number(float(mine.exposure_s[row]) / mine.width_s),
                    mine.camera_id,
                    what,
                    kind,
                    str(mine.flags[row]),
                )

    _write(path, COUNT_COLUMNS, rows())


def _times(bins: Bins, tz: str, time_known: str) -> dict[int, str]:
    starts = np.unique(bins.start_ns).tolist()
    return {start: time_text(start, tz, time_known=time_known) for start in starts}


def write_movements(
    path: Path,
    bins: Sequence[Bins],
    *,
    turns: Sequence[MovementTurn],
    tz: str,
    time_known: str = "given",
) -> None:
    """Write movements.csv: one row per movement, kind and slice; the unmatched are "unknown"."""
    known = {f"movement:{turn.from_id}:{turn.to_id}": turn for turn in turns}

    def rows() -> Iterator[tuple[str, ...]]:
        for mine in bins:
            times = _times(mine, tz, time_known)
            for row in _watched_rows(mine):
                family, _, pair = str(mine.what[row]).partition(":")
                if family != "movement":
                    continue
                start, _, end = pair.partition(":")
                turn = known.get(str(mine.what[row]))
                yield (
                    mine.camera_id,
                    turn.id if turn else UNMATCHED,
                    start,
                    end,
                    (turn.turn if turn else "") or UNMATCHED,
                    KIND_NAMES[mine.kind[row]],
                    times[int(mine.start_ns[row])],
                    _number(float(mine.count[row])),
                    _number(float(mine.exposure_s[row]) / mine.width_s),
                    str(mine.flags[row]),
                )

    _write(path, MOVEMENT_COLUMNS, rows())


def write_headways(
    path: Path, flows: Sequence[Flow], *, tz: str, time_known: str = "given"
) -> None:
    """Write headways.csv: every counted crossing; headway and gap empty where not known."""

    def rows() -> Iterator[tuple[str, ...]]:
        for flow in flows:
            mine: Crossings = flow.crossings
            for row in np.flatnonzero(mine.counted):
                yield (
                    flow.camera_id,
                    str(mine.gate_id[row]),
                    str(mine.direction[row]),
                    str(mine.track_id[row]),
                    KIND_NAMES[mine.kind[row]],
                    time_text(int(mine.t_ns[row]), tz, time_known=time_known, decimals=3),
                    _number(float(mine.headway_s[row])),
                    _number(float(mine.gap_s[row])),
                )

    _write(path, HEADWAY_COLUMNS, rows())


def not_observed(observed_kinds: Iterable[Kind]) -> list[str]:
    """Return the names of the kinds that the detector cannot give.

    >>> not_observed([Kind.CAR, Kind.VAN, Kind.BUS, Kind.TRUCK, Kind.PEDESTRIAN])
    ['bicycle', 'motorcycle']
    """
    given = set(observed_kinds)
    return [kind.name.lower() for kind in Kind if kind not in given and kind is not Kind.UNKNOWN]


def _kind_counts(kinds: NDArray[np.uint8], observed_kinds: Iterable[Kind]) -> dict[str, int]:
    """Return counts per kind with "unknown" and "total" last; kinds not observed are absent."""
    seen = Counter(int(kind) for kind in kinds)
    named = sorted({*observed_kinds, *(Kind(k) for k in seen)} - {Kind.UNKNOWN})
    table = {kind.name.lower(): seen[int(kind)] for kind in named}
    return table | {"unknown": seen[int(Kind.UNKNOWN)], "total": len(kinds)}


def gates_summary(
    flows: Sequence[Flow], *, gates: Sequence[Gate], observed_kinds: Iterable[Kind]
) -> list[dict[str, Any]]:
    """Return per gate {camera, gate, to_left: {kind: n, unknown, total}, to_right: {...}}."""
    kinds = tuple(observed_kinds)
    table: list[dict[str, Any]] = []
    for gate in gates:
        row: dict[str, Any] = {"camera": gate.camera_id, "gate": gate.id}
        for direction in DIRECTIONS:
            found = [np.empty(0, np.uint8)]
            for flow in flows:
                mine = flow.crossings
                picked = mine.counted & (mine.gate_id == gate.id) & (mine.direction == direction)
                found.append(mine.kind[picked & (flow.camera_id == gate.camera_id)])
            row[direction] = _kind_counts(np.concatenate(found), kinds)
        table.append(row)
    return table


def movements_summary(
    flows: Sequence[Flow],
    *,
    camera_id: str,
    turns: Sequence[MovementTurn],
    observed_kinds: Iterable[Kind],
) -> list[dict[str, Any]]:
    """Return per movement {camera, movement, from, to, turn, turn_source, counts} of one camera.

    The unmatched come last. ``turn`` is "unknown" where nobody made the movement and none is
    given. Without movements the list is empty.
    """
    if not turns:
        return []
    kinds = tuple(observed_kinds)
    nowhere = MovementTurn(id=UNMATCHED, from_id=UNMATCHED, to_id=UNMATCHED, turn="", source="")
    return [
        {
            "camera": camera_id,
            "movement": turn.id,
            "from": turn.from_id,
            "to": turn.to_id,
            "turn": turn.turn or UNMATCHED,
            "turn_source": turn.source,
            "counts": _kind_counts(_kinds_moving(flows, camera_id, turn.id), kinds),
        }
        for turn in (*turns, nowhere)
    ]


def _kinds_moving(flows: Sequence[Flow], camera_id: str, movement_id: str) -> NDArray[np.uint8]:
    """Return the kinds of all counted journeys that made a movement."""
    kinds = [np.empty(0, np.uint8)]
    for mine in (flow.journeys for flow in flows if flow.camera_id == camera_id):
        kinds.append(mine.kind[mine.counted & (mine.movement_id == movement_id)])
    return np.concatenate(kinds)


def journeys_summary(flows: Sequence[Flow], *, observed_kinds: Iterable[Kind]) -> dict[str, Any]:
    """Return {counted: {kind: n, ...}, not_counted: {reason: n}} of all tracks."""
    kinds = [flow.journeys.kind[flow.journeys.counted] for flow in flows]
    reasons = Counter(
        str(reason) for flow in flows for reason in flow.journeys.reason if str(reason)
    )
    return {
        "counted": _kind_counts(np.concatenate([np.empty(0, np.uint8), *kinds]), observed_kinds),
        "not_counted": dict(sorted(reasons.items())),
    }
