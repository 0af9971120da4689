"""From road users that ended to columns: crossings with headways, journeys with movements."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.flow import DIRECTIONS, UNMATCHED, Crossings, Journeys, Withdrawn, within
from calmstreet.model.kinds import Kind
from calmstreet.model.site import Movement, Site
from calmstreet.safety.movements import ends_of, movements_of, places_of
from calmstreet.safety.road_user import GatePass, RoadUser
from calmstreet.units import NS_PER_S

__all__ = ["WHILE_MOVED", "crossings_of", "headways", "journeys_of", "without_withdrawn"]

WHILE_MOVED = "camera moved"
"""Why a journey whose zones or gates lay elsewhere is not counted."""


def journeys_of(
    users: Sequence[RoadUser],
    *,
    movements: Sequence[Movement],
    min_life_s: float,
    min_move_share: float,
) -> Journeys:
    """Return one row per ended road user, in the given order."""
    pairs: dict[tuple[str, str], str] = {}
    for movement in movements:
        pairs.setdefault((movement.from_id, movement.to_id), movement.id)
    ends = [
        ends_of(list(user.touches.values()), start_ns=user.first_ns, end_ns=user.last_ns)
        for user in users
    ]
    found = [pairs.get((end.entry_id, end.exit_id), UNMATCHED) for end in ends]
    reasons = [
        _reason(user, min_life_s, min_move_share, moved=name != UNMATCHED)
        for user, name in zip(users, found, strict=True)
    ]
    headings = [user.trail.headings(user.end_place) for user in users]
    return Journeys(
        track_id=np.array([user.track_id for user in users], np.int64),
        kind=np.array([user.kind for user in users], np.uint8),
        start_ns=np.array([user.first_ns for user in users], np.int64),
        end_ns=np.array([user.last_ns for user in users], np.int64),
        done_ns=np.array(
            [
                end.done_ns if name != UNMATCHED else user.last_ns
                for user, end, name in zip(users, ends, found, strict=True)
            ],
            np.int64,
        ),
        entry_px=np.array([user.start_px for user in users], np.float32),
        exit_px=np.array([user.end_place[:2] for user in users], np.float32),
        entry_id=np.array([end.entry_id for end in ends], np.str_),
        exit_id=np.array([end.exit_id for end in ends], np.str_),
        movement_id=np.array(found, np.str_),
        entry_heading=np.array([heading[0] for heading in headings], np.float64),
        exit_heading=np.array([heading[1] for heading in headings], np.float64),
        metric=np.array([heading[2] for heading in headings], np.bool_),
        rows=np.array([user.rows for user in users], np.int64),
        counted=np.array([not reason for reason in reasons], np.bool_),
        reason=np.array(reasons, np.str_),
    )


def _reason(user: RoadUser, min_life_s: float, min_move_share: float, *, moved: bool) -> str:
    """Return why a road user is not counted, "" when it is."""
    if not user.is_sure:
        return "never confirmed"
    if not user.is_mover:
        return "never seen moving"
    if user.last_seen_ns - user.first_seen_ns < min_life_s * NS_PER_S:
        return "too short"
    if user.kind == Kind.UNKNOWN and user.part is not None and user.part.is_part:
        return "part of another"
    if moved or user.crossed or user.reach_share >= min_move_share:
        return ""
    return "did not move"


def without_withdrawn(journeys: Journeys, site: Site, withdrawn: Withdrawn) -> Journeys:
    """Return the journeys; those made while a place of their movement was withdrawn not counted.

    Who fits no movement could have made any: it counts while no place was withdrawn.
    """
    if not len(withdrawn):
        return journeys
    counted, reason = journeys.counted.copy(), journeys.reason.astype(object)
    for name in {movement.id for movement in movements_of(site)} | {UNMATCHED}:
        gone = within(withdrawn.spells_of(*places_of(site, name)), journeys.done_ns)
        gone &= (journeys.movement_id == name) & counted
        counted[gone], reason[gone] = False, WHILE_MOVED
    return replace(journeys, counted=counted, reason=reason.astype(np.str_))


def crossings_of(
    users: Sequence[RoadUser],
    *,
    counted: NDArray[np.bool_],
    gate_ids: tuple[str, ...],
    watched_ns: NDArray[np.int64],
    withdrawn: Withdrawn,
) -> Crossings:
    """Return all crossings of ended road users by time, with headways and gaps.

    Crossings of a withdrawn gate are there and not counted.
    """
    rows = [
        (crossing, user, bool(flag))
        for user, flag in zip(users, counted, strict=True)
        for crossing in user.crossed
    ]
    rows.sort(key=lambda row: (row[0].t_ns, row[0].gate, row[1].track_id))
    passes = [row[0] for row in rows]
    valid = np.array([row[2] for row in rows], np.bool_)
    gates = np.array([gate_ids[p.gate] for p in passes], np.str_)
    times = np.array([p.t_ns for p in passes], np.int64)
    for gate_id in np.unique(withdrawn.place_id):
        valid &= ~((gates == gate_id) & withdrawn.holds(str(gate_id), times))
    pauses = {number: withdrawn.spells_of(gate_id) for number, gate_id in enumerate(gate_ids)}
    headway_s, gap_s = headways(passes, counted=valid, watched_ns=watched_ns, pauses_ns=pauses)
    return Crossings(
        gate_id=gates,
        t_ns=times,
        track_id=np.array([row[1].track_id for row in rows], np.int64),
        kind=np.array([row[1].kind for row in rows], np.uint8),
        direction=np.array([DIRECTIONS[0 if p.direction > 0 else 1] for p in passes], np.str_),
        headway_s=headway_s,
        gap_s=gap_s,
        speed_mps=np.array([p.speed_mps for p in passes], np.float64),
        length_m=np.array([p.length_m for p in passes], np.float64),
        counted=valid,
    )


def headways(
    passes: Sequence[GatePass],
    *,
    counted: NDArray[np.bool_],
    watched_ns: NDArray[np.int64],
    pauses_ns: Mapping[int, NDArray[np.int64]] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return headway and gap in seconds to the previous user at the same gate and direction.

    ``passes`` in order of time; ``watched_ns`` (k, 2) spells: no headway reaches across a pause,
    nor across one of ``pauses_ns`` (m, 2) of its own gate.
    The gap is the headway less the time that the leader's length took at its speed, so it needs a
    plane; NaN where unknown and where the two were side by side.

    >>> first, second = (GatePass(gate=0, direction=1, t_ns=t, speed_mps=10.0, length_m=5.0)
    ...                  for t in (0, 2_000_000_000))
    >>> [column.tolist() for column in headways([first, second], counted=np.ones(2, bool),
    ...     watched_ns=np.array([[0, 3_000_000_000]]))]
    [[nan, 2.0], [nan, 1.5]]
    """
    headway_s, gap_s = np.full(len(passes), np.nan), np.full(len(passes), np.nan)
    leaders: dict[tuple[int, int], tuple[GatePass, int]] = {}
    for row, crossing in enumerate(passes):
        if not counted[row]:
            continue
        spell = int(np.searchsorted(watched_ns[:, 0], crossing.t_ns, side="right"))
        if pauses_ns is not None and crossing.gate in pauses_ns:
            spell += int(np.searchsorted(pauses_ns[crossing.gate][:, 1], crossing.t_ns))
        key = (crossing.gate, crossing.direction)
        leader, leader_spell = leaders.get(key, (crossing, -1))
        leaders[key] = (crossing, spell)
        if leader_spell != spell:
            continue
        headway_s[row] = (crossing.t_ns - leader.t_ns) / NS_PER_S
        if leader.speed_mps > 0 and np.isfinite(leader.length_m):
            left_s = headway_s[row] - leader.length_m / leader.speed_mps
            gap_s[row] = left_s if left_s >= 0 else np.nan
    return headway_s, gap_s
