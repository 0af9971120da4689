"""What is remembered of one road user while it is in view, and how gates and zones look at it."""

from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from calmstreet.geometry.passes import Pass, PassState, settle_through
from calmstreet.geometry.shapes import (
    Hits,
    Line,
    clear_of,
    inside_polygon,
    steps_through,
)
from calmstreet.model.kinds import Flag
from calmstreet.model.points import TrackPoints
from calmstreet.model.site import FOOT, Point
from calmstreet.safety.movements import Touch
from calmstreet.units import NS_PER_S

__all__ = ["GatePass", "GateShape", "RoadUser", "Seen", "Trail", "ZoneShape", "anchor_of"]

Array = NDArray[np.float64]

_EDGE_NS = NS_PER_S // 2
_STRIDE_SHARE = 0.5
_TRAIL_ENDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class GatePass:
    """One crossing of the gate with this index; speed and length at the gate, NaN = unknown."""

    gate: int
    direction: int
    t_ns: int
    speed_mps: float
    length_m: float


@dataclass(slots=True, kw_only=True)
class Trail:
    """Where a road user went, one place per half of its own size: the first and last few.

    Places are (x_px, y_px, east_m, north_m).
    """

    head: list[tuple[float, ...]] = field(default_factory=list)
    tail: deque[tuple[float, ...]] = field(default_factory=lambda: deque(maxlen=_TRAIL_ENDS))
    stride_px: float = 0.0

    def walk(self, places: Array, size_px: Array) -> None:
        """Follow places (n, 4) of a user of this size (n,) at each."""
        at = 0
        if not self.head:
            self._step(places[0], size_px[0])
        while at < len(places):
            x, y = self.tail[-1][:2]
            dx, dy = places[at:, 0] - x, places[at:, 1] - y
            far = dx * dx + dy * dy >= self.stride_px * self.stride_px
            ahead = int(far.argmax())
            if not far[ahead]:
                return
            at += ahead
            self._step(places[at], size_px[at])
            at += 1

    def _step(self, place: Array, size_px: float) -> None:
        kept = tuple(place.tolist())
        if len(self.head) < _TRAIL_ENDS:
            self.head.append(kept)
        self.tail.append(kept)
        self.stride_px = max(_STRIDE_SHARE * float(size_px), 1e-6)

    def headings(self, last: tuple[float, ...]) -> tuple[Array, Array, bool]:
        """Return entry and exit heading (unit vectors, y up) and whether they are in metres."""
        if len(self.head) < 2:
            return np.full(2, np.nan), np.full(2, np.nan), False
        ends = np.array([self.head[0], self.head[-1], self.tail[0], last])
        metric = bool(np.isfinite(ends).all())
        plane = ends[:, 2:] if metric else ends[:, :2] * np.array([1.0, -1.0])
        return _unit(plane[1] - plane[0]), _unit(plane[3] - plane[2]), metric


def _unit(step: Array) -> Array:
    length = np.sqrt(step[0] * step[0] + step[1] * step[1])
    return step / length if length > 0 else np.full(2, np.nan)


