"""Who crossed a gate, and when: passages with hysteresis, once per pass.

Crossings are decided by topology, not by nearness: between two places where a user is clear of
the gate (by the hysteresis, sideways), the passages through the finite polyline are added up with
their signs. One left over is one crossing; waiting and trembling on the line add up to nothing.
The gate's prolongation beyond its ends never counts, but whoever comes back around an end before
he was clear has not crossed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calmstreet.geometry.shapes import Hits, Line, clear_of, steps_through

__all__ = ["Pass", "PassState", "crossings", "settle_through"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One crossing: ``direction`` +1 to the left, -1 to the right, and its interpolated time."""

    direction: int
    t_ns: int
    note: Any = None


@dataclass(slots=True, kw_only=True)
class PassState:
    """What must be remembered of one road user at one gate between two clear places.

    ``origin`` says that the user was clear of the gate once (or came in over the picture's
    border); ``net`` sums the passages through the gate, ``net_all`` also those through the
    prolongations: it tells whether the user really is on another side.
    """

    origin: bool = False
    net: int = 0
    net_all: int = 0
    to_left: Pass | None = None
    to_right: Pass | None = None

    @property
    def pending(self) -> bool:
        """Return True when a passage waits for its verdict."""
        return self.net != 0 or self.net_all != 0

    def passage(self, *, direction: int, own: bool, t_ns: int, note: Any = None) -> None:
        """Note one passage; ``note`` is carried into the verdict untouched."""
        self.net_all += direction
        if not own:
            return
        self.net += direction
        found = Pass(direction=direction, t_ns=t_ns, note=note)
        if direction > 0:
            self.to_left = found
        else:
            self.to_right = found

    def settle(self) -> Pass | None:
        """Return the crossing when the user is clear again, if it is one; begin anew.

        The time is that of the last passage in the direction of the crossing.
        """
        crossed = self.origin and self.net * self.net_all > 0
        found = (self.to_left if self.net > 0 else self.to_right) if crossed else None
        self.origin, self.net, self.net_all = True, 0, 0
        self.to_left = self.to_right = None
        return found


def crossings(
    line: Line, *, t_ns: ArrayLike, points: ArrayLike, hysteresis: ArrayLike
) -> list[Pass]:
    """Return every crossing of one trajectory: times int64 (n,), points (n, 2).

    ``hysteresis`` is one number or (n,), in the unit of the points. The user must be seen clear of
    the line before and after the crossing.

    >>> from calmstreet.geometry.shapes import make_line
    >>> gate = make_line([(0, 0), (0, -10)])
    >>> path = [(5, -5), (-1, -5), (1, -5), (-5, -5)]
    >>> [(p.direction, p.t_ns) for p in crossings(gate, t_ns=[0, 6, 8, 12], points=path,
    ...                                           hysteresis=2)]
    [(1, 9)]
    """
    times = np.asarray(t_ns, np.int64)
    place = np.asarray(points, np.float64).reshape(-1, 2)
    clear = clear_of(line, place, np.broadcast_to(np.asarray(hysteresis, np.float64), len(place)))
    before = np.concatenate([np.full((1, 2), np.nan), place])[: len(place)]
    before_ns = np.concatenate([times[:1], times])[: len(times)]
    hits = steps_through(line, before, place)
    return settle_through(PassState(), hits, clear, before_ns, times)


def settle_through(
    state: PassState,
    hits: Hits,
    clear: NDArray[np.bool_],
    before_ns: NDArray[np.int64],
    after_ns: NDArray[np.int64],
    *,
    notes: Sequence[Any] | None = None,
) -> list[Pass]:
    """Walk one user's rows in order and return every crossing that is decided in them.

    ``hits.step`` is the row (0..n-1) whose step, from ``before_ns`` to ``after_ns``, passes the
    line; ``clear`` (n,) says where the user is clear of it; ``notes`` (n,) are carried along.
    """
    found: list[Pass | None] = []
    done = 0
    for row, direction, share, own in zip(
        hits.step.tolist(), hits.direction.tolist(), hits.share.tolist(), hits.own, strict=True
    ):
        if clear[done:row].any():
            found.append(state.settle())
        start, end = int(before_ns[row]), int(after_ns[row])
        note = None if notes is None else notes[row]
        at_ns = start + round(share * (end - start))
        state.passage(direction=direction, own=bool(own), t_ns=at_ns, note=note)
        done = row
    if clear[done:].any():
        found.append(state.settle())
    return [crossing for crossing in found if crossing is not None]
