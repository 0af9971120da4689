"""The only maker of pictures that may be kept.

A picture waits a second in memory before it leaves, so that a head or plate that is found late is
covered in the pictures before it too. Whatever goes wrong inside, the pictures concerned are
dropped, never shown.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import PrivacyError
from calmstreet.model.detections import Detections
from calmstreet.model.frame import Frame
from calmstreet.model.kept import BlurredFrame
from calmstreet.model.kinds import Eye, Flag
from calmstreet.model.points import TrackPoints
from calmstreet.units import NS_PER_S
from calmstreet.video.mosaic import fill, mosaic, polygon_mask
from calmstreet.video.picture import shrink
from calmstreet.video.sightings import Places, Sightings, Step, Trust, join_places
from calmstreet.video.standing import Standing
from calmstreet.video.zones import (
    HEAD_LIMIT_PX,
    NET_SIDE_PX,
    Zones,
    join_zones,
    stored_size_px,
    zones_of,
    zones_whole,
)

__all__ = ["Blur", "Packed", "annotate", "blur_still", "pack", "unpack"]

Polygon = Sequence[tuple[float, float]]

_REACH_S = 1.0
_BLOB_REACH_S = 0.3
_COVER_MARGIN = 0.12
_MASK_WIDTH_PX = 200
_PACKED_QUALITY = 92


class _Waiting(NamedTuple):
    t_ns: int
    bgr: NDArray[np.uint8]


class Blur:
    """One camera's pictures made fit to keep, in order of time, after ``delay_s``.

    ``masks`` are the site's polygons in camera pixels; ``strict`` covers whole boxes;
    ``net_side_px`` is how long the net that looked sees the longer side, see
    ``longest_stored_side_px``. Make a new one for each run.

    ``size_px`` is (width, height) of what is kept, ``dropped`` counts pictures
    that failed, ``masks_out`` holds for each picture returned last the mask uint8 (h, w) of what
    was changed in it.
    """

    def __init__(
        self,
        *,
        camera_id: str,
        width_px: int,
        height_px: int,
        masks: Sequence[Polygon] = (),
        strict: bool = False,
        delay_s: float = 1.0,
        max_width_px: int = 640,
        net_side_px: float = NET_SIDE_PX,
    ) -> None:
        self.size_px = stored_size_px(width_px, height_px, max_width_px, net_side_px)
        self.scale = self.size_px[0] / width_px
        self.dropped = 0
        self.masks_out: list[NDArray[np.uint8]] = []
        self._camera_id = camera_id
        self._camera_size = (width_px, height_px)
        self._strict = strict
        self._delay_ns = round(delay_s * NS_PER_S)
        self._polygons = polygon_mask(masks, *self.size_px, self.scale)
        self._ratio = np.array([self.size_px[0] / width_px, self.size_px[1] / height_px] * 2)
        self._sightings = Sightings(reach_s=_REACH_S)
        self._standing = Standing()
        self._trust = Trust()
        self._waiting: deque[_Waiting] = deque()
        self._last_ns: int | None = None

    def update(
        self,
        frame: Frame,
        detections: Detections,
        points: TrackPoints,
        moving: NDArray[np.uint8] | None = None,
    ) -> list[BlurredFrame]:
        """Take in a picture with all that was seen in it; return the pictures whose time is over.

        ``points`` are the rows of this step; ``moving`` is uint8 of any size over the same view,
        > 0 where something moves. Raises PrivacyError when anything fails: then this picture and
        all that wait are dropped.
        """
        try:
            self._take_in(frame, detections, points, moving)
            ready = []
            while self._waiting and frame.t_ns - self._waiting[0].t_ns >= self._delay_ns:
                ready.append(self._waiting.popleft())
            return self._covered(ready)
        except Exception as error:
            raise self._closed(1, error) from error

    def flush(self) -> list[BlurredFrame]:
        """Return the pictures that still wait, at the end of a run. Raises PrivacyError."""
        try:
            ready = list(self._waiting)
            self._waiting.clear()
            return self._covered(ready)
        except Exception as error:
            raise self._closed(len(ready), error) from error

    def _closed(self, lost: int, error: Exception) -> PrivacyError:
        """Drop everything that waits and say so."""
        lost += len(self._waiting)
        self.dropped += lost
        self.masks_out = []
        self._waiting.clear()
        self._sightings.clear()
        return PrivacyError(
            f"camera {self._camera_id}: {lost} pictures could not be blurred and were dropped "
            f"({type(error).__name__}: {error})"
        )

    def _take_in(
        self,
        frame: Frame,
        detections: Detections,
        points: TrackPoints,
        moving: NDArray[np.uint8] | None,
    ) -> None:
        if (frame.width_px, frame.height_px) != self._camera_size:
            raise ValueError("the picture's size changed; start a new run")
        if self._last_ns is not None and frame.t_ns <= self._last_ns:
            raise ValueError("the picture's time did not grow; start a new run")
        self._last_ns = frame.t_ns
        bgr = frame.bgr(*self.size_px)
        if bgr.shape != (self.size_px[1], self.size_px[0], 3):
            raise ValueError("the colour picture has another size than was asked for")
        moves = detections.source != Eye.NET
        found = self._places(detections.box_px, detections.kind)
        tracked = self._places(points.box_px, points.kind)
        on_the_way = (points.flags & (Flag.PARKED | Flag.COASTED | Flag.TENTATIVE)) == 0
        self._trust.note_movers(frame.t_ns, tracked.box_px[on_the_way])
        seen_weak = self._weak(frame.t_ns, found, detections.score, moves, remember=True)
        on_site = (points.flags & Flag.PARKED) == 0
        tracked_weak = self._weak(frame.t_ns, tracked, points.score, on_site)
        observed = (points.flags & Flag.COASTED) == 0
        stays = [tracked.of(observed & ~self._street(tracked, tracked_weak))]
        stays.append(found.of(~self._street(found, seen_weak)))
        self._standing.update(frame.t_ns, bgr, *join_places(stays))
        standing = Places(*self._standing.covered(frame.t_ns))
        still = np.zeros(len(standing.kind), np.bool_)
        boxes = np.concatenate([found.box_px, tracked.box_px, standing.box_px])
        blobs = np.empty((0, 4), np.float32) if moving is None else self._blobs(moving, boxes)
        self._sightings.add(
            Step(
                t_ns=frame.t_ns,
                seen=found,
                seen_moves=moves,
                track_id=points.track_id,
                tracked=tracked,
                observed=observed,
                standing=standing,
                blob_px=blobs,
                seen_weak=seen_weak,
                tracked_weak=tracked_weak,
                standing_weak=self._weak(
                    frame.t_ns, standing, np.zeros(len(still), np.float32), still
                ),
            )
        )
        self._waiting.append(_Waiting(frame.t_ns, bgr))
        self._sightings.forget(self._waiting[0].t_ns)

    def _weak(
        self,
        t_ns: int,
        places: Places,
        score: NDArray[np.float32],
        moves: NDArray[np.bool_],
        *,
        remember: bool = False,
    ) -> NDArray[np.bool_]:
        """Return which places are large, weak and still, see ``Trust``."""
        return self._trust.weak(
            t_ns,
            places.box_px,
            picture_px=self.size_px,
            score=score,
            moves=moves,
            remember=remember,
        )

    def _street(self, places: Places, weak: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which places are weak and, as far as is known now, the street itself."""
        found = weak.copy()
        if found.any():
            found[weak] = self._trust.street(places.box_px[weak])
        return found

    def _places(self, box_px: NDArray[np.float32], kind: NDArray[np.uint8]) -> Places:
        if not np.isfinite(box_px).all():
            raise ValueError("a box has a corner that is not a number")
        return Places((box_px * self._ratio).astype(np.float32), kind)

    def _blobs(self, moving: NDArray[np.uint8], box_px: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return boxes (n, 4) around moving pixels that no box explains, in stored pixels."""
        rest = _small_mask(moving)
        rows, columns = rest.shape
        to_small = np.array([columns / self.size_px[0], rows / self.size_px[1]] * 2)
        size = box_px[:, 2:] - box_px[:, :2]
        wide = np.concatenate([box_px[:, :2], box_px[:, 2:]], axis=1)
        wide[:, :2] -= _COVER_MARGIN * size
        wide[:, 2:] += _COVER_MARGIN * size
        for left, top, right, bottom in np.maximum(np.round(wide * to_small), 0).astype(int):
            rest[top:bottom, left:right] = 0
        if not rest.any():
            return np.empty((0, 4), np.float32)
        _, _, stats, _ = cv2.connectedComponentsWithStats(rest, connectivity=8)
        corner, extent = stats[1:, :2], stats[1:, 2:4]
        blobs = np.concatenate([corner, corner + extent], axis=1) / to_small
        large = (blobs[:, 2:] - blobs[:, :2]).max(axis=1, initial=0.0) >= HEAD_LIMIT_PX
        return np.asarray(blobs[large], np.float32)

    def _covered(self, ready: list[_Waiting]) -> list[BlurredFrame]:
        pictures, masks = [], []
        for waiting in ready:
            places = self._sightings.at(waiting.t_ns, self._trust.street)
            zones = join_zones(
                [
                    zones_of(*places, strict=self._strict),
                    zones_whole(self._sightings.blobs_at(waiting.t_ns, _BLOB_REACH_S)),
                ]
            )
            bgr, mask = _painted(waiting.bgr, zones, self._polygons)
            pictures.append(
                BlurredFrame(
                    camera_id=self._camera_id, t_ns=waiting.t_ns, bgr=bgr, scale=self.scale
                )
            )
            masks.append(mask)
        self.masks_out = masks
        return pictures


def _small_mask(moving: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the mask 0 / 255 at most _MASK_WIDTH_PX wide; a cell with any moving pixel moves."""
    mask = (moving > 0).astype(np.uint8) * np.uint8(255)
    factor = -(-mask.shape[1] // _MASK_WIDTH_PX)
    if factor == 1:
        return mask
    size = (max(1, mask.shape[1] // factor), max(1, mask.shape[0] // factor))
    return (cv2.resize(mask, size, interpolation=cv2.INTER_AREA) > 0).astype(np.uint8)


def _painted(
    bgr: NDArray[np.uint8], zones: Zones, polygons: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    picture, mask = mosaic(bgr, zones)
    fill(picture, polygons)
    return picture, mask | polygons


def blur_still(
    bgr: NDArray[np.uint8],
    *,
    camera_id: str,
    t_ns: int,
    camera_width_px: int,
    camera_height_px: int,
    box_px: NDArray[np.float32],
    kind: NDArray[np.uint8],
    masks: Sequence[Polygon] = (),
    strict: bool = False,
    max_width_px: int = 640,
) -> BlurredFrame:
    """Return one picture, such as a median background, covered over the given road users.

    ``bgr`` uint8 (h, w, 3) shows the camera's whole view at any size; ``box_px`` (n, 4) and
    ``masks`` are in camera pixels. Raises PrivacyError when anything fails.
    """
    try:
        width, height = stored_size_px(camera_width_px, camera_height_px, max_width_px)
        if width > bgr.shape[1]:
            width, height = bgr.shape[1], bgr.shape[0]
        small = shrink(bgr, width, height)
        box = np.asarray(box_px, np.float32).reshape(-1, 4)
        ratio = np.array([width / camera_width_px, height / camera_height_px] * 2)
        zones = zones_of(
            (box * ratio).astype(np.float32), np.asarray(kind, np.uint8), strict=strict
        )
        scale = width / camera_width_px
        picture, _ = _painted(small, zones, polygon_mask(masks, width, height, scale))
        return BlurredFrame(camera_id=camera_id, t_ns=t_ns, bgr=picture, scale=scale)
    except Exception as error:
        raise PrivacyError(
            f"camera {camera_id}: a picture could not be blurred and was dropped "
            f"({type(error).__name__}: {error})"
        ) from error


def annotate(picture: BlurredFrame, draw: Callable[[NDArray[np.uint8]], None]) -> BlurredFrame:
    """Return a copy of a blurred picture on which ``draw`` has drawn in place.

    ``draw`` is handed the blurred pixels, uint8 (h, w, 3), never the raw ones.
    """
    bgr = picture.bgr.copy()
    draw(bgr)
    return BlurredFrame(
        camera_id=picture.camera_id, t_ns=picture.t_ns, bgr=bgr, scale=picture.scale
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """A blurred picture as JPEG in memory, a twentieth of its size. ``pack`` makes it."""

    camera_id: str
    t_ns: int
    scale: float
    jpeg: bytes


def pack(picture: BlurredFrame) -> Packed:
    """Return a blurred picture packed; raise PrivacyError for anything else."""
    if not isinstance(picture, BlurredFrame):
        raise PrivacyError(f"only blurred pictures are packed, not {type(picture).__name__}")
    done, data = cv2.imencode(".jpg", picture.bgr, [cv2.IMWRITE_JPEG_QUALITY, _PACKED_QUALITY])
    if not done:
        raise PrivacyError(f"camera {picture.camera_id}: a picture could not be packed")
    return Packed(
        camera_id=picture.camera_id, t_ns=picture.t_ns, scale=picture.scale, jpeg=data.tobytes()
    )


def unpack(packed: Packed) -> BlurredFrame:
    """Return the blurred picture that was packed."""
    bgr = cv2.imdecode(np.frombuffer(packed.jpeg, np.uint8), cv2.IMREAD_COLOR)
    return BlurredFrame(
        camera_id=packed.camera_id,
        t_ns=packed.t_ns,
        bgr=np.asarray(bgr, np.uint8),
        scale=packed.scale,
    )
