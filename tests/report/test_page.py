import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from tests.report.pages import HOSTILE, a_picture, a_summary

from calmstreet.errors import InputError
from calmstreet.report.page import report_html, write_report
from calmstreet.report.texts import LANGUAGES, texts

VOID = {"meta", "img", "br", "link", "path", "use", "input", "hr"}


class Outline(HTMLParser):
    """Reads tags, attributes, headings and text; checks that tags close in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.text.append(data)

    def words(self) -> str:
        return " ".join(self.text)


def page_of(lang: str = "en", **changes: object) -> str:
    return report_html(
        summary=a_summary(**changes),
        pictures={"trajectories": a_picture(), "site-north": a_picture()},
        charts={"shares": '<svg role="img"></svg>'},
        lang=lang,
    )


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_is_well_formed_and_says_its_language(lang: str) -> None:
    outline = Outline(page_of(lang))
    tags = dict(outline.tags)
    assert tags["html"]["lang"] == lang
    headings = [int(tag[1]) for tag, _ in outline.tags if re.fullmatch(r"h[1-6]", tag)]
    assert headings[0] == 1
    assert headings.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(headings))
    assert texts(lang).t("section.privacy") in outline.words()


def test_nothing_is_loaded_from_anywhere() -> None:
    page = page_of()
    outline = Outline(page)
    policy = next(a["content"] for t, a in outline.tags if a.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert "script" not in policy
    assert {t for t, _ in outline.tags} & {"script", "link", "iframe", "object", "base"} == set()
    addresses = [a[k] for _, a in outline.tags for k in ("src", "href", "action") if k in a]
    assert addresses
    assert all(str(at).startswith(("data:image/", "#")) for at in addresses)
    assert not re.search(r"https?:|url\(|@import|//[a-z]", page)


def test_every_link_has_its_target_and_every_id_is_single() -> None:
    outline = Outline(page_of())
    ids = [str(a["id"]) for _, a in outline.tags if "id" in a]
    assert len(ids) == len(set(ids))
    targets = {str(a["href"])[1:] for t, a in outline.tags if t == "a"}
    assert targets <= set(ids)


def test_pictures_have_words_and_tables_have_heads() -> None:
    outline = Outline(page_of())
    assert all(a.get("alt") for t, a in outline.tags if t == "img")
    assert all(a.get("scope") in ("col", "row") for t, a in outline.tags if t == "th")
    tables = [t for t, _ in outline.tags if t == "table"]
    assert len(tables) == len([t for t, _ in outline.tags if t == "caption"]) > 2


def test_hostile_names_stay_text() -> None:
    counts = {"total": 1}
    changes = {
        "site": {"name": HOSTILE, "id": "x", "tz": "UTC", "site_version": HOSTILE},
        "cameras": [HOSTILE],
        "calmstreet": HOSTILE,
        "gates": [{"camera": HOSTILE, "gate": HOSTILE, "to_left": counts, "to_right": counts}],
        "movements": [{"movement": HOSTILE, "from": HOSTILE, "to": HOSTILE, "counts": counts}],
        "not_observed": [HOSTILE],
        "detector": {HOSTILE: HOSTILE},
        "light": HOSTILE,
        "warnings": [{"code": HOSTILE, "text": HOSTILE, "args": {HOSTILE: HOSTILE}}],
        "audit": {"rows": [{"what": HOSTILE}], HOSTILE: HOSTILE},
    }
    page = report_html(
        summary=a_summary(**changes),
        pictures={HOSTILE: a_picture()},
        charts={HOSTILE: "<svg></svg>"},
        known_errors=[{"clip": HOSTILE, "note": HOSTILE}],
    )
    outline = Outline(page)
    assert {t for t, _ in outline.tags} & {"script"} == set()
    assert not [a for _, a in outline.tags if "onerror" in a]
    assert "{{lang}}" in outline.words()


@pytest.mark.parametrize("summary", [{}, {"runs": [{}]}, {"gates": [{}], "movements": [{}]}])
def test_a_poor_summary_still_gives_a_page(summary: dict[str, object]) -> None:
    for lang in LANGUAGES:
        Outline(report_html(summary=summary, pictures={}, charts={}, lang=lang))


def test_numbers_and_times_are_written_the_local_way() -> None:
    english, russian = Outline(page_of("en")).words(), Outline(page_of("ru")).words()
    assert "1,277" in english
    assert "1\u202f277" in russian
    assert "24.87 frames/s" in english
    assert "24,87 кадр/с" in russian
    assert "2026-03-02 07:00:00" in english
    assert "02.03.2026 07:00:00" in russian
    assert "02.03.2026 07:15–08:15" in russian
    assert "50.0%" in english


def test_an_unknown_clock_prints_no_time_of_day() -> None:
    run = {"run_id": 1, "start": 0.0, "end": 60.0, "time_known": "unknown", "state": "partial"}
    words = Outline(page_of(runs=[run], peak_hour=None)).words()
    assert "Clock time unknown" in words
    assert "1970" not in words
    assert "Partial result" in words
    assert "No peak hour" in words


def test_what_the_detector_cannot_tell_is_a_dash_and_not_a_zero() -> None:
    page = page_of()
    row = re.search(r'<tr><th scope="row">line</th>.*?</tr>', page)
    assert row is not None
    assert re.findall(r'<td class="n">(.*?)</td>', row[0])[:3] == ["1,234", "–", "0"]
    assert "Kinds not observed by this detector: vans." in page


def test_it_says_that_nobody_audited_and_shows_an_audit_when_there_is_one() -> None:
    assert 'href="#errors">Not audited on this camera' in page_of()
    row = {"what": "n-s", "kind": "car", "truth": 100, "counted": 98, "ratio": 0.98,
           "low": 0.93, "high": 1.03, "geh": 0.2}  # fmt: skip
    page = page_of(audit={"rows": [row]})
    assert 'href="#errors">Audited on this camera' in page
    assert "0.93 – 1.03" in page
    assert "not been checked against hand counts" not in page


def test_warnings_speak_the_language_and_keep_their_figures() -> None:
    words = Outline(page_of("ru")).words()
    assert texts("ru").t("note.gap") + " (сеансы: 2)" in words
    odd = page_of("kk", warnings=[{"code": "new-thing", "text": "A new thing."}])
    assert "A new thing." in odd


def test_known_errors_are_a_table_with_ratios() -> None:
    rows = [{"clip": "freeway", "view": "high", "light": "day", "truth": 32, "counted": 31}]
    page = report_html(summary=a_summary(), pictures={}, charts={}, known_errors=rows)
    assert "0.97" in page
    assert "freeway" in page


def test_the_file_is_written_or_the_folder_is_named(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_report(path, summary=a_summary(), pictures={}, charts={}, lang="uz")
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    with pytest.raises(InputError, match="nowhere"):
        write_report(tmp_path / "nowhere" / "r.html", summary={}, pictures={}, charts={})
    with pytest.raises(InputError, match="en, ru, kk, uz"):
        report_html(summary={}, pictures={}, charts={}, lang="fr")


def test_the_same_summary_gives_the_same_bytes() -> None:
    assert page_of("kk") == page_of("kk")
