"""Interacting pairs for the tests of the desk, and for its bench."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.conflicts import CONFLICT_COLUMNS, Conflicts

__all__ = ["pairs_at"]


def pairs_at(
    camera_id: str,
    run_id: int,
    start_ns: Sequence[int] | NDArray[np.int64],
    *,
    level: Sequence[int],
    watched_ns: tuple[int, int],
    rejected: Sequence[str] | None = None,
    first_track: int = 1,
) -> Conflicts:
    """Return pairs of tracks 1 and 2, 3 and 4 and so on; level 0 is no conflict."""
    n = len(start_ns)
    levels = np.asarray(level, np.uint8)
    columns: dict[str, Any] = {
        name: np.zeros(n, dtype) if dtype is not np.float64 else np.full(n, np.nan)
        for name, dtype in CONFLICT_COLUMNS
    }
    tracks = (run_id << 32) + first_track + 2 * np.arange(n, dtype=np.int64)
    columns |= {
        "user_a": tracks,
        "user_b": tracks + 1,
        "kind_a": np.full(n, 4, np.uint8),
        "kind_b": np.full(n, 4, np.uint8),
        "start_ns": np.asarray(start_ns, np.int64),
        "end_ns": np.asarray(start_ns, np.int64) + 10**9,
        "x_m": np.zeros(n),
        "y_m": np.full(n, 12.0),
        "type": np.array(["crossing"] * n, np.str_),
        "is_conflict": levels > 0,
        "level": levels,
        "rejected_because": np.array(rejected or [""] * n, np.str_),
        "why": np.where(levels > 0, "pet", ""),
        "ttc_along": np.array([""] * n, np.str_),
    }
    return Conflicts(
        camera_id=camera_id,
        run_id=run_id,
        watched_ns=np.array([watched_ns], np.int64),
        **columns,
    )
