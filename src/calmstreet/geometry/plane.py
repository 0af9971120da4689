"""The ground as a camera sees it: pixels to metres and back, each with its uncertainty.

A plane is one homography from undistorted pixels to metres of the site's frame (east, north), and
500 more that the measured points would have given as well: their spread is the uncertainty of the
calibration. Pixels in and out are those of the picture; the lens is dealt with inside.

All maps work row by row, so that any cutting of the rows gives the same bits. Source of the
formulas: Hartley and Zisserman (2004), "Multiple View Geometry", chapters 4 and 8.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calmstreet.errors import InputError
from calmstreet.geometry import lonlat
from calmstreet.geometry.lens import distort, lens_slope, undistort

__all__ = ["CONTACT_Z_M", "Plane", "mapped"]

Floats = NDArray[np.float64]
CONTACT_Z_M = 0.3
_HORIZON = 1e-9
_LOST_SHARE = 0.02


def mapped(matrix: Floats, xy: Floats) -> Floats:
    """Return points (n, 2) through homographies (..., 3, 3): (..., n, 2), NaN where w <= 0.

    >>> mapped(np.diag([2.0, 2.0, 1.0]), np.array([[1.0, 3.0]])).tolist()
    [[2.0, 6.0]]
    """
    x, y = xy[..., 0], xy[..., 1]
    h = matrix[..., None, :, :]
    w = h[..., 2, 0] * x + h[..., 2, 1] * y + h[..., 2, 2]
    w = np.where(w > _HORIZON, w, np.nan)
    return np.stack(
        [
            (h[..., 0, 0] * x + h[..., 0, 1] * y + h[..., 0, 2]) / w,
            (h[..., 1, 0] * x + h[..., 1, 1] * y + h[..., 1, 2]) / w,
        ],
        axis=-1,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plane:
    """The map between a picture and the ground, as `geometry.calibrate.fit_plane` finds it.

    Attributes:
        matrix: (3, 3), undistorted px to metres east and north; w > 0 on the ground that is seen.
        draws: (500, 3, 3), the same from perturbed points: the posterior of ``matrix``.
        centre_px: (2,) principal point, the middle of the picture.
        focal_px: focal length, given or implied by the plane; NaN unknown.
        k1: radial distortion, 0 for none.
        width_px: width of the picture.
        height_px: height of the picture.
        place_m: (3,) the camera: east, north, height over the plane; NaN unknown.
        origin_lonlat: where (0, 0) m lies, or None when nobody said.
        hull_m: (k, 2) corners around the points that were measured.
        sigma_px: standard error of a pick, after inflation by the residuals.
        trusted: whether metres may carry speeds.
        reasons: why not, and what else is odd; sentences.
    """

    matrix: Floats
    draws: Floats
    centre_px: Floats
    focal_px: float
    k1: float
    width_px: int
    height_px: int
    place_m: Floats
    origin_lonlat: tuple[float, float] | None
    hull_m: Floats
    sigma_px: float
    trusted: bool
    reasons: tuple[str, ...] = ()

    def to_m(self, px: ArrayLike) -> Floats:
        """Return metres (n, 2) of pixels (n, 2); NaN at and over the horizon."""
        return mapped(self.matrix, self.ideal(px))

    def to_px(self, xy_m: ArrayLike) -> Floats:
        """Return pixels (n, 2) of metres (n, 2); NaN behind the camera."""
        there = np.asarray(xy_m, np.float64).reshape(-1, 2)
        return distort(
            mapped(np.asarray(np.linalg.inv(self.matrix), np.float64), there), **self._lens()
        )

    def jacobian(self, px: ArrayLike) -> Floats:
        """Return d metres / d pixels (n, 2, 2) at pixels (n, 2); NaN over the horizon."""
        return self._slope(self.ideal(px))

    def metres_per_px(self, px: ArrayLike, way: ArrayLike | None = None) -> Floats:
        """Return metres per pixel (n,) at pixels (n, 2).

        Along unit vectors ``way`` (n, 2) on the ground; without them in the direction in which a
        pixel is longest.
        """
        slope = self.jacobian(px)
        a, b, c, d = slope[:, 0, 0], slope[:, 0, 1], slope[:, 1, 0], slope[:, 1, 1]
        det = a * d - b * c
        if way is None:
            half = (a * a + b * b + c * c + d * d) / 2
            return np.asarray(np.sqrt(half + np.sqrt(np.maximum(half**2 - det**2, 0))))
        east, north = np.asarray(way, np.float64).reshape(-1, 2).T
        return np.asarray(np.abs(det) / np.hypot(d * east - b * north, a * north - c * east))

    def cov_m2(self, px: ArrayLike, sigma_px: ArrayLike, *, with_posterior: bool = False) -> Floats:
        """Return the covariance xx, xy, yy (n, 3) in m2 of places seen at pixels (n, 2).

        Args:
            px: pixels (n, 2).
            sigma_px: standard errors across and down (n, 2), or one pair for all.
            with_posterior: add the uncertainty of the calibration, which is common to all road
                users at a place.
        """
        ideal = self.ideal(px)
        slope = self._slope(ideal)
        spread = slope * np.asarray(sigma_px, np.float64).reshape(-1, 1, 2)
        cov = _triple(spread)
        return cov + self._posterior_m2(ideal) if with_posterior else cov

    def scale_sigma_share(self, a_m: ArrayLike, b_m: ArrayLike) -> float:
        """Return the standard error of the length between two ground places, as its share.

        inf where a place is not seen, or where over 2 % of the draws lose it.
        """
        return float(self.scale_sigma_shares(a_m, b_m)[0])

    def scale_sigma_shares(self, a_m: ArrayLike, b_m: ArrayLike) -> Floats:
        """Return the standard error of the lengths between places (n, 2) and (n, 2), as shares."""
        ends = [self.ideal(self.to_px(place)) for place in (a_m, b_m)]
        way = mapped(self.draws, ends[0]) - mapped(self.draws, ends[1])
        length = np.hypot(way[..., 0], way[..., 1])
        lost = ~np.isfinite(length)
        known = np.where(lost, 0.0, length)
        count = np.maximum((~lost).sum(axis=0), 1)
        mean = known.sum(axis=0) / count
        variance = (np.where(lost, 0.0, known - mean) ** 2).sum(axis=0) / count
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.sqrt(variance) / mean
        return np.asarray(np.where(lost.mean(axis=0) > _LOST_SHARE, np.inf, share))

    def contact_share(self, xy_m: ArrayLike, z_m: float = CONTACT_Z_M) -> Floats:
        """Return by how much motion is overstated (n,) where the tracked point is at ``z_m``.

        z / (h - z) with the camera's height h: the same everywhere on a plane. NaN where the
        height is unknown, inf where the point is as high as the camera.
        """
        height_m = float(self.place_m[2])
        share = z_m / (height_m - z_m) if height_m > z_m else np.inf
        n = np.asarray(xy_m, np.float64).reshape(-1, 2).shape[0]
        return np.full(n, np.nan if np.isnan(height_m) else share)

    def to_lonlat(self, xy_m: ArrayLike) -> Floats:
        """Return longitude and latitude (n, 2) of metres (n, 2); InputError without an origin."""
        return lonlat.to_lonlat(xy_m, origin_lonlat=self._origin())

    def from_lonlat(self, lonlat_deg: ArrayLike) -> Floats:
        """Return metres (n, 2) of longitude and latitude (n, 2); InputError without an origin."""
        return lonlat.from_lonlat(lonlat_deg, origin_lonlat=self._origin())

    def ideal(self, px: ArrayLike) -> Floats:
        """Return where pixels (n, 2) would lie without the lens."""
        return undistort(px, **self._lens())

    def _origin(self) -> tuple[float, float]:
        if self.origin_lonlat is None:
            raise InputError("the site has no place on the map; add origin_lonlat under [site]")
        return self.origin_lonlat

    def _lens(self) -> dict[str, Any]:
        return {"centre_px": self.centre_px, "focal_px": self.focal_px, "k1": self.k1}

    def _weight(self, ideal: Floats) -> Floats:
        h = self.matrix[2]
        w = h[0] * ideal[:, 0] + h[1] * ideal[:, 1] + h[2]
        return np.asarray(np.where(w > _HORIZON, w, np.nan))

    def _slope(self, ideal: Floats) -> Floats:
        place = mapped(self.matrix, ideal)
        h, w = self.matrix, self._weight(ideal)
        flat = (h[:2, :2] - place[:, :, None] * h[2, :2]) / w[:, None, None]
        return np.asarray(np.einsum("nij,njk->nik", flat, lens_slope(ideal, **self._lens())))

    def _posterior_m2(self, ideal: Floats) -> Floats:
        """Return the covariance (n, 3) of places by the draws, to first order in the matrix."""
        draws = self.draws.reshape(len(self.draws), 9)
        off = draws - self.matrix.reshape(9)
        cov = np.einsum("di,dj->ij", off, off) / len(off)
        place, w = mapped(self.matrix, ideal), self._weight(ideal)
        ray = np.concatenate([ideal, np.ones((len(ideal), 1))], axis=1) / w[:, None]
        slope = np.zeros((len(ideal), 2, 9))
        slope[:, 0, 0:3] = slope[:, 1, 3:6] = ray
        slope[:, :, 6:9] = -place[:, :, None] * ray[:, None, :]
        full = np.einsum("nai,ij,nbj->nab", slope, cov, slope)
        return np.stack([full[:, 0, 0], full[:, 0, 1], full[:, 1, 1]], axis=1)


def _triple(root: Floats) -> Floats:
    """Return xx, xy, yy (n, 3) of root root' for roots (n, 2, 2)."""
    full = np.einsum("nik,njk->nij", root, root)
    return np.stack([full[:, 0, 0], full[:, 0, 1], full[:, 1, 1]], axis=1)
