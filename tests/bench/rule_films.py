"""Long rendered films for the rules: places, plays without a wrong deed, and their sites.

Plays: ``signal`` (queues before rendered heads, people who walk on green, buses at a stop),
``zebra`` (drivers give way, cars park by reversing into a gap, a bus lane), ``junction`` (a side
street with a STOP sign) and ``motorway`` (fast, with waves that stand for a moment).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import radians
from typing import Any

import numpy as np
from tests.bench.rule_traffic import (
    BACK_M,
    FAR_M,
    STEP_S,
    Floats,
    Shut,
    cast_of,
    lane_traffic,
    seen_s_m,
    timed,
)
from tests.bench.speed_streets import STREETS, SpeedStreet, _plane

from calmstreet.model.kinds import Kind
from calmstreet.model.signals import SignalState
from calmstreet.model.site import Camera, Gate, Movement, Point, Signal, Site, Zone
from calmstreet.safety.rules import BUILT_IN
from calmstreet.scene.camera import Pinhole
from calmstreet.scene.ensemble import footway
from calmstreet.scene.heads import Head, lamps_px
from calmstreet.scene.stage import DAY, NIGHT, Scene
from calmstreet.scene.street import Street
from calmstreet.scene.traffic import Actor, drive

__all__ = ["Film", "QUIET", "Setting", "quiet_scene", "setting_of", "stage_of"]

WIDE_PX, HIGH_PX, SHRUNK = 640, 360, 640 / 960
MIX = (*[Kind.CAR] * 14, Kind.VAN, Kind.VAN, Kind.TRUCK, Kind.MOTORCYCLE)
OUTER = (*MIX, Kind.BUS, Kind.BUS, Kind.BICYCLE)
AMBER_S, CLEAR_S, WALK_S = 3.0, 1.5, 6.0
STOP_IN_M, STOP_OUT_M = 13.6, 19.9
KERB_D = 7.4
SLOT_S_M = 8.0
NEARLY = 0.98
"""Who drives fastest stays under the limit by this share of it."""
CITY_MPS = (9.0, NEARLY * 50 / 3.6)
PARKER_FROM_M = 56.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """One film: a place of ``speed_streets``, what is played there, day or night."""

    place: str
    play: str
    night: bool = False

    @property
    def name(self) -> str:
        """Return a name for files."""
        return f"{self.place}-{self.play}" + ("-night" if self.night else "")


QUIET: tuple[Film, ...] = (
    Film(place="aside", play="signal"),
    Film(place="along", play="zebra"),
    Film(place="aside", play="junction"),
    Film(place="wide", play="zebra", night=True),
    Film(place="along", play="signal"),
    Film(place="aside", play="zebra"),
    Film(place="wide", play="junction"),
    Film(place="aside", play="signal", night=True),
    Film(place="high", play="zebra"),
    Film(place="along", play="motorway"),
    Film(place="wide", play="signal"),
    Film(place="high", play="signal"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A street before a camera of its own, the times of its lights, its site and heads."""

    film: Film
    street: Street
    camera: Pinhole
    seed: int
    duration_s: float
    cycle_s: float
    site: Site
    heads: tuple[Head, ...] = ()
    greens: tuple[tuple[float, float], ...] = ()


def setting_of(film: Film, *, seed: int, duration_s: float) -> Setting:
    """Return the place of a film; the camera hangs a little elsewhere for every seed."""
    dice = np.random.default_rng([seed, *film.name.encode()])
    place = next(street for street in STREETS if street.name == film.place)
    given = place.camera
    camera = replace(
        given,
        width_px=WIDE_PX,
        height_px=HIGH_PX,
        focal_px=given.focal_px * SHRUNK * float(dice.uniform(0.95, 1.05)),
        height_m=given.height_m * float(dice.uniform(0.95, 1.08)),
        pitch_rad=given.pitch_rad + radians(float(dice.uniform(-0.5, 1.0))),
    )
    street = Street(bearing_rad=radians(place.bearing_deg + float(dice.uniform(-3, 3))))
    cycle_s = float(dice.uniform(54, 72))
    bare = Setting(
        film=film, street=street, camera=camera, seed=seed, duration_s=duration_s,
        cycle_s=cycle_s, site=Site(id="stage"),
        greens=_greens(cycle_s, duration_s) if film.play == "signal" else (),
    )  # fmt: skip
    shrunk = replace(place, camera=camera)
    with_heads = replace(bare, heads=_heads(bare) if film.play == "signal" else ())
    return replace(with_heads, site=_site(with_heads, shrunk, dice))


