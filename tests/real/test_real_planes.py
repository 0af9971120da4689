"""Planes of real cameras: five surveyed points of OTVision, the Tsai calibration of PETS 2009."""

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.geometry.calibrated import Tsai, pets_spec
from tests.shared_data import shared_data
from tests.whole.line import calm

from calmstreet.geometry.calibrate import calibrate
from calmstreet.geometry.lonlat import lonlat_from_utm
from calmstreet.interop.control_points import read_ground_points
from calmstreet.model.site import PlaneSpec

pytestmark = pytest.mark.real

NAMES = ("Cars-Cyclist", "Cars-Truck")
ZONE = 32


def otvision(name: str, suffix: str) -> Path:
    return shared_data(f"video/OTVision_Testvideo_{name}_FR20_2020-01-01_00-00-00.{suffix}")


def their_rows(name: str) -> NDArray[np.float64]:
    """Return x, y, w, h px and UTM east, north of every box in their GeoPackage."""
    path = otvision(name, "gpkg")
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as base:
        table = base.execute("select table_name from gpkg_contents").fetchone()[0]
        rows = base.execute(f'select x, y, w, h, lon_utm, lat_utm from "{table}"').fetchall()
    return np.array(rows, np.float64)


@pytest.mark.parametrize("name", NAMES)
def test_five_surveyed_points_are_a_sketch(name: str) -> None:
    done = calm(
        "calibrate",
        "--points",
        otvision(name, "otrfpts"),
        "--frame",
        otvision(name, "mp4"),
        "--json",
    )
    assert done.code == 0, done.err
    found = done.summary
    assert found["state"] == "sketch"
    assert "speeds no" in found["reasons"][0]
    assert all(point["left_out_m"] > 0.3 for point in found["points"])
    assert max(point["residual_m"] for point in found["points"]) < 0.3
    assert 2 < found["camera"]["height_m"] < 8


@pytest.mark.parametrize("name", NAMES)
def test_their_positions_are_box_centres_sent_through_the_same_points(name: str) -> None:
    points = read_ground_points(otvision(name, "otrfpts"))
    spec = PlaneSpec(points_px=points.points_px, points_lonlat=points.points_lonlat)
    plane = calibrate(spec, width_px=800, height_px=600).plane
    rows = their_rows(name)
    theirs_m = plane.from_lonlat(lonlat_from_utm(rows[:, 4:], zone=ZONE))
    centre, foot = rows[:, :2], rows[:, :2] + rows[:, 2:4] * (0, 0.5)
    near = np.hypot(*theirs_m.T) < 20
    apart_m = np.hypot(*(plane.to_m(centre) - theirs_m).T)
    assert near.sum() > 50
    assert np.median(apart_m[near]) < 0.15
    assert np.nanmax(apart_m) < 4
    foot_m = np.hypot(*(plane.to_m(foot) - theirs_m).T)
    assert np.median(foot_m) > 5


def test_pets_has_the_camera_of_its_calibration() -> None:
    path = shared_data("tracking/PETS2009_View_001_calibration.xml")
    tsai = Tsai(path)
    found = calibrate(pets_spec(path), width_px=768, height_px=576)
    assert found.plane.trusted
    assert np.abs(found.fit.residual_m).max() < 0.04
    assert found.plane.place_m == pytest.approx(tsai.place_m, abs=1.0)
    assert found.plane.place_m[2] == pytest.approx(tsai.place_m[2], abs=0.1)
    there = np.array([(-6.0, -6.0), (2.0, -2.0), (5.0, 3.0), (-10.0, -9.0)])
    assert np.abs(found.plane.to_m(tsai.to_px(there)) - there).max() < 0.05
