"""What several rules ask: who crossed a line and when, who stands, who leads, what excuses it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from calmstreet.geometry.shapes import steps_through
from calmstreet.model.kinds import VEHICLES, Kind
from calmstreet.safety.continuity import turned_pair
from calmstreet.safety.ground_plan import PlanGate
from calmstreet.safety.rows import Block
from calmstreet.safety.rule import Post

__all__ = [
    "Crossing",
    "beside_gate",
    "crossings_of_gate",
    "excuses",
    "facing",
    "is_motor",
    "same_step_pairs",
    "turned_rad",
    "with_leader",
]

Mask = NDArray[np.bool_]
_MOTOR = np.isin(np.arange(256), [*VEHICLES, Kind.MOTORCYCLE, Kind.UNKNOWN])
_APART = 1e5
_COURSE_RAD = np.pi / 4


def is_motor(block: Block, *, unknown: bool = True) -> Mask:
    """Return which rows are motor vehicles; those of unknown kind too unless told otherwise."""
    motor: Mask = _MOTOR[block.kind]
    return motor if unknown else motor & (block.kind != Kind.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """A row whose step passes a gate: its index, the instant, +1 to the left or -1 to the right."""

    row: int
    t_ns: int
    direction: int


def crossings_of_gate(block: Block, gate: PlanGate) -> Iterator[Crossing]:
    """Yield every passage of a front (on the picture: a foot) in the gate's forward direction."""
    before = block.before(gate.metric, front=True)
    hits = steps_through(gate.line, before, block.place(gate.metric, front=True))
    for row, direction, share, own in zip(
        hits.step.tolist(), hits.direction.tolist(), hits.share.tolist(), hits.own, strict=True
    ):
        if own and gate.forward in (0, direction):
            begin, end = int(block.before_ns[row]), int(block.t_ns[row])
            yield Crossing(row=row, t_ns=begin + round(share * (end - begin)), direction=direction)


def beside_gate(
    gate: PlanGate, places: NDArray[np.float64], reach: float | NDArray[np.float64]
) -> Mask:
    """Return which places (n, 2) lie before or behind the gate's own width, ``reach`` more."""
    a, b = gate.line.a[gate.line.own][0], gate.line.b[gate.line.own][-1]
    way = b - a
    long = float(np.sqrt((way * way).sum()))
    along = ((places[:, 0] - a[0]) * way[0] + (places[:, 1] - a[1]) * way[1]) / long
    return np.asarray((along >= -reach) & (along <= long + reach))


def facing(gate: PlanGate, block: Block) -> Mask:
    """Return which rows look across a gate in its forward direction, within 45 degrees.

    All where the gate has no direction; without a heading nobody is known to look elsewhere.
    """
    a, b = gate.line.a[gate.line.own][0], gate.line.b[gate.line.own][-1]
    across = float(np.arctan2(b[1] - a[1], b[0] - a[0])) + gate.forward * np.pi / 2
    turned = turned_rad(block.heading_rad, across)
    return np.asarray((gate.forward == 0) | ~(turned > _COURSE_RAD))


def turned_rad(course_rad: NDArray[np.float64], axis_rad: float) -> NDArray[np.float64]:
    """Return the angle (0..pi) between courses (n,) and an axis; NaN where unknown.

    >>> turned_rad(np.array([0.0, 3.0]), -3.0).round(2).tolist()
    [3.0, 0.28]
    """
    off = course_rad - axis_rad
    return np.abs(np.arctan2(np.sin(off), np.cos(off)))


def same_step_pairs(block: Block, rows: NDArray[np.intp], reach_m: float) -> NDArray[np.intp]:
    """Return pairs (k, 2) of rows of the same step whose centres are within ``reach_m``."""
    if len(rows) < 2 or not block.metric:
        return np.empty((0, 2), np.intp)
    step = np.searchsorted(block.steps, block.t_ns[rows])
    spread = np.column_stack([block.centre[rows], step * _APART])
    pairs = cKDTree(spread).query_pairs(reach_m, output_type="ndarray")
    ordered: NDArray[np.intp] = rows[pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]]
    return ordered


def with_leader(block: Block, still: Mask, gap_m: float) -> Mask:
    """Return which standing rows have somebody standing ahead, bumper to bumper within ``gap_m``.

    Ahead: within 45 degrees of the heading and not more than a lane's width beside it. Without
    metres nobody is known to be ahead.
    """
    found = np.zeros(len(block), bool)
    rows = np.flatnonzero(still & np.isfinite(block.heading_rad))
    pairs = same_step_pairs(block, rows, gap_m + 20.0)
    for one, two in (pairs.T, pairs.T[::-1]) if len(pairs) else ():
        off = block.centre[two] - block.centre[one]
        cos, sin = np.cos(block.heading_rad[one]), np.sin(block.heading_rad[one])
        along, beside = off[:, 0] * cos + off[:, 1] * sin, off[:, 1] * cos - off[:, 0] * sin
        gap = along - (block.length_m[one] + block.length_m[two]) / 2
        leads = (along > 0) & (gap < gap_m) & (np.abs(beside) < 2.0)
        leads &= turned_pair(block.heading_rad[one], block.heading_rad[two]) < _COURSE_RAD
        found[one[leads]] = True
    return found


def excuses(post: Post, block: Block, row: int) -> list[str]:
    """Return what excuses a road user at a row: roadworks, or a lane that somebody obstructs."""
    found = []
    if any(bool(block.inside(zone)[row]) for zone in post.zones("roadworks")):
        found.append("in a zone of roadworks")
    if block.metric and _obstructed(block, row):
        found.append("the lane ahead is obstructed by one who stands")
    return found


def _obstructed(block: Block, row: int) -> bool:
    """Return whether somebody stands within 15 m ahead in the way of a row that moves."""
    course = block.course_rad[row]
    if not np.isfinite(course):
        return False
    others = np.flatnonzero((block.t_ns == block.t_ns[row]) & (block.speed_mps < 0.5))
    off = block.centre[others] - block.centre[row]
    cos, sin = np.cos(course), np.sin(course)
    along, beside = off[:, 0] * cos + off[:, 1] * sin, off[:, 1] * cos - off[:, 0] * sin
    half = (block.width_m[others] + block.width_m[row]) / 2
    ahead = (along > 0.5) & (along < 15.0) & (np.abs(beside) < half)
    return bool((ahead & is_motor(block)[others]).any())
