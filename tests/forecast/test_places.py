from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calmstreet.errors import InputError
from calmstreet.forecast.hotspot import adjusted, eb_rates, gi_star
from calmstreet.forecast.placement import (
    DEFAULT_CMF,
    DEFAULT_CMF_SD,
    benefits,
    best_cover,
    best_sites,
    chance_chosen,
    chance_covering,
)
from calmstreet.forecast.refused import refuse_columns, smells
from calmstreet.forecast.streets import (
    cut,
    density,
    metres_of,
    neighbours,
    snapped,
    streets_of,
)

CROSS = [[[0, 0], [100, 0]], [[100, 0], [200, 0]], [[100, 0], [100, 150]], [[100, 0], [100, -40]]]


def queen(rows: int, columns: int) -> list[list[int]]:
    return [
        [
            i * columns + j
            for i in range(rows)
            for j in range(columns)
            if abs(i - r) <= 1 and abs(j - c) <= 1
        ]
        for r in range(rows)
        for c in range(columns)
    ]


def test_gi_star_of_the_specification() -> None:
    values = np.ones((5, 5))
    values[2, 2] = 10
    values[[1, 3, 2, 2], [2, 2, 1, 3]] = 5
    z = gi_star(values.reshape(-1), near=queen(5, 5))
    assert z[12] == pytest.approx(2.9814, abs=5e-5)
    assert z[0] == pytest.approx(-0.9759, abs=5e-5)


def test_nothing_stands_out_of_an_even_field() -> None:
    assert (gi_star(np.full(25, 3.0), near=queen(5, 5)) == 0).all()


def test_the_false_discovery_rate_holds() -> None:
    random = np.random.default_rng(1)
    assert (adjusted(random.uniform(size=2000)) < 0.05).sum() <= 2
    assert adjusted([0.01, 0.04, 0.03, 0.005]).tolist() == pytest.approx([0.02, 0.04, 0.04, 0.02])


def test_short_streets_are_drawn_to_the_mean() -> None:
    random = np.random.default_rng(2)
    size = random.uniform(0.01, 2.0, 400)
    true = random.gamma(2.0, 1.0, 400)
    counts = random.poisson(true * size)
    rate = eb_rates(counts, exposure=size)
    assert np.abs(rate - true).mean() < 0.7 * np.abs(counts / size - true).mean()
    assert (eb_rates([0, 0, 0], exposure=[1.0, 2.0, 3.0]) == 0).all()


def test_cover_of_the_specification_is_the_optimum() -> None:
    weights = np.array([5, 1, 1, 8, 1, 1, 1, 9, 2, 4], float)
    near = np.abs(np.subtract.outer(range(10), range(10))) <= 1
    chosen, covered = best_cover(weights, near=near, count=2)
    by_hand = max(weights[near[:, list(p)].any(axis=1)].sum() for p in combinations(range(10), 2))
    assert covered == by_hand == 25.0
    assert chosen.sum() == 2


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000))
def test_sites_within_money_are_the_optimum(seed: int) -> None:
    random = np.random.default_rng(seed)
    gain, cost = random.uniform(1, 10, 8), random.uniform(1, 5, 8)
    chosen = best_sites(gain, cost=cost, budget=8.0)
    best = max(
        gain[list(p)].sum()
        for n in range(9)
        for p in combinations(range(8), n)
        if cost[list(p)].sum() <= 8.0
    )
    assert cost[chosen].sum() <= 8.0 + 1e-9
    assert gain[chosen].sum() == pytest.approx(best, rel=1e-6)


def test_fairness_has_a_price() -> None:
    gain, cost = [9.0, 8.0, 7.0, 1.0], np.ones(4)
    groups = {"a": [0, 1, 2], "b": [3]}
    free = best_sites(gain, cost=cost, budget=2.0)
    fair = best_sites(gain, cost=cost, budget=2.0, groups=groups, least=1)
    assert free.tolist() == [True, True, False, False]
    assert fair.tolist() == [True, False, False, True]
    with pytest.raises(InputError, match="--min-per-district"):
        best_sites(gain, cost=cost, budget=1.0, groups=groups, least=1)


