"""What the signal heads showed: one row per change of state."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.columns import checked, same_length

__all__ = ["SignalChanges", "SignalState"]


class SignalState(IntEnum):
    """State of one signal head."""

    DARK = 0
    RED = 1
    RED_AMBER = 2
    AMBER = 3
    GREEN = 4
    FLASHING = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SignalChanges:
    """Changes of state: ``t_ns`` UTC ns, ``signal_id`` text, ``state``, ``confidence`` 0..1."""

    t_ns: NDArray[np.int64]
    signal_id: NDArray[np.str_]
    state: NDArray[np.uint8]
    confidence: NDArray[np.float32]

    def __post_init__(self) -> None:
        columns = {
            "t_ns": checked("t_ns", self.t_ns, np.int64),
            "signal_id": checked("signal_id", self.signal_id, np.str_),
            "state": checked("state", self.state, np.uint8),
            "confidence": checked("confidence", self.confidence, np.float32),
        }
        for name, column in columns.items():
            object.__setattr__(self, name, column)
        same_length(columns)

    def __len__(self) -> int:
        return len(self.t_ns)
