"""How wrong is a count? Hand counts of randomly drawn minutes against ours.

Ratio. Of the minutes drawn in stratum h (N_h minutes, n_h drawn), the counted and the true totals
are expanded by N_h / n_h and divided: the combined ratio estimator (Cochran 1977, section 6.11).
Above 1 we count too many.

Interval. Percentile bootstrap of whole minutes within strata (Efron and Tibshirani 1993), because
users come in platoons and errors of one minute hang together. Resampling cannot show an error that
did not happen in a few minutes: the interval is never narrower than what exact intervals allow for
the users missed (Clopper and Pearson 1934) and those counted too many (Garwood 1936), each at
98.75 % so that both together keep 95 % (Bonferroni). So 5 of 5 gives 0.42 to 1.88, not "exactly
right", and 500 of 500 gives 0.991 to 1.009. A miss and a false count within one minute cancel: the
interval is for the count, not for the detection of each user.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv, gammaincinv

from calmstreet.safety.bins import geh

__all__ = ["CountRatio", "Minute", "audit_counts", "choose_minutes", "count_ratio"]

_DRAWS = 2_000
_FLOW_CLASSES = 3
_TAIL = 0.0125


@dataclass(frozen=True, slots=True, kw_only=True)
class Minute:
    """A minute that may be audited: our total count in it and its light."""

    start_ns: int
    count: float
    light: str = ""
    stratum: str = ""
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CountRatio:
    """Our count over the hand count of one series and kind, with a 95 % interval.

    ``counted`` and ``truth`` are the plain sums over the audited minutes; ``ratio`` is weighted;
    NaN where nothing was there to count. ``high`` may be infinite. ``geh`` compares the two as
    hourly volumes; ``minutes`` is how many were audited.
    """

    what: str
    kind: str
    minutes: int
    counted: float
    truth: float
    ratio: float
    low: float
    high: float
    geh: float


def choose_minutes(minutes: Sequence[Minute], *, n: int, seed: int) -> list[Minute]:
    """Draw ``n`` minutes at random, stratified by light and by flow; the same seed, the same draw.

    Within each light the minutes are cut at the thirds of their flow. Every stratum gets a minute
    while there are enough to go round, the rest by its size (largest remainders). ``weight`` of a
    drawn minute is stratum size over minutes drawn from it. Returned in order of time.

    >>> lot = [Minute(start_ns=i, count=i % 7, light="day" if i < 60 else "night")
    ...        for i in range(90)]
    >>> drawn = choose_minutes(lot, n=12, seed=1)
    >>> len(drawn), sum(m.weight for m in drawn), drawn == choose_minutes(lot, n=12, seed=1)
    (12, 90.0, True)
    """
    strata = _strata(minutes)
    rng = np.random.default_rng(seed)
    drawn: list[Minute] = []
    shares = _shares([len(group) for group in strata.values()], min(n, len(minutes)))
    for (name, group), wanted in zip(strata.items(), shares, strict=True):
        for place in sorted(rng.choice(len(group), wanted, replace=False).tolist()):
            minute = group[place]
            drawn.append(
                Minute(
                    start_ns=minute.start_ns,
                    count=minute.count,
                    light=minute.light,
                    stratum=name,
                    weight=len(group) / wanted,
                )
            )
    return sorted(drawn, key=lambda minute: minute.start_ns)


def _strata(minutes: Sequence[Minute]) -> dict[str, list[Minute]]:
    """Return the minutes by light and class of flow, in a fixed order."""
    strata: dict[str, list[Minute]] = {}
    for light in sorted({minute.light for minute in minutes}):
        group = sorted((m for m in minutes if m.light == light), key=lambda m: m.start_ns)
        flow = np.array([minute.count for minute in group], float)
        bounds = np.quantile(flow, np.arange(1, _FLOW_CLASSES) / _FLOW_CLASSES)
        for number in range(_FLOW_CLASSES):
            mine = np.searchsorted(bounds, flow, side="left") == number
            if mine.any():
                name = f"{light or 'light-unknown'}/flow-{number + 1}"
                strata[name] = [m for m, inside in zip(group, mine, strict=True) if inside]
    return strata


def _shares(sizes: Sequence[int], n: int) -> list[int]:
    """Divide ``n`` among strata: one each, largest first, then by size.

    >>> _shares([50, 5, 45], 10), _shares([3, 9, 8], 2)
    ([5, 1, 4], [0, 1, 1])
    """
    given = [0] * len(sizes)
    for place in sorted(range(len(sizes)), key=lambda i: -sizes[i])[:n]:
        given[place] = 1
    total = sum(sizes)
    while sum(given) < n:
        behind = [
            n * size / total - got if got < size else -np.inf
            for size, got in zip(sizes, given, strict=True)
        ]
        given[int(np.argmax(behind))] += 1
    return given


def count_ratio(
    counted: ArrayLike,
    truth: ArrayLike,
    *,
    strata: Sequence[str] | None = None,
    weights: ArrayLike | None = None,
    what: str = "",
    kind: str = "total",
    seed: int = 0,
) -> CountRatio:
    """Return ratio, 95 % interval and GEH of counts per audited minute, both (n,).

    ``strata`` (n,) and ``weights`` (n,) as drawn by ``choose_minutes``; without them all minutes
    are alike. Raises ValueError when lengths differ.

    >>> found = count_ratio([9, 11, 10], [10, 10, 10])
    >>> found.ratio, found.low < 1 < found.high
    (1.0, True)
    """
    ours, hand = np.asarray(counted, np.float64), np.asarray(truth, np.float64)
    scale = np.ones(len(ours)) if weights is None else np.asarray(weights, np.float64)
    groups = np.asarray(strata if strata is not None else [""] * len(ours), np.str_)
    if not len(ours) == len(hand) == len(scale) == len(groups):
        raise ValueError("counts, hand counts, strata and weights must be of one length")
    low, high = _interval(ours, hand, scale, groups, seed)
    hours = len(ours) / 60
    return CountRatio(
        what=what,
        kind=kind,
        minutes=len(ours),
        counted=float(ours.sum()),
        truth=float(hand.sum()),
        ratio=_divided(float((ours * scale).sum()), float((hand * scale).sum())),
        low=low,
        high=high,
        geh=geh(float(ours.sum()) / hours, float(hand.sum()) / hours) if hours else float("nan"),
    )


def _divided(above: float, below: float) -> float:
    if below > 0:
        return above / below
    return float("inf") if above > 0 else float("nan")


def _interval(
    ours: NDArray[np.float64],
    hand: NDArray[np.float64],
    scale: NDArray[np.float64],
    groups: NDArray[np.str_],
    seed: int,
) -> tuple[float, float]:
    """Return the wider of bootstrap and exact interval, end by end."""
    if ours.sum() + hand.sum() == 0:
        return float("nan"), float("nan")
    off = ours - hand
    low, high = _exact(
        missed=float(-off[off < 0].sum()), added=float(off[off > 0].sum()), truth=float(hand.sum())
    )
    rng = np.random.default_rng(seed)
    above, below = np.zeros(_DRAWS), np.zeros(_DRAWS)
    for group in np.unique(groups):
        mine = np.flatnonzero(groups == group)
        picked = mine[rng.integers(0, len(mine), (_DRAWS, len(mine)))]
        above += (ours * scale)[picked].sum(axis=1)
        below += (hand * scale)[picked].sum(axis=1)
    told = below > 0
    if told.any():
        ends = np.quantile(above[told] / below[told], (0.025, 0.975))
        low, high = min(low, float(ends[0])), max(high, float(ends[1]))
    return low, high


def _exact(*, missed: float, added: float, truth: float) -> tuple[float, float]:
    """Return what exact intervals of missed and added users allow for the ratio.

    >>> [round(end, 2) for end in _exact(missed=0, added=0, truth=5)]
    [0.42, 1.88]
    """
    if truth == 0:
        return float(gammaincinv(added, _TAIL)), float("inf")
    least_missed = float(betaincinv(missed, truth - missed + 1, _TAIL)) if missed > 0 else 0.0
    most_missed = (
        float(betaincinv(missed + 1, truth - missed, 1 - _TAIL)) if missed < truth else 1.0
    )
    least_added = float(gammaincinv(added, _TAIL)) if added > 0 else 0.0
    most_added = float(gammaincinv(added + 1, 1 - _TAIL))
    return 1 - most_missed + least_added / truth, 1 - least_missed + most_added / truth


def audit_counts(
    counted: Mapping[tuple[str, str], ArrayLike],
    truth: Mapping[tuple[str, str], ArrayLike],
    *,
    minutes: Sequence[Minute],
    seed: int = 0,
) -> list[CountRatio]:
    """Return a ratio per (series, kind) and per series for all kinds together ("total").

    Both mappings hold counts per audited minute, in the order of ``minutes``; what one of them
    does not name is 0 there.
    """
    none = np.zeros(len(minutes))
    names = sorted({*counted, *truth})
    table = {
        name: (np.asarray(counted.get(name, none)), np.asarray(truth.get(name, none)))
        for name in names
    }
    for what in sorted({what for what, _ in names}):
        mine = [pair for (series, _), pair in table.items() if series == what]
        table[what, "total"] = (sum((a for a, _ in mine), none), sum((b for _, b in mine), none))
    return [
        count_ratio(
            ours,
            hand,
            strata=[minute.stratum for minute in minutes],
            weights=[minute.weight for minute in minutes],
            what=what,
            kind=kind,
            seed=seed,
        )
        for (what, kind), (ours, hand) in table.items()
    ]
