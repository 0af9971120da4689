"""Speeds at gates, each with its error or the reason why it is withheld; journeys through zones."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.columns import checked, same_length
from calmstreet.model.kinds import Kind

__all__ = [
    "GROUPS",
    "SPEED_COLUMNS",
    "ZONE_COLUMNS",
    "GateSpeeds",
    "SpeedCheck",
    "ZoneTimes",
    "concat_speeds",
    "group_of",
    "no_speeds",
    "no_zone_times",
]

GROUPS: tuple[str, ...] = ("motor", "bicycle", "pedestrian", "unknown")
"""Whose speeds are summed up together: motor vehicles, and each of the others by itself."""

_GROUP_OF = np.full(256, GROUPS.index("motor"), np.uint8)
_GROUP_OF[Kind.UNKNOWN] = GROUPS.index("unknown")
_GROUP_OF[Kind.BICYCLE] = GROUPS.index("bicycle")
_GROUP_OF[Kind.PEDESTRIAN] = GROUPS.index("pedestrian")


def group_of(kind: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the place in GROUPS (n,) of kinds (n,).

    >>> [GROUPS[g] for g in group_of(np.array([Kind.BUS, Kind.PEDESTRIAN], np.uint8))]
    ['motor', 'pedestrian']
    """
    return _GROUP_OF[kind]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GateSpeeds:
    """One row per counted passage of a gate, sorted by time.

    ``gate_id``; ``track_id``; ``kind``; ``t_ns`` of the crossing; ``direction`` of DIRECTIONS;
    ``headway_s`` since the user before, NaN unknown; ``speed_mps``; ``sigma_random_mps`` own to
    the row; ``sigma_site_mps`` common to all rows of the camera; ``half95_mps`` half of the 95 %
    interval of both; ``n`` places over ``length_m``; ``method`` "linear", "quadratic" or "";
    ``reason`` of geometry.speed.REASONS where the speed is withheld (NaN), else "".
    """

    camera_id: str
    run_id: int
    gate_id: NDArray[np.str_]
    t_ns: NDArray[np.int64]
    track_id: NDArray[np.int64]
    kind: NDArray[np.uint8]
    direction: NDArray[np.str_]
    headway_s: NDArray[np.float64]
    speed_mps: NDArray[np.float64]
    sigma_random_mps: NDArray[np.float64]
    sigma_site_mps: NDArray[np.float64]
    half95_mps: NDArray[np.float64]
    n: NDArray[np.int64]
    length_m: NDArray[np.float64]
    method: NDArray[np.str_]
    reason: NDArray[np.str_]

    def __post_init__(self) -> None:
        _check(self, SPEED_COLUMNS)

    def __len__(self) -> int:
        return len(self.t_ns)

    def __getitem__(self, index: Any) -> "GateSpeeds":
        """Return the rows that a mask, slice or index array picks."""
        columns = {name: getattr(self, name)[index] for name, _, _ in SPEED_COLUMNS}
        return GateSpeeds(camera_id=self.camera_id, run_id=self.run_id, **columns)

    @property
    def measured(self) -> NDArray[np.bool_]:
        """Return bool (n,): which rows have a speed."""
        return np.asarray(np.isfinite(self.speed_mps), np.bool_)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ZoneTimes:
    """One row per journey of a road user through a whole zone, sorted by entry.

    ``zone_id``; ``track_id``; ``kind``; ``enter_ns``, ``leave_ns`` when the foot came in and left.
    """

    camera_id: str
    run_id: int
    zone_id: NDArray[np.str_]
    track_id: NDArray[np.int64]
    kind: NDArray[np.uint8]
    enter_ns: NDArray[np.int64]
    leave_ns: NDArray[np.int64]

    def __post_init__(self) -> None:
        _check(self, ZONE_COLUMNS)

    def __len__(self) -> int:
        return len(self.enter_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedCheck:
    """How our speeds at a camera compare with a reference (radar or a drive with GPS).

    ``n`` matched passages; ``bias_mps`` mean of ours minus reference with ``bias_half95_mps``
    half of its 95 % interval; ``spread_mps`` standard deviation of the differences; ``coverage``
    the share of our 95 % intervals that hold the reference; ``unmatched`` reference rows without
    a passage; ``reference`` the name of the file; ``t_ns`` when it was compared, under the site
    ``site_version``; ``passed`` whether the speeds may be called verified.
    """

    camera_id: str
    site_version: str
    reference: str
    t_ns: int
    n: int
    unmatched: int
    bias_mps: float
    bias_half95_mps: float
    spread_mps: float
    coverage: float
    passed: bool


def no_speeds(*, camera_id: str, run_id: int) -> GateSpeeds:
    """Return no rows.

    >>> len(no_speeds(camera_id="north", run_id=1))
    0
    """
    columns = {name: np.empty(0, dtype) for name, dtype, _ in SPEED_COLUMNS}
    return GateSpeeds(camera_id=camera_id, run_id=run_id, **columns)


def no_zone_times(*, camera_id: str, run_id: int) -> ZoneTimes:
    """Return no rows.

    >>> len(no_zone_times(camera_id="north", run_id=1))
    0
    """
    columns = {name: np.empty(0, dtype) for name, dtype, _ in ZONE_COLUMNS}
    return ZoneTimes(camera_id=camera_id, run_id=run_id, **columns)


def concat_speeds(parts: list[GateSpeeds]) -> GateSpeeds:
    """Return the rows of one camera's runs (at least one) in order of time; run_id of the first."""
    first = parts[0]
    if any(part.camera_id != first.camera_id for part in parts):
        raise ValueError("speeds of different cameras cannot be joined")
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name, _, _ in SPEED_COLUMNS
    }
    joined = GateSpeeds(camera_id=first.camera_id, run_id=first.run_id, **columns)
    return joined[np.argsort(joined.t_ns, kind="stable")]


SPEED_COLUMNS: tuple[tuple[str, Any, int | None], ...] = (
    ("gate_id", np.str_, None),
    ("t_ns", np.int64, None),
    ("track_id", np.int64, None),
    ("kind", np.uint8, None),
    ("direction", np.str_, None),
    ("headway_s", np.float64, None),
    ("speed_mps", np.float64, None),
    ("sigma_random_mps", np.float64, None),
    ("sigma_site_mps", np.float64, None),
    ("half95_mps", np.float64, None),
    ("n", np.int64, None),
    ("length_m", np.float64, None),
    ("method", np.str_, None),
    ("reason", np.str_, None),
)

ZONE_COLUMNS: tuple[tuple[str, Any, int | None], ...] = (
    ("zone_id", np.str_, None),
    ("track_id", np.int64, None),
    ("kind", np.uint8, None),
    ("enter_ns", np.int64, None),
    ("leave_ns", np.int64, None),
)


def _check(noun: Any, columns: tuple[tuple[str, Any, int | None], ...]) -> None:
    for name, dtype, width in columns:
        object.__setattr__(noun, name, checked(name, getattr(noun, name), dtype, width))
    same_length({name: getattr(noun, name) for name, _, _ in columns})
