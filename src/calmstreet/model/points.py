"""Road users through time: rows of points, one row per road user and analysed step."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.columns import checked

__all__ = [
    "OPTIONAL_SCALARS",
    "POINT_COLUMNS",
    "Track",
    "TrackPoints",
    "concat_points",
    "joined_columns",
    "make_points",
    "no_metres",
    "no_points",
    "scalar_columns",
    "track_id_of",
]

POINT_COLUMNS: tuple[tuple[str, Any, int | None], ...] = (
    ("t_ns", np.int64, None),
    ("track_id", np.int64, None),
    ("kind", np.uint8, None),
    ("score", np.float32, None),
    ("flags", np.uint8, None),
    ("box_px", np.float32, 4),
    ("xy_m", np.float32, 2),
    ("velocity_mps", np.float32, 2),
    ("heading_rad", np.float32, None),
    ("length_m", np.float32, None),
    ("width_m", np.float32, None),
    ("size_source", np.uint8, None),
    ("cov_m2", np.float32, 3),
    ("seen_px", np.float32, 4),
    ("seen_by", np.uint8, None),
)
"""Name, dtype and width of every column, in the order in which they are stored."""

_CHECKED = tuple((name, np.dtype(dtype), width) for name, dtype, width in POINT_COLUMNS)
_columns_of = attrgetter(*(name for name, _, _ in POINT_COLUMNS))
_dtype_of, _shape_of = attrgetter("dtype"), attrgetter("shape")
_TYPES = [np.ndarray] * len(_CHECKED)
_DTYPES = [dtype for _, dtype, _ in _CHECKED]

_PARTS: dict[str, tuple[str, ...]] = {
    "box_px": ("box_l_px", "box_t_px", "box_r_px", "box_b_px"),
    "xy_m": ("x_m", "y_m"),
    "velocity_mps": ("vx_mps", "vy_mps"),
    "cov_m2": ("cov_xx_m2", "cov_xy_m2", "cov_yy_m2"),
    "seen_px": ("seen_l_px", "seen_t_px", "seen_r_px", "seen_b_px"),
}
OPTIONAL_SCALARS: frozenset[str] = frozenset({*_PARTS["seen_px"], "seen_by"})
"""Scalars that files of other programs need not have: NaN or 0 where they are missing."""


def scalar_columns() -> tuple[tuple[str, Any, str, int | None], ...]:
    """Return (name, dtype, column, part) for each scalar as it lies in tables and files.

    >>> [name for name, _, column, _ in scalar_columns() if column == "xy_m"]
    ['x_m', 'y_m']
    """
    rows: list[tuple[str, Any, str, int | None]] = []
    for column, dtype, width in POINT_COLUMNS:
        if width is None:
            rows.append((column, dtype, column, None))
        else:
            rows += [(name, dtype, column, part) for part, name in enumerate(_PARTS[column])]
    return tuple(rows)


def joined_columns(scalars: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return the columns of TrackPoints from the scalars of ``scalar_columns``.

    >>> joined_columns({name: np.zeros(2, t) for name, t, _, _ in scalar_columns()})["xy_m"].shape
    (2, 2)
    """
    n = len(scalars["t_ns"])
    missing = {
        name: np.full(n, 0 if dtype is np.uint8 else np.nan, dtype)
        for name, dtype, _, _ in scalar_columns()
        if name in OPTIONAL_SCALARS and name not in scalars
    }
    scalars = {**scalars, **missing}
    return {
        column: (
            scalars[column]
            if width is None
            else np.stack([scalars[part] for part in _PARTS[column]], axis=1)
        )
        for column, _, width in POINT_COLUMNS
    }


@lru_cache(maxsize=512)
def _shapes(n: int) -> list[tuple[int, ...]]:
    """Return the shapes of all columns of ``n`` rows."""
    return [(n,) if width is None else (n, width) for _, _, width in _CHECKED]


