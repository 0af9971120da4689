"""Wrong deeds on the rendered street, one at a time, each with the rule that should tell of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from tests.bench.rule_films import (
    AMBER_S,
    KERB_D,
    STOP_IN_M,
    STOP_OUT_M,
    Film,
    Setting,
    stage_of,
)
from tests.bench.rule_traffic import FAR_M, STEP_S, timed

from calmstreet.model.kinds import Kind
from calmstreet.scene.bodies import size_m
from calmstreet.scene.stage import Scene
from calmstreet.scene.traffic import Actor, Path, Plan

__all__ = ["DEEDS", "Deed", "staged_scene"]

HALF_CAR_M = size_m(Kind.CAR)[0] / 2
STORAGE_M = 15.0
COMES_M = -14.0
TURN_M, TURN_MPS = 5.2, 3.6
"""Radius of the middle of a car that turns round between kerbs, and how fast it does."""

DEEDS: tuple[Film, ...] = (
    Film(place="aside", play="signal"),
    Film(place="along", play="zebra"),
    Film(place="wide", play="junction"),
    Film(place="high", play="zebra"),
    Film(place="along", play="motorway"),
    Film(place="wide", play="signal"),
    Film(place="aside", play="zebra"),
    Film(place="aside", play="junction"),
    Film(place="wide", play="zebra", night=True),
    Film(place="aside", play="motorway"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What was done wrong, and from when until when an event should lie."""

    rule: str
    from_s: float
    until_s: float


Done = tuple[Deed, list[Actor]]
Staging = Callable[[Setting, float, np.random.Generator], Done]


def staged_scene(here: Setting) -> tuple[Scene, list[Deed]]:
    """Return a film of one deed after another, with nobody else on the street, and the deeds."""
    dice = np.random.default_rng([here.seed, 9, *here.film.name.encode()])
    done = _at_lights(here, dice) if here.film.play == "signal" else _in_turns(here, dice)
    rules = {**here.site.rules, "queue": {"storage_m": STORAGE_M}}
    here = replace(here, site=replace(here.site, rules=rules))
    return stage_of(here, [a for _, actors in done for a in actors]), [deed for deed, _ in done]


def _in_turns(here: Setting, dice: np.random.Generator) -> list[Done]:
    stagings = [
        (stage, long_s) for rule, (stage, long_s) in _STAGINGS[here.film.play].items()
        if rule != "bus-lane" or here.film.place in ("along", "high")
    ]  # fmt: skip
    done: list[Done] = []
    at_s, number = 14.0, 0
    while True:
        stage, long_s = stagings[number % len(stagings)]
        if at_s + long_s > here.duration_s:
            return done
        done.append(stage(here, at_s, dice))
        at_s, number = at_s + long_s, number + 1


def _at_lights(here: Setting, dice: np.random.Generator) -> list[Done]:
    """Return deeds of every red: a runner and a walker, or one over the line and a queue."""
    done: list[Done] = []
    for number, (_, end_s) in enumerate(here.greens[:-1]):
        red_s, green_s = end_s + AMBER_S, here.greens[number + 1][0]
        if number % 2:
            done += [_over_line(here, red_s, green_s, dice), _spill(here, red_s, green_s)]
        else:
            done += [_runner(here, red_s, dice), _ped_red(here, green_s, dice)]
    return done


def _car(
    here: Setting, lane: int, via: Sequence[tuple[float, float]], look: int, kind: Kind = Kind.CAR
) -> Actor:
    """Return a car in a lane through timed places (t_s, s of its middle)."""
    d = here.street.lane_d_m(lane)
    return timed(here.street, kind, [(t, s, d) for t, s in via], look=look)


def _through(
    here: Setting, lane: int, at_s: float, s_m: float, mps: float, look: int, kind: Kind = Kind.CAR
) -> Actor:
    """Return a car that keeps its speed and is at ``s_m`` at ``at_s``."""
    ends = (COMES_M, FAR_M) if lane < 2 else (FAR_M, COMES_M)
    via = [(at_s - abs(s_m - ends[0]) / mps, ends[0]), (at_s + abs(ends[1] - s_m) / mps, ends[1])]
    return _car(here, lane, via, look, kind)


