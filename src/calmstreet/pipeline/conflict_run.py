"""Conflicts of a stored run: usual paths learned from its tracks, pairs judged, worst as events."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import StoreError
from calmstreet.geometry.plane import Plane
from calmstreet.model.conflicts import Conflicts, no_conflicts
from calmstreet.model.event import Event
from calmstreet.model.flow import Flow, Withdrawn
from calmstreet.model.run import Run
from calmstreet.model.site import Site, site_from_json
from calmstreet.pipeline.counting import step_blocks
from calmstreet.pipeline.planes import camera_plane
from calmstreet.pipeline.unwatched import unwatched_ns
from calmstreet.safety.conflict_events import conflict_events
from calmstreet.safety.conflict_rules import conflict_settings
from calmstreet.safety.conflict_spells import conflicts_unmoved, unusable_spells
from calmstreet.safety.conflicts import ConflictWatch
from calmstreet.safety.learn_paths import PathLearner
from calmstreet.safety.paths import Paths, paths_from_json
from calmstreet.safety.rule_audit import loosened_conflicts
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.conflicts import ConflictRun
from calmstreet.store.evidence import Evidence
from calmstreet.store.folder import StoredFile, sha256_of, write_whole

__all__ = [
    "JudgedConflicts",
    "conflict_again",
    "conflict_thresholds",
    "judge_conflicts",
    "keep_paths",
    "near_conflicts",
]

_PAIR = ("user_a", "user_b")


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedConflicts:
    """Conflicts as events, and what explains them once more.

    ``spans`` from when until when (UTC ns) rows decided about each event, by its id; ``paths``
    the usual paths of the run's own tracks, None where conflicts were not looked for.
    """

    events: list[Event] = field(default_factory=list)
    spans: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    paths: Paths | None = None


def judge_conflicts(catalogue: Catalogue, run: Run, site: Site, flow: Flow) -> JudgedConflicts:
    """Find and keep the interacting pairs of a run; return its worst conflicts as events.

    ``flow`` says when the run was watched and when the camera had moved. Why conflicts were not
    looked for is kept in the catalogue.
    """
    plane = _plane(run, site)
    why_not = _why_not(run, site, plane)
    paths = None if why_not else _learned(catalogue, run)
    if paths is None:
        nothing = no_conflicts(camera_id=run.camera_id, run_id=run.run_id)
        about = ConflictRun(why_not=why_not or "no-metres")
        catalogue.save_conflicts(run.run_id, nothing, about)
        return JudgedConflicts()
    settings = conflict_settings(site.rules)
    watch = ConflictWatch(settings=settings, paths=paths)
    for _, points in step_blocks(catalogue, run):
        watch.update(points)
    found = replace(watch.close(), watched_ns=flow.watched_ns)
    found = _in_exposure(catalogue, run, found)
    found = conflicts_unmoved(found, _gone_ns(catalogue, run, plane, flow.withdrawn))
    about = ConflictRun(paths_version=paths.version, paths=len(paths))
    catalogue.save_conflicts(run.run_id, found, about)
    events = conflict_events(found, settings=settings)
    spans = {}
    for event in events:
        a, b = event.track_ids
        spans[event.event_id] = watch.decided[a, b, event.start_ns]
    return JudgedConflicts(events=events, spans=spans, paths=paths)


def near_conflicts(catalogue: Catalogue, run: Run, site: Site) -> list[Event]:
    """Return the pairs of a judged run that were nearly conflicts, as events without evidence.

    Those that loosened thresholds make one, and those that meet the definition and were rejected
    for a reason. ``site`` is that of the run.
    """
    known = catalogue.conflicts(run.run_id, run.camera_id)
    paths = _learned(catalogue, run)
    if paths is None or catalogue.conflict_run(run.run_id).why_not:
        return []
    loose = replace(conflict_settings(loosened_conflicts(site).rules), review_level=0.0)
    watch = ConflictWatch(settings=loose, paths=paths)
    for _, points in step_blocks(catalogue, run):
        watch.update(points)
    withdrawn = catalogue.flow(run.run_id).withdrawn
    gone_ns = _gone_ns(catalogue, run, _plane(run, site), withdrawn)
    found = conflicts_unmoved(_in_exposure(catalogue, run, watch.close()), gone_ns)
    told = set(zip(*(getattr(known[known.is_conflict], name) for name in _PAIR), strict=True))
    users = zip(*(getattr(found, name) for name in _PAIR), strict=True)
    fresh = np.array([pair not in told for pair in users], np.bool_)
    rejected = known[~known.is_conflict & (known.why != "")]
    nearly = conflict_events(found[fresh & found.is_conflict], settings=loose)
    told_off = replace(rejected, is_conflict=np.ones(len(rejected), np.bool_))
    for event, why in zip(
        conflict_events(told_off, settings=loose), rejected.rejected_because.tolist(), strict=True
    ):
        nearly.append(replace(event, reasons=(*event.reasons, f"rejected: {why}")))
    return nearly


def _plane(run: Run, site: Site) -> Plane | None:
    if run.width_px <= 0:
        return None
    return camera_plane(site, run.camera_id, width_px=run.width_px, height_px=run.height_px).plane


def _why_not(run: Run, site: Site, plane: Plane | None) -> str:
    """Return the word for why nobody looks for conflicts, "" where somebody does."""
    if not conflict_settings(site.rules).on:
        return "off"
    if not run.counted:
        return "not-counted"
    return "plane-not-trusted" if plane is not None and not plane.trusted else ""


def _learned(catalogue: Catalogue, run: Run) -> Paths | None:
    """Return the usual paths of a run's own tracks, None where no row has metres."""
    learner, metric = PathLearner(), False
    for _, points in step_blocks(catalogue, run):
        metric = metric or bool(np.isfinite(points.xy_m).all(axis=1).any())
        learner.update(points)
    return learner.close() if metric else None


