"""What one step of the tracker costs: process time at 20 and 200 users, 10 steps a second.

Run: ``PYTHONPATH=src:. python tests/bench/bench_tracker.py``. Prints JSON; exit code 1 when a
target is missed.
"""

import json
import sys

from tests.perception.spoiled import bouncing
from tests.perception.timing import ms_per_step

from calmstreet.model.detections import Detections
from calmstreet.perception.tracker import Tracker

TARGETS_MS = {20: 0.6, 200: 2.0}


def once(steps: list[Detections]) -> None:
    """Follow all steps with a new tracker."""
    tracker = Tracker(camera_id="c", run_id=1, width_px=1920, height_px=1080)
    for step in steps:
        tracker.update(step)


def main() -> int:
    """Measure and print; return the exit code."""
    result = {}
    for users, target_ms in TARGETS_MS.items():
        _, steps = bouncing(users, steps=120, fps=10.0, seed=1)
        cost = ms_per_step({"tracker": lambda steps=steps: once(steps)}, steps=len(steps))  # type: ignore[misc]
        result[f"tracker_ms_at_{users}_users"] = round(cost["tracker"], 3)
        result[f"target_ms_at_{users}_users"] = target_ms
    print(json.dumps(result, indent=1))
    return int(any(result[f"tracker_ms_at_{n}_users"] > t for n, t in TARGETS_MS.items()))


if __name__ == "__main__":
    sys.exit(main())
