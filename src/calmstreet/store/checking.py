"""Whether a folder and its catalogue agree: every row has its file, every file its row."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from calmstreet.store.catalogue import Catalogue
from calmstreet.store.folder import is_written, sha256_of
from calmstreet.store.garbage import FILE_TABLES
from calmstreet.store.proof import MARK

__all__ = ["LEVELS", "Checked", "Fault", "check_folder", "forget_missing"]

LEVELS: tuple[str, ...] = ("presence", "size", "hash")
"""How closely to look: is it there, is it as long, is it the same."""

_CHECKED = ("points", "smoothed", "steps", "segments", "pictures", "evidence")
_LEFTOVER = re.compile(r"\..*\.tmp|.*\.part")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One disagreement.

    ``kind``: missing (a row without its file), size, hash (another content), unknown (a file
    without a row), leftover (a crash left it; ``recover`` deals with it), catalogue.
    """

    kind: str
    path: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What was looked at and what is wrong; ``written`` while a camera or analysis writes it."""

    level: str
    files: int
    size_bytes: int
    written: bool
    faults: tuple[Fault, ...]


def check_folder(catalogue: Catalogue, *, level: str = "size") -> Checked:
    """Compare the folder with its catalogue; nothing is changed.

    While somebody writes, what is being written is passed over. Raises ValueError for an unknown
    level, StoreError where the catalogue cannot be read.
    """
    if level not in LEVELS:
        raise ValueError(f"level {level!r} is none of {', '.join(LEVELS)}")
    written = is_written(catalogue.folder)
    found = dict(_files(catalogue.folder))
    rows = _rows(catalogue)
    faults = [*_catalogue_faults(catalogue)]
    for path, size_bytes, digest in rows:
        fault = _fault_of(catalogue.folder / path, found.pop(path, None), size_bytes, digest, level)
        faults += [Fault(kind=fault[0], path=path, note=fault[1])] if fault else []
    for path in sorted(found):
        leftover = _LEFTOVER.fullmatch(Path(path).name) is not None
        if not written:
            faults.append(Fault(kind="leftover" if leftover else "unknown", path=path))
    return Checked(
        level=level,
        files=len(rows),
        size_bytes=sum(size_bytes for _, size_bytes, _ in rows),
        written=written,
        faults=tuple(faults),
    )


def _files(folder: Path) -> Iterator[tuple[str, int]]:
    """Yield path (relative, with "/") and size of every file that should have a row."""
    waiting = [(folder / part, part) for part in _CHECKED]
    while waiting:
        place, name = waiting.pop()
        with suppress(FileNotFoundError), os.scandir(place) as entries:
            for entry in entries:
                path = f"{name}/{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    waiting.append((place / entry.name, path))
                elif entry.name != MARK:
                    yield path, entry.stat().st_size


def _rows(catalogue: Catalogue) -> list[tuple[str, int, str]]:
    sql = " UNION ALL ".join(f"SELECT path, size_bytes, sha256 FROM {t}" for t in FILE_TABLES)
    with catalogue.database.guarded() as connection:
        return [(str(p), int(n), str(digest)) for p, n, digest in connection.execute(sql)]


def _fault_of(
    path: Path, found_bytes: int | None, size_bytes: int, digest: str, level: str
) -> tuple[str, str] | None:
    if found_bytes is None:
        return "missing", ""
    if level != "presence" and found_bytes != size_bytes:
        return "size", f"{found_bytes} bytes instead of {size_bytes}"
    if level == "hash":
        try:
            same = sha256_of(path) == digest
        except OSError as error:
            return "hash", f"cannot be read ({error.strerror})"
        return None if same else ("hash", "its content changed")
    return None


def _catalogue_faults(catalogue: Catalogue) -> Iterator[Fault]:
    with catalogue.database.guarded() as connection:
        for (said,) in connection.execute("PRAGMA quick_check(5)").fetchall():
            if said != "ok":
                yield Fault(kind="catalogue", path="catalogue.sqlite", note=str(said))
        for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check").fetchall():
            note = f"row {row} of {table} belongs to no row of {parent}"
            yield Fault(kind="catalogue", path="catalogue.sqlite", note=note)


def forget_missing(catalogue: Catalogue) -> int:
    """Drop the rows of files that are not there; return how many. Only a person asks for this."""
    found = dict(_files(catalogue.folder))
    missing = [(path,) for path, _, _ in _rows(catalogue) if path not in found]
    with catalogue.database.writing() as connection:
        for table in FILE_TABLES:
            connection.executemany(f"DELETE FROM {table} WHERE path = ?", missing)
    return len(missing)
