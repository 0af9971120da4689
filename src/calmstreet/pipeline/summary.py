"""summary.json: everything that was found, as plain words and numbers."""

from collections import Counter
from typing import Any

import numpy as np

from calmstreet import __version__
from calmstreet.model.bins import Bins
from calmstreet.model.flow import PeakHour
from calmstreet.model.kinds import KIND_NAMES
from calmstreet.model.run import Run
from calmstreet.pipeline.anchoring import gate_notes, withdrawn_s
from calmstreet.pipeline.collected import Collected
from calmstreet.pipeline.warned import warn
from calmstreet.report.tables import gates_summary, movements_summary
from calmstreet.safety.bins import aggregate, peak_hour_of
from calmstreet.safety.movements import turns_of
from calmstreet.store.findings import Warned
from calmstreet.units import to_iso

__all__ = ["camera_bins", "make_summary", "plain"]

SHORT_S = 900.0


def camera_bins(
    bins: dict[str, Bins], tz: str | None, *, width_s: float = 900.0
) -> dict[str, Bins]:
    """Return minute bins of each camera in wider local slices."""
    return {camera: aggregate(own, width_s=width_s, tz=tz or "UTC") for camera, own in bins.items()}


def make_summary(
    found: Collected, minutes: dict[str, Bins], *, audit: dict[str, Any] | None
) -> dict[str, Any]:
    """Return the summary of a result. Counts are whole numbers; times ISO, or seconds from zero."""
    quarters = camera_bins(minutes, found.tz)
    notes = [*found.warnings, *_general_notes(found)]
    counted = any(run.counted for run in found.runs)
    return {
        "calmstreet": __version__,
        "state": "complete" if all(r.state == "complete" for r in found.runs) else "partial",
        "counted": counted,
        "site": {
            "id": found.site.id,
            "name": found.site.name,
            "tz": found.site.tz,
            "site_version": found.site.site_version,
        },
        "cameras": found.camera_ids,
        "runs": [_run_row(run, found.tz) for run in found.runs],
        "video": _video(found.runs),
        "exposure_s": round(found.exposure_s, 3),
        "tracks": _tracks(found),
        "gates": _gates(found) if counted else [],
        "movements": _movements(found) if counted else [],
        "not_observed": list(found.not_observed),
        "peak_hour": _peak(quarters, found),
        "light": dict(Counter(found.light.values())),
        "audit": audit or "not audited on this camera",
        "detector": sorted({run.detector for run in found.runs}),
        "warnings": [_note_row(note) for note in notes],
        "assumptions": [_note_row(note) for note in _assumptions(found)],
    }


def _gates(found: Collected) -> list[dict[str, Any]]:
    watched = set(found.camera_ids)
    gates = [gate for gate in found.site.gates if gate.camera_id in watched]
    rows = gates_summary(found.flows, gates=gates, observed_kinds=found.observed)
    return [{**row, **_watched(found, row["gate"])} for row in rows]


def _watched(found: Collected, gate_id: str) -> dict[str, float | None]:
    """Return for how long a gate was watched, and the share in which a road user covered it."""
    occupied_s = watched_s = 0.0
    for flow in found.flows:
        minutes = flow.minutes
        if gate_id in minutes.gate_ids:
            occupied_s += float(minutes.occupied_s[:, minutes.gate_ids.index(gate_id)].sum())
            watched_s += float(minutes.watched_s.sum()) - withdrawn_s(flow, gate_id)
    share = round(occupied_s / watched_s, 4) if watched_s > 0 else None
    return {"exposure_s": round(watched_s, 3), "occupancy_share": share}


def _movements(found: Collected) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for camera_id in found.camera_ids:
        flows = found.flows_of(camera_id)
        turns = turns_of(found.site.of_camera(camera_id), flows)
        rows += movements_summary(
            flows, camera_id=camera_id, turns=turns, observed_kinds=found.observed
        )
    return rows


def _video(runs: tuple[Run, ...]) -> dict[str, Any]:
    duration_s = sum((run.end_ns - run.start_ns) / 1e9 + _frame_s(run) for run in runs)
    return {
        "frames": sum(run.frames for run in runs),
        "duration_s": round(duration_s, 3),
        "repeated_frames": sum(run.repeated_frames for run in runs),
        "analysed_frames": sum(run.analysed_frames for run in runs),
        "declared_fps": plain(runs[0].declared_fps),
        "delivered_fps": plain(runs[0].delivered_fps),
    }