def _greens(cycle_s: float, duration_s: float) -> tuple[tuple[float, float], ...]:
    """Return when vehicles have green: 45 % of a cycle."""
    starts = np.arange(0.12 * cycle_s, duration_s, cycle_s)
    return tuple((s, s + 0.45 * cycle_s) for s in starts.tolist())


def _heads(here: Setting) -> tuple[Head, ...]:
    """Return the vehicles' head, whose red begins ``AMBER_S`` after green, and the walkers'."""
    vehicles, walkers = [(0.0, SignalState.RED)], [(0.0, SignalState.RED)]
    for green_s, end_s in here.greens:
        red_s = end_s + AMBER_S
        vehicles += [
            (green_s, SignalState.GREEN),
            (end_s, SignalState.AMBER),
            (red_s, SignalState.RED),
        ]
        walkers += [
            (red_s + CLEAR_S, SignalState.GREEN),
            (red_s + CLEAR_S + WALK_S, SignalState.RED),
        ]
    beyond = here.film.place == "aside"
    places = [(20.5, -7.6), (14.2, -7.9)] if beyond else [(11.0, -8.0), (6.5, -8.0)]
    spots = here.street.to_ground(np.array(places))
    return tuple(
        _in_sight(
            Head(id=name, place_m=(x, y, high_m), lamp_m=0.3, programme=tuple(programme)),
            here.camera,
        )
        for name, (x, y), high_m, programme in (
            ("vehicles", spots[0].tolist(), 3.3, vehicles),
            ("walkers", spots[1].tolist(), 2.5, walkers),
        )
    )


def _in_sight(head: Head, camera: Pinhole) -> Head:
    """Return a head hung as low as the picture asks."""
    while min(top for _, top, _, _ in lamps_px(head, camera).values()) < 1.0:
        x, y, high_m = head.place_m
        head = replace(head, place_m=(x, y, high_m - 0.2))
    return head


class _Pen:
    """Draws zones and gates of the street on the picture, cut to what is seen."""

    def __init__(self, here: Setting) -> None:
        self.here = here

    def px(self, sd: Sequence[tuple[float, float]]) -> Floats:
        """Return pixels of places of the street."""
        return self.here.camera.ground_px(self.here.street.to_ground(np.array(sd)))

    def reach(self, d: float) -> tuple[float, float]:
        """Return from where to where a line along the street is seen, at most 40 m."""
        s = np.arange(-5.0, 40.0, 0.25)
        return seen_s_m(self.here.street, self.px([(one, d) for one in s.tolist()]), s)

    def zone(
        self, name: str, kind: str, s: tuple[float, float], d: tuple[float, float], **more: Any
    ) -> Zone:
        """Return a zone of the street from s to s and d to d."""
        rows = np.linspace(d[0], d[1], 7).tolist()
        ends = [self.reach(row) for row in rows]
        low = [(max(s[0], a), row) for row, (a, _) in zip(rows, ends, strict=True)]
        high = [(min(s[1], b), row) for row, (_, b) in zip(rows, ends, strict=True)]
        corners = [
            *[one for one, other in zip(low, high, strict=True) if one[0] < other[0]],
            *[other for one, other in zip(low, high, strict=True) if one[0] < other[0]][::-1],
        ]
        return Zone(
            id=name, camera_id="stage", kind=kind, polygon_px=_points(self.px(corners)), **more
        )

    def gate(self, name: str, s: float, d: tuple[float, float], **more: Any) -> Gate:
        """Return a gate across the street."""
        line = [(s, row) for row in np.linspace(d[0], d[1], 5).tolist()]
        return Gate(id=name, camera_id="stage", points_px=_points(self.px(line)), **more)


