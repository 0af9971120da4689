"""One run being watched: eyes, tracker, counting and store, fed frame by frame."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.frame import Frame
from calmstreet.model.kinds import Flag
from calmstreet.model.points import TrackPoints
from calmstreet.model.run import Run
from calmstreet.model.site import Site
from calmstreet.perception.detector import Detector, Eyes, Sight
from calmstreet.perception.light import LightWatch
from calmstreet.perception.tracker import Tracker
from calmstreet.pipeline.keeping import Keeper
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.points import PointWriter
from calmstreet.units import NS_PER_S
from calmstreet.video.quality import PictureWatch

__all__ = ["Pace", "Watch"]

LATE_SHARE = 0.25
STILL_S = 1.0


class Pace:
    """Chooses which frames are analysed, by their times: ``fps`` of them per second at most.

    A repeated frame is skipped unless nothing was analysed for a second.

    >>> pace = Pace(fps=10.0)
    >>> [pace.takes(round(k * 40e6), repeated=False) for k in range(6)]
    [True, False, True, False, False, True]
    """

    def __init__(self, *, fps: float) -> None:
        self._step_ns = round(NS_PER_S / fps)
        self._due_ns: int | None = None
        self._last_ns = 0

    def takes(self, t_ns: int, *, repeated: bool) -> bool:
        """Return whether the frame of this time is analysed."""
        if self._due_ns is not None:
            if t_ns < self._due_ns - LATE_SHARE * self._step_ns:
                return False
            if repeated and t_ns - self._last_ns < STILL_S * NS_PER_S:
                return False
        due = t_ns if self._due_ns is None else self._due_ns
        self._due_ns = due + self._step_ns * max(1, -((due - t_ns) // self._step_ns))
        self._last_ns = t_ns
        return True


@dataclass(slots=True, kw_only=True)
class Tally:
    """What was counted of the pictures themselves."""

    frames: int = 0
    repeated: int = 0
    analysed: int = 0
    first_ns: int = 0
    last_ns: int = 0


@dataclass(slots=True, kw_only=True)
class Watch:
    """Everything that follows one run; ``take`` feeds it, ``close`` ends it.

    ``samples`` are low-scale luma pictures for the motion eye's first street.
    """

    catalogue: Catalogue
    site: Site
    run: Run
    net: Detector | None
    net_every: int
    analysed_fps: float
    samples: NDArray[np.uint8] | None
    keeper: Keeper
    tally: Tally = field(default_factory=Tally)
    light: LightWatch = field(default_factory=LightWatch)
    quality: PictureWatch = field(default_factory=PictureWatch)
    eyes: Eyes = field(init=False)
    tracker: Tracker = field(init=False)
    points: PointWriter = field(init=False)
    _pace: Pace = field(init=False)
    _held: NDArray[np.float32] = field(init=False)

    def __post_init__(self) -> None:
        self.eyes = Eyes(
            net=self.net,
            net_every=self.net_every,
            samples=self.samples,
            masks_px=tuple(mask.polygon_px for mask in self.site.masks),
        )
        self.tracker = Tracker(
            camera_id=self.run.camera_id,
            run_id=self.run.run_id,
            width_px=self.run.width_px,
            height_px=self.run.height_px,
        )
        self.points = PointWriter(
            folder=self.catalogue.folder,
            camera_id=self.run.camera_id,
            run_id=self.run.run_id,
            on_file=self.catalogue.add_file,
        )
        self._pace = Pace(fps=self.analysed_fps)
        self._held = np.empty((0, 4), np.float32)

    def take(self, frame: Frame) -> TrackPoints | None:
        """Take the next frame; return the rows of its step, or None when it is not analysed."""
        tally = self.tally
        tally.first_ns = tally.first_ns if tally.frames else frame.t_ns
        tally.last_ns = frame.t_ns
        tally.frames += 1
        tally.repeated += frame.repeated
        if not self._pace.takes(frame.t_ns, repeated=frame.repeated):
            return None
        tally.analysed += 1
        sight = self.eyes.look(frame, self._held)
        points = self.tracker.update(sight.detections)
        self._remember(frame.t_ns, sight, points)
        self.keeper.take(frame, sight, points)
        return points

    def _remember(self, t_ns: int, sight: Sight, points: TrackPoints) -> None:
        live = self.tracker.live()
        self._held = live.box_px[(live.flags & (Flag.PARKED | Flag.TENTATIVE)) == 0]
        self.points.append(t_ns, points, looked=sight.detections.looked)
        self.light.update(t_ns, sight.small)
        self.quality.update(t_ns, sight.small)

    def close(self) -> None:
        """Write out what is still held."""
        self.keeper.close()
        self.points.close()
