"""The result folder: where things lie, and how a file gets there without ever being half a file."""

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from calmstreet.errors import StoreError

__all__ = [
    "CATALOGUE_NAME",
    "JUDGE_LOCK",
    "PARTS",
    "StoredFile",
    "checked_path",
    "is_written",
    "only_writer",
    "remove_quietly",
    "sha256_of",
    "write_whole",
]

CATALOGUE_NAME = "catalogue.sqlite"
_LOCK_NAME = ".writing"
JUDGE_LOCK = ".judging"
"""Lock of the one process that judges a live camera's ended runs, beside the one that watches."""

PARTS: tuple[str, ...] = (
    "points",
    "smoothed",
    "steps",
    "segments",
    "pictures",
    "evidence",
    "out",
    "tmp",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """One finished file: ``content`` "points", "steps", ..., ``path`` relative to the folder.

    ``start_ns`` and ``end_ns`` are the first and the last analysed step that it covers.
    """

    content: str
    path: str
    camera_id: str
    run_id: int
    rows: int
    start_ns: int
    end_ns: int
    size_bytes: int
    sha256: str


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file, 64 hex digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Let ``write`` fill a temporary file beside ``path``, then put it in its place for good.

    The order is: write, fsync of the file, rename, fsync of the folder. After a crash either the
    whole new file is there or the old state. Raises StoreError when the disk refuses.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(temporary)
        _sync(temporary)
        temporary.replace(path)
        _sync(path.parent)
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written ({error.strerror}); free the disk or choose another folder"
        ) from error
    finally:
        remove_quietly(temporary)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_quietly(path: Path) -> None:
    """Remove a file that may be gone already or that the disk keeps; upkeep finds it again."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return


def checked_path(folder: Path, file: StoredFile) -> Path:
    """Return where a stored file lies; raise StoreError when it is missing or of another size."""
    path = folder / file.path
    try:
        size_bytes = path.stat().st_size
    except OSError as error:
        raise StoreError(
            f"{path} is missing; bring it back from a copy or analyse the video again"
        ) from error
    if size_bytes != file.size_bytes:
        raise StoreError(
            f"{path} is damaged: {size_bytes} bytes instead of {file.size_bytes}; "
            "bring it back from a copy or analyse the video again"
        )
    return path


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Hold the folder for one analysis; raise StoreError while another process holds it."""
    lock = folder / _LOCK_NAME
    stream = _lock(folder, lock)
    try:
        yield
    finally:
        remove_quietly(lock)
        stream.close()


def is_written(folder: Path) -> bool:
    """Return whether a camera, its judge or an analysis is at work now; nothing is changed."""
    return any(_is_held(folder / name) for name in (_LOCK_NAME, JUDGE_LOCK))


def _is_held(lock: Path) -> bool:
    try:
        with lock.open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def _lock(folder: Path, lock: Path) -> IO[str]:
    """Return the locked file; one that its last holder removed meanwhile is opened anew."""
    while True:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            stream = lock.open("w")
        except OSError as error:
            raise StoreError(
                f"{folder} cannot be written ({error.strerror}); choose another folder"
            ) from error
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(stream.fileno()), lock.stat()):
                return stream
        except FileNotFoundError:
            pass
        except OSError as error:
            stream.close()
            raise StoreError(
                f"{folder} is being written by another analysis; wait until it has ended"
            ) from error
        stream.close()
