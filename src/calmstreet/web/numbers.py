"""Numbers as the desk says them: milliseconds, null for what is unknown, intervals of counts."""

import math
from collections.abc import Iterable

from scipy.special import gammaincinv

__all__ = ["Rate", "flag_words", "kmh", "ms", "ns", "plain", "plains", "rate_per_hour"]

Rate = tuple[float | None, float | None, float | None]
_MS_NS = 1_000_000


def ms(t_ns: int) -> int:
    """Return whole milliseconds.

    >>> ms(1_999_999)
    1
    """
    return int(t_ns) // _MS_NS


def ns(t_ms: int) -> int:
    """Return nanoseconds.

    >>> ns(2)
    2000000
    """
    return int(t_ms) * _MS_NS


def plain(value: float, digits: int = 6) -> float | None:
    """Return a rounded number, None for one that is not finite.

    >>> plain(float("nan")) is None, plain(1 / 3, 2)
    (True, 0.33)
    """
    return round(float(value), digits) if math.isfinite(value) else None


def plains(values: Iterable[float], digits: int = 3) -> list[float | None]:
    """Return rounded numbers, None for each that is not finite.

    >>> plains([1.0, float("inf")])
    [1.0, None]
    """
    return [plain(value, digits) for value in values]


def kmh(speed_mps: float) -> float | None:
    """Return km/h with two digits, None for what is unknown.

    >>> kmh(10.0)
    36.0
    """
    return plain(speed_mps * 3.6, 2)


def rate_per_hour(count: float, exposure_s: float) -> Rate:
    """Return how many per hour with the exact 95 % Poisson interval (F. Garwood, 1936).

    >>> rate_per_hour(0, 3600)
    (0.0, 0.0, 3.689)
    """
    if exposure_s <= 0 or not math.isfinite(count):
        return None, None, None
    hours = exposure_s / 3600
    low = float(gammaincinv(count, 0.025)) if count > 0 else 0.0
    high = float(gammaincinv(count + 1, 0.975))
    return plain(count / hours, 3), plain(low / hours, 3), plain(high / hours, 3)


def flag_words(flags: str) -> list[str]:
    """Return the distinct words of flags that were joined by ";", without doubles, in order.

    >>> flag_words("day;partial;day")
    ['day', 'partial']
    """
    return list(dict.fromkeys(word for word in flags.split(";") if word))
