"""Speeds as tables: speeds.csv, speed_quarters.csv, zone_quarters.csv, a page of the workbook.

km/h and seconds, for people. A speed that is withheld has empty cells and its reason as the flag.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from calmstreet.model.kinds import KIND_NAMES
from calmstreet.model.speeds import GateSpeeds, SpeedCheck
from calmstreet.report.tables import replacing, time_text
from calmstreet.report.texts import Texts
from calmstreet.units import kmh_from_mps

__all__ = [
    "QUARTER_COLUMNS",
    "SPEED_COLUMNS",
    "UNVERIFIED",
    "UNVERIFIED_FLOOR_MPS",
    "ZONE_COLUMNS",
    "speed_sheet",
    "write_quarters",
    "write_speeds",
    "write_zones",
]

UNVERIFIED = "unverified"
UNVERIFIED_FLOOR_MPS = 3.0 / 3.6
"""Before a camera is verified no 95 % interval of a speed is narrower than +-3 km/h."""

SPEED_COLUMNS = (
    "camera",
    "gate",
    "track_id",
    "kind",
    "time",
    "to",
    "speed_kmh",
    "sigma_random_kmh",
    "sigma_site_kmh",
    "low95_kmh",
    "high95_kmh",
    "n",
    "length_m",
    "method",
    "flag",
)
QUARTER_COLUMNS = (
    "camera",
    "gate",
    "to",
    "group",
    "start",
    "passes",
    "n",
    "mean_kmh",
    "mean_low95_kmh",
    "mean_high95_kmh",
    "space_mean_kmh",
    "v85_kmh",
    "v85_low95_kmh",
    "v85_high95_kmh",
    "over_limit_share",
    "over_limit_low95",
    "over_limit_high95",
    "flow_per_h",
    "density_per_km",
    "exposure_share",
    "flag",
)
ZONE_COLUMNS = ("camera", "zone", "group", "start", "n", "median_s", "p15_s", "p85_s")


def _cell(value: float, decimals: int = 2) -> str:
    """Return a number with some decimals, "" for what is not known.

    >>> _cell(13.456), _cell(float("nan"))
    ('13.46', '')
    """
    return f"{value:.{decimals}f}" if np.isfinite(value) else ""


def _kmh(value: float) -> str:
    return _cell(kmh_from_mps(value))


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with replacing(path) as draft, draft.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(columns)
        table.writerows(rows)


def write_speeds(
    path: Path,
    speeds: Sequence[GateSpeeds],
    *,
    verified: Mapping[str, SpeedCheck],
    tz: str,
    time_known: str = "given",
) -> None:
    """Write speeds.csv: every passage that counts, in order of camera and time.

    ``verified`` holds the comparison of each camera whose speeds may be given without the floor.
    """

    def rows() -> Iterator[tuple[str, ...]]:
        for mine in speeds:
            known = mine.camera_id in verified
            floor = 0.0 if known else UNVERIFIED_FLOOR_MPS
            half = np.maximum(mine.half95_mps, floor)
            for row in range(len(mine)):
                speed = float(mine.speed_mps[row])
                measured = np.isfinite(speed)
                yield (
                    mine.camera_id,
                    str(mine.gate_id[row]),
                    str(mine.track_id[row]),
                    KIND_NAMES[mine.kind[row]],
                    time_text(int(mine.t_ns[row]), tz, time_known=time_known, decimals=3),
                    str(mine.direction[row]),
                    _kmh(speed),
                    _kmh(float(mine.sigma_random_mps[row])),
                    _kmh(float(mine.sigma_site_mps[row])),
                    _kmh(max(0.0, speed - half[row])) if measured else "",
                    _kmh(speed + half[row]),
                    str(mine.n[row]) if measured else "",
                    _cell(float(mine.length_m[row])),
                    str(mine.method[row]),
                    str(mine.reason[row]) or ("" if known else UNVERIFIED),
                )

    _write(path, SPEED_COLUMNS, rows())


def write_quarters(
    path: Path,
    quarters: Sequence[Any],
    *,
    verified: Mapping[str, SpeedCheck],
    tz: str,
    time_known: str = "given",
) -> None:
    """Write speed_quarters.csv from rows of safety.speed_sums.SpeedQuarter."""

    def rows() -> Iterator[tuple[str, ...]]:
        for row in quarters:
            stats = row.stats
            spans = [
                _kmh(value)
                for span in (stats.mean_mps, stats.v85_mps)
                for value in (span.value, span.low, span.high)
            ]
            over = stats.over
            words = [row.flag, "" if row.camera_id in verified else UNVERIFIED]
            words.append("indicative" if stats.indicative else "")
            yield (
                row.camera_id,
                row.gate_id,
                row.direction,
                row.group,
                time_text(row.start_ns, tz, time_known=time_known),
                str(row.passes),
                str(stats.n),
                *spans[:3],
                _kmh(stats.space_mean_mps),
                *spans[3:],
                *(_cell(value, 4) for value in (over.value, over.low, over.high)),
                _cell(row.flow_per_h, 1),
                _cell(row.density_per_km),
                _cell(row.exposure_share, 4),
                ";".join(word for word in words if word),
            )

    _write(path, QUARTER_COLUMNS, rows())


def write_zones(path: Path, sums: Sequence[Any], *, tz: str, time_known: str = "given") -> None:
    """Write zone_quarters.csv from rows of safety.speed_sums.ZoneSum."""
    _write(
        path,
        ZONE_COLUMNS,
        (
            (
                row.camera_id,
                row.zone_id,
                row.group,
                time_text(row.start_ns, tz, time_known=time_known),
                str(row.n),
                *(_cell(value) for value in (row.median_s, row.p15_s, row.p85_s)),
            )
            for row in sums
        ),
    )


def speed_sheet(gates: Sequence[Mapping[str, Any]], words: Texts) -> list[list[Any]]:
    """Return the rows of the workbook's page of speeds from ``summary["speeds"]["gates"]``."""
    names = ["camera", "gate", "direction", "group", "drivers", "n", "mean", "interval", "v85"]
    names += ["interval", "space_mean", "over", "interval", "limit", "status"]
    rows: list[list[Any]] = [[words.t(f"speeds.column.{name}") for name in names]]
    for gate in gates:
        for drivers in ("all", "free"):
            stats = gate[drivers]
            if not stats["n"]:
                continue
            status = "verified" if gate["verified"] else UNVERIFIED
            marks = [words.t(f"speeds.{status}")]
            marks += [words.t("speeds.indicative")] if stats["indicative"] else []
            rows.append(
                [
                    gate["camera"],
                    gate["gate"],
                    words.t(f"direction.{gate['direction']}"),
                    words.t(f"speeds.group.{gate['group']}"),
                    words.t(f"speeds.drivers.{drivers}"),
                    stats["n"],
                    stats["mean_kmh"],
                    _span(stats, "mean"),
                    stats["v85_kmh"],
                    _span(stats, "v85"),
                    stats["space_mean_kmh"],
                    stats["over_limit_share"],
                    _span(stats, "over_limit"),
                    gate["limit_kmh"],
                    ", ".join(marks),
                ]
            )
    return rows


def _span(stats: Mapping[str, Any], name: str) -> str:
    unit = "" if name == "over_limit" else "_kmh"
    low, high = stats[f"{name}_low95{unit}"], stats[f"{name}_high95{unit}"]
    return f"{low} – {high}" if low is not None and high is not None else ""
