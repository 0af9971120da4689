"""How far may a rule be believed? Precision of random events, recall of watched time.

Precision is the share of randomly drawn events that a person found right, with Wilson's interval
(Wilson 1927). A rule may be published when the lower end is ``PUBLISHABLE_SHARE`` or more even if
every drawn event without a verdict was wrong: the easy ones may have been judged first.

Recall needs what the rule did not find. Somebody watches randomly drawn spells fully and writes
down how many there were; candidates that a rule with loosened thresholds finds besides say where
the misses lie. Without watched spells in which something happened recall is unknown, whatever the
candidates say.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from calmstreet.model.site import Site
from calmstreet.safety.conflict_rules import conflict_settings
from calmstreet.safety.rule_settings import settings_of, thresholds

__all__ = [
    "PUBLISHABLE_SHARE",
    "RuleScore",
    "Share",
    "loosened",
    "loosened_conflicts",
    "score_rule",
    "wilson_interval",
]

PUBLISHABLE_SHARE = 0.85
_UP = frozenset(
    {"still_mps", "drift_m", "most_mps", "slow_mps", "ahead_s", "touch_m", "stop_mps", "most_m"}
)
_FIXED = frozenset(
    {
        "on",
        "yielding",
        "yielding_s",
        "reaction_s",
        "braking_mps2",
        "leader_m",
        "gap_m",
        "beside_m",
        "turn_rad",
        "turn_m",
        "turn_s",
    }
)
_CONFLICT_UP = frozenset({"pet_s", "pet_unprotected_s", "ttc_s", "evasion_ttc_s"})
_CONFLICT_DOWN = frozenset({"ttc_for_s", "closing_mps", "braking_mps2", "swerving_mps2"})


def wilson_interval(right: int, n: int, *, z: float = 1.959964) -> tuple[float, float]:
    """Return the Wilson interval of a share; NaN where nothing was looked at.

    >>> [round(end, 3) for end in wilson_interval(38, 40)]
    [0.835, 0.986]
    """
    if n == 0:
        return math.nan, math.nan
    p = right / n
    middle = p + z * z / (2 * n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)
    return 0.0 if right == 0 else low, 1.0 if right == n else high


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """``right`` of ``n`` with the ends of a 95 % interval."""

    right: int
    n: int
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleScore:
    """What an audit says of a rule; ``recall`` is None where it is unknown.

    ``drawn`` how many events were drawn at random, judged or not.
    """

    precision: Share
    candidates: Share
    recall: Share | None
    drawn: int

    @property
    def publishable(self) -> bool:
        """Return whether precision is high enough, whatever the events without a verdict are."""
        low, _ = wilson_interval(self.precision.right, self.drawn)
        return low >= PUBLISHABLE_SHARE


def score_rule(
    *,
    events: tuple[int, int],
    drawn: int | None = None,
    candidates: tuple[int, int] = (0, 0),
    watched: tuple[int, int] = (0, 0),
) -> RuleScore:
    """Return the score from (right, looked at) of events and of near-threshold candidates.

    ``drawn`` how many events were drawn (None: all were looked at). ``watched`` is (found by the
    rule, seen by the watcher) over fully watched spells; a rule that found more than was seen has
    no recall above 1.

    >>> score = score_rule(events=(50, 50), candidates=(2, 20))
    >>> score.publishable, score.recall
    (True, None)
    >>> score_rule(events=(8, 10), watched=(3, 4)).recall.n
    4
    """
    found, seen = watched
    recall = _share(min(found, seen), seen) if seen > 0 else None
    return RuleScore(
        precision=_share(*events),
        candidates=_share(*candidates),
        recall=recall,
        drawn=events[1] if drawn is None else drawn,
    )


def _share(right: int, n: int) -> Share:
    low, high = wilson_interval(right, n)
    return Share(right=right, n=n, low=low, high=high)


def loosened(site: Site, name: str, *, share: float = 0.5) -> Site:
    """Return the site with the thresholds of a rule loosened, to find what it nearly found.

    Lengths, times and speeds to be reached are cut to ``share``; those that must not be passed
    grow by 1 / ``share``.

    >>> loosened(Site(id="x"), "red-light").rules["red-light"]["delay_s"]
    0.15
    """
    settings: Any = settings_of(site, name)
    values: dict[str, float | str | bool] = {"on": True}
    for field in fields(settings):
        if field.name not in _FIXED:
            values[field.name] = _moved(settings, field, share, up=field.name in _UP)
    kept = {key: value for key, value in thresholds(settings).items() if key not in values}
    rules: Mapping[str, Any] = {**site.rules, name: {**kept, **values}}
    return replace(site, rules=rules)


def loosened_conflicts(site: Site, *, share: float = 0.5) -> Site:
    """Return the site with the thresholds of conflicts loosened in the same way.

    >>> loosened_conflicts(Site(id="x")).rules["conflicts"]["pet_s"]
    4.0
    """
    settings = conflict_settings(site.rules)
    values: dict[str, float | str | bool] = {"on": True}
    for field in fields(settings):
        if field.name in _CONFLICT_UP | _CONFLICT_DOWN:
            values[field.name] = _moved(settings, field, share, up=field.name in _CONFLICT_UP)
    mine = {**site.rules.get("conflicts", {}), **values}
    return replace(site, rules={**site.rules, "conflicts": mine})


def _moved(settings: Any, field: Any, share: float, *, up: bool) -> float:
    value = float(getattr(settings, field.name))
    moved = value / share if up else value * share
    return float(min(max(moved, field.metadata["low"]), field.metadata["high"]))
