"""A PMTiles file beneath the map: the browser asks the desk for parts of it, and draws them."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from tests.desk.browsing import Desk, visiting
from tests.desk.conftest import PASSWORD
from tests.desk.serving import served
from tests.web.desks import a_node
from tests.web.tiles import PNG, VECTOR, a_tiles_file

pytestmark = pytest.mark.slow


def share(picture: bytes, kind: int) -> float:
    """Return how much of a picture has the colour of the tiles: red pictures, or bluish water."""
    bgr = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    assert bgr is not None
    blue, green, red = (bgr[..., n].astype(int) for n in range(3))
    mine = (red > 200) & (green < 60) & (blue < 60) if kind == PNG else blue - red > 40
    return float(mine.mean())


@pytest.mark.parametrize("kind", [PNG, VECTOR])
def test_tiles_lie_beneath_the_map(
    browser: Any, texts: dict[str, Any], tmp_path: Path, kind: int
) -> None:
    a_node(tmp_path, days=(0,))
    a_tiles_file(tmp_path / "city.pmtiles", tile_type=kind)
    config = tmp_path / "calmstreet.toml"
    config.write_text('[node]\ntiles_file = "city.pmtiles"\n', encoding="utf-8")
    with served(config) as first:
        desk = Desk(
            address=first.address, name=first.name, password=PASSWORD, place=tmp_path, entered={}
        )
        with visiting(browser, desk, texts, language="en", entered=False) as guest:
            parts: list[Any] = []
            guest.page.on("response", lambda answer: parts.append(answer))
            guest.sign_in(first.name, first.password)
            guest.choose_password(first.password, PASSWORD)
            guest.go(f"#/map/{guest.results()['abay']}?camera=north")
            drawn = guest.page.locator(".map canvas")
            drawn.wait_for()
            for _ in range(100):
                if share(drawn.screenshot(), kind) > 0.5:
                    break
                guest.page.wait_for_timeout(100)
            assert share(drawn.screenshot(), kind) > 0.5
            tiles = [answer for answer in parts if "/api/tiles/" in answer.url]
            assert {answer.status for answer in tiles} == {206}
            assert all(answer.url.endswith(".pmtiles") for answer in tiles)
