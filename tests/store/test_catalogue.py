import re
import sqlite3
from dataclasses import fields, is_dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.store.rows import a_run, a_site, a_step

from calmstreet.clock import FakeClock
from calmstreet.errors import StoreError
from calmstreet.model.event import Event
from calmstreet.model.flow import Crossings, Flow, Journeys, Minutes
from calmstreet.model.signals import SignalChanges, SignalState
from calmstreet.store.catalogue import Catalogue, SourceFile
from calmstreet.store.database import migrations, open_database
from calmstreet.store.findings import Picture, Warned
from calmstreet.store.folder import CATALOGUE_NAME, StoredFile, only_writer
from calmstreet.store.points import PointWriter, recover
from calmstreet.store.tables import TABLES

SCHEMA = resources.files("calmstreet.store").joinpath("schema.sql").read_text("utf-8")


def opened(folder: Path, *, create: bool = True) -> Catalogue:
    return Catalogue.open(folder, create=create, clock=FakeClock(start_ns=7), busy_timeout_s=0.01)


def with_run(catalogue: Catalogue, *, publish: bool = True, start_ns: int = 0) -> int:
    site = a_site()
    catalogue.save_site(site, "[site]")
    run_id = catalogue.new_run(a_run(site, start_ns=start_ns))
    if publish:
        catalogue.publish([run_id])
    return run_id


def fill(catalogue: Catalogue, run_id: int) -> None:
    """Put a row into every table of a run and its points on disk."""
    with PointWriter(
        folder=catalogue.folder, camera_id="north", run_id=run_id, on_file=catalogue.add_file
    ) as writer:
        writer.append(1, a_step(1, rows=2, run_id=run_id))
    catalogue.save_flow(a_flow(run_id))
    catalogue.save_track_labels(run_id, {run_id << 32: "veh_12"})
    catalogue.save_events(run_id, [an_event()])
    catalogue.save_warnings(run_id, [Warned(code="gap", text="a gap", args={"gap_s": 2.5})])
    picture = catalogue.folder / "pictures" / f"{run_id}.png"
    picture.parent.mkdir(exist_ok=True)
    picture.write_bytes(b"png")
    catalogue.save_picture(run_id, a_picture(f"pictures/{run_id}.png"))


def a_flow(run_id: int) -> Flow:
    crossings = Crossings(
        gate_id=np.array(["stop-line", "stop-line"]),
        t_ns=np.array([10, 20]),
        track_id=np.array([1, 2]),
        kind=np.array([4, 1], np.uint8),
        direction=np.array(["to_right", "to_left"]),
        headway_s=np.array([2.0, np.inf]),
        gap_s=np.array([np.nan, np.nan]),
        speed_mps=np.array([0.1, np.nan]),
        length_m=np.array([4.5, np.nan]),
        counted=np.array([True, False]),
    )
    journeys = Journeys(
        track_id=np.array([1]),
        kind=np.array([4]),
        start_ns=np.array([3]),
        end_ns=np.array([9]),
        done_ns=np.array([8]),
        entry_px=np.array([[0.1, np.nan]]),
        exit_px=np.array([[3.0, 4.0]]),
        entry_id=np.array(["n"]),
        exit_id=np.array(["unknown"]),
        movement_id=np.array(["unknown"]),
        entry_heading=np.array([[0.6, 0.8]]),
        exit_heading=np.array([[np.nan, np.nan]]),
        metric=np.array([False]),
        rows=np.array([5]),
        counted=np.array([False]),
        reason=np.array(["too short"]),
    )
    minutes = Minutes(
        gate_ids=("stop-line", "exit"),
        start_ns=np.array([0, 60 * 10**9]),
        watched_s=np.array([60.0, 12.5]),
        occupied_s=np.array([[1.5, 0.0], [0.25, 7.0]]),
    )
    return Flow(
        camera_id="north",
        run_id=run_id,
        site_version=a_site().site_version,
        crossings=crossings,
        journeys=journeys,
        minutes=minutes,
        watched_ns=np.array([[0, 40], [50, 90]]),
    )


def assert_same(one: Any, other: Any) -> None:
    """Compare two columnar nouns field by field, NaN equal to NaN, dtypes alike."""
    for name in (field.name for field in fields(one)):
        mine, theirs = getattr(one, name), getattr(other, name)
        if is_dataclass(mine):
            assert_same(mine, theirs)
        else:
            np.testing.assert_array_equal(mine, theirs)
            assert np.asarray(mine).dtype.kind == np.asarray(theirs).dtype.kind


