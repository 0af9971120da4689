"""Metres on the ellipsoid against independent formulas."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calmstreet.geometry.lonlat import from_lonlat, lonlat_from_utm, to_lonlat, utm_scale

ALMATY = (76.95, 43.0)


def geodesic_m(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Vincenty's inverse formula (1975) on WGS84."""
    major, flat = 6_378_137.0, 1 / 298.257223563
    minor = major * (1 - flat)
    turn = math.radians(b[0] - a[0])
    u1, u2 = (math.atan((1 - flat) * math.tan(math.radians(p[1]))) for p in (a, b))
    lam = turn
    for _ in range(100):
        sin_sigma = math.hypot(
            math.cos(u2) * math.sin(lam),
            math.cos(u1) * math.sin(u2) - math.sin(u1) * math.cos(u2) * math.cos(lam),
        )
        cos_sigma = math.sin(u1) * math.sin(u2) + math.cos(u1) * math.cos(u2) * math.cos(lam)
        sigma = math.atan2(sin_sigma, cos_sigma)
        sin_alpha = math.cos(u1) * math.cos(u2) * math.sin(lam) / sin_sigma
        cos2_alpha = 1 - sin_alpha**2
        cos_2m = cos_sigma - 2 * math.sin(u1) * math.sin(u2) / cos2_alpha if cos2_alpha else 0.0
        c = flat / 16 * cos2_alpha * (4 + flat * (4 - 3 * cos2_alpha))
        new = turn + (1 - c) * flat * sin_alpha * (
            sigma + c * sin_sigma * (cos_2m + c * cos_sigma * (2 * cos_2m**2 - 1))
        )
        if abs(new - lam) < 1e-14:
            break
        lam = new
    square = cos2_alpha * (major**2 - minor**2) / minor**2
    big_a = 1 + square / 16384 * (4096 + square * (-768 + square * (320 - 175 * square)))
    big_b = square / 1024 * (256 + square * (-128 + square * (74 - 47 * square)))
    delta = big_b * sin_sigma * (cos_2m + big_b / 4 * cos_sigma * (2 * cos_2m**2 - 1))
    return minor * big_a * (sigma - delta)


@pytest.mark.parametrize("off", [(0.005, 0.0), (0.0, 0.005), (0.006, -0.004), (-0.01, 0.006)])
def test_distances_are_true_to_a_millimetre(off: tuple[float, float]) -> None:
    there = (ALMATY[0] + off[0], ALMATY[1] + off[1])
    here_m = from_lonlat([there], origin_lonlat=ALMATY)[0]
    assert math.hypot(*here_m) == pytest.approx(geodesic_m(ALMATY, there), abs=1e-3)


def test_a_metre_is_not_that_of_web_mercator() -> None:
    east_m = from_lonlat([(ALMATY[0] + 0.001, ALMATY[1])], origin_lonlat=ALMATY)[0, 0]
    mercator_m = math.radians(0.001) * 6_378_137.0
    assert mercator_m / east_m == pytest.approx(1.37, abs=0.005)


def test_degrees_at_43_north() -> None:
    steps = from_lonlat(
        [(ALMATY[0] + 0.001, ALMATY[1]), (ALMATY[0], ALMATY[1] + 0.001)], origin_lonlat=ALMATY
    )
    sin2 = math.sin(math.radians(43)) ** 2
    e2 = 0.00669437999014
    across = 6_378_137 / math.sqrt(1 - e2 * sin2)
    assert steps[0, 0] == pytest.approx(math.radians(0.001) * across * math.cos(math.radians(43)))
    assert steps[1, 1] == pytest.approx(
        math.radians(0.001) * across * (1 - e2) / (1 - e2 * sin2), rel=1e-5
    )


@given(st.floats(-179, 179), st.floats(-75, 75), st.floats(-20_000, 20_000), st.floats(-2e4, 2e4))
def test_there_and_back(lon: float, lat: float, east_m: float, north_m: float) -> None:
    lonlat = to_lonlat([(east_m, north_m)], origin_lonlat=(lon, lat))
    back = from_lonlat(lonlat, origin_lonlat=(lon, lat))
    assert np.abs(back - (east_m, north_m)).max() < 1e-6


def test_utm_of_a_known_place() -> None:
    # The CN Tower, an example of the Wikipedia article on UTM: 17T 630084 4833438.
    lon, lat = lonlat_from_utm([(630_084.0, 4_833_438.0)], zone=17)[0]
    assert (lon, lat) == pytest.approx((-79.387139, 43.642567), abs=2e-5)


@pytest.mark.parametrize("east_m", [500_000.0, 300_000.0, 844_090.0])
def test_grid_metres_are_longer_or_shorter_than_metres(east_m: float) -> None:
    lonlat = lonlat_from_utm([(east_m, 5_673_190.0), (east_m + 1000, 5_673_190.0)], zone=32)
    true_m = geodesic_m(*(tuple(place) for place in lonlat.tolist()))
    assert 1000 / true_m == pytest.approx(float(utm_scale([east_m + 500])[0]), abs=2e-5)


def test_the_south_counts_from_ten_million() -> None:
    north = lonlat_from_utm([(600_000.0, 1_000_000.0)], zone=33)[0]
    south = lonlat_from_utm([(600_000.0, 9_000_000.0)], zone=33, north=False)[0]
    assert south == pytest.approx((north[0], -north[1]))
