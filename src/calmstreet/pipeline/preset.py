"""For which time of a live run a camera had left the view that its gates were drawn on, as gaps.

Counts leave that time out gate by gate (``safety.withdrawn``); here is what the camera as a whole
was not watched for. A camera bumped by less than takes a gate or the measured ground out of use has
no gap.
"""

import numpy as np

from calmstreet.model.gap import Gap
from calmstreet.model.run import Run
from calmstreet.model.shifts import Shifts
from calmstreet.model.site import Site
from calmstreet.pipeline.planes import camera_plane
from calmstreet.safety.conflict_spells import unusable_spells
from calmstreet.safety.withdrawn import withdrawn_by

__all__ = ["EVERYTHING", "METRES", "preset_gaps"]

EVERYTHING = "counts+speeds+conflicts"
METRES = "speeds+conflicts"


def preset_gaps(shifts: Shifts, run: Run, site: Site) -> list[Gap]:
    """Return the gaps of a run from its shifts; ``run`` with the size of its pictures.

    "left-preset" where the street was found nowhere in the picture, "moved" where it was, but too
    far away for every gate, or for the ground that was measured.
    """
    if not len(shifts) or run.width_px <= 0:
        return []
    mine = site.of_camera(run.camera_id)
    plane = camera_plane(site, run.camera_id, width_px=run.width_px, height_px=run.height_px).plane
    withdrawn = withdrawn_by(shifts, mine, plane=plane)
    gone_ns = set(unusable_spells(shifts, plane=plane)[:, 0].tolist())
    gates = [gate.id for gate in mine.gates]
    gaps = []
    for start_ns, end_ns, found in zip(
        shifts.start_ns.tolist(), shifts.end_ns.tolist(), shifts.found.tolist(), strict=True
    ):
        out = withdrawn.place_id[withdrawn.start_ns == start_ns]
        none_left = not found or (bool(gates) and bool(np.isin(gates, out).all()))
        if not none_left and start_ns not in gone_ns:
            continue
        gap = Gap(
            camera_id=run.camera_id,
            start_ns=start_ns,
            end_ns=end_ns,
            reason="moved" if found else "left-preset",
            affects=EVERYTHING if none_left else METRES,
            note=_note(found=found, none_left=none_left),
        )
        gaps.append(gap)
    return gaps


def _note(*, found: bool, none_left: bool) -> str:
    if not found:
        return "the street was found nowhere in the picture"
    return "every gate lay elsewhere" if none_left else "the measured ground lay elsewhere"
