"""Turning on red where that is allowed: who stopped before the line, and who turned after it.

A gate with ``turn_on_red`` lets those turn on red who stop first. Whoever passes it on red is
followed until it has turned, went straight on, or was lost.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from calmstreet.safety.conduct import beside_gate
from calmstreet.safety.ground_plan import PlanGate
from calmstreet.safety.rows import Block
from calmstreet.safety.rule_settings import RedLight

__all__ = ["SlowestBefore", "turned_to"]

_BESIDE_M = 1.0


@dataclass(slots=True, kw_only=True, eq=False)
class SlowestBefore:
    """How slow each road user was at the least just before a line."""

    wanted: RedLight
    _least: dict[tuple[int, str], float] = field(default_factory=dict)
    _began: set[tuple[int, str]] = field(default_factory=set)

    def at_rows(self, block: Block, gate: PlanGate) -> NDArray[np.float64]:
        """Return for each row of the block the lowest speed so far before the gate.

        (n,) m/s; NaN where it was not seen there, or was first seen there and not to stop: what
        it did before is not known.
        """
        place = block.place(gate.metric, front=True)
        before_m = -gate.ahead(place) * block.unit_m(gate.metric)
        near = (before_m >= 0) & (before_m <= self.wanted.turn_before_m)
        near &= beside_gate(gate, place, _BESIDE_M)
        found = np.full(len(block), np.nan)
        for track_id, start, end in block.spans:
            key = (track_id, gate.id)
            for row in range(start, end):
                found[row] = self._known(key)
                if near[row]:
                    if key not in self._least and block.first_ns[row] == block.t_ns[row]:
                        self._began.add(key)
                    least = self._least.get(key, np.nan)
                    self._least[key] = float(np.fmin(least, block.speed_mps[row]))
                elif not 0 <= before_m[row] <= self.wanted.turn_before_m:
                    self._least.pop(key, None)
                    self._began.discard(key)
        return found

    def _known(self, key: tuple[int, str]) -> float:
        least = self._least.get(key, np.nan)
        return np.nan if key in self._began and least > self.wanted.turn_stop_mps else least


def turned_to(heading_rad: float, *, was_rad: float, least_rad: float) -> str:
    """Return "left" or "right" for a change of heading of ``least_rad`` or more, "" for less.

    >>> turned_to(-1.5, was_rad=0.1, least_rad=0.6), turned_to(3.1, was_rad=-3.1, least_rad=0.6)
    ('right', '')
    """
    change = float(np.arctan2(np.sin(heading_rad - was_rad), np.cos(heading_rad - was_rad)))
    if not abs(change) >= least_rad:
        return ""
    return "left" if change > 0 else "right"
