"""The motion eye: what differs from the empty street, on the luma plane at low scale.

A running average with its own deviation (two-sided, per pixel) is the background. Pixels under a
live road user are never learned; other foreground is learned slowly, so that a ghost (a car that
stood there when the watch began and left) fades. A change that keeps the street's texture
(shadow, headlight on the road, cloud) is light, not a body.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from calmstreet.perception.median import median_of
from calmstreet.units import NS_PER_S

__all__ = ["MotionEye", "MotionSettings", "Moving", "blobs_of", "halved"]

_NEAR = np.ones((3, 3), np.uint8)
_MOST_SPREAD = 20.0
_LIGHT_STEP = 9
_DARK = np.float32(4)  # levels added before dividing, so that black does not blow up


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionSettings:
    """Settings of the motion eye: times in seconds, sizes as shares of the picture's width."""

    max_width_px: int = 640
    quiet_s: float = 15.0
    ghost_s: float = 8.0
    min_contrast: float = 10.0
    deviations: float = 3.0
    min_side_share: float = 0.015
    close_share: float = 0.012
    min_structure_share: float = 0.12
    min_structure: float = 7.0
    border_share: float = 0.03


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moving:
    """What moves in one frame.

    ``mask`` uint8 (low-scale height, width), 255 = moving; ``box_px`` float32 (n, 4) l, t, r, b in
    picture pixels; ``body_share`` float32 (n,) share of each blob's pixels whose texture differs
    from the empty street (near 0 = shadow or light).
    """

    mask: NDArray[np.uint8]
    box_px: NDArray[np.float32]
    body_share: NDArray[np.float32]


