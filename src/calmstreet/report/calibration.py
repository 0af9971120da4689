"""A plane over its picture: the metric grid with numbers, points, what they miss by, known lengths.

Everything is drawn in place on ``bgr``, uint8 (height, width, 3), copied from a BlurredFrame;
``scale`` is picture pixels per camera pixel.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calmstreet.geometry.plane import Plane
from calmstreet.model.site import CheckLength
from calmstreet.report.colours import LIGHT_BGR, Bgr
from calmstreet.report.ink import Labels, arrow, pen_for, polyline, ring

__all__ = ["MISS_TIMES", "draw_control_points", "draw_metric_grid", "grid_lines"]

Floats = NDArray[np.float64]
MISS_TIMES = 20.0
_COARSEST_M_PER_PX = 0.4
_GRID_M = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
_LINES = 14
_POINT: Bgr = (60, 220, 255)
_MISS: Bgr = (70, 70, 255)
_LENGTH: Bgr = (255, 200, 60)
_EAST: Bgr = (180, 255, 180)
_NORTH: Bgr = (255, 220, 180)
_AXES: tuple[tuple[int, Literal["east", "north"]], ...] = ((0, "east"), (1, "north"))


def draw_metric_grid(bgr: NDArray[np.uint8], plane: Plane, *, scale: float = 1.0) -> None:
    """Draw lines of equal metres east and north, numbered, as far as a pixel is under 0.4 m."""
    pen = pen_for(bgr)
    labels = Labels(bgr=bgr, pen=pen)
    numbered: list[Floats] = []
    looks = {"east": (_EAST, "E"), "north": (_NORTH, "N")}
    for axis, at, px in grid_lines(plane)[1]:
        colour, name = looks[axis]
        line = px * scale
        polyline(bgr, line, colour=colour, width_px=pen.thin_px)
        place = _label_place(line, bgr.shape[1], bgr.shape[0], numbered, 2.5 * pen.text_px)
        if place is not None:
            labels.put(f"{name} {at:g}", at=place.tolist())
            numbered.append(place)
    labels.draw()


def grid_lines(
    plane: Plane,
) -> tuple[float, list[tuple[Literal["east", "north"], float, Floats]]]:
    """Return the step in metres, and of each line what is equal along it, at how many metres, px.

    Pixels (n, 2) are those of the camera's picture, as far as one of them is under 0.4 m.
    """
    low, high = _seen_ground(plane)
    step = _step_m(float((high - low).max()))
    lines: list[tuple[Literal["east", "north"], float, Floats]] = []
    for axis, name in _AXES:
        first = np.ceil(low[axis] / step) * step
        for at in np.arange(first, high[axis] + step / 2, step):
            lines.append((name, float(at), _line_px(plane, axis, float(at), low, high)))
    return step, lines


def _label_place(
    line: Floats, width: int, height: int, taken: Sequence[Floats], apart_px: float
) -> Floats | None:
    """Return where the number of a line (n, 2) stands: its lowest place or an end with room."""
    shown = line[((line >= 0) & (line <= (width, height))).all(axis=1)]
    if not len(shown):
        return None
    places = (shown[int(np.argmax(shown[:, 1]))], shown[0], shown[-1])
    return next((place for place in places if _has_room(place, taken, apart_px)), None)


def _has_room(place: Floats, taken: Sequence[Floats], apart_px: float) -> bool:
    return all(np.hypot(*(place - other)) >= apart_px for other in taken)


def _seen_ground(plane: Plane) -> tuple[Floats, Floats]:
    """Return the corners (2,), (2,) in metres of the ground that is seen well, around the hull."""
    across, down = np.linspace(0, plane.width_px, 25), np.linspace(0, plane.height_px, 25)
    px = np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 2)
    with np.errstate(invalid="ignore"):
        good = plane.metres_per_px(px) <= _COARSEST_M_PER_PX
    places = np.concatenate([plane.to_m(px[good]), plane.hull_m])
    size = plane.hull_m.max(axis=0) - plane.hull_m.min(axis=0)
    reach = max(float(size.max()), 10.0)
    low = np.maximum(places.min(axis=0), plane.hull_m.min(axis=0) - reach)
    high = np.minimum(places.max(axis=0), plane.hull_m.max(axis=0) + reach)
    return low, high


def _step_m(size_m: float) -> float:
    """Return a round step in metres that gives at most 14 lines.

    >>> _step_m(60.0)
    5.0
    """
    return next((step for step in _GRID_M if size_m / step <= _LINES), _GRID_M[-1])


def _line_px(plane: Plane, axis: int, at_m: float, low: Floats, high: Floats) -> Floats:
    """Return pixels (n, 2) of one line of the grid where a pixel is fine enough."""
    places = np.linspace(low, high, 240)
    places[:, axis] = at_m
    px = plane.to_px(places)
    with np.errstate(invalid="ignore"):
        seen = (px > -plane.width_px) & (px < 2 * plane.width_px)
        fine = plane.metres_per_px(px) <= _COARSEST_M_PER_PX
    inside = seen.all(axis=1) & fine
    return px[inside]


def draw_control_points(
    bgr: NDArray[np.uint8],
    plane: Plane,
    *,
    points_px: ArrayLike,
    places_m: ArrayLike,
    names: Sequence[str],
    lengths: Sequence[CheckLength] = (),
    scale: float = 1.0,
) -> None:
    """Draw points (n, 2) with names, what the plane misses them by, times 20, and known lengths.

    The red arrow runs from the clicked pixel towards where the plane shows the point's place.
    """
    pen = pen_for(bgr)
    labels = Labels(bgr=bgr, pen=pen)
    for check in lengths:
        ends = np.array([check.a_px, check.b_px]) * scale
        polyline(bgr, ends, colour=_LENGTH, width_px=pen.line_px, halo=True)
        for end in ends:
            ring(bgr, end.tolist(), radius_px=pen.line_px, colour=_LENGTH)
        labels.put(f"{check.length_m:g} m", at=ends.mean(axis=0).tolist(), colour=_LENGTH)
    px = np.asarray(points_px, np.float64).reshape(-1, 2)
    miss = (plane.to_px(places_m) - px) * MISS_TIMES
    for point, vector, name in zip(px * scale, miss * scale, names, strict=True):
        if np.isfinite(vector).all() and np.hypot(*vector) > 2 * pen.line_px:
            arrow(bgr, [point, point + vector], colour=_MISS, width_px=pen.line_px)
        ring(bgr, point.tolist(), radius_px=pen.line_px + 2, colour=_POINT)
        labels.put(name, at=(point[0], point[1] - pen.text_px * 1.4), colour=_POINT)
    text = f"grid in metres; red: misses x {MISS_TIMES:g}"
    width, height = labels.size_px(text)
    labels.put(text, at=(width / 2, height / 2), colour=LIGHT_BGR, fixed=True)
    labels.draw()
