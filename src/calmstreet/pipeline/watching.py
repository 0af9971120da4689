"""One run being watched: what is seen is remembered, stored and kept, frame by frame."""

from dataclasses import dataclass, field

from calmstreet.model.frame import Frame
from calmstreet.model.points import TrackPoints
from calmstreet.model.run import Run
from calmstreet.perception.light import LightWatch
from calmstreet.pipeline.keeping import Keeper
from calmstreet.pipeline.seeing import Seer
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.points import PointWriter
from calmstreet.video.quality import PictureWatch

__all__ = ["Tally", "Watch"]


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
    """Everything that follows one run; ``take`` feeds it, ``close`` ends it."""

    catalogue: Catalogue
    run: Run
    seer: Seer
    keeper: Keeper
    tally: Tally = field(default_factory=Tally)
    light: LightWatch = field(default_factory=LightWatch)
    quality: PictureWatch = field(default_factory=PictureWatch)
    points: PointWriter = field(init=False)

    def __post_init__(self) -> None:
        self.points = PointWriter(
            folder=self.catalogue.folder,
            camera_id=self.run.camera_id,
            run_id=self.run.run_id,
            on_file=self.catalogue.add_file,
        )

    def take(self, frame: Frame) -> TrackPoints | None:
        """Take the next frame; return the rows of its step, or None when it is not analysed."""
        tally = self.tally
        tally.first_ns = tally.first_ns if tally.frames else frame.t_ns
        tally.last_ns = frame.t_ns
        tally.frames += 1
        tally.repeated += frame.repeated
        seen = self.seer.see(frame)
        if seen is None:
            return None
        sight, points = seen
        tally.analysed += 1
        self.points.append(frame.t_ns, points, looked=sight.detections.looked)
        self.light.update(frame.t_ns, sight.small)
        self.quality.update(frame.t_ns, sight.small)
        self.keeper.take(frame, sight, points)
        return points

    def close(self) -> None:
        """Write out what is still held."""
        self.keeper.close()
        self.points.close()
