"""Whether a live picture shows anything: a frozen or covered one is a gap, not an empty street.

Looked at twice a second. A state counts when it has lasted for some seconds and ends with the first
picture that shows something again. A quiet street at night through a thrifty encoder may not change
by one grey level for seconds, so a picture must stand still for long before it is called frozen.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from calmstreet.units import ns_from_s

__all__ = ["PictureState"]

EVERY_S = 0.5
FROZEN_S = 30.0
OBSCURED_S = 2.0
LEAST_CONTRAST = 4.0
_WIDTH_PX = 640


@dataclass(slots=True, kw_only=True)
class _Spell:
    lasts_s: float
    since_ns: int | None = None

    def take(self, t_ns: int, holds: bool, before_ns: int) -> bool:
        """Take one look; return whether it has lasted long enough."""
        if not holds:
            self.since_ns = None
            return False
        self.since_ns = before_ns if self.since_ns is None else self.since_ns
        return t_ns - self.since_ns >= ns_from_s(self.lasts_s)


class PictureState:
    """Says of each picture "" or why nothing can be seen: "frozen" or "obscured"."""

    def __init__(self) -> None:
        self.reason = ""
        self._looked_ns: int | None = None
        self._luma: NDArray[np.uint8] | None = None
        self._frozen = _Spell(lasts_s=FROZEN_S)
        self._obscured = _Spell(lasts_s=OBSCURED_S)

    def update(self, t_ns: int, luma: NDArray[np.uint8]) -> str:
        """Take the next picture, luma uint8 (h, w); return why nothing is seen, "" if it is."""
        if self._looked_ns is not None and 0 <= t_ns - self._looked_ns < ns_from_s(EVERY_S):
            return self.reason
        before_ns = t_ns if self._looked_ns is None else self._looked_ns
        self._looked_ns = t_ns
        small = _small(luma)
        same = self._luma is not None and self._luma.shape == small.shape
        frozen = same and not cv2.absdiff(small, np.asarray(self._luma)).any()
        self._luma = small
        covered = float(cv2.meanStdDev(small)[1][0, 0]) < LEAST_CONTRAST
        is_frozen = self._frozen.take(t_ns, frozen, before_ns)
        is_covered = self._obscured.take(t_ns, covered, t_ns)
        self.reason = "obscured" if is_covered else "frozen" if is_frozen else ""
        return self.reason


def _small(luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return every so many-th pixel: whatever changes anywhere for seconds shows in them."""
    step = max(1, luma.shape[1] // _WIDTH_PX)
    return np.ascontiguousarray(luma[::step, ::step])
