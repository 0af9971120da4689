"""Tiles beneath the map of a node: an address elsewhere, or a PMTiles file that it holds."""

import json
import re
import struct
import zlib
from pathlib import Path
from urllib.parse import urlsplit

from calmstreet.errors import InputError

__all__ = ["tile_address", "tile_layers"]

_HOST = re.compile(r"[A-Za-z0-9.-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")
_MAGIC = b"PMTiles\x03"
_HEADER_BYTES, _METADATA_AT, _PACKED_AT, _TYPE_AT = 127, 24, 97, 99
_PICTURES = {2: "PNG", 3: "JPEG", 4: "WebP", 5: "AVIF"}
_VECTOR = 1
_GZIP = 2
_READABLE = {0, 1, _GZIP}
_LARGEST_BYTES = 5_000_000
_KEY = "node.tiles_file"


def tile_address(url: str) -> str:
    """Return an address of picture tiles; raise ValueError for one that browsers cannot use.

    Its host goes into the policy that tells browsers whom to ask, so it must be a plain one.

    >>> tile_address("https://tiles.example/{z}/{x}/{y}.png")
    'https://tiles.example/{z}/{x}/{y}.png'
    """
    if not url:
        return url
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ValueError("is no address; write https://HOST/{z}/{x}/{y}.png") from error
    if parts.scheme not in {"http", "https"}:
        raise ValueError(
            "is no address of http or https; for a PMTiles file of this machine use tiles_file"
        )
    if "@" in parts.netloc:
        raise ValueError("holds a name or password, which every browser would see; leave it away")
    if not _HOST.fullmatch(parts.netloc) or re.search(r"[\s\"'<>\\^`|]", url):
        raise ValueError("is no address; write https://HOST/{z}/{x}/{y}.png")
    template = all(part in url for part in ("{z}", "{x}", "{y}"))
    if not template and not parts.path.endswith(".pmtiles"):
        raise ValueError("names no tiles; write {z}, {x} and {y} into it, or end it with .pmtiles")
    return url


def tile_layers(path: Path) -> tuple[str, ...]:
    """Return the layers of a PMTiles archive, version 3, of vector tiles; () of picture tiles.

    Raises InputError when it is no such archive, or packed in a way that browsers cannot read.
    Format: https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEADER_BYTES)
            if len(head) < _HEADER_BYTES or not head.startswith(_MAGIC):
                raise InputError(f"{path} is no PMTiles file of version 3; correct {_KEY}")
            _check_kind(path, head)
            if head[_TYPE_AT] != _VECTOR:
                return ()
            start, length = struct.unpack_from("<2Q", head, _METADATA_AT)
            stream.seek(min(start, path.stat().st_size))
            packed = stream.read(min(length, _LARGEST_BYTES))
    except OSError as error:
        why = error.strerror or "unknown reason"
        raise InputError(f"{path} cannot be read ({why}); correct {_KEY}") from error
    return _layers(path, packed, gzipped=head[_PACKED_AT] == _GZIP)


def _check_kind(path: Path, head: bytes) -> None:
    kind = head[_TYPE_AT]
    if kind not in {_VECTOR, *_PICTURES}:
        raise InputError(
            f"{path} does not say what its tiles are, or holds a kind that is not drawn; name one "
            f"of MVT, {', '.join(_PICTURES.values())} as {_KEY}"
        )
    if not {head[_PACKED_AT], head[_PACKED_AT + 1]} <= _READABLE:
        raise InputError(f"{path} is packed as browsers cannot read; pack it with gzip for {_KEY}")


def _layers(path: Path, packed: bytes, *, gzipped: bool) -> tuple[str, ...]:
    try:
        text = zlib.decompressobj(31).decompress(packed, _LARGEST_BYTES) if gzipped else packed
        rows = json.loads(text).get("vector_layers", [])
        return tuple(str(row["id"]) for row in rows)
    except (zlib.error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} does not name its layers; correct {_KEY}") from error
