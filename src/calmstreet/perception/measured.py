"""Where a box puts a road user on the ground, with what noise, and when not to believe it.

The noise is that of the eyes on rendered streets and real clips (see docs/accuracy.md): some
hundredths of the box's height, more across than down, more for blobs of moving pixels. It is not
smoothed over time here.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from calmstreet.geometry.motion import agitation_of, smoothed_tracks
from calmstreet.geometry.plane import Plane
from calmstreet.model.kinds import LENGTH_M, WIDTH_M, Eye, Flag
from calmstreet.model.points import TrackPoints
from calmstreet.perception.footprint import Body, place_bodies
from calmstreet.units import NS_PER_S

__all__ = ["Measured", "heading_noise_m2", "measure", "measured_places"]

Floats = NDArray[np.float64]

_DOWN_SHARE, _ACROSS_SHARE = 0.03, 0.05
_LEAST_PX = 0.7
_BLOB_NOISE = 2.0
_OVERLAPPED_NOISE = 3.0
_SIDE_NOISE, _SIDED_NOISE, _SIDED_DOWN = 8.0, 4.0, 1.0
_BORDER_SHARE = 0.012
_BLOB_BORDER_SHARE = 0.025
_OUTLIER_SIGMAS = 4.0
_FEWEST_PAIRS = 4
_FEWEST_NAMED = 3
_LENGTH_M, _WIDTH_M = np.array(LENGTH_M), np.array(WIDTH_M)
_LEAST_WAY_MPS = 0.7


class Measured(NamedTuple):
    """What boxes say of places.

    ``xy_m`` (n, 2) footprint centres, ``cov_m2`` (n, 3) their noise xx, xy, yy (both NaN where no
    box tells), ``usable`` (n,) whether the row may carry a speed: seen whole and by itself.
    """

    xy_m: Floats
    cov_m2: Floats
    usable: NDArray[np.bool_]


def heading_noise_m2(length_m: Floats, width_m: Floats, heading_rad: Floats) -> Floats:
    """Return the variance (n,) that an unknown heading adds to a centre; 0 where it is known.

    >>> heading_noise_m2(np.array([4.5]), np.array([1.7]), np.array([np.nan])).round(2).tolist()
    [0.49]
    """
    return np.where(np.isnan(heading_rad), ((length_m - width_m) / 4) ** 2, 0.0)


def measure(points: TrackPoints, body: Body, plane: Plane) -> Measured:
    """Return what the boxes of rows say about the place of ``body`` (same rows).

    A box that touches the lower border does not show where its user stands; one that touches a
    side or the top is less sure across. Rows that no eye saw, or over the horizon, are NaN.
    """
    box = points.seen_px.astype(np.float64)
    height_px = np.maximum(box[:, 3] - box[:, 1], 1.0)
    by_net = (points.seen_by & np.uint8(Eye.NET)) > 0
    left, right, bottom = _cut(box, by_net, plane)
    coarse = np.where(by_net, 1.0, _BLOB_NOISE)
    hidden = (points.flags & Flag.OVERLAPPED) > 0
    coarse = coarse * np.where(hidden, _OVERLAPPED_NOISE, 1.0)
    across = np.maximum(_ACROSS_SHARE * height_px, _LEAST_PX) * coarse
    down = np.maximum(_DOWN_SHARE * height_px, _LEAST_PX) * coarse
    sided = (left ^ right) & np.isfinite(body.heading_rad)
    noise = np.where(sided, _SIDED_NOISE, _SIDE_NOISE)
    across = np.where(left | right, noise * across, across)
    down = np.where(sided, _SIDED_DOWN * down, down)
    side = np.where(right & ~left, 0.0, np.where(left & ~right, 1.0, 0.5))
    seen = np.isfinite(box).all(axis=1) & ~bottom
    xy_m, cov_m2 = np.full((len(box), 2), np.nan), np.full((len(box), 3), np.nan)
    rows = np.flatnonzero(seen)
    if len(rows):
        some = body.rows(rows)
        xy_m[rows] = place_bodies(plane, some, box[rows], side=side[rows])
        foot = np.stack([(box[rows, 0] + box[rows, 2]) / 2, box[rows, 3]], axis=1)
        cov_m2[rows] = plane.cov_m2(foot, np.stack([across[rows], down[rows]], axis=1))
        cov_m2[rows[:, None], [0, 2]] += heading_noise_m2(
            some.length_m, some.width_m, some.heading_rad
        )[:, None]
    young = ((points.flags & Flag.TENTATIVE) > 0) & ~by_net
    usable = seen & ~hidden & ~young & ~(left | right) & np.isfinite(xy_m).all(axis=1)
    return Measured(xy_m, cov_m2, usable)


def _cut(box_px: Floats, by_net: NDArray[np.bool_], plane: Plane) -> tuple[NDArray[np.bool_], ...]:
    """Return which boxes touch the left, the right and the lower border; blobs shrink there."""
    share = np.where(by_net, _BORDER_SHARE, _BLOB_BORDER_SHARE)
    edge_x, edge_y = share * plane.width_px, share * plane.height_px
    return (
        box_px[:, 0] <= edge_x,
        box_px[:, 2] >= plane.width_px - edge_x,
        box_px[:, 3] >= plane.height_px - edge_y,
    )


def measured_places(points: TrackPoints, plane: Plane) -> Measured:
    """Return the measured places of the rows of one track, in order of time.

    Kind and size are those of its last row, the headings those of its smoothed way: what is known
    when a track is over. Blobs, which take in shadows, are set straight by what the net saw of the
    same user meanwhile. Rows far off the smoothed way are not usable, and no row of a user whom the
    net saw less than three times: blobs alone may be light on the road. Rows without boxes (other
    sources) give their own ``xy_m``.
    """
    if not np.isfinite(points.seen_px).any():
        xy_m = points.xy_m.astype(np.float64)
        known = np.asarray(np.isfinite(xy_m).all(axis=1), np.bool_)
        cov_m2 = np.where(known[:, None], np.nan_to_num(points.cov_m2.astype(np.float64)), np.nan)
        return Measured(xy_m, cov_m2, known)
    n, kind = len(points), points.kind[-1]
    size = [
        float(last) if np.isfinite(last) else float(default[kind])
        for last, default in (
            (points.length_m[-1], _LENGTH_M),
            (points.width_m[-1], _WIDTH_M),
        )
    ]
    points = replace(points, seen_px=_straightened(points))
    heading = _filled(points.heading_rad.astype(np.float64))
    found = _measured_as(points, plane, heading, size)
    q = agitation_of(np.full(n, kind, np.uint8))
    path = smoothed_tracks(
        np.zeros(n, np.int64), t_ns=points.t_ns, xy_m=found.xy_m, cov_m2=found.cov_m2, q=q
    )
    way = path.velocity_mps
    moving = np.hypot(way[:, 0], way[:, 1]) > _LEAST_WAY_MPS
    heading = _filled(np.where(moving, np.arctan2(way[:, 1], way[:, 0]), np.nan))
    found = _measured_as(points, plane, heading, size)
    path = smoothed_tracks(
        np.zeros(n, np.int64), t_ns=points.t_ns, xy_m=found.xy_m, cov_m2=found.cov_m2, q=q
    )
    off = found.xy_m - path.xy_m
    spread = found.cov_m2[:, 0] + found.cov_m2[:, 2]
    near = off[:, 0] ** 2 + off[:, 1] ** 2 <= _OUTLIER_SIGMAS**2 * spread
    named = np.count_nonzero((points.seen_by & np.uint8(Eye.NET)) > 0) >= _FEWEST_NAMED
    return found._replace(usable=found.usable & near & named)


def _straightened(points: TrackPoints) -> NDArray[np.float32]:
    """Return what the eyes saw (n, 4), blobs moved by how they differ from the net's boxes.

    Each edge differs by a share of the height: the median over the blobs between boxes of the net.
    """
    seen = points.seen_px
    known = np.isfinite(seen).all(axis=1)
    net = np.flatnonzero(known & ((points.seen_by & np.uint8(Eye.NET)) > 0))
    blob = np.flatnonzero(known & (points.seen_by == Eye.MOTION))
    if not len(net):
        return seen
    between = blob[(blob > net[0]) & (blob < net[-1])]
    if len(between) < _FEWEST_PAIRS:
        return seen
    t_s = (points.t_ns - points.t_ns[0]) / NS_PER_S
    expected = np.stack(
        [np.interp(t_s[between], t_s[net], seen[net, edge]) for edge in range(4)], axis=1
    )
    height_px = np.maximum(expected[:, 3] - expected[:, 1], 1.0)
    share = np.median((seen[between] - expected) / height_px[:, None], axis=0)
    straight = seen.copy()
    tall = (seen[blob, 3] - seen[blob, 1]) / max(1.0 + share[3] - share[1], 0.2)
    straight[blob] -= (share * tall[:, None]).astype(np.float32)
    return straight


def _measured_as(
    points: TrackPoints, plane: Plane, heading_rad: Floats, size_m: list[float]
) -> Measured:
    n = len(points)
    body = Body(
        kind=np.full(n, points.kind[-1], np.uint8),
        heading_rad=heading_rad,
        length_m=np.full(n, size_m[0]),
        width_m=np.full(n, size_m[1]),
    )
    return measure(points, body, plane)


def _filled(heading_rad: Floats) -> Floats:
    """Return headings with unknown ones taken from the nearest known row; NaN where none is."""
    known = np.flatnonzero(np.isfinite(heading_rad))
    if not len(known):
        return heading_rad
    rows = np.arange(len(heading_rad))
    after = np.clip(np.searchsorted(known, rows), 0, len(known) - 1)
    before = np.clip(after - 1, 0, len(known) - 1)
    nearer = np.abs(known[before] - rows) <= np.abs(known[after] - rows)
    return heading_rad[np.where(nearer, known[before], known[after])]
