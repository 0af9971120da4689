"""Usual paths of a place: centre lines learned from its own tracks, and who may follow which.

What a road user will do next is not known live. The usual paths say where those went on who came
this way before: progress along such a path is a better guess than a straight line, above all in
a junction. They are a versioned input: ``Paths.version`` is the sha256 of their content and is
named in every result that used them.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import InputError

__all__ = ["NO_PATHS", "STATION_M", "Choices", "Fit", "Paths", "paths_from_json"]

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

STATION_M = 0.5
"""Distance of the points of a centre line, m."""

_CELL_M = 1.0
_ASIDE_M = 2.0
_TURN_RAD = np.radians(35.0)
_HEADINGS = 16
_ASIDE_SIGMA_M = 0.8
_TURN_SIGMA_RAD = 0.25
_AS_GOOD = 4.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fit:
    """For each row the path that fits best, -1 for none (it is taken to go straight on).

    ``path``; ``station_m`` progress along it; ``aside_m`` to its left; ``choices`` how many paths
    fit about as well (heading and place so far do not tell them apart; the most usual is taken).
    """

    path: Ints
    station_m: Array
    aside_m: Array
    choices: Ints


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Choices:
    """The paths that fit about equally well: one line per row and path, ``rows`` rows in all."""

    rows: int
    row: Ints
    path: Ints
    station_m: Array
    aside_m: Array
    cost: Array

    def best(self, support: Array) -> Fit:
        """Return for each row the choice of most ``support`` (one number per line), then cost."""
        order = np.lexsort((self.path, self.cost, -support, self.row))
        lines = order[np.flatnonzero(np.diff(self.row[order], prepend=-1))]
        at = self.row[lines]
        fit = Fit(
            path=np.full(self.rows, -1, np.int64),
            station_m=np.full(self.rows, np.nan),
            aside_m=np.full(self.rows, np.nan),
            choices=np.bincount(self.row, minlength=self.rows),
        )
        fit.path[at], fit.station_m[at] = self.path[lines], self.station_m[lines]
        fit.aside_m[at] = self.aside_m[lines]
        return fit


def _no_choices(rows: int) -> Choices:
    none, nothing = np.empty(0, np.int64), np.empty(0)
    return Choices(rows=rows, row=none, path=none, station_m=nothing, aside_m=nothing, cost=nothing)


@dataclass(frozen=True, kw_only=True, eq=False)
class Paths:
    """Centre lines, one point every ``STATION_M``, all in one column.

    ``x_m``, ``y_m`` (n,); path k is rows ``start[k]:start[k + 1]``; ``walker`` (k,) True for
    paths of pedestrians; ``users`` (k,) how many tracks it rests on.
    """

    x_m: Array = field(default_factory=lambda: np.empty(0))
    y_m: Array = field(default_factory=lambda: np.empty(0))
    start: Ints = field(default_factory=lambda: np.zeros(1, np.int64))
    walker: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, np.bool_))
    users: Ints = field(default_factory=lambda: np.empty(0, np.int64))

    def __len__(self) -> int:
        return len(self.users)

    @cached_property
    def version(self) -> str:
        """Return the sha256 of the content, "" without any path."""
        return hashlib.sha256(self.to_json().encode()).hexdigest() if len(self) else ""

    def to_json(self) -> str:
        """Return the paths as text: places in whole millimetres, so that it reads back the same."""
        rows = [
            {
                "walker": bool(self.walker[k]),
                "users": int(self.users[k]),
                "xy_mm": np.rint(np.stack(self.line(k), axis=1) * 1000).astype(int).tolist(),
            }
            for k in range(len(self))
        ]
        return json.dumps({"station_m": STATION_M, "paths": rows}, separators=(",", ":"))

    def line(self, number: int) -> tuple[Array, Array]:
        """Return x and y of the points of one path, m."""
        rows = slice(int(self.start[number]), int(self.start[number + 1]))
        return self.x_m[rows], self.y_m[rows]

    @cached_property
    def ways(self) -> tuple[Array, Array]:
        """Return the unit heading (cos, sin) at each point."""
        cos, sin = np.empty_like(self.x_m), np.empty_like(self.x_m)
        for k in range(len(self)):
            x, y = self.line(k)
            dx, dy = np.gradient(x), np.gradient(y)
            long = np.sqrt(dx * dx + dy * dy)
            rows = slice(int(self.start[k]), int(self.start[k + 1]))
            cos[rows], sin[rows] = dx / long, dy / long
        return cos, sin

    def ahead(
        self, path: Ints, station_m: Array, aside_m: Array
    ) -> tuple[Array, Array, Array, Array]:
        """Return x, y, cos, sin at stations of paths (any shape); straight on past the ends.

        >>> east = Paths(x_m=np.arange(9) / 2, y_m=np.zeros(9), start=np.array([0, 9]),
        ...              walker=np.array([False]), users=np.array([3]))
        >>> [float(part[0]) for part in east.ahead(np.array([0]), np.array([6.0]), np.ones(1))]
        [6.0, 1.0, 1.0, 0.0]
        """
        first, last = self.start[path], self.start[path + 1] - 1
        at = np.clip(np.floor(station_m / STATION_M).astype(np.int64), 0, last - first - 1) + first
        over = station_m - (at - first) * STATION_M
        share = np.clip(over / STATION_M, 0.0, 1.0)
        beyond = over - share * STATION_M
        cos_line, sin_line = self.ways
        cos = cos_line[at] + share * (cos_line[at + 1] - cos_line[at])
        sin = sin_line[at] + share * (sin_line[at + 1] - sin_line[at])
        long = np.sqrt(cos * cos + sin * sin)
        cos, sin = cos / long, sin / long
        x = self.x_m[at] + share * (self.x_m[at + 1] - self.x_m[at])
        y = self.y_m[at] + share * (self.y_m[at + 1] - self.y_m[at])
        return x + beyond * cos - aside_m * sin, y + beyond * sin + aside_m * cos, cos, sin

    def fit(self, x_m: Array, y_m: Array, *, heading_rad: Array, walker: NDArray[np.bool_]) -> Fit:
        """Return the best path of each row (n,) by place and heading; ties go to the most usual."""
        choices = self.choices(x_m, y_m, heading_rad=heading_rad, walker=walker)
        return choices.best(np.zeros(len(choices.row)))

    def choices(
        self, x_m: Array, y_m: Array, *, heading_rad: Array, walker: NDArray[np.bool_]
    ) -> "Choices":
        """Return every path that each row (n,) may be on, by place and heading."""
        if not len(self) or not len(x_m):
            return _no_choices(len(x_m))
        row, point, path = self._near(x_m, y_m, heading_rad, walker)
        cos, sin = self.ways[0][point], self.ways[1][point]
        dx, dy = x_m[row] - self.x_m[point], y_m[row] - self.y_m[point]
        aside, along = cos * dy - sin * dx, cos * dx + sin * dy
        ahead = np.cos(heading_rad)[row], np.sin(heading_rad)[row]
        turn = np.arctan2(cos * ahead[1] - sin * ahead[0], cos * ahead[0] + sin * ahead[1])
        cost = (aside / _ASIDE_SIGMA_M) ** 2 + (turn / _TURN_SIGMA_RAD) ** 2
        good = (np.abs(aside) <= _ASIDE_M) & (np.abs(turn) <= _TURN_RAD)
        good &= np.abs(along) <= _CELL_M + STATION_M
        lowest = np.full(len(x_m), np.inf)
        np.minimum.at(lowest, row[good], cost[good])
        good &= cost <= lowest[row] + _AS_GOOD
        cost -= 2.0 * np.log(self.users[path] / self.users.max())
        station = (point - self.start[path]) * STATION_M + along
        return Choices(
            rows=len(x_m),
            row=row[good],
            path=path[good],
            station_m=station[good],
            aside_m=aside[good],
            cost=cost[good],
        )

    def _near(
        self, x_m: Array, y_m: Array, heading_rad: Array, walker: NDArray[np.bool_]
    ) -> tuple[Ints, Ints, Ints]:
        """Return (row, point, path) of every path whose line passes near a row's place."""
        table = self._table
        column = np.floor((x_m - table.x0_m) / _CELL_M)
        line = np.floor((y_m - table.y0_m) / _CELL_M)
        turn = np.floor(np.mod(heading_rad, 2 * np.pi) * (_HEADINGS / (2 * np.pi)))
        inside = (column >= 0) & (column < table.columns) & (line >= 0) & (line < table.lines)
        inside &= np.isfinite(turn)
        who = np.flatnonzero(inside)
        cell = (line[who] * table.columns + column[who]).astype(np.int64) * _HEADINGS
        cell += np.minimum(turn[who].astype(np.int64), _HEADINGS - 1)
        first, count = table.first[cell], table.first[cell + 1] - table.first[cell]
        row = np.repeat(who, count)
        offset = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
        pick = np.repeat(first, count) + offset
        point, path = table.point[pick], table.path[pick]
        same = self.walker[path] == walker[row]
        return row[same], point[same], path[same]

    @cached_property
    def _table(self) -> "_Table":
        return _table_of(self)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Table:
    """Which point of which path is nearest to each cell of the ground and bin of heading."""

    x0_m: float
    y0_m: float
    columns: int
    lines: int
    first: Ints
    point: Ints
    path: Ints


