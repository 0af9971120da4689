"""Each rule on streets small enough to check by hand: what it must find and what it must not."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import START_NS, S, together
from tests.drives import (
    LANE,
    a_drive,
    a_place,
    as_a_camera_sees,
    busy_place,
    found_by,
    kinds_of,
    states,
    watch_over,
)

from calmstreet.config.site import parse_site
from calmstreet.model.kinds import Kind
from calmstreet.model.points import TrackPoints, track_id_of
from calmstreet.model.signals import SignalState
from calmstreet.model.site import Site

RED, GREEN, AMBER = SignalState.RED, SignalState.GREEN, SignalState.AMBER

LINE = """
[[gate]]
id = "line"
points_m = [[0, -3], [0, 0]]
signal = "head"
direction = "to_right"
"""
JUNCTION = """
[[zone]]
id = "box"
kind = "junction"
polygon_m = [[1, -15], [15, -15], [15, 15], [1, 15]]
"""
RED_AT_10 = states([(0.0, "head", GREEN), (7.0, "head", AMBER), (10.0, "head", RED)])


def eastward(start_s: float, *, mps: float = 10.0, serial: int = 1, y: float = -1.5) -> TrackPoints:
    """Return a car whose front passes x = 0 six seconds after ``start_s``."""
    begin, end = -6 * mps - 2.25, 6 * mps
    return a_drive([(start_s, begin, y), (start_s + (end - begin) / mps, end, y)], serial=serial)


@pytest.mark.parametrize(("start_s", "into_s"), [(4.5, 0.5), (6.0, 2.0), (9.04, 5.04)])
def test_a_front_on_red_is_an_event_with_its_time_into_red(start_s: float, into_s: float) -> None:
    events = found_by(a_place(LINE), eastward(start_s), signals=RED_AT_10, only=["red-light"])
    assert kinds_of(events) == {"red-light": 1}
    assert events[0].values["into_red_s"] == pytest.approx(into_s, abs=0.01)
    assert events[0].start_ns == pytest.approx(START_NS + (start_s + 6) * S, abs=1e5)


@pytest.mark.parametrize("start_s", [0.0, 2.0, 3.9, 4.2])
def test_green_amber_and_the_first_instant_of_red_are_none(start_s: float) -> None:
    site = a_place(LINE)
    assert found_by(site, eastward(start_s), signals=RED_AT_10, only=["red-light"]) == []


def test_who_stops_behind_the_line_on_red_is_no_runner_but_past_the_line() -> None:
    way = [(5.0, -62.25, -1.5), (11.2, -0.25, -1.5), (40.0, -0.25, -1.5)]
    events = found_by(a_place(LINE), a_drive(way), signals=RED_AT_10)
    assert kinds_of(events) == {"stop-line": 1}
    assert events[0].values["past_m"] == pytest.approx(2.0, abs=0.01)


@pytest.mark.parametrize(("front_x", "found"), [(0.4, 1), (0.2, 0), (-0.2, 0)])
def test_a_tenth_of_a_car_on_the_crossing_is_too_far(front_x: float, found: int) -> None:
    zebra = """
[[zone]]
id = "zebra"
kind = "crossing"
polygon_m = [[-0.2, -6], [3, -6], [3, 6], [-0.2, 6]]
"""
    way = [(5.0, -62.25, -1.5), (11.2, front_x - 2.25, -1.5), (40.0, front_x - 2.25, -1.5)]
    site = a_place(LINE + zebra)
    events = found_by(site, a_drive(way), signals=RED_AT_10, only=["stop-line"])
    assert len(events) == found
    for event in events:
        assert event.values["zebra_share"] == pytest.approx((front_x + 0.2) / 4.5, abs=0.001)
        assert "13 % of its footprint stood on a crossing" in event.reasons


def test_the_other_direction_over_the_line_is_free() -> None:
    westward = a_drive([(0.0, 60.0, -1.5), (20.0, -60.0, -1.5)])
    assert found_by(a_place(LINE), westward, signals=RED_AT_10, only=["red-light"]) == []


def test_the_direction_of_a_line_follows_from_the_junction() -> None:
    site = a_place(LINE.replace('direction = "to_right"\n', "") + JUNCTION)
    events = found_by(site, eastward(6.0), signals=RED_AT_10, only=["red-light"])
    assert kinds_of(events) == {"red-light": 1}


def test_an_uncertain_clock_widens_what_is_let_pass() -> None:
    site = a_place(LINE, more="[rules.signals]\nclock_sigma_s = 0.5")
    assert found_by(site, eastward(5.0), signals=RED_AT_10, only=["red-light"]) == []
    late = found_by(site, eastward(6.0), signals=RED_AT_10, only=["red-light"])
    assert late[0].values["sigma_into_red_s"] == 0.5


def test_roadworks_turn_a_violation_into_a_noted_exception() -> None:
    works = """
