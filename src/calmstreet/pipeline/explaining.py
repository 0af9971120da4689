"""`calmstreet explain`: one event from its evidence alone, judged once more."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from calmstreet.errors import InputError
from calmstreet.geometry.plane import Plane
from calmstreet.model.event import Event
from calmstreet.model.site import Site, site_from_json
from calmstreet.model.speeds import GateSpeeds, no_speeds
from calmstreet.pipeline.conflict_run import conflict_again
from calmstreet.pipeline.judging import plugged_rules, too_fast
from calmstreet.pipeline.planes import camera_plane, eye_of, on_the_ground
from calmstreet.pipeline.speeds import courses_of
from calmstreet.report.explained_lines import explained_lines
from calmstreet.report.said import said_in
from calmstreet.report.texts import texts
from calmstreet.safety.flow import FlowCounter
from calmstreet.safety.rule import RuleWatch
from calmstreet.safety.rules import BUILT_IN, chosen_rules
from calmstreet.safety.speeds import gate_speeds
from calmstreet.store.evidence import Evidence, read_evidence
from calmstreet.store.folder import write_whole

__all__ = ["SAME_VERDICT", "explain_event", "judged_again", "verdict_again"]

SAME_VERDICT = "the same verdict"

SPEED_SHARE = 0.01
ROUNDING_SHARE = 1e-9


def explain_event(
    folder: Path, event_id: str, *, out: Path | None = None, lang: str = "en"
) -> dict[str, Any]:
    """Return all that decided an event as text and numbers; draw it to ``out`` (or the folder).

    The text is in ``lang``; ``verdict`` and ``kind`` are words for programs.

    Only evidence/ is read. Raises InputError for an unknown event, StoreError for damaged files.
    """
    evidence = read_evidence(folder, _paths(folder, event_id))
    picture = out or folder / "evidence" / f"{event_id}.svg"
    _draw(evidence, picture)
    verdict = _verdict_again(evidence, folder)
    words = texts(lang)
    again = words.t("explain.again", verdict=said_in(verdict, words))
    proof, drawn = words.t("explain.no_proof"), words.t("explain.drawn", path=str(picture))
    lines = [*_lines(evidence, lang), "", again, proof, drawn]
    return {
        "event_id": event_id,
        "kind": evidence.event.kind,
        "same_verdict": verdict == SAME_VERDICT,
        "verdict": verdict,
        "picture": str(picture),
        "text": "\n".join(lines),
    }


def verdict_again(folder: Path, event_id: str) -> str:
    """Return what judging an event once more says beside its verdict, from evidence/ alone.

    SAME_VERDICT, or in which way it differs. Raises as ``explain_event`` does.
    """
    return _verdict_again(read_evidence(folder, _paths(folder, event_id)), folder)


def _verdict_again(evidence: Evidence, folder: Path) -> str:
    is_conflict = evidence.event.kind == "conflict"
    again = conflict_again(evidence, folder=folder) if is_conflict else judged_again(evidence)
    return _verdict(evidence.event, again)


def _paths(folder: Path, event_id: str) -> list[str]:
    if not re.fullmatch(r"[0-9a-f]{16}", event_id):
        raise InputError(f"{event_id} is no event id; take one of 16 hex digits from events.csv")
    found = sorted((folder / "evidence").glob(f"*-{event_id}.*"))
    if not found:
        raise InputError(f"{folder} has no evidence of event {event_id}; see its events.csv")
    return [path.relative_to(folder).as_posix() for path in found]


def judged_again(evidence: Evidence) -> Event | None:
    """Return what the event's rule finds in the evidence, None when it finds nothing.

    Raises InputError when the rule is not installed or evidence holds no site.
    """
    name = evidence.event.rule.split("/")[0]
    more = plugged_rules()
    if name not in BUILT_IN and name not in more:
        raise InputError(f"rule {name} is not installed here; install the package that brings it")
    if not evidence.site_json:
        raise InputError(f"the evidence of {evidence.event.event_id} holds no site; judge it anew")
    site, points = _site(evidence), evidence.points
    plane = _plane(evidence, site)
    watch = RuleWatch.over(
        on_the_ground(site.of_camera(evidence.event.camera_id), plane),
        camera_id=evidence.event.camera_id,
        run_id=points.run_id,
        factories=chosen_rules(site, more=more, only=[name]),
        metric=bool(np.isfinite(points.xy_m).all(axis=1).any()),
        signals=evidence.signal_changes if len(evidence.signal_changes) else None,
        eye_m=eye_of(plane),
    )
    watch.update(np.unique(points.t_ns), points)
    events = [*watch.close(), *too_fast(watch, _speeds(evidence, site))]
    found = {event.event_id: event for event in events}
    return found.get(evidence.event.event_id)


def _plane(evidence: Evidence, site: Site) -> Plane | None:
    """Return the plane of the camera that saw the event."""
    wide, high = evidence.size_px
    if not wide:
        return None
    return camera_plane(site, evidence.event.camera_id, width_px=wide, height_px=high).plane


def _speeds(evidence: Evidence, site: Site) -> GateSpeeds:
    """Return the speeds at the gates as the evidence shows them."""
    points, (wide, high) = evidence.points, evidence.size_px
    camera_id = evidence.event.camera_id
    plane = _plane(evidence, site)
    if evidence.event.kind != "speeding":
        return no_speeds(camera_id=camera_id, run_id=points.run_id)
    counter = FlowCounter(
        site=site, camera_id=camera_id, run_id=points.run_id, width_px=wide, height_px=high
    )
    counter.update(np.unique(points.t_ns), points)
    return gate_speeds(counter.finish(), dict(courses_of(points, plane)), plane=plane)


def _site(evidence: Evidence) -> Site:
    return site_from_json(json.loads(evidence.site_json))


def _verdict(event: Event, again: Event | None) -> str:
    """Compare two verdicts; an event may have gone on longer than its evidence."""
    if again is None:
        return "NOT found again"
    words = () if event.kind == "speeding" else ("reasons",)
    for name in ("kind", "rule", "start_ns", "track_ids", *words):
        if getattr(event, name) != getattr(again, name):
            return f"another {name}: {getattr(again, name)}"
    if not _alike(event, again):
        return f"other values: {dict(again.values)}"
    if not set(again.exceptions) <= set(event.exceptions):
        return f"other exceptions: {again.exceptions}"
    return SAME_VERDICT


def _alike(event: Event, again: Event) -> bool:
    """Return whether values agree: to the bit, conflicts to rounding, speeds to 1 %.

    Speeds are smoothed over the whole way; sums along a trail begin where the evidence begins.
    """
    share = {"speeding": SPEED_SHARE, "conflict": ROUNDING_SHARE}.get(event.kind, 0.0)
    ours, theirs = dict(event.values), dict(again.values)
    return list(ours) == list(theirs) and np.allclose(
        list(ours.values()), list(theirs.values()), rtol=share, atol=0.0, equal_nan=True
    )


def _lines(evidence: Evidence, lang: str) -> Iterator[str]:
    return explained_lines(
        evidence.event,
        points=evidence.points,
        changes=evidence.signal_changes,
        thresholds=evidence.thresholds,
        site=_site(evidence) if evidence.site_json else None,
        lang=lang,
    )


def _draw(evidence: Evidence, path: Path) -> None:
    from calmstreet.report.explained import event_svg

    event = evidence.event
    site = _site(evidence) if evidence.site_json else Site(id="unknown")
    svg = event_svg(
        event,
        evidence.points,
        site=site,
        changes=evidence.signal_changes,
        title=f"{event.kind} {event.event_id}",
    )

    def write(part: Path) -> None:
        part.write_text(svg, encoding="utf-8")

    write_whole(path, write)
