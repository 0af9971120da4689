"""Longitude and latitude to metres and back, on the WGS84 ellipsoid and without a map projection.

The metric frame of a site is the plane that touches the ellipsoid at its origin: east and north in
metres. Within 1 km of the origin distances in it are true to under a millimetre; a Web Mercator
metre would be 1 / cos(latitude) too long. Longitude comes first, always.

Source of the ellipsoid and of the geocentric coordinates: NIMA TR8350.2 (2000). UTM: Karney (2011),
"Transverse Mercator with an accuracy of a few nanometers", the series of Krueger to order 4.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["from_lonlat", "lonlat_from_utm", "to_lonlat", "utm_scale"]

Floats = NDArray[np.float64]

_A_M = 6_378_137.0
_F = 1 / 298.257223563
_E2 = _F * (2 - _F)
_K0 = 0.9996
_FALSE_EAST_M = 500_000.0
_FALSE_NORTH_M = 10_000_000.0


def _geocentric(lon_rad: Floats, lat_rad: Floats) -> Floats:
    """Return places (n, 3) in metres from the earth's centre, on the ellipsoid."""
    across = _A_M / np.sqrt(1 - _E2 * np.sin(lat_rad) ** 2)
    return np.stack(
        [
            across * np.cos(lat_rad) * np.cos(lon_rad),
            across * np.cos(lat_rad) * np.sin(lon_rad),
            across * (1 - _E2) * np.sin(lat_rad),
        ],
        axis=-1,
    )


def from_lonlat(lonlat_deg: ArrayLike, *, origin_lonlat: tuple[float, float]) -> Floats:
    """Return metres east and north (n, 2) of the origin for longitude, latitude (n, 2) in degrees.

    >>> from_lonlat([[76.951, 43.25]], origin_lonlat=(76.95, 43.25)).round(3).tolist()
    [[81.21, 0.0]]
    """
    lon, lat = np.radians(np.asarray(lonlat_deg, np.float64).reshape(-1, 2)).T
    lon0, lat0 = np.radians(np.asarray(origin_lonlat, np.float64))
    off = _geocentric(lon, lat) - _geocentric(lon0, lat0)
    outward = off[:, 0] * np.cos(lon0) + off[:, 1] * np.sin(lon0)
    east = off[:, 1] * np.cos(lon0) - off[:, 0] * np.sin(lon0)
    north = off[:, 2] * np.cos(lat0) - outward * np.sin(lat0)
    return np.stack([east, north], axis=1)


def to_lonlat(xy_m: ArrayLike, *, origin_lonlat: tuple[float, float]) -> Floats:
    """Return longitude and latitude (n, 2) in degrees of metres east and north (n, 2).

    The inverse of `from_lonlat` to under 1e-6 m within 100 km, found by Newton's steps.

    >>> there = to_lonlat([[81.21, 0.0]], origin_lonlat=(76.95, 43.25))
    >>> there.round(6).tolist()
    [[76.951, 43.25]]
    """
    wanted = np.asarray(xy_m, np.float64).reshape(-1, 2)
    found = np.tile(np.asarray(origin_lonlat, np.float64), (len(wanted), 1))
    for _ in range(6):
        missing = wanted - from_lonlat(found, origin_lonlat=origin_lonlat)
        lat = np.radians(found[:, 1])
        root = np.sqrt(1 - _E2 * np.sin(lat) ** 2)
        found = found + np.degrees(
            np.stack(
                [
                    missing[:, 0] * root / (_A_M * np.cos(lat)),
                    missing[:, 1] * root**3 / (_A_M * (1 - _E2)),
                ],
                axis=1,
            )
        )
    return found


def utm_scale(east_m: ArrayLike) -> Floats:
    """Return grid metres per metre of ground (n,) at UTM eastings (n,), to about 1e-5.

    >>> utm_scale([500_000.0, 844_098.0]).round(4).tolist()
    [0.9996, 1.0011]
    """
    off = (np.asarray(east_m, np.float64) - _FALSE_EAST_M) / _K0
    return np.asarray(_K0 * (1 + off**2 / (2 * 6_371_000.0**2)))


def lonlat_from_utm(grid_m: ArrayLike, *, zone: int, north: bool = True) -> Floats:
    """Return longitude and latitude (n, 2) in degrees of UTM east and north (n, 2) in metres.

    >>> lonlat_from_utm([[500_000.0, 0.0]], zone=32).round(9).tolist()
    [[9.0, 0.0]]
    """
    east, grid_north = np.asarray(grid_m, np.float64).reshape(-1, 2).T
    n = _F / (2 - _F)
    radius = _A_M / (1 + n) * (1 + n**2 / 4 + n**4 / 64)
    beta = (
        n / 2 - 2 * n**2 / 3 + 37 * n**3 / 96 - n**4 / 360,
        n**2 / 48 + n**3 / 15 - 437 * n**4 / 1440,
        17 * n**3 / 480 - 37 * n**4 / 840,
        4397 * n**4 / 161_280,
    )
    xi = (grid_north - (0.0 if north else _FALSE_NORTH_M)) / (_K0 * radius)
    eta = (east - _FALSE_EAST_M) / (_K0 * radius)
    xi0, eta0 = xi.copy(), eta.copy()
    for j, b in enumerate(beta, start=1):
        xi0 -= b * np.sin(2 * j * xi) * np.cosh(2 * j * eta)
        eta0 -= b * np.cos(2 * j * xi) * np.sinh(2 * j * eta)
    lon = np.arctan2(np.sinh(eta0), np.cos(xi0))
    lat = _latitude(np.sin(xi0) / np.hypot(np.sinh(eta0), np.cos(xi0)))
    return np.stack([np.degrees(lon) + 6 * zone - 183, np.degrees(lat)], axis=1)


def _latitude(conformal_tan: Floats) -> Floats:
    """Return the latitude in radians whose conformal latitude has this tangent (Karney, eq. 19)."""
    e = np.sqrt(_E2)
    tan = conformal_tan.copy()
    for _ in range(6):
        sigma = np.sinh(e * np.arctanh(e * tan / np.hypot(1, tan)))
        here = tan * np.hypot(1, sigma) - sigma * np.hypot(1, tan)
        slope = (1 + (1 - _E2) * tan**2) / ((1 - _E2) * np.hypot(1, here) * np.hypot(1, tan))
        tan = tan + (conformal_tan - here) * slope
    return np.asarray(np.arctan(tan))