[[zone]]
id = "works"
kind = "roadworks"
polygon_m = [[-20, -5], [20, -5], [20, 5], [-20, 5]]
"""
    events = found_by(a_place(LINE + works), eastward(6.0), signals=RED_AT_10, only=["red-light"])
    assert [event.exceptions for event in events] == [("in a zone of roadworks",)]
    assert events[0].severity == 0


def test_those_with_green_who_stand_still_suggest_an_emergency_vehicle() -> None:
    other = """
[[gate]]
id = "cross"
points_m = [[2, -8], [6, -8]]
signal = "cross"
direction = "to_left"
"""
    waiting = [
        a_drive([(0.0, 3.0 + i, -11.0 - 6 * 0), (30.0, 3.0 + i, -11.0)], serial=5 + i,
                heading_rad=math.pi / 2)
        for i in range(2)
    ]  # fmt: skip
    log = states([(0.0, "head", RED), (0.0, "cross", GREEN)])
    rows = together(eastward(6.0), *waiting)
    events = found_by(a_place(LINE + other), rows, signals=log, only=["red-light"])
    assert len(events) == 1
    assert "emergency" in events[0].exceptions[0]


def test_wrong_way_and_reversing_are_told_apart() -> None:
    site = a_place(LANE)
    fast = a_drive([(0.0, 60.0, -1.5), (6.0, 0.0, -1.5)])
    slow = a_drive([(0.0, 60.0, -1.5), (8.0, 52.0, -1.5)])
    assert kinds_of(found_by(site, fast)) == {"wrong-way": 1}
    assert kinds_of(found_by(site, slow)) == {"reversing": 1}
    assert found_by(site, eastward(0.0)) == []
    bicycle = a_drive([(0.0, 60.0, -1.5), (12.0, 0.0, -1.5)], kind=Kind.BICYCLE)
    assert found_by(site, bicycle, only=["wrong-way", "reversing"]) == []


@pytest.mark.parametrize("kind", [Kind.CAR, Kind.TRUCK])
def test_a_stopped_vehicle_is_one_and_a_queue_is_none(kind: Kind) -> None:
    site = a_place(LANE)
    alone = a_drive([(0.0, -50.0, -1.5), (5.0, 0.0, -1.5), (60.0, 0.0, -1.5)], kind=kind)
    events = found_by(site, alone, only=["stopped-vehicle"])
    assert kinds_of(events) == {"stopped-vehicle": 1}
    assert events[0].start_ns == START_NS + 5 * S
    assert events[0].end_ns == START_NS + 60 * S
    behind = a_drive([(0.0, -60.0, -1.5), (5.0, -12.0, -1.5), (60.0, -12.0, -1.5)], serial=2)
    both = found_by(site, together(alone, behind), only=["stopped-vehicle"])
    assert [event.track_ids for event in both] == [(track_id_of(1, 1),)]


def test_a_bus_at_its_stop_is_no_stopped_vehicle() -> None:
    stop = """
