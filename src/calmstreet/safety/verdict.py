"""The verdict on pairs of road users: measures, conflict or not, level, or why it was rejected."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.geometry.surrogates import delta_v_mps, extended_delta_v_mps, tet_s, tit_s2
from calmstreet.model.conflicts import CONFLICT_COLUMNS, Conflicts, no_conflicts
from calmstreet.model.kinds import Kind
from calmstreet.safety.conflict_rules import ConflictSettings
from calmstreet.safety.course import Course, course_of
from calmstreet.safety.encroachment import Encroachment
from calmstreet.safety.samples import Samples
from calmstreet.safety.severity import (
    MASS_KG,
    fatal_share_occupants,
    is_unprotected,
    level_of,
    severe_share_unprotected,
)
from calmstreet.safety.trails import Trail

__all__ = ["PairEnd", "joined_conflicts", "verdict_of"]

Array = NDArray[np.float64]

NAN = float("nan")
_BRAKING_MPS2 = 4.0
_STANDS_MPS = 0.5
_NEAR_S = 1.5
_HOP_M = 4.0
_CONTACT_LEVEL = 3
_PARTY_MPS = 1.0
_REAR_END_COS = float(np.cos(np.radians(30.0)))
_OPPOSING_COS = float(np.cos(np.radians(150.0)))


@dataclass(frozen=True, slots=True, kw_only=True)
class PairEnd:
    """A pair that is over: its number in the samples, both tracks and kinds, how their ways met."""

    number: int
    a: Trail
    b: Trail
    kind_a: int
    kind_b: int
    met: Encroachment | None


def verdict_of(
    ends: list[PairEnd],
    samples: Samples | None,
    *,
    settings: ConflictSettings,
    camera_id: str,
    run_id: int,
) -> Conflicts:
    """Return one row per pair that interacted; ``samples`` lie by pair, then time."""
    ends = sorted(ends, key=lambda end: end.number)
    course = None
    if samples is not None and len(samples):
        course = course_of(
            samples,
            numbers=np.array([end.number for end in ends], np.int64),
            born_ns=np.array([max(end.a.first_ns, end.b.first_ns) for end in ends], np.int64),
            settings=settings,
        )
    rows = [_row(k, end, course, settings) for k, end in enumerate(ends)]
    kept = [row for row in rows if row is not None]
    if not kept:
        return no_conflicts(camera_id=camera_id, run_id=run_id)
    columns: dict[str, Any] = {
        name: np.array([row[name] for row in kept]) for name, _ in CONFLICT_COLUMNS
    }
    return Conflicts(camera_id=camera_id, run_id=run_id, **columns)


def joined_conflicts(
    parts: list[Conflicts],
    *,
    camera_id: str,
    run_id: int,
    paths_version: str,
    watched_ns: NDArray[np.int64],
) -> Conflicts:
    """Return the rows of all parts (at least one)."""
    return Conflicts(
        camera_id=camera_id,
        run_id=run_id,
        paths_version=paths_version,
        watched_ns=watched_ns,
        **{
            name: np.concatenate([getattr(part, name) for part in parts])
            for name, _ in CONFLICT_COLUMNS
        },
    )


def _row(
    k: int, end: PairEnd, course: Course | None, settings: ConflictSettings
) -> dict[str, Any] | None:
    """Return the columns of one pair, None when it never interacted."""
    met = end.met
    if met is not None and abs(met.pet_s) > settings.interacting_pet_s:
        met = None
    at = -1 if course is None else int(course.at[k])
    if met is None and at < 0:
        return None
    row: dict[str, Any] = {name: NAN for name, _ in CONFLICT_COLUMNS}
    row |= {
        "user_a": end.a.track_id,
        "user_b": end.b.track_id,
        "kind_a": end.kind_a,
        "kind_b": end.kind_b,
        "min_ttc_s": float("inf"),
        "ttc_along": "",
        "contact": False,
        "rejected_because": "",
        "start_ns": 2**62,
        "end_ns": 0,
    }
    if course is not None and at >= 0:
        _take_course(row, k, at, course)
    row["type"] = _type_of(end, met, course, k)
    if met is not None:
        met = _of_type(met, row["type"])
        _take_meeting(row, met)
    _take_impact(row, end, met, course, at)
    _judge(row, k, end, met, course, settings)
    return row


def _take_course(row: dict[str, Any], k: int, at: int, course: Course) -> None:
    rows = course.samples
    ttc, closing = float(course.smooth_s[at]), float(rows.closing_mps[at])
    gap_sigma, speed_sigma = float(rows.sigma_gap_m[at]), float(rows.sigma_speed_mps[at])
    sigma_ttc = float(np.sqrt(gap_sigma**2 + (ttc * speed_sigma) ** 2) / closing)
    drac = float(course.drac_mps2[k])
    share = np.sqrt((2 * speed_sigma / closing) ** 2 + (gap_sigma / max(ttc * closing, 0.1)) ** 2)
    row |= {
        "start_ns": int(rows.t_ns[course.first[k]]),
        "end_ns": int(rows.t_ns[course.last[k]]),
        "x_m": float(rows.x_m[at]),
        "y_m": float(rows.y_m[at]),
        "min_ttc_s": ttc,
        "sigma_min_ttc_s": sigma_ttc,
        "max_drac_mps2": drac,
        "sigma_max_drac_mps2": float(drac * share) if np.isfinite(drac) else NAN,
        "t2_s": ttc,
        "sigma_t2_s": sigma_ttc,
        "angle_deg": _degrees(float(rows.cos_angle[at])),
        "ttc_along": _along(course, k, at),
    }
    _take_series(row, course, course.rows_of(k))


def _take_series(row: dict[str, Any], course: Course, mine: slice) -> None:
    """Fill in what rests on all samples of the pair."""
    rows, t_ns = course.samples, course.samples.t_ns[mine]
    t_s, smooth = (t_ns - t_ns[0]) / 1e9, course.smooth_s[mine]
    row |= {
        "contact": bool((rows.ttc_s[mine] <= 0).any()),
        "time_gap_s": _lowest(rows.time_gap_s[mine], NAN),
        "max_mdrac_mps2": -_lowest(-rows.mdrac_mps2[mine], NAN),
        "min_mttc_s": _lowest(rows.mttc_s[mine], float("inf")),
        "tet_s": tet_s(smooth, t_s=t_s),
        "tit_s2": tit_s2(smooth, t_s=t_s),
    }


def _along(course: Course, k: int, at: int) -> str:
    if course.straight[k]:
        return "straight"
    return "following" if course.samples.lane[at] != 0 else "path"


def _lowest(values: Array, otherwise: float) -> float:
    known = values[np.isfinite(values)]
    return float(known.min()) if len(known) else otherwise


def _degrees(cosine: float) -> float:
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


def _of_type(met: Encroachment, kind: str) -> Encroachment:
    """Return the meeting with the PET that its type asks for."""
    if kind != "opposing" or met.contact or not np.isfinite(met.turning_pet_s):
        return met
    return replace(met, pet_s=max(met.turning_pet_s, met.pet_s))


def _take_meeting(row: dict[str, Any], met: Encroachment) -> None:
    row |= {
        "start_ns": min(row["start_ns"], met.exit_ns, met.entry_ns),
        "end_ns": max(row["end_ns"], met.exit_ns, met.entry_ns),
        "x_m": met.x_m,
        "y_m": met.y_m,
        "pet_s": met.pet_s,
        "place_pet_s": met.place_pet_s,
        "point_pet_s": met.point_pet_s,
        "sigma_pet_s": met.sigma_pet_s,
        "t2_s": met.t2_s,
        "sigma_t2_s": met.sigma_t2_s,
        "angle_deg": _degrees(met.cos_angle),
        "contact": bool(row["contact"]) or met.contact,
    }


def _type_of(end: PairEnd, met: Encroachment | None, course: Course | None, k: int) -> str:
    if Kind.PEDESTRIAN in (end.kind_a, end.kind_b):
        return "pedestrian"
    at = -1 if course is None else int(course.at[k])
    if met is None and course is not None and at >= 0:
        if course.samples.lane[at] != 0:
            return "following"
        if course.samples.cos_angle[at] >= _REAR_END_COS:
            return "merging"
    if met is not None and met.merging:
        return "merging"
    came = _came_cos(course, k)
    if met is not None:
        came = min(came, met.came_cos)
    return "opposing" if came <= _OPPOSING_COS else "crossing"


def _came_cos(course: Course | None, k: int) -> float:
    """Return the cosine between the headings when the pair was first looked at, 1 if never."""
    if course is None or course.bounds[k] == course.bounds[k + 1]:
        return 1.0
    return float(course.samples.cos_now[course.bounds[k]])


def _take_impact(
    row: dict[str, Any], end: PairEnd, met: Encroachment | None, course: Course | None, at: int
) -> None:
    """Fill in the consequence of the impact that was near: at the least TTC, else at the PET."""
    if course is not None and at >= 0:
        one, two = course.samples.velocity_a_mps[at], course.samples.velocity_b_mps[at]
        sigma = float(course.samples.sigma_speed_mps[at])
    else:
        assert met is not None
        one, two, sigma = np.array(met.velocity_a_mps), np.array(met.velocity_b_mps), NAN
    mass_a, mass_b = MASS_KG[end.kind_a], MASS_KG[end.kind_b]
    change = delta_v_mps(one[None], velocity_b_mps=two[None], mass_a_kg=mass_a, mass_b_kg=mass_b)
    braked = extended_delta_v_mps(
        one[None],
        velocity_b_mps=two[None],
        mass_a_kg=mass_a,
        mass_b_kg=mass_b,
        t2_s=[max(row["t2_s"], 0.0)],
        braking_mps2=_BRAKING_MPS2,
    )
    clash = float(np.sqrt(((one - two) ** 2).sum()))
    soft = bool(is_unprotected([end.kind_a, end.kind_b]).any())
    delta = max(float(change[0][0]), float(change[1][0]))
    harm = severe_share_unprotected(clash) if soft else fatal_share_occupants(delta)
    row |= {
        "delta_v_mps": delta,
        "sigma_delta_v_mps": max(mass_a, mass_b) / (mass_a + mass_b) * sigma,
        "extended_delta_v_mps": max(float(braked[0][0]), float(braked[1][0])),
        "harm_share": float(harm),
        "sigma_angle_deg": float(np.degrees(sigma / max(clash, 0.5))),
    }


def _judge(
    row: dict[str, Any],
    k: int,
    end: PairEnd,
    met: Encroachment | None,
    course: Course | None,
    settings: ConflictSettings,
) -> None:
    """Decide conflict or not, the level, and why a candidate is rejected."""
    soft = bool(np.isin([end.kind_a, end.kind_b], [Kind.PEDESTRIAN, Kind.BICYCLE]).any())
    most_pet = settings.pet_unprotected_s if soft else settings.pet_s
    why = []
    if met is not None and met.pet_s <= most_pet:
        why.append("pet")
    if course is not None and course.held[k]:
        why.append("ttc")
    if course is not None and course.evaded[k]:
        why.append("evasion")
    short = row["ttc_along"] == "straight" and row["min_ttc_s"] <= settings.ttc_s
    row["why"] = "+".join(why)
    row["rejected_because"] = _rejected(k, end, course, settings) if why or short else ""
    if short and not why and not row["rejected_because"]:
        row["rejected_because"] = "straight line only"
    row["is_conflict"] = bool(why) and not row["rejected_because"]
    near = [row["pet_s"]] if "pet" in why else []
    near += [row["min_ttc_s"]] if {"ttc", "evasion"} & set(why) else []
    unprotected = bool(is_unprotected([end.kind_a, end.kind_b]).any())
    grave = (
        row["harm_share"] >= settings.grave_harm_share
        if unprotected
        else row["extended_delta_v_mps"] >= settings.grave_delta_v_mps
    )
    level = int(level_of(min(near), is_grave=grave)) if row["is_conflict"] else 0
    row["level"] = max(level, _CONTACT_LEVEL) if level and row["contact"] else level


def _rejected(
    k: int,
    end: PairEnd,
    course: Course | None,
    settings: ConflictSettings,
) -> str:
    """Return the first reason that speaks against a candidate, "" for none."""
    first, second = (end.a, end.b) if end.a.first_ns <= end.b.first_ns else (end.b, end.a)
    least_ns = round(settings.least_life_s * 1e9)
    if second.first_ns > first.last_ns:
        hop = np.hypot(second.first_xy[0] - first.last_xy[0], second.first_xy[1] - first.last_xy[1])
        return "id switch" if hop <= _HOP_M else "never coexisted"
    if min(end.a.last_ns - end.a.first_ns, end.b.last_ns - end.b.first_ns) < least_ns:
        return "short track"
    if course is None or course.bounds[k] == course.bounds[k + 1]:
        return ""
    return _rejected_by_samples(k, end, course, settings)


def _rejected_by_samples(k: int, end: PairEnd, course: Course, settings: ConflictSettings) -> str:
    rows = course.samples[course.rows_of(k)]
    step_s = np.minimum(np.diff(rows.t_ns, append=rows.t_ns[-1:]) / 1e9, 0.5)
    covered = (rows.cover_share > settings.duplicate_share) & ~rows.given
    if (step_s * covered).sum() > settings.duplicate_s:
        return "duplicate boxes"
    with_one = (rows.near_m <= settings.party_m) & (rows.clash_mps() <= _PARTY_MPS)
    if is_unprotected([end.kind_a, end.kind_b]).any() and with_one.mean() > 0.5:
        return "one party"
    if _walked_into(rows, end):
        return "walked into a standing vehicle"
    at = int(course.at[k])
    if at >= 0 and course.samples.sigma_gap_m[at] >= settings.sigma_gap_m:
        return "uncertain gap"
    return ""


def _walked_into(rows: Samples, end: PairEnd) -> bool:
    """Return True when the vehicle stood at every moment at which a pedestrian was near it."""
    walks = [end.kind_a == Kind.PEDESTRIAN, end.kind_b == Kind.PEDESTRIAN]
    if walks[0] == walks[1]:
        return False
    velocity = rows.velocity_b_mps if walks[0] else rows.velocity_a_mps
    nearest = rows.ttc_s <= _NEAR_S
    speed = np.sqrt((velocity[nearest] ** 2).sum(axis=1))
    return bool(len(speed)) and bool((speed < _STANDS_MPS).all())