def _frame_s(run: Run) -> float:
    return 1.0 / run.delivered_fps if run.delivered_fps > 0 else 0.0


def plain(value: float) -> float | None:
    """Return a number for JSON, None for what is not known.

    >>> plain(float("nan")), plain(24.9999)
    (None, 25.0)
    """
    return round(float(value), 3) if np.isfinite(value) else None


def _run_row(run: Run, tz: str | None) -> dict[str, Any]:
    known = run.time_known != "unknown"
    return {
        "run_id": run.run_id,
        "camera": run.camera_id,
        "source": run.source,
        "start": to_iso(run.start_ns, tz or "UTC") if known else run.start_ns / 1e9,
        "end": to_iso(run.end_ns, tz or "UTC") if known else run.end_ns / 1e9,
        "state": run.state,
        "time_known": run.time_known,
        "counted": run.counted,
        "width_px": run.width_px,
        "height_px": run.height_px,
        "declared_fps": plain(run.declared_fps),
        "delivered_fps": plain(run.delivered_fps),
        "detector": run.detector,
        "note": run.note,
    }


def _tracks(found: Collected) -> dict[str, Any]:
    by_kind: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    for flow in found.flows:
        j = flow.journeys
        by_kind.update(KIND_NAMES[kind] for kind in j.kind[j.counted])
        left_out.update(str(reason) for reason in j.reason[~j.counted])
    parked = left_out.pop("never seen moving", 0)
    return {
        "total": sum(by_kind.values()),
        "by_kind": dict(sorted(by_kind.items())),
        "parked": parked,
        "left_out": dict(left_out),
    }


def _peak(quarters: dict[str, Bins], found: Collected) -> dict[str, Any] | None:
    """Return the peak hour of everything that crossed the gates, or how far from one we are."""
    if found.tz is None:
        return None
    hours = {camera: _peak_of(bins) for camera, bins in quarters.items()}
    return {camera: _peak_row(hour, found.tz) for camera, hour in hours.items()}


def _peak_of(bins: Bins) -> PeakHour:
    movements = [str(w) for w in np.unique(bins.what) if str(w).startswith("movement:")]
    gates = [str(w) for w in np.unique(bins.what) if str(w).startswith("gate:")]
    return peak_hour_of(bins, whats=movements or gates)


def _peak_row(hour: PeakHour, tz: str) -> dict[str, Any]:
    if not hour.known:
        return {
            "known": False,
            "watched_min": hour.watched_min,
            "reason": f"not enough: {hour.watched_min} of 60 min",
        }
    return {
        "known": True,
        "start": to_iso(hour.start_ns, tz),
        "volume": plain(hour.volume),
        "phf": plain(hour.phf),
    }


def _note_row(note: Warned) -> dict[str, Any]:
    return {"code": note.code, "text": note.text, "args": dict(note.args)}


def _general_notes(found: Collected) -> list[Warned]:
    notes = []
    if found.exposure_s < SHORT_S:
        notes.append(warn("clip-short"))
    if any(light != "day" for light in found.light.values()):
        notes.append(warn("unvalidated-light"))
    starts = [run.start_ns for run in found.runs]
    if len(starts) > 1:
        notes.append(warn("gap", runs=len(starts)))
    notes += gate_notes(found.flows, found.site.gates, tz=found.tz)
    crossed = {str(g) for flow in found.flows for g in np.unique(flow.crossings.gate_id)}
    for gate in found.site.gates:
        if gate.id not in crossed and found.exposure_s > 0:
            notes.append(warn("gate-never-crossed", gate=gate.id))
    return notes


def _assumptions(found: Collected) -> list[Warned]:
    codes = ["not-audited", "hysteresis-scale", "anchor-foot", "parked-not-counted"]
    if all(camera.plane is None for camera in found.site.cameras):
        codes.insert(1, "no-plane")
    return [warn(code) for code in [*codes, "rider-merged", "class-sizes"]]
