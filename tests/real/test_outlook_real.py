"""The outlook on real series: floors are beaten, intervals hold, incidents are found."""

import csv
from pathlib import Path

import numpy as np
import pytest
from tests.shared_data import shared_data

from calmstreet.forecast.anomaly import Watched, alarms_of
from calmstreet.forecast.backtest import backtest
from calmstreet.forecast.grid import Grid, grid_of
from calmstreet.units import from_iso, to_iso

pytestmark = pytest.mark.real
CHICAGO = "America/Chicago"


def a_grid(path: Path, *, time: str, value: str, tz: str = "UTC", step_min: int = 0) -> Grid:
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    return grid_of(
        [path.stem],
        series=np.zeros(len(rows), np.int32),
        t_ns=np.array([from_iso(row[time], tz) for row in rows]),
        value=np.array([float(row[value]) for row in rows]),
        tz=tz,
        step_ns=step_min * 60 * 10**9 or None,
    )


@pytest.mark.slow
def test_the_interstate_is_forecast_better_than_last_week() -> None:
    pytest.importorskip("lightgbm", reason="the extra forecast is not installed")
    path = shared_data("flows/Metro_Interstate_Traffic_Volume_to_2018-06.csv")
    whole = a_grid(path, time="date_time", value="traffic_volume", tz=CHICAGO)
    assert whole.repairs == {"repeated": 7086}
    count = whole.values.shape[1]
    recent = Grid(
        names=whole.names, values=whole.values[:, -24 * 600 :], start_ns=int(
            whole.times_ns(count - 24 * 600, 1)[0]
        ), step_ns=whole.step_ns, tz=CHICAGO, wall_ns=whole.wall_ns[-24 * 600 :], whole=True,
    )  # fmt: skip
    scores = backtest(recent, horizon=1, folds=2)
    rows = {row.model: row for row in scores}
    assert rows["chosen"].used == "lightgbm"
    assert rows["chosen"].mase <= 0.7 * rows["seasonal-naive"].mase
    assert 0.87 <= rows["chosen"].coverage90 <= 0.95


def incidents(watched: Watched, grid: Grid) -> list[str]:
    return [
        to_iso(int(grid.times_ns(alarm.first, 1)[0]))[:13]
        for alarm in watched.alarms
        if alarm.kind == "incident"
    ]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("speed_t4013", "2015-09-16T07"),
        ("speed_6005", "2015-09-17T07"),
        ("occupancy_t4013", "2015-09-16T07"),
        ("speed_7578", "2015-09-16T13"),
    ],
)
def test_incidents_of_the_twin_cities(name: str, wanted: str) -> None:
    path = shared_data(f"flows/NAB_{name}.csv")
    grid = a_grid(path, time="timestamp", value="value", step_min=15)
    (watched,) = alarms_of(grid)
    found = incidents(watched, grid)
    assert wanted in found
    assert len(found) <= watched.watched_days + 2
