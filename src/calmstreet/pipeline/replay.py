"""`calmstreet replay`: any trajectories through the same rules; the same result folder.

A stored result is replayed under its own run ids where the new folder has them free: then counts
and events are those of the analysis, bit for bit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from calmstreet.config.site import load_site
from calmstreet.errors import InputError
from calmstreet.geometry.plane import Plane
from calmstreet.interop.signal_states import read_signal_states
from calmstreet.model.run import Run
from calmstreet.model.signals import SignalChanges
from calmstreet.model.site import Site
from calmstreet.pipeline import warned
from calmstreet.pipeline.counting import step_blocks, with_points
from calmstreet.pipeline.judging import judge_run
from calmstreet.pipeline.planes import camera_plane
from calmstreet.pipeline.planning import check_joins, chosen_camera
from calmstreet.pipeline.progress import Progress, quiet
from calmstreet.pipeline.results import write_results
from calmstreet.pipeline.trajectories import Steps, Trajectories, form_of, open_trajectories
from calmstreet.pipeline.unwatched import copy_gaps
from calmstreet.store.catalogue import Catalogue, SourceFile
from calmstreet.store.findings import Warned
from calmstreet.store.folder import CATALOGUE_NAME, only_writer
from calmstreet.store.points import PointWriter
from calmstreet.units import from_iso

__all__ = ["ReplayRequest", "replay"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayRequest:
    """What the user asked for; see ``calmstreet replay --help``."""

    trajectories: Path
    site: Path
    out: Path
    signals: Path | None = None
    routes: Path | None = None
    clock_offset_s: float | None = None
    clock_sigma_s: float | None = None
    start: str | None = None
    camera: str | None = None
    fps: float = 25.0
    lang: str = "en"

    def __post_init__(self) -> None:
        if not 0 < self.fps <= 1000:
            raise InputError(f"--fps {self.fps:g} must be more than 0 and at most 1000")
        for name in ("clock_offset_s", "clock_sigma_s"):
            value = getattr(self, name)
            if value is not None and not np.isfinite(value):
                raise InputError(f"--{name.replace('_', '-')} {value} must be a number of seconds")


def replay(request: ReplayRequest, *, progress: Progress = quiet) -> dict[str, Any]:
    """Judge trajectories under a site and write a result folder; return the summary.

    Raises InputError (FormatError, ConfigError) for what cannot be used; the folder is then as it
    was.
    """
    site, text = load_site(request.site)
    site = _with_clock(site, request)
    if request.out.resolve() == request.trajectories.resolve():
        raise InputError(f"{request.out} is what is replayed; give another folder as --out")
    with only_writer(request.out), Catalogue.open(request.out, create=True) as catalogue:
        catalogue.forget_unpublished()
        catalogue.save_site(site, text)
        is_folder = (request.trajectories / CATALOGUE_NAME).is_file()
        work = _replay_folder if is_folder else _replay_file
        try:
            run_ids, replaced = work(catalogue, request, site, progress)
        except BaseException:
            catalogue.forget_unpublished()
            raise
        catalogue.publish(run_ids, replaced)
        return write_results(catalogue, lang=request.lang, progress=progress)


def _with_clock(site: Site, request: ReplayRequest) -> Site:
    """Return the site with the clock settings of the command line in ``[rules.signals]``."""
    given = {
        name: getattr(request, name)
        for name in ("clock_offset_s", "clock_sigma_s")
        if getattr(request, name) is not None
    }
    if not given:
        return site
    signals = {**site.rules.get("signals", {}), **given}
    return replace(site, rules={**site.rules, "signals": signals})


def _replay_file(
    catalogue: Catalogue, request: ReplayRequest, site: Site, progress: Progress
) -> tuple[list[int], list[int]]:
    path = request.trajectories
    camera_id = chosen_camera(site, request.camera)
    start_ns = from_iso(request.start, site.tz) if request.start else 0
    states = _states(request, site, camera_id, start_ns)
    replaced = [
        run.run_id
        for run in catalogue.runs()
        if str(path.resolve()) in {file.name for file in catalogue.files_of(run.run_id)}
    ]
    run = _new_run(site, camera_id, path, known=bool(request.start))
    source = SourceFile(name=str(path.resolve()), size_bytes=_size(path), start_ns=start_ns)
    run = replace(run, run_id=catalogue.new_run(run, files=[source]))
    found = open_trajectories(
        path,
        camera_id=camera_id,
        run_id=run.run_id,
        start_ns=start_ns,
        routes=request.routes,
        fps=request.fps,
        plane=_plane(site, camera_id, path),
    )
    if found.absolute and not request.start:
        run = replace(run, time_known="given")
    others = [other for other in catalogue.runs() if other.run_id not in replaced]
    check_joins(request.out, others, site=site, time_known=run.time_known)
    progress("reading", 0.0)
    run = _stored(
        catalogue, run, found.steps(), cut_off=found.cut_off, size_px=_picked_on(site, camera_id)
    )
    if _is_metric(site, camera_id):
        catalogue.update_run(run.run_id, width_px=0, height_px=0)
        run = replace(run, width_px=0, height_px=0)
    catalogue.save_track_labels(run.run_id, found.labels())
    notes = _notes(run, found)
    _judge(catalogue, run, site, states, notes, progress)
    return [run.run_id], replaced


def _is_metric(site: Site, camera_id: str) -> bool:
    """Return whether a site lies in metres without a plane: boxes of a file say nothing then."""
    mine = site.of_camera(camera_id)
    drawn = [*(gate.points_m for gate in mine.gates), *(zone.polygon_m for zone in mine.zones)]
    return any(drawn) and all(camera.plane is None for camera in mine.cameras)


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _plane(site: Site, camera_id: str, path: Path) -> Plane | None:
    """Return the plane that gives boxes of a MOT file their metres, None where none is needed."""
    if form_of(path) != "mot":
        return None
    if not any(camera.plane for camera in site.cameras if camera.id == camera_id):
        return None
    wide, high = _picked_on(site, camera_id)
    if not wide:
        raise InputError(
            f"{path} does not say how large the picture is; add size_px = [width, height] to "
            "[camera.plane]"
        )
    return camera_plane(site, camera_id, width_px=wide, height_px=high).plane


def _picked_on(site: Site, camera_id: str) -> tuple[int, int]:
    """Return width and height of the picture that a camera's plane belongs to, (0, 0) unknown."""
    spec = next((camera.plane for camera in site.cameras if camera.id == camera_id), None)
    if spec is None or not spec.size_px:
        return 0, 0
    wide, high = spec.size_px
    return int(wide), int(high)


