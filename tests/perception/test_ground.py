"""Metres of rows as they come: place, speed, heading, size, and what is not known."""

from dataclasses import replace

import numpy as np
import pytest
from tests.perception.on_the_ground import drive, exact_plane, grounded

from calmstreet.geometry.plane import Plane
from calmstreet.model.kinds import Eye, Flag, Kind, SizeSource
from calmstreet.model.points import POINT_COLUMNS, concat_points
from calmstreet.perception.ground import ground_rows
from calmstreet.perception.measured import measured_places


@pytest.fixture(scope="module")
def plane() -> Plane:
    return exact_plane()


@pytest.mark.parametrize("velocity", [(0.0, 10.0), (0.0, -10.0), (7.0, 7.0), (-8.0, 3.0)])
@pytest.mark.parametrize("kind", [Kind.CAR, Kind.BUS, Kind.BICYCLE])
def test_a_moving_user_is_where_it_is(
    plane: Plane, kind: Kind, velocity: tuple[float, float]
) -> None:
    start = (4.0 - velocity[0], 26.0 - velocity[1])
    points, true_m = drive(plane, start_m=start, velocity_mps=velocity, kind=kind)
    rows = grounded(plane, points)
    late = slice(8, None)
    assert np.abs(rows.xy_m[late] - true_m[late]).max() < 0.35
    assert np.abs(rows.velocity_mps[late] - np.array(velocity)).max() < 0.6
    turn = rows.heading_rad[late] - np.arctan2(velocity[1], velocity[0])
    assert np.abs(np.sin(turn)).max() < 0.06
    assert (np.cos(turn) > 0).all()


def test_what_comes_later_changes_nothing(plane: Plane) -> None:
    points, _ = drive(plane, noise_px=1.0)
    whole, part = grounded(plane, points), grounded(plane, points[:9])
    for name, _, _ in POINT_COLUMNS:
        assert getattr(whole, name)[:9].tobytes() == getattr(part, name).tobytes()


@pytest.mark.parametrize("velocity", [(0.0, 6.0), (0.0, -6.0), (5.0, 3.0)])
def test_another_name_for_a_body_is_no_motion(plane: Plane, velocity: tuple[float, float]) -> None:
    start = (1.75 - velocity[0], 24.0 - 1.5 * velocity[1])
    points, _ = drive(plane, start_m=start, velocity_mps=velocity, duration_s=3.0)
    named = np.full(len(points), Kind.CAR, np.uint8)
    named[:8], named[8:11], named[11:14] = Kind.TRUCK, Kind.BUS, Kind.TRUCK
    rows = grounded(plane, replace(points, kind=named))
    known = np.isfinite(rows.velocity_mps[:, 0])
    assert known[12:].all()
    far = rows.velocity_mps[known] - np.array(velocity)
    assert np.hypot(far[:, 0], far[:, 1]).max() < 2.5
    turned = rows.heading_rad[12:] - np.arctan2(velocity[1], velocity[0])
    assert np.cos(turned).min() > 0.8


def test_users_do_not_touch_each_other(plane: Plane) -> None:
    one, _ = drive(plane)
    other, _ = drive(plane, start_m=(-3.0, 30.0), velocity_mps=(0.0, -9.0), seed=2)
    other = replace(other, track_id=other.track_id + 1)
    both = concat_points([one, other])
    order = np.lexsort((both.track_id, both.t_ns))
    rows = grounded(plane, both[order])
    alone = grounded(plane, one)
    mine = rows[rows.track_id == 7]
    np.testing.assert_array_equal(mine.xy_m, alone.xy_m)


def test_nothing_is_known_of_speed_and_heading_at_first(plane: Plane) -> None:
    rows = grounded(plane, drive(plane)[0])
    assert np.isnan(rows.velocity_mps[0]).all()
    assert np.isnan(rows.heading_rad[0])
    assert np.isfinite(rows.xy_m[0]).all()
    assert rows.cov_m2[0, 0] + rows.cov_m2[0, 2] > rows.cov_m2[-1, 0] + rows.cov_m2[-1, 2]


def test_a_standing_car_has_a_place_and_no_heading(plane: Plane) -> None:
    points, true_m = drive(plane, velocity_mps=(0.0, 1e-9), noise_px=0.5)
    rows = grounded(plane, points)
    assert np.isnan(rows.heading_rad).all()
    assert np.hypot(*(rows.xy_m[-1] - true_m[-1])) < 1.5
    assert np.sqrt(rows.cov_m2[-1, 0]) > 0.1


def test_unseen_rows_are_bridged_for_a_second(plane: Plane) -> None:
    points, true_m = drive(plane, duration_s=3.0, velocity_mps=(0.0, 6.0))
    seen, by, flags = points.seen_px.copy(), points.seen_by.copy(), points.flags.copy()
    seen[10:], by[10:], flags[10:] = np.nan, 0, Flag.COASTED
    rows = grounded(plane, replace(points, seen_px=seen, seen_by=by, flags=flags))
    assert np.hypot(*(rows.xy_m[18] - true_m[18])) < 1.0
    assert rows.cov_m2[18, 2] > rows.cov_m2[9, 2]
    assert np.isnan(rows.xy_m[22:]).all()
    assert (rows.size_source[22:] == SizeSource.UNKNOWN).all()


