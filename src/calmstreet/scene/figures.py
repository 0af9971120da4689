"""Figures made of rounded limbs: people on foot, riders and their two-wheelers."""

from dataclasses import dataclass
from itertools import pairwise
from math import cos, pi, sin

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.kinds import Kind
from calmstreet.scene.solids import Colour

__all__ = ["STRIDE_M", "Figure", "figure"]

Floats = NDArray[np.float64]
STRIDE_M = 1.45
"""Metres that a walker covers with two steps."""

_SKIN: tuple[Colour, ...] = ((150, 180, 226), (120, 152, 205), (90, 120, 172))
_HAIR: tuple[Colour, ...] = ((24, 28, 36), (30, 44, 66), (70, 96, 130), (44, 44, 46))
_TOPS: tuple[Colour, ...] = (
    (60, 52, 176),
    (150, 96, 44),
    (60, 60, 64),
    (208, 208, 205),
    (70, 130, 70),
    (50, 150, 215),
)
_LEGS: tuple[Colour, ...] = ((76, 56, 42), (46, 46, 48), (104, 82, 60), (92, 112, 128))
_SHOE: Colour = (38, 38, 42)
_METAL: Colour = (60, 60, 64)
_TYRE: Colour = (28, 28, 30)
_WHEEL_PIECES = 12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Figure:
    """Limbs in the figure's own metres (x forward, y left, z up), drawn from far to near.

    ``a_m``, ``b_m`` (k, 3) ends; ``ra_m``, ``rb_m`` (k,) radii there; ``bgr`` (k, 3);
    ``head_m`` (3,) and ``head_r_m`` place of the head.
    """

    a_m: Floats
    b_m: Floats
    ra_m: Floats
    rb_m: Floats
    bgr: Floats
    head_m: Floats
    head_r_m: float


class _Limbs:
    def __init__(self) -> None:
        self.rows: list[tuple[float, ...]] = []

    def add(self, a: Colour, b: Colour, radius: tuple[float, float] | float, bgr: Colour) -> None:
        """Add one limb from a to b with radii at both ends."""
        ra, rb = radius if isinstance(radius, tuple) else (radius, radius)
        self.rows.append((*a, *b, ra, rb, *bgr))

    def build(self, head: Colour, head_r_m: float) -> Figure:
        """Return the figure with its head at ``head``."""
        rows = np.array(self.rows)
        return Figure(
            a_m=rows[:, 0:3],
            b_m=rows[:, 3:6],
            ra_m=rows[:, 6],
            rb_m=rows[:, 7],
            bgr=rows[:, 8:11],
            head_m=np.array(head),
            head_r_m=head_r_m,
        )


@dataclass(frozen=True, slots=True)
class _Clothes:
    skin: Colour
    hair: Colour
    top: Colour
    legs: Colour


