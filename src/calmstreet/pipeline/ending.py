"""How a watch ends: what was seen of the pictures is written down; how a stored run is judged."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from calmstreet.geometry.plane import Plane
from calmstreet.model.flow import Flow
from calmstreet.model.run import Run
from calmstreet.model.site import Site
from calmstreet.perception.detector import Detector
from calmstreet.pipeline import warned
from calmstreet.pipeline.anchoring import anchorage_notes
from calmstreet.pipeline.judging import judge_run
from calmstreet.pipeline.smoothing import smooth_run
from calmstreet.pipeline.watching import Tally, Watch
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.findings import Warned
from calmstreet.units import NS_PER_S

__all__ = ["Ended", "end_watch", "judge_ended"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A run as it ended, and what is to be said of it before it is judged."""

    run: Run
    notes: tuple[Warned, ...]


def end_watch(catalogue: Catalogue, run: Run, watch: Watch, *, net: Detector | None) -> Ended:
    """Close a watch; keep its figures, shifts, signal changes and light.

    ``run`` is the run with the state that it ends in and what else is known of it by now.
    """
    watch.close()
    tally, verdict = watch.tally, watch.quality.verdict()
    changes: dict[str, Any] = {
        "start_ns": tally.first_ns,
        "end_ns": max(tally.last_ns, run.end_ns),
        "state": run.state,
        "frames": tally.frames,
        "repeated_frames": tally.repeated,
        "analysed_frames": tally.analysed,
        "counted": verdict.countable,
        "delivered_fps": _delivered_fps(run, tally),
        "note": run.note,
    }
    run = replace(run, **changes)
    catalogue.update_run(run.run_id, **changes)
    catalogue.save_shifts(run.run_id, watch.seer.shifts_since(run.start_ns))
    if watch.lamps:
        catalogue.save_signal_changes(run.run_id, watch.lamps.finish())
    catalogue.save_light(run.run_id, watch.light.columns())
    notes = warned.of_run(run, verdict, dropped=watch.keeper.dropped, net=net)
    return Ended(run=run, notes=(*notes, *anchorage_notes(watch.seer.anchorage)))


def judge_ended(catalogue: Catalogue, run: Run, site: Site, plane: Plane | None) -> Flow:
    """Judge a run that ended, and smooth its rows where it has metres."""
    flow = judge_run(catalogue, run, site)
    if plane is not None:
        smooth_run(catalogue, run, plane)
    return flow


def _delivered_fps(run: Run, tally: Tally) -> float:
    """Return the rate of the file, else that of the run's own pictures; NaN for a single one."""
    if not np.isnan(run.delivered_fps) or tally.frames < 2:
        return run.delivered_fps
    return (tally.frames - 1) * NS_PER_S / (tally.last_ns - tally.first_ns)
