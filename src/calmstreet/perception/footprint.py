"""From a box in the picture to the footprint of a body on the ground, and back.

The lower edge of a box is the front of an approaching and the rear of a receding vehicle, and lies
aside when it drives across. So a simple body of the kind's size (wheels on the ground, a shell from
the sill to the shoulder) is put where its picture has the box's lower edge and horizontal middle:
the ground-rectangle fit of Kocur (2019) and Sochor et al. (2018), for a box and a known plane.
"""

from dataclasses import dataclass
from functools import lru_cache

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


def _shapes() -> NDArray[np.float64]:
    """Return (kinds, 12, 3): shares of length and width, and height in metres, of each point."""
    shapes = np.empty((len(_HEIGHTS), 12, 3))
    wheels, shell = (
        np.stack(sides, axis=1)[:, None] * _CORNERS
        for sides in ((_WHEEL_LENGTH, _WHEEL_WIDTH), (_SHELL_LENGTH, _SHELL_WIDTH))
    )
    shapes[..., :2] = np.concatenate([wheels, shell, shell], axis=1)
    shapes[:, :4, 2] = 0.0
    shapes[:, 4:8, 2] = _SILL_M[:, None]
    shapes[:, 8:, 2] = _SHOULDER * _HEIGHTS[:, None]
    return shapes


_SHAPES = _shapes()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Body:
    """Bodies by row: ``kind`` (n,), ``heading_rad`` (n,), ``length_m`` and ``width_m`` (n,)."""

    kind: NDArray[np.uint8]
    heading_rad: Floats
    length_m: Floats
    width_m: Floats

    def rows(self, index: NDArray[np.intp]) -> "Body":
        """Return the bodies that an index array picks."""
        return Body(
            kind=self.kind[index],
            heading_rad=self.heading_rad[index],
            length_m=self.length_m[index],
            width_m=self.width_m[index],
        )

    def points_m(self, xy_m: Floats) -> Floats:
        """Return wheels, sill and shoulder of bodies at ``xy_m`` (n, 2): (n, 12, 3) metres."""
        along = np.stack([np.cos(self.heading_rad), np.sin(self.heading_rad)], axis=1)
        across = np.stack([-along[:, 1], along[:, 0]], axis=1)
        shape = _SHAPES[self.kind]
        ahead = shape[:, :, :1] * (self.length_m[:, None] * along)[:, None]
        aside = shape[:, :, 1:2] * (self.width_m[:, None] * across)[:, None]
        return np.concatenate([xy_m[:, None] + ahead + aside, shape[:, :, 2:]], axis=2)


@lru_cache(maxsize=16)
def _projection(plane: Plane) -> Floats:
    """Return the projection (3, 4) from places x, y, z, 1 in metres to ideal pixels.

    Every camera sees its own place nowhere, P (x, y, h, 1) = 0, which gives the column of the
    height. Without a known place, height is taken as lying on the ground.
    """
    back = np.asarray(np.linalg.inv(plane.matrix), np.float64)
    east, north, height_m = plane.place_m
    up = np.zeros(3)
    if np.isfinite(plane.place_m).all() and height_m > 0:
        up = -(back[:, 0] * east + back[:, 1] * north + back[:, 2]) / height_m
    return np.stack([back[:, 0], back[:, 1], up, back[:, 2]], axis=1)


def _project(plane: Plane, points_m: Floats) -> Floats:
    """Return pixels (n, 2) of points (n, 3) over the ground; NaN behind the camera."""
    p = _projection(plane)
    x, y, z = points_m[:, 0], points_m[:, 1], points_m[:, 2]
    w = p[2, 0] * x + p[2, 1] * y + p[2, 2] * z + p[2, 3]
    w = np.where(w > 1e-12, w, np.nan)
    ideal = np.empty((len(points_m), 2))
    for i in (0, 1):
        ideal[:, i] = (p[i, 0] * x + p[i, 1] * y + p[i, 2] * z + p[i, 3]) / w
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


def place_bodies(plane: Plane, body: Body, box_px: ArrayLike, *, side: ArrayLike = 0.5) -> Floats:
    """Return the centres (n, 2) in metres at which bodies have the foot of their boxes (n, 4).

    ``side`` (n,) says which point of the lower edge is believed: 0.5 its middle, 0 its left and 1
    its right end, where the other one is cut off by the border of the picture.

    A NaN heading is a body that is turned any way: its centre lies behind the foot by the mean of
    its half sides, as the camera sees it. NaN over the horizon.
    """
    box = np.asarray(box_px, np.float64).reshape(-1, 4)
    known = np.isfinite(body.heading_rad)
    share = np.where(known, np.broadcast_to(np.asarray(side, np.float64), known.shape), 0.5)
    foot_px = np.stack([box[:, 0] + share * (box[:, 2] - box[:, 0]), box[:, 3]], axis=1)
    foot_m = plane.to_m(foot_px)
    away = foot_m - plane.place_m[:2]
    away = away / np.hypot(away[:, 0], away[:, 1])[:, None]
    away = np.where(np.isfinite(away), away, 0.0)
    here = foot_m + ((body.length_m + body.width_m) / 4)[:, None] * away
    turned = np.flatnonzero(known & np.isfinite(here).all(axis=1))
    if not len(turned):
        return here
    some = body.rows(turned)
    place, goal_m, share = here[turned], foot_m[turned], share[turned]
    for _ in range(_FIT_ROUNDS):
        edges = _edges_px(plane, some, place)
        point = edges[:, 0] + share * (edges[:, 1] - edges[:, 0])
        looks = np.stack([point, edges[:, 2]], axis=1)
        place = place + goal_m - plane.to_m(looks)
    here[turned] = place
    return here
