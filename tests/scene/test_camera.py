"""The camera's map between ground and picture is exact both ways."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from calmstreet.scene.camera import Pinhole
from calmstreet.scene.street import Street

metres = st.floats(-40, 40)


@given(metres, st.floats(3, 200), st.floats(3, 20), st.floats(0.05, 1.2))
def test_ground_to_picture_and_back(x: float, y: float, height_m: float, pitch: float) -> None:
    camera = Pinhole(height_m=height_m, pitch_rad=pitch)
    px, depth_m = camera.project(np.array([[x, y, 0.0]]))
    assert depth_m[0] > 0
    np.testing.assert_allclose(camera.ground_m(px), [[x, y]], rtol=1e-6, atol=1e-6)


@given(metres, st.floats(6, 60), st.floats(0.1, 3))
def test_what_stands_is_seen_above_its_foot(x: float, y: float, height_m: float) -> None:
    px, _ = Pinhole().project(np.array([[x, y, 0.0], [x, y, height_m]]))
    assert px[1, 1] < px[0, 1]


def test_over_the_horizon_there_is_no_ground() -> None:
    camera = Pinhole(pitch_rad=0.05)
    assert not np.isfinite(camera.ground_m(np.array([[480.0, 0.0]]))).all()


@given(metres, metres)
def test_along_the_street_and_back(s: float, d: float) -> None:
    street = Street()
    there = street.to_ground(np.array([[s, d]]))
    np.testing.assert_allclose(street.to_street(there), [[s, d]], atol=1e-9)
