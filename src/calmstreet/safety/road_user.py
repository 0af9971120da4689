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
from calmstreet.safety.attached import Attachment
from calmstreet.safety.movements import Touch
from calmstreet.units import NS_PER_S

__all__ = ["GatePass", "GateShape", "RoadUser", "Seen", "Trail", "Ways", "ZoneShape", "anchor_of"]

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
    at: tuple[float, float] = (0.0, 0.0)
    stride: float = 0.0

    def walk(self, places: Array, walked: Array, size: Array) -> None:
        """Follow places (n, 4) of a user of this size (n,), which walked over (n, 2)."""
        row = 0
        if not self.head:
            self._step(places[0], walked[0], size[0])
        while row < len(places):
            dx, dy = walked[row:, 0] - self.at[0], walked[row:, 1] - self.at[1]
            far = dx * dx + dy * dy >= self.stride * self.stride
            ahead = int(far.argmax())
            if not far[ahead]:
                return
            row += ahead
            self._step(places[row], walked[row], size[row])
            row += 1

    def _step(self, place: Array, walked: Array, size: float) -> None:
        kept = tuple(place.tolist())
        if len(self.head) < _TRAIL_ENDS:
            self.head.append(kept)
        self.tail.append(kept)
        self.at = (float(walked[0]), float(walked[1]))
        self.stride = max(_STRIDE_SHARE * float(size), 1e-6)

    def headings(self, last: tuple[float, ...]) -> tuple[Array, Array, bool]:
        """Return entry and exit heading (unit vectors, y up) and whether they are in metres."""
        if len(self.head) < 2:
            return np.full(2, np.nan), np.full(2, np.nan), False
        ends = np.array([self.head[0], self.head[-1], self.tail[0], last])
        metric = bool(np.isfinite(ends[:, 2:]).all())
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
    start: tuple[float, float] = (float("nan"), float("nan"))
    start_size: float = float("nan")
    last_front_m: Array = field(default_factory=lambda: np.full(2, np.nan))
    last_centre_m: Array = field(default_factory=lambda: np.full(2, np.nan))
    last_metric_ns: int = 0
    end_place: tuple[float, ...] = (float("nan"),) * 4
    reach_share: float = 0.0
    passes: list[PassState] = field(init=False)
    touches: dict[str, Touch] = field(default_factory=dict)
    crossed: list[GatePass] = field(default_factory=list)
    trail: Trail = field(default_factory=Trail)
    part: Attachment | None = None

    def __post_init__(self) -> None:
        self.passes = [PassState() for _ in range(self.gates)]

    def follow(self, seen: "Seen", start: int, end: int) -> None:
        """Take rows start..end of the block into the running sums (after gates and zones)."""
        places, walked = seen.places[start:end], seen.walked[start:end]
        size = seen.user_size[start:end]
        if not self.seen_rows:
            self.first_seen_ns = int(seen.t_ns[start])
            self.start_px = (float(places[0, 0]), float(places[0, 1]))
            self.start = (float(walked[0, 0]), float(walked[0, 1]))
            self.start_size = float(size[0])
        self.trail.walk(places, walked, size)
        dx, dy = walked[:, 0] - self.start[0], walked[:, 1] - self.start[1]
        far = float(np.sqrt((dx * dx + dy * dy).max()))
        self.reach_share = max(self.reach_share, far / max(self.start_size, 1e-6))
        self.seen_rows += end - start
        self.last_seen_ns = int(seen.t_ns[end - 1])
        self.last_box = seen.box[end - 1].copy()
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

    ``before_box``, ``before_ns`` the same user's row before each row (NaN: none); the same in
    metres are those of the last row with a place on the ground. ``walked`` (n, 2) and
    ``user_size`` (n,) are in pixels, in metres where there is no picture; ``spans`` the users with
    their ranges of rows.
    """

    def __init__(
        self,
        *,
        rows: TrackPoints,
        box: Array,
        at_border: NDArray[np.bool_],
        hysteresis_px: Array,
        hysteresis_m: float,
        size_px: Array | None,
    ) -> None:
        self.t_ns, self.box, self.at_border = rows.t_ns, box, at_border
        self.parked = (rows.flags & Flag.PARKED) != 0
        self.hysteresis_px, self.size_px = hysteresis_px, size_px
        self.hysteresis_m = np.full(len(rows), hysteresis_m)
        self.speed_mps = np.sqrt((rows.velocity_mps.astype(np.float64) ** 2).sum(axis=1))
        self.length_m = rows.length_m.astype(np.float64)
        self.width_m = rows.width_m.astype(np.float64)
        self.heading_rad = rows.heading_rad.astype(np.float64)
        self.places = np.concatenate([anchor_of(box, FOOT), rows.xy_m.astype(np.float64)], axis=1)
        wide, high = box[:, 2] - box[:, 0], box[:, 3] - box[:, 1]
        self.walked, area = self.places[:, :2], wide * high
        if size_px is None:
            self.walked, area = self.places[:, 2:], self.length_m * self.width_m
        self.user_size = np.sqrt(np.maximum(area, 0.0))
        self.front_m, self.centre_m = rows.front_m(), self.places[:, 2:]
        self.before_front_m = np.full((len(box), 2), np.nan)
        self.before_centre_m = np.full((len(box), 2), np.nan)
        self.before_metric_ns = np.zeros(len(box), np.int64)
        self._metric: NDArray[np.bool_] = np.asarray(np.isfinite(self.front_m).all(axis=1))
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
        if self._metric[start:end].any():
            self._join_m(user, start, end)

    def _join_m(self, user: RoadUser, start: int, end: int) -> None:
        """Tie each row to the last one before it with a place on the ground."""
        known = np.flatnonzero(self._metric[start:end])
        before = np.searchsorted(known, np.arange(end - start)) - 1
        linked = before >= 0
        source = start + known[np.maximum(before, 0)]
        for name, last in (
            ("front_m", user.last_front_m),
            ("centre_m", user.last_centre_m),
            ("metric_ns", user.last_metric_ns),
        ):
            column = self.t_ns if name == "metric_ns" else getattr(self, name)
            pick = linked if column.ndim == 1 else linked[:, None]
            getattr(self, f"before_{name}")[start:end] = np.where(pick, column[source], last)
        newest = start + int(known[-1])
        user.last_front_m, user.last_centre_m = self.front_m[newest], self.centre_m[newest]
        user.last_metric_ns = int(self.t_ns[newest])

    def anchored(self, anchor: Point) -> "Ways":
        """Return the ways of a point of the boxes over the picture."""
        return Ways(
            here=anchor_of(self.box, anchor),
            before=anchor_of(self.before_box, anchor),
            before_ns=self.before_ns,
            hysteresis=self.hysteresis_px,
            size=self.size_px,
        )

    def grounded(self, *, front: bool) -> "Ways":
        """Return the ways of the fronts or the centres of the footprints over the ground."""
        return Ways(
            here=self.front_m if front else self.centre_m,
            before=self.before_front_m if front else self.before_centre_m,
            before_ns=self.before_metric_ns,
            hysteresis=self.hysteresis_m,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ways:
    """From where to where each row went: places (n, 2), the time before, what counts as clear."""

    here: Array
    before: Array
    before_ns: NDArray[np.int64]
    hysteresis: Array
    size: Array | None = None


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
    """A gate ready to count; ``terminal`` when movements may begin or end there.

    A ``metric`` gate lies on the ground and is crossed by the front of the footprint.
    """

    id: str
    line: Line
    anchor: Point
    terminal: bool
    metric: bool = False

    def walk(self, number: int, seen: Seen) -> None:
        """Count this gate's crossings in a block; ``number`` is the gate's index."""
        ways = seen.grounded(front=True) if self.metric else seen.anchored(self.anchor)
        hits = steps_through(self.line, ways.before, ways.here)
        clear = clear_of(self.line, ways.here, ways.hysteresis, size=ways.size)
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
                    ways.before_ns[start:end],
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
    metric: bool = False

    def walk(self, seen: Seen) -> None:
        """Note who is in the zone in a block: with the foot, in metres with the centre."""
        ways = seen.grounded(front=False) if self.metric else seen.anchored(FOOT)
        met = inside_polygon(ways.here, self.polygon)
        hits = steps_through(self.line, ways.before, ways.here)
        inside = met.copy()
        met[hits.step] = True
        clear = clear_of(self.line, ways.here, ways.hysteresis, size=ways.size) & ~met
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
