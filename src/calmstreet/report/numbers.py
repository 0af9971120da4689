"""The main numbers of the report: gates, movements, kinds and the peak hour as tables."""

from collections.abc import Mapping
from typing import Any

from calmstreet.model.flow import UNMATCHED
from calmstreet.report.markup import facts, paragraph, section, table
from calmstreet.report.reading import (
    KIND_ORDER,
    Summary,
    in_words,
    part_of,
    rows_of,
)
from calmstreet.report.texts import Texts
from calmstreet.units import from_iso, ns_from_s

__all__ = ["headline", "numbers"]


def _count(counts: Mapping[str, Any], kind: str, summary: Summary, texts: Texts) -> str:
    """Return a count; a dash where the detector cannot tell the kind."""
    count = float(counts.get(kind) or 0)
    if not count and kind in (summary.get("not_observed") or ()):
        return "–"
    return texts.number(count)


def headline(summary: Summary, texts: Texts) -> str:
    """Return the few numbers to see first."""
    tracks, peaks = part_of(summary, "tracks"), _peaks(summary)
    volume = _volume(peaks[0][1]) if len(peaks) == 1 else None
    exposure_s = summary.get("exposure_s")
    return facts(
        (
            (texts.t("label.tracks"), in_words(tracks.get("total"), texts)),
            (
                texts.t("label.exposure"),
                texts.duration(float(exposure_s)) if exposure_s is not None else "",
            ),
            (texts.t("label.peak_volume"), in_words(volume, texts)),
            (texts.t("label.parked"), in_words(tracks.get("parked"), texts)),
        ),
        "cards",
    )


def _peaks(summary: Summary) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the peak hours that are known, by camera; one without a camera has an empty name."""
    peak = part_of(summary, "peak_hour")
    rows = {"": peak} if "start" in peak else peak
    return [(str(k), row) for k, row in rows.items() if isinstance(row, Mapping) and "start" in row]


def _volume(peak: Mapping[str, Any]) -> object:
    return next((peak[key] for key in ("volume", "total", "count") if key in peak), None)


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
            _movement_name(m, texts),
            texts.or_raw("turn", str(m.get("turn") or "unknown")),
            *_counts_row(m.get("counts"), summary, texts),
        ]
        for m in movements
    ]
    columns = [
        texts.t("label.movement"),
        texts.t("label.turn"),
        *_kind_columns(texts),
    ]
    return table(texts.t("text.movements_caption"), columns, rows, heads=2)


def _movement_name(movement: Mapping[str, Any], texts: Texts) -> str:
    """Return the id of a movement, and its ends where the id does not tell them."""
    name, start, end = (str(movement.get(key) or "") for key in ("movement", "from", "to"))
    if name in ("", UNMATCHED):
        return texts.t("turn.unknown")
    return name if name in (f"{start}-{end}", start) else f"{name} ({start} → {end})"


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
    """Return the peak hour of each camera with its volume and factor."""
    peaks = _peaks(summary)
    if not peaks:
        return paragraph(texts.t("text.no_peak"))
    tz = str(part_of(summary, "site").get("tz") or "UTC")
    return "".join(
        facts(
            (
                (texts.t("label.camera"), camera if len(peaks) > 1 else ""),
                (texts.t("label.peak_hour"), _hour_from(str(peak["start"]), tz, texts)),
                (texts.t("label.peak_volume"), in_words(_volume(peak), texts)),
                (texts.t("label.phf"), in_words(peak.get("phf", summary.get("phf")), texts)),
            )
        )
        for camera, peak in peaks
    )


def _hour_from(start: str, tz: str, texts: Texts) -> str:
    """Return date, start and end of the hour that begins at ``start`` (ISO 8601)."""
    t_ns = from_iso(start, tz)
    end = texts.clock_time(t_ns + ns_from_s(3600.0), tz)
    return f"{texts.date(t_ns, tz)} {texts.clock_time(t_ns, tz)}–{end}"
