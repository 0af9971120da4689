"""Counting over stored points: the same for a video just analysed, an import and a new site."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import InputError
from calmstreet.model.flow import Flow, Withdrawn, no_withdrawn
from calmstreet.model.points import TrackPoints, no_points
from calmstreet.model.run import Run
from calmstreet.model.site import Site
from calmstreet.pipeline.planes import camera_plane
from calmstreet.safety.flow import FlowCounter
from calmstreet.safety.withdrawn import withdrawn_by
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.points import read_points, read_steps

__all__ = ["count_run", "step_blocks", "with_points"]

ROWS_PER_BLOCK = 50_000


def step_blocks(catalogue: Catalogue, run: Run) -> Iterator[tuple[NDArray[np.int64], TrackPoints]]:
    """Yield the stored run as blocks of whole steps: the steps' times and all rows in them."""
    steps = read_steps(catalogue.folder, catalogue.step_files(run.run_id))
    done = 0
    for points in read_points(
        catalogue.folder, catalogue.point_files(run.run_id), rows_per_block=ROWS_PER_BLOCK
    ):
        end = int(np.searchsorted(steps, points.t_ns[-1], side="right"))
        yield steps[done:end], points
        done = end
    if done < len(steps):
        yield steps[done:], no_points(camera_id=run.camera_id, run_id=run.run_id)


def with_points(catalogue: Catalogue, runs: Sequence[Run]) -> list[Run]:
    """Return the runs whose points are still there: a node removes them after some days.

    Raises InputError where none of them is.
    """
    kept = [r for r in runs if not r.analysed_frames or catalogue.step_files(r.run_id)]
    if runs and not kept:
        raise InputError(
            f"{catalogue.folder} holds counts and events alone: its points were removed after "
            "points_retention_days; take newer results, or a copy that has them"
        )
    return kept


def _withdrawn(catalogue: Catalogue, run: Run, site: Site) -> Withdrawn:
    """Return which gates and zones of a site the run's camera took out of use by moving."""
    shifts = catalogue.shifts([run.run_id])
    if not len(shifts) or not run.width_px:
        return no_withdrawn()
    found = camera_plane(site, run.camera_id, width_px=run.width_px, height_px=run.height_px)
    return withdrawn_by(shifts, site.of_camera(run.camera_id), plane=found.plane)


def count_run(catalogue: Catalogue, run: Run, site: Site) -> Flow:
    """Count one stored run under a site; a run that may not be counted has been watched never."""
    mine = site.of_camera(run.camera_id)
    counter = FlowCounter(
        site=mine,
        camera_id=run.camera_id,
        run_id=run.run_id,
        width_px=run.width_px,
        height_px=run.height_px,
        withdrawn=_withdrawn(catalogue, run, site),
    )
    if run.counted:
        for steps, points in step_blocks(catalogue, run):
            counter.update(steps, points)
    return counter.finish()
