"""Tells within two seconds when a disk of the node is full, in a thread that no disk holds up.

A camera's process finds out when it writes, but then it may wait: for the disk to force what
others wrote, and up to five seconds for the catalogue's lock. Asking how much room there is waits
for neither.
"""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from calmstreet.clock import Clock
from calmstreet.errors import StoreError
from calmstreet.store.space import Space, least_bytes, reserve_bytes, space_of

__all__ = ["RoomWatch", "trouble_of"]

LOOK_S = 1.0
AGAIN_S = 60.0


def trouble_of(space: Space) -> str:
    """Return why a disk takes no more, or soon will not, in a sentence; "" while there is room.

    >>> trouble_of(Space(free_bytes=3_000_000, total_bytes=10**9))
    'the disk is full: no run begins, points wait in memory'
    """
    if space.read_only:
        return "the disk may only be read: nothing is stored"
    if not space.takes_files:
        return "the disk takes no more files: nothing new is stored"
    if space.free_bytes < least_bytes(space):
        return "the disk is full: no run begins, points wait in memory"
    if space.free_bytes < reserve_bytes(space):
        return "the disk is nearly full: recording pauses"
    return ""


class RoomWatch:
    """Looks after the disks below some folders, each disk once; ``say`` writes to the log.

    ``folders`` gives the folder of each camera; one that is not there yet lies on its parent's
    disk. ``begin`` starts the thread, ``close`` ends it.
    """

    def __init__(
        self,
        *,
        folders: Callable[[], Mapping[str, Path]],
        say: Callable[..., None],
        clock: Clock,
    ) -> None:
        self._folders, self._say, self._clock = folders, say, clock
        self._told: dict[int, tuple[str, float]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="room", daemon=True)

    @property
    def troubled(self) -> bool:
        """Return whether any disk lacks room."""
        return any(note for note, _ in list(self._told.values()))

    def begin(self) -> None:
        """Start looking."""
        self._thread.start()

    def close(self) -> None:
        """Stop looking."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(LOOK_S)

    def _work(self) -> None:
        self.look()
        while not self._stop.wait(LOOK_S):
            self.look()

    def look(self) -> None:
        """Look once; tell what changed, and what lasts once a minute."""
        found: dict[int, tuple[list[str], Space]] = {}
        for name, folder in self._folders().items():
            place = folder if folder.is_dir() else folder.parent
            try:
                device, space = place.stat().st_dev, space_of(place)
            except (OSError, StoreError):
                continue
            found.setdefault(device, ([], space))[0].append(name)
        for device, (names, space) in found.items():
            self._judge(device, sorted(names), space)

    def _judge(self, device: int, names: list[str], space: Space) -> None:
        note, now_s = trouble_of(space), self._clock.monotonic_s()
        before, told_s = self._told.get(device, ("", float("-inf")))
        if note == before and (not note or now_s - told_s < AGAIN_S):
            return
        self._told[device] = (note, now_s)
        fields: dict[str, Any] = {"cameras": names, "free_bytes": space.free_bytes}
        if note:
            self._say("error", alarm="node", reason="disk-full", note=note, **fields)
        else:
            self._say("info", says="the disk has room again", **fields)
