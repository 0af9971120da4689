"""Recording pauses while the disk lacks room: told at once, kept as a gap of pictures."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from calmstreet.clock import Clock
from calmstreet.errors import StoreError
from calmstreet.model.gap import Gap
from calmstreet.store.space import DiskGuard, reserve_bytes, space_of

__all__ = ["DiskPause"]


@dataclass(slots=True, kw_only=True)
class DiskPause:
    """Asks the disk of one camera's ``folder``; ``alarm`` tells, ``declare`` keeps a gap."""

    camera_id: str
    folder: Path
    clock: Clock
    alarm: Callable[[str], None]
    declare: Callable[[Gap], None]
    _guard: DiskGuard = field(init=False)
    _since_ns: int | None = None

    def __post_init__(self) -> None:
        reserve = reserve_bytes(space_of(self.folder))
        self._guard = DiskGuard(folder=self.folder, reserve_bytes=reserve)

    def has_room(self, *, ends: bool = False) -> bool:
        """Return whether there is room to record; with ``ends`` the pause is over in any case."""
        room = self._guard.may_record()
        if not room and self._since_ns is None:
            self._since_ns = self.clock.now_ns()
            self.alarm("recording pauses: the disk is nearly full")
        if self._since_ns is not None and (room or ends):
            gap = Gap(
                camera_id=self.camera_id, start_ns=self._since_ns, end_ns=self.clock.now_ns(),
                reason="disk-full", affects="pictures",
            )  # fmt: skip
            with suppress(StoreError):
                self.declare(gap)
                self._since_ns = None
        return room
