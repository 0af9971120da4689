"""A small town for the desk: a place of many days, a filmed street, a crossing as SUMO has it."""

import json
import shutil
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from tests.desk.junction import site_text, write_traffic
from tests.web.desks import a_node
from tests.whole.road import Block, a_film
from tests.whole.test_lamps import street

from calmstreet.config.site import dump_site_toml
from calmstreet.pipeline.analyse import analyse_videos
from calmstreet.pipeline.planning import Request
from calmstreet.pipeline.replay import ReplayRequest, replay
from calmstreet.scene.film import render_film
from calmstreet.scene.script import nobody
from calmstreet.scene.stage import Scene
from calmstreet.store.catalogue import Catalogue

__all__ = ["CAMERAS", "Town", "a_clip", "a_points_file", "build_town", "copied"]

SETTINGS = """
[node]
results = "results"
desk = "desk"
[limits]
requests_per_minute = 100000
"""
CAMERAS = {"abay": ("north", "south"), "crossing": ("north",), "street": ("stage",)}
SHAPE_PX = (800, 600)
"""Of the southern camera: that of the clip whose points OTVision publishes."""

STREET_START, CROSSING_START = "2026-03-09T08:00:00+05:00", "2026-03-02T07:00:00+05:00"
UTM_ZONE_32_M = (844_000.0, 5_673_000.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """Where the node lies, and the file that describes it."""

    place: Path
    config: Path


def build_town(place: Path, *, hours: float = 0.1) -> Town:
    """Make three results: ``abay`` from tables, ``street`` filmed and analysed, ``crossing``.

    The crossing has ``hours`` of traffic.
    """
    a_node(place)
    _another_shape(place / "results" / "abay")
    _film_street(place)
    _drive_crossing(place, hours)
    config = place / "calmstreet.toml"
    config.write_text(SETTINGS, encoding="utf-8")
    return Town(place=place, config=config)


def copied(town: Town, place: Path) -> Town:
    """Return the same town elsewhere, for somebody who changes it."""
    shutil.copytree(town.place, place)
    return Town(place=place, config=place / town.config.name)


def _another_shape(folder: Path) -> None:
    """Give the southern camera a picture of another shape, and all cameras one that can be seen."""
    with Catalogue.open(folder) as catalogue, catalogue.database.writing() as rows:
        rows.execute(
            "UPDATE runs SET width_px = ?, height_px = ? WHERE camera_id = 'south'", SHAPE_PX
        )
    for picture in (folder / "pictures").glob("*.png"):
        wide, high = SHAPE_PX if picture.name.startswith("south") else (640, 360)
        cv2.imwrite(str(picture), np.full((high, wide, 3), 90, np.uint8))


@cache
def filmed() -> Scene:
    """Return a street with a signal head, gates, approaches; one car passes the red."""
    scene = street()
    gates = (*nobody(1.0).site.gates, *scene.site.gates)
    return replace(scene, site=replace(scene.site, name="Stage", gates=gates))


def _film_street(place: Path) -> None:
    film, site = place / "street.mp4", place / "street.toml"
    render_film(filmed(), film, fps=12.5)
    site.write_text(dump_site_toml(filmed().site), encoding="utf-8")
    out = place / "results" / "street"
    analyse_videos(Request(videos=(film,), site=site, out=out, start=STREET_START))


def _drive_crossing(place: Path, hours: float) -> None:
    table, site = place / "fcd.csv", place / "crossing.toml"
    write_traffic(table, hours=hours, per_hour=900, seed=1)
    site.write_text(site_text(), encoding="utf-8")
    out = place / "results" / "crossing"
    replay(ReplayRequest(trajectories=table, site=site, out=out, start=CROSSING_START))


def a_clip(path: Path) -> Path:
    """Write a clip of a few seconds with two vehicles, small enough to be analysed at once."""
    return a_film(path, [Block(at_s=2.0), Block(at_s=3.2, speed_px_s=-90.0)], duration_s=5.0)


def a_points_file(path: Path) -> Path:
    """Write measured points of the filmed street in the format of OTVision; return the path."""
    plane = filmed().site.cameras[0].plane
    assert plane is not None
    pairs = zip(plane.points_px, plane.points_m, strict=True)
    rows = {
        str(i): {
            "x_px": x_px,
            "y_px": y_px,
            "hemisphere": "N",
            "zone_utm": 32,
            "lon_utm": UTM_ZONE_32_M[0] + east,
            "lat_utm": UTM_ZONE_32_M[1] + north,
        }
        for i, ((x_px, y_px), (east, north)) in enumerate(pairs, 1)
    }
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path
