"""What people do at the desk, done in every language: calibrate, draw, review, compare, export."""

from pathlib import Path
from typing import Any

import pytest
from tests.desk.browsing import Desk, Visitor, visiting
from tests.desk.town import a_clip, a_points_file
from tests.shared_data import has_shared_data, shared_data

OTVISION = "video/OTVision_Testvideo_Cars-Cyclist_FR20_2020-01-01_00-00-00.otrfpts"

pytestmark = pytest.mark.slow


def points_and_place(guest: Visitor, folder: Path) -> tuple[Path, str, int]:
    """Return measured points, the camera whose picture has their shape, and how many there are.

    Those that OTVision publishes where the outside data is here, else those of the filmed street.
    """
    ids = guest.results()
    if has_shared_data(OTVISION):
        return shared_data(OTVISION), f"{ids['abay']}/south", 5
    return a_points_file(folder / "street.otrfpts"), f"{ids['street']}/stage", 8


def wait_for_either(guest: Visitor, *keys: str) -> None:
    words = [guest.say(key) for key in keys]
    guest.page.wait_for_function(
        "words => words.some(word => document.querySelector('main').innerText.includes(word))",
        arg=words,
    )


def click_within(guest: Visitor, selector: str, *shares: tuple[float, float]) -> None:
    """Click places of an element, given as shares of its width and height."""
    place = guest.page.locator(selector)
    place.scroll_into_view_if_needed()
    box = place.bounding_box()
    for across, down in shares:
        guest.page.mouse.click(box["x"] + across * box["width"], box["y"] + down * box["height"])


def test_a_camera_is_calibrated_from_a_file_of_points(guest: Visitor, tmp_path: Path) -> None:
    points, place, n = points_and_place(guest, tmp_path)
    guest.go(f"#/site/{place}?part=calibrate")
    guest.page.set_input_files("input[type=file]", points)
    rows = guest.page.locator("table").first.locator("tbody tr")
    rows.nth(n - 1).wait_for()
    wait_for_either(guest, "calibration.sketch", "calibration.trusted")
    assert rows.count() == n
    assert guest.page.locator("polyline.grid-line").count() > 3
    guest.button("site.use_plane").click()
    guest.wait_for("site.changed")
    click_within(guest, "svg.picking", (0.5, 0.75))
    rows.nth(n).wait_for()
    for cell, typed in zip(rows.nth(n).locator("input").all()[2:], ("7.5", "51,1"), strict=True):
        cell.fill(typed)
        cell.press("Tab")
    rows.nth(n).get_by_role("button", name=guest.say("action.remove")).click()
    assert rows.count() == n


def test_points_that_were_picked_by_hand_lie_where_they_were_picked(
    browser: Any, desk: Desk, texts: dict[str, Any]
) -> None:
    with visiting(browser, desk, texts, language="en") as guest:
        guest.go(f"#/site/{guest.results()['abay']}/south?part=calibrate")
        spots = ((0.2, 0.3), (0.8, 0.3), (0.9, 0.8), (0.1, 0.9), (0.5, 0.5))
        for spot in spots:
            click_within(guest, "svg.picking", spot)
            click_within(guest, f"svg[aria-label='{guest.say('site.plan')}']", spot)
        wait_for_either(guest, "calibration.sketch", "calibration.trusted")
        cells = guest.page.locator("table tbody tr").nth(1).locator("input")
        x_px, y_px, east_m, north_m = (float(cell.input_value()) for cell in cells.all())
        assert (x_px, y_px) == pytest.approx((640, 180), abs=1.5)
        assert east_m > 0
        assert north_m > 0


def draw(guest: Visitor, tool: str, *corners: tuple[float, float]) -> None:
    guest.page.get_by_role("button", name=guest.say(f"tool.{tool}"), exact=True).click()
    click_within(guest, "svg.picking", *corners)
    if tool != "lamp":
        guest.page.keyboard.press("Enter")


