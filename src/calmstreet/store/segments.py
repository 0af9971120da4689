"""Pieces of blurred video in the catalogue: where each lies, what for, until when."""

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from calmstreet.model.kept import PURPOSES, FinishedFile, Segment
from calmstreet.store.database import Database
from calmstreet.store.garbage import doom
from calmstreet.units import NS_PER_S

__all__ = [
    "SegmentName",
    "add_segment",
    "lock_reviewed",
    "name_of",
    "read_segments",
    "segment_path",
]

_COLUMNS = (
    "segment_id, camera_id, start_ns, end_ns, path, size_bytes, sha256, purpose, event_id, "
    "locked, expires_ns"
)
_NAME = re.compile(r"\.?([a-z]+)-(-?\d+)-(\d+)(?:-([0-9a-f]{16}))?(-main)?\.mp4(?:\.part)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentName:
    """What the name of a segment's file says; it is all that a crash leaves of the row.

    ``main`` says that it was cut from the camera's main stream; without it the name is that of
    the same clip from the sub-stream, whose place it takes.
    """

    camera_id: str
    purpose: str
    start_ns: int
    run_id: int
    event_id: str = ""
    main: bool = False


def segment_path(folder: Path, name: SegmentName) -> Path:
    """Return where a segment goes: segments/camera=ID/date=UTC/PURPOSE-START-RUN[-EVENT].mp4.

    One of the main stream ends with ``-main.mp4``.
    Hand it to ``video.segment_writer.SegmentWriter``; ``recover`` reads the name again.

    >>> name = SegmentName(camera_id="north", purpose="audit", start_ns=5, run_id=2)
    >>> segment_path(Path("r"), name).as_posix()
    'r/segments/camera=north/date=1970-01-01/audit-5-2.mp4'
    """
    date = datetime.fromtimestamp(name.start_ns // NS_PER_S, UTC).date().isoformat()
    event = f"-{name.event_id}" if name.event_id else ""
    stem = f"{name.purpose}-{name.start_ns}-{name.run_id}{event}{'-main' if name.main else ''}"
    return folder / "segments" / f"camera={name.camera_id}" / f"date={date}" / f"{stem}.mp4"


def name_of(path: Path) -> SegmentName | None:
    """Return what the name of a segment's file, or of its ``.part``, says; None for another file.

    >>> name_of(Path("segments/camera=north/date=1970-01-01/.audit-5-2.mp4.part")).purpose
    'audit'
    """
    found = _NAME.fullmatch(path.name)
    camera = path.parent.parent.name
    if found is None or found[1] not in PURPOSES or not camera.startswith("camera="):
        return None
    return SegmentName(
        camera_id=camera.removeprefix("camera="),
        purpose=found[1],
        start_ns=int(found[2]),
        run_id=int(found[3]),
        event_id=found[4] or "",
        main=bool(found[5]),
    )


def add_segment(
    database: Database,
    folder: Path,
    file: FinishedFile,
    *,
    expires_ns: int | None = None,
    locked: bool = False,
) -> Segment:
    """Keep the row of a finished file that ``segment_path`` named; the same path replaces it.

    A clip of the main stream takes over the row of its twin from the sub-stream, whose file goes.
    A run that is not known (any more) is left out of the row. Raises ValueError for a file that
    lies elsewhere.
    """
    name = name_of(file.path)
    if name is None:
        raise ValueError(f"{file.path} is no name of a segment")
    path = file.path.relative_to(folder).as_posix()
    with database.writing() as connection:
        if name.main and (taken := _taken_over(connection, folder, name, file, path)) is not None:
            return taken
        connection.execute(
            "INSERT OR IGNORE INTO cameras (camera_id, first_ns) VALUES (?, ?)",
            (name.camera_id, file.start_ns),
        )
        connection.execute("DELETE FROM segments WHERE path = ?", (path,))
        segment_id = connection.execute(
            "INSERT INTO segments (camera_id, run_id, start_ns, end_ns, path, size_bytes, sha256,"
            " purpose, event_id, locked, expires_ns) VALUES (?,"
            " (SELECT run_id FROM runs WHERE run_id = ?), ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (name.camera_id, name.run_id, file.start_ns, file.end_ns, path, file.size_bytes,
             file.sha256, name.purpose, name.event_id, int(locked), expires_ns),
        ).lastrowid  # fmt: skip
    return Segment(
        segment_id=int(segment_id or 0),
        camera_id=name.camera_id,
        start_ns=file.start_ns,
        end_ns=file.end_ns,
        path=path,
        size_bytes=file.size_bytes,
        sha256=file.sha256,
        purpose=name.purpose,
        event_id=name.event_id,
        locked=locked,
        expires_ns=expires_ns,
    )


def _taken_over(
    connection: sqlite3.Connection, folder: Path, name: SegmentName, file: FinishedFile, path: str
) -> Segment | None:
    """Give a clip of the main stream the row of its twin, if there is one; its file is doomed."""
    twin = segment_path(folder, replace(name, main=False)).relative_to(folder).as_posix()
    row = connection.execute(f"SELECT {_COLUMNS} FROM segments WHERE path = ?", (twin,)).fetchone()
    if row is None:
        return None
    connection.execute(
        "UPDATE segments SET path = ?, start_ns = ?, end_ns = ?, size_bytes = ?, sha256 = ?"
        " WHERE path = ?",
        (path, file.start_ns, file.end_ns, file.size_bytes, file.sha256, twin),
    )
    doom(connection, [twin])
    return replace(
        _segment_of(row),
        path=path,
        start_ns=file.start_ns,
        end_ns=file.end_ns,
        size_bytes=file.size_bytes,
        sha256=file.sha256,
    )


def _segment_of(row: Sequence[Any]) -> Segment:
    values: dict[str, Any] = dict(zip(_COLUMNS.split(", "), row, strict=True))
    return Segment(**{**values, "locked": bool(values["locked"])})


def read_segments(
    database: Database, camera_id: str, *, purposes: Sequence[str] = PURPOSES, event_id: str = ""
) -> list[Segment]:
    """Return the segments of a camera in order of time; of one event only where one is named."""
    with database.guarded() as connection:
        rows = connection.execute(
            f"SELECT {_COLUMNS} FROM segments WHERE camera_id = ? AND (? = '' OR event_id = ?)"
            " ORDER BY start_ns, segment_id",
            (camera_id, event_id, event_id),
        ).fetchall()
    found = [_segment_of(row) for row in rows]
    return [segment for segment in found if segment.purpose in purposes]


def lock_reviewed(
    connection: sqlite3.Connection, camera_id: str, *, start_ns: int, end_ns: int
) -> None:
    """Lock the clips of a span that show an accepted or escalated event, let the others go.

    Called in the transaction that keeps a verdict.
    """
    connection.execute(
        "UPDATE segments SET locked = EXISTS (SELECT 1 FROM events JOIN event_states"
        " USING (event_id) WHERE events.camera_id = segments.camera_id AND state != 'rejected'"
        " AND events.start_ns <= segments.end_ns AND events.end_ns >= segments.start_ns)"
        " WHERE purpose = 'event' AND camera_id = ? AND start_ns <= ? AND end_ns >= ?",
        (camera_id, end_ns, start_ns),
    )
