"""Stream time on our clock: the error is bounded whatever the stream and the network do."""

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calmstreet.video.stream_clock import JUMP, SETTLING, STEP, Stamp, StreamClock

S = 1_000_000_000
BASE = Fraction(1, 90_000)
AHEAD = 1_700_000_000 * S
Ticks = Callable[[int, float], int | None]


def honest(_: int, taken_s: float) -> int:
    return round(taken_s * 90_000)


def stamps(
    taken_s: Sequence[float],
    delay_s: Sequence[float],
    ticks: Ticks = honest,
    ahead_ns: Callable[[float], int] = lambda _: AHEAD,
    wrap_bits: int = 0,
) -> list[Stamp]:
    """What a camera's frames are stamped with: taken, delayed, in the order of arrival."""
    clock = StreamClock(time_base=BASE, wrap_bits=wrap_bits)
    arrival_s = np.maximum.accumulate(np.asarray(taken_s) + np.asarray(delay_s))
    return [
        clock.stamp(
            ticks(k, taken), arrival_ns=round(came * S) + 7 * S, ahead_ns=ahead_ns(float(came))
        )
        for k, (taken, came) in enumerate(zip(taken_s, arrival_s, strict=True))
    ]


def errors_s(
    given_: Sequence[Stamp], taken_s: Sequence[float]
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array(
        [(s.t_ns - AHEAD - 7 * S) / S - t for s, t in zip(given_, taken_s, strict=True)]
    )


def times(seconds: float, fps: float) -> list[float]:
    return [k / fps for k in range(int(seconds * fps))]


def jitter(count: int, seed: int, usual_s: float = 0.005) -> list[float]:
    return list(0.02 + np.random.default_rng(seed).exponential(usual_s, count))


@given(
    fps=st.sampled_from([1.0, 5.0, 10.0, 25.0, 50.0, 120.0]),
    seed=st.integers(0, 2**32 - 1),
    origin=st.integers(-(2**40), 2**40),
    ppm=st.floats(-100, 100),
)
@settings(max_examples=60, deadline=None)
def test_an_ordinary_camera_is_stamped_within_the_networks_jitter(
    fps: float, seed: int, origin: int, ppm: float
) -> None:
    taken = times(20, fps)
    told = stamps(
        taken, jitter(len(taken), seed), lambda _, t: origin + round(t * (1 + ppm / 1e6) * 90_000)
    )
    kept = [(s, t) for s, t in zip(told, taken, strict=True) if s.verdict != SETTLING]
    assert len(kept) >= len(taken) - 2
    assert all(s.verdict == "" and not s.by_arrival for s, _ in kept)
    error = errors_s([s for s, _ in kept], [t for _, t in kept])
    assert error.max() - error.min() < 0.06
    assert np.all(np.diff([s.t_ns for s, _ in kept]) > 0)


@given(
    arrivals=st.lists(st.integers(0, 3 * S), min_size=2, max_size=60),
    ticks=st.lists(st.none() | st.integers(-(2**45), 2**45), min_size=60, max_size=60),
    steps=st.lists(st.sampled_from([0, 0, 0, 0, -3600 * S, 86_400 * S]), min_size=60, max_size=60),
)
@settings(max_examples=100, deadline=None)
def test_whatever_comes_times_grow_between_verdicts_and_never_lie_ahead_of_arrival(
    arrivals: list[int], ticks: list[int | None], steps: list[int]
) -> None:
    clock = StreamClock(time_base=BASE)
    now_ns, ahead_ns, last_ns = 0, AHEAD, -1
    for k, since_ns in enumerate(arrivals):
        now_ns += since_ns
        ahead_ns += steps[k]
        told = clock.stamp(ticks[k], arrival_ns=now_ns, ahead_ns=ahead_ns)
        if told.verdict == SETTLING:
            continue
        assert told.verdict == STEP or told.t_ns > last_ns
        assert (told.verdict == STEP) == (steps[k] != 0 and k > 0) or told.verdict == JUMP
        assert told.t_ns - ahead_ns <= now_ns + 1000 * (k + 1)
        last_ns = told.t_ns


def test_a_steady_file_keeps_its_very_nanoseconds() -> None:
    clock = StreamClock(time_base=Fraction(1, 12_800))
    for k in range(400):
        ticks = 512 * k + 77
        media_ns = 512 * k * S // 12_800
        told = clock.stamp(ticks, arrival_ns=5 + media_ns, ahead_ns=AHEAD)
        assert told == Stamp(t_ns=AHEAD + 5 + media_ns)


def test_the_least_delayed_frame_wins() -> None:
    taken = times(10, 25.0)
    delay = [0.4] * 50 + [0.01] * (len(taken) - 50)
    error = errors_s(stamps(taken, delay), taken)
    assert error[0] == pytest.approx(0.4)
    assert abs(error[-1] - 0.01) < 1e-6
    assert error.min() > 0.0099


def test_a_stall_of_the_network_leaves_no_trace() -> None:
    taken = times(20, 25.0)
    delay = np.array(jitter(len(taken), 3))
    delay[200] = 2.5
    told = stamps(taken, list(delay))
    gaps_s = np.diff([s.t_ns for s in told]) / S
    assert gaps_s.max() < 0.08
    assert not [s for s in told if s.verdict]


def test_25_declared_and_21_delivered_stays_within_half_a_second() -> None:
    taken = times(300, 21.0)
    told = stamps(taken, jitter(len(taken), 1), lambda k, _: k * 3600)
    assert np.abs(errors_s(told, taken)).max() < 0.5
    assert np.abs(errors_s(told, taken))[21 * 20 :].max() < 0.15
    assert not [s for s in told if s.verdict]


@pytest.mark.parametrize("delivered", [24.0, 24.9, 24.97, 26.0, 30.0])
def test_timestamps_at_a_false_speed_never_lead_far_astray(delivered: float) -> None:
    taken = times(600, delivered)
    told = stamps(taken, jitter(len(taken), 1), lambda k, _: k * 3600)
    assert np.abs(errors_s(told, taken)).max() < 0.5
    assert not [s for s in told if s.verdict not in {"", SETTLING}]


def test_a_camera_that_slows_down_at_night_is_followed() -> None:
    day, night = times(60, 25.0), [60 + k / 12.5 for k in range(750)]
    taken = day + night
    told = stamps(taken, jitter(len(taken), 2), lambda k, _: k * 3600)
    error = np.abs(errors_s(told, taken))
    assert error.max() < 2.5
    assert error[-300:].max() < 0.3


def test_32_bit_rtp_timestamps_wrap() -> None:
    start = 2**32 - 90_000 * 5
    taken = times(20, 25.0)
    told = stamps(
        taken,
        [0.02] * len(taken),
        lambda _, t: (start + round(t * 90_000)) % 2**32,
        wrap_bits=32,
    )
    assert np.abs(errors_s(told, taken)).max() < 0.021
    assert not [s for s in told if s.verdict or s.by_arrival]


@pytest.mark.parametrize("jump_s", [-9_800.0, 37_600.0, -3.0, 6.0])
def test_single_frames_from_another_age_are_stamped_by_arrival(jump_s: float) -> None:
    taken = times(60, 25.0)
    odd = set(range(40, len(taken), 50))
    told = stamps(
        taken,
        jitter(len(taken), 4),
        lambda k, t: round((t + (jump_s if k in odd else 0.0)) * 90_000),
    )
    assert np.abs(errors_s(told, taken)).max() < 0.1
    assert {k for k, s in enumerate(told) if s.by_arrival} == odd
    assert not [s for s in told if s.verdict]


@pytest.mark.parametrize("jump_s", [-9_800.0, -2.0, 37_600.0])
def test_a_new_line_of_time_is_a_jump_once(jump_s: float) -> None:
    taken = times(60, 25.0)
    told = stamps(
        taken,
        jitter(len(taken), 5),
        lambda k, t: round((t + (jump_s if k >= 500 else 0.0)) * 90_000),
    )
    assert np.abs(errors_s(told, taken)).max() < 0.1
    verdicts = [(k, s.verdict) for k, s in enumerate(told) if s.verdict]
    assert verdicts == [(502, JUMP)]
    assert told[502].moved_s == pytest.approx(jump_s, abs=0.1)


def test_an_encoder_that_froze_its_clock_for_ten_seconds_is_a_jump() -> None:
    taken = [*times(20, 25.0), *(30 + k / 25.0 for k in range(1000))]
    told = stamps(taken, jitter(len(taken), 6), lambda k, _: k * 3600)
    jumps = [k for k, s in enumerate(told) if s.verdict == JUMP]
    assert len(jumps) == 1
    assert np.abs(errors_s(told, taken))[jumps[0] :].max() < 0.1


@pytest.mark.parametrize(
    "ticks",
    [lambda k, t: None, lambda k, t: 0, lambda k, t: None if k % 3 else round(t * 90_000)],
    ids=["missing", "zero", "two of three missing"],
)
def test_frames_without_timestamps_are_stamped_by_arrival(ticks: Ticks) -> None:
    taken = times(20, 25.0)
    told = stamps(taken, jitter(len(taken), 7), ticks)
    assert np.abs(errors_s(told, taken)).max() < 0.15
    assert sum(s.by_arrival for s in told) > 300


def test_a_late_frame_without_a_timestamp_does_not_run_ahead_of_the_others() -> None:
    taken = times(20, 25.0)
    delay = [0.02] * len(taken)
    delay[200] = 2.0
    told = stamps(taken, delay, lambda k, t: None if k == 200 else round(t * 90_000))
    assert np.abs(errors_s(told, taken)).max() < 0.021
    assert told[200].by_arrival


def test_every_frame_twice_keeps_growing() -> None:
    taken = times(20, 25.0)
    told = stamps(taken, jitter(len(taken), 8), lambda k, _: k // 2 * 7200)
    assert np.abs(errors_s(told, taken)).max() < 0.15
    assert np.all(np.diff([s.t_ns for s in told]) > 0)


@pytest.mark.parametrize("step_s", [-3600, 86_400, -10 * 365 * 86_400, 1])
def test_a_step_of_the_wall_clock_is_seen_at_once_and_moves_nothing_else(step_s: int) -> None:
    taken = times(20, 25.0)
    told = stamps(
        taken, jitter(len(taken), 9), ahead_ns=lambda t: AHEAD + (step_s * S if t > 10 else 0)
    )
    steps = [k for k, s in enumerate(told) if s.verdict == STEP]
    assert len(steps) == 1
    assert told[steps[0]].moved_s == step_s
    moved = [s.t_ns - (step_s * S if k >= steps[0] else 0) for k, s in enumerate(told)]
    assert np.all(np.diff(moved) > 0)
    assert np.diff(moved).max() < 0.08 * S


def test_slewing_by_the_time_service_is_no_step() -> None:
    taken = times(60, 25.0)
    told = stamps(taken, [0.02] * len(taken), ahead_ns=lambda t: AHEAD + round(t * 500e-6 * S))
    assert not [s for s in told if s.verdict]


def test_old_pictures_sent_in_a_burst_after_connecting_are_passed_over() -> None:
    taken = times(10, 25.0)
    delay = [max(0.02, 2.0 - t) for t in taken]
    told = stamps(taken, delay)
    kept = [(s, t) for s, t in zip(told, taken, strict=True) if s.verdict != SETTLING]
    error = errors_s([s for s, _ in kept[1:]], [t for _, t in kept[1:]])
    assert np.abs(error - 0.02).max() < 0.01
    assert len(kept) > 190


def test_a_new_connection_has_a_line_of_its_own() -> None:
    clock = StreamClock(time_base=BASE)
    first = clock.stamp(90_000, arrival_ns=S, ahead_ns=AHEAD)
    clock.restart(Fraction(1, 1000))
    again = clock.stamp(5, arrival_ns=9 * S, ahead_ns=AHEAD)
    assert (first.t_ns, again.t_ns) == (AHEAD + S, AHEAD + 9 * S)
    assert again.verdict == ""
