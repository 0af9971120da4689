"""Learns the usual paths of a place from whole tracks.

Tracks are drawn at one point per metre and gathered by geometry: the longest unclaimed track
leads, whoever stays within ``aside_m`` of it in the same direction all the way follows. A path
needs a share of the tracks that went (nearly) the whole way; its centre line is the leader's,
shifted at each point by the median offset of its users. In a clip of some minutes one user is
enough: his way is then his own, which is what he really did.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from calmstreet.model.kinds import Flag, Kind
from calmstreet.model.points import TrackPoints
from calmstreet.safety.paths import NO_PATHS, STATION_M, Paths, paths_from_json

__all__ = ["LearningSettings", "PathLearner", "learn_paths"]

Array = NDArray[np.float64]

_JUMP_M = 5.0
_PIECE_M = 60
_SHARP_COS = np.cos(np.radians(55.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningSettings:
    """What makes a path.

    ``aside_m`` how far users of one path differ; ``whole_share`` how much of it they must go;
    ``least_share`` of the tracks a path needs (one at least, ``least_walkers`` of
    pedestrians); ``least_m``, ``least_walk_m`` length of a track that counts;
    ``most_tracks`` that are looked at (the first ones).
    """

    aside_m: float = 1.3
    whole_share: float = 0.8
    least_share: float = 0.003
    least_walkers: int = 2
    least_m: float = 15.0
    least_walk_m: float = 6.0
    most_tracks: int = 3000


class PathLearner:
    """Takes blocks of rows in order of time and gives the usual paths at the end."""

    def __init__(self, *, settings: LearningSettings | None = None) -> None:
        self._settings = settings or LearningSettings()
        self._trails: dict[int, list[tuple[float, float]]] = {}
        self._walker: dict[int, bool] = {}

    def update(self, points: TrackPoints) -> None:
        """Take the next rows; places that are unknown or only guessed are left out."""
        xy = points.xy_m.astype(np.float64)
        good = np.isfinite(xy).all(axis=1) & (points.track_id >= 0)
        good &= (points.flags & (Flag.COASTED | Flag.PARKED)) == 0
        order = np.lexsort((points.t_ns, points.track_id))
        order = order[good[order]]
        if not len(order):
            return
        ids = points.track_id[order]
        firsts = np.flatnonzero(np.diff(ids, prepend=-1))
        for begin, end in zip(firsts, [*firsts[1:], len(ids)], strict=True):
            rows = order[begin:end]
            self._take(int(ids[begin]), xy[rows], int(points.kind[rows[-1]]))

    def _take(self, track_id: int, places: Array, kind: int) -> None:
        trail = self._trails.get(track_id)
        if trail is None:
            if len(self._trails) >= self._settings.most_tracks:
                return
            trail = self._trails[track_id] = [(float(places[0, 0]), float(places[0, 1]))]
        self._walker[track_id] = kind == Kind.PEDESTRIAN
        for x, y in places.tolist():
            dx, dy = x - trail[-1][0], y - trail[-1][1]
            if dx * dx + dy * dy >= 1.0:
                trail.append((x, y))

    def close(self) -> Paths:
        """Return the paths that enough users went."""
        lines: list[dict[str, object]] = []
        for walker in (False, True):
            least = self._settings.least_walk_m if walker else self._settings.least_m
            drawn = [
                part
                for track_id, trail in self._trails.items()
                if self._walker[track_id] == walker
                and (even := _drawn_evenly(np.array(trail), 1.0, least)) is not None
                for part in ([even] if walker else _without_hops(even, least))
            ]
            share = round(self._settings.least_share * len(drawn))
            least_users = max(self._settings.least_walkers if walker else 1, share)
            for line, users in _with_pieces(drawn, self._settings, least_users):
                fine = _drawn_evenly(line, STATION_M, 0.0)
                if fine is not None:
                    mm = np.rint(fine * 1000).astype(int).tolist()
                    lines.append({"walker": walker, "users": users, "xy_mm": mm})
        return paths_from_json({"station_m": STATION_M, "paths": lines}) if lines else NO_PATHS


def learn_paths(points: TrackPoints, *, settings: LearningSettings | None = None) -> Paths:
    """Return the usual paths of rows that fit in memory."""
    learner = PathLearner(settings=settings)
    learner.update(points)
    return learner.close()


def _drawn_evenly(trail: Array, every_m: float, least_m: float) -> Array | None:
    """Return points (n, 2) at an even distance along a trail; None when short or torn."""
    if len(trail) < 2:
        return None
    steps = np.sqrt((np.diff(trail, axis=0) ** 2).sum(axis=1))
    along = np.concatenate([[0.0], np.cumsum(steps)])
    if along[-1] < max(least_m, 2 * every_m) or steps.max() > _JUMP_M:
        return None
    at = np.arange(0.0, along[-1], every_m)
    return np.stack([np.interp(at, along, trail[:, axis]) for axis in (0, 1)], axis=1)


def _with_pieces(
    drawn: list[Array], settings: LearningSettings, least_users: int
) -> list[tuple[Array, int]]:
    """Return (centre line, users) of whole ways and, of the tracks left over, of their pieces.

    Who changed lanes shares no whole way with anybody, but pieces of it with many.
    """
    whole, left = _gathered(drawn, settings, least_users)
    pieces = [
        trail[begin : begin + _PIECE_M]
        for trail in left
        for begin in range(0, len(trail) - _PIECE_M // 2, _PIECE_M // 2)
    ]
    for line, _ in whole:
        tree, way = cKDTree(line), _ways(line)
        pieces = [p for p in pieces if _offsets(p, line, tree, way, settings.aside_m) is None]
    return whole + _gathered(pieces, settings, least_users)[0]


def _without_hops(trail: Array, least_m: float) -> list[Array]:
    """Return the parts of a trail between sudden turns (a hop to the next lane)."""
    step = np.diff(trail, axis=0)
    way = step / np.sqrt((step**2).sum(axis=1, keepdims=True))
    sharp = (way[1:] * way[:-1]).sum(axis=1) < _SHARP_COS
    cuts = np.flatnonzero(sharp) + 1
    return [part for part in np.split(trail, cuts) if len(part) > least_m]


def _gathered(
    drawn: list[Array], settings: LearningSettings, least_users: int
) -> tuple[list[tuple[Array, int]], list[Array]]:
    """Return (centre line, users) of every group, the longest leaders first, and who is left."""
    left = sorted(drawn, key=len, reverse=True)
    found, alone = [], []
    while left:
        leader = left[0]
        tree, way = cKDTree(leader), _ways(leader)
        offsets, rest = [], []
        for trail in left:
            aside = _offsets(trail, leader, tree, way, settings.aside_m)
            if aside is None:
                rest.append(trail)
            elif np.isfinite(aside).mean() >= settings.whole_share:
                offsets.append(aside)
        if len(offsets) >= least_users:
            found.append((_centre(leader, way, np.array(offsets)), len(offsets)))
        else:
            alone.append(leader)
        left = rest
    return found, alone


def _offsets(
    trail: Array, leader: Array, tree: cKDTree, way: Array, aside_m: float
) -> Array | None:
    """Return the trail's offset to the left at each point of the leader, None if it strays."""
    far, near = tree.query(trail)
    along = (_ways(trail) * way[near]).sum(axis=1)
    if far.max() > aside_m or along.min() < np.cos(np.radians(35.0)):
        return None
    step = trail - leader[near]
    aside = np.full(len(leader), np.nan)
    aside[near] = way[near, 0] * step[:, 1] - way[near, 1] * step[:, 0]
    known = np.flatnonzero(np.isfinite(aside))
    inner = np.arange(known[0], known[-1] + 1)
    aside[inner] = np.interp(inner, known, aside[known])
    return aside


def _centre(leader: Array, way: Array, offsets: Array) -> Array:
    shift = np.zeros(len(leader))
    known = np.isfinite(offsets).any(axis=0)
    shift[known] = np.nanmedian(offsets[:, known], axis=0)
    return leader + np.stack([-way[:, 1], way[:, 0]], axis=1) * shift[:, None]


def _ways(line: Array) -> Array:
    step = np.gradient(line, axis=0)
    long = np.sqrt((step**2).sum(axis=1, keepdims=True))
    return np.asarray(step / np.maximum(long, 1e-9))
