"""How far may a rule be believed? Precision of random events, recall of watched time.

Precision is the share of randomly drawn events that a person found right, with Wilson's interval
(Wilson 1927). A rule may be published when the lower end is ``PUBLISHABLE_SHARE`` or more.

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
from calmstreet.safety.rule_settings import settings_of, thresholds

__all__ = [
    "PUBLISHABLE_SHARE",
    "RuleScore",
    "Share",
    "loosened",
    "score_rule",
    "wilson_interval",
]

PUBLISHABLE_SHARE = 0.85
_UP = frozenset(
    {"still_mps", "drift_m", "most_mps", "slow_mps", "ahead_s", "touch_m", "stop_mps", "most_m"}
)
_FIXED = frozenset(
    {"on", "yielding", "yielding_s", "reaction_s", "braking_mps2", "leader_m", "gap_m", "beside_m"}
)


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
    """What an audit says of a rule; ``recall`` is None where it is unknown."""

    precision: Share
    candidates: Share
    recall: Share | None

    @property
    def publishable(self) -> bool:
        """Return whether the lower end of precision is high enough."""
        return self.precision.low >= PUBLISHABLE_SHARE


def score_rule(
    *,
    events: tuple[int, int],
    candidates: tuple[int, int] = (0, 0),
    watched: tuple[int, int] = (0, 0),
) -> RuleScore:
    """Return the score from (right, looked at) of events and of near-threshold candidates.

    ``watched`` is (found by the rule, seen by the watcher) over fully watched spells; a rule that
    found more than was seen has no recall above 1.

    >>> score = score_rule(events=(50, 50), candidates=(2, 20))
    >>> score.publishable, score.recall
    (True, None)
    >>> score_rule(events=(8, 10), watched=(3, 4)).recall.n
    4
    """
    found, seen = watched
    recall = _share(min(found, seen), seen) if seen > 0 else None
    return RuleScore(precision=_share(*events), candidates=_share(*candidates), recall=recall)


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
        if field.name in _FIXED:
            continue
        value = float(getattr(settings, field.name))
        moved = value / share if field.name in _UP else value * share
        values[field.name] = min(max(moved, field.metadata["low"]), field.metadata["high"])
    kept = {key: value for key, value in thresholds(settings).items() if key not in values}
    rules: Mapping[str, Any] = {**site.rules, name: {**kept, **values}}
    return replace(site, rules=rules)
