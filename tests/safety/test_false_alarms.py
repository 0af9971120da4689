"""What rules cried wolf at, or missed, on rendered and on bent streets."""

from dataclasses import replace

import numpy as np
import pytest
from tests.builders import together
from tests.drives import (
    LANE,
    a_drive,
    a_place,
    as_a_camera_sees,
    found_by,
    kinds_of,
    states,
    watch_over,
)

from calmstreet.model.kinds import Flag, Kind
from calmstreet.model.points import TrackPoints
from calmstreet.model.signals import SignalState
from calmstreet.safety.conduct_queue import QueueRule
from calmstreet.safety.continuity import Continuity
from calmstreet.safety.rows import Follower

ZEBRA = """
[[zone]]
id = "zebra"
kind = "crossing"
control = "zebra"
polygon_m = [[4, -3], [8, -3], [8, 0], [4, 0]]
"""
AROUND = """
[[zone]]
id = "w"
kind = "approach"
polygon_m = [[-60, -6], [-5, -6], [-5, 6], [-60, 6]]
[[movement]]
id = "u-turn"
from = "w"
to = "w"
turn = "u"
forbidden = true
"""
STOP = """
[[gate]]
id = "stop"
points_m = [[0, -3], [0, 0]]
control = "stop"
direction = "to_right"
"""


def test_reversing_out_of_an_approach_and_driving_on_is_no_u_turn() -> None:
    out = a_drive([(0, -20, -1.5), (5, -1, -1.5), (8, -1, -1.5), (12, -20, -1.5)], heading_rad=0.0)
    assert found_by(a_place(AROUND), out, only=["forbidden-turn"]) == []
    turned = a_drive([(0, -50, -1.5), (10, 0, -1.5), (12, 0, 1.5), (22, -50, 1.5)])
    assert len(found_by(a_place(AROUND), turned, only=["forbidden-turn"])) == 1


def test_a_track_that_goes_over_to_an_oncoming_car_makes_no_turn_and_crosses_no_line() -> None:
    line = """
[[zone]]
id = "middle"
kind = "solid-line"
polygon_m = [[-60, -0.1], [60, -0.1], [60, 0.1], [-60, 0.1]]
"""
    switched = a_drive([(0, -50, -1.5), (5, 0, -1.5), (5.3, 0, 1.5), (10.3, -50, 1.5)])
    wanted = ["forbidden-turn", "solid-line"]
    assert found_by(a_place(AROUND + line), switched, only=wanted) == []
    turned = a_drive([(0, -50, -1.5), (10, 0, -1.5), (12, 0, 1.5), (22, -50, 1.5)])
    assert len(found_by(a_place(AROUND + line), turned, only=wanted)) == 2


def test_who_waits_with_a_foot_on_a_crossing_is_not_on_red_and_a_rider_is_not_on_foot() -> None:
    zone = ZEBRA.replace('"zebra"\npolygon', '"signal"\nsignal = "head"\npolygon')
    site, red = a_place(LANE + zone), states([(0.0, "head", SignalState.RED)])
    rule = ["pedestrian-on-red"]
    waits = a_drive(
        [(0, 6, 2), (3, 6, 0.1), (5, 6, -0.3), (9, 6, 0.2), (12, 6, 2)], kind=Kind.PEDESTRIAN
    )
    walks = a_drive([(0, 6, 2), (3, 6, 0.1), (7, 6, -5)], kind=Kind.PEDESTRIAN)
    rides = a_drive([(0, -30, -1.5), (8, 30, -1.5)], kind=Kind.PEDESTRIAN)
    assert found_by(site, waits, signals=red, only=rule) == []
    assert len(found_by(site, walks, signals=red, only=rule)) == 1
    assert found_by(site, rides, signals=red, only=rule) == []
    crosses = a_drive([(0, -20, -5), (8, -20, 3)], kind=Kind.PEDESTRIAN)
    rides_along = a_drive([(0, -30, -1.5), (3, -15, -1.5), (4, -15, -1.5)], kind=Kind.PEDESTRIAN)
    wide = a_place(LANE.replace(", -3]", ", -6]"))
    assert len(found_by(wide, crosses, only=["crossing-outside"])) == 1
    assert found_by(wide, rides_along, only=["crossing-outside"]) == []


