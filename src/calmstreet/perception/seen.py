"""The boxes of one step as the tracker wants them: in an order of their own, doubles left out."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.detections import Detections
from calmstreet.model.kinds import Eye
from calmstreet.perception.association import overlaps, touching
from calmstreet.perception.votes import at_border

__all__ = ["AXES_NOISE", "Seen", "note_noise", "ordered"]

AXES_NOISE = np.array([[1.0], [1.0], [1.5], [1.5]])
"""How much coarser a box tells its size than its centre: x, y, width, height."""

_NET = np.array(int(Eye.NET), np.uint8)
_DOUBLE_SHARE = 0.6
_ENTERING_NOISE = np.array(0.25)  # a box that comes in over the border grows: taken as it is seen
_BLOB_NOISE = 3.0  # of a blob that no box of the net explains
_LONE_BLOB_NOISE = 1.5  # while the net rests: then most blobs are users that it knows
_HALF, _ONE, _SIZE_NOISE = np.array(0.5), np.array(1.0), np.array(1.5)
_SURE, _UNSURE = np.array(1.6), np.array(0.6)

# Of no size that could be told and as unsure as can be: its variances come out as infinite.
_NOBODY = np.array([0.0, 0.0, 1.0, 1.0] + [math.inf] * 4 + [-math.inf, 0.0, 0.0, 0.0])


@dataclass(slots=True, kw_only=True, eq=False)
class Seen:
    """Boxes in order: those of the net first, then by score and place.

    ``told`` (12, n + 1) what each box tells a track: centre and size, their variances (filled in
    by ``note_noise``), the score, and what it adds to the track's ``tally``: a hit, one of the
    net, the net's score; the last column tells nothing. ``box`` (4, n) signed, ``box_px`` float32
    (n + 1, 4) as they came, NaN in the last. ``kind`` and the ``eye`` that saw it (n + 1), 0 in the
    last. ``by_net`` (n,) is False for blobs of the motion eye; ``high`` are boxes of the net with a
    high score. ``nets`` and ``highs`` count those. ``sigma_px`` (n + 1) of the centres.
    """

    told: NDArray[np.float64]
    box: NDArray[np.float64]
    box_px: NDArray[np.float32]
    kind: NDArray[np.uint8]
    eye: NDArray[np.uint8]
    by_net: NDArray[np.bool_]
    high: NDArray[np.bool_]
    nets: int
    highs: int
    sigma_px: NDArray[np.float64]

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
    score = detections.score.astype(np.float64)
    by_net = (detections.source & _NET).view(np.bool_)
    nets = by_net.tobytes().count(True)
    order = _order(detections, score, by_net, nets)
    if not nets or score[order[nets - 1]] >= high_score:
        return _picked(detections, order, score, high_score)
    order = order[~(by_net & (score < low_score))[order]]
    seen = _picked(detections, order, score, high_score)
    if seen.highs == seen.nets:
        return seen
    weak_rows = np.flatnonzero(seen.by_net & ~seen.high)
    kept = np.ones(len(seen), np.bool_)
    kept[weak_rows[_doubled(seen, weak_rows)]] = False
    return _picked(detections, order[kept], score, high_score)


def _order(
    detections: Detections, score: NDArray[np.float64], by_net: NDArray[np.bool_], nets: int
) -> NDArray[np.intp]:
    """Return the order of the boxes: the net's first, better ones first, then from the left."""
    worse = -score
    alike = nets == len(score)
    order = worse.argsort(kind="stable") if alike else np.lexsort((worse, ~by_net))
    ranked = worse[order]
    tied = ranked[1:] == ranked[:-1]
    if True in tied.tobytes():
        left = detections.box_px[:, 0]
        order = np.lexsort((left, worse, ~by_net))
        if True in (tied & (np.diff(left[order]) == 0)).tobytes():
            order = np.lexsort((detections.kind, *detections.box_px.T, worse, ~by_net))
    return order


def _picked(
    detections: Detections, order: NDArray[np.intp], score: NDArray[np.float64], high_score: float
) -> Seen:
    n = len(order)
    kind, eye = np.zeros(n + 1, np.uint8), np.zeros(n + 1, np.uint8)
    kind[:n], eye[:n] = detections.kind[order], detections.source[order]
    by_net = (eye[:n] & _NET).view(np.bool_)
    box_px = np.empty((n + 1, 4), np.float32)
    detections.box_px.take(order, axis=0, out=box_px[:n], mode="clip")
    box_px[n] = math.nan
    told, box = np.empty((12, n + 1)), np.empty((4, n + 1))
    box[...] = box_px.T
    low, high, centre, size = box[:2], box[2:], told[:2], told[2:4]
    np.add(low, high, out=centre)
    centre *= _HALF
    np.subtract(high, low, out=size)
    np.maximum(size, _ONE, out=size)
    np.negative(high, out=high)
    sure = told[8]
    sure[:n], sure[n] = score[order], 0.0
    told[9] = 1.0
    told[10, :n], told[10, n] = by_net, 0.0
    np.multiply(sure, told[10], out=told[11])
    told[:, n] = _NOBODY
    nets = by_net.tobytes().count(True)
    all_high = not nets or sure[nets - 1] >= high_score
    strong = by_net if all_high else by_net & (sure[:n] >= high_score)
    return Seen(
        told=told,
        box=box,
        box_px=box_px,
        kind=kind,
        eye=eye,
        by_net=by_net,
        high=strong,
        nets=nets,
        highs=nets if all_high else int(np.count_nonzero(strong)),
        sigma_px=sure,
    )


def note_noise(
    seen: Seen, *, noise_sizes: float, limits_px: NDArray[np.float64], net_rests: bool = False
) -> None:
    """Fill in how unsure boxes are, in place: weak ones and blobs are coarser.

    ``noise_sizes`` is the sigma of a sure box of the net in sizes; ``limits_px`` (4, n + 1) is the
    border of the picture, see ``votes.borders``; ``net_rests`` when the net has not looked lately.
    """
    told = seen.told
    sigma = np.sqrt(told[2] * told[3])
    sigma *= noise_sizes
    coarse = _SURE - told[8] * _UNSURE
    if seen.nets < len(seen):
        np.putmask(coarse[:-1], ~seen.by_net, _LONE_BLOB_NOISE if net_rests else _BLOB_NOISE)
    sigma *= coarse
    seen.sigma_px = sigma
    entering = at_border(seen.box, limits_px)
    if True in entering.tobytes():
        sigma = np.where(entering, sigma * _ENTERING_NOISE, sigma)
    told[4:6] = sigma * sigma
    sigma = sigma * _SIZE_NOISE
    told[6:8] = sigma * sigma


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
