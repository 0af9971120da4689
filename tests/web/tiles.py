"""PMTiles archives for tests: one tile for every place of the world down to zoom 18.

It is a red picture, or a vector tile with one area of water over the whole of it.
"""

import gzip
import json
import struct
import zlib
from pathlib import Path

__all__ = ["PNG", "VECTOR", "a_tiles_file"]

VECTOR, PNG = 1, 2
NONE, GZIP = 1, 2
_TILES = (4**19 - 1) // 3


def a_tiles_file(path: Path, *, tile_type: int = PNG, packed: int = GZIP) -> Path:
    """Write the archive (PMTiles, version 3) and return its path."""
    vector = tile_type == VECTOR
    tile = gzip.compress(_water()) if vector else _red_png()
    facts = json.dumps({"vector_layers": [{"id": "water", "fields": {}}]} if vector else {})
    metadata = gzip.compress(facts.encode())
    directory = gzip.compress(b"".join(_varint(n) for n in (1, 0, _TILES, len(tile), 1)))
    starts = [127, 127 + len(directory), 127 + len(directory) + len(metadata)]
    head = b"PMTiles\x03" + struct.pack(
        "<11Q", starts[0], len(directory), starts[1], len(metadata), starts[2], 0, starts[2],
        len(tile), _TILES, 1, 1,
    )  # fmt: skip
    head += struct.pack("<6B", 1, packed, GZIP if vector else NONE, tile_type, 0, 18)
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


def _message(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _water(extent: int = 4096) -> bytes:
    """Return a Mapbox Vector Tile, version 2, whose layer "water" has one square."""
    side, back = 2 * extent, 2 * extent - 1
    ways = (9, 0, 0, 26, side, 0, 0, side, back, 0, 15)
    feature = _number(3, 3) + _message(4, b"".join(_varint(n) for n in ways))
    layer = _number(15, 2) + _message(1, b"water") + _message(2, feature) + _number(5, extent)
    return _message(3, layer)


def _red_png(side: int = 256) -> bytes:
    rows = (b"\x00" + b"\xff\x00\x00" * side) * side
    head = struct.pack(">2I5B", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(part)) + name + part + struct.pack(">I", zlib.crc32(name + part))
        for name, part in ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    )
