"""What a result says of speeds: sums, tables, charts, the map, and whether they were verified."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from calmstreet.model.bins import Bins
from calmstreet.model.speeds import (
    GROUPS,
    GateSpeeds,
    SpeedCheck,
    ZoneTimes,
    concat_speeds,
    group_of,
)
from calmstreet.pipeline.collected import Collected
from calmstreet.pipeline.summary import camera_bins, plain
from calmstreet.report.speed_charts import spread_chart, times_chart
from calmstreet.report.speed_tables import (
    UNVERIFIED_FLOOR_MPS,
    write_quarters,
    write_speeds,
    write_zones,
)
from calmstreet.report.texts import Texts
from calmstreet.safety.speed_stats import Interval, SpeedStats
from calmstreet.safety.speed_sums import (
    GateSum,
    SpeedQuarter,
    ZoneSum,
    gate_sums,
    limits_of,
    speed_quarters,
    zone_quarters,
    zone_sums,
)
from calmstreet.store.catalogue import Catalogue
from calmstreet.units import kmh_from_mps, to_iso

__all__ = ["Speeding", "collect_speeds"]

_FEWEST_DRAWN = 5
_MOST_CHARTS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Speeding:
    """Everything on speeds of one result; ``checks`` the newest comparison of each camera.

    ``verified`` holds those of the checks that passed under the site that is reported.
    """

    speeds: tuple[GateSpeeds, ...]
    gates: tuple[GateSum, ...]
    quarters: tuple[SpeedQuarter, ...]
    zones: tuple[ZoneSum, ...]
    zone_quarters: tuple[ZoneSum, ...]
    checks: Mapping[str, SpeedCheck]
    verified: Mapping[str, SpeedCheck]
    tz: str | None

    def summary(self) -> dict[str, Any]:
        """Return the part ``speeds`` of summary.json."""
        return {
            "cameras": [self._camera_row(mine.camera_id) for mine in self.speeds if len(mine)],
            "gates": [
                _gate_row(row, verified=row.camera_id in self.verified) for row in self.gates
            ],
            "zones": [_zone_row(row) for row in self.zones],
        }

    def _camera_row(self, camera_id: str) -> dict[str, Any]:
        check = self.checks.get(camera_id)
        return {
            "camera": camera_id,
            "verified": camera_id in self.verified,
            "check": _check_row(check) if check else None,
        }

    def write_tables(self, folder: Path) -> None:
        """Write speeds.csv, speed_quarters.csv and zone_quarters.csv."""
        when: dict[str, Any] = {
            "tz": self.tz or "UTC",
            "time_known": "given" if self.tz else "unknown",
        }
        write_speeds(folder / "speeds.csv", self.speeds, verified=self.verified, **when)
        write_quarters(folder / "speed_quarters.csv", self.quarters, verified=self.verified, **when)
        write_zones(folder / "zone_quarters.csv", self.zone_quarters, **when)

    def charts(self, summary: Mapping[str, Any], words: Texts) -> dict[str, str]:
        """Return charts of motor vehicles by gate: the spread, and over time where it is long."""
        found: dict[str, str] = {}
        drawn = [
            row
            for row in summary["gates"]
            if row["group"] == "motor" and row["all"]["n"] >= _FEWEST_DRAWN
        ]
        drawn = sorted(drawn, key=lambda row: -row["all"]["n"])[:_MOST_CHARTS]
        for row in sorted(drawn, key=lambda row: (row["gate"], row["direction"])):
            side = words.t(f"direction.{row['direction']}")
            name, title = f"{row['gate']}-{row['direction']}", f"{row['gate']}, {side}"
            found[f"speeds-{title}"] = spread_chart(
                self._motor_kmh(row),
                row["all"],
                limit_kmh=row["limit_kmh"],
                texts=words,
                name=f"speeds-{name}",
                title=title,
            )
            over_time = self._over_time(row, words)
            if len(over_time) > 1:
                found[f"speedtimes-{title}"] = times_chart(
                    over_time,
                    limit_kmh=row["limit_kmh"],
                    texts=words,
                    name=f"speedtimes-{name}",
                    title=title,
                )
        return found

    def _motor_kmh(self, row: Mapping[str, Any]) -> Any:
        mine = next(part for part in self.speeds if part.camera_id == row["camera"])
        rows = (mine.gate_id == row["gate"]) & (mine.direction == row["direction"])
        rows &= mine.measured & (group_of(mine.kind) == GROUPS.index("motor"))
        return mine.speed_mps[rows] * 3.6

    def _over_time(
        self, row: Mapping[str, Any], words: Texts
    ) -> list[tuple[str, dict[str, float]]]:
        key = tuple(row[name] for name in ("camera", "gate", "direction", "group"))
        found = []
        for quarter in self.quarters:
            mine = (quarter.camera_id, quarter.gate_id, quarter.direction, quarter.group)
            if mine != key or quarter.stats.n < _FEWEST_DRAWN:
                continue
            numbers: dict[str, float] = {}
            for name, span in (("mean", quarter.stats.mean_mps), ("v85", quarter.stats.v85_mps)):
                ends = (span.value, span.low, span.high)
                for suffix, value in zip(("", "_low", "_high"), ends, strict=True):
                    numbers[name + suffix] = kmh_from_mps(value)
            label = (
                words.clock_time(quarter.start_ns, self.tz)
                if self.tz
                else words.number(quarter.start_ns / 60e9)
            )
            found.append((label, numbers))
        return found


def collect_speeds(catalogue: Catalogue, found: Collected, minutes: Mapping[str, Bins]) -> Speeding:
    """Return what the published runs say of speeds; ``minutes`` are the bins of each camera."""
    checks = {check.camera_id: check for check in catalogue.speed_checks()}
    version = found.site.site_version
    verified = {
        camera: check
        for camera, check in checks.items()
        if check.passed and check.site_version == version
    }
    limits = limits_of(found.site)
    quarter_bins = camera_bins(dict(minutes), found.tz)
    speeds, gates, quarters = [], [], []
    zones: list[ZoneSum] = []
    slices: list[ZoneSum] = []
    for camera in found.camera_ids:
        mine = _speeds_of(catalogue, found, camera)
        floor = 0.0 if camera in verified else UNVERIFIED_FLOOR_MPS
        bins = quarter_bins[camera]
        speeds.append(mine)
        gates += gate_sums(mine, limits_mps=limits, floor_mps=floor)
        quarters += speed_quarters(mine, bins, limits_mps=limits, floor_mps=floor)
        times = _times_of(catalogue, found, camera)
        zones += zone_sums(times)
        slices += zone_quarters(times, np.unique(bins.start_ns))
    return Speeding(
        speeds=tuple(speeds),
        gates=tuple(gates),
        quarters=tuple(quarters),
        zones=tuple(zones),
        zone_quarters=tuple(slices),
        checks=checks,
        verified=verified,
        tz=found.tz,
    )


def _speeds_of(catalogue: Catalogue, found: Collected, camera: str) -> GateSpeeds:
    runs = [run for run in found.runs if run.camera_id == camera]
    return concat_speeds([catalogue.speeds(run.run_id, camera) for run in runs])


def _times_of(catalogue: Catalogue, found: Collected, camera: str) -> ZoneTimes:
    runs = [run for run in found.runs if run.camera_id == camera]
    parts = [catalogue.zone_times(run.run_id, camera) for run in runs]
    names = ("zone_id", "track_id", "kind", "enter_ns", "leave_ns")
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    return ZoneTimes(camera_id=camera, run_id=runs[0].run_id, **columns)


def _gate_row(row: GateSum, *, verified: bool) -> dict[str, Any]:
    return {
        "camera": row.camera_id,
        "gate": row.gate_id,
        "direction": row.direction,
        "group": row.group,
        "verified": verified,
        "limit_kmh": _kmh(row.limit_mps),
        "passes": row.passes,
        "withheld": dict(sorted(row.withheld.items())),
        "all": _stats_row(row.everybody),
        "free": _stats_row(row.free),
    }


def _stats_row(stats: SpeedStats) -> dict[str, Any]:
    over = stats.over
    return {
        "n": stats.n,
        "indicative": stats.indicative,
        **_span_row("mean", stats.mean_mps),
        "sd_kmh": _kmh(stats.sd_mps),
        **_span_row("v85", stats.v85_mps),
        "space_mean_kmh": _kmh(stats.space_mean_mps),
        "over_limit_share": plain(over.value),
        "over_limit_low95": plain(over.low),
        "over_limit_high95": plain(over.high),
    }


def _span_row(name: str, span: Interval) -> dict[str, float | None]:
    return {
        f"{name}_kmh": _kmh(span.value),
        f"{name}_low95_kmh": _kmh(max(span.low, 0.0) if span.low == span.low else span.low),
        f"{name}_high95_kmh": _kmh(span.high),
    }


def _kmh(value_mps: float) -> float | None:
    value = plain(kmh_from_mps(value_mps))
    return None if value is None else round(value, 2)


def _zone_row(row: ZoneSum) -> dict[str, Any]:
    return {
        "camera": row.camera_id,
        "zone": row.zone_id,
        "group": row.group,
        "n": row.n,
        "median_s": plain(row.median_s),
        "p15_s": plain(row.p15_s),
        "p85_s": plain(row.p85_s),
    }


def _check_row(check: SpeedCheck) -> dict[str, Any]:
    return {
        "time": to_iso(check.t_ns),
        "reference": check.reference,
        "n": check.n,
        "unmatched": check.unmatched,
        "bias_kmh": _kmh(check.bias_mps),
        "bias_half95_kmh": _kmh(check.bias_half95_mps),
        "spread_kmh": _kmh(check.spread_mps),
        "coverage": plain(check.coverage),
        "passed": check.passed,
    }
