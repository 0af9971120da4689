from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.interop.rows import LABELS, STEPS_NS, same_partition, some_points
from tests.shared_data import shared_data

from calmstreet.errors import FormatError, InputError
from calmstreet.interop.mot import read_mot, times_of, write_mot
from calmstreet.model.kinds import Kind
from calmstreet.model.points import make_points, track_id_of


def a_file(folder: Path, text: str) -> Path:
    path = folder / "tracks.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_rows_come_back_to_a_thousandth_of_a_pixel(tmp_path: Path) -> None:
    points, path = some_points(), tmp_path / "out.txt"
    write_mot(path, [points[:2], points[2:]], STEPS_NS, LABELS)
    read = read_mot(path, camera_id="north", run_id=8, fps=25.0, start_ns=int(STEPS_NS[0]))
    assert read.points.t_ns.tolist() == points.t_ns.tolist()
    assert read.points.kind.tolist() == points.kind.tolist()
    np.testing.assert_allclose(read.points.box_px, points.box_px, atol=1.1e-3)
    np.testing.assert_allclose(read.points.score, points.score, rtol=1e-5)
    assert same_partition(read.points.track_id, points.track_id)
    assert set(read.labels.values()) == {"1", "7"}
    assert read.steps_ns.tolist() == STEPS_NS[1:].tolist()
    assert (read.points.run_id, read.points.camera_id) == (8, "north")


def test_lines_look_as_other_programs_want_them(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    write_mot(path, [some_points()], STEPS_NS)
    assert path.read_text().splitlines()[:2] == [
        "2,1,0.100,2.500,29.900,37.625,0.9,3,-1",
        "2,2,5.000,6.000,2.000,2.000,-1,4,-1",
    ]


def test_two_runs_do_not_share_numbers(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    blocks = [
        make_points(camera_id="n", run_id=run, t_ns=[run], track_id=[track_id_of(run, 1)])
        for run in (1, 2)
    ]
    nobody = make_points(camera_id="n", run_id=2, t_ns=[3], track_id=[-1])
    write_mot(path, [*blocks, nobody], np.array([1, 2, 3]))
    assert [line.split(",")[1] for line in path.read_text().splitlines()] == ["1", "2", "-1"]


def test_a_row_between_the_steps_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no analysed step"):
        write_mot(tmp_path / "out.txt", [some_points()], STEPS_NS[:3])
    assert list(tmp_path.iterdir()) == []


def test_loose_files_are_read(tmp_path: Path) -> None:
    path = a_file(
        tmp_path,
        "\ufeffframe,id,x,y,w,h,conf,class,vis\n\n 3.0 , veh_2 ,1,2,3,4,1,1,0.5\n"
        "2,10,1,2,3,4\n2,9,1,2,3,4,0.5,\n4,-1,1,2,3,4,1,4\n4,-1,1,2,3,4,1,-1,-1,-1\n",
    )
    read = read_mot(path, camera_id="north", run_id=1, fps=1.0)
    assert read.points.t_ns.tolist() == [10**9, 10**9, 2 * 10**9, 3 * 10**9, 3 * 10**9]
    assert read.points.track_id.tolist() == [
        track_id_of(1, 1),
        track_id_of(1, 2),
        track_id_of(1, 3),
        -1,
        -1,
    ]
    assert list(read.labels.values()) == ["9", "10", "veh_2"]
    assert read.points.kind.tolist() == [0, 0, Kind.PEDESTRIAN, Kind.BICYCLE, 0]
    assert np.isnan(read.points.score[1])
    assert read.points.box_px[0].tolist() == [1, 2, 4, 6]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1,1,2,3,4,5\n1,2,3\n", r"tracks.txt, line 2 has 3 columns"),
        ("1,1,2,3,x,5\n", "line 1 holds something that is no number"),
        ("1.5,1,2,3,4,5\n", "line 1: frame 1.5 is none"),
        ("0,1,2,3,4,5\n", "line 1: frame 0 is none"),
        ("1,1,2,3,-4,5\n", "is no box"),
        ("1,1,2,nan,4,5\n", "is no box"),
        ("1,,2,3,4,5\n", "line 1 has no id"),
        ("1,1,2,3,4,5\n3,1,0,0,1,1\n3,1,2,3,4,5\n", "id 1 occurs twice in frame 3"),
        ("frame,id\n", "holds no rows"),
        ("", "holds no rows"),
    ],
)
def test_wrong_files_are_refused_by_name(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(FormatError, match=words):
        read_mot(a_file(tmp_path, text), camera_id="north", run_id=1, fps=25.0)


def test_what_cannot_be_read_at_all(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_mot(tmp_path / "nowhere.txt", camera_id="north", run_id=1, fps=25.0)
    binary = tmp_path / "clip.mp4"
    binary.write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(FormatError, match="is no text"):
        read_mot(binary, camera_id="north", run_id=1, fps=25.0)
    with pytest.raises(InputError, match="no frame rate"):
        read_mot(a_file(tmp_path, "1,1,2,3,4,5"), camera_id="north", run_id=1, fps=0.0)
    with pytest.raises(InputError, match="cannot be written"):
        write_mot(tmp_path / "nowhere" / "out.txt", [], STEPS_NS)


@given(fps=st.floats(0.1, 240.0), last=st.integers(1, 100_000))
def test_times_grow_with_frames_and_do_not_drift(fps: float, last: int) -> None:
    times = times_of(np.array([1, last, last + 1]), fps=fps, start_ns=5)
    assert times[0] == 5
    assert times[2] > times[1]
    assert abs(times[1] - 5 - (last - 1) / fps * 1e9) <= 1


@pytest.mark.real
def test_tud_campus_truth() -> None:
    read = read_mot(shared_data("tracking/TUD-Campus_gt.txt"), camera_id="tud", run_id=1, fps=25.0)
    assert len(read.labels) == 8
    assert (len(read.points), len(read.steps_ns)) == (359, 71)
    assert read.points.box_px[0].tolist() == [399, 182, 520, 411]


@pytest.mark.real
def test_public_detections_are_nobodys() -> None:
    path = shared_data("tracking/SORT_PETS09-S2L1_det.txt")
    read = read_mot(path, camera_id="pets", run_id=1, fps=7.0)
    assert set(read.points.track_id.tolist()) == {-1}
    assert read.labels == {}
    assert len(read.points) == len(path.read_text().splitlines())
