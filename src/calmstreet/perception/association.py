"""Which detection belongs to which track: pairs that are near enough, then the best matching.

Boxes are compared by their overlap after both were widened by the track's own uncertainty: a
buffered IoU (Yang et al., C-BIoU, 2023) whose buffer is the filter's sigma instead of a fixed
share, so that a long step, a new-born track and a user behind a bus all get the room they need.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

__all__ = ["Pairs", "best_matching", "near_pairs", "overlaps", "swept_pairs", "touching"]


_SIDEWAYS = 0.3  # how far beside its way a lost user may turn up, in sizes
_BEHIND = 2.5  # and how far behind its prediction


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pairs:
    """Candidate pairs: row of the track, row of the detection, how alike they are (0..1)."""

    track: NDArray[np.intp]
    detection: NDArray[np.intp]
    likeness: NDArray[np.float64]

    def where(self, mask: NDArray[np.bool_]) -> "Pairs":
        """Return the pairs that ``mask`` picks."""
        return Pairs(
            track=self.track[mask],
            detection=self.detection[mask],
            likeness=self.likeness[mask],
        )


def touching(
    a_px: NDArray[np.float64], b_px: NDArray[np.float64], reach_px: NDArray[np.float64] | float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the index pairs (i, j) of boxes that overlap when ``a`` reaches out by ``reach_px``.

    ``a_px`` (n, 4), ``b_px`` (m, 4) l, t, r, b; ``reach_px`` (n, 2) in x and y, or one number.
    """
    low = (a_px[:, :2] - reach_px).T.astype(np.float32)
    high = (a_px[:, 2:] + reach_px).T.astype(np.float32)
    left, top, right, bottom = b_px.T.astype(np.float32, order="C")
    hit = low[0][:, None] < right
    hit &= high[0][:, None] > left
    hit &= low[1][:, None] < bottom
    hit &= high[1][:, None] > top
    flat = hit.ravel().nonzero()[0]
    rows = flat // max(1, len(b_px))
    return rows, flat - rows * len(b_px)


def overlaps(a_px: NDArray[np.float64], b_px: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the area that boxes share, pair by pair, both (k, 4) -> (k,).

    >>> overlaps(np.array([[0.0, 0, 2, 2]]), np.array([[1.0, 1, 3, 3]])).tolist()
    [1.0]
    """
    sides = np.minimum(a_px[:, 2:], b_px[:, 2:]) - np.maximum(a_px[:, :2], b_px[:, :2])
    np.maximum(sides, 0.0, out=sides)
    area: NDArray[np.float64] = sides[:, 0] * sides[:, 1]
    return area


def near_pairs(
    track_px: NDArray[np.float64], reach_px: NDArray[np.float64], seen_px: NDArray[np.float64]
) -> Pairs:
    """Return all pairs whose widened boxes overlap, and how alike they are.

    Likeness is the buffered IoU times the root of the smaller by the greater size: room for
    movement shall not make room for another size. ``track_px`` (n, 4) predicted and ``seen_px``
    (m, 4) detected boxes; ``reach_px`` (n, 2) by how much both are widened on each side.

    >>> pairs = near_pairs(np.array([[0.0, 0, 2, 2]]), np.array([[1.0, 0.0]]),
    ...                    np.array([[3.0, 0, 5, 2], [9.0, 0, 11, 2]]))
    >>> pairs.detection.tolist(), pairs.likeness.round(3).tolist()
    ([0], [0.143])
    """
    track, seen = touching(track_px, seen_px, 2.0 * reach_px)
    likeness = _likeness(track_px[track], seen_px[seen], 2.0 * reach_px[track])
    return Pairs(track=track, detection=seen, likeness=likeness)


def swept_pairs(
    track_px: NDArray[np.float64],
    way_px: NDArray[np.float64],
    slack_px: NDArray[np.float64],
    seen_px: NDArray[np.float64],
) -> Pairs:
    """Return the pairs of lost tracks and boxes that lie on the way the track went since.

    ``way_px`` (n, 2) leads from where a track was last seen to where it is predicted in
    ``track_px`` (n, 4). A user who braked is behind the prediction, one who sped up before it, by
    at most two and a half and one ``slack_px`` (n,), the size of its box; nobody goes sideways.

    >>> pairs = swept_pairs(np.array([[90.0, 0, 110, 20]]), np.array([[60.0, 0.0]]),
    ...                     np.array([20.0]), np.array([[50.0, 0, 70, 20], [90.0, 60, 110, 80]]))
    >>> pairs.detection.tolist(), pairs.likeness.round(2).tolist()
    ([0], [1.0])
    """
    length = np.hypot(way_px[:, 0], way_px[:, 1])
    ahead = way_px / np.maximum(length, 1e-9)[:, None]
    centre = (track_px[:, :2] + track_px[:, 2:]) * 0.5
    there = (seen_px[:, :2] + seen_px[:, 2:]) * 0.5
    track, seen = (grid.ravel() for grid in np.indices((len(track_px), len(seen_px))))
    off = ((there[seen] - centre[track]) * ahead[track]).sum(axis=1)
    off = np.clip(off, -np.minimum(length, _BEHIND * slack_px)[track], slack_px[track])
    moved = track_px[track] + np.tile(ahead[track] * off[:, None], 2)
    reach = np.repeat(_SIDEWAYS * slack_px[track][:, None], 2, axis=1)
    likeness = _likeness(moved, seen_px[seen], reach)
    near = likeness > 0.0
    return Pairs(track=track[near], detection=seen[near], likeness=likeness[near])


def _likeness(
    a_px: NDArray[np.float64], b_px: NDArray[np.float64], reach_px: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return how alike boxes are pair by pair when their gap may be ``reach_px`` (k, 2)."""
    side_a, side_b = a_px[:, 2:] - a_px[:, :2], b_px[:, 2:] - b_px[:, :2]
    sides = np.minimum(a_px[:, 2:], b_px[:, 2:]) - np.maximum(a_px[:, :2], b_px[:, :2]) + reach_px
    wide_a, wide_b = side_a + reach_px, side_b + reach_px
    shared = np.multiply(*np.maximum(sides, 0.0).T)
    both = np.multiply(*wide_a.T) + np.multiply(*wide_b.T) - shared
    alike = np.minimum(side_a, side_b) / np.maximum(side_a, side_b)
    likeness: NDArray[np.float64] = shared / both * np.sqrt(np.multiply(*alike.T))
    return likeness


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
    alone = (np.bincount(pairs.track)[pairs.track] == 1) & (
        np.bincount(pairs.detection)[pairs.detection] == 1
    )
    if np.count_nonzero(alone) == len(alone):
        return pairs.track, pairs.detection
    rivals = pairs.where(~alone)
    tracks, row = np.unique(rivals.track, return_inverse=True)
    seen, column = np.unique(rivals.detection, return_inverse=True)
    value = np.zeros((len(tracks), len(seen)))
    value[row, column] = rivals.likeness
    left, right = linear_sum_assignment(value, maximize=True)
    real = value[left, right] > 0.0
    return (
        np.concatenate([pairs.track[alone], tracks[left[real]]]),
        np.concatenate([pairs.detection[alone], seen[right[real]]]),
    )
