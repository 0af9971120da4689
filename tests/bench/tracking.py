"""What a step of the tracker costs, through the tracker's own bench."""

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
from tests.bench.bench_tracker import TARGETS_MS, once
from tests.bench.measure import Row, row, take_turns
from tests.perception.mot import follow
from tests.perception.spoiled import bouncing

__all__ = ["bench_tracker"]


def bench_tracker(
    targets_ms: Mapping[int, float] = TARGETS_MS, *, steps: int = 120, rounds: int = 5
) -> Iterator[Row]:
    """Yield ms per step for each number of road users, and whether it follows that many."""
    for users, target_ms in targets_ms.items():
        _, found = bouncing(users, steps=steps, fps=10.0, seed=1)
        points = follow(found, width_px=1920, height_px=1080)
        ids = len(np.unique(points.track_id))
        cost = take_turns({"ours": partial(once, found)}, rounds=rounds)["ours"]
        note = f"{users} users on {ids} ids, 10 steps a second, min {cost.min_s / steps * 1e3:.2f}"
        ms = cost.median_s / steps * 1e3
        yield row(f"tracker at {users} users", ms, "ms per step", most=target_ms, note=note)
