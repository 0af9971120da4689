"""The plays: a whole street for the demo, and small scenes with one purpose each."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from calmstreet.model.kinds import Kind
from calmstreet.model.site import (
    Camera,
    CheckLength,
    Gate,
    Movement,
    PlaneSpec,
    Point,
    Site,
    Zone,
)
from calmstreet.scene.camera import Pinhole
from calmstreet.scene.ensemble import (
    NEAR_GATE_S_M,
    footway,
    lane_plan,
    parked,
    u_turn,
    zebra_walk,
)
from calmstreet.scene.stage import NIGHT, Scene
from calmstreet.scene.street import Street
from calmstreet.scene.traffic import Plan, drive

__all__ = [
    "cloud_passes",
    "demo_street",
    "gate_counts_site",
    "night_street",
    "nobody",
    "one_car",
    "standing_queue",
    "stopped_car",
    "two_neighbours",
]

_FAR_GATE_S_M = 27.0
_LAMP_FAULT = 0.08
_SURVEYED_S_M = (6.0, 15.0, 27.0, 40.0)


def gate_counts_site(street: Street, camera: Pinhole) -> Site:
    """Return the site of the stage: two gates across the street, one on the zebra, two approaches.

    >>> [gate.id for gate in gate_counts_site(Street(), Pinhole()).gates]
    ['near', 'far', 'zebra']
    """

    def px(*places: Point) -> tuple[Point, ...]:
        seen = camera.ground_px(street.to_ground(np.array(places)))
        return tuple((round(float(x), 1), round(float(y), 1)) for x, y in seen)

    right, left = -street.half_m - 1.2, street.half_m + street.parking_m
    middle = sum(street.crossing_s_m) / 2
    return Site(
        id="stage",
        name="Stage",
        tz="Asia/Almaty",
        speed_limit_kmh=50.0,
        cameras=(Camera(id="stage", plane=measured_plane(street, camera)),),
        gates=(
            Gate(
                id="near",
                camera_id="stage",
                points_px=px((NEAR_GATE_S_M, right), (NEAR_GATE_S_M, left)),
            ),
            Gate(
                id="far",
                camera_id="stage",
                points_px=px((_FAR_GATE_S_M, right), (_FAR_GATE_S_M, left)),
            ),
            Gate(
                id="zebra",
                camera_id="stage",
                points_px=px((middle - 2.6, left + 0.3), (middle + 2.6, left + 0.3)),
            ),
        ),
        zones=(
            _approach("south", px((1.5, 0.5 + right), (1.5, left), (7, left), (7, right))),
            _approach("north", px((29, right), (29, left), (46, left), (46, right))),
        ),
        movements=(
            Movement(id="south-north", from_id="south", to_id="north", turn="through"),
            Movement(id="north-south", from_id="north", to_id="south", turn="through"),
            Movement(id="south-south", from_id="south", to_id="south", turn="u"),
        ),
    )


def measured_plane(street: Street, camera: Pinhole) -> PlaneSpec:
    """Return what a surveyor would measure: kerbs at four places, and the zebra's length by tape.

    >>> len(measured_plane(Street(), Pinhole()).points_px)
    8
    """

    def px(*places: Point) -> tuple[Point, ...]:
        seen = camera.ground_px(street.to_ground(np.array(places)))
        return tuple((round(float(x), 1), round(float(y), 1)) for x, y in seen)

    half, middle = street.half_m, sum(street.crossing_s_m) / 2
    kerbs = [(s, d) for s in _SURVEYED_S_M for d in (-half, half)]
    ground = street.to_ground(np.array(kerbs)).round(2)
    ends = px((middle, -half), (middle, half))
    return PlaneSpec(
        points_px=px(*kerbs),
        points_m=tuple((float(x), float(y)) for x, y in ground),
        check_lengths=(CheckLength(a_px=ends[0], b_px=ends[1], length_m=2 * half),),
        size_px=(camera.width_px, camera.height_px),
        sigma_px=0.5,
        sigma_m=(0.03,),
    )


def _approach(zone_id: str, corners: tuple[Point, ...]) -> Zone:
    inside = tuple((min(max(x, 0.0), 960.0), min(max(y, 0.0), 540.0)) for x, y in corners)
    return Zone(id=zone_id, camera_id="stage", kind="approach", polygon_px=inside)


def _scene(name: str, plans: Sequence[Plan], duration_s: float, seed: int) -> Scene:
    street, camera = Street(), Pinhole()
    return Scene(
        name=name,
        site=gate_counts_site(street, camera),
        actors=tuple(drive(plans, duration_s)),
        duration_s=duration_s,
        seed=seed,
        street=street,
        camera=camera,
    )


def demo_street(duration_s: float = 75.0, seed: int = 7) -> Scene:
    """Return a working street: queue, bus that hides a car, U-turn, zebra, bicycle, parked cars.

    A signal stops the vehicles twice while people walk over; the first car of the queue stands on
    the near gate. The cast repeats every 75 s, with other paints, when ``duration_s`` is longer.
    """
    dice = np.random.default_rng(seed)
    street = Street()
    plans: list[Plan] = [parked(street, 2.0, 1), parked(street, 31.0, 4)]
    for start_s in np.arange(0.0, duration_s, 75.0):
        plans += _round(street, float(start_s), dice)
    return _scene("demo", [p for p in plans if p.enter_s < duration_s - 0.5], duration_s, seed)


def _round(street: Street, start_s: float, dice: np.random.Generator) -> list[Plan]:
    """Return everybody of one round of the signal's programme."""
    return [*_vehicles(street, start_s, dice), *_people(street, start_s, dice)]


