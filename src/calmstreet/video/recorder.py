"""Writing blurred pictures as an mp4 with their true times, long pauses cut short.

Raw pictures cannot get in here.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import av.error
import numpy as np

from calmstreet.errors import PrivacyError, StoreError
from calmstreet.model.kept import BlurredFrame
from calmstreet.units import NS_PER_S

__all__ = ["ClipWriter", "write_video"]

MAX_FPS = 10.0
CRF = 26
_TICKS_PER_S = 1000
_KEYFRAME_EVERY_S = 2.0
_EARLY_SHARE = 0.25
_LONGEST_PAUSE_S = 2.0
_SHORT_PAUSE_S = 0.5


class ClipWriter:
    """An mp4 (H.264, yuv420p) under a temporary name until ``close`` puts it in its place.

    Use it as a context manager: when the block fails nothing is left behind. ``pictures`` counts
    what was written, ``first_ns`` and ``last_ns`` are the times of the first and last one.
    """

    def __init__(self, *, path: Path, fps: float = MAX_FPS, crf: int = CRF) -> None:
        if not 0 < fps <= MAX_FPS:
            raise StoreError(f"{path}: kept video has {MAX_FPS:g} pictures a second or fewer")
        self.path = path
        self.pictures = 0
        self.first_ns: int | None = None
        self.last_ns: int | None = None
        self._fps = fps
        self._crf = crf
        self._cut_ns = 0
        self._due_ns: int | None = None
        self._part = path.with_name(f".{path.name}.part")
        self._container: Any = None
        self._stream: Any = None

    def __enter__(self) -> "ClipWriter":
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
            self.discard()

    def write(self, picture: BlurredFrame) -> bool:
        """Write a picture; return False where it came too soon for the frame rate.

        Raises PrivacyError for anything but a BlurredFrame, StoreError when it cannot be written.
        """
        if not isinstance(picture, BlurredFrame):
            raise PrivacyError(f"only blurred pictures are written, not {type(picture).__name__}")
        step_ns = round(NS_PER_S / self._fps)
        due_ns = picture.t_ns if self._due_ns is None else self._due_ns
        if picture.t_ns < due_ns - _EARLY_SHARE * step_ns:
            return False
        try:
            if self._container is None:
                self._open(picture)
            self._encode(picture)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            self.discard()
            raise StoreError(f"{self.path} cannot be written ({_reason(error)})") from error
        self._due_ns = due_ns + step_ns * max(1, -((due_ns - picture.t_ns) // step_ns))
        self.last_ns = picture.t_ns
        self.pictures += 1
        return True

    def close(self) -> Path | None:
        """Finish the file, flush it to the disk and give it its name; None without a picture."""
        if self._container is None:
            return None
        try:
            for packet in self._stream.encode(None):
                self._container.mux(packet)
            self._container.close()
            self._container = None
            _sync(self._part)
            self._part.replace(self.path)
            _sync(self.path.parent)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            self.discard()
            raise StoreError(f"{self.path} cannot be written ({_reason(error)})") from error
        return self.path

    def discard(self) -> None:
        """Throw away what was written so far."""
        if self._container is not None:
            with suppress(av.error.FFmpegError, OSError, ValueError):
                self._container.close()
            self._container = None
        self._part.unlink(missing_ok=True)

    def _open(self, picture: BlurredFrame) -> None:
        height, width = picture.bgr.shape[:2]
        self.first_ns = picture.t_ns
        self._container = av.open(
            f"file:{self._part}", "w", format="mp4", options={"movflags": "+faststart"}
        )
        stream = self._container.add_stream("libx264", rate=Fraction(self._fps).limit_denominator())
        stream.width, stream.height, stream.pix_fmt = (
            width - width % 2,
            height - height % 2,
            "yuv420p",
        )
        stream.options = {"crf": str(self._crf), "preset": "veryfast", "threads": "1"}
        context = stream.codec_context
        context.time_base = Fraction(1, _TICKS_PER_S)
        context.gop_size = max(1, round(self._fps * _KEYFRAME_EVERY_S))
        self._stream = stream

    def _at_ns(self, t_ns: int) -> int:
        """Return where on the video's own clock a picture goes."""
        pause_ns = t_ns - (t_ns if self.last_ns is None else self.last_ns)
        if pause_ns > _LONGEST_PAUSE_S * NS_PER_S:
            self._cut_ns += pause_ns - round(_SHORT_PAUSE_S * NS_PER_S)
        return t_ns - (self.first_ns or 0) - self._cut_ns

    def _encode(self, picture: BlurredFrame) -> None:
        height, width = self._stream.height, self._stream.width
        if picture.bgr.shape[0] - height not in (0, 1) or picture.bgr.shape[1] - width not in (
            0,
            1,
        ):
            raise ValueError("the picture's size changed")
        bgr = np.ascontiguousarray(picture.bgr[:height, :width])
        frame = av.VideoFrame.from_ndarray(bgr, format="bgr24")
        frame.time_base = Fraction(1, _TICKS_PER_S)
        frame.pts = round(self._at_ns(picture.t_ns) * _TICKS_PER_S / NS_PER_S)
        for packet in self._stream.encode(frame):
            self._container.mux(packet)


def write_video(pictures: Iterable[BlurredFrame], *, path: Path, fps: float = MAX_FPS) -> int:
    """Write pictures in order of time as an mp4; return how many went in."""
    with ClipWriter(path=path, fps=fps) as writer:
        for picture in pictures:
            writer.write(picture)
    return writer.pictures


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _reason(error: BaseException) -> str:
    return str(getattr(error, "strerror", None) or error)
