"""Road users in metres for the tests of conflicts: they drive along corners at given speeds."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.kinds import LENGTH_M, WIDTH_M, Kind, SizeSource
from calmstreet.model.points import TrackPoints, concat_points, make_points, track_id_of

__all__ = ["S", "at_once", "driven", "placed"]

S = 1_000_000_000
START_NS = 1_767_225_600 * S


def driven(
    serial: int,
    *via: tuple[float, float],
    speed_mps: float,
    start_s: float = 0.0,
    kind: Kind = Kind.CAR,
    fps: float = 10.0,
    boxed: bool = False,
) -> TrackPoints:
    """Return a user whose centre goes along ``via`` at an even speed from ``start_s``."""
    corner = np.array(via, float)
    legs = np.sqrt((np.diff(corner, axis=0) ** 2).sum(axis=1))
    along = np.concatenate([[0.0], np.cumsum(legs)])
    n = int(np.floor(along[-1] / speed_mps * fps)) + 1
    gone = np.arange(n) / fps * speed_mps
    xy = np.stack([np.interp(gone, along, corner[:, axis]) for axis in (0, 1)], axis=1)
    leg = np.minimum(np.searchsorted(along, gone, side="right") - 1, len(legs) - 1)
    step = np.diff(corner, axis=0)[leg]
    heading = np.arctan2(step[:, 1], step[:, 0])
    steps = round(start_s * fps) + np.arange(n)
    return placed(
        serial,
        START_NS + np.rint(steps * S / fps).astype(np.int64),
        xy,
        heading_rad=heading,
        speed_mps=np.full(n, speed_mps),
        kind=kind,
        boxed=boxed,
    )


def placed(
    serial: int,
    t_ns: NDArray[np.int64],
    xy_m: NDArray[np.float64],
    *,
    heading_rad: NDArray[np.float64],
    speed_mps: NDArray[np.float64],
    kind: Kind = Kind.CAR,
    boxed: bool = False,
    cov_m2: Sequence[float] = (0.0, 0.0, 0.0),
) -> TrackPoints:
    """Return a user at given places (n, 2); ``boxed`` as if a camera had seen it."""
    n = len(t_ns)
    way = np.stack([np.cos(heading_rad), np.sin(heading_rad)], axis=1)
    box = np.full((n, 4), 10.0) if boxed else np.full((n, 4), np.nan)
    return make_points(
        camera_id="north",
        run_id=1,
        t_ns=t_ns,
        track_id=np.full(n, track_id_of(1, serial)),
        kind=np.full(n, kind),
        score=np.ones(n),
        box_px=box,
        xy_m=xy_m,
        velocity_mps=way * speed_mps[:, None],
        heading_rad=heading_rad,
        length_m=np.full(n, LENGTH_M[kind]),
        width_m=np.full(n, WIDTH_M[kind]),
        size_source=np.full(n, SizeSource.GIVEN),
        cov_m2=np.tile(np.array(cov_m2), (n, 1)),
    )


def at_once(*tracks: TrackPoints) -> TrackPoints:
    """Return the rows of several users by time, then track."""
    rows = concat_points(list(tracks))
    return rows[np.lexsort((rows.track_id, rows.t_ns))]
