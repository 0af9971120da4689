"""Units at the edges: km/h and ISO time. Inside, everything is SI and UTC nanoseconds."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from calmstreet.errors import InputError

__all__ = [
    "NS_PER_S",
    "from_iso",
    "kmh_from_mps",
    "local_datetime",
    "mps_from_kmh",
    "ns_from_s",
    "s_from_ns",
    "to_iso",
    "zone_info",
]

NS_PER_S = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def kmh_from_mps(speed_mps: float) -> float:
    """Return km/h.

    >>> kmh_from_mps(10.0)
    36.0
    """
    return speed_mps * 3.6


def mps_from_kmh(speed_kmh: float) -> float:
    """Return m/s.

    >>> mps_from_kmh(36.0)
    10.0
    """
    return speed_kmh / 3.6


def ns_from_s(duration_s: float) -> int:
    """Return whole nanoseconds, rounded.

    >>> ns_from_s(0.1)
    100000000
    """
    return round(duration_s * NS_PER_S)


def s_from_ns(duration_ns: int) -> float:
    """Return seconds.

    >>> s_from_ns(2_500_000_000)
    2.5
    """
    return duration_ns / NS_PER_S


def zone_info(tz: str) -> ZoneInfo:
    """Return the time zone called ``tz``; raise InputError for an unknown name."""
    try:
        return ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputError(f"time zone {tz!r} is not known; write one such as Asia/Almaty") from error


def local_datetime(t_ns: int, tz: str) -> datetime:
    """Return the aware local time of a UTC instant (microseconds; the rest is cut off).

    >>> local_datetime(0, "Asia/Almaty").isoformat()
    '1970-01-01T06:00:00+06:00'
    """
    return (_EPOCH + timedelta(microseconds=t_ns // 1000)).astimezone(zone_info(tz))


def to_iso(t_ns: int, tz: str = "UTC") -> str:
    """Return ISO 8601 with milliseconds and offset.

    >>> to_iso(1_700_000_000_123_000_000)
    '2023-11-14T22:13:20.123+00:00'
    """
    return local_datetime(t_ns, tz).isoformat(timespec="milliseconds")


def from_iso(text: str, tz: str = "UTC") -> int:
    """Return UTC ns of an ISO 8601 text; one without an offset is taken in ``tz``.

    >>> from_iso("2023-11-14T22:13:20.123Z")
    1700000000123000000
    >>> from_iso("2023-11-15T04:13:20", "Asia/Almaty")
    1700000000000000000
    """
    cleaned = re.sub(r"[zZ]$", "+00:00", text.strip())
    try:
        moment = datetime.fromisoformat(cleaned)
    except ValueError as error:
        raise InputError(
            f"time {text!r} does not read as ISO 8601; write it as 2026-03-01T07:30:00+05:00"
        ) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone_info(tz))
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * NS_PER_S + delta.microseconds * 1000
