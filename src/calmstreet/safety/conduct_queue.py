"""Queues before a line, spill-back, congestion. A queue is a measure; reaching too far an event.

A queue is the vehicles slower than ``still_mps`` behind a line, chained by gaps below ``gap_m``
from the line on (science of the project, section 8). Its length reaches to the rear of the last.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.event import Event
from calmstreet.safety.conduct import beside_gate, is_motor
from calmstreet.safety.ground_plan import PlanGate, PlanZone
from calmstreet.safety.rows import PAUSE_NS, Block
from calmstreet.safety.rule import Post, Rule, ended, new_event
from calmstreet.units import NS_PER_S, ns_from_s

__all__ = ["QueueRule", "congestion", "queue"]

Array = NDArray[np.float64]


@dataclass(slots=True, kw_only=True)
class Longest:
    """The longest queue at a gate so far: metres, vehicles, when."""

    length_m: float = 0.0
    vehicles: int = 0
    t_ns: int = 0


@dataclass(slots=True, kw_only=True, eq=False)
class QueueRule:
    """Measures the queue at every gate with a signal or sign; spill-back is the event.

    ``longest`` holds the longest queue of each gate of the run. Needs metres.
    """

    post: Post
    name: str = "queue"
    version: int = 1
    why_not: str = ""
    longest: dict[str, Longest] = field(default_factory=dict)
    _gates: tuple[PlanGate, ...] = ()
    _storage_m: dict[str, float] = field(default_factory=dict)
    _spell_ns: dict[str, tuple[int, int]] = field(default_factory=dict)
    _open: dict[str, Event] = field(default_factory=dict)

    def __post_init__(self) -> None:
        governed = [g for g in self.post.plan.gates if (g.signal or g.control) and g.metric]
        self._gates = tuple(gate for gate in governed if gate.forward)
        if not self.post.metric:
            self.why_not = "needs places in metres"
        elif not self._gates:
            self.why_not = "no gate in metres has a signal (or sign) and a direction"
        for gate in self._gates:
            self.longest[gate.id] = Longest()
            self._storage_m[gate.id] = self._room_m(gate)

    def _room_m(self, gate: PlanGate) -> float:
        """Return the room for a queue: as set, else as far as the approach's zone reaches."""
        given: float = self.post.settings(self.name).storage_m
        if given > 0:
            return given
        reach = [
            float(-gate.ahead(zone.polygon).min())
            for zone in self.post.zones("approach", "lane")
            if zone.metric and beside_gate(gate, zone.centre[None], 1.0)[0]
        ]
        return max((m for m in reach if m > 0), default=math.inf)

    def update(self, block: Block) -> Iterator[Event]:
        """Take the next block."""
        wanted = self.post.settings(self.name)
        slow = (block.speed_mps < wanted.still_mps) & is_motor(block)
        for gate in self._gates:
            behind = -gate.ahead(block.front)
            mine = slow & (behind > -3.0) & beside_gate(gate, block.front, wanted.beside_m)
            rows = np.flatnonzero(mine)
            steps = np.searchsorted(block.steps, block.t_ns[rows])
            order = np.lexsort((behind[rows], steps))
            rows, steps = rows[order], steps[order]
            rear = behind[rows] + block.length_m[rows]
            yield from self._chain(block, gate, (steps, behind[rows], rear), rows)

    def _chain(
        self,
        block: Block,
        gate: PlanGate,
        at: tuple[NDArray[np.intp], Array, Array],
        rows: NDArray[np.intp],
    ) -> Iterator[Event]:
        """Find the queue of each step: the first rows of it up to the first gap."""
        steps, front, rear = at
        if not len(rows):
            return
        wanted = self.post.settings(self.name)
        first = np.flatnonzero(np.diff(steps, prepend=-1) != 0)
        gap = front - np.concatenate([[0.0], rear[:-1]])
        gap[first] = front[first]
        ends = np.append(first[1:], len(rows))
        broken = gap >= wanted.gap_m
        for begin, end in zip(first.tolist(), ends.tolist(), strict=True):
            cut = np.flatnonzero(broken[begin:end])
            stop = begin + int(cut[0]) if len(cut) else end
            length_m = float(rear[begin:stop].max()) if stop > begin else 0.0
            t_ns = int(block.steps[steps[begin]])
            known = self.longest[gate.id]
            if length_m > known.length_m:
                known.length_m, known.vehicles, known.t_ns = length_m, stop - begin, t_ns
            last = int(rows[stop - 1]) if stop > begin else int(rows[begin])
            yield from self._spilled(block, gate, t_ns, length_m, last)

    def _spilled(
        self, block: Block, gate: PlanGate, t_ns: int, length_m: float, last: int
    ) -> Iterator[Event]:
        wanted, room_m = self.post.settings(self.name), self._storage_m[gate.id]
        since_ns, last_ns = self._spell_ns.get(gate.id, (t_ns, t_ns))
        if length_m < room_m or t_ns - last_ns > PAUSE_NS:
            self._spell_ns.pop(gate.id, None)
            self._open.pop(gate.id, None)
            since_ns = t_ns
        if length_m < room_m:
            return
        self._spell_ns[gate.id] = (since_ns, t_ns)
        if t_ns - since_ns < ns_from_s(wanted.lasted_s):
            return
        event = self._open.get(gate.id)
        if event is None:
            event = new_event(
                self.post,
                self,
                start_ns=since_ns,
                end_ns=t_ns,
                track_ids=[int(block.track_id[last])],
                place_m=block.at(last),
                kind="spill-back",
                values={"queue_m": length_m, "room_m": room_m},
                reasons=[
                    f"the queue at {gate.id} reached {length_m:.0f} m, room is {room_m:.0f} m"
                ],
                severity=2,
            )
        self._open[gate.id] = ended(event, t_ns)
        yield self._open[gate.id]

    def finish(self) -> Iterator[Event]:
        """Nothing is left to tell."""
        yield from ()


