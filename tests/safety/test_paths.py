"""Usual paths: learned from tracks, followed by who fits, the same again from their text."""

import json

import numpy as np
import pytest
from tests.safety.crossing_street import at_once, driven

from calmstreet.errors import InputError
from calmstreet.model.kinds import Kind
from calmstreet.safety.learn_paths import LearningSettings, PathLearner, learn_paths
from calmstreet.safety.movers import movers_of, on_paths
from calmstreet.safety.paths import NO_PATHS, Paths, paths_from_json
from calmstreet.safety.streams import Streams

THROUGH = [driven(k, (-60, 0), (60, 0), speed_mps=10, start_s=9 * k) for k in (1, 2, 3)]
LEFT = [driven(k, (-60, 0), (-4, 0), (0, 4), (0, 60), speed_mps=8, start_s=9 * k) for k in (4, 5)]
WALK = [
    driven(k, (8, -10), (8, 10), speed_mps=1.4, start_s=9 * k, kind=Kind.PEDESTRIAN) for k in (6, 7)
]


def learned() -> Paths:
    return learn_paths(at_once(*THROUGH, *LEFT, *WALK))


def test_each_way_is_one_path_with_its_users() -> None:
    paths = learned()
    assert sorted(zip(paths.walker.tolist(), paths.users.tolist(), strict=True)) == [
        (False, 2),
        (False, 3),
        (True, 2),
    ]
    assert len(paths.version) == 64
    assert NO_PATHS.version == ""


def test_learning_in_blocks_is_learning_at_once() -> None:
    rows = at_once(*THROUGH, *LEFT)
    learner = PathLearner()
    for part in np.array_split(np.unique(rows.t_ns), 7):
        learner.update(rows[np.isin(rows.t_ns, part)])
    assert learner.close().version == learn_paths(rows).version


def test_text_reads_back_the_same_and_names_the_content() -> None:
    paths = learned()
    again = paths_from_json(json.loads(paths.to_json()))
    assert again.version == paths.version
    assert learn_paths(at_once(*THROUGH)).version != paths.version


@pytest.mark.parametrize(
    "tree",
    [
        {},
        {"station_m": 0.5, "paths": [{"users": 2}]},
        {"station_m": 0.5, "paths": [{"users": 0, "walker": False, "xy_mm": [[0, 0], [500, 0]]}]},
    ],
)
def test_another_file_is_refused(tree: dict[str, object]) -> None:
    with pytest.raises(InputError, match="learn them again"):
        paths_from_json(tree)


def test_rare_ways_are_no_paths_where_many_were_seen() -> None:
    rare = driven(9, (-60, 0), (0, 30), (60, 30), speed_mps=9)
    many = LearningSettings(least_share=0.4)
    assert len(learn_paths(at_once(*THROUGH, rare), settings=many)) == 1


def test_where_he_goes_later_tells_the_path_now() -> None:
    """Before the fork the more usual path is taken, unless the next seconds are known."""
    paths = learned()
    turning = LEFT[0]
    early = turning.t_ns < turning.t_ns[0] + 3_000_000_000
    now, choices = movers_of(turning[early], paths)
    alone = on_paths(now, choices)
    assert (alone.choices == 2).all()
    assert len(set(alone.path.tolist())) == 1
    known = on_paths(now, choices, later=[movers_of(turning[~early], paths)])
    assert set(known.path.tolist()) != set(alone.path.tolist())
    x, y, *_ = paths.ahead(known.path[:1], known.station_m[:1] + 100.0, known.aside_m[:1])
    assert x[0] == pytest.approx(0.0, abs=0.5)
    assert y[0] > 30


def test_against_the_way_or_far_from_it_there_is_no_path() -> None:
    paths = learned()
    place = np.array([0.0, 0.0, 30.0]), np.array([0.0, 0.0, 5.0])
    fit = paths.fit(*place, heading_rad=np.array([0.0, np.pi, 0.0]), walker=np.zeros(3, np.bool_))
    assert (fit.path >= 0).tolist() == [True, False, False]


def test_lanes_side_by_side_are_one_stream() -> None:
    beside = [driven(k, (-60, 3.2), (60, 3.2), speed_mps=10, start_s=9 * k) for k in (20, 21)]
    against = [driven(k, (60, 6.4), (-60, 6.4), speed_mps=10, start_s=9 * k) for k in (22, 23)]
    paths = learn_paths(at_once(*THROUGH, *beside, *against))
    streams = Streams(paths=paths)
    sizes = sorted(len(streams.beside(k, 60.0)) for k in range(len(paths)))
    assert sizes == [1, 2, 2]
