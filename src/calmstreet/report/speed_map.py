"""The map of speeds: how fast road users go at each place of the picture."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.kinds import Flag
from calmstreet.model.points import TrackPoints
from calmstreet.report.ink import Labels, pen_for, tint

__all__ = ["draw_speed_map"]

_CELLS_ACROSS = 40
_FEWEST = 3
_STEPS_KMH = (0, 10, 20, 30, 40, 50, 60, 80)
_COLOURS_BGR = (  # viridis, from slow to fast
    (84, 1, 68),
    (135, 50, 70),
    (141, 92, 54),
    (142, 127, 39),
    (132, 161, 31),
    (107, 193, 74),
    (56, 216, 160),
    (37, 231, 253),
)


def draw_speed_map(bgr: NDArray[np.uint8], blocks: Iterable[TrackPoints], *, scale: float) -> int:
    """Tint the cells of a picture by the median speed of moving road users there, in place.

    ``scale`` is drawn over video pixels. Return how many cells had enough rows; none means that
    no speeds are known.
    """
    cell_px = max(8, bgr.shape[1] // _CELLS_ACROSS)
    cells = _medians_kmh(bgr.shape[:2], blocks, scale, cell_px)
    for (row, column), speed_kmh in cells.items():
        step = int(np.searchsorted(_STEPS_KMH, speed_kmh, side="right")) - 1
        left, top = column * cell_px, row * cell_px
        right, bottom = left + cell_px, top + cell_px
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        tint(bgr, corners, colour=_COLOURS_BGR[step], share=0.72)
    if cells:
        _scale_of_colours(bgr)
    return len(cells)


def _medians_kmh(
    shape: tuple[int, ...], blocks: Iterable[TrackPoints], scale: float, cell_px: int
) -> dict[tuple[int, int], float]:
    places, speeds = [np.empty((0, 2), np.int64)], [np.empty(0)]
    hidden = np.uint8(Flag.COASTED | Flag.PARKED | Flag.TENTATIVE)
    for points in blocks:
        speed = 3.6 * np.hypot(points.velocity_mps[:, 0], points.velocity_mps[:, 1])
        good = np.isfinite(speed) & ((points.flags & hidden) == 0)
        feet = points.foot_px()[good].astype(np.float64) * scale
        places.append((feet // cell_px).astype(np.int64))
        speeds.append(speed[good].astype(np.float64))
    at, speed = np.concatenate(places), np.concatenate(speeds)
    rows, columns = shape[0] // cell_px, shape[1] // cell_px
    inside = ((at >= 0) & (at < [columns, rows])).all(axis=1)
    key = at[inside, 1] * columns + at[inside, 0]
    order = np.argsort(key, kind="stable")
    keys, starts = np.unique(key[order], return_index=True)
    groups = np.split(speed[inside][order], starts[1:])
    return {
        divmod(int(cell), columns): float(np.median(group))
        for cell, group in zip(keys, groups, strict=False)
        if len(group) >= _FEWEST
    }


def _scale_of_colours(bgr: NDArray[np.uint8]) -> None:
    """Draw what the colours mean into the lower left corner."""
    pen = pen_for(bgr)
    labels = Labels(bgr=bgr, pen=pen)
    width, height = labels.size_px("80+ km/h")
    top = bgr.shape[0] - height - 4
    for step, (low, colour) in enumerate(zip(_STEPS_KMH, _COLOURS_BGR, strict=True)):
        last = step == len(_STEPS_KMH) - 1
        text = f"{low}+ km/h" if last else f"{low}-{_STEPS_KMH[step + 1]}"
        labels.put(text, at=((step + 0.5) * (width + 4) + 4, top), colour=colour, fixed=True)
    labels.draw()
