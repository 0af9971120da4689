"""The clips the benches run on, made once from a real street and kept in ``bench-out/clips``.

``real1080`` is the PETS street of the OpenCV samples, enlarged to 1920x1080 with a sensor's noise,
packed as a camera packs: x264 veryfast, Main, no B-frames, a keyframe every 2 s, 4 Mbit/s constant,
25 pictures a second. ``real360`` is its sub-stream: 640x360 at 0.5 Mbit/s. Where the street is not
at hand the rendered one takes its place, and the table says so.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from calmstreet.scene.film import rendered
from calmstreet.scene.script import demo_street

__all__ = ["FPS", "Clip", "camera_clip", "real_clip", "shared_video"]

FPS = 25
NOISE_LEVELS = 3.0
STREET = "opencv_vtest_pets09_s2l1.mp4"
MBIT = {1080: 4.0, 720: 2.0, 360: 0.5}
_SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A made clip: where it lies, what it shows and how much of it there is."""

    path: Path
    name: str
    frames: int
    width_px: int
    height_px: int

    @property
    def seconds(self) -> float:
        """Return how long it plays."""
        return self.frames / FPS


def shared_video(name: str) -> Path | None:
    """Return a clip of the outside data, None where it is not at hand."""
    path = Path(os.environ.get("CALMSTREET_SHARED", _SHARED)) / "video" / name
    return path if path.exists() else None


def real_clip(folder: Path, height_px: int, *, frames: int = 500) -> Clip:
    """Return ``real1080``, ``real720`` or ``real360``, made at the first call."""
    street = shared_video(STREET)
    pictures = _decoded(street) if street else _rendered(frames)
    name = f"{'real' if street else 'stage'}{height_px}"
    return camera_clip(folder, name, pictures, height_px, frames=frames)


def camera_clip(
    folder: Path,
    name: str,
    pictures: Iterator[NDArray[np.uint8]],
    height_px: int,
    *,
    frames: int,
) -> Clip:
    """Pack pictures (h, w, 3) as a camera would, 16:9 and so high; keep what is there already."""
    width_px = height_px * 16 // 9
    path = folder / f"{name}-{frames}.mp4"
    clip = Clip(path=path, name=name, frames=frames, width_px=width_px, height_px=height_px)
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part.mp4")
        _pack(part, pictures, clip)
        part.replace(path)
    return clip


def _decoded(path: Path) -> Iterator[NDArray[np.uint8]]:
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)


def _rendered(frames: int) -> Iterator[NDArray[np.uint8]]:
    for _, picture, _ in rendered(demo_street(frames / FPS), fps=float(FPS)):
        yield picture


def _pack(path: Path, pictures: Iterator[NDArray[np.uint8]], clip: Clip) -> None:
    bits = round(MBIT[clip.height_px] * 1e6) if clip.height_px in MBIT else 300_000
    noise = _noise(clip.width_px, clip.height_px)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = clip.width_px, clip.height_px, "yuv420p"
        stream.time_base = Fraction(1, FPS * 512)
        stream.codec_context.gop_size = 2 * FPS
        stream.codec_context.thread_count = 1
        stream.bit_rate = bits
        stream.options = {
            "preset": "veryfast",
            "profile": "main",
            "bf": "0",
            "maxrate": str(bits),
            "bufsize": str(bits),
            "nal-hrd": "cbr",
            "sc_threshold": "0",
        }
        for k, picture in enumerate(pictures):
            if k == clip.frames:
                break
            size = (clip.width_px, clip.height_px)
            large = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC)
            noisy = cv2.add(large, noise[k % len(noise)], dtype=cv2.CV_8U)
            frame = av.VideoFrame.from_ndarray(np.asarray(noisy, np.uint8), format="bgr24")
            frame.pts = k * 512
            frame.time_base = stream.time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _noise(width_px: int, height_px: int) -> list[NDArray[np.int16]]:
    """Return a few fields of a sensor's noise, the same every time."""
    dice = np.random.default_rng(1080)
    shape = (height_px, width_px, 1)
    fields = [dice.normal(0, NOISE_LEVELS, shape).round().astype(np.int16) for _ in range(7)]
    return [np.repeat(field, 3, axis=2) for field in fields]
