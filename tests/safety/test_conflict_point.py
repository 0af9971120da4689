"""The point where the ways of two users cross, and when each passed it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.safety.crossing_street import S, driven

from calmstreet.model.points import TrackPoints
from calmstreet.safety.conflict_point import passages_of_point
from calmstreet.safety.movers import Movers, movers_of
from calmstreet.safety.paths import NO_PATHS


def movers(points: TrackPoints) -> Movers:
    return movers_of(points, NO_PATHS)[0]


@given(first_mps=st.floats(4.0, 20.0), second_mps=st.floats(4.0, 20.0))
def test_rear_leaves_and_front_comes_half_a_length_away(
    first_mps: float, second_mps: float
) -> None:
    first = movers(driven(1, (-40.0, 0.0), (60.0, 0.0), speed_mps=first_mps))
    second = movers(driven(2, (0.0, -40.0), (0.0, 60.0), speed_mps=second_mps, start_s=3.0))
    passed = passages_of_point(first, second, exit_ns=int(first.t_ns[0]), entry_ns=0)
    assert passed is not None
    half_m = 0.5 * float(first.length_m[0])
    start_ns = int(first.t_ns[0])
    assert (passed.exit_ns - start_ns) / S == pytest.approx((40 + half_m) / first_mps, abs=1e-4)
    wait_s = 3.0 + (40 - half_m) / second_mps
    assert (passed.entry_ns - start_ns) / S == pytest.approx(wait_s, abs=1e-4)
    assert (passed.x_m, passed.y_m) == pytest.approx((0.0, 0.0), abs=1e-4)


def test_of_two_crossings_the_nearer_in_time_counts() -> None:
    first = movers(driven(1, (-40.0, 0.0), (20.0, 0.0), (20.0, 30.0), speed_mps=10.0))
    second = movers(driven(2, (0.0, -20.0), (0.0, 10.0), (40.0, 10.0), speed_mps=10.0))
    start_ns = int(first.t_ns[0])
    early = passages_of_point(first, second, exit_ns=start_ns, entry_ns=start_ns)
    late = passages_of_point(first, second, exit_ns=start_ns + 8 * S, entry_ns=start_ns + 8 * S)
    assert early is not None
    assert late is not None
    assert (early.x_m, early.y_m) == pytest.approx((0.0, 0.0), abs=0.01)
    assert (late.x_m, late.y_m) == pytest.approx((20.0, 10.0), abs=0.01)


def test_ways_that_do_not_cross_have_no_point() -> None:
    first = movers(driven(1, (-40.0, 0.0), (40.0, 0.0), speed_mps=10.0))
    beside = movers(driven(2, (-40.0, 3.0), (40.0, 3.0), speed_mps=10.0))
    short = movers(driven(3, (0.0, -10.0), (0.0, 0.5), speed_mps=10.0))
    assert passages_of_point(first, beside, exit_ns=0, entry_ns=0) is None
    gone = passages_of_point(short, first, exit_ns=0, entry_ns=0)
    assert gone is None  # its rear was never seen to leave