def walkers(until_s: float) -> list[TrackPoints]:
    """Return people who walk over the zebra one after the other."""
    return [
        a_drive([(t, 6.0, -5.0), (t + 7, 6.0, 3.0)], kind=Kind.PEDESTRIAN, serial=10 + int(t))
        for t in np.arange(3.0, until_s, 6.0).tolist()
    ]


CARRIAGEWAY = """
[[zone]]
id = "road"
kind = "carriageway"
polygon_m = [[-100, -3], [100, -3], [100, 0], [-100, 0]]
[[zone]]
id = "walk"
kind = "crossing"
control = "signal"
signal = "men"
polygon_m = [[4, -3], [8, -3], [8, 0], [4, 0]]
"""


def test_on_red_walks_who_steps_off_the_kerb_and_goes_across() -> None:
    site, red = a_place(LANE + CARRIAGEWAY), states([(-9.0, "men", SignalState.RED)])
    across = a_drive([(0, 6, 4), (8, 6, -6)], kind=Kind.PEDESTRIAN)
    along = a_drive([(0, -4, -1.5), (8, 16, -1.5)], kind=Kind.PEDESTRIAN)
    lost = a_drive([(0, 2, -1), (2, 5, -1.2), (5, 6, -6)], kind=Kind.PEDESTRIAN)
    found = [
        len(found_by(site, walk, signals=red, only=["pedestrian-on-red"]))
        for walk in (across, along, lost)
    ]
    assert found == [1, 0, 0]


def test_the_end_that_nobody_sees_is_as_uncertain_as_the_length() -> None:
    car = a_drive([(0, -20, -1.5), (4, 20, -1.5)], with_boxes=True)
    steps, seen = np.unique(car.t_ns), as_a_camera_sees(car)
    behind, before = (-500.0, -1.5), (500.0, -1.5)
    front_m = [
        float(Follower(metric=True, eye_m=eye).take(steps, seen).sigma_front_m.max())
        for eye in (None, behind, before)
    ]
    assert front_m[:2] == pytest.approx([float(np.hypot(0.1, 0.12 * 4.5))] * 2, rel=1e-3)
    assert front_m[2] == pytest.approx(0.1, rel=1e-3)
    given = Follower(metric=True, eye_m=behind).take(steps, car).sigma_front_m
    assert given.max() == 0


def test_who_stops_with_the_front_at_the_stop_sign_has_stopped() -> None:
    site = a_place(STOP)
    drives = [
        a_drive([(0, -30, -1.5), (6, 0.9 - 2.25, -1.5), (8, 0.9 - 2.25, -1.5), (12, 30, -1.5)]),
        a_drive([(0, -30, -1.5), (6, 2.5 - 2.25, -1.5), (8, 2.5 - 2.25, -1.5), (12, 30, -1.5)]),
    ]
    found = [len(found_by(site, as_a_camera_sees(one), only=["stop-sign"])) for one in drives]
    assert found == [0, 1]
    assert len(found_by(site, drives[0], only=["stop-sign"])) == 1


def test_a_waiting_box_that_leaps_to_a_walker_and_back_has_not_entered() -> None:
    site = a_place(LANE + ZEBRA)
    walker = a_drive([(0, 6, 4), (12, 6, -5)], serial=2, kind=Kind.PEDESTRIAN)
    waits = [(0, -30, -1.5), (4, 0, -1.5), (7, 0, -1.5)]
    leaps = a_drive([*waits, (7.4, 2.6, -1.5), (7.8, 0, -1.5), (14, 0, -1.5)], heading_rad=0.0)
    goes = a_drive([*waits, (8.0, 4.0, -1.5), (11, 30, -1.5)], heading_rad=0.0)
    found = [
        len(found_by(site, together(car, walker), only=["failure-to-yield"]))
        for car in (leaps, goes)
    ]
    assert found == [0, 1]


def test_who_turns_on_the_spot_is_somebody_else() -> None:
    spins = a_drive([(0, -10, -1.5), (2, 0, -1.5), (2.4, 0.5, 1.5), (6, -20, 1.5)])
    found = []
    for rows in (spins, as_a_camera_sees(spins)):
        block = Follower(metric=True).take(np.unique(rows.t_ns), rows)
        switches = Continuity().switches(block)
        found.append(round(float(switches[5:].sum()) / 10.0, 1))
    assert found[1] > found[0]
    round_m = [(0.3 * k, 6 * np.sin(0.25 * k), 6 - 6 * np.cos(0.25 * k)) for k in range(12)]
    turns = a_drive(round_m, with_boxes=True)
    block = Follower(metric=True).take(np.unique(turns.t_ns), as_a_camera_sees(turns))
    assert not Continuity().switches(block)[1:].any()


