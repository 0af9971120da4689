"""The evidence of one event: what explains it after the points themselves have been dropped."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import StoreError
from calmstreet.model.event import Event
from calmstreet.model.points import TrackPoints, joined_columns, scalar_columns
from calmstreet.model.signals import SignalChanges
from calmstreet.store.duck import read_parquet, write_parquet
from calmstreet.store.events import values_from_json, values_to_json
from calmstreet.store.folder import StoredFile, sha256_of, write_whole
from calmstreet.units import ns_from_s

__all__ = ["MARGIN_S", "Evidence", "read_evidence", "write_evidence"]

MARGIN_S = 10.0
"""Seconds kept before and after an event."""

_SIGNALS: dict[str, Any] = {
    "t_ns": np.int64,
    "signal_id": np.str_,
    "state": np.uint8,
    "confidence": np.float32,
}
_SCALARS: dict[str, Any] = {name: dtype for name, dtype, _, _ in scalar_columns()}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """An event with the rows around it, the signal changes and the rule's thresholds.

    ``site_json`` is the canonical JSON of the camera's part of the site, "" when unknown;
    ``size_px`` width and height of the picture, (0, 0) for none; rows are kept from
    ``since_ns`` - MARGIN_S (0: the start of the event) until ``until_ns`` + MARGIN_S (0: its end),
    of all road users: who else was there may excuse or explain.
    """

    event: Event
    points: TrackPoints
    signal_changes: SignalChanges
    thresholds: Mapping[str, float]
    site_json: str = ""
    size_px: tuple[int, int] = (0, 0)
    since_ns: int = 0
    until_ns: int = 0


def write_evidence(folder: Path, evidence: Evidence) -> list[StoredFile]:
    """Write evidence/RUN-EVENT.parquet and .json; return both for ``Catalogue.save_evidence``.

    Of points and signal changes only ``MARGIN_S`` around what decided are kept, and of each signal
    the change before that, so that its state is known from the first row on.
    """
    event, start_ns, end_ns = evidence.event, *_span(evidence)
    points = evidence.points
    kept = points[(points.t_ns >= start_ns) & (points.t_ns <= end_ns)]
    columns = {
        name: getattr(kept, column) if part is None else getattr(kept, column)[:, part]
        for name, _, column, part in scalar_columns()
    }
    text = _to_json(evidence, start_ns, end_ns)
    stem = folder / "evidence" / f"{points.run_id}-{event.event_id}"
    rows, words = stem.with_suffix(".parquet"), stem.with_suffix(".json")
    write_whole(rows, lambda path: write_parquet(path, columns, folder=folder))
    write_whole(words, lambda path: _write_text(path, text))
    return [_stored(folder, path, evidence, len(kept)) for path in (rows, words)]


def _span(evidence: Evidence) -> tuple[int, int]:
    margin_ns = ns_from_s(MARGIN_S)
    event = evidence.event
    start_ns, end_ns = evidence.since_ns or event.start_ns, evidence.until_ns or event.end_ns
    return start_ns - margin_ns, end_ns + margin_ns


def _near(changes: SignalChanges, start_ns: int, end_ns: int) -> NDArray[np.bool_]:
    """Return which changes to keep: those of the span, and those since the last red before it."""
    near = (changes.t_ns >= start_ns) & (changes.t_ns <= end_ns)
    for head in np.unique(changes.signal_id):
        before = np.flatnonzero((changes.signal_id == head) & (changes.t_ns < start_ns))
        near[before[-2:]] = True
    return near


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _to_json(evidence: Evidence, start_ns: int, end_ns: int) -> str:
    event, changes = evidence.event, evidence.signal_changes
    near = _near(changes, start_ns, end_ns)
    signals = {name: getattr(changes, name)[near].tolist() for name in _SIGNALS}
    signals["confidence"] = [None if np.isnan(c) else c for c in signals["confidence"]]
    named = {
        name: getattr(event, name)
        for name in ("event_id", "kind", "camera_id", "start_ns", "end_ns", "severity", "rule")
    }
    return json.dumps(
        {
            "run_id": evidence.points.run_id,
            "event": named,
            "track_ids": event.track_ids,
            "place": values_to_json(dict(zip("xy", event.place_m, strict=True))),
            "values": values_to_json(dict(event.values)),
            "thresholds": values_to_json(dict(evidence.thresholds)),
            "reasons": event.reasons,
            "exceptions": event.exceptions,
            "signals": signals,
            "site": evidence.site_json,
            "size_px": evidence.size_px,
            "since_ns": evidence.since_ns,
            "until_ns": evidence.until_ns,
        },
        ensure_ascii=False,
        indent=1,
    )


def _stored(folder: Path, path: Path, evidence: Evidence, rows: int) -> StoredFile:
    return StoredFile(
        content="evidence",
        path=path.relative_to(folder).as_posix(),
        camera_id=evidence.event.camera_id,
        run_id=evidence.points.run_id,
        rows=rows,
        start_ns=evidence.event.start_ns,
        end_ns=evidence.event.end_ns,
        size_bytes=path.stat().st_size,
        sha256=sha256_of(path),
    )


def read_evidence(folder: Path, paths: Sequence[str]) -> Evidence:
    """Read the evidence of one event from the two paths that the catalogue names.

    Raises StoreError when a file is missing or damaged.
    """
    words = folder / next((path for path in paths if path.endswith(".json")), "evidence")
    rows = words.with_suffix(".parquet")
    if not (words.is_file() and rows.is_file()):
        raise StoreError(f"{words} or its Parquet is missing; bring it back from a copy")
    try:
        found = json.loads(words.read_text(encoding="utf-8"))
        place = values_from_json(found["place"])
        event = Event(
            **found["event"],
            place_m=(place["x"], place["y"]),
            track_ids=tuple(found["track_ids"]),
            values=values_from_json(found["values"]),
            reasons=tuple(found["reasons"]),
            exceptions=tuple(found["exceptions"]),
        )
        signals = {name: np.array(found["signals"][name], t) for name, t in _SIGNALS.items()}
        thresholds, run_id = values_from_json(found["thresholds"]), int(found["run_id"])
        wide, high = (int(side) for side in found.get("size_px", (0, 0)))
        since_ns, until_ns = (int(found.get(name, 0)) for name in ("since_ns", "until_ns"))
        site_json = str(found.get("site", ""))
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{words} is damaged ({error}); bring it back from a copy") from error
    columns = joined_columns(read_parquet(rows, _SCALARS, folder=folder))
    return Evidence(
        event=event,
        points=TrackPoints(camera_id=event.camera_id, run_id=run_id, **columns),
        signal_changes=SignalChanges(**signals),
        thresholds=thresholds,
        site_json=site_json,
        size_px=(wide, high),
        since_ns=since_ns,
        until_ns=until_ns,
    )
