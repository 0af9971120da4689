"""How fast the people of PETS 2009 walk, by its published calibration and our own eyes.

The clip declares 10 pictures per second and was taken with about 7, so the speeds of the file's own
clock are scaled by 7/10.
"""

import csv
from pathlib import Path

import numpy as np
import pytest
from tests.geometry.calibrated import pets_spec
from tests.shared_data import shared_data
from tests.whole.line import calm

from calmstreet.config.site import dump_site_toml
from calmstreet.model.site import Camera, Gate, Site

pytestmark = [pytest.mark.real, pytest.mark.slow]

TAKEN_SHARE = 0.7


def test_walking_speeds_are_those_of_walkers(tmp_path: Path) -> None:
    clip = shared_data("video/opencv_vtest_pets09_s2l1.mp4")
    spec = pets_spec(shared_data("tracking/PETS2009_View_001_calibration.xml"))
    gates = (
        Gate(id="across", camera_id="view", points_px=((60.0, 330.0), (740.0, 330.0))),
        Gate(id="along", camera_id="view", points_px=((384.0, 120.0), (384.0, 560.0))),
    )
    site = Site(id="pets", cameras=(Camera(id="view", plane=spec),), gates=gates)
    (tmp_path / "SITE.toml").write_text(dump_site_toml(site), encoding="utf-8")
    out = tmp_path / "out"
    words = ("--site", tmp_path / "SITE.toml", "--out", out, "--video", "none")
    done = calm("analyse", clip, *words)
    assert done.code == 0, done.err
    with (out / "speeds.csv").open(encoding="utf-8", newline="") as text:
        rows = [row for row in csv.DictReader(text) if row["speed_kmh"]]
    speeds_mps = np.array([float(row["speed_kmh"]) for row in rows]) / 3.6 * TAKEN_SHARE
    print(f"{len(speeds_mps)} walkers: median {np.median(speeds_mps):.2f} m/s,")
    print(f"from {speeds_mps.min():.2f} to {speeds_mps.max():.2f} m/s")
    assert len(speeds_mps) >= 5
    assert 0.9 < float(np.median(speeds_mps)) < 1.6
    assert all(row["flag"] == "unverified" for row in rows)
