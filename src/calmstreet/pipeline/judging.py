"""Rules over a stored run: events with their evidence, and which rules could not run and why."""

from collections.abc import Iterable, Mapping, Sequence
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
from calmstreet.pipeline.planes import camera_plane, eye_of, on_the_ground
from calmstreet.pipeline.speeds import keep_speeds
from calmstreet.plugins import RULES
from calmstreet.safety.conduct_signal import RedLightRule
from calmstreet.safety.conduct_speed import SpeedingRule
from calmstreet.safety.conflicts import AFTER_NS, BEFORE_NS
from calmstreet.safety.rule import Rule, RuleFactory, RuleWatch, run_rules
from calmstreet.safety.rule_settings import SETTINGS, settings_of, thresholds
from calmstreet.safety.rules import chosen_rules
from calmstreet.safety.signal_performance import signal_performance
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.evidence import MARGIN_S, Evidence, write_evidence
from calmstreet.units import ns_from_s

__all__ = [
    "LATER_S",
    "LONG_CONFLICT_S",
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

LONG_CONFLICT_S = 600.0
"""The same of a conflict, from the first row that decided about the pair."""

LATER_S = (AFTER_NS - BEFORE_NS) / 1e9
"""Which usual path somebody was on shows only this much after a conflict."""


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
    conflicts = judge_conflicts(catalogue, run, site, flow)
    events += conflicts.events
    catalogue.save_events(run.run_id, events)
    _keep_evidence(catalogue, run, site, events, changes, _spans(events, conflicts.spans))
    if conflicts.events:
        keep_paths(catalogue, run, conflicts.paths, conflicts.events[0])
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
        factories=chosen_rules(site, more=plugged_rules(), only=only, eyes=has_picture),
        metric=not has_picture or plane is not None,
        trusted=not has_picture or (plane is not None and plane.trusted),
        signals=changes if len(changes) else None,
        eye_m=eye_of(plane),
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
    catalogue: Catalogue,
    run: Run,
    site: Site,
    events: Sequence[Event],
    changes: SignalChanges,
    spans: Mapping[str, tuple[int, int]],
) -> None:
    """Write the evidence of all events in one pass over the stored rows."""
    if not events:
        return
    waiting = sorted(events, key=lambda event: spans[event.event_id])
    mine = site.of_camera(run.camera_id)
    held: list[TrackPoints] = []
    margin_ns = ns_from_s(MARGIN_S)
    nothing = no_points(camera_id=run.camera_id, run_id=run.run_id)
    for steps, points in step_blocks(catalogue, run):
        held.append(points)
        done = int(steps[-1])
        over = [e for e in waiting if spans[e.event_id][1] + margin_ns < done]
        for event in over:
            rows = _joined(held, nothing)
            _write(catalogue, event, rows, changes, mine, run, spans[event.event_id])
        waiting = [e for e in waiting if spans[e.event_id][1] + margin_ns >= done]
        oldest = min((spans[e.event_id][0] for e in waiting), default=done) - margin_ns
        held = [b for b in held if len(b) and b.t_ns[-1] >= min(oldest, done - margin_ns)]
    for event in waiting:
        rows = _joined(held, nothing)
        _write(catalogue, event, rows, changes, mine, run, spans[event.event_id])


def _spans(
    events: Sequence[Event], conflicts: Mapping[str, tuple[int, int]]
) -> dict[str, tuple[int, int]]:
    """Return by event from when until when rows are kept, beside the margin."""
    spans = {}
    for event in events:
        start_ns, end_ns, most_s = event.start_ns, event.end_ns, LONG_S
        if event.event_id in conflicts:
            start_ns, end_ns = conflicts[event.event_id]
            end_ns, most_s = end_ns + ns_from_s(LATER_S), LONG_CONFLICT_S
        spans[event.event_id] = start_ns, min(end_ns, start_ns + ns_from_s(most_s))
    return spans


def _joined(held: list[TrackPoints], nothing: TrackPoints) -> TrackPoints:
    return concat_points(held) if held else nothing


def _write(
    catalogue: Catalogue,
    event: Event,
    points: TrackPoints,
    changes: SignalChanges,
    site: Site,
    run: Run,
    span: tuple[int, int],
) -> None:
    name = event.rule.split("/")[0]
    evidence = Evidence(
        event=event,
        points=points,
        signal_changes=changes,
        thresholds=rule_thresholds(site, name),
        site_json=site.canonical_json(),
        size_px=(run.width_px, run.height_px),
        since_ns=span[0],
        until_ns=span[1],
    )
    catalogue.save_evidence(event.event_id, write_evidence(catalogue.folder, evidence))
