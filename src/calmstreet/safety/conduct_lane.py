"""Conduct in lanes: wrong way, reversing, bus lane, solid line. They need no plane.

A lane is a zone with ``direction_deg``. Bicycles and pedestrians are left out: contraflow may be
allowed to them.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from calmstreet.geometry.passes import PassState, settle_through
from calmstreet.geometry.shapes import Hits, Line, clear_of, make_line, steps_through
from calmstreet.model.event import Event
from calmstreet.model.kinds import Kind
from calmstreet.safety.conduct import excuses, is_motor, turned_rad
from calmstreet.safety.ground_plan import PlanZone
from calmstreet.safety.rows import PAUSE_NS, Block
from calmstreet.safety.rule import Post, Rule, ended, new_event
from calmstreet.safety.spells import Spell, Spells
from calmstreet.units import NS_PER_S, ns_from_s

__all__ = ["bus_lane", "reversing", "solid_line", "wrong_way"]

Array = NDArray[np.float64]
_CONFIRMED_NS = 3 * NS_PER_S // 2
_DRIVEN = ("lane", "approach", "carriageway", "bus-lane", "motorway")


@dataclass(slots=True, kw_only=True, eq=False)
class AgainstLaneRule:
    """Moves against a lane: wrong way when fast and far, reversing when slow."""

    post: Post
    name: str
    why_not: str = ""
    version: int = 2
    _zones: tuple[PlanZone, ...] = ()
    _spells: dict[str, Spells] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lanes = [z for z in self.post.zones(*_DRIVEN) if not math.isnan(z.direction_rad)]
        self._zones = tuple(lanes)
        self.why_not = "" if lanes else "no lane has a direction"

    def update(self, block: Block) -> Iterator[Event]:
        """Take the next block."""
        wanted = self.post.settings(self.name)
        slow = self.name == "reversing"
        steady = is_motor(block) & ~self.post.continuity.switches(block)
        for zone in self._zones:
            spells = self._spells.setdefault(zone.id, Spells(grace_s=0.6))
            turned = turned_rad(block.course_rad, zone.direction_rad)
            holds = block.inside(zone) & steady & (turned > wanted.angle_rad)
            fits = (
                block.speed_mps < wanted.most_mps if slow else block.speed_mps >= wanted.least_mps
            )
            place = block.place(zone.metric)
            for spell, rows in spells.take(block, holds & fits, place):
                yield from self._judged(block, zone, spell, rows)

    def _judged(
        self, block: Block, zone: PlanZone, spell: Spell, rows: NDArray[np.intp]
    ) -> Iterator[Event]:
        if spell.event is not None:
            spell.event = ended(spell.event, spell.last_ns)
            yield spell.event
            return
        wanted = self.post.settings(self.name)
        off = block.place(zone.metric)[rows] - spell.origin
        units = block.unit_m(zone.metric)[rows]
        axis = math.cos(zone.direction_rad), math.sin(zone.direction_rad)
        back_m = -(off[:, 0] * axis[0] + off[:, 1] * axis[1]) * units
        far_m = np.sqrt(off[:, 0] * off[:, 0] + off[:, 1] * off[:, 1]) * units
        ripe = (
            (back_m >= wanted.path_m)
            if self.name == "reversing"
            else (
                (back_m >= wanted.back_m)
                & (far_m >= wanted.path_m)
                & (block.t_ns[rows] - spell.since_ns >= ns_from_s(wanted.lasted_s))
                & (block.t_ns[rows] - block.first_ns[rows] >= ns_from_s(wanted.age_s))
            )
        )
        if not ripe.any():
            return
        at = int(np.flatnonzero(ripe)[0])
        row = int(rows[at])
        spell.event = new_event(
            self.post,
            self,
            start_ns=spell.since_ns,
            end_ns=spell.last_ns,
            track_ids=[spell.track_id],
            place_m=block.at(row),
            values={
                "back_m": float(back_m[at]),
                "speed_mps": float(block.speed_mps[row]),
                "lasted_s": (int(block.t_ns[row]) - spell.since_ns) / NS_PER_S,
            },
            reasons=[f"moved {back_m[at]:.1f} m against the direction of {zone.id}"],
            exceptions=excuses(self.post, block, row),
            severity=3 if self.name == "wrong-way" else 1,
        )
        yield spell.event

    def finish(self) -> Iterator[Event]:
        """Nothing is left to tell."""
        yield from ()


def wrong_way(post: Post) -> Rule:
    """Return the rule at its post."""
    return AgainstLaneRule(post=post, name="wrong-way")


def reversing(post: Post) -> Rule:
    """Return the rule at its post."""
    return AgainstLaneRule(post=post, name="reversing")


@dataclass(slots=True, kw_only=True, eq=False)
class BusLaneRule:
    """Drives along a bus lane; buses, bicycles and pedestrians are left out.

    A bus is one that was named so at any time: further off it looks like a truck.
    """

    post: Post
    name: str = "bus-lane"
    version: int = 2
    why_not: str = ""
    _spells: dict[str, Spells] = field(default_factory=dict)
    _buses_ns: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.why_not = "" if self.post.zones("bus-lane") else "no zone is a bus lane"

    def update(self, block: Block) -> Iterator[Event]:
        """Take the next block."""
        wanted = self.post.settings(self.name)
        motor = is_motor(block, unknown=False) & ~self._buses(block)
        motor &= np.isfinite(block.speed_mps) | (not block.metric)
        for zone in self.post.zones("bus-lane"):
            spells = self._spells.setdefault(zone.id, Spells())
            place, units = block.place(zone.metric), block.unit_m(zone.metric)
            for spell, rows in spells.take(block, block.inside(zone) & motor, place):
                off = place[rows] - spell.origin
                gone_m = np.sqrt(off[:, 0] * off[:, 0] + off[:, 1] * off[:, 1]) * units[rows]
                ripe = (gone_m >= wanted.path_m) & (
                    block.t_ns[rows] - spell.since_ns >= ns_from_s(wanted.lasted_s)
                )
                if spell.event is None and ripe.any():
                    row = int(rows[np.flatnonzero(ripe)[0]])
                    spell.event = new_event(
                        self.post,
                        self,
                        start_ns=spell.since_ns,
                        end_ns=spell.last_ns,
                        track_ids=[spell.track_id],
                        place_m=block.at(row),
                        values={"path_m": float(gone_m[ripe][0])},
                        reasons=[f"drove {gone_m[ripe][0]:.0f} m in bus lane {zone.id}"],
                        exceptions=excuses(self.post, block, row),
                    )
                if spell.event is not None:
                    spell.event = ended(spell.event, spell.last_ns)
                    yield spell.event

    def _buses(self, block: Block) -> NDArray[np.bool_]:
        """Return which rows are of road users that were named a bus by then."""
        found = block.kind == Kind.BUS
        for track_id, start, end in block.spans:
            if track_id in self._buses_ns and block.t_ns[start] != block.first_ns[start]:
                found[start] = True
            found[start:end] = np.maximum.accumulate(found[start:end])
            if found[end - 1]:
                self._buses_ns[track_id] = int(block.t_ns[end - 1])
        gone_ns = (int(block.steps[-1]) if len(block.steps) else 0) - PAUSE_NS
        self._buses_ns = {t: ns for t, ns in self._buses_ns.items() if ns >= gone_ns}
        return np.asarray(found)

    def finish(self) -> Iterator[Event]:
        """Nothing is left to tell."""
        yield from ()


def bus_lane(post: Post) -> Rule:
    """Return the rule at its post."""
    return BusLaneRule(post=post)


def _axis(zone: PlanZone) -> Line:
    """Return the middle line of a long thin zone: through its centre along its greatest spread."""
    off = zone.polygon - zone.centre
    _, _, ways = np.linalg.svd(off, full_matrices=False)
    along = off @ ways[0]
    ends = zone.centre + np.outer([along.min(), along.max()], ways[0])
    return make_line(ends, y_up=True)


def _unbroken(block: Block, switches: NDArray[np.bool_]) -> Iterator[tuple[int, int, int]]:
    """Yield each user with its range of rows, parted where it went over to somebody else."""
    for track_id, start, end in block.spans:
        inner = (np.flatnonzero(switches[start + 1 : end]) + start + 1).tolist()
        for a, b in pairwise([start, *inner, end]):
            yield track_id, a, b


@dataclass(slots=True, kw_only=True, eq=False)
class SolidLineRule:
    """Crosses a solid line: clear of it on one side, then clear of it on the other.

    In metres its way must be one for ``_CONFIRMED_NS`` more: a track that goes over to an oncoming
    vehicle shows that only afterwards.
    """

    post: Post
    name: str = "solid-line"
    version: int = 2
    why_not: str = ""
    _lines: tuple[tuple[PlanZone, Line], ...] = ()
    _passes: dict[tuple[str, int], PassState] = field(default_factory=dict)
    _crossed: dict[int, list[Event]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        zones = self.post.zones("solid-line")
        self._lines = tuple((zone, _axis(zone)) for zone in zones)
        self.why_not = "" if zones else "no zone is a solid line"

    def update(self, block: Block) -> Iterator[Event]:
        """Take the next block."""
        wanted = self.post.settings(self.name)
        switches = self.post.continuity.switches(block)
        motor = is_motor(block)
        for zone, line in self._lines:
            here, before = block.place(zone.metric), block.before(zone.metric)
            hits = steps_through(line, before, here)
            sure_m = wanted.beside_m + 2 * block.spread_m * zone.metric
            clear = clear_of(line, here, sure_m / block.unit_m(zone.metric))
            for track_id, start, end in _unbroken(block, switches):
                fresh = bool(switches[start])
                if fresh or block.t_ns[start] == block.first_ns[start]:
                    self._passes.pop((zone.id, track_id), None)
                state = self._passes.setdefault((zone.id, track_id), PassState())
                own = (hits.step >= start + fresh) & (hits.step < end)
                mine = Hits(
                    step=hits.step[own] - start,
                    direction=hits.direction[own],
                    share=hits.share[own],
                    own=hits.own[own],
                )
                times = block.before_ns[start:end], block.t_ns[start:end]
                for found in settle_through(state, mine, clear[start:end], *times):
                    if motor[end - 1]:
                        crossed = self._event(block, zone, track_id, found.t_ns, start, end)
                        self._crossed.setdefault(track_id, []).append(crossed)
            self._forget(block, zone)
        yield from self._confirmed(block, switches)

    def _confirmed(self, block: Block, switches: NDArray[np.bool_]) -> Iterator[Event]:
        """Tell of those who went on as one and the same for long enough."""
        need_ns = _CONFIRMED_NS if block.metric else 0
        for track_id, start, end in block.spans:
            waiting = []
            for event in self._crossed.pop(track_id, []):
                if block.first_ns[start] > event.end_ns:
                    continue
                since_ns = block.t_ns[start:end] - event.end_ns
                ripe, broken = since_ns >= need_ns, switches[start:end] & (since_ns > 0)
                if ripe.any() and not broken[: int(np.argmax(ripe)) + 1].any():
                    yield event
                elif not ripe.any() and not broken.any():
                    waiting.append(event)
            if waiting:
                self._crossed[track_id] = waiting
        gone_ns = (int(block.steps[-1]) if len(block.steps) else 0) - PAUSE_NS - _CONFIRMED_NS
        self._crossed = {t: e for t, e in self._crossed.items() if e[-1].end_ns >= gone_ns}

    def _forget(self, block: Block, zone: PlanZone) -> None:
        alive = {track_id for track_id, _, _ in block.spans}
        for key in [k for k in self._passes if k[0] == zone.id and k[1] not in alive]:
            if not self._passes[key].pending:
                del self._passes[key]

    def _event(
        self, block: Block, zone: PlanZone, track_id: int, t_ns: int, start: int, end: int
    ) -> Event:
        row = min(start + int(np.searchsorted(block.t_ns[start:end], t_ns)), end - 1)
        return new_event(
            self.post,
            self,
            start_ns=t_ns,
            end_ns=t_ns,
            track_ids=[track_id],
            place_m=block.at(row),
            values={"speed_mps": float(block.speed_mps[row])},
            reasons=[f"crossed solid line {zone.id} from one side to the other"],
            exceptions=excuses(self.post, block, row),
        )

    def finish(self) -> Iterator[Event]:
        """Nothing is left to tell."""
        yield from ()


def solid_line(post: Post) -> Rule:
    """Return the rule at its post."""
    return SolidLineRule(post=post)
