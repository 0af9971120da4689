"""Points and lengths from files: read whole, or refused with row and column."""

import json
from pathlib import Path
from typing import Any

import pytest

from calmstreet.errors import FormatError, InputError
from calmstreet.interop.control_points import read_check_lengths, read_ground_points


def put(folder: Path, text: str, name: str = "points.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_metres_with_names_and_errors(tmp_path: Path) -> None:
    text = "name,x_px,y_px,x_m,y_m,sigma_m\nkerb,10,20.5,-4,15,0.1\nhydrant,30,40,4,15,0.2\n"
    points = read_ground_points(put(tmp_path, "\ufeff" + text))
    assert points.names == ("kerb", "hydrant")
    assert points.points_px == ((10.0, 20.5), (30.0, 40.0))
    assert points.points_m == ((-4.0, 15.0), (4.0, 15.0))
    assert points.points_lonlat == ()
    assert points.sigma_m == (0.1, 0.2)


def test_degrees_without_names(tmp_path: Path) -> None:
    text = "x_px, y_px, lon, lat\n10,20,76.95,43.25\n\n30,40,76.951,43.25\n"
    points = read_ground_points(put(tmp_path, text))
    assert points.names == ("1", "2")
    assert points.points_lonlat == ((76.95, 43.25), (76.951, 43.25))
    assert (points.points_m, points.sigma_m) == ((), ())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "columns nothing"),
        ("x_px,y_px\n1,2\n", "columns x_px, y_px"),
        ("x_px,y_px,lon,lat,x_m,y_m\n1,2,3,4,5,6\n", "give a CSV"),
        ("x_px,y_px,x_m,y_m\n1,2,3,4\n1,two,3,4\n", "row 3 has y_px = 'two'"),
        ("x_px,y_px,x_m,y_m\n1,2,3\n", "row 2 has y_m = ''"),
        ("x_px,y_px,x_m,y_m\n1,2,3,nan\n", "row 2 has y_m = 'nan'"),
        ("x_px,y_px,x_m,y_m,sigma_m\n1,2,3,4,0.1\n1,2,3,4,\n", "sigma_m for some"),
        ('x_px,y_px,x_m,y_m\n1,2,3,"4\n', "does not read as CSV"),
    ],
)
def test_bad_points_are_refused(tmp_path: Path, text: str, said: str) -> None:
    path = put(tmp_path, text)
    with pytest.raises(FormatError, match=r"points\.csv") as caught:
        read_ground_points(path)
    assert said in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_ground_points(tmp_path / "none.csv")


def test_lengths(tmp_path: Path) -> None:
    text = "ax_px,ay_px,bx_px,by_px,length_m,sigma_m\n1,2,3,4,13.2,0.02\n5,6,7,8,3.5,\n"
    first, second = read_check_lengths(put(tmp_path, text))
    assert (first.a_px, first.b_px, first.length_m, first.sigma_m) == ((1, 2), (3, 4), 13.2, 0.02)
    assert second.sigma_m != second.sigma_m


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ax_px,ay_px,bx_px,by_px\n1,2,3,4\n", "lacks columns"),
        ("ax_px,ay_px,bx_px,by_px,length_m\n", "lacks columns"),
        ("ax_px,ay_px,bx_px,by_px,length_m\n1,2,3,4,-1\n", "of 0 or less"),
        ("ax_px,ay_px,bx_px,by_px,length_m\n1,2,3,x,1\n", "by_px = 'x'"),
    ],
)
def test_bad_lengths_are_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(FormatError, match=said):
        read_check_lengths(put(tmp_path, text))


def otvision(**changes: Any) -> str:
    row = {"x_px": 14, "y_px": 259, "hemisphere": "N", "zone_utm": 32}
    row |= {"lon_utm": 500_000.0, "lat_utm": 0.0} | changes
    return json.dumps({"1": row})


def test_utm_becomes_degrees(tmp_path: Path) -> None:
    points = read_ground_points(put(tmp_path, otvision(), "clip.otrfpts"))
    assert points.points_lonlat == ((9.0, 0.0),)
    assert points.points_px == ((14.0, 259.0),)
    south = put(tmp_path, otvision(hemisphere="S", lat_utm=10_000_000.0), "clip.otrfpts")
    assert read_ground_points(south).points_lonlat[0] == pytest.approx((9.0, 0.0))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "does not read as JSON"),
        ("{}", "no OTVision file"),
        ("[1]", "no OTVision file"),
        ('{"1": {"x_px": 1}}', "no OTVision file"),
        (otvision(zone_utm=99), "zone_utm = 99"),
        (otvision(lon_utm="far"), "lon_utm = 'far'"),
    ],
)
def test_bad_points_of_otvision_are_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(FormatError, match=said):
        read_ground_points(put(tmp_path, text, "clip.otrfpts"))
