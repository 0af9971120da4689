"""Rates by day blocks: no interval from two days, coverage, and days still needed."""

import numpy as np
import pytest
from tests.safety.crossing_street import at_once, driven

from calmstreet.safety.conflict_rates import conflict_rate, day_counts
from calmstreet.safety.conflicts import ConflictWatch


def test_no_interval_under_three_days() -> None:
    found = conflict_rate([3, 5], exposure=[2.0, 2.0])
    assert found.rate == 2.0
    assert np.isnan([found.low95, found.high95, found.days_needed]).all()
    assert not found.enough


def test_days_without_exposure_do_not_count() -> None:
    found = conflict_rate([3, 0, 5, 4], exposure=[2.0, 0.0, 2.0, 2.0])
    assert found.days == 3
    assert found.rate == 2.0
    empty = conflict_rate([], exposure=[])
    assert np.isnan(empty.rate)
    assert not conflict_rate([0, 0, 0], exposure=[1, 1, 1]).enough


def test_calm_days_are_enough_and_wild_days_are_not() -> None:
    calm = conflict_rate([10, 11, 9, 10, 10], exposure=[5] * 5)
    wild = conflict_rate([1, 30, 2, 25, 3], exposure=[5] * 5)
    assert calm.enough
    assert calm.days_needed <= 5
    assert not wild.enough
    assert wild.days_needed > 5
    strict = conflict_rate([10, 11, 9, 10, 10], exposure=[5] * 5, wanted_share=0.01)
    assert not strict.enough


def test_the_days_needed_are_about_enough() -> None:
    """With as many days as it asks for, the interval is about as narrow as wanted."""
    draw = np.random.default_rng(5)
    counts = draw.negative_binomial(4, 0.2, 40)
    needed = int(conflict_rate(counts[:10], exposure=np.full(10, 4.0)).days_needed)
    again = conflict_rate(draw.negative_binomial(4, 0.2, needed), exposure=np.full(needed, 4.0))
    assert 0.15 < again.half_width_share < 0.45


def test_interval_covers_the_rate() -> None:
    draw = np.random.default_rng(11)
    covered = 0
    for _ in range(100):
        exposure = draw.uniform(3, 6, 25)
        found = conflict_rate(draw.poisson(2.0 * exposure), exposure=exposure)
        covered += found.low95 <= 2.0 <= found.high95
    assert covered >= 85


def test_interval_is_the_same_each_time() -> None:
    one = conflict_rate([4, 6, 5], exposure=[1, 2, 1])
    assert one == conflict_rate([4, 6, 5], exposure=[1, 2, 1])
    assert one.rate == pytest.approx(15 / 4)


def test_days_are_local_and_spells_are_cut_at_midnight() -> None:
    """The watch begins at midnight UTC, 05:00 in Almaty; 18 hours later it is 23:00 there."""
    evening = 18 * 3600.0 + 55 * 60.0
    parts = []
    for start_s in (0.0, evening):
        watch = ConflictWatch()
        watch.update(
            at_once(
                driven(1, (-50, 0), (50, 0), speed_mps=10, start_s=start_s),
                driven(2, (0, -50), (0, 50), speed_mps=10, start_s=start_s + 1),
                driven(3, (900, 0), (1500, 0), speed_mps=1, start_s=start_s),
            )
        )
        parts.append(watch.close())
    found = day_counts(parts, tz="Asia/Almaty")
    assert [day.day for day in found.days] == [1, 2]
    assert found.conflicts.tolist() == [2, 0]
    assert found.pairs.tolist() == [2, 0]
    assert found.hours == pytest.approx([0.25, 300 / 3600], abs=1e-3)


def test_two_boxes_of_one_body_are_no_exposure() -> None:
    watch = ConflictWatch()
    watch.update(
        at_once(
            driven(1, (-50, 0), (2, 0), speed_mps=10),
            driven(2, (2.5, 1), (2.5, 60), speed_mps=10, start_s=5.3),
        )
    )
    found = watch.close()
    assert found.rejections() == {"id switch": 1}
    assert day_counts([found], tz="UTC").pairs.tolist() == [0]
