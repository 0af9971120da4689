from pathlib import Path

import duckdb
import numpy as np
import pytest
from tests.interop.rows import LABELS, STEPS_NS, assert_same_rows, same_partition, some_points

from calmstreet.errors import FormatError, InputError
from calmstreet.interop import points_parquet
from calmstreet.interop.points_parquet import (
    open_points_parquet,
    read_points_parquet,
    steps_path,
    write_points_parquet,
)
from calmstreet.model.points import concat_points


def written(folder: Path) -> Path:
    path, points = folder / "it's.parquet", some_points()
    write_points_parquet(path, [points[:2], points[2:]], STEPS_NS, LABELS)
    return path


def test_rows_steps_and_labels_come_back_bit_for_bit(tmp_path: Path) -> None:
    read = read_points_parquet(written(tmp_path), camera_id="north", run_id=9)
    assert_same_rows(read.points, some_points())
    assert same_partition(read.points.track_id, some_points().track_id)
    assert read.steps_ns.tolist() == STEPS_NS.tolist()
    assert sorted(read.labels.values()) == ["7", "veh_12"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "it's.parquet",
        "it's.steps.parquet",
    ]


def test_without_steps_the_rows_say_when(tmp_path: Path) -> None:
    path = written(tmp_path)
    steps_path(path).unlink()
    read = read_points_parquet(path, camera_id="north", run_id=9)
    assert read.steps_ns.tolist() == STEPS_NS[[1, 2, 4]].tolist()


@pytest.mark.parametrize("rows_per_block", [1, 2, 1000])
def test_blocks_of_whole_steps_give_what_reading_whole_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows_per_block: int
) -> None:
    path = written(tmp_path)
    whole = read_points_parquet(path, camera_id="north", run_id=9)
    monkeypatch.setattr(points_parquet, "ROWS_PER_BLOCK", rows_per_block)
    file = open_points_parquet(path, camera_id="north", run_id=9)
    blocks = list(file.steps())
    assert len(blocks) == {1: 3, 2: 2, 1000: 1}[rows_per_block]
    assert np.concatenate([times for times, _ in blocks]).tolist() == STEPS_NS.tolist()
    for times, points in blocks:
        assert set(points.t_ns.tolist()) <= set(times.tolist())
    assert_same_rows(concat_points([points for _, points in blocks]), whole.points)
    assert file.labels == whole.labels


def test_other_tables_are_refused_by_column(tmp_path: Path) -> None:
    path = written(tmp_path)
    other = tmp_path / "other.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT * REPLACE (score::double AS score) FROM read_parquet(?)) TO '{other}'",
            [str(path)],
        )
        with pytest.raises(FormatError, match="column score should be FLOAT, it is DOUBLE"):
            read_points_parquet(other, camera_id="north", run_id=1)
        connection.execute(
            f"COPY (SELECT * EXCLUDE (x_m) FROM read_parquet(?)) TO '{other}'", [str(path)]
        )
        with pytest.raises(FormatError, match="column x_m should be FLOAT, it is missing"):
            read_points_parquet(other, camera_id="north", run_id=1)
        connection.execute(
            f"COPY (SELECT * REPLACE (NULL::float AS x_m) FROM read_parquet(?)) TO '{other}'",
            [str(path)],
        )
        with pytest.raises(FormatError, match="column x_m holds nulls"):
            read_points_parquet(other, camera_id="north", run_id=1)


def test_what_is_no_parquet_or_no_place(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    with pytest.raises(InputError, match="is not there"):
        read_points_parquet(path, camera_id="north", run_id=1)
    path.write_bytes(b"no parquet" * 9)
    with pytest.raises(FormatError, match="does not read as Parquet"):
        read_points_parquet(path, camera_id="north", run_id=1)
    with pytest.raises(InputError, match="cannot be written"):
        write_points_parquet(tmp_path / "no" / "a.parquet", [], np.empty(0, np.int64))
