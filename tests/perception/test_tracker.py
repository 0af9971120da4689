"""The tracker on made-up streets: who is one, who is two, and who is nobody."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.perception.walks import (
    Walk,
    a_step,
    a_tracker,
    a_walk,
    believed,
    coasted,
    run,
    serials,
    walked,
)

from calmstreet.model.kinds import Eye, Flag, Kind
from calmstreet.model.points import POINT_COLUMNS, TrackPoints, concat_points, track_id_of

RATES = pytest.mark.parametrize("fps", [5.0, 10.0, 20.0, 25.0])
PERSON = {"size_px": (16.0, 40.0), "kind": Kind.PEDESTRIAN}


def a_street() -> list[Walk]:
    """Cars both ways, two people who cross each other's way, one who stands."""
    return [
        a_walk((20, 100), (150, 0)),
        a_walk((620, 160), (-220, 0), between_s=(0.5, 9.0)),
        a_walk((20, 100), (150, 0), between_s=(0.0, 0.0)),
        Walk(centre_px=lambda t: (20 + 150 * (t - 2.2), 100.0), seen=lambda t: t >= 2.2),
        a_walk((200, 300), (33, 8), **PERSON),  # type: ignore[arg-type]
        a_walk((400, 310), (-30, 7), **PERSON),  # type: ignore[arg-type]
        a_walk((560, 420), (0, 0), **PERSON),  # type: ignore[arg-type]
    ]


def same_bits(a: TrackPoints, b: TrackPoints) -> bool:
    return all(getattr(a, n).tobytes() == getattr(b, n).tobytes() for n, _, _ in POINT_COLUMNS)


@RATES
def test_the_frame_rate_changes_no_track(fps: float) -> None:
    points = run(walked(a_street(), fps=fps, duration_s=8.0))
    tracks = {int(t.track_id) & 0xFF: t for t in points.tracks()}
    assert sorted(tracks) == [1, 2, 3, 4, 5, 6]
    kinds = [tracks[k].kind for k in sorted(tracks)]
    assert sorted(kinds[:4]) == [Kind.PEDESTRIAN] * 3 + [Kind.CAR]
    assert kinds[4:] == [Kind.CAR, Kind.CAR]
    assert tracks[5].points.box_px[0, 0] > 400
    assert tracks[6].start_ns >= 2_200_000_000


@RATES
def test_a_car_faster_than_its_own_length_per_step_is_one(fps: float) -> None:
    cars = [a_walk((10, 100), (350, 0)), a_walk((630, 250), (-330, 0), size_px=(50, 24))]
    assert serials(run(walked(cars, fps=fps, duration_s=1.8))) == [1, 2]


@RATES
@pytest.mark.parametrize("hidden_s", [0.6, 1.0, 1.5, 1.7])
def test_a_bus_in_front_does_not_break_a_car(fps: float, hidden_s: float) -> None:
    bus = a_walk((330, 180), (0, 0), size_px=(300, 120), kind=Kind.BUS)
    car = a_walk((20, 190), (150, 0), hidden_s=(1.4, 1.4 + hidden_s))
    points = run(walked([bus, car], fps=fps, duration_s=4.0))
    assert serials(points) == [1, 2]
    moving = next(t.points for t in points.tracks() if t.points.kind[-1] == Kind.CAR)
    assert moving.box_px[-1, 2] > 600


def test_a_car_that_brakes_behind_the_bus_stays_the_same() -> None:
    def centre(t_s: float) -> tuple[float, float]:
        fast = min(t_s, 1.6)
        return 40 + 150 * fast + 60 * (t_s - fast), 190.0

    car = Walk(centre_px=centre, seen=lambda t: not 1.4 <= t < 2.8)
    assert serials(run(walked([car], fps=10, duration_s=5.0))) == [1]


def test_a_hidden_user_gives_rows_for_a_while_and_comes_back() -> None:
    car = a_walk((20, 190), (60, 0), hidden_s=(3.0, 4.8))
    points = run(walked([car], fps=10, duration_s=6.0))
    times_s = points.t_ns / 1e9
    dark = (times_s >= 3.0) & (times_s < 4.8)
    assert serials(points) == [1]
    assert coasted(points)[dark].all()
    assert not coasted(points)[~dark].any()
    assert 3.3 < times_s[dark].max() < 3.7
    drawn = points.box_px[dark].mean(axis=0)
    assert drawn[0] < car.box(3.5)[0] + 5
    assert abs(float(points.box_px[dark][-1, 0]) - car.box(times_s[dark].max())[0]) < 6


