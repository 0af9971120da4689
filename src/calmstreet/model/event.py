"""Something that a rule found."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Event", "event_id_of"]


def event_id_of(*, camera_id: str, rule: str, track_ids: tuple[int, ...], start_ns: int) -> str:
    """Return 16 hex digits of sha256(camera, rule/version, sorted tracks, start_ns).

    >>> event_id_of(camera_id="north", rule="stopped/1", track_ids=(2, 1), start_ns=0) == (
    ...     event_id_of(camera_id="north", rule="stopped/1", track_ids=(1, 2), start_ns=0))
    True
    """
    words = [camera_id, rule, *(str(t) for t in sorted(track_ids)), str(start_ns)]
    return hashlib.sha256("\x1f".join(words).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One finding with its times (UTC ns), place, road users, values and the rule's own words.

    ``place_m`` east, north in metres (NaN = unknown); ``values`` such as ``ttc_s``, ``pet_s``,
    ``speed_mps``, ``sigma_speed_mps``; ``severity`` 0..4; ``rule`` is "name/version".
    """

    event_id: str
    kind: str
    camera_id: str
    start_ns: int
    end_ns: int
    place_m: tuple[float, float] = (float("nan"), float("nan"))
    track_ids: tuple[int, ...] = ()
    values: Mapping[str, float] = field(default_factory=dict)
    severity: int = 0
    rule: str
    reasons: tuple[str, ...] = ()
    exceptions: tuple[str, ...] = ()
