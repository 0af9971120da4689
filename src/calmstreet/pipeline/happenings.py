"""What the rules found, for summary.json, events.csv and the report."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from calmstreet.model.event import Event
from calmstreet.pipeline.collected import Collected
from calmstreet.report.events_csv import write_events
from calmstreet.store.catalogue import Catalogue
from calmstreet.units import to_iso

__all__ = ["happenings", "write_event_table"]

MOST_TOLD = 200


def happenings(catalogue: Catalogue, found: Collected) -> dict[str, Any]:
    """Return ``events``, ``rules`` and ``signals`` for the summary."""
    ids = [run.run_id for run in found.runs]
    events = [event for event in catalogue.events(ids) if event.kind != "conflict"]
    rulings = {run.run_id: catalogue.ruling(run.run_id) for run in found.runs}
    labels = catalogue.track_labels(ids)
    return {
        "events": {
            "by_kind": _by_kind(events),
            "first": [_event(event, found.tz, labels) for event in events[:MOST_TOLD]],
        },
        "rules": _rules(found, rulings),
        "signals": [
            {"camera": run.camera_id, "run_id": run.run_id, **rulings[run.run_id]["signals"]}
            for run in found.runs
            if rulings[run.run_id].get("signals")
        ],
    }


def write_event_table(catalogue: Catalogue, found: Collected, path: Path) -> None:
    """Write events.csv."""
    ids = [run.run_id for run in found.runs]
    write_events(
        path,
        catalogue.events(ids),
        tz=found.tz or "UTC",
        time_known="given" if found.tz else "unknown",
        labels=catalogue.track_labels(ids),
    )


def _by_kind(events: list[Event]) -> dict[str, dict[str, int]]:
    """Return violations and noted exceptions of each kind."""
    rows: dict[str, dict[str, int]] = {}
    for event in events:
        row = rows.setdefault(event.kind, {"violations": 0, "exceptions": 0})
        row["exceptions" if event.exceptions else "violations"] += 1
    return dict(sorted(rows.items()))


def _event(event: Event, tz: str | None, labels: Mapping[int, str]) -> dict[str, Any]:
    return {
        "event_id": event.event_id,
        "kind": event.kind,
        "camera": event.camera_id,
        "start": event.start_ns / 1e9 if tz is None else to_iso(event.start_ns, tz),
        "lasted_s": round((event.end_ns - event.start_ns) / 1e9, 3),
        "road_users": [labels.get(track_id, str(track_id)) for track_id in event.track_ids],
        "severity": event.severity,
        "values": {name: _plain(value) for name, value in event.values.items()},
        "reasons": list(event.reasons),
        "exceptions": list(event.exceptions),
    }


def _plain(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None


def _rules(found: Collected, rulings: Mapping[int, dict[str, Any]]) -> list[dict[str, Any]]:
    """Return every rule of every camera: whether it ran and, where not, why."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for run in found.runs:
        for row in rulings[run.run_id].get("rules", []):
            known = rows.setdefault(
                (run.camera_id, row["rule"]),
                {"camera": run.camera_id, "rule": row["rule"], "ran": False, "why_not": ""},
            )
            known["ran"] = known["ran"] or not row["why_not"]
            known["why_not"] = "" if known["ran"] else row["why_not"]
            for name in ("yielded", "failed", "could_not_stop"):
                if name in row and not row["why_not"]:
                    known[name] = known.get(name, 0) + row[name]
    return list(rows.values())
