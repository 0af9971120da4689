"""Parts of road users: a wing mirror or the edge of a roof that the motion eye took for somebody.

What has no name, is much smaller than a vehicle, lies in or at its box through nearly all of its
seen life and stays at the same place of it is a part of that vehicle. A pedestrian who walks along
a standing bus moves over its box and is nobody's part.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.kinds import VEHICLES, Kind
from calmstreet.model.points import TrackPoints

__all__ = ["Attachment", "hosts_of"]

_MARGIN_SHARE = 0.12
_INSIDE_SHARE = 0.5
_SMALL_SHARE = 0.25
_LIFE_SHARE = 0.8
_DRIFT_SHARE = 0.3
_VEHICLES = np.array(sorted(VEHICLES), np.uint8)

Array = NDArray[np.float64]


@dataclass(slots=True, kw_only=True)
class Attachment:
    """With whom one unnamed road user was seen: for each host, how often and where on its box."""

    rows: int = 0
    hosts: dict[int, tuple[int, Array, Array]] = field(default_factory=dict)

    def take(self, host: NDArray[np.int64], place: Array) -> None:
        """Take the next seen rows: host (n,) track or -1, place (n, 4) as ``hosts_of`` gives it."""
        self.rows += len(host)
        for track_id in np.unique(host[host >= 0]).tolist():
            mine = place[host == track_id]
            count, low, high = self.hosts.get(track_id, (0, mine[0], mine[0]))
            low, high = np.minimum(low, mine.min(axis=0)), np.maximum(high, mine.max(axis=0))
            self.hosts[track_id] = (count + len(mine), low, high)

    @property
    def is_part(self) -> bool:
        """Return whether it was a part of one and the same road user nearly all the time."""
        for count, low, high in self.hosts.values():
            # a box that leaves the picture shrinks from one side; the other tells
            drift = np.minimum(*np.split(high - low, 2))
            if count >= _LIFE_SHARE * self.rows and drift.max() <= _DRIFT_SHARE:
                return True
        return False


def hosts_of(rows: TrackPoints) -> tuple[NDArray[np.int64], Array]:
    """Return for each row (n,) the vehicle of its step at which it lies, -1 for none.

    The second is where its middle lies (n, 4): from left, top, right and bottom of the host's box,
    in sizes of that: its longer side, as a box at the border is cut. Only rows without a name are
    asked.
    """
    host, place = np.full(len(rows), -1, np.int64), np.full((len(rows), 4), np.nan)
    unnamed = np.flatnonzero(rows.kind == Kind.UNKNOWN)
    named = np.flatnonzero(np.isin(rows.kind, _VEHICLES))
    named = named[np.argsort(rows.t_ns[named], kind="stable")]
    if not len(unnamed) or not len(named):
        return host, place
    times = rows.t_ns[named]
    first = np.searchsorted(times, rows.t_ns[unnamed], side="left")
    count = np.searchsorted(times, rows.t_ns[unnamed], side="right") - first
    small = np.repeat(unnamed, count)
    begun = np.repeat(np.cumsum(count) - count, count)
    large = named[np.repeat(first, count) + np.arange(len(small)) - begun]
    box = rows.box_px.astype(np.float64)
    inside = _inside_share(box[small], box[large])
    size = (box[large, 2:] - box[large, :2]).max(axis=1)
    tiny = _area(box[small]) <= _SMALL_SHARE * size**2
    good = np.flatnonzero(tiny & (inside >= _INSIDE_SHARE))
    best = good[np.argsort(inside[good], kind="stable")]
    host[small[best]] = rows.track_id[large[best]]
    middle = (box[small[best], :2] + box[small[best], 2:]) / 2
    away = np.tile(middle, 2) - box[large[best]]
    place[small[best]] = away / np.maximum(size[best], 1e-6)[:, None]
    return host, place


def _area(box: Array) -> Array:
    return np.asarray((box[:, 2:] - box[:, :2]).prod(axis=1))


def _inside_share(small: Array, large: Array) -> Array:
    """Return the share of each box (n, 4) that lies in or next to another (n, 4).

    >>> _inside_share(np.array([[9.0, 0, 13, 4]]), np.array([[0.0, 0, 10, 10]])).round(2).tolist()
    [0.55]
    """
    margin = _MARGIN_SHARE * (large[:, 2:] - large[:, :2])
    low = np.maximum(small[:, :2], large[:, :2] - margin)
    high = np.minimum(small[:, 2:], large[:, 2:] + margin)
    common = np.maximum(high - low, 0.0).prod(axis=1)
    return np.asarray(common / np.maximum(_area(small), 1e-9))
