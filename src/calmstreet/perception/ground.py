"""From boxes to metres as they come: every row's footprint, speed and heading, causally.

Each road user has a constant-velocity Kalman filter in metres (`geometry.motion`), fed with the
place that its box measures (`perception.measured`); what comes later never changes a row. Until a
user has moved enough to show its heading it is a body turned any way. Length is the kind's own
unless the net's boxes tell it well enough from aside.
"""

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.geometry.motion import agitation_of, correct, first_state, predict
from calmstreet.geometry.plane import Plane
from calmstreet.model.kinds import LENGTH_M, LENGTH_SPREAD, WIDTH_M, Eye, Flag, Kind, SizeSource
from calmstreet.model.points import TrackPoints, concat_points
from calmstreet.perception.footprint import Body, place_bodies
from calmstreet.perception.lengths import length_seen
from calmstreet.perception.measured import Measured, measure
from calmstreet.perception.riders import kinds_by_pace
from calmstreet.units import NS_PER_S

__all__ = ["Ground", "as_seen", "ground_rows"]

Floats = NDArray[np.float64]

_GONE_NS = 2 * NS_PER_S
_LONGEST_BLIND_S = 1.0
_SURPRISE_SIGMAS2 = 9.0
_KNOWN_SPEED_MPS = 2.5
_LEAST_SPEED_MPS = 1.0
_SPEED_SIGMAS = 2.0
_BACKWARDS_RAD, _BACKWARDS_MPS = 2.1, 3.0
_FIRST_WAY_SIGMAS, _FIRST_WAY_M = 3.0, 0.5
_RESIZED_M = 0.3
_SURE_SPEED_MPS, _DOUBT = 1.0, 64.0
_LENGTHS_M, _WIDTHS_M = np.array(LENGTH_M), np.array(WIDTH_M)
_LENGTH_SPREAD = np.array(LENGTH_SPREAD)
# Kinds of almost no length: their heading is not needed to place them.
_ROUND = np.zeros(256, np.bool_)
_ROUND[Kind.PEDESTRIAN] = True


@dataclass(slots=True, kw_only=True, eq=False)
class _Known:
    """What is known of each user, one row per track, in order of ``track_id``.

    ``state`` (n, 4) and ``cov`` (n, 4, 4) of the filter, NaN until it began; ``t_ns`` of the last
    row, ``seen_ns`` of the last measurement; ``first_m`` (n, 2) where it was first measured;
    ``kind``, ``length_m``, ``width_m``: the body whose centre the state is;
    ``told`` and ``told_weight``: sums of weighted lengths and of weights; ``riding_s`` and
    ``racing_s`` of `perception.riders`.
    """

    track_id: NDArray[np.int64]
    state: Floats
    cov: Floats
    t_ns: NDArray[np.int64]
    seen_ns: NDArray[np.int64]
    first_m: Floats
    heading_rad: Floats
    kind: NDArray[np.uint8]
    length_m: Floats
    width_m: Floats
    told: Floats
    told_weight: Floats
    riding_s: Floats
    racing_s: Floats

    def rows(self, index: Any) -> "_Known":
        return _Known(**{f.name: getattr(self, f.name)[index] for f in fields(_Known)})


def _nobody(track_id: NDArray[np.int64], t_ns: int) -> _Known:
    n = len(track_id)
    return _Known(
        track_id=track_id,
        state=np.full((n, 4), np.nan),
        cov=np.full((n, 4, 4), np.nan),
        t_ns=np.full(n, t_ns),
        seen_ns=np.full(n, t_ns),
        first_m=np.full((n, 2), np.nan),
        heading_rad=np.full(n, np.nan),
        kind=np.zeros(n, np.uint8),
        length_m=np.full(n, np.nan),
        width_m=np.full(n, np.nan),
        told=np.zeros(n),
        told_weight=np.zeros(n),
        riding_s=np.zeros(n),
        racing_s=np.zeros(n),
    )