def test_two_people_who_cross_keep_their_names() -> None:
    people = [
        a_walk((100, 200), (60, 6), **PERSON),  # type: ignore[arg-type]
        a_walk((400, 230), (-60, -4), **PERSON),  # type: ignore[arg-type]
    ]
    points = run(walked(people, fps=10, duration_s=5.0))
    assert serials(points) == [1, 2]
    ways = [t.points.box_px[-1, 0] - t.points.box_px[0, 0] for t in points.tracks()]
    assert sorted(np.sign(ways)) == [-1.0, 1.0]
    assert min(abs(way) for way in ways) > 200


@pytest.mark.parametrize("fps", [5.0, 10.0])
def test_a_car_that_waits_ten_minutes_is_one_and_never_parked_again(fps: float) -> None:
    rng = np.random.default_rng(4)

    def centre(t_s: float) -> tuple[float, float]:
        return 60 + 100 * (min(t_s, 3.0) + max(t_s - 600.0, 0.0)), 200.0

    found = rng.random(10_000) < 0.55
    car = Walk(centre_px=centre, seen=lambda t: bool(found[round(t * fps)]) or t < 1 or t > 599)
    points = run(walked([car], fps=fps, duration_s=602.0))
    assert serials(points) == [1]
    parked = (points.flags & Flag.PARKED) > 0
    assert not parked[points.t_ns > 1_500_000_000].any()


@RATES
def test_a_u_turn_is_one(fps: float) -> None:
    def centre(t_s: float) -> tuple[float, float]:
        angle = np.clip((t_s - 2.0) / 2.5, 0.0, 1.0) * np.pi
        straight = 100 * min(t_s, 2.0) - 100 * max(t_s - 4.5, 0.0)
        return 60 + straight + 60 * np.sin(angle), 300 - 60 * (1 - np.cos(angle)) / 1.0

    assert serials(run(walked([Walk(centre_px=centre)], fps=fps, duration_s=6.5))) == [1]


@pytest.mark.parametrize("net_every", [1, 2, 5])
@pytest.mark.parametrize("source", [Eye.NET, Eye.BOTH])
def test_the_net_may_look_at_every_nth_step(net_every: int, source: Eye) -> None:
    walks = [
        a_walk((20, 100), (60, 0), source=source),
        a_walk((620, 160), (-70, 0), source=source),
        a_walk((300, 300), (15, 5), source=source, **PERSON),  # type: ignore[arg-type]
    ]
    points = run(walked(walks, fps=10, duration_s=6.0, net_every=net_every))
    assert serials(points) == [1, 2, 3]
    late = points[points.t_ns > 2_000_000_000]
    assert len(late) == 3 * 39
    assert sorted(int(t.kind) for t in points.tracks()) == [Kind.PEDESTRIAN, Kind.CAR, Kind.CAR]


def test_a_blob_moves_a_track_of_the_net() -> None:
    tracker = a_tracker()
    for k in range(10):
        tracker.update(a_step(k / 10, [(100 + 5 * k, 100, 160 + 5 * k, 130)]))
    for k in range(10, 15):
        blob = (100 + 8 * k, 95, 170 + 8 * k, 135)
        points = tracker.update(
            a_step(k / 10, [blob], source=Eye.MOTION, kind=Kind.UNKNOWN, looked=Eye.MOTION)
        )
    assert len(points) == 1
    assert not coasted(points).any()
    assert points.kind[0] == Kind.CAR
    wide, high = points.box_px[0, 2:] - points.box_px[0, :2]
    assert 60 < wide < 70
    assert 30 < high < 40
    assert points.box_px[0, 0] > 175


@pytest.mark.parametrize("first_look", range(5))
def test_a_car_that_sets_off_towards_the_camera_is_not_lost_while_the_net_rests(
    first_look: int,
) -> None:
    """It grows sixfold in three seconds; only motion tells of it for half a second each."""
    tracker, rows, away_m = a_tracker(), [], 45.0
    for k in range(50):
        wide_px, foot_px, right_px = 1600.0 / away_m, 100.0 + 1800.0 / away_m, 410.0 - 2.0 * away_m
        box = (right_px - wide_px, foot_px - 0.7 * wide_px, right_px, foot_px)
        looked = Eye.BOTH if (k + first_look) % 5 == 0 else Eye.MOTION
        kind = Kind.CAR if looked & Eye.NET else Kind.UNKNOWN
        rows.append(tracker.update(a_step(k / 10, [box], kind=kind, source=looked, looked=looked)))
        away_m -= 0.05 if k < 20 else 1.2
    points = believed(concat_points(rows))
    assert len(serials(points)) == 1
    assert np.count_nonzero(points.flags & Flag.COASTED) <= 1


