"""[camera.plane] of SITE.toml, read into and written from `PlaneSpec`."""

import math
from typing import Any

from calmstreet.config.schema import PlaneTable
from calmstreet.config.toml import to_toml
from calmstreet.model.site import CheckLength, PlaneSpec

__all__ = ["plane_of", "plane_row", "plane_toml"]

_NAN = float("nan")


def plane_of(table: PlaneTable) -> PlaneSpec:
    """Return the plane that a checked table describes."""
    sigma_m = (table.sigma_m,) if isinstance(table.sigma_m, float) else table.sigma_m
    return PlaneSpec(
        points_px=table.points_px,
        points_m=table.points_m or (),
        points_lonlat=table.points_lonlat or (),
        check_lengths=tuple(
            CheckLength(
                a_px=check.a_px,
                b_px=check.b_px,
                length_m=check.length_m,
                sigma_m=_NAN if check.sigma_m is None else check.sigma_m,
            )
            for check in table.check_lengths
        ),
        k1=table.k1,
        focal_px=_NAN if table.focal_px is None else table.focal_px,
        size_px=table.size_px or (),
        sigma_px=_NAN if table.sigma_px is None else table.sigma_px,
        sigma_m=sigma_m or (),
    )


def plane_row(spec: PlaneSpec) -> dict[str, Any]:
    """Return the keys of the table that read back as the same plane.

    >>> plane_row(PlaneSpec(points_px=((1, 2),), points_m=((3, 4),), sigma_m=(0.2,)))
    {'points_px': ((1, 2),), 'points_m': ((3, 4),), 'k1': 0.0, 'sigma_m': 0.2}
    """
    return _known(
        size_px=spec.size_px,
        points_px=spec.points_px,
        points_m=spec.points_m,
        points_lonlat=spec.points_lonlat,
        check_lengths=tuple(_length_row(check) for check in spec.check_lengths),
        k1=spec.k1,
        focal_px=spec.focal_px,
        sigma_px=spec.sigma_px,
        sigma_m=spec.sigma_m[0] if len(spec.sigma_m) == 1 else spec.sigma_m,
    )


def plane_toml(spec: PlaneSpec, *, camera_id: str) -> str:
    r"""Return the block of one camera to paste into SITE.toml.

    >>> spec = PlaneSpec(points_px=((1, 2),), points_m=((3, 4),))
    >>> print(plane_toml(spec, camera_id="north"), end="")
    [[camera]]
    id = "north"
    <BLANKLINE>
    [camera.plane]
    points_px = [[1, 2]]
    points_m = [[3, 4]]
    k1 = 0.0
    """
    return to_toml({"camera": [{"id": camera_id, "plane": plane_row(spec)}]})


def _length_row(check: CheckLength) -> dict[str, Any]:
    return _known(a_px=check.a_px, b_px=check.b_px, length_m=check.length_m, sigma_m=check.sigma_m)


def _known(**values: Any) -> dict[str, Any]:
    nothing = {k for k, v in values.items() if v == () or (isinstance(v, float) and math.isnan(v))}
    return {key: value for key, value in values.items() if key not in nothing}
