"""Every page in every language, opened and used in a real browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.desk.browsing import Desk, Visitor, visitor
from tests.shared_data import shared_data

LANGUAGES = ("en", "ru", "kk", "uz")
POINTS = "video/OTVision_Testvideo_Cars-Cyclist_FR20_2020-01-01_00-00-00.otrfpts"

pytestmark = pytest.mark.slow


@pytest.fixture(params=LANGUAGES)
def guest(
    request: pytest.FixtureRequest, browser: Any, desk: Desk, texts: dict[str, Any]
) -> Iterator[Visitor]:
    """Return somebody who is signed in; nothing may be said against the pages in the end."""
    language = str(request.param)
    one = visitor(browser, desk, texts[language], language=language)
    one.enter()
    yield one
    one.page.context.close()
    assert one.complaints == []


def result_of(guest: Visitor) -> str:
    found = guest.page.evaluate("fetch('/api/results').then(r => r.json())")
    return str(found[0]["result_id"])


def pages_of(result: str) -> dict[str, list[str]]:
    return {
        "map": ["#/map", f"#/map/{result}", f"#/map/{result}?view=drawing", "#/map?view=list"],
        "junction": [
            "#/junction",
            f"#/junction/{result}/north",
            f"#/junction/{result}/south",
            f"#/junction/{result}/north?view=compare",
        ],
        "review": ["#/review", "#/review?state=all"],
        "site": [f"#/site/{result}/north", *(f"#/site/{result}/south?part={p}" for p in PARTS)],
        "files": ["#/files"],
        "admin": ["#/admin", *(f"#/admin/{p}" for p in ("sessions", "storage", "audit"))],
        "account": ["#/account"],
    }


PARTS = ("calibrate", "draw", "propose")


def test_each_page_opens_in_its_language_and_is_accessible(guest: Visitor, axe: str) -> None:
    found: dict[str, list[str]] = {}
    for page, hashes in pages_of(result_of(guest)).items():
        for hash_ in hashes:
            guest.go(hash_)
            if page != "junction" or hash_ == "#/junction":
                assert guest.page.inner_text("main h1") == guest.say(f"nav.{page}")
            assert guest.page.locator("[role=alert]").count() == 0, hash_
            if wrong := guest.violations(axe):
                found[hash_] = wrong
    assert found == {}


@pytest.mark.parametrize(
    ("width", "height", "dark"), [(390, 844, True), (390, 844, False), (3840, 2160, True)]
)
def test_no_page_is_wider_than_a_phone_or_unreadable_in_the_dark(
    browser: Any, desk: Desk, texts: dict[str, Any], axe: str, width: int, height: int, dark: bool
) -> None:
    guest = visitor(
        browser, desk, texts["kk"], language="kk", width=width, height=height, dark=dark
    )
    guest.enter()
    for hashes in pages_of(result_of(guest)).values():
        guest.go(hashes[-1])
        over = guest.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert over <= 0, hashes[-1]
        assert guest.violations(axe) == [], hashes[-1]
    guest.page.context.close()
    assert guest.complaints == []


def test_a_camera_is_calibrated_from_a_file_of_points(guest: Visitor) -> None:
    points = shared_data(POINTS)
    guest.go(f"#/site/{result_of(guest)}/south?part=calibrate")
    guest.page.set_input_files("input[type=file]", points)
    guest.page.wait_for_selector("table tbody tr:nth-child(5)")
    guest.page.wait_for_function(
        "words => words.some(word => document.querySelector('main').innerText.includes(word))",
        arg=[guest.say("calibration.sketch"), guest.say("calibration.trusted")],
    )
    assert guest.page.locator("polyline.grid-line").count() > 3
    guest.button("site.use_plane").click()
    assert guest.page.get_by_text(guest.say("site.changed")).is_visible()


def test_a_gate_is_drawn_refused_mended_and_proposed(guest: Visitor) -> None:
    guest.go(f"#/site/{result_of(guest)}/south?part=draw")
    guest.page.get_by_role("button", name=guest.say("tool.gate"), exact=True).click()
    picture = guest.page.locator("svg.picking")
    box = picture.bounding_box()
    x, y = box["x"], box["y"]
    for across, down in ((0.2, 0.5), (0.7, 0.55)):
        guest.page.mouse.click(x + across * box["width"], y + down * box["height"])
    guest.page.keyboard.press("Enter")
    guest.page.wait_for_selector("path.arrow.to_left")
    name = guest.page.get_by_label(guest.say("draw.id"), exact=True)
    name.fill("No Good")
    name.press("Tab")
    guest.page.wait_for_selector("li.note.bad")
    name.fill("far-side")
    name.press("Tab")
    guest.page.get_by_text(guest.say("draw.possible")).wait_for()
    guest.page.get_by_role("button", name=f"3. {guest.say('site.propose')}").click()
    guest.page.locator("form button.main").click()
    guest.page.wait_for_selector("pre .more")
    assert "far-side" in guest.page.inner_text("pre")
    guest.button("propose.withdraw").click()
    guest.page.get_by_text(guest.say("draft_state.withdrawn")).first.wait_for()


def at_next_event(guest: Visitor, before: str) -> str:
    """Wait until another event than ``before`` is there whole, and return its id."""
    guest.page.wait_for_function(
        "id => { const shown = document.querySelector('article[data-event]')?.dataset.event;"
        " return shown && shown !== id && location.hash.includes(shown) }",
        arg=before,
    )
    return str(guest.page.get_attribute("article[data-event]", "data-event"))


def test_an_event_is_reviewed_with_the_keyboard_alone(guest: Visitor) -> None:
    guest.go("#/review?state=all")
    first = at_next_event(guest, "")
    guest.page.keyboard.press("j")
    second = at_next_event(guest, first)
    guest.page.keyboard.press("n")
    guest.page.keyboard.type("seen twice")
    guest.page.keyboard.press("Control+Enter")
    guest.page.get_by_text("seen twice").first.wait_for()
    guest.page.keyboard.press("r")
    guest.page.wait_for_selector(".asked kbd")
    guest.page.keyboard.press("1")
    third = at_next_event(guest, second)
    guest.page.keyboard.press("a")
    at_next_event(guest, third)
    guest.page.keyboard.press("?")
    guest.page.get_by_role("dialog").wait_for()
    guest.page.keyboard.press("Escape")
    ask = "state => fetch(`/api/events?state=${state}`).then(r => r.json())"
    assert second in str(guest.page.evaluate(ask, "rejected"))
    assert third in str(guest.page.evaluate(ask, "accepted"))


def test_two_periods_are_compared_with_their_interval_and_warning(guest: Visitor) -> None:
    guest.go(f"#/junction/{result_of(guest)}/north?view=compare")
    guest.page.wait_for_selector("circle.ratio")
    assert guest.page.get_by_text(guest.say("compare.mind")).is_visible()
    assert guest.page.locator("line.interval").count() > 0


def test_what_was_not_watched_is_a_gap_in_the_table(guest: Visitor) -> None:
    guest.go(f"#/junction/{result_of(guest)}/north")
    panel = guest.page.locator("#counts")
    panel.get_by_role("button", name=guest.say("counts.hour")).click()
    panel.get_by_role("button", name=guest.say("view.table")).click()
    panel.get_by_text(guest.say("flag.not_watched")).first.wait_for()


def test_numbers_are_exported(guest: Visitor, tmp_path: Path) -> None:
    guest.go(f"#/junction/{result_of(guest)}/north")
    guest.page.locator("summary", has_text=guest.say("export.title")).click()
    for form in ("counts_csv", "counts_xlsx", "counts_png", "report_pdf"):
        with guest.page.expect_download() as waiting:
            guest.button(f"export.{form}").click()
        path = tmp_path / form
        waiting.value.save_as(path)
        assert path.stat().st_size > 200, form


def test_a_clip_is_handed_in_and_its_analysis_asked_for(guest: Visitor, tmp_path: Path) -> None:
    clip = tmp_path / f"clip-{guest.say('language.name')}.mp4"
    clip.write_bytes(b"\x00\x00\x00\x18ftypmp42" + bytes(4000))
    guest.go("#/files")
    guest.page.set_input_files("input[type=file]", clip)
    guest.page.get_by_text(clip.name).first.wait_for()
    guest.page.get_by_label(guest.say("files.name")).fill("handed-in")
    guest.button("files.analyse", n=1).click()
    guest.page.get_by_text(guest.say("job_state.waiting")).first.wait_for()
    guest.button("files.cancel").first.click()
    guest.page.get_by_text(guest.say("job_state.cancelled")).first.wait_for()


def test_language_and_colours_are_chosen_by_keyboard_and_kept(guest: Visitor) -> None:
    guest.page.locator("header select").nth(1).select_option("dark")
    assert guest.page.evaluate("document.documentElement.dataset.theme") == "dark"
    guest.page.reload()
    guest.page.wait_for_selector("header .account")
    assert guest.page.evaluate("document.documentElement.dataset.theme") == "dark"
    guest.page.keyboard.press("Tab")
    assert guest.page.evaluate("document.activeElement.className").startswith("skip")


def test_who_may_not_enter_is_told_so(browser: Any, desk: Desk, texts: dict[str, Any]) -> None:
    guest = visitor(browser, desk, texts["ru"], language="ru")
    guest.page.goto(desk.address)
    guest.page.fill("input[autocomplete=username]", desk.name)
    guest.page.fill("input[type=password]", "not the password")
    guest.page.click("form button.main")
    guest.page.get_by_text(guest.say("signin.wrong")).wait_for()
    guest.page.context.close()


def test_without_webgl_the_map_is_a_drawing(
    browser: Any, desk: Desk, texts: dict[str, Any]
) -> None:
    guest = visitor(browser, desk, texts["uz"], language="uz")
    guest.page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    guest.enter()
    guest.go(f"#/map/{result_of(guest)}")
    assert guest.page.get_by_text(guest.say("map.no_webgl")).is_visible()
    assert guest.page.locator("svg polyline.gate").count() > 0
    guest.page.context.close()
    assert guest.complaints == []
