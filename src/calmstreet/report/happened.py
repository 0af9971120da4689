"""The report's section on what the rules found."""

from calmstreet.report.markup import paragraph, section, table
from calmstreet.report.reading import Summary, part_of, rows_of
from calmstreet.report.said import said_in
from calmstreet.report.texts import Texts

__all__ = ["events_found"]


def events_found(summary: Summary, texts: Texts) -> str:
    """Return the section: findings by kind, and the rules that could not run with the reason.

    The reasons are the rules' own words; those of plug-ins stay in English.
    """
    by_kind = part_of(part_of(summary, "events"), "by_kind")
    rows = [
        [
            texts.or_raw("event", kind),
            texts.number(row.get("violations", 0)),
            texts.number(row.get("exceptions", 0)),
        ]
        for kind, row in by_kind.items()
    ]
    columns = [texts.t(f"label.{name}") for name in ("event", "violations", "exceptions")]
    found = (
        table(texts.t("text.events_caption"), columns, rows)
        if rows
        else paragraph(texts.t("text.events_none"))
    )
    silent = {str(row["rule"]): str(row["why_not"]) for row in rows_of(summary, "rules")}
    names = "; ".join(f"{rule} ({said_in(why, texts)})" for rule, why in silent.items() if why)
    return section(
        "events",
        texts.t("section.events"),
        paragraph(texts.t("text.events_rule"), "notice"),
        found,
        paragraph(texts.t("text.rules_silent", rules=names)) if names else "",
    )