def test_a_merged_blob_neither_distorts_nor_begets() -> None:
    people = [a_walk((100 + 24 * k, 200), (30, 0), **PERSON) for k in range(3)]  # type: ignore[arg-type]
    tracker = a_tracker()
    for step in walked(people, fps=10, duration_s=2.0):
        points = tracker.update(step)
    for k in range(20, 34):
        blob = (92 + 3.0 * k, 178, 156 + 3.0 * k, 222)
        looked = a_step(k / 10, [blob], source=Eye.MOTION, kind=0, looked=Eye.MOTION)
        points = tracker.update(looked)
    assert len(points) == len(tracker.live()) == 3
    side = points.box_px[:, 2:] - points.box_px[:, :2]
    np.testing.assert_allclose(side, [[16, 40]] * 3, atol=2.0)


def test_motion_alone_bears_an_unknown_user_only_when_it_goes_somewhere() -> None:
    going = a_walk((60, 200), (50, 0), source=Eye.MOTION, kind=Kind.UNKNOWN)
    points = run(walked([going], fps=10, duration_s=3.0))
    assert serials(points) == [1]
    assert (points.kind == Kind.UNKNOWN).all()
    assert points.t_ns[0] >= 600_000_000
    swaying = Walk(
        centre_px=lambda t: (300 + 12 * np.sin(9 * t), 200 + 5 * np.sin(7 * t)),
        source=Eye.MOTION,
        kind=Kind.UNKNOWN,
    )
    assert len(run(walked([swaying], fps=10, duration_s=20.0))) == 0


def test_the_net_names_what_motion_found() -> None:
    blob = a_walk((60, 200), (50, 0), source=Eye.MOTION, kind=Kind.UNKNOWN, between_s=(0.0, 2.0))
    named = a_walk((60, 200), (50, 0), kind=Kind.TRUCK, between_s=(2.0, 9.0))
    points = run(walked([blob, named], fps=10, duration_s=4.0))
    assert serials(points) == [1]
    assert points.kind[0] == Kind.UNKNOWN
    assert points.kind[-1] == Kind.TRUCK


@RATES
def test_who_never_moved_is_parked_until_it_leaves(fps: float) -> None:
    queue = Walk(centre_px=lambda t: (200 + 80 * max(t - 20.0, 0.0), 200.0))
    cone = Walk(centre_px=lambda t: (500 + np.sin(40 * t), 300.0), size_px=(20, 40))
    points = run(walked([queue, cone], fps=fps, duration_s=23.0))
    assert serials(points) == [1, 2]
    parked = (points.flags & Flag.PARKED) > 0
    left = points.track_id == track_id_of(3, 1)
    assert parked[~left].all()
    assert parked[left & (points.t_ns <= 20_000_000_000)].all()
    assert not parked[left & (points.t_ns > 20_700_000_000)].any()


def test_a_parked_car_half_hidden_by_a_passer_by_has_not_moved() -> None:
    tracker = a_tracker()
    for k in range(100):
        right = 260 if 40 <= k < 55 else 290
        points = tracker.update(a_step(k / 10, [(200, 100, right, 150)]))
    assert len(points) == 1
    assert points.flags[0] & Flag.PARKED


@pytest.mark.parametrize(
    ("speed_mps", "kind"),
    [(1.5, Kind.PEDESTRIAN), (5.0, Kind.BICYCLE), (11.0, Kind.MOTORCYCLE)],
)
def test_a_fast_person_rides(speed_mps: float, kind: Kind) -> None:
    person = a_walk((5, 300), (speed_mps * 20, 0), size_px=(14, 34), kind=Kind.PEDESTRIAN)
    points = run(walked([person], fps=10, duration_s=2.8))
    assert points.kind[0] == Kind.PEDESTRIAN
    assert points.kind[-1] == kind


