"""The plane's maps against exact cameras: the numbers of the science notes, section 1."""

from dataclasses import replace
from math import radians

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.geometry.calibrated import CAMERA, POINTS, TEN, spec_of

from calmstreet.errors import InputError
from calmstreet.geometry.calibrate import fit_plane
from calmstreet.geometry.plane import Plane
from calmstreet.scene.camera import Pinhole

AXIS_M = np.array([(0.0, y) for y in (15, 20, 30, 40, 60)])


@pytest.fixture(scope="module")
def plane() -> Plane:
    return fit_plane(spec_of(TEN), width_px=1920, height_px=1080, origin_lonlat=(76.95, 43.25))


@pytest.fixture(scope="module")
def bent() -> Plane:
    """A plane with a barrel lens."""
    return replace(
        fit_plane(spec_of(TEN), width_px=1920, height_px=1080), k1=-0.08, focal_px=1400.0
    )


@given(
    pitch_deg=st.floats(8, 60),
    height_m=st.floats(3, 30),
    focal_px=st.floats(700, 3000),
    turn_rad=st.floats(-3.1, 3.1),
    east_m=st.floats(-3000, 3000),
)
@settings(max_examples=20, deadline=None)
def test_pixels_to_metres_and_back(
    pitch_deg: float, height_m: float, focal_px: float, turn_rad: float, east_m: float
) -> None:
    camera = Pinhole(
        width_px=1920,
        height_px=1080,
        focal_px=focal_px,
        height_m=height_m,
        pitch_rad=radians(pitch_deg),
    )
    px = np.array([(300, 1000), (1600, 1000), (400, 620), (1500, 640), (900, 800), (1200, 700.0)])
    turn = np.array([[np.cos(turn_rad), -np.sin(turn_rad)], [np.sin(turn_rad), np.cos(turn_rad)]])
    places = camera.ground_m(px) @ turn.T + (east_m, 17.0)
    spec = replace(
        spec_of(TEN), points_px=tuple(map(tuple, px)), points_m=tuple(map(tuple, places))
    )
    found = fit_plane(spec, width_px=1920, height_px=1080)
    there = np.array([(960, 700), (100, 900), (1900, 1079), (500, 560.0)])
    size_m = np.hypot(*(places - places.mean(axis=0)).T).max()
    truth = camera.ground_m(there) @ turn.T + (east_m, 17.0)
    assert np.abs(found.to_m(there) - truth).max() < 1e-6 * max(size_m, np.abs(truth).max())
    assert np.abs(found.to_px(found.to_m(there)) - there).max() < 1e-6
    assert found.place_m[:2] == pytest.approx((east_m, 17.0), abs=1e-3 * height_m)
    assert found.place_m[2] == pytest.approx(height_m, rel=1e-4)
    assert found.focal_px == pytest.approx(focal_px, rel=1e-4)


def test_any_cutting_of_the_rows_gives_the_same_bits(plane: Plane) -> None:
    px = np.random.default_rng(2).uniform((0, 350), (1920, 1080), (200, 2))
    sigma_px = np.full((200, 2), 1.5)
    for name in ("to_m", "metres_per_px", "jacobian"):
        whole = getattr(plane, name)(px)
        parts = [getattr(plane, name)(part) for part in np.array_split(px, 7)]
        assert whole.tobytes() == np.concatenate(parts).tobytes()
    whole = plane.cov_m2(px, sigma_px, with_posterior=True)
    parts = [
        plane.cov_m2(px[i : i + 1], sigma_px[i : i + 1], with_posterior=True) for i in range(200)
    ]
    assert whole.tobytes() == np.concatenate(parts).tobytes()


