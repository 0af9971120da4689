"""The newest seconds of a stream as it was sent: packets in memory, never decoded unless asked for.

Nothing of it ever touches a disk. The ring is bounded in seconds and in bytes, and gives up whole
groups of pictures only, so that what it holds can be decoded.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from calmstreet.units import NS_PER_S, ns_from_s

__all__ = ["KEEP_S", "MOST_BYTES", "MOST_S", "KeptPacket", "PacketRing", "StreamForm"]

KEEP_S = 45.0
MOST_S = 110.0
MOST_BYTES = 48_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamForm:
    """What a decoder must know of packets; ``connection`` counts the connections of a stream."""

    codec: str
    extradata: bytes = b""
    connection: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KeptPacket:
    """One packet; its picture is shown at ``t_ns`` (UTC ns)."""

    data: bytes
    t_ns: int
    keyframe: bool
    form: StreamForm


@dataclass(slots=True, eq=False)
class _Group:
    """A keyframe and what follows it."""

    packets: list[KeptPacket] = field(default_factory=list)
    size_bytes: int = 0


class PacketRing:
    """At most ``keep_s`` of packets and one group of pictures before, and ``most_bytes``.

    ``hold(t_ns)`` keeps what is newer than that instant for longer, up to ``most_s``, until
    ``release()``. Where one group alone is too long all is given up until the next keyframe.
    """

    def __init__(
        self, *, keep_s: float = KEEP_S, most_s: float = MOST_S, most_bytes: int = MOST_BYTES
    ) -> None:
        self.size_bytes = 0
        self._keep_ns, self._most_ns = ns_from_s(keep_s), ns_from_s(most_s)
        self._most_bytes = most_bytes
        self._groups: deque[_Group] = deque()
        self._held_ns: int | None = None

    def __len__(self) -> int:
        return sum(len(group.packets) for group in self._groups)

    @property
    def first_ns(self) -> int | None:
        """Return the time of the oldest keyframe, None when empty."""
        return self._groups[0].packets[0].t_ns if self._groups else None

    @property
    def newest_ns(self) -> int | None:
        """Return the time of the packet that came last, None when empty."""
        return self._groups[-1].packets[-1].t_ns if self._groups else None

    @property
    def reach_s(self) -> float:
        """Return how far back the ring reaches."""
        first_ns, newest_ns = self.first_ns, self.newest_ns
        if first_ns is None or newest_ns is None:
            return 0.0
        return (newest_ns - first_ns) / NS_PER_S

    def add(self, packet: KeptPacket) -> None:
        """Add a packet; before the first keyframe none can be used."""
        if packet.keyframe:
            self._groups.append(_Group())
        elif not self._groups:
            return
        group = self._groups[-1]
        group.packets.append(packet)
        group.size_bytes += len(packet.data)
        self.size_bytes += len(packet.data)
        self._trim(packet.t_ns)

    def hold(self, t_ns: int) -> None:
        """Keep what is newer than ``t_ns`` until ``release``."""
        self._held_ns = t_ns

    def release(self) -> None:
        """Keep only the usual again."""
        self._held_ns = None

    def clear(self) -> None:
        """Forget everything: what comes next has nothing to do with it."""
        self._groups.clear()
        self.size_bytes = 0

    def span(self, from_ns: int, until_ns: int) -> list[KeptPacket]:
        """Return the packets from the last keyframe at or before ``from_ns`` to ``until_ns``.

        Where the ring does not reach so far back they begin with its oldest keyframe.
        """
        return list(self._span(from_ns, until_ns))

    def _span(self, from_ns: int, until_ns: int) -> Iterator[KeptPacket]:
        groups = list(self._groups)
        later = [k for k, group in enumerate(groups) if group.packets[0].t_ns > from_ns]
        begin = max(0, (later[0] if later else len(groups)) - 1)
        for group in groups[begin:]:
            if group.packets[0].t_ns > until_ns:
                return
            yield from (packet for packet in group.packets if packet.t_ns <= until_ns)

    def _trim(self, newest_ns: int) -> None:
        """Give up the oldest groups that nothing needs, then those that do not fit."""
        wanted_ns = newest_ns - self._keep_ns
        if self._held_ns is not None:
            wanted_ns = max(newest_ns - self._most_ns, min(wanted_ns, self._held_ns))
        while len(self._groups) > 1 and self._groups[1].packets[0].t_ns <= wanted_ns:
            self._drop()
        while len(self._groups) > 1 and self.size_bytes > self._most_bytes:
            self._drop()
        if self.size_bytes > self._most_bytes or self.reach_s * NS_PER_S > 2 * self._most_ns:
            self.clear()

    def _drop(self) -> None:
        self.size_bytes -= self._groups.popleft().size_bytes