def _in_exposure(catalogue: Catalogue, run: Run, found: Conflicts) -> Conflicts:
    """Return the pairs without those of a time with too few or too coarse pictures."""
    thin_ns = unwatched_ns(catalogue, run, measure="conflicts")
    return conflicts_unmoved(found, thin_ns, because="too-few-pictures")


def _gone_ns(
    catalogue: Catalogue, run: Run, plane: Plane | None, withdrawn: Withdrawn
) -> NDArray[np.int64]:
    """Return the spells (n, 2) in which gates, zones or the measured ground lay elsewhere."""
    shifts = catalogue.shifts([run.run_id])
    places = withdrawn.spells_of(*np.unique(withdrawn.place_id).tolist())
    return np.concatenate([unusable_spells(shifts, plane=plane), places.reshape(-1, 2)])


def conflict_thresholds(site: Site) -> dict[str, float]:
    """Return the thresholds of conflicts under a site as plain numbers, for evidence.

    >>> conflict_thresholds(Site(id="x"))["pet_s"]
    2.0
    """
    return {name: float(value) for name, value in asdict(conflict_settings(site.rules)).items()}


def keep_paths(catalogue: Catalogue, run: Run, paths: Paths | None, event: Event) -> None:
    """Keep the usual paths beside the evidence of a run, on the account of one of its events."""
    if paths is None or not len(paths):
        return
    path, text = _paths_file(catalogue.folder, run.run_id), paths.to_json()

    def write(part: Path) -> None:
        part.write_text(text, encoding="utf-8")

    write_whole(path, write)
    kept = StoredFile(
        content="evidence",
        path=path.relative_to(catalogue.folder).as_posix(),
        camera_id=run.camera_id,
        run_id=run.run_id,
        rows=len(paths),
        start_ns=run.start_ns,
        end_ns=run.end_ns,
        size_bytes=path.stat().st_size,
        sha256=sha256_of(path),
    )
    catalogue.save_evidence(event.event_id, [kept])


def _paths_file(folder: Path, run_id: int) -> Path:
    return folder / "evidence" / f"{run_id}-paths.json"


def conflict_again(evidence: Evidence, *, folder: Path) -> Event | None:
    """Return what the evidence of a conflict gives when it is judged once more, None for nothing.

    Raises StoreError when the usual paths beside it are missing or others.
    """
    site = site_from_json(json.loads(evidence.site_json))
    settings = conflict_settings(site.rules)
    watch = ConflictWatch(settings=settings, paths=_stored_paths(evidence, folder))
    watch.update(evidence.points)
    mine = _of_pair(watch.close(), evidence.event.track_ids)
    events = conflict_events(mine, settings=settings)
    return events[0] if events else None


def _of_pair(found: Conflicts, track_ids: tuple[int, ...]) -> Conflicts:
    return found[(found.user_a == min(track_ids)) & (found.user_b == max(track_ids))]


def _stored_paths(evidence: Evidence, folder: Path) -> Paths | None:
    wanted = evidence.event.reasons[-1].removeprefix("usual paths ")
    if wanted == evidence.event.reasons[-1]:
        return None
    path = _paths_file(folder, evidence.points.run_id)
    if not path.is_file():
        raise StoreError(f"{path} is missing; bring it back from a copy")
    paths = paths_from_json(json.loads(path.read_text(encoding="utf-8")))
    if not paths.version.startswith(wanted):
        raise StoreError(f"{path} holds other usual paths than {wanted}; bring it back from a copy")
    return paths
