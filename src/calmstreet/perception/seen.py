"""The boxes of one step as the tracker wants them: in an order of their own, doubles left out."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.detections import Detections
from calmstreet.model.kinds import Eye
from calmstreet.perception.association import overlaps, touching
from calmstreet.perception.kalman import to_centre

__all__ = ["Seen", "ordered"]

_NET = np.uint8(Eye.NET)
_DOUBLE_SHARE = 0.6


_NOBODY = np.array([[0.0]] * 4 + [[math.inf]] * 4 + [[math.nan]] * 4 + [[0.0]])


@dataclass(slots=True, kw_only=True, eq=False)
class Seen:
    """Boxes in order: those of the net first, then by score and place.

    ``told`` (13, n + 1) what each box tells a track: centre and size, their variances (filled in
    by the tracker), the signed box, the score; the last column tells nothing. ``kind`` and the
    ``eye`` that saw it (n + 1), 0 in the last. ``by_net`` (n,) is False for blobs of the motion
    eye; ``high`` are boxes of the net with a high score. ``nets`` and ``highs`` count those.
    """

    told: NDArray[np.float64]
    kind: NDArray[np.uint8]
    eye: NDArray[np.uint8]
    by_net: NDArray[np.bool_]
    high: NDArray[np.bool_]
    nets: int
    highs: int

    @property
    def z(self) -> NDArray[np.float64]:
        """Return centre x, centre y, width, height, (4, n), a view."""
        return self.told[:4, :-1]

    @property
    def box(self) -> NDArray[np.float64]:
        """Return the signed boxes, (4, n), a view."""
        return self.told[8:12, :-1]

    @property
    def score(self) -> NDArray[np.float64]:
        """Return the scores, (n,), a view."""
        score: NDArray[np.float64] = self.told[12, :-1]
        return score

    def __len__(self) -> int:
        return len(self.by_net)

    def still(self, looked: Eye) -> NDArray[np.bool_]:
        """Return under which boxes of the net the motion eye, if it looked, saw nothing move."""
        if not looked & Eye.MOTION:
            return np.zeros(len(self), np.bool_)
        return np.asarray(self.eye[:-1] == _NET)


def ordered(detections: Detections, high_score: float, low_score: float) -> Seen:
    """Return the boxes of a step in an order that does not hang on the order they came in.

    The net's boxes under ``low_score`` are left out (they serve the blur), and those between the
    two scores that lie over a better box of the net: a weak second opinion on the same user.
    """
    score, left = detections.score.astype(np.float64), detections.box_px[:, 0]
    by_net = (detections.source & _NET).view(np.bool_)
    nets = int(np.count_nonzero(by_net))
    order = _order(detections, score, left, by_net, nets)
    weak = by_net & (score < high_score)
    if np.count_nonzero(weak):
        order = order[~(by_net & (score < low_score))[order]]
    seen = _picked(detections, order, score, high_score)
    if seen.highs == seen.nets:
        return seen
    weak_rows = np.flatnonzero(seen.by_net & ~seen.high)
    kept = np.ones(len(seen), np.bool_)
    kept[weak_rows[_doubled(seen, weak_rows)]] = False
    return _picked(detections, order[kept], score, high_score)


def _order(
    detections: Detections,
    score: NDArray[np.float64],
    left: NDArray[np.float32],
    by_net: NDArray[np.bool_],
    nets: int,
) -> NDArray[np.intp]:
    """Return the order of the boxes: the net's first, better ones first, then from the left."""
    keys: tuple[NDArray[Any], ...] = (left, -score)
    order = np.lexsort(keys if nets == len(score) else (*keys, ~by_net))
    ranked = score.take(order)
    tied = ranked[1:] == ranked[:-1]
    if np.count_nonzero(tied) and np.count_nonzero(tied & (np.diff(left.take(order)) == 0)):
        order = np.lexsort((detections.kind, *detections.box_px.T, -score, ~by_net))
    return order


def _picked(
    detections: Detections, order: NDArray[np.intp], score: NDArray[np.float64], high_score: float
) -> Seen:
    n = len(order)
    kind, eye = np.zeros((2, n + 1), np.uint8)
    detections.kind.take(order, out=kind[:n])
    detections.source.take(order, out=eye[:n])
    told = np.empty((13, n + 1))
    told[:, n:] = _NOBODY
    box = detections.box_px.take(order, axis=0).T
    told[8:10, :n] = box[:2]
    np.negative(box[2:], out=told[10:12, :n])
    told[:4, :n] = to_centre(told[8:12, :n])
    told[12, :n] = score.take(order)
    by_net = (eye[:n] & _NET).view(np.bool_)
    high = told[12, :n] >= high_score
    high &= by_net
    return Seen(
        told=told,
        kind=kind,
        eye=eye,
        by_net=by_net,
        high=high,
        nets=int(np.count_nonzero(by_net)),
        highs=int(np.count_nonzero(high)),
    )


def _doubled(seen: Seen, weak: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return which of the weak boxes share most of their own or the other's area with a better."""
    net = np.flatnonzero(seen.by_net)
    i, j = touching(seen.box[:, weak], seen.box[:, net])
    better = net[j] < weak[i]
    i, j = i[better], j[better]
    sides = seen.box[:2] + seen.box[2:]
    area = sides[0] * sides[1]
    least = np.minimum(area[weak[i]], area[net[j]])
    over = overlaps(seen.box[:, weak[i]], seen.box[:, net[j]]) > _DOUBLE_SHARE * least
    return np.bincount(i, over, len(weak)) > 0.5
