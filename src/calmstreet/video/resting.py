"""Where a camera rests: swinging is not resting elsewhere, and being lost for a moment is neither.

Takes turns as they are measured, evenly or not, and tells spells in which the camera lastingly
looked elsewhere than at first. A spell begins at the last instant at which the camera was still
seen where it rested before, and ends at the first at which it is back, so that nothing that was
measured elsewhere is taken for good.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calmstreet.units import NS_PER_S

__all__ = ["Resting", "Spell"]

_WINDOW_NS = 4 * NS_PER_S
_GRID = 40
_CALM_NS = 4 * NS_PER_S
_LOST_NS = 15 * NS_PER_S
_HOME_SHARE = 0.8
_SWUNG = 0.9

Array = NDArray[np.float64]


@dataclass(slots=True, kw_only=True)
class Spell:
    """A stretch of time in which the camera rested elsewhere; ``turn`` None: nobody knows where.

    ``end_ns`` None while it lasts.
    """

    start_ns: int
    turn: Array | None
    end_ns: int | None = None


class Resting:
    """Follows one camera. ``reach`` tells by how many pixels a turn (4,) moves the picture at most.

    ``off_px``: what is further from rest is off it. While the camera was off its rest within the
    last four seconds it is ``stirred`` and must be measured as often as its swing asks for; where
    the middle of four such seconds is off, is another resting place.
    """

    def __init__(self, *, start_ns: int, reach: Callable[[Array], float], off_px: float) -> None:
        self.reach, self._off_px = reach, off_px
        self.rest = np.zeros(4)
        self.spells: list[Spell] = []
        self.swing_px = 0.0
        self._measured: deque[tuple[int, Array]] = deque()
        self._home_ns = start_ns
        self._off_ns: int | None = None
        self._missing_ns: int | None = None

    @property
    def stirred(self) -> bool:
        """Return whether the camera was off its rest within the last seconds."""
        return self._off_ns is not None

    @property
    def lost(self) -> bool:
        """Return whether nobody knows where the camera looks."""
        return bool(self.spells) and self.spells[-1].turn is None and self._open

    @property
    def moved(self) -> bool:
        """Return whether the camera rests elsewhere than at first."""
        return self._open

    @property
    def _open(self) -> bool:
        return bool(self.spells) and self.spells[-1].end_ns is None

    def begin_at(self, t_ns: int, turn: Array) -> None:
        """Say that the camera rests here from the first picture on."""
        if self.reach(turn) > self._off_px:
            self.rest = turn.copy()
            self._change(t_ns, turn)

    def take(self, t_ns: int, turn: Array) -> None:
        """Take a turn that was measured."""
        if self.lost:
            self._measured.clear()
            self._home_ns = t_ns
            self._change(t_ns, self.rest if self.rest.any() else None)
        self._missing_ns = None
        if self.reach(turn - self.rest) > self._off_px:
            self._off_ns = t_ns
        else:
            self._home_ns = t_ns
        if self._off_ns is None:
            return
        self._measured.append((t_ns, turn))
        while self._measured[0][0] < t_ns - _WINDOW_NS:
            self._measured.popleft()
        self._settle(t_ns)
        if t_ns - self._off_ns > _CALM_NS:
            self._off_ns = None
            self._measured.clear()

    def miss(self, t_ns: int) -> None:
        """Take note that the street was found nowhere in a picture that shows something."""
        if self._missing_ns is None:
            self._missing_ns = t_ns
        if not self.lost and t_ns - self._missing_ns >= _LOST_NS:
            self._close(self._home_ns)
            self.spells.append(Spell(start_ns=self._home_ns, turn=None))
            self._off_ns = None
        if self.lost:
            self._home_ns = t_ns

    def _settle(self, t_ns: int) -> None:
        """Take over another resting place, or measure the swing about the one that is."""
        if t_ns - self._measured[0][0] < 0.8 * _WINDOW_NS:
            return
        times = np.array([at_ns for at_ns, _ in self._measured])
        turns = np.array([turn for _, turn in self._measured])
        even = turns[np.searchsorted(times, np.linspace(times[0], times[-1], _GRID), "right") - 1]
        middle = np.sort(even, axis=0)[_GRID // 4 : -(_GRID // 4)].mean(axis=0)
        if self.reach(middle - self.rest) <= self._off_px:
            swing_px = float(np.quantile([self.reach(turn - self.rest) for turn in even], _SWUNG))
            if swing_px > self._off_px:
                self.swing_px = max(self.swing_px, swing_px)
            return
        if self.reach(middle) <= _HOME_SHARE * self._off_px:
            self.rest = np.zeros(4)
            near = [at_ns for at_ns, turn in self._measured if self.reach(turn) <= self._off_px]
            self._change(near[0] if near else t_ns, None)
        else:
            self.rest = middle
            self._change(self._home_ns, middle)
        self._home_ns = t_ns
        self._measured.clear()

    def _change(self, t_ns: int, turn: Array | None) -> None:
        """End the spell that lasts and begin another; None: back where the camera was at first."""
        self._close(t_ns)
        if turn is not None:
            self.spells.append(Spell(start_ns=t_ns, turn=turn.copy()))

    def _close(self, t_ns: int) -> None:
        if not self._open:
            return
        if t_ns > self.spells[-1].start_ns:
            self.spells[-1].end_ns = t_ns
        else:
            self.spells.pop()
