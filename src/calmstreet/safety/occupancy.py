"""How long was watched, and how long each gate was covered: whole UTC minutes, kept as integers.

A step lasts until the next one; a pause of more than two seconds was not watched. The box on the
picture covers a gate earlier or longer than the vehicle covers the road, the more so the flatter
the camera looks: occupancy compares times of one gate, not gates with each other.
"""

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.flow import Minutes
from calmstreet.units import NS_PER_S

__all__ = ["MAX_PAUSE_NS", "MinuteTally"]

MAX_PAUSE_NS = 2 * NS_PER_S
_MINUTE_NS = 60 * NS_PER_S


class MinuteTally:
    """Adds up watched and covered time from blocks of whole steps."""

    def __init__(self, *, gate_ids: tuple[str, ...]) -> None:
        self._gate_ids = gate_ids
        self._minutes: dict[int, NDArray[np.int64]] = {}
        self._spells: list[list[int]] = []
        self._last_ns = np.empty(0, np.int64)
        self._last_covered = np.empty((0, len(gate_ids) + 1), bool)

    def add(
        self, steps_ns: NDArray[np.int64], row_ns: NDArray[np.int64], covered: NDArray[np.bool_]
    ) -> None:
        """Add steps (n,) and the rows seen in them: times (m,), covered (m, gates)."""
        state = np.zeros((len(steps_ns), len(self._gate_ids) + 1), bool)
        state[:, 0] = True
        at = np.searchsorted(steps_ns, row_ns)
        for gate in range(covered.shape[1]):
            state[at[covered[:, gate]], gate + 1] = True
        times = np.concatenate([self._last_ns, steps_ns])
        states = np.concatenate([self._last_covered, state])
        self._last_ns, self._last_covered = times[-1:], states[-1:]
        self._spell(times)
        self._spread(times, states)

    def _spell(self, times: NDArray[np.int64]) -> None:
        breaks = np.flatnonzero(np.diff(times) > MAX_PAUSE_NS)
        if not self._spells and len(times):
            self._spells.append([int(times[0]), int(times[0])])
        for place in breaks:
            self._spells[-1][1] = int(times[place])
            self._spells.append([int(times[place + 1]), int(times[place + 1])])
        if len(times):
            self._spells[-1][1] = int(times[-1])

    def _spread(self, times: NDArray[np.int64], states: NDArray[np.bool_]) -> None:
        lasting = np.diff(times)
        lasting[lasting > MAX_PAUSE_NS] = 0
        minute = times[:-1] // _MINUTE_NS
        here = np.minimum(lasting, (minute + 1) * _MINUTE_NS - times[:-1])
        for shift, part in ((0, here), (1, lasting - here)):
            spent = part[:, None] * states[:-1]
            for number in np.unique(minute[part > 0]):
                total = spent[minute == number].sum(axis=0)
                place = int(number) + shift
                self._minutes[place] = self._minutes.get(place, 0) + total

    def finish(self) -> tuple[Minutes, NDArray[np.int64]]:
        """Return the minutes and the unbroken spells of watching, int64 (n, 2)."""
        numbers = sorted(self._minutes)
        width = len(self._gate_ids) + 1
        table = np.array([self._minutes[n] for n in numbers], np.int64).reshape(-1, width)
        minutes = Minutes(
            gate_ids=self._gate_ids,
            start_ns=np.array(numbers, np.int64) * _MINUTE_NS,
            watched_s=table[:, 0] / NS_PER_S,
            occupied_s=table[:, 1:] / NS_PER_S,
        )
        return minutes, np.array(self._spells, np.int64).reshape(-1, 2)
