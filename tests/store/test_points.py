import os
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.store.rows import ODD, STEP_PLANS, a_step, bits, nothing

from calmstreet.errors import StoreError
from calmstreet.model.kinds import Eye
from calmstreet.model.points import TrackPoints, concat_points, make_points
from calmstreet.store.duck import connect
from calmstreet.store.folder import StoredFile
from calmstreet.store.points import (
    PointWriter,
    read_points,
    read_step_columns,
    read_steps,
    recover,
)

DAY_NS = 86_400 * 10**9


class Shelf:
    """Stands for the catalogue: remembers the files by path, as the real one does."""

    def __init__(self) -> None:
        self.files: dict[str, StoredFile] = {}

    def add(self, file: StoredFile) -> None:
        self.files[file.path] = file

    def of(self, content: str) -> list[StoredFile]:
        found = [file for file in self.files.values() if file.content == content]
        return sorted(found, key=lambda file: file.start_ns)


def a_writer(
    folder: Path, shelf: Shelf, *, rows_per_file: int = 500_000, flush_s: float = 2.0
) -> PointWriter:
    return PointWriter(
        folder=folder,
        camera_id="north",
        run_id=1,
        on_file=shelf.add,
        rows_per_file=rows_per_file,
        flush_s=flush_s,
    )


def test_odd_floats_come_back_bit_for_bit(tmp_path: Path) -> None:
    n = len(ODD)
    written = make_points(
        camera_id="north",
        run_id=1,
        t_ns=np.full(n, 5),
        track_id=np.arange(n),
        score=ODD,
        box_px=np.stack([ODD, ODD[::-1], -ODD, ODD], axis=1),
        xy_m=np.stack([ODD, -ODD], axis=1),
        heading_rad=ODD[::-1],
    )
    shelf = Shelf()
    with a_writer(tmp_path, shelf) as writer:
        writer.append(5, written)
    (read,) = read_points(tmp_path, shelf.of("points"))
    assert bits(read) == bits(written)
    assert np.signbit(read.score[1])
    assert read.camera_id == "north"
    assert read.run_id == 1


@settings(max_examples=12, deadline=None)
@given(plan=STEP_PLANS, rows_per_file=st.integers(9, 90), rows_per_block=st.integers(1, 50))
def test_any_cutting_gives_the_same_rows_in_whole_steps(
    plan: list[tuple[int, int]], rows_per_file: int, rows_per_block: int
) -> None:
    steps, t_ns = [], DAY_NS - 10**9
    for gap_ns, rows in plan:
        t_ns += gap_ns
        steps.append((t_ns, a_step(t_ns, rows=rows)))
    shelf = Shelf()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with a_writer(folder, shelf, rows_per_file=rows_per_file) as writer:
            for t_ns, points in steps:
                writer.append(t_ns, points)
        blocks = list(read_points(folder, shelf.of("points"), rows_per_block=rows_per_block))
        times = read_steps(folder, shelf.of("steps"))
        rows_of = read_step_columns(folder, shelf.of("steps"))["rows"]
        assert not list(folder.rglob("*.part"))
    assert times.tolist() == [t_ns for t_ns, _ in steps]
    assert rows_of.tolist() == [len(points) for _, points in steps]
    written = concat_points([nothing(), *(points for _, points in steps)])
    assert bits(concat_points([nothing(), *blocks])) == bits(written)
    for one, other in pairwise(blocks):
        assert one.t_ns[-1] < other.t_ns[0]


def test_steps_keep_who_looked_and_that_nobody_was_there(tmp_path: Path) -> None:
    shelf = Shelf()
    with a_writer(tmp_path, shelf) as writer:
        writer.append(1, nothing(), looked=Eye.MOTION)
        writer.append(2, a_step(2, rows=3), flags=4)
    columns = read_step_columns(tmp_path, shelf.of("steps"))
    assert columns["looked"].tolist() == [Eye.MOTION, Eye.BOTH]
    assert columns["flags"].tolist() == [0, 4]
    assert columns["rows"].tolist() == [0, 3]


def test_a_new_file_begins_at_midnight_utc(tmp_path: Path) -> None:
    shelf = Shelf()
    with a_writer(tmp_path, shelf) as writer:
        for t_ns in (DAY_NS - 1, DAY_NS, DAY_NS + 1):
            writer.append(t_ns, a_step(t_ns, rows=1))
    assert [file.path for file in shelf.of("points")] == [
        "points/camera=north/date=1970-01-01/1-0000.parquet",
        "points/camera=north/date=1970-01-02/1-0001.parquet",
    ]
    assert [file.rows for file in shelf.of("steps")] == [1, 2]
    assert [file.end_ns for file in shelf.of("points")] == [DAY_NS - 1, DAY_NS + 1]


def test_the_part_is_flushed_by_the_time_of_the_stream(tmp_path: Path) -> None:
    writer = a_writer(tmp_path, Shelf(), flush_s=2.0)
    part = tmp_path / "points" / "camera=north" / "1-0000.part"
    writer.append(0, a_step(0, rows=2))
    writer.append(1_900_000_000, a_step(1_900_000_000, rows=2))
    assert not part.exists()
    writer.append(2_000_000_000, a_step(2_000_000_000, rows=2))
    assert part.stat().st_size > 6 * 70
    writer.close()


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_crash_leaves_a_prefix_of_whole_steps(data: st.DataObject) -> None:
    plan = data.draw(STEP_PLANS)
    with tempfile.TemporaryDirectory() as name:
        folder, shelf = Path(name), Shelf()
        steps = crash_after(folder, plan)
        for content in ("points", "steps"):
            part = folder / content / "camera=north" / "1-0000.part"
            os.truncate(part, data.draw(st.integers(0, part.stat().st_size)))
        found = recover(folder, shelf.add)
        times = read_steps(folder, shelf.of("steps"))
        blocks = list(read_points(folder, shelf.of("points")))
        assert found == (len(times) > 0)
        assert not list(folder.rglob("*.part"))
    whole = steps[: len(times)]
    assert times.tolist() == [int(t_ns) for t_ns, _ in whole]
    written = concat_points([nothing(), *(points for _, points in whole)])
    assert bits(concat_points([nothing(), *blocks])) == bits(written)


