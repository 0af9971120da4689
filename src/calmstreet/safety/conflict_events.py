"""Conflicts as events: what the queue of review shows and evidence is kept for."""

import math

from calmstreet.model.conflicts import Conflicts
from calmstreet.model.event import Event, event_id_of
from calmstreet.safety.conflict_rules import ConflictSettings

__all__ = ["CONFLICT_RULE", "conflict_events"]

CONFLICT_RULE = "conflict/1"
"""Name and version of the definition, as events carry it."""

_MEASURES = (
    "pet_s",
    "place_pet_s",
    "point_pet_s",
    "min_ttc_s",
    "max_drac_mps2",
    "t2_s",
    "delta_v_mps",
    "extended_delta_v_mps",
    "harm_share",
    "angle_deg",
    "time_gap_s",
)


def conflict_events(found: Conflicts, *, settings: ConflictSettings) -> list[Event]:
    """Return an event for each conflict of ``review_level`` or more, in the order of the rows."""
    chosen = found.is_conflict & (found.level >= settings.review_level)
    return [_event(found, int(k), settings) for k in chosen.nonzero()[0]]


def _event(found: Conflicts, k: int, settings: ConflictSettings) -> Event:
    tracks = (int(found.user_a[k]), int(found.user_b[k]))
    start_ns = int(found.start_ns[k])
    return Event(
        event_id=event_id_of(
            camera_id=found.camera_id, rule=CONFLICT_RULE, track_ids=tracks, start_ns=start_ns
        ),
        kind="conflict",
        camera_id=found.camera_id,
        start_ns=start_ns,
        end_ns=int(found.end_ns[k]),
        place_m=(float(found.x_m[k]), float(found.y_m[k])),
        track_ids=tracks,
        values=_values(found, k),
        severity=int(found.level[k]),
        rule=CONFLICT_RULE,
        reasons=tuple(_reasons(found, k, settings)),
    )


def _values(found: Conflicts, k: int) -> dict[str, float]:
    """Return the measures that are known, with the standard deviation of each where known."""
    values: dict[str, float] = {}
    for name in _MEASURES:
        value = float(getattr(found, name)[k])
        if not math.isfinite(value):
            continue
        values[name] = value
        sigmas = getattr(found, f"sigma_{name}", None)
        if sigmas is not None and math.isfinite(sigmas[k]):
            values[f"sigma_{name}"] = float(sigmas[k])
    return values


def _reasons(found: Conflicts, k: int, settings: ConflictSettings) -> list[str]:
    parts = str(found.why[k]).split("+")
    said = [f"{found.type[k]}, level {int(found.level[k])} of 4 on our own scale"]
    if "pet" in parts:
        said.append(f"(a) one came {float(found.pet_s[k]):.2f} s after the other had left")
    if "ttc" in parts:
        ttc_s = float(found.min_ttc_s[k])
        said.append(f"(b) a collision {ttc_s:.2f} s ahead, for {settings.ttc_for_s:g} s or more")
    if "evasion" in parts:
        said.append(f"(c) hard braking or a swerve within {settings.evasion_ttc_s:g} s of one")
    if found.contact[k]:
        said.append("the footprints touched")
    paths = found.paths_version[:12]
    return [*said, f"usual paths {paths}" if paths else "no usual paths were known"]
