"""The street without anybody: asphalt, markings, kerbs, footways, houses; by day and by night.

Places along the street are (s, d): metres along its axis and metres to the left of it.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import radians
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from calmstreet.scene.camera import Pinhole

__all__ = ["Street", "paint_street"]

Floats = NDArray[np.float64]
Field = NDArray[np.floating[Any]]
Picture = NDArray[np.uint8]
_FINE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Street:
    """A straight street with two lanes each way, a strip for parking on its left, a zebra.

    ``origin_m`` where s = d = 0 lies, ``bearing_rad`` direction of s from east. Right-hand
    traffic: towards +s on the right (d < 0). Widths in metres; ``crossing_s_m`` from and to.
    """

    origin_m: tuple[float, float] = (-6.0, 10.0)
    bearing_rad: float = radians(60.0)
    lane_m: float = 3.3
    parking_m: float = 2.3
    footway_m: float = 3.2
    crossing_s_m: tuple[float, float] = (15.0, 18.5)
    stop_s_m: tuple[float, float] = (13.6, 19.9)

    @property
    def half_m(self) -> float:
        """Return half the width of the carriageway."""
        return 2 * self.lane_m

    def lane_d_m(self, lane: int) -> float:
        """Return the middle of a lane: 0, 1 towards +s (outer, inner), 2, 3 back (inner, outer).

        >>> [round(Street().lane_d_m(lane), 2) for lane in range(4)]
        [-4.95, -1.65, 1.65, 4.95]
        """
        return (lane - 1.5) * self.lane_m

    def to_ground(self, sd_m: Floats) -> Floats:
        """Return east, north (n, 2) of places (n, 2) along the street.

        >>> Street(origin_m=(0, 0), bearing_rad=0.0).to_ground(np.array([[3.0, 1.0]])).tolist()
        [[3.0, 1.0]]
        """
        c, s = np.cos(self.bearing_rad), np.sin(self.bearing_rad)
        turned = np.asarray(sd_m, np.float64) @ np.array([[c, s], [-s, c]])
        return np.asarray(turned + np.array(self.origin_m))

    def to_street(self, xy_m: Floats) -> Floats:
        """Return places (n, 2) along the street of east, north (n, 2).

        >>> Street(origin_m=(0, 0), bearing_rad=0.0).to_street(np.array([[3.0, 1.0]])).tolist()
        [[3.0, 1.0]]
        """
        c, s = np.cos(self.bearing_rad), np.sin(self.bearing_rad)
        moved = np.asarray(xy_m, np.float64) - np.array(self.origin_m)
        return np.asarray(moved @ np.array([[c, -s], [s, c]]))


@lru_cache(maxsize=4)
def paint_street(street: Street, *, camera: Pinhole, seed: int, night: bool, wet: bool) -> Picture:
    """Return the empty street as the camera sees it, uint8 (h, w, 3) BGR, not to be written to."""
    dice = np.random.default_rng(seed)
    fine = (camera.height_px * _FINE, camera.width_px * _FINE)
    rows, columns = np.mgrid[0 : fine[0], 0 : fine[1]]
    px = np.column_stack([(columns.ravel() + 0.5) / _FINE, (rows.ravel() + 0.5) / _FINE])
    xy_m = np.clip(np.nan_to_num(camera.ground_m(px), posinf=1e4, neginf=-1e4), -1e4, 1e4)
    sd_m = street.to_street(xy_m).reshape(*fine, 2).astype(np.float32)
    s, d = np.ascontiguousarray(sd_m[..., 0]), np.ascontiguousarray(sd_m[..., 1])
    reach = np.hypot(xy_m[:, 0], xy_m[:, 1]).reshape(fine).astype(np.float32)
    picture = _surfaces(street, s, d, reach, dice)
    if wet:
        road = (np.abs(d) < street.half_m)[..., None]
        picture = np.where(road, picture * 0.72 + 8, picture).astype(np.float32)
    if night:
        picture = _night(picture, s, d)
    _houses(picture, street, camera, dice, night)
    small = cv2.resize(
        picture,
        (camera.width_px, camera.height_px),
        interpolation=cv2.INTER_AREA,
    )
    street_bgr = np.asarray(np.clip(small, 0, 255), np.uint8)
    street_bgr.flags.writeable = False
    return street_bgr


def _clouded(s: Field, d: Field, size_m: tuple[float, float], dice: np.random.Generator) -> Field:
    """Return smooth noise of deviation 1 over the ground with lumps of a size along s and d."""
    grid = dice.normal(size=(256, 256)).astype(np.float32)
    u, v = (s / size_m[0]) % 255, (d / size_m[1]) % 255
    return np.asarray(cv2.remap(grid, u, v, cv2.INTER_LINEAR), np.float32)


def _band(values: Field, middle: float, half: float) -> NDArray[np.bool_]:
    return np.asarray(np.abs(values - middle) < half)


def _surfaces(street: Street, s: Field, d: Field, reach: Field, dice: np.random.Generator) -> Field:
    """Return the colours of everything that lies flat, (h, w, 3)."""
    fade = np.clip(18.0 / np.maximum(reach, 1.0), 0.15, 1.0)
    grain = (5.5 * _clouded(s, d, (0.07, 0.07), dice) + 4 * _clouded(s, d, (0.4, 0.3), dice)) * fade
    lumps = 3 * _clouded(s, d, (9, 2.2), dice) + 3.5 * _clouded(s, d, (3, 3), dice)
    level = 104 + grain + lumps + _wear(street, s, d, dice)
    picture = np.stack([level, level * 0.99, level * 0.98], axis=-1)
    half, right = street.half_m, -street.half_m - street.footway_m
    left = half + street.parking_m
    _put(picture, (d > half) & (d < left), (96, 98, 100), grain * 1.2 + lumps)
    joints = (((s % 0.8) < 0.05) | ((d % 0.8) < 0.05)) * -16.0 * fade
    paved = ((d > left) & (d < left + street.footway_m)) | ((d < -half) & (d > right))
    tiles = 5 * _clouded(np.floor(s / 0.8) * 7.3, np.floor(d / 0.8) * 5.1, (1, 1), dice)
    _put(picture, paved, (142, 150, 154), grain + lumps + joints + tiles * fade)
    green = (d < right) | (d > left + street.footway_m)
    tufts = 10 * _clouded(s, d, (0.25, 0.25), dice) * fade + 9 * _clouded(s, d, (2, 2), dice)
    _put(picture, green, (62, 104, 88), tufts)
    for edge in (left + 0.09, -half - 0.09):
        blocks = ((s % 1.0) < 0.06) * -25.0
        _put(picture, _band(d, edge, 0.13), (170, 172, 172), grain + blocks)
        _put(picture, _band(d, edge - 0.2 * np.sign(edge), 0.07), (66, 66, 66), grain)
    _markings(picture, street, s, d, dice)
    return picture


def _put(picture: Field, where: NDArray[np.bool_], bgr: tuple[float, ...], noise: Field) -> None:
    picture[where] = np.array(bgr) + noise[where][:, None]


def _wear(street: Street, s: Field, d: Field, dice: np.random.Generator) -> Field:
    """Return how wheel tracks, oil, patches and cracks change the asphalt."""
    level = np.zeros_like(s)
    for lane in range(4):
        middle = street.lane_d_m(lane)
        for track in (-0.8, 0.8):
            level += 7 * np.exp(-(((d - middle - track) / 0.35) ** 2))
        level -= 8 * np.exp(-(((d - middle) / 0.3) ** 2))
    for _ in range(9):
        at, off = dice.uniform(-10, 60), dice.uniform(-6, 6)
        long, wide = dice.uniform(0.8, 4), dice.uniform(0.4, 1.2)
        level += _band(s, at, long) * _band(d, off, wide) * np.float32(dice.uniform(-16, 6))
    for _ in range(6):
        at, lean = dice.uniform(0, 50), dice.uniform(-0.5, 0.5)
        wave = 0.25 * _clouded(s * 0 + at, d, (1.0, 0.6), dice)
        level -= 30 * _band(s - lean * d - wave, at, 0.025)
    manhole = np.hypot(s - 9.0, d + 2.6) < 0.36
    return np.asarray(np.where(manhole, -38.0, level), np.float32)


def _markings(
    picture: Field, street: Street, s: Field, d: Field, dice: np.random.Generator
) -> None:
    """Paint lines, stop lines and the zebra, worn where wheels run."""
    near, far = street.crossing_s_m
    zebra = (s > near) & (s < far)
    beside = (s < near - 0.8) | (s > far + 0.8)
    lane, half = street.lane_m, street.half_m
    white = beside & (_band(d, -0.12, 0.06) | _band(d, 0.12, 0.06))
    for edge in (-lane, lane):
        white |= beside & _band(d, edge, 0.07) & ((s % 6.0) < 3.0)
    for edge in (-half + 0.25, half):
        white |= beside & _band(d, edge, 0.07)
    white |= zebra & (np.abs(d) < half - 0.2) & ((d % 1.0) < 0.5)
    white |= _band(s, street.stop_s_m[0], 0.2) & (d < -0.2) & (d > -half + 0.2)
    white |= _band(s, street.stop_s_m[1], 0.2) & (d > 0.2) & (d < half - 0.2)
    bays = (d > half) & (d < half + street.parking_m) & ((s % 6.0) < 0.12)
    worn = np.clip(0.86 + 0.16 * _clouded(s, d, (0.3, 0.3), dice), 0.3, 1)[..., None]
    bright = np.array([218.0, 222.0, 222.0])
    where = white | bays
    picture[where] = (picture * (1 - worn) + bright * worn)[where]


def _night(picture: Field, s: Field, d: Field) -> Field:
    """Return the street under lamps that stand every 16 m on the left."""
    light = np.full(s.shape, 0.10, np.float32)
    for at in np.arange(-12, 90, 16.0):
        light += 0.42 * np.exp(-((s - at) ** 2 + (d - 3.5) ** 2) / (2 * 5.5**2))
    warm = np.array([0.72, 0.92, 1.08], np.float32)
    return np.asarray(picture * light[..., None] * warm, np.float32)


def _houses(
    picture: Field, street: Street, camera: Pinhole, dice: np.random.Generator, night: bool
) -> None:
    """Put a row of houses along the left footway and bushes in front of them."""
    face = street.half_m + street.parking_m + street.footway_m + 1.6
    start = 70.0
    while start > -6:
        width = float(dice.uniform(10, 16))
        tone = dice.uniform(0.8, 1.08) * np.array([150.0, 172.0, 186.0])
        _house(picture, street, camera, (start - width, start, face, 13.0), tone, night, dice)
        start -= width
    for s in np.arange(44, -4, -1.1):
        place = street.to_ground(np.array([[s, face - 0.7]]))[0]
        _bush(picture, camera, place, dice, 0.16 if night else 1.0)


def _wall_px(street: Street, camera: Pinhole, corners: Floats) -> NDArray[np.int32]:
    """Return fine pixels of corners (n, 3): s, d and height."""
    ground = street.to_ground(corners[:, :2])
    px = camera.project(np.column_stack([ground, corners[:, 2]]))[0] * _FINE
    return np.asarray(np.clip(np.round(px), -30000, 30000), np.int32)


def _house(
    picture: Field,
    street: Street,
    camera: Pinhole,
    extent: tuple[float, float, float, float],
    tone: Floats,
    night: bool,
    dice: np.random.Generator,
) -> None:
    s0, s1, d, height = extent
    dim = 0.14 if night else 1.0

    def wall(a: float, b: float, low: float, high: float, bgr: Floats) -> None:
        corners = np.array([(a, d, low), (b, d, low), (b, d, high), (a, d, high)])
        cv2.fillConvexPoly(picture, _wall_px(street, camera, corners), tuple(bgr * 1.0))

    wall(s0, s1, 0.0, height, tone * dim)
    wall(s0, s1, 0.0, 0.6, tone * 0.6 * dim)
    for floor in np.arange(1.1, height - 2, 3.1):
        for at in np.arange(s0 + 1.0, s1 - 1.6, 2.5):
            lit = night and dice.random() < 0.3
            pane = np.array([70.0, 165.0, 205.0]) if lit else np.array([78.0, 70.0, 62.0]) * dim
            wall(at - 0.1, at + 1.4, floor - 0.1, floor + 1.7, tone * 1.15 * dim)
            wall(at, at + 1.3, floor, floor + 1.6, pane * float(dice.uniform(0.8, 1.2)))
        wall(s0, s1, floor + 2.2, floor + 2.35, tone * 0.85 * dim)


def _bush(
    picture: Field, camera: Pinhole, xy_m: Floats, dice: np.random.Generator, dim: float
) -> None:
    for _ in range(26):
        spread = dice.normal(size=3) * (0.35, 0.3, 0.2)
        place = np.array([[xy_m[0] + spread[0], xy_m[1] + spread[1], 0.45 + spread[2]]])
        px, depth_m = camera.project(place)
        if depth_m[0] < 3:
            continue
        radius = max(1, round(float(0.2 * camera.focal_px / depth_m[0]) * _FINE))
        tone = np.array([48.0, 92.0, 70.0]) * float(dice.uniform(0.5, 1.25)) * dim
        at = (round(float(px[0, 0]) * _FINE), round(float(px[0, 1]) * _FINE))
        cv2.circle(picture, at, radius, tuple(tone * 1.0), -1)
