"""Every page in every language: it opens, fits, is accessible in the light and in the dark."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.desk.browsing import Desk, Visitor, visiting

pytestmark = pytest.mark.slow

SIZES = ((390, 844), (1366, 900), (3840, 2160))
WALKS = [("en", SIZES[1], False), ("ru", SIZES[0], True), ("kk", SIZES[0], False)]
WALKS.append(("uz", SIZES[1], True))
PARTS = ("calibrate", "draw", "propose")


def pages_of(guest: Visitor) -> Iterator[tuple[str, str]]:
    """Yield name and address of every page, and of its parts, views and states."""
    ids = guest.results()
    abay, street, crossing = ids["abay"], ids["street"], ids["crossing"]
    for rest in ("", f"/{street}", f"/{abay}?view=drawing", f"/{crossing}", "?view=list"):
        yield "map", f"#/map{rest}"
    yield "junction", "#/junction"
    for rest in (f"{abay}/north", f"{abay}/south", f"{street}/stage", f"{crossing}/north"):
        yield "", f"#/junction/{rest}"
    yield "", f"#/junction/{abay}/north?view=compare"
    yield "review", f"#/review?result={street}"
    yield "review", f"#/review?result={crossing}&state=all"
    yield "review", "#/review?state=escalated"
    yield "site", f"#/site/{abay}/north"
    yield from (("site", f"#/site/{abay}/south?part={part}") for part in PARTS)
    yield from (("site", f"#/site/{street}/stage?part={part}") for part in PARTS)
    yield "files", "#/files"
    yield "admin", "#/admin"
    yield from (("admin", f"#/admin/{part}") for part in ("sessions", "storage", "audit"))
    yield "account", "#/account"


@pytest.mark.parametrize(("language", "size", "dark"), WALKS)
def test_each_page_opens_fits_and_is_accessible(
    browser: Any,
    desk: Desk,
    texts: dict[str, Any],
    axe: str,
    language: str,
    size: tuple[int, int],
    dark: bool,
) -> None:
    wrong: list[str] = []
    with visiting(
        browser, desk, texts, language=language, width=size[0], height=size[1], dark=dark
    ) as guest:
        for name, hash_ in pages_of(guest):
            guest.go(hash_)
            if name:
                assert guest.page.inner_text("main h1") == guest.say(f"nav.{name}")
            assert guest.page.locator("[role=alert]").count() == 0, hash_
            found = guest.violations(axe)
            guest.look(dark=not dark)
            found += guest.violations(axe, rules=["color-contrast"])
            guest.look(dark=dark)
            for width, height in (*SIZES, size):
                guest.page.set_viewport_size({"width": width, "height": height})
                if (over := guest.too_wide_px()) > 0:
                    found.append(f"{over} px wider than {width}")
            wrong += [f"{hash_}: {sentence}" for sentence in found]
    assert wrong == []


def test_who_may_not_enter_is_told_so(
    browser: Any, desk: Desk, texts: dict[str, Any], axe: str
) -> None:
    for language in texts:
        with visiting(browser, desk, texts, language=language, entered=False) as guest:
            guest.page.goto(desk.address)
            guest.page.wait_for_selector("form")
            assert guest.violations(axe) == []
            guest.look(dark=True)
            assert guest.violations(axe, rules=["color-contrast"]) == []
            guest.sign_in(desk.name, "not the password")
            guest.wait_for("signin.wrong")
            refused = [line for line in guest.complaints if "401" in line]
            assert len(refused) == len(guest.complaints)
            guest.complaints.clear()


def test_without_webgl_the_map_is_a_drawing(
    browser: Any, desk: Desk, texts: dict[str, Any]
) -> None:
    blind = "HTMLCanvasElement.prototype.getContext = () => null"
    with visiting(browser, desk, texts, language="uz", init=blind) as guest:
        guest.go(f"#/map/{guest.results()['abay']}")
        guest.wait_for("map.no_webgl")
        assert guest.page.locator("svg polyline.gate").count() > 0


def test_language_and_colours_are_chosen_by_keyboard_and_kept(guest: Visitor) -> None:
    guest.page.locator("header select").nth(1).select_option("dark")
    assert guest.page.evaluate("document.documentElement.dataset.theme") == "dark"
    guest.page.reload()
    guest.page.wait_for_selector("header .account")
    assert guest.page.evaluate("document.documentElement.dataset.theme") == "dark"
    guest.page.keyboard.press("Tab")
    assert guest.page.evaluate("document.activeElement.className").startswith("skip")
