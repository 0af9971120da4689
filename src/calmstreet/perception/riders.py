"""Who is too fast for what the eyes take it for: nobody walks at 16 km/h, no bicycle does 45.

A rider is often seen as a pedestrian, a motorcycle as a bicycle. With metres their speed tells
when it stays clearly above what is possible for most of a second.
"""

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.kinds import Kind

__all__ = ["kinds_by_pace"]

Floats = NDArray[np.float64]

_WALKING_MPS, _CYCLING_MPS = 4.5, 12.5
_LASTS_S = 0.7
_SIGMAS = 2.0


def kinds_by_pace(
    kind: NDArray[np.uint8],
    *,
    speed_mps: Floats,
    sigma_mps: Floats,
    dt_s: Floats,
    riding_s: Floats,
    racing_s: Floats,
) -> NDArray[np.uint8]:
    """Return the kinds (n,) with riders and motorcycles told by their speed.

    ``riding_s`` and ``racing_s`` (n,) are the seconds spent faster than anybody walks and cycles;
    they grow in place by ``dt_s`` (n,) and are never taken back. NaN speeds tell nothing.

    >>> riding, racing = np.array([0.65, 0.0]), np.zeros(2)
    >>> kinds_by_pace(np.array([1, 1], np.uint8), speed_mps=np.array([6.0, 1.4]),
    ...               sigma_mps=np.full(2, 0.3), dt_s=np.full(2, 0.1),
    ...               riding_s=riding, racing_s=racing).tolist()
    [2, 1]
    """
    least = np.nan_to_num(speed_mps - _SIGMAS * sigma_mps, nan=0.0)
    riding_s += np.where(least > _WALKING_MPS, dt_s, 0.0)
    racing_s += np.where(least > _CYCLING_MPS, dt_s, 0.0)
    walker, cyclist = kind == Kind.PEDESTRIAN, kind == Kind.BICYCLE
    found = np.where(walker & (riding_s >= _LASTS_S), Kind.BICYCLE, kind)
    fast = (walker | cyclist) & (racing_s >= _LASTS_S)
    return np.where(fast, Kind.MOTORCYCLE, found).astype(np.uint8)
