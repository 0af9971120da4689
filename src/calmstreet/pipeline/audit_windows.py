"""When a camera's audit windows are: drawn from a seed beforehand, so that nobody can choose them.

Every hour (UTC) is cut into equal parts and each part holds one window at a random place. The
place hangs on the seed, the camera and the hour alone (SHA-256), so the schedule of a year can be
published before the year begins and be computed again afterwards.
"""

import hashlib

from calmstreet.units import NS_PER_S, ns_from_s

__all__ = ["audit_windows", "window_at"]

_HOUR_NS = 3600 * NS_PER_S


def audit_windows(
    hour_ns: int, *, camera_id: str, per_hour: int, window_s: float, seed: int
) -> list[tuple[int, int]]:
    """Return (start_ns, end_ns) of each window of the hour that holds ``hour_ns``, in their order.

    A window never leaves its part of the hour.

    >>> ten = audit_windows(0, camera_id="north", per_hour=4, window_s=15.0, seed=7)
    >>> len(ten), all(end - start == 15_000_000_000 for start, end in ten)
    (4, True)
    """
    first_ns = hour_ns // _HOUR_NS * _HOUR_NS
    part_ns = _HOUR_NS // max(per_hour, 1)
    long_ns = min(ns_from_s(window_s), part_ns)
    found = []
    for part in range(per_hour):
        drawn = hashlib.sha256(f"{seed}/{camera_id}/{first_ns}/{part}".encode()).digest()
        place = int.from_bytes(drawn[:8]) / 2**64
        start_ns = first_ns + part * part_ns + round(place * (part_ns - long_ns))
        found.append((start_ns, start_ns + long_ns))
    return found


def window_at(
    t_ns: int, *, camera_id: str, per_hour: int, window_s: float, seed: int
) -> tuple[int, int] | None:
    """Return the window in which an instant lies, None between windows."""
    windows = audit_windows(
        t_ns, camera_id=camera_id, per_hour=per_hour, window_s=window_s, seed=seed
    )
    return next(((start, end) for start, end in windows if start <= t_ns < end), None)
