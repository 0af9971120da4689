"""How bad a conflict could have ended: masses, harm curves and our levels.

Two axes that are kept apart: nearness in time and consequence of the impact that did not happen.
The sources of the curves and what they may not be used for are in design/risk.md.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calmstreet.model.kinds import Kind

__all__ = [
    "MASS_KG",
    "fatal_share_occupants",
    "is_unprotected",
    "level_of",
    "severe_share_unprotected",
]

Array = NDArray[np.float64]

# Our assumptions, indexed by Kind, with rider or driver.
MASS_KG: tuple[float, ...] = (1500.0, 75.0, 90.0, 280.0, 1500.0, 2200.0, 12000.0, 12000.0)

_MPS_PER_MPH = 0.44704
# Tefft (2013), Accident Analysis & Prevention 50: impact speed in mph at which the average risk
# of a struck pedestrian of an injury of AIS 4 or more reaches 10, 25, 50, 75 and 90 percent.
_SEVERE_MPH = (17.1, 24.9, 33.0, 40.8, 48.1)
_SEVERE_SHARE = (0.10, 0.25, 0.50, 0.75, 0.90)
_FATAL_DELTA_V_MPS = 31.74  # Joksch (1993): risk of death = (Delta-V / 71 mph)^4


def is_unprotected(kind: ArrayLike) -> NDArray[np.bool_]:
    """Return which kinds have no body of steel around them.

    >>> is_unprotected([Kind.PEDESTRIAN, Kind.CAR]).tolist()
    [True, False]
    """
    codes = np.asarray(kind)
    return np.isin(codes, [Kind.PEDESTRIAN, Kind.BICYCLE, Kind.MOTORCYCLE])


def severe_share_unprotected(impact_mps: ArrayLike) -> Array:
    """Return the share of struck pedestrians with an injury of AIS 4 or more (Tefft 2013).

    Straight in the log odds between the published points and beyond them; 0 at a standstill.

    >>> severe_share_unprotected([0.0, 33.0 * 0.44704]).round(3).tolist()
    [0.0, 0.5]
    """
    speed = np.asarray(impact_mps, np.float64)
    mps = np.array(_SEVERE_MPH) * _MPS_PER_MPH
    odds = np.log(np.array(_SEVERE_SHARE) / (1 - np.array(_SEVERE_SHARE)))
    at = np.clip(np.searchsorted(mps, speed) - 1, 0, len(mps) - 2)
    slope = (odds[at + 1] - odds[at]) / (mps[at + 1] - mps[at])
    share = 1.0 / (1.0 + np.exp(-(odds[at] + slope * (speed - mps[at]))))
    return np.where(np.isnan(speed), np.nan, np.where(speed > 0, share, 0.0))


def fatal_share_occupants(delta_v_mps: ArrayLike) -> Array:
    """Return the risk of death of occupants by their change of speed (Joksch 1993), at most 1.

    >>> fatal_share_occupants([31.74 / 2]).tolist()
    [0.0625]
    """
    return np.minimum((np.asarray(delta_v_mps, np.float64) / _FATAL_DELTA_V_MPS) ** 4, 1.0)


def level_of(nearness_s: ArrayLike, *, is_grave: ArrayLike) -> NDArray[np.uint8]:
    """Return the level 1..4 of conflicts: 4 and 3 need both nearness and consequence.

    4: within 0.5 s and grave; 3: within 1 s and grave; 2: within 1.5 s; 1: any other conflict.

    >>> level_of([0.3, 0.3, 0.9, 1.2, 2.5], is_grave=[True, False, True, True, True]).tolist()
    [4, 2, 3, 2, 1]
    """
    near = np.asarray(nearness_s, np.float64)
    grave = np.asarray(is_grave, np.bool_)
    level = np.where(near <= 1.5, 2, 1)
    level = np.where((near <= 1.0) & grave, 3, level)
    return np.where((near <= 0.5) & grave, 4, level).astype(np.uint8)
