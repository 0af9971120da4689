import numpy as np
import pytest
from tests.builders import START_NS, S, a_track, points_at, steps_of, together
from tests.safety.test_flow import count

from calmstreet.model.kinds import Flag
from calmstreet.safety.occupancy import MinuteTally


def test_time_is_split_exactly_at_the_full_minute() -> None:
    tally = MinuteTally(gate_ids=())
    steps = START_NS + np.array([59.5, 60.5, 61.5]) * S
    tally.add(steps.astype(np.int64), np.empty(0, np.int64), np.empty((0, 0), bool))
    minutes, spells = tally.finish()
    assert minutes.watched_s.tolist() == [0.5, 1.5]
    assert (spells - START_NS).tolist() == [[59_500_000_000, 61_500_000_000]]


def test_a_pause_of_more_than_two_seconds_was_not_watched() -> None:
    tally = MinuteTally(gate_ids=("g",))
    for block in ((0, 1, 3), (5.5, 6)):
        steps = (START_NS + np.array(block) * S).astype(np.int64)
        tally.add(steps, steps, np.ones((len(steps), 1), bool))
    minutes, spells = tally.finish()
    assert minutes.watched_s.tolist() == minutes.occupied_s[:, 0].tolist() == [3.5]
    assert len(spells) == 2


def test_a_gate_is_occupied_as_long_as_a_box_covers_it() -> None:
    steps = steps_of(20)
    standing = points_at(steps[50:100], np.tile([(320.0, 200.0)], (50, 1)))
    beside = points_at(steps[120:150], np.tile([(345.0, 200.0)], (30, 1)), serial=2)
    twice = points_at(steps[60:70], np.tile([(325.0, 180.0)], (10, 1)), serial=3)
    flow = count(together(standing, beside, twice), steps=steps)
    assert flow.minutes.occupied_s.sum() == pytest.approx(5.0)


def test_a_parked_box_does_not_occupy() -> None:
    steps = steps_of(20)
    feet = np.tile([(320.0, 200.0)], (len(steps), 1))
    flow = count(points_at(steps, feet, flags=int(Flag.PARKED)), steps=steps)
    assert flow.minutes.occupied_s.sum() == 0
    assert flow.journeys.reason.tolist() == ["never seen moving"]


def test_a_passing_car_covers_the_gate_for_its_own_length() -> None:
    flow = count(a_track(speed_mps=2))
    assert flow.minutes.occupied_s.sum() == pytest.approx(40 / (2 * 20), abs=0.11)
