"""Planes by size of picture, and cars that are no cars."""

from dataclasses import replace

import numpy as np
import pytest
from tests.builders import START_NS, S

from calmstreet.errors import CalibrationError
from calmstreet.model.flow import Crossings
from calmstreet.model.kinds import Kind
from calmstreet.model.site import Camera, PlaneSpec, Site
from calmstreet.pipeline.planes import camera_plane, length_alarm, on_the_ground
from calmstreet.scene.camera import Pinhole
from calmstreet.scene.script import gate_counts_site, measured_plane
from calmstreet.scene.street import Street


def a_site(plane: PlaneSpec | None) -> Site:
    return Site(id="a", cameras=(Camera(id="north", plane=plane),))


def test_a_good_plane_is_fitted_once() -> None:
    site = a_site(measured_plane(Street(), Pinhole()))
    first = camera_plane(site, "north", width_px=960, height_px=540)
    assert first.plane is not None
    assert not first.notes
    assert camera_plane(site, "north", width_px=960, height_px=540).plane is first.plane
    half = camera_plane(site, "north", width_px=480, height_px=270)
    assert half.plane is not None
    here = half.plane.to_m([[240.0, 135.0]])
    np.testing.assert_allclose(here, first.plane.to_m([[480.0, 270.0]]), atol=1e-6)


def test_what_is_no_plane_is_said() -> None:
    whole = measured_plane(Street(), Pinhole())
    few = PlaneSpec(points_px=whole.points_px[:4], points_m=whole.points_m[:4])
    found = camera_plane(a_site(few), "north", width_px=960, height_px=540)
    assert found.plane is None
    assert [note.code for note in found.notes] == ["plane-unused"]
    five = PlaneSpec(points_px=whole.points_px[:5], points_m=whole.points_m[:5])
    sketch = camera_plane(a_site(five), "north", width_px=960, height_px=540)
    assert sketch.plane is not None
    assert [note.code for note in sketch.notes] == ["plane-sketch"]
    mirrored = tuple((-x, y) for x, y in whole.points_m)
    with pytest.raises(CalibrationError, match="north"):
        camera_plane(
            a_site(PlaneSpec(points_px=whole.points_px, points_m=mirrored)),
            "north",
            width_px=960,
            height_px=540,
        )


def cars(length_m: float, count: int = 30) -> Crossings:
    """Return passages of cars, each of its own length around a middle one."""
    n = 2 * count
    return Crossings(
        gate_id=np.full(n, "g"),
        t_ns=START_NS + np.arange(n) * S,
        track_id=np.arange(n) // 2,
        kind=np.full(n, Kind.CAR, np.uint8),
        direction=np.full(n, "to_left"),
        headway_s=np.full(n, np.nan),
        gap_s=np.full(n, np.nan),
        speed_mps=np.full(n, 10.0),
        length_m=length_m + np.linspace(-0.3, 0.3, n),
        counted=np.ones(n, np.bool_),
    )


def test_cars_of_six_metres_are_an_alarm_and_no_calibration() -> None:
    assert not length_alarm(cars(4.4))
    assert not length_alarm(cars(6.0, count=8))
    (note,) = length_alarm(cars(6.0))
    assert note.code == "vehicle-lengths"
    assert note.args["length_m"] == pytest.approx(6.0, abs=0.1)
    assert note.args["count"] == 30


def test_what_was_drawn_in_pixels_is_laid_on_the_ground_for_rules() -> None:
    site = gate_counts_site(Street(), Pinhole())
    plane = camera_plane(site, "stage", width_px=960, height_px=540).plane
    assert plane is not None
    laid = on_the_ground(site, plane)
    near = laid.gates[0]
    true_m = Pinhole().ground_m(np.array(near.points_px))
    np.testing.assert_allclose(near.points_m, true_m, atol=0.3)
    assert all(zone.polygon_m for zone in laid.zones)
    assert on_the_ground(site, None) is site
    over = replace(site.gates[0], points_px=((100.0, 5.0), (100.0, -400.0)))
    high = replace(site, gates=(over, *site.gates[1:]))
    assert on_the_ground(high, plane) is high
