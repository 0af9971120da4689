"""Speeds of a rendered street through the whole program: odd clocks, and what is withheld."""

import csv
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from math import radians
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.bench.speed_streets import STREETS, speed_scene
from tests.whole.line import calm, codes

from calmstreet.config.site import dump_site_toml
from calmstreet.model.kinds import Kind
from calmstreet.scene.ensemble import lane_plan
from calmstreet.scene.stage import Scene, Stage
from calmstreet.scene.street import Street
from calmstreet.scene.traffic import drive

pytestmark = pytest.mark.slow

DURATION_S = 9.0
SPEEDS_KMH = (36.0, 45.0)


@cache
def street() -> Scene:
    """Return a street on which one car leaves and one comes, each at a steady speed."""
    place = replace(STREETS[0], sigma_m=0.05)
    scene = speed_scene(place, DURATION_S + 20.0)
    road = Street(bearing_rad=radians(place.bearing_deg))
    plans = [
        lane_plan(road, Kind.CAR, 0, speed_mps=SPEEDS_KMH[0] / 3.6, look=4, enter_s=0.2),
        lane_plan(road, Kind.CAR, 3, speed_mps=SPEEDS_KMH[1] / 3.6, look=5, enter_s=0.2),
    ]
    return replace(scene, actors=tuple(drive(plans, DURATION_S)), duration_s=DURATION_S)


@cache
def picture(tick: int) -> NDArray[np.uint8]:
    """Return the street at a tick of 1/1050 s."""
    return stage().picture(tick / 1050, tick)[0]


@cache
def stage() -> Stage:
    return Stage(street())


def film(path: Path, *, times_s: Sequence[float], shows: Sequence[int], rate: int) -> Path:
    """Write pictures of ticks at given times into a file that declares a rate."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=rate)
        camera = street().camera
        stream.width, stream.height, stream.pix_fmt = camera.width_px, camera.height_px, "yuv420p"
        stream.options = {"crf": "20", "preset": "veryfast", "threads": "1", "bf": "0"}
        stream.codec_context.time_base = Fraction(1, 90_000)
        for t_s, tick in zip(times_s, shows, strict=True):
            frame = av.VideoFrame.from_ndarray(picture(tick), format="bgr24")
            frame = frame.reformat(format="yuv420p")
            frame.time_base, frame.pts = Fraction(1, 90_000), round(t_s * 90_000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def records(folder: Path, clip: Path) -> tuple[list[dict[str, str]], dict[str, Any]]:
    """Analyse a film; return the rows of speeds.csv that hold a speed, and the summary."""
    site = folder / "SITE.toml"
    site.write_text(dump_site_toml(street().site), encoding="utf-8")
    out = folder / "out"
    done = calm("analyse", clip, "--site", site, "--out", out, "--video", "none", "--json")
    assert done.code == 0, done.err
    with (out / "speeds.csv").open(encoding="utf-8", newline="") as text:
        return [row for row in csv.DictReader(text) if row["speed_kmh"]], done.summary


def check(rows: list[dict[str, str]]) -> None:
    """Every speed lies in its interval, and both cars have some."""
    seen = set()
    for row in rows:
        true = min(SPEEDS_KMH, key=lambda v: abs(v - float(row["speed_kmh"])))
        assert float(row["low95_kmh"]) <= true <= float(row["high95_kmh"]), row
        seen.add(true)
    assert seen == set(SPEEDS_KMH)


def test_a_camera_that_declares_25_and_sends_21(tmp_path: Path) -> None:
    ticks = [50 * i for i in range(round(21 * DURATION_S))]
    clip = film(tmp_path / "slow.mp4", times_s=[t / 1050 for t in ticks], shows=ticks, rate=25)
    rows, summary = records(tmp_path, clip)
    assert summary["runs"][0]["delivered_fps"] == pytest.approx(21, abs=0.3)
    check(rows)


def test_a_camera_that_sends_every_frame_twice(tmp_path: Path) -> None:
    once = [84 * i for i in range(round(12.5 * DURATION_S))]
    times = [i / 25 for i in range(2 * len(once))]
    clip = film(
        tmp_path / "twice.mp4",
        times_s=times,
        shows=[once[i // 2] for i in range(len(times))],
        rate=25,
    )
    rows, summary = records(tmp_path, clip)
    assert "repeated-frames" in codes(summary)
    check(rows)


def test_six_pictures_a_second_are_too_few(tmp_path: Path) -> None:
    ticks = [175 * i for i in range(round(6 * DURATION_S))]
    clip = film(tmp_path / "few.mp4", times_s=[t / 1050 for t in ticks], shows=ticks, rate=6)
    rows, _ = records(tmp_path, clip)
    assert not rows