def _new_run(site: Site, camera_id: str, path: Path, *, known: bool) -> Run:
    return Run(
        run_id=0,
        camera_id=camera_id,
        site_version=site.site_version,
        source=path.name,
        start_ns=0,
        end_ns=0,
        state="open",
        time_known="given" if known else "unknown",
        width_px=0,
        height_px=0,
        declared_fps=float("nan"),
        delivered_fps=float("nan"),
        detector="replayed",
    )


def _stored(
    catalogue: Catalogue,
    run: Run,
    steps: Steps,
    *,
    cut_off: Any = lambda: "",
    size_px: tuple[int, int] = (0, 0),
) -> Run:
    """Store all steps of a run; return it with its times and, with boxes, its picture's size.

    That is ``size_px`` where known, else the picture reaches as far as the boxes do.
    """
    first_ns = last_ns = count = 0
    reach = np.zeros(2)
    with PointWriter(
        folder=catalogue.folder,
        camera_id=run.camera_id,
        run_id=run.run_id,
        on_file=catalogue.add_file,
    ) as writer:
        for times, points in steps:
            first_ns, last_ns = first_ns if count else int(times[0]), int(times[-1])
            count += len(times)
            begins = np.searchsorted(points.t_ns, times, side="left")
            ends = np.searchsorted(points.t_ns, times, side="right")
            for t_ns, begin, end in zip(times.tolist(), begins, ends, strict=True):
                writer.append(t_ns, points[begin:end])
            corner = points.box_px[:, 2:]
            if np.isfinite(corner).any():
                reach = np.maximum(reach, np.nanmax(corner, axis=0))
    if reach.any() and size_px[0]:
        reach = np.array(size_px, np.float64)
    lasted_s = (last_ns - first_ns) / 1e9
    changes: dict[str, Any] = {
        "start_ns": first_ns,
        "end_ns": last_ns,
        "state": "partial" if cut_off() else "complete",
        "frames": count,
        "analysed_frames": count,
        "width_px": run.width_px or int(np.ceil(reach[0])),
        "height_px": run.height_px or int(np.ceil(reach[1])),
        "delivered_fps": (count - 1) / lasted_s if lasted_s > 0 else float("nan"),
        "time_known": run.time_known,
    }
    catalogue.update_run(run.run_id, **changes)
    return replace(run, **changes)


