"""The tracks of one camera as columns: one array per property, the last axis counts the tracks.

Boxes lie "signed", as left, top, -right, -bottom: growing, comparing with a border and cutting two
boxes are then one operation for all four sides. A step costs as many calls as it has operations,
so arrays are few, long and in place. For the same reason constants are arrays without axes where
every step meets them (a number is made into one at every call), and ``True in mask.tobytes()``
asks for any (a third of the cost of counting).
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["NEVER_NS", "TrackTable", "facing", "no_tracks", "signed", "unsigned"]

NEVER_NS = np.iinfo(np.int64).max
"""A time that never comes: the clock of a column is not running."""

_OTHER_SIDE = np.array([2, 3, 0, 1])
_HALF = np.array(0.5)


def signed(box_px: NDArray[Any]) -> NDArray[np.float64]:
    """Return boxes (n, 4) l, t, r, b as (4, n) l, t, -r, -b.

    >>> signed(np.array([[1.0, 2, 3, 4]])).ravel().tolist()
    [1.0, 2.0, -3.0, -4.0]
    """
    boxes = np.array(box_px.T, np.float64, order="C")
    np.negative(boxes[2:], out=boxes[2:])
    return boxes


def unsigned(boxes: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return signed boxes (4, n) as float32 (n, 4) l, t, r, b.

    >>> unsigned(signed(np.array([[1.0, 2, 3, 4]]))).tolist()
    [[1.0, 2.0, 3.0, 4.0]]
    """
    box_px = np.empty((boxes.shape[1], 4), np.float32)
    sides = box_px.T
    sides[:2] = boxes[:2]
    np.negative(boxes[2:], out=sides[2:], casting="same_kind")
    return box_px


def facing(boxes: NDArray[Any]) -> NDArray[Any]:
    """Return the opposite sides of signed boxes (4, n): r, b, -l, -t.

    Two boxes overlap where each side of one is less than the facing side of the other.

    >>> facing(np.array([[1.0], [2], [-3], [-4]])).ravel().tolist()
    [3.0, 4.0, -1.0, -2.0]
    """
    other: NDArray[Any] = boxes.take(_OTHER_SIDE, axis=0)
    np.negative(other, out=other)
    return other


