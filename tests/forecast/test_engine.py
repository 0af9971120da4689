import importlib.util

import numpy as np
import pytest
from tests.forecast.series import a_street, rows_of

from calmstreet.errors import InputError
from calmstreet.forecast.backtest import backtest, key_horizons
from calmstreet.forecast.conformal import LEVELS, Residuals, adapted_levels, banded, fit_band
from calmstreet.forecast.engine import LIGHTGBM, Fitted, fit, held_out_from
from calmstreet.forecast.floor import FLOORS, four_week_mean, seasonal_naive
from calmstreet.forecast.grid import Grid, grid_of
from calmstreet.forecast.lags import LookBack, Reach, reaches
from calmstreet.forecast.statistical import MSTL, mstl_points
from calmstreet.units import from_iso

HOUR_NS = 3600 * 10**9
NEXT = Reach(first=1, last=1, days=1, weeks=1)
needs_lightgbm = pytest.mark.skipif(
    importlib.util.find_spec("lightgbm") is None, reason="the extra forecast is not installed"
)


@pytest.fixture(scope="module")
def street() -> Grid:
    return a_street(series=3)


@pytest.fixture(scope="module")
def floors(street: Grid) -> Fitted:
    return fit(street, horizon=24, models=())


def changed(grid: Grid, values: np.ndarray) -> Grid:
    return Grid(
        names=grid.names,
        values=values,
        start_ns=grid.start_ns,
        step_ns=grid.step_ns,
        tz=grid.tz,
        wall_ns=grid.wall_ns,
        whole=grid.whole,
    )


def test_horizons_are_grouped_without_gap() -> None:
    groups = reaches(672, steps_per_day=96)
    steps = np.concatenate([g.steps() for g in groups])
    assert steps.tolist() == list(range(1, 673))
    assert all(g.days * 96 >= g.last and g.weeks * 672 >= g.last for g in groups)
    assert key_horizons(96, step_s=900.0) == [1, 2, 4, 8, 16, 32, 48, 96]


def test_floors_are_last_week_and_the_mean_of_four() -> None:
    values = np.arange(24 * 7 * 5, dtype=float)
    look = LookBack(rows_of(values.tolist(), step_ns=HOUR_NS), ahead=1)
    at = np.array([24 * 7 * 5])
    last = at - 1
    assert seasonal_naive(look, at, origin=last, reach=NEXT)[0, 0] == values[-168]
    weeks = [values[-168 * k] for k in (1, 2, 3, 4)]
    assert four_week_mean(look, at, origin=last, reach=NEXT)[0, 0] == np.mean(weeks)


def test_a_hole_last_week_falls_back_to_the_week_before() -> None:
    values = np.arange(24 * 7 * 5, dtype=float)
    values[-168] = np.nan
    look = LookBack(rows_of(values.tolist(), step_ns=HOUR_NS), ahead=1)
    at = np.array([24 * 7 * 5])
    assert seasonal_naive(look, at, origin=at - 1, reach=NEXT)[0, 0] == values[-336]


def test_looking_back_follows_the_local_clock() -> None:
    tz = "Europe/Berlin"
    start = from_iso("2026-03-09T00:00:00", tz)
    count = 24 * 28
    t_ns = start + np.arange(count, dtype=np.int64) * HOUR_NS
    grid = grid_of(
        ["a"], series=np.zeros(count, np.int32), t_ns=t_ns,
        value=(t_ns - start) / HOUR_NS, tz=tz, step_ns=HOUR_NS,
    )  # fmt: skip
    look = LookBack(grid, ahead=0)
    noon = int(np.flatnonzero(t_ns == from_iso("2026-03-30T12:00:00", tz))[0])
    week_ago = int(look.days(7)[noon])
    assert t_ns[week_ago] == from_iso("2026-03-23T12:00:00", tz)
    assert noon - week_ago == 167
    skipped = int(np.flatnonzero(t_ns == from_iso("2026-03-30T02:00:00", tz))[0])
    assert look.days(1)[skipped] == -1