def _notes(run: Run, found: Trajectories) -> list[Warned]:
    notes = [warned.warn("time-unknown")] if run.time_known == "unknown" else []
    if found.cut_off():
        notes.append(warned.warn("cut-off", file=run.source, note=found.cut_off()))
    for reason, rows in sorted(found.rejected.items()):
        if rows:
            notes.append(warned.warn("rows-rejected", reason=reason, rows=rows))
    return notes


def _states(
    request: ReplayRequest, site: Site, camera_id: str, start_ns: int
) -> SignalChanges | None:
    """Return the states of the signals that the site names; raise InputError for unknown ones."""
    if request.signals is None:
        return None
    offset = site.rules.get("signals", {}).get("clock_offset_s", 0.0)
    changes = read_signal_states(
        request.signals, start_ns=start_ns, clock_offset_s=float(offset), tz=site.tz
    )
    mine = site.of_camera(camera_id)
    named = [*(gate.signal for gate in mine.gates), *(zone.signal for zone in mine.zones)]
    wanted = {name for name in named if name}
    known = sorted(set(changes.signal_id.tolist()))
    missing = sorted(wanted - set(known))
    if missing:
        raise InputError(
            f"{request.signals} has no states of {', '.join(missing)}, which the site names; "
            f"it has {', '.join(known)}"
        )
    return changes


def _judge(
    catalogue: Catalogue,
    run: Run,
    site: Site,
    states: SignalChanges | None,
    notes: list[Warned],
    progress: Progress,
) -> None:
    if states is not None:
        catalogue.save_signal_changes(run.run_id, states)
    progress("judging", 0.5)
    judge_run(catalogue, run, site)
    catalogue.save_warnings(run.run_id, notes)


def _replay_folder(
    catalogue: Catalogue, request: ReplayRequest, site: Site, progress: Progress
) -> tuple[list[int], list[int]]:
    """Replay every run of a result folder; a folder replayed before is replaced."""
    replaced = [run.run_id for run in catalogue.runs()]
    made = []
    with Catalogue.open(request.trajectories) as source:
        runs = source.runs()
        if not runs:
            raise InputError(f"{request.trajectories} holds no finished run; analyse into it first")
        kept = with_points(source, runs)
        for number, run in enumerate(kept):
            progress("replaying", number / len(kept))
            made.append(_replay_run(source, catalogue, run, request, site, progress))
        if len(kept) < len(runs):
            notes = catalogue.warnings(made[:1])
            gone = warned.warn("points-gone", runs=len(runs) - len(kept))
            catalogue.save_warnings(made[0], [*notes, gone])
    return made, replaced


def _replay_run(
    source: Catalogue,
    catalogue: Catalogue,
    old: Run,
    request: ReplayRequest,
    site: Site,
    progress: Progress,
) -> int:
    chosen_camera(site, old.camera_id)
    run = replace(old, site_version=site.site_version)
    files = source.files_of(old.run_id)
    run = replace(run, run_id=catalogue.new_run(run, files=files, wanted_id=old.run_id))
    steps = _renamed(step_blocks(source, old), run.run_id)
    kept: Mapping[str, Any] = {
        "state": old.state, "delivered_fps": old.delivered_fps, "frames": old.frames,
        "analysed_frames": old.analysed_frames, "start_ns": old.start_ns, "end_ns": old.end_ns,
    }  # fmt: skip
    run = replace(_stored(catalogue, run, steps), **kept)
    catalogue.update_run(run.run_id, **kept)
    labels = source.track_labels([old.run_id])
    catalogue.save_track_labels(
        run.run_id, {(run.run_id << 32) | (old_id & 0xFFFFFFFF): t for old_id, t in labels.items()}
    )
    light = source.light([old.run_id])
    catalogue.save_light(run.run_id, {name: light[name] for name in light if name != "run_id"})
    catalogue.save_shifts(run.run_id, source.shifts([old.run_id]))
    copy_gaps(source, catalogue, run, site=site)
    states = _states(request, site, run.camera_id, run.start_ns)
    if states is None:
        states = source.signal_changes([old.run_id])
    _judge(catalogue, run, site, states, source.warnings([old.run_id]), progress)
    return run.run_id


def _renamed(steps: Steps, run_id: int) -> Steps:
    """Yield the same rows as those of another run."""
    for times, points in steps:
        ids = np.where(
            points.track_id < 0, points.track_id, (run_id << 32) | (points.track_id & 0xFFFFFFFF)
        )
        yield times, replace(points, run_id=run_id, track_id=ids)
