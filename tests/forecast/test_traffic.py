import numpy as np
import pytest

from calmstreet.errors import InputError
from calmstreet.forecast.hierarchy import reconciled, summing_matrix
from calmstreet.forecast.traffic import aadt, level_of_delay, peak_hour_factor, signal_delay_s

NAMES = ["city", "east", "west", "a", "b", "c", "d"]
PARTS = {"city": ["east", "west"], "east": ["a", "b"], "west": ["c", "d"]}


def test_numbers_of_the_specification() -> None:
    assert peak_hour_factor([220, 250, 310, 270]) == pytest.approx(0.8468, abs=5e-5)
    delay_s = signal_delay_s(cycle_s=90, green_s=40, ratio=0.8, saturation_per_h=1800)
    assert delay_s == pytest.approx(29.80, abs=0.01)
    assert level_of_delay(delay_s) == "C"


def test_gaps_do_not_bias_the_annual_mean() -> None:
    random = np.random.default_rng(1)
    day = np.arange("2025-01-01", "2026-01-01", dtype="datetime64[D]")
    month = day.astype("datetime64[M]").astype(int) % 12 + 1
    weekday = (day.astype(int) + 3) % 7
    volume = 10_000 * (1 + 0.15 * np.sin(month / 2)) * np.where(weekday == 6, 0.7, 1.05)
    volume = volume + random.normal(0, 150, len(day))
    true = aadt(volume, month=month, weekday=weekday)
    holes = volume.copy()
    date = (day - day.astype("datetime64[M]")).astype(int)
    holes[(month == 7) & (date > 6)] = np.nan
    holes[(weekday == 6) & (date > 6)] = np.nan
    found = aadt(holes, month=month, weekday=weekday)
    assert abs(found - true) < 0.3 * abs(np.nanmean(holes) - true)
    assert np.isnan(aadt(volume[:200], month=month[:200], weekday=weekday[:200]))


@pytest.mark.parametrize("weighted", [False, True])
def test_a_hierarchy_adds_up(weighted: bool) -> None:
    random = np.random.default_rng(2)
    summing = summing_matrix(NAMES, parts=PARTS)
    errors = random.normal(size=(7, 300)) * np.array([9, 5, 5, 2, 2, 2, 2])[:, None]
    base = summing @ random.uniform(10, 50, (4, 24)) + errors[:, :24]
    found = reconciled(base, summing=summing, residuals=errors if weighted else None)
    assert np.abs(found[0] - found[3:].sum(axis=0)).max() < 1e-6
    assert np.abs(found[1] - found[3:5].sum(axis=0)).max() < 1e-6


def test_minimum_trace_is_better_than_adding_up() -> None:
    random = np.random.default_rng(3)
    summing = summing_matrix(NAMES, parts=PARTS)
    size = np.array([1, 1, 1, 3, 3, 3, 3])[:, None]
    truth = summing @ random.uniform(10, 50, (4, 400))
    base = truth + random.normal(size=(7, 400)) * size
    past = random.normal(size=(7, 400)) * size
    weighted = reconciled(base, summing=summing, residuals=past)
    added = reconciled(base, summing=summing)
    assert np.abs(weighted - truth).mean() < 0.6 * np.abs(added - truth).mean()


def test_circles_and_strangers_are_refused() -> None:
    with pytest.raises(InputError, match="part of itself"):
        summing_matrix(["a", "b"], parts={"a": ["b"], "b": ["a"]})
    with pytest.raises(InputError, match="'x' is no series"):
        summing_matrix(["a", "b"], parts={"a": ["x"]})
