"""Swinging, being pushed, coming back and being lost are told apart by time alone."""

from collections.abc import Callable

import numpy as np
import pytest

from calmstreet.units import ns_from_s
from calmstreet.video.resting import Resting, Spell

OFF_PX = 0.5


def px(turn: np.ndarray) -> float:
    return float(np.abs(turn).max())


def followed(
    place_px: Callable[[float], float | None], *, until_s: float, step_s: float = 0.1
) -> Resting:
    """Follow a camera that looks so many pixels aside, None where nothing is found."""
    resting = Resting(start_ns=0, reach=px, off_px=OFF_PX)
    dice = np.random.default_rng(1)
    for t_s in np.arange(0.0, until_s, step_s):
        aside = place_px(float(t_s))
        if aside is None:
            resting.miss(ns_from_s(float(t_s)))
        else:
            noise = dice.normal(0, 0.03, 4)
            resting.take(ns_from_s(float(t_s)), np.array([aside, 0, 0, 0]) + noise)
    return resting


def times(spell: Spell) -> tuple[float, float | None]:
    return spell.start_ns / 1e9, None if spell.end_ns is None else spell.end_ns / 1e9


def test_at_rest_nothing_is_told() -> None:
    resting = followed(lambda _: 0.0, until_s=60.0)
    assert not resting.spells
    assert not resting.stirred
    assert resting.swing_px == 0


@pytest.mark.parametrize("hz", [0.5, 1.0, 1.7])
def test_a_sway_is_no_shift(hz: float) -> None:
    resting = followed(lambda t_s: 2.0 * np.sin(2 * np.pi * hz * t_s), until_s=30.0)
    assert not resting.spells
    assert resting.stirred
    assert resting.swing_px == pytest.approx(2.0, abs=0.25)


@pytest.mark.parametrize("step_s", [0.1, 0.5])
def test_a_push_is_told_from_the_last_good_instant(step_s: float) -> None:
    resting = followed(lambda t_s: 3.0 * (t_s >= 12), until_s=40.0, step_s=step_s)
    (spell,) = resting.spells
    start_s, end_s = times(spell)
    assert 12 - step_s - 0.01 <= start_s <= 12
    assert end_s is None
    assert resting.moved
    assert not resting.stirred
    assert resting.rest[0] == pytest.approx(3.0, abs=0.05)


def test_who_comes_back_is_where_it_was() -> None:
    resting = followed(lambda t_s: 3.0 * (12 <= t_s < 24), until_s=40.0)
    (spell,) = resting.spells
    start_s, end_s = times(spell)
    assert start_s == pytest.approx(12.0, abs=0.11)
    assert end_s == pytest.approx(24.0, abs=0.11)
    assert end_s is not None
    assert end_s >= 24
    assert not resting.rest.any()
    assert not resting.moved


def test_two_pushes_are_two_spells_without_a_hole() -> None:
    resting = followed(lambda t_s: 3.0 * (t_s >= 10) + 4.0 * (t_s >= 20), until_s=40.0)
    first, second = resting.spells
    assert first.end_ns == second.start_ns
    assert second.end_ns is None
    assert resting.rest[0] == pytest.approx(7.0, abs=0.05)


def test_a_slow_drift_is_followed() -> None:
    resting = followed(lambda t_s: 0.05 * t_s, until_s=60.0)
    assert len(resting.spells) >= 3
    assert resting.rest[0] == pytest.approx(3.0, abs=0.8)


def test_a_moment_without_the_street_is_nothing() -> None:
    resting = followed(lambda t_s: None if 10 <= t_s < 20 else 0.0, until_s=40.0)
    assert not resting.spells


def test_lost_and_found() -> None:
    resting = followed(lambda t_s: None if 10 <= t_s < 40 else 0.0, until_s=60.0)
    (spell,) = resting.spells
    start_s, end_s = times(spell)
    assert spell.turn is None
    assert start_s == pytest.approx(10.0, abs=0.11)
    assert end_s == pytest.approx(40.0, abs=0.11)


def test_found_elsewhere_is_a_shift_from_then_on() -> None:
    resting = followed(lambda t_s: None if 10 <= t_s < 40 else 5.0 * (t_s >= 40), until_s=60.0)
    lost, shifted = resting.spells
    assert lost.turn is None
    assert lost.end_ns == shifted.start_ns
    assert shifted.turn is not None
    assert shifted.turn[0] == pytest.approx(5.0, abs=0.05)


def test_begun_elsewhere() -> None:
    resting = Resting(start_ns=5, reach=px, off_px=OFF_PX)
    resting.begin_at(5, np.array([4.0, 0, 0, 0]))
    assert times(resting.spells[0]) == (5e-9, None)
    near = Resting(start_ns=5, reach=px, off_px=OFF_PX)
    near.begin_at(5, np.array([0.2, 0, 0, 0]))
    assert not near.spells