[[zone]]
id = "halt"
kind = "bus-stop"
polygon_m = [[-10, -3], [10, -3], [10, 0], [-10, 0]]
"""
    bus = a_drive([(0, -50, -1.5), (5, 0, -1.5), (60, 0, -1.5)], kind=Kind.BUS)
    assert found_by(a_place(LANE + stop), bus, only=["stopped-vehicle"]) == []
    assert len(found_by(a_place(LANE), bus, only=["stopped-vehicle"])) == 1


def test_stopping_where_it_is_forbidden() -> None:
    zone = LANE.replace('"lane"', '"no-stopping"').replace("direction_deg = 90", "")
    short = a_drive([(0, -50, -1.5), (5, 0, -1.5), (15, 0, -1.5), (20, 50, -1.5)])
    long = a_drive([(0, -50, -1.5), (5, 0, -1.5), (25, 0, -1.5), (30, 50, -1.5)])
    assert found_by(a_place(zone), short, only=["no-stopping"]) == []
    assert kinds_of(found_by(a_place(zone), long)) == {"no-stopping": 1}


def test_a_junction_is_blocked_only_while_others_have_green() -> None:
    site = a_place(LINE + JUNCTION)
    blocked = a_drive([(0.0, 8.0, -9.0), (3.0, 8.0, -1.5), (30.0, 8.0, -1.5)])
    green = states([(0.0, "head", RED), (10.0, "head", GREEN)])
    events = found_by(site, blocked, signals=green, only=["blocked-junction"])
    assert [event.start_ns for event in events] == [START_NS + 12 * S]
    red = states([(0.0, "head", RED)])
    assert found_by(site, blocked, signals=red, only=["blocked-junction"]) == []


def test_a_queue_beyond_the_junction_excuses_who_stands_in_it() -> None:
    blocked = a_drive([(0.0, -40.0, 4.0), (3.0, 12.0, 4.0), (30.0, 12.0, 4.0)])
    ahead = a_drive([(0.0, 18.5, 4.0), (0.5, 19.0, 4.0), (30.0, 19.0, 4.0)], serial=2)
    crossing = LINE.replace('"line"', '"cross"').replace("[[0, -3], [0, 0]]", "[[5, -9], [8, -9]]")
    site = a_place(crossing.replace("to_right", "to_left") + JUNCTION)
    green = states([(0.0, "head", GREEN)])
    rows = together(blocked, ahead)
    (event,) = found_by(site, rows, signals=green, only=["blocked-junction"])
    assert event.exceptions == ("a queue ahead held it: spill-back",)


TURNS = """
[[zone]]
id = "w"
kind = "approach"
polygon_m = [[-60, -3], [-5, -3], [-5, 3], [-60, 3]]
[[zone]]
id = "n"
kind = "approach"
polygon_m = [[-3, 5], [3, 5], [3, 60], [-3, 60]]
[[movement]]
id = "w-n"
from = "w"
to = "n"
forbidden = true
[[movement]]
id = "n-w"
from = "n"
to = "w"
[[movement]]
id = "u-turn"
from = "w"
to = "w"
turn = "u"
forbidden = true
"""


def test_forbidden_turns() -> None:
    site = a_place(TURNS)
    left = a_drive([(0, -50, -1.5), (10, 1.5, -1.5), (20, 1.5, 50)])
    back = a_drive([(0, -1.5, 50), (10, -1.5, 1.5), (20, -50, 1.5)])
    u = a_drive([(0, -50, -1.5), (10, 0, -1.5), (12, 0, 1.5), (22, -50, 1.5)])
    assert [e.reasons[0][-24:] for e in found_by(site, left)] == ["movement w-n is forbidden"[-24:]]
    assert found_by(site, back) == []
    assert len(found_by(site, u)) == 1


def test_a_solid_line_counts_from_side_to_side() -> None:
    line = """
