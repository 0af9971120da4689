"""Queues before a line, spill-back, congestion. A queue is a measure; reaching too far an event.

A queue is the vehicles slower than ``still_mps`` behind a line, chained by gaps below ``gap_m``
from the line on (science of the project, section 8), each behind the one ahead by that one's
heading, so that a queue may stand round a bend. Its length reaches to the rear of the last.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.geometry.shapes import inside_polygon
from calmstreet.model.event import Event
from calmstreet.safety.conduct import beside_gate, is_motor, same_step_pairs
from calmstreet.safety.continuity import turned_pair
from calmstreet.safety.ground_plan import PlanGate, PlanZone
from calmstreet.safety.rows import PAUSE_NS, Block
from calmstreet.safety.rule import Post, Rule, ended, new_event
from calmstreet.units import NS_PER_S, ns_from_s

__all__ = ["QueueRule", "congestion", "queue"]

Array = NDArray[np.float64]
_SAME_WAY_RAD = np.pi / 3
_BEFORE_M = (1.0, 3.0, 6.0)


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
        middle = (gate.line.a[gate.line.own][0] + gate.line.b[gate.line.own][-1]) / 2
        reach = []
        for zone in self.post.zones("approach", "lane"):
            before = zone.polygon[gate.ahead(zone.polygon) < 0]
            if zone.metric and len(before) and _leads_to(zone, gate):
                off = before - middle
                reach.append(float(np.sqrt((off * off).sum(axis=1)).max()))
        return max(reach, default=math.inf)

    def update(self, block: Block) -> Iterator[Event]:
        """Take the next block."""
        wanted = self.post.settings(self.name)
        slow = np.flatnonzero((block.speed_mps < wanted.still_mps) & is_motor(block))
        links = _links(block, slow, gap_m=wanted.gap_m, beside_m=wanted.beside_m)
        for gate in self._gates:
            yield from self._at_gate(block, gate, slow, links)

    def _at_gate(
        self, block: Block, gate: PlanGate, slow: NDArray[np.intp], links: "_Links"
    ) -> Iterator[Event]:
        """Follow the queue of each step from the line back, from each to those behind it."""
        wanted = self.post.settings(self.name)
        behind = -gate.ahead(block.front[slow])
        first = (behind > -3.0) & (behind < wanted.gap_m)
        first &= beside_gate(gate, block.front[slow], wanted.beside_m)
        reach = np.full(len(block), np.inf)
        reach[slow[first]] = behind[first] + block.length_m[slow[first]]
        while len(links.leader):
            further = reach[links.leader] + links.more_m
            if not (further < reach[links.follower]).any():
                break
            np.minimum.at(reach, links.follower, further)
        straight = behind + block.length_m[slow]
        reach[slow] = np.where(np.isfinite(reach[slow]), np.maximum(reach[slow], straight), np.inf)
        rows = slow[np.isfinite(reach[slow])]
        steps = np.searchsorted(block.steps, block.t_ns[rows])
        rows = rows[np.lexsort((reach[rows], steps))]
        steps = np.sort(steps)
        cuts = [*np.flatnonzero(np.diff(steps, prepend=-1)).tolist(), len(rows)]
        for begin, end in pairwise(cuts):
            last = int(rows[end - 1])
            t_ns, length_m = int(block.t_ns[last]), float(reach[last])
            known = self.longest[gate.id]
            if length_m > known.length_m:
                known.length_m, known.vehicles, known.t_ns = length_m, end - begin, t_ns
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Links:
    """Pairs of rows of one step, one close behind the other, and how much longer that makes it."""

    leader: NDArray[np.intp]
    follower: NDArray[np.intp]
    more_m: Array


def _links(block: Block, slow: NDArray[np.intp], *, gap_m: float, beside_m: float) -> _Links:
    """Return who stands behind whom in the leader's way by its heading: lanes may bend."""
    pairs = same_step_pairs(block, slow, gap_m + 20.0)
    leader, follower = np.concatenate([pairs, pairs[:, ::-1]]).T
    off = block.centre[follower] - block.centre[leader]
    known = np.isfinite(block.heading_rad[leader])
    heading = block.heading_rad[np.where(known, leader, follower)]
    cos, sin = np.cos(heading), np.sin(heading)
    back = -(off[:, 0] * cos + off[:, 1] * sin)
    aside = np.abs(off[:, 1] * cos - off[:, 0] * sin)
    gap = back - (block.length_m[leader] + block.length_m[follower]) / 2
    linked = (back > 0) & (gap < gap_m) & (aside < beside_m)
    linked &= ~(turned_pair(heading, block.heading_rad[follower]) > _SAME_WAY_RAD)
    more_m = np.maximum(gap, 0.0) + block.length_m[follower]
    return _Links(leader=leader[linked], follower=follower[linked], more_m=more_m[linked])


def _leads_to(zone: PlanZone, gate: PlanGate) -> bool:
    """Return whether a zone holds places just before a gate, or has its middle before it."""
    a, b = gate.line.a[gate.line.own][0], gate.line.b[gate.line.own][-1]
    shares = np.linspace(0.1, 0.9, 5)[:, None]
    way = (b - a) / np.sqrt(((b - a) ** 2).sum())
    square = np.array([-way[1], way[0]])
    square *= -np.sign(gate.ahead((a + b)[None] / 2 + square)[0])
    places = np.concatenate([a + shares * (b - a) + square * far for far in _BEFORE_M])
    inside = inside_polygon(places, zone.polygon).any()
    return bool(inside or beside_gate(gate, zone.centre[None], 1.0)[0])


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
