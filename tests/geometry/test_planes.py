"""Planes of several cameras in one frame, and what is said where there is none."""

from dataclasses import replace

import numpy as np
import pytest
from tests.geometry.calibrated import CAMERA, POINTS, TEN, spec_of, tuples

from calmstreet.errors import CalibrationError
from calmstreet.geometry.lonlat import to_lonlat
from calmstreet.geometry.planes import planes_of, site_frame
from calmstreet.model.site import Camera, PlaneSpec, Site

HOME = (76.95, 43.25)
SIZES = {"north": (1920, 1080), "south": (1920, 1080)}


def degrees(shift_m: tuple[float, float] = (0.0, 0.0)) -> PlaneSpec:
    places = to_lonlat(TEN + np.array(shift_m), origin_lonlat=HOME)
    return replace(spec_of(TEN), points_m=(), points_lonlat=tuples(places))


def site(*planes: PlaneSpec | None, origin: tuple[float, float] | None = None) -> Site:
    names = ("north", "south")
    cameras = tuple(Camera(id=name, plane=plane) for name, plane in zip(names, planes, strict=True))
    return Site(id="x", cameras=cameras, origin_lonlat=origin)


def test_two_cameras_share_the_frame_of_the_first_with_degrees() -> None:
    place = site(degrees(), degrees((30.0, -5.0)))
    found = planes_of(place, SIZES)
    assert found.origin_lonlat == pytest.approx(tuple(np.mean(degrees().points_lonlat, axis=0)))
    assert found.planes["north"].origin_lonlat == found.planes["south"].origin_lonlat
    px = CAMERA.ground_px(np.array([(1.0, 20.0)]))
    apart = found.planes["south"].to_m(px) - found.planes["north"].to_m(px)
    assert apart[0] == pytest.approx((30.0, -5.0), abs=0.01)


def test_the_origin_of_the_site_comes_first() -> None:
    found = planes_of(site(degrees(), None, origin=HOME), SIZES)
    assert found.origin_lonlat == HOME
    px = CAMERA.ground_px(np.array([(1.0, 20.0)]))
    assert found.planes["north"].to_m(px)[0] == pytest.approx((1.0, 20.0), abs=1e-3)
    assert list(found.planes) == ["north"]


def test_metres_and_degrees_need_an_origin() -> None:
    mixed = site(degrees(), spec_of(TEN))
    with pytest.raises(CalibrationError, match=r'camera "north" has points_lonlat.*origin_lonlat'):
        planes_of(mixed, SIZES)
    found = planes_of(replace(mixed, origin_lonlat=HOME), SIZES)
    there = CAMERA.ground_px(np.array([(1.0, 20.0)]))
    assert np.allclose(found.planes["north"].to_m(there), found.planes["south"].to_m(there))


def test_metres_alone_have_no_place_on_the_map() -> None:
    assert site_frame(site(spec_of(TEN), None)) is None
    assert planes_of(site(spec_of(TEN), None), SIZES).planes["north"].origin_lonlat is None


def test_too_little_is_told_and_a_contradiction_is_refused() -> None:
    found = planes_of(site(spec_of(TEN[:3]), spec_of(POINTS[6])), SIZES)
    assert list(found.planes) == ["south"]
    assert found.counts_only["north"].startswith(
        'SITE.toml: camera "north": the plane has 3 points'
    )
    mirrored = replace(spec_of(TEN), points_m=tuples(TEN[:, ::-1]))
    with pytest.raises(CalibrationError, match='camera "south": the plane is mirrored'):
        planes_of(site(None, mirrored), SIZES)


def test_only_cameras_of_a_known_size_have_planes() -> None:
    assert planes_of(site(spec_of(TEN), None), {}).planes == {}
