"""What rules look at: blocks of whole steps as columns, every row tied to the one before it.

Only rows that were seen and of which the tracker was sure; no coasted and no tentative ones. Every
number of a row follows from rows of the same road user in the last three seconds by elementwise
arithmetic, so that any cutting into blocks gives the same bits.

With a plane (or trajectories in metres) speed and course are the causal ``velocity_mps``. Without
one they follow from the way of the foot over the last second and the size of the box, good to a
factor of about 1.5: enough to tell standing from driving and forth from back, never a speed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from calmstreet.geometry.scale import metres_per_px
from calmstreet.geometry.shapes import inside_polygon
from calmstreet.model.kinds import LENGTH_M, LENGTH_SPREAD, WIDTH_M, Flag, SizeSource
from calmstreet.model.points import TrackPoints
from calmstreet.safety.ground_plan import PlanZone
from calmstreet.units import NS_PER_S

__all__ = ["PAUSE_NS", "Block", "Follower"]

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Whole = NDArray[np.int64]

PAUSE_NS = 2 * NS_PER_S
_WINDOW_NS = NS_PER_S
_LEAST_WINDOW_NS = NS_PER_S // 2
_KEPT_NS = 4 * NS_PER_S
_STILL_MPS = 0.3
_ABSENT = Flag.COASTED | Flag.TENTATIVE
_SIZES = np.array([LENGTH_M, WIDTH_M]).T
_SPREADS = np.array(LENGTH_SPREAD)
_MEASURED_SHARE = 0.71  # a length counts as measured when that halves its variance at least


@dataclass(slots=True, kw_only=True, eq=False)
class Block:
    """Rows by road user, then time; ``steps`` (s,) are all times of the block.

    ``foot`` (n, 2) pixels with y up; ``centre``, ``front`` (n, 2) metres, NaN unknown; the same
    with ``before_`` of the user's row before (NaN for the first) and its ``before_ns``;
    ``speed_mps``; ``course_rad`` of motion, NaN while standing; ``heading_rad``; ``scale_m`` metres
    per pixel at the foot; ``sigma_m`` of the centre along the heading, ``sigma_front_m`` of the
    front (with the doubt about its length), ``spread_m`` of the place in any direction;
    ``first_ns`` of the user; ``spans`` the users (track_id) with their ranges of rows.
    """

    steps: Whole
    t_ns: Whole
    track_id: Whole
    kind: NDArray[np.uint8]
    parked: Mask
    foot: Array
    centre: Array
    front: Array
    before_foot: Array
    before_centre: Array
    before_front: Array
    before_ns: Whole
    speed_mps: Array
    course_rad: Array
    heading_rad: Array
    length_m: Array
    width_m: Array
    scale_m: Array
    sigma_m: Array
    sigma_front_m: Array
    spread_m: Array
    first_ns: Whole
    spans: list[tuple[int, int, int]] = field(default_factory=list)
    metric: bool = True
    _inside: dict[str, Mask] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.t_ns)

    def place(self, metric: bool, *, front: bool = False) -> Array:
        """Return where rows are, (n, 2): on the ground the centre (or front), else the foot."""
        if not metric:
            return self.foot
        return self.front if front else self.centre

    def before(self, metric: bool, *, front: bool = False) -> Array:
        """Return where the same user was in its row before, (n, 2)."""
        if not metric:
            return self.before_foot
        return self.before_front if front else self.before_centre

    def unit_m(self, metric: bool) -> Array:
        """Return metres per unit of ``place`` at each row, (n,)."""
        return np.ones(len(self)) if metric else self.scale_m

    def inside(self, zone: PlanZone) -> Mask:
        """Return which rows lie in a zone: the centre of the footprint, else the foot."""
        if zone.id not in self._inside:
            self._inside[zone.id] = inside_polygon(self.place(zone.metric), zone.polygon)
        return self._inside[zone.id]

    def in_any(self, zones: tuple[PlanZone, ...]) -> Mask:
        """Return which rows lie in one of the zones."""
        found = np.zeros(len(self), bool)
        for zone in zones:
            found |= self.inside(zone)
        return found

    def at(self, row: int, metric: bool | None = None) -> tuple[float, float]:
        """Return the place of a row in metres; NaN where no plane is known."""
        if not (self.metric if metric is None else metric):
            return float("nan"), float("nan")
        return float(self.centre[row, 0]), float(self.centre[row, 1])


@dataclass(slots=True, kw_only=True, eq=False)
class _Past:
    """The last rows of one road user: times and feet of some seconds, and its newest row."""

    first_ns: int
    t_ns: Whole
    foot: Array
    last: dict[str, Array] = field(default_factory=dict)


class Follower:
    """Turns blocks of whole steps into ``Block``s; ``metric`` when rows carry metres.

    ``eye_m`` (east, north) is where the camera hangs, None unknown: it sees one end of a vehicle,
    and the other one is as uncertain as the length.
    """

    def __init__(self, *, metric: bool, eye_m: tuple[float, float] | None = None) -> None:
        self._metric, self._eye_m = metric, eye_m
        self._past: dict[int, _Past] = {}

    def take(self, steps: Whole, points: TrackPoints) -> Block:
        """Return the next block; rows belong to its steps, steps are later than before."""
        rows = self._usable(points)
        n = len(rows)
        block = self._bare(np.asarray(steps, np.int64), rows)
        velocity = np.full((n, 2), np.nan)
        for track_id, start, end in _pieces(rows):
            past = self._tie(block, track_id, start, end)
            if not self._metric:
                velocity[start:end] = _velocity(past, block, start, end)
            self._keep(track_id, past, block, start, end)
        self._move(block, rows, velocity)
        newest = int(steps[-1]) if len(steps) else 0
        for track_id in [t for t, p in self._past.items() if newest - p.t_ns[-1] > PAUSE_NS]:
            del self._past[track_id]
        return block

    def _usable(self, points: TrackPoints) -> TrackPoints:
        place = points.xy_m if self._metric else points.box_px
        good = (points.track_id >= 0) & ((points.flags & _ABSENT) == 0)
        good &= np.isfinite(place).all(axis=1)
        order = np.lexsort((points.t_ns, points.track_id))
        return points[order[good[order]]]

    def _bare(self, steps: Whole, rows: TrackPoints) -> Block:
        n, box = len(rows), rows.box_px.astype(np.float64)
        nowhere = np.full((n, 2), np.nan)
        known = np.minimum(rows.kind, len(LENGTH_M) - 1)
        sizes = np.stack([rows.length_m, rows.width_m], axis=1).astype(np.float64)
        sizes = np.where(np.isfinite(sizes), sizes, _SIZES[known])
        foot = np.stack([(box[:, 0] + box[:, 2]) / 2, -box[:, 3]], axis=1)
        return Block(
            steps=steps,
            t_ns=rows.t_ns,
            track_id=rows.track_id,
            kind=rows.kind,
            parked=(rows.flags & Flag.PARKED) != 0,
            foot=foot,
            centre=rows.xy_m.astype(np.float64),
            front=rows.front_m(),
            before_foot=nowhere.copy(),
            before_centre=nowhere.copy(),
            before_front=nowhere.copy(),
            before_ns=np.zeros(n, np.int64),
            speed_mps=np.full(n, np.nan),
            course_rad=np.full(n, np.nan),
            heading_rad=rows.heading_rad.astype(np.float64),
            length_m=sizes[:, 0],
            width_m=sizes[:, 1],
            scale_m=metres_per_px(rows.kind, rows.box_px),
            sigma_m=_sigma_along(rows),
            sigma_front_m=_sigma_front(rows, sizes[:, 0], self._eye_m),
            spread_m=_spread(rows),
            first_ns=np.zeros(n, np.int64),
            metric=self._metric,
        )

    def _tie(self, block: Block, track_id: int, start: int, end: int) -> _Past:
        """Tie rows start..end to the row before each; forget a user that paused too long."""
        past = self._past.get(track_id)
        begin_ns = int(block.t_ns[start])
        if past is not None and begin_ns - int(past.t_ns[-1]) > PAUSE_NS:
            past = None
        if past is None:
            past = _Past(first_ns=begin_ns, t_ns=np.empty(0, np.int64), foot=np.empty((0, 2)))
        for name in ("foot", "centre", "front"):
            here, before = getattr(block, name), getattr(block, f"before_{name}")
            before[start + 1 : end] = here[start : end - 1]
            before[start] = past.last.get(name, np.full(2, np.nan))
        block.before_ns[start + 1 : end] = block.t_ns[start : end - 1]
        block.before_ns[start] = past.t_ns[-1] if len(past.t_ns) else 0
        block.first_ns[start:end] = past.first_ns
        block.spans.append((track_id, start, end))
        return past

    def _keep(self, track_id: int, past: _Past, block: Block, start: int, end: int) -> None:
        t_ns = block.t_ns[start:end]
        if self._metric:
            past.t_ns = t_ns[-1:]
        else:
            joined = np.concatenate([past.t_ns, t_ns])
            fresh = joined > t_ns[-1] - _KEPT_NS
            past.t_ns = joined[fresh]
            past.foot = np.concatenate([past.foot, block.foot[start:end]])[fresh]
        past.last = {
            name: getattr(block, name)[end - 1].copy() for name in ("foot", "centre", "front")
        }
        self._past[track_id] = past

    def _move(self, block: Block, rows: TrackPoints, velocity: Array) -> None:
        """Fill in speed, course and heading."""
        if self._metric:
            velocity = rows.velocity_mps.astype(np.float64)
        block.speed_mps = np.sqrt(velocity[:, 0] * velocity[:, 0] + velocity[:, 1] * velocity[:, 1])
        course = np.arctan2(velocity[:, 1], velocity[:, 0])
        block.course_rad = np.where(block.speed_mps >= _STILL_MPS, course, np.nan)
        if not self._metric:
            block.heading_rad = block.course_rad


def _sigma_along(rows: TrackPoints) -> Array:
    cov = rows.cov_m2.astype(np.float64)
    heading = rows.heading_rad.astype(np.float64)
    cos, sin = np.cos(heading), np.sin(heading)
    along = cov[:, 0] * cos * cos + 2 * cov[:, 1] * cos * sin + cov[:, 2] * sin * sin
    return np.sqrt(np.maximum(np.nan_to_num(along, nan=0.0), 0.0))


def _spread(rows: TrackPoints) -> Array:
    """Return the standard uncertainty of each place in its worst direction, (n,) metres."""
    xx, xy, yy = np.nan_to_num(rows.cov_m2.astype(np.float64)).T
    half = (xx - yy) / 2
    return np.asarray(np.sqrt(np.maximum((xx + yy) / 2 + np.sqrt(half * half + xy * xy), 0.0)))


def _sigma_front(rows: TrackPoints, length_m: Array, eye_m: tuple[float, float] | None) -> Array:
    """Return the standard uncertainty of each front along the heading, (n,) metres.

    The end that the camera sees is where its box says; the other one is a length away. Sizes that
    no camera measured (rows without a box) are given and have no doubt.
    """
    share = np.where(rows.size_source == SizeSource.MEASURED, _MEASURED_SHARE, 1.0)
    share = share * _SPREADS[np.minimum(rows.kind, len(_SPREADS) - 1)]
    guessed = np.isfinite(rows.box_px[:, 0]) & (rows.size_source != SizeSource.GIVEN)
    doubt_m = np.where(guessed, share * length_m, 0.0)
    if eye_m is not None:
        off = rows.xy_m.astype(np.float64) - np.array(eye_m)
        away = np.sqrt(off[:, 0] * off[:, 0] + off[:, 1] * off[:, 1])
        heading = rows.heading_rad.astype(np.float64)
        along = (off[:, 0] * np.cos(heading) + off[:, 1] * np.sin(heading)) / np.maximum(away, 1e-6)
        doubt_m = doubt_m * (1.0 + np.nan_to_num(along, nan=1.0)) / 2
    sigma_m = _sigma_along(rows)
    return np.asarray(np.sqrt(sigma_m * sigma_m + doubt_m * doubt_m))


def _pieces(rows: TrackPoints) -> Iterator[tuple[int, int, int]]:
    """Yield each road user with its range of rows; a pause of 2 s parts it."""
    if not len(rows):
        return
    parted = (np.diff(rows.track_id) != 0) | (np.diff(rows.t_ns) > PAUSE_NS)
    cuts = (np.flatnonzero(parted) + 1).tolist()
    for start, end in zip([0, *cuts], [*cuts, len(rows)], strict=True):
        yield int(rows.track_id[start]), start, end


def _velocity(past: _Past, block: Block, start: int, end: int) -> Array:
    """Return m/s (n, 2) from the way of the foot over the last second, NaN in the first half."""
    times = np.concatenate([past.t_ns, block.t_ns[start:end]])
    feet = np.concatenate([past.foot, block.foot[start:end]])
    now = np.arange(len(past.t_ns), len(times))
    then = np.searchsorted(times, times[now] - _WINDOW_NS, side="right") - 1
    then = np.maximum(then, 0)
    lasted_ns = times[now] - times[then]
    with np.errstate(divide="ignore", invalid="ignore"):
        way = (feet[now] - feet[then]) / (lasted_ns / NS_PER_S)[:, None]
    way[lasted_ns < _LEAST_WINDOW_NS] = np.nan
    return np.asarray(way * block.scale_m[start:end, None])
