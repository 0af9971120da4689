"""The planes of a whole site, all in its one metric frame.

The frame is east and north of ``[site] origin_lonlat``; unless that is given, of the mean of the
``points_lonlat`` of the first camera that has any. Cameras with ``points_m`` only need no place on
the map.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from calmstreet.errors import CalibrationError
from calmstreet.geometry.calibrate import fit_plane
from calmstreet.geometry.plane import Plane
from calmstreet.model.site import Site

__all__ = ["SitePlanes", "planes_of", "site_frame"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SitePlanes:
    """Planes by camera; ``counts_only`` says by camera why its points are no plane."""

    planes: Mapping[str, Plane]
    counts_only: Mapping[str, str]
    origin_lonlat: tuple[float, float] | None


def site_frame(site: Site) -> tuple[float, float] | None:
    """Return the longitude and latitude of (0, 0) m, None where nobody said.

    Raises CalibrationError when some cameras have metres, others have degrees, and the site does
    not say where its metres begin.

    >>> site_frame(Site(id="a", origin_lonlat=(76.95, 43.25)))
    (76.95, 43.25)
    """
    if site.origin_lonlat is not None:
        return site.origin_lonlat
    planes = [(camera.id, camera.plane) for camera in site.cameras if camera.plane is not None]
    degrees = [(name, plane.points_lonlat) for name, plane in planes if plane.points_lonlat]
    metres = [name for name, plane in planes if plane.points_m]
    if not degrees:
        return None
    if metres:
        raise CalibrationError(
            f'SITE.toml: camera "{degrees[0][0]}" has points_lonlat and camera "{metres[0]}" '
            "points_m; add origin_lonlat under [site], the place of (0, 0) m, or give all the same"
        )
    lon, lat = np.mean(degrees[0][1], axis=0).tolist()
    return lon, lat


def planes_of(site: Site, sizes_px: Mapping[str, tuple[int, int]]) -> SitePlanes:
    """Return the planes of those cameras in ``sizes_px`` (id to width, height) that have points.

    Raises CalibrationError, naming the camera, for points that contradict each other; points that
    say too little are told in ``counts_only``.

    >>> planes_of(Site(id="a"), {}).origin_lonlat is None
    True
    """
    origin = site_frame(site)
    planes: dict[str, Plane] = {}
    counts_only: dict[str, str] = {}
    for camera in site.cameras:
        if camera.plane is None or camera.id not in sizes_px:
            continue
        width_px, height_px = sizes_px[camera.id]
        try:
            planes[camera.id] = fit_plane(
                camera.plane, width_px=width_px, height_px=height_px, origin_lonlat=origin
            )
        except CalibrationError as error:
            sentence = f'SITE.toml: camera "{camera.id}": {error}'
            if not error.counts_only:
                raise CalibrationError(sentence) from error
            counts_only[camera.id] = sentence
    return SitePlanes(planes=planes, counts_only=counts_only, origin_lonlat=origin)
