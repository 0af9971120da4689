"""Conflict areas of whole streams: lanes side by side of one movement are one area.

Whoever turns across two opposing lanes enters their conflict area at the nearer lane, also when
the user who has just left it drove in the farther one. That is how a post-encroachment time is
taken in the field, where the area and not the single lane is marked.
"""

import numpy as np
from numpy.typing import NDArray

from calmstreet.geometry.contact import Footprints, separation_m
from calmstreet.safety.movers import Movers
from calmstreet.safety.paths import STATION_M, Paths

__all__ = ["Streams"]

Ints = NDArray[np.int64]

_BESIDE_M = 4.5
_BESIDE_COS = np.cos(np.radians(20.0))
_AROUND_M = np.array([-8.0, 0.0, 8.0])
_ALIGNED_COS = np.cos(np.radians(15.0))
_GAP_M = 4.0
_NEAR_M = 12.0


class Streams:
    """Which usual paths lie side by side, and when somebody enters their common area."""

    def __init__(self, *, paths: Paths) -> None:
        self._paths = paths

    def beside(self, path: int, station_m: float) -> list[int]:
        """Return the paths that run beside one (itself too) around a station of it."""
        paths, (cos, sin) = self._paths, self._paths.ways
        first, last = int(paths.start[path]), int(paths.start[path + 1]) - 1
        at = np.clip(first + np.rint((station_m + _AROUND_M) / STATION_M), first, last)
        mine = at.astype(np.int64)
        dx = paths.x_m[None, :] - paths.x_m[mine][:, None]
        dy = paths.y_m[None, :] - paths.y_m[mine][:, None]
        same = cos[mine][:, None] * cos + sin[mine][:, None] * sin
        near = (dx * dx + dy * dy <= _BESIDE_M**2) & (same >= _BESIDE_COS)
        by_path = np.logical_or.reduceat(near, paths.start[:-1], axis=1).all(axis=0)
        by_path &= paths.walker == paths.walker[path]
        return [int(k) for k in np.flatnonzero(by_path)]

    def entry_ns(self, first: Movers, second: Movers, *, exit_ns: int, entry_ns: int) -> int:
        """Return when the second entered the area of the first's stream, at most ``entry_ns``.

        ``first`` and ``second`` are rows in order of time; the first left his own place at
        ``exit_ns``, where the second came at ``entry_ns``.
        """
        at = int(np.argmin(np.abs(first.t_ns - exit_ns)))
        path = int(first.path[at])
        before = second[second.t_ns <= entry_ns]
        if path < 0 or not len(before):
            return entry_ns
        inside = np.zeros(len(before), np.bool_)
        for other in self.beside(path, float(first.station_m[at])):
            inside |= self._inside(before, other, float(first.width_m[at]))
        dx, dy = np.diff(before.x_m), np.diff(before.y_m)
        gone = np.concatenate([[0.0], np.cumsum(np.sqrt(dx * dx + dy * dy))])
        rows = np.flatnonzero(inside)
        found, at_m = entry_ns, float(gone[-1])
        for row in rows[::-1].tolist():
            if at_m - gone[row] > _GAP_M:
                break
            found, at_m = int(before.t_ns[row]), float(gone[row])
        return min(found, entry_ns)

    def _inside(self, rows: Movers, path: int, width_m: float) -> NDArray[np.bool_]:
        """Return which rows' boxes lie across the strip of one path (not along it)."""
        paths, (cos, sin) = self._paths, self._paths.ways
        points = np.arange(int(paths.start[path]), int(paths.start[path + 1]))
        x, y = rows.x_m.mean(), rows.y_m.mean()
        far = _NEAR_M + float(np.abs(rows.x_m - x).max() + np.abs(rows.y_m - y).max())
        points = points[(np.abs(paths.x_m[points] - x) + np.abs(paths.y_m[points] - y)) <= 2 * far]
        if not len(points):
            return np.zeros(len(rows), np.bool_)
        one = np.repeat(np.arange(len(rows)), len(points))
        two = np.tile(points, len(rows))
        dx, dy = paths.x_m[two] - rows.x_m[one], paths.y_m[two] - rows.y_m[one]
        along = rows.cos_heading[one] * cos[two] + rows.sin_heading[one] * sin[two]
        near = np.flatnonzero((dx * dx + dy * dy <= _NEAR_M**2) & (along < _ALIGNED_COS))
        one, two = one[near], two[near]
        slabs = Footprints(
            x_m=paths.x_m[two],
            y_m=paths.y_m[two],
            cos_heading=cos[two],
            sin_heading=sin[two],
            length_m=np.full(len(two), STATION_M),
            width_m=np.full(len(two), width_m),
            vx_mps=np.zeros(len(two)),
            vy_mps=np.zeros(len(two)),
        )
        inside = np.zeros(len(rows), np.bool_)
        inside[one[separation_m(rows.boxes()[one], slabs) <= 0]] = True
        return inside
