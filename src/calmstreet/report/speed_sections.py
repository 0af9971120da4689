"""The section of the report on speeds: what was measured, how sure, what was withheld and why."""

from collections.abc import Mapping
from typing import Any

from calmstreet.report.markup import bullets, paragraph, section, table
from calmstreet.report.reading import Summary, part_of, rows_of
from calmstreet.report.texts import Texts

__all__ = ["speeds_shown"]


def speeds_shown(summary: Summary, texts: Texts) -> str:
    """Return the section of speeds; one sentence where no camera is calibrated."""
    speeds = part_of(summary, "speeds")
    gates = rows_of(speeds, "gates")
    title = texts.t("section.speeds")
    if not gates:
        return section("speeds", title, paragraph(texts.t("speeds.none")))
    return section(
        "speeds",
        title,
        *(_status(camera, texts) for camera in rows_of(speeds, "cameras")),
        _table(gates, texts),
        paragraph(texts.t("speeds.reading")),
        _withheld(gates, texts),
        _zones(rows_of(speeds, "zones"), texts),
    )


def _status(camera: Mapping[str, Any], texts: Texts) -> str:
    check = camera.get("check")
    name = str(camera.get("camera", ""))
    if not isinstance(check, Mapping):
        return paragraph(texts.t("speeds.unverified_long", camera=name), "notice")
    key = "speeds.verified_long" if camera.get("verified") else "speeds.check_failed"
    values = {
        "camera": name,
        "day": str(check["time"])[:10],
        "n": check["n"],
        "bias": texts.number(check["bias_kmh"], 1) if check["bias_kmh"] is not None else "–",
        "half": _or_dash(check["bias_half95_kmh"], texts),
        "spread": _or_dash(check["spread_kmh"], texts),
    }
    return paragraph(texts.t(key, **values), "" if camera.get("verified") else "notice")


def _or_dash(value: float | None, texts: Texts) -> str:
    return "–" if value is None else texts.number(value, 1)


def _table(gates: list[Mapping[str, Any]], texts: Texts) -> str:
    rows = [
        _row(gate, drivers, texts)
        for gate in gates
        for drivers in ("all", "free")
        if gate[drivers]["n"]
    ]
    names = ("gate", "direction", "group", "drivers", "n", "mean", "v85", "over", "limit", "note")
    columns = [texts.t(f"speeds.column.{name}") for name in names]
    return table(texts.t("speeds.caption"), columns, rows, heads=4, tails=1) if rows else ""


def _row(gate: Mapping[str, Any], drivers: str, texts: Texts) -> list[str]:
    stats: Mapping[str, Any] = gate[drivers]
    limit = gate["limit_kmh"]
    return [
        str(gate["gate"]),
        texts.t(f"direction.{gate['direction']}"),
        texts.t(f"speeds.group.{gate['group']}"),
        texts.t(f"speeds.drivers.{drivers}"),
        texts.number(stats["n"]),
        _kmh_span(stats, "mean", texts),
        _kmh_span(stats, "v85", texts),
        _share_span(stats, texts),
        "–" if limit is None else texts.number(limit, 0),
        texts.t("speeds.indicative") if stats["indicative"] else "",
    ]


def _kmh_span(stats: Mapping[str, Any], name: str, texts: Texts) -> str:
    value, low, high = (stats[f"{name}{end}_kmh"] for end in ("", "_low95", "_high95"))
    if value is None:
        return "–"
    if low is None or high is None:
        return texts.number(value, 1)
    return f"{texts.number(value, 1)} ({texts.number(low, 1)} – {texts.number(high, 1)})"


def _share_span(stats: Mapping[str, Any], texts: Texts) -> str:
    value, low, high = (stats[f"over_limit_{end}"] for end in ("share", "low95", "high95"))
    if value is None:
        return "–"
    return f"{texts.percent(value)} ({texts.percent(low)} – {texts.percent(high)})"


def _withheld(gates: list[Mapping[str, Any]], texts: Texts) -> str:
    """Return how many speeds were withheld for which reason."""
    total: dict[str, int] = {}
    for gate in gates:
        for reason, count in part_of(gate, "withheld").items():
            total[reason] = total.get(reason, 0) + int(count)
    if not total:
        return ""
    passes = sum(int(gate["passes"]) for gate in gates)
    intro = texts.t("speeds.withheld", n=sum(total.values()), passes=passes)
    reasons = sorted(total.items(), key=lambda row: -row[1])
    items = [f"{texts.or_raw('speeds.reason', reason)}: {count}" for reason, count in reasons]
    return paragraph(intro) + bullets(items)


def _zones(zones: list[Mapping[str, Any]], texts: Texts) -> str:
    if not zones:
        return ""
    rows = [
        [
            str(zone["zone"]),
            texts.t(f"speeds.group.{zone['group']}"),
            texts.number(zone["n"]),
            *(texts.number(zone[key], 1) for key in ("median_s", "p15_s", "p85_s")),
        ]
        for zone in zones
    ]
    names = ("zone", "group", "n", "median_s", "p15_s", "p85_s")
    columns = [texts.t(f"speeds.column.{name}") for name in names]
    return table(texts.t("speeds.zones_caption"), columns, rows, heads=2)
