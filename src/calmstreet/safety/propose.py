"""Gates across the flows that were seen, for a site nobody has drawn yet.

Tracks are grouped by where their middle lies and where they head; across the middle of each group
goes a gate, at a right angle to the mean direction. Opposite flows share a gate. A proposal to be
looked at and moved, never a truth.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.site import Gate

__all__ = ["Path", "propose_gates"]

MOVED_SIZES = 2.0
MAX_GATES = 8
LIKE_RAD = np.pi / 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Path:
    """The way of one road user on the picture: ``foot_px`` (n, 2), ``size_px`` its box height."""

    foot_px: NDArray[np.float32]
    size_px: float


@dataclass(slots=True)
class _Group:
    """Paths that go the same way, either direction: directions folded to half a turn."""

    axis_rad: float
    middles: list[NDArray[np.float64]]
    sizes: list[float]


def propose_gates(
    paths: list[Path], *, camera_id: str, width_px: int, height_px: int
) -> tuple[Gate, ...]:
    """Return up to eight gates, the busiest flow first.

    >>> way = np.stack([np.full(20, 50.0), np.linspace(10, 90, 20)], axis=1).astype(np.float32)
    >>> gates = propose_gates([Path(foot_px=way, size_px=10.0)] * 2, camera_id="camera",
    ...                       width_px=100, height_px=100)
    >>> [gate.id for gate in gates]
    ['flow-1']
    >>> abs(gates[0].points_px[0][1] - gates[0].points_px[1][1]) < 2.0
    True
    """
    groups: list[_Group] = []
    reach = 0.16 * float(np.hypot(width_px, height_px))
    for path in paths:
        _place(groups, path, reach)
    groups.sort(key=lambda group: -len(group.middles))
    floor = 1 if len(paths) < 8 else 2
    busy = [group for group in groups if len(group.middles) >= floor][:MAX_GATES]
    size = (float(width_px), float(height_px))
    return tuple(
        Gate(id=f"flow-{k}", camera_id=camera_id, points_px=_across(group, size))
        for k, group in enumerate(busy, start=1)
    )


def _place(groups: list[_Group], path: Path, reach: float) -> None:
    way = path.foot_px.astype(np.float64)
    span = way[-1] - way[0]
    if float(np.hypot(*span)) < MOVED_SIZES * path.size_px:
        return
    middle = way[len(way) // 2]
    a, b = way[len(way) // 4], way[(3 * len(way)) // 4]
    step = b - a if np.hypot(*(b - a)) > 0.2 * np.hypot(*span) else span
    axis = float(np.arctan2(step[1], step[0]) % np.pi)
    for group in groups:
        turn = abs((axis - group.axis_rad + np.pi / 2) % np.pi - np.pi / 2)
        if turn < LIKE_RAD and float(np.hypot(*(middle - np.mean(group.middles, axis=0)))) < reach:
            group.middles.append(middle)
            group.sizes.append(path.size_px)
            return
    groups.append(_Group(axis_rad=axis, middles=[middle], sizes=[path.size_px]))


def _across(group: _Group, size: tuple[float, float]) -> tuple[tuple[float, float], ...]:
    """Return the two ends of the gate across a group, inside the picture."""
    centre = np.median(group.middles, axis=0)
    along = np.array([-np.sin(group.axis_rad), np.cos(group.axis_rad)])
    offsets = (np.array(group.middles) - centre) @ along
    margin = 1.2 * float(np.median(group.sizes))
    ends = []
    for offset in (float(offsets.min()) - margin, float(offsets.max()) + margin):
        x, y = centre + offset * along
        ends.append(
            (
                round(float(np.clip(x, 1, size[0] - 2)), 1),
                round(float(np.clip(y, 1, size[1] - 2)), 1),
            )
        )
    return tuple(ends)
