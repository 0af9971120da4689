"""The empty street of a live camera: gathered from the first minute of a run, kept blurred."""

from functools import lru_cache
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
from calmstreet.video.source import probe

__all__ = ["LiveStreet", "file_samples", "street_sample"]

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


@lru_cache(maxsize=1)
def file_samples(address: Address) -> NDArray[np.uint8]:
    """Return luma pictures (k, h, w) of the street that a file shows, read once."""
    path = Path(address.path)
    return first_look(path, probe(path).width_px)[0]


def street_sample(
    catalogue: Catalogue, run: Run, site: Site, site_file: Path | None
) -> NDArray[np.uint8] | None:
    """Return the last kept street of the same view, luma (1, h, w); None where there is none."""
    street = reference_street(catalogue, run, site, site_file)
    return None if street is None else street[None]
