"""What a live source asks of whatever delivers packets: a camera, a file played in real time.

Opening does not block: ``next`` returns None as long as nothing has come, and raises StreamEnded
with a reason of ``model.gap`` when nothing more will.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

import av

from calmstreet.clock import Clock
from calmstreet.errors import VideoError
from calmstreet.units import NS_PER_S
from calmstreet.video.address import Address

__all__ = ["Arrival", "OpenStream", "PacketStream", "StreamEnded", "StreamInfo", "instant"]


class StreamEnded(VideoError):
    """Nothing more comes; ``reason`` is a word of GAP_REASONS, the text holds no credentials."""

    def __init__(self, reason: str, sentence: str = "") -> None:
        super().__init__(sentence or reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamInfo:
    """What a stream declares; fps NaN where it does not. ``by_dts``: only dts is to be trusted.

    ``extradata`` is what a decoder must know before the first packet.
    """

    codec: str
    declared_fps: float
    time_base: Fraction
    wrap_bits: int = 0
    by_dts: bool = False
    extradata: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arrival:
    """One packet and when it came.

    ``arrival_ns`` on the monotonic clock, ``ahead_ns`` by how much the wall clock was then ahead of
    it. No packet means that the decoder is to give what it holds back; ``new_line`` that this
    packet's timestamps begin anew.
    """

    packet: Any
    arrival_ns: int
    ahead_ns: int
    new_line: bool = False


class PacketStream(Protocol):
    """One connection, from opening to its end."""

    @property
    def info(self) -> StreamInfo | None:
        """Return what the stream declares, None until it is open."""
        ...

    @property
    def dropped(self) -> int:
        """Return how many packets were thrown away because nobody took them in time."""
        ...

    def next(self, timeout_s: float) -> Arrival | None:
        """Return the next packet, None when none came in ``timeout_s``; raise StreamEnded."""
        ...

    def decode(self, packet: Any) -> list[av.VideoFrame]:
        """Return the frames that a packet completes; raise av.error.FFmpegError for a bad one."""
        ...

    def close(self) -> None:
        """Let go of the connection; it does not block."""
        ...


OpenStream = Callable[[Address], PacketStream]

_STEADY_S = 0.01


def instant(clock: Clock) -> tuple[int, int]:
    """Return now on the monotonic clock in ns and by how much the wall clock is ahead of it.

    Both are read at one moment: were we interrupted in between, they are read again.
    """
    while True:
        before_s = clock.monotonic_s()
        wall_ns = clock.now_ns()
        after_s = clock.monotonic_s()
        if after_s - before_s < _STEADY_S:
            now_ns = round(after_s * NS_PER_S)
            return now_ns, wall_ns - now_ns
