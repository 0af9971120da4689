"""Files on their way out: first the row goes, then the file, and a crash in between loses neither.

The path moves to the table ``garbage`` in the transaction that drops its row; ``sweep`` removes
the file, forces the folder and forgets the path. A path that has a row is never removed.
"""

import errno
import os
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

from calmstreet.store.database import Database, marks

__all__ = ["FILE_TABLES", "doom", "paths_of_runs", "sweep"]

FILE_TABLES: tuple[str, ...] = (
    "point_files",
    "smoothed_files",
    "step_files",
    "pictures",
    "evidence_files",
    "segments",
)
"""Tables with one row for each file: path, size_bytes, sha256."""

_KEPT = " UNION ALL ".join(f"SELECT path FROM {table}" for table in FILE_TABLES)


def paths_of_runs(connection: sqlite3.Connection, run_ids: Sequence[int]) -> list[str]:
    """Return every file that belongs to the runs."""
    return [
        str(row[0])
        for table in FILE_TABLES
        for row in connection.execute(
            f"SELECT path FROM {table} WHERE run_id IN ({marks(run_ids)})", run_ids
        )
    ]


def doom(connection: sqlite3.Connection, paths: Iterable[str]) -> None:
    """Note files whose rows go in this transaction."""
    connection.executemany("INSERT OR IGNORE INTO garbage VALUES (?)", [(path,) for path in paths])


def sweep(database: Database, folder: Path) -> int:
    """Remove the noted files that have no row; return how many are gone.

    What the disk does not let go stays noted for the next time.
    """
    with database.guarded() as connection:
        rows = connection.execute(
            f"SELECT path FROM garbage WHERE path NOT IN ({_KEPT})"
        ).fetchall()
    gone = [path for (path,) in rows if _removed(folder / path)]
    for parent in {(folder / path).parent for path in gone}:
        _force(parent)
    if gone:
        with database.writing() as connection:
            connection.executemany("DELETE FROM garbage WHERE path = ?", [(path,) for path in gone])
    return len(gone)


def _removed(path: Path) -> bool:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        return error.errno == errno.ENOTDIR
    return True


def _force(folder: Path) -> None:
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
