"""Conflicts and the time watched without the spells in which the camera looked elsewhere."""

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calmstreet.geometry.plane import Plane
from calmstreet.model.conflicts import Conflicts
from calmstreet.model.shifts import Shifts
from calmstreet.safety.withdrawn import moved_too_far

__all__ = ["conflicts_unmoved", "spells_without", "unusable_spells"]

Spells = NDArray[np.int64]


def unusable_spells(shifts: Shifts, *, plane: Plane | None) -> Spells:
    """Return the spells (n, 2), UTC ns, of shifts that lay the measured ground elsewhere.

    A shift counts when the street was found nowhere, or when any corner of the ground that the
    plane was measured on lies more than the limit of ``safety.withdrawn`` away.
    """
    if plane is None or not len(shifts):
        return np.empty((0, 2), np.int64)
    corners_px = plane.to_px(plane.hull_m)
    corners_px = corners_px[np.isfinite(corners_px).all(axis=1)]
    gone = [
        (int(start_ns), int(end_ns))
        for start_ns, end_ns, matrix in zip(
            shifts.start_ns, shifts.end_ns, shifts.matrix, strict=True
        )
        if not np.isfinite(matrix).all()
        or moved_too_far(corners_px, matrix, limit_px=np.inf, plane=plane)
    ]
    return np.array(gone, np.int64).reshape(-1, 2)


def conflicts_unmoved(
    found: Conflicts, gone_ns: ArrayLike, *, because: str = "camera-moved"
) -> Conflicts:
    """Return the pairs with those rejected that fall in spells (n, 2) of a moved camera.

    The spells are taken out of the time watched too. Pairs in them count nowhere, conflict or not.
    ``because`` is another word of REJECTIONS for spells of another cause.
    """
    gone = np.asarray(gone_ns, np.int64).reshape(-1, 2)
    if not len(gone):
        return found
    inside = (found.start_ns[:, None] < gone[:, 1]) & (found.end_ns[:, None] > gone[:, 0])
    moved = inside.any(axis=1)
    return replace(
        found,
        is_conflict=found.is_conflict & ~moved,
        level=np.where(moved, 0, found.level).astype(np.uint8),
        rejected_because=np.where(moved, because, found.rejected_because),
        watched_ns=spells_without(found.watched_ns, gone),
    )


def spells_without(spells_ns: ArrayLike, gone_ns: ArrayLike) -> Spells:
    """Return spells (n, 2) without the parts that others cover.

    >>> spells_without([[0, 10], [20, 30]], [[5, 22], [25, 26]]).tolist()
    [[0, 5], [22, 25], [26, 30]]
    """
    gone = sorted(np.asarray(gone_ns, np.int64).reshape(-1, 2).tolist())
    left: list[tuple[int, int]] = []
    for start, end in np.asarray(spells_ns, np.int64).reshape(-1, 2).tolist():
        at = start
        for begin, until in gone:
            if begin < end and until > at:
                if begin > at:
                    left.append((at, begin))
                at = max(at, until)
        if at < end:
            left.append((at, end))
    return np.array(left, np.int64).reshape(-1, 2)