class Ground:
    """Adds metres to the rows of one run, step by step. One per run and plane."""

    def __init__(self, *, plane: Plane) -> None:
        self._plane = plane
        self._known = _nobody(np.empty(0, np.int64), 0)

    def update(self, points: TrackPoints) -> TrackPoints:
        """Return the rows of one step (all of one time, in order of track_id) with their metres.

        Who is too fast to walk or to cycle is named by that from then on.

        ``xy_m``, ``velocity_mps``, ``heading_rad``, ``length_m``, ``width_m``, ``size_source`` and
        ``cov_m2`` are filled as far as they are known; a place is NaN over the horizon and after a
        second in which nothing measured it.
        """
        if not len(points):
            return points
        t_ns = int(points.t_ns[0])
        mine = self._of(points.track_id, t_ns)
        length_m, width_m, source = self._sizes(mine, points.kind)
        body = Body(
            kind=points.kind, heading_rad=mine.heading_rad, length_m=length_m, width_m=width_m
        )
        seen = measure(points, body, self._plane)
        self._resize(mine, points, body, seen)
        seen = self._turned(mine, points, body, seen)
        dt_s = self._move(mine, points.kind, t_ns)
        self._take(mine, seen, t_ns)
        points = replace(points, kind=_paced(mine, points.kind, dt_s))
        self._head(mine, points.kind)
        told, weight = length_seen(
            points,
            replace(body, heading_rad=mine.heading_rad),
            self._plane,
            place_m=seen.xy_m,
            heading_sigma_rad=_heading_sigma(mine),
        )
        mine.told += told * weight
        mine.told_weight += weight
        self._keep(mine)
        return self._filled(points, mine, length_m, width_m, source)

    def _of(self, track_id: NDArray[np.int64], t_ns: int) -> _Known:
        """Return what is known of these tracks; who was away too long is unknown again."""
        old = self._known
        mine = _nobody(track_id, t_ns)
        if len(old.track_id):
            at = np.minimum(np.searchsorted(old.track_id, track_id), len(old.track_id) - 1)
            same = (old.track_id[at] == track_id) & (t_ns - old.t_ns[at] <= _GONE_NS)
            for field in fields(_Known):
                column = getattr(mine, field.name)
                column[same] = getattr(old, field.name)[at[same]]
        return mine

    def _sizes(
        self, mine: _Known, kind: NDArray[np.uint8]
    ) -> tuple[Floats, Floats, NDArray[np.uint8]]:
        """Return length, width and their source of each row."""
        default = _LENGTHS_M[kind]
        prior = 1.0 / (_LENGTH_SPREAD[kind] * default) ** 2
        long = (default * prior + mine.told) / (prior + mine.told_weight)
        long = np.minimum(np.maximum(long, 0.45 * default), 1.8 * default)
        measured = mine.told_weight > prior
        source = np.where(measured, SizeSource.MEASURED, SizeSource.CLASS_DEFAULT)
        return long, _WIDTHS_M[kind], source.astype(np.uint8)

    def _resize(self, mine: _Known, points: TrackPoints, body: Body, seen: Measured) -> None:
        """Lay what is known of users who are taken for a longer or shorter body now on its centre.

        The centre moves, the user does not: its speed stays.
        """
        other = np.abs(body.length_m - mine.length_m) > _RESIZED_M
        rows = np.flatnonzero(other & np.isfinite(seen.xy_m[:, 0]))
        if len(rows):
            was = Body(
                kind=mine.kind[rows],
                heading_rad=body.heading_rad[rows],
                length_m=mine.length_m[rows],
                width_m=mine.width_m[rows],
            )
            shift = seen.xy_m[rows] - place_bodies(self._plane, was, points.seen_px[rows])
            mine.state[rows, :2] += shift
            mine.first_m[rows] += shift
            other[rows] = False
        mine.kind = np.where(other, mine.kind, body.kind)
        mine.length_m = np.where(other, mine.length_m, body.length_m)
        mine.width_m = np.where(other, mine.width_m, body.width_m)

    def _turned(self, mine: _Known, points: TrackPoints, body: Body, seen: Measured) -> Measured:
        """Return the places once users who have come far enough show their heading.

        Their filter begins where the body was first seen, now that it is known how it is turned.
        """
        new = np.isnan(mine.first_m[:, 0]) & np.isfinite(seen.xy_m[:, 0])
        mine.first_m[new] = seen.xy_m[new]
        waiting = np.isnan(mine.heading_rad) & ~_ROUND[points.kind]
        way = seen.xy_m - mine.first_m
        far = np.hypot(way[:, 0], way[:, 1])
        noise = np.sqrt(seen.cov_m2[:, 0] + seen.cov_m2[:, 2])
        unsure = ((body.length_m - body.width_m) / 4) ** 2
        noise = np.sqrt(np.maximum(noise**2 - 2 * unsure, 0.0))
        told = waiting & (far > np.maximum(_FIRST_WAY_SIGMAS * noise, _FIRST_WAY_M))
        if not np.count_nonzero(told):
            return seen
        mine.heading_rad[told] = np.arctan2(way[told, 1], way[told, 0])
        mine.state[told] = np.nan
        return measure(points, replace(body, heading_rad=mine.heading_rad), self._plane)

    def _move(self, mine: _Known, kind: NDArray[np.uint8], t_ns: int) -> Floats:
        """Move everybody to this step; return by how many seconds."""
        dt_s = (t_ns - mine.t_ns) / NS_PER_S
        mine.state, mine.cov = predict(mine.state, mine.cov, dt_s=dt_s, q=agitation_of(kind))
        mine.t_ns[:] = t_ns
        return np.asarray(dt_s, np.float64)

    def _take(self, mine: _Known, seen: Measured, t_ns: int) -> None:
        """Correct everybody by what was measured; a surprising place counts less.

        So does one that is cut off or hidden, of a user whose motion is known well: what is left
        of a box errs to one side, and would make it slower.
        """
        known = np.isfinite(seen.xy_m).all(axis=1) & np.isfinite(seen.cov_m2).all(axis=1)
        begin = known & np.isnan(mine.state[:, 0])
        off = seen.xy_m - mine.state[:, :2]
        spread = mine.cov[:, 0, 0] + mine.cov[:, 1, 1] + seen.cov_m2[:, 0] + seen.cov_m2[:, 2]
        surprise = (off[:, 0] ** 2 + off[:, 1] ** 2) / spread
        coarse = np.where(surprise > _SURPRISE_SIGMAS2, surprise / _SURPRISE_SIGMAS2, 1.0)
        sure = (mine.cov[:, 2, 2] + mine.cov[:, 3, 3]) / 2 < _SURE_SPEED_MPS**2
        coarse = np.where(sure & ~seen.usable, _DOUBT * coarse, coarse)
        cov_m2 = seen.cov_m2 * coarse[:, None]
        going = known & ~begin
        if np.count_nonzero(going):
            mine.state[going], mine.cov[going] = correct(
                mine.state[going], mine.cov[going], xy_m=seen.xy_m[going], cov_m2=cov_m2[going]
            )
        if np.count_nonzero(begin):
            mine.state[begin], mine.cov[begin] = first_state(seen.xy_m[begin], seen.cov_m2[begin])
        mine.seen_ns[known] = t_ns
        blind = (t_ns - mine.seen_ns) / NS_PER_S > _LONGEST_BLIND_S
        mine.state[blind] = np.nan
        mine.cov[blind] = np.nan

    def _head(self, mine: _Known, kind: NDArray[np.uint8]) -> None:
        """Turn everybody who moves clearly into the direction of motion; who backs keeps its."""
        velocity = mine.state[:, 2:]
        speed = np.hypot(velocity[:, 0], velocity[:, 1])
        sigma = np.sqrt((mine.cov[:, 2, 2] + mine.cov[:, 3, 3]) / 2)
        clear = speed > np.maximum(_LEAST_SPEED_MPS, _SPEED_SIGMAS * sigma)
        clear |= _ROUND[kind] & (speed > np.maximum(0.5 * _LEAST_SPEED_MPS, sigma))
        way = np.arctan2(velocity[:, 1], velocity[:, 0])
        turn = np.abs((way - mine.heading_rad + np.pi) % (2 * np.pi) - np.pi)
        backs = (turn > _BACKWARDS_RAD) & (speed < _BACKWARDS_MPS) & ~_ROUND[kind]
        mine.heading_rad = np.where(clear & ~backs, way, mine.heading_rad)

    def _keep(self, mine: _Known) -> None:
        """Remember this step's users and those of the last seconds who gave no row."""
        old = self._known
        t_ns = int(mine.t_ns[0])
        away = ~np.isin(old.track_id, mine.track_id) & (t_ns - old.t_ns <= _GONE_NS)
        if np.count_nonzero(away):
            rest = old.rows(away)
            joined = {
                f.name: np.concatenate([getattr(rest, f.name), getattr(mine, f.name)])
                for f in fields(_Known)
            }
            order = np.argsort(joined["track_id"], kind="stable")
            self._known = _Known(**{name: column[order] for name, column in joined.items()})
        else:
            self._known = mine

    def _filled(
        self,
        points: TrackPoints,
        mine: _Known,
        length_m: Floats,
        width_m: Floats,
        source: NDArray[np.uint8],
    ) -> TrackPoints:
        """Return the rows with their metres; sizes only where there is a place."""
        xy_m, velocity = mine.state[:, :2], mine.state[:, 2:]
        placed = np.asarray(np.isfinite(xy_m).all(axis=1), np.bool_)
        unsure = np.sqrt((mine.cov[:, 2, 2] + mine.cov[:, 3, 3]) / 2) > _KNOWN_SPEED_MPS
        px = self._plane.to_px(np.where(placed[:, None], xy_m, np.nan))
        cov = np.stack([mine.cov[:, 0, 0], mine.cov[:, 0, 1], mine.cov[:, 1, 1]], axis=1)
        common = self._plane.cov_m2(px, (0.0, 0.0), with_posterior=True)
        cov = cov + np.where(np.isfinite(common), common, 0.0)
        return replace(
            points,
            xy_m=xy_m.astype(np.float32),
            velocity_mps=np.where(unsure[:, None], np.nan, velocity).astype(np.float32),
            heading_rad=np.where(placed, mine.heading_rad, np.nan).astype(np.float32),
            length_m=np.where(placed, length_m, np.nan).astype(np.float32),
            width_m=np.where(placed, width_m, np.nan).astype(np.float32),
            size_source=np.where(placed, source, SizeSource.UNKNOWN).astype(np.uint8),
            cov_m2=cov.astype(np.float32),
        )


