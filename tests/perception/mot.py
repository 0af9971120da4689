"""MOT files in, MOTA and IDF1 out: the glue between our nouns and the library motmetrics."""

from dataclasses import dataclass
from pathlib import Path

import motmetrics
import numpy as np
from numpy.typing import NDArray

from calmstreet.model.detections import Detections
from calmstreet.model.kinds import Eye, Flag, Kind
from calmstreet.model.points import TrackPoints, concat_points
from calmstreet.perception.tracker import Tracker, TrackerSettings
from calmstreet.units import NS_PER_S

__all__ = ["Boxes", "Score", "follow", "read_mot", "rows_of", "score", "steps_of"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Boxes:
    """Rows of a MOT file: frame from 0, who, boxes l, t, r, b (n, 4), how sure 0..1."""

    frame: NDArray[np.int64]
    who: NDArray[np.int64]
    box_px: NDArray[np.float64]
    sure: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What CLEAR MOT and the identity measures say of a run."""

    mota: float
    idf1: float
    switches: int
    misses: int
    false_positives: int
    ids: int


def read_mot(path: Path) -> Boxes:
    """Read frame, id, left, top, width, height, confidence."""
    table = np.loadtxt(path, delimiter=",", ndmin=2)[:, :7]
    box = table[:, 2:6].copy()
    box[:, 2:] += box[:, :2]
    return Boxes(
        frame=table[:, 0].astype(np.int64) - 1,
        who=table[:, 1].astype(np.int64),
        box_px=box,
        sure=np.clip(table[:, 6], 0.0, 1.0),
    )


def steps_of(
    boxes: Boxes, *, fps: float, every: int = 1, kind: Kind = Kind.PEDESTRIAN
) -> list[Detections]:
    """Return one step per ``every``-th frame, from the first frame to the last, all by the net."""
    steps = []
    for frame in range(0, int(boxes.frame.max()) + 1, every):
        here = boxes.frame == frame
        steps.append(
            Detections(
                camera_id="c",
                t_ns=round(frame * NS_PER_S / fps),
                box_px=boxes.box_px[here].astype(np.float32),
                score=boxes.sure[here].astype(np.float32),
                kind=np.full(here.sum(), kind, np.uint8),
                source=np.full(here.sum(), Eye.NET, np.uint8),
            )
        )
    return steps


def follow(
    steps: list[Detections],
    *,
    width_px: int,
    height_px: int,
    settings: TrackerSettings | None = None,
) -> TrackPoints:
    """Run our tracker over all steps."""
    tracker = Tracker(
        camera_id="c", run_id=1, width_px=width_px, height_px=height_px, settings=settings
    )
    points = concat_points([tracker.update(step) for step in steps])
    return points[(points.flags & Flag.TENTATIVE) == 0]


def rows_of(points: TrackPoints, *, fps: float) -> Boxes:
    """Return our rows with their frame numbers."""
    return Boxes(
        frame=np.rint(points.t_ns * fps / NS_PER_S).astype(np.int64),
        who=points.track_id & 0xFFFFFFFF,
        box_px=points.box_px.astype(np.float64),
        sure=points.score.astype(np.float64),
    )


def score(truth: Boxes, ours: Boxes, *, every: int = 1) -> Score:
    """Return MOTA, IDF1 and their parts at an IoU of 0.5, on every ``every``-th frame."""
    book = motmetrics.MOTAccumulator(auto_id=True)
    for frame in range(0, int(truth.frame.max()) + 1, every):
        there, here = truth.frame == frame, ours.frame == frame
        gap = _gap(truth.box_px[there], ours.box_px[here])
        book.update(truth.who[there], ours.who[here], gap)
    names = ["mota", "idf1", "num_switches", "num_misses", "num_false_positives"]
    row = motmetrics.metrics.create().compute(book, metrics=names, name="run").iloc[0]
    return Score(
        mota=float(row["mota"]),
        idf1=float(row["idf1"]),
        switches=int(row["num_switches"]),
        misses=int(row["num_misses"]),
        false_positives=int(row["num_false_positives"]),
        ids=len(np.unique(ours.who)),
    )


def _gap(a_px: NDArray[np.float64], b_px: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1 - IoU of every pair, (n, m), NaN above 0.5 (motmetrics' own needs numpy 1)."""
    low = np.maximum(a_px[:, None, :2], b_px[None, :, :2])
    high = np.minimum(a_px[:, None, 2:], b_px[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0.0), axis=2)
    area_a, area_b = (np.prod(box[:, 2:] - box[:, :2], axis=1) for box in (a_px, b_px))
    gap = 1.0 - shared / (area_a[:, None] + area_b - shared)
    return np.where(gap > 0.5, np.nan, gap)
