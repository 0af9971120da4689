"""What the eyes saw in one frame."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.columns import checked, same_length
from calmstreet.model.kinds import Eye

__all__ = ["Detections", "no_detections"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Detections:
    """All boxes of one frame, every one with a score of 0.15 or more; users filter.

    ``box_px`` float32 (n, 4) left, top, right, bottom in picture pixels; ``score`` float32 (n,);
    ``kind`` uint8 (n,) of Kind; ``source`` uint8 (n,) of Eye; ``looked`` says which eyes looked
    at this frame: a user that the net did not find in a frame the net never saw is no miss.
    """

    camera_id: str
    t_ns: int
    box_px: NDArray[np.float32]
    score: NDArray[np.float32]
    kind: NDArray[np.uint8]
    source: NDArray[np.uint8]
    looked: Eye = Eye.BOTH

    def __post_init__(self) -> None:
        for name, dtype, width in _COLUMNS:
            object.__setattr__(self, name, checked(name, getattr(self, name), dtype, width))
        same_length({name: getattr(self, name) for name, _, _ in _COLUMNS})

    def __len__(self) -> int:
        return len(self.score)

    def __getitem__(self, index: Any) -> "Detections":
        """Return the rows that a mask, slice or index array picks."""
        return Detections(
            camera_id=self.camera_id,
            t_ns=self.t_ns,
            box_px=self.box_px[index],
            score=self.score[index],
            kind=self.kind[index],
            source=self.source[index],
            looked=self.looked,
        )


_COLUMNS: tuple[tuple[str, Any, int | None], ...] = (
    ("box_px", np.float32, 4),
    ("score", np.float32, None),
    ("kind", np.uint8, None),
    ("source", np.uint8, None),
)


def no_detections(*, camera_id: str, t_ns: int, looked: Eye = Eye.BOTH) -> Detections:
    """Return an empty set of detections.

    >>> len(no_detections(camera_id="north", t_ns=0))
    0
    """
    return Detections(
        camera_id=camera_id,
        t_ns=t_ns,
        box_px=np.empty((0, 4), np.float32),
        score=np.empty(0, np.float32),
        kind=np.empty(0, np.uint8),
        source=np.empty(0, np.uint8),
        looked=looked,
    )