def _look(dice: np.random.Generator) -> int:
    return int(dice.integers(24))


def _runner(here: Setting, red_s: float, dice: np.random.Generator) -> Done:
    lane, into_s = int(dice.integers(4)), float(dice.uniform(1.0, 9.0))
    line = STOP_IN_M - HALF_CAR_M if lane < 2 else STOP_OUT_M + HALF_CAR_M
    at_s = red_s + into_s
    car = _through(here, lane, at_s, line, float(dice.uniform(7, 13)), _look(dice))
    return Deed(rule="red-light", from_s=at_s, until_s=at_s + 5), [car]


def _ped_red(here: Setting, green_s: float, dice: np.random.Generator) -> Done:
    at_s = green_s - float(dice.uniform(9.5, 12.0))
    s = float(dice.uniform(15.8, 17.8))
    via = [(at_s - 5.0, s, -9.6), (at_s, s, -6.6), (at_s + 11.0, s, 8.5)]
    walker = timed(here.street, Kind.PEDESTRIAN, via, look=_look(dice))
    return Deed(rule="pedestrian-on-red", from_s=at_s, until_s=at_s + 11), [walker]


def _over_line(here: Setting, red_s: float, green_s: float, dice: np.random.Generator) -> Done:
    at_s, place = red_s + 4.0, STOP_IN_M - HALF_CAR_M + float(dice.uniform(1.3, 2.5))
    via = [(at_s - 5.0, place - 34.0), (at_s - 1.5, place - 3.0), (at_s, place),
           (green_s + 1.0, place), (green_s + 2.5, place + 3.0),
           (green_s + 8.0, FAR_M)]  # fmt: skip
    return Deed(rule="stop-line", from_s=at_s, until_s=green_s), [_car(here, 0, via, _look(dice))]


def _spill(here: Setting, red_s: float, green_s: float) -> Done:
    cars = []
    for k in range(3):
        place = STOP_OUT_M + 0.4 + HALF_CAR_M + 6.6 * k
        via = [(red_s - 4.0 + k, FAR_M), (red_s + 2.0 + k, place + 3.0), (red_s + 3.2 + k, place),
               (green_s + 1.0 + k, place), (green_s + 3.0 + k, place - 4.0),
               (green_s + 10.0 + k, COMES_M)]  # fmt: skip
        cars.append(_car(here, 2, via, 2 * k + 1))
    return Deed(rule="queue", from_s=red_s + 4, until_s=green_s + 2), cars


def _unyielding(here: Setting, at_s: float, dice: np.random.Generator) -> Done:
    s, lane = float(dice.uniform(15.8, 17.8)), int(dice.integers(1, 3))
    kerb_s, mps = at_s + 8.0, float(dice.uniform(1.2, 1.5))
    via = [(kerb_s - 2.5, s, -9.8), (kerb_s, s, -6.6), (kerb_s + 15.0 / mps, s, 8.4)]
    walker = timed(here.street, Kind.PEDESTRIAN, via, look=_look(dice))
    there_s = kerb_s + (here.street.lane_d_m(lane) + 6.6) / mps
    meet_s = there_s - float(dice.uniform(1.4, 2.2))
    edge = 15.0 - HALF_CAR_M if lane < 2 else 18.5 + HALF_CAR_M
    speed = float(dice.uniform(6.0, 9.0))
    if lane == 1:  # Slow enough that it could have stopped when the walker stepped off.
        speed = min(speed, 5.0)
    car = _through(here, lane, meet_s, edge, speed, _look(dice))
    return Deed(rule="failure-to-yield", from_s=kerb_s, until_s=meet_s + 2), [walker, car]


