import datetime as dt

import numpy as np
import pytest
from tests.builders import START_NS, S, a_site, a_track, steps_of, together
from tests.safety.test_flow import APPROACHES, count, scene

from calmstreet.model.bins import Bins
from calmstreet.model.kinds import Kind
from calmstreet.safety.bins import (
    aggregate,
    geh,
    minute_bins,
    peak_hour,
    peak_hour_of,
    peak_hours,
    totals,
)
from calmstreet.units import from_iso, local_datetime

SEEN = (Kind.CAR, Kind.TRUCK)


def day(_: int) -> str:
    return "day"


def watched_all_day(date: str, tz: str) -> Bins:
    """Return minutes of one local day, all watched, one car in each."""
    start = from_iso(date, tz)
    following = (dt.date.fromisoformat(date) + dt.timedelta(days=1)).isoformat()
    minutes = np.arange(start, from_iso(following, tz), 60 * S)
    n = len(minutes)
    return Bins(
        camera_id="north",
        site_version="v",
        width_s=60.0,
        what=np.full(n, "gate:a:to_left"),
        kind=np.full(n, Kind.CAR),
        start_ns=minutes,
        count=np.ones(n, np.float32),
        exposure_s=np.full(n, 60.0, np.float32),
        flags=np.full(n, "day"),
    )


@pytest.mark.parametrize(
    ("date", "quarters"), [("2026-03-29", 92), ("2026-10-25", 100), ("2026-06-01", 96)]
)
def test_a_day_has_92_96_or_100_quarter_hours(date: str, quarters: int) -> None:
    joined = aggregate(watched_all_day(date, "Europe/Berlin"), width_s=900, tz="Europe/Berlin")
    assert len(joined) == quarters
    assert (joined.exposure_s == 900).all()
    assert joined.count.sum() == quarters * 15


def test_hours_follow_the_local_clock_even_at_half_an_hour_from_utc() -> None:
    joined = aggregate(
        watched_all_day("2026-06-01", "Asia/Kolkata"), width_s=3600, tz="Asia/Kolkata"
    )
    assert len(joined) == 24
    assert {local_datetime(int(t), "Asia/Kolkata").minute for t in joined.start_ns} == {0}


def test_slices_are_the_same_whether_joined_at_once_or_in_steps() -> None:
    minutes = watched_all_day("2026-03-29", "Europe/Berlin")
    at_once = aggregate(minutes, width_s=3600, tz="Europe/Berlin")
    in_steps = aggregate(
        aggregate(minutes, width_s=900, tz="Europe/Berlin"), width_s=3600, tz="Europe/Berlin"
    )
    for name in ("what", "kind", "start_ns", "count", "exposure_s", "flags"):
        assert (getattr(at_once, name) == getattr(in_steps, name)).all()


def test_minutes_are_zero_where_watched_and_absent_where_not() -> None:
    steps = steps_of(200)
    steps = steps[(steps < START_NS + 50 * S) | (steps >= START_NS + 130 * S)]
    flow = count(together(a_track(), a_track(serial=2, start_s=140)), steps=steps)
    bins = minute_bins([flow], site=a_site(), observed_kinds=SEEN, light_of=day)
    cars = (bins.what == "gate:line:to_right") & (bins.kind == Kind.CAR)
    assert ((bins.start_ns[cars] - START_NS) / S).tolist() == [0, 120, 180]
    assert bins.count[cars].tolist() == [1, 0 + 1, 0]
    assert bins.exposure_s[cars] == pytest.approx([49.9, 50.0, 20.0], abs=1e-4)
    assert bins.flags[cars].tolist() == ["day;partial"] * 3


def test_a_kind_that_the_detector_cannot_give_is_absent_not_zero() -> None:
    bins = minute_bins([count(a_track())], site=a_site(), observed_kinds=SEEN, light_of=day)
    assert set(bins.kind.tolist()) == {Kind.UNKNOWN, Kind.CAR, Kind.TRUCK}
    assert totals(bins)["gate:line:to_left"] == {"unknown": 0, "car": 0, "truck": 0, "total": 0}


def test_movements_and_the_unmatched_add_up_to_all_counted_journeys() -> None:
    site, points = scene()
    flow = count(points, site=site)
    bins = minute_bins([flow], site=site, observed_kinds=SEEN, light_of=day)
    table = totals(bins, prefix="movement:")
    assert len(table) == len(APPROACHES) ** 2 + 1
    assert table["movement:w:e"] == {"unknown": 0, "car": 1, "truck": 1, "total": 2}
    assert table["movement:unknown:unknown"]["total"] == 1
    assert sum(row["total"] for row in table.values()) == flow.journeys.counted.sum()


