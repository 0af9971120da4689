import numpy as np
import pytest
from tests.forecast.series import a_street, rows_of

from calmstreet.forecast.anomaly import Alarm, alarms_of
from calmstreet.forecast.grid import Grid


@pytest.fixture(scope="module")
def street() -> Grid:
    return a_street(series=2, weeks=5, step_min=15, seed=4)


def with_values(street: Grid, first: int, last: int, value: float) -> tuple[Alarm, ...]:
    """Return the alarms of the first gate after steps first..last were set to value."""
    values = street.values[:1].copy()
    values[0, first : last + 1] = value
    grid = Grid(
        names=("gate",), values=values, start_ns=street.start_ns, step_ns=street.step_ns,
        tz=street.tz, wall_ns=street.wall_ns, whole=True,
    )  # fmt: skip
    return alarms_of(grid)[0].alarms


def busy(street: Grid) -> int:
    """Return a busy step of the last week."""
    return 96 * 30 + int(np.argmax(street.values[0, 96 * 30 : 96 * 31]))


def touching(alarms: tuple[Alarm, ...], first: int, last: int) -> set[tuple[str, str]]:
    return {(a.kind, a.what) for a in alarms if a.first <= last and a.last >= first}


def test_a_blocked_street_is_an_incident(street: Grid) -> None:
    at = busy(street)
    found = with_values(street, at, at + 4, 6.0)
    assert ("incident", "drop") in touching(found, at, at + 4)


def test_a_crowd_is_an_incident(street: Grid) -> None:
    at = busy(street) + 20
    found = with_values(street, at, at + 4, 900.0)
    assert ("incident", "surge") in touching(found, at, at + 4)


def test_one_value_for_hours_is_a_fault_of_the_data(street: Grid) -> None:
    at = busy(street)
    found = with_values(street, at, at + 30, 77.0)
    assert ("data", "stuck") in touching(found, at, at + 30)


def test_zeros_where_there_never_were_any_are_a_fault(street: Grid) -> None:
    at = busy(street)
    assert ("data", "zeros") in touching(with_values(street, at, at + 8, 0.0), at, at + 8)


def test_a_single_peak_is_a_fault(street: Grid) -> None:
    at = busy(street)
    found = with_values(street, at, at, 65_535.0)
    assert touching(found, at, at) == {("data", "peak")}


def test_a_gap_is_told_and_is_no_incident(street: Grid) -> None:
    at = busy(street)
    found = with_values(street, at, at + 10, float("nan"))
    assert touching(found, at, at + 10) == {("data", "gap")}


def test_a_usual_street_keeps_within_its_ration() -> None:
    for watched in alarms_of(a_street(series=4, weeks=6, step_min=15, seed=9)):
        incidents = [a for a in watched.alarms if a.kind == "incident"]
        assert len(incidents) <= 0.5 * watched.watched_days
        assert not [a for a in watched.alarms if a.kind == "data"]


def test_even_a_wild_series_cannot_tell_more_than_one_a_day() -> None:
    random = np.random.default_rng(3)
    wild = np.abs(random.standard_t(1.2, 96 * 40)) * 50
    (watched,) = alarms_of(rows_of(wild.tolist()))
    incidents = [a for a in watched.alarms if a.kind == "incident"]
    assert len(incidents) <= watched.watched_days + 1


def test_nothing_later_changes_an_alarm(street: Grid) -> None:
    at = busy(street)
    whole = with_values(street, at, at + 4, 6.0)
    values = street.values[:1, : at + 40].copy()
    values[0, at : at + 5] = 6.0
    cut = Grid(
        names=("gate",), values=values, start_ns=street.start_ns, step_ns=street.step_ns,
        tz=street.tz, wall_ns=street.wall_ns[: at + 40], whole=True,
    )  # fmt: skip
    early = [a for a in whole if a.kind == "incident" and a.last < at + 30]
    live = [a for a in alarms_of(cut)[0].alarms if a.kind == "incident" and a.last < at + 30]
    assert early == live
    assert early


@pytest.mark.parametrize("values", [[1.0, 2.0, 3.0], [0.0] * 400, [7.0] * 400])
def test_short_and_constant_series_raise_nothing(values: list[float]) -> None:
    (watched,) = alarms_of(rows_of(values))
    assert watched.alarms == ()
