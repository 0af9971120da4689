"""Room on the disk: how much is left, and when recording must pause."""

import os
from dataclasses import dataclass
from pathlib import Path

from calmstreet.errors import StoreError
from calmstreet.store.proof import MARK

__all__ = ["DiskGuard", "Space", "least_bytes", "reserve_bytes", "space_of"]

_BACK_SHARE = 1.25
_RESERVE_SHARE = 0.02
_MOST_RESERVE_BYTES = 512_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """Bytes that a folder's disk still takes from us, and bytes that it has.

    ``takes_files`` is False where it takes no more files; ``read_only`` says it takes nothing.
    """

    free_bytes: int
    total_bytes: int
    takes_files: bool = True
    read_only: bool = False


def space_of(folder: Path) -> Space:
    """Return the room on the disk of a folder; raise StoreError when the disk is gone."""
    try:
        found = os.statvfs(folder)
    except OSError as error:
        raise StoreError(f"{folder} cannot be read ({error.strerror}); check the disk") from error
    return Space(
        free_bytes=found.f_bavail * found.f_frsize,
        total_bytes=found.f_blocks * found.f_frsize,
        takes_files=found.f_favail > 0 or not found.f_files,
        read_only=bool(found.f_flag & os.ST_RDONLY),
    )


def reserve_bytes(space: Space) -> int:
    """Return the room that recording leaves to points and catalogue.

    >>> reserve_bytes(Space(free_bytes=0, total_bytes=10**9))
    20000000
    """
    return min(_MOST_RESERVE_BYTES, round(_RESERVE_SHARE * space.total_bytes))


def least_bytes(space: Space) -> int:
    """Return the room without which no run begins.

    >>> least_bytes(Space(free_bytes=0, total_bytes=10**9))
    5000000
    """
    return reserve_bytes(space) // 4


class DiskGuard:
    """Says when recording must pause, so that points and the catalogue keep their room.

    Recording pauses below ``reserve_bytes`` and comes back above a quarter more, and while the
    mark of ``segments/`` is gone that was there before: the disk was unmounted under us. Asking
    costs a few microseconds: ask before every segment, and every second while paused.
    """

    def __init__(self, *, folder: Path, reserve_bytes: int) -> None:
        self._folder = folder
        self._reserve_bytes = reserve_bytes
        self._mark = folder / "segments" / MARK
        self._marked = False
        self.paused = False

    def may_record(self) -> bool:
        """Return whether there is room; a disk that cannot be asked has none."""
        try:
            free_bytes = space_of(self._folder).free_bytes
        except StoreError:
            self.paused = True
            return False
        marked = self._mark.is_file()
        self._marked = self._marked or marked
        share = _BACK_SHARE if self.paused else 1.0
        self.paused = free_bytes < share * self._reserve_bytes or marked != self._marked
        return not self.paused
