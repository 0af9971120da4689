"""Blurred pictures and clips by id, whole or in ranges. Nothing else of a folder can be named."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from fastapi import HTTPException
from starlette.responses import Response, StreamingResponse

from calmstreet.store.seen import Medium, Seen
from calmstreet.web.answers_review import MediumCard
from calmstreet.web.numbers import ms

__all__ = ["byte_range", "file_response", "medium_card", "medium_of", "medium_response"]

_CHUNK_BYTES = 256 * 1024
_TYPES: dict[str, Literal["video/mp4", "image/png", "image/jpeg"]] = {
    ".mp4": "video/mp4",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
}


def medium_card(medium: Medium) -> MediumCard | None:
    """Return what is said of a medium, None for a file of a kind that is not shown."""
    kind = _TYPES.get(Path(medium.path).suffix.lower())
    if kind is None:
        return None
    return MediumCard(
        medium_id=medium.medium_id,
        what=medium.what,
        type=kind,
        camera_id=medium.camera_id,
        start_ms=ms(medium.start_ns),
        end_ms=ms(medium.end_ns),
        size_px=(medium.width_px, medium.height_px) if medium.width_px else None,
        size_bytes=medium.size_bytes,
        sha256=medium.sha256,
    )


def medium_of(seen: Seen, medium_id: str) -> Medium:
    """Return a medium that the asker may see; raise 404 otherwise."""
    found = next((m for m in seen.media() if m.medium_id == medium_id), None)
    if found is None or medium_card(found) is None:
        raise HTTPException(404, "there is no such picture or clip")
    return found


def medium_response(folder: Path, medium: Medium, wanted: str) -> Response:
    """Return a medium, or the range of it that the header ``wanted`` names."""
    path = (folder / medium.path).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        raise HTTPException(404, "the file of this picture or clip is missing")
    return file_response(path, wanted, media_type=_TYPES[path.suffix.lower()])


def file_response(
    path: Path, wanted: str, *, media_type: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a file, or the range of it that the header ``wanted`` names."""
    size_bytes = path.stat().st_size
    span = byte_range(wanted, size_bytes)
    first, last = span if span else (0, size_bytes - 1)
    told = {"accept-ranges": "bytes", "content-length": str(last - first + 1), **(headers or {})}
    if span:
        told["content-range"] = f"bytes {first}-{last}/{size_bytes}"
    return StreamingResponse(
        _chunks(path, first, last),
        status_code=206 if span else 200,
        media_type=media_type,
        headers=told,
    )


def byte_range(wanted: str, size_bytes: int) -> tuple[int, int] | None:
    """Return first and last byte of a Range header, None for the whole; raise 416 for nonsense.

    Several ranges at once are answered with the whole, which HTTP allows.

    >>> byte_range("bytes=2-", 10), byte_range("bytes=-3", 10), byte_range("", 10)
    ((2, 9), (7, 9), None)
    """
    found = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", wanted.strip())
    if found is None or not any(found.groups()):
        return None
    first, last = found.groups()
    if not first:
        start, end = max(size_bytes - int(last), 0), size_bytes - 1
        empty = int(last) == 0
    else:
        start, end = int(first), min(int(last) if last else size_bytes - 1, size_bytes - 1)
        empty = False
    if empty or start > end:
        raise HTTPException(
            416, "this range is not in the file", headers={"content-range": f"bytes */{size_bytes}"}
        )
    return start, end


def _chunks(path: Path, first: int, last: int) -> Iterator[bytes]:
    with path.open("rb") as stream:
        stream.seek(first)
        left = last - first + 1
        while left > 0:
            piece = stream.read(min(left, _CHUNK_BYTES))
            if not piece:
                return
            left -= len(piece)
            yield piece
