"""The boxes of one step as the tracker wants them: in an order of their own, doubles left out."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.detections import Detections
from calmstreet.model.kinds import Eye
from calmstreet.perception.association import overlaps, touching

__all__ = ["Seen", "ordered"]

_NET = np.uint8(Eye.NET)
_MOTION = np.uint8(Eye.MOTION)
_DOUBLE_SHARE = 0.6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """Boxes in order: those of the net first, then by score and place.

    ``eye`` saw it; ``by_net`` is False for blobs of the motion eye; ``still`` says that the motion
    eye looked and saw nothing move under a box of the net.
    """

    box_px: NDArray[np.float64]
    score: NDArray[np.float64]
    kind: NDArray[np.uint8]
    eye: NDArray[np.uint8]
    by_net: NDArray[np.bool_]
    still: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.score)

    def rows(self, index: NDArray[Any]) -> "Seen":
        """Return the boxes that a mask or index array picks."""
        return Seen(
            box_px=self.box_px[index],
            score=self.score[index],
            kind=self.kind[index],
            eye=self.eye[index],
            by_net=self.by_net[index],
            still=self.still[index],
        )


def ordered(detections: Detections, high_score: float, low_score: float) -> Seen:
    """Return the boxes of a step in an order that does not hang on the order they came in.

    The net's boxes under ``low_score`` are left out (they serve the blur), and those between the
    two scores that lie over a better box of the net: a weak second opinion on the same user.
    """
    box = detections.box_px.astype(np.float64)
    by_net = (detections.source & _NET) > 0
    score = detections.score.astype(np.float64)
    order = np.lexsort((box[:, 0], -score, ~by_net))
    first, second = order[:-1], order[1:]
    if np.count_nonzero((score[first] == score[second]) & (box[first, 0] == box[second, 0])):
        order = np.lexsort((detections.kind, *box.T, -score, ~by_net))
    still = by_net & ((detections.source & _MOTION) == 0) & bool(detections.looked & Eye.MOTION)
    seen = Seen(
        box_px=box,
        score=score,
        kind=detections.kind,
        eye=detections.source,
        by_net=by_net,
        still=still,
    )
    seen = seen.rows(order[~(by_net & (score < low_score))[order]])
    weak = np.flatnonzero(seen.by_net & (seen.score < high_score))
    if not len(weak):
        return seen
    kept = np.ones(len(seen), np.bool_)
    kept[weak[_doubled(seen, weak)]] = False
    return seen.rows(kept)


def _doubled(seen: Seen, weak: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return which of the weak boxes share most of their own or the other's area with a better."""
    net = np.flatnonzero(seen.by_net)
    i, j = touching(seen.box_px[weak], seen.box_px[net], 0.0)
    better = net[j] < weak[i]
    i, j = i[better], j[better]
    sides = seen.box_px[:, 2:] - seen.box_px[:, :2]
    area = sides[:, 0] * sides[:, 1]
    least = np.minimum(area[weak[i]], area[net[j]])
    over = overlaps(seen.box_px[weak[i]], seen.box_px[net[j]]) > _DOUBLE_SHARE * least
    return np.bincount(i, over, len(weak)) > 0.5
