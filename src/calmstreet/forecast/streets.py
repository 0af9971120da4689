"""Streets as a graph in metres: where a point lies on them, and what spreads along them.

The kernel runs along the streets and is split equally at junctions (Okabe, Satoh and Sugihara,
2009), so that a crash warms the street it happened on and not the one behind the block. At a dead
end it turns back, so that every point counts as one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from calmstreet.errors import InputError

__all__ = [
    "Pieces",
    "Streets",
    "cut",
    "density",
    "metres_of",
    "neighbours",
    "snapped",
    "streets_of",
]

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
_EARTH_M = 6_371_008.8
_NODE_M = 0.5
_DENSE_M = 10.0
_LEAST_SHARE = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Streets:
    """Edges between junctions.

    ``ends`` (e, 2) are node numbers, ``lengths_m`` (e,), ``lines`` (k, 2) each.
    """

    ids: tuple[str, ...]
    ends: Places
    lengths_m: Floats
    lines: tuple[Floats, ...]
    nodes: int

    def at_node(self) -> list[list[int]]:
        """Return the edges at each node; one that begins and ends there stands twice."""
        found: list[list[int]] = [[] for _ in range(self.nodes)]
        for edge, (a, b) in enumerate(self.ends.tolist()):
            found[a].append(edge)
            found[b].append(edge)
        return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pieces:
    """Short pieces of edges: ``edge`` (n,), ``middle_m`` (n,) along it, ``size_m`` (n,)."""

    edge: Places
    middle_m: Floats
    size_m: Floats


def metres_of(lonlat_deg: Floats, *, origin_deg: tuple[float, float]) -> Floats:
    """Return east, north (n, 2) in metres around an origin (lon, lat); good to 0.1 % in a city.

    >>> metres_of(np.array([[76.0, 43.001]]), origin_deg=(76.0, 43.0)).round(1).tolist()
    [[0.0, 111.2]]
    """
    lonlat = np.asarray(lonlat_deg, np.float64)
    east = np.radians(lonlat[:, 0] - origin_deg[0]) * np.cos(np.radians(origin_deg[1])) * _EARTH_M
    north = np.radians(lonlat[:, 1] - origin_deg[1]) * _EARTH_M
    return np.column_stack([east, north])


def streets_of(lines: Sequence[Floats], *, ids: Sequence[str]) -> Streets:
    """Return the graph of polylines (k, 2) in metres; ends within half a metre are one junction.

    The same line given twice (there and back) is one street. Raises InputError where none is left.
    """
    kept: dict[tuple[object, ...], tuple[str, Floats]] = {}
    for name, line in zip(ids, lines, strict=True):
        points = np.asarray(line, np.float64)
        steps = np.hypot(*np.diff(points, axis=0).T) if len(points) > 1 else np.zeros(1)
        if steps.sum() <= 0:
            continue
        grid = [tuple(p) for p in np.round(points / _NODE_M).astype(int).tolist()]
        kept.setdefault(min(tuple(grid), tuple(grid[::-1])), (str(name), points))
    if not kept:
        raise InputError("the streets hold no line with a length; give LineStrings")
    names, shapes = zip(*kept.values(), strict=True)
    tips = np.concatenate([[line[0], line[-1]] for line in shapes])
    tree = cKDTree(tips)
    numbers = _merged(len(tips), tree.query_pairs(_NODE_M, output_type="ndarray"))
    return Streets(
        ids=tuple(names),
        ends=numbers.reshape(-1, 2),
        lengths_m=np.array([np.hypot(*np.diff(line, axis=0).T).sum() for line in shapes]),
        lines=tuple(shapes),
        nodes=int(numbers.max()) + 1,
    )


def _merged(count: int, pairs: Places) -> Places:
    """Return a number for each of ``count`` tips, the same for tips that are linked."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    ones = np.ones(len(pairs))
    graph = coo_matrix((ones, (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def snapped(streets: Streets, points_m: Floats, *, within_m: float = 30.0) -> tuple[Places, Floats]:
    """Return for points (n, 2) the edge (n,), -1 if none is near, and the metres along it (n,)."""
    dense, edge = _densified(streets)
    tree = cKDTree(dense)
    _, near = tree.query(points_m, k=min(8, len(dense)))
    near = np.atleast_2d(near).reshape(len(points_m), -1)
    best_edge, best_along = np.full(len(points_m), -1, np.int64), np.zeros(len(points_m))
    for i, point in enumerate(points_m):
        found = [
            _nearest(streets.lines[e], point, e) for e in dict.fromkeys(edge[near[i]].tolist())
        ]
        distance, number, place = min(found)
        if distance <= within_m:
            best_edge[i], best_along[i] = number, place
    return best_edge, best_along


def _densified(streets: Streets) -> tuple[Floats, Places]:
    """Return points every 10 m along all edges, and their edges."""
    parts, edges = [], []
    for number, line in enumerate(streets.lines):
        along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
        at = np.linspace(0, along[-1], max(2, int(along[-1] / _DENSE_M) + 2))
        parts.append(np.column_stack([np.interp(at, along, line[:, k]) for k in (0, 1)]))
        edges.append(np.full(len(at), number, np.int64))
    return np.concatenate(parts), np.concatenate(edges)


def _nearest(line: Floats, point: Floats, number: int) -> tuple[float, int, float]:
    """Return distance, edge and metres along of the place of a line nearest to a point."""
    begin, step = line[:-1], np.diff(line, axis=0)
    length = np.hypot(*step.T)
    share = ((point - begin) * step).sum(axis=1) / np.maximum(length**2, 1e-12)
    share = np.clip(share, 0, 1)
    gap = np.hypot(*(begin + share[:, None] * step - point).T)
    best = int(np.argmin(gap))
    return float(gap[best]), number, float(length[:best].sum() + share[best] * length[best])


def cut(streets: Streets, *, piece_m: float = 20.0) -> Pieces:
    """Return all edges cut into pieces of about ``piece_m``, equal within an edge."""
    often = np.maximum(1, np.round(streets.lengths_m / piece_m).astype(int))
    edge = np.repeat(np.arange(len(often)), often)
    size = np.repeat(streets.lengths_m / often, often)
    place = np.arange(len(edge)) - np.repeat(np.cumsum(often) - often, often)
    return Pieces(edge=edge.astype(np.int64), middle_m=(place + 0.5) * size, size_m=size)


def density(
    streets: Streets,
    pieces: Pieces,
    *,
    edge: Places,
    along_m: Floats,
    weight: Floats,
    bandwidth_m: float = 200.0,
) -> Floats:
    """Return points a metre (n,) at the pieces: a quartic kernel along the streets.

    ``edge``, ``along_m``, ``weight`` (p,) are points on the streets. The sum of density times
    piece is the sum of weights.
    """
    found = np.zeros(len(pieces.edge))
    first = np.searchsorted(pieces.edge, np.arange(len(streets.ids) + 1))
    spread = _Spread(streets, pieces, first, bandwidth_m)
    for e, s, w in zip(edge.tolist(), along_m.tolist(), weight.tolist(), strict=True):
        mass = spread.of(int(e), float(s))
        np.add.at(found, mass[0], w * mass[1])
    return found / pieces.size_m


class _Spread:
    """Walks from a point along the streets and collects the kernel's mass on pieces."""

    def __init__(self, streets: Streets, pieces: Pieces, first: Places, bandwidth_m: float) -> None:
        self._streets = streets
        self._pieces = pieces
        self._first = first
        self._reach = bandwidth_m
        self._at_node = streets.at_node()

    def of(self, edge: int, along_m: float) -> tuple[Places, Floats]:
        """Return piece numbers and masses of one point; the masses sum to 1."""
        places: list[Places] = []
        masses: list[Floats] = []
        length = float(self._streets.lengths_m[edge])
        todo = [(edge, along_m, 0.0, 1.0, +1), (edge, along_m, 0.0, 1.0, -1)]
        while todo:
            number, start, gone, share, way = todo.pop()
            length = float(self._streets.lengths_m[number])
            at, mass = self._mass(number, start, gone, share, way)
            places.append(at)
            masses.append(mass)
            left = gone + (length - start if way > 0 else start)
            if left < self._reach:
                todo += self._onward(number, way, left, share)
        place, mass = np.concatenate(places), np.concatenate(masses)
        return place, mass / mass.sum()

    def _mass(
        self, number: int, start: float, gone: float, share: float, way: int
    ) -> tuple[Places, Floats]:
        part = slice(int(self._first[number]), int(self._first[number + 1]))
        middle, half = self._pieces.middle_m[part], self._pieces.size_m[part] / 2
        ends = [(middle + sign * half - start) * way + gone for sign in (-1, 1)]
        low, high = np.minimum(*ends), np.maximum(*ends)
        low, high = np.maximum(low, gone), np.maximum(high, gone)
        mass = share * (self._below(high) - self._below(low))
        at = np.arange(part.start, part.stop)
        return at[mass > 0], mass[mass > 0]

    def _below(self, distance: Floats) -> Floats:
        """Return the mass of half a quartic kernel up to a distance: 0 to 1/2."""
        z = np.clip(distance / self._reach, 0, 1)
        return np.asarray(15 / 16 * (z - 2 * z**3 / 3 + z**5 / 5), np.float64)

    def _onward(
        self, number: int, way: int, left: float, share: float
    ) -> list[tuple[int, float, float, float, int]]:
        """Return the walks beyond the end of an edge: equal shares, or back from a dead end."""
        node = int(self._streets.ends[number, 1 if way > 0 else 0])
        others = list(self._at_node[node])
        others.remove(number)
        if not others:
            return [(number, self._start(number, way), left, share, -way)]
        each = share / len(others)
        if each < _LEAST_SHARE:
            return []
        return [self._entered(other, node, left, each) for other in others]

    def _start(self, number: int, way: int) -> float:
        return float(self._streets.lengths_m[number]) if way > 0 else 0.0

    def _entered(
        self, number: int, node: int, left: float, share: float
    ) -> tuple[int, float, float, float, int]:
        if int(self._streets.ends[number, 0]) == node:
            return number, 0.0, left, share, 1
        return number, float(self._streets.lengths_m[number]), left, share, -1


def neighbours(streets: Streets) -> list[list[int]]:
    """Return for each edge itself and those that share a junction with it."""
    at_node = streets.at_node()
    found = []
    for edge, (a, b) in enumerate(streets.ends.tolist()):
        found.append(sorted({edge, *at_node[a], *at_node[b]}))
    return found
