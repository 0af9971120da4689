"""Process time of trackers, side by side: the machine is shared, so runs take turns."""

import time
from collections.abc import Callable, Mapping
from statistics import median

__all__ = ["ms_per_step"]


def ms_per_step(
    runs: Mapping[str, Callable[[], None]], *, steps: int, rounds: int = 5
) -> dict[str, float]:
    """Return the median process time of each run in ms per step, after one round to warm up."""
    spent: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds + 1):
        for name, once in runs.items():
            start_s = time.process_time()
            once()
            spent[name].append(time.process_time() - start_s)
    return {name: median(times[1:]) / steps * 1e3 for name, times in spent.items()}