def test_a_site_is_drawn_refused_mended_proposed_confirmed_and_counted_anew(
    guest: Visitor,
) -> None:
    result = guest.results()["street"]
    gate = f"far-side-{guest.language}"
    guest.go(f"#/site/{result}/stage?part=draw")
    guest.page.wait_for_selector("polyline.gate.metric", state="attached")
    draw(guest, "mask", (0.02, 0.05), (0.2, 0.05), (0.2, 0.2))
    draw(guest, "lamp", (0.5, 0.1), (0.52, 0.13))
    draw(guest, "gate", (0.3, 0.5), (0.6, 0.55))
    name = guest.page.get_by_label(guest.say("draw.id"), exact=True)
    name.fill("No Good")
    name.press("Tab")
    guest.page.wait_for_selector("li.note.bad")
    name.fill(gate)
    name.press("Tab")
    guest.wait_for("draw.possible")
    guest.page.get_by_role("button", name=f"3. {guest.say('site.propose')}").click()
    guest.page.locator("form button.main").click()
    guest.page.wait_for_selector("pre .more")
    assert gate in guest.page.inner_text("pre")
    guest.button("propose.withdraw").click()
    guest.wait_for("draft_state.withdrawn")
    guest.page.locator("form button.main").click()
    guest.button("propose.confirm").click()
    guest.wait_for("propose.confirmed_rerun")
    guest.page.locator("p.note.good a").click()
    open_result(guest, guest.say("job.recount"))
    anew = guest.page.evaluate("location.hash.split('/')[2]")
    assert anew != result
    for counted in (result, anew):
        assert gate in str(guest.ask(f"/api/results/{counted}/site")["toml"])


def open_result(guest: Visitor, work: str) -> None:
    """Wait until the newest work of a name is done, and open what came of it."""
    newest = guest.page.locator("li.job", has_text=work).first
    newest.get_by_text(guest.say("job_state.done"), exact=True).wait_for()
    newest.get_by_role("link", name=guest.say("files.open_result")).click()
    guest.page.wait_for_function("() => location.hash.startsWith('#/junction/')")
    guest.settle()
    assert guest.page.locator("[role=alert]").count() == 0


def at_next_event(guest: Visitor, before: str) -> str:
    """Wait until another event than ``before`` is there whole, and return its id."""
    guest.page.wait_for_function(
        "id => { const shown = document.querySelector('article[data-event]')?.dataset.event;"
        " return shown && shown !== id && location.hash.includes(shown) }",
        arg=before,
    )
    return str(guest.page.get_attribute("article[data-event]", "data-event"))


def test_events_are_reviewed_with_the_keyboard_alone(guest: Visitor) -> None:
    said = f"seen twice ({guest.language})"
    guest.go(f"#/review?result={guest.results()['crossing']}")
    first = at_next_event(guest, "")
    guest.page.keyboard.press("j")
    second = at_next_event(guest, first)
    guest.page.keyboard.press("n")
    guest.page.wait_for_selector("textarea:focus")
    guest.page.keyboard.type(said)
    guest.page.keyboard.press("Control+Enter")
    guest.page.get_by_text(said).first.wait_for()
    guest.page.keyboard.press("r")
    guest.page.wait_for_selector(".asked button:focus")
    guest.page.keyboard.press("1")
    third = at_next_event(guest, second)
    guest.page.keyboard.press("a")
    fourth = at_next_event(guest, third)
    guest.page.keyboard.press("e")
    guest.page.wait_for_selector("textarea:focus")
    guest.page.keyboard.press("Control+Enter")
    at_next_event(guest, fourth)
    guest.page.keyboard.press("?")
    guest.page.get_by_role("dialog").wait_for()
    guest.page.keyboard.press("Escape")
    for state, event in (("rejected", second), ("accepted", third), ("escalated", fourth)):
        assert event in str(guest.ask(f"/api/events?state={state}"))


