"""Road users out in open formats, and in from other programs."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.config.site import check_frame, load_site
from calmstreet.errors import InputError, StoreError
from calmstreet.geometry.lonlat import to_lonlat
from calmstreet.geometry.planes import site_frame
from calmstreet.interop.files import Imported
from calmstreet.interop.geojson import write_geojson
from calmstreet.interop.mot import read_mot, write_mot
from calmstreet.interop.points_csv import write_points_csv
from calmstreet.interop.points_parquet import read_points_parquet, write_points_parquet
from calmstreet.model.points import TrackPoints
from calmstreet.model.run import Run
from calmstreet.model.site import Site, site_from_json
from calmstreet.perception.ground import ground_rows
from calmstreet.pipeline import warned
from calmstreet.pipeline.counting import step_blocks, with_points
from calmstreet.pipeline.judging import judge_run
from calmstreet.pipeline.planes import camera_plane
from calmstreet.pipeline.planning import BEHIND_S, check_joins, chosen_camera
from calmstreet.pipeline.results import write_results
from calmstreet.pipeline.smoothing import smooth_run
from calmstreet.store.catalogue import Catalogue, SourceFile
from calmstreet.store.findings import Warned
from calmstreet.store.folder import only_writer
from calmstreet.store.points import PointWriter, read_points, read_steps
from calmstreet.units import from_iso, ns_from_s

MOT_FPS = 25.0
SERIALS = 0xFFFFFFFF

__all__ = ["ImportRequest", "export_result", "import_file"]


def export_result(folder: Path, *, form: str, out: Path, smoothed: bool = False) -> str:
    """Write the road users of a result as mot, csv, parquet or geojson; say what was written.

    MOT has no times and no cameras: a result of several runs is refused there. ``smoothed`` writes
    the rows whose metres were smoothed from both ends.
    """
    with Catalogue.open(folder) as catalogue:
        runs = catalogue.runs()
        if not runs:
            raise StoreError(f"{folder} holds no finished run; analyse a video into it")
        every, runs = len(runs), with_points(catalogue, runs)
        labels = catalogue.track_labels([run.run_id for run in runs])
        if form == "mot" and len(runs) != 1:
            raise InputError(
                f"{folder} holds {len(runs)} runs and MOT CSV can hold one; "
                "export it as csv, parquet or geojson"
            )
        steps = np.concatenate([read_steps(folder, catalogue.step_files(r.run_id)) for r in runs])
        blocks = _smoothed(catalogue, runs) if smoothed else _blocks(catalogue, runs)
        if form == "geojson":
            origin = site_frame(site_from_json(json.loads(catalogue.site(runs[0].site_version))))
            place = None if origin is None else partial(to_lonlat, origin_lonlat=origin)
            write_geojson(out, blocks, labels=labels, lonlat_deg=place)
        else:
            _WRITERS[form](out, blocks, steps, labels)
    gone = f"; the points of {every - len(runs)} older runs are gone" if every > len(runs) else ""
    return f"{out} written: {len(runs)} runs as {form}{gone}"


_Write = Callable[[Path, Iterator[TrackPoints], NDArray[np.int64], dict[int, str]], None]


_WRITERS: dict[str, _Write] = {
    "mot": write_mot,
    "csv": write_points_csv,
    "parquet": write_points_parquet,
}


def _blocks(catalogue: Catalogue, runs: list[Run]) -> Iterator[TrackPoints]:
    for run in runs:
        for _, points in step_blocks(catalogue, run):
            if len(points):
                yield points


def _smoothed(catalogue: Catalogue, runs: list[Run]) -> Iterator[TrackPoints]:
    files = [file for run in runs for file in catalogue.smoothed_files(run.run_id)]
    if not files:
        raise InputError(
            f"{catalogue.folder} holds no smoothed rows; they are made from videos of a camera "
            "with a [camera.plane], so add one to the site and analyse again"
        )
    return read_points(catalogue.folder, files)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequest:
    """What the user asked for; see ``calmstreet import --help``."""

    file: Path
    site: Path
    out: Path
    fps: float | None = None
    size: str | None = None
    start: str | None = None
    camera: str | None = None
    lang: str = "en"

    def __post_init__(self) -> None:
        if self.fps is not None and not 0 < self.fps <= 1000:
            raise InputError(f"--fps {self.fps:g} must be more than 0 and at most 1000")


def import_file(request: ImportRequest) -> dict[str, Any]:
    """Count the road users of a MOT CSV or of our own Parquet under a site; return the summary.

    A MOT file has neither times nor a picture's size: without ``fps`` 25 is assumed and said, and
    without ``size`` the picture reaches as far as the boxes and gates do.
    """
    site, text = load_site(request.site)
    camera_id = chosen_camera(site, request.camera)
    size_px = _size_px(request.size) if request.size else None
    if size_px is not None:
        check_frame(site, camera_id, *size_px)
    if not request.file.is_file():
        raise InputError(f"{request.file} is not there; check the path of the file to import")
    run = _new_run(request, site, camera_id)
    imported = _read(request, run, site.tz)
    name = str(request.file.resolve())
    with only_writer(request.out), Catalogue.open(request.out, create=True) as catalogue:
        catalogue.forget_unpublished()
        replaced, others = _parted(catalogue, name)
        check_joins(request.out, others, site=site, time_known=run.time_known)
        imported = _placed(imported, run, others, request)
        catalogue.save_site(site, text)
        source = SourceFile(name=name, size_bytes=request.file.stat().st_size, start_ns=0)
        run = replace(run, run_id=catalogue.new_run(run, files=[source]))
        imported = _as_run(imported, run.run_id)
        size_px = size_px or _size_of(site, camera_id) or _reach_px(imported.points, site)
        found = camera_plane(site, camera_id, width_px=size_px[0], height_px=size_px[1])
        if found.plane is not None and not np.isfinite(imported.points.xy_m).any():
            imported = replace(imported, points=ground_rows(imported.points, found.plane))
        run = _store(catalogue, run, imported, size_px)
        judge_run(catalogue, run, site)
        if found.plane is not None:
            smooth_run(catalogue, run, found.plane)
        catalogue.save_warnings(run.run_id, [*_notes(request, run), *found.notes])
        catalogue.publish([run.run_id], replaced)
        return write_results(catalogue, lang=request.lang)


def _parted(catalogue: Catalogue, name: str) -> tuple[list[int], list[Run]]:
    """Return the ids of the runs made from a file, which are replaced, and the other runs."""
    replaced, others = [], []
    for run in catalogue.runs():
        if name in {file.name for file in catalogue.files_of(run.run_id)}:
            replaced.append(run.run_id)
        else:
            others.append(run)
    return replaced, others


def _placed(
    imported: Imported, run: Run, others: Sequence[Run], request: ImportRequest
) -> Imported:
    """Return the import behind what is there if its time is unknown; refuse what is there twice."""
    mine = [other for other in others if other.camera_id == run.camera_id]
    steps = imported.steps_ns
    if run.time_known == "unknown" and mine:
        shift = max(other.end_ns for other in mine) + ns_from_s(BEHIND_S) - int(steps[0])
        points = replace(imported.points, t_ns=imported.points.t_ns + shift)
        return replace(imported, points=points, steps_ns=steps + shift)
    for other in mine:
        if other.start_ns <= steps[-1] and steps[0] <= other.end_ns:
            raise InputError(
                f"{request.file} lies in the time of {other.source}, which {request.out} holds "
                "already; check --start, or give another --out"
            )
    return imported


def _as_run(imported: Imported, run_id: int) -> Imported:
    """Return an import under the id of its run."""
    points = imported.points
    serial = points.track_id & SERIALS
    ids = np.where(points.track_id < 0, points.track_id, (run_id << 32) | serial)
    labels = {(run_id << 32) | (int(old) & SERIALS): text for old, text in imported.labels.items()}
    return replace(imported, points=replace(points, run_id=run_id, track_id=ids), labels=labels)


def _notes(request: ImportRequest, run: Run) -> list[Warned]:
    """Return what is to be said of an import."""
    rules = (
        (run.time_known == "unknown", warned.warn("time-unknown")),
        (_is_mot(request.file) and request.fps is None, warned.warn("fps-assumed", fps=MOT_FPS)),
    )
    return [note for holds, note in rules if holds]


def _is_mot(file: Path) -> bool:
    return file.suffix.lower() != ".parquet"


def _size_of(site: Site, camera_id: str) -> tuple[int, int] | None:
    """Return the size of the picture on which the camera's plane was measured."""
    for camera in site.cameras:
        if camera.id == camera_id and camera.plane is not None and camera.plane.size_px:
            width_px, height_px = camera.plane.size_px
            return int(width_px), int(height_px)
    return None


