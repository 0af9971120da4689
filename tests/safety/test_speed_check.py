"""Matching passages one to one, and what a comparison with a reference says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calmstreet.geometry.shapes import make_line
from calmstreet.safety.speed_check import compare, drive_through, match_times

S = 1_000_000_000
times = st.lists(st.integers(0, 60 * S), max_size=12)


@given(times, times)
def test_nobody_is_matched_twice_or_too_far_apart(ours: list[int], reference: list[int]) -> None:
    mine, other = np.array(ours, np.int64), np.array(reference, np.int64)
    pairs = match_times(mine, other, window_s=2.0)
    assert len({a for a, _ in pairs}) == len({b for _, b in pairs}) == len(pairs)
    assert all(abs(ours[a] - reference[b]) <= 2 * S for a, b in pairs)
    swapped = match_times(other, mine, window_s=2.0)
    assert len(swapped) == len(pairs)


def test_the_nearest_is_taken_first() -> None:
    pairs = match_times(np.array([0, S]), np.array([S + S // 10]), window_s=2.0)
    assert pairs == [(1, 0)]


def test_bias_spread_and_coverage() -> None:
    chance = np.random.default_rng(1)
    reference = chance.uniform(10, 20, 200)
    ours = reference + 0.3 + chance.normal(0, 0.4, 200)
    site = np.full(200, 0.3)
    found = compare(ours, np.full(200, 1.96 * 0.5), site, reference)
    assert found["bias_mps"] == pytest.approx(0.3, abs=0.1)
    assert found["spread_mps"] == pytest.approx(0.4, abs=0.05)
    assert found["passed"]
    assert 0.85 < found["coverage"] < 1.0
    assert not compare(ours + 2.0, site, site, reference)["passed"]


def test_few_or_no_matches_never_pass() -> None:
    few = compare(np.full(9, 14.0), np.ones(9), np.ones(9), np.full(9, 14.0))
    assert not few["passed"]
    none = compare(np.empty(0), np.empty(0), np.empty(0), np.empty(0))
    assert none["n"] == 0
    assert not none["passed"]
    assert np.isnan(none["bias_mps"])


def test_a_drive_crosses_a_gate_at_its_speed() -> None:
    t_ns = np.arange(20, dtype=np.int64) * S
    places = np.stack([np.full(20, 1.0), np.arange(20) * 12.5], axis=1)
    line = make_line([(-5.0, 100.0), (5.0, 100.0)], y_up=True)
    ((at_ns, speed),) = drive_through(t_ns, places, line)
    assert at_ns == pytest.approx(8 * S, abs=1e5)
    assert speed == pytest.approx(12.5)
    beside = places + np.array([30.0, 0.0])
    assert drive_through(t_ns, beside, line) == []
