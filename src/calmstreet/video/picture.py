"""From a decoded AVFrame to upright luma and to colour of a small size, with few copies.

Colour is made at the size that is asked for: Y, U and V are shrunk apart and joined by one matrix
(ITU-R BT.601-7 and BT.709-6, limited or full range), so that no full-size colour picture exists.
"""

from functools import cache
from typing import cast

import av
import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Planes", "shrink"]

Levels = NDArray[np.uint8]  # made once: to subscript costs as much as to shrink a small plane

_PLANAR = ("yuv420p", "yuv422p", "yuv444p", "yuv440p", "yuv411p", "yuv410p")
_PLANAR_JPEG = tuple(name.replace("yuv", "yuvj") for name in _PLANAR)
_SEMI_PLANAR = ("nv12", "nv21", "nv16", "nv24")
_DEEP = tuple(f"{n}{b}le" for n in ("yuv420p", "yuv422p", "yuv444p") for b in (9, 10, 12, 14, 16))
_DEEP_HIGH = ("p010le", "p012le", "p016le", "p210le")
_GRAY_DEEP = tuple(f"gray{b}le" for b in (9, 10, 12, 14, 16))
_DIRECT = frozenset(
    (*_PLANAR, *_PLANAR_JPEG, *_SEMI_PLANAR, *_DEEP, *_DEEP_HIGH, *_GRAY_DEEP, "gray", "gray8")
)
_RANGE_FULL = 2
_SPACE_709 = 1
_SPACE_UNKNOWN = 2
_ROTATE = {1: cv2.ROTATE_90_COUNTERCLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_CLOCKWISE}


def shrink(plane: NDArray[np.uint8], width_px: int, height_px: int) -> NDArray[np.uint8]:
    """Resize a plane (h, w[, c]): exact area halvings as long as they fit, then one linear step.

    >>> shrink(np.full((8, 16), 7, np.uint8), 4, 2).tolist()
    [[7, 7, 7, 7], [7, 7, 7, 7]]
    """
    height, width = plane.shape[:2]
    while width >= 2 * width_px and height >= 2 * height_px and not (width | height) & 1:
        width, height = width // 2, height // 2
        plane = cast(
            NDArray[np.uint8], cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA)
        )
    if (width, height) == (width_px, height_px):
        return plane
    far = width > 2 * width_px or height > 2 * height_px
    how = cv2.INTER_AREA if far else cv2.INTER_LINEAR
    return cast(Levels, cv2.resize(plane, (width_px, height_px), interpolation=how))


@cache
def _matrix(is_709: bool, is_full: bool) -> NDArray[np.float32]:
    """Return the 3x4 matrix from (Y, U, V, 1) in 0..255 to (B, G, R)."""
    k_r, k_b = (0.2126, 0.0722) if is_709 else (0.299, 0.114)
    k_g = 1.0 - k_r - k_b
    luma, chroma = (1.0, 1.0) if is_full else (255 / 219, 255 / 224)
    blue, red = 2 * (1 - k_b) * chroma, 2 * (1 - k_r) * chroma
    rows = np.array(
        [
            [luma, blue, 0.0],
            [luma, -blue * k_b / k_g, -red * k_r / k_g],
            [luma, 0.0, red],
        ]
    )
    offset = rows @ np.array([0.0 if is_full else -16.0, -128.0, -128.0])
    return np.column_stack([rows, offset]).astype(np.float32)


@cache
def _is_rgb(name: str) -> bool:
    """Return whether a pixel format holds red, green and blue, itself or through a palette."""
    pixels = av.VideoFormat(name)
    return pixels.is_rgb or pixels.has_palette


@cache
def _to_8_bit(name: str) -> float:
    """Return the factor that brings a pixel format's levels to 0..255."""
    if name in _DEEP_HIGH:
        return 1.0 / 256
    if name in _DEEP or name in _GRAY_DEEP:
        return 1.0 / (1 << (av.VideoFormat(name).components[0].bits - 8))
    return 1.0


