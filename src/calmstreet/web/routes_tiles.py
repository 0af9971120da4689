"""Tiles beneath the map: one PMTiles file of the node by an id, in ranges; never a path."""

import hashlib
from pathlib import Path

from fastapi import HTTPException, Request
from starlette.responses import Response

from calmstreet.web.doors import Door, Right
from calmstreet.web.media import file_response
from calmstreet.web.node import Node
from calmstreet.web.queries import TilesId
from calmstreet.web.visit import Here

__all__ = ["DOORS", "tiles_address"]

_TOP = "/api/tiles/"


def tiles_address(node: Node) -> str:
    """Return where browsers find tiles: an address elsewhere, one of ours, "" for nowhere."""
    tiles_id = _tiles_id(node.folders.tiles)
    return f"{_TOP}{tiles_id}" if tiles_id else node.settings.node.tiles_url


def _tiles_id(path: Path | None) -> str:
    """Return the id of the file as it is now, "" where it is not there."""
    try:
        stat = None if path is None else path.stat()
    except OSError:
        return ""
    if stat is None:
        return ""
    facts = f"{path} {stat.st_size} {stat.st_mtime_ns}"
    return f"{hashlib.sha256(facts.encode(errors='surrogateescape')).hexdigest()[:16]}.pmtiles"


def get_tiles(here: Here, tiles_id: TilesId, request: Request) -> Response:
    """Give the tiles of the map, a PMTiles archive, or a range of it."""
    path = here.node.folders.tiles
    if path is None or tiles_id != _tiles_id(path):
        raise HTTPException(404, "there are no such tiles")
    return file_response(
        path,
        request.headers.get("range", ""),
        media_type="application/vnd.pmtiles",
        headers={"etag": f'"{tiles_id}"'},
    )


DOORS: tuple[Door, ...] = (
    Door(
        method="GET",
        path=f"{_TOP}{{tiles_id}}",
        call=get_tiles,
        right=Right.LOOK,
        tag="results",
    ),
)
