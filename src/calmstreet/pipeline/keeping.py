"""What is kept of the pictures: blurred video with the road users drawn in, or nothing."""

from calmstreet.errors import PrivacyError
from calmstreet.model.frame import Frame
from calmstreet.model.kept import BlurredFrame
from calmstreet.model.kinds import Flag
from calmstreet.model.points import TrackPoints, concat_points
from calmstreet.model.site import Site
from calmstreet.perception.detector import Sight
from calmstreet.report.draw import TRAIL_S, draw_points
from calmstreet.units import ns_from_s
from calmstreet.video.blur import Blur, annotate
from calmstreet.video.recorder import ClipWriter

__all__ = ["Keeper"]


class Keeper:
    """Blurs the pictures of one run, draws the road users and writes them to one video.

    ``writer`` None keeps nothing and costs nothing. Pictures later than ``until_ns`` are not kept.
    A run has its own Keeper; several may share a writer, one after the other.
    """

    def __init__(
        self,
        *,
        site: Site,
        camera_id: str,
        width_px: int,
        height_px: int,
        writer: ClipWriter | None,
        until_ns: int | None = None,
        drawn: bool = True,
    ) -> None:
        self._writer = writer
        self._until_ns = until_ns
        self._drawn = drawn
        self._steps: list[TrackPoints] = []
        self.dropped = 0
        self._blur = Blur(
            camera_id=camera_id,
            width_px=width_px,
            height_px=height_px,
            masks=tuple(mask.polygon_px for mask in site.masks),
            strict=site.strict_blur,
        )

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
        if self._until_ns is not None and frame.t_ns > self._until_ns + ns_from_s(TRAIL_S):
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
            if self._until_ns is not None and picture.t_ns > self._until_ns:
                continue
            since = picture.t_ns - ns_from_s(TRAIL_S)
            self._steps = [step for step in self._steps if not len(step) or step.t_ns[0] > since]
            if self._writer is not None:
                self._writer.write(self._with_users(picture) if self._drawn else picture)

    def _with_users(self, picture: BlurredFrame) -> BlurredFrame:
        past = [step for step in self._steps if len(step) and step.t_ns[0] <= picture.t_ns]
        if not past:
            return picture
        trail = concat_points(past)
        trail = trail[(trail.flags & Flag.TENTATIVE) == 0]
        now = trail[trail.t_ns == picture.t_ns]
        return annotate(
            picture, lambda bgr: draw_points(bgr, now, trail=trail, scale=picture.scale)
        )
