"""Speeds of a stored run: its tracks in metres, smoothed together, measured at every gate.

The run is read once, in blocks; a track is measured when it has been over for two seconds, and
then forgotten, so that memory holds only who is on the street.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from calmstreet.geometry.motion import agitation_of, smoothed_tracks
from calmstreet.geometry.plane import Plane
from calmstreet.geometry.speed import Course
from calmstreet.model.flow import Flow
from calmstreet.model.points import Track, TrackPoints, concat_points
from calmstreet.model.run import Run
from calmstreet.model.site import Site, Zone
from calmstreet.model.speeds import (
    GateSpeeds,
    ZoneTimes,
    concat_speeds,
    no_speeds,
    no_zone_times,
)
from calmstreet.perception.measured import measured_places
from calmstreet.pipeline.counting import step_blocks
from calmstreet.pipeline.planes import camera_plane
from calmstreet.pipeline.unwatched import speeds_in_exposure
from calmstreet.safety.speeds import gate_speeds, wanted_tracks
from calmstreet.safety.zone_times import journeys_through
from calmstreet.store.catalogue import Catalogue
from calmstreet.units import NS_PER_S

__all__ = ["courses_of", "keep_speeds", "run_speeds"]

_OVER_NS = 2 * NS_PER_S
_STILL_MPS = 0.01
_EXACT_M2 = 1e-4  # noise of places that came without any


def keep_speeds(catalogue: Catalogue, run: Run, site: Site, flow: Flow) -> GateSpeeds:
    """Measure a stored run and keep its speeds and times in zones; return the speeds.

    What was measured while too little was watched for speeds is withheld.
    """
    measured, times = run_speeds(catalogue, run, site, flow)
    speeds = speeds_in_exposure(catalogue, run, measured)
    catalogue.save_speeds(run.run_id, speeds, times)
    return speeds


def run_speeds(
    catalogue: Catalogue, run: Run, site: Site, flow: Flow
) -> tuple[GateSpeeds, ZoneTimes]:
    """Return the speeds at the gates and the times in the zones of a stored run.

    A run without a plane has no speeds, unless its places came in metres.
    """
    plane = None
    if run.width_px > 0:
        plane = camera_plane(
            site, run.camera_id, width_px=run.width_px, height_px=run.height_px
        ).plane
    mine = site.of_camera(run.camera_id)
    crossed, counted = wanted_tracks(flow), flow.journeys.track_id[flow.journeys.counted]
    times = _Times(zones=mine.zones, counted=set(counted.tolist()))
    parts: list[GateSpeeds] = []
    metric = plane is not None
    for ended in _ended(catalogue, run, np.union1d(crossed, counted)):
        times.add(ended)
        metric |= bool(np.isfinite(ended.xy_m).any())
        courses = courses_of(ended[np.isin(ended.track_id, crossed)], plane)
        parts.append(gate_speeds(flow, courses, plane=plane))
    if not metric:
        parts = []
    speeds = no_speeds(camera_id=run.camera_id, run_id=run.run_id)
    if metric:
        done = {track for part in parts for track in part.track_id.tolist()}
        missing = {int(track): None for track in crossed.tolist() if track not in done}
        speeds = concat_speeds([*parts, gate_speeds(flow, missing, plane=plane)])
    return speeds, times.found(run)


def _ended(catalogue: Catalogue, run: Run, wanted: NDArray[np.int64]) -> Iterator[TrackPoints]:
    """Yield the rows of wanted tracks, each track whole, once it is over."""
    held: list[TrackPoints] = []
    for steps, points in step_blocks(catalogue, run):
        held.append(points[np.isin(points.track_id, wanted)])
        rows = concat_points(held)
        if not len(rows) or not len(steps):
            continue
        ids, place = np.unique(rows.track_id, return_inverse=True)
        last_ns = np.zeros(len(ids), np.int64)
        np.maximum.at(last_ns, place, rows.t_ns)
        over = (last_ns < steps[-1] - _OVER_NS)[place]
        if over.any():
            yield rows[over]
        held = [rows[~over]]
    if held and any(len(rows) for rows in held):
        yield concat_points(held)


def courses_of(points: TrackPoints, plane: Plane | None) -> dict[int, Course | None]:
    """Return the course of each track in the rows, in metres and smoothed."""
    tracks = list(points.tracks())
    if not tracks:
        return {}
    seen = [_places(track.points, plane) for track in tracks]
    counts = [len(track.points) for track in tracks]
    kinds = np.repeat(np.array([track.kind for track in tracks], np.uint8), counts)
    path = smoothed_tracks(
        np.repeat(np.arange(len(tracks)), counts),
        t_ns=np.concatenate([track.points.t_ns for track in tracks]),
        xy_m=np.concatenate([places for places, _, _ in seen]),
        cov_m2=np.concatenate([noise for _, noise, _ in seen]),
        q=agitation_of(kinds),
    )
    cuts = np.cumsum(counts)[:-1]
    smooth, velocity = np.split(path.xy_m, cuts), np.split(path.velocity_mps, cuts)
    return {
        track.track_id: _course(track, seen[k], smooth[k], velocity[k], plane)
        for k, track in enumerate(tracks)
    }


_Places = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]


def _places(points: TrackPoints, plane: Plane | None) -> _Places:
    """Return measured places (n, 2), their noise (n, 3) and which are usable (n,)."""
    if plane is not None:
        found = measured_places(points, plane)
        return found.xy_m, found.cov_m2, found.usable
    xy_m = points.xy_m.astype(np.float64)
    known = np.asarray(np.isfinite(xy_m).all(axis=1), np.bool_)
    cov_m2 = points.cov_m2.astype(np.float64)
    given = np.asarray(np.isfinite(cov_m2).all(axis=1), np.bool_)
    return xy_m, np.where(given[:, None], cov_m2, [_EXACT_M2, 0.0, _EXACT_M2]), known


def _course(
    track: Track,
    seen: _Places,
    smooth_m: NDArray[np.float64],
    velocity_mps: NDArray[np.float64],
    plane: Plane | None,
) -> Course:
    points = track.points
    m_per_px = np.full(len(points), np.nan)
    if plane is not None and np.isfinite(points.box_px).any():
        pace = np.hypot(velocity_mps[:, 0], velocity_mps[:, 1])
        still = ~(pace > _STILL_MPS)
        way = np.where(still[:, None], [1.0, 0.0], velocity_mps / np.where(still, 1, pace)[:, None])
        m_per_px = plane.metres_per_px(points.foot_px().astype(np.float64), way)
    xy_m, cov_m2, usable = seen
    return Course(
        t_ns=points.t_ns,
        xy_m=xy_m,
        cov_m2=cov_m2,
        smooth_m=smooth_m,
        velocity_mps=velocity_mps,
        flags=points.flags,
        usable=usable,
        m_per_px=m_per_px,
        kind=track.kind,
    )


@dataclass(slots=True, kw_only=True)
class _Times:
    """Gathers the journeys of counted tracks through the zones."""

    zones: tuple[Zone, ...]
    counted: set[int]
    rows: list[tuple[str, int, int, int, int]] = field(default_factory=list)

    def add(self, points: TrackPoints) -> None:
        """Take tracks that are over."""
        for track in points.tracks() if self.zones else ():
            if track.track_id in self.counted:
                for zone in self.zones:
                    self._through(track, zone)

    def _through(self, track: Track, zone: Zone) -> None:
        rows = track.points
        if zone.polygon_m:
            place, polygon = rows.xy_m.astype(np.float64), np.array(zone.polygon_m, np.float64)
        else:
            place, polygon = rows.foot_px().astype(np.float64), np.array(zone.polygon_px)
        for came, left in journeys_through(rows.t_ns, place, polygon):
            self.rows.append((zone.id, track.track_id, track.kind, came, left))

    def found(self, run: Run) -> ZoneTimes:
        """Return all journeys in order of entry."""
        if not self.rows:
            return no_zone_times(camera_id=run.camera_id, run_id=run.run_id)
        columns = zip(*sorted(self.rows, key=lambda row: (row[3], row[1], row[0])), strict=True)
        names = ("zone_id", "track_id", "kind", "enter_ns", "leave_ns")
        return ZoneTimes(
            camera_id=run.camera_id,
            run_id=run.run_id,
            **{name: np.array(column) for name, column in zip(names, columns, strict=True)},
        )
