"""Which pairs of rows of the same step are worth a closer look (the broad phase)."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from calmstreet.geometry.contact import box_ttc
from calmstreet.model.kinds import Kind
from calmstreet.safety.ahead import may_meet
from calmstreet.safety.movers import Movers
from calmstreet.safety.paths import Paths

__all__ = ["LOOK_NS", "looked_at", "pairs_in_steps", "same_pairs_later", "straight_contacts"]

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

LOOK_NS = 500_000_000
"""Pairs are looked for in the first step of each half second (of UTC)."""

_MOVES_MPS = 0.5
_CHUNK = 400_000
_SLACK_M = 0.01


def looked_at(t_ns: Ints) -> NDArray[np.bool_]:
    """Return which rows (sorted by time) belong to the first step of their half second.

    >>> looked_at(np.array([0, 1, 1, 500_000_000]) ).tolist()
    [True, False, False, True]
    """
    if not len(t_ns):
        return np.empty(0, np.bool_)
    look = t_ns // LOOK_NS
    fresh = np.diff(look, prepend=look[0] - 1) != 0
    first_ns = t_ns[np.flatnonzero(fresh)]
    return np.asarray(t_ns == first_ns[np.cumsum(fresh) - 1])


def pairs_in_steps(rows: Movers, *, paths: Paths) -> Iterator[tuple[Ints, Ints]]:
    """Yield (one, two): rows of one step that may meet within the horizon, in pieces.

    Two pedestrians are no pair; neither are two who stand.
    """
    for one, two in _all_pairs(rows.t_ns):
        moves = rows.speed_mps >= _MOVES_MPS
        walks = rows.kind == Kind.PEDESTRIAN
        keep = (moves[one] | moves[two]) & ~(walks[one] & walks[two])
        one, two = one[keep], two[keep]
        near = may_meet(rows, one, two, paths=paths)
        yield one[near], two[near]


def straight_contacts(rows: Movers, *, within_s: float) -> tuple[Ints, Ints, Array]:
    """Return (one, two, TTC s) of all pairs of rows of one step that touch in time going straight.

    The answers are those of ``box_ttc`` on every pair; most pairs are left out unseen, because in
    this time they cannot come near enough. Overlapping pairs have 0. Rows are sorted by time.
    """
    radius = 0.5 * np.sqrt(rows.length_m**2 + rows.width_m**2)
    found: list[tuple[Ints, Ints, Array]] = []
    boxes = rows.boxes()
    for one, two in _near_pairs(rows, within_s=within_s):
        dx, dy = rows.x_m[two] - rows.x_m[one], rows.y_m[two] - rows.y_m[one]
        wx, wy = rows.vx_mps[two] - rows.vx_mps[one], rows.vy_mps[two] - rows.vy_mps[one]
        speed2 = wx * wx + wy * wy
        when = -(dx * wx + dy * wy) / np.where(speed2 > 0, speed2, 1.0)
        when = np.clip(when, 0.0, within_s)
        dx, dy = dx + when * wx, dy + when * wy
        reach = radius[one] + radius[two] + _SLACK_M
        meet = np.flatnonzero(dx * dx + dy * dy <= reach * reach)
        one, two = one[meet], two[meet]
        ttc, _ = box_ttc(boxes[one], boxes[two])
        hit = ttc <= within_s
        found.append((one[hit], two[hit], ttc[hit]))
    if not found:
        none = np.empty(0, np.int64)
        return none, none, np.empty(0)
    one, two, ttc = (np.concatenate(part) for part in zip(*found, strict=True))
    order = np.lexsort((two, one))
    return one[order], two[order], ttc[order]


def _near_pairs(rows: Movers, *, within_s: float) -> Iterator[tuple[Ints, Ints]]:
    """Yield pairs (lower row first) of one step whose east places may meet in time.

    Rows are swept from west to east; each is paired with those that begin before it ends, where
    a row reaches as far as it can come in ``within_s``.
    """
    half = 0.5 * np.sqrt(rows.length_m**2 + rows.width_m**2) + _SLACK_M
    reach = rows.vx_mps * within_s
    west = rows.x_m + np.minimum(reach, 0.0) - half
    east = rows.x_m + np.maximum(reach, 0.0) + half
    south = rows.y_m + np.minimum(rows.vy_mps * within_s, 0.0) - half
    north = rows.y_m + np.maximum(rows.vy_mps * within_s, 0.0) + half
    known = np.flatnonzero(np.isfinite(west + south))
    step = np.cumsum(np.diff(rows.t_ns, prepend=rows.t_ns[:1] - 1) != 0)[known]
    order = known[np.lexsort((west[known], step))]
    step = np.sort(step)
    wide = float(east[known].max() - west[known].min()) + 1.0 if len(known) else 1.0
    base = float(west[known].min()) if len(known) else 0.0
    begin = step * wide + (west[order] - base)
    end = np.searchsorted(begin, step * wide + np.minimum(east[order] - base, wide), side="right")
    count = np.maximum(end - np.arange(len(order)) - 1, 0)
    for piece in _pieces(count):
        one = np.repeat(np.arange(piece.start, piece.stop), count[piece])
        offset = np.arange(len(one)) - np.repeat(
            np.cumsum(count[piece]) - count[piece], count[piece]
        )
        one, two = order[one], order[one + 1 + offset]
        near = (south[one] <= north[two]) & (south[two] <= north[one])
        one, two = one[near], two[near]
        yield np.minimum(one, two), np.maximum(one, two)


def _all_pairs(t_ns: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Yield all pairs of rows of the same step, about ``_CHUNK`` at a time."""
    starts = np.flatnonzero(np.diff(t_ns, prepend=t_ns[:1] - 1))
    ends = np.append(starts[1:], len(t_ns))
    later = np.repeat(ends, ends - starts) - np.arange(len(t_ns)) - 1
    for piece in _pieces(later):
        count = later[piece]
        one = np.repeat(np.arange(piece.start, piece.stop), count)
        offset = np.arange(len(one)) - np.repeat(np.cumsum(count) - count, count)
        yield one, one + 1 + offset


def _pieces(count: Ints) -> Iterator[slice]:
    """Yield ranges of rows that have about ``_CHUNK`` pairs together."""
    done = np.concatenate([[0], np.cumsum(count)])
    begin = 0
    while begin < len(count):
        end = max(int(np.searchsorted(done, done[begin] + _CHUNK, side="right")) - 1, begin + 1)
        yield slice(begin, end)
        begin = end


def same_pairs_later(rows: Movers, one: Ints, two: Ints) -> tuple[Ints, Ints]:
    """Return the same pairs in all steps of their half second, rows sorted by time and track."""
    look = rows.t_ns // LOOK_NS
    step = np.cumsum(np.diff(rows.t_ns, prepend=rows.t_ns[:1] - 1) != 0) - 1
    step_look = look[np.flatnonzero(np.diff(step, prepend=-1))]
    begin = np.searchsorted(step_look, look[one])
    count = np.searchsorted(step_look, look[one], side="right") - begin
    ids, rank = np.unique(rows.track_id, return_inverse=True)
    key = step * len(ids) + rank
    pair = np.repeat(np.arange(len(one)), count)
    offset = np.arange(len(pair)) - np.repeat(np.cumsum(count) - count, count)
    wanted = begin[pair] + offset
    places = []
    for side in (one, two):
        sought = wanted * len(ids) + rank[side[pair]]
        at = np.minimum(np.searchsorted(key, sought), max(len(key) - 1, 0))
        places.append((at, key[at] == sought))
    both = places[0][1] & places[1][1]
    return places[0][0][both], places[1][0][both]
