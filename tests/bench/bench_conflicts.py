"""What the search for conflicts saves against the TTC of every pair, with equal answers.

Run: ``PYTHONPATH=src:. python tests/bench/bench_conflicts.py``. Prints JSON; exit code 1 when a
target is missed or an answer differs. A step holds a thousand road users on two square
kilometres of streets, as many as a wide or a crowded view can give.
"""

import json
import sys
import time

import numpy as np
from numpy.typing import NDArray

from calmstreet.geometry.contact import box_ttc
from calmstreet.model.kinds import Kind, SizeSource
from calmstreet.model.points import TrackPoints, make_points
from calmstreet.safety.conflicts import ConflictWatch
from calmstreet.safety.movers import Movers, movers_of
from calmstreet.safety.pairing import straight_contacts
from calmstreet.safety.paths import NO_PATHS

USERS = 1000
STEPS = 20
SIDE_M = 1400.0
WITHIN_S = 3.0
TARGET = 10.0
CAMERA_DAY_ROWS = 17_000_000

Ints = NDArray[np.int64]


def crowd(*, users: int = USERS, steps: int = STEPS, side_m: float = SIDE_M) -> TrackPoints:
    """Return users that drive straight on a square of ``side_m``, 10 steps a second."""
    draw = np.random.default_rng(3)
    place = draw.uniform(0, side_m, (users, 2))
    heading = draw.choice(np.array([0.0, 0.5, 1.0, 1.5]) * np.pi, users)
    heading += draw.normal(0, 0.1, users)
    speed = np.where(draw.random(users) < 0.3, 0.0, draw.uniform(2, 15, users))
    way = np.stack([np.cos(heading), np.sin(heading)], axis=1) * speed[:, None]
    number = np.repeat(np.arange(steps), users)
    who = np.tile(np.arange(users), steps)
    return make_points(
        camera_id="crowd",
        run_id=1,
        t_ns=number * 100_000_000,
        track_id=who + 1,
        kind=np.full(len(who), Kind.CAR),
        score=np.ones(len(who)),
        xy_m=place[who] + way[who] * number[:, None] * 0.1,
        velocity_mps=way[who],
        heading_rad=heading[who],
        length_m=np.full(len(who), 4.5),
        width_m=np.full(len(who), 1.8),
        size_source=np.full(len(who), SizeSource.GIVEN),
    )


def every_pair(rows: Movers, *, within_s: float) -> tuple[Ints, Ints, NDArray[np.float64]]:
    """Return what ``straight_contacts`` does, by the TTC of every pair of a step."""
    boxes, found = rows.boxes(), []
    starts = np.flatnonzero(np.diff(rows.t_ns, prepend=rows.t_ns[0] - 1))
    for begin, end in zip(starts, [*starts[1:], len(rows)], strict=True):
        one, two = (side + begin for side in np.triu_indices(int(end - begin), 1))
        ttc, _ = box_ttc(boxes[one], boxes[two])
        hit = ttc <= within_s
        found.append((one[hit], two[hit], ttc[hit]))
    one, two, ttc = (np.concatenate(part) for part in zip(*found, strict=True))
    return one, two, ttc


def watch_rows_per_s(points: TrackPoints) -> float:
    """Return how many rows a second of process time the whole watch takes."""
    start_s = time.process_time()
    watch = ConflictWatch()
    watch.update(points)
    watch.close()
    return len(points) / (time.process_time() - start_s)


def measure(points: TrackPoints) -> dict[str, float | bool]:
    """Return the costs, their ratio, and whether the answers are equal."""
    rows, _ = movers_of(points, NO_PATHS)
    costs = {}
    answers = []
    for name, search in (("search", straight_contacts), ("every pair", every_pair)):
        spent = []
        for _ in range(3):
            start_s = time.process_time()
            answer = search(rows, within_s=WITHIN_S)
            spent.append(time.process_time() - start_s)
        costs[name] = min(spent)
        answers.append(answer)
    equal = all(np.array_equal(ours, theirs) for ours, theirs in zip(*answers, strict=True))
    return {
        "search_s": round(costs["search"], 4),
        "every_pair_s": round(costs["every pair"], 4),
        "ratio": round(costs["every pair"] / costs["search"], 1),
        "contacts": len(answers[0][0]),
        "equal": equal,
    }


def main() -> int:
    """Measure and print; return the exit code."""
    result = measure(crowd())
    per_s = watch_rows_per_s(crowd(users=20, steps=6000, side_m=300.0))
    result["watch_rows_per_s"] = round(per_s)
    result["camera_day_min"] = round(CAMERA_DAY_ROWS / per_s / 60, 1)
    print(json.dumps(result, indent=1))
    return int(not result["equal"] or float(result["ratio"]) < TARGET)


if __name__ == "__main__":
    sys.exit(main())
