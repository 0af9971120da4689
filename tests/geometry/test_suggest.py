"""A lens is suggested where the points are bent, and only there."""

from dataclasses import replace

import numpy as np
import pytest
from tests.geometry.calibrated import CAMERA, TEN, spec_of, tuples

from calmstreet.geometry.calibrate import calibrate, fit_plane
from calmstreet.geometry.suggest import suggested_k1

WIDE = np.array([(x, y) for y in (9, 12, 16, 24, 40) for x in (-0.55 * y, 0.0, 0.55 * y)])


@pytest.mark.parametrize("k1", [-0.2, -0.1, 0.15])
def test_a_lens_is_found_from_the_points(k1: float) -> None:
    straight = fit_plane(spec_of(WIDE), width_px=1920, height_px=1080)
    px = replace(straight, k1=k1, focal_px=1400.0).to_px(WIDE)
    inside = ((px > 0) & (px < (1920, 1080))).all(axis=1)
    spec = replace(
        spec_of(WIDE), points_px=tuples(px[inside]), points_m=tuples(WIDE[inside]), sigma_m=(0.01,)
    )
    spec = replace(spec, sigma_px=0.5)
    found = calibrate(spec, width_px=1920, height_px=1080)
    suggested = suggested_k1(spec, found)
    assert suggested == pytest.approx(k1, abs=0.06)


def test_straight_points_suggest_nothing() -> None:
    rng = np.random.default_rng(11)
    for places in (TEN, WIDE[WIDE[:, 1] > 10]):
        spec = spec_of(places, noise_px=rng.normal(0, 1.5, places.shape))
        found = calibrate(spec, width_px=1920, height_px=1080)
        assert suggested_k1(spec, found) is None


def test_few_points_and_a_given_lens_suggest_nothing() -> None:
    few = spec_of(TEN[:7])
    assert suggested_k1(few, calibrate(few, width_px=1920, height_px=1080)) is None
    given = spec_of(TEN, k1=-0.05, focal_px=CAMERA.focal_px)
    assert suggested_k1(given, calibrate(given, width_px=1920, height_px=1080)) is None
