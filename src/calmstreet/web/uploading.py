"""Clips that people hand in: streamed to disk under an id of ours, looked at before kept."""

import hashlib
import secrets
import shutil
import unicodedata
from collections.abc import AsyncIterator
from pathlib import Path

from fastapi import HTTPException
from starlette.concurrency import run_in_threadpool

from calmstreet.store.folder import remove_quietly

__all__ = ["CLIP_SUFFIXES", "Received", "clean_name", "looks_like_video", "receive_clip"]

CLIP_SUFFIXES = frozenset({".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".ts", ".mts"})
_HEAD_BYTES = 16
_SPARE_BYTES = 500_000_000
_LONGEST_NAME = 120


class Received:
    """A clip that is on the disk: its id, size and digest."""

    __slots__ = ("sha256", "size_bytes", "upload_id")

    def __init__(self, *, upload_id: str, size_bytes: int, sha256: str) -> None:
        self.upload_id = upload_id
        self.size_bytes = size_bytes
        self.sha256 = sha256


def clean_name(name: str) -> str:
    r"""Return a name for people without folders and odd signs; raise 422 for no name of a clip.

    >>> clean_name("C:\\clips\\..\\Abay 7.mp4")
    'Abay 7.mp4'
    """
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    try:
        last.encode()
    except UnicodeEncodeError:
        last = ""
    plain = unicodedata.normalize("NFC", last[: 4 * _LONGEST_NAME])
    plain = "".join(sign for sign in plain if sign.isprintable()).strip(" .")
    stem, dot, suffix = plain.rpartition(".")
    if not stem or f"{dot}{suffix.lower()}" not in CLIP_SUFFIXES:
        known = ", ".join(sorted(CLIP_SUFFIXES))
        raise HTTPException(422, f"this is no clip; give a file that ends with one of {known}")
    return f"{stem[: _LONGEST_NAME - len(suffix) - 1]}.{suffix.lower()}"


def looks_like_video(head: bytes) -> bool:
    """Return whether the first 16 bytes are those of MP4, Matroska, AVI or a transport stream.

    >>> looks_like_video(bytes([0, 0, 0, 24]) + b"ftypisom" + bytes(4))
    True
    >>> looks_like_video(b"#EXTM3U concat:x")
    False
    """
    return (
        head[4:8] in (b"ftyp", b"moov", b"mdat", b"free", b"wide", b"skip")
        or head.startswith((b"\x1a\x45\xdf\xa3", b"\x47"))
        or (head.startswith(b"RIFF") and head[8:12] == b"AVI ")
        or head[4:5] == b"\x47"
    )


async def receive_clip(body: AsyncIterator[bytes], folder: Path) -> Received:
    """Write a body to the folder under a new id; raise 422 or 507 and keep nothing otherwise."""
    upload_id = secrets.token_hex(8)
    final, part = folder / upload_id, folder / f".{upload_id}.part"
    folder.mkdir(parents=True, exist_ok=True)
    digest, size_bytes, head = hashlib.sha256(), 0, b""
    stream = await run_in_threadpool(part.open, "wb")
    try:
        async for chunk in body:
            if len(head) < _HEAD_BYTES:
                head += chunk[: _HEAD_BYTES - len(head)]
                _check_head(head)
            size_bytes += len(chunk)
            digest.update(chunk)
            await run_in_threadpool(stream.write, chunk)
            if shutil.disk_usage(folder).free < _SPARE_BYTES:
                raise HTTPException(507, "the disk is nearly full; free some space")
        if len(head) < _HEAD_BYTES:
            raise HTTPException(422, "this is no video; hand in a clip of a camera")
        stream.close()
        part.replace(final)
    finally:
        stream.close()
        remove_quietly(part)
    return Received(upload_id=upload_id, size_bytes=size_bytes, sha256=digest.hexdigest())


def _check_head(head: bytes) -> None:
    if len(head) == _HEAD_BYTES and not looks_like_video(head):
        raise HTTPException(422, "this is no video; hand in a clip of a camera")
