"""Track points as Parquet: written as they come, read back in whole steps, bit for bit."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import StoreError
from calmstreet.model.kinds import Eye
from calmstreet.model.points import (
    TrackPoints,
    concat_points,
    joined_columns,
    no_points,
    scalar_columns,
)
from calmstreet.store.duck import read_parquet, write_parquet
from calmstreet.store.folder import StoredFile, checked_path, remove_quietly, sha256_of, write_whole
from calmstreet.store.parts import STEP_COLUMNS, STEP_RECORD, Part, Parts, last_step_of, read_parts
from calmstreet.units import NS_PER_S, ns_from_s

__all__ = [
    "FLUSH_S",
    "ROWS_PER_FILE",
    "PointWriter",
    "last_step_ns",
    "read_points",
    "read_step_columns",
    "read_steps",
    "recover",
    "write_smoothed",
]

FLUSH_S = 2.0
ROWS_PER_FILE = 500_000
_DAY_NS = 86_400 * NS_PER_S
_SCALARS: dict[str, Any] = {name: dtype for name, dtype, _, _ in scalar_columns()}

OnFile = Callable[[StoredFile], None]
OnFault = Callable[[Path, StoreError], None]


class PointWriter:
    """Writes the points of one run of one camera, step by step.

    Rows go to a ``.part`` every ``flush_s`` of stream time and become a pair of Parquet files
    (points and steps) at ``close``, at midnight UTC and after ``rows_per_file`` rows. ``on_file``
    (such as ``Catalogue.add_file``) is told of every finished file before its ``.part`` is
    removed; telling it twice must do no harm. ``files`` lists them too. ``durable`` forces every
    flush to the disk: for cameras, not for files.
    """

    def __init__(
        self,
        *,
        folder: Path,
        camera_id: str,
        run_id: int,
        on_file: OnFile | None = None,
        rows_per_file: int = ROWS_PER_FILE,
        flush_s: float = FLUSH_S,
        durable: bool = False,
    ) -> None:
        self._folder = folder
        self._camera_id = camera_id
        self._run_id = run_id
        self._on_file = on_file
        self.files: list[StoredFile] = []
        self._rows_per_file = rows_per_file
        self._flush_ns = ns_from_s(flush_s)
        self._durable = durable
        self._sequence = 0
        self._parts: Parts | None = None
        self._blocks: list[TrackPoints] = []
        self._steps: list[tuple[int, int, int, int]] = []
        self._rows = 0
        self._flushed_ns = 0
        self._last_ns: int | None = None
        self._stored_ns: int | None = None

    def __enter__(self) -> "PointWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def append(
        self, t_ns: int, points: TrackPoints, *, looked: Eye = Eye.BOTH, flags: int = 0
    ) -> None:
        """Add one analysed step with its rows, which may be none.

        ``points`` are of this step only, in order of track_id, each track once (rows of nobody's
        track have a negative id); ``looked`` says which eyes looked; ``flags`` are bits of the
        step, 0 = nothing to note. Steps come in order of time. Raises ValueError otherwise.
        """
        self._check(t_ns, points)
        if self._last_ns is not None and t_ns // _DAY_NS != self._last_ns // _DAY_NS:
            self.rotate()
        if not self._steps and self._parts is None:
            self._flushed_ns = t_ns
        self._last_ns = t_ns
        self._steps.append((t_ns, int(looked), flags, len(points)))
        self._rows += len(points)
        if len(points):
            self._blocks.append(points)
        if self._rows >= self._rows_per_file:
            self.rotate()
        elif t_ns - self._flushed_ns >= self._flush_ns:
            self.flush()

    def _check(self, t_ns: int, points: TrackPoints) -> None:
        if (points.camera_id, points.run_id) != (self._camera_id, self._run_id):
            raise ValueError(f"points of {points.camera_id}/{points.run_id} in another run")
        if self._last_ns is not None and t_ns <= self._last_ns:
            raise ValueError(f"step {t_ns} does not come after {self._last_ns}")
        if not bool(np.all(points.t_ns == t_ns)):
            raise ValueError(f"step {t_ns} holds rows of another step")
        gaps = np.diff(points.track_id)
        if not bool(np.all((gaps > 0) | ((gaps == 0) & (points.track_id[1:] < 0)))):
            raise ValueError(f"step {t_ns} is not in order of track_id, each track once")

    def flush(self) -> None:
        """Append what is held in memory to the ``.part``.

        Raises StoreError when the disk refuses. Nothing is lost by that: the steps are held and
        tried again with a later flush, ``held_s`` says how long they have been waiting; ``drop``
        gives them up.
        """
        if not self._steps:
            return
        self._flushed_ns = self._steps[-1][0]
        if self._parts is None:
            part = _part(self._folder, self._camera_id, self._run_id, self._sequence)
            self._parts = Parts(part=part, durable=self._durable)
        nothing = no_points(camera_id=self._camera_id, run_id=self._run_id)
        points = concat_points(self._blocks) if self._blocks else nothing
        self._parts.append(points, np.array(self._steps, STEP_RECORD))
        self._stored_ns = self._steps[-1][0]
        self._blocks, self._steps = [], []

    @property
    def held_s(self) -> float:
        """Return how much stream time waits in memory for the disk."""
        return (self._steps[-1][0] - self._steps[0][0]) / NS_PER_S if self._steps else 0.0

    def drop(self) -> int | None:
        """Give up what waits in memory; return the last step that is stored, None for none."""
        self._rows -= sum(len(block) for block in self._blocks)
        self._blocks, self._steps = [], []
        return self._stored_ns

    def rotate(self) -> None:
        """Turn the ``.part`` into Parquet and begin the next one."""
        self.flush()
        if self._parts is None:
            return
        self._parts.close()
        self._parts = None
        part = _part(self._folder, self._camera_id, self._run_id, self._sequence)
        _finish(part, self._folder, self._keep)
        self._sequence += 1
        self._rows = 0

    def _keep(self, file: StoredFile) -> None:
        self.files.append(file)
        if self._on_file is not None:
            self._on_file(file)

    def close(self) -> list[StoredFile]:
        """Write out everything; return all files. Closing twice does nothing more."""
        self.rotate()
        return self.files

    def leave(self) -> None:
        """Flush and leave the ``.part`` for ``recover``, where making Parquet must wait."""
        self.flush()
        if self._parts is not None:
            self._parts.close()
            self._parts = None


def recover(
    folder: Path,
    on_file: OnFile,
    *,
    camera_id: str = "*",
    run_id: int | None = None,
    on_fault: OnFault | None = None,
) -> int:
    """Turn every ``.part`` that a crash left into Parquet; return how many held whole steps.

    At most the last flush interval is lost. ``on_file`` is told of each file as by PointWriter.
    ``on_fault`` is told of a ``.part`` that cannot be turned now and stays; without it that
    raises StoreError. Call it while nobody writes points of this camera (of any camera unless one
    is named), or of this run where one is named.
    """
    found = 0
    wanted = f"camera={camera_id}/{'*' if run_id is None else f'{run_id}-*'}.part"
    for steps in sorted((folder / "steps").glob(wanted)):
        points = folder / "points" / steps.parent.name / steps.name
        try:
            found += _finish(Part(points=points, steps=steps), folder, on_file)
        except StoreError as error:
            if on_fault is None:
                raise
            on_fault(steps, error)
    for points in (folder / "points").glob(wanted):
        if not (folder / "steps" / points.parent.name / points.name).exists():
            remove_quietly(points)
    return found


def last_step_ns(folder: Path, camera_id: str, run_id: int) -> int | None:
    """Return the last step of a run that lies in a ``.part``, UTC ns; None where there is none."""
    parts = (folder / "steps" / f"camera={camera_id}").glob(f"{run_id}-*.part")
    return max((t for t in map(last_step_of, parts) if t is not None), default=None)


def write_smoothed(folder: Path, points: TrackPoints, *, sequence: int) -> StoredFile:
    """Write rows, at least one, of a run as a file of smoothed points and return it."""
    camera, first_ns = f"camera={points.camera_id}", int(points.t_ns[0])
    name = f"{points.run_id}-{sequence:04d}.parquet"
    path = folder / "smoothed" / camera / f"date={_date_of(first_ns)}" / name
    columns = {
        scalar: getattr(points, column) if part is None else getattr(points, column)[:, part]
        for scalar, _, column, part in scalar_columns()
    }
    write_whole(path, lambda temporary: write_parquet(temporary, columns, folder=folder))
    return StoredFile(
        content="smoothed",
        path=path.relative_to(folder).as_posix(),
        camera_id=points.camera_id,
        run_id=points.run_id,
        rows=len(points),
        start_ns=first_ns,
        end_ns=int(points.t_ns[-1]),
        size_bytes=path.stat().st_size,
        sha256=sha256_of(path),
    )


def _date_of(t_ns: int) -> str:
    return datetime.fromtimestamp(t_ns // NS_PER_S, UTC).date().isoformat()


def read_points(
    folder: Path, files: Sequence[StoredFile], *, rows_per_block: int = 100_000
) -> Iterator[TrackPoints]:
    """Yield the rows of point files in blocks of whole steps, in order of time, then track.

    ``files`` come from the catalogue, in order of time. A block never splits a step, so it can
    be longer than ``rows_per_block``. Files of different runs give different blocks. Raises
    StoreError for a file that is missing or damaged.
    """
    for file in files:
        columns = joined_columns(read_parquet(checked_path(folder, file), _SCALARS, folder=folder))
        points = TrackPoints(camera_id=file.camera_id, run_id=file.run_id, **columns)
        start = 0
        while start < len(points):
            end = _step_end(points.t_ns, start + rows_per_block)
            yield points[start:end]
            start = end


def read_step_columns(folder: Path, files: Sequence[StoredFile]) -> dict[str, NDArray[Any]]:
    """Return the columns of every analysed step: t_ns, looked, flags, rows."""
    blocks = [read_parquet(checked_path(folder, f), STEP_COLUMNS, folder=folder) for f in files]
    return {
        name: np.concatenate([np.empty(0, dtype), *(block[name] for block in blocks)])
        for name, dtype in STEP_COLUMNS.items()
    }


def read_steps(folder: Path, files: Sequence[StoredFile]) -> NDArray[np.int64]:
    """Return the time of every analysed step, UTC ns."""
    return read_step_columns(folder, files)["t_ns"]


def _step_end(t_ns: NDArray[np.int64], end: int) -> int:
    if end >= len(t_ns):
        return len(t_ns)
    return int(np.searchsorted(t_ns, t_ns[max(end - 1, 0)], side="right"))


def _part(folder: Path, camera_id: str, run_id: int, sequence: int) -> Part:
    name = f"{run_id}-{sequence:04d}.part"
    return Part(
        points=folder / "points" / f"camera={camera_id}" / name,
        steps=folder / "steps" / f"camera={camera_id}" / name,
    )


def _finish(part: Part, folder: Path, on_file: OnFile) -> bool:
    columns, steps = read_parts(part)
    if len(steps):
        step_columns = {name: steps[name] for name in STEP_COLUMNS}
        for content, table in (("points", columns), ("steps", step_columns)):
            on_file(_write(part, folder, content, table, steps["t_ns"]))
    part.remove()
    return bool(len(steps))


def _write(
    part: Part,
    folder: Path,
    content: str,
    table: dict[str, NDArray[Any]],
    step_ns: NDArray[np.int64],
) -> StoredFile:
    camera = part.steps.parent.name
    path = (
        folder
        / content
        / camera
        / f"date={_date_of(int(step_ns[0]))}"
        / f"{part.steps.stem}.parquet"
    )
    write_whole(path, lambda temporary: write_parquet(temporary, table, folder=folder))
    return StoredFile(
        content=content,
        path=path.relative_to(folder).as_posix(),
        camera_id=camera.removeprefix("camera="),
        run_id=int(part.steps.stem.split("-")[0]),
        rows=len(table["t_ns"]),
        start_ns=int(step_ns[0]),
        end_ns=int(step_ns[-1]),
        size_bytes=path.stat().st_size,
        sha256=sha256_of(path),
    )
