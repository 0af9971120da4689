"""Makers for tests of the tracker: users on straight or bent ways, seen step by step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from calmstreet.model.detections import Detections
from calmstreet.model.kinds import Eye, Flag, Kind
from calmstreet.model.points import TrackPoints, concat_points
from calmstreet.perception.tracker import Tracker, TrackerSettings
from calmstreet.units import ns_from_s

__all__ = ["Walk", "a_step", "a_tracker", "a_walk", "coasted", "run", "serials", "walked"]

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """A user: its centre at any time in s, its size, when and by whom it is seen."""

    centre_px: Callable[[float], tuple[float, float]]
    size_px: tuple[float, float] = (60.0, 30.0)
    kind: Kind = Kind.CAR
    score: float = 0.7
    source: Eye = Eye.NET
    seen: Callable[[float], bool] = lambda t_s: True

    def box(self, t_s: float) -> Box:
        """Return left, top, right, bottom."""
        (x, y), (wide, high) = self.centre_px(t_s), self.size_px
        return x - wide / 2, y - high / 2, x + wide / 2, y + high / 2


def a_walk(
    start_px: tuple[float, float] = (40.0, 200.0),
    velocity_px: tuple[float, float] = (60.0, 0.0),
    *,
    size_px: tuple[float, float] = (60.0, 30.0),
    kind: Kind = Kind.CAR,
    score: float = 0.7,
    source: Eye = Eye.NET,
    between_s: tuple[float, float] = (0.0, 1e9),
    hidden_s: tuple[float, float] = (1e9, 1e9),
) -> Walk:
    """Return a user at constant speed, seen ``between_s`` but not during ``hidden_s``."""

    def centre(t_s: float) -> tuple[float, float]:
        return start_px[0] + velocity_px[0] * t_s, start_px[1] + velocity_px[1] * t_s

    def seen(t_s: float) -> bool:
        return between_s[0] <= t_s < between_s[1] and not hidden_s[0] <= t_s < hidden_s[1]

    return Walk(centre_px=centre, size_px=size_px, kind=kind, score=score, source=source, seen=seen)


def a_step(
    t_s: float,
    boxes: Sequence[Box] = (),
    *,
    kind: Sequence[int] | int = Kind.CAR,
    score: Sequence[float] | float = 0.7,
    source: Sequence[int] | int = Eye.NET,
    looked: Eye = Eye.BOTH,
) -> Detections:
    """Return the detections of one step."""
    n = len(boxes)
    return Detections(
        camera_id="north",
        t_ns=ns_from_s(t_s),
        box_px=np.array(boxes, np.float32).reshape(n, 4),
        score=np.broadcast_to(np.array(score, np.float32), n),
        kind=np.broadcast_to(np.array(kind, np.uint8), n),
        source=np.broadcast_to(np.array(source, np.uint8), n),
        looked=looked,
    )


def a_tracker(*, settings: TrackerSettings | None = None) -> Tracker:
    """Return a tracker for a picture of 640 x 480."""
    return Tracker(camera_id="north", run_id=3, width_px=640, height_px=480, settings=settings)


def walked(
    walks: Sequence[Walk], *, fps: float, duration_s: float, net_every: int = 1
) -> list[Detections]:
    """Return the steps in which the walks are seen, inside 640 x 480.

    The net looks at every ``net_every``-th step, motion at all of them; a walk of source NET is
    seen by the net alone, of BOTH also as a blob when the net does not look.
    """
    steps = []
    for k in range(round(duration_s * fps)):
        t_s = k / fps
        looked = Eye.BOTH if k % net_every == 0 else Eye.MOTION
        here = [
            walk
            for walk in walks
            if walk.seen(t_s)
            and walk.source & looked
            and 0 <= walk.centre_px(t_s)[0] < 640
            and 0 <= walk.centre_px(t_s)[1] < 480
        ]
        steps.append(
            a_step(
                t_s,
                [walk.box(t_s) for walk in here],
                kind=[w.kind if w.source & looked & Eye.NET else Kind.UNKNOWN for w in here],
                score=[walk.score for walk in here],
                source=[walk.source & looked for walk in here],
                looked=looked,
            )
        )
    return steps


def run(steps: Sequence[Detections], *, settings: TrackerSettings | None = None) -> TrackPoints:
    """Return all rows but the tentative ones that a new tracker gives for the steps."""
    tracker = a_tracker(settings=settings)
    return believed(concat_points([tracker.update(step) for step in steps]))


def believed(points: TrackPoints) -> TrackPoints:
    """Return the rows of road users that the tracker is sure of."""
    return points[(points.flags & Flag.TENTATIVE) == 0]


def serials(points: TrackPoints) -> list[int]:
    """Return the serial numbers of the tracks, in order."""
    return [int(track) & 0xFFFFFFFF for track in np.unique(points.track_id)]


def coasted(points: TrackPoints) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Return which rows are coasted."""
    return (points.flags & Flag.COASTED) > 0
