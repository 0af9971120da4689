"""How good a plane is: errors of points that were left out, known lengths, scale over the zone.

The residual of a point that was fitted is no accuracy: four points always fit exactly. What counts
is where the other points put a point that was left out, what they make of a length that somebody
measured, and by how much the scale moves when all are measured anew.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from calmstreet.geometry.homography import Fit, Picks, fit_picks
from calmstreet.geometry.plane import Plane
from calmstreet.geometry.shapes import inside_polygon

__all__ = [
    "STRETCH_M",
    "LengthCheck",
    "check_lengths",
    "hull_of",
    "left_out_m",
    "scale_over",
]

Floats = NDArray[np.float64]
STRETCH_M = 15.0
AGREE_SHARE = 0.02
AGREE_SIGMAS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthCheck:
    """A known length and what the plane makes of it when it is left out of the fit.

    ``predicted_m`` is by the points and the other lengths, NaN where they determine no plane;
    ``sigma_m`` the standard error of the difference; ``agrees`` within the larger of 2 % and two
    standard errors.
    """

    measured_m: float
    predicted_m: float
    sigma_m: float

    @property
    def off_share(self) -> float:
        """Return predicted over measured, less one."""
        return self.predicted_m / self.measured_m - 1

    @property
    def agrees(self) -> bool:
        """Return whether both agree; a length that nothing predicts does not disagree."""
        limit_m = max(AGREE_SHARE * self.measured_m, AGREE_SIGMAS * self.sigma_m)
        return not abs(self.predicted_m - self.measured_m) > limit_m


def hull_of(points: ArrayLike) -> Floats:
    """Return the corners (k, 2) of the convex hull of points (n, 2), all of them if n < 3.

    >>> len(hull_of([(0, 0), (4, 0), (4, 4), (0, 4), (2, 2)]))
    4
    """
    xy = np.asarray(points, np.float64).reshape(-1, 2)
    if len(xy) < 3:
        return xy
    rows = cv2.convexHull((xy - xy.mean(axis=0)).astype(np.float32), returnPoints=False)
    return np.asarray(xy[rows.ravel()])


def check_lengths(fit: Fit) -> tuple[LengthCheck, ...]:
    """Return one check per known length, each by a fit without it."""
    checks = []
    for row, measured in enumerate(fit.picks.length_m):
        other = fit_picks(fit.picks.without_length(row))
        predicted, sigma = np.nan, np.nan
        if other is not None:
            lengths, sigmas = other.length_checks(fit.picks)
            predicted = float(lengths[row])
            sigma = float(np.hypot(sigmas[row], fit.picks.length_sigma_m[row]))
        checks.append(LengthCheck(measured_m=float(measured), predicted_m=predicted, sigma_m=sigma))
    return tuple(checks)


def left_out_m(picks: Picks) -> Floats:
    """Return how far (n,) in metres each point lies from where the others put it.

    NaN where the others are fewer than four or determine no plane.
    """
    errors = np.full(len(picks.px), np.nan)
    if len(picks.px) < 5:
        return errors
    for row in range(len(errors)):
        other = fit_picks(picks.without_point(row))
        if other is not None:
            ray = np.array([*picks.px[row], 1.0])
            place = other.matrix @ ray
            if place[2] > 0:
                errors[row] = float(np.hypot(*(place[:2] / place[2] - picks.m[row])))
    return errors


def scale_over(plane: Plane, zone_m: ArrayLike | None = None) -> tuple[float, float]:
    """Return the median and the worst standard error of scale, as shares, over a zone.

    Stretches of 15 m in four directions on a grid over the polygon ``zone_m`` (k, 2), the hull of
    the points unless given, as far as the camera sees both ends. A zone that holds no such stretch
    is measured along its longer side.
    """
    zone = np.asarray(plane.hull_m if zone_m is None else zone_m, np.float64)
    a_m, b_m = _stretches(plane, zone)
    shares = plane.scale_sigma_shares(a_m, b_m)
    shares = shares[~np.isnan(shares)]
    if not len(shares):
        return float("inf"), float("inf")
    return float(np.median(shares)), float(shares.max())


def _stretches(plane: Plane, zone: Floats) -> tuple[Floats, Floats]:
    low, high = zone.min(axis=0), zone.max(axis=0)
    step = max(float((high - low).max()) / 12, 1.0)
    axes = [np.arange(a, b + step, step) for a, b in zip(low, high, strict=True)]
    middles = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
    angles = np.arange(4) * np.pi / 4
    half = np.stack([np.cos(angles), np.sin(angles)], axis=1) * STRETCH_M / 2
    a_m = (middles[:, None] - half).reshape(-1, 2)
    b_m = (middles[:, None] + half).reshape(-1, 2)
    good = _seen(plane, a_m) & _seen(plane, b_m)
    good &= inside_polygon(a_m, zone) & inside_polygon(b_m, zone)
    if good.any():
        return a_m[good], b_m[good]
    middle = zone.mean(axis=0)
    way = np.linalg.svd(zone - middle)[2][0] * STRETCH_M / 2
    return (middle - way)[None], (middle + way)[None]


def _seen(plane: Plane, xy_m: Floats) -> NDArray[np.bool_]:
    px = plane.to_px(xy_m)
    with np.errstate(invalid="ignore"):
        inside = (px >= 0) & (px <= (plane.width_px, plane.height_px))
    return np.asarray(inside.all(axis=1))
