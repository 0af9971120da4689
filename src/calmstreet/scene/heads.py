"""Signal heads on the stage: a pole, three lamps, a programme, and how a camera sees them lit.

LEDs are driven by pulses; a short exposure meets more or less of one, so that a lamp may look dim
or dark in some frames. At night a lit lamp is blown out in its core and glows over its neighbours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

import cv2
import numpy as np
from numpy.typing import NDArray

from calmstreet.model.signals import SignalState
from calmstreet.scene.camera import Pinhole

__all__ = ["Head", "draw_head", "draw_on_pole", "lamps_px"]

Picture = NDArray[np.uint8]
Box = tuple[float, float, float, float]
Colour = tuple[float, float, float]

_LIT: dict[str, Colour] = {
    "red": (45.0, 50.0, 255.0),
    "amber": (30.0, 175.0, 255.0),
    "green": (165.0, 245.0, 60.0),
}
_UNLIT: dict[str, Colour] = {
    "red": (34.0, 34.0, 84.0),
    "amber": (34.0, 66.0, 86.0),
    "green": (52.0, 74.0, 38.0),
}
_SHOWN: dict[SignalState, tuple[str, ...]] = {
    SignalState.DARK: (),
    SignalState.RED: ("red",),
    SignalState.RED_AMBER: ("red", "amber"),
    SignalState.AMBER: ("amber",),
    SignalState.GREEN: ("green",),
    SignalState.FLASHING: ("amber",),
}
_HOUSING: Colour = (44.0, 44.0, 42.0)
_POLE: Colour = (120.0, 120.0, 118.0)
_PITCH, _HALF_WIDTH = 1.15, 0.72
_FINE, _BITS = 4, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A head that faces the camera; ``programme`` says from which second on it shows what.

    ``place_m`` east, north and height of its middle; ``lamp_m`` diameter of a lamp. ``pulse_hz``
    and ``duty`` of its LEDs, steady when 0 Hz; ``exposure_s`` of the camera. ``flash_hz`` while
    it flashes. ``broken`` names lamps that stay dark.
    """

    id: str
    place_m: tuple[float, float, float] = (0.0, 20.0, 3.0)
    lamp_m: float = 0.3
    programme: tuple[tuple[float, SignalState], ...] = ((0.0, SignalState.RED),)
    pulse_hz: float = 0.0
    duty: float = 0.6
    exposure_s: float = 0.004
    flash_hz: float = 1.0
    broken: tuple[str, ...] = ()

    def state(self, t_s: float) -> SignalState:
        """Return what the head shows at an instant; dark before its programme begins.

        >>> Head(id="a", programme=((0.0, SignalState.RED), (4.0, SignalState.GREEN))).state(4.0)
        <SignalState.GREEN: 4>
        """
        shown = [state for since_s, state in self.programme if since_s <= t_s]
        return shown[-1] if shown else SignalState.DARK

    def levels(self, t_s: float) -> dict[str, float]:
        """Return how strongly each lamp shines in a picture taken at an instant, 0..1.

        >>> Head(id="a", broken=("amber",)).levels(0.0)
        {'red': 1.0, 'amber': 0.0, 'green': 0.0}
        """
        state = self.state(t_s)
        level = self._pulse(t_s)
        if state is SignalState.FLASHING and (t_s * self.flash_hz) % 1.0 >= 0.5:
            level = 0.0
        lit = set(_SHOWN[state]) - set(self.broken)
        return {colour: level * (colour in lit) for colour in _LIT}

    def _pulse(self, t_s: float) -> float:
        """Return the share of a whole exposure's light that the pulses give, at most 1."""
        if self.pulse_hz <= 0:
            return 1.0
        begin, end = t_s * self.pulse_hz, (t_s + self.exposure_s) * self.pulse_hz
        lit = (floor(end) - floor(begin)) * self.duty
        lit += min(end % 1.0, self.duty) - min(begin % 1.0, self.duty)
        return float(min(lit / (end - begin) / self.duty, 1.0))


def _lamp_boxes(x_px: float, y_px: float, lamp_px: float) -> dict[str, Box]:
    half = lamp_px / 2
    middles = {colour: y_px + (row - 1) * _PITCH * lamp_px for row, colour in enumerate(_LIT)}
    return {c: (x_px - half, y - half, x_px + half, y + half) for c, y in middles.items()}


def lamps_px(head: Head, camera: Pinhole) -> dict[str, Box]:
    """Return the boxes l, t, r, b of the lamps as a site names them.

    >>> sorted(lamps_px(Head(id="a"), Pinhole()))
    ['amber', 'green', 'red']
    """
    px, depth_m = camera.project(np.array([head.place_m]))
    size = camera.focal_px * head.lamp_m / float(depth_m[0])
    return _lamp_boxes(float(px[0, 0]), float(px[0, 1]), size)


