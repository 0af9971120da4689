"""Figures of traffic engineering that stand on volumes: peak hour, delay, a year's daily mean."""

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["aadt", "level_of_delay", "peak_hour_factor", "signal_delay_s"]


def peak_hour_factor(quarters: ArrayLike) -> float:
    """Return volume / (4 x the busiest quarter) of four quarters; NaN without traffic.

    >>> round(peak_hour_factor([220, 250, 310, 270]), 4)
    0.8468
    """
    q = np.asarray(quarters, np.float64)
    return float(q.sum() / (4 * q.max())) if q.max() > 0 else float("nan")


def signal_delay_s(
    *,
    cycle_s: float,
    green_s: float,
    ratio: float,
    saturation_per_h: float,
    span_h: float = 0.25,
    k: float = 0.5,
    filtering: float = 1.0,
) -> float:
    """Return the control delay at a signal: uniform plus overflow (Highway Capacity Manual).

    ``ratio`` is volume to capacity over ``span_h`` hours; ``saturation_per_h`` vehicles an hour of
    green.

    >>> delay_s = signal_delay_s(cycle_s=90, green_s=40, ratio=0.8, saturation_per_h=1800)
    >>> round(delay_s, 2), level_of_delay(delay_s)
    (29.8, 'C')
    """
    share = green_s / cycle_s
    capacity = saturation_per_h * share
    uniform = 0.5 * cycle_s * (1 - share) ** 2 / (1 - min(1.0, ratio) * share)
    over = ratio - 1
    queue = np.sqrt(over**2 + 8 * k * filtering * ratio / (capacity * span_h))
    return float(uniform + 900 * span_h * (over + queue))


def level_of_delay(delay_s: float) -> str:
    """Return the level of service of a signal, A to F.

    >>> level_of_delay(10.0), level_of_delay(80.1)
    ('A', 'F')
    """
    return "ABCDEF"[int(np.searchsorted([10, 20, 35, 55, 80], delay_s))]


def aadt(daily: ArrayLike, *, month: ArrayLike, weekday: ArrayLike) -> float:
    """Return the annual average daily traffic of AASHTO: gaps in summer or on Sundays do not bias.

    ``daily`` (n,) volumes with NaN for missing days, ``month`` 1..12, ``weekday`` 0..6. The mean
    over weekdays of the mean over months of the mean of days; NaN where one of the 84 is missing.

    >>> days = np.arange(364)
    >>> aadt(np.full(364, 5.0), month=days // 31 + 1, weekday=days % 7)
    5.0
    """
    value = np.asarray(daily, np.float64)
    cell = (np.asarray(month, int) - 1) * 7 + np.asarray(weekday, int)
    known = np.isfinite(value)
    often = np.bincount(cell[known], minlength=84)
    total = np.bincount(cell[known], value[known], minlength=84)
    if (often[:84] == 0).any():
        return float("nan")
    return float((total[:84] / often[:84]).mean())
