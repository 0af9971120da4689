"""Tiles beneath the map of a node: an address elsewhere, or a PMTiles file that it holds."""

import re
from pathlib import Path
from urllib.parse import urlsplit

from calmstreet.errors import InputError

__all__ = ["check_tiles_file", "tile_address"]

_HOST = re.compile(r"[A-Za-z0-9.-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")
_MAGIC = b"PMTiles\x03"
_HEADER_BYTES = 127
_TYPE_AT = 99
_PICTURES = {2: "PNG", 3: "JPEG", 4: "WebP", 5: "AVIF"}
_VECTORS = {1, 6}


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


def check_tiles_file(path: Path) -> None:
    """Raise InputError unless ``path`` is a PMTiles archive, version 3, of picture tiles.

    Format: https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEADER_BYTES)
    except OSError as error:
        raise InputError(f"{path} {_why(error)}; correct node.tiles_file") from error
    if len(head) < _HEADER_BYTES or not head.startswith(_MAGIC):
        raise InputError(f"{path} is no PMTiles file of version 3; correct node.tiles_file")
    kind = head[_TYPE_AT]
    if kind in _VECTORS:
        raise InputError(
            f"{path} holds vector tiles, which the desk does not draw; name one of pictures "
            f"({', '.join(_PICTURES.values())}) as node.tiles_file"
        )
    if kind not in _PICTURES:
        raise InputError(
            f"{path} does not say what its tiles are; name one of pictures "
            f"({', '.join(_PICTURES.values())}) as node.tiles_file"
        )


def _why(error: OSError) -> str:
    return f"cannot be read ({error.strerror or 'unknown reason'})"