def crash_after(folder: Path, plan: list[tuple[int, int]]) -> list[tuple[int, TrackPoints]]:
    """Write steps, flush and walk away."""
    writer = a_writer(folder, Shelf(), flush_s=1e9)
    steps, t_ns = [], 0
    for gap_ns, rows in plan:
        t_ns += gap_ns
        steps.append((t_ns, a_step(t_ns, rows=rows)))
        writer.append(*steps[-1])
    writer.leave()
    return steps


def test_recovery_loses_nothing_that_was_flushed(tmp_path: Path) -> None:
    steps, shelf = crash_after(tmp_path, [(5, 2), (5, 0), (5, 4)]), Shelf()
    assert recover(tmp_path, shelf.add, camera_id="south") == 0
    assert recover(tmp_path, shelf.add, camera_id="north") == 1
    assert read_steps(tmp_path, shelf.of("steps")).tolist() == [5, 10, 15]
    (read,) = read_points(tmp_path, shelf.of("points"))
    assert bits(read) == bits(concat_points([points for _, points in steps]))


def test_recovery_after_the_file_was_made_gives_the_same_file(tmp_path: Path) -> None:
    crash_after(tmp_path, [(5, 2), (5, 1)])
    parts = {path: path.read_bytes() for path in tmp_path.rglob("*.part")}
    shelf = Shelf()
    recover(tmp_path, shelf.add)
    first = dict(shelf.files)
    for path, content in parts.items():
        path.write_bytes(content)
    recover(tmp_path, shelf.add)
    assert shelf.files == first


def test_a_part_of_another_version_is_refused(tmp_path: Path) -> None:
    crash_after(tmp_path, [(5, 2)])
    part = tmp_path / "steps" / "camera=north" / "1-0000.part"
    part.write_bytes(b"x" * 64)
    with pytest.raises(StoreError, match="another version; remove it"):
        recover(tmp_path, Shelf().add)


@pytest.mark.parametrize(
    ("t_ns", "points", "words"),
    [
        (10, a_step(10, rows=1), "does not come after"),
        (11, a_step(12, rows=1), "rows of another step"),
        (11, a_step(11, rows=3)[::-1], "order of track_id"),
        (11, a_step(11, rows=1, run_id=2), "another run"),
    ],
)
def test_steps_out_of_order_are_refused(
    tmp_path: Path, t_ns: int, points: TrackPoints, words: str
) -> None:
    writer = a_writer(tmp_path, Shelf())
    writer.append(10, nothing())
    with pytest.raises(ValueError, match=words):
        writer.append(t_ns, points)


def test_missing_damaged_and_foreign_files_are_told_apart(tmp_path: Path) -> None:
    shelf = Shelf()
    with a_writer(tmp_path, shelf) as writer:
        writer.append(1, a_step(1, rows=3))
    (points,), (steps,) = shelf.of("points"), shelf.of("steps")
    path = tmp_path / points.path
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(StoreError, match="is damaged"):
        list(read_points(tmp_path, [points]))
    path.write_bytes(b"x" * len(whole))
    with pytest.raises(StoreError, match="cannot be used"):
        list(read_points(tmp_path, [points]))
    with pytest.raises(StoreError, match="cannot be used"):
        list(read_points(tmp_path, [steps]))
    path.unlink()
    with pytest.raises(StoreError, match="is missing"):
        list(read_points(tmp_path, [points]))


def test_duckdb_sees_the_folder_only_and_never_goes_online(tmp_path: Path) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_text("a\n1\n")
    (tmp_path / "in").mkdir()
    for sql in (
        f"SELECT * FROM read_csv('{outside}')",
        "INSTALL spatial",
        "LOAD spatial",
        "SET threads = 2",
        "SET enable_external_access = true",
    ):
        with pytest.raises(StoreError, match="cannot be used"), connect(tmp_path / "in") as duck:
            duck.execute(sql)
    with connect(tmp_path / "in") as duck:
        names = ("threads", "autoinstall_known_extensions", "autoload_known_extensions")
        found = [duck.execute(f"SELECT current_setting('{name}')").fetchone() for name in names]
    assert found == [(1,), (False,), (False,)]


def test_points_go_through_duckdb_without_pandas(tmp_path: Path) -> None:
    """DuckDB takes and gives numpy arrays of numbers; pandas is no dependency of ours."""
    code = (
        "import sys\n"
        "sys.modules.update(dict.fromkeys(('pandas', 'pyarrow', 'polars')))\n"
        "from pathlib import Path\n"
        "import numpy as np\n"
        "from calmstreet.store.duck import read_parquet, write_parquet\n"
        "folder = Path(sys.argv[1])\n"
        "columns = {'a': np.array([1, np.nan, -0.0, np.inf], np.float32), 'b': np.arange(4)}\n"
        "dtypes = {'a': np.float32, 'b': np.int64}\n"
        "write_parquet(folder / 'x.parquet', columns, folder=folder)\n"
        "read = read_parquet(folder / 'x.parquet', dtypes, folder=folder)\n"
        "print(all(read[n].tobytes() == columns[n].tobytes() for n in columns))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "True"