def ground_rows(points: TrackPoints, plane: Plane) -> TrackPoints:
    """Return the rows of many whole steps with their metres, as if they had come one by one.

    Rows of other programs count as ``as_seen`` says.
    """
    if not len(points):
        return points
    if not np.isfinite(points.seen_px).any():
        points = as_seen(points)
    ground = Ground(plane=plane)
    ends = np.flatnonzero(np.r_[np.diff(points.t_ns) != 0, True]) + 1
    starts = np.r_[0, ends[:-1]]
    return concat_points(
        [ground.update(points[a:b]) for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]
    )


def as_seen(points: TrackPoints) -> TrackPoints:
    """Return rows of other programs, which have boxes only, as seen by a net unless coasted."""
    seen = (points.flags & Flag.COASTED) == 0
    return replace(
        points,
        seen_px=np.where(seen[:, None], points.box_px, np.float32(np.nan)),
        seen_by=np.where(seen, Eye.NET, Eye.NONE).astype(np.uint8),
    )


def _paced(mine: _Known, kind: NDArray[np.uint8], dt_s: Floats) -> NDArray[np.uint8]:
    """Return the kinds as far as the speeds allow them."""
    return kinds_by_pace(
        kind,
        speed_mps=np.hypot(mine.state[:, 2], mine.state[:, 3]),
        sigma_mps=np.sqrt((mine.cov[:, 2, 2] + mine.cov[:, 3, 3]) / 2),
        dt_s=dt_s,
        riding_s=mine.riding_s,
        racing_s=mine.racing_s,
    )


def _heading_sigma(mine: _Known) -> Floats:
    """Return how unsure the direction of motion is, (n,) radians; inf for who hardly moves."""
    speed = np.hypot(mine.state[:, 2], mine.state[:, 3])
    sigma = np.sqrt((mine.cov[:, 2, 2] + mine.cov[:, 3, 3]) / 2)
    clear = speed > _LEAST_SPEED_MPS
    return np.where(clear, sigma / np.where(clear, speed, 1.0), np.inf)
