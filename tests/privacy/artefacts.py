"""Every picture in every file of a folder, decoded again; and how much of a mark can be read."""

import base64
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["SIGNATURES", "legible", "patch", "pictures_in", "stray_pictures"]

Picture = NDArray[np.uint8]
SIGNATURES = {
    "jpeg": b"\xff\xd8\xff",
    "png": b"\x89PNG\r\n\x1a\n",
    "mp4": b"ftypisom",
    "h264": b"\x00\x00\x00\x01\x67",
    "gif": b"GIF89a",
    "webp": b"WEBPVP8",
}
_OPENED = {".mp4": "video", ".png": "still", ".jpg": "still", ".html": "page"}
_DATA_URI = re.compile(rb"data:image/(?:png|jpeg|webp|gif);base64,([A-Za-z0-9+/=]+)")


def pictures_in(folder: Path) -> Iterator[tuple[str, float | None, Picture]]:
    """Yield (file, seconds from its first picture or None, picture) for all files of a folder."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        how, name = _OPENED.get(path.suffix), str(path.relative_to(folder))
        if how == "video":
            with av.open(str(path)) as container:
                for frame in container.decode(video=0):
                    yield name, float(frame.time or 0.0), _bgr(frame)
        elif how == "still":
            yield name, None, _decoded(path.read_bytes())
        elif how == "page":
            for found in _DATA_URI.finditer(path.read_bytes()):
                yield name, None, _decoded(base64.b64decode(found.group(1)))


def _bgr(frame: av.VideoFrame) -> Picture:
    return np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)


def _decoded(data: bytes) -> Picture:
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert bgr is not None
    return np.asarray(bgr, np.uint8)


def stray_pictures(folder: Path) -> list[str]:
    """Return files that are no pictures by name but hold the signature of one."""
    found = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        if path.suffix in _OPENED:
            continue
        parts = {path.name: path.read_bytes()}
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                parts |= {f"{path.name}/{n}": archive.read(n) for n in archive.namelist()}
        for name, data in parts.items():
            found += [f"{name}: {what}" for what, mark in SIGNATURES.items() if mark in data]
    return found


def patch(picture: Picture, box: tuple[float, float, float, float]) -> NDArray[np.float32]:
    """Return the luma under a box (l, t, r, b in pixels of the picture), float32."""
    height, width = picture.shape[:2]
    left, top = max(int(box[0]), 0), max(int(box[1]), 0)
    right, bottom = min(int(np.ceil(box[2])), width), min(int(np.ceil(box[3])), height)
    gray = cv2.cvtColor(picture[top:bottom, left:right], cv2.COLOR_BGR2GRAY)
    return np.asarray(gray, np.float32)


def legible(stored: NDArray[np.float32], original: NDArray[np.float32]) -> float:
    """Return how well the fine part of a mark is kept: correlation of what is finer than a third.

    1 for the mark itself, near 0 for a mosaic.

    >>> mark = np.random.default_rng(0).uniform(0, 255, (12, 12)).astype(np.float32)
    >>> round(legible(mark, mark), 3), legible(np.full_like(mark, 7.0), mark)
    (1.0, 0.0)
    """
    spread = max(min(original.shape) / 3, 1.0)
    a, b = (p - cv2.GaussianBlur(p, (0, 0), spread) for p in (stored, original))
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / size if size > 1e-3 else 0.0
