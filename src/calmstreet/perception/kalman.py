"""A constant-velocity Kalman filter for all boxes at once, each axis on its own.

State per axis: value and rate (R. E. Kalman, 1960; continuous white-noise acceleration as in
Bar-Shalom, Li and Kirubarajan, 2001, section 6.2), so that two steps of 0.1 s say the same as one
of 0.2 s. All noise is relative to the size of the box: near and far users are treated alike.
"""

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.kinds import HEIGHT_M
from calmstreet.perception.table import TrackTable

__all__ = ["correct", "first_variances", "predict", "to_centre"]

_HEIGHT_M = np.array(HEIGHT_M)
# Speeds that a new user of each Kind may have, one sigma, m/s.
_SPEED_MPS = np.array([5.0, 3.0, 5.0, 7.0, 8.0, 8.0, 7.0, 7.0])
_AXES_AGITATION = np.array([0.5, 0.5, 0.2, 0.2])  # sizes / s^1.5 per axis
_AXES_URGE = np.array([0.1, 0.1, 0.0, 0.0])  # share of the own rate / s^0.5: brakes and gas
_SIZE_MEMORY_S = 1.0


def to_centre(box_px: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return centre x, centre y, width, height of boxes l, t, r, b, both (n, 4).

    >>> to_centre(np.array([[0.0, 0.0, 4.0, 2.0]])).tolist()
    [[2.0, 1.0, 4.0, 2.0]]
    """
    low, high = box_px[:, :2], box_px[:, 2:]
    return np.concatenate([(low + high) * 0.5, np.maximum(high - low, 1.0)], axis=1)


def first_variances(
    mean: NDArray[np.float64], kind: NDArray[np.uint8], noise: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the variances of value and rate, both (n, 4), of boxes seen for the first time.

    The rate is unknown: its sigma is what a user of that kind may drive, in box heights.

    >>> var, var_rate = first_variances(
    ...     np.array([[0.0, 0.0, 10.0, 17.0]]), np.array([1], np.uint8), np.full((1, 4), 2.0))
    >>> round(float(var_rate[0, 0]) ** 0.5, 1)
    30.0
    """
    size = np.sqrt(mean[:, 2] * mean[:, 3])
    speed = _SPEED_MPS[kind] * mean[:, 3] / _HEIGHT_M[kind]
    growth = 0.3 * size
    return noise**2, np.stack([speed, speed, growth, growth], axis=1) ** 2


def predict(table: TrackTable, dt_s: float) -> None:
    """Move every track on by ``dt_s`` seconds, in place. The growth of a box fades away."""
    size = table.size_px()[:, None]
    noise = (_AXES_AGITATION * size) ** 2 + (_AXES_URGE * table.rate) ** 2
    fade = float(np.exp(-dt_s / _SIZE_MEMORY_S))
    keep = np.array([1.0, 1.0, fade, fade])
    table.mean += table.rate * dt_s
    np.maximum(table.mean[:, 2:], 1.0, out=table.mean[:, 2:])
    table.var += dt_s * (2.0 * table.cov + dt_s * table.var_rate) + noise * (dt_s**3 / 3.0)
    table.cov = keep * (table.cov + dt_s * table.var_rate) + noise * (dt_s**2 / 2.0)
    table.var_rate = keep * keep * table.var_rate + noise * dt_s
    table.rate *= keep


def correct(
    table: TrackTable,
    rows: NDArray[np.intp],
    seen: NDArray[np.float64],
    noise: NDArray[np.float64],
) -> None:
    """Correct ``rows`` by the boxes ``seen`` (m, 4 as centre and size), in place.

    ``noise`` (m, 4) is the sigma of each value in px; infinite leaves that axis as it is.
    """
    var, cov = table.var[rows], table.cov[rows]
    total = var + noise**2
    gain, gain_rate = var / total, cov / total
    surprise = seen - table.mean[rows]
    table.mean[rows] += gain * surprise
    table.rate[rows] += gain_rate * surprise
    table.var[rows] = var * (1.0 - gain)
    table.cov[rows] = cov * (1.0 - gain)
    table.var_rate[rows] -= gain_rate * cov
