"""Which picture a run is registered to, and what is to be said when its camera moved."""

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import InputError
from calmstreet.model.flow import Flow
from calmstreet.model.run import Run
from calmstreet.model.shifts import Shifts
from calmstreet.model.site import Gate, Site
from calmstreet.pipeline.pictures import load_picture
from calmstreet.pipeline.warned import warn
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.findings import Warned
from calmstreet.units import NS_PER_S, to_iso
from calmstreet.video.anchorage import Anchorage

__all__ = ["anchorage_notes", "gate_notes", "reference_street", "shifted_notes", "withdrawn_s"]

SAME_SHAPE_SHARE = 0.02


def reference_street(
    catalogue: Catalogue, run: Run, site: Site, site_file: Path | None
) -> NDArray[np.uint8] | None:
    """Return the luma (h, w) of the street on which a camera's gates were drawn, None for none.

    That is the camera's ``reference`` beside the site file, else the empty street of the first run
    that is kept here of the same camera and site, if it was not moved itself. Raises InputError.
    """
    named = [camera.reference for camera in site.cameras if camera.id == run.camera_id]
    if site_file is not None and any(named):
        return _read(site_file.parent / named[0], run, site_file)
    first = _first_run(catalogue, run)
    if first is None:
        return None
    stored = [p for p in catalogue.pictures([first.run_id]) if p.what == "background"]
    if not stored:
        return None
    return _grey(load_picture(catalogue.folder / stored[0].path))


def _first_run(catalogue: Catalogue, run: Run) -> Run | None:
    """Return the first published run of the same view whose camera rested throughout."""
    same = [
        other
        for other in catalogue.runs()
        if (other.camera_id, other.site_version) == (run.camera_id, run.site_version)
        and (other.width_px, other.height_px) == (run.width_px, run.height_px)
        and other.counted
    ]
    still = [other for other in same if not len(catalogue.shifts([other.run_id]))]
    return min(still, key=lambda other: other.start_ns, default=None)


def _read(path: Path, run: Run, site_file: Path) -> NDArray[np.uint8]:
    bgr = cv2.imread(str(path), cv2.IMREAD_COLOR) if path.is_file() else None
    if bgr is None:
        raise InputError(
            f'{site_file}: [[camera]] "{run.camera_id}" reference: {path} is no picture that can '
            "be read; name the PNG on which the gates were drawn, or leave the key out"
        )
    ratio = (bgr.shape[1] / bgr.shape[0]) / (run.width_px / run.height_px)
    if abs(ratio - 1) > SAME_SHAPE_SHARE:
        raise InputError(
            f'{site_file}: [[camera]] "{run.camera_id}" reference: {path} is {bgr.shape[1]} x '
            f"{bgr.shape[0]}, the video {run.width_px} x {run.height_px}; "
            "take a picture of the same shape"
        )
    return _grey(np.asarray(bgr, np.uint8))


def _grey(bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), np.uint8)


def anchorage_notes(anchorage: Anchorage) -> list[Warned]:
    """Return what is to be said of one run's camera that swayed or could not be compared."""
    notes = []
    if anchorage.sway_px > 0:
        notes.append(warn("camera-sways", pixels=round(anchorage.sway_px, 1)))
    if anchorage.compared is False:
        notes.append(warn("camera-not-compared"))
    return notes


def shifted_notes(shifts: Shifts, flow: Flow) -> list[Warned]:
    """Return a sentence where the camera moved and no gate went out of use by that."""
    return [warn("camera-shifted")] if len(shifts) and not len(flow.withdrawn) else []


def gate_notes(flows: Iterable[Flow], gates: Iterable[Gate], *, tz: str | None) -> list[Warned]:
    """Return a sentence for every gate that was out of use: which, since when, for how long."""
    every = list(flows)
    notes = []
    for gate in gates:
        mine = [flow for flow in every if flow.camera_id == gate.camera_id]
        gone_s = sum(withdrawn_s(flow, gate.id) for flow in mine)
        if gone_s > 0:
            spells = [flow.withdrawn.spells_of(gate.id) for flow in mine]
            first_ns = min(int(spell[0, 0]) for spell in spells if len(spell))
            start = to_iso(first_ns, tz) if tz else f"{first_ns / NS_PER_S:.1f} s"
            notes.append(warn("camera-moved", gate=gate.id, start=start, seconds=round(gone_s, 1)))
    return notes


def withdrawn_s(flow: Flow, place_id: str) -> float:
    """Return for how many of the watched seconds a gate or zone could not be used."""
    total_ns = 0
    for start_ns, end_ns in flow.withdrawn.spells_of(place_id).tolist():
        for from_ns, until_ns in flow.watched_ns.tolist():
            total_ns += max(0, min(end_ns, until_ns) - max(start_ns, from_ns))
    return total_ns / NS_PER_S
