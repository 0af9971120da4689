"""Opening a file through PyAV, with every foreign error turned into one clear sentence."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

import av
import av.container
import av.error
import av.stream
import av.video.stream

from calmstreet.errors import VideoError
from calmstreet.units import NS_PER_S

__all__ = [
    "BARE_FPS",
    "FORMATS",
    "Container",
    "Packet",
    "Stream",
    "frame_ticks",
    "open_video",
    "redacted",
    "ticks_to_ns",
]

BARE_FPS = 25.0
"""Pictures a second of a bare stream that declares none."""

Container = av.container.InputContainer
Stream = av.video.stream.VideoStream
Packet: TypeAlias = "av.Packet[Stream]"

FORMATS: tuple[str, ...] = (
    *("mov", "mp4", "m4a", "3gp", "3g2", "mj2", "matroska", "webm", "avi", "mpegts", "mpeg", "flv"),
    *(
        "asf",
        "ogg",
        "gif",
        "h264",
        "hevc",
        "mjpeg",
        "m4v",
        "mpegvideo",
        "dhav",
        "mxf",
        "nut",
        "apng",
    ),
    *("image2", "jpeg_pipe", "png_pipe", "bmp_pipe", "webp_pipe", "tiff_pipe"),
    *("mp3", "wav", "flac", "aac", "ac3", "aiff"),
)
"""What is opened. No playlist: FFmpeg would follow it, over the network or without an end."""

_LOCAL_CLIPS = {"protocol_whitelist": "file", "format_whitelist": ",".join(FORMATS)}
_CREDENTIALS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)[^/\s'\"]*@")


def redacted(text: str) -> str:
    """Return the text without the user name and password of any address in it.

    >>> redacted("cannot open rtsp://root:p@ss@10.0.0.7/live")
    'cannot open rtsp://***@10.0.0.7/live'
    """
    return _CREDENTIALS.sub(r"\1***@", text)


def ticks_to_ns(ticks: int, time_base: Fraction) -> int:
    """Return ticks of a time base as whole nanoseconds, without going through floats.

    >>> ticks_to_ns(3, Fraction(1, 90_000))
    33333
    """
    return ticks * time_base.numerator * NS_PER_S // time_base.denominator


def frame_ticks(frame: av.VideoFrame) -> int | None:
    """Return the frame's own time: pts, else dts, else None."""
    return frame.pts if frame.pts is not None else frame.dts


def _check_path(path: Path) -> None:
    try:
        if not path.exists():
            raise VideoError(f"{path} is not there; check the path of the video")
        if not path.is_file():
            raise VideoError(f"{path} is not a file; name a video file")
        if path.stat().st_size == 0:
            raise VideoError(f"{path} is empty (0 bytes); copy the video again")
    except OSError as error:
        raise VideoError(f"{path} cannot be read ({error.strerror}); check its rights") from error


def _stream_of(path: Path, container: Container) -> Stream:
    cover = av.stream.Disposition.attached_pic
    for stream in container.streams.video:
        if not stream.disposition & cover:
            stream.codec_context.thread_type = "NONE"
            stream.codec_context.thread_count = 1
            return stream
    if len(container.streams.audio):
        raise VideoError(f"{path} holds sound only; name a file with moving pictures")
    raise VideoError(f"{path} holds no moving pictures; name a video file")


@contextmanager
def open_video(path: Path) -> Iterator[tuple[Container, Stream]]:
    """Open a local file for one decoding thread; yield the container and its video stream.

    Only local files are read, whatever a playlist inside may name. Raises VideoError.
    """
    _check_path(path)
    try:
        container = av.open(f"file:{path}", options=_LOCAL_CLIPS)
    except (av.error.FFmpegError, ValueError, OSError) as error:
        raise VideoError(
            f"{path} cannot be decoded as a video ({redacted(_reason(error))}); "
            "play it to see whether it is whole, or export it again as mp4"
        ) from None
    try:
        yield container, _stream_of(path, container)
    finally:
        container.close()


def _reason(error: BaseException) -> str:
    return str(getattr(error, "strerror", None) or type(error).__name__)
