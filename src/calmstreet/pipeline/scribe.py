"""The thread that writes a camera's blurred clips: last in line for the processor.

Pictures wait packed in a queue of so many bytes; what does not fit is dropped and counted. One
picture is encoded at a time on the whole node: the scribes of all cameras take turns at a lock.
"""

import fcntl
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import CalmstreetError, StoreError
from calmstreet.model.kept import FinishedFile
from calmstreet.model.kinds import KIND_NAMES, Flag
from calmstreet.model.points import TrackPoints, concat_points
from calmstreet.report.draw import TRAIL_S, draw_points
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.garbage import sweep
from calmstreet.store.proof import MARK
from calmstreet.store.segments import SegmentName, segment_path
from calmstreet.units import ns_from_s
from calmstreet.video.blur import Packed, annotate, unpack
from calmstreet.video.segment_writer import SegmentWriter

__all__ = ["QUEUE_BYTES", "Scribe", "ScribeStats", "Sheet", "trail_drawing"]

QUEUE_BYTES = 48_000_000
_NICE = 10
_LAST_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One segment to be written: its name and shape; ``drawn`` with the road users drawn in."""

    name: SegmentName
    fps: float
    height_px: int
    drawn: bool = True


@dataclass(slots=True, kw_only=True)
class ScribeStats:
    """What was written and what was not."""

    segments: int = 0
    pictures: int = 0
    dropped: int = 0
    failed: int = 0
    waiting_bytes: int = 0
    note: str = ""


@dataclass(slots=True, kw_only=True)
class _Writing:
    writer: SegmentWriter
    sheet: Sheet
    steps: list[TrackPoints] = field(default_factory=list)


_Task = Callable[[], None]


class Scribe:
    """Writes sheets in a thread of its own. ``turn`` is the file at whose lock the node queues."""

    def __init__(
        self,
        *,
        folder: Path,
        turn: Path,
        words: Sequence[str] = KIND_NAMES,
        queue_bytes: int = QUEUE_BYTES,
    ) -> None:
        self.stats = ScribeStats()
        self._folder = folder
        self._turn = turn
        self._words = words
        self._most_bytes = queue_bytes
        self._tasks: deque[tuple[int, _Task]] = deque()
        self._news = threading.Condition()
        self._over = False
        self._idle = True
        self._open: dict[SegmentName, _Writing] = {}
        self._catalogue: Catalogue | None = None
        self._thread = threading.Thread(target=self._work, name="scribe", daemon=True)
        self._thread.start()

    # Called by the loop

    def begin(self, sheet: Sheet) -> None:
        """Begin a segment."""
        self._ask(0, lambda: self._begin(sheet))

    def write(self, name: SegmentName, picture: Packed, rows: TrackPoints) -> bool:
        """Add a picture with the road users of its moment; False where there was no room."""
        size_bytes = len(picture.jpeg)
        if self.stats.waiting_bytes + size_bytes > self._most_bytes:
            self.stats.dropped += 1
            return False
        self._ask(size_bytes, lambda: self._write(name, picture, rows))
        return True

    def end(self, name: SegmentName) -> None:
        """End a segment and give it its row."""
        self._ask(0, lambda: self._end(name))

    def replace(self, file: FinishedFile) -> None:
        """Give a clip of the main stream the row of its twin from the sub-stream."""
        self._ask(0, lambda: self._replace(file))

    def settle(self, *, longest_s: float = _LAST_S) -> bool:
        """Wait until everything asked for is done; False when it took too long."""
        with self._news:
            return self._news.wait_for(lambda: not self._tasks and self._idle, longest_s)

    def close(self) -> None:
        """End all segments and the thread."""
        self.settle()
        for name in list(self._open):
            self.end(name)
        self.settle()
        with self._news:
            self._over = True
            self._news.notify_all()
        self._thread.join(_LAST_S)

    def _ask(self, size_bytes: int, task: _Task) -> None:
        with self._news:
            self.stats.waiting_bytes += size_bytes
            self._tasks.append((size_bytes, task))
            self._news.notify_all()

    # In the thread

    def _work(self) -> None:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        while True:
            with self._news:
                self._news.wait_for(lambda: bool(self._tasks) or self._over)
                if not self._tasks:
                    break
                size_bytes, task = self._tasks.popleft()
                self._idle = False
            self._do(task)
            with self._news:
                self.stats.waiting_bytes -= size_bytes
                self._idle = not self._tasks
                self._news.notify_all()
        if self._catalogue is not None:
            self._catalogue.close()

    def _do(self, task: _Task) -> None:
        try:
            with self._in_turn():
                task()
        except (CalmstreetError, OSError) as error:
            self.stats.failed += 1
            self.stats.note = str(error)

    def prove(self) -> None:
        """Raise StoreError, before anything is written, where the disk is gone."""
        if not (self._folder / "segments" / MARK).is_file():
            raise StoreError(f"{self._folder} is not the camera's folder; is its disk mounted?")

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        self.prove()
        with self._turn.open("w") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield

    def _begin(self, sheet: Sheet) -> None:
        path = segment_path(self._folder, sheet.name)
        writer = SegmentWriter(path=path, fps=sheet.fps, height_px=sheet.height_px)
        self._open[sheet.name] = _Writing(writer=writer, sheet=sheet)

    def _write(self, name: SegmentName, packed: Packed, rows: TrackPoints) -> None:
        writing = self._open.get(name)
        if writing is None:
            return
        writing.steps.append(rows)
        picture = unpack(packed)
        if writing.sheet.drawn:
            drawing = trail_drawing(
                writing.steps, packed.t_ns, scale=packed.scale, words=self._words
            )
            picture = annotate(picture, drawing)
        try:
            self.stats.pictures += writing.writer.write(picture)
        except StoreError:
            self._keep(self._open.pop(name).writer.close())
            raise

    def _end(self, name: SegmentName) -> None:
        writing = self._open.pop(name, None)
        if writing is not None:
            self._keep(writing.writer.close())

    def _keep(self, file: FinishedFile | None) -> None:
        if file is not None:
            self._known().add_segment(file)
            self.stats.segments += 1

    def _replace(self, file: FinishedFile) -> None:
        catalogue = self._known()
        catalogue.add_segment(file)
        sweep(catalogue.database, self._folder)

    def _known(self) -> Catalogue:
        if self._catalogue is None:
            self._catalogue = Catalogue.open(self._folder)
        return self._catalogue


def trail_drawing(
    steps: list[TrackPoints], t_ns: int, *, scale: float, words: Sequence[str] = KIND_NAMES
) -> Callable[[NDArray[np.uint8]], None]:
    """Return what draws the road users of ``t_ns`` and their last ways on blurred pixels.

    ``steps`` are rows of one step each, the newest last; those that are too old are taken out.
    """
    since = t_ns - ns_from_s(TRAIL_S)
    steps[:] = [step for step in steps if len(step) and step.t_ns[0] > since]

    def draw(bgr: NDArray[np.uint8]) -> None:
        if steps:
            trail = concat_points([step for step in steps if step.run_id == steps[-1].run_id])
            trail = trail[(trail.flags & Flag.TENTATIVE) == 0]
            draw_points(bgr, trail[trail.t_ns == t_ns], trail=trail, scale=scale, words=words)

    return draw