def _outside(here: Setting, at_s: float, dice: np.random.Generator) -> Done:
    s, from_s = float(dice.uniform(22.5, 27.0)), at_s + 4.0
    via = [(from_s - 2.0, s, -9.4), (from_s, s, -6.7), (from_s + 10.0, s + 1.0, 7.4),
           (from_s + 12.0, s, 10.0)]  # fmt: skip
    walker = timed(here.street, Kind.PEDESTRIAN, via, look=_look(dice))
    return Deed(rule="crossing-outside", from_s=from_s, until_s=from_s + 10), [walker]


def _along_road(here: Setting, at_s: float, dice: np.random.Generator) -> Done:
    begin, end, mps = (20.7, 40.0, 1.05) if here.film.place != "high" else (2.5, 12.9, 0.58)
    long_s, d = (end - begin) / mps, -5.7
    via = [(at_s, begin, -8.6), (at_s + 2.0, begin, d), (at_s + 2.0 + long_s, end, d)]
    walker = timed(here.street, Kind.PEDESTRIAN, via, look=_look(dice))
    return Deed(rule="vulnerable-user", from_s=at_s + 2, until_s=at_s + 2 + long_s), [walker]


def _wrong_way(here: Setting, at_s: float, dice: np.random.Generator) -> Done:
    mps = float(dice.uniform(5, 11))
    car = _through(here, 2, at_s + 8, 14.0, mps, _look(dice))
    d = here.street.lane_d_m(1)
    moved = replace(
        car.plan, path=replace(car.plan.path, points_m=here.street.to_ground(
            np.array([(FAR_M, d), (COMES_M, d)])))
    )  # fmt: skip
    deed = Deed(rule="wrong-way", from_s=at_s + 2, until_s=at_s + 8 + 26 / mps)
    return deed, [replace(car, plan=moved)]


def _reversing(here: Setting, at_s: float, dice: np.random.Generator) -> Done:
    far = float(dice.uniform(8, 11))
    stop, back_s = 18.0, at_s + 8.0
    d, long_s = here.street.lane_d_m(1), far / 1.5
    via = [(at_s, COMES_M, d), (at_s + 4.5, stop - 2.0, d), (at_s + 5.5, stop, d),
           (back_s, stop, d), (back_s + long_s, stop - far, d),
           (back_s + long_s + 1.5, stop - far, d), (back_s + long_s + 9.5, FAR_M, d)]  # fmt: skip
    car = timed(
        here.street, Kind.CAR, via, look=_look(dice), backs=(back_s - 0.1, back_s + long_s + 0.5)
    )
    return Deed(rule="reversing", from_s=back_s, until_s=back_s + long_s), [car]


def _u_turn(here: Setting, at_s: float, dice: np.random.Generator) -> Done:
    """Return a car that turns round from kerb lane to kerb lane, as narrow as a car can."""
    side = -1 if here.film.place == "along" else 1  # From the end whose both sides are seen.
    at, comes_m = (float(dice.uniform(13, 17)), COMES_M) if side > 0 else (26.0, FAR_M)
    arc = [
        (at + side * TURN_M * float(np.cos(t)), side * TURN_M * float(np.sin(t)))
        for t in np.linspace(-np.pi / 2, np.pi / 2, 24).tolist()
    ]
    straight = [(comes_m, arc[0][1]), (at - side * 8.0, arc[0][1])]
    places = [*straight, *arc, (comes_m, arc[-1][1])]
    far_m = np.hypot(*np.diff(np.array(places), axis=0).T)
    mps = np.array([8.0, 5.0, *[TURN_MPS] * (len(arc) - 1), 6.0])
    gone_s = np.concatenate([[0.0], np.cumsum(far_m / mps)])
    via = [(at_s + g, s, d) for g, (s, d) in zip(gone_s.tolist(), places, strict=True)]
    car = timed(here.street, Kind.CAR, via, look=_look(dice))
    return Deed(rule="forbidden-turn", from_s=at_s + 2, until_s=via[-1][0]), [car]


