"""Memory of road users that stand: they stay covered until they are seen to leave.

A box that held its place for a second is remembered with a tiny picture of what it shows. As long
as that place looks the same, it is covered, whether or not any eye still reports it. What leaves
changes the look; what was only hidden for a while (a bus in front) is covered again as soon as the
look comes back. The tiny pictures live in memory only.
"""

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from calmstreet.units import NS_PER_S

__all__ = ["Standing"]

CONFIRM_S = 1.0
LOOK_EVERY_S = 0.4
FORGET_S = 600.0
_SAME_PLACE_IOU = 0.6
_LOOK_SIDE_PX = 12
_LEVELS_FLOOR = 6.0
_SHARE_OF_CONTRAST = 0.45
_LIGHT_FOLLOWS = 0.1
_MOST_PLACES = 400


class Standing:
    """Places (boxes in stored pixels) where something stands or stood.

    A place is confirmed when it was seen over a second and looked the same all the while; other
    traffic through the same place looks different each time.
    """

    def __init__(self) -> None:
        self._box = np.empty((0, 4), np.float32)
        self._kind = np.empty(0, np.uint8)
        self._first_ns = np.empty(0, np.int64)
        self._seen_ns = np.empty(0, np.int64)
        self._alike_ns = np.empty(0, np.int64)
        self._look = np.empty((0, _LOOK_SIDE_PX, _LOOK_SIDE_PX, 3), np.float32)
        self._looked_ns = -NS_PER_S

    def __len__(self) -> int:
        return len(self._kind)

    def update(
        self,
        t_ns: int,
        picture: NDArray[np.uint8],
        box_px: NDArray[np.float32],
        kind: NDArray[np.uint8],
    ) -> None:
        """Take in the boxes (n, 4) of one picture; look at the remembered places now and then."""
        overlap = iou(box_px, self._box)
        known = overlap >= _SAME_PLACE_IOU
        self._seen_ns[known.any(axis=0)] = t_ns
        fresh = ~known.any(axis=1)
        self._add(t_ns, box_px[fresh], kind[fresh])
        if t_ns - self._looked_ns >= LOOK_EVERY_S * NS_PER_S:
            self._looked_ns = t_ns
            self._look_at_places(t_ns, picture)
            self._forget(t_ns)

    def covered(self, t_ns: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Return (boxes (n, 4), kinds) of what stands there now."""
        now = self._confirmed() & (t_ns - self._alike_ns <= CONFIRM_S * NS_PER_S)
        return self._box[now], self._kind[now]

    def _confirmed(self) -> NDArray[np.bool_]:
        return np.asarray(self._seen_ns - self._first_ns >= CONFIRM_S * NS_PER_S)

    def _add(self, t_ns: int, box_px: NDArray[np.float32], kind: NDArray[np.uint8]) -> None:
        if not len(box_px):
            return
        side = _LOOK_SIDE_PX
        looks = np.full((len(kind), side, side, 3), np.nan, np.float32)
        now = np.full(len(kind), t_ns, np.int64)
        self._box = np.concatenate([self._box, box_px])
        self._kind = np.concatenate([self._kind, kind])
        self._first_ns = np.concatenate([self._first_ns, now])
        self._seen_ns = np.concatenate([self._seen_ns, now])
        self._alike_ns = np.concatenate([self._alike_ns, now])
        self._look = np.concatenate([self._look, looks])

    def _look_at_places(self, t_ns: int, picture: NDArray[np.uint8]) -> None:
        """Compare each place with its remembered look; follow the light where it is the same."""
        half = cast(
            NDArray[np.uint8],
            cv2.resize(
                picture,
                (max(1, picture.shape[1] // 2), max(1, picture.shape[0] // 2)),
                interpolation=cv2.INTER_AREA,
            ),
        )
        confirmed = self._confirmed()
        for i in range(len(self)):
            look, seen = _look(half, self._box[i] / 2), self._seen_ns[i] == t_ns
            new = bool(np.isnan(self._look[i, 0, 0, 0]))
            if not new and _alike(look, self._look[i]):
                self._look[i] += _LIGHT_FOLLOWS * (look - self._look[i])
                self._alike_ns[i] = t_ns
            elif new or seen or not confirmed[i]:
                self._look[i] = look
                self._first_ns[i] = t_ns
                self._alike_ns[i] = t_ns

    def _forget(self, t_ns: int) -> None:
        keep = np.where(
            self._confirmed(),
            t_ns - self._alike_ns <= FORGET_S * NS_PER_S,
            t_ns - self._seen_ns <= CONFIRM_S * NS_PER_S,
        )
        if keep.sum() > _MOST_PLACES:
            keep &= self._alike_ns >= np.sort(self._alike_ns[keep])[-_MOST_PLACES]
        for name in ("_box", "_kind", "_first_ns", "_seen_ns", "_alike_ns", "_look"):
            setattr(self, name, getattr(self, name)[keep])


def iou(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the overlap of boxes (n, 4) and (m, 4) as (n, m), intersection over union.

    >>> iou(np.array([[0, 0, 2, 2]], np.float32), np.array([[0, 0, 2, 4]], np.float32)).tolist()
    [[0.5]]
    """
    left, top = np.maximum(a[:, None, 0], b[:, 0]), np.maximum(a[:, None, 1], b[:, 1])
    right, bottom = np.minimum(a[:, None, 2], b[:, 2]), np.minimum(a[:, None, 3], b[:, 3])
    inner = np.maximum(right - left, 0) * np.maximum(bottom - top, 0)
    area_a = ((a[:, 2] - a[:, 0]) * (a[:, 3] - a[:, 1]))[:, None]
    area_b = (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1])
    return np.asarray(inner / np.maximum(area_a + area_b - inner, 1e-6), np.float32)


def _look(picture: NDArray[np.uint8], box: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what a box shows, float32 (12, 12, 3)."""
    height, width = picture.shape[:2]
    left, top = int(np.clip(box[0], 0, width - 1)), int(np.clip(box[1], 0, height - 1))
    right = int(np.clip(np.ceil(box[2]), left + 1, width))
    bottom = int(np.clip(np.ceil(box[3]), top + 1, height))
    small = cv2.resize(
        picture[top:bottom, left:right],
        (_LOOK_SIDE_PX, _LOOK_SIDE_PX),
        interpolation=cv2.INTER_AREA,
    )
    return cast(NDArray[np.float32], small.astype(np.float32))


def _alike(a: NDArray[np.float32], b: NDArray[np.float32]) -> bool:
    """Return whether two looks show the same, whatever the light's level."""
    flat_a, flat_b = a - a.mean(), b - b.mean()
    contrast = max(float(flat_a.std()), float(flat_b.std()))
    limit = max(_LEVELS_FLOOR, _SHARE_OF_CONTRAST * contrast)
    return float(np.abs(flat_a - flat_b).mean()) <= limit
