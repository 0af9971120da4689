"""A PMTiles archive for tests: one red picture for every tile of the world down to zoom 18."""

import struct
import zlib
from pathlib import Path

__all__ = ["a_tiles_file"]

PNG, VECTOR = 2, 1
_TILES = (4**19 - 1) // 3


def a_tiles_file(path: Path, *, tile_type: int = PNG) -> Path:
    """Write the archive (PMTiles, version 3) and return its path."""
    directory = b"".join(_varint(n) for n in (1, 0, _TILES, len(_red_png()), 1))
    metadata, tile = b"{}", _red_png()
    starts = [127, 127 + len(directory), 127 + len(directory) + len(metadata)]
    head = b"PMTiles\x03" + struct.pack(
        "<11Q", starts[0], len(directory), starts[1], len(metadata), starts[2], 0, starts[2],
        len(tile), _TILES, 1, 1,
    )  # fmt: skip
    head += struct.pack("<6B", 1, 1, 1, tile_type, 0, 18)
    box = [-1_800_000_000, -850_000_000, 1_800_000_000, 850_000_000]
    head += struct.pack("<4i", *box) + struct.pack("<B2i", 0, 0, 0)
    path.write_bytes(head + directory + metadata + tile)
    return path


def _varint(n: int) -> bytes:
    found = bytearray()
    while n > 0x7F:
        found.append(n & 0x7F | 0x80)
        n >>= 7
    return bytes([*found, n])


def _red_png(side: int = 256) -> bytes:
    rows = (b"\x00" + b"\xff\x00\x00" * side) * side
    head = struct.pack(">2I5B", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(part)) + name + part + struct.pack(">I", zlib.crc32(name + part))
        for name, part in ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    )
