"""Bodies that are cut off by a side of the picture: where they are, and how fast."""

from dataclasses import replace

import numpy as np
import pytest
from tests.perception.on_the_ground import CAMERA, drive, exact_plane, grounded

from calmstreet.geometry.plane import Plane
from calmstreet.model.kinds import LENGTH_M, WIDTH_M, Kind
from calmstreet.perception.footprint import Body, body_box_px, place_bodies


@pytest.fixture(scope="module")
def plane() -> Plane:
    return exact_plane()


@pytest.mark.parametrize("side", [0.0, 1.0])
def test_the_end_that_is_seen_tells_the_place(plane: Plane, side: float) -> None:
    place = np.array([[1.0, 22.0], [-3.0, 30.0]])
    body = Body(
        kind=np.full(2, Kind.CAR, np.uint8),
        heading_rad=np.array([0.3, 2.0]),
        length_m=np.full(2, LENGTH_M[Kind.CAR]),
        width_m=np.full(2, WIDTH_M[Kind.CAR]),
    )
    box = body_box_px(plane, body, place)
    box[:, 2 if side == 0.0 else 0] += 25.0 if side == 1.0 else -25.0
    off = np.hypot(*(place_bodies(plane, body, box, side=side) - place).T)
    middle = np.hypot(*(place_bodies(plane, body, box) - place).T)
    assert off.max() < 0.1
    assert middle.min() > 0.25


@pytest.mark.parametrize("velocity", [(9.0, 0.0), (-9.0, 1.0)])
def test_who_leaves_by_a_side_keeps_its_speed(plane: Plane, velocity: tuple[float, float]) -> None:
    points, true_m = drive(
        plane, start_m=(-velocity[0], 20.0), velocity_mps=velocity, duration_s=3.0, fps=20.0
    )
    whole = points.box_px.copy()
    cut = whole.copy()
    cut[:, [0, 2]] = np.clip(whole[:, [0, 2]], 0, CAMERA.width_px)
    wide = cut[:, 2] - cut[:, 0]
    there = wide > 0.4 * (whole[:, 2] - whole[:, 0])
    rows = grounded(plane, replace(points, box_px=cut, seen_px=cut)[there])
    leaving = (wide < whole[:, 2] - whole[:, 0])[there]
    assert leaving.sum() >= 3
    speed = np.hypot(*rows.velocity_mps[leaving].T)
    assert np.abs(speed - np.hypot(*velocity)).max() < 0.8
    assert np.hypot(*(rows.xy_m - true_m[there])[leaving].T).max() < 0.8
