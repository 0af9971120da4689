"""Doubts about the data of a span, in the catalogue."""

import math
from collections.abc import Sequence

from calmstreet.model.quality_flag import QualityFlag
from calmstreet.store.database import Database

__all__ = ["read_quality", "save_quality"]


def save_quality(
    database: Database,
    camera_id: str,
    flags: Sequence[QualityFlag],
    *,
    start_ns: int,
    end_ns: int,
) -> None:
    """Keep the doubts about a span of a camera in place of those it had."""
    rows = [
        (camera_id, start_ns, end_ns, f.flag, f.what, _known(f.value), _known(f.usual))
        for f in flags
    ]
    with database.writing() as connection:
        connection.execute(
            "DELETE FROM quality_flags WHERE camera_id = ? AND start_ns = ? AND end_ns = ?",
            (camera_id, start_ns, end_ns),
        )
        connection.executemany("INSERT INTO quality_flags VALUES (?, ?, ?, ?, ?, ?, ?)", rows)


def read_quality(
    database: Database, camera_id: str, *, start_ns: int, end_ns: int
) -> list[tuple[int, int, QualityFlag]]:
    """Return start, end and doubt of every span of a camera that touches the given one."""
    with database.guarded() as connection:
        rows = connection.execute(
            "SELECT start_ns, end_ns, flag, what, value, usual FROM quality_flags"
            " WHERE camera_id = ? AND end_ns > ? AND start_ns < ? ORDER BY start_ns, flag, what",
            (camera_id, start_ns, end_ns),
        ).fetchall()
    return [
        (first, last, QualityFlag(flag=flag, what=what, value=_number(value), usual=_number(usual)))
        for first, last, flag, what, value, usual in rows
    ]


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _number(value: float | None) -> float:
    return math.nan if value is None else value
