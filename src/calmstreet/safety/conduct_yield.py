"""Failure to give way to a pedestrian at a crossing; "could not stop" is told apart.

A pedestrian claims a crossing from the moment when they are on it, or within ``near_m`` of it and
moving towards it. At that moment (or when it is first seen, where that is later) a vehicle is
``d`` metres (along its own later way) before the crossing at speed v. It could have stopped when
``d >= d_stop = v t + v^2 / (2 b)`` (reaction time t, comfortable braking b; Institute of
Transportation Engineers: 1 s, 3 m/s2; at 50 km/h 46.0 m, at 30 km/h 19.9 m). It fails when its
front enters the crossing while the pedestrian is within ``beside_m`` of its way, or would at the
present speed be there less than ``ahead_s`` after its rear has gone. Who passed first by then was
given way to. The vehicle must be seen to drive on until its middle is on the crossing: the box of
one that waits may leap to somebody who walks before it, and back.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from calmstreet.geometry.shapes import inside_polygon
from calmstreet.model.event import Event
from calmstreet.model.kinds import Kind
from calmstreet.safety.conduct import excuses, is_motor
from calmstreet.safety.conduct_people import near_zone
from calmstreet.safety.ground_plan import PlanZone
from calmstreet.safety.rows import PAUSE_NS, Block
from calmstreet.safety.rule import Post, Rule, new_event
from calmstreet.units import NS_PER_S, ns_from_s

__all__ = ["failure_to_yield", "stopping_distance_m"]

Array = NDArray[np.float64]
_KEPT_S = 12.0
_GRACE_S = 1.0
_BACK_S = 10.0
_GOES_ON_S = 5.0
_REACH_M = 120.0


def stopping_distance_m(speed_mps: float, *, reaction_s: float, braking_mps2: float) -> float:
    """Return the distance needed to stop.

    >>> [round(stopping_distance_m(v / 3.6, reaction_s=1.0, braking_mps2=3.0), 1) for v in (50, 30)]
    [46.0, 19.9]
    """
    return speed_mps * reaction_s + speed_mps * speed_mps / (2 * braking_mps2)


@dataclass(slots=True, kw_only=True, eq=False)
class _Claim:
    """A pedestrian at a crossing: since when, and the newest state (place, velocity, time)."""

    since_ns: int
    last_ns: int
    place: Array
    velocity: Array


@dataclass(slots=True, kw_only=True, eq=False)
class YieldRule:
    """See the module. ``yielded`` and ``failed`` count encounters of those who could stop."""

    post: Post
    name: str = "failure-to-yield"
    version: int = 2
    why_not: str = ""
    yielded: int = 0
    failed: int = 0
    could_not_stop: int = 0
    _zones: tuple[PlanZone, ...] = ()
    _claims: dict[tuple[str, int], _Claim] = field(default_factory=dict)
    _trails: dict[int, list[tuple[int, float, float, float]]] = field(default_factory=dict)
    _in: dict[tuple[str, int], bool] = field(default_factory=dict)
    _entering: dict[tuple[str, int], list[Event]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        crossings = self.post.zones("crossing")
        self._zones = tuple(z for z in crossings if z.metric and z.control != "signal")
        if not self._zones:
            self.why_not = "needs a crossing without a signal, drawn in metres"
        elif not self.post.metric:
            self.why_not = "needs places in metres"

    def update(self, block: Block) -> Iterator[Event]:
        """Take the next block: step by step, since two kinds of road users meet."""
        motor = is_motor(block, unknown=False) & self._near(block)
        vehicle_in = {z.id: inside_polygon(block.front, z.polygon) & motor for z in self._zones}
        claims = {z.id: self._claiming(block, z) for z in self._zones}
        switches = self.post.continuity.switches(block)
        busy = np.zeros(len(block), bool)
        for zone in self._zones:
            busy |= claims[zone.id] | vehicle_in[zone.id]
        order = np.lexsort((block.track_id, block.t_ns))
        for row in order[(busy | motor)[order]].tolist():
            if motor[row]:
                yield from self._vehicle(block, row, vehicle_in, leapt=bool(switches[row]))
            else:
                for zone in self._zones:
                    if claims[zone.id][row]:
                        self._claim(block, zone, row)
        self._forget(int(block.steps[-1]))

    def _near(self, block: Block) -> NDArray[np.bool_]:
        """Return which rows are near enough to a crossing to be remembered."""
        near = np.zeros(len(block), bool)
        for zone in self._zones:
            off = block.centre - zone.centre
            near |= off[:, 0] * off[:, 0] + off[:, 1] * off[:, 1] < _REACH_M * _REACH_M
        return near

    def _claiming(self, block: Block, zone: PlanZone) -> NDArray[np.bool_]:
        """Return which pedestrians claim a crossing."""
        wanted = self.post.settings(self.name)
        near = near_zone(block, zone, wanted.near_m) & (block.kind == Kind.PEDESTRIAN)
        off = zone.centre - block.centre
        far = np.sqrt(off[:, 0] * off[:, 0] + off[:, 1] * off[:, 1])
        vx = block.speed_mps * np.cos(np.nan_to_num(block.course_rad))
        vy = block.speed_mps * np.sin(np.nan_to_num(block.course_rad))
        towards = (vx * off[:, 0] + vy * off[:, 1]) / np.maximum(far, 1e-6)
        return np.asarray(near & (block.inside(zone) | (towards >= wanted.towards_mps)))

    def _claim(self, block: Block, zone: PlanZone, row: int) -> None:
        key, t_ns = (zone.id, int(block.track_id[row])), int(block.t_ns[row])
        course = float(np.nan_to_num(block.course_rad[row]))
        velocity = float(block.speed_mps[row]) * np.array([np.cos(course), np.sin(course)])
        claim = self._claims.get(key)
        if claim is None or t_ns - claim.last_ns > ns_from_s(_GRACE_S):
            claim = _Claim(since_ns=t_ns, last_ns=t_ns, place=block.centre[row], velocity=velocity)
            self._claims[key] = claim
        claim.last_ns, claim.place, claim.velocity = t_ns, block.centre[row], velocity

    def _vehicle(
        self, block: Block, row: int, inside: dict[str, NDArray[np.bool_]], *, leapt: bool
    ) -> Iterator[Event]:
        track_id, t_ns = int(block.track_id[row]), int(block.t_ns[row])
        x, y = block.front[row].tolist()
        trail = self._trails.setdefault(track_id, [])
        if trail and t_ns - trail[-1][0] > PAUSE_NS:
            trail.clear()
            for zone in self._zones:
                self._in.pop((zone.id, track_id), None)
                self._entering.pop((zone.id, track_id), None)
        trail.append((t_ns, x, y, float(block.speed_mps[row])))
        for zone in self._zones:
            key = (zone.id, track_id)
            is_in, was_in = bool(inside[zone.id][row]), self._in.get(key)
            self._in[key] = is_in
            if is_in and was_in is False and block.speed_mps[row] > 0.3:
                self._entering[key] = list(self._entered(block, zone, row))
            if key in self._entering:
                yield from self._goes_on(block, zone, row, is_in=is_in, leapt=leapt)

    def _goes_on(
        self, block: Block, zone: PlanZone, row: int, *, is_in: bool, leapt: bool
    ) -> Iterator[Event]:
        """Tell what an entry was once the middle of the vehicle is on the crossing as well."""
        key = (zone.id, int(block.track_id[row]))
        found = self._entering[key]
        on = bool(block.inside(zone)[row])
        late = bool(found) and int(block.t_ns[row]) - found[0].end_ns > ns_from_s(_GOES_ON_S)
        if not (on or leapt or late or not is_in):
            return
        del self._entering[key]
        if on and not (leapt or late):
            self.failed += len(found)
            yield from found

    def _entered(self, block: Block, zone: PlanZone, row: int) -> Iterator[Event]:
        """Judge a front that enters a crossing against everybody who claims it."""
        wanted = self.post.settings(self.name)
        t_ns = int(block.t_ns[row])
        trail = np.array(self._trails[int(block.track_id[row])], np.float64)
        for (zone_id, pedestrian), claim in sorted(self._claims.items()):
            if zone_id != zone.id or t_ns - claim.last_ns > ns_from_s(_GRACE_S):
                continue
            since_ns = max(claim.since_ns, t_ns - ns_from_s(_BACK_S))
            then = max(int(np.searchsorted(trail[:, 0], since_ns, side="right")) - 1, 0)
            steps = np.diff(trail[then:, 1:3], axis=0)
            way_m = float(np.sqrt(steps[:, 0] * steps[:, 0] + steps[:, 1] * steps[:, 1]).sum())
            speed = float(trail[then, 3])
            need_m = stopping_distance_m(
                speed, reaction_s=wanted.reaction_s, braking_mps2=wanted.braking_mps2
            )
            meets, beside_m = self._meets(block, zone, row, claim)
            if not meets:
                self.yielded += int(way_m >= need_m and beside_m < 0)
                continue
            if way_m < need_m:
                self.could_not_stop += 1
                continue
            yield self._event(block, zone, row, pedestrian, (way_m, need_m, speed, beside_m))

    def _meets(self, block: Block, zone: PlanZone, row: int, claim: _Claim) -> tuple[bool, float]:
        """Return whether a pedestrian is or will be in the way, and how far beside it.

        The distance is positive while the pedestrian comes nearer, negative once past the way.
        """
        wanted = self.post.settings(self.name)
        course = float(block.course_rad[row])
        across = np.array([-np.sin(course), np.cos(course)])
        off = claim.place - block.front[row]
        beside, rate = float((off * across).sum()), float((claim.velocity * across).sum())
        half_m = float(block.width_m[row]) / 2
        away = abs(beside) > half_m and beside * rate > 0 and abs(rate) >= wanted.towards_mps
        distance = -abs(beside) if away else abs(beside)
        ahead = float(off[0] * np.cos(course) + off[1] * np.sin(course))
        if ahead < -float(block.length_m[row]):
            return False, distance
        if not away and abs(beside) < wanted.beside_m:
            return True, distance
        if away or abs(rate) < wanted.towards_mps:
            return False, distance
        arrives_s = (abs(beside) - half_m) / abs(rate)
        along = zone.polygon[:, 0] * np.cos(course) + zone.polygon[:, 1] * np.sin(course)
        depth_m = float(np.ptp(along))
        leaves_s = (depth_m + float(block.length_m[row])) / max(float(block.speed_mps[row]), 0.3)
        return bool(arrives_s - leaves_s < wanted.ahead_s), distance

    def _event(
        self,
        block: Block,
        zone: PlanZone,
        row: int,
        pedestrian: int,
        measured: tuple[float, float, float, float],
    ) -> Event:
        way_m, need_m, speed, beside_m = measured
        t_ns = int(block.t_ns[row])
        claim = self._claims[zone.id, pedestrian]
        return new_event(
            self.post,
            self,
            start_ns=min(claim.since_ns, t_ns),
            end_ns=t_ns,
            track_ids=[int(block.track_id[row]), pedestrian],
            place_m=block.at(row),
            values={
                "distance_m": way_m,
                "stopping_m": need_m,
                "speed_then_mps": speed,
                "speed_mps": float(block.speed_mps[row]),
                "beside_m": beside_m,
            },
            reasons=[
                f"a pedestrian claimed {zone.id} while the vehicle was {way_m:.0f} m before it "
                f"({need_m:.0f} m were needed to stop)",
                f"it entered with the pedestrian {abs(beside_m):.1f} m beside its way",
            ],
            exceptions=excuses(self.post, block, row),
            severity=2,
        )

    def _forget(self, newest_ns: int) -> None:
        oldest = newest_ns - ns_from_s(_KEPT_S)
        for track_id in list(self._trails):
            trail = self._trails[track_id]
            if trail[-1][0] < newest_ns - 2 * NS_PER_S:
                del self._trails[track_id]
                for zone in self._zones:
                    self._in.pop((zone.id, track_id), None)
                    self._entering.pop((zone.id, track_id), None)
            elif trail[0][0] < oldest - NS_PER_S * 10:
                self._trails[track_id] = [place for place in trail if place[0] >= oldest]
        gone = newest_ns - ns_from_s(3 * _GRACE_S)
        self._claims = {k: c for k, c in self._claims.items() if c.last_ns >= gone}

    def finish(self) -> Iterator[Event]:
        """Nothing is left to tell."""
        yield from ()


def failure_to_yield(post: Post) -> Rule:
    """Return the rule at its post."""
    return YieldRule(post=post)