@dataclass(slots=True, kw_only=True)
class RoadUser:
    """One track: running sums while it lives, its crossings and touches when it ended."""

    track_id: int
    first_ns: int
    gates: int
    last_ns: int = 0
    kind: int = 0
    rows: int = 0
    seen_rows: int = 0
    is_sure: bool = False
    is_mover: bool = False
    first_seen_ns: int = 0
    last_seen_ns: int = 0
    last_box: Array = field(default_factory=lambda: np.full(4, np.nan))
    left_at_border: bool = False
    start_px: tuple[float, float] = (float("nan"), float("nan"))
    start_size_px: float = float("nan")
    end_place: tuple[float, ...] = (float("nan"),) * 4
    reach_share: float = 0.0
    passes: list[PassState] = field(init=False)
    touches: dict[str, Touch] = field(default_factory=dict)
    crossed: list[GatePass] = field(default_factory=list)
    trail: Trail = field(default_factory=Trail)

    def __post_init__(self) -> None:
        self.passes = [PassState() for _ in range(self.gates)]

    def follow(self, seen: "Seen", start: int, end: int) -> None:
        """Take rows start..end of the block into the running sums (after gates and zones)."""
        places, size_px = seen.places[start:end], seen.user_size_px[start:end]
        if not self.seen_rows:
            self.first_seen_ns = int(seen.t_ns[start])
            self.start_px = (float(places[0, 0]), float(places[0, 1]))
            self.start_size_px = float(size_px[0])
        self.trail.walk(places, size_px)
        dx, dy = places[:, 0] - self.start_px[0], places[:, 1] - self.start_px[1]
        far_px = float(np.sqrt((dx * dx + dy * dy).max()))
        self.reach_share = max(self.reach_share, far_px / max(self.start_size_px, 1e-6))
        self.seen_rows += end - start
        self.last_seen_ns = int(seen.t_ns[end - 1])
        self.last_box = seen.box[end - 1]
        self.end_place = tuple(places[-1].tolist())
        self.left_at_border = bool(seen.at_border[end - 1])

    def take(self, gate: int, found: list[Pass]) -> None:
        """Keep crossings of one gate; each carries (speed, length) as its note."""
        for crossing in found:
            speed_mps, length_m = crossing.note
            self.crossed.append(
                GatePass(
                    gate=gate,
                    direction=crossing.direction,
                    t_ns=crossing.t_ns,
                    speed_mps=speed_mps,
                    length_m=length_m,
                )
            )

    def close(self, *, run_end_ns: int, gates: "tuple[GateShape, ...]") -> None:
        """Decide what is pending when the user left over the border or the run ended."""
        if self.left_at_border or run_end_ns - self.last_seen_ns <= _EDGE_NS:
            for number, state in enumerate(self.passes):
                if state.pending and (verdict := state.settle()) is not None:
                    self.take(number, [verdict])
        for number, gate in enumerate(gates):
            if gate.terminal:
                self._touch_gate(gate.id, [p.t_ns for p in self.crossed if p.gate == number])
        self.passes.clear()

    def _touch_gate(self, gate_id: str, times_ns: list[int]) -> None:
        if times_ns:
            self.touches[gate_id] = Touch(
                id=gate_id,
                first_ns=times_ns[0],
                last_ns=times_ns[-1],
                since_ns=times_ns[-1],
                visits=len(times_ns),
            )


class Seen:
    """The rows of one block that were really seen, by road user, then time, as columns.

    ``before_box``, ``before_ns`` the same user's row before each row (NaN: none); ``spans`` the
    users with their ranges of rows.
    """

    def __init__(
        self,
        *,
        rows: TrackPoints,
        box: Array,
        at_border: NDArray[np.bool_],
        hysteresis_px: Array,
        size_px: Array,
    ) -> None:
        self.t_ns, self.box, self.at_border = rows.t_ns, box, at_border
        self.parked = (rows.flags & Flag.PARKED) != 0
        self.hysteresis_px, self.size_px = hysteresis_px, size_px
        self.speed_mps = np.sqrt((rows.velocity_mps.astype(np.float64) ** 2).sum(axis=1))
        self.length_m = rows.length_m.astype(np.float64)
        self.places = np.concatenate([anchor_of(box, FOOT), rows.xy_m.astype(np.float64)], axis=1)
        wide, high = box[:, 2] - box[:, 0], box[:, 3] - box[:, 1]
        self.user_size_px = np.sqrt(np.maximum(wide * high, 0.0))
        self.before_box = np.concatenate([np.full((1, 4), np.nan), box])[: len(box)]
        self.before_ns = np.concatenate([np.zeros(1, np.int64), rows.t_ns])[: len(box)]
        self.spans: list[tuple[RoadUser, int, int]] = []

    def join(self, user: RoadUser, start: int, end: int, *, run_start_ns: int) -> None:
        """Say that rows start..end belong to ``user`` and tie them to its last row."""
        self.before_box[start] = user.last_box
        self.before_ns[start] = user.last_seen_ns
        if not user.seen_rows:
            early = int(self.t_ns[start]) - run_start_ns <= _EDGE_NS
            for state in user.passes:
                state.origin = early or bool(self.at_border[start])
        self.spans.append((user, start, end))


