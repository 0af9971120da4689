"""Speeds of a camera summed up by gate, direction and group, whole and by quarter hours.

Counts and the time watched come from the bins of counts: a density needs all who passed, also
those whose speed is withheld. Density = flow / space-mean speed (Wardrop, 1952).
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calmstreet.geometry.shapes import inside_polygon
from calmstreet.model.bins import Bins
from calmstreet.model.flow import DIRECTIONS
from calmstreet.model.site import Gate, Site
from calmstreet.model.speeds import GROUPS, GateSpeeds, ZoneTimes, group_of
from calmstreet.safety.bins import gate_what
from calmstreet.safety.speed_stats import FREE_HEADWAY_S, SpeedStats, speed_stats
from calmstreet.units import NS_PER_S, mps_from_kmh

__all__ = [
    "GateSum",
    "SpeedQuarter",
    "ZoneSum",
    "gate_sums",
    "limit_for",
    "limits_of",
    "speed_quarters",
    "zone_quarters",
    "zone_sums",
]

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSum:
    """Speeds of a group at a gate in one direction, all and free-flowing (headway >= 5 s).

    ``passes`` counted; ``withheld`` how many for which reason; ``limit_mps`` NaN unknown.
    """

    camera_id: str
    gate_id: str
    direction: str
    group: str
    limit_mps: float
    passes: int
    everybody: SpeedStats
    free: SpeedStats
    withheld: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedQuarter:
    """One slice of time: ``passes`` counted, ``exposure_share`` watched, speeds, density per km."""

    camera_id: str
    gate_id: str
    direction: str
    group: str
    start_ns: int
    passes: int
    exposure_share: float
    stats: SpeedStats
    flow_per_h: float
    density_per_km: float
    flag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneSum:
    """Travel times through a zone, s: ``n`` journeys, median, 15th and 85th percentile.

    ``start_ns`` of the slice of time in which they came in, -1 for all.
    """

    camera_id: str
    zone_id: str
    group: str
    start_ns: int
    n: int
    median_s: float
    p15_s: float
    p85_s: float


def limits_of(site: Site) -> dict[str, float]:
    """Return the speed limit in m/s at each gate: that of the zone it lies in, else of the site.

    >>> gate = Gate(id="g", camera_id="c", points_px=((0, 0), (2, 2)))
    >>> limits_of(Site(id="x", speed_limit_kmh=36.0, gates=(gate,)))
    {'g': 10.0}
    """
    return {gate.id: mps_from_kmh(_limit_kmh(site, gate)) for gate in site.gates}


def _limit_kmh(site: Site, gate: Gate) -> float:
    for zone in site.zones:
        metric = bool(gate.points_m and zone.polygon_m)
        points = gate.points_m if metric else gate.points_px
        polygon = zone.polygon_m if metric else zone.polygon_px
        same = zone.camera_id == gate.camera_id and np.isfinite(zone.speed_limit_kmh)
        if same and points and polygon:
            middle = np.mean(np.asarray(points, np.float64), axis=0)
            if inside_polygon(middle, polygon)[0]:
                return zone.speed_limit_kmh
    return site.speed_limit_kmh


def _parts(speeds: GateSpeeds) -> Iterator[tuple[str, str, str, Mask]]:
    """Yield gate, direction and group with their rows, for those that have any."""
    groups = group_of(speeds.kind)
    for gate_id in np.unique(speeds.gate_id).tolist():
        for direction in DIRECTIONS:
            mine = (speeds.gate_id == gate_id) & (speeds.direction == direction)
            for place, group in enumerate(GROUPS):
                rows = mine & (groups == place)
                if rows.any():
                    yield gate_id, direction, group, rows


def limit_for(group: str, gate_id: str, limits_mps: Mapping[str, float]) -> float:
    """Return the limit that holds for a group at a gate; there is none for people on foot.

    >>> limit_for("motor", "g", {"g": 10.0}), limit_for("pedestrian", "g", {"g": 10.0})
    (10.0, nan)
    """
    return float("nan") if group == "pedestrian" else limits_mps.get(gate_id, float("nan"))


def _stats(speeds: GateSpeeds, rows: Mask, limit_mps: float, floor_mps: float) -> SpeedStats:
    mine = speeds[rows & speeds.measured]
    share = float((mine.sigma_site_mps / mine.speed_mps).mean()) if len(mine) else 0.0
    return speed_stats(mine.speed_mps, share, limit_mps=limit_mps, floor_mps=floor_mps)


def gate_sums(
    speeds: GateSpeeds, *, limits_mps: Mapping[str, float], floor_mps: float
) -> list[GateSum]:
    """Sum up the speeds of one camera by gate, direction and group.

    ``floor_mps`` is the least half of an interval as long as the camera is not verified.
    """
    free = speeds.headway_s >= FREE_HEADWAY_S
    found = []
    for gate_id, direction, group, rows in _parts(speeds):
        limit = limit_for(group, gate_id, limits_mps)
        found.append(
            GateSum(
                camera_id=speeds.camera_id,
                gate_id=gate_id,
                direction=direction,
                group=group,
                limit_mps=limit,
                passes=int(rows.sum()),
                everybody=_stats(speeds, rows, limit, floor_mps),
                free=_stats(speeds, rows & free, limit, floor_mps),
                withheld=Counter(r for r in speeds.reason[rows].tolist() if r),
            )
        )
    return found


def speed_quarters(
    speeds: GateSpeeds, bins: Bins, *, limits_mps: Mapping[str, float], floor_mps: float
) -> list[SpeedQuarter]:
    """Sum up the speeds of one camera by slices of time, those of the ``bins`` of its counts."""
    starts = np.unique(bins.start_ns)
    place = np.searchsorted(starts, speeds.t_ns, side="right") - 1
    found = []
    for gate_id, direction, group, rows in _parts(speeds):
        own = bins.what == gate_what(gate_id, direction)
        grouped = own & (group_of(bins.kind) == GROUPS.index(group))
        for slot in np.unique(place[rows]).tolist():
            start_ns = int(starts[slot])
            here = own & (bins.start_ns == start_ns)
            exposure_s = float(bins.exposure_s[here].max()) if here.any() else 0.0
            passes = float(bins.count[grouped & (bins.start_ns == start_ns)].sum())
            limit = limit_for(group, gate_id, limits_mps)
            stats = _stats(speeds, rows & (place == slot), limit, floor_mps)
            flow = passes / exposure_s * 3600 if exposure_s else float("nan")
            found.append(
                SpeedQuarter(
                    camera_id=speeds.camera_id,
                    gate_id=gate_id,
                    direction=direction,
                    group=group,
                    start_ns=start_ns,
                    passes=int(passes),
                    exposure_share=exposure_s / bins.width_s,
                    stats=stats,
                    flow_per_h=flow,
                    density_per_km=flow / (stats.space_mean_mps * 3.6),
                    flag=str(bins.flags[here][0]) if here.any() else "",
                )
            )
    return found


def zone_sums(times: ZoneTimes) -> list[ZoneSum]:
    """Sum up the times in the zones of one camera, by zone and group."""
    return _zone_rows(times, np.full(len(times), -1, np.int64))


def zone_quarters(times: ZoneTimes, starts_ns: NDArray[np.int64]) -> list[ZoneSum]:
    """Sum up the times in zones by the slices of time that begin at ``starts_ns``, rising."""
    place = np.searchsorted(starts_ns, times.enter_ns, side="right") - 1
    return _zone_rows(times, starts_ns[np.maximum(place, 0)] if len(starts_ns) else times.enter_ns)


def _zone_rows(times: ZoneTimes, start_ns: NDArray[np.int64]) -> list[ZoneSum]:
    groups = group_of(times.kind)
    taken_s = (times.leave_ns - times.enter_ns) / NS_PER_S
    found = []
    for zone_id in np.unique(times.zone_id).tolist():
        for place, group in enumerate(GROUPS):
            mine = (times.zone_id == zone_id) & (groups == place)
            for start in np.unique(start_ns[mine]).tolist():
                rows = taken_s[mine & (start_ns == start)]
                p15, median, p85 = np.percentile(rows, [15, 50, 85]).tolist()
                found.append(
                    ZoneSum(
                        camera_id=times.camera_id,
                        zone_id=zone_id,
                        group=group,
                        start_ns=start,
                        n=len(rows),
                        median_s=median,
                        p15_s=p15,
                        p85_s=p85,
                    )
                )
    return found
