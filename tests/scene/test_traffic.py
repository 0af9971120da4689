"""Motion is exact, followers keep clear, and nobody runs through a red stop line."""

from itertools import combinations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calmstreet.model.kinds import Kind
from calmstreet.scene.bodies import size_m
from calmstreet.scene.ensemble import lane_plan
from calmstreet.scene.script import demo_street
from calmstreet.scene.street import Street
from calmstreet.scene.traffic import Actor, Path, Plan, drive

WAY = Path(points_m=np.array([[0.0, 0.0], [100.0, 0.0]]))


def plan(speed_mps: float, at_m: float, stops: tuple[tuple[float, float, float], ...]) -> Plan:
    return Plan(kind=Kind.CAR, path=WAY, speed_mps=speed_mps, lane="lane", at_m=at_m, stops=stops)


@settings(max_examples=30)
@given(st.floats(4, 14), st.floats(0.2, 7.5), st.floats(20, 80))
def test_speed_is_the_slope_of_place(speed_mps: float, t_s: float, stop_m: float) -> None:
    actor = drive([plan(speed_mps, 0.0, ((stop_m, 0.0, 6.0),))], 9.0)[0]
    small_s = 1e-4
    before, at, after = (actor.state(t_s + shift) for shift in (-small_s, 0.0, small_s))
    assert before is not None
    assert at is not None
    assert after is not None
    slope = (after[0] - before[0]) / (2 * small_s)
    assert slope == pytest.approx(at[1], abs=2e-3)


@settings(max_examples=20)
@given(st.floats(6, 12), st.floats(6, 12), st.floats(9, 20))
def test_a_follower_keeps_clear(first_mps: float, second_mps: float, gap_m: float) -> None:
    stops = ((70.0, 0.0, 12.0),)
    leader, follower = drive([plan(first_mps, gap_m, stops), plan(second_mps, 0.0, stops)], 14.0)
    for t_s in np.arange(0, 12, 0.1):
        one, two = leader.state(float(t_s)), follower.state(float(t_s))
        assert one is not None
        assert two is not None
        assert one[0] - two[0] > size_m(Kind.CAR)[0]
        assert one[0] + size_m(Kind.CAR)[0] / 2 < 70.0


def test_it_leaves_when_the_line_is_free() -> None:
    actor = drive([plan(10.0, 0.0, ((40.0, 0.0, 8.0),))], 20.0)[0]
    waiting, gone = actor.state(7.9), actor.state(12.0)
    assert waiting is not None
    assert waiting[1] < 0.3
    assert gone is not None
    assert gone[0] > 45


def test_the_first_in_the_queue_stands_before_its_line() -> None:
    street = Street()
    waiting = drive(
        [
            lane_plan(street, Kind.CAR, lane, speed_mps=9.0, look=0, reds=((0.0, 30.0),))
            for lane in range(4)
        ],
        25.0,
    )
    for actor in waiting:
        state = actor.state(24.0)
        assert state is not None
        x, y, _ = actor.plan.path.place(state[0] + size_m(Kind.CAR)[0] / 2)
        s_m = float(street.to_street(np.array([[x, y]]))[0, 0])
        line = street.stop_s_m[0 if actor.plan.path.points_m[0, 1] < 20 else 1]
        assert 0 < abs(line - s_m) < 1.5


def footprint(actor: Actor, t_s: float) -> tuple[tuple[float, float], tuple[float, float], float]:
    state = actor.state(t_s)
    assert state is not None
    x, y, heading = actor.plan.path.place(state[0])
    length_m, width_m, _ = size_m(actor.plan.kind)
    return (x, y), (length_m, width_m), float(np.degrees(heading))


def test_nobody_drives_through_anybody_in_the_demo() -> None:
    actors = demo_street().actors
    for t_s in np.arange(0, 74, 0.25):
        here = [actor for actor in actors if actor.state(float(t_s)) is not None]
        for one, two in combinations(here, 2):
            if Kind.PEDESTRIAN == one.plan.kind == two.plan.kind:
                continue
            a, b = footprint(one, float(t_s)), footprint(two, float(t_s))
            meet = (
                cv2.rotatedRectangleIntersection(a, b)[0]
                if np.hypot(a[0][0] - b[0][0], a[0][1] - b[0][1]) < 12
                else 0
            )
            assert not meet, (one.number, two.number, t_s)


def test_the_demo_has_every_kind() -> None:
    kinds = {actor.plan.kind for actor in demo_street().actors}
    assert kinds == set(Kind) - {Kind.UNKNOWN}