def anchor_of(box: Array, anchor: Point) -> Array:
    """Return the points (n, 2) at a relative place of boxes (n, 4).

    >>> anchor_of(np.array([[0.0, 0.0, 4.0, 2.0]]), (0.5, 1.0)).tolist()
    [[2.0, 2.0]]
    """
    x = box[:, 0] + anchor[0] * (box[:, 2] - box[:, 0])
    y = box[:, 1] + anchor[1] * (box[:, 3] - box[:, 1])
    return np.stack([x, y], axis=1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GateShape:
    """A gate ready to count; ``terminal`` when movements may begin or end there."""

    id: str
    line: Line
    anchor: Point
    terminal: bool

    def walk(self, number: int, seen: Seen) -> None:
        """Count this gate's crossings in a block; ``number`` is the gate's index."""
        here = anchor_of(seen.box, self.anchor)
        hits = steps_through(self.line, anchor_of(seen.before_box, self.anchor), here)
        clear = clear_of(self.line, here, seen.hysteresis_px, size=seen.size_px)
        for user, start, end in seen.spans:
            state = user.passes[number]
            first, last = np.searchsorted(hits.step, (start, end))
            if first == last and not state.pending:
                state.origin = state.origin or bool(clear[start:end].any())
                continue
            mine = Hits(
                step=hits.step[first:last] - start,
                direction=hits.direction[first:last],
                share=hits.share[first:last],
                own=hits.own[first:last],
            )
            user.take(
                number,
                settle_through(
                    state,
                    mine,
                    clear[start:end],
                    seen.before_ns[start:end],
                    seen.t_ns[start:end],
                    notes=list(
                        zip(seen.speed_mps[start:end], seen.length_m[start:end], strict=True)
                    ),
                ),
            )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ZoneShape:
    """A zone at which movements begin or end."""

    id: str
    polygon: Array
    line: Line

    def walk(self, seen: Seen) -> None:
        """Note who is in the zone in a block."""
        here = anchor_of(seen.box, FOOT)
        met = inside_polygon(here, self.polygon)
        hits = steps_through(self.line, anchor_of(seen.before_box, FOOT), here)
        inside = met.copy()
        met[hits.step] = True
        clear = clear_of(self.line, here, seen.hysteresis_px, size=seen.size_px) & ~met
        for user, start, end in seen.spans:
            touch = user.touches.get(self.id)
            if touch is None:
                touch = Touch(id=self.id, born_inside=bool(inside[start]))
                user.touches[self.id] = touch
            touch.inside = bool(inside[end - 1])
            _visit(touch, met[start:end], clear[start:end], seen.t_ns[start:end])


def _visit(
    touch: Touch, met: NDArray[np.bool_], clear: NDArray[np.bool_], t_ns: NDArray[np.int64]
) -> None:
    """Count visits: a new one begins when the user had been clear of the zone in between."""
    telling = np.flatnonzero(met | clear)
    if not len(telling):
        return
    is_met = met[telling]
    was_away = np.concatenate([[touch.away], ~is_met[:-1]])
    began = telling[is_met & was_away]
    touch.away = not is_met[-1]
    if not is_met.any():
        return
    if not touch.visits:
        touch.first_ns = int(t_ns[telling[is_met][0]])
    touch.last_ns = int(t_ns[telling[is_met][-1]])
    touch.visits += len(began)
    if len(began):
        touch.since_ns = int(t_ns[began[-1]])
