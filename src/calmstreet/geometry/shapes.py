"""Gates and zones on a picture: sides, passages, clearness, polygons. Pure numpy.

Sides. Stand at the first point of a gate and look along it, as the viewer of the picture sees it:
``to_left`` means that the road user ends on your left. Pictures have y down, metres have north
up; ``y_up=True`` keeps the same words for metres. A gate drawn upwards has x < x0 on its left.

Ties. A gate is taken as lying a hundred-thousandth of a pixel further right and down, so that a
path through a corner or an end point is decided the same way every time. Two gates that share an
end point share it without overlap: exactly one of them counts a path through it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Hits",
    "Line",
    "boxes_cover",
    "clear_of",
    "distance_to",
    "inside_polygon",
    "left_distance",
    "make_line",
    "polygon_area",
    "polygon_fault",
    "polyline_length",
    "steps_through",
]

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

_TIE = np.array([1.118033988749895e-5, 1.732050807568877e-5])
_ROOM_SHARE = 0.5
_LEAST_SHARE = 0.125


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """A prepared gate: its own parts and, beyond open ends, one prolongation each.

    ``a``, ``b`` float64 (m, 2) ends of the parts; ``own`` bool (m,) False for prolongations, which
    are as long as the gate; ``sign`` +1 for pictures (y down), -1 for metres (y up).
    """

    a: Array
    b: Array
    own: NDArray[np.bool_]
    sign: int = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hits:
    """Passages of path steps through a line: one row each, in order of step, then part.

    ``step`` index of the step; ``direction`` +1 to the left, -1 to the right; ``share`` 0..1 how
    far along the step; ``own`` False where only a prolongation was passed.
    """

    step: NDArray[np.intp]
    direction: NDArray[np.int8]
    share: Array
    own: NDArray[np.bool_]


def make_line(points: ArrayLike, *, y_up: bool = False) -> Line:
    """Prepare a polyline (n >= 2 points); it is closed when the last point equals the first.

    Raises ValueError for fewer than two different points.

    >>> make_line([(0, 0), (0, -10)]).own.tolist()
    [True, False, False]
    """
    vertices = np.asarray(points, np.float64).reshape(-1, 2)
    kept = np.r_[True, (np.diff(vertices, axis=0) != 0).any(axis=1)][: len(vertices)]
    vertices = vertices[kept] + _TIE
    if len(vertices) < 2:
        raise ValueError("a line needs two different points")
    a, b = vertices[:-1], vertices[1:]
    own = np.ones(len(a), bool)
    sign = -1 if y_up else 1
    if (vertices[0] == vertices[-1]).all():
        return Line(a=a, b=b, own=own, sign=sign)
    rays = _prolongations(vertices)
    return Line(
        a=np.concatenate([a, *(ray[:1] for ray in rays)]),
        b=np.concatenate([b, *(ray[1:] for ray in rays)]),
        own=np.r_[own, np.zeros(len(rays), bool)],
        sign=sign,
    )


def _prolongations(vertices: Array) -> list[Array]:
    """Return up to two parts (2, 2), in the line's own sense, that prolong its ends.

    One that would meet the line is left out, and both are when they would meet each other.
    """
    reach = polyline_length(vertices)
    rays = []
    for end, before in ((vertices[0], vertices[1]), (vertices[-1], vertices[-2])):
        away = end - before
        rays.append(np.stack([end, end + away * (reach / np.sqrt((away * away).sum()))]))
    free = [not _meets(rays[0], vertices[1:]), not _meets(rays[1], vertices[:-1])]
    if all(free) and _meets(rays[0], rays[1]):
        return []
    senses = (rays[0][::-1], rays[1])
    return [ray for ray, keep in zip(senses, free, strict=True) if keep]


def _meets(ray: Array, vertices: Array) -> bool:
    """Return True when a straight part passes through a polyline, its own neighbour left out."""
    bare = Line(a=vertices[:-1], b=vertices[1:], own=np.ones(len(vertices) - 1, bool))
    return len(steps_through(bare, ray[:1], ray[1:]).step) > 0


def left_distance(points: ArrayLike, a: ArrayLike, b: ArrayLike) -> Array:
    """Return the signed distance (n,) of points (n, 2) from the line a-b, left is positive.

    >>> left_distance([(-3, 5), (2, 5)], (0, 0), (0, -10)).tolist()
    [3.0, -2.0]
    """
    p = np.asarray(points, np.float64).reshape(-1, 2)
    (ax, ay), (bx, by) = np.asarray(a, np.float64), np.asarray(b, np.float64)
    dx, dy = bx - ax, by - ay
    side: Array = (dy * (p[:, 0] - ax) - dx * (p[:, 1] - ay)) / np.sqrt(dx * dx + dy * dy)
    return side


def steps_through(line: Line, start: Array, end: Array) -> Hits:
    """Return where the straight steps start -> end, both (n, 2), pass through the line.

    Rows with NaN pass through nothing.

    >>> gate = make_line([(0, 0), (0, -10)])
    >>> hits = steps_through(gate, np.array([[4.0, -5.0]]), np.array([[-4.0, -5.0]]))
    >>> hits.direction.tolist(), hits.share.round(3).tolist()
    ([1], [0.5])
    """
    px, py, qx, qy = (column[:, None] for column in (*start.T, *end.T))
    ax, ay, bx, by = line.a[:, 0], line.a[:, 1], line.b[:, 0], line.b[:, 1]
    dx, dy = bx - ax, by - ay
    before = dy * (px - ax) - dx * (py - ay)
    after = dy * (qx - ax) - dx * (qy - ay)
    sx, sy = qx - px, qy - py
    first = sx * (ay - py) - sy * (ax - px)
    second = sx * (by - py) - sy * (bx - px)
    through = ((before > 0) != (after > 0)) & ((first > 0) != (second > 0))
    step, part = np.nonzero(through)
    was, now = before[step, part], after[step, part]
    return Hits(
        step=step,
        direction=(np.where(now > 0, 1, -1) * line.sign).astype(np.int8),
        share=was / (was - now),
        own=line.own[part],
    )


def _nearest(line: Line, points: Array, parts: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Return distances (n,) and nearest places (n, 2) on the chosen parts."""
    a, d = line.a[parts], line.b[parts] - line.a[parts]
    x, y = points[:, 0, None] - a[:, 0], points[:, 1, None] - a[:, 1]
    along = (x * d[:, 0] + y * d[:, 1]) / (d[:, 0] * d[:, 0] + d[:, 1] * d[:, 1])
    along = np.clip(along, 0.0, 1.0)
    x, y = x - along * d[:, 0], y - along * d[:, 1]
    far = np.sqrt(x * x + y * y)
    row, best = np.arange(len(points)), far.argmin(axis=1)
    off = np.stack([x[row, best], y[row, best]], axis=1)
    return far[row, best], points - off


