"""`calmstreet calibrate`: measured points in, a plane out, with how good it is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from calmstreet.config.plane import plane_toml
from calmstreet.config.site import default_site
from calmstreet.errors import CalibrationError, InputError, VideoError
from calmstreet.geometry.appraise import left_out_m, scale_over
from calmstreet.geometry.calibrate import Calibration, calibrate
from calmstreet.geometry.suggest import point_to_add_px, region_words, suggested_k1
from calmstreet.interop.control_points import (
    GroundPoints,
    read_check_lengths,
    read_ground_points,
)
from calmstreet.model.site import PlaneSpec
from calmstreet.pipeline.calibration_words import told
from calmstreet.pipeline.eyes import chosen_net
from calmstreet.pipeline.pictures import drawn, empty_street
from calmstreet.report.calibration import draw_control_points, draw_metric_grid
from calmstreet.store.folder import write_whole
from calmstreet.video.samples import read_background_bgr
from calmstreet.video.source import probe

__all__ = ["CalibrateRequest", "Calibrated", "calibrate_camera"]

STILL_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp")
STILL_WIDTH_PX = 320
DRAWN_WIDTH_PX = 1280


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrateRequest:
    """What the user asked for; see ``calmstreet calibrate --help``."""

    points: Path
    frame: Path
    check_lengths: Path | None = None
    camera: str = "camera"
    out: Path | None = None
    k1: float = 0.0
    focal_px: float = float("nan")

    def __post_init__(self) -> None:
        if not -1 <= self.k1 <= 1:
            raise InputError(f"--k1 {self.k1:g} must lie between -1 and 1")
        if self.focal_px <= 0:
            raise InputError(f"--focal-px {self.focal_px:g} must be more than 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrated:
    """What to print: ``report`` for programs, ``lines`` for people; ``refused`` is "" if usable."""

    report: dict[str, Any]
    lines: tuple[str, ...]
    refused: str


def calibrate_camera(request: CalibrateRequest) -> Calibrated:
    """Fit the plane of measured points, appraise it and draw it over the blurred picture.

    Raises InputError (FormatError, VideoError) for files that do not read and CalibrationError for
    points that are no plane; a plane that is drawn and yet not to be used is told in ``refused``.
    """
    points = read_ground_points(request.points)
    lengths = read_check_lengths(request.check_lengths) if request.check_lengths else ()
    if len(set(points.points_px)) < len(points.points_px):
        raise InputError(f"{request.points} names a pixel twice; give every point once")
    width_px, height_px = _size_of(request.frame)
    spec = PlaneSpec(
        points_px=points.points_px,
        points_m=points.points_m,
        points_lonlat=points.points_lonlat,
        sigma_m=_short(points.sigma_m),
        check_lengths=lengths,
        size_px=(float(width_px), float(height_px)),
        k1=request.k1,
        focal_px=request.focal_px,
    )
    try:
        found = calibrate(spec, width_px=width_px, height_px=height_px)
    except CalibrationError as error:
        raise CalibrationError(
            f"{request.points}: {error}", counts_only=error.counts_only
        ) from error
    report = _report(spec, found, points)
    report["toml"] = plane_toml(spec, camera_id=request.camera)
    if request.out is not None:
        _draw(request, request.out, spec, found, points)
        report["picture"] = str(request.out)
    refused = f"{request.points}: {found.refused[0]}" if found.refused else ""
    return Calibrated(report=report, lines=told(report), refused=refused)


def _short(sigma_m: tuple[float, ...]) -> tuple[float, ...]:
    return sigma_m[:1] if len(set(sigma_m)) == 1 else sigma_m


def _is_still(path: Path) -> bool:
    return path.suffix.lower() in STILL_SUFFIXES


def _size_of(path: Path) -> tuple[int, int]:
    """Return width and height of a video or a picture."""
    if not _is_still(path):
        info = probe(path)
        return info.width_px, info.height_px
    bgr = _read_still(path)
    return bgr.shape[1], bgr.shape[0]


def _read_still(path: Path) -> NDArray[np.uint8]:
    if not path.exists():
        raise InputError(f"{path} is not there; give --frame a video or a PNG of the camera")
    bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if bgr is None:
        raise VideoError(f"{path} does not read as a picture; give --frame a video or a PNG")
    return np.asarray(bgr, np.uint8)


def _blurred(path: Path, camera_id: str, size_px: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the picture to draw on, with nobody in it who could be recognised.

    Of a video the empty street. A still shows whoever stood there, so besides those whom the net
    sees all of it is made so coarse that a head has a few pixels.
    """
    still = _is_still(path)
    picture = empty_street(
        _read_still(path) if still else read_background_bgr(path),
        site=default_site(camera_id),
        camera_id=camera_id,
        t_ns=0,
        size_px=size_px,
        net=chosen_net("nanodet"),
    )
    return _coarse(picture.bgr) if still else picture.bgr