def _vehicles(street: Street, start_s: float, dice: np.random.Generator) -> list[Plan]:
    reds = tuple((start_s + a, start_s + b) for a, b in ((11.0, 27.0), (46.0, 59.0)))

    def ride(kind: Kind, lane: int, enter_s: float, speed_mps: float) -> Plan:
        return lane_plan(
            street,
            kind,
            lane,
            enter_s=start_s + enter_s,
            look=int(dice.integers(24)),
            speed_mps=speed_mps * float(dice.uniform(0.95, 1.05)),
            reds=reds,
        )

    return [
        ride(Kind.CAR, 0, 1.0, 11.0),
        ride(Kind.CAR, 2, 0.5, 12.0),
        ride(Kind.TRUCK, 3, 2.5, 10.0),
        ride(Kind.CAR, 1, 3.5, 12.0),
        ride(Kind.VAN, 0, 5.5, 11.0),
        ride(Kind.CAR, 3, 6.5, 11.5),
        ride(Kind.CAR, 0, 12.0, 10.0),
        ride(Kind.CAR, 1, 13.0, 10.0),
        ride(Kind.CAR, 2, 10.0, 10.0),
        ride(Kind.VAN, 3, 11.0, 10.0),
        ride(Kind.CAR, 2, 14.0, 10.0),
        ride(Kind.BUS, 0, 28.5, 9.5),
        ride(Kind.CAR, 1, 29.2, 9.5),
        ride(Kind.CAR, 2, 29.5, 11.0),
        ride(Kind.MOTORCYCLE, 3, 30.5, 12.0),
        ride(Kind.CAR, 1, 33.0, 11.0),
        ride(Kind.BICYCLE, 0, 34.5, 5.0),
        ride(Kind.CAR, 3, 37.5, 11.0),
        ride(Kind.CAR, 0, 47.0, 9.0),
        ride(Kind.TRUCK, 1, 48.5, 9.0),
        ride(Kind.CAR, 3, 44.5, 10.0),
        ride(Kind.CAR, 2, 46.0, 10.0),
        ride(Kind.CAR, 2, 62.0, 12.0),
        ride(Kind.CAR, 1, 61.0, 12.0),
        ride(Kind.CAR, 3, 64.0, 11.0),
        replace(u_turn(street, look=int(dice.integers(24)), reds=reds), enter_s=start_s + 38.0),
    ]


