"""kill -9 of the nightly work: the next night ends with what one undisturbed night gives."""

import multiprocessing
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
from tests.pipeline.test_nightly import DAY_NS, MONDAY_NS, USUAL, a_node, kept, night
from tests.store.rows import a_step
from tests.store.test_catalogue import an_event
from tests.store.test_evidence import some_evidence

from calmstreet.clock import FakeClock
from calmstreet.pipeline.counting import with_points
from calmstreet.pipeline.nightly import run_node_nightly
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.checking import check_folder
from calmstreet.store.evidence import write_evidence
from calmstreet.store.points import PointWriter
from calmstreet.units import NS_PER_S


def one_night(config: Path) -> None:
    """Do the nightly work of the sixth day; the process that runs it is killed."""
    run_node_nightly(
        config,
        clock=FakeClock(start_ns=MONDAY_NS + 6 * DAY_NS + 1),
        outlook=False,
        progress=lambda _, __: None,
    )


def with_points_of(config: Path, *, days: int) -> None:
    """Give the run of each day points, an event and its evidence; keep points for two days."""
    text = config.read_text(encoding="utf-8")
    config.write_text("[node]\npoints_retention_days = 2\n" + text, encoding="utf-8")
    with Catalogue.open(config.parent / "results" / "north") as catalogue:
        for run in catalogue.runs():
            writer = PointWriter(
                folder=catalogue.folder,
                camera_id="north",
                run_id=run.run_id,
                on_file=catalogue.add_file,
            )
            for k in range(3):
                t_ns = run.start_ns + k * NS_PER_S
                writer.append(t_ns, a_step(t_ns, rows=20, run_id=run.run_id))
            writer.close()
            catalogue.update_run(run.run_id, analysed_frames=3)
            event = replace(
                an_event(),
                event_id=f"{run.run_id:016x}",
                start_ns=run.start_ns,
                end_ns=run.start_ns + NS_PER_S,
            )
            catalogue.save_events(run.run_id, [event])
            rows = a_step(run.start_ns, rows=2, run_id=run.run_id)
            excerpt = replace(some_evidence(), event=event, points=rows)
            catalogue.save_evidence(event.event_id, write_evidence(catalogue.folder, excerpt))
        assert len(catalogue.runs()) == days


def left(config: Path) -> list[tuple[bool, int, int]]:
    """Return for each run whether its points are there, its bins, its events."""
    folder = config.parent / "results" / "north"
    with Catalogue.open(folder) as catalogue:
        assert not check_folder(catalogue, level="hash").faults
        runs = catalogue.runs()
        points = sum(len(catalogue.point_files(run.run_id)) for run in runs)
        assert len(list((folder / "points").rglob("*.parquet"))) == points, "no file without row"
        kept = [run.run_id for run in with_points(catalogue, runs)]
        return [
            (
                run.run_id in kept,
                sum(map(len, catalogue.bins([run.run_id]))),
                len(catalogue.events([run.run_id])),
            )
            for run in runs
        ]


def test_points_go_after_their_days_whoever_kills_the_night(tmp_path: Path) -> None:
    config = a_node(tmp_path, [*USUAL, (900, 205)])
    with_points_of(config, days=6)
    killed_nights(config, kills=4)
    night(config, 6)
    once = left(config)
    assert once == [(False, 2, 1)] * 4 + [(True, 2, 1)] * 2
    night(config, 6)
    assert left(config) == once
    folder = config.parent / "results" / "north"
    assert len(list((folder / "evidence").rglob("*.parquet"))) >= 6, "what events rest on stays"


def killed_nights(config: Path, *, kills: int) -> None:
    """Begin nights and kill each at a random moment."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.test_night"])
    for longest_s in np.random.default_rng(3).uniform(0.01, 0.4, kills).tolist():
        process = context.Process(target=one_night, args=(config,), daemon=True)
        process.start()
        process.join(timeout=longest_s)
        process.kill()
        process.join()
        process.close()


def test_kill_9_of_the_nightly_work(tmp_path: Path) -> None:
    config = a_node(tmp_path, [*USUAL, (900, 205)], gap_h=1.0)
    shutil.copytree(tmp_path, tmp_path.with_name("undisturbed"))
    night(tmp_path.with_name("undisturbed") / "calmstreet.toml", 6)
    wanted = kept(tmp_path.with_name("undisturbed"))
    killed_nights(config, kills=6)
    night(config, 6)
    assert kept(tmp_path) == wanted
