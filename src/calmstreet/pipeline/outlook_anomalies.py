"""`anomalies`: counts in, incidents and faults of the data out, each with times and numbers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from calmstreet.forecast.anomaly import Alarm, Watched, alarms_of
from calmstreet.forecast.grid import Grid
from calmstreet.pipeline.outlook_counts import holidays_of, read_counts
from calmstreet.pipeline.outlook_out import told
from calmstreet.report.outlook import Finding, Listing, Note
from calmstreet.report.outlook_series import anomaly_chart
from calmstreet.report.texts import texts
from calmstreet.units import local_datetime

__all__ = ["ANOMALY_COLUMNS", "find_anomalies"]

ANOMALY_COLUMNS = (
    "series", "start", "end", "kind", "what", "score", "observed", "expected", "flag",
)  # fmt: skip
_COARSER = ("15min", "30min")
_LEAST_KNOWN = 0.6
_SHOWN = 25


def find_anomalies(
    path: Path,
    *,
    out: Path,
    tz: str = "UTC",
    step: str = "",
    zeros: str = "count",
    holidays: str = "",
    weeks: int | None = None,
    lang: str = "en",
) -> dict[str, Any]:
    """Look at every series of a table and write table, picture and page.

    Of a result folder no more than the newest ``weeks`` are read, None for all. Times that leave
    most steps empty are averaged over 15 or 30 minutes, and that is said. Raises InputError or
    FormatError with one sentence.
    """
    grid, averaged = _read(path, tz=tz, step=step, zeros=zeros, weeks=weeks)
    watched = alarms_of(grid, holidays=holidays_of(holidays, grid, ahead=0))
    rows = [
        _row(grid, name, alarm)
        for name, one in zip(grid.names, watched, strict=True)
        for alarm in one.alarms
    ]
    rows.sort(key=lambda row: (str(row["start"]), str(row["series"])))
    columns = {name: [row[name] for row in rows] for name in ANOMALY_COLUMNS}
    days = sum(one.watched_days for one in watched)
    kinds = [row["kind"] for row in rows]
    summary = {
        "verb": "anomalies",
        "source": path.name,
        "series": len(grid.names),
        "step_s": grid.step_ns / 1e9,
        "averaged": averaged,
        "watched_series_days": days,
        "incidents": kinds.count("incident"),
        "data_faults": kinds.count("data"),
        "incidents_a_day": kinds.count("incident") / days if days else float("nan"),
        "unwatched_series": [
            n for n, w in zip(grid.names, watched, strict=True) if not w.watched_days
        ][:20],
        "repairs": dict(grid.repairs),
        "first": rows[:_SHOWN],
    }
    finding = _finding(path, grid, watched, rows, summary, lang=lang)
    return told(summary, out=out, columns=columns, finding=finding, lang=lang)


def _read(path: Path, *, tz: str, step: str, zeros: str, weeks: int | None) -> tuple[Grid, bool]:
    grid = read_counts(path, tz=tz, step=step, zeros=zeros, weeks=weeks)
    if step:
        return grid, False
    finest = grid.step_ns
    for coarser, minutes in zip(_COARSER, (15, 30), strict=True):
        known = np.isfinite(grid.values).mean()
        if known >= _LEAST_KNOWN or grid.repairs.get("unwatched") or minutes * 60e9 <= finest:
            break
        wider = read_counts(path, tz=tz, step=coarser, zeros=zeros, weeks=weeks)
        if np.isfinite(wider.values).mean() < 1.1 * known:
            break
        grid = wider
    return grid, grid.step_ns > finest


def _row(grid: Grid, name: str, alarm: Alarm) -> dict[str, Any]:
    return {
        "series": name,
        "start": _stamp(grid, alarm.first),
        "end": _stamp(grid, alarm.last + 1),
        "kind": alarm.kind,
        "what": alarm.what,
        "score": round(alarm.score, 2),
        "observed": round(alarm.observed, 3),
        "expected": round(alarm.expected, 3),
        "flag": "" if np.isfinite(alarm.expected) else "no-expectation",
    }


def _stamp(grid: Grid, step: int) -> str:
    t_ns = grid.start_ns + grid.step_ns * step
    return local_datetime(t_ns, grid.tz).isoformat()


def _finding(
    path: Path,
    grid: Grid,
    watched: Sequence[Watched],
    rows: Sequence[dict[str, Any]],
    summary: dict[str, Any],
    *,
    lang: str,
) -> Finding:
    at = _most_telling(watched)
    one = watched[at]
    chart = anomaly_chart(
        grid,
        at=at,
        expected=one.expected,
        low=one.low,
        high=one.high,
        alarms=[(a.first, a.last + 1, a.kind) for a in one.alarms],
        texts=texts(lang),
    )
    shown = ("series", "start", "end", "kind", "what", "observed", "expected")
    strongest = sorted(rows, key=lambda row: -np.nan_to_num(row["score"], nan=0.0))[:_SHOWN]
    warnings = [Note(key=f"repair_{k}", values={"rows": n}) for k, n in grid.repairs.items()]
    if summary["averaged"]:
        warnings.append(Note(key="irregular", values={"minutes": grid.step_ns / 60e9}))
    if summary["unwatched_series"]:
        warnings.append(Note(key="unwatched", values={"series": len(summary["unwatched_series"])}))
    return Finding(
        verb="anomalies",
        source=path.name,
        cards=(
            ("series", len(grid.names)),
            ("watched_days", round(summary["watched_series_days"], 1)),
            ("incidents", summary["incidents"]),
            ("data_faults", summary["data_faults"]),
        ),
        listings=(
            Listing(
                caption="anomalies",
                columns=shown,
                rows=[[_short(row[name]) for name in shown] for row in strongest],
                heads=5,
            ),
        ),
        charts={"chart_anomalies": chart},
        warnings=warnings,
        notes=[Note(key="expected_now"), Note(key="one_a_day"), Note(key="told_apart")],
    )


def _short(value: Any) -> Any:
    """Return times without seconds and offset, so that the table stays narrow."""
    if isinstance(value, str) and len(value) >= 16 and value[10:11] == "T":
        return value[:16].replace("T", " ")
    return value


def _most_telling(watched: Sequence[Watched]) -> int:
    """Return the place of the series with the strongest incident, else with an alarm, else 0."""
    best = [
        max((a.score if np.isfinite(a.score) else 0.5 for a in one.alarms), default=0.0)
        for one in watched
    ]
    return int(np.argmax(best)) if best else 0