def _lies(here: Setting, at_s: float, dice: np.random.Generator) -> Done:
    """Return a carton that fell from something and lies in a lane, with nobody near."""
    from_s, long_s = at_s + 4.0, 32.0
    s, d = float(dice.uniform(20.5, 24.5)), here.street.lane_d_m(int(dice.integers(1, 3)))
    turned = float(dice.uniform(0.3, 0.9))
    path = Path(points_m=here.street.to_ground(np.array([(s, d), (s + 1.0, d + turned)])))
    steps = round(long_s / STEP_S)
    plan = Plan(kind=Kind.UNKNOWN, path=path, speed_mps=0.0, enter_s=from_s)
    carton = Actor(
        number=0, plan=plan, start_s=from_s, along_m=np.full(steps, 0.01), speed_mps=np.zeros(steps)
    )
    return Deed(rule="object", from_s=from_s, until_s=from_s + long_s), [carton]


def _over_solid(here: Setting, at_s: float, dice: np.random.Generator) -> Done:
    a, b, mps = here.street.lane_d_m(1), here.street.lane_d_m(2), float(dice.uniform(7, 10))
    places = [(COMES_M, a), (2.0, a), (10.0, b), (20.0, b), (30.0, a), (FAR_M, a)]
    gone = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(np.array(places), axis=0).T))])
    via = [(at_s + g / mps, s, d) for g, (s, d) in zip(gone.tolist(), places, strict=True)]
    deed = Deed(rule="solid-line", from_s=via[1][0], until_s=via[4][0])
    return deed, [timed(here.street, Kind.CAR, via, look=_look(dice))]


def _in_bus_lane(here: Setting, at_s: float, dice: np.random.Generator) -> Done:
    car = _through(here, 0, at_s + 6, 14.0, float(dice.uniform(7, 11)), _look(dice))
    return Deed(rule="bus-lane", from_s=at_s + 3, until_s=at_s + 10), [car]


def _stands(rule: str, lane: int, s_m: float, long_s: float) -> Staging:
    def stage(here: Setting, at_s: float, dice: np.random.Generator) -> Done:
        place, stop_s = s_m + float(dice.uniform(-1, 1)), at_s + 7.0
        ends = (COMES_M, FAR_M) if lane < 2 else (FAR_M, COMES_M)
        sign = 1 if lane < 2 else -1
        via = [(stop_s - 1.5 - (abs(place - ends[0]) - 3.0) / 9.0, ends[0]),
               (stop_s - 1.5, place - 3.0 * sign), (stop_s, place), (stop_s + long_s, place),
               (stop_s + long_s + 1.5, place + 3.0 * sign),
               (stop_s + long_s + 10.0, ends[1])]  # fmt: skip
        deed = Deed(rule=rule, from_s=stop_s, until_s=stop_s + long_s)
        return deed, [_car(here, lane, via, _look(dice))]

    return stage


def _too_fast(here: Setting, at_s: float, dice: np.random.Generator) -> Done:
    mps, lane = float(dice.uniform(18.5, 23.0)), int(dice.integers(4))
    car = _through(here, lane, at_s + 4, 14.0, mps, _look(dice))
    return Deed(rule="speeding", from_s=at_s + 1, until_s=at_s + 7), [car]


def _crash(here: Setting, at_s: float, dice: np.random.Generator) -> Done:
    place, hit_s, mps = 11.0, at_s + 9.0, float(dice.uniform(6, 10))
    stands = [(at_s, COMES_M), (at_s + 3.0, place - 3.0), (at_s + 4.5, place),
              (hit_s, place), (hit_s + 0.5, place + 0.8), (hit_s + 6.0, place + 0.8),
              (hit_s + 15.0, FAR_M)]  # fmt: skip
    touch = place - 2 * HALF_CAR_M
    comes = [(hit_s - (touch - COMES_M) / mps, COMES_M), (hit_s, touch), (hit_s + 0.5, touch + 0.7),
             (hit_s + 8.0, touch + 0.7), (hit_s + 17.0, FAR_M)]  # fmt: skip
    cars = [_car(here, 1, stands, _look(dice)), _car(here, 1, comes, _look(dice))]
    return Deed(rule="collision", from_s=hit_s, until_s=hit_s + 3), cars


