"""Rows of road users made ready for the search of conflicts: footprints, speeds, usual paths."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.geometry.contact import Footprints
from calmstreet.model.kinds import LENGTH_M, WIDTH_M, Flag, Kind, SizeSource
from calmstreet.model.points import TrackPoints
from calmstreet.safety.paths import Choices, Paths

__all__ = ["Movers", "joined_movers", "movers_of", "on_paths", "with_manoeuvres"]

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

_SIZE_SHARE = (np.nan, 0.05, 0.0, 0.10)
_NOBODY = Flag.COASTED | Flag.TENTATIVE
_LAG_NS = 500_000_000
_LEAST_LAG_NS = 240_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Movers:
    """Rows sorted by time, then track, all columns (n,).

    ``path`` -1: straight on; ``choices`` paths that fit as well; ``var_m2`` mean variance of the
    place; ``size_share`` relative error of the length; ``given`` no camera saw it, place and
    size are given, not measured; ``braking_mps2``, ``swerving_mps2`` over the last half second
    (NaN when not seen that long); the latter beyond what the path asks for.
    """

    t_ns: Ints
    track_id: Ints
    kind: NDArray[np.uint8]
    x_m: Array
    y_m: Array
    cos_heading: Array
    sin_heading: Array
    length_m: Array
    width_m: Array
    vx_mps: Array
    vy_mps: Array
    speed_mps: Array
    path: Ints
    station_m: Array
    aside_m: Array
    choices: Ints
    var_m2: Array
    size_share: Array
    given: NDArray[np.bool_]
    braking_mps2: Array
    swerving_mps2: Array

    def __len__(self) -> int:
        return len(self.t_ns)

    def __getitem__(self, index: Any) -> "Movers":
        """Return the rows that a mask, slice or index array picks."""
        return Movers(**{part.name: getattr(self, part.name)[index] for part in fields(self)})

    def boxes(self) -> Footprints:
        """Return the footprints with their velocities."""
        return Footprints(**{part.name: getattr(self, part.name) for part in fields(Footprints)})


def joined_movers(one: Movers, two: Movers) -> Movers:
    """Return the rows of both, one after the other."""
    return Movers(
        **{
            part.name: np.concatenate([getattr(one, part.name), getattr(two, part.name)])
            for part in fields(Movers)
        }
    )


def movers_of(points: TrackPoints, paths: Paths) -> tuple[Movers, Choices]:
    """Return the rows with a place, a heading and a velocity that were really seen.

    Beside them the paths that each may be on; ``on_paths`` chooses among them.
    """
    good = (points.track_id >= 0) & ((points.flags & _NOBODY) == 0)
    good &= np.isfinite(points.xy_m).all(axis=1) & np.isfinite(points.heading_rad)
    good &= np.isfinite(points.velocity_mps).all(axis=1)
    order = np.lexsort((points.track_id, points.t_ns))
    rows = points[order[good[order]]]
    place, velocity = rows.xy_m.astype(np.float64), rows.velocity_mps.astype(np.float64)
    heading, cov = rows.heading_rad.astype(np.float64), rows.cov_m2.astype(np.float64)
    x, y, vx, vy = (part.copy() for part in (*place.T, *velocity.T))
    walker = rows.kind == Kind.PEDESTRIAN
    unknown = np.full(len(x), np.nan)
    movers = Movers(
        t_ns=rows.t_ns,
        track_id=rows.track_id,
        kind=rows.kind,
        x_m=x,
        y_m=y,
        cos_heading=np.cos(heading),
        sin_heading=np.sin(heading),
        length_m=_size(rows.length_m, rows.kind, LENGTH_M),
        width_m=_size(rows.width_m, rows.kind, WIDTH_M),
        vx_mps=vx,
        vy_mps=vy,
        speed_mps=np.sqrt(vx * vx + vy * vy),
        path=np.full(len(x), -1, np.int64),
        station_m=unknown,
        aside_m=unknown,
        choices=np.zeros(len(x), np.int64),
        var_m2=0.5 * (cov[:, 0] + cov[:, 2]),
        size_share=_size_share(rows),
        given=np.isnan(rows.box_px[:, 0]),
        braking_mps2=unknown,
        swerving_mps2=unknown,
    )
    return movers, paths.choices(x, y, heading_rad=heading, walker=walker)


def on_paths(
    movers: Movers, choices: Choices, *, later: Sequence[tuple[Movers, Choices]] = ()
) -> Movers:
    """Return the rows with the path of each: the one that fits its track longest from now on.

    ``later`` are the rows of the seconds after. A path is supported by every row of the track,
    now and later, that may be on it; among equals place, heading and the more usual path decide.
    """
    track = [rows.track_id[lines.row] for rows, lines in ((movers, choices), *later)]
    path = [lines.path for _, lines in ((movers, choices), *later)]
    who, rank = np.unique(np.concatenate(track), return_inverse=True)
    width = int(max((part.max(initial=0) for part in path), default=0)) + 1
    votes = np.bincount(rank * width + np.concatenate(path), minlength=len(who) * width)
    own = rank[: len(choices.row)] * width + choices.path
    fit = choices.best(votes[own].astype(np.float64))
    return _replaced(
        movers,
        path=fit.path,
        station_m=fit.station_m,
        aside_m=fit.aside_m,
        choices=fit.choices,
    )


def _replaced(rows: Movers, **columns: NDArray[Any]) -> Movers:
    return Movers(**{part.name: getattr(rows, part.name) for part in fields(Movers)} | columns)


def _size(given_m: NDArray[np.float32], kind: NDArray[np.uint8], usual: tuple[float, ...]) -> Array:
    known = np.isfinite(given_m) & (given_m > 0)
    return np.where(known, given_m.astype(np.float64), np.array(usual)[kind])


def _size_share(rows: TrackPoints) -> Array:
    source = np.where(np.isfinite(rows.length_m), rows.size_source, SizeSource.CLASS_DEFAULT)
    return np.array(_SIZE_SHARE)[source]


def with_manoeuvres(rows: Movers, paths: Paths) -> Movers:
    """Return the same rows with braking and swerving over the last half second filled in.

    Rows must hold at least half a second before those that matter.
    """
    order = np.lexsort((rows.t_ns, rows.track_id))
    ids, t_ns = rows.track_id[order], rows.t_ns[order]
    rank = np.cumsum(np.diff(ids, prepend=-1) != 0) - 1
    key = (rank << 40) + (t_ns - (int(t_ns.min()) if len(t_ns) else 0))
    before = np.searchsorted(key, np.maximum(key - _LAG_NS, rank << 40))
    now, then = order, order[before]
    span_ns = rows.t_ns[now] - rows.t_ns[then]
    span = np.where(span_ns >= _LEAST_LAG_NS, span_ns / 1e9, np.nan)
    braking, swerving = np.empty(len(rows)), np.empty(len(rows))
    braking[now] = (rows.speed_mps[then] - rows.speed_mps[now]) / span
    turned = _off_path(rows, now, paths) - _off_path(rows, then, paths)
    turned = np.abs(np.mod(turned + np.pi, 2 * np.pi) - np.pi)
    known = (rows.path[now] == rows.path[then]) & (rows.path[now] >= 0)
    swerving[now] = np.where(known, turned * rows.speed_mps[now] / span, np.nan)
    return _replaced(rows, braking_mps2=braking, swerving_mps2=swerving)


def _off_path(rows: Movers, pick: Ints, paths: Paths) -> Array:
    """Return the angle between heading and path of the picked rows, NaN without a path."""
    angle = np.full(len(pick), np.nan)
    known = np.flatnonzero(rows.path[pick] >= 0)
    if len(known):
        at = pick[known]
        _, _, cos, sin = paths.ahead(rows.path[at], rows.station_m[at], rows.aside_m[at])
        heading_cos, heading_sin = rows.cos_heading[at], rows.sin_heading[at]
        angle[known] = np.arctan2(
            cos * heading_sin - sin * heading_cos, cos * heading_cos + sin * heading_sin
        )
    return angle
