from typing import Any

import numpy as np
import pytest

from calmstreet.errors import InputError
from calmstreet.forecast.study import comparison_ratio, effect_of


def test_numbers_of_the_specification() -> None:
    found = effect_of(
        [20, 14, 17],
        after=[12, 8, 7],
        predicted_before=[9, 8, 10],
        predicted_after=[9.5, 8.2, 10.1],
        dispersion=0.3,
    )
    assert found.expected == pytest.approx(45.917, abs=5e-4)
    assert found.expected_variance == pytest.approx(34.585, abs=5e-4)
    assert found.theta == pytest.approx(0.5785, abs=5e-5)
    assert found.sd == pytest.approx(0.1316, abs=5e-5)
    assert found.naive == pytest.approx(0.529, abs=5e-4)
    assert found.mean_alone == pytest.approx(45.917 / 51, abs=1e-4)
    assert found.low < found.theta < found.high


def test_no_measure_shows_no_effect_where_the_naive_one_does() -> None:
    effects, naive, inside = [], [], 0
    for seed in range(60):
        random = np.random.default_rng(seed)
        mean = np.full(1000, 3.0)
        rate = mean * random.gamma(2.0, 0.5, 1000)
        before, after = random.poisson(rate), random.poisson(rate)
        worst = np.argsort(-before)[:40]
        found = effect_of(
            before[worst], after=after[worst], predicted_before=mean[worst],
            predicted_after=mean[worst], dispersion=0.5,
        )  # fmt: skip
        effects.append(found.theta)
        naive.append(found.naive)
        inside += found.low <= 1 <= found.high
    assert np.mean(effects) == pytest.approx(1.0, abs=0.03)
    assert np.mean(naive) < 0.8
    assert inside >= 53


def test_a_trend_widens_the_answer() -> None:
    given: Any = {"after": [9, 9], "predicted_before": [8, 8], "predicted_after": [8, 8]}
    plain = effect_of([10, 12], **given, dispersion=0.3)
    ratio, variance = comparison_ratio(100, after=80)
    moved = effect_of([10, 12], **given, dispersion=0.3, trend=ratio, trend_variance=variance)
    assert ratio == pytest.approx(0.8 / 1.01)
    assert moved.theta > plain.theta
    assert moved.sd / moved.theta > plain.sd / plain.theta


def test_nothing_after_is_no_proof_of_everything() -> None:
    found = effect_of([3], after=[0], predicted_before=[2], predicted_after=[2], dispersion=0.5)
    assert found.theta == 0
    assert found.high > 0.3


def test_what_cannot_be_answered_is_said() -> None:
    with pytest.raises(InputError, match="larger one"):
        comparison_ratio(0, after=4)
    with pytest.raises(InputError, match="no crash was expected"):
        effect_of([0], after=[0], predicted_before=[1], predicted_after=[0], dispersion=0.5)
