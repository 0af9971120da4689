"""kill -9 of the nightly work: the next night ends with what one undisturbed night gives."""

import multiprocessing
import shutil
from pathlib import Path

import numpy as np
from tests.pipeline.test_nightly import DAY_NS, MONDAY_NS, USUAL, a_node, kept, night

from calmstreet.clock import FakeClock
from calmstreet.pipeline.nightly import run_node_nightly


def one_night(config: Path) -> None:
    """Do the nightly work of the sixth day; the process that runs it is killed."""
    run_node_nightly(
        config,
        clock=FakeClock(start_ns=MONDAY_NS + 6 * DAY_NS + 1),
        outlook=False,
        progress=lambda _, __: None,
    )


def test_kill_9_of_the_nightly_work(tmp_path: Path) -> None:
    config = a_node(tmp_path, [*USUAL, (900, 205)], gap_h=1.0)
    shutil.copytree(tmp_path, tmp_path.with_name("undisturbed"))
    night(tmp_path.with_name("undisturbed") / "calmstreet.toml", 6)
    wanted = kept(tmp_path.with_name("undisturbed"))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.test_night"])
    for longest_s in np.random.default_rng(3).uniform(0.01, 0.4, 6).tolist():
        process = context.Process(target=one_night, args=(config,), daemon=True)
        process.start()
        process.join(timeout=longest_s)
        process.kill()
        process.join()
        process.close()
    night(config, 6)
    assert kept(tmp_path) == wanted
