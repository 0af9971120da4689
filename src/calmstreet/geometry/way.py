"""Distance along the way that a road user took, straight or round a corner.

Measured places tremble sideways; summing their steps would make every way too long. A smooth
curve is laid through them instead, and each place is read off along it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Way", "way_through"]

Array = NDArray[np.float64]

_STRAIGHT_SHARE = 0.9
_DEGREES = (1, 2, 3, 4)
_FINE = 400


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Way:
    """Places along a way.

    ``s_m`` (n,) how far along each place lies; ``on_m`` (n, 2) the place of the curve beside it;
    ``along`` (n, 2) unit vectors of the way there.
    """

    s_m: Array
    on_m: Array
    along: Array


def way_through(xy_m: Array, smooth_m: Array, sigma_m: Array) -> Way:
    """Return the way through places (n, 2); the smoothed ones (n, 2) tell how much it turns.

    ``sigma_m`` (n,) weighs the rows. A way that turns by less than about 90 degrees is laid
    through the measured places as a polynomial over its chord, of the degree that Akaike's
    criterion (1974) prefers; one that turns more follows the smoothed places.

    >>> t = np.arange(20) * 1.0
    >>> places = np.stack([3 * t, 4 * t], axis=1)
    >>> way_through(places, places, np.ones(20)).s_m[-1].round(6)
    np.float64(95.0)
    """
    steps = np.diff(smooth_m, axis=0)
    length_m = float(np.hypot(steps[:, 0], steps[:, 1]).sum())
    chord = smooth_m[-1] - smooth_m[0]
    if length_m == 0 or float(np.hypot(*chord)) < _STRAIGHT_SHARE * length_m:
        return _round_a_corner(xy_m, smooth_m)
    return _over_the_chord(xy_m, chord / np.hypot(*chord), sigma_m)


def _over_the_chord(xy_m: Array, east: Array, sigma_m: Array) -> Way:
    origin = xy_m[0]
    north = np.array([-east[1], east[0]])
    a, b = (xy_m - origin) @ east, (xy_m - origin) @ north
    scale = max(float(np.abs(a).max()), 1e-9)
    curve = _sideways(a / scale, b, 1.0 / sigma_m)
    slope = np.polynomial.polynomial.polyder(curve)
    fine = np.linspace(a.min(), a.max(), _FINE)
    fine_slope = np.polynomial.polynomial.polyval(fine / scale, slope) / scale
    speed = np.sqrt(1 + fine_slope**2)
    steps = np.diff(fine) * 0.5 * (speed[1:] + speed[:-1])
    lengths = np.concatenate([[0.0], np.cumsum(steps)])
    side = np.polynomial.polynomial.polyval(a / scale, curve)
    tilt = np.polynomial.polynomial.polyval(a / scale, slope) / scale
    stretch = np.sqrt(1 + tilt**2)
    s_m = np.interp(a, fine, lengths) + (b - side) * tilt / stretch
    on_m = origin + a[:, None] * east + side[:, None] * north
    along = (east + tilt[:, None] * north) / stretch[:, None]
    return Way(s_m=s_m - s_m[0], on_m=on_m, along=along)


def _sideways(a: Array, b: Array, weight: Array) -> list[float]:
    """Return the coefficients of b over a, of the degree that is worth its price."""
    best = [0.0, 0.0]
    price = np.inf
    for degree in _DEGREES:
        if degree + 3 > len(a):
            break
        design = np.vander(a, degree + 1, increasing=True)
        curve = np.linalg.lstsq(design * weight[:, None], b * weight, rcond=None)[0]
        rest = (b - design @ curve) * weight
        floor = len(a) * float(weight.mean() * 1e-4) ** 2
        cost = len(a) * np.log(float((rest * rest).sum()) + floor) + 2 * degree
        if cost < price - 2:
            best, price = curve.tolist(), cost
    return best


def _round_a_corner(xy_m: Array, smooth_m: Array) -> Way:
    steps = np.diff(smooth_m, axis=0)
    reach = np.concatenate([[0.0], np.cumsum(np.hypot(steps[:, 0], steps[:, 1]))])
    ahead = np.concatenate([steps[:1], steps[:-1] + steps[1:], steps[-1:]])
    size = np.hypot(ahead[:, 0], ahead[:, 1])
    along = ahead / np.where(size > 0, size, 1.0)[:, None]
    return Way(
        s_m=reach + ((xy_m - smooth_m) * along).sum(axis=1), on_m=smooth_m.copy(), along=along
    )
