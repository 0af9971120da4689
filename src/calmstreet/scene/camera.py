"""A pinhole camera on a pole over the flat ground: the exact map from metres to pixels."""

from dataclasses import dataclass
from math import cos, radians, sin

import numpy as np
from numpy.typing import NDArray

__all__ = ["Pinhole"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinhole:
    """A camera at (0, 0, height_m) looking north (+y), pitched down; east is +x, up is +z.

    Pixels are square, there is no distortion, and the principal point is the middle of the frame.
    ``yaw_rad`` turns it to the right, ``roll_rad`` clockwise about its axis.
    """

    width_px: int = 960
    height_px: int = 540
    focal_px: float = 820.0
    height_m: float = 8.0
    pitch_rad: float = radians(24.0)
    yaw_rad: float = 0.0
    roll_rad: float = 0.0

    @property
    def place_m(self) -> Floats:
        """Return where the camera hangs, (3,) in metres."""
        return np.array([0.0, 0.0, self.height_m])

    def axes(self) -> Floats:
        """Return the rows right, down and forward of the camera in the world, (3, 3)."""
        s, c = sin(self.pitch_rad), cos(self.pitch_rad)
        level = np.array([[1.0, 0.0, 0.0], [0.0, -s, -c], [0.0, c, -s]])
        if not (self.yaw_rad or self.roll_rad):
            return level
        s, c = sin(self.yaw_rad), cos(self.yaw_rad)
        turned = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
        s, c = sin(self.roll_rad), cos(self.roll_rad)
        rolled = np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])
        return np.asarray(rolled @ level @ turned)

    def seen_from(self, other: "Pinhole") -> Floats:
        """Return the homography (3, 3) from pixels of ``other``, at the same place, to mine.

        >>> a, b = Pinhole(), Pinhole(yaw_rad=0.01)
        >>> px = np.append(a.ground_px(np.array([[3.0, 20.0]]))[0], 1.0)
        >>> moved = b.seen_from(a) @ px
        >>> bool(np.allclose(moved[:2] / moved[2], b.ground_px(np.array([[3.0, 20.0]]))[0]))
        True
        """
        return self._lens() @ self.axes() @ other.axes().T @ np.linalg.inv(other._lens())

    def _lens(self) -> Floats:
        focal, x, y = self.focal_px, self.width_px / 2, self.height_px / 2
        return np.array([[focal, 0.0, x], [0.0, focal, y], [0.0, 0.0, 1.0]])

    def project(self, points_m: Floats) -> tuple[Floats, Floats]:
        """Return pixels (n, 2) and depth in metres (n,) of points (n, 3) in front of the camera.

        Depth is clipped to 0.1 m, so that points behind the camera stay finite.

        >>> px, depth_m = Pinhole(pitch_rad=0.0).project(np.array([[1.0, 10.0, 8.0]]))
        >>> px.tolist(), depth_m.tolist()
        ([[562.0, 270.0]], [10.0])
        """
        seen = (np.asarray(points_m, np.float64) - self.place_m) @ self.axes().T
        depth_m = np.maximum(seen[:, 2], 0.1)
        px = self.focal_px * seen[:, :2] / depth_m[:, None]
        return px + np.array([self.width_px / 2, self.height_px / 2]), depth_m

    def ground_px(self, xy_m: Floats) -> Floats:
        """Return pixels (n, 2) of places (n, 2) on the ground.

        >>> Pinhole().ground_px(np.array([[0.0, 20.0]])).round(1).tolist()
        [[480.0, 238.5]]
        """
        xy_m = np.asarray(xy_m, np.float64)
        return self.project(np.column_stack([xy_m, np.zeros(len(xy_m))]))[0]

    def ground_m(self, points_px: Floats) -> Floats:
        """Return places (n, 2) on the ground seen at pixels (n, 2); inf at or over the horizon.

        >>> camera = Pinhole()
        >>> px = camera.ground_px(np.array([[3.0, 20.0]]))
        >>> camera.ground_m(px).round(6).tolist()
        [[3.0, 20.0]]
        """
        middle = np.array([self.width_px / 2, self.height_px / 2])
        rays = np.column_stack(
            [(np.asarray(points_px, np.float64) - middle) / self.focal_px, np.ones(len(points_px))]
        )
        world = rays @ self.axes()
        with np.errstate(divide="ignore"):
            reach = np.where(world[:, 2] < 0, -self.height_m / world[:, 2], np.inf)
        with np.errstate(invalid="ignore"):
            return np.asarray(world[:, :2] * reach[:, None])
