"""The tracks of one camera as columns: one array per property, one row per track."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["NEVER_NS", "TrackTable", "no_tracks"]

NEVER_NS = np.iinfo(np.int64).max
"""A time that never comes: the clock of a column is not running."""


@dataclass(slots=True, kw_only=True, eq=False)
class TrackTable:
    """All tracks that are alive, confirmed or not; every column has one row per track.

    ``mean`` (n, 4) centre x, centre y, width, height in px and ``rate`` (n, 4) the same per
    second, with variances ``var``, ``cov``, ``var_rate`` (n, 4) per axis; ``born_px`` (n, 4)
    first box l, t, r, b, ``last_px`` (n, 4) the last one as ``last_eye`` saw it; ``votes`` (n, 8)
    score per Kind; ``path_px`` length of the way; ``trust`` sum of the net's scores; ``score``
    the last; ``serial`` its number in the run; ``sure`` confirmed; ``shown_ns`` its last row;
    ``birth_ns``, ``seen_ns`` first and last measured instant; ``missed_ns`` the first look since
    that did not find it; ``slow_ns``, ``fast_ns``, ``faster_ns`` since when it is slow, rides,
    rides fast; ``twin_ns`` since when it looks like the double of another (all NEVER_NS while
    they do not run); ``hits`` measurements; ``net_hits`` those of the net in ``net_looks``;
    ``kind`` with most votes; ``rider`` the Kind that a fast person became, or 0; ``moved`` has
    ever moved.
    """

    mean: NDArray[np.float64]
    rate: NDArray[np.float64]
    var: NDArray[np.float64]
    cov: NDArray[np.float64]
    var_rate: NDArray[np.float64]
    born_px: NDArray[np.float64]
    last_px: NDArray[np.float64]
    votes: NDArray[np.float64]
    path_px: NDArray[np.float64]
    trust: NDArray[np.float64]
    score: NDArray[np.float64]
    serial: NDArray[np.int64]
    shown_ns: NDArray[np.int64]
    birth_ns: NDArray[np.int64]
    seen_ns: NDArray[np.int64]
    missed_ns: NDArray[np.int64]
    slow_ns: NDArray[np.int64]
    fast_ns: NDArray[np.int64]
    faster_ns: NDArray[np.int64]
    twin_ns: NDArray[np.int64]
    hits: NDArray[np.int64]
    net_hits: NDArray[np.int64]
    net_looks: NDArray[np.int64]
    last_eye: NDArray[np.uint8]
    rider: NDArray[np.uint8]
    kind: NDArray[np.uint8]
    moved: NDArray[np.bool_]
    sure: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.serial)

    def rows(self, index: Any) -> "TrackTable":
        """Return a table of the rows that a mask or index array picks."""
        return TrackTable(**{name: getattr(self, name)[index] for name in _NAMES})

    def with_rows(self, other: "TrackTable") -> "TrackTable":
        """Return a table with the rows of ``other`` below."""
        return TrackTable(
            **{name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in _NAMES}
        )

    def boxes_px(self) -> NDArray[np.float64]:
        """Return the boxes, (n, 4) left, top, right, bottom."""
        half = self.mean[:, 2:] * 0.5
        return np.concatenate([self.mean[:, :2] - half, self.mean[:, :2] + half], axis=1)

    def size_px(self) -> NDArray[np.float64]:
        """Return the side of the square of equal area, (n,): the unit of gates and noise."""
        size: NDArray[np.float64] = np.sqrt(self.mean[:, 2] * self.mean[:, 3])
        return size


_NAMES = tuple(field.name for field in fields(TrackTable))
_WIDE = {"mean": 4, "rate": 4, "var": 4, "cov": 4, "var_rate": 4, "born_px": 4, "last_px": 4}
_WIDE["votes"] = 8
_WHOLE = frozenset({"serial", "hits", "net_hits", "net_looks"})


def no_tracks(n: int = 0) -> TrackTable:
    """Return ``n`` blank rows: numbers 0, clocks not running.

    >>> len(no_tracks()), int(no_tracks(2).missed_ns[0]) == NEVER_NS
    (0, True)
    """
    columns: dict[str, NDArray[Any]] = {}
    for name in _NAMES:
        if name.endswith("_ns"):
            columns[name] = np.full(n, NEVER_NS, np.int64)
        elif name in _WHOLE:
            columns[name] = np.zeros(n, np.int64)
        else:
            columns[name] = np.zeros((n, _WIDE[name]) if name in _WIDE else n)
    for name in ("last_eye", "rider", "kind"):
        columns[name] = np.zeros(n, np.uint8)
    columns["moved"], columns["sure"] = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    return TrackTable(**columns)
