"""Makers of test material: road users, sites and detections with sensible defaults."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.detections import Detections
from calmstreet.model.kinds import HEIGHT_M, Eye, Kind
from calmstreet.model.points import TrackPoints, concat_points, make_points, track_id_of
from calmstreet.model.site import Camera, Gate, Movement, Site, Zone

S = 1_000_000_000
WIDTH_PX, HEIGHT_PX = 640, 360
START_NS = 1_767_225_600 * S  # 2026-01-01T00:00:00Z

Place = tuple[float, float]


def steps_of(duration_s: float, *, fps: float = 10.0, start_ns: int = START_NS) -> NDArray[Any]:
    """Return the times of analysed steps, int64, both ends included."""
    return start_ns + np.rint(np.arange(round(duration_s * fps) + 1) * S / fps).astype(np.int64)


def points_at(
    t_ns: NDArray[np.int64],
    feet: NDArray[Any],
    *,
    serial: int = 1,
    kind: Kind = Kind.CAR,
    box_height_px: float = 30.0,
    flags: int | NDArray[Any] = 0,
    camera_id: str = "north",
    run_id: int = 1,
    **columns: Any,
) -> TrackPoints:
    """Return rows of one road user whose feet (n, 2) are given in pixels."""
    wide, high = box_height_px * 4 / 3, box_height_px
    left, top = feet[:, 0] - wide / 2, feet[:, 1] - high
    n = len(t_ns)
    return make_points(
        camera_id=camera_id,
        run_id=run_id,
        t_ns=t_ns,
        track_id=np.full(n, track_id_of(run_id, serial) if serial >= 0 else -1),
        kind=np.full(n, kind),
        score=np.full(n, 0.8),
        flags=np.broadcast_to(np.asarray(flags, np.uint8), n),
        box_px=np.stack([left, top, left + wide, top + high], axis=1),
        **columns,
    )


def a_track(
    *,
    via: Sequence[Place] = ((100.0, 200.0), (540.0, 200.0)),
    speed_mps: float = 14.0,
    fps: float = 10.0,
    start_s: float = 0.0,
    kind: Kind = Kind.CAR,
    box_height_px: float = 30.0,
    start_ns: int = START_NS,
    **more: Any,
) -> TrackPoints:
    """Return a road user that drives along ``via`` (feet in pixels) at an even speed.

    Pixels per metre follow from its kind and box height, as they do for the counter. Steps lie on
    the grid of ``fps`` from ``start_ns``.
    """
    path = np.asarray(via, float)
    legs_px = np.sqrt((np.diff(path, axis=0) ** 2).sum(axis=1))
    along_px = np.concatenate([[0.0], np.cumsum(legs_px)])
    px_per_s = speed_mps * box_height_px / HEIGHT_M[kind]
    first = int(np.ceil(start_s * fps - 1e-9))
    last = int(np.floor((start_s + along_px[-1] / px_per_s) * fps + 1e-9))
    number = np.arange(first, last + 1)
    gone_px = (number / fps - start_s) * px_per_s
    feet = np.stack([np.interp(gone_px, along_px, path[:, axis]) for axis in (0, 1)], axis=1)
    t_ns = start_ns + np.rint(number * S / fps).astype(np.int64)
    return points_at(t_ns, feet, kind=kind, box_height_px=box_height_px, **more)


def together(*tracks: TrackPoints) -> TrackPoints:
    """Return the rows of several road users, sorted by time, then track."""
    rows = concat_points(list(tracks))
    return rows[np.lexsort((rows.track_id, rows.t_ns))]


def a_site(
    *,
    gates: Mapping[str, Sequence[Place]] | None = None,
    approaches: Mapping[str, Sequence[Place]] | None = None,
    movements: Sequence[Movement] = (),
    rules: Mapping[str, Mapping[str, Any]] | None = None,
    tz: str = "Asia/Almaty",
) -> Site:
    """Return a site with one camera "north"; one gate upwards at x = 320 unless given."""
    lines = {"line": ((320.0, 300.0), (320.0, 100.0))} if gates is None else gates
    return Site(
        id="test",
        name="Test",
        tz=tz,
        cameras=(Camera(id="north"),),
        gates=tuple(
            Gate(id=name, camera_id="north", points_px=tuple(points))
            for name, points in lines.items()
        ),
        zones=tuple(
            Zone(id=name, camera_id="north", kind="approach", polygon_px=tuple(corners))
            for name, corners in (approaches or {}).items()
        ),
        movements=tuple(movements),
        rules=rules or {},
    )


def a_detections(
    boxes_px: Sequence[Sequence[float]] = ((100, 100, 140, 130),),
    *,
    kind: Kind = Kind.CAR,
    score: float = 0.8,
    t_ns: int = START_NS,
    source: Eye = Eye.NET,
    camera_id: str = "north",
    looked: Eye = Eye.BOTH,
) -> Detections:
    """Return detections of one frame, all of one kind."""
    n = len(boxes_px)
    return Detections(
        camera_id=camera_id,
        t_ns=t_ns,
        box_px=np.asarray(boxes_px, np.float32).reshape(-1, 4),
        score=np.full(n, score, np.float32),
        kind=np.full(n, kind, np.uint8),
        source=np.full(n, source, np.uint8),
        looked=looked,
    )


def along(t_ns: NDArray[np.int64], place: Callable[[float], Place]) -> NDArray[Any]:
    """Return feet (n, 2) from a function of seconds since the first step."""
    return np.array([place((t - t_ns[0]) / S) for t in t_ns.tolist()], float)
