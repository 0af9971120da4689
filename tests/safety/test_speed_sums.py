"""Speeds and times by gate, group and quarter hour; densities count also who was not measured."""

from typing import Any

import numpy as np
import pytest

from calmstreet.model.bins import Bins
from calmstreet.model.kinds import Kind
from calmstreet.model.site import Gate, Site, Zone
from calmstreet.model.speeds import GateSpeeds, ZoneTimes
from calmstreet.safety.speed_sums import (
    gate_sums,
    limits_of,
    speed_quarters,
    zone_quarters,
    zone_sums,
)
from calmstreet.safety.zone_times import journeys_through

S = 1_000_000_000
QUARTER = 900 * S


def speeds_of(rows: list[tuple[float, Kind, float, float]]) -> GateSpeeds:
    """Return passages of gate "a" to the left: time, kind, speed (NaN withheld), headway."""
    t_s, kinds, speed, headway = (np.array(column) for column in zip(*rows, strict=True))
    n, known = len(rows), np.isfinite(speed)
    columns: dict[str, Any] = {
        "gate_id": ["a"] * n,
        "t_ns": (t_s * S).astype(np.int64),
        "track_id": np.arange(n),
        "kind": kinds,
        "direction": ["to_left"] * n,
        "headway_s": headway,
        "speed_mps": speed,
        "sigma_random_mps": np.where(known, 0.2, np.nan),
        "sigma_site_mps": speed * 0.02,
        "half95_mps": np.where(known, 0.7, np.nan),
        "n": [14] * n,
        "length_m": [19.0] * n,
        "method": np.where(known, "linear", ""),
        "reason": np.where(known, "", "gap"),
    }
    return GateSpeeds(camera_id="c", run_id=1, **columns)


ROWS = [
    (10.0, Kind.CAR, 20.0, np.nan),
    (20.0, Kind.BUS, 10.0, 10.0),
    (23.0, Kind.CAR, 12.0, 3.0),
    (40.0, Kind.CAR, np.nan, 17.0),
    (50.0, Kind.BICYCLE, 5.0, 9.0),
    (1000.0, Kind.CAR, 15.0, 900.0),
]


def test_groups_free_flow_and_what_is_withheld() -> None:
    motor, bicycle = gate_sums(speeds_of(ROWS), limits_mps={"a": 13.9}, floor_mps=0.0)
    assert (motor.group, motor.passes, motor.everybody.n, motor.free.n) == ("motor", 5, 4, 2)
    assert dict(motor.withheld) == {"gap": 1}
    assert motor.everybody.mean_mps.value == pytest.approx(14.25)
    assert motor.everybody.over.value == 0.5
    assert (bicycle.group, bicycle.everybody.n) == ("bicycle", 1)


def test_who_is_not_verified_has_three_kmh() -> None:
    many = speeds_of([(float(k), Kind.CAR, 13.0, 9.0) for k in range(400)])
    (open_end,) = gate_sums(many, limits_mps={}, floor_mps=3 / 3.6)
    assert open_end.everybody.mean_mps.high - 13.0 == pytest.approx(3 / 3.6)
    assert open_end.everybody.v85_mps.high - 13.0 == pytest.approx(3 / 3.6)


def test_quarters_have_flow_and_density() -> None:
    bins = Bins(
        camera_id="c",
        site_version="",
        width_s=900.0,
        **dict[str, Any](
            what=["gate:a:to_left"] * 4,
            kind=[Kind.CAR, Kind.BICYCLE] * 2,
            start_ns=[0, 0, QUARTER, QUARTER],
            count=[4, 1, 1, 0],
            exposure_s=[900, 900, 450, 450],
            flags=["day", "day", "day;partial", "day;partial"],
        ),
    )
    first, second, bicycles = speed_quarters(
        speeds_of(ROWS), bins, limits_mps={"a": 13.9}, floor_mps=0.0
    )
    assert (first.start_ns, first.passes, first.stats.n, first.flow_per_h) == (0, 4, 3, 16.0)
    space_mean = 3 / (1 / 20 + 1 / 10 + 1 / 12)
    assert first.density_per_km == pytest.approx(16.0 / (space_mean * 3.6))
    assert (second.exposure_share, second.flow_per_h, second.flag) == (0.5, 8.0, "day;partial")
    assert bicycles.group == "bicycle"


def test_the_limit_is_that_of_the_zone_else_of_the_site() -> None:
    gate = Gate(id="a", camera_id="c", points_px=((0.0, 5.0), (10.0, 5.0)))
    far = Gate(id="b", camera_id="c", points_px=((90.0, 5.0), (99.0, 5.0)))
    square = ((-1.0, 0.0), (20.0, 0.0), (20.0, 9.0), (-1.0, 9.0))
    zone = Zone(id="z", camera_id="c", kind="lane", polygon_px=square, speed_limit_kmh=36.0)
    site = Site(id="x", speed_limit_kmh=72.0, gates=(gate, far), zones=(zone,))
    assert limits_of(site) == {"a": 10.0, "b": 20.0}
    assert np.isnan(limits_of(Site(id="x", gates=(gate,)))["a"])


def test_times_through_a_zone() -> None:
    columns: dict[str, Any] = {
        "zone_id": ["z"] * 4,
        "track_id": [1, 2, 3, 4],
        "kind": [Kind.CAR, Kind.CAR, Kind.CAR, Kind.PEDESTRIAN],
        "enter_ns": [0, S, QUARTER + S, 5 * S],
        "leave_ns": [2 * S, 5 * S, QUARTER + 9 * S, 25 * S],
    }
    times = ZoneTimes(camera_id="c", run_id=1, **columns)
    cars, people = zone_sums(times)
    assert (cars.n, cars.median_s, people.median_s) == (3, 4.0, 20.0)
    quarters = zone_quarters(times, np.array([0, QUARTER]))
    assert [(row.start_ns, row.n) for row in quarters] == [(0, 2), (QUARTER, 1), (0, 1)]


def test_only_whole_journeys_are_timed() -> None:
    square = np.array([[2, -1], [6, -1], [6, 1], [2, 1.0]])
    x = np.array([0, 1, 3, 5, 7, 5, 3, 1, 3.0])
    t_ns = np.arange(len(x)) * S
    places = np.stack([x, np.zeros(len(x))], axis=1)
    assert journeys_through(t_ns, places, square) == [
        (1_500_000_000, 3_500_000_000),
        (4_500_000_000, 6_500_000_000),
    ]
    gone = t_ns + np.where(np.arange(len(x)) >= 3, 9 * S, 0)
    assert len(journeys_through(gone, places, square)) == 1
    assert journeys_through(t_ns[:2], places[:2], square) == []
