"""Whether two streams of a camera show one view at one time, told by small pictures of both.

The sub-stream's are kept for two minutes as it is watched; the main stream's are made when some of
it is decoded anyway. Their times are compared by ``stream_offset``, their views by correlating what
stands still in them.
"""

from collections import deque
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from calmstreet.units import NS_PER_S, ns_from_s
from calmstreet.video.stream_offset import StreamOffset, thumbnail
from calmstreet.video.two_streams import Shown, offset_between

__all__ = ["Album", "Leaf", "Match", "match_streams", "view_fit"]

KEPT_S = 150.0
VIEW_EVERY_S = 1.0
SAME_VIEW = 0.6
_VIEW_PX = (64, 36)
_SMOOTH_PX = 9
_LEAST_CONTRAST = 1.0

Luma = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Leaf:
    """What a stream showed: thumbnails (n, 9, 16) at ``t_ns`` (n,), its street (36, 64)."""

    shown: Shown
    street: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """How two streams lie to each other; ``offset`` None where the pictures do not tell it.

    ``view_fit`` is the correlation of what stands still, 1 for the same view.
    """

    offset: StreamOffset | None
    view_fit: float

    @property
    def same_view(self) -> bool:
        """Return whether both show the same part of the world."""
        return self.view_fit >= SAME_VIEW


class Album:
    """Small pictures of one stream, the newest ``kept_s`` of them."""

    def __init__(self, *, kept_s: float = KEPT_S) -> None:
        self._kept_ns = ns_from_s(kept_s)
        self._thumbs: deque[tuple[int, Luma]] = deque()
        self._views: deque[tuple[int, Luma]] = deque()

    def add(self, t_ns: int, luma: Luma) -> None:
        """Take the luma plane (h, w) of the next picture."""
        self._thumbs.append((t_ns, thumbnail(luma)))
        if not self._views or t_ns - self._views[-1][0] >= VIEW_EVERY_S * NS_PER_S:
            view = cv2.resize(luma, _VIEW_PX, interpolation=cv2.INTER_AREA)
            self._views.append((t_ns, np.asarray(view, np.uint8)))
        for kept in (self._thumbs, self._views):
            while kept[0][0] < t_ns - self._kept_ns:
                kept.popleft()

    def clear(self) -> None:
        """Forget everything."""
        self._thumbs.clear()
        self._views.clear()

    def leaf(self) -> Leaf:
        """Return what was shown."""
        times = np.array([t_ns for t_ns, _ in self._thumbs], np.int64)
        thumbs = np.array([thumb for _, thumb in self._thumbs], np.uint8).reshape(-1, 9, 16)
        views = np.array([view for _, view in self._views], np.float32)
        street = np.median(views, axis=0) if len(views) else np.zeros(_VIEW_PX[::-1], np.float32)
        return Leaf(shown=Shown(t_ns=times, thumbs=thumbs), street=street.astype(np.float32))


def view_fit(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Return the correlation of the fine detail of two streets (36, 64); 0 where there is none.

    >>> street = np.random.default_rng(1).normal(100, 30, (36, 64)).astype(np.float32)
    >>> round(view_fit(street, street), 6), view_fit(street, np.zeros_like(street))
    (1.0, 0.0)
    """
    a, b = _detail(one), _detail(other)
    if min(a.std(), b.std()) < _LEAST_CONTRAST:
        return 0.0
    return float(np.vdot(a, b) / np.sqrt(np.vdot(a, a) * np.vdot(b, b)))


def _detail(street: NDArray[np.float32]) -> NDArray[np.float32]:
    smooth = cv2.blur(street, (_SMOOTH_PX, _SMOOTH_PX), borderType=cv2.BORDER_REFLECT)
    return cast(NDArray[np.float32], street - smooth)


def match_streams(sub: Leaf, main: Leaf) -> Match:
    """Return how the main stream lies to the sub-stream."""
    return Match(
        offset=offset_between(sub.shown, main.shown), view_fit=view_fit(sub.street, main.street)
    )
