"""A constant-velocity Kalman filter for all boxes at once, each axis on its own.

State per axis: value and rate (R. E. Kalman, 1960; continuous white-noise acceleration as in
Bar-Shalom, Li and Kirubarajan, 2001, section 6.2), so that two steps of 0.1 s say the same as one
of 0.2 s. All noise is relative to the size of the box: near and far users are treated alike.
"""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.kinds import HEIGHT_M
from calmstreet.perception.table import TrackTable

__all__ = ["correct", "first_variances", "predict"]

_HEIGHT_M = np.array(HEIGHT_M)
# Speeds that a new user of each Kind may have, one sigma, m/s.
_SPEED_MPS = np.array([5.0, 3.0, 5.0, 7.0, 8.0, 8.0, 7.0, 7.0])
_AGITATION = np.array([[0.5], [0.5], [0.2], [0.2]])  # sizes / s^1.5 of x, y, width, height
_URGE = np.array(0.1)  # share of the own rate / s^0.5 along x and y: brakes and gas
_LEAST_PX = np.array(1.0)
_ONE = np.array(1.0)
_SIZE_MEMORY_S = 1.0


def first_variances(
    mean: NDArray[np.float64], kind: NDArray[np.uint8], noise: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the variances of value and rate, both (4, n), of boxes seen for the first time.

    The rate is unknown: its sigma is what a user of that kind may drive, in box heights.

    >>> var, var_rate = first_variances(
    ...     np.array([[0.0], [0.0], [10.0], [17.0]]), np.array([1], np.uint8), np.full((4, 1), 2.0))
    >>> round(float(var_rate[0, 0]) ** 0.5, 1)
    30.0
    """
    size = np.sqrt(mean[2] * mean[3])
    speed = _SPEED_MPS[kind] * mean[3] / _HEIGHT_M[kind]
    growth = 0.3 * size
    return noise**2, np.stack([speed, speed, growth, growth]) ** 2


@lru_cache(maxsize=64)
def _shares(dt_s: float) -> tuple[NDArray[np.float64], ...]:
    """Return what a step of so many seconds multiplies with, each as an array without axes."""
    fade = math.exp(-dt_s / _SIZE_MEMORY_S)
    values = (dt_s, 2.0 * dt_s, dt_s**2 / 2.0, dt_s**3 / 3.0, fade, fade * fade)
    return tuple(np.array(value) for value in values)


def predict(table: TrackTable, dt_s: float) -> None:
    """Move every track on by ``dt_s`` seconds, in place. The growth of a box fades away."""
    state = table.state
    mean, var, rate, cov, var_rate = state[0], state[1], state[2], state[3], state[4]
    dt, twice_dt, half_dt2, third_dt3, fade, fade2 = _shares(dt_s)
    noise = table.size_px * _AGITATION
    noise *= noise
    urge = rate[:2] * _URGE
    urge *= urge
    noise[:2] += urge
    mean += rate * dt
    size = mean[2:]
    np.maximum(size, _LEAST_PX, out=size)
    drift = var_rate * dt
    cov += drift
    var += cov * twice_dt
    drift *= dt
    var -= drift
    state[2:4, 2:] *= fade
    var_rate[2:] *= fade2
    var += noise * third_dt3
    cov += noise * half_dt2
    noise *= dt
    var_rate += noise
    table.measure()


def correct(table: TrackTable, seen: NDArray[np.float64], noise_px2: NDArray[np.float64]) -> None:
    """Correct all tracks by the boxes ``seen`` (4, n as centre and size), in place.

    ``noise_px2`` (4, n) is the variance of each value in px; infinite leaves a track as it is.
    """
    state = table.state
    mean, var, rate, cov, var_rate = state[0], state[1], state[2], state[3], state[4]
    total = var + noise_px2
    gain, gain_rate = var / total, cov / total
    surprise = seen - mean
    mean += gain * surprise
    surprise *= gain_rate
    rate += surprise
    np.subtract(_ONE, gain, out=gain)
    var *= gain
    gain_rate *= cov
    var_rate -= gain_rate
    cov *= gain
    table.measure()