def distance_to(line: Line, points: ArrayLike) -> Array:
    """Return the distance (n,) of points (n, 2) from the finite line, without prolongations.

    >>> distance_to(make_line([(0, 0), (0, -10)]), [(3, -5), (0, 4)]).round(3).tolist()
    [3.0, 4.0]
    """
    return _nearest(line, np.asarray(points, np.float64).reshape(-1, 2), line.own)[0]


def clear_of(line: Line, points: Array, hysteresis: Array, *, size: Array | None = None) -> Mask:
    """Return bool (n,): which points (n, 2) lie at least their hysteresis (n,) beside the line.

    ``size`` (width, height) of the picture shortens the hysteresis where the picture leaves less
    room on that side of the line: half the room is then enough, but never less than an eighth of
    the hysteresis, so that gates near the edge can count. NaN is never clear.

    >>> gate = make_line([(0, 95), (100, 95)])
    >>> points, h = np.array([[50.0, 60.0], [50.0, 99.0]]), np.array([20.0, 20.0])
    >>> clear_of(gate, points, h).tolist(), clear_of(gate, points, h, size=np.array([100, 100]))
    ([True, False], array([ True,  True]))
    """
    far, near = _nearest(line, points, np.ones(len(line.own), bool))
    if size is None:
        return np.asarray(far >= hysteresis)
    with np.errstate(divide="ignore", invalid="ignore"):
        towards = (points - near) / far[:, None]
        room = np.where(towards > 0, (size - near) / towards, near / -towards)
    room = np.where(towards == 0, np.inf, room).min(axis=1)
    shortened = np.clip(_ROOM_SHARE * room, _LEAST_SHARE * hysteresis, hysteresis)
    return np.asarray(far >= shortened)


