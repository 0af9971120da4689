"""A file played in real time, as if it were a camera."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error

from calmstreet.clock import Clock
from calmstreet.units import NS_PER_S
from calmstreet.video.container import BARE_FPS, Container, Stream, open_video, ticks_to_ns
from calmstreet.video.packet_stream import Arrival, StreamEnded, StreamInfo, instant
from calmstreet.video.source import probe

__all__ = ["FileStream"]


class FileStream:
    """The packets of a file, each when it is due.

    A picture arrives at the very instant at which it is shown, so that its time is exactly the
    file's own, counted from the start. With ``loop`` the file begins again one picture after its
    last. Raises VideoError for a file that cannot be opened.
    """

    def __init__(self, *, path: Path, clock: Clock, stop: threading.Event, loop: bool) -> None:
        self._path = path
        self._clock = clock
        self._stop = stop
        self._loop = loop
        self._assumed = probe(path).times_assumed
        self._open = ExitStack()
        self._container, self._stream = self._opened()
        rate = self._stream.average_rate or self._stream.base_rate
        self._fps = float(rate) if rate else float("nan")
        self._packets: Iterator[Any] = iter(self._container.demux(self._stream))
        self._begin_ns = instant(clock)[0]
        self._last_ns = self._begin_ns
        self._count = 0
        self._first_ticks: tuple[int, int] | None = None
        self._new_line = False
        self._due: tuple[int, Arrival] | None = None
        self._ended = False

    def _opened(self) -> tuple[Container, Stream]:
        return self._open.enter_context(open_video(self._path))

    @property
    def info(self) -> StreamInfo:
        """Return what the file declares."""
        return StreamInfo(
            codec=self._stream.codec_context.name,
            declared_fps=self._fps,
            time_base=self._stream.time_base or Fraction(1, av.time_base),
            by_dts=self._container.format.name == "avi",
            extradata=bytes(self._stream.codec_context.extradata or b""),
        )

    @property
    def dropped(self) -> int:
        """Return 0: a file waits."""
        return 0

    def next(self, timeout_s: float) -> Arrival | None:
        """Return the next packet when it is due, None after ``timeout_s``; raise StreamEnded."""
        if self._due is None:
            self._due = self._read()
        due_ns, arrival = self._due
        left_s = (due_ns - instant(self._clock)[0]) / NS_PER_S
        if left_s > timeout_s:
            self._clock.wait(self._stop, timeout_s)
            return None
        if left_s > 0:
            self._clock.wait(self._stop, left_s)
        self._due = None
        return arrival

    def _read(self) -> tuple[int, Arrival]:
        """Return the next packet and the monotonic instant at which it is handed out."""
        if self._ended:
            self._again()
        try:
            packet = next(self._packets, None)
        except (av.error.FFmpegError, OSError):
            packet = None
        if packet is None or packet.size == 0:
            self._ended = True
            return self._last_ns, self._arrival(None, self._last_ns)
        shown_ns, due_ns = self._when(packet)
        self._last_ns = max(self._last_ns, shown_ns)
        self._count += 1
        return due_ns, self._arrival(packet, shown_ns)

    def _arrival(self, packet: Any, arrival_ns: int) -> Arrival:
        new_line = packet is not None and self._new_line
        if new_line:
            self._new_line = False
        return Arrival(
            packet=packet,
            arrival_ns=arrival_ns,
            ahead_ns=instant(self._clock)[1],
            new_line=new_line,
        )

    def _when(self, packet: Any) -> tuple[int, int]:
        """Return when a packet's picture is shown and when the packet is due."""
        base = self._stream.time_base
        shown = packet.dts if self.info.by_dts or packet.pts is None else packet.pts
        if self._assumed or base is None or shown is None:
            period_ns = NS_PER_S / (self._fps if self._fps > 0 else BARE_FPS)
            when_ns = self._begin_ns + round(self._count * period_ns)
            return when_ns, when_ns
        decoded = packet.dts if packet.dts is not None else shown
        if self._first_ticks is None:
            self._first_ticks = (shown, decoded)
        first_shown, first_decoded = self._first_ticks
        return (
            self._begin_ns + ticks_to_ns(shown - first_shown, base),
            self._begin_ns + ticks_to_ns(decoded - first_decoded, base),
        )

    def _again(self) -> None:
        """Begin again one picture after the last one; raise StreamEnded for a file played once."""
        if not self._loop or self._count < 2:
            raise StreamEnded("ended", f"{self._path.name} is at its end")
        self.close()
        self._container, self._stream = self._opened()
        self._packets = iter(self._container.demux(self._stream))
        self._begin_ns = self._last_ns + (self._last_ns - self._begin_ns) // (self._count - 1)
        self._last_ns = self._begin_ns
        self._count, self._first_ticks = 0, None
        self._ended, self._new_line = False, True

    def decode(self, packet: Any) -> list[av.VideoFrame]:
        """Return the frames that a packet completes."""
        return self._stream.decode(packet)

    def close(self) -> None:
        """Close the file."""
        self._open.close()
