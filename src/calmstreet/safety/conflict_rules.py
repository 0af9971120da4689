"""What a conflict is here: thresholds, and the verdict on a pair of road users.

A pair is a conflict when (a) PET <= ``pet_s`` (``pet_unprotected_s`` with a pedestrian or
cyclist), or (b) its path-based TTC stays <= ``ttc_s`` for ``ttc_for_s`` while closing at
``closing_mps`` or more, or (c) one of them begins to brake at ``braking_mps2`` or to swerve at
``swerving_mps2`` while the path-based TTC is <= ``evasion_ttc_s``. A TTC on straight lines alone
is never one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from calmstreet.errors import ConfigError

__all__ = ["ConflictSettings", "conflict_settings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictSettings:
    """``[rules.conflicts]``: seconds, metres and their quotients; see design/risk.md."""

    pet_s: float = 2.0
    pet_unprotected_s: float = 3.0
    ttc_s: float = 1.5
    ttc_for_s: float = 0.3
    closing_mps: float = 1.0
    evasion_ttc_s: float = 3.0
    braking_mps2: float = 3.0
    swerving_mps2: float = 4.0
    interacting_pet_s: float = 5.0
    interacting_ttc_s: float = 10.0
    least_age_s: float = 0.5
    least_life_s: float = 1.0
    sigma_gap_m: float = 0.5
    duplicate_share: float = 0.3
    duplicate_s: float = 0.5
    party_m: float = 3.0
    grave_delta_v_mps: float = 4.0
    grave_harm_share: float = 0.10


def conflict_settings(rules: Mapping[str, Mapping[str, float | str | bool]]) -> ConflictSettings:
    """Read ``[rules.conflicts]`` of a site's rules; raise ConfigError naming every wrong key.

    >>> conflict_settings({"conflicts": {"pet_s": 1.5}}).pet_s
    1.5
    """
    known = [part.name for part in fields(ConflictSettings)]
    faults, values = [], {}
    for name, value in dict(rules.get("conflicts", {})).items():
        if name not in known:
            faults.append(f"[rules.conflicts] {name} is not known; write {', '.join(known)}")
        elif isinstance(value, (bool, str)) or not 0 <= value < float("inf"):
            faults.append(f"[rules.conflicts] {name} must be a number of 0 or more, not {value!r}")
        else:
            values[name] = float(value)
    if faults:
        raise ConfigError(*faults)
    return ConflictSettings(**values)
