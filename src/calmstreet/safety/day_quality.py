"""Whether the counts of a day can be believed: against the same camera's days before.

Only days that were watched for most of their length are compared, so that a gap is never taken for
fewer road users. The rules are plain ones of traffic monitoring: a count far off its usual range, a
split of directions that changed, two directions that changed places. Thresholds are ours.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.quality_flag import QualityFlag

__all__ = ["FEWEST_DAYS", "WATCHED_SHARE", "CountedDays", "judge_day"]

FEWEST_DAYS = 4
"""Days before that are needed to know what is usual."""

WATCHED_SHARE = 0.75
"""Share of a day that must be watched to compare it."""

FEWEST = 50.0
"""Road users that are needed to say anything."""

_DAY_S = 86_400.0
_JUMP = np.log(2.0)
_SPREADS = 4.0
_LEAST_SPREAD = 0.1
_SHIFT = 0.15
_APART = np.log(1.5)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CountedDays:
    """Counts of whole days of one camera, the oldest first; the last one is judged.

    ``what`` names the m series ("gate:ID:to_left", "movement:FROM:TO"), ``count`` and
    ``exposure_s`` are float64 (days, m), ``weekend`` bool (days,).
    """

    what: tuple[str, ...]
    count: Floats
    exposure_s: Floats
    weekend: NDArray[np.bool_]


def judge_day(days: CountedDays) -> list[QualityFlag]:
    """Return the doubts about the last day; none where too few days are known.

    >>> count = np.array([[200.0]] * 5 + [[20.0]])
    >>> days = CountedDays(what=("gate:a:to_left",), count=count,
    ...     exposure_s=np.full((6, 1), 86_400.0), weekend=np.zeros(6, bool))
    >>> [(flag.flag, flag.value, flag.usual) for flag in judge_day(days)]
    [('jump', 20.0, 200.0)]
    """
    usual = np.array([_usual(days, i) for i in range(len(days.what))]).reshape(-1, 2)
    found = [*_jumps(days, usual), *_splits(days), *_approaches(days, usual[:, 0])]
    return sorted(found, key=lambda flag: (flag.flag, flag.what))


def _usual(days: CountedDays, series: int) -> tuple[float, float]:
    """Return the usual count of the last day's exposure and the spread of its logarithm."""
    exposure_s = days.exposure_s[:, series]
    watched = exposure_s >= WATCHED_SHARE * _DAY_S
    alike = watched[:-1] & (days.weekend[:-1] == days.weekend[-1])
    chosen = alike if alike.sum() >= FEWEST_DAYS else watched[:-1]
    if not watched[-1] or chosen.sum() < FEWEST_DAYS:
        return float("nan"), float("nan")
    rates = days.count[:-1, series][chosen] / exposure_s[:-1][chosen]
    logs = np.log(np.maximum(rates * _DAY_S, 0.5))
    spread = 1.4826 * float(np.median(np.abs(logs - np.median(logs))))
    return float(np.median(rates)) * float(exposure_s[-1]), max(spread, _LEAST_SPREAD)


def _jumps(days: CountedDays, usual: Floats) -> Iterator[QualityFlag]:
    for name, count, (expected, spread) in zip(days.what, days.count[-1], usual, strict=True):
        if np.isnan(expected) or max(count, expected) < FEWEST:
            continue
        off = abs(np.log(max(count, 0.5) / max(expected, 0.5)))
        if off > max(_JUMP, _SPREADS * spread):
            flag = "silent" if count == 0 else "jump"
            yield QualityFlag(
                flag=flag, what=name, value=float(count), usual=round(float(expected), 1)
            )


def _splits(days: CountedDays) -> Iterator[QualityFlag]:
    """Judge how many of a gate's road users go to its left."""
    names = {name: i for i, name in enumerate(days.what)}
    for name, left in names.items():
        right = names.get(name.removesuffix("to_left") + "to_right")
        if name.endswith(":to_left") and right is not None:
            yield from _split(days, name.removesuffix(":to_left"), [left, right])


def _split(days: CountedDays, gate: str, sides: list[int]) -> Iterator[QualityFlag]:
    count = days.count[:, sides]
    total = count.sum(axis=1)
    good = (total >= FEWEST) & (days.exposure_s[:, sides].min(axis=1) >= WATCHED_SHARE * _DAY_S)
    if not good[-1] or good[:-1].sum() < FEWEST_DAYS:
        return
    shares = count[good, 0] / total[good]
    usual, share = float(np.median(shares[:-1])), float(shares[-1])
    noise = _SPREADS * np.sqrt(max(usual * (1 - usual), 0.01) / total[-1])
    if abs(share - usual) <= max(_SHIFT, noise):
        return
    swapped = abs(share - (1 - usual)) < min(abs(share - usual), _SHIFT)
    yield QualityFlag(
        flag="swapped" if swapped else "balance",
        what=gate,
        value=round(share, 3),
        usual=round(usual, 3),
    )


def _approaches(days: CountedDays, usual: Floats) -> Iterator[QualityFlag]:
    """Find two approaches whose volumes look exchanged."""
    origins = [name.split(":")[1] for name in days.what if name.startswith("movement:")]
    now, before = {}, {}
    for origin in sorted(set(origins)):
        mine = [i for i, n in enumerate(days.what) if n.startswith(f"movement:{origin}:")]
        now[origin] = float(days.count[-1, mine].sum())
        before[origin] = float(usual[mine].sum())
    known = [o for o in now if before[o] >= FEWEST and now[o] >= FEWEST and o != "unknown"]
    for a, b in combinations(known, 2):
        if abs(np.log(before[a] / before[b])) < _APART:
            continue
        as_named = _distance(now, before, ((a, a), (b, b)))
        exchanged = _distance(now, before, ((a, b), (b, a)))
        if exchanged + 2 * _APART < as_named:
            value, was = now[a] / now[b], before[a] / before[b]
            yield QualityFlag(
                flag="swapped", what=f"{a}+{b}", value=round(value, 3), usual=round(was, 3)
            )


def _distance(
    now: dict[str, float], before: dict[str, float], pairs: Sequence[tuple[str, str]]
) -> float:
    return float(sum(abs(np.log(now[one] / before[other])) for one, other in pairs))
