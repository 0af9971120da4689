"""Recording of live cameras: blurred pictures as fragmented MP4 that a crash or power cut spares.

The file grows as ``.NAME.part``: every second of video is one fragment, handed to the system as a
whole and forced to the disk before it is older than two seconds. ``close`` cuts, forces, renames
and forces the folder. Raw pictures cannot get in here.
"""

import hashlib
import os
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import av.error
import av.video.frame
import cv2
import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import PrivacyError, StoreError
from calmstreet.model.kept import BlurredFrame, FinishedFile
from calmstreet.units import NS_PER_S, ns_from_s
from calmstreet.video.fragments import cut_to_whole, whole_fragments

__all__ = ["MAX_FPS", "MAX_HEIGHT_PX", "SegmentWriter", "part_of", "salvage"]

MAX_FPS = 10.0
MAX_HEIGHT_PX = 720
CRF = 26
_TICKS_PER_S = 1000
_GOP_S = 1.0
_FORCED_EVERY_S = 1.0
_EARLY_SHARE = 0.25
_X264 = {"preset": "veryfast", "tune": "zerolatency", "forced-idr": "1", "threads": "1"}
_MOVFLAGS = "frag_keyframe+empty_moov+default_base_moof"


def part_of(path: Path) -> Path:
    """Return the name under which a segment grows.

    >>> part_of(Path("a/b.mp4")).as_posix()
    'a/.b.mp4.part'
    """
    return path.with_name(f".{path.name}.part")


