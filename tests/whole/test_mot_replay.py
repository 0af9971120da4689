"""Boxes of another program through a plane: a replay finds what the same boxes give elsewhere."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.builders import START_NS, together
from tests.perception.on_the_ground import CAMERA, PLACES_M, drive, exact_plane
from tests.whole.line import calm
from tests.whole.road import a_site

from calmstreet.interop.mot import write_mot
from calmstreet.model.kinds import Kind
from calmstreet.model.points import TrackPoints, track_id_of
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.points import read_points

FPS = 10.0
BEGIN = "2026-01-01T00:00:00+00:00"
PLACES = [[round(float(v), 3) for v in px] for px in CAMERA.ground_px(np.array(PLACES_M))]
SITE = f"""
[site]
id = "stage"
speed_limit_kmh = 30
[[camera]]
id = "stage"
[camera.plane]
points_px = {PLACES}
points_m = {[list(place) for place in PLACES_M]}
sigma_px = 0.2
sigma_m = 0.02
size_px = [{CAMERA.width_px}, {CAMERA.height_px}]
[[camera.plane.check_lengths]]
a_px = {PLACES[0]}
b_px = {PLACES[1]}
length_m = 12.0
[[gate]]
id = "line"
points_m = [[0, 28], [4, 28]]
[[zone]]
id = "lane"
kind = "lane"
direction_deg = 180
polygon_m = [[0, 12], [4, 12], [4, 45], [0, 45]]
"""


def street() -> TrackPoints:
    """Return boxes of a car the wrong way up its lane, a car across, and somebody on foot."""
    plane = exact_plane()
    ways: list[dict[str, Any]] = [
        {"start_m": (2.0, 14.0), "velocity_mps": (0.0, 6.0), "duration_s": 4.6},
        {"start_m": (-9.0, 30.0), "velocity_mps": (6.5, 0.0), "duration_s": 3.2},
        {
            "start_m": (7.0, 20.0),
            "velocity_mps": (-1.5, 0.0),
            "kind": Kind.PEDESTRIAN,
            "duration_s": 3.2,
        },
    ]
    rows = []
    for serial, way in enumerate(ways, start=1):
        points, _ = drive(plane, fps=FPS, **way)
        points.track_id[:] = track_id_of(1, serial)
        rows.append(points)
    return together(*rows)


class Twice:
    """The same MOT file imported and replayed."""

    def __init__(self, folder: Path) -> None:
        points = street()
        self.file = folder / "boxes.txt"
        write_mot(self.file, [points], np.unique(points.t_ns))
        self.site = a_site(folder / "SITE.toml", SITE)
        words = ("--site", self.site, "--fps", f"{FPS:g}", "--start", BEGIN, "--json")
        self.found = {}
        for verb in ("import", "replay"):
            done = calm(verb, self.file, *words, "--out", folder / verb)
            assert done.code == 0, done.err
            self.found[verb] = folder / verb


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Twice:
    return Twice(tmp_path_factory.mktemp("mot"))


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def test_boxes_are_placed_on_the_ground(twice: Twice) -> None:
    with Catalogue.open(twice.found["replay"]) as catalogue:
        (run,) = catalogue.runs()
        assert (run.width_px, run.height_px) == (CAMERA.width_px, CAMERA.height_px)
        assert run.start_ns == START_NS
        (points,) = read_points(catalogue.folder, catalogue.point_files(run.run_id))
    car = points[points.track_id & 0xFFFFFFFF == 1]
    t_s = (car.t_ns - START_NS) / 1e9
    settled = t_s > 1.0
    assert np.abs(car.xy_m[settled, 0] - 2.0).max() < 0.3
    assert np.abs(car.xy_m[settled, 1] - (14 + 6 * t_s[settled])).max() < 0.6
    assert np.abs(car.velocity_mps[settled, 1] - 6.0).max() < 0.7


def test_a_replay_finds_what_an_import_finds(twice: Twice) -> None:
    events = {verb: rows_of(out / "events.csv") for verb, out in twice.found.items()}
    assert {event["kind"] for event in events["replay"]} >= {"wrong-way", "conflict"}
    assert events["replay"] == events["import"]
    pairs = {verb: rows_of(out / "conflicts.csv") for verb, out in twice.found.items()}
    assert pairs["replay"] == pairs["import"]
    assert (twice.found["replay"] / "speeds.csv").read_text() == (
        twice.found["import"] / "speeds.csv"
    ).read_text()


def test_a_replay_of_the_import_is_the_import(twice: Twice, tmp_path: Path) -> None:
    out = tmp_path / "again"
    done = calm("replay", twice.found["import"], "--site", twice.site, "--out", out, "--json")
    assert done.code == 0, done.err
    assert rows_of(out / "events.csv") == rows_of(twice.found["import"] / "events.csv")


def test_every_event_explains_itself(twice: Twice) -> None:
    for event in rows_of(twice.found["replay"] / "events.csv"):
        done = calm("explain", twice.found["replay"], event["event_id"], "--json")
        assert done.code == 0, done.err
        assert json.loads(done.out)["same_verdict"], done.out


def test_without_the_size_of_the_picture_nothing_is_guessed(twice: Twice, tmp_path: Path) -> None:
    size = f"size_px = [{CAMERA.width_px}, {CAMERA.height_px}]\n"
    site = a_site(tmp_path / "S.toml", SITE.replace(size, ""))
    done = calm("replay", twice.file, "--site", site, "--out", tmp_path / "out")
    assert done.code == 2
    assert "add size_px = [width, height]" in done.err
