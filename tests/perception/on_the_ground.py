"""A road user that drives over the flat ground as an exact camera sees it, boxes and all."""

import numpy as np
from numpy.typing import NDArray
from tests.builders import START_NS, S

from calmstreet.geometry.calibrate import fit_plane
from calmstreet.geometry.plane import Plane
from calmstreet.model.kinds import LENGTH_M, WIDTH_M, Eye, Kind
from calmstreet.model.points import TrackPoints, concat_points, make_points
from calmstreet.model.site import PlaneSpec, Point
from calmstreet.perception.footprint import Body, body_box_px
from calmstreet.perception.ground import Ground
from calmstreet.scene.camera import Pinhole

CAMERA = Pinhole()
PLACES_M: tuple[Point, ...] = (
    (-6.0, 14.0),
    (6.0, 14.0),
    (-9.0, 24.0),
    (9.0, 24.0),
    (-12.0, 40.0),
    (12.0, 40.0),
    (0.0, 18.0),
    (0.0, 30.0),
)


def exact_plane() -> Plane:
    """Return the plane of the stage's camera from faultless pairs."""
    px = CAMERA.ground_px(np.array(PLACES_M))
    spec = PlaneSpec(
        points_px=tuple((float(x), float(y)) for x, y in px),
        points_m=PLACES_M,
        sigma_px=0.2,
        sigma_m=(0.01,),
    )
    return fit_plane(spec, width_px=CAMERA.width_px, height_px=CAMERA.height_px)


def drive(
    plane: Plane,
    *,
    start_m: Point = (1.75, 15.0),
    velocity_mps: Point = (0.0, 10.0),
    kind: Kind = Kind.CAR,
    length_m: float | None = None,
    duration_s: float = 2.0,
    fps: float = 10.0,
    noise_px: float = 0.0,
    eye: Eye = Eye.BOTH,
    seed: int = 1,
) -> tuple[TrackPoints, NDArray[np.float64]]:
    """Return the rows of one road user without metres and its true centres (n, 2)."""
    t_s = np.arange(round(duration_s * fps)) / fps
    n = len(t_s)
    xy_m = np.array(start_m) + t_s[:, None] * np.array(velocity_mps)
    body = Body(
        kind=np.full(n, kind, np.uint8),
        heading_rad=np.full(n, np.arctan2(velocity_mps[1], velocity_mps[0])),
        length_m=np.full(n, length_m or LENGTH_M[kind]),
        width_m=np.full(n, WIDTH_M[kind]),
    )
    box = body_box_px(plane, body, xy_m)
    box += noise_px * np.random.default_rng(seed).standard_normal(box.shape)
    points = make_points(
        camera_id="stage",
        run_id=1,
        t_ns=START_NS + np.rint(t_s * S).astype(np.int64),
        track_id=np.full(n, 7),
        kind=np.full(n, kind),
        box_px=box,
        seen_px=box,
        seen_by=np.full(n, eye),
    )
    return points, xy_m


def grounded(plane: Plane, points: TrackPoints) -> TrackPoints:
    """Return rows with their metres, step by step."""
    ground = Ground(plane=plane)
    steps = np.unique(points.t_ns)
    return concat_points([ground.update(points[points.t_ns == t_ns]) for t_ns in steps])
