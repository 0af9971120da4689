import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calmstreet.errors import InputError
from calmstreet.forecast.grid import DAY_NS, grid_of, step_of, wall_clock
from calmstreet.units import from_iso, to_iso

QUARTER_NS = 900 * 10**9


def one(value: list[float], at: list[int], **more: object) -> tuple[list[float], dict[str, int]]:
    grid = grid_of(
        ["a"],
        series=np.zeros(len(value), np.int32),
        t_ns=np.array(at, np.int64) * QUARTER_NS,
        value=np.array(value, float),
        **more,  # type: ignore[arg-type]
    )
    return grid.values[0].tolist(), dict(grid.repairs)


def test_gaps_stay_gaps() -> None:
    values, repairs = one([1.0, 2.0, 3.0, 9.0], [0, 1, 2, 6])
    assert values[:3] == [1.0, 2.0, 3.0]
    assert np.isnan(values[3:6]).all()
    assert values[6] == 9.0
    assert repairs == {}


def test_what_was_hardly_watched_is_missing_and_the_rest_is_scaled() -> None:
    share = np.array([1.0, 0.8, 0.79, np.nan])
    values, repairs = one([10.0, 8.0, 8.0, 4.0], [0, 1, 2, 3], exposure_share=share)
    assert values[0] == 10.0
    assert values[1] == pytest.approx(10.0)
    assert np.isnan(values[2])
    assert values[3] == 4.0
    assert repairs == {"unwatched": 1}
    with pytest.raises(InputError, match="exposure_share 95"):
        one([1.0, 2.0], [0, 1], exposure_share=np.array([95.0, 100.0]))


def test_zero_is_zero_unless_told_otherwise() -> None:
    assert one([0.0, 5.0], [0, 1])[0] == [0.0, 5.0]
    values, repairs = one([0.0, 5.0], [0, 1], zero_is_missing=True)
    assert np.isnan(values[0])
    assert repairs == {"zero": 1}


def test_odd_rows_are_missing_and_counted() -> None:
    values, repairs = one([-3.0, np.inf, 7.0], [0, 1, 2])
    assert np.isnan(values[:2]).all()
    assert values[2] == 7.0
    assert repairs == {"negative": 1, "infinite": 1}


def test_a_time_that_stands_twice() -> None:
    values, repairs = one([5.0, 5.0, 6.0, 7.0], [0, 0, 1, 1])
    assert values[0] == 5.0
    assert np.isnan(values[1])
    assert repairs == {"repeated": 1, "contradicted": 1}


def test_two_times_of_one_step_are_averaged() -> None:
    grid = grid_of(
        ["a"],
        series=np.zeros(3, np.int32),
        t_ns=np.array([0, 300, 900], np.int64) * 10**9,
        value=np.array([2.0, 4.0, 9.0]),
        step_ns=QUARTER_NS,
    )
    assert grid.values[0].tolist() == [3.0, 9.0]
    assert grid.repairs == {"averaged": 1}


def test_a_series_with_one_time_has_no_step() -> None:
    with pytest.raises(InputError, match="two different times"):
        one([1.0], [0])


def test_a_grid_too_large_is_refused_in_words() -> None:
    with pytest.raises(InputError, match="do not fit in memory"):
        grid_of(
            [str(i) for i in range(1000)],
            series=np.zeros(3, np.int32),
            t_ns=np.array([0, 1, 1_000_000], np.int64) * QUARTER_NS,
            value=np.ones(3),
        )


@given(st.sampled_from([1, 5, 15, 60, 1440]), st.integers(2, 30))
def test_the_step_is_found(minutes: int, count: int) -> None:
    t_ns = np.arange(count, dtype=np.int64) * minutes * 60 * 10**9
    assert step_of(t_ns, series=np.zeros(count, np.int32)) == minutes * 60 * 10**9


def test_the_local_clock_jumps_with_summer_time() -> None:
    start = from_iso("2026-03-29T00:00:00+00:00")
    times = start + np.arange(4, dtype=np.int64) * 3600 * 10**9
    wall = wall_clock(times, "Europe/Berlin")
    assert [to_iso(int(w))[11:16] for w in wall] == ["01:00", "03:00", "04:00", "05:00"]


def test_days_are_laid_on_the_local_calendar() -> None:
    days = ["2026-03-28", "2026-03-29", "2026-03-30", "2026-03-31"]
    grid = grid_of(
        ["a"],
        series=np.zeros(4, np.int32),
        t_ns=np.array([from_iso(f"{d}T00:00:00", "Europe/Berlin") for d in days]),
        value=np.arange(4.0),
        tz="Europe/Berlin",
        step_ns=DAY_NS,
    )
    assert grid.values[0].tolist() == [0.0, 1.0, 2.0, 3.0]
