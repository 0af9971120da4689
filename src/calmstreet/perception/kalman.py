"""A constant-velocity Kalman filter for all boxes at once, each axis on its own.

State per axis: value and rate (R. E. Kalman, 1960; continuous white-noise acceleration as in
Bar-Shalom, Li and Kirubarajan, 2001, section 6.2), so that two steps of 0.1 s say the same as one
of 0.2 s. All noise is relative to the size of the box: near and far users are treated alike.
"""

import math

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.kinds import HEIGHT_M
from calmstreet.perception.table import TrackTable

__all__ = ["correct", "first_variances", "predict", "to_centre"]

_HEIGHT_M = np.array(HEIGHT_M)
# Speeds that a new user of each Kind may have, one sigma, m/s.
_SPEED_MPS = np.array([5.0, 3.0, 5.0, 7.0, 8.0, 8.0, 7.0, 7.0])
_AXES_AGITATION = np.array([[0.5], [0.5], [0.2], [0.2]])  # sizes / s^1.5 per axis
_URGE = 0.1  # share of the own rate / s^0.5 along x and y: brakes and gas
_SIZE_MEMORY_S = 1.0


def to_centre(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return centre x, centre y, width, height of signed boxes, both (4, n).

    >>> to_centre(np.array([[0.0], [0.0], [-4.0], [-2.0]])).ravel().tolist()
    [2.0, 1.0, 4.0, 2.0]
    """
    low, minus_high = boxes[:2], boxes[2:]
    centre = np.empty_like(boxes)
    np.subtract(low, minus_high, out=centre[:2])
    centre[:2] *= 0.5
    np.add(low, minus_high, out=centre[2:])
    np.negative(centre[2:], out=centre[2:])
    np.maximum(centre[2:], 1.0, out=centre[2:])
    return centre


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


def predict(table: TrackTable, dt_s: float) -> None:
    """Move every track on by ``dt_s`` seconds, in place. The growth of a box fades away."""
    mean, var, rate, cov, var_rate = table.state
    noise = _AXES_AGITATION * table.size_px()
    noise *= noise
    urge = _URGE * rate[:2]
    urge *= urge
    noise[:2] += urge
    mean += rate * dt_s
    np.maximum(mean[2:], 1.0, out=mean[2:])
    drift = dt_s * var_rate
    cov += drift
    var += (2.0 * dt_s) * cov
    drift *= dt_s
    var -= drift
    fade = math.exp(-dt_s / _SIZE_MEMORY_S)
    table.state[2:, 2:] *= np.array([[[fade]], [[fade]], [[fade * fade]]])
    var += noise * (dt_s**3 / 3.0)
    cov += noise * (dt_s**2 / 2.0)
    noise *= dt_s
    var_rate += noise


def correct(table: TrackTable, seen: NDArray[np.float64], noise_px2: NDArray[np.float64]) -> None:
    """Correct all tracks by the boxes ``seen`` (4, n as centre and size), in place.

    ``noise_px2`` (4, n) is the variance of each value in px; infinite leaves a track as it is.
    """
    mean, var, rate, cov, var_rate = table.state
    total = var + noise_px2
    gain, gain_rate = var / total, cov / total
    surprise = seen - mean
    mean += gain * surprise
    surprise *= gain_rate
    rate += surprise
    np.subtract(1.0, gain, out=gain)
    var *= gain
    gain_rate *= cov
    var_rate -= gain_rate
    cov *= gain
