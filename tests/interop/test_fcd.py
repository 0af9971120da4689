import gzip
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.shared_data import shared_data

from calmstreet.errors import FormatError, InputError
from calmstreet.interop.fcd import FcdFile
from calmstreet.interop.fcd_types import read_vehicle_types
from calmstreet.model.kinds import Kind, SizeSource
from calmstreet.model.points import TrackPoints, concat_points

HEAD = "timestep_time;vehicle_id;vehicle_x;vehicle_y;vehicle_angle;vehicle_type;vehicle_speed\n"


def written(path: Path, text: str) -> Path:
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, encoding="utf-8")
    return path


def read(path: Path, **more: object) -> tuple[TrackPoints, list[int], FcdFile]:
    file = FcdFile(path=path, camera_id="camera", run_id=1, **more)  # type: ignore[arg-type]
    blocks = list(file.steps())
    steps = np.concatenate([times for times, _ in blocks])
    return concat_points([points for _, points in blocks]), steps.tolist(), file


XML = """<fcd-export>
<timestep time="0.00"/>
<timestep time="0.10">
<vehicle id="a" x="10.0" y="5.0" angle="90.0" type="DEFAULT_VEHTYPE" speed="8.0"/>
<person id="p" x="1.0" y="2.0" angle="0.0" speed="1.2" pos="1" edge="e"/>
</timestep>
<timestep time="0.20">
<vehicle id="a" x="10.8" y="5.0" angle="90.0" type="DEFAULT_VEHTYPE" speed="8.0"/>
</timestep>
</fcd-export>
"""


@pytest.mark.parametrize("name", ["x.fcd.xml", "x.fcd.xml.gz"])
def test_xml_gives_centres_headings_and_every_step(tmp_path: Path, name: str) -> None:
    points, steps, file = read(written(tmp_path / name, XML), start_ns=1000)
    assert steps == [1000, 100_001_000, 200_001_000]
    assert list(file.labels.values()) == ["a", "p"]
    assert points.kind.tolist() == [Kind.CAR, Kind.PEDESTRIAN, Kind.CAR]
    np.testing.assert_allclose(points.xy_m[0], [7.5, 5.0])
    np.testing.assert_allclose(points.front_m()[0], [10.0, 5.0], atol=1e-6)
    np.testing.assert_allclose(points.heading_rad, [0.0, math.pi / 2, 0.0], atol=1e-6)
    np.testing.assert_allclose(points.velocity_mps[1], [0.0, 1.2], atol=1e-6)
    given = [SizeSource.GIVEN, SizeSource.CLASS_DEFAULT, SizeSource.GIVEN]
    assert points.size_source.tolist() == given


@given(st.floats(0, 360), st.floats(-500, 500), st.floats(-500, 500), st.floats(0.2, 30))
def test_the_front_is_where_sumo_put_it(angle: float, x: float, y: float, long: float) -> None:
    from calmstreet.interop.fcd_types import BodySize

    body = BodySize(kind=Kind.CAR, length_m=long, width_m=1.8)
    file = FcdFile(path=Path("x"), camera_id="c", run_id=1, sizes={"t": body})
    rows = file._rows(0, 0.0, [(0.0, "a", "t", x, y, angle, 5.0)])
    front = file._points(rows).front_m()[0]
    np.testing.assert_allclose(front, [x, y], atol=2e-4)


def test_sizes_come_from_the_route_file(tmp_path: Path) -> None:
    routes = written(
        tmp_path / "r.rou.xml",
        '<routes><vType id="car" length="4.6" width="1.8"/><vTypeDistribution id="d">'
        '<vType id="lorry" vClass="truck" length="10"/></vTypeDistribution></routes>',
    )
    sizes = read_vehicle_types(routes)
    assert (sizes["car"].length_m, sizes["lorry"].width_m, sizes["lorry"].kind) == (
        4.6,
        2.4,
        Kind.TRUCK,
    )
    written(routes, '<routes><vType id="car" length="long"/></routes>')
    with pytest.raises(FormatError, match="write it in metres"):
        read_vehicle_types(routes)


