"""People on foot and on bicycles: on red, outside crossings, where only motors may be."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from calmstreet.geometry.shapes import distance_to, inside_polygon
from calmstreet.model.event import Event
from calmstreet.model.kinds import Kind
from calmstreet.safety.conduct import excuses
from calmstreet.safety.ground_plan import PlanZone
from calmstreet.safety.rows import PAUSE_NS, Block
from calmstreet.safety.rule import Post, Rule, ended, new_event
from calmstreet.safety.spells import Spell, Spells
from calmstreet.units import NS_PER_S, ns_from_s

__all__ = ["crossing_outside", "near_zone", "pedestrian_on_red", "vulnerable_user"]

Mask = NDArray[np.bool_]
_RUNNER_MPS, _CYCLIST_MPS = 3.5, 6.5
_STEPPED_M = 1.5
_RIDES_NS = NS_PER_S
_WALKS_MPS = 0.3  # who stands in a queue for long does not walk along the road


def near_zone(block: Block, zone: PlanZone, reach_m: float) -> Mask:
    """Return which rows lie in a zone or within ``reach_m`` of its border."""
    place = block.place(zone.metric)
    far = distance_to(zone.outline, place) * block.unit_m(zone.metric)
    return np.asarray(block.inside(zone) | (far <= reach_m))


@dataclass(slots=True, kw_only=True, eq=False)
class _Walkers:
    """Tells who is on foot: named so, and never faster than a runner for ``_RIDES_NS`` in all.

    Cyclists are often named pedestrians, and motorcyclists cyclists: ``kind`` and ``fastest_mps``
    say who is looked for. On the picture alone speeds do not tell them apart.
    """

    kind: Kind = Kind.PEDESTRIAN
    fastest_mps: float = _RUNNER_MPS
    _fast_ns: dict[int, tuple[int, int]] = field(default_factory=dict)

    def of(self, block: Block) -> Mask:
        """Return which rows of the next block are on foot."""
        rides = np.zeros(len(block), bool)
        lasted_ns = np.where(block.before_ns > 0, block.t_ns - block.before_ns, 0)
        fast_ns = np.where(block.speed_mps > self.fastest_mps, lasted_ns, 0)
        for track_id, start, end in block.spans if block.metric else ():
            known = self._fast_ns.get(track_id, (0, 0))[0]
            if block.t_ns[start] == block.first_ns[start]:
                known = 0
            total = known + np.cumsum(fast_ns[start:end])
            rides[start:end] = total > _RIDES_NS
            self._fast_ns[track_id] = int(total[-1]), int(block.t_ns[end - 1])
        gone_ns = (int(block.steps[-1]) if len(block.steps) else 0) - PAUSE_NS
        self._fast_ns = {t: fast for t, fast in self._fast_ns.items() if fast[1] >= gone_ns}
        return np.asarray((block.kind == self.kind) & ~rides)


def _axis_rad(
    post: Post, block: Block, zone: PlanZone, rows: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return how the road runs at rows: along the lane that each is in; NaN where unknown."""
    axis = np.full(len(rows), np.nan)
    lanes = [zone, *(z for z in post.zones("lane") if z.metric == zone.metric)]
    for lane in (z for z in lanes if not math.isnan(z.direction_rad)):
        axis[np.isnan(axis) & block.inside(lane)[rows]] = lane.direction_rad
    return axis


