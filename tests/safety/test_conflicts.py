"""Pairs of road users: measures, verdicts, rejections, and the same bits however blocks are cut."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.safety.crossing_street import START_NS, S, at_once, driven, placed
from tests.sumo_rows import points_of

from calmstreet.errors import ConfigError
from calmstreet.model.conflicts import CONFLICT_COLUMNS, Conflicts
from calmstreet.model.kinds import Flag, Kind
from calmstreet.model.points import TrackPoints, make_points
from calmstreet.safety.ahead import contact_ahead
from calmstreet.safety.conflict_rules import ConflictSettings, conflict_settings
from calmstreet.safety.conflicts import ConflictWatch
from calmstreet.safety.learn_paths import learn_paths
from calmstreet.safety.movers import movers_of
from calmstreet.safety.paths import NO_PATHS, Paths
from calmstreet.safety.samples import samples_of


def watched(points: TrackPoints, paths: Paths | None = None) -> Conflicts:
    watch = ConflictWatch(paths=paths)
    watch.update(points)
    return watch.close()


def front(x: float, y: float, angle: float, speed: float) -> list[tuple[float, float, float]]:
    """Return where a front bumper is each 0.1 s for 16 s."""
    way = np.radians(90.0 - angle)
    return [
        (k / 10, x + np.cos(way) * speed * k / 10, y + np.sin(way) * speed * k / 10)
        for k in range(160)
    ]


def two_cars(
    a: tuple[float, float, float, float], b: tuple[float, float, float, float]
) -> TrackPoints:
    """Return two cars of 5 by 1.8 m from x, y of the front, compass angle and speed."""
    rows = [
        (t, name, "car", x, y, car[2], car[3])
        for name, car in (("A", a), ("B", b))
        for t, x, y in front(*car)
    ]
    return points_of(rows, sizes_m={"car": (5.0, 1.8)})[0]


def step_of(points: TrackPoints, t_s: float) -> dict[str, float]:
    """Return the measures of the pair at one step."""
    rows = points[points.t_ns == round(t_s * 1e9)]
    movers, _ = movers_of(rows, NO_PATHS)
    one, two = np.array([0]), np.array([1])
    contact = contact_ahead(movers, one, two, paths=NO_PATHS)
    kept = samples_of(movers[one], movers[two], contact, pair=np.zeros(1, np.int64))
    names = ("ttc_s", "drac_mps2", "mdrac_mps2")
    return {name: float(getattr(kept, name)[0]) for name in names}


def test_deterministic_following() -> None:
    points = two_cars((60, 198.4, 90, 10), (20, 198.4, 90, 15))
    at_start = step_of(points, 0.0)
    assert at_start["ttc_s"] == pytest.approx(7.0, abs=1e-4)
    assert at_start["drac_mps2"] == pytest.approx(0.3571, abs=1e-4)
    assert at_start["mdrac_mps2"] == pytest.approx(0.4167, abs=1e-4)
    later = step_of(points, 2.0)
    assert later["ttc_s"] == pytest.approx(5.0, abs=1e-4)
    assert later["mdrac_mps2"] == pytest.approx(0.625, abs=1e-4)


def test_deterministic_crossing() -> None:
    found = watched(two_cars((100, 198.4, 90, 10), (201.6, 85, 0, 10)))
    assert len(found) == 1
    assert found.pet_s[0] == pytest.approx(0.5, abs=0.02)
    assert found.min_ttc_s[0] == np.inf
    assert found.type[0] == "crossing"
    assert found.is_conflict[0]
    assert found.why[0] == "pet"
    assert found.angle_deg[0] == pytest.approx(90, abs=0.1)


def test_deterministic_collision() -> None:
    points = two_cars((100, 198.4, 90, 10), (201.6, 98, 0, 10))
    at_once_s = step_of(points, 4.6)
    assert at_once_s["ttc_s"] == pytest.approx(5.47, abs=1e-4)
    assert at_once_s["drac_mps2"] == pytest.approx(0.3080, abs=1e-4)
    assert at_once_s["mdrac_mps2"] == pytest.approx(1.1186, abs=1e-4)
    found = watched(points)
    assert found.pet_s[0] == pytest.approx(0.0, abs=0.05)
    assert found.contact[0]
    assert found.level[0] == 4


def test_followers_have_a_time_gap_and_no_pet() -> None:
    found = watched(
        at_once(
            driven(1, (0, 0), (120, 0), speed_mps=10),
            driven(2, (0, 0), (120, 0), speed_mps=12, start_s=3),
        )
    )
    assert found.type.tolist() == ["following"]
    assert np.isnan(found.pet_s[0])
    assert found.ttc_along[0] == "following"
    assert 0 < found.time_gap_s[0] < 2.1


def test_neighbours_and_oncoming_lanes_are_no_pairs() -> None:
    found = watched(
        at_once(
            driven(1, (0, 0), (200, 0), speed_mps=10),
            driven(2, (0, 3.2), (200, 3.2), speed_mps=14),
            driven(3, (200, -3.2), (0, -3.2), speed_mps=12),
        )
    )
    assert len(found) == 0


def braking_car(serial: int, x_m: float, speed_mps: float, stop_at_s: float) -> TrackPoints:
    """Return a car that drives east and brakes at 5 m/s2 from ``stop_at_s`` on."""
    t_s = np.arange(80) / 10
    speed = np.clip(speed_mps - 5.0 * np.maximum(t_s - stop_at_s, 0), 0, None)
    gone = np.concatenate([[0.0], np.cumsum(0.5 * (speed[1:] + speed[:-1]) * 0.1)])
    xy = np.stack([x_m + gone, np.zeros(80)], axis=1)
    t_ns = START_NS + np.rint(t_s * 1e9).astype(np.int64)
    return placed(serial, t_ns, xy, heading_rad=np.zeros(80), speed_mps=speed)


def test_hard_braking_on_a_short_ttc_is_a_conflict() -> None:
    slow = driven(1, (40, 0), (80, 0), speed_mps=4)
    found = watched(at_once(slow, braking_car(2, 0.0, 16.0, 1.2)))
    assert found.is_conflict.tolist() == [True]
    assert "evasion" in found.why[0]
    calm = watched(at_once(slow, braking_car(2, -15.0, 10.0, 0.5)))
    assert not calm.is_conflict.any()


def test_a_straight_line_alone_is_no_conflict() -> None:
    """Two cars head for each other at a right angle; one turns away before."""
    through = driven(1, (-60, 0), (60, 0), speed_mps=10)
    turns = driven(2, (0, -62), (0, -8), (4, -5), (60, -5), speed_mps=10)
    found = watched(at_once(through, turns))
    mine = found[found.ttc_along == "straight"]
    assert len(mine) == 1
    assert not mine.is_conflict[0]
    assert mine.rejected_because[0] == "straight line only"
    assert mine.min_ttc_s[0] < 1.5


def streets() -> list[TrackPoints]:
    """Return traffic of an hour ago: through cars east, cars from the south turning right."""
    east = [driven(k, (-60, 0), (60, 0), speed_mps=10, start_s=20 * k) for k in range(1, 4)]
    right = [
        driven(10 + k, (0, -62), (0, -8), (4, -5), (60, -5), speed_mps=10, start_s=20 * k + 100)
        for k in range(1, 4)
    ]
    return east + right


def test_usual_paths_know_who_turns_away() -> None:
    paths = learn_paths(at_once(*streets()))
    through = driven(1, (-60, 0), (60, 0), speed_mps=10)
    turns = driven(2, (0, -62), (0, -8), (4, -5), (60, -5), speed_mps=10)
    found = watched(at_once(through, turns), paths)
    assert not found.is_conflict.any()
    assert (found.min_ttc_s > 1.5).all()
    assert found.paths_version == paths.version


def test_held_ttc_along_paths_is_a_conflict() -> None:
    across = [driven(20 + k, (0, -60), (0, 60), speed_mps=10, start_s=9 * k) for k in range(3)]
    paths = learn_paths(at_once(*streets(), *across))
    one = driven(1, (-60, 0), (60, 0), speed_mps=10)
    two = driven(2, (0, -60.5), (0, 60), speed_mps=10)
    found = watched(at_once(one, two), paths)
    assert found.is_conflict.tolist() == [True]
    assert "ttc" in found.why[0]
    assert found.contact[0]


def walker(serial: int, *, y_from: float, y_to: float, start_s: float) -> TrackPoints:
    return driven(
        serial, (0, y_from), (0, y_to), speed_mps=1.4, start_s=start_s, kind=Kind.PEDESTRIAN
    )


def test_pedestrians_have_three_seconds() -> None:
    car = driven(1, (-60, 0), (60, 0), speed_mps=10)
    found = watched(at_once(car, walker(2, y_from=-8, y_to=8, start_s=3.7)))
    assert found.type.tolist() == ["pedestrian"]
    assert 2.0 < found.pet_s[0] < 3.0
    assert found.is_conflict[0]
    group = at_once(
        walker(2, y_from=-8, y_to=8, start_s=0), walker(3, y_from=8, y_to=-8, start_s=0)
    )
    assert len(watched(group)) == 0


def test_who_walks_into_a_standing_car_is_told_so() -> None:
    t_ns = START_NS + np.arange(150) * (S // 10)
    still = placed(1, t_ns, np.zeros((150, 2)), heading_rad=np.zeros(150), speed_mps=np.zeros(150))
    found = watched(at_once(still, walker(2, y_from=-8, y_to=8, start_s=1.0)))
    assert not found.is_conflict.any()
    car = driven(1, (-30, 0), (0, 0), (0.3, 0), speed_mps=6)
    rest_ns = int(car.t_ns[-1]) + (1 + np.arange(100)) * (S // 10)
    rest = placed(
        1,
        rest_ns,
        np.tile([0.3, 0.0], (100, 1)),
        heading_rad=np.zeros(100),
        speed_mps=np.zeros(100),
    )
    found = watched(at_once(car, rest, walker(2, y_from=-8, y_to=8, start_s=2.0)))
    assert found.rejected_because.tolist() == ["walked into a standing vehicle"]


def crossing_pair(*, second_from_s: float = 1.0, boxed: bool = False) -> list[TrackPoints]:
    return [
        driven(1, (-50, 0), (50, 0), speed_mps=10, boxed=boxed),
        driven(2, (0, -50), (0, 50), speed_mps=10, start_s=second_from_s, boxed=boxed),
    ]


def test_rejections_are_counted_by_reason() -> None:
    gone = driven(1, (-50, 0), (2, 0), speed_mps=10)
    hop = driven(2, (2.5, 1), (2.5, 60), speed_mps=10, start_s=5.3)
    apart = driven(2, (0, -9), (0, 60), speed_mps=10, start_s=5.4)
    brief = driven(2, (0, -3), (0, 5), speed_mps=10, start_s=5.0)
    assert watched(at_once(gone, hop)).rejections() == {"id switch": 1}
    assert watched(at_once(gone, apart)).rejections() == {"never coexisted": 1}
    whole = driven(1, (-50, 0), (50, 0), speed_mps=10)
    assert watched(at_once(whole, brief)).rejections() == {"short track": 1}
    one, two = crossing_pair()
    assert watched(at_once(one, two)).rejections() == {}


def test_two_boxes_on_one_car_are_no_conflict() -> None:
    one = driven(1, (0, 0), (200, 0), speed_mps=10, boxed=True)
    two = driven(2, (-1.0, 0.2), (60, 0.2), (140, -1.5), speed_mps=12, boxed=True)
    found = watched(at_once(one, two))
    assert not found.is_conflict.any()
    assert found.rejections() == {"duplicate boxes": 1}


def test_uncertain_places_make_no_conflict() -> None:
    loose = [
        dataclasses.replace(
            rows, cov_m2=np.tile(np.array([0.4, 0, 0.4], np.float32), (len(rows), 1))
        )
        for rows in (
            driven(1, (-50, 0), (50, 0), speed_mps=10, boxed=True),
            driven(2, (0, -50.3), (0, 50), speed_mps=10, boxed=True),
        )
    ]
    found = watched(at_once(*loose))
    assert found.rejections() == {"uncertain gap": 1}
    assert found.sigma_min_ttc_s[0] > 0


def test_rows_that_were_not_seen_or_have_no_place_do_not_count() -> None:
    one, two = crossing_pair()
    coasted = dataclasses.replace(two, flags=np.full(len(two), Flag.COASTED, np.uint8))
    assert len(watched(at_once(one, coasted))) == 0
    nowhere = dataclasses.replace(two, xy_m=np.full((len(two), 2), np.nan, np.float32))
    assert len(watched(at_once(one, nowhere))) == 0
    nothing = make_points(camera_id="north", run_id=1, t_ns=np.empty(0), track_id=np.empty(0))
    assert len(watched(nothing)) == 0


def test_time_watched_is_kept_in_spells() -> None:
    found = watched(
        at_once(
            driven(1, (0, 0), (50, 0), speed_mps=10),
            driven(2, (0, 0), (50, 0), speed_mps=10, start_s=60),
        )
    )
    assert found.watched_s == pytest.approx(10.0)
    assert len(found.watched_ns) == 2


@settings(max_examples=15, deadline=None)
@given(
    turn=st.floats(-3.1, 3.1),
    east=st.floats(-300, 300),
    north=st.floats(-300, 300),
    later=st.integers(0, 99),
    swap=st.booleans(),
)
def test_turning_moving_waiting_and_swapping_change_nothing(
    turn: float, east: float, north: float, later: int, swap: bool
) -> None:
    one, two = crossing_pair(second_from_s=1.3)
    plain = watched(at_once(one, two))
    cos, sin = np.cos(turn), np.sin(turn)
    matrix = np.array([[cos, sin], [-sin, cos]])
    both = []
    for number, rows in enumerate((one, two)):
        serial = 2 - number if swap else number + 1
        both.append(
            placed(
                serial,
                rows.t_ns + later * (S // 10),
                np.einsum("ni,ij->nj", rows.xy_m.astype(float), matrix) + np.array([east, north]),
                heading_rad=rows.heading_rad.astype(float) + turn,
                speed_mps=np.full(len(rows), 10.0),
            )
        )
    moved = watched(at_once(*both))
    for name in ("pet_s", "t2_s", "delta_v_mps", "angle_deg", "extended_delta_v_mps"):
        assert getattr(moved, name)[0] == pytest.approx(getattr(plain, name)[0], abs=0.02), name
    assert moved.is_conflict.tolist() == plain.is_conflict.tolist() == [True]


def busy_crossing() -> TrackPoints:
    """Return 20 s of eight users with trembling places, as a camera sees them."""
    noise = np.random.default_rng(7)
    tracks = [
        driven(1, (-60, 0), (60, 0), speed_mps=11, boxed=True),
        driven(2, (-60, 0), (60, 0), speed_mps=13, start_s=2, boxed=True),
        driven(3, (0, -60), (0, 60), speed_mps=9, start_s=1, boxed=True),
        driven(4, (0, -60), (0, -4), (4, 0), (60, 0), speed_mps=7, start_s=3, boxed=True),
        driven(5, (60, 3), (-60, 3), speed_mps=12, start_s=2, boxed=True),
        driven(6, (4, -9), (4, 9), speed_mps=1.4, start_s=4, kind=Kind.PEDESTRIAN, boxed=True),
        driven(7, (5, -9), (5, 9), speed_mps=1.2, start_s=4, kind=Kind.PEDESTRIAN, boxed=True),
        driven(8, (60, 3), (4, 3), (0, -3), (0, -60), speed_mps=8, start_s=6, boxed=True),
    ]
    shaken = [
        dataclasses.replace(
            rows,
            xy_m=rows.xy_m + noise.normal(0, 0.05, (len(rows), 2)).astype(np.float32),
            cov_m2=np.tile(np.array([0.01, 0, 0.01], np.float32), (len(rows), 1)),
        )
        for rows in tracks
    ]
    return at_once(*shaken)


BUSY = busy_crossing()
STEPS = np.unique(BUSY.t_ns)


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(1, len(STEPS) - 1), max_size=30))
def test_blocks_may_be_cut_anywhere(cuts: list[int]) -> None:
    paths = learn_paths(BUSY)
    whole = watched(BUSY, paths)
    watch = ConflictWatch(paths=paths)
    parts = []
    for group in np.split(STEPS, sorted(set(cuts))):
        watch.update(BUSY[np.isin(BUSY.t_ns, group)])
        parts.append(watch.ready())
    last = watch.close()
    order = np.argsort(
        [int(a) << 8 | int(b) for a, b in zip(whole.user_a, whole.user_b, strict=True)]
    )
    for name, _ in CONFLICT_COLUMNS:
        pieces = np.concatenate([getattr(part, name) for part in (*parts, last)])
        ids = np.concatenate([(part.user_a << 8) | part.user_b for part in (*parts, last)])
        expected = getattr(whole, name)[order]
        assert pieces[np.argsort(ids)].tobytes() == expected.astype(pieces.dtype).tobytes(), name
    assert len(whole) >= 6
    assert last.watched_ns.tolist() == whole.watched_ns.tolist()


def test_memory_is_bounded_by_who_is_there() -> None:
    watch = ConflictWatch()
    for k in range(30):
        watch.update(
            at_once(
                driven(2 * k + 1, (-50, 0), (50, 0), speed_mps=10, start_s=20 * k),
                driven(2 * k + 2, (0, -50), (0, 50), speed_mps=10, start_s=20 * k + 1),
            )
        )
        watch.ready()
    assert watch.alive <= 8


def test_time_may_not_run_backwards() -> None:
    watch = ConflictWatch()
    one, two = crossing_pair()
    watch.update(two)
    with pytest.raises(ValueError, match="rise in time"):
        watch.update(one)


def test_settings_are_read_with_every_fault_named() -> None:
    assert conflict_settings({}) == ConflictSettings()
    with pytest.raises(ConfigError) as caught:
        conflict_settings({"conflicts": {"pet": 2, "ttc_s": -1}})
    assert len(caught.value.faults) == 2
