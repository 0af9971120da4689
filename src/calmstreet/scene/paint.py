"""Puts bodies and figures into a picture: far to near, smooth edges, shadows under them.

Each one is drawn four times finer than the picture in its own window and averaged down.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from calmstreet.scene.camera import Pinhole
from calmstreet.scene.figures import Figure
from calmstreet.scene.solids import Light, Solid, shade

__all__ = ["Drawn", "Pose", "draw_figure", "draw_shadow", "draw_solid", "to_world"]

Floats = NDArray[np.float64]
Picture = NDArray[np.uint8]
_FINE, _LESS_FINE = 3, 2
_LARGE_PX = 110
_BITS = 4
_MARGIN_PX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """Where a body stands: middle of its footprint on the ground and its heading from east."""

    x_m: float
    y_m: float
    heading_rad: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawn:
    """What was drawn: ``box_px`` l, t, r, b before cutting at the frame's edge, and its window.

    ``mask`` uint8 (h, w) is 255 where it covers the picture from (``left_px``, ``top_px``) on.
    """

    box_px: Floats
    left_px: int
    top_px: int
    mask: Picture


def to_world(points_m: Floats, pose: Pose) -> Floats:
    """Return points (n, 3) of a body in the world.

    >>> to_world(np.array([[1.0, 0.0, 2.0]]), Pose(x_m=5, y_m=0, heading_rad=0)).tolist()
    [[6.0, 0.0, 2.0]]
    """
    c, s = np.cos(pose.heading_rad), np.sin(pose.heading_rad)
    turned = points_m @ np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])
    return np.asarray(turned + np.array([pose.x_m, pose.y_m, 0.0]))


class _Window:
    """A finer copy of a part of the picture, with a mask beside the colours."""

    def __init__(self, picture: Picture, box_px: Floats) -> None:
        height, width = picture.shape[:2]
        self.left = int(np.clip(np.floor(box_px[0]) - _MARGIN_PX, 0, width))
        self.top = int(np.clip(np.floor(box_px[1]) - _MARGIN_PX, 0, height))
        right = int(np.clip(np.ceil(box_px[2]) + _MARGIN_PX, self.left, width))
        bottom = int(np.clip(np.ceil(box_px[3]) + _MARGIN_PX, self.top, height))
        self.size = (right - self.left, bottom - self.top)
        self.view = picture[self.top : bottom, self.left : right]
        self.empty = min(self.size) == 0
        self.factor = _LESS_FINE if max(self.size) > _LARGE_PX else _FINE
        shape = (self.size[1] * self.factor, self.size[0] * self.factor, 4)
        self.fine = np.zeros(shape, np.uint8)

    def points(self, px: Floats) -> NDArray[np.int32]:
        """Return pixels of the picture as fixed-point places in the window."""
        moved = (px - (self.left, self.top)) * self.factor - 0.5
        return np.asarray(np.round(moved * (1 << _BITS)), np.int32)

    def close(self, box_px: Floats) -> Drawn:
        """Average down, lay over the picture and return what was covered."""
        if self.empty:
            nothing = np.zeros(self.size[::-1], np.uint8)
            return Drawn(box_px=box_px, left_px=self.left, top_px=self.top, mask=nothing)
        small = cv2.resize(self.fine, self.size, interpolation=cv2.INTER_AREA)
        mask = np.ascontiguousarray(small[..., 3], np.uint8)
        clear = cv2.cvtColor(255 - mask, cv2.COLOR_GRAY2BGR)
        under = cv2.multiply(self.view, clear, scale=1 / 255)
        cv2.add(under, np.ascontiguousarray(small[..., :3]), dst=under)
        self.view[:] = under
        return Drawn(box_px=box_px, left_px=self.left, top_px=self.top, mask=mask)


def _bounds(px: Floats) -> Floats:
    return np.concatenate([px.min(axis=0), px.max(axis=0)])


def draw_solid(
    picture: Picture, solid: Solid, pose: Pose, *, camera: Pinhole, light: Light
) -> Drawn:
    """Draw a body into ``picture`` (in place)."""
    world = to_world(solid.vertices_m, pose)
    px, _ = camera.project(world)
    box_px = _bounds(px)
    window = _Window(picture, box_px)
    if window.empty:
        return window.close(box_px)
    normal = to_world(solid.normal, Pose(x_m=0, y_m=0, heading_rad=pose.heading_rad))
    centre = to_world(solid.centre_m, pose)
    away = camera.place_m - centre
    reach = np.linalg.norm(away, axis=1)
    view = away / reach[:, None]
    facing = (normal * view).sum(axis=1)
    bgr = shade(solid.bgr, normal, solid.gloss, solid.glow, view, light)
    part_reach = np.linalg.norm(camera.place_m - to_world(solid.part_m, pose), axis=1)
    number = np.arange(len(solid.faces))
    order = np.lexsort(
        (number, solid.host, -reach[solid.host], -part_reach[solid.part], solid.level)
    )
    places = window.points(px)
    for i in order[(facing > 0)[order]]:
        blue, green, red = bgr[i]
        cv2.fillConvexPoly(
            window.fine, places[solid.faces[i]], (blue, green, red, 255), cv2.LINE_8, _BITS
        )
    for plate in solid.plates_m:
        _draw_plate(window, plate, pose, camera)
    return window.close(box_px)


def _draw_plate(window: _Window, plate_m: Floats, pose: Pose, camera: Pinhole) -> None:
    """Draw one number plate where its front is seen: bars in a pattern, no number of anybody."""
    corners = camera.project(to_world(plate_m, pose))[0]
    a, b, _, d = corners
    if (b[0] - a[0]) * (d[1] - a[1]) - (b[1] - a[1]) * (d[0] - a[0]) <= 1:
        return
    cv2.fillConvexPoly(window.fine, window.points(corners), (235, 240, 240, 255), cv2.LINE_8, _BITS)
    for left, right in ((0.08, 0.17), (0.24, 0.30), (0.37, 0.48), (0.56, 0.62), (0.70, 0.81)):
        u = np.array([left, right, right, left])[:, None]
        v = np.array([0.2, 0.2, 0.8, 0.8])[:, None]
        bar = (1 - v) * (a + u * (b - a)) + v * (d + u * (corners[2] - d))
        cv2.fillConvexPoly(window.fine, window.points(bar), (20, 20, 20, 255), cv2.LINE_8, _BITS)


def draw_figure(
    picture: Picture, figure: Figure, pose: Pose, *, camera: Pinhole, light: Light
) -> Drawn:
    """Draw a figure into ``picture`` (in place)."""
    k = len(figure.ra_m)
    px, depth_m = camera.project(to_world(np.concatenate([figure.a_m, figure.b_m]), pose))
    radius_px = camera.focal_px * np.concatenate([figure.ra_m, figure.rb_m]) / depth_m
    box_px = np.concatenate(
        [(px - radius_px[:, None]).min(axis=0), (px + radius_px[:, None]).max(axis=0)]
    )
    window = _Window(picture, box_px)
    if window.empty:
        return window.close(box_px)
    order = np.argsort(-(depth_m[:k] + depth_m[k:]), kind="stable")
    to_sun = camera.axes()[:2] @ (np.array(light.to_sun) / np.linalg.norm(light.to_sun))
    for i in order:
        _limb(window, px[[i, k + i]], radius_px[[i, k + i]], figure.bgr[i], to_sun, light)
    _draw_face(window, figure, pose, camera, light)
    return window.close(box_px)


_LAYERS = ((1.0, 0.0, 0.62), (0.8, 0.16, 0.86), (0.5, 0.34, 1.08))


def _limb(
    window: _Window, px: Floats, radius_px: Floats, bgr: Floats, to_sun: Floats, light: Light
) -> None:
    """Draw one rounded limb in three layers that grow lighter towards the sun."""
    for share, shift, level in _LAYERS:
        radius = radius_px * share
        if shift and radius.max() * window.factor < 1.0:
            continue
        moved = px + to_sun * (radius_px * shift)[:, None]
        blue, green, red = np.clip(bgr * level * light.exposure * (light.sky + light.sun), 0, 255)
        _capsule(window, moved, radius, (blue, green, red, 255))


def _capsule(
    window: _Window, px: Floats, radius: Floats, colour: tuple[float, float, float, float]
) -> None:
    along = px[1] - px[0]
    length = float(np.hypot(*along))
    places = window.points(px)
    sizes = np.maximum(np.round(radius * window.factor * (1 << _BITS)), 1).astype(int)
    for place, size in zip(places, sizes, strict=True):
        cv2.circle(
            window.fine, (int(place[0]), int(place[1])), int(size), colour, -1, cv2.LINE_8, _BITS
        )
    if length > 0.05:
        side = np.array([-along[1], along[0]]) / length
        quad = np.stack(
            [
                px[0] + side * radius[0],
                px[1] + side * radius[1],
                px[1] - side * radius[1],
                px[0] - side * radius[0],
            ]
        )
        cv2.fillConvexPoly(window.fine, window.points(quad), colour, cv2.LINE_8, _BITS)


_FACE_MARKS = ((0.42, 0.28), (-0.42, 0.28), (0.0, -0.45))


def _draw_face(window: _Window, figure: Figure, pose: Pose, camera: Pinhole, light: Light) -> None:
    """Put a marker of three dark spots on the front of a head: two eyes and a mouth."""
    r = figure.head_r_m
    front = np.array([[r * 0.86, y * r, z * r] for y, z in _FACE_MARKS]) + figure.head_m
    world = to_world(front, pose)
    middle = to_world(figure.head_m[None], pose)[0]
    px, depth_m = camera.project(world)
    size = camera.focal_px * r / depth_m
    for spot, place, radius in zip(world, px, size, strict=True):
        outward = spot - middle
        if outward @ (camera.place_m - spot) <= 0.02 * r:
            continue
        dark = 30 * light.exposure
        _capsule(
            window, np.stack([place, place]), np.full(2, radius * 0.2), (dark, dark, dark, 255)
        )


def draw_shadow(
    picture: Picture, points_m: Floats, pose: Pose, *, camera: Pinhole, light: Light
) -> None:
    """Darken the ground where points (n, 3) of a body keep the sun away, and right under it."""
    world = to_world(points_m, pose)
    sun = np.array(light.to_sun)
    fallen = world - world[:, 2:] / sun[2] * sun
    px, depth_m = camera.project(fallen)
    scale_px = camera.focal_px / float(depth_m.mean())
    if light.sun > 0:
        strength = 0.8 * light.sun / (light.sun + light.sky)
        _darken(picture, px, strength, 0.04 * scale_px)
    under = camera.project(world * (1, 1, 0))[0]
    _darken(picture, under, 0.5, 0.10 * scale_px)


def _darken(picture: Picture, px: Floats, strength: float, soft_px: float) -> None:
    """Darken the hull of points (n, 2) with an edge ``soft_px`` wide."""
    hull = cv2.convexHull(px.astype(np.float32))[:, 0].astype(np.float64)
    height, width = picture.shape[:2]
    grow = 2 * soft_px + 1
    left, top = np.clip(np.floor(hull.min(axis=0) - grow), 0, (width, height)).astype(int)
    right, bottom = np.clip(np.ceil(hull.max(axis=0) + grow), 0, (width, height)).astype(int)
    if right <= left or bottom <= top:
        return
    view = picture[top:bottom, left:right]
    cover = np.zeros(view.shape[:2], np.uint8)
    places = np.round((hull - (left, top) - 0.5) * (1 << _BITS)).astype(np.int32)
    cv2.fillConvexPoly(cover, places, round(255 * strength), cv2.LINE_AA, _BITS)
    reach = 2 * int(soft_px) + 1
    soft = cv2.blur(cv2.blur(cover, (reach, reach)), (reach, reach))
    view[:] = cv2.multiply(view, cv2.cvtColor(255 - soft, cv2.COLOR_GRAY2BGR), scale=1 / 255)
