"""Where the next camera teaches most, or the next measure saves most, under budget and fairness.

Solved exactly as an integer programme (HiGHS, through scipy). The price of fairness is what the
optimum loses by the least numbers for each district; it is told, not hidden.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_matrix, hstack, identity

from calmstreet.errors import InputError

__all__ = [
    "DEFAULT_CMF",
    "DEFAULT_CMF_SD",
    "Benefit",
    "benefits",
    "best_cover",
    "best_sites",
    "chance_chosen",
    "chance_covering",
]

_MOST_EXACT = 300
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
DEFAULT_CMF = 0.85
DEFAULT_CMF_SD = (1.0 - 0.65) / (2 * 1.96)
_MOST_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Benefit:
    """Money saved at each site: ``mean``, ``low``, ``high`` (n,) and ``drawn`` (draws, n)."""

    mean: Floats
    low: Floats
    high: Floats
    drawn: Floats


def best_sites(
    gain: ArrayLike,
    *,
    cost: ArrayLike,
    budget: float,
    groups: Mapping[str, Sequence[int]] | None = None,
    least: int = 0,
) -> Bools:
    """Return which sites (n,) to take for the greatest gain within ``budget`` of ``cost``.

    ``least`` sites are taken in each of ``groups``, as far as it has so many. Raises InputError
    when that does not fit the budget.

    >>> best_sites([5.0, 4.0, 3.0], cost=[2.0, 1.0, 1.0], budget=2.0).tolist()
    [False, True, True]
    """
    value, price = np.asarray(gain, np.float64), np.asarray(cost, np.float64)
    rules = [LinearConstraint(price[None], -np.inf, budget)]
    rules += _fair(len(value), groups, least)
    # Of equal gains the cheaper wins; a site that gains nothing is not taken unless it must.
    small = 1e-9 * max(1.0, float(np.abs(value).max(initial=0))) * (1 + price / price.max())
    done = _solved(-(value - small), rules, count=len(value))
    return done > 0.5


def best_cover(
    weights: ArrayLike,
    *,
    near: Bools,
    count: int,
    groups: Mapping[str, Sequence[int]] | None = None,
    least: int = 0,
    taken: Sequence[int] = (),
) -> tuple[Bools, float]:
    """Return ``count`` places (m,) that cover most weight (n,), and how much they cover.

    The maximal covering location problem (Church and ReVelle, 1974). ``near`` (n, m) says which
    place covers what; ``taken`` places are in any case. Raises InputError when nothing fits.

    >>> line = np.abs(np.subtract.outer(range(10), range(10))) <= 1
    >>> best_cover([5, 1, 1, 8, 1, 1, 1, 9, 2, 4], near=line, count=2)[1]
    25.0
    """
    weight, covers = np.asarray(weights, np.float64), coo_matrix(np.asarray(near, float))
    n, m = covers.shape
    aim = np.concatenate([np.zeros(m), -weight])
    rules = [
        LinearConstraint(hstack([-covers, identity(n)]).tocsr(), -np.inf, 0.0),
        LinearConstraint(np.concatenate([np.ones(m), np.zeros(n)])[None], count, count),
    ]
    rules += _fair(m, groups, least, more=n)
    low = np.zeros(m + n)
    low[list(taken)] = 1.0
    done = _solved(aim, rules, count=m + n, low=low)
    chosen = done[:m] > 0.5
    return chosen, float(weight[np.asarray(near, bool)[:, chosen].any(axis=1)].sum())


def _fair(
    count: int, groups: Mapping[str, Sequence[int]] | None, least: int, *, more: int = 0
) -> list[LinearConstraint]:
    rules = []
    for members in (groups or {}).values() if least > 0 else ():
        row = np.zeros(count + more)
        row[list(members)] = 1.0
        rules.append(LinearConstraint(row[None], min(least, len(members)), np.inf))
    return rules


def _solved(
    aim: Floats, rules: list[LinearConstraint], *, count: int, low: Floats | None = None
) -> Floats:
    bounds = Bounds(np.zeros(count) if low is None else low, np.ones(count))
    done = milp(
        aim, constraints=rules, integrality=np.ones(count), bounds=bounds,
        options={"time_limit": _MOST_S, "mip_rel_gap": 1e-9},
    )  # fmt: skip
    if done.x is None:
        raise InputError(
            "the budget does not reach for the least numbers of all districts; raise it or lower "
            "--min-per-district"
        )
    return np.asarray(done.x, np.float64)


def benefits(
    excess: ArrayLike,
    *,
    variance: ArrayLike,
    cmf: ArrayLike,
    cmf_sd: ArrayLike,
    crash_cost: ArrayLike,
    crash_cost_sd: ArrayLike,
    years: ArrayLike = 1.0,
    life_years: float = 10.0,
    discount_share: float = 0.03,
    draws: int = 4000,
    seed: int = 1,
) -> Benefit:
    """Return the money that a measure saves at each site (n,) over its life.

    ``excess`` crashes with ``variance`` over ``years`` (empirical Bayes; at least 0 counts) times
    1 - ``cmf`` times the cost of a crash, discounted; all drawn, a CMF never below 0.

    >>> sure = benefits([10.0], variance=[0.0], cmf=[0.8], cmf_sd=[0.0], crash_cost=[100.0],
    ...     crash_cost_sd=[0.0], life_years=1.0, discount_share=0.0)
    >>> sure.mean.round(6).tolist()
    [200.0]
    """
    parts = [
        np.asarray(v, np.float64)
        for v in (excess, variance, cmf, cmf_sd, crash_cost, crash_cost_sd, years)
    ]
    mean, spread, factor, factor_sd, cost, cost_sd, over = np.broadcast_arrays(*parts)
    random = np.random.default_rng(seed)
    shape = (draws, len(mean))
    crashes = np.maximum(mean + np.sqrt(spread) * random.normal(size=shape), 0) / over
    # What is not known of a CMF or a cost is not known at all sites alike: one draw for all.
    together = random.normal(size=(2, draws, 1))
    cut = 1 - np.maximum(factor + factor_sd * together[0], 0)
    price = np.maximum(cost + cost_sd * together[1], 0)
    drawn = crashes * cut * price * _present_years(life_years, discount_share)
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    return Benefit(mean=drawn.mean(axis=0), low=low, high=high, drawn=drawn)


def _present_years(life_years: float, discount_share: float) -> float:
    """Return the present value of one a year.

    >>> round(_present_years(10.0, 0.03), 3)
    8.53
    """
    if discount_share <= 0:
        return life_years
    return float((1 - (1 + discount_share) ** -life_years) / discount_share)


def chance_chosen(drawn: Floats, *, cost: ArrayLike, budget: float) -> Floats:
    """Return how often each site (n,) is taken if each drawing (draws, n) were the truth.

    Sites are taken by gain for money until the budget is spent.

    >>> chance_chosen(np.array([[3.0, 1.0], [1.0, 3.0]]), cost=[1.0, 1.0], budget=1.0).tolist()
    [0.5, 0.5]
    """
    price = np.asarray(cost, np.float64)
    order = np.argsort(-drawn / price, axis=1)
    spent = np.cumsum(price[order], axis=1)
    worth = np.take_along_axis(drawn, order, axis=1) > 0
    taken = np.zeros(drawn.shape, bool)
    np.put_along_axis(taken, order, (spent <= budget + 1e-9) & worth, axis=1)
    return np.asarray(taken.mean(axis=0))


def chance_covering(
    drawn: Floats, *, near: NDArray[np.bool_], count: int, taken: Sequence[int] = ()
) -> Floats:
    """Return how often each site (n,) is taken to cover most if each drawing were the truth.

    ``drawn`` (draws, n) weights; ``near`` (n, n) says which site a camera at which site covers;
    ``taken`` are always taken. Up to 300 sites exact, beyond greedy (Nemhauser and others, 1978).

    >>> near = np.array([[True, True, False], [True, True, False], [False, False, True]])
    >>> chance = chance_covering(np.array([[5.0, 4.0, 1.0]]), near=near, count=2)
    >>> float(chance[:2].sum()), float(chance[2])
    (1.0, 1.0)
    """
    if drawn.shape[1] <= _MOST_EXACT:
        exact = [best_cover(one, near=near, count=count, taken=taken)[0] for one in drawn]
        return np.asarray(np.mean(exact, axis=0))
    cover = near.astype(np.float64)
    chosen = np.zeros(drawn.shape, bool)
    chosen[:, list(taken)] = True
    left = np.where(chosen @ cover > 0, 0.0, drawn)
    rows = np.arange(len(drawn))
    for _ in range(count - len(taken)):
        pick = np.argmax(np.where(chosen, -1.0, left @ cover), axis=1)
        chosen[rows, pick] = True
        left = np.where(near[pick], 0.0, left)
    return np.asarray(chosen.mean(axis=0))
