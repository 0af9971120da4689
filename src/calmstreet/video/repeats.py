"""Frames that show the same as the one before: cameras that send every frame twice, frozen ones."""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["RepeatWatch"]

_SAMPLE_STEP = 8
_MOST_ROWS = 64
_SAME_MAX_LEVELS = 2
_SAME_MEAN_LEVELS = 0.05
_NEAR_MAX_LEVELS = 32
_NEAR_MEAN_LEVELS = 0.15
_NEAR_SHARE = 0.2
_USUAL_FADES = 0.7


class RepeatWatch:
    """Whether a picture has the same content as the last new one, by a sample of its luma.

    Exactly the same, or so much nearer to it than new pictures lately were to each other that only
    the encoder's second pass over the same content can be between them.
    """

    def __init__(self) -> None:
        self._last: NDArray[np.uint8] | None = None
        self._usual = 0.0

    def is_repeated(self, luma: NDArray[np.uint8]) -> bool:
        """Return whether this luma (h, w) repeats the last new picture; remember it if not.

        >>> watch = RepeatWatch()
        >>> [watch.is_repeated(np.full((64, 64), level, np.uint8)) for level in (9, 9, 90)]
        [False, True, False]
        """
        step = max(_SAMPLE_STEP, len(luma) // _MOST_ROWS)
        sample = np.ascontiguousarray(luma[step // 2 :: step, _SAMPLE_STEP // 2 :: _SAMPLE_STEP])
        last, self._last = self._last, sample
        if last is None or last.shape != sample.shape or not sample.size:
            return False
        apart = cv2.absdiff(sample, last)
        mean = float(cv2.mean(apart)[0])
        if mean < max(_SAME_MEAN_LEVELS, min(_NEAR_MEAN_LEVELS, _NEAR_SHARE * self._usual)):
            most = int(apart.max())
            near = mean < _NEAR_SHARE * self._usual and most <= _NEAR_MAX_LEVELS
            if near or most <= _SAME_MAX_LEVELS:
                self._last = last
                self._usual *= _USUAL_FADES
                return True
        self._usual += 0.5 * (mean - self._usual)
        return False
