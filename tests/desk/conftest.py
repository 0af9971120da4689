"""A desk that serves its built pages, and a browser in front of it; skipped where either lacks."""

import json
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import uvicorn
from argon2 import PasswordHasher
from tests.desk.browsing import Desk
from tests.web.desks import Person, a_node, add_person

from calmstreet.web import passwords
from calmstreet.web.app import create_app
from calmstreet.web.pages import Pages, built_pages

FRONTEND = Path(__file__).resolve().parents[2] / "frontend"
PASSWORD = "a desk in the window"
ADMINISTRATOR = Person(role="administrator")


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
        pytest.skip("axe-core is not here: npm ci in frontend")
    return path.read_text("utf-8")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Return Chromium, or skip with the reason."""
    driver = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pip install playwright"
    )
    chromium = os.environ.get("CALMSTREET_CHROMIUM") or shutil.which("chromium")
    if not chromium:
        pytest.skip("no Chromium here: apt-get install chromium, or set CALMSTREET_CHROMIUM")
    if not Pages(built_pages()).are_built:
        pytest.skip("the pages are not built: make web")
    flags = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
    with driver.sync_playwright() as play:
        started = play.chromium.launch(executable_path=chromium, args=flags)
        yield started
        started.close()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Serve a small node with one administrator."""
    place = tmp_path_factory.mktemp("desk")
    node = a_node(place)
    with sqlite3.connect(place / "results" / "abay" / "catalogue.sqlite") as catalogue:
        catalogue.execute(
            "UPDATE runs SET width_px = 800, height_px = 600 WHERE camera_id = 'south'"
        )
    catalogue.close()
    for picture in (place / "results" / "abay" / "pictures").glob("*.png"):
        cv2.imwrite(str(picture), np.full((600, 800, 3), 90, np.uint8))
    slow = passwords._HASHER
    passwords._HASHER = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    add_person(node, ADMINISTRATOR, password_hash=passwords.digest_of(PASSWORD))
    settings = uvicorn.Config(
        create_app(node), host="127.0.0.1", port=0, log_level="error", lifespan="off"
    )
    server = uvicorn.Server(settings)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        threading.Event().wait(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Desk(address=f"http://127.0.0.1:{port}", name=ADMINISTRATOR.name, password=PASSWORD)
    server.should_exit = True
    thread.join(timeout=10)
    passwords._HASHER = slow