def track_id_of(run_id: int, serial: int) -> int:
    """Return ``run_id << 32 | serial``.

    >>> track_id_of(1, 7) == (1 << 32) + 7
    True
    """
    return (run_id << 32) | serial


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrackPoints:
    """Rows of road users, sorted by time, then track. The same schema live and stored.

    ``t_ns`` UTC ns; ``track_id`` = run_id << 32 | serial; ``kind`` the vote up to this row, never
    rewritten; ``score`` 0..1; ``flags`` of Flag; ``box_px`` (n, 4) l, t, r, b; ``xy_m`` (n, 2)
    centre of the footprint on the ground, east and north; ``velocity_mps`` (n, 2), causal;
    ``heading_rad`` counter-clockwise from east; ``length_m``, ``width_m``; ``size_source`` of
    SizeSource; ``cov_m2`` (n, 3) xx, xy, yy of ``xy_m``; ``seen_px`` (n, 4) the box as an eye saw
    it at this step, not smoothed over time, and ``seen_by`` that Eye (NaN and 0 where nobody saw
    it). NaN = unknown.
    """

    camera_id: str
    run_id: int
    t_ns: NDArray[np.int64]
    track_id: NDArray[np.int64]
    kind: NDArray[np.uint8]
    score: NDArray[np.float32]
    flags: NDArray[np.uint8]
    box_px: NDArray[np.float32]
    xy_m: NDArray[np.float32]
    velocity_mps: NDArray[np.float32]
    heading_rad: NDArray[np.float32]
    length_m: NDArray[np.float32]
    width_m: NDArray[np.float32]
    size_source: NDArray[np.uint8]
    cov_m2: NDArray[np.float32]
    seen_px: NDArray[np.float32]
    seen_by: NDArray[np.uint8]

    def __post_init__(self) -> None:
        columns, n = _columns_of(self), len(self.t_ns)
        typed = list(map(type, columns)) == _TYPES and list(map(_dtype_of, columns)) == _DTYPES
        if typed and list(map(_shape_of, columns)) == _shapes(n):
            return
        for name, dtype, width in _CHECKED:
            column = checked(name, getattr(self, name), dtype, width)
            if len(column) != n:
                raise ValueError(f"column {name} has {len(column)} rows, t_ns has {n}")
            object.__setattr__(self, name, column)

    def __len__(self) -> int:
        return len(self.t_ns)

    def __getitem__(self, index: Any) -> "TrackPoints":
        """Return the rows that a mask, slice or index array picks."""
        return TrackPoints(
            camera_id=self.camera_id,
            run_id=self.run_id,
            **{name: getattr(self, name)[index] for name, _, _ in POINT_COLUMNS},
        )

    def foot_px(self) -> NDArray[np.float32]:
        """Return the middle of each box's lower edge, (n, 2) x, y in pixels."""
        return self.anchor_px(0.5, 1.0)

    def anchor_px(self, rel_x: float, rel_y: float) -> NDArray[np.float32]:
        """Return the point at relative place (0..1 from left, 0..1 from top) of each box."""
        box = self.box_px
        x = box[:, 0] + np.float32(rel_x) * (box[:, 2] - box[:, 0])
        y = box[:, 1] + np.float32(rel_y) * (box[:, 3] - box[:, 1])
        return np.stack([x, y], axis=1)

    def front_m(self) -> NDArray[np.float64]:
        """Return the middle of the front of each footprint, (n, 2) metres.

        Where heading or length is unknown, the centre; NaN where that is unknown too.
        """
        return self._ahead_m(0.5)

    def rear_m(self) -> NDArray[np.float64]:
        """Return the middle of the rear of each footprint, (n, 2) metres; as ``front_m``."""
        return self._ahead_m(-0.5)

    def _ahead_m(self, share: float) -> NDArray[np.float64]:
        heading = self.heading_rad.astype(np.float64)
        reach = share * self.length_m.astype(np.float64)
        off = np.stack([reach * np.cos(heading), reach * np.sin(heading)], axis=1)
        return self.xy_m.astype(np.float64) + np.where(np.isfinite(off), off, 0.0)

    def tracks(self) -> "Iterator[Track]":
        """Yield a view per track, in order of track_id."""
        order = np.argsort(self.track_id, kind="stable")
        ids, starts = np.unique(self.track_id[order], return_index=True)
        for track_id, rows in zip(ids, np.split(order, starts[1:]), strict=False):
            yield Track(track_id=int(track_id), points=self[rows])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Track:
    """A view of one road user: the rows of one id, in order of time."""

    track_id: int
    points: TrackPoints

    @property
    def kind(self) -> int:
        """Return the last vote on what it is."""
        return int(self.points.kind[-1])

    @property
    def start_ns(self) -> int:
        """Return the time of the first row."""
        return int(self.points.t_ns[0])

    @property
    def end_ns(self) -> int:
        """Return the time of the last row."""
        return int(self.points.t_ns[-1])


