"""One run being watched: what is seen is remembered, stored and kept, frame by frame."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import StoreError
from calmstreet.model.frame import Frame
from calmstreet.model.points import TrackPoints
from calmstreet.model.run import Run
from calmstreet.perception.detector import Sight
from calmstreet.perception.lamp import LampReader
from calmstreet.perception.lamp_state import Change
from calmstreet.perception.light import LightWatch
from calmstreet.perception.motion import halved
from calmstreet.pipeline.eyes import detector_version
from calmstreet.pipeline.seeing import SMALL_WIDTH_PX, Seer
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.points import FLUSH_S, PointWriter
from calmstreet.video.quality import PictureWatch

__all__ = ["Keeps", "Tally", "Watch", "low_scale"]

AT_ONCE = 10
MOST_WAITING_PX = 24_000_000


@dataclass(slots=True, kw_only=True)
class Tally:
    """What was counted of the pictures themselves."""

    frames: int = 0
    repeated: int = 0
    analysed: int = 0
    first_ns: int = 0
    last_ns: int = 0


class Keeps(Protocol):
    """What is kept of the pictures of a watch: blurred, or nothing."""

    dropped: int

    @property
    def keeps(self) -> bool:
        """Return whether pictures are, or may still be, kept."""
        ...

    def take(self, frame: Frame, sight: Sight, points: TrackPoints) -> None:
        """Take one analysed frame with what was seen in it."""
        ...

    def close(self) -> None:
        """Write the pictures that still wait."""
        ...


@dataclass(slots=True, kw_only=True)
class Watch:
    """Everything that follows one run; ``take`` feeds it, ``close`` ends it.

    Decoding and looking drive each other out of the processor's caches, so the frames of files
    wait for each other, ``at_once`` of them or as many as fit: a tenth of the time is saved. Where
    nobody wants colours (no net, no video) only their low-scale luma waits, and the decoder writes
    into the same memory again. Lamps are read in every frame at once; while the camera sways no
    frame waits, so that they are read where the last picture showed them. ``told`` gathers what
    the lamps said until somebody takes it away; ``on_step`` is told of every step and its rows;
    ``durable`` is for cameras, see PointWriter.
    """

    catalogue: Catalogue
    run: Run
    seer: Seer
    keeper: Keeps
    lamps: LampReader | None = None
    at_once: int = AT_ONCE
    durable: bool = False
    flush_s: float = FLUSH_S
    on_step: Callable[[int, TrackPoints], None] | None = None
    told: list[tuple[str, Change]] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    light: LightWatch = field(default_factory=LightWatch)
    quality: PictureWatch = field(default_factory=PictureWatch)
    points: PointWriter = field(init=False)
    _waiting: list[Frame] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.points = PointWriter(
            folder=self.catalogue.folder,
            camera_id=self.run.camera_id,
            run_id=self.run.run_id,
            on_file=self.catalogue.add_file,
            durable=self.durable,
            flush_s=self.flush_s,
        )

    def take(self, frame: Frame) -> None:
        """Take the next frame; it is looked at when ``at_once`` wanted ones have come together."""
        tally = self.tally
        tally.first_ns = tally.first_ns if tally.frames else frame.t_ns
        tally.last_ns = frame.t_ns
        tally.frames += 1
        tally.repeated += frame.repeated
        if self.lamps:
            self.told += self.lamps.update(frame, as_seen=self.seer.boxes_as_seen)
        if not self.seer.wants(frame):
            return
        tally.analysed += 1
        self._waiting.append(frame if self._needs_colour() else low_scale(frame))
        fit = MOST_WAITING_PX // frame.luma.size
        if self.lamps and self.seer.boxes_as_seen is not None:
            fit = 1
        if len(self._waiting) >= min(self.at_once, fit):
            self.look_now()

    def _needs_colour(self) -> bool:
        return self.keeper.keeps or self.run.detector != detector_version(None)

    def look_now(self) -> None:
        """Look at the frames that wait.

        Raises StoreError when the disk refuses, after all were looked at: their rows are held.
        """
        waiting, self._waiting = self._waiting, []
        refused: StoreError | None = None
        for frame in waiting:
            sight, points = self.seer.look(frame)
            try:
                self.points.append(frame.t_ns, points, looked=sight.detections.looked)
            except StoreError as error:
                refused = error
            if self.on_step is not None:
                self.on_step(frame.t_ns, points)
            self.light.update(frame.t_ns, sight.small)
            self.quality.update(frame.t_ns, sight.small)
            self.keeper.take(frame, sight, self.seer.as_seen(points))
        if refused is not None:
            raise refused

    def close(self) -> None:
        """Look at the last frames and write out what is still held.

        Rows of a durable watch stay as ``.part``: who judges the run makes Parquet of them.
        """
        self.look_now()
        self.keeper.close()
        if self.durable:
            self.points.leave()
        else:
            self.points.close()


def low_scale(frame: Frame) -> Frame:
    """Return a frame with its luma at low scale and without colours; it holds no decoded memory."""
    small = halved(frame.luma, SMALL_WIDTH_PX)
    small = small.copy() if small is frame.luma else small
    whole_px = (frame.width_px, frame.height_px)
    return replace(frame, luma=small, to_bgr=_no_colour, whole_px=whole_px, pick_bgr=None)


def _no_colour(width_px: int, height_px: int) -> NDArray[np.uint8]:
    raise ValueError(f"the colours of this frame were not kept; asked for {width_px} x {height_px}")
