import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from tests.shared_data import shared_data

from calmstreet.errors import InputError
from calmstreet.forecast.screening import eb_estimate, fit_spf, level_of_service, top_share


def test_the_example_of_hauer_and_others() -> None:
    yearly = 0.0224 * 4000**0.564 * 1.8
    k = 1 / (2.05 * 1.8)
    one = eb_estimate([12.0], predicted=[yearly], dispersion=[k])
    assert yearly / 1.8 == pytest.approx(2.41, abs=0.005)
    assert one.weight[0] == pytest.approx(0.460, abs=0.001)
    assert one.expected[0] == pytest.approx(8.48, abs=0.005)
    assert one.variance[0] ** 0.5 == pytest.approx(2.14, abs=0.005)
    three = eb_estimate([12.0 + 7 + 8], predicted=[3 * yearly], dispersion=[k])
    assert three.weight[0] == pytest.approx(0.221, abs=0.001)
    assert three.expected[0] == pytest.approx(23.91, abs=0.01)
    assert three.expected[0] / 3 == pytest.approx(7.97, abs=0.005)
    assert three.variance[0] ** 0.5 / 3 == pytest.approx(1.44, abs=0.005)


def test_it_is_the_gamma_posterior() -> None:
    found = eb_estimate([9.0], predicted=[3.0], dispersion=[0.4])
    assert found.expected[0] == pytest.approx(6.272727, abs=1e-6)
    assert found.variance[0] == pytest.approx(3.421488, abs=1e-6)


@given(st.integers(0, 500), st.floats(0.01, 200.0), st.floats(0.001, 5.0))
def test_expected_lies_between_count_and_prediction(count: int, mean: float, k: float) -> None:
    found = eb_estimate([count], predicted=[mean], dispersion=[k])
    shape, rate = 1 / k + count, 1 / (k * mean) + 1
    assert found.expected[0] == pytest.approx(shape / rate)
    assert found.variance[0] == pytest.approx(shape / rate**2)
    assert min(count, mean) - 1e-9 <= found.expected[0] <= max(count, mean) + 1e-9


def test_expected_crashes_of_the_manual() -> None:
    path = shared_data("crashes/HSM_cpm_Results_every5th.csv")
    table = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    rows = [row for row in table if row["factype"] == "rtl_seg" and row["exp_kabco"]]
    assert len(rows) > 100
    found = eb_estimate(
        [float(r["obs_kabco"]) for r in rows],
        predicted=[float(r["pred_kabco"]) for r in rows],
        dispersion=[0.236 / float(r["length"]) for r in rows],
    )
    assert np.abs(found.expected - [float(r["exp_kabco"]) for r in rows]).max() < 1e-6


def simulated(seed: int, n: int = 2000) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return log traffic, mean, and counts of three years before and after, with no treatment."""
    random = np.random.default_rng(seed)
    log_aadt = random.normal(9, 0.6, n)
    mean = np.exp(-6.5 + 0.75 * log_aadt)
    rate = mean * random.gamma(2.0, 0.5, n)
    return log_aadt, mean, random.poisson(3 * rate), random.poisson(3 * rate)


@pytest.mark.slow
def test_slopes_of_sixty_draws_have_no_bias() -> None:
    slopes, errors, ks = [], [], []
    for seed in range(100, 160):
        x, _, before, _ = simulated(seed)
        fit = fit_spf(before, features={"log_aadt": x})
        slopes.append(fit.coefficients[1])
        errors.append((fit.coefficients[1] - 0.75) / fit.sd[1])
        ks.append(fit.dispersion)
    assert abs(np.mean(slopes) - 0.75) < 0.012
    assert np.mean(slopes) == pytest.approx(0.7495, abs=0.002)
    assert abs(np.mean(errors)) < 0.3
    assert 0.7 < np.std(errors) < 1.25
    assert np.mean(ks) == pytest.approx(0.5, abs=0.02)


def test_regression_to_the_mean_is_foreseen() -> None:
    _, mean, before, after = simulated(7)
    found = eb_estimate(before, predicted=3 * mean, dispersion=0.5)
    worst = np.argsort(-before, kind="stable")[:50]
    naive = 1 - after[worst].sum() / before[worst].sum()
    assert naive > 0.10
    assert found.expected[worst].sum() == pytest.approx(after[worst].sum(), rel=0.06)


def test_excess_finds_more_than_the_crash_rate() -> None:
    random = np.random.default_rng(3)
    log_aadt = random.normal(9, 0.6, 2000)
    mean = np.exp(-6.5 + 0.75 * log_aadt)
    rate = mean * random.gamma(2.0, 0.5, 2000)
    counts = random.poisson(3 * rate)
    true_excess = 3 * (rate - mean)
    found = eb_estimate(counts, predicted=3 * mean, dispersion=0.5)

    def captured(key: np.ndarray) -> float:
        return float(true_excess[np.argsort(-key, kind="stable")[:50]].sum())

    assert captured(found.excess) >= captured(counts.astype(float)) * 0.97
    assert captured(found.excess) > 1.3 * captured(counts / np.exp(log_aadt))


def test_a_fit_is_a_maximum_of_the_likelihood() -> None:
    x, _, y, _ = simulated(11, 400)
    fit = fit_spf(y, features={"log_aadt": x})

    def likely(b0: float, b1: float, k: float) -> float:
        mean = np.exp(b0 + b1 * x)
        return float(stats.nbinom.logpmf(y, 1 / k, 1 / (1 + k * mean)).sum())

    b0, b1 = fit.coefficients
    best = likely(b0, b1, fit.dispersion)
    for db0, db1, factor in ((0.02, 0, 1), (0, 0.005, 1), (0, 0, 1.1), (-0.02, 0, 1), (0, 0, 0.9)):
        assert likely(b0 + db0, b1 + db1, fit.dispersion * factor) < best


def test_what_cannot_be_fitted_is_said() -> None:
    with pytest.raises(InputError, match="borrowed"):
        fit_spf([1, 0, 2], features={"log_aadt": [1.0, 2.0, 3.0]})
    with pytest.raises(InputError, match="same at all sites"):
        fit_spf([1, 0, 2, 4, 1], features={"log_aadt": [8.0] * 5})
    thin = fit_spf([1, 0, 2, 4, 1, 0], features={"log_aadt": [8.0, 7, 9, 9.5, 8.2, 7.7]})
    assert not thin.enough


def test_levels_and_chances() -> None:
    assert level_of_service([0.0, 1.0, 5.0, 9.0], predicted=3.0, dispersion=0.0) == [
        "I", "II", "III", "IV",
    ]  # fmt: skip
    found = eb_estimate([30, 5, 5, 5], predicted=[5.0] * 4, dispersion=[0.5] * 4)
    share = top_share(found, predicted=[5.0] * 4, top=2)
    assert share.sum() == pytest.approx(2.0)
    assert share[0] > 0.98
    assert share[1:] == pytest.approx([1 / 3] * 3, abs=0.04)
