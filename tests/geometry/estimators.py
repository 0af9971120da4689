"""The usual estimators of speed, for comparison: the camera of the science notes, 8 m high.

It looks 25 degrees down with a focal length of 1400 px; the zone is 18 to 38 m ahead on the axis.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
HEIGHT_M, PITCH_RAD, FOCAL_PX = 8.0, float(np.radians(25)), 1400.0
NEAR_M, FAR_M = 18.0, 38.0


def m_per_px(y_m: Array) -> Array:
    """Return metres per pixel along the axis at distances y."""
    theta = np.arctan2(HEIGHT_M, y_m)
    return np.asarray(
        (y_m**2 + HEIGHT_M**2) * np.cos(theta - PITCH_RAD) ** 2 / (FOCAL_PX * HEIGHT_M)
    )


def row_px(y_m: Array) -> Array:
    """Return the row of the picture of places y metres ahead."""
    return np.asarray(540 + FOCAL_PX * np.tan(np.arctan2(HEIGHT_M, y_m) - PITCH_RAD))


def ahead_m(row: Array) -> Array:
    """Return how far ahead the ground of a row lies."""
    return np.asarray(HEIGHT_M / np.tan(np.arctan2(row - 540, FOCAL_PX) + PITCH_RAD))


def passages(
    chance: np.random.Generator,
    *,
    count: int,
    kmh: float,
    fps: float,
    sigma_px: float = 0.0,
    rho: float = 0.0,
    accel_mps2: float = 0.0,
    jitter_s: float = 0.0,
) -> tuple[Array, Array, Array]:
    """Return stamps (count, n), measured places (count, n) and true speeds at each (count, n)."""
    v0 = kmh / 3.6
    reach = FAR_M - NEAR_M
    if accel_mps2:
        duration = (-v0 + np.sqrt(v0 * v0 + 2 * accel_mps2 * reach)) / accel_mps2
    else:
        duration = reach / v0
    t = np.tile(np.arange(0, duration + 1e-9, 1 / fps), (count, 1))
    y = NEAR_M + v0 * t + accel_mps2 * t * t / 2
    noise = np.empty(t.shape)
    noise[:, 0] = chance.normal(size=count)
    for k in range(1, t.shape[1]):
        fresh = chance.normal(0, np.sqrt(1 - rho * rho), count)
        noise[:, k] = rho * noise[:, k - 1] + fresh
    seen = ahead_m(row_px(y) + sigma_px * noise)
    return t + chance.normal(0, 1, t.shape) * jitter_s, seen, v0 + accel_mps2 * t


def by_displacements(t: Array, s: Array) -> Array:
    """Return the median of displacements over five frames, (count,)."""
    return np.median((s[:, 5:] - s[:, :-5]) / (t[:, 5:] - t[:, :-5]), axis=1)


def by_gates(t: Array, s: Array) -> Array:
    """Return 16 m over the time between two lines, 20 and 36 m ahead, by interpolation."""
    speeds = []
    for times, places in zip(t, s, strict=True):
        k = [int(np.flatnonzero(places >= line)[0]) for line in (20.0, 36.0)]
        at = [
            times[i - 1]
            + (line - places[i - 1]) / (places[i] - places[i - 1]) * (times[i] - times[i - 1])
            for i, line in zip(k, (20.0, 36.0), strict=True)
        ]
        speeds.append(16.0 / (at[1] - at[0]))
    return np.array(speeds)


def by_line(t: Array, s: Array, weight: Array) -> tuple[Array, Array]:
    """Return the slope of the weighted straight line and the sum that its variance is one over."""
    total = weight.sum(axis=1, keepdims=True)
    t0 = t - (weight * t).sum(axis=1, keepdims=True) / total
    s0 = s - (weight * s).sum(axis=1, keepdims=True) / total
    power = (weight * t0 * t0).sum(axis=1)
    return (weight * t0 * s0).sum(axis=1) / power, power


def by_ordinary(t: Array, s: Array) -> Array:
    """Return the slope of the plain straight line."""
    return by_line(t, s, np.ones_like(t))[0]


def by_weighted(t: Array, s: Array) -> Array:
    """Return the slope of the line weighted by 1 / (metres per pixel)^2."""
    return by_line(t, s, 1 / m_per_px(s) ** 2)[0]


ESTIMATORS: dict[str, Callable[[Array, Array], Array]] = {
    "displacements": by_displacements,
    "gates": by_gates,
    "ordinary": by_ordinary,
    "weighted": by_weighted,
}
