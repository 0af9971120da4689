"""What a conflict is here: thresholds, and the verdict on a pair of road users.

A pair is a conflict when (a) PET <= ``pet_s`` (``pet_unprotected_s`` with a pedestrian or
cyclist), or (b) its path-based TTC stays <= ``ttc_s`` for ``ttc_for_s`` while closing at
``closing_mps`` or more, or (c) one of them begins to brake at ``braking_mps2`` or to swerve at
``swerving_mps2`` while the path-based TTC is <= ``evasion_ttc_s``. A TTC on straight lines alone
is never one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from calmstreet.errors import ConfigError

__all__ = ["ConflictSettings", "conflict_settings"]


def _of(default: float, high: float, meaning: str) -> Any:
    return field(default=default, metadata={"low": 0, "high": high, "meaning": meaning})


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictSettings:
    """``[rules.conflicts]``: seconds, metres and their quotients; see design/risk.md."""

    on: bool = field(default=True, metadata={"meaning": "whether conflicts are looked for"})
    pet_s: float = _of(2.0, 60, "PET at or below which a pair is a conflict")
    pet_unprotected_s: float = _of(3.0, 60, "the same with a pedestrian or cyclist")
    ttc_s: float = _of(1.5, 60, "path-based TTC at or below which a pair is a conflict")
    ttc_for_s: float = _of(0.3, 60, "for how long")
    closing_mps: float = _of(1.0, 60, "while closing at this speed or more")
    evasion_ttc_s: float = _of(3.0, 60, "TTC on which evasive action counts")
    braking_mps2: float = _of(3.0, 30, "hard braking")
    swerving_mps2: float = _of(4.0, 30, "hard swerving, beyond what the path asks for")
    interacting_pet_s: float = _of(5.0, 60, "PET of an interacting pair")
    interacting_ttc_s: float = _of(10.0, 60, "TTC of an interacting pair")
    least_age_s: float = _of(0.5, 60, "how old a track must be before its TTC is believed")
    least_life_s: float = _of(1.0, 600, "shorter tracks make no conflict")
    sigma_gap_m: float = _of(0.5, 100, "a gap less certain makes no conflict")
    duplicate_share: float = _of(0.3, 1, "overlap of two boxes of one body")
    duplicate_s: float = _of(0.5, 60, "for how long")
    party_m: float = _of(3.0, 100, "who keeps as near at the same speed is one party")
    grave_delta_v_mps: float = _of(4.0, 60, "Delta-V that levels 3 and 4 need")
    grave_harm_share: float = _of(0.10, 1, "share of serious harm that they need of unprotected")
    review_level: float = _of(2, 5, "conflicts of this level or more become events with evidence")
    rate_share: float = _of(0.3, 10, "half-width of a rate over the rate that is enough data")


def conflict_settings(rules: Mapping[str, Mapping[str, float | str | bool]]) -> ConflictSettings:
    """Read ``[rules.conflicts]`` of a site's rules; raise ConfigError naming every wrong key.

    >>> conflict_settings({"conflicts": {"pet_s": 1.5}}).pet_s
    1.5
    """
    known = [part.name for part in fields(ConflictSettings)]
    faults: list[str] = []
    values: dict[str, Any] = {}
    for name, value in dict(rules.get("conflicts", {})).items():
        if name not in known:
            faults.append(f"[rules.conflicts] {name} is not known; write {', '.join(known)}")
        elif name == "on":
            values[name] = bool(value)
        elif isinstance(value, (bool, str)) or not 0 <= value < float("inf"):
            faults.append(f"[rules.conflicts] {name} must be a number of 0 or more, not {value!r}")
        else:
            values[name] = float(value)
    if faults:
        raise ConfigError(*faults)
    return ConflictSettings(**values)
