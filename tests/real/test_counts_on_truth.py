"""Counting on the annotated tracks of real streets, thinned to lower frame rates."""

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.builders import START_NS, S, a_site
from tests.shared_data import shared_data

from calmstreet.model.kinds import Kind
from calmstreet.model.points import TrackPoints, make_points, track_id_of
from calmstreet.safety.flow import FlowCounter

pytestmark = pytest.mark.real

CLIPS = ["urbantracker_rene_gt.sqlite", "urbantracker_rouen_gt.sqlite"]


def annotated(path: Path) -> tuple[NDArray[np.int64], TrackPoints]:
    """Return steps at 25 per second and one row per annotated box."""
    query = (
        "select object_id, frame_number, x_top_left, y_top_left, x_bottom_right, y_bottom_right"
        " from bounding_boxes order by frame_number, object_id"
    )
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        rows = np.array(db.execute(query).fetchall(), float)
    t_ns = START_NS + (rows[:, 1].astype(np.int64) * S) // 25
    points = make_points(
        camera_id="north",
        run_id=1,
        t_ns=t_ns,
        track_id=[track_id_of(1, int(number) + 1) for number in rows[:, 0]],
        kind=np.full(len(rows), Kind.CAR),
        score=np.ones(len(rows)),
        flags=np.zeros(len(rows)),
        box_px=rows[:, 2:],
    )
    return np.unique(t_ns), points


def counted(
    steps: NDArray[np.int64], points: TrackPoints, gates: dict[str, list[tuple[float, float]]]
) -> Counter[tuple[str, str, int]]:
    right, bottom = np.ceil(points.box_px[:, 2:].max(axis=0))
    counter = FlowCounter(
        site=a_site(gates=gates),
        camera_id="north",
        run_id=1,
        width_px=int(right),
        height_px=int(bottom),
    )
    counter.update(steps, points[np.isin(points.t_ns, steps)])
    mine = counter.finish().crossings
    rows = zip(mine.gate_id, mine.direction, mine.track_id, strict=True)
    return Counter((str(gate), str(side), int(track)) for gate, side, track in rows)


def upright_and_level(points: TrackPoints) -> dict[str, list[tuple[float, float]]]:
    """Return gates across the whole picture at the quarters of where feet were."""
    feet = points.foot_px()
    far = float(points.box_px.max()) + 100
    table: dict[str, list[tuple[float, float]]] = {}
    for share in (0.25, 0.5, 0.75):
        x, y = (float(v) for v in np.quantile(feet, share, axis=0))
        table[f"x{share}"] = [(x, far), (x, -100.0)]
        table[f"y{share}"] = [(-100.0, y), (far, y)]
    return table


@pytest.mark.parametrize("clip", CLIPS)
def test_crossings_add_up_to_where_everybody_went(clip: str) -> None:
    steps, points = annotated(shared_data(f"tracking/{clip}"))
    gates = upright_and_level(points)
    found = counted(steps, points, gates)
    assert found
    wrong = 0
    for track in points.tracks():
        first, last = track.points.foot_px()[[0, -1]].astype(float)
        for gate, ((x, y), _) in gates.items():
            axis, line = (0, x) if gate.startswith("x") else (1, y)
            change = int(last[axis] > line) - int(first[axis] > line)
            right = found[gate, "to_right", track.track_id]
            left = found[gate, "to_left", track.track_id]
            wrong += right - left != change
    assert wrong == 0


@pytest.mark.parametrize("clip", CLIPS)
@pytest.mark.parametrize("every", [2, 5])
def test_a_lower_frame_rate_counts_the_same(clip: str, every: int) -> None:
    steps, points = annotated(shared_data(f"tracking/{clip}"))
    gates = upright_and_level(points)
    full, thin = counted(steps, points, gates), counted(steps[::every], points, gates)
    differing = sum(((full - thin) + (thin - full)).values())
    assert differing <= max(0.02 * sum(full.values()), 1)
