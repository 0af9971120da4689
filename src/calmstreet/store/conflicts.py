"""Interacting pairs of a run, and the time in which they were looked for, as rows and back."""

from dataclasses import dataclass

import numpy as np

from calmstreet.model.conflicts import Conflicts
from calmstreet.store.database import Database
from calmstreet.store.tables import TABLES, Columns, read_rows

__all__ = ["ConflictRun", "read_conflict_run", "read_conflicts", "tables_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictRun:
    """How conflicts were looked for in a run.

    ``why_not`` a word for why they were not, "" where they were; ``paths_version`` sha256 of the
    usual paths that were used, ``paths`` how many these are.
    """

    why_not: str = ""
    paths_version: str = ""
    paths: int = 0


def tables_of(conflicts: Conflicts, about: ConflictRun) -> dict[str, Columns]:
    """Return the pairs of a run as columns of the tables of ``store.tables``."""
    watched = conflicts.watched_ns
    return {
        "conflicts": {name: getattr(conflicts, name) for name in TABLES["conflicts"]},
        "conflicts_watched": {"start_ns": watched[:, 0], "end_ns": watched[:, 1]},
        "conflict_runs": {
            "why_not": np.array([about.why_not]),
            "paths_version": np.array([about.paths_version]),
            "paths": np.array([about.paths]),
        },
    }


def read_conflicts(database: Database, run_id: int, camera_id: str) -> Conflicts:
    """Return the interacting pairs of a run in order of start, then users."""
    rows = read_rows(database, "conflicts", [run_id])
    watched = read_rows(database, "conflicts_watched", [run_id])
    del rows["run_id"]
    return Conflicts(
        camera_id=camera_id,
        run_id=run_id,
        paths_version=read_conflict_run(database, run_id).paths_version,
        watched_ns=np.stack([watched["start_ns"], watched["end_ns"]], axis=1),
        **rows,
    )


def read_conflict_run(database: Database, run_id: int) -> ConflictRun:
    """Return how conflicts were looked for; "not-judged" for a run of an older version."""
    rows = read_rows(database, "conflict_runs", [run_id])
    if not len(rows["why_not"]):
        return ConflictRun(why_not="not-judged")
    return ConflictRun(
        why_not=str(rows["why_not"][0]),
        paths_version=str(rows["paths_version"][0]),
        paths=int(rows["paths"][0]),
    )
