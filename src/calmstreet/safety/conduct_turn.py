"""Order rules: forbidden turns, U-turns and STOP signs. They need no plane."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from calmstreet.model.event import Event
from calmstreet.model.site import Movement
from calmstreet.safety.conduct import (
    beside_gate,
    crossings_of_gate,
    excuses,
    is_motor,
    turned_rad,
)
from calmstreet.safety.ground_plan import PlanGate
from calmstreet.safety.rows import Block
from calmstreet.safety.rule import Post, Rule, new_event
from calmstreet.units import NS_PER_S

__all__ = ["forbidden_turn", "stop_sign"]

_TURNED_RAD = 2 * np.pi / 3


@dataclass(slots=True, kw_only=True)
class _Way:
    """Where a road user came in: zone or gate, time and heading; where it was last."""

    entry_id: str
    entry_ns: int
    heading_rad: float
    place_name: str = ""


@dataclass(slots=True, kw_only=True, eq=False)
class ForbiddenTurnRule:
    """Makes a movement that the site marks ``forbidden`` (a U-turn is one with ``turn = "u"``).

    The movement is made on arrival at its ``to``; the same end twice counts when the road user
    was outside for a second or more in between and comes back with its heading turned by more
    than 120 degrees: who reverses into a gap, or whose place trembles at a border, makes no U-turn.
    """

    post: Post
    name: str = "forbidden-turn"
    version: int = 2
    why_not: str = ""
    _forbidden: dict[tuple[str, str], Movement] = field(default_factory=dict)
    _ways: dict[int, _Way] = field(default_factory=dict)
    _outside_ns: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for movement in self.post.plan.movements:
            if movement.forbidden:
                self._forbidden[movement.from_id, movement.to_id] = movement
        self.why_not = "" if self._forbidden else "no movement is forbidden"

    def update(self, block: Block) -> Iterator[Event]:
        """Take the next block."""
        touched = self._touched(block)
        motor = is_motor(block)
        fresh = self.post.continuity.switches(block) | (block.t_ns == block.first_ns)
        for track_id, start, end in block.spans:
            for row in range(start, end):
                if fresh[row]:
                    self._ways.pop(track_id, None)
                    self._outside_ns.pop(track_id, None)
                event = self._step(block, track_id, row, touched[row])
                if event is not None and motor[row]:
                    yield event

    def _touched(self, block: Block) -> list[str]:
        """Return the end of a movement that each row is at, "" for none."""
        ends = {name for m in self.post.plan.movements for name in (m.from_id, m.to_id)}
        found = np.zeros(len(block), object)
        found[:] = ""
        for zone in self.post.plan.zones:
            if zone.id in ends:
                found[block.inside(zone)] = zone.id
        for gate in self.post.plan.gates:
            if gate.id in ends:
                for crossing in crossings_of_gate(block, gate):
                    found[crossing.row] = gate.id
        return [str(name) for name in found]

    def _step(self, block: Block, track_id: int, row: int, here: str) -> Event | None:
        way, t_ns = self._ways.get(track_id), int(block.t_ns[row])
        heading = float(block.heading_rad[row])
        if not here:
            if way is not None and way.place_name:
                way.place_name = ""
                self._outside_ns[track_id] = t_ns
            return None
        if way is None:
            self._ways[track_id] = _Way(
                entry_id=here, entry_ns=t_ns, place_name=here, heading_rad=heading
            )
            return None
        was, way.place_name = way.place_name, here
        if was == here:
            if track_id not in self._outside_ns and np.isfinite(heading):
                way.heading_rad = heading
            return None
        if here == way.entry_id and not self._came_back(way, track_id, t_ns, heading):
            return None
        movement = self._forbidden.get((way.entry_id, here))
        if movement is None:
            return None
        return new_event(
            self.post,
            self,
            start_ns=way.entry_ns,
            end_ns=t_ns,
            track_ids=[track_id],
            place_m=block.at(row),
            values={"speed_mps": float(block.speed_mps[row])},
            reasons=[f"went from {way.entry_id} to {here}, movement {movement.id} is forbidden"],
            exceptions=excuses(self.post, block, row),
        )

    def _came_back(self, way: _Way, track_id: int, t_ns: int, heading_rad: float) -> bool:
        """Return whether one who is at its entry again was away for long and has turned round."""
        if t_ns - self._outside_ns.get(track_id, t_ns) < NS_PER_S:
            return False
        if not np.isfinite(heading_rad):
            way.place_name = ""
            return False
        turned = turned_rad(np.array([heading_rad]), way.heading_rad)[0]
        return bool(turned > _TURNED_RAD)

    def finish(self) -> Iterator[Event]:
        """Nothing is left to tell."""
        yield from ()


def forbidden_turn(post: Post) -> Rule:
    """Return the rule at its post."""
    return ForbiddenTurnRule(post=post)


@dataclass(slots=True, kw_only=True, eq=False)
class StopSignRule:
    """Passes a line with ``control = "stop"`` without having nearly stopped just before it.

    Who stops with the front at the line is seen a little before or beyond it: until the front is
    2 sigma beyond, a stop counts. A passage of which the speed is not known is none.
    """

    post: Post
    name: str = "stop-sign"
    version: int = 2
    why_not: str = ""
    _gates: tuple[PlanGate, ...] = ()
    _least: dict[tuple[int, str], float] = field(default_factory=dict)
    _passed: dict[tuple[int, str], Event] = field(default_factory=dict)

    def __post_init__(self) -> None:
        signed = [gate for gate in self.post.plan.gates if gate.control == "stop"]
        self._gates = tuple(gate for gate in signed if gate.forward)
        if not self._gates:
            self.why_not = (
                'no gate has control = "stop"'
                if not signed
                else ("the gate with the STOP sign has no direction")
            )

    def update(self, block: Block) -> Iterator[Event]:
        """Take the next block."""
        for gate in self._gates:
            yield from self._at_gate(block, gate)

    def _at_gate(self, block: Block, gate: PlanGate) -> Iterator[Event]:
        wanted = self.post.settings(self.name)
        place = block.place(gate.metric, front=True)
        ahead_m = gate.ahead(place) * block.unit_m(gate.metric)
        sure_m = 2 * block.sigma_front_m * gate.metric
        near = (ahead_m <= 0) & (ahead_m >= -wanted.before_m) & beside_gate(gate, place, 1.0)
        passed = {crossing.row: crossing for crossing in crossings_of_gate(block, gate)}
        motor = is_motor(block) & (np.isfinite(block.speed_mps) | (not block.metric))
        for track_id, start, end in block.spans:
            key = (track_id, gate.id)
            if block.t_ns[start] == block.first_ns[start]:
                self._passed.pop(key, None)
                self._least.pop(key, None)
            for row in range(start, end):
                if row in passed and motor[row]:
                    self._passed[key] = self._event(block, row, passed[row].t_ns)
                gone = self._passed.get(key)
                if near[row] or gone is not None:
                    least = min(self._least.get(key, np.inf), float(block.speed_mps[row]))
                    self._least[key] = least
                if gone is not None and (ahead_m[row] > sure_m[row] or ahead_m[row] < 0):
                    least = self._least.pop(key)
                    del self._passed[key]
                    if ahead_m[row] > sure_m[row] and wanted.rolling_mps < least < np.inf:
                        yield self._judged(gone, gate, least)
                elif gone is None and not near[row]:
                    self._least.pop(key, None)

    def _event(self, block: Block, row: int, t_ns: int) -> Event:
        """Return the passage of a line, not judged yet."""
        return new_event(
            self.post,
            self,
            start_ns=t_ns,
            end_ns=t_ns,
            track_ids=[int(block.track_id[row])],
            place_m=block.at(row),
            exceptions=excuses(self.post, block, row),
        )

    def _judged(self, passage: Event, gate: PlanGate, least_mps: float) -> Event:
        wanted = self.post.settings(self.name)
        no_attempt = least_mps > wanted.no_attempt_mps
        grave = 2 if no_attempt else 1
        return replace(
            passage,
            values={"least_mps": least_mps},
            reasons=(
                f"{'did not try to stop' if no_attempt else 'rolled'} at STOP line {gate.id}: "
                f"slowest {least_mps:.1f} m/s in the last {wanted.before_m:g} m",
            ),
            severity=0 if passage.exceptions else grave,
        )

    def finish(self) -> Iterator[Event]:
        """Nothing is left to tell."""
        yield from ()


def stop_sign(post: Post) -> Rule:
    """Return the rule at its post."""
    return StopSignRule(post=post)
