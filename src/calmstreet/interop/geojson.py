"""Tracks as GeoJSON lines for maps (write only: a line keeps no times of its points).

With a plane the coordinates are longitude and latitude, as RFC 7946 asks. Without one they are
picture pixels, x to the right, y negative downwards: where QGIS lays a picture without a place, so
that the lines lie on the stored picture. Such a file says ``"crs": null`` and a note.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.interop.files import written_text
from calmstreet.model.kinds import KIND_NAMES
from calmstreet.model.points import TrackPoints
from calmstreet.units import to_iso

__all__ = ["PIXEL_NOTE", "LonLat", "write_geojson"]

LonLat = Callable[[NDArray[np.float32]], NDArray[np.float64]]
"""Maps metres east and north (n, 2) to longitude and latitude in degrees (n, 2)."""

PIXEL_NOTE = "picture pixels, no coordinates: x to the right, y negative downwards"


def write_geojson(
    path: Path,
    blocks: Iterable[TrackPoints],
    *,
    lonlat_deg: LonLat | None = None,
    labels: Mapping[int, str] | None = None,
) -> None:
    """Write one feature per track: a line along its footprint, or a point where it has one row.

    With ``lonlat_deg`` rows without a known place in metres are left out, and a track that has
    none. Raises InputError when the file cannot be written.
    """
    with written_text(path) as text:
        text.write('{"type": "FeatureCollection",\n')
        if lonlat_deg is None:
            text.write(f'"crs": null, "coordinates_are": {json.dumps(PIXEL_NOTE)},\n')
        text.write('"features": [')
        for number, feature in enumerate(_features(list(blocks), lonlat_deg, labels or {})):
            text.write(",\n" if number else "\n")
            json.dump(feature, text, ensure_ascii=False)
        text.write("\n]}\n")


def _features(
    blocks: list[TrackPoints], lonlat_deg: LonLat | None, labels: Mapping[int, str]
) -> Iterable[dict[str, Any]]:
    if not blocks:
        return
    track_id = np.concatenate([points.track_id for points in blocks])
    t_ns = np.concatenate([points.t_ns for points in blocks])
    kind = np.concatenate([points.kind for points in blocks])
    places = np.concatenate([_places(points, lonlat_deg) for points in blocks])
    cameras = {points.run_id: points.camera_id for points in blocks}
    keep = np.flatnonzero((track_id >= 0) & np.isfinite(places).all(axis=1))
    order = keep[np.lexsort((t_ns[keep], track_id[keep]))]
    starts = np.flatnonzero(np.diff(track_id[order], prepend=-1))
    for rows in np.split(order, starts[1:]) if len(order) else []:
        mine = int(track_id[rows[0]])
        yield {
            "type": "Feature",
            "geometry": _geometry(places[rows].tolist()),
            "properties": {
                "track_id": mine,
                "label": labels.get(mine, ""),
                "camera": cameras.get(mine >> 32, ""),
                "kind": KIND_NAMES[int(kind[rows[-1]])],
                "start": to_iso(int(t_ns[rows[0]])),
                "end": to_iso(int(t_ns[rows[-1]])),
                "rows": len(rows),
            },
        }


def _places(points: TrackPoints, lonlat_deg: LonLat | None) -> NDArray[np.float64]:
    if lonlat_deg is not None:
        return np.round(lonlat_deg(points.xy_m), 7)
    return np.round(points.foot_px().astype(float) * (1.0, -1.0), 1)


def _geometry(places: list[list[float]]) -> dict[str, Any]:
    if len(places) == 1:
        return {"type": "Point", "coordinates": places[0]}
    return {"type": "LineString", "coordinates": places}
