"""Rendered streets of staged encounters, one every few seconds, with a gap drawn for each."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from tests.bench.speed_streets import STREETS, SpeedStreet, speed_scene

from calmstreet.model.kinds import Kind
from calmstreet.scene.ensemble import lane_plan, zebra_walk
from calmstreet.scene.stage import Scene
from calmstreet.scene.street import Street
from calmstreet.scene.traffic import Path, Plan, drive

__all__ = ["PLACES", "conflict_scene"]

PLACES: tuple[SpeedStreet, ...] = STREETS[:4]
EVERY_S, FIRST_S = 9.0, 8.0
NEAREST_S, WIDEST_S = 0.3, 2.2
FAR_S_M = 80.0
TURN_S_M, CROSS_S_M = 22.0, 24.0

Encounter = Callable[[Street, float, float, int], list[Plan]]


def conflict_scene(place: SpeedStreet, duration_s: float) -> Scene:
    """Return a scene in which two road users meet every ``EVERY_S`` seconds, in turn of kind."""
    dice = np.random.default_rng(100 + place.seed)
    empty = speed_scene(place, 20.0)
    plans: list[Plan] = []
    moments = np.arange(FIRST_S, duration_s - 4.0, EVERY_S)
    for number, moment_s in enumerate(moments.tolist()):
        meet = _ENCOUNTERS[(number + place.seed) % len(_ENCOUNTERS)]
        gap_s = float(dice.uniform(NEAREST_S, WIDEST_S))
        plans += meet(empty.street, moment_s, gap_s, int(dice.integers(24)))
    actors = tuple(drive(plans, duration_s))
    return replace(empty, name=f"conflicts-{place.name}", actors=actors, duration_s=duration_s)


def _car(street: Street, lane: int, s_m: float, at_s: float, speed_mps: float, look: int) -> Plan:
    """Return a car that keeps its speed and is at ``s_m`` of its lane at ``at_s``."""
    plan = lane_plan(street, Kind.CAR, lane, speed_mps=speed_mps, look=look)
    gone_m = s_m + 12.0 if lane < 2 else FAR_S_M - s_m
    enter_s = at_s - gone_m / speed_mps
    return replace(plan, lane="", enter_s=max(enter_s, 0.0), at_m=max(-enter_s, 0.0) * speed_mps)


def _along(
    street: Street, places: list[tuple[float, float]], meet_m: float, at_s: float, speed_mps: float,
    look: int,
) -> Plan:  # fmt: skip
    """Return a car along a way of its own that has gone ``meet_m`` at ``at_s``."""
    enter_s = at_s - meet_m / speed_mps
    return Plan(
        kind=Kind.CAR,
        path=Path(points_m=street.to_ground(np.array(places))),
        speed_mps=speed_mps,
        enter_s=max(enter_s, 0.0),
        at_m=max(-enter_s, 0.0) * speed_mps,
        look=look,
    )


def _walker(street: Street, at_s: float, gap_s: float, look: int) -> list[Plan]:
    """Somebody walks over the zebra; a car comes to his place afterwards."""
    walk_mps, lane = 1.4, look % 4
    far_m = abs(street.lane_d_m(lane) + street.half_m + street.footway_m - 0.8)
    enter_s = max(at_s - far_m / walk_mps, 0.0)
    walker = zebra_walk(
        street, 16.7, leftwards=True, enter_s=enter_s, speed_mps=walk_mps, look=look
    )
    return [walker, _car(street, lane, 16.7, at_s + 1.0 + gap_s, 9.0, look + 1)]


def _tailgater(street: Street, at_s: float, gap_s: float, look: int) -> list[Plan]:
    """A fast car comes up behind a slow one and brakes hard."""
    lane = look % 4
    slow = _car(street, lane, 20.0, at_s, 3.0, look)
    fast = _car(
        street, lane, 20.0 - (6.0 if lane < 2 else -6.0), at_s - 0.6 + gap_s / 2, 15.0, look
    )
    name = f"tail-{at_s:.0f}"
    return [replace(slow, lane=name), replace(fast, lane=name)]


def _left_turn(street: Street, at_s: float, gap_s: float, look: int) -> list[Plan]:
    """A car turns left out of the inner lane before an oncoming one."""
    d, radius = street.lane_d_m(1), 6.0
    turn = np.linspace(0.0, np.pi / 2, 16)
    arc = [
        (TURN_S_M + radius * float(np.sin(t)), d + radius * (1 - float(np.cos(t)))) for t in turn
    ]
    places = [(-12.0, d), *arc, (TURN_S_M + radius, 16.0)]
    lane, meet_m = 2 + look % 2, 12.0 + TURN_S_M + 7.0
    turning = _along(street, places, meet_m, at_s, 6.0, look)
    return [turning, _car(street, lane, TURN_S_M + 5.0, at_s + 0.6 + gap_s, 11.0, look + 1)]


def _entry(street: Street, at_s: float, gap_s: float, look: int) -> list[Plan]:
    """A car comes out of the near side into the outer lane before one that follows there."""
    d, radius, s = street.lane_d_m(3), 5.0, 30.0
    turn = np.linspace(0.0, np.pi / 2, 16)
    arc = [(s - radius * (1 - float(np.cos(t))), d + radius * (1 - float(np.sin(t)))) for t in turn]
    way = _along(street, [(s, 18.0), *arc, (-12.0, d)], 18.0 - d + 4.0, at_s, 6.0, look)
    return [way, _car(street, 3, s - radius, at_s + 0.6 + gap_s, 9.0, look + 1)]


def _crossing(street: Street, at_s: float, gap_s: float, look: int) -> list[Plan]:
    """A car crosses the street before another."""
    lane = look % 4
    ends = [(CROSS_S_M, -16.0), (CROSS_S_M, 18.0)]
    across = _along(street, ends, 16.0 + street.lane_d_m(lane), at_s, 7.0, look)
    return [across, _car(street, lane, CROSS_S_M, at_s + 0.8 + gap_s, 10.0, look + 1)]


_ENCOUNTERS: tuple[Encounter, ...] = (_walker, _tailgater, _left_turn, _entry, _crossing)
