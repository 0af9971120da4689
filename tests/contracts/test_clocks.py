"""What every clock keeps to."""

import threading

import pytest

from calmstreet.clock import Clock, FakeClock, SystemClock


@pytest.fixture(params=[SystemClock, FakeClock])
def clock(request: pytest.FixtureRequest) -> Clock:
    made: Clock = request.param()
    return made


def test_instants_are_whole_nanoseconds(clock: Clock) -> None:
    assert isinstance(clock.now_ns(), int)
    assert clock.now_ns() >= 0


def test_it_never_runs_backwards(clock: Clock) -> None:
    told = [clock.monotonic_s() for _ in range(5)]
    assert told == sorted(told)
    assert all(isinstance(t_s, float) for t_s in told)


def test_the_systems_clock_lives_in_this_century() -> None:
    assert SystemClock().now_ns() > 1_600_000_000 * 10**9


def test_the_false_clock_moves_when_told_to() -> None:
    clock = FakeClock(start_ns=7)
    clock.advance(2.5)
    assert (clock.now_ns(), clock.monotonic_s()) == (2_500_000_007, 2.5)


def test_waiting_lets_time_pass_unless_told_to_stop(clock: Clock) -> None:
    stop = threading.Event()
    before_s = clock.monotonic_s()
    assert not clock.wait(stop, 0.001)
    assert clock.monotonic_s() - before_s >= 0.001
    stop.set()
    assert clock.wait(stop, 3600.0)


def test_only_the_wall_of_the_false_clock_is_stepped() -> None:
    clock = FakeClock(start_ns=7)
    clock.step(-3600.0)
    assert (clock.now_ns(), clock.monotonic_s()) == (7 - 3600 * 10**9, 0.0)
