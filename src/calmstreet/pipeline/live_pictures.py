"""The pictures of a live camera: blurred, shown as the newest one, handed to the recording."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from calmstreet.errors import PrivacyError, StoreError
from calmstreet.model.frame import Frame
from calmstreet.model.kept import BlurredFrame
from calmstreet.model.kinds import Flag
from calmstreet.model.points import TrackPoints
from calmstreet.model.site import Site
from calmstreet.perception.detector import Sight
from calmstreet.pipeline.recording import Recording
from calmstreet.units import ns_from_s
from calmstreet.video.blur import Blur

__all__ = ["LivePictures", "Show"]

SHOWN_EVERY_S = 0.5
_REMEMBERED = 256

Show = Callable[[BlurredFrame, TrackPoints], None]
"""Shows the newest blurred picture with its road users to whoever looks."""


@dataclass(slots=True, kw_only=True)
class LivePictures:
    """Blurs the pictures of one camera through several runs; fails closed.

    ``failed`` is called with the instant of each picture that could not be blurred; it and those
    that waited with it are dropped. ``run_id`` is that of the run on its way.
    """

    site: Site
    camera_id: str
    recording: Recording
    show: Show
    failed: Callable[[int], None]
    run_id: int = 0
    dropped: int = 0
    not_shown: int = 0
    _blur: Blur | None = None
    _size_px: tuple[int, int] = (0, 0)
    _steps: deque[tuple[int, TrackPoints]] = field(default_factory=deque)
    _shown_ns: int = 0

    @property
    def keeps(self) -> bool:
        """Return whether pictures are kept: a live camera always shows its newest one."""
        return True

    def take(self, frame: Frame, sight: Sight, points: TrackPoints) -> None:
        """Take one analysed frame with what was seen in it."""
        self._steps.append((frame.t_ns, points))
        while len(self._steps) > _REMEMBERED:
            self._steps.popleft()
        self.recording.saw(frame)
        blur = self._blur_for(frame)
        before = blur.dropped
        try:
            ready = blur.update(frame, sight.detections, points, sight.moving.mask)
        except PrivacyError:
            self.dropped += blur.dropped - before
            self.failed(frame.t_ns)
            return
        self._hand_on(ready)

    def close(self) -> None:
        """Keep what waits: the next run may go on with the same street."""

    def finish(self) -> None:
        """Hand on the pictures that still wait and forget the ring: the street is left."""
        if self._blur is not None:
            try:
                self._hand_on(self._blur.flush())
            except PrivacyError:
                self.dropped += 1
                self.failed(self._shown_ns)
        self.recording.end_run()
        self.recording.forget()
        self._blur = None
        self._steps.clear()

    def _blur_for(self, frame: Frame) -> Blur:
        size_px = (frame.width_px, frame.height_px)
        if self._blur is None or size_px != self._size_px:
            self._size_px = size_px
            self._blur = Blur(
                camera_id=self.camera_id,
                width_px=frame.width_px,
                height_px=frame.height_px,
                masks=tuple(mask.polygon_px for mask in self.site.masks),
                strict=self.site.strict_blur,
            )
        return self._blur

    def _hand_on(self, pictures: list[BlurredFrame]) -> None:
        for picture in pictures:
            rows = self._rows_at(picture.t_ns)
            if rows is None:
                continue
            self.recording.take(picture, rows, run_id=self.run_id)
            if picture.t_ns - self._shown_ns >= ns_from_s(SHOWN_EVERY_S):
                self._shown_ns = picture.t_ns
                self._show(picture, rows)

    def _show(self, picture: BlurredFrame, rows: TrackPoints) -> None:
        try:
            self.show(picture, rows[(rows.flags & np.uint8(Flag.TENTATIVE)) == 0])
        except StoreError:
            self.not_shown += 1

    def _rows_at(self, t_ns: int) -> TrackPoints | None:
        while self._steps and self._steps[0][0] < t_ns:
            self._steps.popleft()
        return self._steps[0][1] if self._steps and self._steps[0][0] == t_ns else None
