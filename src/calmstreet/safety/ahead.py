"""Time to collision along usual paths: footprints moved ahead in short straight steps.

Everybody keeps his speed and his distance from the middle of his path. Between two knots of time
the way is a chord, on which the time of contact of the boxes is exact (``geometry.contact``);
who has no path goes straight on, and then the whole answer is exact.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from calmstreet.geometry.contact import Footprints, box_contact
from calmstreet.geometry.surrogates import crossing_drac_mps2
from calmstreet.safety.movers import Movers
from calmstreet.safety.paths import Paths

__all__ = ["HORIZON_S", "Contact", "contact_ahead", "may_meet"]

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

HORIZON_S = 10.0
"""How far ahead contacts are looked for."""

_KNOTS_S = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, HORIZON_S)
_COARSE_S = (0.0, 1.0, 2.0, 3.0, 4.5, 6.0, 8.0, 10.0, 12.0)
_SLACK_M = 1.5
_BACK_M = 0.05
_REAR_END_COS = np.cos(np.radians(30.0))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contact:
    """For each pair of rows, all (n,): ``ttc_s`` inf = none within the horizon.

    ``cos_angle`` between the headings at the contact; ``closing_mps`` the speed of one relative
    to the other there (of followers along the lane); ``drac_mps2`` what the second must brake,
    ``brake_mps`` its speed; ``x_m``, ``y_m`` the middle between both centres. NaN without one.
    """

    ttc_s: Array
    cos_angle: Array
    closing_mps: Array
    drac_mps2: Array
    brake_mps: Array
    x_m: Array
    y_m: Array


class _Ahead:
    """Where each row will be at a knot of time."""

    def __init__(self, rows: Movers, paths: Paths) -> None:
        self._rows, self._paths = rows, paths
        self._on_path = np.flatnonzero(rows.path >= 0)
        at = self._on_path
        self._line = rows.path[at], rows.station_m[at], rows.aside_m[at], rows.speed_mps[at]

    def at(self, knot_s: float) -> tuple[Array, Array, Array, Array]:
        """Return x, y, cos, sin of each row ``knot_s`` from its time."""
        rows = self._rows
        x, y = rows.x_m + knot_s * rows.vx_mps, rows.y_m + knot_s * rows.vy_mps
        cos, sin = rows.cos_heading.copy(), rows.sin_heading.copy()
        if len(self._on_path) and knot_s > 0:
            path, station, aside, speed = self._line
            places = self._paths.ahead(path, station + knot_s * speed, aside)
            for column, place in zip((x, y, cos, sin), places, strict=True):
                column[self._on_path] = place
        return x, y, cos, sin


def may_meet(rows: Movers, one: Ints, two: Ints, *, paths: Paths) -> NDArray[np.bool_]:
    """Return for each pair of rows whether their circles may touch within the horizon (rough)."""
    ahead = _Ahead(rows, paths)
    radius = 0.5 * np.sqrt(rows.length_m**2 + rows.width_m**2)
    reach = (radius[one] + radius[two] + _SLACK_M) ** 2
    near = np.zeros(len(one), np.bool_)
    left = np.arange(len(one))
    x0, y0, _, _ = ahead.at(_COARSE_S[0])
    for knot_s in _COARSE_S[1:]:
        x1, y1, _, _ = ahead.at(knot_s)
        i, j = one[left], two[left]
        gap2 = _nearest2(x0[j] - x0[i], y0[j] - y0[i], x1[j] - x1[i], y1[j] - y1[i])
        meet = gap2 <= reach[left]
        near[left[meet]] = True
        left = left[~meet]
        x0, y0 = x1, y1
    return near


def _nearest2(x0: Array, y0: Array, x1: Array, y1: Array) -> Array:
    """Return the squared distance from the origin to each chord."""
    wx, wy = x1 - x0, y1 - y0
    long2 = wx * wx + wy * wy
    share = -(x0 * wx + y0 * wy) / np.where(long2 > 0, long2, 1.0)
    share = np.minimum(np.maximum(share, 0.0), 1.0)
    x, y = x0 + share * wx, y0 + share * wy
    return np.asarray(x * x + y * y)


def contact_ahead(rows: Movers, one: Ints, two: Ints, *, paths: Paths) -> Contact:
    """Return the first contact of each pair of rows (indices into ``rows``) along their paths."""
    n = len(one)
    found = {name: np.full(n, np.nan) for name in Contact.__dataclass_fields__}
    found["ttc_s"][:] = np.inf
    ahead = _Ahead(rows, paths)
    radius = 0.5 * np.sqrt(rows.length_m**2 + rows.width_m**2)
    reach = (radius[one] + radius[two] + 1e-6) ** 2
    left = np.arange(n)
    before = ahead.at(_KNOTS_S[0])
    for knot_s, next_s in pairwise(_KNOTS_S):
        after = ahead.at(next_s)
        i, j = one[left], two[left]
        gap2 = _nearest2(
            before[0][j] - before[0][i],
            before[1][j] - before[1][i],
            after[0][j] - after[0][i],
            after[1][j] - after[1][i],
        )
        close = np.flatnonzero(gap2 <= reach[left])
        if len(close):
            step = _Step(rows, before, after, next_s - knot_s)
            hit = _touch(step, i[close], j[close], knot_s, found, left[close])
            left = np.delete(left, close[hit])
        before = after
    return Contact(**found)


class _Step:
    """The straight step of every row between two knots."""

    def __init__(
        self, rows: Movers, before: tuple[Array, ...], after: tuple[Array, ...], step_s: float
    ) -> None:
        self._rows, self._before, self._after, self.step_s = rows, before, after, step_s

    def boxes(self, pick: Ints) -> Footprints:
        """Return the boxes of the picked rows at the first knot, headings of the middle."""
        x, y, cos0, sin0 = (part[pick] for part in self._before)
        x1, y1, cos1, sin1 = (part[pick] for part in self._after)
        cos, sin = cos0 + cos1, sin0 + sin1
        long = np.sqrt(cos * cos + sin * sin)
        turned = long < 1e-3  # right about within one step: keep the heading at its beginning
        long[turned] = 1.0
        return Footprints(
            x_m=x,
            y_m=y,
            cos_heading=np.where(turned, cos0, cos / long),
            sin_heading=np.where(turned, sin0, sin / long),
            length_m=self._rows.length_m[pick],
            width_m=self._rows.width_m[pick],
            vx_mps=(x1 - x) / self.step_s,
            vy_mps=(y1 - y) / self.step_s,
        )


def _touch(
    step: _Step, i: Ints, j: Ints, knot_s: float, found: dict[str, Array], into: Ints
) -> NDArray[np.bool_]:
    """Write the contacts within one step into ``found``; return which pairs touched."""
    a, b = step.boxes(i), step.boxes(j)
    t_in, t_out = box_contact(a, b)
    hit = (t_in < t_out) & (t_out > 0) & (t_in < step.step_s)
    if not hit.any():
        return hit
    a, b, into = a[hit], b[hit], into[hit]
    wait = np.maximum(t_in[hit], 0.0)
    ttc = knot_s + wait
    at_a, at_b = _moved(a, wait), _moved(b, wait)
    wx, wy = b.vx_mps - a.vx_mps, b.vy_mps - a.vy_mps
    cos_angle = a.cos_heading * b.cos_heading + a.sin_heading * b.sin_heading
    rear_end = cos_angle >= _REAR_END_COS
    along = np.abs(wx * a.cos_heading + wy * a.sin_heading)
    found["ttc_s"][into] = ttc
    found["cos_angle"][into] = cos_angle
    found["closing_mps"][into] = np.where(rear_end, along, np.sqrt(wx * wx + wy * wy))
    drac, brake = _crossing_drac(at_a, at_b, ttc)
    rear_drac = np.where(ttc > 0, along / np.where(ttc > 0, 2.0 * ttc, 1.0), np.inf)
    found["drac_mps2"][into] = np.where(rear_end, rear_drac, drac)
    found["brake_mps"][into] = np.where(rear_end, along, brake)
    found["x_m"][into] = 0.5 * (at_a.x_m + at_b.x_m)
    found["y_m"][into] = 0.5 * (at_a.y_m + at_b.y_m)
    return hit


def _moved(boxes: Footprints, wait_s: Array) -> Footprints:
    return Footprints(
        x_m=boxes.x_m + wait_s * boxes.vx_mps,
        y_m=boxes.y_m + wait_s * boxes.vy_mps,
        cos_heading=boxes.cos_heading,
        sin_heading=boxes.sin_heading,
        length_m=boxes.length_m,
        width_m=boxes.width_m,
        vx_mps=boxes.vx_mps,
        vy_mps=boxes.vy_mps,
    )


def _crossing_drac(a: Footprints, b: Footprints, ttc_s: Array) -> tuple[Array, Array]:
    """Return the braking of the second, by which it comes there when the first has left, and speed.

    Second is who would not be touched a little before the place of contact; where both would be
    (head on), whoever needs less stops short of it.
    """
    needed, speeds, waits = [], [], []
    for brakes, goes in ((a, b), (b, a)):
        speed = np.sqrt(brakes.vx_mps**2 + brakes.vy_mps**2)
        _, out = box_contact(goes, _stopped(brakes, back_m=-_BACK_M))
        first, last = box_contact(goes, _stopped(brakes, back_m=_BACK_M))
        is_second = (first >= last) | (last <= 0)
        clear = np.where(is_second, ttc_s + np.maximum(out, 0.0), 1.0)
        brake = crossing_drac_mps2(speed, distance_m=speed * ttc_s, clear_s=clear)
        stop = np.where(ttc_s > 0, speed / np.where(ttc_s > 0, 2.0 * ttc_s, 1.0), np.inf)
        needed.append(np.where(is_second, brake, stop))
        speeds.append(speed)
        waits.append(is_second)
    one_first = np.where(waits[0] == waits[1], needed[0] <= needed[1], waits[0])
    least = np.where(one_first, needed[0], needed[1])
    return np.where(ttc_s > 0, least, np.inf), np.where(one_first, speeds[0], speeds[1])


def _stopped(boxes: Footprints, *, back_m: float) -> Footprints:
    """Return the boxes standing, moved back along their headings."""
    still = np.zeros(len(boxes))
    return Footprints(
        x_m=boxes.x_m - back_m * boxes.cos_heading,
        y_m=boxes.y_m - back_m * boxes.sin_heading,
        cos_heading=boxes.cos_heading,
        sin_heading=boxes.sin_heading,
        length_m=boxes.length_m,
        width_m=boxes.width_m,
        vx_mps=still,
        vy_mps=still,
    )
