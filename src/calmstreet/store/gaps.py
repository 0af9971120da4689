"""Gaps in the catalogue: times in which a camera was not, or only partly, watched."""

from calmstreet.model.gap import Gap
from calmstreet.store.database import Database

__all__ = ["read_gaps", "save_gap"]

_FIELDS = "camera_id, start_ns, end_ns, reason, affects, note"


def save_gap(database: Database, gap: Gap) -> None:
    """Keep a gap; the same gap again only renews its note. Its camera becomes known."""
    with database.writing() as connection:
        connection.execute(
            "INSERT OR IGNORE INTO cameras (camera_id, first_ns) VALUES (?, ?)",
            (gap.camera_id, gap.start_ns),
        )
        connection.execute(
            f"INSERT INTO gaps ({_FIELDS}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT"
            " (camera_id, start_ns, end_ns, reason, affects) DO UPDATE SET note = excluded.note",
            (gap.camera_id, gap.start_ns, gap.end_ns, gap.reason, gap.affects, gap.note),
        )


def read_gaps(
    database: Database, camera_id: str, *, start_ns: int | None = None, end_ns: int | None = None
) -> list[Gap]:
    """Return the gaps of a camera that touch the span, whole, in order of time."""
    first = -(2**62) if start_ns is None else start_ns
    last = 2**62 if end_ns is None else end_ns
    with database.guarded() as connection:
        rows = connection.execute(
            f"SELECT {_FIELDS} FROM gaps WHERE camera_id = ? AND end_ns >= ? AND start_ns <= ?"
            " ORDER BY start_ns, end_ns, gap_id",
            (camera_id, first, last),
        ).fetchall()
    return [Gap(**dict(zip(_FIELDS.split(", "), row, strict=True))) for row in rows]
