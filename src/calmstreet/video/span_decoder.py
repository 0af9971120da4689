"""A span of kept packets turned into frames, in a decoder of its own."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import av
import av.error
import cv2

from calmstreet.model.frame import Frame
from calmstreet.units import NS_PER_S
from calmstreet.video.packet_ring import KeptPacket, StreamForm
from calmstreet.video.picture import Planes
from calmstreet.video.rtsp_stream import MOST_PIXELS

__all__ = ["SpanDecoder"]

_TICKS_PER_S = 1_000_000
_TICK_NS = NS_PER_S // _TICKS_PER_S


class SpanDecoder:
    """Decodes packets once for each call of ``frames``.

    ``damaged`` counts the pictures of the last call that were broken or came out of order: they
    are left out.
    """

    def __init__(self, packets: Sequence[KeptPacket], *, camera_id: str) -> None:
        self.damaged = 0
        self._packets = packets
        self._camera_id = camera_id
        self._zero_ns = packets[0].t_ns if packets else 0

    def frames(self) -> Iterator[Frame]:
        """Yield frames in order of time."""
        self.damaged = 0
        last_ns: int | None = None
        for index, picture in enumerate(self._pictures()):
            t_ns = self._zero_ns + (picture.pts or 0) * _TICK_NS
            if picture.is_corrupt or picture.pts is None or (last_ns and t_ns <= last_ns):
                self.damaged += 1
                continue
            try:
                planes = Planes(picture)
            except (av.error.FFmpegError, cv2.error, ValueError):
                self.damaged += 1
                continue
            last_ns = t_ns
            yield Frame(
                camera_id=self._camera_id,
                t_ns=t_ns,
                index=index,
                luma=planes.luma,
                to_bgr=planes.to_bgr,
                pick_bgr=planes.pick_bgr,
            )

    def _pictures(self) -> Iterator[av.VideoFrame]:
        form: StreamForm | None = None
        context: Any = None
        for kept in self._packets:
            if kept.form != form:
                yield from self._decoded(context, None)
                form, context = kept.form, _decoder(kept.form)
            yield from self._decoded(context, self._packet(kept))
        yield from self._decoded(context, None)

    def _packet(self, kept: KeptPacket) -> Any:
        packet: Any = av.Packet(kept.data)
        packet.pts = packet.dts = (kept.t_ns - self._zero_ns) // _TICK_NS
        packet.time_base = Fraction(1, _TICKS_PER_S)
        packet.is_keyframe = kept.keyframe
        return packet

    def _decoded(self, context: Any, packet: Any) -> list[av.VideoFrame]:
        if context is None:
            return []
        try:
            found: list[av.VideoFrame] = context.decode(packet)
        except (av.error.FFmpegError, OSError):
            self.damaged += 1
            return []
        return found


def _decoder(form: StreamForm) -> Any:
    context: Any = av.CodecContext.create(form.codec, "r")
    context.thread_type = "NONE"
    context.thread_count = 1
    context.options = {"max_pixels": str(MOST_PIXELS)}
    if form.extradata:
        context.extradata = form.extradata
    return context