def test_the_kind_is_voted_by_score_and_never_rewritten() -> None:
    tracker = a_tracker()
    kinds = [Kind.CAR, Kind.CAR, Kind.TRUCK, Kind.TRUCK]
    blocks = [
        tracker.update(a_step(k / 10, [(100, 100, 160, 130)], kind=kind, score=score))
        for k, (kind, score) in enumerate(zip(kinds, [0.6, 0.6, 0.7, 0.8], strict=True))
    ]
    assert [block.kind.tolist() for block in blocks[1:]] == [[Kind.CAR], [Kind.CAR], [Kind.TRUCK]]


def test_flags_tell_border_and_overlap() -> None:
    boxes = [(0, 100, 60, 130), (300, 100, 360, 160), (330, 110, 370, 140)]
    tracker = a_tracker()
    for k in range(3):
        points = tracker.update(a_step(k / 10, boxes))
    at_edge = points.box_px[:, 0] < 1
    assert ((points.flags & Flag.BORDER) > 0).tolist() == at_edge.tolist()
    assert at_edge.sum() == 1
    # The small box lies to 75 % under the large one, the large one only to a quarter.
    small = points.box_px[:, 0] > 320
    assert ((points.flags & Flag.OVERLAPPED) > 0).tolist() == small.tolist()


def test_a_part_of_a_car_is_no_second_car() -> None:
    tracker = a_tracker()
    for k in range(30):
        x = 100 + 6 * k
        part = (x + 62, 105, x + 118, 155)
        boxes = [(x, 100, x + 120, 160), part][: 1 if k < 2 else 2]
        points = tracker.update(a_step(k / 10, boxes, score=[0.8, 0.5][: len(boxes)]))
        assert len(believed(points)) <= 1
    assert len(tracker.live()) <= 2


def a_blob(
    start_px: tuple[float, float],
    velocity_px: tuple[float, float] = (60.0, 0.0),
    *,
    from_s: float = 0.0,
) -> Walk:
    """What only motion sees: a beam, or somebody in the dark."""
    return replace(
        a_walk(start_px, velocity_px, size_px=(70.0, 24.0), between_s=(from_s, 9.0)),
        source=Eye.MOTION,
        kind=Kind.UNKNOWN,
    )


def users_in_the_dark(*walks: Walk, dark: bool = True) -> int:
    """Return how many road users are believed in six seconds of night."""
    tracker = a_tracker()
    steps = walked(walks, fps=10.0, duration_s=6.0, net_every=2)
    return len(serials(believed(concat_points([tracker.update(s, dark=dark) for s in steps]))))


def test_a_beam_ahead_of_a_car_is_nobody_at_night() -> None:
    car, beam = a_walk((40, 200)), a_blob((100, 205))
    assert users_in_the_dark(car, beam) == 1
    assert users_in_the_dark(car, beam, dark=False) == 2


def test_what_a_beam_passed_was_not_passed_by_who_comes_out_of_it() -> None:
    car, blob = a_walk((40, 200), between_s=(0.0, 2.0)), a_blob((100, 205))
    tracker = a_tracker()
    steps = walked((car, blob), fps=10.0, duration_s=6.0, net_every=2)
    points = concat_points([tracker.update(step, dark=True) for step in steps])
    sure = points[(points.flags & Flag.TENTATIVE) == 0]
    later = points[points.track_id == sure.track_id[-1]]
    assert later.t_ns.min() > 2_000_000_000
    assert np.count_nonzero(np.isin(points.track_id, np.unique(sure.track_id))) < len(points)


@pytest.mark.parametrize(
    "other",
    [
        a_blob((100, 205), (85.0, 0.0)),
        a_blob((100, 205), (40.0, 22.0)),
        a_blob((-20, 195), from_s=0.5),
        a_blob((130, 205)),
    ],
    ids=["faster", "crossing", "behind", "apart"],
)
def test_who_goes_a_way_of_his_own_at_night_is_somebody(other: Walk) -> None:
    assert users_in_the_dark(a_walk((40, 200)), other) == 2


def test_a_motorcycle_that_was_there_before_the_car_is_somebody() -> None:
    car = a_walk((40, 200), between_s=(2.0, 9.0))
    assert users_in_the_dark(car, a_blob((100, 205))) == 2


