"""When a camera looked elsewhere than where its gates were drawn: lasting shifts of a run."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.columns import checked, same_length

__all__ = ["Shifts", "no_shifts"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shifts:
    """One row per spell in which the camera rested elsewhere, sorted by time, without overlap.

    ``start_ns``, ``end_ns`` UTC ns; ``matrix`` float64 (n, 3, 3) sends picture pixels as they were
    seen to those of the reference picture; NaN where the street was found nowhere in the picture.
    """

    start_ns: NDArray[np.int64]
    end_ns: NDArray[np.int64]
    matrix: NDArray[np.float64]

    def __post_init__(self) -> None:
        matrix = np.asarray(self.matrix, np.float64).reshape(-1, 3, 3)
        columns = {
            "start_ns": checked("start_ns", self.start_ns, np.int64),
            "end_ns": checked("end_ns", self.end_ns, np.int64),
        }
        same_length({**columns, "matrix": matrix})
        for name, column in {**columns, "matrix": matrix}.items():
            object.__setattr__(self, name, column)

    def __len__(self) -> int:
        return len(self.start_ns)

    @property
    def found(self) -> NDArray[np.bool_]:
        """Return bool (n,): where the street was found."""
        return np.asarray(np.isfinite(self.matrix).all(axis=(1, 2)))


def no_shifts() -> Shifts:
    """Return the shifts of a camera that never moved.

    >>> len(no_shifts())
    0
    """
    empty = np.empty(0, np.int64)
    return Shifts(start_ns=empty, end_ns=empty, matrix=np.empty((0, 3, 3)))
