"""Streams that no camera should send and many do, played on a false clock.

A `Shot` is one packet: when it arrives, in seconds of its connection, and what it claims. A
`ScriptedCamera` hands out the connections of its script one after the other.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache
from typing import Any

import av
import av.error
import numpy as np
from tests.video.clips import a_picture

from calmstreet.clock import FakeClock
from calmstreet.units import NS_PER_S
from calmstreet.video.address import Address
from calmstreet.video.packet_stream import Arrival, StreamEnded, StreamInfo, instant

BASE = Fraction(1, 90_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A packet: arrival and, for judging, the moment it was taken, in seconds."""

    data: bytes
    key: bool
    taken_s: float
    arrives_s: float
    pts: int | None
    dts: int | None


@cache
def encoded(
    *,
    count: int,
    codec: str = "libx264",
    width: int = 64,
    height: int = 48,
    gop: int = 25,
    bframes: int = 0,
    fps: int = 25,
) -> tuple[Shot, ...]:
    """Return an Annex B stream of a moving square, as an honest camera sends it."""
    made: Any = av.CodecContext.create(codec, "w")
    made.width, made.height, made.pix_fmt = width, height, "yuv420p"
    made.time_base = Fraction(1, fps)
    made.framerate = Fraction(fps)
    made.options = {
        "preset": "ultrafast",
        "g": str(gop),
        "bf": str(bframes),
        "sc_threshold": "0",
        "threads": "1",
        "forced-idr": "1",
        "x265-params": f"log-level=none:pools=1:frame-threads=1:keyint={gop}:bframes={bframes}",
    }
    shots: list[Shot] = []
    for i in range(count + 1):
        frame = None
        if i < count:
            picture = a_picture(i, width=width, height=height)
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(format="yuv420p")
            frame.pts = i
        for packet in made.encode(frame):
            ticks = round(packet.pts * 90_000 / fps)
            shots.append(
                Shot(
                    data=bytes(packet),
                    key=packet.is_keyframe,
                    taken_s=packet.pts / fps,
                    arrives_s=max(packet.pts, len(shots)) / fps + 0.02,
                    pts=ticks,
                    dts=ticks if bframes == 0 else None,
                )
            )
    return tuple(shots)


def stamped(shots: Iterable[Shot], ticks: Callable[[int, Shot], int | None]) -> Iterator[Shot]:
    """Give every packet the timestamp that ``ticks(number, packet)`` returns."""
    for k, shot in enumerate(shots):
        claimed = ticks(k, shot)
        yield replace(shot, pts=claimed, dts=claimed)


def paced(shots: Iterable[Shot], fps: float) -> Iterator[Shot]:
    """Let the packets come at another rate than their timestamps say."""
    for k, shot in enumerate(shots):
        yield replace(shot, taken_s=k / fps, arrives_s=k / fps + 0.02)


def spoiled(shots: Iterable[Shot], *, seed: int, share: float) -> Iterator[Shot]:
    """Change single bytes at random, as a bad cable does."""
    random = np.random.default_rng(seed)
    for shot in shots:
        data = bytearray(shot.data)
        for place in np.flatnonzero(random.random(len(data)) < share):
            data[place] = random.integers(256)
        yield replace(shot, data=bytes(data))


def thinned(shots: Iterable[Shot], *, seed: int, share: float) -> Iterator[Shot]:
    """Lose packets at random."""
    random = np.random.default_rng(seed)
    return (shot for shot in shots if random.random() >= share)


def joined(*parts: Sequence[Shot], every_s: float) -> Iterator[Shot]:
    """Play parts one after the other, each for ``every_s`` seconds."""
    for k, part in enumerate(parts):
        for shot in part:
            if shot.taken_s < every_s - 1e-9:
                ticks = round((k * every_s + shot.taken_s) * 90_000)
                yield replace(
                    shot,
                    taken_s=shot.taken_s + k * every_s,
                    arrives_s=shot.arrives_s + k * every_s,
                    pts=ticks,
                    dts=ticks,
                )


def later(shots: Iterable[Shot], *, from_s: float, by_s: float) -> Iterator[Shot]:
    """Hold back what arrives in a stall that begins at ``from_s``; it then comes at once."""
    for shot in shots:
        held = from_s <= shot.arrives_s < from_s + by_s
        yield replace(shot, arrives_s=from_s + by_s) if held else shot


@dataclass(slots=True, kw_only=True)
class Connection:
    """One connection of a script: what comes, and how it ends."""

    shots: Sequence[Shot] = ()
    codec: str = "h264"
    ends: str = "ended"
    opens_s: float = 0.3
    ends_after_s: float = 0.0
    declared_fps: float = 25.0
    wrap_bits: int = 0


@dataclass(slots=True, kw_only=True)
class ScriptedCamera:
    """An opener for LiveSource; after its last connection it is not reachable."""

    clock: FakeClock
    script: Sequence[Connection]
    again: bool = False
    calls_s: list[float] = field(default_factory=list)

    def __call__(self, address: Address) -> "ScriptedStream":
        """Open the next connection of the script."""
        number = len(self.calls_s)
        self.calls_s.append(self.clock.monotonic_s())
        if self.again:
            number %= len(self.script)
        if number < len(self.script):
            return ScriptedStream(self.clock, self.script[number])
        return ScriptedStream(self.clock, Connection(ends="not-reachable"))


class ScriptedStream:
    """Packets as the script says, decoded by the real decoder."""

    def __init__(self, clock: FakeClock, connection: Connection) -> None:
        self._clock = clock
        self._connection = connection
        self._opened_s = clock.monotonic_s() + connection.opens_s
        self._next = 0
        self._decoder: Any = av.CodecContext.create(connection.codec, "r")
        self._decoder.thread_count = 1

    @property
    def info(self) -> StreamInfo | None:
        if self._clock.monotonic_s() < self._opened_s - 1e-6:
            return None
        connection = self._connection
        return StreamInfo(
            codec=connection.codec,
            declared_fps=connection.declared_fps,
            time_base=BASE,
            wrap_bits=connection.wrap_bits,
        )

    @property
    def dropped(self) -> int:
        return 0

    def next(self, timeout_s: float) -> Arrival | None:
        shots = self._connection.shots
        over = self._next >= len(shots)
        last_s = shots[-1].arrives_s if shots else 0.0
        due_s = last_s + self._connection.ends_after_s if over else shots[self._next].arrives_s
        left_s = self._opened_s + due_s - self._clock.monotonic_s()
        if left_s > timeout_s:
            self._clock.advance(max(timeout_s, 1e-3))
            return None
        self._clock.advance(max(0.0, left_s))
        if over:
            raise StreamEnded(self._connection.ends, "as the script says")
        shot = shots[self._next]
        self._next += 1
        packet = av.Packet(shot.data)
        packet.pts, packet.dts, packet.time_base = shot.pts, shot.dts, BASE
        packet.is_keyframe = shot.key
        now_ns, ahead_ns = instant(self._clock)
        arrival_ns = min(now_ns, round((self._opened_s + shot.arrives_s) * NS_PER_S))
        return Arrival(packet=packet, arrival_ns=arrival_ns, ahead_ns=ahead_ns)

    def decode(self, packet: Any) -> list[av.VideoFrame]:
        found: list[av.VideoFrame] = self._decoder.decode(packet)
        return found

    def close(self) -> None:
        self._next = len(self._connection.shots)
