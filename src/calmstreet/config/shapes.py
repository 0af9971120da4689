"""What is wrong with a drawn shape, in one sentence; "" when nothing is."""

from collections.abc import Sequence
from itertools import combinations, pairwise

from calmstreet.model.site import Point

__all__ = ["faulty_box", "faulty_polygon", "faulty_polyline", "segments_cross"]

_SMALL = 1e-9


def _side(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _within(a: Point, b: Point, c: Point) -> bool:
    """Tell whether c, known to lie on the line through a and b, lies between them."""
    return min(a[0], b[0]) <= c[0] <= max(a[0], b[0]) and min(a[1], b[1]) <= c[1] <= max(a[1], b[1])


def segments_cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Tell whether the segments a-b and c-d have a point in common.

    >>> segments_cross((0, 0), (2, 2), (0, 2), (2, 0))
    True
    >>> segments_cross((0, 0), (1, 0), (0, 1), (1, 1))
    False
    """
    abc, abd, cda, cdb = _side(a, b, c), _side(a, b, d), _side(c, d, a), _side(c, d, b)
    if (abc > 0) != (abd > 0) and (cda > 0) != (cdb > 0) and 0 not in (abc, abd, cda, cdb):
        return True
    ends = ((abc, a, b, c), (abd, a, b, d), (cda, c, d, a), (cdb, c, d, b))
    return any(side == 0 and _within(p, q, r) for side, p, q, r in ends)


def _doubles_back(a: Point, b: Point, c: Point) -> bool:
    forward = (b[0] - a[0]) * (c[0] - b[0]) + (b[1] - a[1]) * (c[1] - b[1])
    return _side(a, b, c) == 0 and forward < 0


def _repeats(points: Sequence[Point]) -> bool:
    return any(a == b for a, b in pairwise(points))


def faulty_polyline(points: Sequence[Point]) -> str:
    """Return what is wrong with a gate's points.

    >>> faulty_polyline([(0, 0), (0, 0)])
    'has length zero; give two different points'
    >>> faulty_polyline([(0, 0), (4, 0)])
    ''
    """
    if len(points) < 2:
        return f"has {len(points)} point; a line needs at least two"
    if len(set(points)) == 1:
        return "has length zero; give two different points"
    if _repeats(points):
        return "names the same point twice in a row; leave one out"
    if any(_doubles_back(*points[i : i + 3]) for i in range(len(points) - 2)):
        return "runs back over itself; draw it in one direction"
    pieces = list(pairwise(points))
    for i, j in combinations(range(len(pieces)), 2):
        if j > i + 1 and segments_cross(*pieces[i], *pieces[j]):
            return "crosses or touches itself; draw a line that does not meet itself"
    return ""


def faulty_polygon(points: Sequence[Point]) -> str:
    """Return what is wrong with the corners of an area.

    >>> faulty_polygon([(0, 0), (4, 0)])
    'has 2 corners; an area needs at least three'
    >>> faulty_polygon([(0, 0), (4, 4), (4, 0), (0, 4)])
    'crosses or touches itself; list the corners in order around the area'
    """
    if len(points) < 3:
        return f"has {len(points)} corners; an area needs at least three"
    ring = [*points, points[0]]
    if points[0] == points[-1]:
        return "repeats its first corner at the end; leave the last one out"
    if _repeats(ring):
        return "names the same corner twice in a row; leave one out"
    area = sum(a[0] * b[1] - a[1] * b[0] for a, b in pairwise(ring)) / 2
    pieces = list(pairwise(ring))
    for i, j in combinations(range(len(pieces)), 2):
        neighbours = j == i + 1 or (i == 0 and j == len(pieces) - 1)
        if not neighbours and segments_cross(*pieces[i], *pieces[j]):
            return "crosses or touches itself; list the corners in order around the area"
    if abs(area) < _SMALL:
        return "covers no area; the corners lie on one line"
    if any(_doubles_back(*[*ring, ring[1]][i : i + 3]) for i in range(len(points))):
        return "runs back over itself; list the corners in order around the area"
    return ""


def faulty_box(box: tuple[float, float, float, float]) -> str:
    """Return what is wrong with a box l, t, r, b.

    >>> faulty_box((0, 0, 4, 4))
    ''
    """
    if box[0] >= box[2] or box[1] >= box[3]:
        return "is not a box; write [left, top, right, bottom] with left < right and top < bottom"
    return ""