def an_event() -> Event:
    return Event(
        event_id="0123456789abcdef",
        kind="conflict",
        camera_id="north",
        start_ns=5,
        end_ns=9,
        track_ids=(2, 1),
        values={"ttc_s": 0.9, "pet_s": float("inf")},
        severity=3,
        rule="conflict/1",
        reasons=("it was close",),
    )


def a_picture(path: str) -> Picture:
    return Picture(
        path=path, what="background", t_ns=3, width_px=4, height_px=2, size_bytes=3, sha256="ab"
    )


def shape_of(connection: sqlite3.Connection) -> dict[str, str]:
    """Return the SQL of every table and index without comments and spaces."""
    rows = connection.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL")
    plain = {name: " ".join(re.sub(r"--.*", "", sql).split()) for name, sql in rows}
    return {name: re.sub(r" ([,)])", r"\1", sql) for name, sql in plain.items()}


def test_migrations_from_empty_give_the_schema(tmp_path: Path) -> None:
    with sqlite3.connect(":memory:") as wanted:
        wanted.executescript(SCHEMA)
    database = open_database(tmp_path / "c.sqlite", now_ns=0, create=True)
    with database.guarded() as connection:
        assert shape_of(connection) == shape_of(wanted)
        recorded = connection.execute("SELECT number FROM migrations").fetchall()
    database.close()
    wanted.close()
    assert [row[0] for row in recorded] == list(migrations())


def test_every_column_says_what_it_means() -> None:
    lines = [line for line in SCHEMA.splitlines() if re.match(r"    [a-z_0-9]+ [A-Z]+\b", line)]
    assert len(lines) > 120
    assert [line for line in lines if not re.search(r"-- .{3,}", line)] == []
    assert SCHEMA.count("CREATE TABLE") == len(re.findall(r"^\) STRICT", SCHEMA, re.MULTILINE))


