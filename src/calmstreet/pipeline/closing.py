"""Judges the ended runs of a live camera and shows them: counts, speeds, conflicts, events, bins.

``python -m calmstreet.pipeline.closing --config calmstreet.toml --camera ID`` does it for all runs
that wait, with low priority, while the camera goes on being watched. It is the same judgement as
``analyse`` and ``replay`` make. The events told while the run was on its way are compared with
those of the judgement; what the judgement does not confirm is removed and counted.
"""

import argparse
import fcntl
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from calmstreet.config.node import load_node
from calmstreet.errors import CalmstreetError
from calmstreet.model.event import Event
from calmstreet.model.run import Run
from calmstreet.model.site import site_from_json
from calmstreet.pipeline.anchoring import shifted_notes
from calmstreet.pipeline.binning import keep_run_bins
from calmstreet.pipeline.collected import distinct, kinds_not_observed
from calmstreet.pipeline.counting import step_blocks
from calmstreet.pipeline.ending import judge_ended
from calmstreet.pipeline.lines import tell_line
from calmstreet.pipeline.live_camera import results_folder
from calmstreet.pipeline.planes import camera_plane, length_alarm
from calmstreet.safety.learn_paths import PathLearner
from calmstreet.safety.paths import Paths, paths_from_json
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.folder import CATALOGUE_NAME, JUDGE_LOCK, write_whole
from calmstreet.store.points import recover

__all__ = ["Judged", "judge_waiting", "main", "newest_paths"]

NICE = 15
ONLY_AFTERWARDS = frozenset({"conflict", "speeding"})
"""Rules that need a whole run: their events are never told while it is on its way."""

_PATHS = "out/usual-paths.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What came of one run: its events, and ids that only one of both ways of judging found."""

    run_id: int
    steps: int = 0
    crossings: int = 0
    events: int = 0
    unconfirmed: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()
    failure: str = ""

    def row(self) -> dict[str, Any]:
        """Return it as a line of a log."""
        return {
            "judged": self.run_id,
            "steps": self.steps,
            "crossings": self.crossings,
            "events": self.events,
            "unconfirmed": len(self.unconfirmed),
            "untold": len(self.untold),
            **({"failure": self.failure} if self.failure else {}),
        }


def judge_waiting(
    catalogue: Catalogue, *, tell: Callable[[Judged], None] = lambda _: None
) -> list[Judged]:
    """Judge every ended run that is not shown yet; one that fails waits for the next time."""
    found = []
    for run in catalogue.runs(live=False):
        if run.state == "open":
            continue
        try:
            done = _judge(catalogue, run)
        except (CalmstreetError, ArithmeticError, ValueError, LookupError) as error:
            done = Judged(run_id=run.run_id, failure=f"{type(error).__name__}: {error}")
        found.append(done)
        tell(done)
    return found


def _judge(catalogue: Catalogue, run: Run) -> Judged:
    """Judge one run and show it; one without a step goes."""
    recover(catalogue.folder, catalogue.add_file, camera_id=run.camera_id, run_id=run.run_id)
    steps = sum(file.rows for file in catalogue.step_files(run.run_id))
    if not steps:
        catalogue.publish([], [run.run_id])
        return Judged(run_id=run.run_id)
    site = site_from_json(json.loads(catalogue.site(run.site_version)))
    told = catalogue.events([run.run_id])
    catalogue.drop_events(run.run_id, [event.event_id for event in told])
    plane = camera_plane(site, run.camera_id, width_px=run.width_px, height_px=run.height_px)
    flow = judge_ended(catalogue, run, site, plane.plane)
    notes = [*catalogue.warnings([run.run_id]), *plane.notes, *length_alarm(flow.crossings)]
    notes = distinct([*notes, *shifted_notes(catalogue.shifts([run.run_id]), flow)])
    catalogue.save_warnings(run.run_id, notes)
    keep_run_bins(catalogue, run, flow, site=site, not_seen=kinds_not_observed(notes))
    _keep_paths(catalogue, run)
    judged = catalogue.events([run.run_id])
    catalogue.publish([run.run_id])
    return Judged(
        run_id=run.run_id,
        steps=steps,
        crossings=len(flow.crossings),
        events=len(judged),
        unconfirmed=_only_in(told, judged),
        untold=_only_in(judged, told),
    )


def _only_in(some: Sequence[Event], others: Sequence[Event]) -> tuple[str, ...]:
    """Return the ids of the one that the other lacks, of rules that can tell at once."""
    known = {event.event_id for event in others}
    return tuple(
        event.event_id
        for event in some
        if event.event_id not in known and event.rule.split("/")[0] not in ONLY_AFTERWARDS
    )


def _keep_paths(catalogue: Catalogue, run: Run) -> None:
    """Keep the usual paths of a run for whoever watches the next one."""
    learner, metric = PathLearner(), False
    for _, points in step_blocks(catalogue, run):
        metric = metric or bool(np.isfinite(points.xy_m).all(axis=1).any())
        learner.update(points)
    if not metric:
        return
    text = learner.close().to_json()
    write_whole(catalogue.folder / _PATHS, lambda path: _write(path, text))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def newest_paths(folder: Path) -> Paths | None:
    """Return the usual paths of the run judged last, None where there are none that read."""
    path = folder / _PATHS
    try:
        return paths_from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return None


@contextmanager
def _only_judge(folder: Path) -> Iterator[bool]:
    """Hold the folder for one judge; False while another process judges it."""
    with (folder / JUDGE_LOCK).open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True


def main(arguments: Sequence[str] | None = None) -> None:
    """Judge the runs of one camera that wait; print a line of JSON for each."""
    parser = argparse.ArgumentParser(prog="calmstreet.pipeline.closing")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--camera", required=True)
    asked = parser.parse_args(arguments)
    os.nice(NICE)
    cv2.setNumThreads(1)
    folder = results_folder(load_node(asked.config), asked.config) / asked.camera
    if not (folder / CATALOGUE_NAME).is_file():
        return
    with _only_judge(folder) as mine, Catalogue.open(folder) as catalogue:
        if mine:
            judge_waiting(catalogue, tell=lambda judged: tell_line(**judged.row()))


if __name__ == "__main__":
    main()
