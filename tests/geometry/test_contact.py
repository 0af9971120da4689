"""Exact time to collision of oriented boxes: known cases, then what must never change it."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from calmstreet.geometry.contact import (
    Footprints,
    box_ttc,
    corners_m,
    make_footprints,
    separation_m,
)

Row = tuple[float, float, float, float, float, float, float]


def boxes(*rows: Row) -> Footprints:
    """Return footprints from rows x, y, heading, length, width, vx, vy."""
    table = np.array(rows, float)
    return make_footprints(
        table[:, :2],
        heading_rad=table[:, 2],
        length_m=table[:, 3],
        width_m=table[:, 4],
        velocity_mps=table[:, 5:],
    )


def ttc_of(a: Row, b: Row) -> float:
    return float(box_ttc(boxes(a), boxes(b))[0][0])


def test_known_cases() -> None:
    north = math.pi / 2
    assert ttc_of((57.5, 0, 0, 5, 1.8, 10, 0), (17.5, 0, 0, 5, 1.8, 15, 0)) == pytest.approx(7.0)
    assert ttc_of((0, 0, 0, 4, 2, 10, 0), (54, 0, math.pi, 4, 2, -15, 0)) == pytest.approx(2.0)
    car = (0.0, 0.0, 0.0, 4.5, 1.8, 10.0, 0.0)
    walker = (22.25, -3.0, north, 0.5, 0.5, 0.0, 1.4)
    assert ttc_of(car, walker) == pytest.approx(1.975, abs=1e-9)
    assert ttc_of(car, (12, 3.2, 0, 4.5, 1.8, 5, 0)) == math.inf


def test_overlap_now_and_unknown() -> None:
    a = boxes((0, 0, 0, 4, 2, 1, 0), (0, 0, 0, 4, 2, 1, 0), (0, 0, np.nan, 4, 2, 1, 0))
    b = boxes((3, 1, 0.4, 4, 2, 0, 0), (np.nan, 1, 0, 4, 2, 0, 0), (3, 1, 0, 4, 2, 0, 0))
    ttc, overlap = box_ttc(a, b)
    assert ttc[0] == 0
    assert np.isnan(ttc[1:]).all()
    assert overlap.tolist() == [True, False, False]
    assert separation_m(a[:1], b[:1])[0] < 0


def test_corners_follow_the_heading() -> None:
    corner = corners_m(boxes((1, 2, math.pi / 2, 4, 2, 0, 0)))[0]
    assert corner == pytest.approx(np.array([[0, 4], [2, 4], [2, 0], [0, 0]]), abs=1e-12)


place = st.floats(-60, 60)
angle = st.floats(-math.pi, math.pi)
size = st.floats(0.4, 14)
speed = st.floats(-20, 20)
row = st.tuples(place, place, angle, size, size, speed, speed)


def near(one: float, two: float) -> bool:
    return one == two or abs(one - two) < 1e-6 * max(1.0, abs(one))


def grazing(a: Row, b: Row) -> bool:
    """Return True when a hair's breadth decides whether the boxes meet at all."""
    thick, thin = list(a), list(a)
    for part in (3, 4):
        thick[part] += 1e-4
        thin[part] -= 1e-4
    wide, slim = ttc_of(tuple(thick), b), ttc_of(tuple(thin), b)  # type: ignore[arg-type]
    return math.isinf(wide) != math.isinf(slim)


def moved(row: Row, *, turn: float, by: tuple[float, float]) -> Row:
    x, y, heading, length, width, vx, vy = row
    c, s = math.cos(turn), math.sin(turn)
    return (
        c * x - s * y + by[0],
        s * x + c * y + by[1],
        heading + turn,
        length,
        width,
        c * vx - s * vy,
        s * vx + c * vy,
    )


@given(a=row, b=row, turn=angle, by=st.tuples(place, place))
def test_rotation_and_translation_do_not_matter(
    a: Row, b: Row, turn: float, by: tuple[float, float]
) -> None:
    assume(not grazing(a, b))
    assume(math.hypot(a[5] - b[5], a[6] - b[6]) > 0.01)
    turned = ttc_of(moved(a, turn=turn, by=by), moved(b, turn=turn, by=by))
    assert near(ttc_of(a, b), turned)


@given(a=row, b=row)
def test_swapping_does_not_matter(a: Row, b: Row) -> None:
    assume(not grazing(a, b))
    assert near(ttc_of(a, b), ttc_of(b, a))


@st.composite
def colliding(draw: st.DrawFn) -> tuple[Row, Row]:
    """Return two boxes of which the second drives at the first."""
    a, b = draw(row), draw(row)
    after_s = draw(st.floats(1.0, 12.0))
    aim = (draw(st.floats(-0.4, 0.4)), draw(st.floats(-0.4, 0.4)))
    vx = a[5] + (a[0] + aim[0] * a[3] - b[0]) / after_s
    vy = a[6] + (a[1] + aim[1] * a[4] - b[1]) / after_s
    return a, (*b[:5], vx, vy)


@given(pair=colliding(), share=st.floats(0.05, 0.95))
def test_ttc_falls_by_the_time_that_passes(pair: tuple[Row, Row], share: float) -> None:
    a, b = pair
    before = ttc_of(a, b)
    assume(0 < before < 1e4)
    assume(not grazing(a, b))
    dt = share * before
    later: list[Row] = [(r[0] + r[5] * dt, r[1] + r[6] * dt, *r[2:]) for r in pair]
    assert ttc_of(later[0], later[1]) == pytest.approx(before - dt, abs=1e-6 * max(1, before))


@given(pair=colliding())
def test_boxes_touch_when_it_says_so(pair: tuple[Row, Row]) -> None:
    ttc = ttc_of(*pair)
    assume(0 < ttc < 1e3)
    there: list[Row] = [(r[0] + r[5] * ttc, r[1] + r[6] * ttc, *r[2:]) for r in pair]
    assert separation_m(boxes(there[0]), boxes(there[1]))[0] == pytest.approx(0, abs=1e-6)
