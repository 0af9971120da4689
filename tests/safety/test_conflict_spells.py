"""Conflicts while the camera looked elsewhere count nowhere; conflicts as events."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.geometry.calibrated import TEN, spec_of
from tests.safety.crossing_street import START_NS, S, at_once, driven

from calmstreet.geometry.calibrate import fit_plane
from calmstreet.model.conflicts import Conflicts
from calmstreet.model.shifts import Shifts, no_shifts
from calmstreet.safety.conflict_events import conflict_events
from calmstreet.safety.conflict_rates import day_counts
from calmstreet.safety.conflict_rules import ConflictSettings
from calmstreet.safety.conflict_spells import conflicts_unmoved, spells_without, unusable_spells
from calmstreet.safety.conflicts import ConflictWatch

Spells = list[tuple[int, int]]


@pytest.fixture(scope="module")
def found() -> Conflicts:
    watch = ConflictWatch()
    for begin_s in (0.0, 60.0):
        first = 1 + round(begin_s)
        watch.update(
            at_once(
                driven(first, (-40.0, 0.0), (40.0, 0.0), speed_mps=10.0, start_s=begin_s),
                driven(first + 1, (0.0, -50.0), (0.0, 40.0), speed_mps=10.0, start_s=begin_s),
            )
        )
    pairs = watch.close()
    assert pairs.is_conflict.tolist() == [True, True]
    return pairs


def test_a_conflict_while_the_camera_had_moved_does_not_count(found: Conflicts) -> None:
    gone = [[START_NS + 50 * S, START_NS + 65 * S]]
    left = conflicts_unmoved(found, gone)
    assert left.is_conflict.tolist() == [True, False]
    assert left.rejected_because.tolist() == ["", "camera-moved"]
    assert left.level[1] == 0
    assert left.watched_s < found.watched_s
    counts = day_counts([left], tz="UTC")
    assert (counts.conflicts.tolist(), counts.pairs.tolist()) == ([1.0], [1.0])
    assert conflicts_unmoved(found, np.empty((0, 2))) is found


@pytest.mark.parametrize(("right_px", "gone"), [(0.2, False), (60.0, True), (np.nan, True)])
def test_only_shifts_that_lay_the_ground_elsewhere_count(right_px: float, gone: bool) -> None:
    plane = fit_plane(spec_of(TEN), width_px=1920, height_px=1080)
    matrix = np.array([[[1.0, 0, right_px], [0, 1, 0], [0, 0, 1]]])
    shifts = Shifts(start_ns=np.array([5]), end_ns=np.array([9]), matrix=matrix)
    assert unusable_spells(shifts, plane=plane).tolist() == ([[5, 9]] if gone else [])
    assert len(unusable_spells(shifts, plane=None)) == 0
    assert len(unusable_spells(no_shifts(), plane=plane)) == 0


def spells() -> st.SearchStrategy[Spells]:
    cuts = st.lists(st.integers(0, 60), unique=True, max_size=8).map(sorted)
    return cuts.map(lambda at: list(zip(at[::2], at[1::2], strict=False)))


@given(watched=spells(), gone=spells())
def test_what_is_left_is_watched_and_not_gone(watched: Spells, gone: Spells) -> None:
    def inside(moments: Spells) -> set[int]:
        return {t for begin, end in moments for t in range(begin, end)}

    left = spells_without(np.array(watched).reshape(-1, 2), np.array(gone).reshape(-1, 2))
    assert inside(left.tolist()) == inside(watched) - inside(gone)


def test_grave_conflicts_become_events(found: Conflicts) -> None:
    named = replace(found, paths_version="ab" * 32)
    events = conflict_events(named, settings=ConflictSettings())
    assert [event.kind for event in events] == ["conflict", "conflict"]
    first = events[0]
    assert first.severity == found.level[0] >= 2
    assert first.track_ids == (int(found.user_a[0]), int(found.user_b[0]))
    assert first.values["pet_s"] == pytest.approx(found.pet_s[0])
    assert "sigma_pet_s" in first.values
    assert np.isfinite(list(first.values.values())).all()
    assert first.reasons[-1] == "usual paths abababababab"
    assert any(reason.startswith("(a)") for reason in first.reasons)
    assert conflict_events(named, settings=ConflictSettings(review_level=5)) == []