@dataclass(slots=True, kw_only=True, eq=False)
class PedestrianRedRule:
    """Steps on a crossing more than ``delay_s`` after its head turned red, and walks on."""

    post: Post
    name: str = "pedestrian-on-red"
    version: int = 2
    why_not: str = ""
    _zones: tuple[PlanZone, ...] = ()
    _walkers: _Walkers = field(default_factory=_Walkers)
    _spells: dict[str, Spells] = field(default_factory=dict)

    def __post_init__(self) -> None:
        named = [zone for zone in self.post.zones("crossing") if zone.signal]
        self._zones = tuple(z for z in named if z.signal in self.post.signals.heads)
        if not self._zones:
            self.why_not = (
                "no states of the crossings' signals are known"
                if named
                else "no crossing names a signal"
            )

    def update(self, block: Block) -> Iterator[Event]:
        """Take the next block."""
        wanted = self.post.settings(self.name)
        on_foot = self._walkers.of(block)
        for zone in self._zones:
            spells = self._spells.setdefault(zone.id, Spells(grace_s=2.0))
            for spell, rows in spells.take(block, block.inside(zone), block.place(zone.metric)):
                if not spell.notes:
                    spell.notes = {"into_red_s": self._into_red_s(block, zone, spell, int(rows[0]))}
                gone_m = self._gone_m(block, zone, spell, rows)
                goes = rows[on_foot[rows] & (gone_m >= _STEPPED_M)]
                into_s = spell.notes["into_red_s"]
                late = into_s > wanted.delay_s + 2 * self.post.clock_sigma_s
                if spell.event is None and len(goes) and late:
                    spell.event = self._event(block, zone, int(goes[0]), into_s, spell.since_ns)
                if spell.event is not None:
                    spell.event = ended(spell.event, spell.last_ns)
                    yield spell.event

    def _into_red_s(self, block: Block, zone: PlanZone, spell: Spell, row: int) -> float:
        """Return how late somebody stepped on, -1 where that was not on red or not seen.

        Who was first seen on the crossing, or comes on it from the carriageway, is one whose way
        there was lost: only a step from beside the road is seen as one.
        """
        red_ns = self.post.signals.red_since(zone.signal, spell.since_ns)
        born = int(block.first_ns[row]) == spell.since_ns
        if red_ns is None or born or self._came_along(block, zone, row):
            return -1.0
        return (spell.since_ns - red_ns) / NS_PER_S

    def _came_along(self, block: Block, zone: PlanZone, row: int) -> bool:
        """Return whether a road user was on the carriageway just before a row."""
        before = block.before(zone.metric)[row][None]
        roads = self.post.zones("carriageway", "lane", "motorway", "bus-lane")
        return any(
            bool(inside_polygon(before, road.polygon)[0])
            for road in roads
            if road.metric == zone.metric
        )

    def _gone_m(
        self, block: Block, zone: PlanZone, spell: Spell, rows: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        """Return how far rows lie from where their spell began: across the road, where known."""
        off = block.place(zone.metric)[rows] - spell.origin
        axis_rad = _axis_rad(self.post, block, zone, rows)
        across = np.abs(off[:, 1] * np.cos(axis_rad) - off[:, 0] * np.sin(axis_rad))
        far = np.sqrt(off[:, 0] * off[:, 0] + off[:, 1] * off[:, 1])
        return np.asarray(
            np.where(np.isnan(axis_rad), far, across) * block.unit_m(zone.metric)[rows]
        )

    def _event(self, block: Block, zone: PlanZone, row: int, into_s: float, since_ns: int) -> Event:
        return new_event(
            self.post,
            self,
            start_ns=since_ns,
            end_ns=int(block.t_ns[row]),
            track_ids=[int(block.track_id[row])],
            place_m=block.at(row),
            values={"into_red_s": into_s, "sigma_into_red_s": self.post.clock_sigma_s},
            reasons=[f"stepped on {zone.id} {into_s:.1f} s after {zone.signal} turned red"],
            exceptions=excuses(self.post, block, row),
        )

    def finish(self) -> Iterator[Event]:
        """Nothing is left to tell."""
        yield from ()


def pedestrian_on_red(post: Post) -> Rule:
    """Return the rule at its post."""
    return PedestrianRedRule(post=post)


@dataclass(slots=True, kw_only=True, eq=False)
class OnCarriagewayRule:
    """On foot on the carriageway outside crossings: crossing it, or walking along it for long."""

    post: Post
    name: str
    why_not: str = ""
    version: int = 2
    _walkers: _Walkers = field(default_factory=_Walkers)
    _cyclists: _Walkers = field(
        default_factory=lambda: _Walkers(kind=Kind.BICYCLE, fastest_mps=_CYCLIST_MPS)
    )
    _spells: dict[str, Spells] = field(default_factory=dict)

    def __post_init__(self) -> None:
        wanted: tuple[str, ...] = ("carriageway", "lane")
        if self.name == "vulnerable-user":
            wanted = (*wanted, "motorway")
        if not self.post.zones(*wanted):
            self.why_not = f"no zone is a {' or '.join(wanted)}"

    def update(self, block: Block) -> Iterator[Event]:
        """Take the next block."""
        wanted = self.post.settings(self.name)
        on_foot = self._walkers.of(block)
        moving = ~(block.speed_mps < _WALKS_MPS)
        away = np.ones(len(block), bool)
        for crossing in self.post.zones("crossing"):
            away &= ~near_zone(block, crossing, getattr(wanted, "near_m", 2.0))
        away &= ~block.in_any(self.post.zones("footway", "bus-stop"))
        for zone in self.post.zones("carriageway", "lane"):
            spells = self._spells.setdefault(zone.id, Spells())
            place = block.place(zone.metric)
            walks = on_foot & away & (moving | (self.name != "vulnerable-user"))
            for spell, rows in spells.take(block, walks & block.inside(zone), place):
                yield from self._judged(block, zone, spell, rows, on_motorway=False)
        if self.name == "vulnerable-user":
            soft = on_foot | self._cyclists.of(block)
            for zone in self.post.zones("motorway"):
                spells = self._spells.setdefault(zone.id, Spells())
                place = block.place(zone.metric)
                for spell, rows in spells.take(block, soft & block.inside(zone), place):
                    yield from self._judged(block, zone, spell, rows, on_motorway=True)

    def _judged(
        self,
        block: Block,
        zone: PlanZone,
        spell: Spell,
        rows: NDArray[np.intp],
        *,
        on_motorway: bool,
    ) -> Iterator[Event]:
        ripe = rows[self._ripe(block, zone, spell, rows, on_motorway)]
        if spell.event is None and len(ripe):
            row = int(ripe[0])
            spell.event = new_event(
                self.post,
                self,
                start_ns=spell.since_ns,
                end_ns=int(block.t_ns[row]),
                track_ids=[spell.track_id],
                place_m=block.at(row),
                values={"lasted_s": (int(block.t_ns[row]) - spell.since_ns) / NS_PER_S},
                reasons=[self._reason(zone, on_motorway)],
                exceptions=excuses(self.post, block, row),
                severity=3 if on_motorway else 1,
            )
        if spell.event is not None:
            spell.event = ended(spell.event, spell.last_ns)
            yield spell.event

    def _reason(self, zone: PlanZone, on_motorway: bool) -> str:
        if on_motorway:
            return f"on foot or on a bicycle in {zone.id}"
        if self.name == "vulnerable-user":
            return f"on foot along {zone.id} for long"
        return f"crossed {zone.id} away from any crossing"

    def _ripe(
        self,
        block: Block,
        zone: PlanZone,
        spell: Spell,
        rows: NDArray[np.intp],
        on_motorway: bool,
    ) -> Mask:
        wanted = self.post.settings(self.name)
        lasted_ns = block.t_ns[rows] - spell.since_ns
        if self.name == "vulnerable-user":
            need_s = wanted.lasted_s if on_motorway else wanted.walking_s
            return np.asarray(lasted_ns >= ns_from_s(need_s))
        off = block.place(zone.metric)[rows] - spell.origin
        axis_rad = _axis_rad(self.post, block, zone, rows)
        across = np.abs(off[:, 1] * np.cos(axis_rad) - off[:, 0] * np.sin(axis_rad))
        far_m = np.sqrt(off[:, 0] * off[:, 0] + off[:, 1] * off[:, 1])
        far_m = np.where(np.isnan(axis_rad), far_m, across)
        far_m = far_m * block.unit_m(zone.metric)[rows]
        return np.asarray((far_m >= wanted.path_m) & (lasted_ns >= ns_from_s(wanted.lasted_s)))

    def finish(self) -> Iterator[Event]:
        """Nothing is left to tell."""
        yield from ()


def crossing_outside(post: Post) -> Rule:
    """Return the rule at its post."""
    return OnCarriagewayRule(post=post, name="crossing-outside")


def vulnerable_user(post: Post) -> Rule:
    """Return the rule at its post."""
    return OnCarriagewayRule(post=post, name="vulnerable-user")