@dataclass(slots=True, kw_only=True, eq=False)
class TrackTable:
    """All tracks that are alive, confirmed or not; the last axis has one place per track.

    ``state`` (5, 4, n): value, variance of it, rate per second, covariance of both, variance of the
    rate, of centre x, centre y, width, height in px; the first three also as ``mean``, ``var``,
    ``rate`` (4, n); ``area_px2`` of it and ``size_px``, the side of the square of equal area (the
    unit of gates and noise), as ``measure`` left them; ``born`` (4, n) first box, signed;
    ``match`` the row of its box at this step, -1 without one; ``votes`` (8, n) score per Kind;
    ``tally`` (3, n) sums: ``hits`` measurements, ``net_hits`` those of the net, ``trust`` in scores
    of the net; ``path_px`` length of the way while young, ``leap_px`` its longest step; ``score``
    the last; ``serial`` its number in the run; ``sure`` confirmed; ``shown_ns`` its last row;
    ``birth_ns``, ``seen_ns`` first and last measured instant; ``missed_ns`` the first look since
    that did not find it; ``slow_ns``, ``fast_ns``, ``faster_ns`` since when it is slow, rides,
    rides fast; ``twin_ns`` since when it looks like the double of another (all NEVER_NS while they
    do not run); ``looks_before`` how often the net had looked before it could see this one;
    ``kind`` with most votes; ``rider`` the Kind that a fast person became, or 0; ``moved`` has ever
    moved; ``beam`` looked like a vehicle's light before it was sure.
    """

    state: NDArray[np.float64]
    area_px2: NDArray[np.float64]
    size_px: NDArray[np.float64]
    born: NDArray[np.float64]
    votes: NDArray[np.float64]
    tally: NDArray[np.float64]
    path_px: NDArray[np.float64]
    leap_px: NDArray[np.float64]
    score: NDArray[np.float64]
    match: NDArray[np.intp]
    serial: NDArray[np.int64]
    shown_ns: NDArray[np.int64]
    birth_ns: NDArray[np.int64]
    seen_ns: NDArray[np.int64]
    missed_ns: NDArray[np.int64]
    slow_ns: NDArray[np.int64]
    fast_ns: NDArray[np.int64]
    faster_ns: NDArray[np.int64]
    twin_ns: NDArray[np.int64]
    looks_before: NDArray[np.int64]
    rider: NDArray[np.uint8]
    kind: NDArray[np.uint8]
    moved: NDArray[np.bool_]
    beam: NDArray[np.bool_]
    sure: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.serial)

    @property
    def mean(self) -> NDArray[np.float64]:
        """Return centre x, centre y, width, height, (4, n), a view."""
        view: NDArray[np.float64] = self.state[0]
        return view

    @property
    def rate(self) -> NDArray[np.float64]:
        """Return their rates per second, (4, n), a view."""
        view: NDArray[np.float64] = self.state[2]
        return view

    @property
    def var(self) -> NDArray[np.float64]:
        """Return the variances of the values, (4, n), a view."""
        view: NDArray[np.float64] = self.state[1]
        return view

    @property
    def hits(self) -> NDArray[np.float64]:
        """Return how often it was measured, (n,), a view."""
        view: NDArray[np.float64] = self.tally[0]
        return view

    @property
    def net_hits(self) -> NDArray[np.float64]:
        """Return how often the net saw it, (n,), a view."""
        view: NDArray[np.float64] = self.tally[1]
        return view

    @property
    def trust(self) -> NDArray[np.float64]:
        """Return the sum of the net's scores, (n,), a view."""
        view: NDArray[np.float64] = self.tally[2]
        return view

    def rows(self, index: NDArray[Any]) -> "TrackTable":
        """Return a table of the tracks that a mask or index array picks."""
        where = index.nonzero()[0] if index.dtype == np.bool_ else index
        return TrackTable(**{name: getattr(self, name).take(where, axis=-1) for name in _NAMES})

    def with_rows(self, other: "TrackTable") -> "TrackTable":
        """Return a table with the tracks of ``other`` behind."""
        return TrackTable(
            **{
                name: np.concatenate([getattr(self, name), getattr(other, name)], axis=-1)
                for name in _NAMES
            }
        )

    def measure(self) -> None:
        """Take area and size anew, after the state was changed."""
        mean = self.state[0]
        self.area_px2 = mean[2] * mean[3]
        self.size_px = np.sqrt(self.area_px2)

    def boxes(self) -> NDArray[np.float64]:
        """Return the boxes, (4, n), signed."""
        mean = self.state[0]
        boxes: NDArray[np.float64] = np.empty(mean.shape)
        centre, half, high = mean[:2], mean[2:] * _HALF, boxes[2:]
        np.subtract(centre, half, out=boxes[:2])
        np.add(centre, half, out=high)
        np.negative(high, out=high)
        return boxes


_NAMES = tuple(field.name for field in fields(TrackTable))
_SHAPES = {"state": (5, 4), "born": (4,), "votes": (8,), "tally": (3,)}
_TYPES: dict[str, Any] = {
    **dict.fromkeys(("serial", "looks_before"), np.int64),
    **dict.fromkeys(("rider", "kind"), np.uint8),
    **dict.fromkeys(("moved", "beam", "sure"), np.bool_),
    "match": np.intp,
}


def no_tracks(n: int = 0) -> TrackTable:
    """Return ``n`` blank tracks: numbers 0, clocks not running.

    >>> len(no_tracks()), int(no_tracks(2).missed_ns[0]) == NEVER_NS
    (0, True)
    """
    columns: dict[str, NDArray[Any]] = {}
    for name in _NAMES:
        if name.endswith("_ns"):
            columns[name] = np.full(n, NEVER_NS, np.int64)
        else:
            columns[name] = np.zeros((*_SHAPES.get(name, ()), n), _TYPES.get(name, np.float64))
    return TrackTable(**columns)
