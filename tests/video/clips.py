"""Small and odd video files, made on the spot."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

TWO_SECONDS = tuple(k / 10 for k in range(20))


def a_picture(i: int, *, width: int = 160, height: int = 96) -> NDArray[np.uint8]:
    """A street-like ramp with a bright square that moves right, so that every frame differs."""
    ramp = np.linspace(40, 200, width, dtype=np.float32)[None, :].repeat(height, 0)
    picture = np.stack([ramp, ramp * 0.8, 230 - ramp * 0.7], axis=2).astype(np.uint8)
    x = (i * 9) % (width - 24)
    picture[20:44, x : x + 24] = (250, 30, 20)
    return picture


def a_clip(
    path: Path,
    *,
    times_s: Sequence[float] = TWO_SECONDS,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    picture: Callable[[int], NDArray[np.uint8]] = a_picture,
    rotation_deg: int = 0,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    metadata: dict[str, str] | None = None,
    format_name: str | None = None,
    ticks_per_s: int = 90_000,
) -> Path:
    """Write pictures at the given times; return the path."""
    height, width = picture(0).shape[:2]
    with av.open(str(path), "w", format=format_name, options=container_options or {}) as container:
        container.metadata.update(metadata or {})
        stream: Any = container.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        stream.options = options or {}
        stream.codec_context.time_base = Fraction(1, ticks_per_s)
        if rotation_deg:
            stream.set_display_rotation(rotation_deg)
        for i, t_s in enumerate(times_s):
            frame = av.VideoFrame.from_ndarray(picture(i), format="bgr24").reformat(format=pix_fmt)
            frame.time_base = Fraction(1, ticks_per_s)
            frame.pts = round(t_s * ticks_per_s)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def a_sound(path: Path) -> Path:
    """Write half a second of silence."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("aac", rate=16_000)
        for i in range(8):
            frame = av.AudioFrame.from_ndarray(
                np.zeros((1, 1024), np.float32), format="fltp", layout="mono"
            )
            frame.sample_rate = 16_000
            frame.pts = i * 1024
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def a_still(path: Path) -> Path:
    """Write one picture as JPEG or PNG."""
    assert cv2.imwrite(str(path), a_picture(0))
    return path
