"""Picked points in, a plane out, with all that says how good it is. Nothing is stored."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from calmstreet.config.plane import plane_row
from calmstreet.errors import CalibrationError
from calmstreet.geometry.appraise import left_out_m, scale_over
from calmstreet.geometry.calibrate import Calibration, calibrate
from calmstreet.geometry.plane import Plane
from calmstreet.geometry.suggest import point_to_add_px, suggested_k1
from calmstreet.model.site import CheckLength, PlaneSpec
from calmstreet.report.calibration import grid_lines
from calmstreet.web.answers_site import (
    CalibrationReport,
    CheckedLength,
    CheckedPoint,
    GridLine,
    Picks,
)
from calmstreet.web.numbers import plain
from calmstreet.web.saying import said

__all__ = ["calibration_report", "plane_spec"]

Floats = NDArray[np.float64]


def plane_spec(picks: Picks) -> PlaneSpec:
    """Return the points as a site keeps them."""
    return PlaneSpec(
        points_px=tuple(picks.points_px),
        points_m=tuple(picks.points_m or ()),
        points_lonlat=tuple(picks.points_lonlat or ()),
        check_lengths=tuple(
            CheckLength(
                a_px=one.a_px,
                b_px=one.b_px,
                length_m=one.length_m,
                sigma_m=float("nan") if one.sigma_m is None else one.sigma_m,
            )
            for one in picks.check_lengths
        ),
        k1=picks.k1,
        focal_px=float("nan") if picks.focal_px is None else picks.focal_px,
        size_px=(float(picks.width_px), float(picks.height_px)),
        sigma_m=() if picks.sigma_m is None else (picks.sigma_m,),
    )


def calibration_report(picks: Picks) -> CalibrationReport:
    """Return the plane of picked points and how good it is, or why there is none."""
    fault = _fault(picks)
    if fault:
        return _refused(fault)
    spec = plane_spec(picks)
    try:
        with np.errstate(all="ignore"):
            found = calibrate(spec, width_px=picks.width_px, height_px=picks.height_px)
            return _report(spec, found)
    except CalibrationError as error:
        return _refused(str(error))
    except np.linalg.LinAlgError:
        return _refused("these points determine no plane; spread them on the ground")


def _fault(picks: Picks) -> str:
    ground = picks.points_m if picks.points_m is not None else picks.points_lonlat
    if ground is None or (picks.points_m is not None and picks.points_lonlat is not None):
        return "give the places either as points_m or as points_lonlat"
    if len(ground) != len(picks.points_px):
        return "give every picked point its place on the ground"
    if len(set(picks.points_px)) < len(picks.points_px):
        return "one place of the picture was picked twice; remove one of them"
    degrees = picks.points_lonlat or []
    if any(abs(lon) > 180 or abs(lat) > 90 for lon, lat in degrees):
        return "a longitude lies within 180 degrees and a latitude within 90; longitude comes first"
    return ""


def _refused(sentence: str) -> CalibrationReport:
    return CalibrationReport(
        state="refused",
        refused=sentence,
        refused_said=said(sentence),
        reasons=[],
        reasons_said=[],
        points=[],
        check_lengths=[],
        grid=[],
        grid_step_m=None,
        hull_px=[],
        scale_median_share=None,
        scale_worst_share=None,
        camera_height_m=None,
        camera_height_sigma_m=None,
        focal_px=None,
        focal_sigma_px=None,
        suggested_k1=None,
        point_to_add_px=None,
        origin_lonlat=None,
        plane_table=None,
    )


def _report(spec: PlaneSpec, found: Calibration) -> CalibrationReport:
    plane = found.plane
    median, worst = scale_over(plane)
    add, k1 = point_to_add_px(plane, found.fit), suggested_k1(spec, found)
    step_m, lines = grid_lines(plane)
    return CalibrationReport(
        state="refused" if found.refused else ("trusted" if plane.trusted else "sketch"),
        refused=found.refused[0] if found.refused else "",
        refused_said=said(found.refused[0]) if found.refused else {},
        reasons=list(plane.reasons),
        reasons_said=[said(reason) for reason in plane.reasons],
        points=list(_points(spec, found)),
        check_lengths=[
            CheckedLength(
                measured_m=check.measured_m,
                predicted_m=plain(check.predicted_m, 3),
                sigma_m=plain(check.sigma_m, 3),
                off_share=plain(check.off_share, 5),
                agrees=check.agrees,
            )
            for check in found.lengths
        ],
        grid=[GridLine(axis=axis, at_m=at_m, points_px=_pairs(px)) for axis, at_m, px in lines],
        grid_step_m=step_m,
        hull_px=_pairs(plane.to_px(plane.hull_m)),
        scale_median_share=plain(median, 5),
        scale_worst_share=plain(worst, 5),
        camera_height_m=plain(float(plane.place_m[2]), 2),
        camera_height_sigma_m=plain(found.camera_sigma[1], 2),
        focal_px=plain(plane.focal_px, 1),
        focal_sigma_px=plain(found.camera_sigma[0], 1),
        suggested_k1=None if k1 is None else round(k1, 4),
        point_to_add_px=None if add is None else (round(add[0]), round(add[1])),
        origin_lonlat=plane.origin_lonlat,
        plane_table=plane_row(spec),
    )


def _points(spec: PlaneSpec, found: Calibration) -> Iterator[CheckedPoint]:
    plane: Plane = found.plane
    off_m = np.hypot(*(plane.to_m(spec.points_px) - found.places_m).T)
    off_px = np.hypot(*(plane.to_px(found.places_m) - np.asarray(spec.points_px)).T)
    away_m = left_out_m(found.picks)
    for number, (px, place) in enumerate(zip(spec.points_px, found.places_m.tolist(), strict=True)):
        yield CheckedPoint(
            x_px=px[0],
            y_px=px[1],
            east_m=plain(place[0], 3),
            north_m=plain(place[1], 3),
            residual_m=plain(float(off_m[number]), 3),
            residual_px=plain(float(off_px[number]), 2),
            left_out_m=plain(float(away_m[number]), 3),
            used=number not in found.outliers,
        )


def _pairs(px: Floats) -> list[tuple[float, float]]:
    rows = np.asarray(px, np.float64).reshape(-1, 2)
    return [(round(x, 1), round(y, 1)) for x, y in rows[np.isfinite(rows).all(axis=1)].tolist()]
