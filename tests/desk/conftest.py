"""A desk that serves its built pages, and Debian's Chromium in front of it.

Skipped with the reason where Chromium, playwright, axe-core or the built pages lack;
CALMSTREET_REQUIRE_BROWSER=1 makes that a failure.
"""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest
from tests.desk.browsing import LANGUAGES, Desk, Visitor, visiting
from tests.desk.serving import served
from tests.desk.town import Town, build_town, copied

from calmstreet.web.pages import Pages, built_pages

FRONTEND = Path(__file__).resolve().parents[2] / "frontend"
PASSWORD = "a desk in the window"
FLAGS = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-gpu-compositing",
    "--disable-gpu-rasterization",
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


def lacking(reason: str) -> NoReturn:
    """Skip, or fail where the browser is required."""
    if os.environ.get("CALMSTREET_REQUIRE_BROWSER") == "1":
        pytest.fail(f"CALMSTREET_REQUIRE_BROWSER=1, but {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def texts() -> dict[str, Any]:
    """Return the catalogues of the pages by language."""
    folder = FRONTEND / "src" / "texts"
    return {path.stem: json.loads(path.read_text("utf-8")) for path in folder.glob("*.json")}


@pytest.fixture(scope="session")
def axe() -> str:
    """Return axe-core, which checks pages for accessibility."""
    path = FRONTEND / "node_modules" / "axe-core" / "axe.min.js"
    if not path.is_file():
        lacking("axe-core is not here: npm ci in frontend, or make web-check")
    return path.read_text("utf-8")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Return Chromium; playwright drives the system's own and never fetches one.

    One for each module: as long as playwright runs no other test of the process can run a loop.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        lacking("playwright is not installed: pip install calmstreet[browser]")
    chromium = os.environ.get("CALMSTREET_CHROMIUM") or shutil.which("chromium")
    if not chromium:
        lacking("no Chromium is here: apt-get install chromium, or set CALMSTREET_CHROMIUM")
    if not Pages(built_pages()).are_built:
        lacking("the pages are not built: make web")
    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield started
        started.close()


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Town:
    """Return the town as nobody has opened it yet."""
    return build_town(tmp_path_factory.mktemp("town"))


@pytest.fixture(scope="module")
def desk(
    browser: Any,
    texts: dict[str, Any],
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Desk]:
    """Serve the town; its administrator has signed in for the first time, in the browser."""
    town = copied(request.getfixturevalue("built"), tmp_path_factory.mktemp("desk") / "town")
    with served(town.config) as first:
        door = Desk(
            address=first.address, name=first.name, password=PASSWORD, place=town.place, entered={}
        )
        with visiting(browser, door, texts, language="en", entered=False) as guest:
            guest.sign_in(first.name, first.password)
            guest.choose_password(first.password, PASSWORD)
            entered = guest.page.context.storage_state()
        yield replace(door, entered=entered)


@pytest.fixture(params=LANGUAGES)
def guest(
    request: pytest.FixtureRequest, browser: Any, desk: Desk, texts: dict[str, Any]
) -> Iterator[Visitor]:
    """Return somebody who is signed in and reads one of the languages."""
    with visiting(browser, desk, texts, language=str(request.param)) as one:
        yield one
