import numpy as np
import pytest

from calmstreet.geometry.shapes import (
    boxes_cover,
    clear_of,
    distance_to,
    inside_polygon,
    left_distance,
    make_line,
    polygon_area,
    polygon_fault,
    steps_through,
)

SQUARE = [(0, 0), (10, 0), (10, 10), (0, 10)]


def test_left_of_a_gate_that_points_up_on_the_picture_is_smaller_x() -> None:
    assert left_distance([(-1, -5)], (0, 0), (0, -10))[0] > 0
    hits = steps_through(make_line([(0, 0), (0, -10)]), _at(5, -5), _at(-5, -5))
    assert hits.direction.tolist() == [1]


def test_the_same_words_hold_in_metres_with_north_up() -> None:
    north = make_line([(0, 0), (0, 10)], y_up=True)
    assert steps_through(north, _at(5, 5), _at(-5, 5)).direction.tolist() == [1]


def test_a_bent_gate_is_passed_once_at_its_corner() -> None:
    bent = make_line([(0, 0), (0, -10), (10, -20)])
    for start, end in (((5, -5), (-5, -15)), ((-5, -15), (5, -5))):
        hits = steps_through(bent, _at(*start), _at(*end))
        assert hits.own.sum() == 1


def test_two_gates_that_share_an_end_point_share_the_path_through_it() -> None:
    gates = make_line([(0, 0), (0, -10)]), make_line([(0, -10), (0, -20)])
    hits = [steps_through(gate, _at(5, -10), _at(-5, -10)) for gate in gates]
    assert sum(int(hit.own.sum()) for hit in hits) == 1


def test_a_prolongation_is_no_part_of_the_gate() -> None:
    hits = steps_through(make_line([(0, 0), (0, -10)]), _at(5, 3), _at(-5, 3))
    assert hits.own.tolist() == [False]


def test_rays_that_would_meet_the_gate_itself_are_left_out() -> None:
    spiral = [(0, 0), (10, 0), (10, 10), (-5, 10), (-5, 0), (-3, 0)]
    assert make_line(spiral).own.tolist() == [True] * 5 + [False]


@pytest.mark.parametrize("points", [[(1, 1)], [(1, 1), (1, 1)]])
def test_a_line_needs_two_points(points: list[tuple[int, int]]) -> None:
    with pytest.raises(ValueError, match="two different points"):
        make_line(points)


def test_nan_rows_pass_through_nothing() -> None:
    line = make_line([(0, 0), (0, -10)])
    assert not len(steps_through(line, _at(np.nan, np.nan), _at(-5, -5)).step)
    assert not clear_of(line, _at(np.nan, 1), np.array([1.0]))[0]


def test_sideways_clearness_goes_on_beyond_the_ends() -> None:
    line = make_line([(0, 0), (0, -100)])
    beyond = _at(1, 50)
    assert distance_to(line, beyond)[0] > 49
    assert not clear_of(line, beyond, np.array([5.0]))[0]


def test_near_the_border_half_the_room_is_enough_but_never_next_to_nothing() -> None:
    line, size, h = make_line([(0, 350), (640, 350)]), np.array([640, 360]), np.array([33.0])
    heights = [(_at(300, y), clear) for y, clear in ((353, False), (356, True), (330, False))]
    assert [bool(clear_of(line, p, h, size=size)[0]) for p, _ in heights] == [
        wanted for _, wanted in heights
    ]


def test_inside_a_polygon() -> None:
    inside = inside_polygon([(5, 5), (-1, 5), (5, 11), (0, 5)], SQUARE)
    assert inside[:3].tolist() == [True, False, False]


def test_neighbouring_polygons_share_their_border_without_overlap() -> None:
    right = [(x + 10, y) for x, y in SQUARE]
    points = [(10, y) for y in range(1, 10)]
    assert (inside_polygon(points, SQUARE).astype(int) + inside_polygon(points, right) == 1).all()


@pytest.mark.parametrize(
    ("polygon", "fault"),
    [
        ([(0, 0), (4, 0)], "has 2 corners"),
        ([(0, 0), (4, 0), (4, 0)], "has 2 corners"),
        ([(0, 0), (4, 4), (4, 0), (0, 4)], "crosses itself"),
        ([(0, 0), (2, 2), (4, 4)], "no area"),
        ([(0, 0), (float("nan"), 2), (4, 4)], "not a number"),
        (SQUARE, ""),
    ],
)
def test_faults_of_polygons(polygon: list[tuple[float, float]], fault: str) -> None:
    found = polygon_fault(polygon)
    assert fault in found
    assert bool(found) == bool(fault)


def test_area_does_not_depend_on_the_sense_of_rotation() -> None:
    assert polygon_area(SQUARE) == polygon_area(SQUARE[::-1]) == 100


def test_boxes_that_only_their_outlines_would_touch_do_not_cover_a_slanted_gate() -> None:
    slanted = make_line([(0, 0), (100, 100)])
    boxes = [(60, 0, 100, 30), (40, 40, 50, 50), (10, 0, 30, 20), (200, 200, 210, 210)]
    assert boxes_cover(slanted, boxes).tolist() == [False, True, True, False]


def _at(x: float, y: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.array([[x, y]], np.float64)