def _points(px: Floats) -> tuple[Point, ...]:
    inside = np.clip(px.round(1), 1.0, (WIDE_PX - 1.0, HIGH_PX - 1.0))
    return tuple((float(x), float(y)) for x, y in inside)


def _site(here: Setting, place: SpeedStreet, dice: np.random.Generator) -> Site:
    pen, film = _Pen(here), here.film
    bearing_deg = float(np.degrees(here.street.bearing_rad))
    away, back = (90 - bearing_deg) % 360, (270 - bearing_deg) % 360
    half = here.street.half_m
    main = "motorway" if film.play == "motorway" else "carriageway"
    zones = [
        pen.zone("away", "lane", (-5, 40), (-half, -0.1), direction_deg=away),
        pen.zone("back", "lane", (-5, 40), (0.1, half), direction_deg=back),
        pen.zone("road", main, (-5, 40), (-half, half)),
        pen.zone("south", "approach", (1, 8), (-half, half)),
        pen.zone("north", "approach", (29, 40), (-half, half)),
        pen.zone(
            "line", "solid-line", (28.5 if film.play == "junction" else 20.5, 38), (-0.15, 0.15)
        ),
        pen.zone("line-near", "solid-line", (0, 13), (-0.15, 0.15)),
        pen.zone("never", "no-stopping", (0, 12), (-half, half)),
        pen.zone("kerb", "footway", (0, 40), (-half - 3.2, -half)),
    ]
    gates = [
        pen.gate("g9", 9.0, (-half, half)),
        pen.gate("g26", 26.0, (-half, half)),
    ]
    more_zones, more_gates = _of_play(pen, half)
    movements = [
        Movement(id="u-south", from_id="south", to_id="south", turn="u", forbidden=True),
        Movement(id="u-north", from_id="north", to_id="north", turn="u", forbidden=True),
    ]
    return Site(
        id="stage",
        tz="Asia/Almaty",
        speed_limit_kmh=90.0 if film.play == "motorway" else 50.0,
        cameras=(Camera(id="stage", plane=_plane(place, here.street, dice)),),
        gates=(*gates, *more_gates),
        zones=(*zones, *more_zones),
        movements=tuple(movements),
        signals=tuple(
            Signal(id=head.id, camera_id="stage", lamps_px=_lamps(head, here.camera))
            for head in here.heads
        ),
        rules={**{name: {"on": True} for name in BUILT_IN}, "queue": {"storage_m": 60.0}},
    )


def _lamps(head: Head, camera: Pinhole) -> dict[str, tuple[float, float, float, float]]:
    found = lamps_px(head, camera)
    return found if head.id == "vehicles" else {k: found[k] for k in ("red", "green")}


def _of_play(pen: _Pen, half: float) -> tuple[list[Zone], list[Gate]]:
    """Return the zones and gates that only one play has."""
    walk = pen.here.street.crossing_s_m
    if pen.here.film.play == "signal":
        return (
            [
                pen.zone(
                    "walk", "crossing", walk, (-half, half), control="signal", signal="walkers"
                ),
                pen.zone("halt", "bus-stop", (22, 40), (-half, -half + 3.3)),
            ],
            [
                pen.gate("in", STOP_IN_M, (-half, -0.1), signal="vehicles", direction="to_right"),
                pen.gate("out", STOP_OUT_M, (half, 0.1), signal="vehicles", direction="to_right"),
            ],
        )
    if pen.here.film.play == "zebra":
        zones = [pen.zone("zebra", "crossing", walk, (-half, half), control="zebra")]
        if pen.here.film.place in ("along", "high"):
            zones.append(pen.zone("buses", "bus-lane", (-5, 40), (-half, -half + 3.2)))
        return zones, []
    if pen.here.film.play == "junction":
        box = pen.zone("box", "junction", (20.0, 27.0), (-half, half))
        return [box], [_side_line(pen)]
    return [], []