def _coarse(bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = bgr.shape[:2]
    small = min(STILL_WIDTH_PX, width), max(1, round(height * min(1, STILL_WIDTH_PX / width)))
    return np.asarray(cv2.resize(bgr, small, interpolation=cv2.INTER_AREA), np.uint8)


def _draw(
    request: CalibrateRequest,
    out: Path,
    spec: PlaneSpec,
    found: Calibration,
    points: GroundPoints,
) -> None:
    plane = found.plane
    picture = _blurred(request.frame, request.camera, (plane.width_px, plane.height_px))
    times = max(1, round(DRAWN_WIDTH_PX / picture.shape[1]))
    shape = (picture.shape[1] * times, picture.shape[0] * times)
    canvas = np.asarray(cv2.resize(picture, shape, interpolation=cv2.INTER_CUBIC), np.uint8)
    scale = shape[0] / plane.width_px
    png = drawn(
        canvas,
        lambda bgr: draw_metric_grid(bgr, plane, scale=scale),
        lambda bgr: draw_control_points(
            bgr,
            plane,
            points_px=spec.points_px,
            places_m=found.places_m,
            names=points.names,
            lengths=spec.check_lengths,
            scale=scale,
        ),
    )
    write_whole(out, _writer(png))


def _writer(png: bytes) -> Callable[[Path], None]:
    def put(part: Path) -> None:
        part.write_bytes(png)

    return put


def _report(spec: PlaneSpec, found: Calibration, points: GroundPoints) -> dict[str, Any]:
    """Return everything that is known about a plane, with plain numbers; NaN is None."""
    plane = found.plane
    median, worst = scale_over(plane)
    add = point_to_add_px(plane, found.fit)
    k1 = suggested_k1(spec, found)
    return {
        "state": "refused" if found.refused else ("trusted" if plane.trusted else "sketch"),
        "trusted": plane.trusted,
        "reasons": list(plane.reasons),
        "points": _points(spec, found, points),
        "error_inflation": round(found.spread, 3),
        "sigma_px": _plain(plane.sigma_px),
        "check_lengths": [
            {
                "measured_m": check.measured_m,
                "predicted_m": _plain(check.predicted_m),
                "sigma_m": _plain(check.sigma_m),
                "off_share": _plain(check.off_share, 5),
                "agrees": check.agrees,
            }
            for check in found.lengths
        ],
        "scale_sigma_share": {"median": _plain(median, 5), "worst": _plain(worst, 5)},
        "metres_per_px": _fineness(found),
        "camera": {
            "height_m": _plain(float(plane.place_m[2]), 2),
            "height_sigma_m": _plain(found.camera_sigma[1], 2),
            "focal_px": _plain(plane.focal_px, 1),
            "focal_sigma_px": _plain(found.camera_sigma[0], 1),
        },
        "suggested_k1": None if k1 is None else round(k1, 4),
        "point_to_add_px": None if add is None else [round(add[0]), round(add[1])],
        "point_to_add": None
        if add is None
        else region_words(add, width_px=plane.width_px, height_px=plane.height_px),
        "origin_lonlat": None if plane.origin_lonlat is None else list(plane.origin_lonlat),
    }


def _points(spec: PlaneSpec, found: Calibration, points: GroundPoints) -> list[dict[str, Any]]:
    fitted = found.plane.to_m(spec.points_px)
    residual = np.hypot(*(fitted - found.places_m).T)
    left_out = left_out_m(found.picks)
    return [
        {
            "name": name,
            "x_px": px[0],
            "y_px": px[1],
            "east_m": _plain(place[0]),
            "north_m": _plain(place[1]),
            "residual_m": _plain(off),
            "left_out_m": _plain(away),
            "used": row not in found.outliers,
        }
        for row, (name, px, place, off, away) in enumerate(
            zip(
                points.names,
                spec.points_px,
                found.places_m.tolist(),
                residual.tolist(),
                left_out.tolist(),
                strict=True,
            )
        )
    ]


def _fineness(found: Calibration) -> dict[str, float | None]:
    """Return metres per pixel at the lowest, middle and highest point that was used."""
    kept = [row for row in range(len(found.picks.px)) if row not in found.outliers]
    px = found.clicked_px[kept]
    order = np.argsort(-px[:, 1])
    rows = px[order[[0, len(order) // 2, -1]]]
    near, middle, far = found.plane.metres_per_px(rows).tolist()
    return {"near": _plain(near, 4), "middle": _plain(middle, 4), "far": _plain(far, 4)}


def _plain(value: float, digits: int = 3) -> float | None:
    return round(value, digits) if np.isfinite(value) else None