_FILLS: dict[str, Any] = {
    name: np.nan if np.issubdtype(dtype, np.floating) else 0 for name, dtype, _ in POINT_COLUMNS
}


def _blank(name: str, n: int) -> NDArray[Any]:
    """Return ``n`` rows of a column that says nothing."""
    return np.full(_shapes(n)[_PLACE[name]], _FILLS[name], _DTYPES[_PLACE[name]])


_PLACE = {name: place for place, (name, _, _) in enumerate(POINT_COLUMNS)}


def make_points(*, camera_id: str, run_id: int, **columns: Any) -> TrackPoints:
    """Build rows from the columns that are known; the others are NaN or 0.

    >>> points = make_points(camera_id="north", run_id=1, t_ns=[0, 5], track_id=[1, 1])
    >>> len(points), bool(np.isnan(points.xy_m).all())
    (2, True)
    """
    n = len(columns["t_ns"])
    if len(columns) < len(_FILLS):
        columns |= {name: _blank(name, n) for name in _FILLS if name not in columns}
    if len(columns) > len(_FILLS):
        raise ValueError(f"no such columns: {sorted(columns.keys() - _FILLS.keys())}")
    return TrackPoints(camera_id=camera_id, run_id=run_id, **columns)


@lru_cache(maxsize=512)
def no_metres(n: int) -> dict[str, NDArray[Any]]:
    """Return the columns in metres of ``n`` rows that have only pixels; shared: not for writing.

    >>> sorted(no_metres(2))[:3], no_metres(2)["xy_m"].shape
    (['cov_m2', 'heading_rad', 'length_m'], (2, 2))
    """
    columns = {name: _blank(name, n) for name in _METRES}
    for column in columns.values():
        column.flags.writeable = False
    return columns


_METRES = (
    "xy_m",
    "velocity_mps",
    "heading_rad",
    "length_m",
    "width_m",
    "size_source",
    "cov_m2",
)


def no_points(*, camera_id: str, run_id: int) -> TrackPoints:
    """Return no rows.

    >>> len(no_points(camera_id="north", run_id=1))
    0
    """
    return make_points(camera_id=camera_id, run_id=run_id, t_ns=np.empty(0), track_id=np.empty(0))


def concat_points(blocks: list[TrackPoints]) -> TrackPoints:
    """Return the rows of all blocks (one camera, one run, at least one block) in their order."""
    first = blocks[0]
    if any((b.camera_id, b.run_id) != (first.camera_id, first.run_id) for b in blocks):
        raise ValueError("blocks of different cameras or runs cannot be joined")
    return TrackPoints(
        camera_id=first.camera_id,
        run_id=first.run_id,
        **{
            name: np.concatenate([getattr(block, name) for block in blocks])
            for name, _, _ in POINT_COLUMNS
        },
    )