def test_a_box_cut_by_the_lower_border_tells_no_place(plane: Plane) -> None:
    points, _ = drive(plane)
    box = points.seen_px.copy()
    box[:, 3] = plane.height_px
    rows = grounded(plane, replace(points, seen_px=box))
    assert np.isnan(rows.xy_m).all()
    found = measured_places(replace(points, seen_px=box), plane)
    assert not found.usable.any()


def test_the_length_of_a_van_seen_from_aside_is_measured(plane: Plane) -> None:
    points, _ = drive(
        plane,
        kind=Kind.TRUCK,
        length_m=6.5,
        start_m=(-10.0, 26.0),
        velocity_mps=(8.0, 0.0),
        duration_s=2.4,
    )
    rows = grounded(plane, points)
    assert rows.size_source[-1] == SizeSource.MEASURED
    assert rows.length_m[-1] == pytest.approx(6.5, abs=0.8)
    ahead = grounded(plane, drive(plane, kind=Kind.CAR)[0])
    assert (ahead.size_source == SizeSource.CLASS_DEFAULT).all()


def test_measured_places_set_blobs_straight(plane: Plane) -> None:
    points, true_m = drive(plane, start_m=(1.0, 16.0), velocity_mps=(0.0, 9.0))
    box, by = points.seen_px.copy(), points.seen_by.copy()
    blobs = np.arange(len(box)) % 2 == 1
    by[blobs] = Eye.MOTION
    height = (box[:, 3] - box[:, 1])[blobs]
    box[blobs, 3] += 0.08 * height
    box[blobs, 0] -= 0.2 * height
    spoiled = replace(points, seen_px=box, seen_by=by)
    straight = measured_places(grounded(plane, spoiled), plane)
    off = straight.xy_m - true_m
    assert np.abs(off[2:-2]).max() < 0.35
    assert straight.usable.all()


def test_one_wild_box_is_not_usable(plane: Plane) -> None:
    points, _ = drive(plane, start_m=(1.0, 16.0), velocity_mps=(0.0, 9.0))
    box = points.seen_px.copy()
    box[10, 3] += 25.0
    found = measured_places(grounded(plane, replace(points, seen_px=box)), plane)
    assert not found.usable[10]
    assert found.usable[[5, 15]].all()


def test_rows_without_boxes_give_their_own_places(plane: Plane) -> None:
    rows = grounded(plane, drive(plane)[0])
    bare = replace(
        rows,
        seen_px=np.full((len(rows), 4), np.nan, np.float32),
        seen_by=np.zeros(len(rows), np.uint8),
    )
    found = measured_places(bare, plane)
    np.testing.assert_allclose(found.xy_m, rows.xy_m, atol=1e-6)
    assert found.usable.all()


def test_a_doubtful_heading_of_a_reversing_car_stays(plane: Plane) -> None:
    forward, _ = drive(plane, start_m=(1.0, 20.0), velocity_mps=(0.0, 4.0), duration_s=1.5)
    back, _ = drive(plane, start_m=(1.0, 26.0), velocity_mps=(0.0, -1.5), duration_s=2.5)
    back = replace(back, t_ns=back.t_ns + 1_500_000_000)
    rows = grounded(plane, concat_points([forward, back]))
    assert np.cos(rows.heading_rad[-1] - np.pi / 2) > 0.9
    assert rows.velocity_mps[-1, 1] < -0.8


def test_boxes_of_other_programs_get_metres(plane: Plane) -> None:
    points, true_m = drive(plane, start_m=(1.0, 16.0), velocity_mps=(0.0, 9.0))
    nobody = np.full((len(points), 4), np.nan, np.float32)
    bare = replace(points, seen_px=nobody, seen_by=np.zeros(len(points), np.uint8))
    rows = ground_rows(bare, plane)
    assert np.abs(rows.xy_m[8:] - true_m[8:]).max() < 0.35
    assert len(ground_rows(bare[:0], plane)) == 0


def test_a_user_whom_the_net_never_saw_carries_no_speed(plane: Plane) -> None:
    points, _ = drive(plane, eye=Eye.MOTION)
    found = measured_places(grounded(plane, points), plane)
    assert np.isfinite(found.xy_m).any()
    assert not found.usable.any()


@pytest.mark.parametrize(
    ("seen_as", "speed", "told"),
    [
        (Kind.PEDESTRIAN, 1.5, Kind.PEDESTRIAN),
        (Kind.PEDESTRIAN, 7.0, Kind.BICYCLE),
        (Kind.BICYCLE, 7.0, Kind.BICYCLE),
        (Kind.BICYCLE, 16.0, Kind.MOTORCYCLE),
        (Kind.CAR, 16.0, Kind.CAR),
    ],
)
def test_who_is_too_fast_for_its_kind_is_told_by_speed(
    plane: Plane, seen_as: Kind, speed: float, told: Kind
) -> None:
    points, _ = drive(plane, kind=seen_as, start_m=(-8.0, 25.0), velocity_mps=(speed, 0.0))
    rows = grounded(plane, points)
    assert rows.kind[0] == seen_as
    assert rows.kind[-1] == told
