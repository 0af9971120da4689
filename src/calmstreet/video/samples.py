"""A few pictures spread over the beginning of a clip, for a background with nobody in it."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal, TypeVar

import av
import av.error
import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import VideoError
from calmstreet.units import s_from_ns
from calmstreet.video.container import (
    BARE_FPS,
    Container,
    Packet,
    Stream,
    frame_ticks,
    open_video,
    ticks_to_ns,
)
from calmstreet.video.picture import Planes, shrink

__all__ = ["read_background_bgr", "read_luma_samples", "read_street"]

KEYFRAME_SPAN_S = 300.0
DECODE_SPAN_S = 60.0
_DENSE_STEP_S = 0.2
_FEWEST_KEYFRAMES = 8
_LARGE_PX = 1280
_UNREADABLE = (av.error.FFmpegError, OSError, ValueError)

_Taken = TypeVar("_Taken")


def read_luma_samples(
    path: Path, *, count: int = 40, small_width_px: int = 320
) -> list[tuple[float, NDArray[np.uint8]]]:
    """Return up to ``count`` pairs of seconds from the first frame and luma so wide, evenly spread.

    Keyframes of the first five minutes where they are enough, or a few pictures from each on, else
    pictures decoded from the first minute. Raises VideoError.
    """

    def small_luma(planes: Planes) -> NDArray[np.uint8]:
        height, width = planes.luma.shape
        size = _fitted(width, height, small_width_px)
        return np.array(shrink(planes.luma, *size))

    return _spread(path, count, small_luma)


def read_background_bgr(
    path: Path, *, count: int = 40, max_width_px: int = 640
) -> NDArray[np.uint8]:
    """Return the median of ``count`` colour pictures, uint8 (h, w, 3), at most so wide.

    What stands still for most of the samples stays in it (a parked car), so it is a raw picture:
    blur it before it is kept.
    """

    def small_bgr(planes: Planes) -> NDArray[np.uint8]:
        height, width = planes.luma.shape
        return planes.to_bgr(*_fitted(width, height, max_width_px))

    return _median([picture for _, picture in _spread(path, count, small_bgr)])


def read_street(
    path: Path, *, count: int = 40, small_width_px: int = 320, max_width_px: int = 640
) -> tuple[list[NDArray[np.uint8]], NDArray[np.uint8]]:
    """Return what ``read_luma_samples`` and ``read_background_bgr`` give, from one decoding."""

    def both(planes: Planes) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        height, width = planes.luma.shape
        luma = np.array(shrink(planes.luma, *_fitted(width, height, small_width_px)))
        return luma, planes.to_bgr(*_fitted(width, height, max_width_px))

    taken = [pictures for _, pictures in _spread(path, count, both)]
    return [luma for luma, _ in taken], _median([bgr for _, bgr in taken])


def _median(pictures: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    same_size = [picture for picture in pictures if picture.shape == pictures[0].shape]
    middle = len(same_size) // 2
    stack = np.stack(same_size)
    stack.partition(middle, axis=0)
    return np.array(stack[middle])


def _fitted(width_px: int, height_px: int, max_width_px: int) -> tuple[int, int]:
    if width_px <= max_width_px:
        return width_px, height_px
    return max_width_px, max(1, round(height_px * max_width_px / width_px))


def _spread(path: Path, count: int, take: Callable[[Planes], _Taken]) -> list[tuple[float, _Taken]]:
    taken: list[tuple[float, _Taken]] = []
    keyframes = _count_keyframes(path, most=max(2, count // 2))
    if keyframes >= max(2, count // 2):
        taken = _collect(path, take, skip="NONKEY", span_s=KEYFRAME_SPAN_S, step_s=0.0)
    elif keyframes >= _FEWEST_KEYFRAMES:
        taken = _collect_bursts(path, take, pictures=-(-count // keyframes))
    if len(taken) < max(2, count // 2):
        taken = _collect(path, take, skip="DEFAULT", span_s=DECODE_SPAN_S, step_s=_DENSE_STEP_S)
    if not taken:
        raise VideoError(f"{path} holds nothing that can be decoded; export it again as mp4")
    picks = np.unique(np.linspace(0, len(taken) - 1, min(count, len(taken))).round().astype(int))
    return [taken[i] for i in picks]


def _count_keyframes(path: Path, *, most: int) -> int:
    """Return how many keyframes the first minutes hold, ``most`` at most, without decoding."""
    found, start_s = 0, float("nan")
    with open_video(path) as (container, stream):
        for packet in _packets(container, stream):
            if packet.is_keyframe and packet.size:
                at_s = float(packet.pts * packet.time_base) if packet.pts is not None else 0.0
                start_s = at_s if start_s != start_s else start_s
                if found >= most or at_s - start_s > KEYFRAME_SPAN_S:
                    break
                found += 1
    return found


def _hasten(stream: Stream) -> None:
    """Leave the edges of blocks as they are in large pictures, which are shrunk to a half or less.

    The differences add up from picture to picture: for keyframes and what follows them shortly.
    """
    if stream.codec_context.width >= _LARGE_PX:
        stream.codec_context.options = {"skip_loop_filter": "all"}


def _collect(
    path: Path,
    take: Callable[[Planes], _Taken],
    *,
    skip: Literal["NONKEY", "DEFAULT"],
    span_s: float,
    step_s: float,
) -> list[tuple[float, _Taken]]:
    """Return what ``take`` makes of the pictures that are ``step_s`` or more apart."""
    taken: list[tuple[float, _Taken]] = []
    with open_video(path) as (container, stream):
        if skip == "NONKEY":
            _hasten(stream)
        stream.codec_context.skip_frame = skip
        for t_s, frame in _timed(container, stream):
            if t_s > span_s:
                break
            if not taken or t_s >= taken[-1][0] + step_s:
                with suppress(*_UNREADABLE):
                    taken.append((t_s, take(Planes(frame))))
    return taken


def _collect_bursts(
    path: Path, take: Callable[[Planes], _Taken], *, pictures: int
) -> list[tuple[float, _Taken]]:
    """Return what ``take`` makes of so many pictures from each keyframe on, a step apart.

    Packets after them are passed over undecoded until the next keyframe.
    """
    taken: list[tuple[float, _Taken]] = []
    with open_video(path) as (container, stream):
        _hasten(stream)
        base = stream.time_base
        start_s, origin_s, left = 0.0, float("nan"), 0
        for packet in _packets(container, stream):
            if packet.is_keyframe and packet.pts is not None and base is not None:
                start_s, left = float(packet.pts * base), pictures
                origin_s = start_s if origin_s != origin_s else origin_s
                stream.codec_context.flush_buffers()
            if start_s - origin_s > KEYFRAME_SPAN_S:
                break
            if not left:
                continue
            frames: list[av.VideoFrame] = []
            with suppress(*_UNREADABLE):
                frames = stream.decode(packet)
            for frame in frames:
                at_s = start_s if frame.time is None else frame.time
                if left and at_s >= start_s + (pictures - left - 0.1) * _DENSE_STEP_S:
                    with suppress(*_UNREADABLE):
                        taken.append((at_s - origin_s, take(Planes(frame))))
                    left -= 1
    return taken


def _timed(container: Container, stream: Stream) -> Iterator[tuple[float, av.VideoFrame]]:
    """Yield seconds from the first picture, and the picture; pass over what is damaged.

    Pictures without a time (of a bare stream) are taken to come at the usual rate.
    """
    origin: int | None = None
    number = 0
    for packet in _packets(container, stream):
        frames: list[av.VideoFrame] = []
        with suppress(*_UNREADABLE):
            frames = stream.decode(packet)
        for frame in frames:
            ticks = frame_ticks(frame)
            if ticks is None or stream.time_base is None:
                yield number / BARE_FPS, frame
            else:
                origin = ticks if origin is None else origin
                yield s_from_ns(ticks_to_ns(ticks - origin, stream.time_base)), frame
            number += 1


def _packets(container: Container, stream: Stream) -> Iterator[Packet]:
    with suppress(*_UNREADABLE):
        yield from container.demux(stream)
