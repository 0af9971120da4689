"""What somebody measured for a plane, in the pixels of this video and the metres of the site."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import CalibrationError
from calmstreet.geometry.homography import Picks
from calmstreet.geometry.lonlat import from_lonlat
from calmstreet.model.site import PlaneSpec

__all__ = ["LENGTH_SIGMA_M", "MAP_SIGMA_M", "PICK_SIGMA_PX", "TAPE_SIGMA_M", "Lens", "picks_of"]

Floats = NDArray[np.float64]

PICK_SIGMA_PX = 1.5
"""A careful click on a kerb corner or the end of a marking, whose edge is 2 to 3 px wide."""
MAP_SIGMA_M = 0.2
"""A click on an aerial picture of 10 to 20 cm per pixel."""
TAPE_SIGMA_M = 0.05
"""Places measured in metres by tape, wheel or total station."""
LENGTH_SIGMA_M = 0.05
"""A length by tape, both ends together."""
_SHAPE_SHARE = 0.01
_FAR_M = 20_000.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lens:
    """Principal point (2,), focal length used for k1, focal length given (NaN for none), k1."""

    centre_px: Floats
    focal_px: float
    given_px: float
    k1: float


def picks_of(
    spec: PlaneSpec,
    *,
    width_px: int,
    height_px: int,
    origin_lonlat: tuple[float, float] | None = None,
) -> tuple[Picks, Lens, tuple[float, float] | None]:
    """Return picks in pixels of the video (lens not yet taken out), the lens, and the origin.

    Raises CalibrationError for a picture of another shape and for points outside it.
    """
    ratio = _ratio(spec, width_px, height_px)
    px = _rows(spec.points_px) * ratio
    a_px = _rows([check.a_px for check in spec.check_lengths]) * ratio
    b_px = _rows([check.b_px for check in spec.check_lengths]) * ratio
    _refuse_outside(px, a_px, b_px, width_px, height_px)
    m, origin = _ground(spec, origin_lonlat)
    default_m = MAP_SIGMA_M if spec.points_lonlat else TAPE_SIGMA_M
    sigma_m = np.broadcast_to(np.asarray(spec.sigma_m or (default_m,), np.float64), len(m)).copy()
    picks = Picks(
        px=px,
        m=m,
        sigma_px=_or(spec.sigma_px, PICK_SIGMA_PX) * ratio,
        sigma_m=sigma_m,
        a_px=a_px,
        b_px=b_px,
        length_m=np.array([check.length_m for check in spec.check_lengths], np.float64),
        length_sigma_m=np.array(
            [_or(check.sigma_m, LENGTH_SIGMA_M) for check in spec.check_lengths], np.float64
        ),
    )
    given_px = spec.focal_px * ratio
    lens = Lens(
        centre_px=np.array([width_px / 2, height_px / 2]),
        focal_px=_or(given_px, float(width_px)),
        given_px=given_px,
        k1=spec.k1,
    )
    return picks, lens, origin


def _or(value: float, default: float) -> float:
    return value if np.isfinite(value) else default


def _rows(points: object) -> Floats:
    return np.asarray(points, np.float64).reshape(-1, 2)


def _ratio(spec: PlaneSpec, width_px: int, height_px: int) -> float:
    """Return pixels of the video per pixel of the picture on which the points were picked."""
    if not spec.size_px:
        return 1.0
    across, down = width_px / spec.size_px[0], height_px / spec.size_px[1]
    if abs(across - down) > _SHAPE_SHARE * across:
        raise CalibrationError(
            f"the plane was picked on a picture of {spec.size_px[0]:g} x {spec.size_px[1]:g} px, "
            f"and the video has {width_px} x {height_px}, another shape; pick the points on it"
        )
    return across


def _refuse_outside(px: Floats, a_px: Floats, b_px: Floats, width_px: int, height_px: int) -> None:
    size = np.array([width_px, height_px])
    for points, name in ((px, "point"), (a_px, "check length"), (b_px, "check length")):
        outside = np.flatnonzero(((points < -1) | (points > size + 1)).any(axis=1))
        if len(outside):
            x, y = points[outside[0]]
            raise CalibrationError(
                f"the plane has {name} {outside[0] + 1} at ({x:g}, {y:g}), outside the picture of "
                f"{width_px} x {height_px} px; if it was picked on a larger picture add "
                "size_px = [width, height] of that"
            )


def _ground(
    spec: PlaneSpec, origin_lonlat: tuple[float, float] | None
) -> tuple[Floats, tuple[float, float] | None]:
    """Return the places (n, 2) in metres of the site's frame, and its origin."""
    if spec.points_lonlat:
        places = _rows(spec.points_lonlat)
        if origin_lonlat is None:
            lon, lat = places.mean(axis=0).tolist()
            origin_lonlat = (lon, lat)
        m = from_lonlat(places, origin_lonlat=origin_lonlat)
    else:
        m = _rows(spec.points_m)
    if len(m) and np.abs(m).max() > _FAR_M:
        raise CalibrationError(
            f"the plane has a place {np.abs(m).max() / 1000:.0f} km from the origin of the site; "
            "subtract a round number from points_m, or set origin_lonlat under [site] nearby"
        )
    return m, origin_lonlat
