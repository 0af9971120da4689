"""Events in the catalogue: one row each, their road users beside them."""

import json
import math
from collections.abc import Sequence

from calmstreet.model.event import Event
from calmstreet.store.database import Database, marks

__all__ = ["COLUMNS", "drop_events", "event_of", "read_events", "save_events"]

COLUMNS = (
    "event_id, kind, camera_id, start_ns, end_ns, x_m, y_m, severity, rule, "
    "values_json, reasons_json, exceptions_json"
)
"""Columns of an event as ``event_of`` takes them."""
_INFINITE = {"inf": math.inf, "-inf": -math.inf}


def values_to_json(values: dict[str, float]) -> str:
    """Return numbers as strict JSON: NaN as null, infinities as "inf" and "-inf".

    >>> values_to_json({"ttc_s": math.inf, "pet_s": math.nan})
    '{"ttc_s": "inf", "pet_s": null}'
    """
    plain: dict[str, float | str | None] = {}
    for name, value in values.items():
        if math.isnan(value):
            plain[name] = None
        else:
            plain[name] = str(value) if math.isinf(value) else value
    return json.dumps(plain, allow_nan=False)


def values_from_json(text: str) -> dict[str, float]:
    """Return the numbers of ``values_to_json``.

    >>> values_from_json('{"pet_s": null, "ttc_s": "inf"}')
    {'pet_s': nan, 'ttc_s': inf}
    """
    return {
        name: math.nan if value is None else float(_INFINITE.get(value, value))
        for name, value in json.loads(text).items()
    }


def save_events(database: Database, run_id: int, events: Sequence[Event]) -> None:
    """Add events of one run, or write them anew where they are known already."""
    rows = [_row(run_id, event) for event in events]
    tracks = [
        (run_id, event.event_id, position, track_id)
        for event in events
        for position, track_id in enumerate(event.track_ids)
    ]
    with database.writing() as connection:
        connection.executemany(
            "DELETE FROM events WHERE run_id = ? AND event_id = ?", [row[:2] for row in rows]
        )
        connection.executemany(
            f"INSERT INTO events (run_id, {COLUMNS}) VALUES ({marks(range(13))})", rows
        )
        connection.executemany("INSERT INTO event_tracks VALUES (?, ?, ?, ?)", tracks)


def _row(run_id: int, event: Event) -> tuple[object, ...]:
    return (
        run_id,
        event.event_id,
        event.kind,
        event.camera_id,
        event.start_ns,
        event.end_ns,
        *event.place_m,
        event.severity,
        event.rule,
        values_to_json(dict(event.values)),
        json.dumps(event.reasons, ensure_ascii=False),
        json.dumps(event.exceptions, ensure_ascii=False),
    )


def drop_events(database: Database, run_id: int, event_ids: Sequence[str]) -> None:
    """Take events out of one run, with their road users and evidence rows."""
    with database.writing() as connection:
        connection.executemany(
            "DELETE FROM events WHERE run_id = ? AND event_id = ?",
            [(run_id, event_id) for event_id in event_ids],
        )


def read_events(database: Database, run_ids: Sequence[int]) -> list[Event]:
    """Return the events of the runs in order of start, then id."""
    with database.guarded() as connection:
        rows = connection.execute(
            f"SELECT run_id, {COLUMNS} FROM events WHERE run_id IN ({marks(run_ids)})"
            " ORDER BY start_ns, event_id, run_id",
            list(run_ids),
        ).fetchall()
        pairs = connection.execute(
            "SELECT run_id, event_id, track_id FROM event_tracks"
            f" WHERE run_id IN ({marks(run_ids)}) ORDER BY run_id, event_id, position",
            list(run_ids),
        ).fetchall()
    tracks: dict[tuple[int, str], list[int]] = {}
    for run_id, event_id, track_id in pairs:
        tracks.setdefault((run_id, event_id), []).append(track_id)
    return [event_of(row[1:], tuple(tracks.get((row[0], row[1]), ()))) for row in rows]


def event_of(row: Sequence[object], track_ids: tuple[int, ...]) -> Event:
    """Return the event of one row of COLUMNS."""
    event_id, kind, camera_id, start_ns, end_ns, x_m, y_m, severity, rule, *texts = row
    values, reasons, exceptions = (str(text) for text in texts)
    return Event(
        event_id=str(event_id),
        kind=str(kind),
        camera_id=str(camera_id),
        start_ns=_whole(start_ns),
        end_ns=_whole(end_ns),
        place_m=(_number(x_m), _number(y_m)),
        track_ids=track_ids,
        values=values_from_json(values),
        severity=_whole(severity),
        rule=str(rule),
        reasons=tuple(json.loads(reasons)),
        exceptions=tuple(json.loads(exceptions)),
    )


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


def _number(value: object) -> float:
    return value if isinstance(value, float) else math.nan