def test_csv_of_sumo_and_a_plain_one_are_the_same(tmp_path: Path) -> None:
    sumo = written(
        tmp_path / "a.csv", HEAD + "0.0;;;;;;\n0.5;v;10;5;90;car;8\n1.0;v;14;5;90;car;8\n"
    )
    plain = written(
        tmp_path / "b.csv",
        "t_s,id,kind,x_m,y_m,angle_deg,speed_mps\n0.0,,,,,,\n0.5,v,car,10,5,90,8\n"
        "1.0,v,car,14,5,90,8\n",
    )
    one, steps, _ = read(sumo)
    two, same_steps, _ = read(plain)
    assert steps == same_steps == [0, 500_000_000, 1_000_000_000]
    np.testing.assert_array_equal(one.xy_m, two.xy_m)
    assert one.length_m.tolist() == [4.5, 4.5]


def test_without_speed_and_angle_they_follow_from_the_way(tmp_path: Path) -> None:
    path = written(tmp_path / "x.csv", "t_s,id,x,y\n0,v,0,0\n1,v,3,4\n2,v,6,8\n")
    points, _, _ = read(path)
    np.testing.assert_allclose(points.velocity_mps[1:], [[3, 4], [3, 4]], atol=1e-5)


def test_a_file_cut_in_the_middle_keeps_its_whole_steps(tmp_path: Path) -> None:
    path = written(tmp_path / "x.fcd.xml", XML[: XML.index('<vehicle id="a" x="10.8"') + 30])
    points, steps, file = read(path)
    assert (len(points), len(steps)) == (2, 2)
    assert "breaks off" in file.cut_off
    packed = tmp_path / "y.csv.gz"
    rows = "".join(f"{i / 10};v;{i};5;90;car;10\n" for i in range(5000))
    packed.write_bytes(gzip.compress((HEAD + rows).encode())[:-4000])
    points, _, file = read(packed)
    assert 0 < len(points) < 5000
    assert "ends in the middle" in file.cut_off


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("1;v;1;2;90;car;5\n0.5;v;2;2;90;car;5\n", "time goes back"),
        ("0;v;5000000;2;90;car;5\n", "subtract an offset"),
        ("", "no whole step"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(tmp_path: Path, rows: str, says: str) -> None:
    with pytest.raises(FormatError, match=says) as caught:
        read(written(tmp_path / "x.csv", HEAD + rows))
    assert "\n" not in str(caught.value)


def test_degrees_where_metres_are_meant(tmp_path: Path) -> None:
    rows = "".join(f"{i};v;{76.9 + i * 1e-4};43.2;90;car;8\n" for i in range(10))
    with pytest.raises(FormatError, match="look like degrees"):
        read(written(tmp_path / "x.csv", HEAD + rows))


def test_rows_that_are_no_place_or_twice_are_counted(tmp_path: Path) -> None:
    rows = "0;v;nan;2;90;car;5\n0;w;1;2;90;car;5\n0;w;1;2;90;car;5\n0;u;1\n1;w;6;2;90;car;5\n"
    points, _, file = read(written(tmp_path / "x.csv", HEAD + rows))
    assert len(points) == 2
    assert dict(file.rejected) == {
        "place is no number": 1,
        "road user twice in one step": 1,
        "line with another number of columns": 1,
    }


def test_a_thousand_vehicles_in_one_step(tmp_path: Path) -> None:
    rows = "".join(f"0;v{i};{i};2;90;car;5\n" for i in range(1000))
    points, _, _ = read(written(tmp_path / "x.csv", HEAD + rows))
    assert len(points) == 1000
    assert (np.diff(points.track_id) > 0).all()


def test_no_file_and_no_columns(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read(tmp_path / "none.csv")
    with pytest.raises(FormatError, match="no column for x"):
        read(written(tmp_path / "x.csv", "time;id\n0;v\n"))
    with pytest.raises(FormatError, match="does not read as XML"):
        read(written(tmp_path / "x.xml", "nonsense"))


@pytest.mark.real
def test_a_whole_file_of_sumo() -> None:
    sizes = read_vehicle_types(shared_data("signals/tls.rou.xml"))
    points, steps, file = read(shared_data("signals/tls.fcd.csv.gz"), sizes=sizes)
    assert (len(points), len(steps), len(file.labels)) == (51_967, 1650, 313)
    assert np.unique(points.length_m.round(1)).tolist() == pytest.approx([2.2, 4.6, 10.0])
