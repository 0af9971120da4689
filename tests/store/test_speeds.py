"""Speeds, times in zones and comparisons come back from the cellar as they went in."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from tests.store.rows import a_run, a_site

from calmstreet.model.speeds import GateSpeeds, SpeedCheck, ZoneTimes
from calmstreet.store.catalogue import Catalogue


def two_speeds(run_id: int) -> GateSpeeds:
    columns: dict[str, Any] = {
        "gate_id": ["a", "b"],
        "t_ns": [5, 9],
        "track_id": [1, 2],
        "kind": [4, 1],
        "direction": ["to_left", "to_right"],
        "headway_s": [np.nan, 4.0],
        "speed_mps": [13.9, np.nan],
        "sigma_random_mps": [0.2, np.nan],
        "sigma_site_mps": [0.3, np.nan],
        "half95_mps": [0.7, np.nan],
        "n": [14, 0],
        "length_m": [19.5, np.nan],
        "method": ["linear", ""],
        "reason": ["", "coarse"],
    }
    return GateSpeeds(camera_id="north", run_id=run_id, **columns)


def test_speeds_and_times_come_back(tmp_path: Path) -> None:
    site = a_site()
    with Catalogue.open(tmp_path / "out", create=True) as catalogue:
        catalogue.save_site(site)
        run_id = catalogue.new_run(a_run(site))
        stay: dict[str, Any] = {
            "zone_id": ["lane"],
            "track_id": [1],
            "kind": [4],
            "enter_ns": [3],
            "leave_ns": [8],
        }
        times = ZoneTimes(camera_id="north", run_id=run_id, **stay)
        given = two_speeds(run_id)
        for _ in range(2):
            catalogue.save_speeds(run_id, given, times)
        found = catalogue.speeds(run_id, "north")
        for name in ("gate_id", "t_ns", "kind", "speed_mps", "half95_mps", "n", "reason"):
            np.testing.assert_array_equal(getattr(found, name), getattr(given, name))
        assert found.measured.tolist() == [True, False]
        assert catalogue.zone_times(run_id, "north").leave_ns.tolist() == [8]
        catalogue.publish([], [run_id])
        assert len(catalogue.speeds(run_id, "north")) == 0


def test_comparisons_stay_when_runs_are_replaced(tmp_path: Path) -> None:
    site = a_site()
    check = SpeedCheck(
        camera_id="north",
        site_version=site.site_version,
        reference="radar.csv",
        t_ns=7,
        n=12,
        unmatched=1,
        bias_mps=0.1,
        bias_half95_mps=0.2,
        spread_mps=0.4,
        coverage=0.92,
        passed=True,
    )
    with Catalogue.open(tmp_path / "out", create=True) as catalogue:
        catalogue.save_site(site)
        catalogue.save_speed_check(check)
        none = replace(check, t_ns=9, n=0, bias_mps=float("nan"), passed=False)
        catalogue.save_speed_check(none)
        first, second = catalogue.speed_checks()
    assert first == check
    assert np.isnan(second.bias_mps)
    assert not second.passed
