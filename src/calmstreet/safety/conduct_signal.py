"""Red light and stop line: what a front does at a line while its head is red.

Definitions: science of the project, section 9; thresholds ``[rules.red-light]`` and
``[rules.stop-line]``. Where a gate says ``turn_on_red``, who stops first and turns to that side is
no runner. Those already past the line when red begins are no runners: only a front
that passes the line during red is looked at.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from calmstreet.geometry.footprints import shares_inside
from calmstreet.model.event import Event
from calmstreet.model.signals import SignalState
from calmstreet.safety.conduct import beside_gate, crossings_of_gate, excuses, facing, is_motor
from calmstreet.safety.ground_plan import PlanGate
from calmstreet.safety.rows import PAUSE_NS, Block
from calmstreet.safety.rule import Post, Rule, ended, new_event
from calmstreet.safety.spells import Spells
from calmstreet.safety.turn_on_red import SlowestBefore, turned_to
from calmstreet.units import NS_PER_S, ns_from_s

__all__ = ["RedLightRule", "StopLineRule", "red_light", "signalled_gates", "stop_line"]

_CLASSES_S = (0.3, 1.0, 2.0)
_TREMBLES_MPS = 0.5  # a front that waits at a line and is seen to pass it so slowly
_END_NS = 2**62


def signalled_gates(post: Post) -> tuple[tuple[PlanGate, ...], str]:
    """Return the gates whose head has known states, and why there are none."""
    named = [gate for gate in post.plan.gates if gate.signal]
    if not named:
        return (), "no gate names a signal"
    known = tuple(gate for gate in named if gate.signal in post.signals.heads)
    return known, "" if known else "no states of the signals are known"


@dataclass(slots=True, kw_only=True)
class _Entered:
    """A front that passed a line on red and must now be seen to go on."""

    gate: PlanGate
    t_ns: int
    red_ns: int
    speed_mps: float
    sigma_s: float
    place_m: tuple[float, float]
    exceptions: list[str]
    heading_rad: float
    least_mps: float
    fastest_mps: float = 0.0
    last_ns: int = 0
    goes_on: bool = False


@dataclass(slots=True, kw_only=True, eq=False)
class RedLightRule:
    """Passes the line on red and goes on; ``runners`` counts them by gate, exceptions left out."""

    post: Post
    gates: tuple[PlanGate, ...]
    why_not: str
    name: str = "red-light"
    version: int = 2
    runners: Counter[str] = field(default_factory=Counter)
    _entered: dict[tuple[int, str], _Entered] = field(default_factory=dict)
    _slowest: SlowestBefore = field(init=False)

    def __post_init__(self) -> None:
        self._slowest = SlowestBefore(wanted=self.post.settings(self.name))

    def update(self, block: Block) -> Iterator[Event]:
        """Take the next block."""
        found = []
        for gate in self.gates:
            fresh = self._fronts(block, gate)
            found += self._go_on(block, gate, fresh)
        found += self._lost(int(block.steps[-1]) if len(block.steps) else 0)
        yield from sorted(found, key=lambda event: (event.start_ns, event.event_id))

    def finish(self) -> Iterator[Event]:
        """Those who were not seen to go on are no runners."""
        yield from self._lost(_END_NS)

    def _lost(self, now_ns: int) -> list[Event]:
        """Tell of those who went on where turning is allowed, and were then seen no more."""
        gone = [
            key
            for key, state in self._entered.items()
            if state.goes_on and now_ns - state.last_ns > PAUSE_NS
        ]
        return [e for key in gone for e in self._unseen(key[0], self._entered.pop(key))]

    def _unseen(self, track_id: int, state: _Entered) -> list[Event]:
        side = state.gate.turn_on_red
        excuse = f"turning {side} is allowed on red; whether it turned was not seen"
        return self._event(track_id, state, state.last_ns, excuse=excuse)

    def _fronts(self, block: Block, gate: PlanGate) -> dict[int, _Entered]:
        """Return who passes the line on red in this block, by row."""
        fresh = {}
        least = self._slowest.at_rows(block, gate) if gate.turn_on_red else np.empty(0)
        drives = is_motor(block, unknown=not block.metric)
        for crossing in crossings_of_gate(block, gate):
            red_ns = self.post.signals.red_since(gate.signal, crossing.t_ns)
            row = crossing.row
            if red_ns is None or not drives[row] or block.speed_mps[row] < _TREMBLES_MPS:
                continue
            speed = float(block.speed_mps[row])
            sigma_m = float(block.sigma_front_m[row])
            place_s = sigma_m / speed if speed > 0.1 else 0.0
            fresh[row] = _Entered(
                gate=gate,
                t_ns=crossing.t_ns,
                red_ns=red_ns,
                speed_mps=speed,
                sigma_s=float(np.hypot(self.post.clock_sigma_s, place_s)),
                place_m=block.at(row),
                exceptions=[
                    *excuses(self.post, block, row),
                    *self._others(block, gate, row),
                ],
                heading_rad=float(block.heading_rad[row]),
                least_mps=float(least[row]) if gate.turn_on_red else float("nan"),
            )
        return fresh

    def _others(self, block: Block, gate: PlanGate, row: int) -> list[str]:
        """Return what the standing of those who have green suggests."""
        wanted = self.post.settings(self.name)
        if not block.metric:
            return []
        standing, t_ns = 0, int(block.t_ns[row])
        now = np.flatnonzero(block.t_ns == t_ns)
        for other in self.gates:
            since = self.post.signals.green_since(other.signal, t_ns)
            if other.id == gate.id or since is None:
                continue
            if t_ns - since < ns_from_s(wanted.yielding_s):
                continue
            ahead = -other.ahead(block.front[now])
            near = (ahead > -0.5) & (ahead < 8.0) & (block.speed_mps[now] < 0.5)
            near &= beside_gate(other, block.front[now], 2.5)
            standing += len(np.unique(block.track_id[now[near]]))
        if standing >= wanted.yielding:
            return [f"{standing} road users with green stood still: perhaps an emergency vehicle"]
        return []

    def _go_on(self, block: Block, gate: PlanGate, fresh: dict[int, _Entered]) -> list[Event]:
        """Follow who passed until it is ``entry_m`` beyond the line, or ``entry_s`` are over."""
        units = block.unit_m(gate.metric)
        beyond = gate.ahead(block.place(gate.metric, front=True)) * units
        found = []
        for track_id, start, end in block.spans:
            key = (track_id, gate.id)
            if key not in self._entered and not any(start <= row < end for row in fresh):
                continue
            for row in range(start, end):
                state = self._entered.get(key)
                if state is not None and state.goes_on:
                    found += self._after(block, row, key, float(beyond[row]))
                if row in fresh:
                    self._entered[key] = fresh[row]
                state = self._entered.get(key)
                if state is not None and not state.goes_on:
                    found += self._enters(block, row, key, float(beyond[row]))
        return found

    def _enters(self, block: Block, row: int, key: tuple[int, str], beyond_m: float) -> list[Event]:
        """Take a row of one who passed the line and has not gone on yet."""
        wanted, state = self.post.settings(self.name), self._entered[key]
        t_ns = state.last_ns = int(block.t_ns[row])
        state.fastest_mps = max(state.fastest_mps, float(block.speed_mps[row]))
        if t_ns - state.t_ns > ns_from_s(wanted.entry_s) or beyond_m < 0:
            del self._entered[key]
        elif beyond_m >= wanted.entry_m and state.fastest_mps >= wanted.entry_mps:
            if state.gate.turn_on_red and block.metric:
                state.goes_on = True
                return self._after(block, row, key, beyond_m)
            del self._entered[key]
            return (self._unseen if state.gate.turn_on_red else self._runs)(key[0], state)
        return []

    def _after(self, block: Block, row: int, key: tuple[int, str], beyond_m: float) -> list[Event]:
        """Take a row of one who went on where turning is allowed: did it turn?"""
        wanted, state = self.post.settings(self.name), self._entered[key]
        t_ns, side = int(block.t_ns[row]), state.gate.turn_on_red
        if t_ns - state.last_ns > PAUSE_NS:
            return self._unseen(key[0], self._entered.pop(key))
        state.last_ns = t_ns
        state.fastest_mps = max(state.fastest_mps, float(block.speed_mps[row]))
        turned = turned_to(
            float(block.heading_rad[row]), was_rad=state.heading_rad, least_rad=wanted.turn_rad
        )
        late = t_ns - state.t_ns > ns_from_s(wanted.turn_s) or beyond_m >= wanted.turn_m
        if not turned and not late:
            return []
        del self._entered[key]
        return self._turns(key[0], state) if turned == side else self._runs(key[0], state)

    def _runs(self, track_id: int, state: _Entered) -> list[Event]:
        return self._event(track_id, state, state.last_ns)

    def _turns(self, track_id: int, state: _Entered) -> list[Event]:
        """Tell of one who turned where that is allowed, unless it had stopped first."""
        wanted, side = self.post.settings(self.name), state.gate.turn_on_red
        if np.isnan(state.least_mps):
            excuse = f"turning {side} is allowed on red; whether it stopped first was not seen"
            return self._event(track_id, state, state.last_ns, excuse=excuse)
        if state.least_mps <= wanted.turn_stop_mps:
            return []
        why = (
            f"it turned {side} without a stop: slowest {state.least_mps:.1f} m/s in the last "
            f"{wanted.turn_before_m:g} m before the line"
        )
        return self._event(track_id, state, state.last_ns, why=why)

    def _event(
        self, track_id: int, state: _Entered, end_ns: int, *, why: str = "", excuse: str = ""
    ) -> list[Event]:
        wanted = self.post.settings(self.name)
        into_s = (state.t_ns - state.red_ns) / NS_PER_S
        margin_s = into_s - wanted.delay_s
        if margin_s <= 2 * state.sigma_s:
            return []
        reach = [limit for limit in _CLASSES_S if into_s > limit]
        event = new_event(
            self.post,
            self,
            start_ns=state.t_ns,
            end_ns=end_ns,
            track_ids=[track_id],
            place_m=state.place_m,
            values={
                "into_red_s": into_s,
                "sigma_into_red_s": state.sigma_s,
                "margin_in_u": margin_s / (2 * state.sigma_s) if state.sigma_s else float("inf"),
                "speed_mps": state.speed_mps,
                "longer_than_s": max(reach, default=0.0),
                **({"least_mps": state.least_mps} if why else {}),
            },
            reasons=[
                f"the front passed line {state.gate.id} {into_s:.2f} s after signal "
                f"{state.gate.signal} turned red",
                f"it went on at up to {state.fastest_mps:.1f} m/s",
                *([why] if why else []),
            ],
            exceptions=[*state.exceptions, *([excuse] if excuse else [])],
            severity=1 + len(reach),
        )
        self.runners[state.gate.id] += not event.exceptions
        return [event]


def red_light(post: Post) -> Rule:
    """Return the rule at its post."""
    gates, why_not = signalled_gates(post)
    return RedLightRule(post=post, gates=gates, why_not=why_not)


@dataclass(slots=True, kw_only=True, eq=False)
class StopLineRule:
    """Stands beyond the line, or on a crossing behind it, while the head is red."""

    post: Post
    gates: tuple[PlanGate, ...]
    why_not: str
    name: str = "stop-line"
    version: int = 2
    _spells: dict[str, Spells] = field(default_factory=dict)

    def update(self, block: Block) -> Iterator[Event]:
        """Take the next block."""
        for gate in self.gates:
            spells = self._spells.setdefault(gate.id, Spells(grace_s=0.6))
            yield from self._at_gate(block, gate, spells)

    def finish(self) -> Iterator[Event]:
        """Nothing is left to tell."""
        yield from ()

    def _at_gate(self, block: Block, gate: PlanGate, spells: Spells) -> Iterator[Event]:
        wanted = self.post.settings(self.name)
        place = block.place(gate.metric, front=True)
        past_m = gate.ahead(place) * block.unit_m(gate.metric)
        state, _ = self.post.signals.at(gate.signal, block.t_ns)
        named = is_motor(block, unknown=False)
        holds = (block.speed_mps < wanted.still_mps) & named & (state == SignalState.RED)
        holds &= facing(gate, block)
        holds &= beside_gate(gate, place, 0.0) & (past_m >= 0) & (past_m < wanted.past_most_m)
        zebra, share = self._on_crossings(block, holds)
        holds &= (past_m >= wanted.past_m + 2 * block.sigma_front_m) | zebra
        for spell, rows in spells.take(block, holds, place):
            if spell.event is not None:
                spell.event = ended(spell.event, spell.last_ns)
                yield spell.event
                continue
            ripe = rows[block.t_ns[rows] - spell.since_ns >= ns_from_s(wanted.still_s)]
            if len(ripe):
                row = int(ripe[0])
                spell.event = self._event(
                    block, gate, row, spell.since_ns, float(past_m[row]), float(share[row])
                )
                spell.event = ended(spell.event, spell.last_ns)
                yield spell.event

    def _on_crossings(
        self, block: Block, holds: NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """Return which of the rows stand on a crossing, and the largest share (0..1) of each."""
        share = np.zeros(len(block))
        rows = np.flatnonzero(holds) if block.metric else np.empty(0, np.intp)
        for zone in self.post.zones("crossing"):
            if zone.metric and len(rows):
                inside = shares_inside(
                    zone.polygon,
                    xy_m=block.centre[rows],
                    heading_rad=block.heading_rad[rows],
                    length_m=block.length_m[rows],
                    width_m=block.width_m[rows],
                )
                share[rows] = np.maximum(share[rows], inside)
        sure = share - 2 * block.sigma_front_m / block.length_m
        return sure >= self.post.settings(self.name).zebra_share, share

    def _event(
        self,
        block: Block,
        gate: PlanGate,
        row: int,
        since_ns: int,
        past_m: float,
        share: float,
    ) -> Event:
        return new_event(
            self.post,
            self,
            start_ns=since_ns,
            end_ns=int(block.t_ns[row]),
            track_ids=[int(block.track_id[row])],
            place_m=block.at(row),
            values={
                "past_m": past_m,
                "sigma_m": float(block.sigma_front_m[row]),
                **({"zebra_share": share} if share > 0 else {}),
            },
            reasons=[
                f"the front stood {past_m:.1f} m past line {gate.id} while signal "
                f"{gate.signal} was red",
                *([f"{100 * share:.0f} % of its footprint stood on a crossing"] if share else []),
            ],
            exceptions=[
                *excuses(self.post, block, row),
                *([f"turning {side} is allowed here on red"] if (side := gate.turn_on_red) else []),
            ],
        )


def stop_line(post: Post) -> Rule:
    """Return the rule at its post."""
    gates, why_not = signalled_gates(post)
    return StopLineRule(
        post=post,
        gates=tuple(g for g in gates if g.forward),
        why_not=why_not
        or ("" if any(g.forward for g in gates) else "no gate with a signal has a direction"),
    )