def test_a_car_that_waits_before_a_bus_is_a_user_of_its_own() -> None:
    boxes = [(200, 100, 320, 220), (220, 150, 300, 218)]
    points = run([a_step(k / 10, boxes, kind=[Kind.BUS, Kind.CAR]) for k in range(60)])
    assert serials(points) == [1, 2]
    assert (points.t_ns == 5_900_000_000).sum() == 2


def test_ids_are_never_used_twice() -> None:
    tracker = a_tracker()
    ids = []
    for k in range(300):
        burst = (k // 30) * 40.0
        boxes = [(burst, 50, burst + 30, 70), (burst, 300, burst + 30, 320)] if k % 30 < 5 else []
        ids.append(tracker.update(a_step(k / 10, boxes)).track_id)
    seen = np.unique(np.concatenate(ids))
    assert seen.tolist() == [track_id_of(3, serial) for serial in range(1, 21)]


def test_a_track_ends_two_seconds_after_it_was_last_seen() -> None:
    for gap_s, count in ((1.9, 1), (2.3, 2)):
        car = a_walk((20, 190), (60, 0), hidden_s=(3.0, 3.0 + gap_s))
        assert len(serials(run(walked([car], fps=10, duration_s=7.0)))) == count


def test_a_single_weak_flicker_is_nobody() -> None:
    steps = [a_step(k / 10, [(100, 100, 130, 140)] if k == 5 else []) for k in range(20)]
    assert len(run(steps)) == 0


def test_rows_are_tentative_until_the_track_is_sure() -> None:
    car = a_walk((20, 190), (60, 0), source=Eye.MOTION, kind=Kind.UNKNOWN)
    tracker = a_tracker()
    points = concat_points([tracker.update(step) for step in walked([car], fps=10, duration_s=3.0)])
    tentative = (points.flags & Flag.TENTATIVE) > 0
    assert len(np.unique(points.track_id)) == 1
    assert points.t_ns[0] == 0
    assert tentative[0]
    assert not tentative[-1]
    assert (np.diff(tentative.astype(int)) <= 0).all()


def test_who_gave_no_row_for_two_seconds_comes_back_as_another() -> None:
    car = a_walk((20, 190), (4, 0), hidden_s=(3.0, 7.5))
    points = run(walked([car], fps=10, duration_s=12.0))
    for track in points.tracks():
        assert (np.diff(track.points.t_ns) <= 2_000_000_000).all()


def test_live_shows_also_the_unconfirmed() -> None:
    tracker = a_tracker()
    assert len(tracker.live()) == 0
    assert len(believed(tracker.update(a_step(0.0, [(100, 100, 130, 140)])))) == 0
    assert tracker.live().track_id.tolist() == [track_id_of(3, 1)]


def test_time_may_not_run_backwards() -> None:
    tracker = a_tracker()
    tracker.update(a_step(1.0))
    with pytest.raises(ValueError, match="comes after"):
        tracker.update(a_step(0.9))


@given(seed=st.integers(0, 2**32 - 1), fps=st.sampled_from([5.0, 10.0, 25.0]))
@settings(max_examples=15, deadline=None)
def test_the_order_of_detections_changes_no_bit(seed: int, fps: float) -> None:
    rng = np.random.default_rng(seed)
    steps = walked(a_street(), fps=fps, duration_s=4.0)
    shuffled = [step[rng.permutation(len(step))] for step in steps]
    assert same_bits(run(steps), run(shuffled))


@given(
    boxes=st.lists(
        st.lists(
            st.tuples(st.floats(0, 600), st.floats(0, 440), st.floats(1, 300), st.floats(1, 300)),
            max_size=6,
        ),
        min_size=1,
        max_size=12,
    ),
    looked=st.sampled_from(list(Eye)),
)
@settings(max_examples=60, deadline=None)
def test_any_boxes_give_sane_rows(
    boxes: list[list[tuple[float, float, float, float]]], looked: Eye
) -> None:
    steps = [
        a_step(k / 5, [(x, y, x + w, y + h) for x, y, w, h in here], looked=looked, score=0.9)
        for k, here in enumerate(boxes)
    ]
    tracker = a_tracker()
    for step in steps:
        points = tracker.update(step)
        assert (np.diff(points.track_id) > 0).all()
        assert np.isfinite(points.box_px).all()
        assert (points.box_px >= 0).all()
        assert (points.box_px <= [640, 480, 640, 480]).all()
        assert (points.t_ns == step.t_ns).all()
        assert np.isnan(points.xy_m).all()
