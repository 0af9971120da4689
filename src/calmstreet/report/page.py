"""The report: one self-contained HTML page that loads nothing from anywhere."""

import re
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from calmstreet.errors import InputError
from calmstreet.report import sections
from calmstreet.report.conflict_sections import conflicts_shown
from calmstreet.report.happened import events_found
from calmstreet.report.numbers import headline, numbers
from calmstreet.report.reading import Summary, moment_of, part_of, rows_of, time_is_known
from calmstreet.report.speed_sections import speeds_shown
from calmstreet.report.texts import Texts, texts

__all__ = ["report_html", "write_report"]

_SLOT = re.compile(r"\{\{([a-z_]+)\}\}")
_CONTENTS = (
    "watched",
    "numbers",
    "speeds",
    "conflicts",
    "pictures",
    "charts",
    "events",
    "errors",
    "assumed",
    "unknown",
    "warnings",
    "privacy",
    "software",
)


def write_report(
    path: Path,
    *,
    summary: Summary,
    pictures: Mapping[str, bytes],
    charts: Mapping[str, str],
    lang: str = "en",
    known_errors: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Write the report to ``path``; see ``report_html`` for what goes in.

    Raises InputError when the file cannot be written.
    """
    page = report_html(
        summary=summary, pictures=pictures, charts=charts, lang=lang, known_errors=known_errors
    )
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from error


def report_html(
    *,
    summary: Summary,
    pictures: Mapping[str, bytes],
    charts: Mapping[str, str],
    lang: str = "en",
    known_errors: Sequence[Mapping[str, Any]] = (),
) -> str:
    """Return the whole page.

    ``summary`` is ``summary.json``; ``pictures`` are PNG or JPEG bytes of kept (blurred) pictures
    by name, ``charts`` SVG elements by name. Names "trajectories", "site", "grid", "background"
    and "frame", or "counts", "cumulative", "turning", "headways", "shares" and "light", choose the
    caption; what follows a hyphen is added to it ("site-north"). ``known_errors`` are rows with
    clip, view, light, truth, counted and note. Raises InputError for an unknown language.
    """
    words = texts(lang)
    parts = (
        sections.watched(summary, words),
        numbers(summary, words),
        speeds_shown(summary, words),
        conflicts_shown(summary, words),
        sections.pictures_shown(pictures, words),
        sections.charts_shown(charts, words),
        events_found(summary, words),
        sections.errors(summary, known_errors, words),
        sections.assumed(summary, words),
        sections.not_known(summary, words),
        sections.warnings(summary, words),
        sections.privacy(words),
        sections.software(summary, words),
    )
    slots = {
        "lang": escape(lang),
        "title": escape(_title(summary, words)),
        "skip": escape(words.t("report.skip")),
        "when": escape(_when(summary, words)),
        "badges": _badges(summary, words),
        "headline": headline(summary, words),
        "contents_title": escape(words.t("report.contents")),
        "contents": _contents(words),
        "body": "\n".join(parts),
        "made_with": escape(
            words.t("report.made_with", version=str(summary.get("calmstreet", ""))).strip()
        ),
        "self_contained": escape(words.t("text.self_contained")),
    }
    template = files("calmstreet.report").joinpath("template.html").read_text(encoding="utf-8")
    return _SLOT.sub(lambda match: slots[match[1]], template)


def _title(summary: Summary, words: Texts) -> str:
    site = part_of(summary, "site")
    place = str(site.get("name") or site.get("id") or "")
    return words.t("report.title_place", place=place) if place else words.t("report.title")


def _when(summary: Summary, words: Texts) -> str:
    """Return the time covered, or that the clock time is unknown."""
    runs = rows_of(summary, "runs")
    if not time_is_known(summary):
        return words.t("text.time_unknown") if runs else ""
    starts = [str(run["start"]) for run in runs if run.get("start")]
    ends = [str(run["end"]) for run in runs if run.get("end")]
    if not starts or not ends:
        return ""
    span = (moment_of(min(starts), summary, words), moment_of(max(ends), summary, words))
    return " – ".join(span)


def _badges(summary: Summary, words: Texts) -> str:
    """Return what must be read first: not audited, partial, warnings."""
    audited = isinstance(summary.get("audit"), Mapping)
    badges = [
        (
            "good" if audited else "care",
            words.t("report.audited" if audited else "report.not_audited"),
            "#errors",
        )
    ]
    if any(run.get("state") not in ("complete", None) for run in rows_of(summary, "runs")):
        badges.append(("care", words.t("report.partial"), "#warnings"))
    warned = rows_of(summary, "warnings")
    if warned:
        badges.append(("care", words.t("report.warnings_above", n=len(warned)), "#warnings"))
    links = "".join(
        f'<li class="{css}"><a href="{anchor}">{escape(text)}</a></li>'
        for css, text, anchor in badges
    )
    return f'<ul class="badges">{links}</ul>'


def _contents(words: Texts) -> str:
    items = (
        f'<li><a href="#{name}">{escape(words.t(f"section.{name}"))}</a></li>' for name in _CONTENTS
    )
    return f"<ol>{''.join(items)}</ol>"
