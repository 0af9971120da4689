"""Where road users are at the moment of a picture, from what was seen a second around it."""

from collections import deque
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from calmstreet.units import NS_PER_S
from calmstreet.video.standing import iou

__all__ = ["Places", "Sightings", "Step"]

_SAME_USER_IOU = 0.3
_GROWTH_PER_S = 0.3
_SHARE_OF_WAY = 0.25
_KIND_BITS = 8


class Places(NamedTuple):
    """Boxes float32 (n, 4) with kinds uint8 (n,), in stored pixels."""

    box_px: NDArray[np.float32]
    kind: NDArray[np.uint8]


class Step(NamedTuple):
    """What one picture showed: detections, tracks, places that stand, moving blobs.

    ``untracked`` are the detections under no track, filled in by ``Sightings.add``.
    """

    t_ns: int
    seen: Places
    track_id: NDArray[np.int64]
    tracked: Places
    standing: Places
    blob_px: NDArray[np.float32]
    untracked: Places | None = None


class Sightings:
    """The steps of the last seconds, and boxes interpolated between them."""

    def __init__(self, *, reach_s: float) -> None:
        self._reach_ns = round(reach_s * NS_PER_S)
        self._steps: deque[Step] = deque()

    def add(self, step: Step) -> None:
        """Take in the next step; forget those that no waiting picture can need."""
        self._steps.append(step._replace(untracked=_without_track(step)))
        while self._steps[0].t_ns < step.t_ns - 2 * self._reach_ns - NS_PER_S:
            self._steps.popleft()

    def clear(self) -> None:
        """Forget everything."""
        self._steps.clear()

    def at(self, t_ns: int) -> Places:
        """Return all boxes to cover at ``t_ns``.

        Boxes seen in the picture itself as they are; tracks moved along their way; boxes of no
        track, seen within the reach before or after, where they were seen.
        """
        near = [step for step in self._steps if abs(step.t_ns - t_ns) <= self._reach_ns]
        places = [step.standing for step in near]
        for step in near:
            places.append(step.seen if step.untracked is None else step.untracked)
            if step.t_ns == t_ns:
                places.append(step.seen)
        wide = [step for step in self._steps if abs(step.t_ns - t_ns) <= 2 * self._reach_ns]
        places.append(_along_the_way(wide, t_ns, self._reach_ns / NS_PER_S))
        return Places(
            np.concatenate([part.box_px for part in places]),
            np.concatenate([part.kind for part in places]),
        )

    def blobs_at(self, t_ns: int, reach_s: float) -> NDArray[np.float32]:
        """Return the moving blobs (n, 4) of the pictures within ``reach_s``."""
        reach_ns = reach_s * NS_PER_S
        blobs = [step.blob_px for step in self._steps if abs(step.t_ns - t_ns) <= reach_ns]
        return np.concatenate([np.empty((0, 4), np.float32), *blobs])


def _without_track(step: Step) -> Places:
    """Return the detections that lie under no track of the same step."""
    alone = ~(iou(step.seen.box_px, step.tracked.box_px) >= _SAME_USER_IOU).any(axis=1)
    return Places(step.seen.box_px[alone], step.seen.kind[alone])


def _along_the_way(near: list[Step], t_ns: int, reach_s: float) -> Places:
    """Return each track's box at ``t_ns``, once for every kind that it had near that time.

    Tracks without a row within ``reach_s`` are left out; rows further off only give the motion.
    """
    if not near or not sum(len(step.track_id) for step in near):
        return Places(np.empty((0, 4), np.float32), np.empty(0, np.uint8))
    ids = np.concatenate([step.track_id for step in near])
    times = np.concatenate([np.full(len(step.track_id), step.t_ns - t_ns) for step in near])
    boxes = np.concatenate([step.tracked.box_px for step in near])
    kinds = np.concatenate([step.tracked.kind for step in near])
    order = np.lexsort((times, ids))
    ids, times, boxes, kinds = ids[order], times[order], boxes[order], kinds[order]
    starts = np.flatnonzero(np.r_[True, ids[1:] != ids[:-1]])
    ends = np.r_[starts[1:], len(ids)]
    before = np.array(
        [s + np.searchsorted(times[s:e], 0, "right") - 1 for s, e in zip(starts, ends, strict=True)]
    )
    box, away_s = _moved(times / NS_PER_S, boxes, starts, ends, before)
    bits = np.bitwise_or.reduceat(np.left_shift(1, kinds.astype(np.int64)), starts)
    bits[away_s > reach_s] = 0
    user, kind = np.nonzero(bits[:, None] >> np.arange(_KIND_BITS) & 1)
    return Places(box[user], kind.astype(np.uint8))


def _moved(
    t_s: NDArray[np.float64],
    boxes: NDArray[np.float32],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    before: NDArray[np.int64],
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return (a box a track at time 0, seconds to its nearest row); rows lie by track and time.

    Between two rows it is interpolated; past the ends it is drawn out along the last motion and
    joined with the box that was seen. It grows with the way and the time to the nearest row.
    """
    low = np.clip(before, starts, ends - 1)
    high = np.clip(before + 1, starts, ends - 1)
    first, last = before < starts, before >= ends - 1
    a = np.where(first, low, np.where(last, np.maximum(low - 1, starts), low))
    b = np.where(first, np.minimum(low + 1, ends - 1), high)
    span = t_s[b] - t_s[a]
    rate = (boxes[b] - boxes[a]) / np.maximum(span, 1e-3)[:, None]
    nearest = np.where(first, a, np.where(last, b, np.where(-t_s[a] <= t_s[b], a, b)))
    exact = t_s[low] == 0
    nearest = np.where(exact, low, nearest)
    away_s = np.abs(t_s[nearest])
    drawn = boxes[nearest] - rate * t_s[nearest][:, None]
    outside = ((first | last) & ~exact)[:, None]
    seen = boxes[nearest]
    corners = np.where(
        outside,
        np.concatenate([np.minimum(drawn, seen)[:, :2], np.maximum(drawn, seen)[:, 2:]], axis=1),
        drawn,
    )
    size = seen[:, 2:] - seen[:, :2]
    way = np.abs(drawn - seen)[:, :2] * _SHARE_OF_WAY
    grow = np.where(exact[:, None], 0.0, size * (_GROWTH_PER_S * away_s)[:, None] + way)
    box = np.concatenate([corners[:, :2] - grow, corners[:, 2:] + grow], axis=1)
    return box.astype(np.float32), away_s