class Planes:
    """The planes of one decoded frame, upright.

    Views keep the AVFrame alive and are read-only: the decoder still predicts from these bytes.
    """

    def __init__(self, frame: av.VideoFrame) -> None:
        self._quarter_turns = round(frame.rotation / 90) % 4
        name = frame.format.name
        self._was_rgb = _is_rgb(name)
        planes = frame.planes
        if name not in _DIRECT or any(plane.line_size <= 0 for plane in planes):
            name = "yuv444p"
            frame = frame.reformat(format=name)
            planes = frame.planes
        self._frame = frame
        self._planes = planes
        self._to_8_bit = _to_8_bit(name)
        self._deep = self._to_8_bit != 1.0
        self.luma = self._upright(self._eight_bit(self._plane(0, frame.width, frame.height, 1)))
        self.luma.flags.writeable = False

    def _plane(self, index: int, width: int, height: int, channels: int) -> NDArray[np.uint8]:
        plane = self._planes[index]
        dtype = np.uint16 if self._deep else np.uint8
        item = 2 if self._deep else 1
        rows = np.frombuffer(plane, dtype).reshape(-1, plane.line_size // item)  # type: ignore[call-overload]
        view = rows[:height, : width * channels]
        return cast(Levels, view if channels == 1 else view.reshape(height, width, channels))

    def _eight_bit(self, plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if not self._deep:
            return plane
        return cast(Levels, cv2.convertScaleAbs(plane, alpha=self._to_8_bit))

    def _upright(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if not self._quarter_turns:
            return picture
        return cast(Levels, cv2.rotate(picture, _ROTATE[self._quarter_turns]))

    def to_bgr(self, width_px: int, height_px: int) -> NDArray[np.uint8]:
        """Return the upright colour picture of the given size, uint8 (height, width, 3)."""
        lying = self._quarter_turns % 2 == 1
        width, height = (height_px, width_px) if lying else (width_px, height_px)
        frame = self._frame
        luma = self._eight_bit(shrink(self._plane(0, frame.width, frame.height, 1), width, height))
        if len(self._planes) == 1:
            return self._upright(self._gray(luma))
        u, v = self._chroma(width, height)
        merged = cv2.merge([luma, self._eight_bit(u), self._eight_bit(v)])
        return self._upright(
            cast(Levels, cv2.transform(merged, _matrix(self._is_709(), self._is_full())))
        )

    def pick_bgr(self, x_px: NDArray[np.intp], y_px: NDArray[np.intp]) -> NDArray[np.uint8]:
        """Return the colours uint8 (n, 3) of upright pixels (n,), without making a picture."""
        frame, components = self._frame, self._frame.format.components
        luma = self._picked(0, frame.width, frame.height, 1, x_px, y_px)
        if len(self._planes) == 1:
            return np.repeat(luma[:, None], 3, axis=1)
        wide, high = components[1].width, components[1].height
        size = (
            (frame.height, frame.width) if self._quarter_turns % 2 else (frame.width, frame.height)
        )
        part = (high, wide) if self._quarter_turns % 2 else (wide, high)
        x, y = x_px * part[0] // size[0], y_px * part[1] // size[1]
        if len(self._planes) == 2:
            both = self._picked(1, wide, high, 2, x, y)
            u, v = both.T[::-1] if frame.format.name == "nv21" else both.T
        else:
            u, v = (self._picked(k, wide, high, 1, x, y) for k in (1, 2))
        merged = np.stack([luma, u, v], axis=1)[:, None]
        matrix = _matrix(self._is_709(), self._is_full())
        return cast(Levels, cv2.transform(merged, matrix)[:, 0])

    def _picked(
        self,
        index: int,
        width: int,
        height: int,
        channels: int,
        x: NDArray[np.intp],
        y: NDArray[np.intp],
    ) -> NDArray[np.uint8]:
        """Return upright pixels of one plane, (n,) or (n, channels)."""
        plane = self._plane(index, width, height, channels)
        picked = np.rot90(plane, self._quarter_turns)[y, x] if self._quarter_turns else plane[y, x]
        return self._eight_bit(picked).reshape(picked.shape) if self._deep else picked

    def _gray(self, luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return cast(Levels, cv2.cvtColor(luma, cv2.COLOR_GRAY2BGR))

    def _chroma(self, width: int, height: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        frame = self._frame
        part = frame.format.components[1]
        if len(self._planes) == 2:
            both = shrink(self._plane(1, part.width, part.height, 2), width, height)
            order = (1, 0) if frame.format.name == "nv21" else (0, 1)
            return both[..., order[0]], both[..., order[1]]
        return (
            shrink(self._plane(1, part.width, part.height, 1), width, height),
            shrink(self._plane(2, part.width, part.height, 1), width, height),
        )

    def _is_709(self) -> bool:
        if self._was_rgb:
            return False
        space = int(self._frame.colorspace)
        return space == _SPACE_709 or (space == _SPACE_UNKNOWN and self._frame.height >= 720)

    def _is_full(self) -> bool:
        full = int(self._frame.color_range) == _RANGE_FULL
        return full or self._frame.format.name.startswith("yuvj")
