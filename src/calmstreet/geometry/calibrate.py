"""From measured points to a plane, or one sentence on why there is none.

`fit_plane` refuses what is wrong (`CalibrationError`); where the points say too little for metres
the error has ``counts_only``. A plane that gives places but no speeds is ``trusted=False`` with
its reasons. Nothing is random: the same points give the same plane, draws and all.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import CalibrationError
from calmstreet.geometry.appraise import LengthCheck, check_lengths, hull_of, scale_over
from calmstreet.geometry.homography import (
    Fit,
    Picks,
    camera_of,
    fit_picks,
    perturbed_matrices,
)
from calmstreet.geometry.lens import undistort
from calmstreet.geometry.picks import Lens, picks_of
from calmstreet.geometry.plane import Plane
from calmstreet.model.site import PlaneSpec

__all__ = ["DRAWS", "Calibration", "calibrate", "fit_plane", "straightened"]

Floats = NDArray[np.float64]
DRAWS = 500
SEED = 20
ENOUGH_POINTS = 6
WORST_SCALE_SHARE = 0.05
_OUTLIER = 4.0
_LOST_SHARE = 1 / 3
_ROUNDING = 1e-9
_LINE_SHARE = 0.02
_AREA_SHARE = 0.003
_DEGENERATE = 1e-5
_FOCAL_WIDTHS = (0.3, 10.0)
_HEIGHT_M = (2.0, 100.0)
_LENS_STEPS = 25


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calibration:
    """A plane and what its points and lengths say about it.

    ``picks`` are all points with the lens taken out, ``clicked_px`` (n, 2) with it; ``fit`` is of
    the points used; ``outliers`` numbers (from 0) those left out; ``spread`` is by
    how much standard errors were inflated; ``lengths`` has one check per known length;
    ``camera_sigma`` are the standard errors of focal length (px) and height (m); ``refused`` says
    what contradicts: a plane without it that is not trusted is a sketch.
    """

    plane: Plane
    fit: Fit
    picks: Picks
    clicked_px: Floats
    outliers: tuple[int, ...]
    spread: float
    lengths: tuple[LengthCheck, ...]
    camera_sigma: tuple[float, float]
    refused: tuple[str, ...] = ()

    @property
    def places_m(self) -> Floats:
        """Return the measured places (n, 2) of all points."""
        return self.picks.m


def fit_plane(
    spec: PlaneSpec,
    *,
    width_px: int,
    height_px: int,
    origin_lonlat: tuple[float, float] | None = None,
    seed: int = SEED,
) -> Plane:
    """Return the plane of measured points for a picture of ``width_px`` by ``height_px``.

    Args:
        spec: points, known lengths and lens, in pixels of ``spec.size_px``.
        width_px: width of the video; a scaled video of the same shape is allowed.
        height_px: height of the video.
        origin_lonlat: where (0, 0) m of the site lies; unless given, the mean of the points.
        seed: of the perturbed refits.

    Raises:
        CalibrationError: mirrored, over the horizon, contradicting, or (``counts_only``) too few,
            on a line, in a heap.

    >>> from calmstreet.model.site import PlaneSpec
    >>> px = ((100, 300), (540, 300), (430, 120), (210, 120), (320, 180), (320, 300))
    >>> m = ((-4, 8), (4, 8), (4, 16), (-4, 16), (0, 12), (0, 8))
    >>> plane = fit_plane(PlaneSpec(points_px=px, points_m=m), width_px=640, height_px=360)
    >>> plane.trusted, plane.to_m([[430, 120]]).round(1).tolist()
    (True, [[4.0, 16.0]])
    """
    return calibrate(
        spec, width_px=width_px, height_px=height_px, origin_lonlat=origin_lonlat, seed=seed
    ).plane


def calibrate(
    spec: PlaneSpec,
    *,
    width_px: int,
    height_px: int,
    origin_lonlat: tuple[float, float] | None = None,
    seed: int = SEED,
) -> Calibration:
    """Return the plane of `fit_plane` together with residuals, checks and outliers."""
    seen, lens, origin = picks_of(
        spec, width_px=width_px, height_px=height_px, origin_lonlat=origin_lonlat
    )
    _refuse_poor(seen, width_px * height_px)
    lens = _lens_of(seen, lens)
    picks = straightened(seen, lens)
    fit, outliers = _robust_fit(picks)
    _refuse_impossible(fit, picks)
    spread = max(1.0, fit.chi) if len(fit.picks.px) > 4 and np.isfinite(fit.chi) else 1.0
    if spread > 1:
        fit = _sure(fit_picks(fit.picks.times(spread)))
    focal, place = camera_of(fit.matrix, centre_px=lens.centre_px, focal_px=lens.given_px)
    plane = Plane(
        matrix=fit.matrix,
        draws=perturbed_matrices(fit, count=DRAWS, seed=seed),
        centre_px=lens.centre_px,
        focal_px=lens.focal_px if lens.k1 else float(focal),
        k1=lens.k1,
        width_px=width_px,
        height_px=height_px,
        place_m=np.asarray(place, np.float64),
        origin_lonlat=origin,
        hull_m=hull_of(fit.picks.m),
        sigma_px=fit.picks.sigma_px,
        trusted=False,
    )
    lengths = check_lengths(fit)
    return _judged(
        Calibration(
            plane=plane,
            fit=fit,
            picks=picks,
            clicked_px=seen.px,
            outliers=outliers,
            spread=spread,
            lengths=lengths,
            camera_sigma=_camera_sigma(plane, lens),
        )
    )


def straightened(picks: Picks, lens: Lens) -> Picks:
    """Return the picks with the lens taken out of their pixels."""

    def flat(px: Floats) -> Floats:
        ideal = undistort(px, centre_px=lens.centre_px, focal_px=lens.focal_px, k1=lens.k1)
        if not np.isfinite(ideal).all():
            raise CalibrationError(
                f"the plane's k1 = {lens.k1:g} with focal_px = {lens.focal_px:.0f} folds the "
                "picture before it reaches the points; check k1 and focal_px"
            )
        return ideal

    return replace(picks, px=flat(picks.px), a_px=flat(picks.a_px), b_px=flat(picks.b_px))


def _lens_of(picks: Picks, lens: Lens) -> Lens:
    """Return the lens with a focal length for k1: the given one or that which the plane implies."""
    if not lens.k1 or np.isfinite(lens.given_px):
        return lens
    for _ in range(_LENS_STEPS):
        fit = fit_picks(straightened(picks, lens))
        if fit is None:
            return lens
        implied = float(camera_of(fit.matrix, centre_px=lens.centre_px)[0])
        if not np.isfinite(implied):
            return lens
        wide = 2 * lens.centre_px[0]
        implied = float(np.clip(implied, *(share * wide for share in _FOCAL_WIDTHS)))
        settled = abs(implied - lens.focal_px) < 1e-6 * implied
        lens = replace(lens, focal_px=implied)
        if settled:
            break
    return lens


def _refuse_poor(picks: Picks, picture_px2: int) -> None:
    """Raise where the points say too little for any metres."""
    n = len(picks.px)
    if n < 4:
        raise CalibrationError(
            f"the plane has {n} point{'s' * (n != 1)} of the four it needs at least; counts only, "
            f"add {4 - n} or more",
            counts_only=True,
        )
    if n == 4 and not len(picks.length_m):
        raise CalibrationError(
            "the plane has four points and no check length, which fit exactly whatever their "
            "error; counts only, add two points or measure one length on the ground",
            counts_only=True,
        )
    for points, what in ((picks.px, "of the picture"), (picks.m, "on the ground")):
        sizes = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
        if sizes[0] <= _ROUNDING * max(1.0, float(np.abs(points).max())):
            raise CalibrationError(
                f"the plane has all its points {what} in one place; give each a place of its own"
            )
        if sizes[1] < _LINE_SHARE * sizes[0]:
            raise CalibrationError(
                f"the plane has its points {what} on one line; counts only, add points to its side",
                counts_only=True,
            )
    if _one_line_but_one(picks):
        raise CalibrationError(
            "the plane has all points but one on one line; counts only, add points to its side",
            counts_only=True,
        )
    if _area(hull_of(picks.px)) < _AREA_SHARE * picture_px2:
        raise CalibrationError(
            "the plane has its points in a heap, on less than 0.3 % of the picture; counts only, "
            "spread them",
            counts_only=True,
        )


def _one_line_but_one(picks: Picks) -> bool:
    """Return whether eight numbers are undetermined, as with all points but one on a line."""
    sides = []
    for points in (picks.px, picks.m):
        off = points - points.mean(axis=0)
        sides.append(off / np.sqrt((off**2).mean()))
    (u, v), (x, y) = (side.T for side in sides)
    one, nil = np.ones_like(u), np.zeros_like(u)
    rows = [
        [u, v, one, nil, nil, nil, -u * x, -v * x, -x],
        [nil, nil, nil, u, v, one, -u * y, -v * y, -y],
    ]
    matrix = np.concatenate([np.stack(row, axis=1) for row in rows])
    sizes = np.linalg.svd(matrix, compute_uv=False)
    return bool(sizes[7] < _DEGENERATE * sizes[0])


def _area(ring: Floats) -> float:
    x, y = (ring - ring[0]).T
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def _sure(fit: Fit | None) -> Fit:
    if fit is None:
        raise CalibrationError(
            "the plane fits none of its points; check that every picture point has its own place"
        )
    return fit


def _robust_fit(picks: Picks) -> tuple[Fit, tuple[int, ...]]:
    """Return the fit of the points that agree, and the numbers of those that do not."""
    fit = _sure(fit_picks(picks))
    if len(picks.px) < 8:
        return fit, ()
    typical_m = float(np.median(np.linalg.norm(fit.residual_m, axis=1)))
    fit = _sure(fit_picks(picks, robust_m=max(typical_m, float(picks.sigma_m.max())) * 3))
    kept = np.ones(len(picks.px), bool)
    for _ in range(5):
        off = fit.offs(picks)
        scale = max(1.0, float(np.median(off[kept])) / 1.177)
        now = off <= _OUTLIER * scale
        if now.sum() < (1 - _LOST_SHARE) * len(now):
            raise CalibrationError(
                f"the plane has {int((~now).sum())} of {len(now)} points that contradict the rest; "
                "check that every picture point stands beside its own place on the ground"
            )
        if (now == kept).all():
            break
        kept = now
        fit = _sure(fit_picks(picks.with_points(kept)))
    return fit, tuple(int(i) for i in np.flatnonzero(~kept))


def _refuse_impossible(fit: Fit, picks: Picks) -> None:
    """Raise where no camera over a flat ground could have seen the points like this."""
    rays = np.concatenate([picks.px, np.ones((len(picks.px), 1))], axis=1)
    weight = (rays * fit.matrix[2]).sum(axis=1)
    if np.linalg.det(fit.matrix) > 0:
        raise CalibrationError(
            "the plane is mirrored: on the ground the points turn the other way round than in the "
            "picture; write east before north and longitude before latitude"
        )
    over = np.flatnonzero(weight <= 0)
    if len(over):
        raise CalibrationError(
            f"the plane puts point {over[0] + 1} over the horizon or behind the camera; check it "
            "and its place on the ground"
        )


def _camera_sigma(plane: Plane, lens: Lens) -> tuple[float, float]:
    """Return the standard errors of focal length (px) and height (m) over the draws."""
    focal, place = camera_of(plane.draws, centre_px=lens.centre_px, focal_px=lens.given_px)
    both = [values[np.isfinite(values)] for values in (focal, place[:, 2])]
    spread = [float(v.std()) if len(v) > 0.9 * DRAWS else float("nan") for v in both]
    return spread[0], spread[1]


def _judged(found: Calibration) -> Calibration:
    """Return the calibration with its plane's trust and reasons."""
    few, refused = _too_few(found), (*_lengths_off(found), *_too_loose(found))
    odd = (*_left_out(found), *_suspicious(found))
    plane = replace(found.plane, trusted=not (few or refused), reasons=(*few, *refused, *odd))
    return replace(found, plane=plane, refused=refused)