def _side_line(pen: _Pen) -> Gate:
    line = [(s, KERB_D) for s in (20.0, 22.0, 24.0, 26.0)]
    return Gate(
        id="stop", camera_id="stage", points_px=_points(pen.px(line)), control="stop",
        direction="to_right",
    )  # fmt: skip


def stage_of(here: Setting, actors: Sequence[Actor]) -> Scene:
    """Return the scene of a setting with its road users."""
    return Scene(
        name=here.film.name,
        site=here.site,
        actors=cast_of(here.street, actors),
        duration_s=here.duration_s,
        seed=here.seed,
        camera=here.camera,
        street=here.street,
        light=NIGHT if here.film.night else DAY,
        noise=5.0 if here.film.night else 2.5,
        heads=here.heads,
    )


def quiet_scene(here: Setting) -> Scene:
    """Return a film in which nobody does wrong."""
    dice = np.random.default_rng([here.seed, 7, *here.film.name.encode()])
    return stage_of(here, _PLAYS[here.film.play](here, dice))


def along_m(lane: int, s_m: float) -> float:
    """Return how far along its lane a place of the street lies."""
    return s_m - BACK_M if lane < 2 else FAR_M - s_m


def _footways(here: Setting, dice: np.random.Generator) -> list[Actor]:
    plans = []
    for enter_s in np.arange(2.0, here.duration_s - 40.0, 45.0).tolist():
        left = bool(dice.integers(2))
        d = float(dice.uniform(9.6, 11.5) if left else dice.uniform(-9.3, -7.7))
        towards = 1 if dice.integers(2) else -1
        look = int(dice.integers(24))
        plans.append(footway(here.street, d, towards, enter_s=enter_s, look=look))
    # Nobody on a footway follows anybody, so each is driven alone.
    return [actor for plan in plans for actor in drive([plan], plan.enter_s + 50.0)]


def _walk(
    here: Setting, kerb_s: float, dice: np.random.Generator, waits_s: float
) -> tuple[Actor, dict[int, tuple[float, float]]]:
    """Return somebody who steps off the kerb at ``kerb_s``, and when each lane is in its way."""
    s = float(dice.uniform(15.6, 17.9))
    mps, leftwards = float(dice.uniform(1.2, 1.6)), bool(dice.integers(2))
    near, far = (-7.3, 9.4) if leftwards else (7.2, -8.2)
    start_s = kerb_s - waits_s
    begin = near - 3.4 if leftwards else near + 3.0
    long_s = abs(far - near) / mps
    via = [
        (start_s - 3.0, s - 1.5, begin), (start_s, s, near), (kerb_s, s, near),
        (kerb_s + long_s, s, far),
    ]  # fmt: skip
    busy = {}
    for lane in range(4):
        past = here.street.lane_d_m(lane) + (2.6 if leftwards else -2.6)
        busy[lane] = (kerb_s - 3.0, kerb_s + abs(past - near) / mps)
    return timed(here.street, Kind.PEDESTRIAN, via, look=int(dice.integers(24))), busy


def _signal(here: Setting, dice: np.random.Generator) -> list[Actor]:
    reds, begin = [], 0.0
    for green_s, end_s in (*here.greens, (here.duration_s + 1, 0.0)):
        reds.append((begin, green_s + 0.8))
        begin = end_s
    actors = _footways(here, dice)
    for green_s, end_s in here.greens:
        walk_s = end_s + AMBER_S + CLEAR_S
        for _ in range(int(dice.integers(1, 4))):
            if walk_s + 14 < here.duration_s and end_s > green_s:
                kerb_s = walk_s + float(dice.uniform(0.4, 3.5))
                waits_s = float(dice.uniform(1.0, 12.0))
                actors.append(_walk(here, kerb_s, dice, min(waits_s, kerb_s - 4.0))[0])
    for lane in range(4):
        line = along_m(lane, STOP_IN_M if lane < 2 else STOP_OUT_M) - 0.3
        actors += lane_traffic(
            here.street,
            lane,
            dice=dice,
            duration_s=here.duration_s,
            mean_gap_s=float(dice.uniform(10, 16)) + 6.0 * (lane == 0),
            shuts=[Shut(along_m=line, from_s=a, until_s=b) for a, b in reds],
            kinds=OUTER if lane in (0, 3) else MIX,
            speeds_mps=CITY_MPS,
            halt_m=along_m(0, 41.0) if lane == 0 else None,
        )
    return actors


