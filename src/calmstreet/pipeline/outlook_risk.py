"""`risk`: conflicts and time watched in; rates, relative risk and, where allowed, crashes out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import FormatError, InputError
from calmstreet.forecast.extremes import mean_residual_life
from calmstreet.forecast.risk import ENOUGH, THRESHOLDS_S, Risk, excesses, rate_ratio, risk_of
from calmstreet.pipeline.outlook_out import told
from calmstreet.pipeline.outlook_store import hours_by_camera
from calmstreet.pipeline.outlook_tables import Table, read_table
from calmstreet.report.outlook import Finding, Listing, Note
from calmstreet.report.outlook_risk import risk_chart, tail_chart
from calmstreet.report.texts import texts
from calmstreet.units import NS_PER_S, from_iso

__all__ = ["RISK_COLUMNS", "risk_of_conflicts"]

Floats = NDArray[np.float64]
RISK_COLUMNS = (
    "group", "type", "measure", "verdict", "reasons", "pairs", "excesses", "hours", "threshold_s",
    "rate_per_h", "rate_low", "rate_high", "relative_risk", "relative_low", "relative_high",
    "xi", "sigma", "fit_p", "extremal_index", "crashes_per_year", "crashes_low", "crashes_high",
    "more_days",
)  # fmt: skip
_SHOWN = (
    "group",
    "type",
    "verdict",
    "excesses",
    "rate_per_h",
    "relative_risk",
    "crashes_per_year",
    "crashes_low",
    "crashes_high",
    "more_days",
)
_GROUPS = ("site", "camera", "period")
_CLOCK = re.compile(r"\+?(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Part:
    """Conflicts of one group and type: measures (n,) in s and times (n,) in s."""

    group: str
    kind: str
    measure: str
    value_s: Floats
    time_s: Floats
    hours: float


def risk_of_conflicts(
    path: Path,
    *,
    exposure: Path,
    out: Path,
    hours_a_year: float = 8760.0,
    lang: str = "en",
) -> dict[str, Any]:
    """Fit each type of conflict apart and write table, picture and page.

    ``exposure`` has ``hours`` or ``exposure_s`` (rows are added up), or is our ``counts.csv``, or
    the result folder itself; with a column ``site``, ``camera`` or ``period`` in both, groups are
    compared. Raises InputError, FormatError or StoreError with one sentence.
    """
    table = read_table(path)
    watched = _stored_hours(exposure) if exposure.is_dir() else read_table(exposure)
    if not 0 < hours_a_year <= 8784:
        raise InputError(f"--hours-per-year is {hours_a_year:g}; it must be above 0, at most 8784")
    key = next((name for name in _GROUPS if table.has(name) and watched.has(name)), "")
    hours = _hours(watched, key)
    parts = _parts(table, hours, key)
    rows, found = [], []
    for part in parts:
        risk = risk_of(
            part.value_s, time_s=part.time_s, hours=part.hours, hours_a_year=hours_a_year
        )
        found.append(risk)
        rows.append(_row(part, risk, parts))
    columns = {name: [row[name] for row in rows] for name in RISK_COLUMNS}
    summary = {
        "verb": "risk",
        "source": path.name,
        "hours": sum(hours.values()),
        "pairs": len(table),
        "hours_a_year": hours_a_year,
        "rows": rows,
    }
    finding = _finding(table, parts, found, rows, hours_a_year=hours_a_year, lang=lang)
    return told(summary, out=out, columns=columns, finding=finding, lang=lang)


def _stored_hours(folder: Path) -> Table:
    hours = hours_by_camera(folder)
    columns = {"camera": list(hours), "hours": [repr(value) for value in hours.values()]}
    return Table(source=folder.name, columns={name: list(own) for name, own in columns.items()})


def _hours(watched: Table, key: str) -> dict[str, float]:
    """Return hours watched by group; one group "all" without a key."""
    groups = watched.words(key) if key else ["all"] * len(watched)
    if watched.has("hours") or watched.has("exposure_s"):
        hours = (
            watched.numbers("hours", low=0)
            if watched.has("hours")
            else watched.numbers("exposure_s", low=0) / 3600
        )
    elif watched.has("time", "exposure_share"):
        groups, hours = _hours_of_counts(watched, groups)
    else:
        raise FormatError(
            f"{watched.source} has neither hours, exposure_s nor time and exposure_share; say how "
            "long was watched"
        )
    found: dict[str, float] = {}
    for group, own in zip(groups, hours.tolist(), strict=True):
        found[group] = found.get(group, 0.0) + own
    empty = [group for group, total in found.items() if not total > 0]
    if empty:
        raise FormatError(f"{watched.source}: nothing was watched at {empty[0]!r}; check hours")
    return found


def _hours_of_counts(watched: Table, groups: list[str]) -> tuple[list[str], Floats]:
    """Return the hours of each slice of counts.csv: its greatest share over all series."""
    share = watched.numbers("exposure_share", low=0)
    best: dict[tuple[str, str], float] = {}
    for group, time, own in zip(groups, watched.words("time"), share.tolist(), strict=True):
        best[group, time] = max(own, best.get((group, time), 0.0))
    times = sorted({_seconds(time, watched.source) for _, time in best})
    gap = np.diff(times)
    width_s = float(np.min(gap)) if len(gap) else 900.0
    return [group for group, _ in best], np.array(list(best.values())) * width_s / 3600


def _seconds(text: str, source: str) -> float:
    """Return a moment in seconds: ISO 8601, seconds, or +hh:mm:ss from the first picture."""
    clock = _CLOCK.fullmatch(text)
    if clock:
        return int(clock[1] or 0) * 3600.0 + int(clock[2]) * 60.0 + float(clock[3])
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return from_iso(text) / NS_PER_S
    except InputError as error:
        raise FormatError(f"{source}: {error}") from error


def _parts(table: Table, hours: dict[str, float], key: str) -> list[_Part]:
    table.need("type", "start")
    kinds = np.array(table.words("type", "unknown"))
    groups = np.array(table.words(key) if key else ["all"] * len(table))
    strange = sorted(set(groups.tolist()) - set(hours))
    if strange:
        raise FormatError(f"{table.source}: {key} {strange[0]!r} has no hours in the exposure")
    time = np.array([_seconds(word, table.source) for word in table.words("start", "0")])
    times = {name: _measured(table, name) for name in ("pet_s", "min_ttc_s")}
    usable = (
        np.array([not word.strip() for word in table.words("rejected_because")])
        if table.has("rejected_because")
        else np.ones(len(table), bool)
    )
    found = []
    for group in sorted(hours):
        for kind in sorted(set(kinds.tolist())):
            mine = usable & (groups == group) & (kinds == kind)
            measure = _measure(kind, times)
            value = times[measure][mine]
            known = np.isfinite(value)
            found.append(
                _Part(
                    group=group,
                    kind=kind,
                    measure=measure,
                    value_s=value[known],
                    time_s=time[mine][known],
                    hours=hours[group],
                )
            )
    return found


def _measured(table: Table, name: str) -> Floats:
    if not table.has(name):
        return np.full(len(table), np.nan)
    unknown = ("inf", "nan")
    words = [None if (w or "").strip().lower() in unknown else w for w in table.columns[name]]
    own = Table(source=table.source, columns={name: words})
    return own.numbers(name, empty=True)


def _measure(kind: str, times: dict[str, Floats]) -> str:
    """Return what measures this type: followers by time to collision, others by PET."""
    first, second = ("min_ttc_s", "pet_s") if kind == "following" else ("pet_s", "min_ttc_s")
    if np.isfinite(times[first]).any():
        return first
    if not np.isfinite(times[second]).any():
        raise FormatError("the conflicts have neither pet_s nor min_ttc_s; give at least one")
    return second


def _row(part: _Part, risk: Risk, parts: Sequence[_Part]) -> dict[str, Any]:
    others = [p for p in parts if p.kind == part.kind and p.group != part.group]
    ratio = (float("nan"),) * 3
    if others:
        counts = [
            excesses(p.value_s, time_s=p.time_s, threshold_s=risk.threshold_s)
            for p in (part, *others)
        ]
        hours = sum(p.hours for p in others)
        ratio = rate_ratio(
            counts[0], hours=part.hours, other_count=sum(counts[1:]), other_hours=hours
        )
    values = (
        part.group, part.kind, part.measure, risk.verdict, ";".join(risk.reasons),
        len(part.value_s),
        risk.excesses, risk.hours, risk.threshold_s, risk.rate, risk.rate_low, risk.rate_high,
        *ratio, risk.xi, risk.sigma, risk.fit_p, risk.index, risk.crashes, risk.low, risk.high,
        float(np.ceil(risk.more_days)),
    )  # fmt: skip
    return dict(zip(RISK_COLUMNS, values, strict=True))


def _finding(
    table: Table,
    parts: Sequence[_Part],
    found: Sequence[Risk],
    rows: Sequence[dict[str, Any]],
    *,
    hours_a_year: float,
    lang: str,
) -> Finding:
    verdicts = [row["verdict"] for row in rows]
    warnings = [
        *([Note(key="unstable")] if "unstable" in verdicts else []),
        *([Note(key="not_enough", values={"enough": ENOUGH})] if "not-enough" in verdicts else []),
    ]
    return Finding(
        verb="risk",
        source=table.source,
        cards=(
            ("pairs", len(table)),
            ("hours", round(sum({p.group: p.hours for p in parts}.values()), 1)),
            ("with_crashes", verdicts.count("crashes")),
            ("without_crashes", len(verdicts) - verdicts.count("crashes")),
        ),
        listings=(
            Listing(
                caption="risk",
                columns=_SHOWN,
                rows=[[_rounded(row[name]) for name in _SHOWN] for row in rows],
                heads=3,
            ),
        ),
        charts=_charts(parts, found, rows, lang=lang),
        warnings=warnings,
        notes=[
            Note(key="tail"),
            Note(key="relative"),
            Note(key="year", values={"hours": hours_a_year}),
            Note(key="interval_is_wide"),
        ],
    )


def _charts(
    parts: Sequence[_Part], found: Sequence[Risk], rows: Sequence[dict[str, Any]], *, lang: str
) -> dict[str, str]:
    """Return the rates of all groups, and the tail of the one with the most near-misses."""
    words = texts(lang)
    fullest = int(np.argmax([risk.excesses for risk in found]))
    near = parts[fullest].value_s
    mean, error = mean_residual_life(-near, thresholds=-np.array(THRESHOLDS_S))
    return {
        "chart_risk": risk_chart(rows, texts=words),
        "chart_tail": tail_chart(
            np.array(THRESHOLDS_S), mean, error, chosen=found[fullest].threshold_s,
            title=f"{parts[fullest].group}, {parts[fullest].kind}", texts=words,
        ),
    }  # fmt: skip


def _rounded(value: Any) -> Any:
    return round(value, 3) if isinstance(value, float) else value