def _table_of(paths: Paths) -> _Table:
    reach = int(np.ceil(_ASIDE_M / _CELL_M)) + 1
    x0 = float(np.floor(paths.x_m.min())) - reach * _CELL_M
    y0 = float(np.floor(paths.y_m.min())) - reach * _CELL_M
    columns = int((paths.x_m.max() - x0) / _CELL_M) + reach + 1
    lines = int((paths.y_m.max() - y0) / _CELL_M) + reach + 1
    step = np.arange(-reach, reach + 1)
    down, right = (part.ravel() for part in np.meshgrid(step, step, indexing="ij"))
    column = np.floor((paths.x_m - x0) / _CELL_M).astype(np.int64)[:, None] + right
    line = np.floor((paths.y_m - y0) / _CELL_M).astype(np.int64)[:, None] + down
    dx = x0 + (column + 0.5) * _CELL_M - paths.x_m[:, None]
    dy = y0 + (line + 0.5) * _CELL_M - paths.y_m[:, None]
    far = dx * dx + dy * dy
    owner = np.repeat(np.arange(len(paths)), np.diff(paths.start))
    point = np.broadcast_to(np.arange(len(paths.x_m))[:, None], far.shape)
    keep = (far <= (_ASIDE_M + _CELL_M) ** 2) & (column >= 0) & (line >= 0)
    keep &= (column < columns) & (line < lines)
    cell = (line * columns + column)[keep]
    nearest = _nearest(cell, far[keep], point[keep], owner[point[keep]])
    cell, point = cell[nearest], point[keep][nearest]
    cell, point = _with_headings(cell, point, paths.ways)
    order = np.lexsort((owner[point], cell))
    cell, point = cell[order], point[order]
    first = np.searchsorted(cell, np.arange(columns * lines * _HEADINGS + 1))
    return _Table(
        x0_m=x0, y0_m=y0, columns=columns, lines=lines, first=first, point=point, path=owner[point]
    )


