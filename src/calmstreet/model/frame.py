"""A raw picture. It lives in memory only and never leaves the process."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Frame"]

Bytes = NDArray[np.uint8]
Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """One decoded picture of one camera.

    ``luma`` is uint8 (height, width), a view where possible; ``to_bgr(width, height)`` makes the
    colour picture of that size, uint8 (height, width, 3), when somebody needs it. Both are
    upright (rotation applied). ``t_ns`` is UTC ns at exposure. ``repeated`` says that the picture
    has the same content as the one before it. ``whole_px`` is the picture's width and height where
    ``luma`` was shrunk already, None where it is the whole picture. ``pick_bgr(x, y)`` reads the
    colours of single pixels without making a colour picture, None where colours were not kept.
    """

    camera_id: str
    t_ns: int
    index: int
    luma: NDArray[np.uint8]
    to_bgr: Callable[[int, int], NDArray[np.uint8]]
    repeated: bool = False
    whole_px: tuple[int, int] | None = None
    pick_bgr: Callable[[Places, Places], Bytes] | None = None

    @property
    def height_px(self) -> int:
        """Return the height in pixels."""
        return self.whole_px[1] if self.whole_px else int(self.luma.shape[0])

    @property
    def width_px(self) -> int:
        """Return the width in pixels."""
        return self.whole_px[0] if self.whole_px else int(self.luma.shape[1])

    def bgr(self, width_px: int | None = None, height_px: int | None = None) -> NDArray[np.uint8]:
        """Return the colour picture, scaled to the given size (the whole size unless given)."""
        return self.to_bgr(width_px or self.width_px, height_px or self.height_px)

    def colours(self, x_px: Places, y_px: Places) -> Bytes:
        """Return the colours uint8 (n, 3) BGR of pixels (n,), grey where colours were not kept."""
        if self.pick_bgr is not None:
            return self.pick_bgr(x_px, y_px)
        height, width = self.luma.shape
        grey = self.luma[y_px * height // self.height_px, x_px * width // self.width_px]
        return np.repeat(grey[:, None], 3, axis=1)
