"""From packets as they come to frames with honest times, and to the gaps between them."""

from collections.abc import Iterator
from fractions import Fraction

import av
import av.error
import cv2

from calmstreet.clock import Clock
from calmstreet.model.frame import Frame
from calmstreet.model.gap import NEW_RUN_S, Gap
from calmstreet.units import NS_PER_S
from calmstreet.video.container import frame_ticks
from calmstreet.video.live_stats import LiveCount, LiveStats
from calmstreet.video.packet_stream import Arrival, PacketStream, StreamInfo, instant
from calmstreet.video.picture import Planes
from calmstreet.video.repeats import RepeatWatch
from calmstreet.video.stream_clock import JUMP, SETTLING, STEP, Stamp, StreamClock

__all__ = ["LiveFrames"]

_BEHIND_NS = NS_PER_S
_CAUGHT_UP_NS = NS_PER_S // 5
_PENDING = 64
_NEW_RUN_NS = round(NEW_RUN_S * NS_PER_S)
_FRUITLESS = 5
_FRUITLESS_AFTER_CALL = 250
_MISSED_KEYS = 2.5
_KEYS_APART_NS = 4 * NS_PER_S


class LiveFrames:
    """The frames of one camera through all its connections.

    ``pictures`` turns one packet into frames, each preceded by the gap that it ends. ``reason``
    says why nothing comes at the moment, ``missed_ns`` for how long.
    """

    def __init__(self, *, camera_id: str, clock: Clock) -> None:
        self._camera_id = camera_id
        self._clock = clock
        now_ns, ahead_ns = instant(clock)
        self._time = StreamClock(time_base=Fraction(1, 90_000), ahead_ns=ahead_ns, began_ns=now_ns)
        self._watch = RepeatWatch()
        self._count = LiveCount()
        self._info: StreamInfo | None = None
        self._arrivals: dict[int, Arrival] = {}
        self._behind = False
        self._missed = 0
        self._unread = self._unseen = 0
        self._keyed = True
        self._looped = False
        self._codec = ""
        self._keys_ns: list[int] = []
        self._last_ns = now_ns + ahead_ns
        self._since_s = now_ns / NS_PER_S
        self._packets = self._failures = 0
        self._down = "starting"
        self._note = ""
        self.keyframes_only = False

    @property
    def reason(self) -> str:
        """Return why nothing comes, a word of GAP_REASONS."""
        shed = self.keyframes_only and self.barren_s * NS_PER_S < self._longest_ns()
        if self._missed or (shed and not self._down):
            return "overload"
        if self._packets < (_FRUITLESS_AFTER_CALL if self._down else _FRUITLESS):
            return self._down or "silent"
        return "damaged" if self._failures and self._has_begun else "no-keyframe"

    @property
    def note(self) -> str:
        """Return more about it, without credentials."""
        return self._note

    @property
    def missed_ns(self) -> int:
        """Return how long ago the last frame was taken, or the watch began."""
        return max(0, instant(self._clock)[0] - self._time.last_ns)

    @property
    def barren_s(self) -> float:
        """Return for how long no picture came."""
        return self._clock.monotonic_s() - self._since_s

    def stats(self, stream: PacketStream | None) -> LiveStats:
        """Return the figures of this moment."""
        return self._count.stats(
            stream_rate=self._time.rate,
            drift_share=self._time.drift_share,
            unread=self._unread + (stream.dropped if stream else 0),
        )

    def lost(self, reason: str, note: str, *, unread: int = 0) -> None:
        """Remember that the connection ended or could not be made, and why."""
        if self._count.connected:
            self._count.broken()
        if self._down in {"", "starting"} or reason != "ended":
            self._down = reason
        self._note = note
        self._count.connected = False
        self._info = None
        self._unread += unread
        self._unseen = 0

    def _begin(self, info: StreamInfo) -> None:
        self._info = info
        self._count.reconnects += self._count.codec != ""
        self._count.connected = True
        self._count.declared_fps = info.declared_fps
        self._packets = self._failures = 0
        self._has_begun = False
        self._new_line(info)

    def _new_line(self, info: StreamInfo) -> None:
        self._time.restart(info.time_base, wrap_bits=info.wrap_bits)
        self._arrivals.clear()
        self._keyed = True

    def pictures(self, stream: PacketStream, arrival: Arrival) -> Iterator[Frame | Gap]:
        """Yield what one packet completes: gaps that end here, then frames."""
        info = stream.info
        if info is None:
            return
        if self._info is None:
            self._begin(info)
        if arrival.new_line:
            self._new_line(info)
            self._looped = True
        if not self._wanted(arrival):
            return
        for picture in self._decoded(stream, arrival):
            ticks = picture.dts if info.by_dts else frame_ticks(picture)
            own = self._arrivals.pop(ticks, arrival) if ticks is not None else arrival
            stamp = self._time.stamp(ticks, arrival_ns=own.arrival_ns, ahead_ns=arrival.ahead_ns)
            if stamp.verdict == SETTLING:
                self._count.settling += 1
            elif not self._too_late(arrival):
                looped, self._looped = self._looped, False
                yield from self._shown(picture, stamp, looped=looped)

    def _wanted(self, arrival: Arrival) -> bool:
        """Return whether to decode: when only keyframes are, others wait for the next keyframe."""
        if arrival.packet is None:
            return True
        if arrival.packet.size == 0:
            return False
        self._packets += 1
        if arrival.packet.is_keyframe:
            self._keyed = self._has_begun = True
            self._keys_ns = [*self._keys_ns[-1:], arrival.arrival_ns]
        elif self.keyframes_only:
            self._keyed = False
        return self._keyed

    def _decoded(self, stream: PacketStream, arrival: Arrival) -> list[av.VideoFrame]:
        packet = arrival.packet
        if packet is not None:
            ticks = packet.dts if self._info and self._info.by_dts else packet.pts
            ticks = packet.dts if ticks is None else ticks
            if ticks is not None:
                self._arrivals[ticks] = arrival
            while len(self._arrivals) > _PENDING:
                del self._arrivals[next(iter(self._arrivals))]
        try:
            return stream.decode(packet)
        except (av.error.FFmpegError, OSError):
            self._failures += 1
            self._count.corrupt += 1
            return []

    def _too_late(self, arrival: Arrival) -> bool:
        """Return whether to pass over a frame: more than a second behind, until caught up."""
        late_ns = instant(self._clock)[0] - arrival.arrival_ns
        self._behind = late_ns > (_CAUGHT_UP_NS if self._behind else _BEHIND_NS)
        if self._behind:
            self._missed += 1
            self._count.dropped += 1
        return self._behind

    def _shown(
        self, picture: av.VideoFrame, stamp: Stamp, *, looped: bool
    ) -> Iterator[Frame | Gap]:
        try:
            planes = Planes(picture)
        except (av.error.FFmpegError, cv2.error, ValueError):
            self._failures += 1
            self._count.corrupt += 1
            return
        yield from self._gaps(planes.luma.shape, stamp, looped=looped)
        repeated = self._watch.is_repeated(planes.luma)
        self._count.corrupt += picture.is_corrupt
        self._count.repeated += repeated
        self._count.by_arrival += stamp.by_arrival
        index = self._count.frames
        self._count.shown(stamp.t_ns)
        self._last_ns, self._since_s = stamp.t_ns, self._clock.monotonic_s()
        self._packets = self._failures = self._missed = 0
        self._down = self._note = ""
        yield Frame(
            camera_id=self._camera_id,
            t_ns=stamp.t_ns,
            index=index,
            luma=planes.luma,
            to_bgr=planes.to_bgr,
            repeated=repeated,
            pick_bgr=planes.pick_bgr,
        )

    def _gaps(self, shape: tuple[int, ...], stamp: Stamp, *, looped: bool) -> Iterator[Gap]:
        """Yield what lies between the last frame and this one: nothing, as a rule.

        The first gap spans the two frames, so that all time is accounted for; more reasons follow
        without a length. A clock set forward makes the hours it left out part of the gap.
        """
        moved_ns = round(stamp.moved_s * NS_PER_S) if stamp.verdict == STEP else 0
        start_ns, end_ns = self._last_ns, max(self._last_ns, stamp.t_ns - moved_ns)
        for reason, note in self._breaks(shape, stamp, end_ns - start_ns, looped=looped):
            end_ns += max(0, moved_ns) if reason == "clock-step" else 0
            yield Gap(
                camera_id=self._camera_id,
                start_ns=start_ns,
                end_ns=end_ns,
                reason=reason,
                note=note,
            )
            start_ns = end_ns

    def _breaks(
        self, shape: tuple[int, ...], stamp: Stamp, missed_ns: int, *, looped: bool
    ) -> Iterator[tuple[str, str]]:
        """Yield reason and note of everything that tracks must not cross."""
        count, codec = self._count, self._info.codec if self._info else ""
        jumped = looped or stamp.verdict == JUMP
        if missed_ns > (self._longest_ns() if count.frames else 0) and (self._down or not jumped):
            yield self.reason, self._note
        if jumped:
            count.stream_jumps += 1
            yield "stream-jump", f"{stamp.moved_s:+.3f} s"
        if count.codec not in {"", codec}:
            yield "codec-changed", f"{count.codec} to {codec}"
        if count.width_px and (count.height_px, count.width_px) != shape:
            old = f"{count.width_px}x{count.height_px}"
            yield "size-changed", f"{old} to {shape[1]}x{shape[0]}"
        if stamp.verdict == STEP:
            count.clock_steps += 1
            yield "clock-step", f"set by {stamp.moved_s:+.3f} s"
        count.codec, (count.height_px, count.width_px) = codec, shape

    def _longest_ns(self) -> int:
        """Return how far apart two frames of one run may be."""
        if not self.keyframes_only:
            return _NEW_RUN_NS
        known = len(self._keys_ns) == 2
        usual_ns = self._keys_ns[1] - self._keys_ns[0] if known else _KEYS_APART_NS
        return max(_NEW_RUN_NS, round(_MISSED_KEYS * usual_ns))

    def open_gap(self) -> Gap:
        """Return the gap from the last frame to now, for the moment of stopping."""
        reason = self.reason if self._down or self.barren_s > NEW_RUN_S else "stopped"
        return Gap(
            camera_id=self._camera_id,
            start_ns=self._last_ns,
            end_ns=self._last_ns + self.missed_ns,
            reason=reason,
            note=self._note,
        )
