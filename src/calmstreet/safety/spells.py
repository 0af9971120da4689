"""How long something has held for each road user: spells, the same for any cutting into blocks."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.event import Event
from calmstreet.safety.rows import Block
from calmstreet.units import ns_from_s

__all__ = ["Spell", "Spells"]


@dataclass(slots=True, kw_only=True, eq=False)
class Spell:
    """One spell of one road user: since when, where it began (``origin``), the last row so far.

    ``event`` is what a rule made of it; ``notes`` whatever it wants to remember.
    """

    track_id: int
    since_ns: int
    last_ns: int
    origin: NDArray[np.float64]
    event: Event | None = None
    notes: dict[str, float] = field(default_factory=dict)


class Spells:
    """Follows a condition; it may fail for ``grace_s`` without ending a spell.

    Spells that are over are forgotten, and none holds more of a block than its own place.
    """

    def __init__(self, *, grace_s: float = 1.0) -> None:
        self._grace_ns = ns_from_s(grace_s)
        self._open: dict[int, Spell] = {}

    def take(
        self, block: Block, holds: NDArray[np.bool_], place: NDArray[np.float64]
    ) -> Iterator[tuple[Spell, NDArray[np.intp]]]:
        """Yield each spell that goes on in the block with its rows, in order of user, then time."""
        rows = np.flatnonzero(holds)
        if len(rows):
            track, t_ns = block.track_id[rows], block.t_ns[rows]
            parted = (np.diff(track) != 0) | (np.diff(t_ns) > self._grace_ns)
            for mine in np.split(rows, np.flatnonzero(parted) + 1):
                yield self._grown(block, mine, place), mine
        if len(block.steps):
            self._close(int(block.steps[-1]) - self._grace_ns)

    def _grown(self, block: Block, mine: NDArray[np.intp], place: NDArray[np.float64]) -> Spell:
        track_id, first_ns = int(block.track_id[mine[0]]), int(block.t_ns[mine[0]])
        spell = self._open.get(track_id)
        if spell is not None and first_ns - spell.last_ns > self._grace_ns:
            spell = None
        if spell is None:
            spell = Spell(
                track_id=track_id,
                since_ns=first_ns,
                last_ns=first_ns,
                origin=place[mine[0]].copy(),
            )
            self._open[track_id] = spell
        spell.last_ns = int(block.t_ns[mine[-1]])
        return spell

    def _close(self, before_ns: int) -> None:
        for track_id in [t for t, spell in self._open.items() if spell.last_ns < before_ns]:
            del self._open[track_id]