def _reach_px(points: TrackPoints, site: Site) -> tuple[int, int]:
    """Return the smallest picture that holds all boxes and gates."""
    corners = [points.box_px[:, 2:].reshape(-1, 2), *(np.array(g.points_px) for g in site.gates)]
    far = np.max([c.max(axis=0) for c in corners if len(c)], axis=0)
    return int(np.ceil(far[0])) + 1, int(np.ceil(far[1])) + 1


def _new_run(request: ImportRequest, site: Site, camera_id: str) -> Run:
    return Run(
        run_id=0,
        camera_id=camera_id,
        site_version=site.site_version,
        source=request.file.name,
        start_ns=0,
        end_ns=0,
        state="open",
        time_known="unknown" if _is_mot(request.file) and not request.start else "given",
        width_px=0,
        height_px=0,
        declared_fps=request.fps or float("nan"),
        delivered_fps=request.fps or float("nan"),
        detector="imported",
    )


def _read(request: ImportRequest, run: Run, tz: str) -> Imported:
    start_ns = from_iso(request.start, tz) if request.start else 0
    if not _is_mot(request.file):
        return read_points_parquet(request.file, camera_id=run.camera_id, run_id=run.run_id)
    return read_mot(
        request.file,
        camera_id=run.camera_id,
        run_id=run.run_id,
        fps=request.fps or MOT_FPS,
        start_ns=start_ns,
    )


