"""How much of a footprint lies in an area, against points thrown at it and against moving both."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calmstreet.geometry.footprints import shares_inside
from calmstreet.geometry.shapes import inside_polygon

CONCAVE = np.array([(0, 0), (8, 0), (8, 6), (4, 2), (0, 6)], float)
turns = st.floats(-np.pi, np.pi)
places = st.floats(-4, 12)


def share(x: float, y: float, heading: float, polygon: np.ndarray = CONCAVE) -> float:
    (found,) = shares_inside(
        polygon, xy_m=[(x, y)], heading_rad=[heading], length_m=[4.5], width_m=[1.8]
    )
    return float(found)


@settings(max_examples=40)
@given(places, places, turns)
def test_it_is_the_share_of_points_inside(x: float, y: float, heading: float) -> None:
    along, across = np.meshgrid(np.linspace(-0.5, 0.5, 90), np.linspace(-0.5, 0.5, 50))
    dx, dy = 4.5 * along.ravel(), 1.8 * across.ravel()
    cos, sin = np.cos(heading), np.sin(heading)
    thrown = np.stack([x + dx * cos - dy * sin, y + dx * sin + dy * cos], axis=1)
    assert share(x, y, heading) == pytest.approx(inside_polygon(thrown, CONCAVE).mean(), abs=0.03)


@settings(max_examples=40)
@given(places, places, turns, turns, places)
def test_turning_and_moving_both_changes_nothing(
    x: float, y: float, heading: float, turn: float, away: float
) -> None:
    cos, sin = np.cos(turn), np.sin(turn)
    turned = CONCAVE @ np.array([[cos, sin], [-sin, cos]]) + away
    moved = share(x * cos - y * sin + away, x * sin + y * cos + away, heading + turn, turned)
    assert moved == pytest.approx(share(x, y, heading), abs=1e-9)


def test_whole_none_and_unknown() -> None:
    square = np.array([(-9, -9), (9, -9), (9, 9), (-9, 9)], float)
    assert share(0, 0, 1.0, square) == pytest.approx(1.0)
    assert share(0, 0, 1.0, square[::-1]) == pytest.approx(1.0)
    assert share(50, 0, 1.0, square) == 0.0
    assert share(0, 0, float("nan"), square) == 0.0
