"""Which detection belongs to which track: pairs that are near enough, then the best matching.

Boxes are compared by their overlap after both were widened by the track's own uncertainty: a
buffered IoU (Yang et al., C-BIoU, 2023) whose buffer is the filter's sigma instead of a fixed
share, so that a long step, a new-born track and a user behind a bus all get the room they need.
All boxes are signed, (4, n): see ``table``.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from calmstreet.perception.table import facing

__all__ = [
    "Matching",
    "Pairs",
    "best_matching",
    "covered_shares",
    "near_pairs",
    "overlaps",
    "swept_pairs",
    "touching",
    "touching_others",
]

_ZERO, _TWO = np.array(0.0), np.array(2.0)
_SIDEWAYS = 0.3  # how far beside its way a lost user may turn up, in sizes
_BEHIND = 2.5  # and how far behind its prediction
_MANY = 2000  # so many pairs of boxes are compared faster in single precision


class Pairs(NamedTuple):
    """Candidate pairs: row of the track, row of the detection, how alike they are (0..1)."""

    track: NDArray[np.intp]
    detection: NDArray[np.intp]
    likeness: NDArray[np.float64]

    def where(self, mask: NDArray[np.bool_]) -> "Pairs":
        """Return the pairs that ``mask`` picks; the same where it picks all."""
        if False not in mask.tobytes():
            return self
        return Pairs(self.track[mask], self.detection[mask], self.likeness[mask])


def touching(
    a: NDArray[np.float64], b: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the index pairs (i, j) of boxes (4, n) and (4, m) that overlap, in order of i, j.

    >>> near, far = [0.0, 0, -2, -2], [9.0, 9, -11, -11]
    >>> i, j = touching(np.array([far, near]).T, np.array([near]).T)
    >>> i.tolist(), j.tolist()
    ([1], [0])
    """
    both = _touch(a, b)
    i, j = np.divmod(both.ravel().nonzero()[0], max(1, b.shape[1]))
    return i, j


