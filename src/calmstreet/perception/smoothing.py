"""Road users looked back at: the same rows with smoothed places, speeds and headings.

For files only: whole tracks are smoothed from both ends (`geometry.motion`), which no live row may
know. Boxes, kinds and flags stay as they are.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from calmstreet.geometry.motion import agitation_of, smoothed_tracks
from calmstreet.geometry.plane import Plane
from calmstreet.model.kinds import Flag
from calmstreet.model.points import TrackPoints
from calmstreet.perception.measured import measured_places

__all__ = ["smoothed_rows"]

_LEAST_WAY_MPS = 0.7


def smoothed_rows(points: TrackPoints, plane: Plane) -> TrackPoints:
    """Return the rows of many whole tracks with smoothed metres, in the same order.

    ``xy_m``, ``velocity_mps``, ``heading_rad`` and ``cov_m2`` are smoothed; length and width are
    those of the track's last row. Parked road users keep what they have.
    """
    order = np.lexsort((points.t_ns, points.track_id))
    ids = points.track_id[order]
    ends = np.flatnonzero(np.r_[np.diff(ids) != 0, len(ids) > 0]) + 1
    columns = {
        name: getattr(points, name).copy()
        for name in ("xy_m", "velocity_mps", "heading_rad", "cov_m2", "length_m", "width_m")
    }
    start = 0
    for end in ends:
        rows = order[start:end]
        start = int(end)
        if not (points.flags[rows] & Flag.PARKED).all():
            _smooth(points[rows], plane, rows, columns)
    return replace(points, **columns)


def _smooth(
    track: TrackPoints,
    plane: Plane,
    rows: NDArray[np.intp],
    columns: dict[str, NDArray[np.float32]],
) -> None:
    """Write one track's smoothed values into ``rows`` of the columns."""
    found = measured_places(track, plane)
    q = agitation_of(np.full(len(track), track.kind[-1], np.uint8))
    path = smoothed_tracks(
        np.zeros(len(track), np.int64),
        t_ns=track.t_ns,
        xy_m=found.xy_m,
        cov_m2=found.cov_m2,
        q=q,
    )
    way = path.velocity_mps
    moving = np.hypot(way[:, 0], way[:, 1]) > _LEAST_WAY_MPS
    heading = np.where(moving, np.arctan2(way[:, 1], way[:, 0]), track.heading_rad)
    columns["xy_m"][rows] = path.xy_m
    columns["velocity_mps"][rows] = way
    columns["heading_rad"][rows] = heading
    columns["cov_m2"][rows] = np.stack(
        [path.cov[:, 0, 0], path.cov[:, 0, 1], path.cov[:, 1, 1]], axis=1
    )
    for name in ("length_m", "width_m"):
        columns[name][rows] = getattr(track, name)[-1]