def test_giving_way_for_long_is_no_fault_and_standing_on_without_people_is() -> None:
    waits = a_drive([(0, -50, -1.5), (5, 0.5, -1.5), (60, 0.5, -1.5)])
    site = a_place(LANE + ZEBRA)
    busy = together(waits, *walkers(60.0))
    assert found_by(site, busy, only=["stopped-vehicle"]) == []
    assert len(found_by(site, together(waits, *walkers(15.0)), only=["stopped-vehicle"])) == 1
    beyond = a_drive([(0, -50, -1.5), (5, 14.0, -1.5), (60, 14.0, -1.5)])
    told = found_by(site, together(beyond, *walkers(60.0)), only=["stopped-vehicle"])
    assert len(told) == 1
    named = a_drive([(0, 6, 0.5), (60, 6, 0.5)], serial=9, kind=Kind.PEDESTRIAN)
    post = replace(named, flags=np.full(len(named), Flag.PARKED, np.uint8))
    told = found_by(site, together(waits, post), only=["stopped-vehicle"])
    assert len(told) == 1


@pytest.mark.parametrize(("beside_m", "told"), [(0.0, 0), (-20.0, 1)])
def test_a_line_excuses_those_before_it_and_not_those_far_beside_it(
    beside_m: float, told: int
) -> None:
    stands = a_drive([(0, -50, -1.5), (5, -5, -1.5), (60, -5, -1.5)])
    moved = STOP.replace("[[0, -3], [0, 0]]", f"[[0, {beside_m - 3}], [0, {beside_m}]]")
    assert len(found_by(a_place(LANE + moved), stands, only=["stopped-vehicle"])) == told


def test_what_drove_there_or_stands_in_a_queue_is_no_object() -> None:
    rests = a_drive([(0, 20, -1.5), (30, 20, -1.5)], kind=Kind.UNKNOWN)
    drove = a_drive([(0, -30, -1.5), (5, 20, -1.5), (40, 20, -1.5)], kind=Kind.UNKNOWN)
    ahead = a_drive([(0, 27, -1.5), (30, 27, -1.5)], serial=2, heading_rad=0.0)
    still = a_drive([(0, 20, -1.5), (30, 20, -1.5)], kind=Kind.UNKNOWN, heading_rad=0.0)
    assert kinds_of(found_by(a_place(LANE), rests)) == {"object": 1}
    assert found_by(a_place(LANE), drove, only=["object"]) == []
    assert found_by(a_place(LANE), together(still, ahead), only=["object"]) == []


def longest_m(rows: TrackPoints) -> float:
    """Return the longest queue before the stop line."""
    site = a_place(LANE + STOP)
    watch = watch_over(site, only=["queue"])
    watch.update(np.unique(rows.t_ns), rows)
    (rule,) = watch.rules
    assert isinstance(rule, QueueRule)
    return rule.longest["stop"].length_m


@pytest.mark.parametrize("radius_m", [1e9, 120.0, 60.0])
def test_a_queue_is_followed_round_a_bend(radius_m: float) -> None:
    cars = []
    for k in range(12):
        turned = -(3.0 + 7.0 * k) / radius_m
        x, y = radius_m * np.sin(turned), radius_m * (1 - np.cos(turned)) - 1.5
        standing = [(0.0, x, y), (4.0, x, y)]
        cars.append(a_drive(standing, serial=k + 1, heading_rad=turned))
    assert longest_m(together(*cars)) == pytest.approx(3.0 + 77.0 + 2.25, rel=0.02)


def test_a_gap_ends_the_queue_and_oncoming_cars_do_not_belong_to_it() -> None:
    near = a_drive([(0.0, -3.0, -1.5), (4.0, -3.0, -1.5)], heading_rad=0.0)
    far = a_drive([(0.0, -30.0, -1.5), (4.0, -30.0, -1.5)], serial=2, heading_rad=0.0)
    oncoming = a_drive([(0.0, -10.0, 0.8), (4.0, -10.0, 0.8)], serial=3, heading_rad=np.pi)
    assert longest_m(together(near, far, oncoming)) == pytest.approx(5.25, abs=0.01)