def test_runs_of_one_camera_add_up_and_no_minute_is_longer_than_itself() -> None:
    flow = count(a_track(), duration_s=45)
    bins = minute_bins([flow, flow], site=a_site(), observed_kinds=SEEN, light_of=day)
    assert bins.exposure_s.max() == 60
    assert totals(bins)["gate:line:to_right"]["car"] == 2


def test_light_is_written_on_every_bin_and_outside_daylight_unvalidated() -> None:
    flow = count(a_track(), duration_s=180)
    lights = dict(enumerate(("day", "dusk", "")))
    bins = minute_bins(
        [flow],
        site=a_site(),
        observed_kinds=SEEN,
        light_of=lambda t_ns: lights.get((t_ns - START_NS) // (60 * S), "night"),
    )
    mine = (bins.what == "gate:line:to_left") & (bins.kind == Kind.CAR)
    assert bins.flags[mine].tolist() == [
        "day",
        "dusk;unvalidated",
        "light-unknown;unvalidated",
        "night;unvalidated;partial",
    ]
    joined = aggregate(bins, width_s=900)
    assert set(joined.flags) == {"day;dusk;night;light-unknown;unvalidated;partial"}


def test_bins_of_two_cameras_are_not_mixed() -> None:
    with pytest.raises(ValueError, match="one camera"):
        minute_bins([], site=a_site(), observed_kinds=SEEN, light_of=day)


QUARTERS = np.arange(6) * 900 * S


def test_the_peak_hour_factor_of_the_textbook() -> None:
    hour = peak_hour(QUARTERS[:4], np.array([220.0, 250, 310, 270]), np.ones(4))
    assert hour.phf == pytest.approx(0.8468, abs=5e-5)


def test_the_busiest_four_quarters_in_a_row_are_the_peak_hour() -> None:
    hour = peak_hour(QUARTERS, np.array([1.0, 2, 9, 8, 9, 7]), np.ones(6))
    assert (hour.start_ns, hour.volume) == (QUARTERS[2], 33)


def test_a_quarter_that_was_not_fully_watched_breaks_the_hour() -> None:
    share = np.array([1, 1, 0.9, 1, 1, 1])
    hour = peak_hour(QUARTERS, np.ones(6), share)
    assert (hour.known, hour.watched_min) == (False, 45)
    assert np.isnan(hour.phf)


def test_quarters_with_a_hole_between_them_are_not_an_hour() -> None:
    starts = QUARTERS[[0, 1, 2, 4, 5]]
    assert not peak_hour(starts, np.ones(5), np.ones(5)).known


def test_an_empty_hour_has_no_factor() -> None:
    hour = peak_hour(QUARTERS[:4], np.zeros(4), np.ones(4))
    assert hour.known
    assert np.isnan(hour.phf)


def test_the_peak_hour_of_several_series() -> None:
    quarter = aggregate(watched_all_day("2026-06-01", "UTC"), width_s=900)
    hour = peak_hour_of(quarter, whats=["gate:a:to_left"])
    assert (hour.volume, hour.phf) == (60, 1)
    assert not peak_hour_of(quarter, whats=["gate:b:to_left"]).known
    with pytest.raises(ValueError, match="900"):
        peak_hour_of(aggregate(quarter, width_s=3600), whats=[])


def test_every_series_and_all_movements_get_a_peak_hour() -> None:
    site, points = scene()
    bins = minute_bins([count(points, site=site)], site=site, observed_kinds=SEEN, light_of=day)
    table = peak_hours(aggregate(bins, width_s=900))
    assert set(table) == {*totals(bins), "movement:all"}
    assert all(hour.watched_min == 0 and not hour.known for hour in table.values())


def test_a_run_that_was_never_watched_adds_no_minute() -> None:
    nobody = count(a_track()[:0], steps=steps_of(0)[:0])
    assert len(minute_bins([nobody], site=a_site(), observed_kinds=SEEN, light_of=day)) == 0
    both = minute_bins([nobody, count(a_track())], site=a_site(), observed_kinds=SEEN, light_of=day)
    assert both.start_ns.min() == START_NS
    assert len(aggregate(both, width_s=900)) == 6


def test_geh() -> None:
    assert geh(100, 100) == geh(0, 0) == 0
    assert geh(1000, 1100) == geh(1100, 1000) == pytest.approx(3.086, abs=1e-3)
