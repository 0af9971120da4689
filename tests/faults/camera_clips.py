"""Clips such as a camera's sub-stream sends: H.264, a keyframe a second, no B-frames as a rule."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from tests.video.clips import a_picture

Picture = NDArray[np.uint8]


def drawn(count: int, *, width: int = 160, height: int = 96) -> Iterator[Picture]:
    """Return pictures of a moving square."""
    return (a_picture(i, width=width, height=height) for i in range(count))


def filmed(clip: Path, *, width: int, height: int, seconds: float, fps: float) -> Iterator[Picture]:
    """Return pictures of a real clip, shown again and again until the seconds are over."""
    wanted = int(seconds * fps)
    given = 0
    while given < wanted:
        with av.open(str(clip)) as container:
            for frame in container.decode(video=0):
                if given == wanted:
                    return
                given += 1
                yield frame.to_ndarray(format="bgr24", width=width, height=height).astype(np.uint8)


def a_camera_clip(
    path: Path,
    pictures: Iterable[Picture],
    *,
    fps: int = 25,
    gop: int = 0,
    bframes: int = 0,
    codec: str = "libx264",
    repeats: int = 1,
) -> Path:
    """Encode pictures; with ``repeats`` the same packets follow one another that many times."""
    packets: list[Any] = []
    with av.open(str(path), "w") as container:
        stream: Any = None
        for i, picture in enumerate(pictures):
            if stream is None:
                stream = container.add_stream(codec, rate=fps)
                stream.height, stream.width = picture.shape[:2]
                stream.pix_fmt = "yuv420p"
                stream.options = {
                    "preset": "veryfast",
                    "g": str(gop or fps),
                    "bf": str(bframes),
                    "sc_threshold": "0",
                    "threads": "1",
                }
                stream.codec_context.time_base = Fraction(1, fps)
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts = i
            packets += stream.encode(frame)
        packets += stream.encode(None)
        count = len(packets)
        for round_ in range(repeats):
            for packet in packets:
                again = av.Packet(bytes(packet))
                again.pts = packet.pts + round_ * count
                again.dts = packet.dts + round_ * count
                again.time_base = packet.time_base
                again.is_keyframe = packet.is_keyframe
                again.stream = stream
                container.mux(again)
    return path
