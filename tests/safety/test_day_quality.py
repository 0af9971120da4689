"""Days of counts: what is odd is doubted, what is usual is not, gaps are never fewer road users."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from calmstreet.safety.day_quality import CountedDays, judge_day

DAY_S = 86_400.0
WAYS = ("movement:north:south", "movement:north:east", "movement:west:east")


def days(
    counts: list[list[float]],
    what: tuple[str, ...] = WAYS,
    *,
    exposure_s: list[float] | None = None,
    weekend: list[bool] | None = None,
) -> CountedDays:
    count = np.array(counts, float)
    watched = np.array(exposure_s or [DAY_S] * len(counts))
    return CountedDays(
        what=what,
        count=count,
        exposure_s=np.repeat(watched[:, None], len(what), 1),
        weekend=np.array(weekend or [False] * len(counts)),
    )


def found(*args: Any, **kwargs: Any) -> list[tuple[str, str]]:
    return [(flag.flag, flag.what) for flag in judge_day(days(*args, **kwargs))]


USUAL: list[list[float]] = [[400, 200, 150], [420, 190, 160], [390, 210, 145], [405, 205, 150]]


def test_two_approaches_that_changed_places_are_found() -> None:
    assert found([*USUAL, [410, 195, 152]]) == []
    assert ("swapped", "north+west") in found([*USUAL, [100, 50, 600]])


def test_a_day_that_was_hardly_watched_is_not_compared() -> None:
    assert found([*USUAL, [40, 20, 15]], exposure_s=[*[DAY_S] * 4, 0.1 * DAY_S]) == []
    half = [*USUAL[:2], [40, 20, 15], *USUAL[2:], [410, 195, 152]]
    assert found(half, exposure_s=[DAY_S, DAY_S, 8640.0, DAY_S, DAY_S, DAY_S]) == []
    assert found([*USUAL, [320, 156, 120]], exposure_s=[*[DAY_S] * 4, 0.8 * DAY_S]) == []


def test_weekends_are_compared_with_weekends() -> None:
    quiet: list[list[float]] = [[100, 60, 55]] * 5
    kinds = [False] * 4 + [True] * 5
    assert found([*USUAL, *quiet], weekend=kinds) == []
    assert ("jump", WAYS[0]) in found([*USUAL, *USUAL, [100, 60, 55]])


def test_too_few_days_or_road_users_say_nothing() -> None:
    assert found([*USUAL[:3], [0, 0, 0]]) == []
    assert found([[4, 2, 1]] * 5 + [[40, 20, 10]]) == []
    assert judge_day(days([[], []], ())) == []


@given(
    st.lists(st.integers(0, 5000), min_size=3, max_size=3),
    st.integers(5, 20),
)
def test_the_same_day_again_is_never_odd(day: list[int], times: int) -> None:
    assert found([[float(n) for n in day]] * times) == []
