"""The main numbers of the report: gates, movements, kinds and the peak hour as tables."""

from collections.abc import Mapping
from typing import Any

from calmstreet.report.markup import facts, paragraph, section, table
from calmstreet.report.reading import (
    KIND_ORDER,
    Summary,
    in_words,
    moment_of,
    part_of,
    rows_of,
)
from calmstreet.report.texts import Texts

__all__ = ["headline", "numbers"]


def _count(counts: Mapping[str, Any], kind: str, summary: Summary, texts: Texts) -> str:
    """Return a count; a dash where the detector cannot tell the kind."""
    if kind in (summary.get("not_observed") or ()):
        return "–"
    return texts.number(float(counts.get(kind) or 0))


def headline(summary: Summary, texts: Texts) -> str:
    """Return the few numbers to see first."""
    tracks, peak = part_of(summary, "tracks"), part_of(summary, "peak_hour")
    exposure_s = summary.get("exposure_s")
    return facts(
        (
            (texts.t("label.tracks"), in_words(tracks.get("total"), texts)),
            (
                texts.t("label.exposure"),
                texts.duration(float(exposure_s)) if exposure_s is not None else "",
            ),
            (texts.t("label.peak_volume"), in_words(_peak_total(peak), texts)),
            (texts.t("label.parked"), in_words(tracks.get("parked"), texts)),
        ),
        "cards",
    )


def _peak_total(peak: Mapping[str, Any]) -> object:
    return next((peak[key] for key in ("total", "volume", "count") if key in peak), None)


def numbers(summary: Summary, texts: Texts) -> str:
    """Return the tables: gates, movements, kinds, peak hour."""
    parts = [_gates(summary, texts), _movements(summary, texts), _by_kind(summary, texts)]
    if summary.get("not_observed"):
        parts.append(paragraph(texts.t("text.not_observed_rule"), "small"))
    parts.append(paragraph(texts.t("text.total_rule"), "small"))
    parts.append(_peak(summary, texts))
    return section("numbers", texts.t("section.numbers"), *parts)


def _kind_columns(texts: Texts) -> list[str]:
    return [texts.t(f"kind.{kind}") for kind in (*KIND_ORDER, "total")]


def _counts_row(counts: object, summary: Summary, texts: Texts) -> list[str]:
    table_of_counts = counts if isinstance(counts, Mapping) else {}
    return [_count(table_of_counts, kind, summary, texts) for kind in (*KIND_ORDER, "total")]


def _gates(summary: Summary, texts: Texts) -> str:
    gates = rows_of(summary, "gates")
    if not gates:
        return paragraph(texts.t("text.no_gates"))
    several = len({gate.get("camera") for gate in gates}) > 1
    rows = []
    for gate in gates:
        name = str(gate.get("gate", ""))
        name = f"{gate.get('camera', '')}: {name}" if several else name
        for side in ("to_left", "to_right"):
            counts = _counts_row(gate.get(side), summary, texts)
            rows.append([name, texts.t(f"direction.{side}"), *counts])
    columns = [texts.t("label.gate"), texts.t("label.direction"), *_kind_columns(texts)]
    shown = table(texts.t("text.gates_caption"), columns, rows, heads=2)
    return shown + paragraph(texts.t("text.side_rule"), "small")


def _movements(summary: Summary, texts: Texts) -> str:
    movements = rows_of(summary, "movements")
    if not movements:
        return paragraph(texts.t("text.no_movements"))
    rows = [
        [
            str(m.get("movement") or ""),
            f"{m.get('from', '')} → {m.get('to', '')}",
            texts.or_raw("turn", str(m.get("turn") or "unknown")),
            *_counts_row(m.get("counts"), summary, texts),
        ]
        for m in movements
    ]
    columns = [
        texts.t("label.movement"),
        f"{texts.t('label.from')} → {texts.t('label.to')}",
        texts.t("label.turn"),
        *_kind_columns(texts),
    ]
    return table(texts.t("text.movements_caption"), columns, rows, heads=3)


def _by_kind(summary: Summary, texts: Texts) -> str:
    tracks = part_of(summary, "tracks")
    by_kind = part_of(tracks, "by_kind")
    if not by_kind:
        return ""
    total = float(tracks.get("total") or sum(by_kind.values()) or 1)
    rows = []
    for kind in KIND_ORDER:
        count = _count(by_kind, kind, summary, texts)
        share = "–" if count == "–" else texts.percent(float(by_kind.get(kind) or 0) / total, 1)
        rows.append([texts.t(f"kind.{kind}"), count, share])
    columns = [texts.t(f"label.{key}") for key in ("kind", "count", "share")]
    return table(texts.t("text.kinds_caption"), columns, rows)


def _peak(summary: Summary, texts: Texts) -> str:
    peak = part_of(summary, "peak_hour")
    if not peak:
        return paragraph(texts.t("text.no_peak"))
    start, end = (moment_of(peak.get(key), summary, texts) for key in ("start", "end"))
    phf = summary.get("phf", peak.get("phf"))
    return facts(
        (
            (texts.t("label.peak_hour"), " – ".join(v for v in (start, end) if v)),
            (texts.t("label.peak_volume"), in_words(_peak_total(peak), texts)),
            (texts.t("label.phf"), in_words(phf, texts)),
        )
    )
