"""A net that looks at a picture as a whole and at its parts, so that it sees smaller road users.

A net shrinks every picture to its own input; in a large picture people are then lost who are large
enough to be known again. Each of the overlapping parts is shrunk less.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from calmstreet.model.detections import Detections
from calmstreet.model.frame import Frame
from calmstreet.model.kinds import Kind
from calmstreet.perception.detector import Detector

__all__ = ["TILE_SHARE", "TiledNet", "tiles_px"]

TILE_SHARE = 0.5195
"""How much of the longer side one part shows: 665 of 1280 pixels."""
_OTHER_SHARE = 0.62
_SAME_IOU = 0.6
_LARGEST_SHARE = 0.2

Rect = tuple[int, int, int, int]


def tiles_px(width_px: int, height_px: int) -> list[Rect]:
    """Return four overlapping parts (l, t, r, b) of a picture, a corner of it each.

    >>> tiles_px(1280, 720)
    [(0, 0, 665, 446), (615, 0, 1280, 446), (0, 274, 665, 720), (615, 274, 1280, 720)]
    """
    wide = width_px >= height_px
    across = round(width_px * (TILE_SHARE if wide else _OTHER_SHARE))
    down = round(height_px * (_OTHER_SHARE if wide else TILE_SHARE))
    return [
        (left, top, left + across, top + down)
        for top in (0, height_px - down)
        for left in (0, width_px - across)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class TiledNet:
    """``net`` over the whole picture and its four corners, shown at ``size_px`` (width, height).

    What both see is told once. Boxes of a part that are longer than a fifth of the picture are left
    to the whole, which sees those well enough and is not misled by what a part cuts off.
    """

    net: Detector
    size_px: tuple[int, int]

    @property
    def name(self) -> str:
        """Return the word that chooses the net."""
        return self.net.name

    @property
    def version(self) -> str:
        """Return "name/version" of the net, marked."""
        return f"{self.net.version}+tiles"

    @property
    def kinds(self) -> frozenset[Kind]:
        """Return the kinds it can tell."""
        return self.net.kinds

    def detect(self, frame: Frame) -> Detections:
        """Return every box with a score of 0.15 or more, in pixels of the frame."""
        width, height = self.size_px
        bgr = frame.bgr(width, height)
        to_frame = frame.width_px / width
        whole = self.net.detect(_shown(frame, bgr))
        found = [_placed(whole, 0, 0, to_frame)]
        for left, top, right, bottom in tiles_px(width, height):
            seen = self.net.detect(_shown(frame, bgr[top:bottom, left:right]))
            longest = _LARGEST_SHARE * max(width, height)
            small = (seen.box_px[:, 2:] - seen.box_px[:, :2]).max(axis=1, initial=0.0) <= longest
            found.append(_placed(seen[small], left, top, to_frame))
        return _each_once(found)


def _shown(frame: Frame, bgr: NDArray[np.uint8]) -> Frame:
    """Return a frame that shows these colours; its luma is for its size alone."""

    def to_bgr(width_px: int, height_px: int) -> NDArray[np.uint8]:
        small = cv2.resize(bgr, (width_px, height_px), interpolation=cv2.INTER_AREA)
        return np.asarray(small, np.uint8)

    return Frame(
        camera_id=frame.camera_id,
        t_ns=frame.t_ns,
        index=frame.index,
        luma=np.asarray(bgr[:, :, 1]),
        to_bgr=to_bgr,
    )


def _placed(found: Detections, left_px: int, top_px: int, to_frame: float) -> Detections:
    """Return the boxes of a part in pixels of the frame."""
    corner = np.array([left_px, top_px] * 2, np.float32)
    return replace(found, box_px=(found.box_px + corner) * np.float32(to_frame))


def _each_once(parts: list[Detections]) -> Detections:
    """Return the boxes of all parts, the better of two that nearly agree."""
    first = parts[0]
    joined = replace(
        first,
        box_px=np.concatenate([part.box_px for part in parts]),
        score=np.concatenate([part.score for part in parts]),
        kind=np.concatenate([part.kind for part in parts]),
        source=np.concatenate([part.source for part in parts]),
    )
    order = np.argsort(-joined.score, kind="stable")
    kept: list[int] = []
    for k in order.tolist():
        rivals = [one for one in kept if joined.kind[one] == joined.kind[k]]
        if not rivals or _iou(joined.box_px[k], joined.box_px[rivals]).max() < _SAME_IOU:
            kept.append(k)
    return joined[np.array(kept, np.intp)]


def _iou(box: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the shares (n,) of the union that a box (4,) has in common with others (n, 4)."""
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    common = np.prod(np.clip(high - low, 0, None), axis=1)
    areas = np.prod(others[:, 2:] - others[:, :2], axis=1) + np.prod(box[2:] - box[:2])
    return np.asarray(common / np.maximum(areas - common, 1e-6), np.float32)
