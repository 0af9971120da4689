from pathlib import Path

import numpy as np
import pytest
from tests.interop.rows import LABELS, STEPS_NS, assert_same_rows, same_partition, some_points

from calmstreet.errors import FormatError
from calmstreet.interop.points_csv import read_points_csv, write_points_csv


def written(folder: Path) -> Path:
    path, points = folder / "points.csv", some_points()
    write_points_csv(path, [points[:2], points[2:3], points[4:], points[3:]], STEPS_NS, LABELS)
    return path


def test_rows_steps_and_labels_come_back_bit_for_bit(tmp_path: Path) -> None:
    read = read_points_csv(written(tmp_path), camera_id="north", run_id=9)
    assert_same_rows(read.points, some_points())
    assert same_partition(read.points.track_id, some_points().track_id)
    assert read.steps_ns.tolist() == STEPS_NS.tolist()
    assert sorted(read.labels.values()) == ["7", "veh_12"]
    assert set(read.labels) == set(read.points.track_id.tolist())
    assert {track_id >> 32 for track_id in read.labels} == {9}


def test_lines_are_for_people_too(tmp_path: Path) -> None:
    lines = written(tmp_path).read_text().splitlines()
    assert lines[0].startswith("time,camera_id,label,t_ns,track_id,kind,score,flags,box_l_px")
    assert lines[1].startswith("2023-11-14T22:13:20.000+00:00,north,,1700000000000000000,,")
    assert lines[2].startswith("2023-11-14T22:13:20.040+00:00,north,veh_12,1700000000040000000,")
    assert ",car,0.9,0,0.1,2.5,30.0,40.125,-0.0,inf,,," in lines[2]
    assert len(lines) == 1 + 4 + 2


def test_columns_in_another_order_and_without_labels(tmp_path: Path) -> None:
    path = written(tmp_path)
    rows = [line.split(",") for line in path.read_text().splitlines()]
    path.write_text("\n".join(",".join(reversed(row[1:2] + row[3:])) for row in rows))
    read = read_points_csv(path, camera_id="north", run_id=9)
    assert_same_rows(read.points, some_points())
    assert all(label.isdigit() for label in read.labels.values())


def test_one_camera_of_several(tmp_path: Path) -> None:
    path = written(tmp_path)
    lines = path.read_text().splitlines()
    lines.append(lines[2].replace("north", "south"))
    path.write_text("\n".join(lines))
    assert len(read_points_csv(path, camera_id="south", run_id=9).points) == 1
    assert len(read_points_csv(path, camera_id="north", run_id=9).points) == 4
    with pytest.raises(FormatError, match="holds the cameras north, south; name one"):
        read_points_csv(path, camera_id="west", run_id=9)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("box_l_px", "left", "lacks the columns box_l_px"),
        (",car,", ",cart,", "line 3: kind 'cart' cannot be read"),
        ("40.125", "4o", "line 3: box_b_px '4o' cannot be read"),
        (",1700000000000000000,", ",soon,", "line 2: t_ns 'soon' cannot be read"),
        (",bicycle,,4,", ",bicycle,,400,", "line 4: flags '400' cannot be read"),
        (",bicycle,", ",bicycle,0,", "line 4 has 29 cells; its header has 28"),
    ],
)
def test_wrong_cells_are_named(tmp_path: Path, old: str, new: str, words: str) -> None:
    path = written(tmp_path)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(FormatError, match=words):
        read_points_csv(path, camera_id="north", run_id=9)


def test_what_an_eye_saw_may_be_missing(tmp_path: Path) -> None:
    path = written(tmp_path)
    cells = [line.split(",") for line in path.read_text().splitlines()]
    first = cells[0].index("seen_l_px")
    path.write_text("\n".join(",".join(row[:first]) for row in cells))
    points = read_points_csv(path, camera_id="north", run_id=9).points
    assert np.isnan(points.seen_px).all()
    assert not points.seen_by.any()


def test_steps_without_rows_only(tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    write_points_csv(path, [], np.array([1, 5]))
    read = read_points_csv(path, camera_id="north", run_id=1)
    assert len(read.points) == 0
    assert read.steps_ns.tolist() == [1, 5]