class SegmentWriter:
    """One segment under its temporary name until ``close`` puts it in its place.

    ``height_px`` is the largest stored height; ``encoder`` any H.264 encoder of FFmpeg;
    ``durable`` forces every second of video to the disk. Use it as a context manager: when the
    block fails, what was whole stays as ``.part`` for ``recover``.
    """

    def __init__(
        self,
        *,
        path: Path,
        fps: float = MAX_FPS,
        height_px: int = MAX_HEIGHT_PX,
        encoder: str = "libx264",
        crf: int = CRF,
        durable: bool = True,
    ) -> None:
        if not 0 < fps <= MAX_FPS:
            raise StoreError(f"{path}: kept video has {MAX_FPS:g} pictures a second or fewer")
        if not 0 < height_px <= MAX_HEIGHT_PX:
            raise StoreError(f"{path}: kept video is {MAX_HEIGHT_PX} pixels high or less")
        self.path = path
        self.pictures = 0
        self.first_ns: int | None = None
        self.last_ns: int | None = None
        self._step_ns = round(NS_PER_S / fps)
        self._height_px = height_px
        self._encoder = encoder
        self._crf = crf
        self._durable = durable
        self._due_ns: int | None = None
        self._keyed_ns = 0
        self._forced_ns = 0
        self._part = part_of(path)
        self._handle = -1
        self._container: Any = None
        self._stream: Any = None
        self._saved: FinishedFile | None = None

    def __enter__(self) -> "SegmentWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._let_go()

    def write(self, picture: BlurredFrame) -> bool:
        """Write a picture; return False where it came too soon for the frame rate.

        Raises PrivacyError for anything but a BlurredFrame; StoreError when the disk refuses: the
        whole fragments so far then have their place, ``close`` returns them.
        """
        if not isinstance(picture, BlurredFrame):
            raise PrivacyError(f"only blurred pictures are written, not {type(picture).__name__}")
        if self._saved is not None:
            raise StoreError(f"{self.path} is closed; begin another segment")
        due_ns = picture.t_ns if self._due_ns is None else self._due_ns
        if picture.t_ns < due_ns - _EARLY_SHARE * self._step_ns:
            return False
        try:
            if self._container is None:
                self._open(picture)
            self._encode(picture)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            self._save_whole()
            raise _refused(self.path, error) from error
        self._due_ns = due_ns + self._step_ns * max(1, -((due_ns - picture.t_ns) // self._step_ns))
        self.last_ns = picture.t_ns
        self.pictures += 1
        return True

    def close(self) -> FinishedFile | None:
        """Finish the file, force it to the disk and give it its name; None without a picture.

        Raises StoreError when the disk refuses; what was whole is saved first where it can be.
        """
        if self._container is None:
            return self._saved
        try:
            for packet in self._stream.encode(None):
                self._container.mux(packet)
            self._container.close()
        except (av.error.FFmpegError, OSError, ValueError) as error:
            self._save_whole()
            raise _refused(self.path, error) from error
        self._let_go()
        self._saved = commit_part(self._part, start_ns=self.first_ns or 0)
        return self._saved

    def discard(self) -> None:
        """Throw away what was written so far."""
        self._let_go()
        self._part.unlink(missing_ok=True)

    def _let_go(self) -> None:
        container, self._container, self._stream = self._container, None, None
        if container is not None:
            with suppress(av.error.FFmpegError, OSError, ValueError):
                container.close()
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _save_whole(self) -> None:
        """Put the whole fragments in their place, if the disk still lets us; else they stay."""
        self._let_go()
        with suppress(StoreError):
            self._saved = commit_part(self._part, start_ns=self.first_ns or 0)

    def _open(self, picture: BlurredFrame) -> None:
        height, width = picture.bgr.shape[:2]
        scale = min(1.0, self._height_px / height)
        self._part.parent.mkdir(parents=True, exist_ok=True)
        self._container = av.open(
            f"file:{self._part}",
            "w",
            format="mp4",
            options={"movflags": _MOVFLAGS},
            container_options={"flush_packets": "1"},
        )
        stream = self._container.add_stream(self._encoder, rate=Fraction(_TICKS_PER_S))
        stream.width = round(width * scale) // 2 * 2
        stream.height = round(height * scale) // 2 * 2
        stream.pix_fmt = "yuv420p"
        if self._encoder == "libx264":
            stream.options = {**_X264, "crf": str(self._crf)}
        context = stream.codec_context
        context.time_base = Fraction(1, _TICKS_PER_S)
        context.gop_size = 10 * round(MAX_FPS * _GOP_S)
        context.max_b_frames = 0
        self._stream = stream
        self.first_ns = self._keyed_ns = self._forced_ns = picture.t_ns

    def _encode(self, picture: BlurredFrame) -> None:
        frame = av.VideoFrame.from_ndarray(self._fitted(picture.bgr), format="bgr24")
        frame.time_base = Fraction(1, _TICKS_PER_S)
        frame.pts = round((picture.t_ns - (self.first_ns or 0)) * _TICKS_PER_S / NS_PER_S)
        if self.pictures == 0 or picture.t_ns - self._keyed_ns >= ns_from_s(_GOP_S):
            frame.pict_type = av.video.frame.PictureType.I
            self._keyed_ns = picture.t_ns
        for packet in self._stream.encode(frame):
            self._container.mux(packet)
        if self._durable and picture.t_ns - self._forced_ns >= ns_from_s(_FORCED_EVERY_S):
            self._handle = os.open(self._part, os.O_RDONLY) if self._handle < 0 else self._handle
            os.fsync(self._handle)
            self._forced_ns = picture.t_ns

    def _fitted(self, bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
        size = (self._stream.width, self._stream.height)
        if bgr.shape[1::-1] == size:
            return np.ascontiguousarray(bgr)
        if abs(bgr.shape[1] / bgr.shape[0] - size[0] / size[1]) > 2 / min(size):
            raise ValueError("the picture's shape changed")
        return np.asarray(cv2.resize(bgr, size, interpolation=cv2.INTER_AREA), np.uint8)


def commit_part(part: Path, *, start_ns: int) -> FinishedFile | None:
    """Cut a ``.part`` to its whole fragments and put it in its place for good.

    The order is: cut, force the file, rename, force the folder. One without a picture is removed
    (None). ``start_ns`` is the time of its first picture. Raises StoreError when the disk refuses;
    the ``.part`` then stays.
    """
    path = part.with_name(part.name.removeprefix(".").removesuffix(".part"))
    if not part.is_file():
        return None
    whole = cut_to_whole(part)
    try:
        if not whole.pictures:
            part.unlink()
            return None
        _force(part)
        part.replace(path)
        _force(path.parent)
    except OSError as error:
        raise _refused(path, error) from error
    return finished(path, start_ns=start_ns)


def finished(path: Path, *, start_ns: int) -> FinishedFile | None:
    """Return what a segment in its place holds, None for no picture; StoreError if unreadable."""
    whole = whole_fragments(path)
    if not whole.pictures:
        return None
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return FinishedFile(
        path=path,
        start_ns=start_ns,
        end_ns=start_ns + round(whole.last_s * NS_PER_S),
        pictures=whole.pictures,
        size_bytes=path.stat().st_size,
        sha256=digest,
    )


def salvage(path: Path, *, start_ns: int) -> FinishedFile | None:
    """Return what a crash left of a segment: a ``.part`` is committed, a whole file is read."""
    if path.name.endswith(".part"):
        return commit_part(path, start_ns=start_ns)
    return finished(path, start_ns=start_ns)


def _force(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _refused(path: Path, error: BaseException) -> StoreError:
    why = str(getattr(error, "strerror", None) or error)
    return StoreError(f"{path} cannot be written ({why}); free the disk or choose another folder")