def test_intervals_of_a_backtest_follow_what_came() -> None:
    week, change, count = 24 * 7, 24 * 7 * 30, 24 * 7 * 40
    random = np.random.default_rng(3)
    spread = np.where(np.arange(count) < change, 30.0, 6.0)
    values = 200 + random.normal(size=count) * spread
    grid = rows_of(values.tolist(), step_ns=HOUR_NS)
    (score,) = [s for s in backtest(grid, horizon=1, folds=1, models=()) if s.model == "chosen"]
    stale = fit(grid.until(change), horizon=1, models=())
    look, at = LookBack(grid, ahead=0), np.arange(change + 4 * week, count)
    frozen = stale.quantiles(look, at, origin=at - 1, group=stale.group_of(1))
    held = ((values[at] >= frozen[1, 0]) & (values[at] <= frozen[3, 0])).mean()
    assert held > 0.9
    assert 0.4 < score.coverage50 < held - 0.15


def test_old_residuals_are_forgotten() -> None:
    day_ns = 24 * HOUR_NS
    old = Residuals(value=np.full((1, 3), 9.0, np.float32), wall_ns=np.arange(3) * day_ns)
    new = old.and_then(np.ones((1, 1), np.float32), wall_ns=np.array([57 * day_ns]))
    assert new.value.tolist() == [[9.0, 1.0]]
    assert (new.wall_ns // day_ns).tolist() == [2, 57]


def test_nothing_after_the_origin_is_seen(street: Grid, floors: Fitted) -> None:
    origin = np.full(24, street.values.shape[1] - 200, np.int64)
    at = origin + np.arange(1, 25)
    spoiled = street.values.copy()
    spoiled[:, origin[0] + 1 :] = 9999
    for grid in (street, changed(street, spoiled)):
        look = LookBack(grid, ahead=0)
        found = [
            floors.quantiles(
                look, at[k : k + 1], origin=origin[k : k + 1], group=floors.group_of(k + 1)
            )
            for k in range(24)
        ]
        if grid is street:
            clean = found
    assert all(np.array_equal(a, b) for a, b in zip(clean, found, strict=True))


@needs_lightgbm
def test_the_learned_model_sees_nothing_after_the_origin_either(street: Grid) -> None:
    fitted = fit(street, horizon=2, models=(LIGHTGBM,), workers=1)
    group = fitted.group_of(2)
    assert group.model == LIGHTGBM
    origin = np.array([street.values.shape[1] - 300])
    spoiled = street.values.copy()
    spoiled[:, origin[0] + 1 :] = 9999
    pair = [
        fitted.quantiles(LookBack(grid, ahead=0), origin + 2, origin=origin, group=group)
        for grid in (street, changed(street, spoiled))
    ]
    assert np.array_equal(pair[0], pair[1])


@needs_lightgbm
@pytest.mark.slow
def test_the_gate_of_the_specification(street: Grid) -> None:
    scores = backtest(street, horizon=2, folds=2)
    for horizon_s in (3600.0, 2 * 3600.0):
        rows = {row.model: row for row in scores if row.horizon_s == horizon_s}
        chosen, naive = rows["chosen"], rows["seasonal-naive"]
        assert chosen.used == LIGHTGBM
        assert chosen.mase <= 0.85 * naive.mase
        assert chosen.wis < naive.wis
        assert chosen.crps < naive.crps
        assert 0.86 <= chosen.coverage90 <= 0.95


def test_a_model_that_does_not_beat_the_floor_is_not_used() -> None:
    random = np.random.default_rng(2)
    weeks = 50 + np.cumsum(random.normal(size=(12, 168)), axis=0)
    fitted = fit(rows_of(weeks.reshape(-1).tolist(), step_ns=HOUR_NS), horizon=2)
    assert {group.model for group in fitted.groups} == {"seasonal-naive"}


def test_floors_alone_hold_their_intervals(street: Grid, floors: Fitted) -> None:
    assert {group.model for group in floors.groups} == {"four-week-mean"}
    scores = backtest(street, horizon=24, folds=2, models=())
    assert {row.model for row in scores} == {*FLOORS, "chosen"}
    for row in scores:
        assert 0.84 <= row.coverage90 <= 0.96
        assert 0.4 <= row.coverage50 <= 0.6


def test_an_outage_is_unknown_or_degraded_and_never_zero(street: Grid) -> None:
    values = street.values.copy()
    values[0] = np.nan
    values[1, -24 * 9 :] = np.nan
    grid = changed(street, values)
    fitted = fit(grid, horizon=24, models=())
    look = LookBack(grid, ahead=24)
    last = values.shape[1] - 1
    group = fitted.group_of(24)
    at = np.array([last + 24])
    found = fitted.quantiles(look, at, origin=np.array([last]), group=group)
    assert np.isnan(found[:, 0]).all()
    assert np.isfinite(found[:, 1]).all()
    assert found[2, 1, 0] > 0


@pytest.mark.parametrize("values", [[1.0, 2.0, 3.0], [0.0] * 200, [5.0] * 40])
def test_short_and_constant_series_do_not_break_it(values: list[float]) -> None:
    grid = rows_of(values, step_ns=HOUR_NS)
    fitted = fit(grid, horizon=4)
    look = LookBack(grid, ahead=4)
    last = len(values) - 1
    for ahead in range(1, 5):
        found = fitted.quantiles(
            look, np.array([last + ahead]), origin=np.array([last]), group=fitted.group_of(ahead)
        )
        if len(values) == 3:
            assert np.isnan(found).all()
        else:
            assert found[2, 0, 0] == values[0]


@pytest.mark.skipif(
    importlib.util.find_spec("statsforecast") is None, reason="statsforecast is not installed"
)
@pytest.mark.slow
def test_mstl_competes_on_request() -> None:
    grid = a_street(series=2, weeks=9)
    fitted = fit(grid, horizon=2, models=(MSTL,), workers=1)
    assert {MSTL} <= set(fitted.groups[0].held_out)
    look = LookBack(grid, ahead=2)
    last = grid.values.shape[1] - 1
    found = mstl_points(look, np.array([last + 1, last + 2]), origin=np.array([last, last]))
    level = grid.values.mean(axis=1)
    assert ((found > 0) & (found < 10 * level[:, None])).all()
    with pytest.raises(InputError, match="too many"):
        mstl_points(
            LookBack(a_street(series=51, weeks=3), ahead=1), np.array([500]), origin=np.array([499])
        )


def test_too_short_for_a_backtest_is_said() -> None:
    with pytest.raises(InputError, match="too few to score 4 folds of 24 steps"):
        backtest(rows_of([1.0] * 60, step_ns=HOUR_NS), horizon=24)


def test_held_out_time_is_a_quarter_and_at_most_eight_weeks() -> None:
    assert held_out_from(rows_of([1.0] * 400, step_ns=HOUR_NS)) == 300
    assert held_out_from(a_street(series=1, weeks=40)) == 32 * 168


def test_bands_hold_what_they_promise_and_widen_by_hour() -> None:
    random = np.random.default_rng(5)
    count = 24 * 60
    hour = np.arange(count) % 24
    day = np.arange(count) // 24
    size = 1.0 + 4.0 * (hour > 12)
    band = fit_band((random.normal(size=(3, count)) * size).astype(np.float32), hour=hour, day=day)
    fresh = random.normal(size=(3, count)) * size
    found = banded(np.zeros((3, count), np.float32), band=band, hour=hour, least=None)
    for level, edge in zip(LEVELS, found, strict=True):
        assert (fresh <= edge).mean() == pytest.approx(level, abs=0.04)
    wide = found[4] - found[0]
    assert wide[:, hour > 12].mean() > 3.0 * wide[:, hour <= 12].mean()


def test_levels_move_when_the_street_grows_wilder() -> None:
    random = np.random.default_rng(6)
    day = np.repeat(np.arange(80), 24)
    grown = np.where(day < 50, 1.0, 2.0)
    levels = adapted_levels((random.normal(size=(1, len(day))) * grown), day=day, rate=0.05)
    assert levels[0] < 0.05
    assert levels[4] > 0.95
    assert levels[2] == 0.5


def test_counts_are_never_forecast_below_zero(street: Grid, floors: Fitted) -> None:
    quiet = changed(street, np.minimum(street.values, 1.0).astype(np.float32))
    fitted = fit(quiet, horizon=2, models=())
    look = LookBack(quiet, ahead=2)
    last = quiet.values.shape[1] - 1
    found = fitted.quantiles(
        look, np.array([last + 1]), origin=np.array([last]), group=fitted.group_of(1)
    )
    assert (found >= 0).all()
