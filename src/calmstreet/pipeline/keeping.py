"""What is kept of the pictures: blurred video with the road users drawn in, or nothing."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import PrivacyError
from calmstreet.model.frame import Frame
from calmstreet.model.kept import BlurredFrame
from calmstreet.model.kinds import KIND_NAMES, Flag
from calmstreet.model.points import TrackPoints, concat_points
from calmstreet.model.site import Site
from calmstreet.perception.detector import Sight
from calmstreet.report.draw import TRAIL_S, draw_points
from calmstreet.units import ns_from_s
from calmstreet.video.blur import Blur, annotate
from calmstreet.video.recorder import ClipWriter

__all__ = ["Keeper"]


DELAY_S = 5.0
"""Pictures of files wait for so long: what comes after tells guesses of the net from road users."""

Draw = Callable[[NDArray[np.uint8], float], None]
"""Draws in place on blurred pixels, uint8 (h, w, 3), of the given scale."""


class Keeper:
    """Blurs the pictures of one run, draws on them and writes them to one video.

    ``writer`` None keeps nothing and costs nothing. Pictures before ``from_ns`` or after
    ``until_ns`` are not kept. ``draw`` takes the place of the road users, who are drawn unless it
    is given; ``words`` name the kinds. A run has its own Keeper; several may share a writer.
    """

    def __init__(
        self,
        *,
        site: Site,
        camera_id: str,
        width_px: int,
        height_px: int,
        writer: ClipWriter | None,
        from_ns: int = 0,
        until_ns: int | None = None,
        draw: Draw | None = None,
        words: Sequence[str] = KIND_NAMES,
    ) -> None:
        self._writer = writer
        self._from_ns = from_ns
        self._until_ns = until_ns
        self._draw = draw
        self._words = words
        self._steps: list[TrackPoints] = []
        self.dropped = 0
        self._blur = Blur(
            camera_id=camera_id,
            width_px=width_px,
            height_px=height_px,
            masks=tuple(mask.polygon_px for mask in site.masks),
            strict=site.strict_blur,
            delay_s=DELAY_S,
        )

    @property
    def keeps(self) -> bool:
        """Return whether pictures are, or may still be, kept."""
        return self._writer is not None

    def take(self, frame: Frame, sight: Sight, points: TrackPoints) -> None:
        """Take one analysed frame with what was seen in it."""
        if self._writer is None:
            return
        self._steps.append(points)
        try:
            ready = self._blur.update(frame, sight.detections, points, sight.moving.mask)
        except PrivacyError:
            self.dropped = self._blur.dropped
            return
        self._write(ready)
        if self._until_ns is not None and frame.t_ns > self._until_ns + ns_from_s(DELAY_S):
            self._writer = None

    def close(self) -> None:
        """Write the pictures that still wait."""
        if self._writer is None:
            return
        try:
            self._write(self._blur.flush())
        except PrivacyError:
            self.dropped = self._blur.dropped
        self._writer = None

    def _write(self, pictures: list[BlurredFrame]) -> None:
        for picture in pictures:
            since = picture.t_ns - ns_from_s(TRAIL_S)
            self._steps = [step for step in self._steps if not len(step) or step.t_ns[0] > since]
            late = self._until_ns is not None and picture.t_ns > self._until_ns
            if picture.t_ns < self._from_ns or late or self._writer is None:
                continue
            self._writer.write(annotate(picture, self._drawing(picture)))

    def _drawing(self, picture: BlurredFrame) -> Callable[[NDArray[np.uint8]], None]:
        """Return what is drawn on one picture: the given drawing, else the road users."""
        scale, draw = picture.scale, self._draw
        if draw is not None:
            return lambda bgr: draw(bgr, scale)
        past = [step for step in self._steps if len(step) and step.t_ns[0] <= picture.t_ns]
        if not past:
            return _nothing
        trail = concat_points(past)
        trail = trail[(trail.flags & Flag.TENTATIVE) == 0]
        now = trail[trail.t_ns == picture.t_ns]
        return lambda bgr: draw_points(bgr, now, trail=trail, scale=scale, words=self._words)


def _nothing(bgr: NDArray[np.uint8]) -> None:
    """Draw nothing."""
    del bgr