[[zone]]
id = "middle"
kind = "solid-line"
polygon_m = [[-50, -0.1], [50, -0.1], [50, 0.1], [-50, 0.1]]
"""
    over = a_drive([(0, -40, -1.5), (3, -10, -1.5), (5, 10, 1.5), (8, 40, 1.5)])
    near = a_drive([(0, -40, -1.5), (3, -10, -1.5), (4, 0, 0.1), (5, 10, -1.5), (8, 40, -1.5)])
    assert kinds_of(found_by(a_place(line), over)) == {"solid-line": 1}
    assert found_by(a_place(line), near) == []


def test_a_bus_lane_is_for_buses() -> None:
    site = a_place(LANE.replace('kind = "lane"', 'kind = "bus-lane"'))
    assert kinds_of(found_by(site, eastward(0.0))) == {"bus-lane": 1}
    bus = a_drive([(0, -60, -1.5), (12, 60, -1.5)], kind=Kind.BUS)
    assert found_by(site, bus) == []


@pytest.mark.parametrize(("least_mps", "wanted"), [(0.5, 0), (2.0, 1), (8.0, 1)])
def test_the_least_speed_before_a_stop_sign_decides(least_mps: float, wanted: int) -> None:
    sign = LINE.replace('signal = "head"', 'control = "stop"')
    crawl = [(0.0, -50.0, -1.5), (5.0, -6.25, -1.5), (5.0 + 5 / least_mps, -1.25, -1.5)]
    way = [*crawl, (10.0 + 5 / least_mps, 50.0, -1.5)]
    events = found_by(a_place(sign), a_drive(way), only=["stop-sign"])
    assert len(events) == wanted
    if wanted:
        assert events[0].values["least_mps"] == pytest.approx(least_mps, rel=1e-5)


ZEBRA = """
[[zone]]
id = "zebra"
kind = "crossing"
control = "zebra"
polygon_m = [[0, -6], [4, -6], [4, 6], [0, 6]]
"""


def walker(begin_s: float) -> TrackPoints:
    """Return somebody who walks north over the crossing, at y = -1.5 three seconds later."""
    way = [(begin_s - 4.0, 2.0, -11.3), (begin_s + 8.0, 2.0, 5.5)]
    return a_drive(way, serial=9, kind=Kind.PEDESTRIAN)


def test_who_could_stop_and_did_not_fails_to_yield() -> None:
    drive = a_drive([(0.0, -102.25, -1.5), (15.0, 47.75, -1.5)])  # front at x = 0 after 10 s
    events = found_by(a_place(ZEBRA), together(drive, walker(7.0)), only=["failure-to-yield"])
    assert kinds_of(events) == {"failure-to-yield": 1}
    values = events[0].values
    assert values["distance_m"] > values["stopping_m"] == pytest.approx(10 + 100 / 6)


def test_who_could_not_stop_is_told_apart() -> None:
    drive = a_drive([(0.0, -102.25, -1.5), (15.0, 47.75, -1.5)])
    jumps_out = a_drive([(8.9, 2.0, -5.0), (11.9, 2.0, 4.0)], serial=9, kind=Kind.PEDESTRIAN)
    assert found_by(a_place(ZEBRA), together(drive, jumps_out), only=["failure-to-yield"]) == []


def test_who_waits_has_given_way() -> None:
    waits = a_drive(
        [(0.0, -102.25, -1.5), (9.0, -12.25, -1.5), (11.0, -6.0, -1.5), (18.0, -6.0, -1.5),
         (28.0, 60.0, -1.5)]
    )  # fmt: skip
    assert found_by(a_place(ZEBRA), together(waits, walker(9.0)), only=["failure-to-yield"]) == []


def test_pedestrians_on_red_and_outside_crossings() -> None:
    signalled = ZEBRA.replace('"zebra"\npoly', '"signal"\nsignal = "ped"\npoly')
    log = states([(0.0, "ped", RED)])
    events = found_by(a_place(signalled), walker(7.0), signals=log, only=["pedestrian-on-red"])
    assert kinds_of(events) == {"pedestrian-on-red": 1}
    green = states([(0.0, "ped", RED), (2.0, "ped", GREEN)])
    assert found_by(a_place(signalled), walker(7.0), signals=green) == []
    road = LANE.replace('kind = "lane"', 'kind = "carriageway"')
    site = a_place(road.replace("-3", "-5").replace(", 0]", ", 5]") + ZEBRA)
    away = a_drive([(0.0, 20.0, -8.0), (12.0, 20.0, 8.0)], kind=Kind.PEDESTRIAN)
    assert kinds_of(found_by(site, away)) == {"crossing-outside": 1}
    assert found_by(site, walker(7.0), only=["crossing-outside"]) == []


def test_nobody_walks_on_a_motorway() -> None:
    site = a_place(LANE.replace('kind = "lane"', 'kind = "motorway"'))
    walk = a_drive([(0.0, 20.0, -2.0), (10.0, 34.0, -2.0)], kind=Kind.PEDESTRIAN)
    assert kinds_of(found_by(site, walk)) == {"vulnerable-user": 1}


def queue_of(cars: int) -> TrackPoints:
    """Return cars that stand from x = -2.25 on westward, 6.5 m from front to front."""
    return together(
        *(
            a_drive(
                [(0, -60 - 8 * i, -1.5), (8 + i, -2.5 - 6.5 * i, -1.5), (60, -2.5 - 6.5 * i, -1.5)],
                serial=i + 1,
            )
            for i in range(cars)
        )
    )


def test_a_queue_is_measured_and_spills_back() -> None:
    site = a_place(LINE, more="[rules.queue]\nstorage_m = 20")
    watch = watch_over(site, signals=RED_AT_10, only=["queue"])
    rows = queue_of(5)
    watch.update(np.unique(rows.t_ns), rows)
    events = watch.close()
    longest = getattr(watch.rules[0], "longest")["line"]  # noqa: B009
    assert longest.vehicles == 5
    assert longest.length_m == pytest.approx(0.25 + 4 * 6.5 + 4.5, abs=0.05)
    assert kinds_of(events) == {"spill-back": 1}


def test_congestion_lasts_longer_than_a_cycle() -> None:
    site = a_place(LANE, more="[rules.congestion]\nlasted_s = 40")
    assert kinds_of(found_by(site, queue_of(5), only=["congestion"])) == {"congestion": 1}
    assert found_by(a_place(LANE), queue_of(5), only=["congestion"]) == []


def test_an_object_rests_and_a_car_does_not_count() -> None:
    rests = a_drive([(0, 20, -1.5), (30, 20, -1.5)], kind=Kind.UNKNOWN)
    parked = a_drive([(0, 20, -1.5), (30, 20, -1.5)])
    assert kinds_of(found_by(a_place(LANE), rests)) == {"object": 1}
    assert found_by(a_place(LANE), parked, only=["object"]) == []


def test_a_collision_is_contact_and_an_abrupt_change() -> None:
    hits = a_drive([(0, -50, 0), (4.55, -4.5, 0), (10, -4.5, 0)])
    stands = a_drive([(0, 0, 0), (10, 0, 0)], serial=2)
    events = found_by(a_place(LANE), together(hits, stands), only=["collision"])
    assert kinds_of(events) == {"collision": 1}
    assert events[0].values["approach_mps"] == pytest.approx(10, abs=0.01)
    stops_short = a_drive([(0, -50, 0), (4.4, -6, 0), (10, -6, 0)])
    assert found_by(a_place(LANE), together(stops_short, stands), only=["collision"]) == []


def busy_scene() -> tuple[Site, TrackPoints]:
    text, rows = busy_place()
    return parse_site(text), rows


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 400), max_size=12), st.booleans())
def test_any_cutting_into_blocks_finds_the_same(cuts: list[int], seen: bool) -> None:
    site, rows = busy_scene()
    wanted = {"red-light", "stop-line", "stopped-vehicle", "wrong-way"}
    if seen:  # whose front is known to a metre only stands beyond no line by half of one
        rows, wanted = as_a_camera_sees(rows), wanted - {"stop-line"}
    whole = found_by(site, rows, signals=RED_AT_10)
    assert wanted <= set(kinds_of(whole))
    assert repr(found_by(site, rows, signals=RED_AT_10, cuts=cuts)) == repr(whole)


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 399))
def test_every_step_by_itself_finds_the_same(every: int) -> None:
    site, rows = busy_scene()
    cuts = range(1, len(np.unique(rows.t_ns)), 1 + every % 7)
    once = found_by(site, rows, signals=RED_AT_10)
    assert repr(found_by(site, rows, signals=RED_AT_10, cuts=list(cuts))) == repr(once)


def test_without_a_plane_order_and_direction_rules_run_and_the_others_say_why_not() -> None:
    site = a_place(
        LANE.replace("polygon_m = [[-100, -3], [100, -3], [100, 0], [-100, 0]]",
                     "polygon_px = [[-2000, 60], [2000, 60], [2000, 0], [-2000, 0]]")
    )  # fmt: skip
    rows = a_drive([(0.0, 60.0, -1.5), (6.0, 0.0, -1.5)], with_boxes=True)
    bare = TrackPoints(
        **{name: getattr(rows, name) for name in rows.__slots__}
        | {"xy_m": rows.xy_m * np.nan, "velocity_mps": rows.velocity_mps * np.nan}
    )
    assert kinds_of(found_by(site, bare, metric=False)) == {"wrong-way": 1}
    watch = watch_over(site, metric=False)
    silent = {rule.name: rule.why_not for rule in watch.rules}
    assert silent["collision"] == "needs places in metres"
    assert "wrong-way" in {rule.name for rule in watch.running}
