"""The metric grid lies where the plane says."""

import numpy as np
from tests.geometry.calibrated import CAMERA, TEN, spec_of

from calmstreet.geometry.calibrate import fit_plane
from calmstreet.model.site import CheckLength
from calmstreet.report.calibration import draw_control_points, draw_metric_grid

PLANE = fit_plane(spec_of(TEN), width_px=1920, height_px=1080)


def drawn_at(bgr: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """Return whether something was drawn within two pixels of places (n, 2)."""
    return np.array(
        [bgr[int(y) - 2 : int(y) + 3, int(x) - 2 : int(x) + 3].any() for x, y in xy.round()]
    )


def test_lines_run_through_round_metres() -> None:
    bgr = np.zeros((540, 960, 3), np.uint8)
    draw_metric_grid(bgr, PLANE, scale=0.5)
    on = CAMERA.ground_px(np.array([(x, 17.3) for x in (-5, 0, 5)], np.float64)) / 2
    between = CAMERA.ground_px(np.array([(x, 17.3) for x in (-2.5, 2.5)], np.float64)) / 2
    assert drawn_at(bgr, on).all()
    assert not drawn_at(bgr, between).any()
    assert drawn_at(bgr, CAMERA.ground_px(np.array([(1.1, 20.0), (1.1, 15.0)])) / 2).all()


def test_misses_are_drawn_twenty_times() -> None:
    bgr = np.zeros((1080, 1920, 3), np.uint8)
    px = CAMERA.ground_px(TEN)
    moved = px + np.array([0.0, 4.0])
    draw_control_points(
        bgr,
        PLANE,
        points_px=moved,
        places_m=TEN,
        names=[str(i) for i in range(len(TEN))],
        lengths=[CheckLength(a_px=(300.0, 900.0), b_px=(700.0, 900.0), length_m=7.5)],
    )
    red = (bgr[..., 2] > 200) & (bgr[..., 1] < 100)
    tips = moved - np.array([0.0, 70.0])
    for x, y in tips[:4].round().astype(int):
        assert red[y - 3 : y + 4, x - 3 : x + 4].any()
    assert drawn_at(bgr, np.array([(400.0, 900.0), (600.0, 900.0)])).all()


def test_exact_points_have_no_arrows() -> None:
    bgr = np.zeros((1080, 1920, 3), np.uint8)
    px = CAMERA.ground_px(TEN)
    draw_control_points(bgr, PLANE, points_px=px, places_m=TEN, names=["p"] * len(TEN))
    assert not ((bgr[..., 2] > 200) & (bgr[..., 1] < 100)).any()
    assert drawn_at(bgr, px).all()
