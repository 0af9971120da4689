"""Whether a track is one road user all the way, or went over to another."""

from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from calmstreet.safety.rows import PAUSE_NS, Block
from calmstreet.units import NS_PER_S

__all__ = ["Continuity", "turned_pair"]

Mask = NDArray[np.bool_]
_SWITCH_MPS, _JUMP_M = 9.0, 1.5
_UNSURE_M, _RENAMED_SHARE = 0.75, 0.25
_NEVER_NS = -(2**61)
_NARROWEST_M, _TWIST_RAD = 3.0, 0.6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Moves:
    """The last rows of one road user: times, velocity and place (n, 2), heading and length."""

    t_ns: NDArray[np.int64]
    velocity: NDArray[np.float64]
    place: NDArray[np.float64]
    heading_rad: NDArray[np.float64]
    length_m: NDArray[np.float64]

    def then(self, later: "_Moves") -> "_Moves":
        """Return these rows and those after."""
        return _Moves(
            **{
                part.name: np.concatenate([getattr(self, part.name), getattr(later, part.name)])
                for part in fields(_Moves)
            }
        )

    def since(self, t_ns: int) -> "_Moves":
        """Return the rows from an instant on."""
        late = self.t_ns >= t_ns
        return _Moves(**{part.name: getattr(self, part.name)[late] for part in fields(_Moves)})


@dataclass(slots=True, kw_only=True, eq=False)
class Continuity:
    """Tells where a track went over to another road user: no vehicle changes its velocity so much.

    More than ``_SWITCH_MPS`` within a second is 0.9 g for a whole second; nor does its place jump
    by ``_JUMP_M`` more than its speed explains. A collision may be so abrupt as well, so that rules
    which look for one do not ask. What a camera saw turns on no radius under ``_NARROWEST_M``
    (a car needs 5 m), and is no whole way either where nobody knows how fast or where it was to
    ``_UNSURE_M``, or where another name made its body longer or shorter. The second after any of
    these belongs to it: a filter needs it to settle.

    One is enough for all rules at a post: of a block that it was asked of last it knows the answer.
    """

    _past: dict[int, _Moves] = field(default_factory=dict)
    _broke_ns: dict[int, int] = field(default_factory=dict)
    _told: tuple[Block, Mask] | None = None

    def switches(self, block: Block) -> Mask:
        """Return the rows of the next block at which somebody else seems to go on."""
        if self._told is None or self._told[0] is not block:
            self._told = block, self._switches(block)
        return self._told[1]

    def _switches(self, block: Block) -> Mask:
        found = np.zeros(len(block), bool)
        if not block.metric:
            return found
        course = np.nan_to_num(block.course_rad)
        pace = np.nan_to_num(block.speed_mps)[:, None]
        velocity = pace * np.stack([np.cos(course), np.sin(course)], axis=1)
        unsure = ~np.isfinite(block.speed_mps) | (block.spread_m > _UNSURE_M)
        seen = np.isfinite(block.foot[:, 0])
        for track_id, start, end in block.spans:
            moves = _Moves(
                t_ns=block.t_ns[start:end],
                velocity=velocity[start:end],
                place=block.centre[start:end],
                heading_rad=block.heading_rad[start:end],
                length_m=block.length_m[start:end],
            )
            before = self._past.get(track_id)
            if before is not None and block.t_ns[start] != block.first_ns[start]:
                moves = before.then(moves)
            own = slice(len(moves.t_ns) - (end - start), None)
            changed = _changed_mps(moves.t_ns, moves.velocity) > _SWITCH_MPS
            found[start:end] |= changed[own] | _jumps(block, start, end)
            if seen[start]:
                found[start:end] |= unsure[start:end] | (_twists(moves) | _renamed(moves))[own]
                self._settle(track_id, block.t_ns[start:end], found[start:end])
            self._past[track_id] = moves.since(int(moves.t_ns[-1]) - 2 * NS_PER_S)
        gone_ns = (int(block.steps[-1]) if len(block.steps) else 0) - PAUSE_NS
        self._past = {t: past for t, past in self._past.items() if past.t_ns[-1] >= gone_ns}
        self._broke_ns = {t: ns for t, ns in self._broke_ns.items() if ns >= gone_ns}
        return found

    def _settle(self, track_id: int, t_ns: NDArray[np.int64], found: Mask) -> None:
        """Mark (in place) the rows of the second after each one that is marked."""
        broke_ns = np.where(found, t_ns, self._broke_ns.get(track_id, _NEVER_NS))
        last_ns = np.maximum.accumulate(broke_ns)
        found |= t_ns - last_ns < NS_PER_S
        self._broke_ns[track_id] = int(last_ns[-1])


def _renamed(moves: _Moves) -> Mask:
    """Return which rows have a body of quite another length than the row before."""
    before = np.append(moves.length_m[:1], moves.length_m[:-1])
    return np.asarray(np.abs(moves.length_m - before) > _RENAMED_SHARE * before)


def _twists(moves: _Moves) -> Mask:
    """Return which rows are turned further than any way of the two seconds before allows."""
    found = np.zeros(len(moves.t_ns), bool)
    steps = np.diff(moves.place, axis=0, prepend=moves.place[:1])
    gone_m = np.cumsum(np.sqrt(steps[:, 0] * steps[:, 0] + steps[:, 1] * steps[:, 1]))
    for lag in range(1, len(moves.t_ns)):
        near = moves.t_ns[lag:] - moves.t_ns[:-lag] <= 2 * NS_PER_S
        if not near.any():
            break
        turned = turned_pair(moves.heading_rad[lag:], moves.heading_rad[:-lag])
        allowed = _TWIST_RAD + (gone_m[lag:] - gone_m[:-lag]) / _NARROWEST_M
        found[lag:] |= near & (turned > allowed)
    return found


def _jumps(block: Block, start: int, end: int) -> Mask:
    """Return which rows lie ``_JUMP_M`` further from the row before than their speed explains."""
    off = block.centre[start:end] - block.before_centre[start:end]
    lasted_s = (block.t_ns[start:end] - block.before_ns[start:end]) / NS_PER_S
    pace = block.speed_mps[start:end]
    before = np.append(pace[:1], pace[:-1])
    far_m = np.sqrt(off[:, 0] * off[:, 0] + off[:, 1] * off[:, 1])
    with np.errstate(invalid="ignore"):
        return np.asarray(far_m - np.fmax(pace, before) * lasted_s > _JUMP_M)


def _changed_mps(t_ns: NDArray[np.int64], velocity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return by how much each velocity (n, 2) differs most from those of the second before."""
    found = np.zeros(len(t_ns))
    for lag in range(1, len(t_ns)):
        near = t_ns[lag:] - t_ns[:-lag] <= NS_PER_S
        if not near.any():
            break
        off = velocity[lag:] - velocity[:-lag]
        change = np.where(near, np.sqrt(off[:, 0] * off[:, 0] + off[:, 1] * off[:, 1]), 0.0)
        found[lag:] = np.maximum(found[lag:], change)
    return found


def turned_pair(one: NDArray[np.float64], two: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the angle (0..pi) between headings (n,) and (n,)."""
    off = one - two
    return np.abs(np.arctan2(np.sin(off), np.cos(off)))
