"""Speeds and headways at gates: distributions with what is known and what is withheld."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.speeds import GROUPS, group_of
from calmstreet.report.speed_tables import UNVERIFIED_FLOOR_MPS
from calmstreet.safety.speed_stats import SpeedStats, speed_stats
from calmstreet.safety.speed_sums import limit_for, limits_of
from calmstreet.store.passed import Passages, Passed, Withheld
from calmstreet.web.answers_junction import HeadwayGroup, HeadwayPage, SpeedGroup, SpeedPage
from calmstreet.web.numbers import kmh, plain
from calmstreet.web.spans import View

__all__ = ["headway_page", "speed_page"]

Floats = NDArray[np.float64]
_STEP_KMH = 5.0
_LAST_KMH = 200.0
_EDGES_KMH = np.arange(0.0, _LAST_KMH + _STEP_KMH, _STEP_KMH)
_HEADWAY_EDGES_S = (0.0, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0, 30.0, 60.0, 1e9)


def speed_page(view: View, *, place_id: str | None) -> SpeedPage:
    """Return speeds by gate, direction and group of road users; v85 with its interval."""
    passed = _passed(view)
    gates = [gate_id for gate_id in passed.gates() if place_id in (None, gate_id)]
    verified = view.seen.passed_check(view.camera_id, view.row.site_version)
    floor_mps = 0.0 if verified else UNVERIFIED_FLOOR_MPS
    limits = limits_of(view.site)
    withheld = passed.withheld()
    groups = [
        group
        for gate_id in gates
        for side in passed.speeds(gate_id)
        for group in _speeds(
            gate_id,
            side,
            [one for one in withheld if (one.gate_id, one.direction) == (gate_id, side.direction)],
            limits,
            floor_mps,
        )
    ]
    if view.ground.plane is None:
        reason = "no-plane"
    elif not view.ground.plane.trusted:
        reason = "plane-not-trusted"
    else:
        reason = "" if any(group.n for group in groups) else "none-measured"
    return SpeedPage(
        period=view.period,
        available=not reason,
        reason=reason,
        edges_kmh=_EDGES_KMH.tolist(),
        groups=groups,
    )


def _passed(view: View) -> Passed:
    return Passed(
        seen=view.seen, camera_id=view.camera_id, start_ns=view.start_ns, end_ns=view.end_ns
    )


def _speeds(
    gate_id: str,
    side: Passages,
    withheld: Sequence[Withheld],
    limits_mps: Mapping[str, float],
    floor_mps: float,
) -> Iterator[SpeedGroup]:
    """Yield the groups of road users that passed a gate in a direction."""
    names = ("speed_mps", "sigma_site_mps", "half95_mps")
    group = group_of(side.columns["kind"].astype(np.uint8))
    missing: dict[str, Counter[str]] = {}
    for one in withheld:
        name = GROUPS[group_of(np.array([one.kind], np.uint8))[0]]
        missing.setdefault(name, Counter())[one.reason] += one.n
    for place, name in enumerate(GROUPS):
        mine = group == place
        if mine.any() or name in missing:
            speed, sigma_site, half = (side.columns[n][mine] for n in names)
            share = float((sigma_site / speed).mean()) if len(speed) else 0.0
            limit = limit_for(name, gate_id, limits_mps)
            yield _group(
                speed_stats(speed, share, limit_mps=limit, floor_mps=floor_mps),
                speed_mps=speed,
                half95_mps=half,
                place_id=gate_id,
                direction=side.direction,
                kind=name,
                limit_kmh=kmh(limit),
                withheld={why: n for why, n in missing.get(name, {}).items() if why},
            )


def _group(stats: SpeedStats, *, speed_mps: Floats, half95_mps: Floats, **named: Any) -> SpeedGroup:
    values = speed_mps * 3.6
    return SpeedGroup.of(
        **named,
        n=stats.n,
        counts=np.histogram(np.clip(values, 0, _LAST_KMH - 1e-9), _EDGES_KMH)[0].tolist(),
        mean_kmh=kmh(stats.mean_mps.value),
        v50_kmh=plain(float(np.median(values)), 2) if len(values) else None,
        v85_kmh=kmh(stats.v85_mps.value),
        v85_low_kmh=kmh(stats.v85_mps.low),
        v85_high_kmh=kmh(stats.v85_mps.high),
        sigma_kmh=kmh(float(np.median(half95_mps)) / 1.96) if len(values) else None,
        over_limit_share=plain(stats.over.value, 4),
        over_limit_low_share=plain(stats.over.low, 4),
        over_limit_high_share=plain(stats.over.high, 4),
    )


def headway_page(view: View, *, place_id: str | None) -> HeadwayPage:
    """Return headways (front to front) and gaps (rear to front) by gate and direction."""
    passed = _passed(view)
    gates = [gate.id for gate in view.site.gates if place_id in (None, gate.id)]
    groups = [_headways(gate_id, side) for gate_id in gates for side in passed.headways(gate_id)]
    last_s = float(_HEADWAY_EDGES_S[-2])
    return HeadwayPage(
        period=view.period,
        edges_s=[*_HEADWAY_EDGES_S[:-1], 2 * last_s],
        groups=[group for group in groups if group.n],
    )


def _headways(gate_id: str, side: Passages) -> HeadwayGroup:
    values, gaps = side.columns["headway_s"], side.columns["gap_s"]
    gaps = gaps[np.isfinite(gaps)]
    return HeadwayGroup.of(
        place_id=gate_id,
        direction=side.direction,
        n=len(values),
        counts=np.histogram(values, _HEADWAY_EDGES_S)[0].tolist(),
        median_s=plain(float(np.median(values)), 3) if len(values) else None,
        mean_s=plain(float(values.mean()), 3) if len(values) else None,
        below_2s_share=plain(float((values < 2).mean()), 4) if len(values) else None,
        gap_median_s=plain(float(np.median(gaps)), 3) if len(gaps) else None,
    )