def _too_few(found: Calibration) -> list[str]:
    n, known = len(found.fit.picks.px), len(found.lengths)
    if n >= ENOUGH_POINTS or known:
        return []
    return [
        f"{n} points and no check length are a sketch: places yes, speeds no; add "
        f"{ENOUGH_POINTS - n} more or measure one length on the ground"
    ]


def _lengths_off(found: Calibration) -> list[str]:
    return [
        f"check length {i + 1} is {check.predicted_m:.2f} m by the other measurements and "
        f"{check.measured_m:.2f} m by hand ({100 * check.off_share:+.1f} %); measure it again, and "
        "check the points beside it"
        for i, check in enumerate(found.lengths)
        if not check.agrees
    ]


def _too_loose(found: Calibration) -> list[str]:
    share = scale_over(found.plane)[0]
    if share <= WORST_SCALE_SHARE:
        return []
    said = f"{100 * share:.1f} %" if np.isfinite(share) else "any amount"
    return [
        f"the scale is uncertain by {said} (one standard error), more than "
        f"{100 * WORST_SCALE_SHARE:.0f} %; add points, spread them, or check the worst one"
    ]


def _left_out(found: Calibration) -> list[str]:
    if not found.outliers:
        return []
    names = ", ".join(str(row + 1) for row in found.outliers)
    return [f"point {names} does not fit the others and was left out; check it"]


def _suspicious(found: Calibration) -> list[str]:
    """Name a focal length or height that no street camera has, where they are known well."""
    plane, said = found.plane, []
    focal_sigma, height_sigma = found.camera_sigma
    focal, low, high = plane.focal_px, *(share * plane.width_px for share in _FOCAL_WIDTHS)
    if focal + 2 * focal_sigma < low or focal - 2 * focal_sigma > high:
        said.append(
            f"the plane implies a focal length of {focal:.0f} px, {focal / plane.width_px:.1f} "
            "widths of the picture, which is suspicious; was the picture cropped?"
        )
    height = float(plane.place_m[2])
    if height + 2 * height_sigma < _HEIGHT_M[0] or height - 2 * height_sigma > _HEIGHT_M[1]:
        said.append(
            f"the plane implies a camera {height:.1f} m above the ground, which is suspicious; "
            "are the places really in metres?"
        )
    return said
