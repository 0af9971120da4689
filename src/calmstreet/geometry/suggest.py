"""What would make a plane better: one more point, or a lens."""

from dataclasses import replace

import numpy as np

from calmstreet.errors import CalibrationError
from calmstreet.geometry.calibrate import Calibration, straightened
from calmstreet.geometry.homography import Fit, Picks, fit_picks
from calmstreet.geometry.picks import Lens, picks_of
from calmstreet.geometry.plane import Plane
from calmstreet.model.site import PlaneSpec

__all__ = ["SPEED_M_PER_PX", "point_to_add_px", "region_words", "suggested_k1"]

SPEED_M_PER_PX = 0.15
_K1_POINTS = 8
_K1_REACH = 0.4
_CHI2_GAIN = 10.0


def point_to_add_px(plane: Plane, fit: Fit) -> tuple[float, float] | None:
    """Return the pixel of the picture where one more point would help places most.

    Of a grid over the lower two thirds of the picture below the horizon, the one after which the
    mean variance of places, where speeds can be measured, is smallest (an A-optimal design;
    Atkinson and Donev 1992, chapter 10). None where nothing of the ground is seen.
    """
    across = (np.arange(16) + 0.5) / 16 * plane.width_px
    down = plane.height_px * (1 / 3 + (np.arange(12) + 0.5) / 12 * 2 / 3)
    px = np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 2)
    fine = plane.metres_per_px(px)
    with np.errstate(invalid="ignore"):
        useful = fine <= SPEED_M_PER_PX
    if not useful.any():
        useful = np.isfinite(fine)
    if not useful.any():
        return None
    grid = px[useful]
    rows = fit.slope(plane.ideal(grid))
    sigma_m = float(np.median(fit.picks.sigma_m))
    noise_m = np.hypot(sigma_m, fine[useful] * fit.picks.sigma_px)
    wanted = np.einsum("nip,niq->pq", rows, rows)
    told = np.einsum("nip,niq->npq", rows, rows) / noise_m[:, None, None] ** 2
    left = np.linalg.inv(np.linalg.pinv(fit.cov, hermitian=True) + told)
    best = int(np.argmin(np.einsum("pq,nqp->n", wanted, left)))
    x, y = grid[best].tolist()
    return x, y


def region_words(px: tuple[float, float], *, width_px: int, height_px: int) -> str:
    """Return in words where in the picture a pixel lies.

    >>> region_words((820, 640), width_px=960, height_px=720)
    'lower right'
    >>> region_words((480, 360), width_px=960, height_px=720)
    'middle'
    """
    across = ("left", "", "right")[min(int(3 * px[0] / width_px), 2)]
    down = ("upper", "", "lower")[min(int(3 * px[1] / height_px), 2)]
    return f"{down} {across}".strip() if down or across else "middle"


def suggested_k1(spec: PlaneSpec, found: Calibration) -> float | None:
    """Return the radial distortion with which the points fit much better, or None.

    From eight points on, where none was given: the k1 in -0.4 to 0.4 of the least sum of squares,
    if it falls by more than ten (a likelihood ratio at p = 0.002). A suggestion only: errors of
    points can look like a lens.
    """
    plane = found.plane
    if spec.k1 or len(found.fit.picks.px) < _K1_POINTS or not np.isfinite(plane.focal_px):
        return None
    picks, lens, _ = picks_of(
        spec,
        width_px=plane.width_px,
        height_px=plane.height_px,
        origin_lonlat=plane.origin_lonlat,
    )
    kept = np.ones(len(picks.px), bool)
    kept[list(found.outliers)] = False
    picks = picks.with_points(kept)
    tried = np.linspace(-_K1_REACH, _K1_REACH, 33)
    squares = np.array(
        [_squares(picks, replace(lens, k1=k, focal_px=plane.focal_px)) for k in tried]
    )
    best = int(np.argmin(squares))
    straight = _squares(picks, replace(lens, k1=0.0))
    if not 0 < best < len(tried) - 1 or not straight - squares[best] > _CHI2_GAIN:
        return None
    rise = squares[best - 1 : best + 2]
    bend = rise[0] - 2 * rise[1] + rise[2]
    shift = (rise[0] - rise[2]) / (2 * bend) if bend > 0 else 0.0
    return float(tried[best] + shift * (tried[1] - tried[0]))


def _squares(picks: Picks, lens: Lens) -> float:
    try:
        fit = fit_picks(straightened(picks, lens))
    except CalibrationError:
        return float("inf")
    return float("inf") if fit is None else float((fit.whitened**2).sum())