def queue(post: Post) -> Rule:
    """Return the rule at its post."""
    return QueueRule(post=post)


@dataclass(slots=True, kw_only=True, eq=False)
class CongestionRule:
    """``least_users`` vehicles of a zone crawl, on the mean of a step, for ``lasted_s``."""

    post: Post
    name: str = "congestion"
    version: int = 1
    why_not: str = ""
    _kinds: tuple[str, ...] = ("lane", "carriageway", "motorway", "approach")
    _state: dict[str, tuple[int, int]] = field(default_factory=dict)
    _open: dict[str, Event] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.post.zones(*self._kinds):
            self.why_not = "no zone is a lane, carriageway, motorway or approach"

    def update(self, block: Block) -> Iterator[Event]:
        """Take the next block."""
        wanted = self.post.settings(self.name)
        moving = is_motor(block, unknown=False) & np.isfinite(block.speed_mps)
        for zone in self.post.zones(*self._kinds):
            rows = np.flatnonzero(moving & block.inside(zone))
            at = np.searchsorted(block.steps, block.t_ns[rows])
            users = np.bincount(at, minlength=len(block.steps))
            order = np.lexsort((block.track_id[rows], at))
            total = np.zeros(len(block.steps))
            np.add.at(total, at[order], block.speed_mps[rows[order]])
            mean = total / np.maximum(users, 1)
            slow = (users >= wanted.least_users) & (mean < wanted.slow_mps)
            members = block.track_id[rows], block.t_ns[rows]
            yield from self._walk(block, zone, slow, (mean, users), members)

    def _walk(
        self,
        block: Block,
        zone: PlanZone,
        slow: Any,
        measured: tuple[Array, Any],
        members: tuple[NDArray[np.int64], NDArray[np.int64]],
    ) -> Iterator[Event]:
        """Follow spells of slowness; a break of 5 s or more ends one."""
        wanted, (mean, users) = self.post.settings(self.name), measured
        told = False
        for step in np.flatnonzero(slow).tolist():
            t_ns = int(block.steps[step])
            since_ns, last_ns = self._state.get(zone.id, (t_ns, t_ns))
            if t_ns - last_ns > 5 * NS_PER_S:
                since_ns = t_ns
                if told:
                    yield self._open[zone.id]
                self._open.pop(zone.id, None)
                told = False
            self._state[zone.id] = (since_ns, t_ns)
            if t_ns - since_ns < ns_from_s(wanted.lasted_s):
                continue
            event = self._open.get(zone.id)
            if event is None:
                event = new_event(
                    self.post,
                    self,
                    start_ns=since_ns,
                    end_ns=t_ns,
                    track_ids=np.unique(members[0][members[1] == t_ns]).tolist(),
                    values={"mean_mps": float(mean[step]), "users": float(users[step])},
                    reasons=[f"traffic in {zone.id} crawled for {wanted.lasted_s:.0f} s and more"],
                )
            self._open[zone.id], told = ended(event, t_ns), True
        if told:
            yield self._open[zone.id]

    def finish(self) -> Iterator[Event]:
        """Nothing is left to tell."""
        yield from ()


def congestion(post: Post) -> Rule:
    """Return the rule at its post."""
    return CongestionRule(post=post)
