"""Two eyes make one set of detections: the net names, the motion eye misses nothing that moves.

A box of the net explains the moving blob under it. A blob that no box explains is a road user of
kind unknown. A rider and the bicycle are one road user. Sites' masks hide what lies under them.
"""

from dataclasses import dataclass, replace
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from calmstreet.model.detections import Detections, no_detections
from calmstreet.model.frame import Frame
from calmstreet.model.kinds import Eye, Kind
from calmstreet.perception.motion import MotionEye, MotionSettings, Moving, halved

__all__ = ["Detector", "Eyes", "Sight", "covered_share", "join_riders"]

EXPLAINING_SCORE = 0.35
EXPLAINED_SHARE = 0.5
MOVING_SHARE = 0.15
SAME_PLACE_SHARE = 0.6
SURER_SHARE = 0.6
VAST_SHARE = 0.3
VAST_MOVING_SHARE = 0.35
GHOST_SCORE = 0.15


class Detector(Protocol):
    """What finds road users in one picture and names them."""

    @property
    def name(self) -> str:
        """Return the word that chooses it."""
        ...

    @property
    def version(self) -> str:
        """Return "name/version", stored with each run."""
        ...

    @property
    def kinds(self) -> frozenset[Kind]:
        """Return the kinds it can tell; any other kind is "not observed", never 0."""
        ...

    def detect(self, frame: Frame) -> Detections:
        """Return every box with a score of 0.15 or more."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sight:
    """What both eyes saw in one frame, with the low-scale luma and mask for whoever needs them."""

    detections: Detections
    moving: Moving
    small: NDArray[np.uint8]


class Eyes:
    """Both eyes on one camera. ``net_every`` = N: the net looks at every N-th analysed frame.

    It may be changed at any time.

    ``net`` None leaves the motion eye alone. ``samples`` uint8 (k, height, width) are pictures of
    the street spread over time, at the low scale of ``halved``. ``masks_px`` are polygons.
    """

    def __init__(
        self,
        *,
        net: Detector | None,
        net_every: int = 1,
        samples: NDArray[np.uint8] | None = None,
        masks_px: tuple[tuple[tuple[float, float], ...], ...] = (),
        motion: MotionSettings | None = None,
    ) -> None:
        self._net = net
        self.net_every = net_every
        self._masks_px = masks_px
        self._settings = motion or MotionSettings()
        self._samples = samples
        self._motion: MotionEye | None = None
        self._hidden: NDArray[np.uint8] | None = None
        self._looked = 0
        self.net_calls = 0

    def look(self, frame: Frame, held_px: NDArray[np.float32]) -> Sight:
        """Return what is seen; ``held_px`` (n, 4) are boxes of live road users."""
        small = halved(frame.luma, self._settings.max_width_px)
        scale = frame.width_px / small.shape[1]
        if self._motion is None:
            self._hidden = _painted(self._masks_px, small.shape, scale)
            self._motion = MotionEye(
                settings=self._settings, samples=self._samples, ignore=self._hidden
            )
        moving = self._motion.look(frame.t_ns, small, scale, held_px)
        named = self._named(frame, scale)
        detections = fuse(
            named, moving, scale=scale, min_body_share=self._settings.min_structure_share
        )
        return Sight(detections=detections, moving=moving, small=small)

    def _named(self, frame: Frame, scale: float) -> Detections:
        """Return the net's boxes, or none where it is not its turn."""
        turn = self._looked % max(self.net_every, 1) == 0
        self._looked += 1
        if self._net is None or not turn:
            return no_detections(camera_id=frame.camera_id, t_ns=frame.t_ns, looked=Eye.MOTION)
        self.net_calls += 1
        found = join_riders(self._net.detect(frame))
        if self._hidden is None or len(found) == 0:
            return found
        foot = np.stack([(found.box_px[:, 0] + found.box_px[:, 2]) / 2, found.box_px[:, 3] - 1])
        x, y = np.clip((foot / scale).astype(np.int64), 0, None)
        height, width = self._hidden.shape
        seen = self._hidden[np.minimum(y, height - 1), np.minimum(x, width - 1)] == 0
        return found[seen]


def fuse(named: Detections, moving: Moving, *, scale: float, min_body_share: float) -> Detections:
    """Return the net's boxes and the moving blobs that none of them explains.

    A box over moving pixels has source BOTH, one over a still street NET; blobs have kind UNKNOWN
    and their body share as score. Blobs that are only light are dropped. A box over a third of the
    picture in which little moves serves the blur alone: a net that does not know such pictures
    takes all of the street for one vehicle.
    """
    looked = named.looked | Eye.MOTION
    bodies = moving.body_share >= min_body_share
    blobs, shares = moving.box_px[bodies], moving.body_share[bodies]
    stir = _moving_share(named.box_px, moving.mask, scale)
    stirred = stir >= MOVING_SHARE
    vast = _area(named.box_px) > VAST_SHARE * moving.mask.size * scale**2
    score = np.where(vast & (stir < VAST_MOVING_SHARE), GHOST_SCORE, named.score)
    sure = named.box_px[score >= EXPLAINING_SCORE]
    alone = np.array([covered_share(blob, sure) < EXPLAINED_SHARE for blob in blobs], np.bool_)
    blobs, shares = blobs[alone], shares[alone]
    source = np.where(stirred, np.uint8(Eye.BOTH), np.uint8(Eye.NET))
    return Detections(
        camera_id=named.camera_id,
        t_ns=named.t_ns,
        box_px=np.concatenate([named.box_px, blobs]),
        score=np.concatenate([score, np.clip(shares, 0.15, 1.0)]),
        kind=np.concatenate([named.kind, np.full(len(blobs), Kind.UNKNOWN, np.uint8)]),
        source=np.concatenate([source, np.full(len(blobs), Eye.MOTION, np.uint8)]),
        looked=looked,
    )