def _store(catalogue: Catalogue, run: Run, imported: Imported, size_px: tuple[int, int]) -> Run:
    points, steps = imported.points, imported.steps_ns
    ends = np.searchsorted(points.t_ns, steps, side="right")
    begins = np.searchsorted(points.t_ns, steps, side="left")
    with PointWriter(
        folder=catalogue.folder,
        camera_id=run.camera_id,
        run_id=run.run_id,
        on_file=catalogue.add_file,
    ) as writer:
        for t_ns, begin, end in zip(steps.tolist(), begins, ends, strict=True):
            writer.append(t_ns, points[begin:end])
    catalogue.save_track_labels(run.run_id, dict(imported.labels))
    changes: dict[str, Any] = {
        "width_px": size_px[0],
        "height_px": size_px[1],
        "start_ns": int(steps[0]),
        "end_ns": int(steps[-1]),
        "state": "complete",
        "frames": len(steps),
        "analysed_frames": len(steps),
    }
    catalogue.update_run(run.run_id, **changes)
    return replace(run, **changes)


def _size_px(text: str) -> tuple[int, int]:
    """Return width and height from "768x576".

    >>> _size_px("768x576")
    (768, 576)
    """
    found = re.fullmatch(r"(\d{1,5})[xX](\d{1,5})", text.strip())
    if not found:
        raise InputError("the size of the picture must be known; add --size such as 768x576")
    return int(found[1]), int(found[2])
