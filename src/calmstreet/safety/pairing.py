"""Which pairs of rows of the same step are worth a closer look (the broad phase)."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.kinds import Kind
from calmstreet.safety.ahead import may_meet
from calmstreet.safety.movers import Movers
from calmstreet.safety.paths import Paths

__all__ = ["LOOK_NS", "looked_at", "pairs_in_steps", "same_pairs_later"]

Ints = NDArray[np.int64]

LOOK_NS = 500_000_000
"""Pairs are looked for in the first step of each half second (of UTC)."""

_MOVES_MPS = 0.5
_CHUNK = 400_000


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


def _all_pairs(t_ns: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Yield all pairs of rows of the same step, about ``_CHUNK`` at a time."""
    starts = np.flatnonzero(np.diff(t_ns, prepend=t_ns[:1] - 1))
    ends = np.append(starts[1:], len(t_ns))
    later = np.repeat(ends, ends - starts) - np.arange(len(t_ns)) - 1
    done = np.concatenate([[0], np.cumsum(later)])
    begin = 0
    while begin < len(t_ns):
        end = max(int(np.searchsorted(done, done[begin] + _CHUNK, side="right")) - 1, begin + 1)
        count = later[begin:end]
        one = np.repeat(np.arange(begin, end), count)
        offset = np.arange(len(one)) - np.repeat(np.cumsum(count) - count, count)
        yield one, one + 1 + offset
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
