"""Where road users went in the last seconds, and which of them came to the same place.

Trails hold the rows of a track while it moved. Stations are the first row of every second and, in
it, a row every metre and a half: they do not hang on where a track began. Two stations of
different users whose boxes overlap, lengthened by that distance, within some seconds of each
other, and at an angle, make the pair worth an exact look.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from calmstreet.geometry.contact import Footprints, separation_m
from calmstreet.model.kinds import Kind
from calmstreet.safety.movers import Movers, joined_movers

__all__ = ["Meeting", "Meetings", "Trail"]

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

_STATION_M = 1.5
_STATION_NS = 1_000_000_000
_MOVES_MPS = 0.2
_SLOWEST_MPS = 0.5
_CELL_M = 7.0
_MEMORY_NS = 20_000_000_000
_ANGLE_COS = np.cos(np.radians(20.0))
_NEIGHBOURS = ((0, 0), (0, 1), (1, -1), (1, 0), (1, 1))


@dataclass(slots=True, kw_only=True)
class Trail:
    """One track: its times, the rows while it moved, and from when on it was of which kind.

    ``kinds`` are (t_ns, kind) of the first row and of each row with another kind than before.
    """

    track_id: int
    first_ns: int
    last_ns: int
    first_xy: tuple[float, float]
    last_xy: tuple[float, float]
    kinds: list[tuple[int, int]] = field(default_factory=list)
    pieces: list[Movers] = field(default_factory=list)
    gone_m: float = 0.0
    station: tuple[int, int] = (-1, -1)

    def kind_at(self, t_ns: int) -> int:
        """Return of which kind it was held to be at an instant, at first if that lies before."""
        return next(
            (kind for at_ns, kind in reversed(self.kinds) if at_ns <= t_ns), self.kinds[0][1]
        )

    def _note_kinds(self, rows: Movers) -> None:
        last = self.kinds[-1][1] if self.kinds else -1
        for row in np.flatnonzero(np.diff(rows.kind.astype(np.int64), prepend=last)).tolist():
            self.kinds.append((int(rows.t_ns[row]), int(rows.kind[row])))

    def between(self, start_ns: int, end_ns: int) -> Movers | None:
        """Return the rows of this span of time (both ends in), None when there are none."""
        parts = []
        for piece in self.pieces:
            if piece.t_ns[-1] >= start_ns and piece.t_ns[0] <= end_ns:
                begin = int(np.searchsorted(piece.t_ns, start_ns))
                end = int(np.searchsorted(piece.t_ns, end_ns, side="right"))
                if end > begin:
                    parts.append(piece[begin:end])
        if not parts:
            return None
        whole = parts[0]
        for part in parts[1:]:
            whole = joined_movers(whole, part)
        return whole

    def walk(self, rows: Movers) -> NDArray[np.bool_]:
        """Take the next rows of this track; return which of them are stations."""
        self.last_ns = int(rows.t_ns[-1])
        self._note_kinds(rows)
        dx = np.diff(rows.x_m, prepend=self.last_xy[0])
        dy = np.diff(rows.y_m, prepend=self.last_xy[1])
        moment = rows.t_ns // _STATION_NS
        begins = np.diff(moment, prepend=self.station[1]) != 0
        gone = self._gone_this_second(np.sqrt(dx * dx + dy * dy), begins)
        self.last_xy = (float(rows.x_m[-1]), float(rows.y_m[-1]))
        place = np.floor(gone / _STATION_M).astype(np.int64)
        fresh = begins | (np.diff(place, prepend=self.station[0]) != 0)
        self.station = (int(place[-1]), int(moment[-1]))
        moves = rows.speed_mps >= _MOVES_MPS
        if moves.any():
            self.pieces.append(rows[moves])
        return np.asarray(fresh & moves)

    def _gone_this_second(self, steps_m: Array, begins: NDArray[np.bool_]) -> Array:
        """Return the way gone since the first row of each row's second; ``begins`` marks those."""
        gone = np.empty(len(steps_m))
        for row, (step_m, fresh) in enumerate(zip(steps_m.tolist(), begins.tolist(), strict=True)):
            self.gone_m = 0.0 if fresh else self.gone_m + step_m
            gone[row] = self.gone_m
        return gone


