"""From a box in the picture to the footprint of a body on the ground, and back.

The lower edge of a box is the front of an approaching and the rear of a receding vehicle, and lies
aside when it drives across. So a simple body of the kind's size (wheels on the ground, a shell from
the sill to the shoulder) is put where its picture has the box's lower edge and horizontal middle:
the ground-rectangle fit of Kocur (2019) and Sochor et al. (2018), for a box and a known plane.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calmstreet.geometry.lens import distort
from calmstreet.geometry.plane import Plane
from calmstreet.model.kinds import HEIGHT_M

__all__ = ["Body", "body_box_px", "body_width_px", "place_bodies"]

Floats = NDArray[np.float64]

_FIT_ROUNDS = 3
# Shares of length and width at which wheels (feet) stand and shells end, and heights of the shell
# in metres and as a share of the height: indexed by Kind.
_WHEEL_LENGTH = np.array([0.32, 0.25, 0.45, 0.45, 0.32, 0.34, 0.36, 0.40])
_WHEEL_WIDTH = np.array([0.45, 0.25, 0.05, 0.10, 0.45, 0.45, 0.48, 0.48])
_SHELL_LENGTH = np.array([0.48, 0.30, 0.30, 0.35, 0.48, 0.48, 0.50, 0.50])
_SHELL_WIDTH = np.array([0.46, 0.40, 0.45, 0.45, 0.46, 0.48, 0.50, 0.50])
_SILL_M = np.array([0.25, 0.6, 0.8, 0.6, 0.25, 0.25, 0.3, 0.4])
_SHOULDER = 0.6
_CORNERS = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, -1.0], [-1.0, 1.0]])
_HEIGHTS = np.array(HEIGHT_M)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Body:
    """Bodies by row: ``kind`` (n,), ``heading_rad`` (n,), ``length_m`` and ``width_m`` (n,)."""

    kind: NDArray[np.uint8]
    heading_rad: Floats
    length_m: Floats
    width_m: Floats

    def points_m(self, xy_m: Floats) -> Floats:
        """Return wheels, sill and shoulder of bodies at ``xy_m`` (n, 2): (n, 12, 3) metres."""
        along = np.stack([np.cos(self.heading_rad), np.sin(self.heading_rad)], axis=1)
        across = np.stack([-along[:, 1], along[:, 0]], axis=1)
        points = np.empty((len(xy_m), 12, 3))
        wheel = (_WHEEL_LENGTH[self.kind], _WHEEL_WIDTH[self.kind])
        shell = (_SHELL_LENGTH[self.kind], _SHELL_WIDTH[self.kind])
        for first, (far, wide) in ((0, wheel), (4, shell)):
            ahead = (far * self.length_m)[:, None, None] * _CORNERS[None, :, :1]
            aside = (wide * self.width_m)[:, None, None] * _CORNERS[None, :, 1:]
            corner = xy_m[:, None] + ahead * along[:, None] + aside * across[:, None]
            points[:, first : first + 4, :2] = corner
        points[:, 8:, :2] = points[:, 4:8, :2]
        points[:, :4, 2] = 0.0
        points[:, 4:8, 2] = _SILL_M[self.kind][:, None]
        points[:, 8:, 2] = (_SHOULDER * _HEIGHTS[self.kind])[:, None]
        return points


def _up_px(plane: Plane, back: Floats) -> Floats:
    """Return the third column (3,) of the projection: what a metre of height does.

    Every camera sees its own place nowhere: P (x, y, h, 1) = 0. Without a known place, height is
    taken as lying on the ground.
    """
    east, north, height_m = plane.place_m
    if not np.isfinite(plane.place_m).all() or height_m <= 0:
        return np.zeros(3)
    return np.asarray(-(back[:, 0] * east + back[:, 1] * north + back[:, 2]) / height_m)


def _project(plane: Plane, points_m: Floats) -> Floats:
    """Return pixels (n, 2) of points (n, 3) over the ground; NaN behind the camera."""
    back = np.asarray(np.linalg.inv(plane.matrix), np.float64)
    up = _up_px(plane, back)
    x, y, z = points_m[:, 0], points_m[:, 1], points_m[:, 2]
    u, v, w = (back[i, 0] * x + back[i, 1] * y + up[i] * z + back[i, 2] for i in range(3))
    w = np.where(w > 1e-12, w, np.nan)
    ideal = np.stack([u / w, v / w], axis=1)
    return distort(ideal, centre_px=plane.centre_px, focal_px=plane.focal_px, k1=plane.k1)


def _edges_px(plane: Plane, body: Body, xy_m: Floats) -> Floats:
    """Return left, right and lower edge (n, 3) of bodies at ``xy_m`` (n, 2)."""
    points = body.points_m(xy_m)
    px = _project(plane, points.reshape(-1, 3)).reshape(len(xy_m), 12, 2)
    return np.stack(
        [px[:, :, 0].min(axis=1), px[:, :, 0].max(axis=1), px[:, :8, 1].max(axis=1)], axis=1
    )


def body_box_px(plane: Plane, body: Body, xy_m: Floats) -> Floats:
    """Return left, top, right, bottom (n, 4) of bodies at ``xy_m`` (n, 2), the top by the roof."""
    edges = _edges_px(plane, body, xy_m)
    roof = np.concatenate([xy_m, _HEIGHTS[body.kind][:, None]], axis=1)
    top = _project(plane, roof)[:, 1]
    return np.stack([edges[:, 0], top, edges[:, 1], edges[:, 2]], axis=1)


def body_width_px(plane: Plane, body: Body, xy_m: Floats) -> Floats:
    """Return how wide bodies at ``xy_m`` (n, 2) look, (n,) pixels."""
    edges = _edges_px(plane, body, xy_m)
    return np.asarray(edges[:, 1] - edges[:, 0])


def place_bodies(plane: Plane, body: Body, box_px: ArrayLike) -> Floats:
    """Return the centres (n, 2) in metres at which bodies have the foot of their boxes (n, 4).

    A NaN heading is a body that is turned any way: its centre lies behind the foot by the mean of
    its half sides, as the camera sees it. NaN over the horizon.
    """
    box = np.asarray(box_px, np.float64).reshape(-1, 4)
    foot_px = np.stack([(box[:, 0] + box[:, 2]) / 2, box[:, 3]], axis=1)
    foot_m = plane.to_m(foot_px)
    away = foot_m - plane.place_m[:2]
    away = away / np.hypot(away[:, 0], away[:, 1])[:, None]
    away = np.where(np.isfinite(away), away, 0.0)
    here = foot_m + ((body.length_m + body.width_m) / 4)[:, None] * away
    turned = np.flatnonzero(np.isfinite(body.heading_rad) & np.isfinite(here).all(axis=1))
    if not len(turned):
        return here
    some = Body(
        kind=body.kind[turned],
        heading_rad=body.heading_rad[turned],
        length_m=body.length_m[turned],
        width_m=body.width_m[turned],
    )
    place, goal_m = here[turned], foot_m[turned]
    for _ in range(_FIT_ROUNDS):
        edges = _edges_px(plane, some, place)
        looks = np.stack([(edges[:, 0] + edges[:, 1]) / 2, edges[:, 2]], axis=1)
        place = place + goal_m - plane.to_m(looks)
    here[turned] = place
    return here
