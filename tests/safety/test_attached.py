from dataclasses import replace

import numpy as np
import pytest
from tests.builders import WIDTH_PX, a_track, points_at, steps_of, together
from tests.safety.test_flow import count, directions

from calmstreet.model.kinds import Kind
from calmstreet.model.points import TrackPoints


def a_part(host: TrackPoints, *, right_px: float, down_px: float, serial: int = 2) -> TrackPoints:
    """Return a small unnamed track at a fixed place of another one's box."""
    feet = np.stack(
        [host.box_px[:, 2] + right_px, host.box_px[:, 1] + down_px], axis=1, dtype=np.float64
    )
    return points_at(host.t_ns, feet, serial=serial, kind=Kind.UNKNOWN, box_height_px=6.0)


@pytest.mark.parametrize(("right_px", "down_px"), [(2.0, 14.0), (-20.0, 3.0), (-38.0, 31.0)])
def test_a_mirror_is_a_part_of_its_car(right_px: float, down_px: float) -> None:
    car = a_track()
    flow = count(together(car, a_part(car, right_px=right_px, down_px=down_px)))
    assert directions(flow) == ["to_right"]
    assert sorted(flow.journeys.reason.tolist()) == ["", "part of another"]


def test_in_any_cutting_into_blocks() -> None:
    car = a_track()
    both = together(car, a_part(car, right_px=2.0, down_px=14.0))
    whole, cut = count(both), count(both, cuts=(3, 11, 12, 30))
    assert whole.journeys.reason.tolist() == cut.journeys.reason.tolist()


def test_a_name_that_comes_and_goes_is_judged_the_same_in_any_cutting() -> None:
    car = a_track()
    part = a_part(car, right_px=2.0, down_px=14.0)
    away, named = len(part) // 3, len(part) // 3 + 3
    part.box_px[:away, 1::2] += 100.0
    part.kind[away:named] = Kind.CAR
    both = together(car, part)
    whole, cut = count(both), count(both, cuts=(named,))
    assert whole.journeys.reason.tolist() == cut.journeys.reason.tolist() == ["", ""]


def test_who_walks_along_a_standing_bus_is_somebody() -> None:
    steps = steps_of(12)
    bus = points_at(
        steps, np.tile([320.0, 250.0], (len(steps), 1)), kind=Kind.BUS, box_height_px=120.0
    )
    feet = np.stack([np.linspace(250, 390, len(steps)), np.full(len(steps), 250.0)], axis=1)
    walker = points_at(steps, feet, serial=2, kind=Kind.UNKNOWN, box_height_px=24.0)
    assert directions(count(together(bus, walker))) == ["to_right"]


def test_who_overtakes_two_cars_in_turn_is_somebody() -> None:
    slow = a_track(serial=1)
    rider = a_part(slow, right_px=2.0, down_px=20.0)
    half = len(rider) // 2
    other = a_track(serial=3, start_s=1.5)
    alone = rider.box_px.copy()
    alone[half:, [0, 2]] += 60.0
    rider = points_at(
        rider.t_ns,
        np.stack([(alone[:, 0] + alone[:, 2]) / 2, alone[:, 3]], axis=1),
        serial=2,
        kind=Kind.UNKNOWN,
        box_height_px=6.0,
    )
    rider = rider[rider.box_px[:, 2] < WIDTH_PX]
    flow = count(together(slow, rider, other))
    assert "part of another" not in flow.journeys.reason.tolist()


@pytest.mark.parametrize("kind", [Kind.PEDESTRIAN, Kind.MOTORCYCLE])
def test_who_has_a_name_is_nobodys_part(kind: Kind) -> None:
    car = a_track()
    near = a_part(car, right_px=2.0, down_px=20.0)
    named = points_at(
        near.t_ns,
        np.stack([(near.box_px[:, 0] + near.box_px[:, 2]) / 2, near.box_px[:, 3]], axis=1),
        serial=2, kind=kind, box_height_px=6.0,
    )  # fmt: skip
    assert directions(count(together(car, named))) == ["to_right", "to_right"]


def test_only_vehicles_have_parts() -> None:
    adult = a_track(kind=Kind.PEDESTRIAN, speed_mps=1.4, box_height_px=60.0,
                    via=((250.0, 200.0), (400.0, 200.0)))  # fmt: skip
    child = a_part(adult, right_px=4.0, down_px=59.0)
    assert len(directions(count(together(adult, child)))) == 2


def test_a_box_that_leaves_the_picture_shrinks_and_keeps_its_parts() -> None:
    car = a_track(via=((320.0, 200.0), (320.0, 440.0)), box_height_px=90.0, speed_mps=2.0)
    roof = a_part(car, right_px=-60.0, down_px=4.0)
    boxes = car.box_px.copy()
    boxes[:, 3] = np.minimum(boxes[:, 3], 360.0)
    flow = count(together(replace(car, box_px=boxes), roof))
    assert flow.journeys.reason.tolist() == ["", "part of another"]
