"""From what a net puts out to boxes: one function for each shape of output that is understood.

All nets here know the 80 classes of COCO, of which six are road users. A decoder gives candidates
in pixels of the net's own picture; ``select`` takes out the doubles.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.kinds import Kind

__all__ = [
    "COCO_CLASSES",
    "COCO_KINDS",
    "SCORE_FLOOR",
    "STRIDES_PX",
    "Candidates",
    "cell_count",
    "decode_nanodet",
    "decode_yolov8",
    "decode_yolox",
    "decode_yolox_raw",
    "iou_matrix",
    "select",
]

Floats = NDArray[np.float32]

COCO_CLASSES = 80
COCO_KINDS: dict[int, Kind] = {
    0: Kind.PEDESTRIAN,
    1: Kind.BICYCLE,
    2: Kind.CAR,
    3: Kind.MOTORCYCLE,
    5: Kind.BUS,
    7: Kind.TRUCK,
}
SCORE_FLOOR = 0.15
STRIDES_PX = (8, 16, 32)

_COLUMNS = np.array(list(COCO_KINDS), np.intp)
_KINDS = np.array(list(COCO_KINDS.values()), np.uint8)
_SAME_KIND_IOU = 0.5
_ANY_KIND_IOU = 0.8
_MOST_CANDIDATES = 1000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidates:
    """Boxes before doubles are taken out.

    ``box_px`` float32 (n, 4) left, top, right, bottom in the net's picture; ``score`` float32 (n,);
    ``kind`` uint8 (n,) of Kind.
    """

    box_px: Floats
    score: Floats
    kind: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.score)

    def rows(self, index: NDArray[np.intp]) -> "Candidates":
        """Return the rows that ``index`` picks, in its order."""
        return Candidates(box_px=self.box_px[index], score=self.score[index], kind=self.kind[index])


def cell_count(width_px: int, height_px: int) -> int:
    """Return how many cells a net with strides 8, 16 and 32 has on a picture of this size.

    >>> cell_count(416, 256)
    2184
    """
    return sum((width_px // stride) * (height_px // stride) for stride in STRIDES_PX)


def decode_nanodet(outputs: Sequence[Floats], width_px: int) -> Candidates:
    """Read NanoDet: class scores (1, cells, 80) and sides (1, cells, 44) at strides 8, 16, 32.

    Each side of a box is a distribution over 11 distances of one stride; its mean is the distance
    from the middle of the cell (generalised focal loss, Li et al. 2020).
    """
    levels = len(STRIDES_PX)
    parts = [
        _nanodet_level(outputs[level][0], outputs[level + levels][0], stride, width_px)
        for level, stride in enumerate(STRIDES_PX)
    ]
    return Candidates(
        box_px=np.concatenate([part.box_px for part in parts]),
        score=np.concatenate([part.score for part in parts]),
        kind=np.concatenate([part.kind for part in parts]),
    )


def _nanodet_level(scores: Floats, sides: Floats, stride_px: int, width_px: int) -> Candidates:
    cells, kinds, score = _above_floor(scores)
    bins = sides[cells].reshape(len(cells), 4, sides.shape[1] // 4)
    weight = np.exp(bins - bins.max(axis=2, keepdims=True, initial=-np.inf))
    distance = np.einsum("nsb,b->ns", weight, np.arange(bins.shape[2], dtype=np.float32))
    distance *= stride_px / weight.sum(axis=2)
    rows, columns = np.divmod(cells, width_px // stride_px)
    middle = (np.stack([columns, rows], axis=1).astype(np.float32) + 0.5) * stride_px
    box_px = np.concatenate([middle - distance[:, :2], middle + distance[:, 2:]], axis=1)
    return Candidates(box_px=box_px.astype(np.float32, copy=False), score=score, kind=kinds)


def decode_yolox(outputs: Sequence[Floats], _width_px: int) -> Candidates:
    """Read YOLOX as exported with its decoder: (1, cells, 85) middle, size in px, object, classes.

    >>> row = np.zeros((1, 1, 85), np.float32)
    >>> row[0, 0, [0, 1, 2, 3, 4, 7]] = [50, 40, 20, 10, 1, 0.5]
    >>> decode_yolox([row], 416).box_px.tolist()
    [[40.0, 35.0, 60.0, 45.0]]
    """
    table = outputs[0][0]
    cells, kinds, score = _above_floor(table[:, 5:] * table[:, 4:5])
    return Candidates(box_px=_corners(table[cells, :4]), score=score, kind=kinds)


def decode_yolox_raw(outputs: Sequence[Floats], width_px: int) -> Candidates:
    """Read YOLOX as its net puts it out: offsets in cells and logarithms of sizes in strides."""
    table = outputs[0][0]
    cells, kinds, score = _above_floor(table[:, 5:] * table[:, 4:5])
    corner, stride_px = _grid(cells, len(table), width_px)
    middle = (table[cells, :2] + corner) * stride_px
    size = np.exp(table[cells, 2:4]) * stride_px
    return Candidates(
        box_px=_corners(np.concatenate([middle, size], axis=1)), score=score, kind=kinds
    )


def decode_yolov8(outputs: Sequence[Floats], _width_px: int) -> Candidates:
    """Read YOLOv8-shaped output: (1, 84, cells) middle and size in px, then class scores.

    >>> row = np.zeros((1, 84, 1), np.float32)
    >>> row[0, [0, 1, 2, 3, 4], 0] = [50, 40, 20, 10, 0.5]
    >>> Kind(decode_yolov8([row], 640).kind[0]).name
    'PEDESTRIAN'
    """
    table = outputs[0][0].T
    cells, kinds, score = _above_floor(table[:, 4:])
    return Candidates(box_px=_corners(table[cells, :4]), score=score, kind=kinds)


def _above_floor(scores: Floats) -> tuple[NDArray[np.intp], NDArray[np.uint8], Floats]:
    """Return cell, kind and score of everything that may be a road user."""
    wanted = scores[:, _COLUMNS]
    cells, columns = np.nonzero(wanted >= SCORE_FLOOR)
    return cells, _KINDS[columns], wanted[cells, columns].astype(np.float32, copy=False)


def _corners(middle_size: Floats) -> Floats:
    half = middle_size[:, 2:] / 2
    box = np.concatenate([middle_size[:, :2] - half, middle_size[:, :2] + half], axis=1)
    return box.astype(np.float32, copy=False)


def _grid(cells: NDArray[np.intp], total: int, width_px: int) -> tuple[Floats, Floats]:
    """Return the corner (n, 2) in cells and the stride (n, 1) in pixels of each cell."""
    # The number of cells at the smallest stride follows from all: 1 + 1/4 + 1/16 = 21/16.
    counts = [total * 16 // 21 // 4**level for level in range(len(STRIDES_PX))]
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    level = np.searchsorted(starts, cells, side="right") - 1
    stride = np.array(STRIDES_PX)[level]
    rows, columns = np.divmod(cells - starts[level], width_px // stride)
    corner = np.stack([columns, rows], axis=1).astype(np.float32)
    return corner, stride[:, None].astype(np.float32)


def iou_matrix(box_px: Floats) -> Floats:
    """Return intersection over union of each pair of boxes (n, 4): float32 (n, n).

    >>> iou_matrix(np.array([[0, 0, 2, 2], [1, 0, 3, 2]], np.float32)).round(3).tolist()
    [[1.0, 0.3330000042915344], [0.3330000042915344, 1.0]]
    """
    left, top, right, bottom = np.ascontiguousarray(box_px.T)
    across = np.minimum.outer(right, right) - np.maximum.outer(left, left)
    down = np.minimum.outer(bottom, bottom) - np.maximum.outer(top, top)
    shared = np.maximum(across, 0) * np.maximum(down, 0)
    area = np.maximum(right - left, 0) * np.maximum(bottom - top, 0)
    union = area[:, None] + area[None, :] - shared
    overlap: Floats = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return overlap


def select(candidates: Candidates) -> Candidates:
    """Take out doubles, best score first: IoU > 0.5 with the same kind, > 0.8 with any kind.

    >>> box = np.array([[0, 0, 10, 10], [0, 0, 10, 9]], np.float32)
    >>> score, kind = np.array([0.4, 0.9], np.float32), np.array([4, 7], np.uint8)
    >>> select(Candidates(box_px=box, score=score, kind=kind)).kind.tolist()
    [7]
    """
    order = np.argsort(-candidates.score, kind="stable")[:_MOST_CANDIDATES]
    best = candidates.rows(order)
    overlap = iou_matrix(best.box_px)
    alike = best.kind[:, None] == best.kind[None, :]
    kept = _greedy((overlap > _SAME_KIND_IOU) & alike)
    kept = kept[_greedy(overlap[np.ix_(kept, kept)] > _ANY_KIND_IOU)]
    return best.rows(kept)


def _greedy(doubles: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the rows that no better kept row is a double of."""
    alive = np.ones(len(doubles), bool)
    worse = np.triu(doubles, 1)
    for row in np.flatnonzero(worse.any(axis=1)):
        if alive[row]:
            alive &= ~worse[row]
    return np.flatnonzero(alive)
