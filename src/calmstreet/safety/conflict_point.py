"""Where the ways of two users' centres cross, and when one had left that point.

Of a user who turns across the other's way the swept box leaves late: its corner still hangs over
the lane when the bumper has passed it. In the field an observer takes the moment at which the
rear of the first has passed the point where the ways cross (Laureshyn et al. 2010).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calmstreet.safety.movers import Movers

__all__ = ["PointPassage", "passages_of_point"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class PointPassage:
    """The conflict point, when the first's rear left it and the second's front came (UTC ns)."""

    x_m: float
    y_m: float
    exit_ns: int
    entry_ns: int


def passages_of_point(
    first: Movers, second: Movers, *, exit_ns: int, entry_ns: int
) -> PointPassage | None:
    """Return how the centres' ways cross, None where they do not or a row is wanting.

    ``first`` and ``second`` are rows in order of time. Of several crossings that nearest in time
    to ``exit_ns`` and ``entry_ns`` counts. A bumper's centre is half a length away along the way.
    """
    i, j, share_i, share_j = _crossings(first, second)
    if not len(i):
        return None
    gone_a, gone_b = _gone_m(first), _gone_m(second)
    at_a = gone_a[i] + share_i * np.diff(gone_a)[i]
    at_b = gone_b[j] + share_j * np.diff(gone_b)[j]
    left_ns = _when(first, gone_a, at_a + 0.5 * first.length_m[i])
    came_ns = _when(second, gone_b, at_b - 0.5 * second.length_m[j])
    far = np.abs(left_ns - exit_ns) + np.abs(came_ns - entry_ns)
    if not np.isfinite(far).any():
        return None
    best = int(np.nanargmin(far))
    k = int(i[best])
    return PointPassage(
        x_m=float(first.x_m[k] + share_i[best] * (first.x_m[k + 1] - first.x_m[k])),
        y_m=float(first.y_m[k] + share_i[best] * (first.y_m[k + 1] - first.y_m[k])),
        exit_ns=round(float(left_ns[best])),
        entry_ns=round(float(came_ns[best])),
    )


def _crossings(
    first: Movers, second: Movers
) -> tuple[NDArray[np.int64], NDArray[np.int64], Array, Array]:
    """Return the steps of both whose straight ways cross, and the share of each gone there."""
    ax, ay = np.diff(first.x_m)[:, None], np.diff(first.y_m)[:, None]
    bx, by = np.diff(second.x_m)[None, :], np.diff(second.y_m)[None, :]
    dx = second.x_m[None, :-1] - first.x_m[:-1, None]
    dy = second.y_m[None, :-1] - first.y_m[:-1, None]
    area = ax * by - ay * bx
    safe = np.where(area == 0, np.nan, area)
    share_a, share_b = (dx * by - dy * bx) / safe, (dx * ay - dy * ax) / safe
    meet = (share_a >= 0) & (share_a < 1) & (share_b >= 0) & (share_b < 1)
    i, j = np.nonzero(meet)
    return i, j, share_a[i, j], share_b[i, j]


def _gone_m(rows: Movers) -> Array:
    dx, dy = np.diff(rows.x_m), np.diff(rows.y_m)
    return np.concatenate([[0.0], np.cumsum(np.sqrt(dx * dx + dy * dy))])


def _when(rows: Movers, gone_m: Array, at_m: Array) -> Array:
    """Return when a user had gone so far, NaN before its first and after its last row."""
    t_ns = (rows.t_ns - rows.t_ns[0]).astype(np.float64)
    rising = np.concatenate([[True], np.diff(gone_m) > 0])
    found = np.interp(at_m, gone_m[rising], t_ns[rising], left=np.nan, right=np.nan)
    return np.asarray(found + float(rows.t_ns[0]))
