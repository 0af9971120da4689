"""What the signal heads showed at any time so far."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calmstreet.model.signals import SignalChanges, SignalState

__all__ = ["UNKNOWN_STATE", "SignalLog"]

UNKNOWN_STATE = 255
"""State before the first change that is known."""


class SignalLog:
    """Changes of state as they come, by head."""

    def __init__(self, changes: SignalChanges | None = None) -> None:
        self._t_ns: dict[str, NDArray[np.int64]] = {}
        self._state: dict[str, NDArray[np.uint8]] = {}
        if changes is not None:
            self.add(changes)

    @property
    def heads(self) -> tuple[str, ...]:
        """Return the heads of which anything is known."""
        return tuple(sorted(self._t_ns))

    def add(self, changes: SignalChanges) -> None:
        """Take more changes, in order of time."""
        for head in np.unique(changes.signal_id).tolist():
            mine = changes.signal_id == head
            old_ns = self._t_ns.get(head, np.empty(0, np.int64))
            old = self._state.get(head, np.empty(0, np.uint8))
            self._t_ns[head] = np.concatenate([old_ns, changes.t_ns[mine]])
            self._state[head] = np.concatenate([old, changes.state[mine]])

    def at(self, head: str, t_ns: ArrayLike) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Return state (n,) and since when (n,) at times (n,); UNKNOWN_STATE, 0 when unknown.

        >>> log = SignalLog(SignalChanges(t_ns=np.array([5, 9]), signal_id=np.array(["a", "a"]),
        ...     state=np.array([1, 4]), confidence=np.ones(2)))
        >>> [column.tolist() for column in log.at("a", [4, 5, 10])]
        [[255, 1, 4], [0, 5, 9]]
        """
        times = np.atleast_1d(np.asarray(t_ns, np.int64))
        if head not in self._t_ns:
            return np.full(len(times), UNKNOWN_STATE, np.uint8), np.zeros(len(times), np.int64)
        place = np.searchsorted(self._t_ns[head], times, side="right") - 1
        known = place >= 0
        place = np.maximum(place, 0)
        state = np.where(known, self._state[head][place], UNKNOWN_STATE).astype(np.uint8)
        return state, np.where(known, self._t_ns[head][place], 0)

    def red_since(self, head: str, t_ns: int) -> int | None:
        """Return since when a head has been red (or red and amber) at a time; None when it is not.

        The onset is that of red, also while red and amber shows.
        """
        if head not in self._t_ns:
            return None
        place = int(np.searchsorted(self._t_ns[head], t_ns, side="right")) - 1
        onset = None
        while place >= 0 and self._state[head][place] in _REDS:
            onset = int(self._t_ns[head][place])
            place -= 1
        return onset

    def green_since(self, head: str, t_ns: int) -> int | None:
        """Return since when a head has been green at a time; None when it is not."""
        state, since = self.at(head, [t_ns])
        return int(since[0]) if state[0] == SignalState.GREEN else None

    def changes_of(self, head: str) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Return times and states of a head."""
        return self._t_ns[head], self._state[head]


_REDS = (SignalState.RED, SignalState.RED_AMBER)
