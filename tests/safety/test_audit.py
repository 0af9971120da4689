import numpy as np
import pytest

from calmstreet.safety.audit import Minute, audit_counts, choose_minutes, count_ratio


def lot(n: int = 200) -> list[Minute]:
    return [
        Minute(start_ns=i * 60, count=float((i * 37) % 23), light="night" if i % 4 == 0 else "day")
        for i in range(n)
    ]


def test_the_same_seed_draws_the_same_minutes_in_any_order_given() -> None:
    first = choose_minutes(lot(), n=20, seed=7)
    assert first == choose_minutes(lot()[::-1], n=20, seed=7)
    assert first != choose_minutes(lot(), n=20, seed=8)


def test_every_light_and_every_class_of_flow_is_drawn() -> None:
    drawn = choose_minutes(lot(), n=20, seed=7)
    assert len({minute.stratum for minute in drawn}) == 6
    assert len({minute.start_ns for minute in drawn}) == 20
    assert sum(minute.weight for minute in drawn) == pytest.approx(200)


def test_no_more_minutes_are_drawn_than_there_are() -> None:
    assert len(choose_minutes(lot(5), n=50, seed=1)) == 5
    assert choose_minutes([], n=5, seed=1) == []


def test_equal_flow_is_one_stratum() -> None:
    flat = [Minute(start_ns=i, count=3.0, light="day") for i in range(30)]
    assert {m.stratum for m in choose_minutes(flat, n=6, seed=1)} == {"day/flow-1"}


def test_small_and_perfect_counts_are_not_called_exact() -> None:
    few, many = count_ratio([1] * 5, [1] * 5), count_ratio([10] * 50, [10] * 50)
    assert few.ratio == many.ratio == 1
    assert (few.low, few.high) == pytest.approx((0.416, 1.876), abs=1e-3)
    assert (many.low, many.high) == pytest.approx((0.9913, 1.0088), abs=1e-4)


def test_nothing_to_count_says_nothing() -> None:
    nothing = count_ratio([0, 0], [0, 0])
    assert np.isnan([nothing.ratio, nothing.low, nothing.high]).all()
    assert nothing.geh == 0
    ghosts = count_ratio([2, 1], [0, 0])
    assert ghosts.ratio == ghosts.high == float("inf")


def test_more_lost_than_there_were_cannot_be() -> None:
    blind = count_ratio([0, 0, 0], [4, 4, 4])
    assert (blind.ratio, blind.low) == (0, 0)
    assert 0 < blind.high < 1


@pytest.mark.parametrize("found_share", [0.7, 0.95, 1.0])
def test_the_interval_holds_the_true_ratio_at_least_nineteen_times_in_twenty(
    found_share: float,
) -> None:
    rng = np.random.default_rng(11)
    held = 0
    for trial in range(200):
        truth = rng.poisson(6, 20)
        ours = rng.binomial(truth, found_share) + rng.poisson(0.12, 20)
        found = count_ratio(ours, truth, seed=trial)
        held += found.low <= found_share + 0.02 <= found.high
    assert held >= 190


def test_the_ratio_is_weighted_by_what_the_drawn_minutes_stand_for() -> None:
    found = count_ratio([10, 30], [10, 20], strata=["a", "b"], weights=[9, 1])
    assert found.ratio == pytest.approx((90 + 30) / (90 + 20))
    assert (found.counted, found.truth, found.minutes) == (40, 30, 2)


def test_geh_is_of_hourly_volumes() -> None:
    assert count_ratio([20] * 3, [10] * 3).geh == pytest.approx(
        np.sqrt(2 * 600**2 / (1200 + 600)), rel=1e-9
    )


def test_every_series_and_kind_and_their_total() -> None:
    drawn = choose_minutes(lot(), n=3, seed=1)
    table = audit_counts(
        {("gate:a:to_left", "car"): [3, 4, 5], ("gate:a:to_left", "unknown"): [1, 0, 0]},
        {("gate:a:to_left", "car"): [4, 4, 5], ("gate:b:to_left", "bus"): [1, 0, 0]},
        minutes=drawn,
    )
    by_name = {(row.what, row.kind): (row.counted, row.truth) for row in table}
    assert by_name == {
        ("gate:a:to_left", "car"): (12, 13),
        ("gate:a:to_left", "unknown"): (1, 0),
        ("gate:b:to_left", "bus"): (0, 1),
        ("gate:a:to_left", "total"): (13, 13),
        ("gate:b:to_left", "total"): (0, 1),
    }


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="one length"):
        count_ratio([1, 2], [1])
