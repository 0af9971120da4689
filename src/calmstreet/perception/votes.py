"""What a track is: votes on its kind, whether it rides, whether it ever moved."""

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.kinds import HEIGHT_M, Kind
from calmstreet.perception.table import NEVER_NS, TrackTable

__all__ = [
    "at_border",
    "at_edge",
    "elected",
    "has_moved",
    "mark_riders",
    "run_clock",
    "shift_px",
    "vote",
]

_PERSON = np.uint8(Kind.PEDESTRIAN)  # comparing with the enum costs ten times as much
_EDGE_SHARE = 0.01
_RIDING_MPS = 3.5
_MOTORED_MPS = 9.0
_RIDING_NS = 2_000_000_000


def vote(
    table: TrackTable,
    kind: NDArray[np.uint8],
    score: NDArray[np.float64],
    voters: NDArray[np.bool_],
) -> None:
    """Add one vote per track that ``voters`` picks, in place, and count; ``unknown`` is no vote.

    A vote weighs as much as its score times the size of the box: who is near is seen better.
    """
    weight = score * table.size_px()
    weight *= voters & (kind > 0)
    n = len(kind)
    ballots = table.votes.reshape(-1)
    ballots[kind * np.intp(n) + np.arange(n)] += weight
    swayed = voters & (kind != table.kind)
    if np.count_nonzero(swayed):
        table.kind = table.votes.argmax(axis=0).astype(np.uint8)


def elected(table: TrackTable) -> NDArray[np.uint8]:
    """Return the Kind of every track: most votes, unknown without any; fast people ride."""
    if not np.count_nonzero(table.rider):
        return table.kind
    riding = (table.kind == _PERSON) & (table.rider > 0)
    return np.where(riding, table.rider, table.kind)


def run_clock(
    clock_ns: NDArray[np.int64], running: NDArray[np.bool_], t_ns: int
) -> NDArray[np.int64]:
    """Return clocks that started when ``running`` became true; NEVER_NS where it is not.

    >>> run_clock(np.array([5, NEVER_NS, 5]), np.array([True, True, False]), 9)[:2].tolist()
    [5, 9]
    """
    return np.where(running, np.minimum(clock_ns, t_ns), NEVER_NS)


def mark_riders(table: TrackTable, t_ns: int) -> None:
    """Turn people into riders who were faster than 3.5 m/s (9 m/s: motored) for 2 s, in place.

    Metres are those of a standing person: 1.7 m per box height.
    """
    if not np.count_nonzero(table.kind == _PERSON):
        return
    px_per_m = table.mean[3] / HEIGHT_M[Kind.PEDESTRIAN]
    speed_mps = np.hypot(table.rate[0], table.rate[1]) / px_per_m
    table.fast_ns = run_clock(table.fast_ns, speed_mps > _RIDING_MPS, t_ns)
    table.faster_ns = run_clock(table.faster_ns, speed_mps > _MOTORED_MPS, t_ns)
    since_ns = t_ns - _RIDING_NS
    table.rider[(table.fast_ns <= since_ns) & (table.rider == 0)] = Kind.BICYCLE
    table.rider[table.faster_ns <= since_ns] = Kind.MOTORCYCLE


def shift_px(
    then: NDArray[np.float64],
    now: NDArray[np.float64],
    frame_px: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return how far signed boxes (4, n) moved as a whole, (n,): what both opposite edges agree on.

    A box that is cut short by somebody in front moves one edge only: that is no movement. An edge
    that stays at the border of a picture of size ``frame_px`` says nothing: the other one speaks.

    >>> then = np.array([[20.0, 20, -30, -30], [20.0, 20, -30, -30], [20.0, 0, -30, -10]]).T
    >>> now = np.array([[23.0, 24, -33, -34], [20.0, 20, -25, -30], [20.0, 0, -30, -25]]).T
    >>> shift_px(then, now, np.array([100.0, 100.0])).tolist()
    [5.0, 0.0, 15.0]
    """
    moves = now - then
    low, high = moves[:2], -moves[2:]
    if frame_px is not None:
        edge = at_edge(then, frame_px) & at_edge(now, frame_px)
        low, high = np.where(edge[:2], high, low), np.where(edge[2:], low, high)
    agreed = np.minimum(np.abs(low), np.abs(high))
    agreed *= low * high > 0.0
    shift: NDArray[np.float64] = np.hypot(agreed[0], agreed[1])
    return shift


def at_edge(boxes: NDArray[np.float64], frame_px: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which sides of signed boxes (4, n) lie at the border of a picture of size (2,).

    >>> at_edge(np.array([[0.0, 5, -9, -20]]).T, np.array([20.0, 20.0])).ravel().tolist()
    [True, False, False, True]
    """
    limit = np.concatenate((_EDGE_SHARE * frame_px, (_EDGE_SHARE - 1.0) * frame_px))
    return np.asarray(boxes <= limit[:, None])


def at_border(boxes: NDArray[np.float64], frame_px: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which signed boxes (4, n) touch the border of a picture of size (2,).

    >>> at_border(np.array([[0.0, 5, -9, -9]]).T, np.array([20.0, 20.0])).tolist()
    [True]
    """
    edge = at_edge(boxes, frame_px)
    edge[:2] |= edge[2:]
    touch: NDArray[np.bool_] = edge[0] | edge[1]
    return touch


def has_moved(
    table: TrackTable, boxes: NDArray[np.float64], frame_px: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return which tracks are elsewhere than at birth: by a quarter of their size and by noise.

    A box that grew or shrank by half (straight towards a low camera, or away) has moved too.
    """
    size = table.size_px()
    born = table.born[:2] + table.born[2:]
    growth = size / np.sqrt(born[0] * born[1])
    far = shift_px(table.born, boxes, frame_px) > 0.25 * size + 2.0 * np.sqrt(table.var[0])
    moved: NDArray[np.bool_] = far | (growth > 1.6) | (growth < 0.5)
    return moved
