"""What may be kept: blurred pictures and blurred segments, nothing else."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["BlurredFrame", "Segment"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BlurredFrame:
    """A picture in which nobody can be recognised. Only ``calmstreet.video.blur`` builds one.

    ``bgr`` is uint8 (height, width, 3); ``scale`` is stored pixels per camera pixel.
    """

    camera_id: str
    t_ns: int
    bgr: NDArray[np.uint8]
    scale: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stored piece of blurred video: where it lies, when it ran, its size and SHA-256."""

    segment_id: int
    camera_id: str
    start_ns: int
    end_ns: int
    path: str
    size_bytes: int
    sha256: str