def inside_polygon(points: ArrayLike, polygon: ArrayLike) -> Mask:
    """Return bool (n,): which points (n, 2) lie in the polygon (even-odd rule, ties as gates).

    >>> inside_polygon([(1, 1), (5, 1)], [(0, 0), (4, 0), (4, 4), (0, 4)]).tolist()
    [True, False]
    """
    p = np.asarray(points, np.float64).reshape(-1, 2)
    corners = np.asarray(polygon, np.float64).reshape(-1, 2) + _TIE
    a, b = corners, np.roll(corners, -1, axis=0)
    x, y = p[:, 0, None], p[:, 1, None]
    spans = (a[:, 1] > y) != (b[:, 1] > y)
    rise = np.where(a[:, 1] == b[:, 1], 1.0, b[:, 1] - a[:, 1])
    at_x = a[:, 0] + (y - a[:, 1]) * (b[:, 0] - a[:, 0]) / rise
    return np.asarray((spans & (x < at_x)).sum(axis=1) % 2 == 1)


def polyline_length(points: ArrayLike) -> float:
    """Return the length of a polyline (n, 2).

    >>> polyline_length([(0, 0), (3, 4), (3, 5)])
    6.0
    """
    steps = np.diff(np.asarray(points, np.float64).reshape(-1, 2), axis=0)
    return float(np.sqrt((steps * steps).sum(axis=1)).sum())


def polygon_area(polygon: ArrayLike) -> float:
    """Return the area (shoelace formula), never negative.

    >>> polygon_area([(0, 0), (4, 0), (4, 3), (0, 3)])
    12.0
    """
    corners = np.asarray(polygon, np.float64).reshape(-1, 2)
    x, y = corners.T
    return abs(float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum())) / 2


def polygon_fault(polygon: ArrayLike) -> str:
    """Return what is wrong with a polygon in a few words, or "" when it is sound.

    >>> polygon_fault([(0, 0), (4, 0)])
    'has 2 corners, needs 3'
    >>> polygon_fault([(0, 0), (4, 4), (4, 0), (0, 4)])
    'crosses itself'
    """
    corners = np.asarray(polygon, np.float64).reshape(-1, 2)
    different = len(np.unique(corners, axis=0))
    if not np.isfinite(corners).all():
        return "has a corner that is not a number"
    if different < 3:
        return f"has {different} corners, needs 3"
    if _crosses_itself(corners):
        return "crosses itself"
    return "has no area" if polygon_area(corners) == 0 else ""


def _crosses_itself(corners: Array) -> bool:
    """Return True when two sides that are not neighbours pass through each other."""
    n = len(corners)
    following = np.roll(corners, -1, axis=0)
    for i in range(n - 2):
        others = [j for j in range(i + 2, n) if (j + 1) % n != i]
        if not others:
            continue
        bare = Line(a=corners[others], b=following[others], own=np.ones(len(others), bool))
        if len(steps_through(bare, corners[i][None], following[i][None]).step):
            return True
    return False


def boxes_cover(line: Line, box_px: ArrayLike) -> Mask:
    """Return bool (n,): which boxes (n, 4) l, t, r, b touch the finite line.

    Separating axes: the two sides of the box and the normal of the line.

    >>> boxes_cover(make_line([(0, 5), (10, 5)]), [(2, 0, 4, 9), (2, 6, 4, 9)]).tolist()
    [True, False]
    """
    box = np.asarray(box_px, np.float64).reshape(-1, 4)
    a, b = line.a[line.own], line.b[line.own]
    left, top, right, bottom = (column[:, None] for column in box.T)
    low, high = np.minimum(a, b), np.maximum(a, b)
    meets = (left <= high[:, 0]) & (right >= low[:, 0])
    meets &= (top <= high[:, 1]) & (bottom >= low[:, 1])
    dx, dy = b[:, 0] - a[:, 0], b[:, 1] - a[:, 1]
    middle = dy * ((left + right) / 2 - a[:, 0]) - dx * ((top + bottom) / 2 - a[:, 1])
    half = np.abs(dy) * (right - left) / 2 + np.abs(dx) * (bottom - top) / 2
    return np.asarray((meets & (np.abs(middle) <= half)).any(axis=1))
