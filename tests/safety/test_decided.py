"""What decided a pair lies in the span that the watch names: other rows change nothing."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from tests.builders import together
from tests.drives import Timed, a_drive

from calmstreet.model.conflicts import CONFLICT_COLUMNS, Conflicts
from calmstreet.model.kinds import Kind
from calmstreet.model.points import TrackPoints
from calmstreet.safety.conflicts import AFTER_NS, BEFORE_NS, ConflictWatch
from calmstreet.safety.learn_paths import learn_paths
from calmstreet.safety.paths import Paths


def a_crossroads(seed: int) -> TrackPoints:
    """Return two minutes of cars from the west that brake for those from the south.

    All have been on the road for some time; a cyclist goes round the crossing all the while, and
    every third driver from the west stands before it first.
    """
    dice = np.random.default_rng(seed)
    drives = []
    for k, passes_s in enumerate(np.arange(25.0, 110.0, 7.0).tolist()):
        speed = dice.uniform(6, 10)
        south: list[Timed] = [(passes_s - 160 / speed, 1.6, -160.0), (passes_s, 1.6, 0.0)]
        drives.append(a_drive([*south, (passes_s + 40 / speed, 1.6, 40.0)], serial=2 * k + 1))
        slowest, braking = dice.uniform(1, 2.5), dice.uniform(1.5, 4)
        waits = dice.uniform(-8, -5)
        way = [(0.0, -150.0)]
        for place in np.arange(-149.5, 60.0, 0.5).tolist():
            speed = min((slowest**2 + 2 * braking * abs(place - waits)) ** 0.5, 13.0)
            way.append(
                (way[-1][0] + 0.5 / speed + (4.0 if k % 3 == 0 and place == -30 else 0), place)
            )
        at = next(t for t, x in way if x >= waits) - passes_s - dice.uniform(-0.5, 0.5)
        drives.append(a_drive([(t - at, x, -1.6) for t, x in way], serial=2 * k + 2))
    circle: list[Timed] = [(k * 9.0, 14.0 * (-1) ** k, 9.0 * (-1) ** k) for k in range(15)]
    drives.append(a_drive(circle, serial=400, kind=Kind.BICYCLE))
    return together(*drives)


def judged(points: TrackPoints, paths: Paths) -> tuple[Conflicts, ConflictWatch]:
    watch = ConflictWatch(paths=paths)
    watch.update(points)
    return watch.close(), watch


def rows_of(found: Conflicts) -> Iterator[tuple[tuple[int, int, int], dict[str, Any]]]:
    for k in range(len(found)):
        row = {name: getattr(found, name)[k] for name, _ in CONFLICT_COLUMNS}
        yield (int(row["user_a"]), int(row["user_b"]), int(row["start_ns"])), row


@pytest.mark.parametrize("seed", [1, 2])
def test_rows_around_what_decided_give_the_same_pair(seed: int) -> None:
    points = a_crossroads(seed)
    paths = learn_paths(points)
    found, watch = judged(points, paths)
    every = dict(rows_of(found))
    assert set(watch.decided) == {key for key, row in every.items() if row["is_conflict"]}
    assert len(watch.decided) >= 10
    for key, (from_ns, until_ns) in list(watch.decided.items())[::3]:
        assert from_ns <= key[2] <= until_ns
        near = (points.t_ns >= from_ns - BEFORE_NS) & (points.t_ns <= until_ns + AFTER_NS)
        again = dict(rows_of(judged(points[near], paths)[0]))
        assert set(again) >= {key}
        for name, value in every[key].items():
            if isinstance(value, np.floating):
                assert float(again[key][name]) == pytest.approx(float(value), rel=1e-9, nan_ok=True)
            else:
                assert again[key][name] == value, name
