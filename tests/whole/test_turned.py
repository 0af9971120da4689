"""A camera that sways, is pushed, zooms or comes back: what is counted, and what is not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.video.clips import a_clip
from tests.whole.line import calm, codes, gate, watched
from tests.whole.road import X264, Block, a_site, even_times, picture_at

from calmstreet.geometry.turning import turn_matrix

LASTS_S = 30.0
PUSHED_S = 15.0
CENTRE_PX = (160.0, 90.0)
BLOCKS = tuple(Block(at_s=2.5 + 3.0 * k, foot_px=110.0) for k in range(9))
SITE = """
[site]
id = "road"
tz = "Asia/Almaty"

[[camera]]
id = "kerb"
{reference}

[[gate]]
id = "middle"
points_px = [[160, 179], [160, 20]]

[[gate]]
id = "aside"
points_px = [[270, 150], [270, 60]]
"""
Turn = Callable[[float], tuple[float, float, float, float]]


def turn_px(turn: tuple[float, float, float, float]) -> NDArray[np.float64]:
    return turn_matrix(turn, focal_px=288.0, centre_px=CENTRE_PX)


def a_turned_film(path: Path, turn_at: Turn, *, lasts_s: float = LASTS_S) -> Path:
    """Film the road with a camera that is turned as told at every instant."""
    times = even_times(lasts_s)

    def picture(i: int) -> NDArray[np.uint8]:
        still = picture_at(times[i], BLOCKS)
        moved = cv2.warpPerspective(
            still, turn_px(turn_at(times[i])), (320, 180), borderMode=cv2.BORDER_REFLECT
        )
        return np.asarray(moved, np.uint8)

    return a_clip(path, times_s=times, picture=picture, options=X264)


def counted(tmp_path: Path, turn_at: Turn, **more: Any) -> dict[str, Any]:
    film = a_turned_film(tmp_path / "cam_2026-03-02_07-30-00.mp4", turn_at, **more)
    site = a_site(tmp_path / "SITE.toml", SITE.format(reference=""))
    return watched(film, "--site", site, "--out", tmp_path / "out", "--video", "none")


def exposure_s(summary: dict[str, Any], name: str) -> float:
    (row,) = [row for row in summary["gates"] if row["gate"] == name]
    return float(row["exposure_s"])


def pushed(**turn: float) -> Turn:
    parts = (turn.get("pan", 0.0), 0.0, 0.0, turn.get("zoom", 0.0))
    return lambda t_s: parts if t_s >= PUSHED_S else (0.0, 0.0, 0.0, 0.0)


ALL = 9
EARLY = sum(block.at_s < PUSHED_S for block in BLOCKS)


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return counted(tmp_path_factory.mktemp("still"), lambda _: (0.0, 0.0, 0.0, 0.0))


def test_a_still_camera(still: dict[str, Any]) -> None:
    assert gate(still, "middle") == (0, ALL)
    assert gate(still, "aside") == (0, ALL)
    assert not any(code.startswith("camera") for code in codes(still))


@pytest.mark.slow
def test_a_sway_changes_one_count_at_most(tmp_path: Path, still: dict[str, Any]) -> None:
    """One pixel of 320: as much as two or three of a picture that the eyes halve or quarter.

    The motion eye sees the picture as it sways, so a road user may show twice; see
    design/counting.md.
    """
    swing = 1.0 / 288.0
    summary = counted(tmp_path, lambda t_s: (0.0, swing * np.sin(2 * np.pi * t_s), 0.0, 0.0))
    for row, rest in zip(summary["gates"], still["gates"], strict=True):
        assert row["gate"] == rest["gate"]
        assert row["exposure_s"] == rest["exposure_s"]
        assert row["occupancy_share"] == pytest.approx(rest["occupancy_share"], abs=0.02)
        for side in ("to_left", "to_right"):
            assert row[side]["total"] == pytest.approx(rest[side]["total"], abs=1)
    assert "camera-sways" in codes(summary)
    assert "camera-moved" not in codes(summary)


@pytest.mark.slow
def test_a_zoom_takes_the_gate_that_moved_too_far(tmp_path: Path) -> None:
    summary = counted(tmp_path, pushed(zoom=0.028))
    assert gate(summary, "middle") == (0, ALL)
    assert gate(summary, "aside")[1] == pytest.approx(EARLY, abs=1)
    assert exposure_s(summary, "middle") == pytest.approx(LASTS_S, abs=0.2)
    assert exposure_s(summary, "aside") == pytest.approx(PUSHED_S, abs=0.8)
    assert exposure_s(summary, "aside") <= PUSHED_S + 0.1
    (note,) = [row for row in summary["warnings"] if row["code"] == "camera-moved"]
    assert note["args"]["gate"] == "aside"
    assert note["args"]["start"].startswith("2026-03-02T07:30:14")
    rows = (tmp_path / "out" / "counts.csv").read_text("utf-8").splitlines()
    assert any("gate:aside" in row and "camera-moved" in row for row in rows)
    assert not any("gate:middle" in row and "camera-moved" in row for row in rows)


@pytest.mark.slow
def test_who_comes_back_is_watched_again(tmp_path: Path) -> None:
    turn: Turn = lambda t_s: (12 / 288.0 if 10 <= t_s < 20 else 0.0, 0.0, 0.0, 0.0)  # noqa: E731
    summary = counted(tmp_path, turn)
    left = sum(not 10 <= block.at_s < 20 for block in BLOCKS)
    assert summary["counted"]
    assert gate(summary, "middle")[1] == pytest.approx(left, abs=1)
    assert exposure_s(summary, "middle") == pytest.approx(LASTS_S - 10, abs=1.5)
    words = ("--site", tmp_path / "SITE.toml", "--out", tmp_path / "again", "--json")
    again = calm("replay", tmp_path / "out", *words)
    assert again.summary["gates"] == summary["gates"], "a replay knows where the camera looked"


@pytest.mark.slow
def test_a_later_video_is_laid_on_the_first(tmp_path: Path, still: dict[str, Any]) -> None:
    site = a_site(tmp_path / "SITE.toml", SITE.format(reference=""))
    first = a_turned_film(tmp_path / "cam_2026-03-02_07-30-00.mp4", lambda _: (0.0,) * 4)
    later = a_turned_film(
        tmp_path / "cam_2026-03-02_08-30-00.mp4", lambda _: (14 / 288.0, 0.0, 0.0, 0.0)
    )
    words = ("--site", site, "--out", tmp_path / "out", "--video", "none")
    watched(first, *words)
    summary = watched(later, *words)
    assert gate(summary, "middle") == gate(still, "middle")
    assert exposure_s(summary, "middle") == exposure_s(still, "middle")
    assert "camera-moved" in codes(summary)


@pytest.mark.slow
def test_a_video_is_laid_on_the_picture_that_the_site_names(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "road.png"), picture_at(60.0, ()))
    site = a_site(tmp_path / "SITE.toml", SITE.format(reference='reference = "road.png"'))
    film = a_turned_film(tmp_path / "v.mp4", lambda _: (1.5 / 288.0, 0.0, 0.0, 0.0), lasts_s=12.0)
    summary = watched(film, "--site", site, "--out", tmp_path / "out", "--video", "none")
    assert gate(summary, "middle")[1] >= 3
    assert "camera-shifted" in codes(summary)
    other = a_site(tmp_path / "NONE.toml", SITE.format(reference='reference = "none.png"'))
    done = calm("analyse", film, "--site", other, "--out", tmp_path / "o2", "--detector", "motion")
    assert done.code == 2
    assert 'NONE.toml: [[camera]] "kerb" reference' in done.faults[0]
