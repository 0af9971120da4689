"""How far apart the clocks of two streams of one camera lie, told by what they show.

Both streams show the same street at other sizes and rates. Small pictures of both are laid on one
grid of time, freed of what changes slowly, and compared at every lag: normalised cross-correlation
(J. P. Lewis, Fast Normalized Cross-Correlation, 1995), refined by a parabola through its peak.
"""

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from calmstreet.units import NS_PER_S

__all__ = ["StreamOffset", "stream_offset", "thumbnail"]

Thumbs = NDArray[np.uint8]

_WIDTH_PX = 16
_HEIGHT_PX = 9
_GRID_S = 0.02
_SLOW_S = 2.0
_LEAST_S = 4.0
_LEAST_SPREAD = 0.3
_PEAK = 0.5
_LEAD = 0.08
_PEAK_HALF_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamOffset:
    """By how much the second stream's times are ahead of the first's for the same picture.

    ``quality`` is the correlation at that lag, 0 to 1.
    """

    offset_s: float
    quality: float


def thumbnail(luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a luma plane (h, w) at 16x9, uint8 (9, 16).

    >>> thumbnail(np.full((90, 160), 7, np.uint8)).shape
    (9, 16)
    """
    small = cv2.resize(luma, (_WIDTH_PX, _HEIGHT_PX), interpolation=cv2.INTER_AREA)
    return cast(NDArray[np.uint8], small)


def stream_offset(
    first_ns: NDArray[np.int64],
    *,
    first: Thumbs,
    second_ns: NDArray[np.int64],
    second: Thumbs,
    most_s: float = 2.0,
) -> StreamOffset | None:
    """Return the offset of the second stream, or None where the pictures do not tell it.

    ``first`` (n, 9, 16) and ``second`` (m, 9, 16) are thumbnails at the growing times ``first_ns``
    (n,) and ``second_ns`` (m,). Lags up to ``most_s`` are tried. None where less than 4 s overlap,
    hardly anything moves, the best lag fits badly, another fits nearly as well (a blinking lamp),
    or it is the largest one tried.

    >>> t_ns = np.arange(0, 10 * NS_PER_S, 40_000_000)
    >>> still = np.zeros((len(t_ns), 9, 16), np.uint8)
    >>> stream_offset(t_ns, first=still, second_ns=t_ns, second=still) is None
    True
    """
    if len(first_ns) < 2 or len(second_ns) < 2:
        return None
    zero_ns = int(first_ns[0])
    a_s, b_s = (first_ns - zero_ns) / NS_PER_S, (second_ns - zero_ns) / NS_PER_S
    begin_s, end_s = max(a_s[0], b_s[0]), min(a_s[-1], b_s[-1])
    if end_s - begin_s < _LEAST_S + most_s:
        return None
    grid_s = np.arange(begin_s, end_s, _GRID_S)
    one, other = _moving(a_s, first, grid_s), _moving(b_s, second, grid_s)
    if min(one.std(), other.std()) < _LEAST_SPREAD:
        return None
    lags = round(most_s / _GRID_S)
    fits = np.array([_fit(one, other, lag) for lag in range(-lags, lags + 1)])
    best = int(fits.argmax())
    if best in (0, 2 * lags) or fits[best] < _PEAK or _has_rival(fits, best):
        return None
    lag = best - lags + _vertex(*fits[best - 1 : best + 2])
    return StreamOffset(offset_s=lag * _GRID_S, quality=float(min(1.0, fits[best])))


def _moving(
    t_s: NDArray[np.float64], thumbs: Thumbs, grid_s: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return thumbnails (k, 144) on the grid, without what changes slower than two seconds."""
    right = np.clip(np.searchsorted(t_s, grid_s), 1, len(t_s) - 1)
    span = t_s[right] - t_s[right - 1]
    share = np.clip((grid_s - t_s[right - 1]) / span, 0, 1)[:, None].astype(np.float32)
    flat = thumbs.reshape(len(thumbs), -1).astype(np.float32)
    smooth = flat[right - 1] * (1 - share) + flat[right] * share
    width = round(_SLOW_S / _GRID_S) | 1
    slow = cv2.blur(smooth, (1, width), borderType=cv2.BORDER_REFLECT)
    return cast(NDArray[np.float32], smooth - slow)


def _fit(one: NDArray[np.float32], other: NDArray[np.float32], lag: int) -> float:
    """Return the correlation when the second is read ``lag`` steps later."""
    length = len(one) - abs(lag)
    a = one[:length] if lag >= 0 else one[-lag:]
    b = other[lag:] if lag >= 0 else other[:length]
    scale = float(np.sqrt(np.vdot(a, a) * np.vdot(b, b)))
    return float(np.vdot(a, b)) / scale if scale > 0 else 0.0


def _has_rival(fits: NDArray[np.float64], best: int) -> bool:
    """Return whether another peak comes near the best one."""
    half = round(_PEAK_HALF_S / _GRID_S)
    inner = fits[1:-1]
    peaks = 1 + np.flatnonzero((inner >= fits[:-2]) & (inner >= fits[2:]))
    rivals = peaks[np.abs(peaks - best) > half]
    return bool(len(rivals)) and float(fits[rivals].max()) > fits[best] - _LEAD


def _vertex(left: float, middle: float, right: float) -> float:
    """Return where a parabola through three even samples peaks, in steps from the middle one.

    >>> _vertex(0.0, 1.0, 1.0)
    0.5
    """
    bend = left - 2 * middle + right
    return 0.5 * (left - right) / bend if bend < 0 else 0.0
