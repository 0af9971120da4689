"""What a track is: votes on its kind, whether it rides, whether it ever moved."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.kinds import HEIGHT_M, Kind
from calmstreet.perception.table import NEVER_NS, TrackTable

__all__ = [
    "at_border",
    "at_edge",
    "borders",
    "elected",
    "has_moved",
    "mark_riders",
    "run_clock",
    "shift_px",
    "vote",
]

_PERSON = int(Kind.PEDESTRIAN)
_UNKNOWN = int(Kind.UNKNOWN)
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

    A vote weighs as much as its ``score``, 0 of who is no voter, times the size of the box: who is
    near is seen better.
    """
    weight = score * table.size_px
    n = len(weight)
    if _UNKNOWN in kind.tobytes():
        weight *= kind > 0
    ballots = table.votes.reshape(-1)
    each, ramp = _places(n)
    ballots[kind * each + ramp] += weight
    swayed = voters & (kind != table.kind)
    if True in swayed.tobytes():
        table.kind = table.votes.argmax(axis=0).astype(np.uint8)


@lru_cache(maxsize=256)
def _places(n: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return ``n`` and 0 to n - 1, to find the place of a vote."""
    return np.array(n, np.intp), np.arange(n, dtype=np.intp)


def elected(table: TrackTable) -> NDArray[np.uint8]:
    """Return the Kind of every track: most votes, unknown without any; fast people ride."""
    if not table.rider.tobytes().strip(b"\0"):
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
    if _PERSON not in table.kind.tobytes():
        return
    px_per_m = table.mean[3] / HEIGHT_M[Kind.PEDESTRIAN]
    speed_mps = np.hypot(table.rate[0], table.rate[1]) / px_per_m
    table.fast_ns = run_clock(table.fast_ns, speed_mps > _RIDING_MPS, t_ns)
    table.faster_ns = run_clock(table.faster_ns, speed_mps > _MOTORED_MPS, t_ns)
    since_ns = t_ns - _RIDING_NS
    table.rider[(table.fast_ns <= since_ns) & (table.rider == 0)] = Kind.BICYCLE
    table.rider[table.faster_ns <= since_ns] = Kind.MOTORCYCLE


@lru_cache(maxsize=256)
def borders(width_px: int, height_px: int, n: int) -> NDArray[np.float64]:
    """Return the limits (4, n) under which sides of ``n`` signed boxes lie at the picture's border.

    One column would do, but comparing arrays of one shape costs a quarter.

    >>> borders(200, 100, 1).ravel().tolist()
    [2.0, 1.0, -198.0, -99.0]
    """
    frame_px = np.array([[width_px], [height_px]], np.float64)
    limits_px = np.concatenate((_EDGE_SHARE * frame_px, (_EDGE_SHARE - 1.0) * frame_px))
    return np.repeat(limits_px, n, axis=1)


def shift_px(
    then: NDArray[np.float64],
    now: NDArray[np.float64],
    limits_px: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return how far signed boxes (4, n) moved as a whole, (n,): what both opposite edges agree on.

    A box that is cut short by somebody in front moves one edge only: that is no movement. An edge
    that stays at the border of the picture, see ``borders``, says nothing: the other one speaks.

    >>> then = np.array([[20.0, 20, -30, -30], [20.0, 20, -30, -30], [20.0, 0, -30, -10]]).T
    >>> now = np.array([[23.0, 24, -33, -34], [20.0, 20, -25, -30], [20.0, 0, -30, -25]]).T
    >>> shift_px(then, now, borders(100, 100, 3)).tolist()
    [5.0, 0.0, 15.0]
    """
    moves = now - then
    low, high = moves[:2], -moves[2:]
    if limits_px is not None and True in (edge := at_edge(then, now, limits_px)).tobytes():
        low, high = np.where(edge[:2], high, low), np.where(edge[2:], low, high)
    agreed = np.minimum(np.abs(low), np.abs(high))
    agreed *= low * high > 0.0
    shift: NDArray[np.float64] = np.hypot(agreed[0], agreed[1])
    return shift


def at_edge(
    then: NDArray[np.float64], now: NDArray[np.float64], limits_px: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return which sides of signed boxes (4, n) lie at the border both ``then`` and ``now``.

    >>> at_edge(*np.array([[[0.0, 5, -9, -20]], [[0.0, 0, -9, -20]]]).transpose(0, 2, 1),
    ...         borders(20, 20, 1)).ravel().tolist()
    [True, False, False, True]
    """
    edge: NDArray[np.bool_] = np.maximum(then, now) <= limits_px
    return edge


def at_border(boxes: NDArray[np.float64], limits_px: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which signed boxes (4, n) touch the border of the picture, see ``borders``.

    >>> at_border(np.array([[0.0, 5, -9, -9]]).T, borders(20, 20, 1)).tolist()
    [True]
    """
    edge = boxes <= limits_px
    edge[:2] |= edge[2:]
    touch: NDArray[np.bool_] = edge[0] | edge[1]
    return touch


def has_moved(
    table: TrackTable, boxes: NDArray[np.float64], limits_px: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return which tracks are elsewhere than at birth: by a quarter of their size and by noise.

    A box that grew or shrank by half (straight towards a low camera, or away) has moved too.
    """
    size = table.size_px
    born = table.born[:2] + table.born[2:]
    growth = size / np.sqrt(born[0] * born[1])
    far = shift_px(table.born, boxes, limits_px) > 0.25 * size + 2.0 * np.sqrt(table.var[0])
    moved: NDArray[np.bool_] = far | (growth > 1.6) | (growth < 0.5)
    return moved