def _nearest(cell: Ints, far: Array, point: Ints, path: Ints) -> Ints:
    """Return rows: for each cell and path the nearest point of each pass of the path by it."""
    order = np.lexsort((point, path, cell))
    fresh = np.diff(cell[order], prepend=-1) != 0
    fresh |= np.diff(path[order], prepend=-1) != 0
    fresh |= np.diff(point[order], prepend=-1) > 2 * _CELL_M / STATION_M
    group = np.cumsum(fresh)
    best = np.lexsort((far[order], group))
    return order[best[np.flatnonzero(np.diff(group[best], prepend=0))]]


def _with_headings(cell: Ints, point: Ints, ways: tuple[Array, Array]) -> tuple[Ints, Ints]:
    """Return cells with their bin of heading, one row per bin that a path's heading may meet."""
    width = 2 * np.pi / _HEADINGS
    heading = np.mod(np.arctan2(ways[1][point], ways[0][point]), 2 * np.pi)
    spread = int(np.ceil(_TURN_RAD / width))
    bins = np.floor(heading / width).astype(np.int64)[:, None] + np.arange(-spread, spread + 1)
    cells = cell[:, None] * _HEADINGS + np.mod(bins, _HEADINGS)
    return cells.ravel(), np.repeat(point, 2 * spread + 1)


def paths_from_json(tree: Mapping[str, Any]) -> Paths:
    """Return paths from the tree of ``Paths.to_json``; raise InputError when it is another.

    >>> len(paths_from_json({"station_m": 0.5, "paths": []}))
    0
    """
    if tree.get("station_m") != STATION_M or not isinstance(tree.get("paths"), list):
        raise InputError("paths: this is not a file of usual paths; learn them again")
    rows = tree["paths"]
    if not rows:
        return NO_PATHS
    try:
        lines = [np.array(row["xy_mm"], np.float64).reshape(-1, 2) / 1000 for row in rows]
        walker = np.array([bool(row["walker"]) for row in rows])
        users = np.array([int(row["users"]) for row in rows], np.int64)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError("paths: a row lacks xy_mm, walker or users; learn them again") from error
    if min(len(line) for line in lines) < 2 or users.min() < 1:
        raise InputError("paths: a path needs two points and one user; learn them again")
    together = np.concatenate(lines)
    return Paths(
        x_m=together[:, 0].copy(),
        y_m=together[:, 1].copy(),
        start=np.cumsum([0, *(len(line) for line in lines)]),
        walker=walker,
        users=users,
    )


NO_PATHS = Paths()
"""Nothing learned yet: everybody is taken to go straight on."""
