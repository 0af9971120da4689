import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tests.interop.rows import LABELS, some_points

from calmstreet.interop.geojson import PIXEL_NOTE, write_geojson
from calmstreet.model.points import make_points, track_id_of


def near_almaty(xy_m: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.asarray((76.9, 43.2) + xy_m.astype(float) * 1e-5)


def test_pixels_lie_where_qgis_lays_the_picture(tmp_path: Path) -> None:
    path, points = tmp_path / "tracks.geojson", some_points()
    write_geojson(path, [points[:2], points[2:]], labels=LABELS)
    found = json.loads(path.read_text())
    assert found["crs"] is None
    assert found["coordinates_are"] == PIXEL_NOTE
    line, point = found["features"]
    assert line["geometry"] == {
        "type": "LineString",
        "coordinates": [[15.1, -40.1], [1.0, -4.0], [0.2, -300.7]],
    }
    assert point["geometry"] == {"type": "Point", "coordinates": [6.0, -8.0]}
    assert line["properties"] == {
        "track_id": track_id_of(3, 1),
        "label": "veh_12",
        "camera": "north",
        "kind": "truck",
        "start": "2023-11-14T22:13:20.040+00:00",
        "end": "2023-11-14T22:13:20.160+00:00",
        "rows": 3,
    }


def test_with_a_plane_it_is_longitude_and_latitude(tmp_path: Path) -> None:
    path = tmp_path / "tracks.geojson"
    points = make_points(
        camera_id="n",
        run_id=1,
        t_ns=[2, 1, 3, 1, 1],
        track_id=[5, 5, 5, 6, -1],
        xy_m=np.array([[10, 0], [0, 20], [np.nan, 1], [np.nan, np.nan], [1, 1]]),
    )
    write_geojson(path, [points], lonlat_deg=near_almaty)
    found = json.loads(path.read_text())
    assert "crs" not in found
    (line,) = found["features"]
    assert line["geometry"]["coordinates"] == [[76.9, 43.2002], [76.9001, 43.2]]


def test_nobody_is_an_empty_collection(tmp_path: Path) -> None:
    path = tmp_path / "tracks.geojson"
    for blocks in ([], [some_points()[:0]]):
        write_geojson(path, blocks)
        assert json.loads(path.read_text())["features"] == []
