"""How long road users take through a zone: from the moment they come in until they leave."""

import numpy as np
from numpy.typing import NDArray

from calmstreet.geometry.shapes import inside_polygon

__all__ = ["journeys_through"]

_MOST_GAP_NS = 2_000_000_000


def journeys_through(
    t_ns: NDArray[np.int64], place: NDArray[np.float64], polygon: NDArray[np.float64]
) -> list[tuple[int, int]]:
    """Return when one track came into a zone and left it, for each time it did both.

    ``t_ns`` (n,) rising, ``place`` (n, 2), ``polygon`` (k, 2) in the unit of the places. Who was
    inside when first or last seen, or out of sight for 2 s on the way, has not been timed. The
    border is crossed half way between two rows.

    >>> t = np.arange(6) * 100
    >>> places = np.stack([np.arange(6.0), np.zeros(6)], axis=1)
    >>> journeys_through(t, places, np.array([[1.5, -1], [3.5, -1], [3.5, 1], [1.5, 1.0]]))
    [(150, 350)]
    """
    known = np.isfinite(place).all(axis=1)
    t_ns, place = t_ns[known], place[known]
    if len(t_ns) < 3:
        return []
    inside = inside_polygon(place, polygon).astype(np.int8)
    change = np.diff(inside)
    entries, exits = np.flatnonzero(change > 0), np.flatnonzero(change < 0)
    found = []
    for enter in entries.tolist():
        later = exits[exits > enter]
        if not len(later):
            break
        leave = int(later[0])
        if int(np.diff(t_ns[enter : leave + 2]).max()) > _MOST_GAP_NS:
            continue
        came, left = (int(t_ns[k] + t_ns[k + 1]) // 2 for k in (enter, leave))
        found.append((came, left))
    return found
