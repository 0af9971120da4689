"""Our tracker beside ByteTrackTracker of the package `trackers`, on the same detections.

Accuracy where the truth is known (TUD-Campus; spoiled truth of Urban Tracker and TRAF; a made-up
street; users who bounce), number of ids where it is not, and process time per step with both
taking turns in one run. The peer runs twice: as delivered, and with its two thresholds lowered to
ours, since it is made for surer detectors. Coasted rows of ours count as claims ("all") and are
left out ("seen"), as the peer gives none.
"""

import json
import os
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import supervision as sv
from tests.perception.mot import Boxes, Score, follow, read_mot, rows_of, score, steps_of
from tests.perception.spoiled import (
    bouncing,
    read_traf,
    read_urban,
    room_px,
    spoil,
    street,
    thinned,
)
from tests.perception.timing import ms_per_step
from trackers import ByteTrackTracker  # type: ignore[import-not-found]

from calmstreet.model.detections import Detections
from calmstreet.model.kinds import Flag, Kind
from calmstreet.perception.tracker import Tracker

LOWERED = {"track_activation_threshold": 0.4, "high_conf_det_threshold": 0.4}
DATA = Path(
    os.environ.get(
        "CALMSTREET_SHARED", Path(__file__).resolve().parents[2].parent / "shared" / "data"
    )
)
Case = tuple[str, Boxes | None, list[Detections], float, tuple[int, int]]


def cases() -> Iterator[Case]:
    """Yield name, truth, steps, steps per second and picture size."""
    folder = DATA / "tracking"
    if folder.exists():
        yield from public_cases(folder)
    for fps in (5.0, 10.0, 25.0):
        truth = street(fps=fps, seed=21)
        found = steps_of(spoil(truth, seed=22, recall=0.8), fps=fps, kind=Kind.CAR)
        yield f"street at {fps:g}/s", truth, found, fps, (640, 360)
    for users in (20, 200):
        truth, found = bouncing(users, steps=120, fps=10.0, seed=1)
        yield f"{users} users", truth, found, 10.0, (1920, 1080)


def public_cases(folder: Path) -> Iterator[Case]:
    """Yield the cases whose data are not part of the repository."""
    truth = read_mot(folder / "TUD-Campus_gt.txt")
    found = read_mot(folder / "SORT_TUD-Campus_det.txt")
    for every in (1, 2, 5):
        fps = 25.0 / every
        steps = steps_of(thinned(found, every), fps=fps)
        yield f"TUD-Campus at {fps:g}/s", thinned(truth, every), steps, fps, (640, 480)
    for name, fps, size_px in (("PETS09-S2L1", 7.0, (768, 576)), ("KITTI-17", 10.0, (1242, 375))):
        steps = steps_of(read_mot(folder / f"SORT_{name}_det.txt"), fps=fps)
        yield name, None, steps, fps, size_px
    spoiled = {
        "rouen": read_urban(folder / "urbantracker_rouen_gt.sqlite"),
        "rene": read_urban(folder / "urbantracker_rene_gt.sqlite"),
        "TRAF21": read_traf(folder / "TRAF21_gt.txt"),
    }
    for name, whole in spoiled.items():
        for every in (1, 3, 6):
            truth, fps = thinned(whole, every), 30.0 / every
            steps = steps_of(spoil(truth, seed=31, recall=0.8), fps=fps, kind=Kind.CAR)
            yield f"{name} at {fps:g}/s", truth, steps, fps, room_px(whole)


def peer(steps: list[Detections], *, fps: float, **settings: float) -> Boxes:
    """Run the peer over all steps and return its rows that carry an id."""
    tracker = ByteTrackTracker(frame_rate=fps, **settings)
    frame, who, box = [], [], []
    for k, step in enumerate(steps):
        rows = tracker.update(
            sv.Detections(
                xyxy=step.box_px.astype(float),
                confidence=step.score,
                class_id=step.kind.astype(int),
            )
        )
        ids = np.asarray(rows.tracker_id if len(rows) else [], np.int64)
        for row in np.flatnonzero(ids >= 0):
            frame.append(k)
            who.append(int(ids[row]))
            box.append(rows.xyxy[row])
    return Boxes(
        frame=np.array(frame, np.int64),
        who=np.array(who, np.int64),
        box_px=np.array(box, np.float64).reshape(-1, 4),
        sure=np.ones(len(frame)),
    )


def told(result: Score) -> dict[str, float]:
    """Return what the table shows of a score."""
    return {
        "mota": round(result.mota, 3),
        "idf1": round(result.idf1, 3),
        "switches": result.switches,
        "ids": result.ids,
    }


def compare(case: Case) -> dict[str, object]:
    """Return ours and the peer's figures on one case."""
    name, truth, steps, fps, (width_px, height_px) = case
    points = follow(steps, width_px=width_px, height_px=height_px)
    seen = points[(points.flags & Flag.COASTED) == 0]
    rows = {
        "ours, all": rows_of(points, fps=fps),
        "ours, seen": rows_of(seen, fps=fps),
        "peer": peer(steps, fps=fps),
        "peer, lowered": peer(steps, fps=fps, **LOWERED),
    }
    if truth is None:
        return {"case": name, **{who: {"ids": len(np.unique(r.who))} for who, r in rows.items()}}
    users = len(np.unique(truth.who))
    return {"case": name, "users": users, **{w: told(score(truth, r)) for w, r in rows.items()}}


def our_run(steps: list[Detections]) -> None:
    """Run our tracker over all steps, for the clock."""
    tracker = Tracker(camera_id="c", run_id=1, width_px=1920, height_px=1080)
    for step in steps:
        tracker.update(step)


def peer_run(inputs: list[sv.Detections]) -> None:
    """Run the peer over all steps, for the clock; its input objects are made beforehand."""
    tracker = ByteTrackTracker(frame_rate=10.0, **LOWERED)
    for step in inputs:
        tracker.update(step)


def timed(users: int) -> dict[str, float]:
    """Return ms per step of both at so many users, and how much dearer the peer is."""
    _, steps = bouncing(users, steps=120, fps=10.0, seed=1)
    inputs = [
        sv.Detections(xyxy=s.box_px.astype(float), confidence=s.score, class_id=s.kind.astype(int))
        for s in steps
    ]
    runs = {"ours": partial(our_run, steps), "peer": partial(peer_run, inputs)}
    cost = ms_per_step(runs, steps=len(steps))
    return {
        "users": users,
        "ours_ms": round(cost["ours"], 3),
        "peer_ms": round(cost["peer"], 3),
        "ratio": round(cost["peer"] / cost["ours"], 2),
    }


def main() -> int:
    """Print one JSON line per case and per timing; return 1 when a ratio misses its target."""
    for case in cases():
        print(json.dumps(compare(case)), flush=True)
    missed = False
    for users, target in ((20, 3.0), (200, 8.0)):
        result = timed(users)
        print(json.dumps({**result, "target": target}), flush=True)
        missed |= result["ratio"] < target
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
