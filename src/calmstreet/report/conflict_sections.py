"""The section of the report on conflicts: pairs, verdicts by part of the definition, rates."""

from collections.abc import Mapping
from typing import Any

from calmstreet.report.markup import bullets, paragraph, section, table
from calmstreet.report.reading import Summary, part_of, rows_of
from calmstreet.report.texts import Texts

__all__ = ["conflict_sheet", "conflicts_shown"]

_NUMBERS = (
    "pairs",
    "conflicts",
    "by_pet",
    "by_ttc",
    "by_evasion",
    "level_4",
    "level_3",
    "level_2",
    "level_1",
)


def conflicts_shown(summary: Summary, texts: Texts) -> str:
    """Return the section of conflicts; one sentence per camera without metres."""
    cameras = rows_of(part_of(summary, "conflicts"), "cameras")
    looked = [camera for camera in cameras if camera.get("looked")]
    return section(
        "conflicts",
        texts.t("section.conflicts"),
        "" if cameras else paragraph(texts.t("conflicts.none")),
        *(_silent(camera, texts) for camera in cameras if not camera.get("looked")),
        paragraph(texts.t("conflicts.definition")) if looked else "",
        *(_camera(camera, texts) for camera in looked),
        paragraph(texts.t("conflicts.reading"), "notice") if looked else "",
    )


def _silent(camera: Mapping[str, Any], texts: Texts) -> str:
    why = texts.or_raw("conflicts.why_not", str(camera.get("why_not", "")))
    return paragraph(texts.t("conflicts.not_looked", camera=str(camera["camera"]), why=why))


def _camera(camera: Mapping[str, Any], texts: Texts) -> str:
    name = str(camera["camera"])
    parts = [
        paragraph(
            texts.t(
                "conflicts.found",
                camera=name,
                conflicts=camera["conflicts"],
                pairs=camera["pairs"],
                watched=texts.duration(float(camera["exposure_s"])),
            )
        )
    ]
    rows = [_row(row, texts) for row in rows_of(camera, "types")]
    if rows:
        caption = texts.t("conflicts.caption", camera=name)
        parts.append(table(caption, _columns(texts), rows))
    parts += [
        paragraph(_rate(part_of(camera, f"per_{unit}"), unit, texts))
        for unit in ("1000_pairs", "hour")
    ]
    rejected = part_of(camera, "rejected")
    if rejected:
        items = [f"{texts.or_raw('conflicts.reason', why)}: {n}" for why, n in rejected.items()]
        parts += [paragraph(texts.t("conflicts.rejected")), bullets(items)]
    paths = ", ".join(str(version) for version in camera.get("paths") or ())
    parts.append(paragraph(texts.t("conflicts.paths", paths=paths)) if paths else "")
    return "\n".join(parts)


def _columns(texts: Texts) -> list[str]:
    return [texts.t(f"conflicts.column.{name}") for name in ("type", *_NUMBERS)]


def _row(row: Mapping[str, Any], texts: Texts) -> list[str]:
    kind = texts.or_raw("conflicts.type", str(row["type"]))
    return [kind, *(texts.number(row[name]) for name in _NUMBERS)]


def _rate(rate: Mapping[str, Any], unit: str, texts: Texts) -> str:
    if rate.get("rate") is None:
        return ""
    what = texts.t(f"conflicts.per_{unit}", rate=texts.number(rate["rate"], 1))
    if rate.get("low95") is None:
        return f"{what} {texts.t('conflicts.few_days', days=rate['days'])}"
    low, high = (texts.number(rate[end], 1) for end in ("low95", "high95"))
    span = texts.t("conflicts.interval", low=low, high=high, days=rate["days"])
    if rate["enough"] or rate.get("more_days") is None:
        return f"{what} {span}"
    return f"{what} {span} {texts.t('conflicts.more_days', days=rate['more_days'])}"


def conflict_sheet(summary: Summary, texts: Texts) -> list[list[Any]]:
    """Return the page of the workbook: a heading, then a row per camera and type."""
    heading = [texts.t("conflicts.column.camera"), *_columns(texts)]
    return [heading] + [
        [
            str(camera["camera"]),
            texts.or_raw("conflicts.type", str(row["type"])),
            *(row[name] for name in _NUMBERS),
        ]
        for camera in rows_of(part_of(summary, "conflicts"), "cameras")
        for row in rows_of(camera, "types")
    ]
