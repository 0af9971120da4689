"""A small turn of the camera is one homography: derivative, inverse, boxes through it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from calmstreet.geometry.turning import boxes_through, points_through, turn_matrix, turn_moves

CENTRE = (480.0, 270.0)
SMALL = st.floats(-0.03, 0.03)
TURNS = st.tuples(SMALL, SMALL, SMALL, SMALL)


@given(TURNS, st.floats(0, 960), st.floats(0, 540))
def test_moves_are_the_derivative_of_the_turn(
    turn: tuple[float, float, float, float], x: float, y: float
) -> None:
    tiny = np.array(turn) * 1e-4
    after = points_through([[x, y]], turn_matrix(tiny, focal_px=820.0, centre_px=CENTRE))
    linear = turn_moves([[x, y]], focal_px=820.0, centre_px=CENTRE)[0] @ tiny
    assert np.allclose(after[0] - (x, y), linear, atol=1e-4)


@given(TURNS, st.floats(0, 800), st.floats(0, 400), st.floats(4, 100), st.floats(4, 100))
def test_a_box_there_and_back(
    turn: tuple[float, float, float, float], left: float, top: float, wide: float, high: float
) -> None:
    matrix = turn_matrix(turn, focal_px=820.0, centre_px=CENTRE)
    box = np.array([[left, top, left + wide, top + high]], np.float32)
    back = boxes_through(boxes_through(box, matrix), np.linalg.inv(matrix))
    assert np.abs(back - box).max() < 0.02 * max(wide, high) + 0.05


def test_no_boxes() -> None:
    assert boxes_through(np.empty((0, 4), np.float32), np.eye(3)).shape == (0, 4)
