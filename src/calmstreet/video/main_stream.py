"""A camera's main stream, kept as packets in memory beside the sub-stream that is analysed.

Nobody decodes it until a clip is wanted. ``pump`` never waits: it takes what has come, gives it its
time and puts it into the ring; a stream that is gone is called again after a while.
"""

import threading
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from calmstreet.clock import Clock
from calmstreet.errors import CalmstreetError
from calmstreet.units import NS_PER_S
from calmstreet.video.address import DEFAULT_NETWORKS, Address, Network
from calmstreet.video.file_stream import FileStream
from calmstreet.video.packet_ring import KeptPacket, PacketRing, StreamForm
from calmstreet.video.packet_stream import (
    Arrival,
    OpenStream,
    PacketStream,
    StreamEnded,
    StreamInfo,
    instant,
)
from calmstreet.video.patience import Patience
from calmstreet.video.rtsp_stream import RtspStream
from calmstreet.video.stream_clock import JUMP, STEP, StreamClock

__all__ = ["MainStream"]

_AT_ONCE = 500
_WORKS_S = 10.0


class MainStream:
    """The packets of one main stream through all its connections, in ``ring``.

    ``connected`` says whether packets come, ``reason`` (a word of GAP_REASONS) and ``note`` why
    not; ``connections`` counts. A jump of its time or of our clock empties the ring. Times
    are given in the order of decoding, but none may lie after its packet came, so that pictures
    shown later than they are decoded have the times that the analysed stream gives its own.
    """

    def __init__(
        self,
        *,
        address: Address,
        clock: Clock,
        networks: Sequence[Network] = DEFAULT_NETWORKS,
        transport: str = "tcp",
        open_stream: OpenStream | None = None,
        ring: PacketRing | None = None,
        seed: int | None = None,
    ) -> None:
        self.address = address
        self.ring = ring or PacketRing()
        self.reason, self.note = "starting", ""
        self.connected = False
        self.connections = 0
        self._clock, self._networks, self._transport = clock, networks, transport
        self._open = open_stream or self._usual
        self._patience = Patience(seed=seed)
        now_ns, ahead_ns = instant(clock)
        self._time = StreamClock(time_base=Fraction(1, 90_000), ahead_ns=ahead_ns, began_ns=now_ns)
        self._stream: PacketStream | None = None
        self._form: StreamForm | None = None
        self._stop = threading.Event()
        self._due_s = float("-inf")
        self._called_s = self._came_s = clock.monotonic_s()

    def _usual(self, address: Address) -> PacketStream:
        if address.is_file:
            return FileStream(
                path=Path(address.path), clock=self._clock, stop=self._stop, loop=address.loop
            )
        return RtspStream(
            address=address, clock=self._clock, networks=self._networks, transport=self._transport
        )

    def pump(self) -> None:
        """Take what has come since the last time; call it a few times a second at least."""
        if self._stop.is_set():
            return
        try:
            stream = self._stream or self._call()
            for _ in range(_AT_ONCE if stream else 0):
                arrival = stream.next(0.0) if stream else None
                if arrival is None:
                    return
                self._take(stream, arrival)
        except StreamEnded as ended:
            self._lost(ended.reason, str(ended))
        except CalmstreetError as error:
            self._lost("not-reachable", str(error))

    def _call(self) -> PacketStream | None:
        """Connect where it is time."""
        now_s = self._clock.monotonic_s()
        if now_s < self._due_s:
            return None
        self._called_s = now_s
        self._form = None
        self._stream = self._open(self.address)
        return self._stream

    def _take(self, stream: PacketStream | None, arrival: Arrival) -> None:
        info = stream.info if stream else None
        packet = arrival.packet
        if info is None or packet is None or not packet.size:
            return
        if self._form is None or arrival.new_line:
            self._begin(info, again=self._form is not None)
        form = self._form
        assert form is not None
        order = packet.pts if packet.dts is None else packet.dts
        shown = order if info.by_dts or packet.pts is None else packet.pts
        later_ns = _later_ns(shown, order, info.time_base)
        stamp = self._time.stamp(
            order, arrival_ns=arrival.arrival_ns - later_ns, ahead_ns=arrival.ahead_ns
        )
        if stamp.verdict in {JUMP, STEP}:
            self.ring.clear()
        self._came_s = self._clock.monotonic_s()
        if self._came_s - self._called_s > _WORKS_S:
            self._patience.forget()
        self.ring.add(
            KeptPacket(
                data=bytes(packet),
                t_ns=stamp.t_ns + later_ns,
                keyframe=bool(packet.is_keyframe),
                form=form,
            )
        )

    def _begin(self, info: StreamInfo, *, again: bool) -> None:
        """Note a new connection; a film that begins ``again`` is another stretch of time."""
        if again:
            self.ring.clear()
        self.connections += 1
        self.connected, self.reason, self.note = True, "", ""
        self._form = StreamForm(
            codec=info.codec, extradata=info.extradata, connection=self.connections
        )
        self._time.restart(info.time_base, wrap_bits=info.wrap_bits)

    def _lost(self, reason: str, note: str) -> None:
        now_s = self._clock.monotonic_s()
        self.connected, self.reason, self.note = False, reason, note
        self._due_s = now_s + self._patience.next_s(reason, outage_s=now_s - self._came_s)
        if self.address.is_file and reason == "ended":
            self._due_s = float("inf")
        self._let_go()

    def _let_go(self) -> None:
        """Say goodbye without waiting for an answer."""
        stream, self._stream, self._form = self._stream, None, None
        if stream is None:
            return
        if self.address.is_file:
            stream.close()
        else:
            threading.Thread(target=stream.close, name="main-goodbye", daemon=True).start()

    def close(self) -> None:
        """End the connection and forget the packets."""
        self._stop.set()
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
        self.connected = False
        self.ring.clear()


def _later_ns(shown: Any, order: Any, time_base: Fraction) -> int:
    """Return by how much a picture is shown after it is decoded, ns.

    >>> _later_ns(3600, 0, Fraction(1, 90_000))
    40000000
    """
    if shown is None or order is None:
        return 0
    return max(0, int((shown - order) * time_base * NS_PER_S))