def _zebra(here: Setting, dice: np.random.Generator) -> list[Actor]:
    parks = np.arange(38.0, here.duration_s - 60.0, float(dice.uniform(110, 150))).tolist()
    actors, parkers = _footways(here, dice), list[Actor]()
    shuts: dict[int, list[Shut]] = {lane: [] for lane in range(4)}
    for park_s in parks:
        parkers.append(_parker(here, park_s, dice))
        for hold in ((park_s - 19.0, park_s + 17.0), (park_s + 34.0, park_s + 60.0)):
            shuts[3].append(
                Shut(along_m=along_m(3, PARKER_FROM_M + 6.0), from_s=hold[0], until_s=hold[1])
            )
    kerb_s = 8.0
    while kerb_s < here.duration_s - 16.0:
        if not any(p - 26 < kerb_s < p + 16 or p + 28 < kerb_s < p + 64 for p in parks):
            walker, busy = _walk(here, kerb_s, dice, float(dice.uniform(0.0, 1.5)))
            actors.append(walker)
            for lane, (from_s, until_s) in busy.items():
                line = along_m(lane, STOP_IN_M if lane < 2 else STOP_OUT_M) - 0.3
                shuts[lane].append(Shut(along_m=line, from_s=from_s, until_s=until_s))
        kerb_s += 6.0 + float(dice.exponential(14.0))
    for lane in range(4):
        buses = lane == 0 and here.film.place in ("along", "high")
        kinds = (Kind.BUS, Kind.BICYCLE) if buses else (OUTER if lane == 0 else MIX)
        driven = lane_traffic(
            here.street,
            lane,
            dice=dice,
            duration_s=here.duration_s,
            mean_gap_s=40.0 if buses else float(dice.uniform(10, 16)),
            shuts=shuts[lane],
            kinds=kinds,
            speeds_mps=CITY_MPS,
        )
        actors += [one for one in driven if lane != 3 or _keeps_clear(one, parkers)]
    return [*actors, *parkers]


def _keeps_clear(actor: Actor, others: Sequence[Actor]) -> bool:
    """Return whether the middle of a road user stays 6 m away from those of all others."""
    return not any(
        bool((np.hypot(*(_places(actor, one) - _places(one, actor)).T) < 6.0).any())
        for one in others
    )


def _places(actor: Actor, other: Actor) -> Floats:
    """Return where a road user is while both are there, every half a second."""
    ends = [one.start_s + (len(one.along_m) - 2) * STEP_S for one in (actor, other)]
    instants = np.arange(max(actor.start_s, other.start_s), min(ends), 0.5).tolist()
    found = [actor.state(t) or (1e6, 0.0) for t in instants]
    return np.array([actor.plan.path.place(one[0])[:2] for one in found]).reshape(-1, 2)


def _parker(here: Setting, t_s: float, dice: np.random.Generator) -> Actor:
    """Return a car that passes a gap, reverses into it, stands and drives on."""
    street, slot = here.street, SLOT_S_M + float(dice.uniform(-1.0, 1.5))
    lane, strip = street.lane_d_m(3), street.half_m + street.parking_m / 2
    stop, out_s = slot - 5.2, t_s + 48.0
    via = [
        (t_s - (PARKER_FROM_M - stop) / 9.0 - 2.0, PARKER_FROM_M, lane),
        (t_s - 3.0, stop + 9.0, lane),
        (t_s, stop, lane), (t_s + 2.0, stop, lane),
        (t_s + 4.5, stop + 2.4, lane + 0.9), (t_s + 6.5, stop + 4.2, strip - 0.3),
        (t_s + 8.0, slot, strip), (out_s, slot, strip),
        (out_s + 2.5, slot - 4.0, lane + 1.2), (out_s + 4.0, slot - 9.0, lane),
        (out_s + 7.0, BACK_M, lane),
    ]  # fmt: skip
    backs = (t_s + 1.9, t_s + 8.1)
    return timed(street, Kind.CAR, via, look=int(dice.integers(24)), backs=backs)


