"""What comes over one RTSP connection, cut into answers, reports of the clock and pictures.

RFC 2326, 10.12: binary frames begin with "$", a channel and a length; all else is text. Pictures
pass through untouched; texts are held back until they are whole and judged.
"""

import re
from dataclasses import dataclass

from calmstreet.errors import FormatError
from calmstreet.units import NS_PER_S
from calmstreet.video.packet_stream import StreamEnded
from calmstreet.video.rtsp_answer import RtspAnswer, parse_answer

__all__ = ["RtspWire", "sender_report_ns"]

_DOLLAR = 0x24
_MOST_HEAD = 16 * 1024
_MOST_BODY = 1024 * 1024
_MOST_ANSWERS = 32
_TEXT = re.compile(rb"[A-Z_]{3,16}[ /]|[A-Z_]{1,16}$")
_START = re.compile(rb"[$A-Z_]")
_END = re.compile(rb"\r?\n\r?\n")
_LENGTHS = re.compile(rb"content-length", re.IGNORECASE)
_LENGTH = re.compile(rb"\ncontent-length:[ \t]*(\d{1,9})[ \t]*\r?\n", re.IGNORECASE)
_MOVED = re.compile(rb"RTSP/\d\.\d\s+3\d\d|REDIRECT\s", re.IGNORECASE)
_NTP_TO_UNIX_S = 2_208_988_800
_SENDER_REPORT = 200


def sender_report_ns(packet: bytes) -> int | None:
    """Return the sender's wall clock, UTC ns, of an RTCP packet (RFC 3550, 6.4.1), else None.

    >>> import struct
    >>> ntp = struct.pack("!II", _NTP_TO_UNIX_S + 5, 1 << 31)
    >>> sender_report_ns(struct.pack("!BBHI", 0x80, 200, 6, 7) + ntp + bytes(12))
    5500000000
    """
    if len(packet) < 20 or packet[0] >> 6 != 2 or packet[1] != _SENDER_REPORT:
        return None
    seconds, share = (int.from_bytes(packet[k : k + 4], "big") for k in (8, 12))
    if seconds == 0:
        return None
    return (seconds - _NTP_TO_UNIX_S) * NS_PER_S + (share * NS_PER_S >> 32)


@dataclass(slots=True, kw_only=True)
class _Held:
    data: bytearray
    passing: int = 0
    searched: int = 0


class RtspWire:
    """The camera's side of one connection.

    ``feed`` takes bytes as they come and returns those that may be passed on; in whatever pieces
    they come, the same come out. ``answers`` keeps the first answers, ``clock_ns`` the camera's own
    clock as of the last report, None before. Raises StreamEnded("refused") where the camera sends
    us to another address: only the checked one may be connected to.
    """

    def __init__(self) -> None:
        self._held = _Held(data=bytearray())
        self.answers: list[RtspAnswer] = []
        self.clock_ns: int | None = None
        self.reports = 0

    def feed(self, data: bytes) -> bytes:
        """Return what may be passed on."""
        held = self._held
        held.data += data
        place = min(held.passing, len(held.data))
        held.passing -= place
        while place < len(held.data):
            size = self._frame(place) if held.data[place] == _DOLLAR else self._text(place)
            if size == 0:
                break
            place += size
        if place > len(held.data):
            held.passing = place - len(held.data)
        out = bytes(held.data[:place])
        del held.data[:place]
        return out

    def _frame(self, place: int) -> int:
        """Return the size of the binary frame here, 0 to wait for more."""
        data = self._held.data
        if len(data) - place < 4:
            return 0
        size = 4 + int.from_bytes(data[place + 2 : place + 4], "big")
        if data[place + 1] & 1:
            if len(data) - place < size:
                return 0
            told_ns = sender_report_ns(bytes(data[place + 4 : place + size]))
            if told_ns is not None:
                self.clock_ns = told_ns
                self.reports += 1
        return size

    def _text(self, place: int) -> int:
        """Return the size of the text, or of the stray bytes, here; 0 to wait for more."""
        data = self._held.data
        if not _TEXT.match(data, place, place + 17):
            self._held.searched = 0
            start = _START.search(data, place + 1)
            return (start.start() if start else len(data)) - place
        end = _END.search(data, place + self._held.searched)
        if end is None:
            self._held.searched = max(0, len(data) - place - 3)
            if len(data) - place > _MOST_HEAD:
                raise StreamEnded("refused", "what it answers makes no sense")
            return 0
        size = end.end() - place + _body_size(bytes(data[place : end.end()]))
        if len(data) - place < size:
            return 0
        text = bytes(data[place : place + size])
        if _MOVED.search(text):
            raise StreamEnded("refused", "it sends us to another address, which is not followed")
        self._held.searched = 0
        self._keep(text)
        return size

    def _keep(self, text: bytes) -> None:
        if len(self.answers) < _MOST_ANSWERS:
            try:
                self.answers.append(parse_answer(text))
            except FormatError:
                return


def _body_size(head: bytes) -> int:
    """Return the length that a head announces; one that can be read in two ways is refused."""
    named = len(_LENGTHS.findall(head))
    told = _LENGTH.findall(head)
    if named != len(told) or named > 1 or (told and int(told[0]) > _MOST_BODY):
        raise StreamEnded("refused", "what it answers makes no sense")
    return int(told[0]) if told else 0
