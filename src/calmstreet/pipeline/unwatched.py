"""For which time of a stored run nobody watched for speeds or conflicts: its partial gaps.

What falls into them counts nowhere, as the time does: a rate is events in exposure over exposure.
"""

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.gap import Gap
from calmstreet.model.run import Run
from calmstreet.model.site import Site
from calmstreet.model.speeds import GateSpeeds
from calmstreet.pipeline.exposure import coarse_gap
from calmstreet.pipeline.planes import camera_plane
from calmstreet.pipeline.preset import preset_gaps
from calmstreet.safety.speeds import speeds_without
from calmstreet.store.catalogue import LIVE_CAMERA, Catalogue

__all__ = ["copy_gaps", "speeds_in_exposure", "unwatched_ns"]

_REASONS = {"coarse": "coarse", "left-preset": "camera-moved", "moved": "camera-moved"}
_OF_THE_SITE = frozenset({"coarse", "left-preset", "moved"})
_SLOW = "slow-rate"


def _gaps(catalogue: Catalogue, run: Run, measure: str) -> list[Gap]:
    gaps = catalogue.gaps(run.camera_id, start_ns=run.start_ns, end_ns=run.end_ns)
    return [gap for gap in gaps if measure in gap.affects.split("+")]


def unwatched_ns(catalogue: Catalogue, run: Run, *, measure: str) -> NDArray[np.int64]:
    """Return the spells (n, 2), UTC ns, whose exposure of "speeds" or "conflicts" is missing."""
    found = [(gap.start_ns, gap.end_ns) for gap in _gaps(catalogue, run, measure)]
    return np.array(found, np.int64).reshape(-1, 2)


def speeds_in_exposure(catalogue: Catalogue, run: Run, speeds: GateSpeeds) -> GateSpeeds:
    """Return the speeds with those withheld, and why, that were measured while nobody watched."""
    for gap in _gaps(catalogue, run, "speeds"):
        because = _REASONS.get(gap.reason, _SLOW)
        speeds = speeds_without(speeds, start_ns=gap.start_ns, end_ns=gap.end_ns, because=because)
    return speeds


def copy_gaps(source: Catalogue, target: Catalogue, run: Run, *, site: Site) -> None:
    """Give a folder that a run is replayed into what the run's own folder says of its gaps.

    What the gates and the plane decide is asked of ``site`` anew; for that the camera's shifts must
    have been copied.
    """
    for gap in source.gaps(run.camera_id, start_ns=run.start_ns, end_ns=run.end_ns):
        if gap.reason not in _OF_THE_SITE:
            target.save_gap(gap)
    if not source.fact(LIVE_CAMERA) or run.width_px <= 0:
        return
    for gap in preset_gaps(target.shifts([run.run_id]), run, site):
        target.save_gap(gap)
    plane = camera_plane(site, run.camera_id, width_px=run.width_px, height_px=run.height_px).plane
    coarse = coarse_gap(run.camera_id, plane, start_ns=run.start_ns, end_ns=run.end_ns)
    if coarse is not None:
        target.save_gap(coarse)
