"""The bench of conflicts runs on a small crowd; answers must be equal, figures are not judged."""

from tests.bench.bench_conflicts import crowd, measure, watch_rows_per_s


def test_the_search_finds_what_every_pair_finds() -> None:
    result = measure(crowd(users=80, steps=4, side_m=150.0))
    assert result["equal"]
    assert result["contacts"] > 10


def test_the_watch_takes_a_crowd_of_a_thousand_in_one_step() -> None:
    assert watch_rows_per_s(crowd(users=1000, steps=2)) > 0
