"""A camera around the clock: frames with honest times, finished gaps, and a word while it waits.

A camera that dies, comes back, changes its size or its timestamps is an ordinary day.
"""

import threading
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from calmstreet.clock import Clock, SystemClock
from calmstreet.model.frame import Frame
from calmstreet.model.gap import Gap
from calmstreet.video.address import DEFAULT_NETWORKS, Address, Network
from calmstreet.video.file_stream import FileStream
from calmstreet.video.live_frames import LiveFrames
from calmstreet.video.live_stats import LiveStats
from calmstreet.video.packet_stream import OpenStream, PacketStream, StreamEnded
from calmstreet.video.patience import Patience
from calmstreet.video.rtsp_stream import RtspStream

__all__ = ["LiveSource", "LiveStats", "Moment", "Waiting"]

_BEAT_S = 1.0
_GIVE_UP_S = 30.0
_WORKS_S = 10.0
_DAMAGED_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Nothing comes since ``since_ns``; ``reason`` is a word of GAP_REASONS, ``note`` says more."""

    t_ns: int
    reason: str
    since_ns: int
    note: str = ""


Moment = Frame | Gap | Waiting


class LiveSource:
    """One camera, called again and again until ``stop`` is set.

    ``moments()`` may be called once and gives frames in the order of time; before a frame the gap
    that it ends, if one longer than 2 s lies before it, and those that demand a new run however
    short they are (clock-step, stream-jump, size-changed, codec-changed); and Waiting at least once
    a second while nothing comes. When stopped it tells the last open gap. Only a file that is
    played once ends by itself. ``keyframes_only`` may be set at any moment to shed load.
    Raises VideoError for a file that cannot be opened, InputError for an unknown transport.
    """

    def __init__(
        self,
        *,
        address: Address,
        camera_id: str,
        clock: Clock | None = None,
        networks: Sequence[Network] = DEFAULT_NETWORKS,
        transport: str = "tcp",
        stop: threading.Event | None = None,
        open_stream: OpenStream | None = None,
        seed: int | None = None,
    ) -> None:
        self.address = address
        self._clock = clock or SystemClock()
        self._networks = networks
        self._transport = transport
        self._stop = stop or threading.Event()
        self._open = open_stream or self._usual
        self._patience = Patience(seed=seed)
        self._frames = LiveFrames(camera_id=camera_id, clock=self._clock)
        self._stream: PacketStream | None = None
        self._beat_s = self._clock.monotonic_s()

    @property
    def stats(self) -> LiveStats:
        """Return what the camera delivers at this moment."""
        stats, stream = self._frames.stats(self._stream), self._stream
        if isinstance(stream, RtspStream):
            return replace(stats, camera_ahead_s=stream.camera_ahead_s)
        return stats

    @property
    def keyframes_only(self) -> bool:
        """Return whether only keyframes are decoded."""
        return self._frames.keyframes_only

    @keyframes_only.setter
    def keyframes_only(self, wanted: bool) -> None:
        self._frames.keyframes_only = wanted

    def _usual(self, address: Address) -> PacketStream:
        if address.is_file:
            return FileStream(
                path=Path(address.path), clock=self._clock, stop=self._stop, loop=address.loop
            )
        return RtspStream(
            address=address,
            clock=self._clock,
            networks=self._networks,
            transport=self._transport,
        )

    def moments(self) -> Iterator[Moment]:
        """Yield frames, gaps and words of waiting until stopped."""
        while not self._stop.is_set():
            ended = yield from self._connection()
            if ended is None or (self.address.is_file and ended.reason == "ended"):
                break
            yield from self._rest(ended)
        yield self._frames.open_gap()

    def _connection(self) -> Generator[Moment, None, StreamEnded | None]:
        """Yield what one connection gives; return how it ended, None if we were told to stop."""
        stream = self._open(self.address)
        self._stream = stream
        ended: StreamEnded | None = None
        try:
            yield from self._read(stream)
        except StreamEnded as told:
            ended = told
        finally:
            if ended is not None:
                self._frames.lost(ended.reason, str(ended), unread=stream.dropped)
            self._stream = None
            stream.close()
        return ended

    def _read(self, stream: PacketStream) -> Iterator[Moment]:
        began_s = self._clock.monotonic_s()
        while not self._stop.is_set():
            arrival = stream.next(self._until_beat_s())
            if arrival is not None:
                for moment in self._frames.pictures(stream, arrival):
                    yield moment
                    self._beat_s = self._clock.monotonic_s()
            yield from self._beat()
            lasted_s = self._clock.monotonic_s() - began_s
            if self._frames.barren_s < _BEAT_S and lasted_s > _WORKS_S:
                self._patience.forget()
            give_up_s = _DAMAGED_S if self._frames.reason == "damaged" else _GIVE_UP_S
            if min(self._frames.barren_s, lasted_s) > give_up_s:
                raise StreamEnded(self._frames.reason, "packets come, but no picture")

    def _rest(self, ended: StreamEnded) -> Iterator[Moment]:
        """Wait before the next call, longer each time."""
        wanted_s = self._patience.next_s(ended.reason, outage_s=self._frames.barren_s)
        until_s = self._clock.monotonic_s() + wanted_s
        while not self._stop.is_set():
            left_s = until_s - self._clock.monotonic_s()
            if left_s <= 0:
                return
            self._clock.wait(self._stop, min(left_s, self._until_beat_s()))
            yield from self._beat()

    def _until_beat_s(self) -> float:
        return max(0.0, self._beat_s + _BEAT_S - self._clock.monotonic_s())

    def _beat(self) -> Iterator[Waiting]:
        """Say that nothing came for a second."""
        if self._until_beat_s() <= 0:
            self._beat_s = self._clock.monotonic_s()
            frames, t_ns = self._frames, self._clock.now_ns()
            yield Waiting(
                t_ns=t_ns,
                reason=frames.reason,
                since_ns=t_ns - frames.missed_ns,
                note=frames.note,
            )