def touching_others(boxes: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the index pairs (i, j), i not j, of boxes (4, n) that overlap, in order of i, j.

    >>> boxes = np.array([[0.0, 0, -2, -2], [9.0, 9, -11, -11], [1.0, 1, -3, -3]]).T
    >>> [rows.tolist() for rows in touching_others(boxes)]
    [[0, 2], [2, 0]]
    """
    n, low, high = boxes.shape[1], boxes[:2], boxes[2:]
    if n * n > _MANY:
        low, high = low.astype(np.float32), high.astype(np.float32)
    less = low[:, :, None] < np.negative(high)[:, None]
    begins = less[0] & less[1]
    both = (begins & begins.T).ravel()
    both[:: n + 1] = False
    flat = both.nonzero()[0]
    if not len(flat):
        return flat, flat
    i, j = np.divmod(flat, n)
    return i, j


def _touch(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which of the boxes (4, n) and (4, m) overlap, (n, m)."""
    other = facing(b)
    if a.shape[1] * b.shape[1] > _MANY:
        a, other = a.astype(np.float32), other.astype(np.float32)
    less = a[:, :, None] < other[:, None]
    within: NDArray[np.bool_] = less[:2]
    within &= less[2:]
    both: NDArray[np.bool_] = within[0]
    both &= within[1]
    return both


def overlaps(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the area that boxes share, pair by pair, both (4, k) -> (k,).

    >>> overlaps(np.array([[0.0, 0, -2, -2]]).T, np.array([[1.0, 1, -3, -3]]).T).tolist()
    [1.0]
    """
    inner = np.maximum(a, b)
    sides = np.minimum(inner[:2] + inner[2:], _ZERO)
    area: NDArray[np.float64] = sides[0] * sides[1]
    return area


def covered_shares(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return which share of each box (4, n) lies under boxes (4, m), at most summed up.

    >>> covered_shares(np.array([[0.0, 0, -4, -2]]).T, np.array([[1.0, 1, -3, -3]]).T).tolist()
    [0.25]
    """
    i, j = touching(a, b)
    n = a.shape[1]
    shared = np.bincount(i, overlaps(a.take(i, axis=1), b.take(j, axis=1)), n)
    sides = a[:2] + a[2:]
    share: NDArray[np.float64] = shared / np.maximum(sides[0] * sides[1], 1.0)
    return share


def near_pairs(
    tracks: NDArray[np.float64], reach_px: NDArray[np.float64], seen: NDArray[np.float64]
) -> Pairs:
    """Return all pairs whose widened boxes overlap, and how alike they are.

    Likeness is the buffered IoU times the root of the smaller by the greater size: room for
    movement shall not make room for another size. ``tracks`` (4, n) predicted and ``seen`` (4, m)
    detected boxes; ``reach_px`` (2, n) by how much both are widened on each side.

    >>> pairs = near_pairs(np.array([[0.0, 0, -2, -2]]).T, np.array([[1.0], [0.0]]),
    ...                    np.array([[3.0, 0, -5, -2], [9.0, 0, -11, -2]]).T)
    >>> pairs.detection.tolist(), pairs.likeness.round(3).tolist()
    ([0], [0.143])
    """
    reach = reach_px * _TWO
    wide = np.empty(tracks.shape)
    np.subtract(tracks[:2], reach, out=wide[:2])
    np.subtract(tracks[2:], reach, out=wide[2:])
    track, detection = touching(wide, seen)
    both = np.empty((2, 4, len(track)))
    tracks.take(track, axis=1, out=both[0], mode="clip")
    seen.take(detection, axis=1, out=both[1], mode="clip")
    return Pairs(track, detection, _likeness(both, reach.take(track, axis=1)))


def swept_pairs(
    tracks: NDArray[np.float64],
    way_px: NDArray[np.float64],
    slack_px: NDArray[np.float64],
    seen: NDArray[np.float64],
) -> Pairs:
    """Return the pairs of lost tracks and boxes that lie on the way the track went since.

    ``way_px`` (2, n) leads from where a track was last seen to where it is predicted in
    ``tracks`` (4, n). A user who braked is behind the prediction, one who sped up before it, by
    at most two and a half and one ``slack_px`` (n,), the size of its box; nobody goes sideways.

    >>> pairs = swept_pairs(
    ...     np.array([[90.0, 0, -110, -20]]).T, np.array([[60.0], [0.0]]), np.array([20.0]),
    ...     np.array([[50.0, 0, -70, -20], [90.0, 60, -110, -80]]).T)
    >>> pairs.detection.tolist(), pairs.likeness.round(2).tolist()
    ([0], [1.0])
    """
    length = np.hypot(way_px[0], way_px[1])
    ahead = way_px / np.maximum(length, 1e-9)
    centre, there = (tracks[:2] - tracks[2:]) * 0.5, (seen[:2] - seen[2:]) * 0.5
    track, detection = np.divmod(np.arange(tracks.shape[1] * seen.shape[1]), max(1, seen.shape[1]))
    ahead = ahead.take(track, axis=1)
    off = ((there.take(detection, axis=1) - centre.take(track, axis=1)) * ahead).sum(axis=0)
    slack = slack_px.take(track)
    off = np.clip(off, -np.minimum(length.take(track), _BEHIND * slack), slack)
    way = ahead * off
    moved = tracks.take(track, axis=1) + np.concatenate((way, -way))
    reach = np.stack((slack, slack)) * _SIDEWAYS
    likeness = _likeness(np.stack((moved, seen.take(detection, axis=1))), reach)
    return Pairs(track, detection, likeness).where(likeness > 0.0)


def _likeness(boxes: NDArray[np.float64], reach_px: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how alike ``boxes`` (2, 4, k) are pair by pair; their gap may be ``reach_px`` (2, k).

    All sides are below zero here, as the boxes are signed; in products and shares that cancels out.
    """
    side = boxes[:, :2] + boxes[:, 2:]
    inner = np.maximum(boxes[0], boxes[1])
    sides = inner[:2] + inner[2:]
    sides -= reach_px
    np.minimum(sides, _ZERO, out=sides)
    alike = np.maximum(side[0], side[1])
    alike /= np.minimum(side[0], side[1])
    side -= reach_px
    shared = sides[0] * sides[1]
    area = side[:, 0] * side[:, 1]
    both = area[0] + area[1]
    both -= shared
    likeness: NDArray[np.float64] = shared / both
    shape = alike[0] * alike[1]
    likeness *= np.sqrt(shape, out=shape)
    return likeness


class Matching:
    """Who is still idle among the tracks and free among the boxes, while passes match them.

    ``match_of`` (n,) is the row of each track's box, -1 without one.
    """

    def __init__(self, tracks: int, boxes: int) -> None:
        self.idle = np.empty(tracks, np.bool_)
        self.idle.fill(True)
        self.free = np.empty(boxes, np.bool_)
        self.free.fill(True)
        self.match_of = np.empty(tracks, np.intp)
        self.match_of.fill(-1)

    def add(
        self,
        pairs: Pairs,
        tracks: NDArray[np.bool_],
        boxes: NDArray[np.bool_],
        least: float,
    ) -> None:
        """Match the idle ones of ``tracks`` with the free ones of ``boxes``, so alike or more."""
        wanted = pairs.likeness >= least
        idle, free = tracks & self.idle, boxes & self.free
        if False in idle.tobytes():
            wanted &= idle[pairs.track]
        if False in free.tobytes():
            wanted &= free[pairs.detection]
        rows, columns = best_matching(pairs.where(wanted))
        self.idle[rows] = False
        self.free[columns] = False
        self.match_of[rows] = columns


def best_matching(pairs: Pairs) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return track and detection rows, each at most once, with the greatest sum of likeness.

    Pairs without rivals are taken as they are; only the others go through the assignment
    (Crouse, 2016, in scipy), which changes nothing in the result and most in the cost.

    >>> pairs = Pairs(track=np.array([0, 0, 1]), detection=np.array([0, 1, 0]),
    ...               likeness=np.array([0.9, 0.8, 0.8]))
    >>> [rows.tolist() for rows in best_matching(pairs)]
    [[0, 1], [1, 0]]
    """
    if len(pairs.track) == 0:
        return pairs.track, pairs.detection
    options, offers = np.bincount(pairs.track), np.bincount(pairs.detection)
    if options[options.argmax()] == 1 and offers[offers.argmax()] == 1:
        return pairs.track, pairs.detection
    alone = options[pairs.track] == 1
    alone &= offers[pairs.detection] == 1
    rivals = pairs.where(~alone)
    tracks, row = _numbered(rivals.track, len(options))
    seen, column = _numbered(rivals.detection, len(offers))
    value = np.zeros((len(tracks), len(seen)))
    value[row, column] = rivals.likeness
    left, right = linear_sum_assignment(value, maximize=True)
    real = value[left, right] > 0.0
    return (
        np.concatenate([pairs.track[alone], tracks[left[real]]]),
        np.concatenate([pairs.detection[alone], seen[right[real]]]),
    )


def _numbered(rows: NDArray[np.intp], n: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the different rows (all under ``n``) in order, and which of them each row is.

    >>> [found.tolist() for found in _numbered(np.array([7, 2, 7]), 9)]
    [[2, 7], [1, 0, 1]]
    """
    there = np.zeros(n, np.bool_)
    there[rows] = True
    return there.nonzero()[0], (there.cumsum() - 1)[rows]
