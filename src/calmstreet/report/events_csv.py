"""events.csv: one row per event of the rules, violations and noted exceptions alike."""

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from calmstreet.errors import InputError
from calmstreet.model.event import Event
from calmstreet.report.tables import time_text

__all__ = ["EVENT_COLUMNS", "write_events"]

EVENT_COLUMNS: tuple[str, ...] = (
    "event_id",
    "kind",
    "camera",
    "start",
    "end",
    "x_m",
    "y_m",
    "road_users",
    "severity",
    "violation",
    "rule",
    "values",
    "reasons",
    "exceptions",
)


def write_events(
    path: Path,
    events: Sequence[Event],
    *,
    tz: str,
    time_known: str = "given",
    labels: Mapping[int, str] | None = None,
) -> None:
    """Write the events in their order; ``labels`` are foreign ids of road users.

    ``violation`` is "no" where an exception was noted. Raises InputError when the file cannot be
    written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(EVENT_COLUMNS)
    writer.writerows(_row(event, tz, time_known, labels or {}) for event in events)
    try:
        path.write_text(text.getvalue(), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from error


def _row(event: Event, tz: str, time_known: str, labels: Mapping[int, str]) -> list[str]:
    return [
        event.event_id,
        event.kind,
        event.camera_id,
        time_text(event.start_ns, tz, time_known=time_known, decimals=3),
        time_text(event.end_ns, tz, time_known=time_known, decimals=3),
        *(_number(metre) for metre in event.place_m),
        " ".join(labels.get(track_id, str(track_id)) for track_id in event.track_ids),
        str(event.severity),
        "no" if event.exceptions else "yes",
        event.rule,
        json.dumps({name: _plain(value) for name, value in event.values.items()}),
        "; ".join(event.reasons),
        "; ".join(event.exceptions),
    ]


def _number(value: float) -> str:
    return f"{value:.2f}" if math.isfinite(value) else ""


def _plain(value: float) -> float | str | None:
    if math.isnan(value):
        return None
    return round(value, 4) if math.isfinite(value) else str(value)
