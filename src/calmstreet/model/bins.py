"""Counts in time: what was seen in each slice of time, and for how long anybody watched."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.columns import checked, same_length

__all__ = ["Bins"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bins:
    """Rows of counts. Missing is not zero: a slice that nobody watched has exposure 0.

    ``what`` "gate:ID:to_left", "movement:FROM:TO" or "queue:ID"; ``kind`` uint8 of Kind;
    ``start_ns`` UTC ns; ``width_s`` one width for all rows; ``count`` float32; ``exposure_s``
    seconds really watched for this kind of measure; ``flags`` text such as "dusk;partial".
    """

    camera_id: str
    site_version: str
    width_s: float
    what: NDArray[np.str_]
    kind: NDArray[np.uint8]
    start_ns: NDArray[np.int64]
    count: NDArray[np.float32]
    exposure_s: NDArray[np.float32]
    flags: NDArray[np.str_]

    def __post_init__(self) -> None:
        columns = {
            "what": checked("what", self.what, np.str_),
            "kind": checked("kind", self.kind, np.uint8),
            "start_ns": checked("start_ns", self.start_ns, np.int64),
            "count": checked("count", self.count, np.float32),
            "exposure_s": checked("exposure_s", self.exposure_s, np.float32),
            "flags": checked("flags", self.flags, np.str_),
        }
        for name, column in columns.items():
            object.__setattr__(self, name, column)
        same_length(columns)

    def __len__(self) -> int:
        return len(self.start_ns)
