import numpy as np
import pytest
from scipy import stats

from calmstreet.forecast.extremes import (
    GpdFit,
    anderson_darling,
    block_maxima_probability,
    crash_probability,
    declustered,
    draw_fits,
    extremal_index,
    fit_gpd,
    mean_residual_life,
    tail_probability,
)
from calmstreet.forecast.risk import excesses, rate_interval, rate_ratio, risk_of

TRUE = stats.genpareto.sf(1.5, -0.2, scale=0.45)


def near_misses(count: int, hours: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return measures in s below 1.5 with the tail of the specification, and their times in s."""
    random = np.random.default_rng(seed)
    excess = stats.genpareto.rvs(-0.2, scale=0.45, size=count, random_state=random)
    return 1.5 - excess, np.sort(random.uniform(0, hours * 3600, count))


@pytest.mark.parametrize(
    ("distance", "xi", "sigma", "expected"),
    [
        (1.5, -0.2, 0.45, 0.00411523),
        (1.5, -0.1, 0.5, 0.0282475),
        (2.0, 0.0, 0.5, 0.0183156),
        (1.5, 0.1, 0.4, 0.0413974),
    ],
)
def test_tails_of_the_specification(
    distance: float, xi: float, sigma: float, expected: float
) -> None:
    assert float(tail_probability(distance, xi=xi, sigma=sigma)) == pytest.approx(
        expected, rel=1e-5
    )
    fit = GpdFit(xi=xi, sigma=sigma, count=100)
    assert crash_probability(fit, distance=distance) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("location", "scale", "xi", "expected"),
    [(-1.8, 0.5, -0.1, 0.0114630), (-1.5, 0.4, -0.2, 0.00097609), (-2.0, 0.6, 0.0, 0.0350452)],
)
def test_blocks_of_the_specification(
    location: float, scale: float, xi: float, expected: float
) -> None:
    found = block_maxima_probability(location=location, scale=scale, xi=xi)
    assert found == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("seed", range(6))
def test_the_fit_is_as_likely_as_that_of_scipy(seed: int) -> None:
    drawn = stats.genpareto.rvs(-0.2, scale=0.45, size=176, random_state=seed)
    ours = fit_gpd(drawn)
    c, _, scale = stats.genpareto.fit(drawn, floc=0)
    best = stats.genpareto.logpdf(drawn, c, scale=scale).sum()
    assert stats.genpareto.logpdf(drawn, ours.xi, scale=ours.sigma).sum() > best - 0.01


def test_a_small_sample_cannot_tell_crashes() -> None:
    measures, times = near_misses(176, 200.0, seed=1)
    found = risk_of(measures, time_s=times, hours=200.0)
    assert found.verdict == "not-enough"
    assert np.isnan(found.crashes)
    assert found.more_days == pytest.approx((500 - found.excesses) / found.rate / 24)
    excess = 1.5 - measures
    xi, sigma = draw_fits(excess, draws=200)
    drawn = len(excess) / 200 * 8760 * tail_probability(1.5, xi=xi, sigma=sigma)
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert low < 5
    assert high > 45


@pytest.mark.slow
def test_intervals_of_crashes_hold_the_truth() -> None:
    inside = 0
    for seed in range(6):
        measures, times = near_misses(1500, 1000.0, seed)
        found = risk_of(measures, time_s=times, hours=1000.0, draws=120)
        assert found.verdict == "crashes"
        inside += found.low <= 1.5 * 8760 * TRUE <= found.high
    assert inside >= 5


def test_measures_in_coarse_steps_are_unstable() -> None:
    random = np.random.default_rng(2)
    coarse = random.choice([0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75], 3000)
    found = risk_of(coarse, time_s=np.arange(3000) * 600.0, hours=500.0)
    assert found.verdict == "unstable"
    assert found.reasons
    assert np.isnan(found.crashes)


def test_nothing_seen_is_not_enough_and_not_zero() -> None:
    found = risk_of([], time_s=[], hours=10.0)
    assert found.verdict == "not-enough"
    assert found.rate_low == 0
    assert found.rate_high == pytest.approx(0.3689, abs=1e-3)
    assert found.more_days > 100


def test_rates_and_their_ratio() -> None:
    low, high = rate_interval(0, hours=1.0)
    assert low == 0.0
    assert high == pytest.approx(3.6889, abs=1e-3)
    ratio, low, high = rate_ratio(40, hours=10.0, other_count=20, other_hours=10.0)
    assert ratio == 2.0
    assert low > 1.0
    assert rate_ratio(5, hours=1.0, other_count=0, other_hours=1.0)[2] == float("inf")


def test_platoons_count_once() -> None:
    keep = declustered([1, 5, 2, 9, 3], time_s=[0, 20, 40, 200, 230], block_s=60.0)
    assert keep.tolist() == [False, True, False, True, False]
    random = np.random.default_rng(1)
    alone = random.uniform(0, 1e6, 400)
    assert extremal_index(alone, span_s=1e6) > 0.8
    together = np.repeat(random.uniform(0, 1e6, 80), 5) + np.tile(np.arange(5), 80)
    assert extremal_index(together, span_s=1e6) < 0.4


def test_a_junction_without_pause_is_many_stories() -> None:
    time_s = np.arange(0, 3600, 20.0)
    value_s = 1.0 + 0.5 * np.random.default_rng(2).random(len(time_s))
    assert declustered(-value_s, time_s=time_s, block_s=60.0).sum() == 60
    found = risk_of(value_s, time_s=time_s, hours=1.0)
    assert found.excesses == excesses(value_s, time_s=time_s, threshold_s=found.threshold_s)
    assert found.excesses > 30


def test_diagnostics_tell_good_from_bad() -> None:
    good = stats.genpareto.rvs(0.1, scale=1, size=400, random_state=4)
    assert anderson_darling(good, fit=fit_gpd(good), draws=60) > 0.05
    bad = np.abs(np.random.default_rng(4).normal(3, 0.2, 400))
    assert anderson_darling(bad, fit=fit_gpd(bad), draws=60) < 0.05
    mean, error = mean_residual_life(
        np.random.default_rng(5).exponential(1, 9000), thresholds=[0, 1]
    )
    assert mean == pytest.approx([1.0, 1.0], abs=0.08)
    assert (error < 0.05).all()
