"""Vanishing points as an oracle: the numbers of the science notes, 1.3 (Dubska, Sochor)."""

from math import radians

import numpy as np
import pytest
from tests.geometry.calibrated import Floats, tuples

from calmstreet.geometry.calibrate import fit_plane
from calmstreet.geometry.plane import Plane
from calmstreet.model.site import PlaneSpec

MIDDLE = np.array([960.0, 540.0])
FOCAL_PX, HEIGHT_M = 1400.0, 8.0
ALONG_PX = np.array([(603.692, 637.690), (533.491, 381.835)])
ACROSS_PX = np.array([(343.263, 511.491), (629.799, 474.689)])


def turned_px(xy_m: Floats) -> Floats:
    """Return pixels of ground places by a camera 8 m up, pitched 25 and turned 20 degrees."""
    pitch, yaw = radians(25), radians(20)
    c, s = np.cos(yaw), np.sin(yaw)
    turned = np.asarray(xy_m, np.float64) @ np.array([[c, s], [-s, c]])
    down = np.array(
        [[1, 0, 0], [0, -np.sin(pitch), -np.cos(pitch)], [0, np.cos(pitch), -np.sin(pitch)]]
    )
    seen = np.column_stack([turned, np.full(len(turned), -HEIGHT_M)]) @ down.T
    return np.asarray(FOCAL_PX * seen[:, :2] / seen[:, 2:] + MIDDLE)


@pytest.fixture(scope="module")
def plane() -> Plane:
    places = np.array([(x, y) for y in (12, 20, 30) for x in (1, 6, 12)], np.float64)
    px = turned_px(places)
    kept = ((px > 0) & (px < (1920, 1080))).all(axis=1)
    assert kept.sum() >= 6
    spec = PlaneSpec(points_px=tuples(px[kept]), points_m=tuples(places[kept]))
    return fit_plane(spec, width_px=1920, height_px=1080)


def vanishing_px(plane: Plane) -> tuple[Floats, Floats]:
    """Return where lines to the north and to the east meet."""
    ground = np.linalg.inv(plane.matrix)
    return ground[:2, 1] / ground[2, 1], ground[:2, 0] / ground[2, 0]


def test_the_vanishing_points_of_the_plane(plane: Plane) -> None:
    points = np.sort(np.array(vanishing_px(plane)), axis=0)
    assert points[:, 1] == pytest.approx([-112.83, -112.83], abs=0.01)
    assert abs(points[:, 0] - MIDDLE[0]).min() == pytest.approx(960 - 397.76, abs=0.01)
    assert abs(points[:, 0] - MIDDLE[0]).max() == pytest.approx(5204.11 - 960, abs=0.01)


def test_focal_length_and_height_are_those_of_the_vanishing_points(plane: Plane) -> None:
    u, v = (point - MIDDLE for point in vanishing_px(plane))
    focal_px = float(np.sqrt(-(u @ v)))
    assert focal_px == pytest.approx(1400.0, abs=1e-3)
    assert plane.focal_px == pytest.approx(focal_px)
    normal = np.cross([*u, focal_px], [*v, focal_px])
    normal /= np.linalg.norm(normal)
    assert MIDDLE + focal_px * normal[:2] / normal[2] == pytest.approx((960, 3542.31), abs=0.01)

    def length(ends_px: Floats) -> float:
        rays = np.column_stack([ends_px - MIDDLE, np.full(2, focal_px)])
        places = rays / (rays @ normal)[:, None]
        return float(np.linalg.norm(places[0] - places[1]))

    assert length(ALONG_PX) / length(ACROSS_PX) == pytest.approx(2.5, abs=1e-4)
    assert 10 / length(ALONG_PX) == pytest.approx(8.0, abs=1e-3)
    assert plane.place_m[2] == pytest.approx(8.0)


def test_lengths_by_the_plane_are_those_of_the_oracle(plane: Plane) -> None:
    for ends_px, length_m in ((ALONG_PX, 10.0), (ACROSS_PX, 4.0)):
        assert np.hypot(*np.diff(plane.to_m(ends_px), axis=0)[0]) == pytest.approx(
            length_m, abs=1e-3
        )
