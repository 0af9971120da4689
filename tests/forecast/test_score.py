import numpy as np
import pytest
from scipy import stats

from calmstreet.forecast.score import (
    coverage_share,
    crps_ensemble,
    crps_normal,
    interval_score,
    mean_absolute,
    pinball,
    seasonal_scale,
    weighted_interval_score,
)


def test_numbers_of_the_specification() -> None:
    assert float(crps_normal(0.0, mean=0.0, sd=1.0)) == pytest.approx(0.233695, abs=1e-6)
    assert float(crps_normal(0.0, mean=0.0, sd=1.0)) == pytest.approx((2**0.5 - 1) / np.pi**0.5)
    assert crps_ensemble(1.0, members=[0, 1, 2, 3]) == pytest.approx(0.375)
    assert float(interval_score(25.0, low=10.0, high=20.0, alpha=0.2)) == pytest.approx(60.0)
    intervals = [(0.5, 12.0, 16.0), (0.2, 10.0, 20.0)]
    score = weighted_interval_score(25.0, median=14.0, intervals=intervals)
    assert float(score) == pytest.approx(8.6)


def test_an_ensemble_of_a_normal_scores_like_the_normal() -> None:
    members = stats.norm.ppf((np.arange(2000) + 0.5) / 2000)
    for y in (-1.0, 0.0, 2.0):
        assert crps_ensemble(y, members=members) == pytest.approx(
            float(crps_normal(y, mean=0.0, sd=1.0)), abs=0.01
        )


def test_the_weighted_score_is_the_mean_of_pinball_losses() -> None:
    y = np.array([3.0, 9.0, 20.0])
    levels = {0.05: 2.0, 0.25: 4.0, 0.5: 6.0, 0.75: 9.0, 0.95: 15.0}
    wis = weighted_interval_score(y, median=6.0, intervals=[(0.5, 4.0, 9.0), (0.1, 2.0, 15.0)])
    losses = sum(2 * pinball(y, quantile=q, level=level) for level, q in levels.items()) / 5
    assert wis == pytest.approx(losses)


def test_missing_values_do_not_count() -> None:
    assert coverage_share([1.0, np.nan], low=[0.0, 0.0], high=[2.0, 2.0]) == 1.0
    assert np.isnan(coverage_share([np.nan], low=[0.0], high=[1.0]))
    assert mean_absolute([np.nan, 2.0, -4.0]) == 3.0
    assert np.isnan(mean_absolute([np.nan]))


def test_a_series_that_never_changes_has_no_scale() -> None:
    assert np.isnan(seasonal_scale(np.zeros(50), season=7))
    assert np.isnan(seasonal_scale([1.0, 2.0, 3.0], season=7))
    assert seasonal_scale([1.0, np.nan, 2.0, 5.0], season=2) == 1.0
