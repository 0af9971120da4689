"""Road users of long films: vehicles that follow, stop and park, people who walk, by timed ways.

Vehicles of a lane are driven one after the other (Intelligent Driver Model, Treiber, Hennecke and
Helbing 2000), each against the whole known motion of the one before, so that ten minutes cost
seconds. A driver stops at a closed line only where 3.5 m/s2 suffice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.kinds import Kind
from calmstreet.scene.bodies import size_m
from calmstreet.scene.ensemble import lane_plan
from calmstreet.scene.street import Street
from calmstreet.scene.traffic import Actor, Path, Plan

__all__ = ["BACK_M", "Backing", "Shut", "cast_of", "lane_traffic", "seen_s_m", "timed"]

Floats = NDArray[np.float64]
STEP_S = 0.05
BACK_M, FAR_M = -70.0, 80.0
NEAR_S_M = (-8.0, 58.0)
ACCELERATION_MPS2, BRAKING_MPS2 = 1.8, 2.5
STOPPING_MPS2, EASY_MPS2 = 3.5, 2.0
HEADWAY_S, GAP_M = 1.2, 1.8
SMOOTH_STEPS = 13


@dataclass(frozen=True, slots=True, kw_only=True)
class Shut:
    """A line that must not be passed for a while: metres along the lane, from and until."""

    along_m: float
    from_s: float
    until_s: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Backing(Path):
    """A way of which the stretch ``from_m`` to ``until_m`` is driven backwards."""

    from_m: float
    until_m: float

    def place(self, along_m: float) -> tuple[float, float, float]:
        """Return east, north and where the bonnet points."""
        x, y, heading = super().place(along_m)
        turned = self.from_m <= along_m < self.until_m
        return x, y, heading + np.pi if turned else heading


def cast_of(street: Street, actors: Sequence[Actor]) -> tuple[Actor, ...]:
    """Return the actors with numbers of their own, while they are near the picture."""
    seen = [near for actor in actors if (near := _near(street, actor)) is not None]
    return tuple(replace(actor, number=k) for k, actor in enumerate(seen, start=1))


def _near(street: Street, actor: Actor) -> Actor | None:
    """Return somebody while between ``NEAR_S_M`` along the street, None where that is never."""
    path = actor.plan.path
    s = np.interp(actor.along_m, path.along_m, street.to_street(path.points_m)[:, 0])
    steps = np.flatnonzero((s > NEAR_S_M[0]) & (s < NEAR_S_M[1]))
    if len(steps) < 3:
        return None
    first, last = int(steps[0]), int(steps[-1]) + 1
    return replace(
        actor,
        start_s=actor.start_s + first * STEP_S,
        along_m=actor.along_m[first:last],
        speed_mps=actor.speed_mps[first:last],
    )


def timed(
    street: Street,
    kind: Kind,
    via: Sequence[tuple[float, float, float]],
    *,
    look: int,
    backs: tuple[float, float] | None = None,
) -> Actor:
    """Return somebody through timed places (t_s, s_m, d_m), the same place twice is a wait.

    ``backs``: between these times it drives backwards. Corners of its speed are rounded off.
    """
    t_s, places = np.array([leg[0] for leg in via]), np.array([leg[1:] for leg in via])
    gone = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(places, axis=0).T))])
    fresh = np.concatenate([[True], np.diff(gone) > 1e-9])
    points = street.to_ground(places[fresh])
    start_s = max(float(t_s[0]), 0.0)
    steps = np.arange(start_s, float(t_s[-1]), STEP_S)
    along = np.interp(steps, t_s, gone)
    if len(along) > SMOOTH_STEPS:
        half = SMOOTH_STEPS // 2
        padded = np.concatenate([
            2 * along[0] - along[1 : half + 1][::-1], along,
            2 * along[-1] - along[-half - 1 : -1][::-1],
        ])  # fmt: skip
        along = np.convolve(padded, np.full(SMOOTH_STEPS, 1 / SMOOTH_STEPS), "valid")
    along = np.maximum.accumulate(np.clip(along, 0.0, gone[-1] - 1e-3))
    path = Path(points_m=points)
    if backs is not None:
        ends = np.interp(backs, t_s, gone)
        path = Backing(points_m=points, from_m=float(ends[0]), until_m=float(ends[1]))
    fastest = float(np.gradient(along, STEP_S).max()) if len(along) > 1 else 1.0
    plan = Plan(kind=kind, path=path, speed_mps=max(fastest, 0.1), enter_s=start_s, look=look)
    return Actor(
        number=0,
        plan=plan,
        start_s=start_s,
        along_m=along,
        speed_mps=np.gradient(along, STEP_S) if len(along) > 1 else np.zeros(1),
    )


def lane_traffic(
    street: Street,
    lane: int,
    *,
    dice: np.random.Generator,
    duration_s: float,
    mean_gap_s: float,
    shuts: Sequence[Shut] = (),
    kinds: Sequence[Kind] = (Kind.CAR,),
    speeds_mps: tuple[float, float] = (9.0, 13.0),
    halt_m: float | None = None,
    dwell_s: tuple[float, float] = (8.0, 15.0),
) -> list[Actor]:
    """Return vehicles of a lane; buses wait with their front at ``halt_m`` where it is given."""
    found: list[Actor] = []
    leader: Actor | None = None
    enter_s = float(dice.exponential(mean_gap_s))
    while enter_s < duration_s - 6.0:
        kind = kinds[int(dice.integers(len(kinds)))]
        speed = 4.8 if kind == Kind.BICYCLE else float(dice.uniform(*speeds_mps))
        plan = _planned(street, kind, lane, speed, int(dice.integers(24)))
        halt = None
        if kind == Kind.BUS and halt_m is not None:
            halt = (halt_m, float(dice.uniform(*dwell_s)))
        enter_s = _free_s(leader, enter_s, plan)
        if enter_s >= duration_s - 6.0:
            break
        leader = _driven(plan, enter_s, duration_s, leader, shuts, halt)
        found.append(leader)
        enter_s += 1.8 + float(dice.exponential(mean_gap_s - 1.8))
    return found


def _planned(street: Street, kind: Kind, lane: int, speed_mps: float, look: int) -> Plan:
    """Return a vehicle of a lane that comes from far before the picture."""
    plan = lane_plan(street, kind, lane, speed_mps=speed_mps, look=look)
    d = street.to_street(plan.path.points_m)[0, 1]
    ends = (BACK_M, FAR_M) if lane < 2 else (FAR_M, BACK_M)
    return replace(
        plan, path=Path(points_m=street.to_ground(np.array([(ends[0], d), (ends[1], d)])))
    )


def _free_s(leader: Actor | None, enter_s: float, plan: Plan) -> float:
    """Return from when on the entry is free for a road user."""
    if leader is None:
        return enter_s
    room = size_m(leader.plan.kind)[0] / 2 + size_m(plan.kind)[0] / 2 + 4 + plan.speed_mps
    clear = np.flatnonzero(leader.along_m > room)
    if not len(clear):
        return float("inf")
    return max(enter_s, leader.start_s + float(clear[0]) * STEP_S)


def _driven(
    plan: Plan,
    enter_s: float,
    duration_s: float,
    leader: Actor | None,
    shuts: Sequence[Shut],
    halt: tuple[float, float] | None,
) -> Actor:
    first = round(enter_s / STEP_S)
    half, wish, far = size_m(plan.kind)[0] / 2, plan.speed_mps, plan.path.length_m
    ahead, ahead_v, ahead_first, ahead_half = _ahead(leader)
    along, speed = [0.0], [wish]
    waited, obeys = 0.0, dict[int, bool]()
    for step in range(first, round(duration_s / STEP_S)):
        here, now, t_s = along[-1], speed[-1], step * STEP_S
        if here >= far:
            break
        free = ACCELERATION_MPS2 * (1 - (now / wish) ** 4)
        gain = free
        k = step - ahead_first
        if 0 <= k < len(ahead):
            gap = float(ahead[k]) - ahead_half - here - half
            gain = min(gain, free - _braking(now, now - float(ahead_v[k]), gap))
        for number, shut in enumerate(shuts):
            gap = shut.along_m - here - half
            if shut.from_s <= t_s < shut.until_s and gap > -0.5:
                obeys[number] = _stops(gap, now, obeys.get(number))
                if obeys[number]:
                    gain = min(gain, free - _braking(now, now, gap + GAP_M - 0.5))
        if halt is not None and waited < halt[1] and halt[0] - here - half > -0.5:
            gain = min(gain, free - _braking(now, now, halt[0] - here - half + GAP_M - 0.5))
            waited += STEP_S * (now < 0.2)
        new = max(0.0, now + min(max(gain, -8.0), ACCELERATION_MPS2) * STEP_S)
        along.append(here + (now + new) / 2 * STEP_S)
        speed.append(new)
    return Actor(
        number=0,
        plan=replace(plan, enter_s=enter_s),
        start_s=first * STEP_S,
        along_m=np.array(along),
        speed_mps=np.array(speed),
    )


def _ahead(leader: Actor | None) -> tuple[Floats, Floats, int, float]:
    if leader is None:
        return np.empty(0), np.empty(0), 0, 0.0
    inside = leader.along_m < leader.plan.path.length_m
    first = round(leader.start_s / STEP_S)
    half = size_m(leader.plan.kind)[0] / 2
    return leader.along_m[inside], leader.speed_mps[inside], first, half


def _stops(gap_m: float, speed_mps: float, obeyed: bool | None) -> bool:
    """Return whether a driver stops at a line ``gap_m`` before the front: once so, always so.

    Who could not when the line closed goes on, unless it has become easy meanwhile.
    """
    need_mps2 = speed_mps**2 / (2 * max(gap_m, 0.01))
    return bool(obeyed) or need_mps2 < (STOPPING_MPS2 if obeyed is None else EASY_MPS2)


def _braking(speed: float, closing: float, gap: float) -> float:
    comfort = 2 * (ACCELERATION_MPS2 * BRAKING_MPS2) ** 0.5
    wanted = GAP_M + max(0.0, speed * HEADWAY_S + speed * closing / comfort)
    return float(ACCELERATION_MPS2 * (wanted / max(gap, 0.05)) ** 2)


def seen_s_m(street: Street, ground_px: NDArray[np.float64], s_m: Floats) -> tuple[float, float]:
    """Return the least and greatest of places ``s_m`` whose pixels (n, 2) lie in 640x360."""
    inside = ((ground_px > 5) & (ground_px < [635.0, 355.0])).all(axis=1)
    seen = s_m[inside]
    return (float(seen.min()), float(seen.max())) if len(seen) else (0.0, 0.0)