@dataclass(slots=True, kw_only=True)
class Meeting:
    """When two users were about the same place: spans of UTC ns of the first and second id."""

    start_a_ns: int
    end_a_ns: int
    start_b_ns: int
    end_b_ns: int

    def widen(self, other: "Meeting") -> None:
        """Take in another span of the same pair."""
        self.start_a_ns = min(self.start_a_ns, other.start_a_ns)
        self.end_a_ns = max(self.end_a_ns, other.end_a_ns)
        self.start_b_ns = min(self.start_b_ns, other.start_b_ns)
        self.end_b_ns = max(self.end_b_ns, other.end_b_ns)


class Meetings:
    """Finds who came to the same place within ``within_s``, from stations in order of time."""

    def __init__(self, *, within_s: float) -> None:
        self._within_ns = round(within_s * 1e9)
        self._recent: Movers | None = None

    def update(self, stations: Movers) -> dict[tuple[int, int], Meeting]:
        """Take the next stations; return the pairs (lower id first) that met, with their spans."""
        if not len(stations):
            return {}
        old = self._recent
        rows = stations if old is None else joined_movers(old, stations)
        fresh = np.arange(len(rows)) >= (0 if old is None else len(old))
        self._recent = rows[rows.t_ns > int(rows.t_ns[-1]) - _MEMORY_NS]
        one, two = _neighbours(rows, fresh)
        keep = self._near(rows, one, two)
        return _spans(rows, one[keep], two[keep])

    def _near(self, rows: Movers, one: Ints, two: Ints) -> NDArray[np.bool_]:
        """Return which pairs of stations may mean that both came to one place in time."""
        slow = np.maximum(rows.speed_mps, _SLOWEST_MPS)
        clear_ns = (0.5 * rows.length_m / slow * 1e9).astype(np.int64) + _STATION_NS // 2
        keep = rows.track_id[one] != rows.track_id[two]
        walks = rows.kind == Kind.PEDESTRIAN
        keep &= ~(walks[one] & walks[two])
        lag_ns = np.abs(rows.t_ns[one] - rows.t_ns[two])
        keep &= lag_ns <= self._within_ns + clear_ns[one] + clear_ns[two]
        cos = rows.cos_heading[one] * rows.cos_heading[two]
        keep &= cos + rows.sin_heading[one] * rows.sin_heading[two] <= _ANGLE_COS
        left = np.flatnonzero(keep)
        boxes = rows.boxes()
        touching = separation_m(_longer(boxes[one[left]]), _longer(boxes[two[left]])) <= 0
        keep[left] = touching
        return np.asarray(keep)


def _longer(boxes: Footprints) -> Footprints:
    return Footprints(
        x_m=boxes.x_m,
        y_m=boxes.y_m,
        cos_heading=boxes.cos_heading,
        sin_heading=boxes.sin_heading,
        length_m=boxes.length_m + _STATION_M,
        width_m=boxes.width_m,
        vx_mps=boxes.vx_mps,
        vy_mps=boxes.vy_mps,
    )


def _neighbours(rows: Movers, fresh: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Return pairs of rows in the same or adjoining cells of which at least one is fresh."""
    column = np.floor(rows.x_m / _CELL_M).astype(np.int64)
    line = np.floor(rows.y_m / _CELL_M).astype(np.int64)
    key = (line - line.min() + 1) * (1 << 31) + (column - column.min() + 1)
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    ones, twos = [], []
    for down, right in _NEIGHBOURS:
        sought = key + down * (1 << 31) + right
        begin = np.searchsorted(ordered, sought)
        count = np.searchsorted(ordered, sought, side="right") - begin
        one = np.repeat(np.arange(len(key)), count)
        offset = np.arange(len(one)) - np.repeat(np.cumsum(count) - count, count)
        two = order[np.repeat(begin, count) + offset]
        keep = fresh[one] | fresh[two]
        if (down, right) == (0, 0):
            keep &= one < two
        ones.append(one[keep])
        twos.append(two[keep])
    return np.concatenate(ones), np.concatenate(twos)


def _spans(rows: Movers, one: Ints, two: Ints) -> dict[tuple[int, int], Meeting]:
    swap = rows.track_id[one] > rows.track_id[two]
    low, high = np.where(swap, two, one), np.where(swap, one, two)
    found: dict[tuple[int, int], Meeting] = {}
    for a, b, a_ns, b_ns in zip(
        rows.track_id[low].tolist(),
        rows.track_id[high].tolist(),
        rows.t_ns[low].tolist(),
        rows.t_ns[high].tolist(),
        strict=True,
    ):
        span = Meeting(start_a_ns=a_ns, end_a_ns=a_ns, start_b_ns=b_ns, end_b_ns=b_ns)
        if (a, b) in found:
            found[a, b].widen(span)
        else:
            found[a, b] = span
    return found
