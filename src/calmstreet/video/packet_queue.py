"""What waits between the thread that reads a camera and the one that decodes."""

import threading
from collections import deque

from calmstreet.units import NS_PER_S
from calmstreet.video.packet_stream import Arrival, StreamEnded

__all__ = ["PacketQueue"]

_MOST_BYTES = 16 * 1024 * 1024
_MOST_NS = 10 * NS_PER_S


class PacketQueue:
    """At most 10 s or 16 MB of packets.

    When nobody takes them for longer, all are thrown away and counted, and what follows is as well
    until the next keyframe, since it could not be decoded.
    """

    def __init__(self) -> None:
        self._waiting: deque[Arrival] = deque()
        self._bytes = 0
        self._needs_key = False
        self._ended: StreamEnded | None = None
        self._news = threading.Condition()
        self.dropped = 0

    def put(self, arrival: Arrival) -> None:
        """Add a packet."""
        with self._news:
            first = self._waiting[0] if self._waiting else arrival
            old = arrival.arrival_ns - first.arrival_ns > _MOST_NS
            if old or self._bytes + arrival.packet.size > _MOST_BYTES:
                self.dropped += len(self._waiting)
                self._waiting.clear()
                self._bytes, self._needs_key = 0, True
            if self._needs_key and not arrival.packet.is_keyframe:
                self.dropped += 1
                return
            self._needs_key = False
            self._waiting.append(arrival)
            self._bytes += arrival.packet.size
            self._news.notify()

    def end(self, ended: StreamEnded) -> None:
        """Say that nothing more will come; the first reason counts."""
        with self._news:
            self._ended = self._ended or ended
            self._news.notify()

    def take(self, timeout_s: float) -> Arrival | None:
        """Return the oldest packet, None after ``timeout_s``; raise StreamEnded behind the last."""
        with self._news:
            if not self._waiting and self._ended is None:
                self._news.wait(timeout_s)
            if self._waiting:
                arrival = self._waiting.popleft()
                self._bytes -= arrival.packet.size
                return arrival
            if self._ended is not None:
                raise self._ended
        return None
