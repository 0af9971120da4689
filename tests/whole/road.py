"""A tiny made-up road filmed from above the kerb: blocks that drive to the right or to the left.

Cheap enough for the motion eye to be watched in a fraction of a second, and exact: who passes the
gate in the middle, and when, is given by the maker.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from tests.video.clips import a_clip

WIDTH_PX, HEIGHT_PX = 320, 180
X264 = {"crf": "20", "threads": "1", "preset": "veryfast"}
_MADE: dict[tuple[Any, ...], bytes] = {}
FPS = 12.5

SITE = """
[site]
id = "road"
name = "Road"
tz = "Asia/Almaty"

[[camera]]
id = "kerb"

[[gate]]
id = "middle"
points_px = [[160, 179], [160, 20]]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A vehicle as a block: at ``at_s`` its middle is at x = 160; it drives to the right if > 0."""

    at_s: float
    speed_px_s: float = 70.0
    foot_px: float = 120.0
    grey: int = 30


def a_site(path: Path, text: str = SITE) -> Path:
    """Write a site file; return its path."""
    path.write_text(text, encoding="utf-8")
    return path


@cache
def _empty() -> NDArray[np.uint8]:
    dice = np.random.default_rng(5)
    coarse = dice.normal(120, 25, (HEIGHT_PX // 6, WIDTH_PX // 6)).astype(np.float32)
    grey = cv2.resize(coarse, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_CUBIC)
    return np.clip(np.stack([grey, grey, grey + 6], axis=2), 0, 255).astype(np.uint8)


def picture_at(t_s: float, blocks: Sequence[Block]) -> NDArray[np.uint8]:
    """Return the road at an instant, uint8 (180, 320, 3)."""
    picture = _empty().copy()
    dice = np.random.default_rng(round(t_s * 1000))
    for block in blocks:
        x = 160 + (t_s - block.at_s) * block.speed_px_s
        left, right = round(x - 24), round(x + 24)
        top, foot = round(block.foot_px - 24), round(block.foot_px)
        if right > 0 and left < WIDTH_PX:
            cv2.rectangle(picture, (left, top), (right, foot), (block.grey,) * 3, -1)
            cv2.rectangle(picture, (left + 8, top + 4), (right - 8, top + 10), (170,) * 3, -1)
    noise = dice.integers(-9, 10, picture.shape, dtype=np.int16)
    noisy: NDArray[np.uint8] = np.clip(picture + noise, 0, 255).astype(np.uint8)
    return noisy


def even_times(duration_s: float, fps: float = FPS) -> list[float]:
    """Return the times of frames at an even rate."""
    return [i / fps for i in range(round(duration_s * fps))]


def a_film(
    path: Path,
    blocks: Sequence[Block],
    *,
    duration_s: float = 8.0,
    times_s: Sequence[float] | None = None,
    shows_s: Sequence[float] | None = None,
    from_s: float = 0.0,
    turn: int | None = None,
    **more: Any,
) -> Path:
    """Film the road; return the path. The same film is made once.

    ``times_s`` are the frames' times, ``shows_s`` the instants of the play that they show when
    these are others, ``from_s`` the instant of the play at time 0, ``turn`` a rotation of OpenCV.
    """
    times = even_times(duration_s) if times_s is None else list(times_s)
    shown = times if shows_s is None else list(shows_s)
    more.setdefault("options", X264 if more.get("codec", "libx264") == "libx264" else {})
    key = (path.suffix, tuple(blocks), *times, *shown, from_s, turn, repr(sorted(more.items())))
    if key in _MADE:
        path.write_bytes(_MADE[key])
        return path

    def picture(i: int) -> NDArray[np.uint8]:
        seen = picture_at(from_s + shown[i], blocks)
        return seen if turn is None else np.asarray(cv2.rotate(seen, turn), np.uint8)

    a_clip(path, times_s=times, picture=picture, **more)
    _MADE[key] = path.read_bytes()
    return path
