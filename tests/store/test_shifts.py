"""Shifts of the camera, and what they take out of use, come back bit for bit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from tests.store.test_catalogue import a_flow, opened, with_run

from calmstreet.model.flow import Withdrawn
from calmstreet.model.shifts import Shifts


def some_shifts() -> Shifts:
    matrix = np.array([np.eye(3) + 1e-7 / 3, np.full((3, 3), np.nan)])
    return Shifts(start_ns=np.array([5, 9]), end_ns=np.array([8, 12]), matrix=matrix)


def test_shifts_come_back(tmp_path: Path) -> None:
    shifts = some_shifts()
    with opened(tmp_path) as catalogue:
        first, second = with_run(catalogue), with_run(catalogue, start_ns=100)
        catalogue.save_shifts(first, shifts)
        again = catalogue.shifts([first])
        assert len(catalogue.shifts([second])) == 0
        catalogue.save_shifts(first, shifts)
        assert len(catalogue.shifts([first, second])) == 2
    assert np.array_equal(again.matrix, shifts.matrix, equal_nan=True)
    assert again.start_ns.tolist() == [5, 9]
    assert again.end_ns.tolist() == [8, 12]
    assert again.found.tolist() == [True, False]


def test_what_is_withdrawn_belongs_to_the_flow(tmp_path: Path) -> None:
    gone = Withdrawn(
        place_id=np.array(["a", "b"]), start_ns=np.array([5, 6]), end_ns=np.array([8, 9])
    )
    with opened(tmp_path) as catalogue:
        run_id = with_run(catalogue)
        catalogue.save_flow(replace(a_flow(run_id), withdrawn=gone))
        again = catalogue.flow(run_id).withdrawn
        assert again.place_id.tolist() == ["a", "b"]
        assert again.spells_of("b").tolist() == [[6, 9]]
        catalogue.save_flow(a_flow(run_id))
        assert len(catalogue.flow(run_id).withdrawn) == 0
