"""What `replay` reads: any trajectories as a stream of whole steps, with their foreign names."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import FormatError, InputError
from calmstreet.geometry.plane import Plane
from calmstreet.interop.fcd import FcdFile
from calmstreet.interop.fcd_types import read_vehicle_types
from calmstreet.interop.files import Imported
from calmstreet.interop.mot import read_mot
from calmstreet.interop.packed import opened_text
from calmstreet.interop.points_csv import read_points_csv
from calmstreet.interop.points_parquet import open_points_parquet
from calmstreet.model.points import TrackPoints, concat_points
from calmstreet.perception.ground import Ground, as_seen

__all__ = ["Steps", "Trajectories", "form_of", "open_trajectories"]

Steps = Iterator[tuple[NDArray[np.int64], TrackPoints]]
ROWS_PER_BLOCK = 50_000


@dataclass(slots=True, kw_only=True)
class Trajectories:
    """Steps to be read once; what is known of them when they were: names, rejections, cuts.

    ``absolute`` says that times in the file are on the wall clock already.
    """

    form: str
    steps: Callable[[], Steps]
    labels: Callable[[], dict[int, str]]
    rejected: Counter[str] = field(default_factory=Counter)
    cut_off: Callable[[], str] = lambda: ""
    absolute: bool = False


def form_of(path: Path) -> str:
    """Return "parquet", "points", "mot" or "fcd" by the file's name and first line.

    Raises InputError for a file that is not there.
    """
    name = path.name.lower().removesuffix(".gz")
    if not path.is_file():
        raise InputError(f"{path} is not there; check the path of the trajectories")
    if name.endswith(".parquet"):
        return "parquet"
    if name.endswith(".xml"):
        return "fcd"
    with opened_text(path, "CSV") as lines:
        head = next(lines, "").lower()
    if "track_id" in head and "t_ns" in head:
        return "points"
    first = head.split(",")[0].strip()
    return "mot" if first == "frame" or first.replace(".", "").isdigit() else "fcd"


def open_trajectories(
    path: Path,
    *,
    camera_id: str,
    run_id: int,
    start_ns: int,
    routes: Path | None = None,
    fps: float = 25.0,
    plane: Plane | None = None,
) -> Trajectories:
    """Return the trajectories of a file; of FCD nothing but the first line has been read yet.

    Boxes of a MOT file get their metres from ``plane``.
    """
    form = form_of(path)
    if form == "fcd":
        file = FcdFile(
            path=path,
            camera_id=camera_id,
            run_id=run_id,
            start_ns=start_ns,
            sizes=read_vehicle_types(routes) if routes else {},
        )
        return Trajectories(
            form=form,
            steps=file.steps,
            labels=lambda: file.labels,
            rejected=file.rejected,
            cut_off=lambda: file.cut_off,
        )
    if form == "parquet":
        points = open_points_parquet(path, camera_id=camera_id, run_id=run_id)
        if not len(points.steps_ns):
            raise FormatError(f"{path} holds no step; export it again")
        return Trajectories(
            form=form, steps=points.steps, labels=lambda: points.labels, absolute=True
        )
    if form == "points":
        whole = read_points_csv(path, camera_id=camera_id, run_id=run_id)
    else:
        whole = read_mot(path, camera_id=camera_id, run_id=run_id, fps=fps, start_ns=start_ns)
    return Trajectories(
        form=form,
        steps=lambda: _grounded(_cut(whole, path), plane if form == "mot" else None),
        labels=lambda: whole.labels,
        absolute=form != "mot",
    )


def _grounded(steps: Steps, plane: Plane | None) -> Steps:
    """Yield the steps with metres where a plane is known."""
    if plane is None:
        yield from steps
        return
    ground = Ground(plane=plane)
    for times, boxes in steps:
        points = as_seen(boxes)
        begins = np.searchsorted(points.t_ns, times, side="left")
        ends = np.searchsorted(points.t_ns, times, side="right")
        rows = [ground.update(points[b:e]) for b, e in zip(begins, ends, strict=True) if e > b]
        yield times, concat_points(rows) if rows else points


def _cut(whole: Imported, path: Path) -> Steps:
    """Yield what was read whole as blocks of whole steps."""
    points, steps = whole.points, whole.steps_ns
    if not len(steps):
        raise FormatError(f"{path} holds no step; export it again")
    done = 0
    while done < len(steps):
        begin = int(np.searchsorted(points.t_ns, steps[done], side="left"))
        last = min(begin + ROWS_PER_BLOCK, len(points)) - 1
        end_ns = points.t_ns[last] if last >= begin else steps[-1]
        until = int(np.searchsorted(steps, end_ns, side="right"))
        if last == len(points) - 1:
            until = len(steps)
        until = max(until, done + 1)
        end = int(np.searchsorted(points.t_ns, steps[until - 1], side="right"))
        yield steps[done:until], points[begin:end]
        done = until