def _people(street: Street, start_s: float, dice: np.random.Generator) -> list[Plan]:
    def walk(d_from: float, enter_s: float, s: float) -> Plan:
        return zebra_walk(
            street,
            s,
            leftwards=d_from < 0,
            enter_s=start_s + enter_s,
            speed_mps=float(dice.uniform(1.35, 1.6)),
            look=int(dice.integers(24)),
        )

    return [
        walk(-1.0, 13.5, 16.0),
        walk(1.0, 14.2, 17.3),
        walk(-1.0, 15.8, 17.6),
        walk(1.0, 48.6, 16.4),
        walk(-1.0, 49.5, 17.2),
        footway(street, -7.7, 1, enter_s=start_s + 4.0, look=int(dice.integers(24))),
        footway(street, 10.6, -1, enter_s=start_s + 0.5, look=int(dice.integers(24))),
        footway(street, 11.2, 1, enter_s=start_s + 20.0, look=int(dice.integers(24))),
        footway(street, -8.6, -1, enter_s=start_s + 30.0, look=int(dice.integers(24))),
    ]


def one_car(duration_s: float = 10.0, seed: int = 1) -> Scene:
    """Return one car that drives away from the camera through both gates."""
    plan = lane_plan(Street(), Kind.CAR, 1, enter_s=0.5, speed_mps=9.0, look=4)
    return _scene("one-car", [plan], duration_s, seed)


def two_neighbours(duration_s: float = 10.0, seed: int = 2) -> Scene:
    """Return two cars side by side in neighbouring lanes at the same speed."""
    plans = [
        lane_plan(Street(), Kind.CAR, lane, enter_s=0.5, speed_mps=9.0, look=look)
        for lane, look in ((0, 0), (1, 4))
    ]
    return _scene("two-neighbours", plans, duration_s, seed)


def standing_queue(duration_s: float = 25.0, seed: int = 3, leave_s: float = 8.0) -> Scene:
    """Return four cars that stand at the stop line from the first frame on and leave later."""
    street = Street()
    plans = [
        lane_plan(
            street,
            Kind.CAR,
            lane,
            speed_mps=9.0,
            look=2 * row + lane,
            reds=((0.0, leave_s),),
            stands_back_m=2.9 + 6.6 * row,
        )
        for lane in (2, 3)
        for row in (0, 1)
    ]
    return _scene("standing-queue", plans, duration_s, seed)


def stopped_car(duration_s: float = 150.0, seed: int = 4, stop_s: float = 120.0) -> Scene:
    """Return a car that drives in, stands behind the zebra for two minutes and drives on."""
    plan = lane_plan(Street(), Kind.CAR, 0, speed_mps=9.0, look=5, reds=((0.0, 5.0 + stop_s),))
    return _scene("stopped-car", [plan], duration_s, seed)


def nobody(duration_s: float = 20.0, seed: int = 5) -> Scene:
    """Return the empty street: noise, light that swings slowly, and nobody."""
    return replace(_scene("nobody", [], duration_s, seed), noise=4.0, flicker=_LAMP_FAULT)


def cloud_passes(duration_s: float = 20.0, seed: int = 6) -> Scene:
    """Return the empty street while the shadow of a cloud sweeps over it and away."""
    return replace(_scene("cloud-passes", [], duration_s, seed), sweep_s=duration_s)


def night_street(duration_s: float = 30.0, seed: int = 8, *, rain: bool = False) -> Scene:
    """Return the first part of the demo's street at night, with lit lamps and a noisy sensor."""
    scene = demo_street(duration_s, seed)
    return replace(scene, name="night", light=NIGHT, noise=6.0, rain=rain)