def draw_on_pole(
    picture: Picture, head: Head, t_s: float, *, camera: Pinhole, exposure: float, night: bool
) -> None:
    """Draw a head on its pole into ``picture`` (in place); ``exposure`` is for what is unlit."""
    boxes = lamps_px(head, camera)
    x, y, _ = head.place_m
    foot = camera.ground_px(np.array([[x, y]]))[0]
    lamp_px = boxes["red"][2] - boxes["red"][0]
    tone = tuple(part * exposure for part in _POLE)
    top = (float(foot[0]), boxes["green"][3])
    ends = [tuple(np.round(np.array(end) * 16).astype(int).tolist()) for end in (foot, top)]
    cv2.line(picture, ends[0], ends[1], tone, max(1, round(0.4 * lamp_px)), cv2.LINE_AA, _BITS)
    draw_head(picture, boxes, head.levels(t_s), exposure=exposure, night=night)


def draw_head(
    picture: Picture,
    boxes: dict[str, Box],
    levels: dict[str, float],
    *,
    exposure: float = 1.0,
    night: bool = False,
) -> None:
    """Draw a housing with its lamps ``boxes``, lit by ``levels`` 0..1, into ``picture`` (in place).

    The lens reflects what light there is (``exposure``); what a lamp gives comes on top.
    """
    lamp = boxes["red"][2] - boxes["red"][0]
    reach = 3.0 * lamp if night else 0.5 * lamp
    window, left, top = _window(picture, list(boxes.values()), reach)
    if not window.size:
        return
    size = (window.shape[1] * _FINE, window.shape[0] * _FINE)
    fine = np.asarray(cv2.resize(window, size, interpolation=cv2.INTER_LINEAR), np.float32)
    _housing(fine, boxes, (left, top), exposure)
    glow = np.zeros_like(fine)
    for colour, box in boxes.items():
        middle, radius = _disc(box, (left, top))
        cv2.circle(fine, middle, radius, _scaled(_UNLIT[colour], exposure), -1, cv2.LINE_8, _BITS)
        strength = levels.get(colour, 0.0) * (3.0 if night else 0.95)
        cv2.circle(glow, middle, radius, _scaled(_LIT[colour], strength), -1, cv2.LINE_8, _BITS)
    if night:
        sigma = 0.55 * lamp * _FINE
        glow += 0.35 * cv2.GaussianBlur(glow, (0, 0), sigma)
        glow += np.maximum(glow.max(axis=2, keepdims=True) - 330, 0) * 0.5
    lit = np.clip(fine + glow, 0, 255)
    small = cv2.resize(lit, window.shape[1::-1], interpolation=cv2.INTER_AREA)
    window[:] = np.round(small).astype(np.uint8)


def _window(picture: Picture, boxes: Sequence[Box], reach: float) -> tuple[Picture, int, int]:
    edges = np.array(boxes)
    low = np.floor(edges[:, :2].min(axis=0) - reach).astype(int)
    high = np.ceil(edges[:, 2:].max(axis=0) + reach).astype(int)
    left, top = (int(v) for v in np.clip(low, 0, picture.shape[1::-1]))
    right, bottom = (int(v) for v in np.clip(high, 0, picture.shape[1::-1]))
    return picture[top:bottom, left:right], left, top


def _housing(
    fine: NDArray[np.float32], boxes: dict[str, Box], corner: tuple[int, int], exposure: float
) -> None:
    lamp = boxes["red"][2] - boxes["red"][0]
    middle = (boxes["red"][0] + boxes["red"][2]) / 2
    low = (middle - _HALF_WIDTH * lamp, boxes["red"][1] - 0.15 * lamp)
    high = (middle + _HALF_WIDTH * lamp, boxes["green"][3] + 0.15 * lamp)
    ends = [[round((end[k] - corner[k]) * _FINE) for k in (0, 1)] for end in (low, high)]
    cv2.rectangle(fine, ends[0], ends[1], _scaled(_HOUSING, exposure), -1)


def _disc(box: Box, corner: tuple[int, int]) -> tuple[tuple[int, int], int]:
    scale = _FINE * (1 << _BITS)
    x = ((box[0] + box[2]) / 2 - corner[0]) * scale
    y = ((box[1] + box[3]) / 2 - corner[1]) * scale
    return (round(x), round(y)), round((box[2] - box[0]) / 2 * scale)


def _scaled(colour: Colour, share: float) -> Colour:
    blue, green, red = colour
    return blue * share, green * share, red * share
