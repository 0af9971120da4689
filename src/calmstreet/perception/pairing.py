"""Which boxes a track may take at all: near where it is expected, or on the way it went unseen.

The rules on top of ``association``: how far a track reaches, what kinds and sizes do not go
together, and which blobs hold several users and so tell of none.
"""

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.kinds import PEOPLE, VEHICLES, Kind
from calmstreet.perception import votes
from calmstreet.perception.association import (
    Pairs,
    near_pairs,
    overlaps,
    swept_pairs,
    touching,
)
from calmstreet.perception.lives import TrackerSettings
from calmstreet.perception.seen import Seen
from calmstreet.perception.table import TrackTable
from calmstreet.units import NS_PER_S

__all__ = ["near", "shared_blobs", "swept"]

Floats = NDArray[np.float64]

_GROUP = np.array([1 if k in PEOPLE else 2 if k in VEHICLES else 0 for k in Kind], np.uint8)
_STRANGERS = 1 ^ 2
_STRANGER = 0.6  # likeness of a person's box to a vehicle's track
_BLOB_SHARES = (0.4, 1.8)  # area of a blob in areas of the track that it may correct
_YOUNG_SHARE = 4.0  # the same while a blob is still coming into the picture
_ONCE = np.array(1.0)


def near(
    table: TrackTable,
    boxes: Floats,
    seen: Seen,
    limits_px: Floats,
    settings: TrackerSettings,
) -> Pairs:
    """Return the pairs of tracks and boxes that lie near enough and may go together.

    ``boxes`` (4, n) are those of the tracks, ``limits_px`` the border, see ``votes.borders``.
    """
    pairs = near_pairs(boxes, _reach_px(table, settings), seen.box)
    return _with_kinds(pairs, table, boxes, seen, limits_px)


def _reach_px(table: TrackTable, settings: TrackerSettings) -> Floats:
    """Return by how much boxes are widened in x and y, (2, n): by how unsure their place is.

    A track that was seen once has no speed yet: its cap is twice as wide.
    """
    once = table.tally[0] == _ONCE
    cap = table.size_px * settings.reach_sizes
    if True in once.tobytes():
        cap *= 1.0 + once
    reach = np.sqrt(table.state[1, :2])
    reach *= settings.reach_sigmas
    return np.minimum(reach, cap, out=reach)


def swept(
    table: TrackTable,
    rows: NDArray[np.intp],
    boxes: Floats,
    seen: Seen,
    columns: NDArray[np.intp],
    limits_px: Floats,
    t_ns: int,
) -> Pairs:
    """Return the pairs of lost tracks ``rows`` and left boxes ``columns`` on the tracks' ways."""
    gap_s = (t_ns - table.seen_ns[rows]) / NS_PER_S
    pairs = swept_pairs(
        boxes.take(rows, axis=1),
        table.rate[:2].take(rows, axis=1) * gap_s,
        table.size_px[rows],
        seen.box.take(columns, axis=1),
    )
    if not len(pairs.track):
        return pairs
    there = Pairs(rows[pairs.track], columns[pairs.detection], pairs.likeness)
    return _with_kinds(there, table, boxes, seen, limits_px)


def shared_blobs(table: TrackTable, boxes: Floats, seen: Seen) -> NDArray[np.bool_]:
    """Return which blobs hold two or more users of the net: such a blob tells of none."""
    shared = np.zeros(len(seen), np.bool_)
    blobs = np.flatnonzero(~seen.by_net)
    rows = np.flatnonzero(table.sure & (table.net_hits > 0))
    if len(blobs) and len(rows) > 1:
        users = boxes.take(rows, axis=1)
        i, j = touching(seen.box.take(blobs, axis=1), users)
        area = table.area_px2[rows]
        common = overlaps(seen.box.take(blobs[i], axis=1), users.take(j, axis=1))
        shared[blobs] = np.bincount(i, common > 0.5 * area[j], len(blobs)) > 1.5
    return shared


def _with_kinds(
    pairs: Pairs, table: TrackTable, boxes: Floats, seen: Seen, limits_px: Floats
) -> Pairs:
    """Return the pairs without blobs of another size, people and vehicles less alike.

    A blob may be much larger than a track that is young or still comes in over the border.
    """
    groups = _GROUP[table.kind][pairs.track] ^ _GROUP[seen.kind][pairs.detection]
    if _STRANGERS in groups.tobytes():
        likeness = np.where(groups == _STRANGERS, _STRANGER, 1.0) * pairs.likeness
        pairs = Pairs(pairs.track, pairs.detection, likeness)
    if seen.nets == len(seen):
        return pairs
    sides = seen.box[:2] + seen.box[2:]
    share = (sides[0] * sides[1])[pairs.detection] / table.area_px2[pairs.track]
    entering = votes.at_border(boxes, limits_px)
    young = ((table.net_hits == 0) & ~table.sure | entering)[pairs.track]
    fits = (share > _BLOB_SHARES[0]) & ((share < _BLOB_SHARES[1]) | young & (share < _YOUNG_SHARE))
    return pairs.where(seen.by_net[pairs.detection] | fits)