def _junction(here: Setting, dice: np.random.Generator) -> list[Actor]:
    actors = []
    for lane in range(4):
        actors += lane_traffic(
            here.street, lane, dice=dice, duration_s=here.duration_s,
            mean_gap_s=float(dice.uniform(12, 18)), kinds=OUTER if lane == 0 else MIX,
            speeds_mps=CITY_MPS,
        )  # fmt: skip
    busy = _in_box(here, actors)
    next_s = 12.0
    while next_s < here.duration_s - 25.0:
        free = _free_from(busy, next_s + 4.0, 5.5)
        if free > here.duration_s - 15.0:
            break
        actors.append(side_street(here, free, waits_s=free - next_s, dice=dice))
        next_s = free + 9.0 + float(dice.exponential(10.0))
    return actors


def _in_box(here: Setting, actors: Sequence[Actor]) -> Floats:
    """Return at which steps somebody of the main street is near the junction, as 0 and 1."""
    busy = np.zeros(round(here.duration_s / STEP_S) + 200)
    for actor in actors:
        away = actor.plan.path.points_m[0]
        start = here.street.to_street(away[None])[0, 0]
        s = start + actor.along_m * (1 if start < 0 else -1)
        first = round(actor.start_s / STEP_S)
        near = np.flatnonzero((s > 8) & (s < 40)) + first
        busy[near[near < len(busy)]] = 1
    return busy


def _free_from(busy: Floats, from_s: float, need_s: float) -> float:
    need, begin = round(need_s / STEP_S), round(from_s / STEP_S)
    run = np.convolve(busy, np.ones(need), "full")[need - 1 :]
    free = np.flatnonzero(run[begin : len(busy) - need] == 0)
    return (begin + int(free[0])) * STEP_S if len(free) else float("inf")


def side_street(here: Setting, go_s: float, *, waits_s: float, dice: np.random.Generator) -> Actor:
    """Return a car that comes out of the side street, stops at its sign and crosses at ``go_s``."""
    s, line = 23.5, KERB_D + 2.35
    come_s = go_s - max(waits_s, 1.5)
    via = [(come_s - 4.0, s, 24.0), (come_s - 1.2, s, line + 2.0), (come_s, s, line),
           (go_s, s, line), (go_s + 2.0, s, 4.0), (go_s + 4.0, s, -9.0),
           (go_s + 6.0, s, -26.0)]  # fmt: skip
    return timed(here.street, Kind.CAR, via, look=int(dice.integers(24)))


def _motorway(here: Setting, dice: np.random.Generator) -> list[Actor]:
    actors = []
    kinds = (*[Kind.CAR] * 10, Kind.VAN, Kind.TRUCK, Kind.TRUCK, Kind.MOTORCYCLE, Kind.BUS)
    for lane in range(4):
        waves = np.arange(60.0, here.duration_s, 150.0).tolist()
        fast = (15.0, 21.0) if lane in (0, 3) else (18.0, NEARLY * 25.0)
        actors += lane_traffic(
            here.street, lane, dice=dice, duration_s=here.duration_s, mean_gap_s=6.0, kinds=kinds,
            speeds_mps=fast,
            shuts=[Shut(along_m=along_m(lane, 60.0 if lane < 2 else -2.0), from_s=t, until_s=t + 18)
                   for t in waves],
        )  # fmt: skip
    return actors


_PLAYS: dict[str, Callable[[Setting, np.random.Generator], list[Actor]]] = {
    "signal": _signal,
    "zebra": _zebra,
    "junction": _junction,
    "motorway": _motorway,
}
