"""What a camera counted in one run: crossings of gates, journeys of road users, minutes watched."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.columns import checked, same_length

__all__ = [
    "DIRECTIONS",
    "UNMATCHED",
    "Crossings",
    "Flow",
    "Journeys",
    "Minutes",
    "MovementTurn",
    "PeakHour",
    "Withdrawn",
    "no_withdrawn",
    "within",
]

DIRECTIONS: tuple[str, str] = ("to_left", "to_right")
UNMATCHED = "unknown"
"""Entry, exit or movement of a road user that no zone or gate explains."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Crossings:
    """One row per passage of a road user through a gate, sorted by time.

    ``gate_id``; ``t_ns`` interpolated UTC ns; ``track_id``; ``kind`` the vote of the whole track;
    ``direction`` of DIRECTIONS; ``headway_s`` front to front since the previous user in the same
    direction, ``gap_s`` rear to front, NaN where it cannot be told; ``speed_mps``, ``length_m`` at
    the gate (NaN without a plane); ``counted`` False for tracks too short to be believed.
    """

    gate_id: NDArray[np.str_]
    t_ns: NDArray[np.int64]
    track_id: NDArray[np.int64]
    kind: NDArray[np.uint8]
    direction: NDArray[np.str_]
    headway_s: NDArray[np.float64]
    gap_s: NDArray[np.float64]
    speed_mps: NDArray[np.float64]
    length_m: NDArray[np.float64]
    counted: NDArray[np.bool_]

    def __post_init__(self) -> None:
        _check(self, _CROSSING_COLUMNS)

    def __len__(self) -> int:
        return len(self.t_ns)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Journeys:
    """One row per track, sorted by start.

    ``kind`` the last vote; ``start_ns``, ``end_ns`` first and last row; ``done_ns`` when the
    movement was made (arrival at the exit; the end when unmatched); ``entry_px``, ``exit_px``
    (n, 2) first and last seen foot; ``entry_id``, ``exit_id`` zone or gate, ``movement_id``, all
    UNMATCHED when not known; ``entry_heading``, ``exit_heading`` (n, 2) unit vectors with y up,
    in metres where ``metric``, else on the picture, NaN = unknown; ``rows``; ``counted``;
    ``reason`` why not counted, "" when counted.
    """

    track_id: NDArray[np.int64]
    kind: NDArray[np.uint8]
    start_ns: NDArray[np.int64]
    end_ns: NDArray[np.int64]
    done_ns: NDArray[np.int64]
    entry_px: NDArray[np.float32]
    exit_px: NDArray[np.float32]
    entry_id: NDArray[np.str_]
    exit_id: NDArray[np.str_]
    movement_id: NDArray[np.str_]
    entry_heading: NDArray[np.float64]
    exit_heading: NDArray[np.float64]
    metric: NDArray[np.bool_]
    rows: NDArray[np.int64]
    counted: NDArray[np.bool_]
    reason: NDArray[np.str_]

    def __post_init__(self) -> None:
        _check(self, _JOURNEY_COLUMNS)

    def __len__(self) -> int:
        return len(self.track_id)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Minutes:
    """Whole UTC minutes: ``start_ns`` (n,), ``watched_s`` (n,), ``occupied_s`` (n, gates).

    ``occupied_s`` is how long some road user's box covered the gate of that column.
    """

    gate_ids: tuple[str, ...]
    start_ns: NDArray[np.int64]
    watched_s: NDArray[np.float64]
    occupied_s: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Withdrawn:
    """Spells in which a gate or zone lay elsewhere because the camera had moved, sorted by time.

    ``place_id``; ``start_ns``, ``end_ns``. What passed there then is kept and not counted.
    """

    place_id: NDArray[np.str_]
    start_ns: NDArray[np.int64]
    end_ns: NDArray[np.int64]

    def __post_init__(self) -> None:
        _check(self, _WITHDRAWN_COLUMNS)

    def __len__(self) -> int:
        return len(self.start_ns)

    def spells_of(self, *place_ids: str) -> NDArray[np.int64]:
        """Return the spells (n, 2) of places, sorted, joined where they overlap or touch.

        >>> gone = Withdrawn(place_id=["a", "b"], start_ns=[0, 5], end_ns=[6, 9])
        >>> gone.spells_of("a").tolist(), gone.spells_of("a", "b").tolist()
        ([[0, 6]], [[0, 9]])
        """
        mine = np.isin(self.place_id, place_ids)
        joined: list[list[int]] = []
        pairs = zip(self.start_ns[mine].tolist(), self.end_ns[mine].tolist(), strict=True)
        for start, end in sorted(pairs):
            if joined and start <= joined[-1][1]:
                joined[-1][1] = max(joined[-1][1], end)
            else:
                joined.append([start, end])
        return np.array(joined, np.int64).reshape(-1, 2)

    def holds(self, place_id: str, t_ns: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return bool (n,): which instants lie in a spell of the place.

        >>> Withdrawn(place_id=["a"], start_ns=[4], end_ns=[6]).holds(
        ...     "a", np.array([3, 4, 6, 7])).tolist()
        [False, True, True, False]
        """
        return within(self.spells_of(place_id), t_ns)


def within(spells_ns: NDArray[np.int64], t_ns: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return bool (n,): which instants lie in one of sorted spells (m, 2), ends included.

    >>> within(np.array([[0, 2], [5, 6]]), np.array([1, 3, 6])).tolist()
    [True, False, True]
    """
    if not len(spells_ns):
        return np.zeros(len(t_ns), np.bool_)
    place = np.searchsorted(spells_ns[:, 0], t_ns, side="right") - 1
    return np.asarray((place >= 0) & (t_ns <= spells_ns[np.maximum(place, 0), 1]))


def no_withdrawn() -> Withdrawn:
    """Return that of a camera which never moved.

    >>> len(no_withdrawn())
    0
    """
    empty = np.empty(0, np.int64)
    return Withdrawn(place_id=np.empty(0, np.str_), start_ns=empty, end_ns=empty)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Flow:
    """Everything counted in one run; ``watched_ns`` (n, 2) unbroken spells of watching.

    ``withdrawn`` says which gates and zones could not be used when.
    """

    camera_id: str
    run_id: int
    site_version: str
    crossings: Crossings
    journeys: Journeys
    minutes: Minutes
    watched_ns: NDArray[np.int64]
    withdrawn: Withdrawn = field(default_factory=no_withdrawn)


@dataclass(frozen=True, slots=True, kw_only=True)
class MovementTurn:
    """A movement with its turn (one of TURNS, "" when nobody was seen making it).

    ``source`` "given", "metres", "picture" or "same approach", "" when unknown; ``journeys`` is
    how many headings it rests on.
    """

    id: str
    from_id: str
    to_id: str
    turn: str
    source: str
    journeys: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakHour:
    """The busiest four quarter hours in a row, or why there are none.

    ``watched_min`` is the longest spell of complete quarter hours, at most 60: when below, start,
    volume and factor are unknown ("not enough: x of 60 min").
    """

    watched_min: int
    start_ns: int = 0
    volume: float = float("nan")
    phf: float = float("nan")

    @property
    def known(self) -> bool:
        """Return True when an hour of complete quarters was watched."""
        return self.watched_min >= 60


_Columns = tuple[tuple[str, Any, int | None], ...]

_CROSSING_COLUMNS: _Columns = (
    ("gate_id", np.str_, None),
    ("t_ns", np.int64, None),
    ("track_id", np.int64, None),
    ("kind", np.uint8, None),
    ("direction", np.str_, None),
    ("headway_s", np.float64, None),
    ("gap_s", np.float64, None),
    ("speed_mps", np.float64, None),
    ("length_m", np.float64, None),
    ("counted", np.bool_, None),
)

_JOURNEY_COLUMNS: _Columns = (
    ("track_id", np.int64, None),
    ("kind", np.uint8, None),
    ("start_ns", np.int64, None),
    ("end_ns", np.int64, None),
    ("done_ns", np.int64, None),
    ("entry_px", np.float32, 2),
    ("exit_px", np.float32, 2),
    ("entry_id", np.str_, None),
    ("exit_id", np.str_, None),
    ("movement_id", np.str_, None),
    ("entry_heading", np.float64, 2),
    ("exit_heading", np.float64, 2),
    ("metric", np.bool_, None),
    ("rows", np.int64, None),
    ("counted", np.bool_, None),
    ("reason", np.str_, None),
)

_WITHDRAWN_COLUMNS: _Columns = (
    ("place_id", np.str_, None),
    ("start_ns", np.int64, None),
    ("end_ns", np.int64, None),
)


def _check(noun: Any, columns: _Columns) -> None:
    for name, dtype, width in columns:
        object.__setattr__(noun, name, checked(name, getattr(noun, name), dtype, width))
    same_length({name: getattr(noun, name) for name, _, _ in columns})
