"""Fragmented MP4 as bytes: how far it is whole, how many pictures that is, and cutting the rest.

Boxes after ISO/IEC 14496-12. A crash leaves a file that ends within a fragment; everything before
it plays.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from calmstreet.errors import StoreError

__all__ = ["Fragments", "cut_to_whole", "whole_fragments"]

_HEAD = struct.Struct(">I4s")
_CONTAINERS = frozenset({b"moov", b"trak", b"mdia", b"traf"})
_LONGEST_TABLE_BYTES = 16_000_000
_DURATION, _SIZE, _FLAGS, _OFFSET = 0x100, 0x200, 0x400, 0x800
_DATA_OFFSET, _FIRST_FLAGS = 0x1, 0x4
_SAMPLE_BYTES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragments:
    """The whole part of a file: its bytes, fragments, pictures, and time of the last picture.

    ``last_s`` is counted from the file's zero; NaN is never given: 0.0 without a picture.
    """

    size_bytes: int
    fragments: int
    pictures: int
    last_s: float


def whole_fragments(path: Path) -> Fragments:
    """Return how far a fragmented MP4 is whole: up to the last moof with all of its mdat.

    A file without a whole head (ftyp, moov) has nothing whole. Raises StoreError when it cannot
    be read.
    """
    try:
        with path.open("rb") as stream:
            return _walk(stream, path.stat().st_size)
    except OSError as error:
        raise StoreError(f"{path} cannot be read ({error.strerror}); check the disk") from error


def cut_to_whole(path: Path) -> Fragments:
    """Cut a file behind its last whole fragment; return what is left.

    Raises StoreError when it cannot be read or cut. The caller forces it to the disk.
    """
    found = whole_fragments(path)
    try:
        with path.open("r+b") as stream:
            stream.truncate(found.size_bytes)
    except OSError as error:
        raise StoreError(f"{path} cannot be cut ({error.strerror}); check the disk") from error
    return found


def _walk(stream: BinaryIO, size_bytes: int) -> Fragments:
    found = Fragments(size_bytes=0, fragments=0, pictures=0, last_s=0.0)
    scale, default_ticks, pictures, last_s = 0, 0, 0, 0.0
    fragment: tuple[int, float] | None = None
    for kind, start, end in _boxes(stream, 0, size_bytes):
        if kind == b"moov":
            scale, default_ticks = _head(_body(stream, start, end))
            found = Fragments(size_bytes=end, fragments=0, pictures=0, last_s=0.0)
        elif kind == b"moof" and scale:
            samples, last_ticks = _fragment(_body(stream, start, end), default_ticks)
            fragment = samples, last_ticks / scale
        elif kind == b"mdat" and fragment is not None:
            pictures, last_s, fragment = pictures + fragment[0], fragment[1], None
            found = Fragments(
                size_bytes=end, fragments=found.fragments + 1, pictures=pictures, last_s=last_s
            )
    return found


def _boxes(stream: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, first byte of the body and end of every box that is whole."""
    while start + _HEAD.size <= end:
        stream.seek(start)
        size, kind = _HEAD.unpack(stream.read(_HEAD.size))
        body = start + _HEAD.size
        if size == 1 and body + 8 <= end:
            size, body = int.from_bytes(stream.read(8), "big"), body + 8
        if size < body - start or start + size > end:
            return
        yield kind, body, start + size
        start += size


def _body(stream: BinaryIO, start: int, end: int) -> bytes:
    stream.seek(start)
    return stream.read(min(end - start, _LONGEST_TABLE_BYTES))


def _inner(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and body of every box inside, boxes of boxes opened."""
    at = 0
    while at + _HEAD.size <= len(body):
        size, kind = _HEAD.unpack_from(body, at)
        if size < _HEAD.size or at + size > len(body):
            return
        inside = body[at + _HEAD.size : at + size]
        if kind in _CONTAINERS:
            yield from _inner(inside)
        else:
            yield kind, inside
        at += size


def _head(moov: bytes) -> tuple[int, int]:
    """Return ticks a second of the one track and the usual ticks of a sample."""
    scale, ticks = 0, 0
    for kind, body in _inner(moov):
        if kind == b"mdhd":
            scale = int.from_bytes(body[20:24] if body[:1] == b"\1" else body[12:16], "big")
        elif kind == b"mvex":
            ticks = next(
                (int.from_bytes(b[12:16], "big") for k, b in _inner(body) if k == b"trex"), 0
            )
    return scale, ticks


def _fragment(moof: bytes, default_ticks: int) -> tuple[int, int]:
    """Return the samples of a fragment and the ticks at which the last one starts."""
    at, samples, last = 0, 0, 0
    ticks = default_ticks
    for kind, body in _inner(moof):
        flags = int.from_bytes(body[1:4], "big")
        if kind == b"tfhd":
            ticks = _usual_ticks(body, flags) or default_ticks
        elif kind == b"tfdt":
            at = int.from_bytes(body[4:12] if body[:1] == b"\1" else body[4:8], "big")
        elif kind == b"trun":
            durations = _durations(body, flags, ticks)
            samples += len(durations)
            last = at + sum(durations[:-1])
            at += sum(durations)
    return samples, last


def _usual_ticks(tfhd: bytes, flags: int) -> int:
    at = 8 + 8 * bool(flags & 0x1) + 4 * bool(flags & 0x2)
    return int.from_bytes(tfhd[at : at + 4], "big") if flags & 0x8 else 0


def _durations(trun: bytes, flags: int, ticks: int) -> list[int]:
    count = int.from_bytes(trun[4:8], "big")
    if not flags & _DURATION:
        return [ticks] * min(count, len(trun))
    at = 8 + _SAMPLE_BYTES * (bool(flags & _DATA_OFFSET) + bool(flags & _FIRST_FLAGS))
    width = _SAMPLE_BYTES * sum(bool(flags & f) for f in (_DURATION, _SIZE, _FLAGS, _OFFSET))
    places = range(at, min(at + count * width, len(trun) - _SAMPLE_BYTES + 1), width)
    return [int.from_bytes(trun[p : p + _SAMPLE_BYTES], "big") for p in places]
