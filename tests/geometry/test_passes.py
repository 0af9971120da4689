from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from calmstreet.geometry.passes import crossings
from calmstreet.geometry.shapes import clear_of, distance_to, inside_polygon, make_line

GATE = [(0.0, 0.0), (0.0, -100.0)]
CASTLE = [(0.0, 0.0), (60.0, 0.0), (60.0, 40.0), (30.0, 15.0), (0.0, 40.0), (0.0, 0.0)]

coordinates = st.integers(-80, 140)
walks = st.lists(st.tuples(coordinates, coordinates), min_size=2, max_size=30)


def found(path: Any, *, gate: Any = GATE, h: float = 5.0) -> list[int]:
    return [p.direction for p in crossings(make_line(gate), **timed(path), hysteresis=h)]


def timed(path: Any) -> dict[str, Any]:
    return {"t_ns": np.arange(len(path)) * 100_000_000, "points": np.asarray(path, float)}


def test_one_pass_is_one_crossing_with_its_time_between_the_rows() -> None:
    passes = crossings(make_line(GATE), **timed([(30, -50), (-10, -50)]), hysteresis=5)
    assert [p.direction for p in passes] == [1]
    assert passes[0].t_ns == pytest.approx(75_000_000, abs=50)


def test_waiting_and_trembling_on_the_line_is_one() -> None:
    rng = np.random.default_rng(3)
    wait = [(x, -50.0) for x in rng.uniform(-4.9, 4.9, 3000)]
    assert found([(40, -50), *wait, (-40, -50)]) == [1]


def test_trembling_alone_is_none() -> None:
    rng = np.random.default_rng(4)
    wait = [(x, -50.0) for x in rng.uniform(-4.9, 4.9, 3000)]
    assert found([(40, -50), *wait, (40, -50)]) == []


def test_flicker_below_the_hysteresis_after_a_crossing_is_no_way_back() -> None:
    assert found([(40, -50), (-8, -50), (3, -50), (-3, -50), (-40, -50)]) == [1]


def test_a_u_turn_is_two_one_each_way() -> None:
    assert found([(40, -50), (-40, -50), (-40, -20), (40, -20)]) == [1, -1]


def test_beyond_the_ends_nothing_is_crossed() -> None:
    assert found([(40, 20), (-40, 20)]) == []
    assert found([(40, -120), (-40, -120)]) == []


def test_who_comes_back_around_the_end_before_he_was_clear_did_not_cross() -> None:
    assert found([(40, -3), (-2, -3), (-2, 3), (40, 3)]) == []


def test_who_comes_back_around_the_end_after_he_was_clear_crossed_once() -> None:
    assert found([(40, -30), (-40, -30), (-40, 300), (40, 300)]) == [1]


def test_walking_along_the_line_crosses_nothing() -> None:
    path = [(1 if i % 2 else -1, 60 - 10 * i) for i in range(30)]
    assert found(path) == []


def test_first_seen_on_the_line_counts_nothing() -> None:
    assert found([(2, -50), (-40, -50)]) == []


@given(walks)
def test_reversing_the_gate_swaps_left_and_right(path: list[tuple[int, int]]) -> None:
    assert found(path, gate=GATE[::-1]) == [-d for d in found(path)]


@given(walks)
def test_reversing_time_swaps_left_and_right(path: list[tuple[int, int]]) -> None:
    assert found(path[::-1]) == [-d for d in found(path)][::-1]


@given(walks, st.integers(-1000, 1000), st.integers(-1000, 1000))
def test_moving_the_scene_changes_nothing(path: Any, dx: int, dy: int) -> None:
    moved = [(x + dx, y + dy) for x, y in path]
    assert found(moved, gate=[(x + dx, y + dy) for x, y in GATE]) == found(path)


@given(walks, st.floats(0, 6.28))
def test_turning_the_scene_changes_nothing(path: Any, angle_rad: float) -> None:
    places = np.asarray(path) + np.array([0.3, 0.4])
    c, s = np.cos(angle_rad), np.sin(angle_rad)
    turn = np.array([[c, s], [-s, c]])
    if not _doubtful(places):
        assert found(places @ turn, gate=np.asarray(GATE) @ turn) == found(places)


def _doubtful(places: NDArray[Any]) -> bool:
    """Tell whether rounding may decide: a row at the hysteresis, or a path grazing an end."""
    line, h = make_line(GATE), np.full(len(places), 5.0)
    if (clear_of(line, places, h - 1e-3) != clear_of(line, places, h + 1e-3)).any():
        return True
    if not np.diff(places, axis=0).any():
        return True
    ends = [(x, y) for x, y in (*GATE, (0, 100), (0, -200))]
    return bool((distance_to(make_line(places), ends) < 1e-2).any())


@given(walks, st.integers(-(10**15), 10**15))
def test_shifting_time_shifts_every_crossing(path: list[tuple[int, int]], shift_ns: int) -> None:
    material = timed(path)
    later = material | {"t_ns": material["t_ns"] + shift_ns}
    line = make_line(GATE)
    first = crossings(line, **material, hysteresis=5)
    second = crossings(line, **later, hysteresis=5)
    assert [p.t_ns + shift_ns for p in first] == [p.t_ns for p in second]


@given(walks)
def test_in_minus_out_is_the_change_of_occupancy(path: list[tuple[int, int]]) -> None:
    line, h = make_line(CASTLE), 4.0
    places = np.asarray([(-70, -70), *path, (140, -80)], float)
    clear = clear_of(line, places, np.full(len(places), h))
    last = int(np.flatnonzero(clear)[-2]) if clear.sum() > 1 else 0
    part = places[: last + 1]
    net = sum(p.direction for p in crossings(line, **timed(part), hysteresis=h))
    inside = inside_polygon(part, CASTLE[:-1])
    side = -1 if _turns_right() else 1
    assert net * side == int(inside[-1]) - int(inside[0])


def _turns_right() -> bool:
    """Tell whether the inside of the castle lies on the right of its outline on the picture."""
    (x0, y0), (x1, y1), (x2, y2) = CASTLE[:3]
    return (x1 - x0) * (y2 - y1) - (y1 - y0) * (x2 - x1) > 0
