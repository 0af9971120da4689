"""Pens and marks: lines, arrows, tints and labels in a picture, sized by the picture.

Every function draws in place on ``bgr``, uint8 (height, width, 3). Points are float pixels of
that picture; what lies outside is clipped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from calmstreet.report.colours import DARK_BGR, LIGHT_BGR, Bgr, is_light

__all__ = ["Labels", "Pen", "arrow", "curve", "dashes", "pen_for", "polyline", "ring", "tint"]

Picture = NDArray[np.uint8]
_SHIFT = 4
_LIMIT_PX = 30_000.0
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_TEXT_PX_PER_SCALE = 27.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Pen:
    """Widths in picture pixels: ``thin_px``, ``line_px``, height of text, ``gap_px`` around it."""

    thin_px: int
    line_px: int
    text_px: float
    gap_px: int


def pen_for(bgr: Picture) -> Pen:
    """Return the pen that suits the size of the picture.

    >>> pen_for(np.zeros((360, 640, 3), np.uint8))
    Pen(thin_px=1, line_px=2, text_px=12.0, gap_px=3)
    """
    side = min(bgr.shape[:2])
    text_px = float(np.clip(6 + side / 60, 9, 30))
    return Pen(
        thin_px=max(1, round(side / 500)),
        line_px=max(1, round(side / 240)),
        text_px=text_px,
        gap_px=max(2, round(text_px / 4)),
    )


def _fixed(points: ArrayLike) -> NDArray[np.int32]:
    """Return points as OpenCV's fixed-point numbers, shape (n, 1, 2); NaN rows are dropped."""
    xy = np.asarray(points, np.float64).reshape(-1, 2)
    xy = np.clip(xy[np.isfinite(xy).all(axis=1)], -_LIMIT_PX, _LIMIT_PX)
    return np.round(xy * (1 << _SHIFT)).astype(np.int32).reshape(-1, 1, 2)


def polyline(
    bgr: Picture,
    points: ArrayLike,
    *,
    colour: Bgr,
    width_px: int = 1,
    closed: bool = False,
    halo: bool = False,
) -> None:
    """Draw a smooth line through ``points`` (n, 2); ``halo`` lays a dark rim under it."""
    fixed = _fixed(points)
    if len(fixed) < 2:
        return
    if halo:
        cv2.polylines(bgr, [fixed], closed, DARK_BGR, width_px + 2, cv2.LINE_AA, _SHIFT)
    cv2.polylines(bgr, [fixed], closed, colour, width_px, cv2.LINE_AA, _SHIFT)


def dashes(
    bgr: Picture,
    points: ArrayLike,
    *,
    colour: Bgr,
    width_px: int = 1,
    dash_px: float = 6.0,
    closed: bool = False,
) -> None:
    """Draw a dashed line through ``points`` (n, 2)."""
    xy = np.asarray(points, np.float64).reshape(-1, 2)
    if closed:
        xy = np.concatenate([xy, xy[:1]])
    if len(xy) < 2 or not np.isfinite(xy).all():
        return
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
    count = min(int(along[-1] / dash_px) + 1, 4000)
    starts = np.arange(0, count, 2) * dash_px
    ends = np.minimum(starts + dash_px, along[-1])
    pairs = [
        np.stack([np.interp(at, along, xy[:, 0]), np.interp(at, along, xy[:, 1])], axis=1)
        for at in (starts, ends)
    ]
    lines = [_fixed(pair) for pair in np.stack(pairs, axis=1)]
    cv2.polylines(bgr, lines, False, colour, width_px, cv2.LINE_AA, _SHIFT)


def tint(bgr: Picture, polygon: ArrayLike, *, colour: Bgr, share: float) -> None:
    """Mix ``colour`` into the inside of ``polygon`` (n, 2); ``share`` 0..1 of the colour."""
    fixed = _fixed(polygon)
    if len(fixed) < 3:
        return
    corners = fixed.reshape(-1, 2) >> _SHIFT
    height, width = bgr.shape[:2]
    left, top = np.clip(corners.min(axis=0) - 1, 0, (width, height))
    right, bottom = np.clip(corners.max(axis=0) + 2, 0, (width, height))
    if left >= right or top >= bottom:
        return
    part = bgr[top:bottom, left:right]
    filled = part.copy()
    offset = np.array([left, top], np.int32) << _SHIFT
    cv2.fillPoly(filled, [(fixed - offset).astype(np.int32)], colour, cv2.LINE_AA, _SHIFT)
    part[:] = cv2.addWeighted(filled, share, part, 1 - share, 0)


def ring(bgr: Picture, at: Sequence[float], *, radius_px: float, colour: Bgr) -> None:
    """Draw a filled dot with a dark rim."""
    fixed_at = _fixed(at).reshape(-1, 2)
    if not len(fixed_at):
        return
    centre = fixed_at[0].tolist()
    for radius, paint in ((radius_px + 1, DARK_BGR), (radius_px, colour)):
        fixed = round(radius * (1 << _SHIFT))
        cv2.circle(bgr, centre, fixed, paint, cv2.FILLED, cv2.LINE_AA, _SHIFT)


