"""Rows on their way to Parquet: two files of fixed records that survive a crash.

A ``.part`` of points and a ``.part`` of steps grow together. Points are written first, so the
steps are the commit log: a step counts when its record is whole and all its rows are there.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import StoreError
from calmstreet.model.points import POINT_COLUMNS, TrackPoints, scalar_columns

__all__ = [
    "POINT_RECORD",
    "STEP_COLUMNS",
    "STEP_RECORD",
    "Part",
    "Parts",
    "last_step_of",
    "read_parts",
]

STEP_COLUMNS: dict[str, Any] = {
    "t_ns": np.int64,
    "looked": np.uint8,
    "flags": np.uint8,
    "rows": np.uint32,
}
"""One row per analysed step: its time, the eyes that looked, flags, rows of points."""

STEP_RECORD = np.dtype(list(STEP_COLUMNS.items()))
POINT_RECORD = np.dtype(
    [
        (name, dtype) if width is None else (name, dtype, (width,))
        for name, dtype, width in POINT_COLUMNS
    ]
)
_MAGIC = {"points": b"calmstreet-pts-2", "steps": b"calmstreet-stp-1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The pair of ``.part`` files of one run and sequence number."""

    points: Path
    steps: Path

    def remove(self) -> None:
        """Remove both files, the steps first: points without steps are nothing."""
        self.steps.unlink(missing_ok=True)
        self.points.unlink(missing_ok=True)


class Parts:
    """The pair of files, open for appending. ``durable`` forces every flush to the disk."""

    def __init__(self, *, part: Part, durable: bool) -> None:
        self._durable = durable
        self._points = _opened(part.points, _MAGIC["points"])
        try:
            self._steps = _opened(part.steps, _MAGIC["steps"])
        except StoreError:
            self._points.close()
            raise
        self._whole = (len(_MAGIC["points"]), len(_MAGIC["steps"]))
        if durable:
            for stream in (self._points, self._steps):
                _force(Path(stream.name).parent)

    def append(self, points: TrackPoints, steps: NDArray[Any]) -> None:
        """Append the rows of whole steps, then their records (STEP_RECORD); all or nothing.

        Raises StoreError when the disk refuses; what was begun is cut off again, so that the same
        rows can be appended later.
        """
        records = np.empty(len(points), POINT_RECORD)
        for name, _, _ in POINT_COLUMNS:
            records[name] = getattr(points, name)
        blocks = (records.tobytes(), steps.tobytes())
        try:
            for stream, block in zip((self._points, self._steps), blocks, strict=True):
                _write_all(stream, block)
                if self._durable:
                    os.fsync(stream.fileno())
        except OSError as error:
            self._cut_back()
            raise _refused(str(self._points.name), error) from error
        self._whole = (self._whole[0] + len(blocks[0]), self._whole[1] + len(blocks[1]))

    def _cut_back(self) -> None:
        for stream, size in zip((self._points, self._steps), self._whole, strict=True):
            with suppress(OSError):
                stream.truncate(size)
                stream.seek(size)

    def close(self) -> None:
        """Close both files."""
        self._points.close()
        self._steps.close()


def _write_all(stream: FileIO, block: bytes) -> None:
    rest = memoryview(block)
    while len(rest):
        rest = rest[stream.write(rest) or 0 :]


def _force(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _opened(path: Path, magic: bytes) -> FileIO:
    stream = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = FileIO(path, "w")
        _write_all(stream, magic)
    except OSError as error:
        if stream is not None:
            stream.close()
        raise _refused(str(path), error) from error
    return stream


def _refused(name: str, error: OSError) -> StoreError:
    return StoreError(
        f"{name} cannot be written ({error.strerror}); free the disk or choose another folder"
    )


def read_parts(part: Part) -> tuple[dict[str, NDArray[Any]], NDArray[Any]]:
    """Return the scalar columns of the points and the records of the steps, whole steps only.

    What a crash left behind the last whole step is passed over.
    """
    steps = _records(part.steps, _MAGIC["steps"], STEP_RECORD)
    points = _records(part.points, _MAGIC["points"], POINT_RECORD)
    ends = np.cumsum(steps["rows"], dtype=np.int64)
    whole = int(np.searchsorted(ends, len(points), side="right"))
    rows = int(ends[whole - 1]) if whole else 0
    columns = {
        name: points[column][:rows] if index is None else points[column][:rows, index]
        for name, _, column, index in scalar_columns()
    }
    return columns, steps[:whole]


def last_step_of(path: Path) -> int | None:
    """Return the time of the last whole record of a ``.part`` of steps, UTC ns; None for none."""
    magic, size = len(_MAGIC["steps"]), STEP_RECORD.itemsize
    try:
        with path.open("rb") as stream:
            whole = (path.stat().st_size - magic) // size
            if whole < 1:
                return None
            stream.seek(magic + (whole - 1) * size)
            return int(np.frombuffer(stream.read(size), STEP_RECORD)["t_ns"][0])
    except FileNotFoundError:
        return None


def _records(path: Path, magic: bytes, record: np.dtype[Any]) -> NDArray[Any]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return np.empty(0, record)
    if content[: len(magic)] != magic[: len(content)]:
        raise StoreError(f"{path} is of another version; remove it to go on without its rows")
    body = memoryview(content)[len(magic) :]
    return np.frombuffer(body[: len(body) // record.itemsize * record.itemsize], record)
