"""What may be kept: blurred pictures and blurred segments, nothing else."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["PURPOSES", "BlurredFrame", "FinishedFile", "Segment"]


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
class FinishedFile:
    """A file of blurred pictures that lies whole on the disk but has no row yet.

    ``start_ns`` and ``end_ns`` are the times of the first and the last of its ``pictures``.
    """

    path: Path
    start_ns: int
    end_ns: int
    pictures: int
    size_bytes: int
    sha256: str


PURPOSES: tuple[str, ...] = ("tracks", "event", "audit", "continuous")
"""What blurred video is kept for: with tracks drawn in, an event, an audit, all the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stored piece of blurred video: where it lies, when it ran, its size and SHA-256.

    ``purpose`` is one of PURPOSES, ``event_id`` "" where it shows none; ``locked`` evidence is
    never removed; ``expires_ns`` None: not by itself.
    """

    segment_id: int
    camera_id: str
    start_ns: int
    end_ns: int
    path: str
    size_bytes: int
    sha256: str
    purpose: str = "tracks"
    event_id: str = ""
    locked: bool = False
    expires_ns: int | None = None

    @property
    def stream(self) -> str:
        """Return which stream of the camera it was cut from, "main" or "sub".

        >>> Segment(segment_id=1, camera_id="a", start_ns=0, end_ns=1, path="x/event-0-1-main.mp4",
        ...         size_bytes=1, sha256="").stream
        'main'
        """
        return "main" if self.path.endswith("-main.mp4") else "sub"