def covered_share(box: NDArray[np.float32], others: NDArray[np.float32]) -> float:
    """Return the share of ``box`` (4,) that the union of ``others`` (n, 4) covers, on a 16 grid.

    >>> box = np.array([0, 0, 16, 16], np.float32)
    >>> covered_share(box, np.array([[0, 0, 8, 16]], np.float32))
    0.5
    """
    if len(others) == 0:
        return 0.0
    steps = (np.arange(16, dtype=np.float32) + 0.5) / 16
    x = box[0] + steps * (box[2] - box[0])
    y = box[1] + steps * (box[3] - box[1])
    in_x = (x >= others[:, 0:1]) & (x < others[:, 2:3])
    in_y = (y >= others[:, 1:2]) & (y < others[:, 3:4])
    return float(np.mean((in_y[:, :, None] & in_x[:, None, :]).any(axis=0)))


def join_riders(found: Detections) -> Detections:
    """Return the boxes with each rider and the two-wheeler below joined to one road user.

    A person belongs to a bicycle or motorcycle when at least half of the narrower one lies over the
    other and the person's feet are within the two-wheeler's height.
    """
    found = _one_opinion(found)
    wheels = np.flatnonzero(_is_two_wheeler(found))
    people = np.flatnonzero(found.kind == Kind.PEDESTRIAN)
    if len(wheels) == 0 or len(people) == 0:
        return found
    box = found.box_px.copy()
    score = found.score.copy()
    keep = np.ones(len(found), np.bool_)
    for wheel in wheels[np.argsort(-score[wheels], kind="stable")]:
        rider = _rider_of(box[wheel], box[people], keep[people])
        if rider is None:
            continue
        person = people[rider]
        box[wheel, :2] = np.minimum(box[wheel, :2], box[person, :2])
        box[wheel, 2:] = np.maximum(box[wheel, 2:], box[person, 2:])
        score[wheel] = max(score[wheel], score[person])
        keep[person] = False
    return replace(found, box_px=box, score=score)[keep]


def _is_two_wheeler(found: Detections) -> NDArray[np.bool_]:
    kinds = np.array([Kind.BICYCLE, Kind.MOTORCYCLE], np.uint8)
    return np.isin(found.kind, kinds)


def _one_opinion(found: Detections) -> Detections:
    """Return the boxes with bicycle and motorcycle over the same place made one.

    The better box stays; it is a bicycle unless the net is much surer of the motorcycle, because
    it takes bicycles for motorcycles far more often than the other way round.
    """
    wheels = np.flatnonzero(_is_two_wheeler(found))
    if len(wheels) < 2:
        return found
    order = wheels[np.argsort(-found.score[wheels], kind="stable")]
    kind, keep = found.kind.copy(), np.ones(len(found), np.bool_)
    for place, best in enumerate(order):
        for other in order[place + 1 :]:
            if not (keep[best] and keep[other]):
                continue
            if covered_share(found.box_px[other], found.box_px[best : best + 1]) < SAME_PLACE_SHARE:
                continue
            keep[other] = False
            if found.score[other] >= SURER_SHARE * found.score[best]:
                kind[best] = min(int(kind[best]), int(found.kind[other]))
    return replace(found, kind=kind)[keep]


def _rider_of(
    wheel: NDArray[np.float32], people: NDArray[np.float32], free: NDArray[np.bool_]
) -> int | None:
    """Return the index of the person who sits on the two-wheeler, None when nobody does."""
    over = np.minimum(wheel[2], people[:, 2]) - np.maximum(wheel[0], people[:, 0])
    narrow = np.minimum(wheel[2] - wheel[0], people[:, 2] - people[:, 0])
    height = wheel[3] - wheel[1]
    feet = people[:, 3]
    fits = (feet > wheel[1]) & (feet < wheel[3] + 0.3 * height)
    fits &= people[:, 1] < wheel[1] + 0.3 * height
    share = np.where(free & fits, over / np.maximum(narrow, 1e-6), 0.0)
    best = int(np.argmax(share))
    return best if share[best] >= 0.5 else None


def _area(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray((boxes[:, 2:] - boxes[:, :2]).prod(axis=1), np.float32)


def _moving_share(
    boxes: NDArray[np.float32], mask: NDArray[np.uint8], scale: float
) -> NDArray[np.float32]:
    """Return the share of moving pixels in each box, through one integral picture."""
    if len(boxes) == 0:
        return np.empty(0, np.float32)
    total = cv2.integral(mask, sdepth=cv2.CV_64F)
    height, width = mask.shape
    low = np.array([0, 0, 0, 0])
    corner = np.clip(np.rint(boxes / scale), low, [width, height, width, height]).astype(np.int64)
    left, top, right, bottom = corner.T
    inside = total[bottom, right] - total[top, right] - total[bottom, left] + total[top, left]
    area = np.maximum((right - left) * (bottom - top), 1)
    return np.asarray(inside / (255.0 * area), np.float32)


def _painted(
    polygons_px: tuple[tuple[tuple[float, float], ...], ...],
    shape: tuple[int, ...],
    scale: float,
) -> NDArray[np.uint8] | None:
    """Return a low-scale mask, 255 inside the polygons, or None when there are none."""
    if not polygons_px:
        return None
    mask = np.zeros(shape, np.uint8)
    for polygon in polygons_px:
        corners = np.rint(np.asarray(polygon, np.float64) / scale).astype(np.int32)
        cv2.fillPoly(mask, [corners], 255)
    return mask
