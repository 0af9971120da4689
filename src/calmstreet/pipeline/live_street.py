"""The empty street of a live camera: gathered from the first minute of a run, kept blurred."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import CalmstreetError
from calmstreet.model.frame import Frame
from calmstreet.model.run import Run
from calmstreet.model.site import Site
from calmstreet.perception.detector import Detector
from calmstreet.pipeline.anchoring import reference_street
from calmstreet.pipeline.pictures import keep_background
from calmstreet.pipeline.seeing import SMALL_WIDTH_PX, first_look
from calmstreet.store.catalogue import Catalogue
from calmstreet.units import ns_from_s
from calmstreet.video.address import Address

__all__ = ["LiveStreet", "first_samples"]

SAMPLES = 15
EVERY_S = 4.0
FEWEST = 5


class LiveStreet:
    """Gathers colour pictures of one run and keeps their median, blurred, as its background."""

    def __init__(self, *, catalogue: Catalogue, site: Site, net: Detector | None) -> None:
        self._catalogue, self._site, self._net = catalogue, site, net
        self._pictures: list[NDArray[np.uint8]] = []
        self._due_ns = 0
        self._run: Run | None = None
        self.failed = 0

    def begin(self, run: Run) -> None:
        """Begin with a run; what was gathered of another one is forgotten."""
        self._run, self._pictures, self._due_ns = run, [], 0

    def take(self, frame: Frame) -> None:
        """Take the next frame of the run."""
        if self._run is None or frame.t_ns < self._due_ns:
            return
        self._due_ns = frame.t_ns + ns_from_s(EVERY_S)
        width_px = min(frame.width_px, SMALL_WIDTH_PX)
        height_px = max(1, round(frame.height_px * width_px / frame.width_px))
        self._pictures.append(frame.bgr(width_px, height_px))
        if len(self._pictures) >= SAMPLES:
            self.end()

    def end(self) -> None:
        """Keep the median of what came together, where that is enough, and forget the pictures."""
        run, pictures = self._run, self._pictures
        self._run, self._pictures = None, []
        if run is None or len(pictures) < FEWEST:
            return
        stack = np.stack(pictures)
        stack.partition(len(stack) // 2, axis=0)
        bgr = np.array(stack[len(stack) // 2])
        try:
            keep_background(self._catalogue, run, self._site, bgr, self._net)
        except CalmstreetError:
            self.failed += 1


def first_samples(
    catalogue: Catalogue, run: Run, site: Site, address: Address, site_file: Path | None
) -> NDArray[np.uint8] | None:
    """Return luma pictures (k, h, w) of the street for the motion eye, None where there are none.

    A file shows its own street; of another camera the last kept street of the same view is taken.
    """
    if address.is_file:
        return first_look(Path(address.path), run.width_px)[0]
    street = reference_street(catalogue, run, site, site_file)
    return None if street is None else street[None]