def test_benefits_carry_every_doubt() -> None:
    sure = benefits(
        [10.0], variance=[0.0], cmf=[0.85], cmf_sd=[0.0], crash_cost=[1000.0],
        crash_cost_sd=[0.0], years=[5.0], life_years=10.0, discount_share=0.0,
    )  # fmt: skip
    assert sure.mean[0] == pytest.approx(10 / 5 * 0.15 * 1000 * 10)
    assert sure.low[0] == pytest.approx(sure.high[0])
    wide = benefits(
        [10.0], variance=[9.0], cmf=[DEFAULT_CMF], cmf_sd=[DEFAULT_CMF_SD], crash_cost=[1000.0],
        crash_cost_sd=[200.0], years=[5.0], discount_share=0.0,
    )  # fmt: skip
    assert wide.mean[0] == pytest.approx(3000, rel=0.05)
    assert wide.low[0] < 500
    assert wide.high[0] > 5500
    camera = benefits(
        [10.0], variance=[9.0], cmf=[1.0], cmf_sd=[0.0], crash_cost=[1.0], crash_cost_sd=[0.0]
    )
    assert camera.mean[0] == 0


def test_the_default_factor_is_that_of_the_specification() -> None:
    assert pytest.approx(0.85) == DEFAULT_CMF
    assert pytest.approx(0.65, abs=0.03) == DEFAULT_CMF - 1.96 * DEFAULT_CMF_SD - 0.025


def test_chances_follow_the_drawings() -> None:
    drawn = np.array([[3.0, 1.0, 0.0], [1.0, 3.0, 0.0]])
    assert chance_chosen(drawn, cost=np.ones(3), budget=2.0).tolist() == [1.0, 1.0, 0.0]


def test_a_kernel_keeps_its_mass_and_splits_at_junctions() -> None:
    streets = streets_of([np.array(line, float) for line in CROSS], ids="abcd")
    pieces = cut(streets, piece_m=5.0)
    edge, along = snapped(streets, np.array([[90.0, 3.0]]))
    assert (edge.tolist(), along.tolist()) == ([0], [90.0])
    spread = density(
        streets, pieces, edge=edge, along_m=along, weight=np.array([2.0]), bandwidth_m=60.0
    )
    mass = np.bincount(pieces.edge, spread * pieces.size_m)
    assert mass.sum() == pytest.approx(2.0)
    assert mass[1] == pytest.approx(mass[2])
    assert mass[0] > mass[1] > 0
    assert mass[3] == pytest.approx(mass[1], rel=0.05)


def test_a_dead_end_turns_back() -> None:
    streets = streets_of([np.array([[0.0, 0.0], [100.0, 0.0]])], ids=["only"])
    pieces = cut(streets, piece_m=10.0)
    spread = density(
        streets, pieces, edge=np.array([0]), along_m=np.array([95.0]), weight=np.ones(1),
        bandwidth_m=50.0,
    )  # fmt: skip
    assert (spread * pieces.size_m).sum() == pytest.approx(1.0)


def test_streets_meet_where_their_ends_meet() -> None:
    streets = streets_of([np.array(line, float) for line in [*CROSS, CROSS[0][::-1]]], ids="abcde")
    assert streets.ids == ("a", "b", "c", "d")
    assert neighbours(streets) == [[0, 1, 2, 3]] * 4
    assert snapped(streets, np.array([[50.0, 80.0]]))[0].tolist() == [-1]
    with pytest.raises(InputError, match="no line"):
        streets_of([np.array([[1.0, 1.0], [1.0, 1.0]])], ids=["dot"])


def test_degrees_become_metres() -> None:
    place = metres_of(np.array([[76.01, 43.0], [76.0, 43.01]]), origin_deg=(76.0, 43.0))
    assert place[0] == pytest.approx([813.2, 0.0], abs=0.5)
    assert place[1] == pytest.approx([0.0, 1111.9], abs=0.5)


@pytest.mark.parametrize(
    "name",
    ["crime", "Crime_Rate", "arrests", "median_income", "ethnicity", "race", "racial_share",
     "преступность", "доход", "этнический_состав", "қылмыс", "daromad", "millat", "unemployment"],
)  # fmt: skip
def test_columns_about_who_people_are_are_refused(name: str) -> None:
    assert smells(name)
    with pytest.raises(InputError, match=f"column {name} is refused"):
        refuse_columns(["site", name], source="sites.csv")


@pytest.mark.parametrize(
    "name", ["site", "observed", "aadt", "trace", "discriminant", "outcome", "terrace", "width_m"]
)
def test_ordinary_columns_pass(name: str) -> None:
    assert not smells(name)


@pytest.mark.parametrize("sites", [30, 310])
def test_a_site_beside_a_chosen_one_teaches_little_more(sites: int) -> None:
    near = np.eye(sites, dtype=bool)
    near[:2, :2] = True
    drawn = np.ones((5, sites))
    drawn[:, :2], drawn[:, 2], drawn[:, 3] = 9.0, 2.0, 1.5
    chance = chance_covering(drawn, near=near, count=3, taken=[3])
    assert chance[:2].sum() == 1.0
    assert chance[2:4].tolist() == [1.0, 1.0]
    assert chance.sum() == pytest.approx(3.0)
