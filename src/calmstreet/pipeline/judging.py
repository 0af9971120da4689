"""Rules over a stored run: events with their evidence, and which rules could not run and why."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib.metadata import entry_points
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.event import Event
from calmstreet.model.flow import Flow
from calmstreet.model.points import TrackPoints, concat_points, no_points
from calmstreet.model.run import Run
from calmstreet.model.signals import SignalChanges
from calmstreet.model.site import Site
from calmstreet.model.speeds import GateSpeeds
from calmstreet.pipeline.conflict_run import conflict_thresholds, judge_conflicts, keep_paths
from calmstreet.pipeline.counting import count_run, step_blocks
from calmstreet.pipeline.planes import camera_plane, on_the_ground
from calmstreet.pipeline.speeds import keep_speeds
from calmstreet.plugins import RULES
from calmstreet.safety.conduct_signal import RedLightRule
from calmstreet.safety.conduct_speed import SpeedingRule
from calmstreet.safety.rule import Rule, RuleFactory, RuleWatch, run_rules
from calmstreet.safety.rule_settings import SETTINGS, settings_of, thresholds
from calmstreet.safety.rules import chosen_rules
from calmstreet.safety.signal_performance import signal_performance
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.evidence import MARGIN_S, Evidence, write_evidence
from calmstreet.units import ns_from_s

__all__ = [
    "LONG_S",
    "events_of_run",
    "judge_run",
    "plugged_rules",
    "rule_thresholds",
    "rules_over",
    "too_fast",
]

LONG_S = 120.0
"""Of an event that lasts longer, this much from its start is kept as evidence."""


def plugged_rules() -> dict[str, RuleFactory]:
    """Return the rules that other packages bring along, by name."""
    return {entry.name: entry.load() for entry in entry_points(group=RULES)}


def judge_run(catalogue: Catalogue, run: Run, site: Site) -> Flow:
    """Count a stored run, judge it; keep flow, speeds, conflicts, events and evidence.

    Counts, events and their evidence are a function of the stored rows, signal changes and site.
    """
    flow = count_run(catalogue, run, site)
    catalogue.save_flow(flow)
    speeds = keep_speeds(catalogue, run, site, flow)
    changes = catalogue.signal_changes([run.run_id])
    watch = rules_over(run, site, changes)
    events = run_rules(watch, step_blocks(catalogue, run)) if run.counted else []
    events = _unmoved([*events, *too_fast(watch, speeds)], flow.withdrawn)
    conflicts, paths = judge_conflicts(catalogue, run, site, flow)
    events += conflicts
    catalogue.save_events(run.run_id, events)
    _keep_evidence(catalogue, run, site, events, changes)
    if conflicts:
        keep_paths(catalogue, run, paths, conflicts[0])
    performance = signal_performance(
        flow,
        changes,
        site=site.of_camera(run.camera_id),
        queues=_queues(watch.rules),
        runners=next((r.runners for r in watch.running if isinstance(r, RedLightRule)), None),
    )
    ruling = {"rules": [_row(rule) for rule in watch.rules], "signals": performance}
    catalogue.save_ruling(run.run_id, ruling)
    return flow


def too_fast(watch: RuleWatch, speeds: GateSpeeds) -> list[Event]:
    """Return what the rules of speed say to the speeds of a run."""
    judges = [rule for rule in watch.running if isinstance(rule, SpeedingRule)]
    return [event for rule in judges for event in rule.judge(speeds)]


def events_of_run(
    run: Run,
    site: Site,
    changes: SignalChanges,
    blocks: Iterable[tuple[NDArray[np.int64], TrackPoints]],
    *,
    speeds: GateSpeeds,
    only: Sequence[str] = (),
) -> list[Event]:
    """Return what rules (all that are on, or those named) find in the blocks of a run."""
    watch = rules_over(run, site, changes, only)
    return [*run_rules(watch, blocks), *too_fast(watch, speeds)]


def rules_over(run: Run, site: Site, changes: SignalChanges, only: Sequence[str] = ()) -> RuleWatch:
    """Return the rules (all that are on, or those named) that watch a run under a site."""
    has_picture = run.width_px > 0
    plane = None
    if has_picture:
        plane = camera_plane(
            site, run.camera_id, width_px=run.width_px, height_px=run.height_px
        ).plane
    return RuleWatch.over(
        on_the_ground(site.of_camera(run.camera_id), plane),
        camera_id=run.camera_id,
        run_id=run.run_id,
        factories=chosen_rules(site, more=plugged_rules(), only=only),
        metric=not has_picture or plane is not None,
        trusted=not has_picture or (plane is not None and plane.trusted),
        signals=changes if len(changes) else None,
    )


def _unmoved(events: Sequence[Event], withdrawn: Any) -> list[Event]:
    """Return the events, those found while the camera looked elsewhere as exceptions."""
    kept = []
    for event in events:
        moved = (withdrawn.start_ns <= event.end_ns) & (withdrawn.end_ns >= event.start_ns)
        if moved.any():
            excuse = "the camera had moved: its gates and zones lay elsewhere"
            event = replace(event, severity=0, exceptions=(*event.exceptions, excuse))
        kept.append(event)
    return kept


def _queues(rules: Iterable[Rule]) -> dict[str, float]:
    """Return the longest queue of each gate in metres."""
    return {
        gate: round(longest.length_m, 1)
        for rule in rules
        for gate, longest in getattr(rule, "longest", {}).items()
    }


def _row(rule: Rule) -> dict[str, Any]:
    row: dict[str, Any] = {"rule": f"{rule.name}/{rule.version}", "why_not": rule.why_not}
    for name in ("yielded", "failed", "could_not_stop"):
        if hasattr(rule, name):
            row[name] = getattr(rule, name)
    return row


def rule_thresholds(site: Site, name: str) -> dict[str, float]:
    """Return the thresholds of a rule under a site; {} for one that other packages bring."""
    if name == "conflict":
        return conflict_thresholds(site)
    return thresholds(settings_of(site, name)) if name in SETTINGS else {}


def _keep_evidence(
    catalogue: Catalogue, run: Run, site: Site, events: Sequence[Event], changes: SignalChanges
) -> None:
    """Write the evidence of all events in one pass over the stored rows."""
    if not events:
        return
    waiting = sorted(events, key=lambda event: event.start_ns)
    mine = site.of_camera(run.camera_id)
    held: list[TrackPoints] = []
    margin_ns = ns_from_s(MARGIN_S)
    nothing = no_points(camera_id=run.camera_id, run_id=run.run_id)
    for steps, points in step_blocks(catalogue, run):
        held.append(points)
        done = int(steps[-1])
        while waiting and _until_ns(waiting[0]) + margin_ns < done:
            _write(catalogue, waiting.pop(0), _joined(held, nothing), changes, mine, run)
        oldest = min((e.start_ns for e in waiting), default=done) - margin_ns
        held = [b for b in held if len(b) and b.t_ns[-1] >= min(oldest, done - margin_ns)]
    for event in waiting:
        _write(catalogue, event, _joined(held, nothing), changes, mine, run)


def _until_ns(event: Event) -> int:
    """Return until when an event's rows matter: which path one was on shows only afterwards."""
    later_ns = ns_from_s(MARGIN_S) if event.kind == "conflict" else 0
    return min(event.end_ns + later_ns, event.start_ns + ns_from_s(LONG_S))


def _joined(held: list[TrackPoints], nothing: TrackPoints) -> TrackPoints:
    return concat_points(held) if held else nothing


def _write(
    catalogue: Catalogue,
    event: Event,
    points: TrackPoints,
    changes: SignalChanges,
    site: Site,
    run: Run,
) -> None:
    name = event.rule.split("/")[0]
    evidence = Evidence(
        event=event,
        points=points,
        signal_changes=changes,
        thresholds=rule_thresholds(site, name),
        site_json=site.canonical_json(),
        size_px=(run.width_px, run.height_px),
        until_ns=_until_ns(event),
    )
    catalogue.save_evidence(event.event_id, write_evidence(catalogue.folder, evidence))
