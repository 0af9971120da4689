"""Means, percentiles and shares of speeds: worked examples, and intervals that hold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calmstreet.safety.speed_stats import (
    percentile_orders,
    share_over,
    space_mean_mps,
    speed_stats,
    v85_of,
    wilson,
)
from calmstreet.units import kmh_from_mps, mps_from_kmh

TWENTY_KMH = np.array(
    [38, 40, 41, 43, 44, 46, 47, 48, 49, 50, 51, 52, 53, 55, 57, 58, 60, 62, 65, 71.0]
)


def test_v85_of_twenty_cars_and_how_little_they_say() -> None:
    found = v85_of(TWENTY_KMH / 3.6, 0.0)
    assert kmh_from_mps(found.value) == pytest.approx(60.3)
    assert percentile_orders(20) == (14, 20)
    assert (kmh_from_mps(found.low), kmh_from_mps(found.high)) == pytest.approx((55.0, 71.0))


def test_orders_of_a_hundred_cover_85_percent() -> None:
    assert percentile_orders(100) == (78, 93)
    chance = np.random.default_rng(1)
    ordered = np.sort(chance.normal(50, 7, (4000, 100)), axis=1)
    truth = 50 + 7 * 1.0364333894937898
    inside = (ordered[:, 77] <= truth) & (truth <= ordered[:, 92])
    assert 0.94 <= inside.mean() <= 0.98


def test_time_mean_and_space_mean() -> None:
    speeds = np.array([20.0, 10.0])
    assert speed_stats(speeds, 0.0, limit_mps=float("nan")).mean_mps.value == 15.0
    assert space_mean_mps(speeds) == pytest.approx(13.333, abs=5e-4)


def test_the_site_part_never_shrinks() -> None:
    many = np.tile(TWENTY_KMH / 3.6, 5000)
    stats = speed_stats(many, 0.02, limit_mps=mps_from_kmh(50))
    half = (stats.mean_mps.high - stats.mean_mps.low) / 2
    assert half == pytest.approx(1.96 * 0.02 * stats.mean_mps.value, rel=0.01)
    assert stats.v85_mps.high - stats.v85_mps.value >= 1.95 * 0.02 * stats.v85_mps.value
    assert stats.over.low <= np.mean(TWENTY_KMH / (1 + 1.96 * 0.02) > 50 * 1.0)
    assert not stats.indicative
    alone = speed_stats(many, 0.0, limit_mps=mps_from_kmh(50))
    assert alone.mean_mps.high - alone.mean_mps.low < 0.1 * 2 * half


def test_none_one_and_no_limit() -> None:
    none = speed_stats(np.empty(0), 0.02, limit_mps=10.0)
    assert none.n == 0
    assert np.isnan([none.mean_mps.value, none.v85_mps.value, none.over.value]).all()
    one = speed_stats(np.array([9.0]), 0.02, limit_mps=float("nan"))
    assert one.mean_mps.value == 9.0
    assert np.isnan(one.mean_mps.low)
    assert np.isnan(one.over.value)
    assert one.indicative


@given(st.integers(1, 60), st.integers(0, 60), st.floats(0.0, 0.05))
def test_shares_lie_in_their_interval(n: int, over: int, site_share: float) -> None:
    count = min(over, n)
    speeds = np.r_[np.full(count, 16.0), np.full(n - count, 12.0)]
    found = share_over(speeds, 14.0, site_share)
    assert 0.0 <= found.low <= found.value <= found.high <= 1.0
    assert found.low <= wilson(count, n)[0] + 1e-12
    assert found.high >= wilson(count, n)[1] - 1e-12


def test_shares_near_the_limit_hang_on_the_scale() -> None:
    speeds = np.linspace(13.0, 14.7, 200)
    sure, unsure = share_over(speeds, 13.9, 0.0), share_over(speeds, 13.9, 0.02)
    assert unsure.high - unsure.low > 3 * (sure.high - sure.low)
