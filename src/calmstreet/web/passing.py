"""Speeds and headways at gates: distributions with what is known and what is withheld."""

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.flow import DIRECTIONS
from calmstreet.model.speeds import GROUPS, GateSpeeds, group_of
from calmstreet.report.speed_tables import UNVERIFIED_FLOOR_MPS
from calmstreet.safety.speed_sums import GateSum, gate_sums, limits_of
from calmstreet.web.answers_junction import HeadwayGroup, HeadwayPage, SpeedGroup, SpeedPage
from calmstreet.web.numbers import kmh, plain
from calmstreet.web.spans import View

__all__ = ["headway_page", "speed_page"]

_STEP_KMH = 5.0
_LAST_KMH = 200.0
_HEADWAY_EDGES_S = (0.0, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0, 30.0, 60.0, 1e9)


def speed_page(view: View, *, place_id: str | None) -> SpeedPage:
    """Return speeds by gate, direction and group of road users; v85 with its interval."""
    speeds = view.seen.gate_speeds(view.camera_id, start_ns=view.start_ns, end_ns=view.end_ns)
    if place_id is not None:
        speeds = speeds[speeds.gate_id == place_id]
    if view.ground.plane is None:
        reason = "no-plane"
    elif not view.ground.plane.trusted:
        reason = "plane-not-trusted"
    else:
        reason = "" if speeds.measured.any() else "none-measured"
    verified = view.seen.passed_check(view.camera_id, view.row.site_version)
    sums = gate_sums(
        speeds,
        limits_mps=limits_of(view.site),
        floor_mps=0.0 if verified else UNVERIFIED_FLOOR_MPS,
    )
    edges = np.arange(0.0, _LAST_KMH + _STEP_KMH, _STEP_KMH)
    return SpeedPage(
        period=view.period,
        available=not reason,
        reason=reason,
        edges_kmh=edges.tolist(),
        groups=[_group(speeds, one, edges) for one in sums],
    )


def _group(speeds: GateSpeeds, one: GateSum, edges: NDArray[np.float64]) -> SpeedGroup:
    mine = (speeds.gate_id == one.gate_id) & (speeds.direction == one.direction)
    mine &= (group_of(speeds.kind) == GROUPS.index(one.group)) & speeds.measured
    values = speeds.speed_mps[mine] * 3.6
    stats = one.everybody
    half = speeds.half95_mps[mine]
    return SpeedGroup.of(
        place_id=one.gate_id,
        direction=one.direction,
        kind=one.group,
        n=stats.n,
        counts=np.histogram(np.clip(values, 0, _LAST_KMH - 1e-9), edges)[0].tolist(),
        mean_kmh=kmh(stats.mean_mps.value),
        v50_kmh=plain(float(np.median(values)), 2) if len(values) else None,
        v85_kmh=kmh(stats.v85_mps.value),
        v85_low_kmh=kmh(stats.v85_mps.low),
        v85_high_kmh=kmh(stats.v85_mps.high),
        sigma_kmh=kmh(float(np.median(half)) / 1.96) if len(half) else None,
        limit_kmh=kmh(one.limit_mps),
        over_limit_share=plain(stats.over.value, 4),
        over_limit_low_share=plain(stats.over.low, 4),
        over_limit_high_share=plain(stats.over.high, 4),
        withheld=dict(one.withheld),
    )


def headway_page(view: View, *, place_id: str | None) -> HeadwayPage:
    """Return headways (front to front) and gaps (rear to front) by gate and direction."""
    names = ("gate_id", "direction", "headway_s", "gap_s", "counted")
    rows = view.seen.passages(
        "crossings", names, view.camera_id, start_ns=view.start_ns, end_ns=view.end_ns
    )
    gates = [gate.id for gate in view.site.gates if place_id in (None, gate.id)]
    groups = [_headways(rows, gate_id, side) for gate_id in gates for side in DIRECTIONS]
    last_s = float(_HEADWAY_EDGES_S[-2])
    return HeadwayPage(
        period=view.period,
        edges_s=[*_HEADWAY_EDGES_S[:-1], 2 * last_s],
        groups=[group for group in groups if group.n],
    )


def _headways(rows: dict[str, NDArray[np.float64]], gate_id: str, direction: str) -> HeadwayGroup:
    mine = (rows["gate_id"] == gate_id) & (rows["direction"] == direction)
    mine &= rows["counted"].astype(bool) & np.isfinite(rows["headway_s"])
    values, gaps = rows["headway_s"][mine], rows["gap_s"][mine]
    gaps = gaps[np.isfinite(gaps)]
    return HeadwayGroup.of(
        place_id=gate_id,
        direction=direction,
        n=len(values),
        counts=np.histogram(values, _HEADWAY_EDGES_S)[0].tolist(),
        median_s=plain(float(np.median(values)), 3) if len(values) else None,
        mean_s=plain(float(values.mean()), 3) if len(values) else None,
        below_2s_share=plain(float((values < 2).mean()), 4) if len(values) else None,
        gap_median_s=plain(float(np.median(gaps)), 3) if len(gaps) else None,
    )