def halved(luma: NDArray[np.uint8], max_width_px: int) -> NDArray[np.uint8]:
    """Return the picture halved until it is at most ``max_width_px`` wide.

    Area halving is several times cheaper than one direct resize of the same factor.

    >>> halved(np.zeros((360, 1280), np.uint8), 640).shape
    (180, 640)
    """
    while luma.shape[1] > max_width_px:
        size = (max(luma.shape[1] // 2, 1), max(luma.shape[0] // 2, 1))
        luma = np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.uint8)
    return luma


class MotionEye:
    """Finds what moves in the pictures of one fixed camera.

    ``samples`` uint8 (k, height, width) are low-scale luma pictures spread over some minutes: their
    median is the first empty street and their deviation the first tolerance (trees, glare). None:
    the first frame stands for it. ``ignore`` uint8 (height, width): nothing is seen where > 0.
    """

    def __init__(
        self,
        *,
        settings: MotionSettings | None = None,
        samples: NDArray[np.uint8] | None = None,
        ignore: NDArray[np.uint8] | None = None,
    ) -> None:
        self._settings = settings or MotionSettings()
        self._samples = samples
        self._ignore = ignore
        self._street: NDArray[np.float32] | None = None
        self._spread: NDArray[np.float32] | None = None
        self._t_ns = 0

    def look(
        self, t_ns: int, small: NDArray[np.uint8], scale: float, held_px: NDArray[np.float32]
    ) -> Moving:
        """Return what moves and learn the street.

        ``small`` low-scale luma; ``scale`` picture pixels per low-scale pixel; ``held_px``
        float32 (n, 4) boxes of live road users, under which nothing is learned.
        """
        if self._street is None or self._spread is None:
            self._begin(small)
        assert self._street is not None
        assert self._spread is not None
        self._follow_light(small)
        settings = self._settings
        street = _levels(self._street, 1.0, 0.0)
        difference = _outside(small, street)
        limit = _levels(self._spread, settings.deviations, settings.min_contrast)
        raw = np.asarray(cv2.compare(difference, limit, cv2.CMP_GT), np.uint8)
        if self._ignore is not None:
            raw[self._ignore > 0] = 0
        mask, boxes, shares = self._bodies(small, street, raw)
        self._learn(t_ns, small, difference, mask, held_px / np.float32(scale))
        return Moving(mask=mask, box_px=boxes * np.float32(scale), body_share=shares)

    def street(self) -> NDArray[np.uint8]:
        """Return the empty street as it is known now, low-scale luma."""
        assert self._street is not None
        return np.asarray(np.clip(self._street, 0, 255), np.uint8)

    def _begin(self, small: NDArray[np.uint8]) -> None:
        self._street = small.astype(np.float32)
        self._spread = np.zeros(small.shape, np.float32)
        if self._samples is not None:
            size = (small.shape[1], small.shape[0])
            fitted = [
                np.asarray(cv2.resize(s, size, interpolation=cv2.INTER_AREA), np.uint8)
                for s in self._samples
            ]
            self._street = median_of(fitted)
            street = _levels(self._street, 1.0, 0.0)
            away = [_outside(sample, street) for sample in fitted]
            self._spread = np.asarray(cv2.dilate(median_of(away), _NEAR), np.float32)
        if self._ignore is not None:
            size = (small.shape[1], small.shape[0])
            ignore = cv2.resize(self._ignore, size, interpolation=cv2.INTER_NEAREST)
            self._ignore = np.asarray(ignore, np.uint8)

    def _follow_light(self, now: NDArray[np.uint8]) -> None:
        """Scale the street when the whole picture became brighter or darker (exposure, cloud)."""
        assert self._street is not None
        sample = now[::_LIGHT_STEP, ::_LIGHT_STEP].ravel().astype(np.float32)
        gains = (sample + 8.0) / (self._street[::_LIGHT_STEP, ::_LIGHT_STEP].ravel() + 8.0)
        middle = len(gains) // 2
        gains.partition(middle)
        if abs(float(gains[middle]) - 1.0) > 0.02:
            self._street *= gains[middle]

    def _bodies(
        self, now: NDArray[np.uint8], street: NDArray[np.uint8], raw: NDArray[np.uint8]
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]:
        """Return the cleaned mask, the blobs' boxes (low-scale pixels) and their body shares."""
        settings = self._settings
        opened = np.asarray(cv2.medianBlur(raw, 3), np.uint8)
        if not opened.any():
            return opened, np.empty((0, 4), np.float32), np.empty(0, np.float32)
        side = max(3, round(settings.close_share * raw.shape[1]) | 1)
        kernel = np.ones((side, side), np.uint8)
        closed = np.asarray(cv2.morphologyEx(opened, cv2.MORPH_CLOSE, kernel), np.uint8)
        boxes = blobs_of(closed, settings.min_side_share * raw.shape[1])
        shares = np.empty(len(boxes), np.float32)
        for k, box in enumerate(boxes):
            shares[k], boxes[k] = _body(now, street, opened, box, settings)
        return closed, boxes, shares

    def _learn(
        self,
        t_ns: int,
        now: NDArray[np.uint8],
        difference: NDArray[np.uint8],
        mask: NDArray[np.uint8],
        held: NDArray[np.float32],
    ) -> None:
        assert self._street is not None
        assert self._spread is not None
        step_s = min((t_ns - self._t_ns) / NS_PER_S, 1.0) if self._t_ns else 0.1
        self._t_ns = t_ns
        seen = np.full(mask.shape, 255, np.uint8)
        for left, top, right, bottom in _grown(held, now.shape):
            seen[top:bottom, left:right] = 0
        quiet = cv2.bitwise_and(cv2.bitwise_not(mask), seen)
        ghost = cv2.bitwise_and(mask, seen)
        pace = 1 - np.exp(-step_s / self._settings.quiet_s)
        cv2.accumulateWeighted(now, self._street, pace, mask=quiet)
        cv2.threshold(difference, _MOST_SPREAD, 0, cv2.THRESH_TRUNC, dst=difference)
        cv2.accumulateWeighted(difference, self._spread, pace, mask=seen)
        if ghost.any():
            slow = 1 - np.exp(-step_s / self._settings.ghost_s)
            cv2.accumulateWeighted(now, self._street, slow, mask=ghost)


def _levels(picture: NDArray[np.float32], factor: float, offset: float) -> NDArray[np.uint8]:
    """Return ``picture * factor + offset`` in whole grey levels."""
    return np.asarray(cv2.convertScaleAbs(picture, alpha=factor, beta=offset), np.uint8)


def _outside(now: NDArray[np.uint8], street: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return how far each pixel lies outside what the street shows within one pixel of it.

    A sway of a pixel, a re-encoded edge and a sub-pixel drift give 0.

    >>> street = np.full((3, 3), 9, np.uint8)
    >>> _outside(np.array([[9, 9, 9], [9, 2, 9], [9, 9, 20]], np.uint8), street).tolist()
    [[0, 0, 0], [0, 7, 0], [0, 0, 11]]
    """
    above = cv2.subtract(now, cv2.dilate(street, _NEAR))
    below = cv2.subtract(cv2.erode(street, _NEAR), now)
    return np.asarray(cv2.max(above, below), np.uint8)


def _grown(boxes: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Return boxes grown by a tenth of their size, whole numbers inside the picture."""
    margin = 0.1 * (boxes[:, 2:] - boxes[:, :2])
    grown = boxes.copy()
    grown[:, :2] -= margin
    grown[:, 2:] += margin
    grown[np.isnan(grown)] = 0
    top = np.array([shape[1], shape[0], shape[1], shape[0]], np.float32)
    return np.minimum(np.maximum(grown, 0), top).astype(np.int64)


def blobs_of(mask: NDArray[np.uint8], min_side_px: float) -> NDArray[np.float32]:
    """Return the boxes float32 (n, 4) of connected white areas, small ones left out.

    >>> mask = np.zeros((20, 30), np.uint8); mask[5:15, 4:10] = 255
    >>> blobs_of(mask, 3.0).tolist()
    [[4.0, 5.0, 10.0, 15.0]]
    """
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    boxes = []
    for contour in contours:
        left, top, width, height = cv2.boundingRect(contour)
        if width * height >= min_side_px**2 and max(width, height) < 8 * min(width, height):
            boxes.append((left, top, left + width, top + height))
    return np.array(boxes, np.float32).reshape(-1, 4)


def _body(
    now: NDArray[np.uint8],
    street: NDArray[np.uint8],
    moving: NDArray[Any],
    box: NDArray[np.float32],
    settings: MotionSettings,
) -> tuple[float, NDArray[np.float32]]:
    """Return the share of a blob's pixels with a texture of their own, and the box around those.

    Light multiplies the street by a factor that is smooth in space; what remains after dividing by
    the local factor (mean over 7 x 7) is texture of a body. The box leaves out the thin border that
    a shadow draws.
    """
    left, top, right, bottom = (int(v) for v in box)
    window = (slice(top, bottom), slice(left, right))
    inside = moving[window]
    count = cv2.countNonZero(inside)
    if count == 0:
        return 0.0, box
    here, empty = now[window], street[window]
    gain = np.asarray(cv2.boxFilter(here, cv2.CV_32F, (7, 7)), np.float32)
    gain /= cv2.boxFilter(empty, cv2.CV_32F, (7, 7)) + _DARK
    gain *= empty + _DARK
    gain -= here
    lit = cv2.inRange(gain, -settings.min_structure, settings.min_structure)
    body = np.asarray(cv2.bitwise_and(inside, cv2.bitwise_not(lit)), np.uint8)
    share = cv2.countNonZero(body) / count
    if share < settings.min_structure_share:
        return share, box
    x0, x1 = _extent(_sums(body, 0), settings.border_share)
    y0, y1 = _extent(_sums(body, 1), settings.border_share)
    return share, np.array([left + x0, top + y0, left + x1, top + y1], np.float32)


def _sums(body: NDArray[np.uint8], axis: int) -> NDArray[np.int32]:
    """Return the sums along an axis, int32 (n,)."""
    return np.asarray(cv2.reduce(body, axis, cv2.REDUCE_SUM, dtype=cv2.CV_32S), np.int32).ravel()


def _extent(counts: NDArray[Any], border_share: float) -> tuple[int, int]:
    """Return from where to where the counts lie when the outer ``border_share`` is cut off.

    >>> _extent(np.array([0, 1, 50, 50, 50, 1, 0]), 0.02)
    (2, 5)
    """
    total = np.cumsum(counts).tolist()
    low = bisect_right(total, border_share * total[-1])
    high = bisect_left(total, (1 - border_share) * total[-1])
    return low, max(high, low) + 1
