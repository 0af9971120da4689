from pathlib import Path

import numpy as np
import pytest
from tests.store.rows import a_step, bits

from calmstreet.errors import StoreError
from calmstreet.model.event import Event
from calmstreet.model.points import TrackPoints, concat_points, track_id_of
from calmstreet.model.signals import SignalChanges
from calmstreet.store.evidence import Evidence, read_evidence, write_evidence

S = 10**9
TRACKS = (track_id_of(1, 1), track_id_of(1, 7))


def some_evidence(*, track_ids: tuple[int, ...] = TRACKS) -> Evidence:
    event = Event(
        event_id="0123456789abcdef",
        kind="conflict",
        camera_id="north",
        start_ns=100 * S,
        end_ns=101 * S,
        place_m=(1.5, float("nan")),
        track_ids=track_ids,
        values={"ttc_s": 0.9, "pet_s": float("inf")},
        severity=3,
        rule="conflict/1",
        reasons=("было близко",),
    )
    signal_changes = SignalChanges(
        t_ns=np.array([10 * S, 95 * S, 100 * S]),
        signal_id=np.array(["s1", "s1", "s2"]),
        state=np.array([1, 4, 1], np.uint8),
        confidence=np.array([1.0, 0.3, np.nan], np.float32),
    )
    return Evidence(
        event=event,
        points=all_points(),
        signal_changes=signal_changes,
        thresholds={"max_ttc_s": 1.5},
    )


def all_points() -> TrackPoints:
    return concat_points([a_step(t * S, rows=3) for t in range(85, 120)])


def test_evidence_keeps_everybody_near_and_the_state_before(tmp_path: Path) -> None:
    evidence = some_evidence()
    files = write_evidence(tmp_path, evidence)
    read = read_evidence(tmp_path, [file.path for file in files])
    points = all_points()
    near = (points.t_ns >= 90 * S) & (points.t_ns <= 111 * S)
    assert bits(read.points) == bits(points[near])
    assert (read.points.camera_id, read.points.run_id) == ("north", 1)
    assert repr(read.event) == repr(evidence.event)
    assert read.thresholds == {"max_ttc_s": 1.5}
    assert read.signal_changes.t_ns.tolist() == [10 * S, 95 * S, 100 * S]
    assert read.signal_changes.signal_id.tolist() == ["s1", "s1", "s2"]
    np.testing.assert_array_equal(
        read.signal_changes.confidence, evidence.signal_changes.confidence
    )
    assert [file.path for file in files] == [
        "evidence/1-0123456789abcdef.parquet",
        "evidence/1-0123456789abcdef.json",
    ]


def test_an_event_without_road_users_keeps_everybody_near(tmp_path: Path) -> None:
    files = write_evidence(tmp_path, some_evidence(track_ids=()))
    read = read_evidence(tmp_path, [file.path for file in files])
    assert len(read.points) == 3 * 22


def test_missing_and_damaged_evidence_is_named(tmp_path: Path) -> None:
    paths = [file.path for file in write_evidence(tmp_path, some_evidence())]
    (tmp_path / paths[1]).write_text("{}")
    with pytest.raises(StoreError, match=r"0123456789abcdef.json is damaged"):
        read_evidence(tmp_path, paths)
    (tmp_path / paths[0]).unlink()
    with pytest.raises(StoreError, match="is missing"):
        read_evidence(tmp_path, paths)
    with pytest.raises(StoreError, match="is missing"):
        read_evidence(tmp_path, [])
