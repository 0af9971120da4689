"""Which charts a report shows."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.bins import Bins
from calmstreet.pipeline.collected import Collected
from calmstreet.report.charts import (
    counts_chart,
    cumulative_chart,
    headway_chart,
    light_chart,
    shares_chart,
)
from calmstreet.report.texts import texts
from calmstreet.report.turning import turning_chart
from calmstreet.safety.bins import aggregate

__all__ = ["make_charts"]

SHORT_S = 1800.0
QUARTER_S = 900.0


def make_charts(
    found: Collected, minutes: Mapping[str, Bins], summary: Mapping[str, Any], *, lang: str
) -> dict[str, str]:
    """Return SVG elements by name: per gate over time, movements, headways, kinds, light."""
    words = texts(lang)
    charts: dict[str, str] = {}
    span_s = _span_s(found)
    if span_s < SHORT_S:
        charts["cumulative"] = cumulative_chart(_crossings_s(found), duration_s=span_s, texts=words)
    else:
        charts |= _over_time(found, minutes, lang=lang)
    movements: Sequence[Mapping[str, Any]] = summary.get("movements") or []
    if any(row["counts"].get("total") for row in movements):
        charts["turning"] = turning_chart(movements, texts=words)
    headways = _headways_s(found)
    if len(headways):
        charts["headways"] = headway_chart(headways, texts=words)
    charts["shares"] = shares_chart(summary["tracks"]["by_kind"], texts=words)
    if found.light:
        minute_ns = 60_000_000_000
        rows = [(t, t + minute_ns, light) for t, light in sorted(found.light.items())]
        charts["light"] = light_chart(rows, texts=words, tz=found.tz)
    return charts


def _over_time(found: Collected, minutes: Mapping[str, Bins], *, lang: str) -> dict[str, str]:
    charts = {}
    for camera, bins in minutes.items():
        quarters = aggregate(bins, width_s=QUARTER_S, tz=found.tz or "UTC")
        for gate in found.site.of_camera(camera).gates:
            mine = _rows(quarters, np.char.startswith(quarters.what, f"gate:{gate.id}:"))
            charts[f"counts-{gate.id}"] = counts_chart(
                mine, texts=texts(lang), tz=found.tz, name=f"counts-{gate.id}", title=gate.id
            )
    return charts


def _rows(bins: Bins, mask: NDArray[np.bool_]) -> Bins:
    return Bins(
        camera_id=bins.camera_id,
        site_version=bins.site_version,
        width_s=bins.width_s,
        what=bins.what[mask],
        kind=bins.kind[mask],
        start_ns=bins.start_ns[mask],
        count=bins.count[mask],
        exposure_s=bins.exposure_s[mask],
        flags=bins.flags[mask],
    )


def _span_s(found: Collected) -> float:
    first = min(run.start_ns for run in found.runs)
    return float(max(run.end_ns for run in found.runs) - first) / 1e9


def _crossings_s(found: Collected) -> dict[str, NDArray[np.float64]]:
    first = min(run.start_ns for run in found.runs)
    times: dict[str, list[NDArray[np.float64]]] = {gate.id: [] for gate in found.site.gates}
    for flow in found.flows:
        c = flow.crossings
        for gate_id, own in times.items():
            own.append((c.t_ns[c.counted & (c.gate_id == gate_id)] - first) / 1e9)
    return {gate_id: np.sort(np.concatenate(own)) for gate_id, own in times.items() if own}


def _headways_s(found: Collected) -> NDArray[np.float64]:
    parts = [flow.crossings.headway_s[flow.crossings.counted] for flow in found.flows]
    joined: NDArray[np.float64] = np.concatenate([np.empty(0), *parts])
    return joined[np.isfinite(joined)]