@pytest.mark.parametrize("which", ["plane", "bent"])
def test_the_jacobian_is_the_slope(which: str, request: pytest.FixtureRequest) -> None:
    found: Plane = request.getfixturevalue(which)
    px = np.array([(960, 600), (300, 900), (1700, 450), (960, 540.0)])
    step = 1e-3
    slopes = [
        (found.to_m(px + shift) - found.to_m(px - shift)) / (2 * step)
        for shift in ((step, 0), (0, step))
    ]
    assert np.allclose(found.jacobian(px), np.stack(slopes, axis=2), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("k1", [-0.15, -0.02, 0.05, 0.3])
def test_the_lens_there_and_back(plane: Plane, k1: float) -> None:
    lens = replace(plane, k1=k1, focal_px=1400.0)
    places = np.array([(x, y) for x in (-4, 0, 4) for y in (12, 20, 45)], np.float64)
    px = lens.to_px(places)
    assert np.isfinite(px).all()
    assert np.abs(lens.to_m(px) - places).max() < 1e-6
    assert np.abs(px - plane.to_px(places)).max() > 0.5


def test_a_barrel_lens_does_not_fold_over(plane: Plane) -> None:
    lens = replace(plane, k1=-0.6, focal_px=800.0)
    assert np.isnan(lens.to_m([[0.0, 1080.0]])).all()
    assert np.isnan(lens.to_px([[14.0, 9.0]])).all()


def test_metres_per_pixel_along_the_road(plane: Plane) -> None:
    px = plane.to_px(AXIS_M)
    along = plane.metres_per_px(px, way=np.tile([0.0, 1.0], (5, 1)))
    h, f, tilt, y = 8.0, 1400.0, radians(25), AXIS_M[:, 1]
    assert along == pytest.approx((y**2 + h**2) * np.cos(np.arctan(h / y) - tilt) ** 2 / (f * h))
    assert along == pytest.approx([0.025, 0.041, 0.082, 0.138, 0.292], rel=0.03)
    assert plane.metres_per_px(px) == pytest.approx(along)
    across = plane.metres_per_px(px, way=np.tile([1.0, 0.0], (5, 1)))
    assert (across < along).all()


def test_nothing_is_known_over_the_horizon_and_behind_the_camera(plane: Plane) -> None:
    horizon = 540 - 1400 * np.tan(radians(25))
    sky = np.array([(960, horizon), (960, horizon - 10), (100, -200.0)])
    for found in (
        plane.to_m(sky),
        plane.jacobian(sky),
        plane.metres_per_px(sky),
        plane.cov_m2(sky, (1, 1), with_posterior=True),
    ):
        assert np.isnan(found).all()
    assert np.isnan(plane.to_px([[0.0, -20.0]])).all()


@pytest.mark.parametrize(("z_m", "share"), [(0.3, 0.039), (0.5, 0.067), (1.0, 0.143), (1.5, 0.231)])
def test_a_point_over_the_ground_moves_too_fast(plane: Plane, z_m: float, share: float) -> None:
    assert plane.contact_share([(0, 20.0)], z_m) == pytest.approx([z_m / (8 - z_m)])
    assert plane.contact_share([(0, 20.0)], z_m)[0] == pytest.approx(share, abs=5e-4)
    seen, _ = CAMERA.project(np.array([(1.75, 20, z_m), (1.75, 40, z_m)]))
    moved = plane.to_m(seen)
    assert np.hypot(*(moved[1] - moved[0])) / 20 - 1 == pytest.approx(z_m / (8 - z_m))


def test_contact_is_unknown_where_the_height_is(plane: Plane) -> None:
    blind = replace(plane, place_m=np.full(3, np.nan))
    assert np.isnan(blind.contact_share([(0, 20.0), (1, 1)])).tolist() == [True, True]
    assert np.isinf(plane.contact_share([(0, 20.0)], 9.0)).all()


def test_the_covariance_of_a_place_is_that_of_many_clicks(plane: Plane) -> None:
    px, sigma_px = np.array([[1300.0, 500.0]]), np.array([[2.0, 1.0]])
    clicks = px + np.random.default_rng(3).standard_normal((200_000, 2)) * sigma_px
    cov = np.cov(plane.to_m(clicks).T)
    assert plane.cov_m2(px, sigma_px)[0] == pytest.approx(
        [cov[0, 0], cov[0, 1], cov[1, 1]], rel=0.02
    )


def test_the_posterior_of_a_place_is_that_of_the_draws(plane: Plane) -> None:
    px = np.array([[1300.0, 500.0], [700, 900]])
    ray = np.concatenate([plane.ideal(px), np.ones((2, 1))], axis=1)
    there = np.einsum("dij,nj->dni", plane.draws, ray)
    places = there[..., :2] / there[..., 2:]
    ours = plane.cov_m2(px, (0, 0), with_posterior=True)
    for row in range(2):
        cov = np.cov(places[:, row].T)
        assert ours[row] == pytest.approx([cov[0, 0], cov[0, 1], cov[1, 1]], rel=0.05)


def test_longitude_and_latitude(plane: Plane) -> None:
    places = np.array([(3.0, 20.0), (-120.0, 400.0)])
    lonlat = plane.to_lonlat(places)
    assert lonlat[0] == pytest.approx((76.95, 43.25), abs=1e-3)
    assert np.abs(plane.from_lonlat(lonlat) - places).max() < 1e-6
    nowhere = replace(plane, origin_lonlat=None)
    with pytest.raises(InputError, match="origin_lonlat"):
        nowhere.to_lonlat(places)


def test_no_pixels_are_no_metres(plane: Plane) -> None:
    none = np.empty((0, 2))
    assert plane.to_m(none).shape == plane.to_px(none).shape == (0, 2)
    assert plane.cov_m2(none, none, with_posterior=True).shape == (0, 3)
    assert plane.metres_per_px(none).shape == plane.contact_share(none).shape == (0,)


def test_six_points_are_enough_for_the_table() -> None:
    found = fit_plane(spec_of(POINTS[6]), width_px=1920, height_px=1080)
    assert found.trusted
    assert found.reasons == ()
    assert found.draws.shape == (500, 3, 3)
