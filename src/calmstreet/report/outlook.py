"""One-page reports of the outlook: what was asked, the answer, how sure, what it rests on."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from pathlib import Path

from calmstreet import __version__
from calmstreet.report.markup import bullets, chart_figure, facts, section, table
from calmstreet.report.tables import replacing
from calmstreet.report.texts import Texts, texts

__all__ = ["Finding", "Listing", "Note", "outlook_html", "write_outlook"]

_SLOT = re.compile(r"\{\{([a-z_]+)\}\}")
_SECTIONS = ("answer", "picture", "rests")


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One sentence of ``outlook.note_KEY`` with its values."""

    key: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A table: its caption and columns are ``outlook.caption_`` and ``outlook.column_`` keys."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | float]]
    heads: int = 1
    tails: int = 0


_LAST_IS_SUM = "tr > .n:last-child { font-weight: 650; }"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a verb found, in words of no language yet.

    ``cards`` are (card key, value); ``charts`` SVG elements by caption key; ``warnings`` come
    first, ``notes`` say what the answer rests on.
    """

    verb: str
    source: str
    cards: Sequence[tuple[str, str | float]] = ()
    listings: Sequence[Listing] = ()
    charts: Mapping[str, str] = field(default_factory=dict)
    warnings: Sequence[Note] = ()
    notes: Sequence[Note] = ()


def write_outlook(path: Path, finding: Finding, *, lang: str = "en") -> None:
    """Write the page; raise InputError for an unknown language or a place that is not writable."""
    page = outlook_html(finding, lang=lang)
    with replacing(path) as draft:
        draft.write_text(page, encoding="utf-8")


def outlook_html(finding: Finding, *, lang: str = "en") -> str:
    """Return the whole page of one finding; it loads nothing from anywhere."""
    words = texts(lang)
    parts = (_answer(finding, words), _pictures(finding, words), _rests(finding, words))
    title = words.t(f"outlook.title_{finding.verb}")
    names = [name for name, part in zip(_SECTIONS, parts, strict=True) if part]
    contents = "".join(
        f'<li><a href="#{name}">{escape(words.t(f"outlook.section_{name}"))}</a></li>'
        for name in names
    )
    slots = {
        "lang": escape(lang),
        "title": escape(title),
        "skip": escape(words.t("report.skip")),
        "when": escape(finding.source),
        "badges": _warned(finding, words),
        "headline": facts(
            ((words.t(f"outlook.card_{key}"), _value(v, words)) for key, v in finding.cards),
            "cards",
        ),
        "contents_title": escape(words.t("report.contents")),
        "contents": f"<ol>{contents}</ol>",
        "body": "\n".join(part for part in parts if part),
        "made_with": escape(words.t("report.made_with", version=__version__)),
        "self_contained": escape(words.t("text.self_contained")),
    }
    template = files("calmstreet.report").joinpath("template.html").read_text(encoding="utf-8")
    template = template.replace('href="#numbers"', 'href="#answer"').replace(_LAST_IS_SUM, "")
    return _SLOT.sub(lambda match: slots[match[1]], template)


def _value(value: str | float, words: Texts) -> str:
    if isinstance(value, str):
        return words.or_raw("outlook", f"word_{value}").removeprefix("word_")
    return words.number(value, _decimals(value))


def _decimals(value: float) -> int | None:
    """Return two or three digits that count: 0.0123 needs more places than 12.3.

    >>> _decimals(0.0123), _decimals(1.5), _decimals(250.7), _decimals(7.0)
    (4, 2, 1, None)
    """
    size = abs(value)
    if value != value or value == round(value):
        return None
    return 4 if size < 0.1 else 3 if size < 1 else 2 if size < 100 else 1


def _warned(finding: Finding, words: Texts) -> str:
    rows = "".join(
        f'<li class="care"><a href="#rests">{escape(_sentence(note, words))}</a></li>'
        for note in finding.warnings
    )
    return f'<ul class="badges">{rows}</ul>' if rows else ""


def _sentence(note: Note, words: Texts) -> str:
    filled = {
        key: value if isinstance(value, (int, float)) else words.or_raw("outlook", f"word_{value}")
        for key, value in note.values.items()
    }
    clean = {
        key: value.removeprefix("word_") if isinstance(value, str) else value
        for key, value in filled.items()
    }
    return words.t(f"outlook.note_{note.key}", **clean)


def _answer(finding: Finding, words: Texts) -> str:
    shown = [
        table(
            words.t(f"outlook.caption_{listing.caption}"),
            [
                words.or_raw("outlook", f"column_{c}").removeprefix("column_")
                for c in listing.columns
            ],
            [[_value(v, words) for v in row] for row in listing.rows],
            heads=listing.heads,
            tails=listing.tails,
        )
        for listing in finding.listings
        if listing.rows
    ]
    return section("answer", words.t("outlook.section_answer"), *shown)


def _pictures(finding: Finding, words: Texts) -> str:
    if not finding.charts:
        return ""
    shown = [chart_figure(svg, words.t(f"outlook.{key}")) for key, svg in finding.charts.items()]
    return section("picture", words.t("outlook.section_picture"), *shown)


def _rests(finding: Finding, words: Texts) -> str:
    sentences = [_sentence(note, words) for note in (*finding.warnings, *finding.notes)]
    return section("rests", words.t("outlook.section_rests"), bullets(sentences))
