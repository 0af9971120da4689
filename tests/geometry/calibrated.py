"""Planes with known truth, for tests: the camera of the science notes and that of PETS 2009."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from math import radians
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calmstreet.model.site import PlaneSpec, Point
from calmstreet.scene.camera import Pinhole

Floats = NDArray[np.float64]

CAMERA = Pinhole(
    width_px=1920, height_px=1080, focal_px=1400.0, height_m=8.0, pitch_rad=radians(25)
)
TEN = np.array([(x, y) for y in (15, 22, 28, 36, 45) for x in (-4, 4)], np.float64)
POINTS = {4: TEN[[0, 1, 8, 9]], 5: TEN[[0, 1, 4, 8, 9]], 6: TEN[[0, 1, 4, 5, 8, 9]], 10: TEN}


def tuples(points: ArrayLike) -> tuple[Point, ...]:
    return tuple((float(x), float(y)) for x, y in np.asarray(points))


def spec_of(
    points_m: ArrayLike, *, camera: Pinhole = CAMERA, noise_px: ArrayLike = 0.0, **keys: Any
) -> PlaneSpec:
    """Return what somebody would measure of ground points (n, 2) seen by a camera."""
    places = np.asarray(points_m, np.float64)
    return PlaneSpec(
        points_px=tuples(camera.ground_px(places) + np.asarray(noise_px)),
        points_m=tuples(places),
        **keys,
    )


class Tsai:
    """A camera calibrated after Tsai (1987) as PETS 2009 publishes it; the world is in metres."""

    def __init__(self, path: Path) -> None:
        tree = ElementTree.parse(path).getroot()
        parts = {part.tag: {k: float(v) for k, v in part.attrib.items()} for part in tree}
        self.geometry, self.lens, pose = (
            parts[name] for name in ("Geometry", "Intrinsic", "Extrinsic")
        )
        (sx, cx), (sy, cy), (sz, cz) = (
            (np.sin(pose[name]), np.cos(pose[name])) for name in ("rx", "ry", "rz")
        )
        self.turn = np.array(
            [
                [cy * cz, cz * sx * sy - cx * sz, sx * sz + cx * cz * sy],
                [cy * sz, sx * sy * sz + cx * cz, cx * sy * sz - cz * sx],
                [-sy, cy * sx, cx * cy],
            ]
        )
        self.shift_mm = np.array([pose[name] for name in ("tx", "ty", "tz")])

    @property
    def place_m(self) -> Floats:
        return np.asarray(-self.turn.T @ self.shift_mm / 1000)

    def to_px(self, xy_m: ArrayLike) -> Floats:
        """Return pixels (n, 2) of ground places (n, 2)."""
        ground = np.asarray(xy_m, np.float64) * 1000
        seen = np.column_stack([ground, np.zeros(len(ground))]) @ self.turn.T + self.shift_mm
        ideal = self.lens["focal"] * seen[:, :2] / seen[:, 2:]
        real = ideal.copy()
        for _ in range(50):
            real = ideal / (1 + self.lens["kappa1"] * (real**2).sum(axis=1, keepdims=True))
        pitch_mm = np.array([self.geometry["dpx"], self.geometry["dpy"]])
        scale = np.array([self.lens["sx"], 1.0])
        return np.asarray(real * scale / pitch_mm + (self.lens["cx"], self.lens["cy"]))


def pets_spec(path: Path, *, points_m: Sequence[Point] | None = None) -> PlaneSpec:
    """Return a plane for PETS 2009 view 001 (768 x 576 px) from its published calibration.

    Pairs are made at a grid of places of the walk area. Tsai's lens, with a principal point of its
    own, becomes k1 = -kappa1 f^2 around the middle of the picture; 3 cm remain at most.
    """
    tsai = Tsai(path)
    grid = [(x, y) for x in np.arange(-16, 9, 4.0) for y in np.arange(-16, 9, 4.0)]
    places = np.array(grid if points_m is None else points_m, np.float64)
    px = tsai.to_px(places)
    inside = (px > 0).all(axis=1) & (px < (768, 576)).all(axis=1)
    return PlaneSpec(
        points_px=tuples(px[inside]),
        points_m=tuples(places[inside]),
        sigma_px=0.5,
        sigma_m=(0.02,),
        k1=-tsai.lens["kappa1"] * tsai.lens["focal"] ** 2,
        focal_px=tsai.lens["focal"] * tsai.lens["sx"] / tsai.geometry["dpx"],
    )
