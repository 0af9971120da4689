"""One radial term of the lens, on points and never on frames.

Brown-Conrady as OpenCV has it: a ray at (x, y) of the ideal camera (pixels from the middle, divided
by the focal length) is seen at ``(x, y) * (1 + k1 r^2)``. k1 < 0 is a barrel, as most street
cameras have. Source: Brown (1971), "Close-range camera calibration".
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["distort", "lens_slope", "undistort"]

Floats = NDArray[np.float64]
_STEPS = 30


def undistort(px: ArrayLike, *, centre_px: ArrayLike, focal_px: float, k1: float) -> Floats:
    """Return where points (n, 2) of the picture would lie without the lens; NaN past its reach.

    A barrel lens folds over beyond a radius; no ray comes from there.

    >>> undistort([[110.0, 50.0]], centre_px=(50, 50), focal_px=100, k1=0.0).tolist()
    [[110.0, 50.0]]
    >>> undistort([[104.0, 50.0]], centre_px=(50, 50), focal_px=60, k1=-0.1).round(3).tolist()
    [[110.0, 50.0]]
    """
    seen = np.asarray(px, np.float64).reshape(-1, 2)
    if k1 == 0:
        return seen
    centre = np.asarray(centre_px, np.float64)
    off = (seen - centre) / focal_px
    wanted = np.hypot(off[:, 0], off[:, 1])
    reach = 1 / np.sqrt(-3 * k1) if k1 < 0 else np.inf
    r = np.minimum(wanted, reach)
    with np.errstate(divide="ignore", invalid="ignore"):
        for _ in range(_STEPS):
            step = (r + k1 * r**3 - wanted) / (1 + 3 * k1 * r**2)
            r = np.clip(r - np.where(np.isfinite(step), step, 0.0), 0.0, reach)
        share = np.where(wanted > 0, r / wanted, 1.0)
    share[np.abs(r + k1 * r**3 - wanted) > 1e-9 * (1 + wanted)] = np.nan
    return np.asarray(centre + off * share[:, None] * focal_px)


def distort(px: ArrayLike, *, centre_px: ArrayLike, focal_px: float, k1: float) -> Floats:
    """Return where the lens shows ideal points (n, 2); NaN past its reach.

    >>> distort([[110.0, 50.0]], centre_px=(50, 50), focal_px=60, k1=-0.1).round(3).tolist()
    [[104.0, 50.0]]
    """
    ideal = np.asarray(px, np.float64).reshape(-1, 2)
    if k1 == 0:
        return ideal
    centre = np.asarray(centre_px, np.float64)
    off = (ideal - centre) / focal_px
    r2 = off[:, 0] ** 2 + off[:, 1] ** 2
    share = np.where(1 + 3 * k1 * r2 > 0, 1 + k1 * r2, np.nan)
    return np.asarray(centre + off * share[:, None] * focal_px)


def lens_slope(ideal_px: Floats, *, centre_px: ArrayLike, focal_px: float, k1: float) -> Floats:
    """Return d ideal / d seen, (n, 2, 2), at ideal points (n, 2).

    >>> lens_slope(np.array([[50.0, 50.0]]), centre_px=(50, 50), focal_px=100, k1=-0.1).tolist()
    [[[1.0, 0.0], [0.0, 1.0]]]
    """
    n = len(ideal_px)
    if k1 == 0:
        return np.broadcast_to(np.eye(2), (n, 2, 2)).copy()
    x, y = ((ideal_px - np.asarray(centre_px, np.float64)) / focal_px).T
    r2 = x**2 + y**2
    a, b, d = 1 + k1 * (r2 + 2 * x**2), 2 * k1 * x * y, 1 + k1 * (r2 + 2 * y**2)
    det = a * d - b * b
    slope: Floats = np.stack([d, -b, -b, a], axis=1).reshape(n, 2, 2) / det[:, None, None]
    return slope