def test_columns_of_arrays_are_the_columns_of_the_tables(tmp_path: Path) -> None:
    database = open_database(tmp_path / "c.sqlite", now_ns=0, create=True)
    with database.guarded() as connection:
        for table, dtypes in TABLES.items():
            found = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            assert sorted(found) == sorted(["run_id", *dtypes])
        settings = {
            name: connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    database.close()
    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_a_run_comes_back_as_it_was(tmp_path: Path) -> None:
    site = a_site()
    files = [SourceFile(name="a.mp4", size_bytes=9, start_ns=0, note="cut off")]
    with opened(tmp_path) as catalogue:
        catalogue.save_site(site, "[site]")
        run_id = catalogue.new_run(a_run(site), files=files)
        catalogue.update_run(run_id, state="partial", frames=12, counted=False)
        assert catalogue.runs() == []
        catalogue.publish([run_id])
    with opened(tmp_path, create=False) as catalogue:
        (run,) = catalogue.runs()
        assert catalogue.files_of(run_id) == files
        assert catalogue.site(run.site_version) == site.canonical_json()
        assert catalogue.site_text(run.site_version) == "[site]"
    assert (run.run_id, run.state, run.frames, run.counted) == (run_id, "partial", 12, False)
    assert run.declared_fps == 25.0
    assert np.isnan(run.delivered_fps)


def test_publish_swaps_and_leaves_nothing_of_the_old(tmp_path: Path) -> None:
    with opened(tmp_path) as catalogue:
        old = with_run(catalogue)
        fill(catalogue, old)
        new = with_run(catalogue, publish=False)
        fill(catalogue, new)
        assert [run.run_id for run in catalogue.runs()] == [old]
        catalogue.publish([new], [old])
        assert [run.run_id for run in catalogue.runs()] == [new]
        assert rows_by_run(tmp_path) == {new}
        files = [*catalogue.point_files(new), *catalogue.step_files(new)]
        kept = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.parquet")}
        assert kept == {file.path for file in files}
        assert [path.name for path in tmp_path.rglob("*.png")] == [f"{new}.png"]


def rows_by_run(folder: Path) -> set[int]:
    """Return the runs that any table of the catalogue speaks of."""
    found: set[int] = set()
    connection = sqlite3.connect(folder / CATALOGUE_NAME)
    for (table,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'"):
        names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        if "run_id" in names:
            found |= {row[0] for row in connection.execute(f"SELECT run_id FROM {table}")}
    connection.close()
    return found


def test_a_swap_that_fails_changes_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as catalogue:
        old = with_run(catalogue)
        fill(catalogue, old)
        new = with_run(catalogue, publish=False)
        blocker = sqlite3.connect(tmp_path / CATALOGUE_NAME, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked by another program"):
            catalogue.publish([new], [old])
        blocker.execute("ROLLBACK")
        blocker.close()
        assert [run.run_id for run in catalogue.runs()] == [old]
        assert all((tmp_path / file.path).exists() for file in catalogue.point_files(old))


def test_a_fault_inside_a_transaction_takes_all_of_it_back(tmp_path: Path) -> None:
    with opened(tmp_path) as catalogue:
        run_id = with_run(catalogue)
        catalogue.save_flow(a_flow(run_id))
        flow = a_flow(run_id)
        wrong = replace(flow.crossings, direction=np.array(["to_left", "nowhere"]))
        with pytest.raises(StoreError, match="CHECK constraint failed"):
            catalogue.save_flow(replace(flow, crossings=wrong))
        assert_same(catalogue.flow(run_id), flow)


def test_run_ids_are_never_used_twice(tmp_path: Path) -> None:
    with opened(tmp_path) as catalogue:
        first = with_run(catalogue)
        catalogue.publish([], [first])
        assert with_run(catalogue) > first


def test_what_a_crash_left_unpublished_is_forgotten(tmp_path: Path) -> None:
    with opened(tmp_path) as catalogue:
        old = with_run(catalogue)
        fill(catalogue, old)
        left = with_run(catalogue, publish=False)
        fill(catalogue, left)
        crashed = PointWriter(
            folder=tmp_path, camera_id="north", run_id=left, on_file=catalogue.add_file
        )
        crashed.append(9, a_step(9, rows=1, run_id=left))
        crashed.leave()
        assert catalogue.forget_unpublished() == 1
        assert recover(tmp_path, catalogue.add_file) == 0
        assert rows_by_run(tmp_path) == {old}
        assert {path.name[0] for path in tmp_path.rglob("*-0000.*")} == {str(old)}


def test_a_flow_comes_back_as_it_was(tmp_path: Path) -> None:
    with opened(tmp_path) as catalogue:
        run_id = with_run(catalogue)
        catalogue.save_flow(a_flow(run_id))
        catalogue.save_flow(a_flow(run_id))
        assert_same(catalogue.flow(run_id), a_flow(run_id))
        assert catalogue.crossings([run_id])["direction"].tolist() == ["to_right", "to_left"]
        assert catalogue.journeys([run_id])["reason"].tolist() == ["too short"]
        with pytest.raises(StoreError, match="there is no run 99"):
            catalogue.flow(99)


def test_a_run_in_which_nothing_was_counted(tmp_path: Path) -> None:
    with opened(tmp_path) as catalogue:
        run_id = with_run(catalogue)
        flow = catalogue.flow(run_id)
        assert len(flow.crossings) == len(flow.journeys) == 0
        assert flow.minutes.occupied_s.shape == (0, 0)
        assert flow.watched_ns.shape == (0, 2)
        catalogue.save_flow(flow)
        assert_same(catalogue.flow(run_id), flow)


def test_unknown_numbers_are_null_in_sql_and_nan_in_arrays(tmp_path: Path) -> None:
    with opened(tmp_path) as catalogue:
        run_id = with_run(catalogue)
        catalogue.save_flow(a_flow(run_id))
        assert np.isnan(catalogue.crossings([run_id])["gap_s"]).all()
    connection = sqlite3.connect(tmp_path / CATALOGUE_NAME)
    nulls = connection.execute("SELECT count(*) FROM crossings WHERE gap_s IS NULL").fetchone()
    connection.close()
    assert nulls == (2,)


def test_columns_must_be_all_there(tmp_path: Path) -> None:
    with opened(tmp_path) as catalogue:
        run_id = with_run(catalogue)
        with pytest.raises(ValueError, match="light wants the columns"):
            catalogue.save_light(run_id, {"start_ns": np.array([1])})
        with pytest.raises(ValueError, match="no fields"):
            catalogue.update_run(run_id, colour="red")


def test_findings_come_back_as_they_were(tmp_path: Path) -> None:
    changes = SignalChanges(
        t_ns=np.array([1, 4]),
        signal_id=np.array(["s1", "s1"]),
        state=np.array([SignalState.RED, SignalState.GREEN], np.uint8),
        confidence=np.array([0.9, np.nan]),
    )
    light = {
        "start_ns": np.array([0]),
        "end_ns": np.array([9]),
        "light": np.array(["dusk"]),
        "surface": np.array(["unknown"]),
    }
    with opened(tmp_path) as catalogue:
        run_id = with_run(catalogue)
        fill(catalogue, run_id)
        catalogue.save_signal_changes(run_id, changes)
        catalogue.save_light(run_id, light)
        again = catalogue.signal_changes([run_id])
        assert again.signal_id.tolist() == ["s1", "s1"]
        np.testing.assert_array_equal(again.confidence, changes.confidence)
        assert catalogue.light([run_id])["light"].tolist() == ["dusk"]
        assert catalogue.track_labels([run_id]) == {run_id << 32: "veh_12"}
        (event,) = catalogue.events([run_id])
        assert event.values == an_event().values
        assert event.track_ids == (2, 1)
        assert np.isnan(event.place_m).all()
        (warned,) = catalogue.warnings([run_id])
        assert warned == Warned(code="gap", text="a gap", args={"gap_s": 2.5})
        assert catalogue.pictures([run_id]) == [a_picture(f"pictures/{run_id}.png")]
        assert catalogue.events([]) == []


def test_events_written_again_are_not_doubled(tmp_path: Path) -> None:
    with opened(tmp_path) as catalogue:
        run_id = with_run(catalogue)
        catalogue.save_events(run_id, [an_event()])
        catalogue.save_events(run_id, [an_event()])
        assert len(catalogue.events([run_id])) == 1


def test_evidence_is_found_by_event_in_published_runs_only(tmp_path: Path) -> None:
    file = StoredFile(
        content="evidence",
        path="evidence/1-0123456789abcdef.json",
        camera_id="north",
        run_id=1,
        rows=1,
        start_ns=0,
        end_ns=1,
        size_bytes=1,
        sha256="ab",
    )
    with opened(tmp_path) as catalogue:
        run_id = with_run(catalogue, publish=False)
        catalogue.save_events(run_id, [an_event()])
        catalogue.save_evidence(an_event().event_id, [file])
        assert catalogue.evidence_paths(an_event().event_id) == []
        catalogue.publish([run_id])
        assert catalogue.evidence_paths(an_event().event_id) == [file.path]


def test_a_folder_that_is_no_result_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is not a result folder"):
        opened(tmp_path / "nowhere", create=False)
    assert not (tmp_path / "nowhere").exists()
    foreign = sqlite3.connect(tmp_path / CATALOGUE_NAME)
    foreign.execute("CREATE TABLE theirs (x)")
    foreign.commit()
    foreign.close()
    with pytest.raises(StoreError, match="is not a Calmstreet catalogue"):
        opened(tmp_path)


def test_a_newer_catalogue_is_refused(tmp_path: Path) -> None:
    opened(tmp_path).close()
    newer = sqlite3.connect(tmp_path / CATALOGUE_NAME)
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(StoreError, match=r"newer Calmstreet .catalogue 99"):
        opened(tmp_path)


def test_a_damaged_catalogue_is_named(tmp_path: Path) -> None:
    (tmp_path / CATALOGUE_NAME).write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError, match="is damaged"):
        opened(tmp_path)


def test_a_locked_catalogue_is_named(tmp_path: Path) -> None:
    with opened(tmp_path) as catalogue:
        blocker = sqlite3.connect(tmp_path / CATALOGUE_NAME, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked by another program"):
            catalogue.save_site(a_site())
        blocker.close()


def test_one_analysis_at_a_time(tmp_path: Path) -> None:
    with (
        only_writer(tmp_path / "out"),
        pytest.raises(StoreError, match="being written by another analysis"),
        only_writer(tmp_path / "out"),
    ):
        pass
    with only_writer(tmp_path / "out"):
        assert (tmp_path / "out").is_dir()


def test_an_unknown_site_is_named(tmp_path: Path) -> None:
    with opened(tmp_path) as catalogue, pytest.raises(StoreError, match="knows no site abc"):
        catalogue.site("abc")
