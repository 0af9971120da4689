"""The parts that road users play on the stage's street: lanes, zebra, footways, a U-turn."""

import numpy as np

from calmstreet.model.kinds import Kind
from calmstreet.scene.bodies import size_m
from calmstreet.scene.street import Street
from calmstreet.scene.traffic import Path, Plan

__all__ = [
    "NEAR_GATE_S_M",
    "footway",
    "lane_plan",
    "parked",
    "u_turn",
    "zebra_walk",
]

NEAR_GATE_S_M = 8.95
"""Where the near gate lies: under the first car that waits at the stop line."""

_BEHIND_M, _BEYOND_M = -12.0, 80.0
_CYCLE_OFFSET_M = 0.9


def _path(street: Street, *places: tuple[float, float]) -> Path:
    return Path(points_m=street.to_ground(np.array(places)))


def lane_plan(
    street: Street,
    kind: Kind,
    lane: int,
    *,
    speed_mps: float,
    look: int,
    enter_s: float = 0.0,
    reds: tuple[tuple[float, float], ...] = (),
    stands_back_m: float | None = None,
) -> Plan:
    """Return a vehicle that follows a lane and waits at its stop line while it is red.

    With ``stands_back_m`` it stands there at the start, its middle so far before the stop line.
    """
    d = street.lane_d_m(lane)
    if kind in (Kind.BICYCLE, Kind.MOTORCYCLE):
        d += _CYCLE_OFFSET_M * (1 if d > 0 else -1)
    away = lane < 2
    ends = (_BEHIND_M, _BEYOND_M) if away else (_BEYOND_M, _BEHIND_M)
    stop_m = abs(street.stop_s_m[0 if away else 1] - ends[0]) - 0.3
    return Plan(
        kind=kind,
        path=_path(street, (ends[0], d), (ends[1], d)),
        speed_mps=speed_mps,
        lane=f"lane-{lane}",
        enter_s=enter_s,
        at_m=0.0 if stands_back_m is None else stop_m - stands_back_m,
        standing=stands_back_m is not None,
        stops=tuple((stop_m, start, end) for start, end in reds),
        look=look,
    )


def u_turn(street: Street, *, look: int, reds: tuple[tuple[float, float], ...] = ()) -> Plan:
    """Return a car that drives away in the outer lane, turns behind the zebra and comes back."""
    a, b = street.lane_d_m(0), street.lane_d_m(3)
    radius, middle, at = (b - a) / 2, (a + b) / 2, 24.5
    turn = np.linspace(-np.pi / 2, np.pi / 2, 40)
    arc = [(at + radius * float(np.cos(t)), middle + radius * float(np.sin(t))) for t in turn]
    base = lane_plan(street, Kind.CAR, 0, speed_mps=6.0, look=look, reds=reds)
    return Plan(
        kind=Kind.CAR,
        path=_path(street, (_BEHIND_M, a), *arc, (_BEHIND_M, b)),
        speed_mps=base.speed_mps,
        lane=base.lane,
        stops=base.stops,
        look=look,
    )


def zebra_walk(
    street: Street, s_m: float, *, leftwards: bool, enter_s: float, speed_mps: float, look: int
) -> Plan:
    """Return somebody who walks over the zebra from one footway to the other."""
    right = -street.half_m - street.footway_m + 0.8
    left = street.half_m + street.parking_m + street.footway_m - 0.6
    ends = ((s_m, right), (s_m, left)) if leftwards else ((s_m, left), (s_m, right))
    return Plan(
        kind=Kind.PEDESTRIAN,
        path=_path(street, *ends),
        speed_mps=speed_mps,
        enter_s=enter_s,
        look=look,
    )


def footway(street: Street, d_m: float, towards: int, *, enter_s: float, look: int) -> Plan:
    """Return somebody who walks along a footway, away (1) or back (-1)."""
    ends = ((0.0, d_m), (60.0, d_m)) if towards > 0 else ((34.0, d_m), (-4.0, d_m))
    return Plan(
        kind=Kind.PEDESTRIAN, path=_path(street, *ends), speed_mps=1.35, enter_s=enter_s, look=look
    )


def parked(street: Street, s_m: float, look: int) -> Plan:
    """Return a car that stands in the parking strip all the time."""
    d = street.half_m + street.parking_m / 2
    reach = size_m(Kind.CAR)[0]
    path = _path(street, (s_m + reach, d), (s_m - reach, d))
    return Plan(kind=Kind.CAR, path=path, speed_mps=0.0, at_m=reach, standing=True, look=look)
