"""Pictures and their truth belong together: boxes, hidden parts, heads, plates, light, nobody."""

import math
from dataclasses import replace

import numpy as np
import pytest

from calmstreet.config.site import check_frame, dump_site_toml, parse_site
from calmstreet.model.kinds import PEOPLE, VEHICLES, Kind
from calmstreet.scene.script import (
    cloud_passes,
    demo_street,
    night_street,
    nobody,
    one_car,
    standing_queue,
    stopped_car,
    two_neighbours,
)
from calmstreet.scene.stage import Scene, Stage
from calmstreet.scene.traffic import Actor, Path, Plan


@pytest.fixture(scope="module")
def demo() -> Stage:
    return Stage(replace(demo_street(36.0), noise=0.0))


def test_the_same_seed_gives_the_same_picture() -> None:
    first, second = (Stage(one_car(seed=7)).picture(2.0)[0] for _ in range(2))
    assert np.array_equal(first, second)


def test_a_box_holds_what_was_drawn(demo: Stage) -> None:
    stage = Stage(replace(one_car(seed=7), noise=0.0))
    picture, rows = stage.picture(2.4)
    assert len(rows) == 1
    left, top, right, bottom = rows[0].box_px
    bare = Stage(replace(nobody(seed=7), noise=0.0, flicker=0.0)).picture(2.4)[0]
    changed = np.abs(picture.astype(int) - bare.astype(int)).max(axis=2) > 40
    ys, xs = np.nonzero(changed)
    assert abs(xs.min() - left) <= 3
    assert abs(ys.min() - top) <= 3
    assert xs.max() <= right + 60
    assert abs(ys.max() - bottom) <= 12


@pytest.mark.parametrize("t_s", [4.0, 16.0, 31.5])
def test_truth_lies_in_the_frame(demo: Stage, t_s: float) -> None:
    _, rows = demo.picture(t_s)
    assert rows
    for row in rows:
        left, top, right, bottom = row.box_px
        assert 0 <= left < right <= 960
        assert 0 <= top < bottom <= 540
        assert 0 <= row.visible_share <= 1
        if row.visible_share > 0.05:
            assert row.visible_px[0] >= left - 2
            assert row.visible_px[3] <= bottom + 2


def test_heads_and_plates_lie_on_their_bodies(demo: Stage) -> None:
    _, rows = demo.picture(16.0)
    whole = [row for row in rows if row.box_px[0] > 1 and row.box_px[3] < 539 and row.box_px[1] > 1]
    heads = [row for row in whole if row.kind in PEOPLE]
    plates = [row for row in whole if row.kind in VEHICLES]
    assert heads
    assert plates
    for row in heads:
        assert row.head_px is not None
        assert row.head_px[1] >= row.box_px[1] - 2
        assert row.head_px[3] < row.box_px[1] + 0.4 * (row.box_px[3] - row.box_px[1])
    for row in plates:
        assert row.plate_px is not None
        xs, ys = zip(*row.plate_px, strict=True)
        assert row.box_px[0] <= min(xs)
        assert max(xs) <= row.box_px[2]
        assert min(ys) > (row.box_px[1] + row.box_px[3]) / 2
        assert max(ys) <= row.box_px[3]


def test_a_plate_is_black_and_white() -> None:
    picture, rows = Stage(replace(one_car(seed=7), noise=0.0)).picture(2.0)
    assert rows[0].plate_px is not None
    xs, ys = zip(*rows[0].plate_px, strict=True)
    cut = picture[int(min(ys)) : int(max(ys)) + 1, int(min(xs)) : int(max(xs)) + 1]
    assert cut.max() > 190
    assert cut.min() < 70


def test_the_bus_hides_a_car(demo: Stage) -> None:
    hidden = [
        row.visible_share
        for t_s in np.arange(30, 36, 0.5)
        for row in demo.picture(float(t_s))[1]
        if row.kind == Kind.CAR and row.box_px[3] > 150
    ]
    assert min(hidden) < 0.35


def test_nobody_is_nobody_whatever_the_light() -> None:
    for scene in (nobody(seed=7), cloud_passes(seed=7)):
        stage = Stage(scene)
        pictures = [stage.picture(t_s, i)[0].mean() for i, t_s in enumerate((0.0, 5.0, 10.0))]
        assert all(stage.picture(t_s)[1] == [] for t_s in (0.0, 9.0))
        assert max(pictures) - min(pictures) > 4


def test_noise_is_new_in_every_frame() -> None:
    stage = Stage(replace(nobody(seed=7), flicker=0.0))
    first, second = (stage.picture(0.0, i)[0].astype(int) for i in (0, 1))
    assert 3 < (first - second).std() < 9


def test_night_is_dark_and_lamps_are_lit() -> None:
    picture, rows = Stage(night_street(seed=7)).picture(5.0)
    assert rows
    assert picture.mean() < 60
    assert picture.max() > 220
    wet, _ = Stage(night_street(seed=7, rain=True)).picture(5.0)
    assert not np.array_equal(picture, wet)


def standing(scene: Scene, t_s: float) -> int:
    states = [actor.state(t_s) for actor in scene.actors]
    return sum(state is not None and state[1] < 0.1 for state in states)


def test_the_queue_stands_and_leaves() -> None:
    scene = standing_queue()
    assert [standing(scene, t_s) for t_s in (0.0, 7.0, 14.0)] == [4, 4, 0]
    assert len(Stage(standing_queue(seed=7)).picture(0.0)[1]) == 4


def test_the_stopped_car_stands_for_two_minutes() -> None:
    scene = stopped_car()
    assert [standing(scene, t_s) for t_s in (15.0, 70.0, 124.0, 132.0)] == [1, 1, 1, 0]


def test_neighbours_are_side_by_side() -> None:
    _, rows = Stage(two_neighbours(seed=7)).picture(3.0)
    assert len(rows) == 2
    apart = np.subtract(rows[0].xy_m, rows[1].xy_m)
    assert math.hypot(*apart) == pytest.approx(3.3, abs=0.1)
    boxes = np.array([row.box_px for row in rows])
    assert boxes[:, 0].max() < boxes[:, 2].min()


def test_the_stage_has_a_site_that_can_be_written() -> None:
    site = one_car().site
    check_frame(site, "stage", 960, 540)
    assert parse_site(dump_site_toml(site)).site_version == site.site_version


def test_what_lies_on_a_lane_is_drawn_and_known_to_be_nobody() -> None:
    street = nobody(seed=7)
    path = Path(points_m=street.street.to_ground(np.array([(12.0, 1.0), (13.0, 1.0)])))
    plan = Plan(kind=Kind.UNKNOWN, path=path, speed_mps=0.0)
    rests = Actor(
        number=1, plan=plan, start_s=0.0, along_m=np.full(99, 0.5), speed_mps=np.zeros(99)
    )
    bare, none = Stage(replace(street, noise=0.0, flicker=0.0)).picture(1.0)
    picture, rows = Stage(replace(street, noise=0.0, flicker=0.0, actors=(rests,))).picture(1.0)
    assert (none, [row.kind for row in rows]) == ([], [Kind.UNKNOWN])
    left, top, right, bottom = rows[0].box_px
    changed = np.abs(picture.astype(int) - bare.astype(int)).max(axis=2) > 25
    inside = changed[round(top) : round(bottom), round(left) : round(right)]
    assert inside.mean() > 0.5
    assert rows[0].velocity_mps == (0.0, 0.0)