def _clothes(look: int) -> _Clothes:
    return _Clothes(
        _SKIN[look % 3], _HAIR[look % 4], _TOPS[look % len(_TOPS)], _LEGS[(look // 2) % 4]
    )


def figure(kind: Kind, *, look: int, phase_rad: float, moving: bool) -> Figure:
    """Return a pedestrian, or a rider with bicycle or motorcycle, at a phase of its motion.

    >>> figure(Kind.PEDESTRIAN, look=0, phase_rad=0.0, moving=False).head_r_m
    0.115
    """
    limbs, worn = _Limbs(), _clothes(look)
    if kind == Kind.PEDESTRIAN:
        return _walker(limbs, worn, phase_rad, 1.0 if moving else 0.0)
    if kind == Kind.BICYCLE:
        return _cyclist(limbs, worn, phase_rad)
    return _motorcyclist(limbs, worn, look)


def _walker(limbs: _Limbs, worn: _Clothes, phase: float, swing: float) -> Figure:
    for side in (1, -1):
        turn = side * sin(phase) * swing
        hip, reach = (0.0, side * 0.09, 0.92), 0.36 * turn
        lift = 0.10 * swing * max(0.0, side * cos(phase))
        knee = (0.55 * reach + 0.05 * swing, side * 0.10, 0.50 + lift)
        ankle = (reach - 0.10 * lift, side * 0.10, 0.09 + lift)
        limbs.add(hip, knee, (0.095, 0.070), worn.legs)
        limbs.add(knee, ankle, (0.070, 0.052), worn.legs)
        limbs.add(ankle, (ankle[0] + 0.13, ankle[1], ankle[2] - 0.03), (0.055, 0.045), _SHOE)
        shoulder = (0.0, side * 0.19, 1.42)
        elbow = (-0.16 * turn, side * 0.25, 1.14)
        hand = (-0.26 * turn + 0.06, side * 0.25, 0.90)
        limbs.add(shoulder, elbow, (0.062, 0.05), worn.top)
        limbs.add(elbow, hand, (0.05, 0.04), worn.top)
        limbs.add(hand, (hand[0], hand[1], hand[2] - 0.07), 0.042, worn.skin)
    for y in (0.07, -0.07):
        limbs.add((0.0, y, 0.97), (0.0, y * 1.4, 1.38), (0.125, 0.115), worn.top)
    limbs.add((0.0, 0.0, 1.45), (0.01, 0.0, 1.53), 0.055, worn.skin)
    return _head(limbs, worn, (0.03, 0.0, 1.64), 0.115)


def _head(
    limbs: _Limbs, worn: _Clothes, place: Colour, radius: float, helmet: Colour | None = None
) -> Figure:
    x, y, z = place
    limbs.add((x + 0.01, y, z - 0.03), (x, y, z + 0.02), (radius * 0.9, radius), worn.skin)
    cap = helmet or worn.hair
    limbs.add((x - 0.045, y, z + 0.0), (x - 0.02, y, z + 0.055), radius * 0.95, cap)
    return limbs.build(place, radius)


def _wheel(limbs: _Limbs, x: float, radius: float, width: float) -> None:
    turns = np.linspace(0, 2 * pi, _WHEEL_PIECES + 1)
    ring = [(x + radius * cos(a), 0.0, radius + width + radius * sin(a)) for a in turns]
    for a, b in pairwise(ring):
        limbs.add(a, b, width, _TYRE)


def _rider(limbs: _Limbs, worn: _Clothes, seat: Colour, hands: Colour, lean: float) -> Colour:
    """Add torso and arms of a rider and return where the neck is."""
    x, _, z = seat
    neck = (x + lean, 0.0, z + 0.56)
    for side in (1, -1):
        limbs.add(
            (x, side * 0.07, z + 0.05), (neck[0], side * 0.1, neck[2]), (0.13, 0.12), worn.top
        )
        shoulder = (neck[0], side * 0.19, neck[2] - 0.02)
        elbow = ((neck[0] + hands[0]) / 2 - 0.03, side * 0.27, (neck[2] + hands[2]) / 2 - 0.06)
        limbs.add(shoulder, elbow, (0.06, 0.05), worn.top)
        limbs.add(elbow, (hands[0], side * 0.24, hands[2]), (0.05, 0.042), worn.skin)
    return neck


def _cyclist(limbs: _Limbs, worn: _Clothes, phase: float) -> Figure:
    for x in (-0.53, 0.53):
        _wheel(limbs, x, 0.32, 0.022)
    paint = worn.top[::-1]
    crank, seat, bar = (-0.08, 0.0, 0.30), (-0.24, 0.0, 0.86), (0.38, 0.0, 0.92)
    for a, b in (
        (crank, seat),
        (crank, bar),
        (seat, (0.36, 0.0, 0.84)),
        (bar, (0.53, 0.0, 0.34)),
        (crank, (-0.53, 0.0, 0.34)),
        (seat, (-0.53, 0.0, 0.34)),
    ):
        limbs.add(a, b, 0.022, paint)
    limbs.add((0.40, 0.26, 1.0), (0.40, -0.26, 1.0), 0.02, _METAL)
    limbs.add((-0.32, 0.0, 0.93), (-0.14, 0.0, 0.93), 0.05, _TYRE)
    for side in (1, -1):
        turn = phase + (0 if side > 0 else pi)
        foot = (crank[0] + 0.17 * cos(turn), side * 0.10, crank[2] + 0.17 * sin(turn))
        knee = (0.16 + 0.05 * cos(turn), side * 0.12, 0.72 + 0.09 * sin(turn))
        limbs.add((-0.2, side * 0.09, 0.97), knee, (0.095, 0.07), worn.legs)
        limbs.add(knee, foot, (0.07, 0.05), worn.legs)
        limbs.add(foot, (foot[0] + 0.12, foot[1], foot[2]), 0.045, _SHOE)
    neck = _rider(limbs, worn, (-0.22, 0.0, 0.95), (0.38, 0.0, 1.02), 0.26)
    limbs.add(neck, (neck[0] + 0.05, 0.0, neck[2] + 0.08), 0.055, worn.skin)
    return _head(limbs, worn, (neck[0] + 0.09, 0.0, neck[2] + 0.2), 0.115)


def _motorcyclist(limbs: _Limbs, worn: _Clothes, look: int) -> Figure:
    for x in (-0.68, 0.70):
        _wheel(limbs, x, 0.25, 0.06)
    paint = _TOPS[(look + 2) % len(_TOPS)]
    limbs.add((-0.25, 0.0, 0.45), (0.25, 0.0, 0.45), (0.17, 0.19), _METAL)
    limbs.add((0.05, 0.0, 0.78), (0.36, 0.0, 0.76), (0.15, 0.12), paint)
    limbs.add((-0.72, 0.0, 0.80), (0.0, 0.0, 0.76), (0.10, 0.12), _TYRE)
    limbs.add((0.50, 0.0, 0.88), (0.70, 0.0, 0.34), 0.05, _METAL)
    limbs.add((0.56, 0.0, 0.86), (0.60, 0.0, 0.84), 0.11, paint)
    limbs.add((-0.68, 0.0, 0.33), (-0.1, 0.0, 0.40), 0.05, _METAL)
    limbs.add((0.42, 0.32, 1.0), (0.42, -0.32, 1.0), 0.025, _METAL)
    for side in (1, -1):
        knee = (0.18, side * 0.2, 0.72)
        limbs.add((-0.2, side * 0.1, 0.86), knee, (0.10, 0.075), worn.legs)
        limbs.add(knee, (-0.02, side * 0.18, 0.33), (0.075, 0.055), worn.legs)
        limbs.add((-0.02, side * 0.18, 0.31), (0.14, side * 0.18, 0.29), 0.05, _SHOE)
    neck = _rider(limbs, worn, (-0.22, 0.0, 0.82), (0.42, 0.0, 1.0), 0.16)
    return _head(limbs, worn, (neck[0] + 0.07, 0.0, neck[2] + 0.19), 0.135, helmet=paint)