def _rolls(here: Setting, at_s: float, dice: np.random.Generator) -> Done:
    mps, s, line_s = float(dice.uniform(3.5, 6.5)), 23.5, at_s + 6.0
    line = KERB_D + HALF_CAR_M
    via = [(line_s - (24.0 - line) / mps, s, 24.0), (line_s, s, line),
           (line_s + (line + 26.0) / mps, s, -26.0)]  # fmt: skip
    car = timed(here.street, Kind.CAR, via, look=_look(dice))
    return Deed(rule="stop-sign", from_s=line_s, until_s=line_s + 2), [car]


def _on_motorway(here: Setting, at_s: float, dice: np.random.Generator) -> Done:
    if dice.random() < 0.5:
        cycle = _through(here, 0, at_s + 8, 14.0, 4.5, _look(dice), Kind.BICYCLE)
        return Deed(rule="vulnerable-user", from_s=at_s + 4, until_s=at_s + 12), [cycle]
    s = float(dice.uniform(8, 20))
    via = [(at_s + 2, s, -9.0), (at_s + 4, s, -6.6), (at_s + 14, s + 2, 7.0)]
    walker = timed(here.street, Kind.PEDESTRIAN, via, look=_look(dice))
    return Deed(rule="vulnerable-user", from_s=at_s + 4, until_s=at_s + 14), [walker]


def _crawl(here: Setting, at_s: float, dice: np.random.Generator) -> Done:
    mps, cars = float(dice.uniform(0.8, 1.8)), []
    for lane in (0, 2):
        ends = (-6.0, 42.0) if lane == 0 else (42.0, -6.0)
        for enter_s in np.arange(at_s, at_s + 150.0, 9.0 / mps).tolist():
            via = [(enter_s, ends[0]), (enter_s + 48.0 / mps, ends[1])]
            cars.append(_car(here, lane, via, _look(dice)))
    return Deed(rule="congestion", from_s=at_s + 10, until_s=at_s + 160), cars


_STAGINGS: dict[str, dict[str, tuple[Staging, float]]] = {
    "zebra": {
        "failure-to-yield": (_unyielding, 26.0),
        "crossing-outside": (_outside, 22.0),
        "wrong-way": (_wrong_way, 24.0),
        "speeding": (_too_fast, 14.0),
        "reversing": (_reversing, 30.0),
        "forbidden-turn": (_u_turn, 24.0),
        "object": (_lies, 40.0),
        "solid-line": (_over_solid, 24.0),
        "bus-lane": (_in_bus_lane, 20.0),
        "collision": (_crash, 36.0),
        "no-stopping": (_stands("no-stopping", 0, 6.5, 22.0), 44.0),
        "vulnerable-user": (_along_road, 28.0),
        "stopped-vehicle": (_stands("stopped-vehicle", 1, 18.0, 27.0), 48.0),
    },
    "junction": {
        "stop-sign": (_rolls, 20.0),
        "blocked-junction": (_stands("blocked-junction", 1, 23.5, 16.0), 38.0),
    },
    "motorway": {
        "vulnerable-user": (_on_motorway, 24.0),
        "speeding": (lambda here, at_s, dice: _fast(here, at_s, dice), 14.0),
        "congestion": (_crawl, 220.0),
    },
}


def _fast(here: Setting, at_s: float, dice: np.random.Generator) -> Done:
    car = _through(here, 1, at_s + 4, 14.0, float(dice.uniform(31.0, 36.0)), _look(dice))
    return Deed(rule="speeding", from_s=at_s + 1, until_s=at_s + 7), [car]
