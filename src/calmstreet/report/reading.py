"""Reading ``summary.json``: tolerant of missing keys, and its values put into words."""

from collections.abc import Mapping
from typing import Any

from calmstreet.report.texts import Texts
from calmstreet.units import from_iso

__all__ = ["KIND_ORDER", "Summary", "in_words", "moment_of", "part_of", "rows_of", "time_is_known"]

Summary = Mapping[str, Any]
KIND_ORDER = ("car", "van", "motorcycle", "bus", "truck", "bicycle", "pedestrian", "unknown")


def rows_of(summary: Summary, key: str) -> list[Mapping[str, Any]]:
    """Return the list of tables under ``key``, empty when it is missing."""
    value = summary.get(key)
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def part_of(summary: Summary, key: str) -> Mapping[str, Any]:
    """Return the table under ``key``, empty when it is missing."""
    value = summary.get(key)
    return value if isinstance(value, Mapping) else {}


def in_words(value: object, texts: Texts) -> str:
    """Return any value of a summary in words; nothing for None."""
    if isinstance(value, bool):
        return texts.t("word.yes" if value else "word.no")
    if isinstance(value, (int, float)):
        return texts.number(float(value))
    if isinstance(value, (list, tuple)):
        return ", ".join(in_words(item, texts) for item in value)
    if isinstance(value, Mapping):
        return "; ".join(f"{k}: {in_words(v, texts)}" for k, v in value.items())
    return "" if value is None else str(value)


def time_is_known(summary: Summary) -> bool:
    """Say whether the clock time of every run is known or at least assumed."""
    runs = rows_of(summary, "runs")
    return bool(runs) and all(run.get("time_known") != "unknown" for run in runs)


def moment_of(value: object, summary: Summary, texts: Texts) -> str:
    """Return an instant (ISO text or UTC ns) in local time."""
    if value is None or value == "":
        return ""
    tz = str(part_of(summary, "site").get("tz") or "UTC")
    t_ns = value if isinstance(value, int) else from_iso(str(value), tz)
    return texts.date_time(t_ns, tz)
