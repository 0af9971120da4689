"""Takes the pictures of ``docs/pictures`` from a desk that is served for them: ``make pictures``.

``python -m tests.desk.pictures [FOLDER]`` needs what the tests of this folder need.
"""

import json
import shutil
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image
from tests.desk.browsing import Desk, Visitor, visiting
from tests.desk.conftest import FLAGS, FRONTEND, PASSWORD
from tests.desk.serving import served
from tests.desk.town import build_town

ROOT = FRONTEND.parent
HOURS_OF_TRAFFIC = 1.0
CALM_MS = 700
WIDEST_KEPT_PX = 1440
COLOURS = 96


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One picture: which page in which language, look and size."""

    name: str
    page: str
    language: str = "en"
    size: tuple[int, int] = (1366, 900)
    dark: bool = False


SHOTS = (
    Shot(name="desk-map", page="#/map/{crossing}"),
    Shot(name="desk-junction", page="#/junction/{crossing}/north"),
    Shot(name="desk-compare", page="#/junction/{abay}/north?view=compare"),
    Shot(name="desk-review", page="#/review?result={crossing}"),
    Shot(name="desk-clip-kk", page="#/review?result={street}&kind=red-light", language="kk",
         dark=True),
    Shot(name="desk-calibrate", page="#/site/{street}/stage?part=calibrate"),
    Shot(name="desk-draw", page="#/site/{street}/stage?part=draw"),
    Shot(name="desk-phone-uz", page="#/junction/{crossing}/north", language="uz",
         size=(390, 844), dark=True),
    Shot(name="desk-phone-calibrate-uz", page="#/site/{street}/stage?part=calibrate",
         language="uz", size=(390, 844)),
    Shot(name="desk-wall-ru", page="#/junction/{crossing}/north", language="ru",
         size=(3840, 2160)),
)  # fmt: skip


def take(guest: Visitor, shot: Shot, folder: Path) -> None:
    """Open a page, wait until it stands still, and write its picture, small enough to be kept."""
    guest.go(shot.page.format(**guest.results()))
    guest.page.wait_for_timeout(CALM_MS)
    path = folder / f"{shot.name}.png"
    guest.page.screenshot(path=str(path))
    with Image.open(path) as picture:
        shrink = min(1.0, WIDEST_KEPT_PX / picture.width)
        size = (round(picture.width * shrink), round(picture.height * shrink))
        small = picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    small.quantize(COLOURS).save(path, optimize=True)


def take_all(browser: Any, place: Path, folder: Path) -> None:
    """Build a town, serve it, and take every picture."""
    texts = {
        path.stem: json.loads(path.read_text("utf-8"))
        for path in (FRONTEND / "src" / "texts").glob("*.json")
    }
    with served(build_town(place, hours=HOURS_OF_TRAFFIC).config) as first:
        desk = Desk(
            address=first.address, name=first.name, password=PASSWORD, place=place, entered={}
        )
        with visiting(browser, desk, texts, language="en", entered=False) as guest:
            guest.sign_in(first.name, first.password)
            guest.choose_password(first.password, PASSWORD)
            desk = replace(desk, entered=guest.page.context.storage_state())
        for shot in SHOTS:
            width, height = shot.size
            with visiting(
                browser,
                desk,
                texts,
                language=shot.language,
                width=width,
                height=height,
                dark=shot.dark,
            ) as guest:
                take(guest, shot, folder)


def main(arguments: list[str]) -> None:
    """Take the pictures into a folder, ``docs/pictures`` unless another is given."""
    from playwright.sync_api import sync_playwright

    folder = Path(arguments[0]) if arguments else ROOT / "docs" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("no Chromium is here: apt-get install chromium")
    with tempfile.TemporaryDirectory() as place, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=list(FLAGS))
        take_all(browser, Path(place), folder)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
