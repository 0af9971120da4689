"""Interacting pairs come back from the catalogue bit for bit, infinities and unknowns too."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from tests.safety.crossing_street import at_once, driven
from tests.store.test_catalogue import opened, with_run

from calmstreet.model.conflicts import CONFLICT_COLUMNS, Conflicts
from calmstreet.safety.conflicts import ConflictWatch
from calmstreet.store.conflicts import ConflictRun


def some_conflicts() -> Conflicts:
    watch = ConflictWatch()
    watch.update(
        at_once(
            driven(1, (-40.0, 0.0), (40.0, 0.0), speed_mps=10.0),
            driven(2, (0.0, -50.0), (0.0, 40.0), speed_mps=10.0),
        )
    )
    found = watch.close()
    assert np.isinf(found.min_ttc_s).any() or np.isnan(found.time_gap_s).any()
    return replace(found, paths_version="ab" * 32)


def test_pairs_come_back(tmp_path: Path) -> None:
    found = some_conflicts()
    about = ConflictRun(paths_version=found.paths_version, paths=3)
    with opened(tmp_path) as catalogue:
        run_id = with_run(catalogue)
        assert catalogue.conflict_run(run_id).why_not == "not-judged"
        catalogue.save_conflicts(run_id, found, about)
        catalogue.save_conflicts(run_id, found, about)
        again = catalogue.conflicts(run_id, "north")
        assert catalogue.conflict_run(run_id) == about
    assert again.paths_version == found.paths_version
    assert np.array_equal(again.watched_ns, found.watched_ns)
    for name, dtype in CONFLICT_COLUMNS:
        ours, theirs = getattr(found, name), getattr(again, name)
        assert np.array_equal(ours, theirs, equal_nan=dtype is np.float64), name
