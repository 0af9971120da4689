"""The report of a junction on paper: typst sets what the pages show."""

import json
from importlib import resources
from pathlib import Path
from typing import Any

import matplotlib as mpl
import typst

from calmstreet.report.tables import time_text
from calmstreet.report.texts import Texts
from calmstreet.web.conflicting import conflict_page
from calmstreet.web.passing import speed_page
from calmstreet.web.spans import View
from calmstreet.web.turning import turning_page

__all__ = ["fonts", "report_pdf"]

Part = dict[str, Any]


def fonts() -> dict[str, Any]:
    """Return where typst finds letters: those that matplotlib brings, none of the machine."""
    folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
    return {"font_paths": [str(folder)], "ignore_system_fonts": True}


def report_pdf(view: View, words: Texts, *, counts: str, turns: str) -> bytes:
    """Return the report as PDF; ``counts`` and ``turns`` are pictures in SVG."""
    known = view.row.time_known
    times = [time_text(t, view.tz, time_known=known) for t in (view.start_ns, view.end_ns)]
    spells = view.seen.watched(view.camera_id, start_ns=view.start_ns, end_ns=view.end_ns)
    watched_h = float((spells[:, 1] - spells[:, 0]).sum()) / 3.6e12
    data = {
        "lang": words.lang,
        "title": words.t("desk.title"),
        "note": words.t("desk.page_note"),
        "none": words.t("desk.none"),
        "facts": [
            [words.t("desk.site"), view.site.name or view.site.id],
            [words.t("desk.camera"), view.camera_id],
            [words.t("desk.period"), " – ".join(times)],
            [words.t("desk.watched"), words.t("desk.hours", hours=words.number(watched_h, 2))],
            [words.t("desk.version"), view.row.site_version[:16]],
        ],
        "parts": [
            _part(words.t("desk.counts"), picture="counts.svg", wide=170),
            _turning(view, words),
            _speeds(view, words),
            _events(view, words),
        ],
    }
    source = resources.files("calmstreet.web").joinpath("report.typ").read_bytes()
    content: bytes = typst.compile(
        {"main.typ": source, "counts.svg": counts.encode(), "turns.svg": turns.encode()},
        format="pdf",
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        **fonts(),
    )
    return content


def _part(
    title: str,
    *,
    picture: str = "",
    wide: int = 0,
    head: list[str] | None = None,
    rows: list[list[str]] | None = None,
) -> Part:
    return {
        "title": title,
        "picture": picture,
        "wide": wide,
        "head": head or [],
        "rows": rows or [],
    }


def _number(words: Texts, value: float | None, decimals: int | None = None) -> str:
    return "–" if value is None else words.number(value, decimals)


def _turning(view: View, words: Texts) -> Part:
    page = turning_page(view)
    rows = [
        [
            cell.from_id,
            cell.to_id,
            words.or_raw("turn", cell.turn or "unknown"),
            _number(words, cell.total),
            _number(words, cell.per_hour, 1),
            f"{_number(words, cell.per_hour_low, 1)} – {_number(words, cell.per_hour_high, 1)}",
        ]
        for cell in page.movements
    ]
    if page.unknown:
        rows.append([words.t("desk.unknown"), "", "", _number(words, page.unknown), "", ""])
    names = ("from", "to", "turn", "total", "per_hour", "interval")
    return _part(
        words.t("desk.turns"),
        picture="turns.svg" if any(cell.total for cell in page.movements) else "",
        wide=100,
        head=[words.t(f"desk.{name}") for name in names],
        rows=rows,
    )


def _speeds(view: View, words: Texts) -> Part:
    rows = [
        [
            one.place_id,
            words.or_raw("direction", one.direction),
            words.or_raw("speeds.group", one.kind),
            _number(words, one.n),
            _number(words, one.v85_kmh, 1),
            f"{_number(words, one.v85_low_kmh, 1)} – {_number(words, one.v85_high_kmh, 1)}",
            "–" if one.over_limit_share is None else words.percent(one.over_limit_share),
        ]
        for one in speed_page(view, place_id=None).groups
        if one.n
    ]
    names = ("gate", "direction", "group", "n", "v85", "interval", "over")
    return _part(
        words.t("desk.speeds"), head=[words.t(f"desk.{name}") for name in names], rows=rows
    )


def _events(view: View, words: Texts) -> Part:
    page = conflict_page(view)
    rows = [
        [words.or_raw("event", kind), _number(words, n)] for kind, n in sorted(page.by_kind.items())
    ]
    head = [words.t("desk.kind"), words.t("desk.number")]
    return _part(words.t("desk.events"), head=head, rows=rows)
