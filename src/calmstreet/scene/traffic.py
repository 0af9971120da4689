"""Who moves where: paths on the ground and motion along them, exact at every instant.

Followers keep their distance by the intelligent driver model (Treiber, Hennecke and Helbing
2000); between two steps the acceleration is constant, so that place and speed fit exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.kinds import Kind
from calmstreet.scene.bodies import size_m

__all__ = ["Actor", "Path", "Plan", "drive"]

Floats = NDArray[np.float64]
_STEP_S = 0.05
_ACCELERATION_MPS2, _BRAKING_MPS2, _HARDEST_MPS2 = 1.8, 2.5, 8.0
_COMFORTABLE_STOP_MPS2 = 3.5
_HEADWAY_S, _GAP_M = 1.2, 1.6


@dataclass(frozen=True, kw_only=True, eq=False)
class Path:
    """A way on the ground through ``points_m`` (n, 2), measured along from its first point."""

    points_m: Floats

    @cached_property
    def along_m(self) -> Floats:
        """Return the distance of every point from the first, (n,)."""
        steps = np.hypot(*np.diff(self.points_m, axis=0).T)
        return np.concatenate([[0.0], np.cumsum(steps)])

    @property
    def length_m(self) -> float:
        """Return the length of the way."""
        return float(self.along_m[-1])

    def place(self, along_m: float) -> tuple[float, float, float]:
        """Return east, north and heading at a distance along the way.

        >>> Path(points_m=np.array([[0.0, 0.0], [4.0, 0.0]])).place(1.0)
        (1.0, 0.0, 0.0)
        """
        piece = int(
            np.clip(np.searchsorted(self.along_m, along_m, "right") - 1, 0, len(self.along_m) - 2)
        )
        a, b = self.points_m[piece], self.points_m[piece + 1]
        share = (along_m - self.along_m[piece]) / (self.along_m[piece + 1] - self.along_m[piece])
        x, y = a + share * (b - a)
        return float(x), float(y), float(np.arctan2(b[1] - a[1], b[0] - a[0]))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """What a road user wants: its way, its speed, when it comes and where it has to wait.

    ``lane`` road users of one lane follow each other, "" is alone; ``stops`` are (along_m, from_s,
    until_s): its front does not pass that place meanwhile. ``at_m`` and ``speed_mps`` at the start.
    """

    kind: Kind
    path: Path
    speed_mps: float
    lane: str = ""
    enter_s: float = 0.0
    at_m: float = 0.0
    standing: bool = False
    stops: tuple[tuple[float, float, float], ...] = ()
    look: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Actor:
    """A road user with its whole motion: distance, speed and acceleration at steps from start."""

    number: int
    plan: Plan
    start_s: float
    along_m: Floats
    speed_mps: Floats

    def state(self, t_s: float) -> tuple[float, float] | None:
        """Return distance along the way and speed at an instant; None before and after."""
        steps = (t_s - self.start_s) / _STEP_S
        if steps < 0 or steps > len(self.along_m) - 1:
            return None
        i = min(int(steps), len(self.along_m) - 2)
        rest_s = (steps - i) * _STEP_S
        gain = (self.speed_mps[i + 1] - self.speed_mps[i]) / _STEP_S
        along_m = self.along_m[i] + self.speed_mps[i] * rest_s + 0.5 * gain * rest_s**2
        if along_m >= self.plan.path.length_m:
            return None
        return float(along_m), float(self.speed_mps[i] + gain * rest_s)


def drive(plans: Sequence[Plan], duration_s: float) -> list[Actor]:
    """Return the motion of everybody for ``duration_s`` seconds.

    >>> path = Path(points_m=np.array([[0.0, 0.0], [50.0, 0.0]]))
    >>> actor = drive([Plan(kind=Kind.CAR, path=path, speed_mps=10.0)], 2.0)[0]
    >>> [round(value, 3) for value in actor.state(1.0)]
    [10.0, 10.0]
    """
    count = round(duration_s / _STEP_S) + 1
    along = np.full((len(plans), count), np.nan)
    speed = np.full((len(plans), count), np.nan)
    first = [round(plan.enter_s / _STEP_S) for plan in plans]
    for k in range(count):
        for i, plan in enumerate(plans):
            if first[i] == k:
                along[i, k] = plan.at_m
                speed[i, k] = 0.0 if plan.standing else plan.speed_mps
            elif first[i] < k:
                gain = _gain(plans, i, along[:, k - 1], speed[:, k - 1], (k - 1) * _STEP_S)
                before = speed[i, k - 1]
                speed[i, k] = max(0.0, before + gain * _STEP_S)
                along[i, k] = along[i, k - 1] + (before + speed[i, k]) / 2 * _STEP_S
    return [
        Actor(
            number=i + 1,
            plan=plan,
            start_s=first[i] * _STEP_S,
            along_m=along[i, first[i] :],
            speed_mps=speed[i, first[i] :],
        )
        for i, plan in enumerate(plans)
        if first[i] < count - 1
    ]


def _gain(plans: Sequence[Plan], i: int, along: Floats, speed: Floats, t_s: float) -> float:
    """Return the acceleration of one road user in m/s2."""
    plan, here, now = plans[i], float(along[i]), float(speed[i])
    if plan.speed_mps <= 0:
        return 0.0
    front = here + size_m(plan.kind)[0] / 2
    free = _ACCELERATION_MPS2 * (1 - (now / plan.speed_mps) ** 4)
    gains = [free]
    for j, other in enumerate(plans):
        ahead = other.lane and other.lane == plan.lane and along[j] > here
        if j != i and ahead and along[j] < other.path.length_m:
            gap = float(along[j]) - size_m(other.kind)[0] / 2 - front
            gains.append(free - _braking(now, now - float(speed[j]), gap))
    for place, from_s, until_s in plan.stops:
        gap = place - front
        can_stop = now**2 / (2 * max(gap, 0.01)) < _COMFORTABLE_STOP_MPS2
        if from_s <= t_s < until_s and gap > -0.5 and (can_stop or now < 1):
            gains.append(free - _braking(now, now, gap + _GAP_M - 0.4))
    return float(np.clip(min(gains), -_HARDEST_MPS2, _ACCELERATION_MPS2))


def _braking(speed: float, closing: float, gap: float) -> float:
    comfort = 2 * np.sqrt(_ACCELERATION_MPS2 * _BRAKING_MPS2)
    wanted = _GAP_M + max(0.0, speed * _HEADWAY_S + speed * closing / comfort)
    return float(_ACCELERATION_MPS2 * (wanted / max(gap, 0.05)) ** 2)