def test_the_clip_of_an_event_is_played_and_sought(guest: Visitor) -> None:
    guest.go(f"#/review?result={guest.results()['street']}&kind=red-light&state=all")
    at_next_event(guest, "")
    video = guest.page.locator("video")
    guest.page.wait_for_function("() => document.querySelector('video').readyState >= 2")
    guest.page.keyboard.press("ArrowRight")
    sought = video.evaluate("video => video.currentTime")
    guest.page.keyboard.press("Space")
    guest.page.wait_for_function(
        "from => document.querySelector('video').currentTime > from", arg=sought + 0.2
    )
    wait_for_either(guest, "review.reasons")


def test_speeds_stand_with_their_interval(guest: Visitor) -> None:
    guest.go(f"#/junction/{guest.results()['street']}/stage")
    panel = guest.page.locator("#speeds")
    panel.locator("table tbody tr").first.wait_for()
    assert panel.get_by_text("v85").count() > 0


def test_two_periods_are_compared_with_their_interval_and_warning(guest: Visitor) -> None:
    guest.go(f"#/junction/{guest.results()['abay']}/north?view=compare")
    guest.page.wait_for_selector("circle.ratio")
    assert guest.page.get_by_text(guest.say("compare.mind")).is_visible()
    assert guest.page.locator("line.interval").count() > 0


def test_what_was_not_watched_is_a_gap_in_the_table(guest: Visitor) -> None:
    guest.go(f"#/junction/{guest.results()['abay']}/north")
    panel = guest.page.locator("#counts")
    panel.get_by_role("button", name=guest.say("counts.hour"), exact=True).click()
    panel.get_by_role("button", name=guest.say("view.table"), exact=True).click()
    panel.get_by_text(guest.say("flag.not_watched")).first.wait_for()


def test_numbers_are_exported(guest: Visitor, tmp_path: Path) -> None:
    guest.go(f"#/junction/{guest.results()['abay']}/north")
    guest.page.locator("summary", has_text=guest.say("export.title")).click()
    for form in ("counts_csv", "counts_xlsx", "counts_png", "report_pdf"):
        with guest.page.expect_download() as waiting:
            guest.button(f"export.{form}").click()
        path = tmp_path / form
        waiting.value.save_as(path)
        assert path.stat().st_size > 200, form


def test_a_clip_is_handed_in_and_followed_to_its_result(guest: Visitor, tmp_path: Path) -> None:
    clip = a_clip(tmp_path / f"clip-{guest.language}_2026-03-02_07-30-00.mp4")
    guest.go("#/files")
    guest.page.set_input_files("input[type=file]", clip)
    guest.page.get_by_text(clip.name).first.wait_for()
    guest.page.get_by_label(guest.say("files.name")).fill(f"handed-in-{guest.language}")
    guest.button("files.analyse", n=1).click()
    open_result(guest, clip.name)
    assert f"handed-in-{guest.language}" in guest.results()
    kept = (guest.desk.place / "desk" / "uploads").glob("*")
    assert list(kept) == []


def test_somebody_new_looks_and_may_do_no_more(
    guest: Visitor, browser: Any, desk: Desk, texts: dict[str, Any]
) -> None:
    name = f"viewer-{guest.language}"
    guest.go("#/admin")
    guest.page.get_by_label(guest.say("signin.name"), exact=True).fill(name)
    guest.button("admin.add_user").click()
    once = guest.page.locator("code.password").inner_text()
    with visiting(browser, desk, texts, language=guest.language, entered=False) as other:
        other.sign_in(name, once)
        other.choose_password(once, f"{once} of my own")
        other.go(f"#/junction/{other.results()['street']}/stage")
        assert other.page.locator("nav a[href='#/map']").count() == 1
        assert other.page.locator("nav a[href='#/admin'], nav a[href='#/files']").count() == 0
        assert other.page.get_by_text(other.say("export.title"), exact=True).count() == 0
    guest.page.keyboard.press("Escape")
    guest.go("#/admin/audit")
    guest.page.get_by_text(name).first.wait_for()
    assert guest.page.locator(".badge.good").count() == 1