def curve(start: ArrayLike, end: ArrayLike, bend: float = 0.0) -> NDArray[np.float64]:
    """Return 25 points of a quadratic curve; ``bend`` > 0 leans to the right of the way.

    >>> curve((0, 0), (10, 0), 0.2)[12].round(3).tolist()
    [5.0, 1.0]
    """
    a, b = np.asarray(start, np.float64), np.asarray(end, np.float64)
    way = b - a
    middle = (a + b) / 2 + bend * np.array([-way[1], way[0]])
    t = np.linspace(0, 1, 25)[:, None]
    return np.asarray((1 - t) ** 2 * a + 2 * t * (1 - t) * middle + t**2 * b)


def arrow(
    bgr: Picture,
    points: ArrayLike,
    *,
    colour: Bgr,
    width_px: int,
    head_px: float = 0.0,
    halo: bool = True,
) -> None:
    """Draw a line through ``points`` (n, 2) that ends in a filled head."""
    xy = np.asarray(points, np.float64).reshape(-1, 2)
    xy = xy[np.isfinite(xy).all(axis=1)]
    if len(xy) < 2:
        return
    head_px = head_px or 4.0 + 2.5 * width_px
    tip = xy[-1]
    way = tip - _point_before(xy, head_px)
    length = float(np.hypot(*way))
    if length < 1e-6:
        return
    way /= length
    side = np.array([-way[1], way[0]])
    back = tip - way * head_px
    shaft = np.concatenate([xy[np.hypot(*(xy - tip).T) > head_px], back[None]])
    polyline(bgr, shaft, colour=colour, width_px=width_px, halo=halo)
    head = _fixed([tip, back + side * head_px * 0.5, back - side * head_px * 0.5])
    if halo:
        cv2.polylines(bgr, [head], True, DARK_BGR, 2, cv2.LINE_AA, _SHIFT)
    cv2.fillPoly(bgr, [head], colour, cv2.LINE_AA, _SHIFT)


def _point_before(xy: NDArray[np.float64], distance_px: float) -> NDArray[np.float64]:
    """Return the last point at least ``distance_px`` from the end, or the first point."""
    far = np.flatnonzero(np.hypot(*(xy - xy[-1]).T) >= distance_px)
    return np.asarray(xy[far[-1]] if len(far) else xy[0])


class Labels:
    """Puts words into a picture so that they do not lie on each other.

    ``put`` notes the words; ``draw`` puts all on top of everything else drawn so far.
    """

    def __init__(self, *, bgr: Picture, pen: Pen) -> None:
        self._bgr = bgr
        self._pen = pen
        self._scale = pen.text_px / _TEXT_PX_PER_SCALE
        self._taken: list[tuple[float, float, float, float]] = []
        self._words: list[tuple[str, tuple[float, float], Bgr]] = []

    def size_px(self, text: str) -> tuple[float, float]:
        """Return width and height of the label of ``text``."""
        (width, _), _ = cv2.getTextSize(_printable(text), _FONT, self._scale, 1)
        return width + 2 * self._pen.gap_px, self._pen.text_px + 2 * self._pen.gap_px

    def put(
        self, text: str, *, at: Sequence[float], colour: Bgr = DARK_BGR, fixed: bool = False
    ) -> None:
        """Note a label centred at ``at`` or as near as there is room (there, if ``fixed``)."""
        if not np.isfinite(at).all():
            return
        width, height = self.size_px(text)
        offsets = [(0.0, 0.0)] if fixed else _offsets(width, height)
        boxes = [self._clamped(at[0] + dx, at[1] + dy, width, height) for dx, dy in offsets]
        box = min(boxes, key=lambda b: sum(_common(b, other) for other in self._taken))
        self._taken.append(box)
        self._words.append((text, box[:2], colour))

    def draw(self) -> None:
        """Draw every label noted so far."""
        for text, (left, top), colour in self._words:
            self._draw_one(_printable(text), left, top, colour)
        self._words.clear()

    def _clamped(self, x: float, y: float, w: float, h: float) -> tuple[float, float, float, float]:
        height, width = self._bgr.shape[:2]
        left = float(np.clip(x - w / 2, 1, max(1, width - w - 1)))
        top = float(np.clip(y - h / 2, 1, max(1, height - h - 1)))
        return left, top, left + w, top + h

    def _draw_one(self, text: str, left: float, top: float, colour: Bgr) -> None:
        pen = self._pen
        width, height = self.size_px(text)
        x, y = left + width, top + height
        corners = [(left, top), (x, top), (x, y), (left, y)]
        tint(self._bgr, corners, colour=colour, share=0.85)
        at = (round(left + pen.gap_px), round(top + pen.gap_px + pen.text_px * 0.84))
        ink: Any = DARK_BGR if is_light(colour) else LIGHT_BGR
        cv2.putText(self._bgr, text, at, _FONT, self._scale, ink, 1, cv2.LINE_AA)


def _printable(text: str) -> str:
    """Return ``text`` with the turned comma of Uzbek as an apostrophe, which the font has."""
    return text.replace("ʻ", "'").replace("ʼ", "'").replace("\n", " ")


def _offsets(width: float, height: float) -> list[tuple[float, float]]:
    """Return the places to try around a point, nearest first."""
    near = [(0.0, k * height) for k in (0, -1.1, 1.1, -2.2, 2.2, -3.3, 3.3)]
    beside = [(s * width * 0.7, k * height) for k in (0, -1.1, 1.1) for s in (-1, 1)]
    return [*near[:3], *beside, *near[3:]]


def _common(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    """Return the area common to two boxes l, t, r, b."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    return max(0.0, width) * max(0.0, height)
