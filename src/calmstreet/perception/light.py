"""Day, dusk or night, read off the brightness of the picture.

An estimate with fixed bounds on the median luma: a bright car park at night can pass for dusk.
Rain, snow and fog are not told apart; the report says so.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["LIGHTS", "LightWatch", "light_of"]

LIGHTS: tuple[str, ...] = ("day", "dusk", "night")
DAY_LUMA = 75.0
NIGHT_LUMA = 45.0


def light_of(median_luma: float) -> str:
    """Return day, dusk or night for a median luma of 0..255.

    >>> [light_of(v) for v in (120.0, 60.0, 20.0)]
    ['day', 'dusk', 'night']
    """
    if median_luma >= DAY_LUMA:
        return "day"
    return "dusk" if median_luma >= NIGHT_LUMA else "night"


class LightWatch:
    """Keeps one brightness per minute of a watch."""

    def __init__(self, *, width_s: float = 60.0) -> None:
        self._width_ns = round(width_s * 1e9)
        self._sums: dict[int, list[float]] = {}

    def update(self, t_ns: int, small: NDArray[np.uint8]) -> None:
        """Take the low-scale luma of one frame."""
        minute = t_ns // self._width_ns
        kept = self._sums.setdefault(minute, [])
        if len(kept) < 30:
            kept.append(float(np.median(small[::4, ::4])))

    def minutes(self) -> list[tuple[int, int, str]]:
        """Return (start_ns, end_ns, light) for every minute that was seen."""
        return [
            (minute * self._width_ns, (minute + 1) * self._width_ns, light_of(float(np.median(v))))
            for minute, v in sorted(self._sums.items())
        ]

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the minutes as columns start_ns, end_ns, light, surface (never told: unknown)."""
        minutes = self.minutes()
        return {
            "start_ns": np.array([start for start, _, _ in minutes], np.int64),
            "end_ns": np.array([end for _, end, _ in minutes], np.int64),
            "light": np.array([light for _, _, light in minutes], np.str_),
            "surface": np.array(["unknown"] * len(minutes), np.str_),
        }
