"""Standing where one should not: stopped vehicle, no-stopping zone, blocked junction, object.

Someone stands while slower than ``still_mps`` and not further than ``drift_m`` from where that
began. A queue (somebody stands close ahead), a bus stop, a signal's queue and giving way before a
crossing on which people walk are no fault.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from calmstreet.geometry.shapes import distance_to
from calmstreet.model.event import Event
from calmstreet.model.kinds import Kind
from calmstreet.safety.conduct import beside_gate, excuses, is_motor, with_leader
from calmstreet.safety.conduct_people import near_zone
from calmstreet.safety.ground_plan import PlanGate, PlanZone
from calmstreet.safety.rows import PAUSE_NS, Block
from calmstreet.safety.rule import Post, Rule, ended, new_event
from calmstreet.safety.spells import Spell, Spells
from calmstreet.units import NS_PER_S, ns_from_s

__all__ = ["blocked_junction", "no_stopping", "object_on_road", "stopped_vehicle"]

Mask = NDArray[np.bool_]
_QUEUE_BEFORE_M = 12.0
_SPILL_M = 10.0
_BESIDE_M = 2.5
_CAME_M = 3.0
_KERB_M, _GIVES_WAY_M, _GIVES_WAY_S = 2.0, 6.0, 6.0


@dataclass(slots=True, kw_only=True, eq=False)
class StandingRule:
    """Stands in a zone for ``lasted_s``; ``kinds`` of zones and what excuses it differ by name."""

    post: Post
    name: str
    kinds: tuple[str, ...]
    why_not: str = ""
    version: int = 1
    _spells: dict[str, Spells] = field(default_factory=dict)
    _walked_ns: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.post.zones(*self.kinds):
            self.why_not = f"no zone is a {' or '.join(self.kinds)}"

    def update(self, block: Block) -> Iterator[Event]:
        """Take the next block."""
        wanted = self.post.settings(self.name)
        still = _still(block, wanted.still_mps) & is_motor(block, unknown=False)
        queued = with_leader(block, still, wanted.leader_m) | _at_signal(self.post, block)
        queued |= block.in_any(self.post.zones("bus-stop")) & (block.kind == Kind.BUS)
        for crossing in self.post.zones("crossing"):
            queued |= self._gives_way(block, crossing, still)
        for zone in self.post.zones(*self.kinds):
            spells = self._spells.setdefault(zone.id, Spells(grace_s=2.0))
            holds = still & ~queued & block.inside(zone)
            place = block.place(zone.metric)
            for spell, rows in spells.take(block, holds, place):
                yield from self._judged(block, zone, spell, rows)

    def _gives_way(self, block: Block, crossing: PlanZone, still: Mask) -> Mask:
        """Return who stands before a crossing at which somebody on foot was a moment ago.

        Not a post that is taken for a pedestrian: nobody who never moved.
        """
        walkers = near_zone(block, crossing, _KERB_M) & (block.kind == Kind.PEDESTRIAN)
        walkers &= ~block.parked
        before = self._walked_ns.get(crossing.id)
        known = [] if before is None else [before]
        walked = np.array([*known, *np.unique(block.t_ns[walkers]).tolist()], np.int64)
        found = np.zeros(len(block), bool)
        if not len(walked):
            return found
        self._walked_ns[crossing.id] = int(walked[-1])
        place = block.place(crossing.metric, front=True)
        far_m = distance_to(crossing.outline, place) * block.unit_m(crossing.metric)
        off = crossing.centre - place
        heading = np.nan_to_num(block.heading_rad)
        ahead = off[:, 0] * np.cos(heading) + off[:, 1] * np.sin(heading) > 0
        near = still & (far_m < _GIVES_WAY_M) & (ahead | np.isnan(block.heading_rad))
        rows = np.flatnonzero(near)
        last = np.searchsorted(walked, block.t_ns[rows], side="right") - 1
        since = block.t_ns[rows] - walked[np.maximum(last, 0)]
        found[rows] = (last >= 0) & (since <= ns_from_s(_GIVES_WAY_S))
        return found

    def _judged(
        self, block: Block, zone: PlanZone, spell: Spell, rows: NDArray[np.intp]
    ) -> Iterator[Event]:
        if spell.event is not None:
            spell.event = ended(spell.event, spell.last_ns)
            yield spell.event
            return
        wanted = self.post.settings(self.name)
        off = block.place(zone.metric)[rows] - spell.origin
        drift_m = np.sqrt(off[:, 0] * off[:, 0] + off[:, 1] * off[:, 1])
        drift_m = drift_m * block.unit_m(zone.metric)[rows]
        ripe = (block.t_ns[rows] - spell.since_ns >= ns_from_s(wanted.lasted_s)) & (
            drift_m < wanted.drift_m
        )
        if not ripe.any():
            return
        row = int(rows[np.flatnonzero(ripe)[0]])
        lasted_s = (int(block.t_ns[row]) - spell.since_ns) / NS_PER_S
        spell.event = new_event(
            self.post,
            self,
            start_ns=spell.since_ns,
            end_ns=spell.last_ns,
            track_ids=[spell.track_id],
            place_m=block.at(row),
            values={"stood_s": lasted_s},
            reasons=[f"stood in {zone.id} with nobody close ahead"],
            exceptions=excuses(self.post, block, row),
            severity=2,
        )
        yield spell.event

    def finish(self) -> Iterator[Event]:
        """Nothing is left to tell."""
        yield from ()


def _still(block: Block, still_mps: float) -> Mask:
    """Return which rows stand: slow by their speed, or marked as parked where none is known."""
    slow = block.speed_mps < still_mps
    return np.asarray(slow | (np.isnan(block.speed_mps) & block.parked))


def _at_signal(post: Post, block: Block) -> Mask:
    """Return which rows are first at a line with a signal, or a few metres beyond it."""
    near = np.zeros(len(block), bool)
    for gate in post.plan.gates:
        if (gate.signal or gate.control) and gate.forward:
            place, unit_m = block.place(gate.metric, front=True), block.unit_m(gate.metric)
            ahead = gate.ahead(place) * unit_m
            beside = beside_gate(gate, place, _BESIDE_M / unit_m)
            near |= (ahead > -_QUEUE_BEFORE_M) & (ahead < 3.0) & beside
    return near


def stopped_vehicle(post: Post) -> Rule:
    """Return the rule at its post."""
    kinds = ("lane", "carriageway", "motorway", "bus-lane")
    return StandingRule(post=post, name="stopped-vehicle", kinds=kinds)


def no_stopping(post: Post) -> Rule:
    """Return the rule at its post."""
    return StandingRule(post=post, name="no-stopping", kinds=("no-stopping",))


@dataclass(slots=True, kw_only=True, eq=False)
class BlockedJunctionRule:
    """Stands in the junction: with states while another approach has green, else for long."""

    post: Post
    name: str = "blocked-junction"
    version: int = 1
    why_not: str = ""
    _gates: tuple[PlanGate, ...] = ()
    _spells: dict[str, Spells] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.why_not = "" if self.post.zones("junction") else "no zone is a junction"
        heads = self.post.signals.heads
        self._gates = tuple(g for g in self.post.plan.gates if g.signal in heads)

    def update(self, block: Block) -> Iterator[Event]:
        """Take the next block."""
        wanted = self.post.settings(self.name)
        still = _still(block, wanted.still_mps) & is_motor(block, unknown=False)
        need_s = wanted.lasted_s if self._gates else wanted.unsignalled_s
        held = with_leader(block, still, _SPILL_M)
        for zone in self.post.zones("junction"):
            spells = self._spells.setdefault(zone.id, Spells())
            holds = still & block.inside(zone)
            if self._gates:
                holds &= self._crossed_by_green(block, np.flatnonzero(holds), wanted.green_s)
            for spell, rows in spells.take(block, holds, block.place(zone.metric)):
                ripe = rows[block.t_ns[rows] - spell.since_ns >= ns_from_s(need_s)]
                if spell.event is None and len(ripe):
                    row = int(ripe[0])
                    spell.event = self._event(block, zone, spell, row, spilled=bool(held[row]))
                if spell.event is not None:
                    spell.event = ended(spell.event, spell.last_ns)
                    yield spell.event

    def _crossed_by_green(self, block: Block, rows: NDArray[np.intp], green_s: float) -> Mask:
        """Return which rows stand square to an approach that has had green for a while."""
        found = np.zeros(len(block), bool)
        for gate in self._gates:
            a, b = gate.line.a[gate.line.own][0], gate.line.b[gate.line.own][-1]
            across = float(np.arctan2(b[1] - a[1], b[0] - a[0]))
            for row in rows.tolist():
                t_ns = int(block.t_ns[row])
                since = self.post.signals.green_since(gate.signal, t_ns)
                if since is None or t_ns - since < ns_from_s(green_s):
                    continue
                heading = block.heading_rad[row]
                found[row] |= not np.isfinite(heading) or abs(np.cos(heading - across)) > 0.7
        return found

    def _event(
        self, block: Block, zone: PlanZone, spell: Spell, row: int, *, spilled: bool
    ) -> Event:
        spill = ["a queue ahead held it: spill-back"] if spilled else []
        return new_event(
            self.post,
            self,
            start_ns=spell.since_ns,
            end_ns=int(block.t_ns[row]),
            track_ids=[spell.track_id],
            place_m=block.at(row),
            values={"stood_s": (int(block.t_ns[row]) - spell.since_ns) / NS_PER_S},
            reasons=[f"stood in {zone.id}" + (" while others had green" if self._gates else "")],
            exceptions=[*excuses(self.post, block, row), *spill],
        )

    def finish(self) -> Iterator[Event]:
        """Nothing is left to tell."""
        yield from ()


def blocked_junction(post: Post) -> Rule:
    """Return the rule at its post."""
    return BlockedJunctionRule(post=post)


@dataclass(slots=True, kw_only=True, eq=False)
class ObjectRule:
    """Something of unknown kind rests on the carriageway where it appeared, and in no queue.

    What drove there is a vehicle that the eyes could not name.
    """

    post: Post
    name: str = "object"
    version: int = 1
    why_not: str = ""
    _spells: Spells = field(default_factory=lambda: Spells(grace_s=3.0))
    _born: dict[int, tuple[NDArray[np.float64], int]] = field(default_factory=dict)
    _kinds: tuple[str, ...] = ("lane", "carriageway", "motorway", "junction")

    def __post_init__(self) -> None:
        if not self.post.zones(*self._kinds):
            self.why_not = "no zone is a lane, carriageway, motorway or junction"

    def update(self, block: Block) -> Iterator[Event]:
        """Take the next block."""
        wanted = self.post.settings(self.name)
        zones = self.post.zones(*self._kinds)
        metric = zones[0].metric
        place, units = block.place(metric), block.unit_m(metric)
        still = _still(block, 0.3)
        holds = (block.kind == Kind.UNKNOWN) & block.in_any(zones) & still
        holds &= ~(self._came(block, metric) | _at_signal(self.post, block))
        holds &= ~with_leader(block, still, _SPILL_M)
        for spell, rows in self._spells.take(block, holds, place):
            off = place[rows] - spell.origin
            near = np.sqrt(off[:, 0] * off[:, 0] + off[:, 1] * off[:, 1]) * units[rows]
            ripe = rows[
                (block.t_ns[rows] - spell.since_ns >= ns_from_s(wanted.lasted_s))
                & (near < wanted.drift_m)
            ]
            if spell.event is None and len(ripe):
                spell.event = new_event(
                    self.post,
                    self,
                    start_ns=spell.since_ns,
                    end_ns=int(block.t_ns[ripe[0]]),
                    track_ids=[spell.track_id],
                    place_m=block.at(int(ripe[0])),
                    values={"length_m": float(block.length_m[ripe[0]])},
                    reasons=["something of unknown kind rests where vehicles drive"],
                    exceptions=excuses(self.post, block, int(ripe[0])),
                    severity=2,
                )
            if spell.event is not None:
                spell.event = ended(spell.event, spell.last_ns)
                yield spell.event

    def _came(self, block: Block, metric: bool) -> Mask:
        """Return which rows lie ``_CAME_M`` or more from where their track began."""
        came = np.zeros(len(block), bool)
        place, unit_m = block.place(metric), block.unit_m(metric)
        for track_id, start, end in block.spans:
            born = self._born.get(track_id)
            if born is None or block.t_ns[start] == block.first_ns[start]:
                born = place[start].copy(), 0
            off = place[start:end] - born[0]
            far_m = np.sqrt(off[:, 0] * off[:, 0] + off[:, 1] * off[:, 1]) * unit_m[start:end]
            came[start:end] = far_m > _CAME_M
            self._born[track_id] = born[0], int(block.t_ns[end - 1])
        gone_ns = (int(block.steps[-1]) if len(block.steps) else 0) - PAUSE_NS
        self._born = {track: born for track, born in self._born.items() if born[1] >= gone_ns}
        return came

    def finish(self) -> Iterator[Event]:
        """Nothing is left to tell."""
        yield from ()


def object_on_road(post: Post) -> Rule:
    """Return the rule at its post."""
    return ObjectRule(post=post)
