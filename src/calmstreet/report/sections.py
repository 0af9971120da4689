"""The sections of the report around the numbers; missing keys leave gaps, no faults."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from calmstreet.model.kinds import KIND_NAMES
from calmstreet.report.colours import KIND_HEX, PARKED_HEX
from calmstreet.report.markup import (
    bullets,
    chart_figure,
    facts,
    paragraph,
    picture_figure,
    section,
    table,
)
from calmstreet.report.reading import (
    KIND_ORDER,
    Summary,
    in_words,
    moment_of,
    part_of,
    rows_of,
    time_is_known,
)
from calmstreet.report.texts import Texts

__all__ = [
    "assumed",
    "charts_shown",
    "errors",
    "not_known",
    "pictures_shown",
    "privacy",
    "software",
    "warnings",
    "watched",
]

_FIRST = ("trajectories", "site", "grid", "background")


def watched(summary: Summary, texts: Texts) -> str:
    """Return what was watched: place, cameras, time, duration, exposure, light."""
    site, video, runs = (
        part_of(summary, "site"),
        part_of(summary, "video"),
        rows_of(summary, "runs"),
    )
    known = time_is_known(summary)
    starts = sorted(str(run["start"]) for run in runs if run.get("start"))
    ends = sorted(str(run["end"]) for run in runs if run.get("end"))
    sources = dict.fromkeys(str(run.get("time_known") or "unknown") for run in runs)
    pairs = [
        (texts.t("label.place"), str(site.get("name") or site.get("id") or "")),
        (texts.t("label.cameras"), in_words(_names(summary.get("cameras")), texts)),
        (texts.t("label.start"), moment_of(starts[0], summary, texts) if known and starts else ""),
        (texts.t("label.end"), moment_of(ends[-1], summary, texts) if known and ends else ""),
        (texts.t("label.time_zone"), str(site.get("tz") or "") if known else ""),
        (texts.t("label.time_source"), ", ".join(texts.or_raw("time_known", s) for s in sources)),
        *_length_facts(summary, video, texts),
        (texts.t("label.light"), _light(summary.get("light"), texts)),
        *_frame_facts(video, texts),
    ]
    note = "" if known else paragraph(texts.t("text.time_unknown"), "notice")
    return section("watched", texts.t("section.watched"), note, facts(pairs))


def _names(cameras: object) -> list[str]:
    """Return the ids of cameras, given as ids or as tables with an id."""
    if not isinstance(cameras, (list, tuple)):
        return []
    return [str(c.get("id", "")) if isinstance(c, Mapping) else str(c) for c in cameras]


def _length_facts(
    summary: Summary, video: Mapping[str, Any], texts: Texts
) -> list[tuple[str, str]]:
    duration_s = float(video.get("duration_s") or 0)
    exposure_s = summary.get("exposure_s")
    pairs = [(texts.t("label.duration"), texts.duration(duration_s) if duration_s else "")]
    if exposure_s is not None:
        pairs.append((texts.t("label.exposure"), texts.duration(float(exposure_s))))
        if duration_s:
            share = min(1.0, float(exposure_s) / duration_s)
            pairs.append((texts.t("label.exposure_share"), texts.percent(share, 1)))
    return pairs


def _frame_facts(video: Mapping[str, Any], texts: Texts) -> list[tuple[str, str]]:
    counts = [
        (texts.t(f"label.{key}"), in_words(video.get(key), texts))
        for key in ("frames", "repeated_frames")
    ]
    rates = [
        (texts.t(f"label.{key}"), f"{in_words(video[key], texts)} {texts.t('unit.fps')}")
        for key in ("declared_fps", "delivered_fps")
        if video.get(key) is not None
    ]
    return counts + rates


def _light(light: object, texts: Texts) -> str:
    """Return the light in words; seconds or counts by light become percent."""
    if not isinstance(light, Mapping):
        return texts.or_raw("light", str(light)) if light else ""
    amounts = {k: float(v) for k, v in light.items() if isinstance(v, (int, float)) and v > 0}
    total = sum(amounts.values())
    words = (f"{texts.or_raw('light', k)} {texts.percent(v / total)}" for k, v in amounts.items())
    return ", ".join(words)


def pictures_shown(pictures: Mapping[str, bytes], texts: Texts) -> str:
    """Return the pictures; a name such as "site-north" takes the caption of "site"."""
    if not pictures:
        return section(
            "pictures", texts.t("section.pictures"), paragraph(texts.t("text.no_pictures"))
        )
    shown = [
        picture_figure(pictures[name], _caption(name, "picture", texts))
        for name in sorted(pictures, key=_rank)
    ]
    return section("pictures", texts.t("section.pictures"), _colour_key(texts), *shown)


def _rank(name: str) -> tuple[int, str]:
    first = name.partition("-")[0]
    return (_FIRST.index(first) if first in _FIRST else len(_FIRST), name)


def _caption(name: str, family: str, texts: Texts) -> str:
    first, _, rest = name.partition("-")
    if not texts.has(f"{family}.{first}"):
        return texts.t(f"{family}.other", name=name)
    return f"{texts.t(f'{family}.{first}')} ({rest})" if rest else texts.t(f"{family}.{first}")


def _colour_key(texts: Texts) -> str:
    """Return the legend of the colours as HTML."""
    kinds = [(KIND_HEX[KIND_NAMES.index(kind)], kind) for kind in KIND_ORDER]
    items = "".join(
        f'<li><span style="background:{colour}"></span>{texts.t(f"kind.{kind}")}</li>'
        for colour, kind in [*kinds, (PARKED_HEX, "parked")]
    )
    return f'<ul class="key" aria-label="{texts.t("text.colours")}">{items}</ul>'


def charts_shown(charts: Mapping[str, str], texts: Texts) -> str:
    """Return the charts; a name such as "counts-stop-line" takes the caption of "counts"."""
    if not charts:
        return section("charts", texts.t("section.charts"), paragraph(texts.t("text.no_charts")))
    shown = [chart_figure(svg, _caption(name, "chart", texts)) for name, svg in charts.items()]
    return section("charts", texts.t("section.charts"), *shown)


def errors(summary: Summary, known_errors: Sequence[Mapping[str, Any]], texts: Texts) -> str:
    """Return how wrong the counts may be: the audit of this camera, else errors of other clips."""
    audit = summary.get("audit")
    parts = [paragraph(texts.t("text.errors_intro"))]
    if isinstance(audit, Mapping):
        parts += [paragraph(texts.t("text.errors_audited")), *_audit(audit, texts)]
    else:
        parts.append(paragraph(texts.t("text.errors_not_audited"), "notice"))
    rows = [_error_row(row, texts) for row in known_errors]
    columns = [
        texts.t(f"label.{k}")
        for k in ("clip", "view", "light", "truth", "counted", "ratio", "note")
    ]
    if rows:
        parts.append(table(texts.t("text.errors_table"), columns, rows, heads=3, tails=1))
    elif not isinstance(audit, Mapping):
        parts.append(paragraph(texts.t("text.errors_none")))
    return section("errors", texts.t("section.errors"), *parts)


def _error_row(row: Mapping[str, Any], texts: Texts) -> list[str]:
    truth, counted = row.get("truth"), row.get("counted")
    ratio = ""
    if isinstance(truth, (int, float)) and isinstance(counted, (int, float)) and truth:
        ratio = texts.number(counted / truth, 2)
    return [
        str(row.get("clip", "")),
        str(row.get("view", "")),
        texts.or_raw("light", str(row.get("light", ""))),
        in_words(truth, texts),
        in_words(counted, texts),
        ratio,
        str(row.get("note", "")),
    ]


def _audit(audit: Mapping[str, Any], texts: Texts) -> Iterable[str]:
    rows = [
        [
            str(row.get("what", "")),
            texts.or_raw("kind", str(row.get("kind", ""))),
            *(in_words(row.get(key), texts) for key in ("truth", "counted", "ratio")),
            f"{in_words(row.get('low'), texts)} – {in_words(row.get('high'), texts)}",
            in_words(row.get("geh"), texts),
        ]
        for row in rows_of(audit, "rows")
    ]
    keys = ("movement", "kind", "truth", "counted", "ratio", "interval", "geh")
    columns = [texts.t(f"label.{key}") for key in keys]
    if rows:
        yield table(texts.t("report.audited"), columns, rows, heads=2)
    yield facts((k, in_words(v, texts)) for k, v in audit.items() if k != "rows")


def _note(note: Mapping[str, Any], texts: Texts) -> str:
    """Return a warning or assumption in words, with its figures."""
    code = str(note.get("code", ""))
    own = texts.t(f"note.{code}") if texts.has(f"note.{code}") else str(note.get("text") or code)
    args = {**part_of(note, "args"), **{k: v for k, v in note.items() if k not in _NOTE_KEYS}}
    figures = "; ".join(
        f"{texts.or_raw('detail', key)}: {in_words(value, texts)}"
        for key, value in args.items()
        if value not in (None, "", [])
    )
    return f"{own} ({figures})" if figures else own


_NOTE_KEYS = frozenset({"code", "text", "args"})


def _notes(anchor: str, key: str, empty: str) -> Callable[[Summary, Texts], str]:
    """Return the section of the notes under ``key``."""

    def shown(summary: Summary, texts: Texts) -> str:
        items = bullets((_note(note, texts) for note in rows_of(summary, key)), anchor)
        return section(
            anchor, texts.t(f"section.{anchor}"), items or paragraph(texts.t(f"text.{empty}"))
        )

    return shown


assumed = _notes("assumed", "assumptions", "assumed_none")
warnings = _notes("warnings", "warnings", "no_warnings")


def not_known(summary: Summary, texts: Texts) -> str:
    """Return what is not known: kinds, movements, identities, what was hidden."""
    kinds = [texts.or_raw("kind", str(kind)).lower() for kind in summary.get("not_observed") or ()]
    unmatched = sum(
        float(part_of(m, "counts").get("total") or 0)
        for m in rows_of(summary, "movements")
        if (m.get("movement") or "unknown") == "unknown"
    )
    unknown = sum(
        float(part_of(gate, side).get("unknown") or 0)
        for gate in rows_of(summary, "gates")
        for side in ("to_left", "to_right")
    )
    items = [
        texts.t("text.unknown_kinds", kinds=", ".join(kinds)) if kinds else "",
        texts.t("text.unknown_unmatched", n=unmatched) if unmatched else "",
        texts.t("text.unknown_kind_count", n=unknown) if unknown else "",
        "" if time_is_known(summary) else texts.t("text.time_unknown"),
        texts.t("text.unknown_outside"),
        texts.t("text.unknown_identity"),
    ]
    return section("unknown", texts.t("section.unknown"), bullets(item for item in items if item))


def privacy(texts: Texts) -> str:
    """Return what was blurred and that nobody is identified."""
    keys = ("privacy_blur", "privacy_identity", "privacy_numbers", "privacy_raw")
    items = bullets(texts.t(f"text.{key}") for key in keys)
    return section("privacy", texts.t("section.privacy"), items)


def software(summary: Summary, texts: Texts) -> str:
    """Return versions, detector and the runs with their sources."""
    pairs = [
        (texts.t("label.software"), f"Calmstreet {summary.get('calmstreet', '')}".strip()),
        (texts.t("label.detector"), in_words(summary.get("detector"), texts)),
        (texts.t("label.site_version"), str(part_of(summary, "site").get("site_version") or "")),
    ]
    rows = [
        [
            str(run.get("run_id", "")),
            str(run.get("camera", "")),
            str(run.get("source", "")),
            texts.or_raw("state", str(run.get("state", ""))),
        ]
        for run in rows_of(summary, "runs")
    ]
    columns = [texts.t(f"label.{key}") for key in ("run", "camera", "source", "state")]
    runs = table(texts.t("label.runs"), columns, rows, heads=1, tails=3) if rows else ""
    return section("software", texts.t("section.software"), facts(pairs), runs)
