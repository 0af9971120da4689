"""Before and after a measure: what it did, once regression to the mean is taken out.

Empirical Bayes method of Hauer (1997), as in FHWA-HRT-17-075 chapter 3.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calmstreet.errors import InputError
from calmstreet.forecast.screening import eb_estimate

__all__ = ["Effect", "comparison_ratio", "effect_of"]

Floats = NDArray[np.float64]
_Z95 = 1.959964


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a measure did: ``theta`` below 1 means fewer crashes.

    ``low`` and ``high`` bound 95 % on the log scale. ``naive`` is after over before without any
    care; ``mean_alone`` is what regression to the mean, traffic and trend would have shown without
    the measure; ``expected`` crashes without it against ``after`` found.
    """

    theta: float
    sd: float
    low: float
    high: float
    naive: float
    mean_alone: float
    before: float
    after: float
    expected: float
    expected_variance: float


def effect_of(
    before: ArrayLike,
    *,
    after: ArrayLike,
    predicted_before: ArrayLike,
    predicted_after: ArrayLike,
    dispersion: ArrayLike,
    trend: float = 1.0,
    trend_variance: float = 0.0,
) -> Effect:
    """Return the effect over treated sites (n,): crashes and predictions before and after.

    ``trend`` multiplies the expectation by what happened at comparison sites, with its variance.
    Raises InputError when nothing was expected.

    >>> found = effect_of([20, 14, 17], after=[9, 9, 9], predicted_before=[9, 8, 10],
    ...     predicted_after=[9.5, 8.2, 10.1], dispersion=0.3)
    >>> round(found.theta, 4), round(found.sd, 4)
    (0.5785, 0.1316)
    """
    was, came = np.asarray(before, np.float64), np.asarray(after, np.float64)
    mean_before = np.asarray(predicted_before, np.float64)
    share = np.asarray(predicted_after, np.float64) / mean_before
    found = eb_estimate(was, predicted=mean_before, dispersion=dispersion)
    raw, raw_variance = (found.expected * share).sum(), (found.variance * share**2).sum()
    pi = float(raw * trend)
    variance = float(raw_variance * trend**2 + raw**2 * trend_variance)
    total = float(came.sum())
    if not pi > 0:
        raise InputError("no crash was expected after the measure; predicted_after must be above 0")
    spread = variance / pi**2
    theta = (total / pi) / (1 + spread)
    sd = _theta_sd(total, pi, spread)
    low, high = _bounds(theta, sd)
    earlier = float(was.sum())
    return Effect(
        theta=theta,
        sd=sd,
        low=low,
        high=high,
        naive=total / earlier if earlier else float("nan"),
        mean_alone=pi / earlier if earlier else float("nan"),
        before=earlier,
        after=total,
        expected=pi,
        expected_variance=variance,
    )


def _theta_sd(total: float, pi: float, spread: float) -> float:
    """Return the sd of theta; with no crash after, that of one crash, so that it is never zero."""
    seen = max(total, 1.0)
    theta = (seen / pi) / (1 + spread)
    return float(np.sqrt(theta**2 * (1 / seen + spread) / (1 + spread) ** 2))


def _bounds(theta: float, sd: float) -> tuple[float, float]:
    if theta <= 0:
        return 0.0, _Z95 * sd
    width = np.exp(_Z95 * sd / theta)
    return float(theta / width), float(theta * width)


def comparison_ratio(before: float, *, after: float) -> tuple[float, float]:
    """Return after/before of comparison sites, corrected for small numbers, and its variance.

    Hauer (1997) chapter 9: r = (N/M)/(1 + 1/M), Var = r^2 (1/M + 1/N). Raises InputError when
    either is zero.

    >>> ratio, variance = comparison_ratio(400.0, after=380.0)
    >>> round(ratio, 3), round(variance ** 0.5, 3)
    (0.948, 0.068)
    """
    if before <= 0 or after <= 0:
        raise InputError("the comparison group has no crashes before or after; choose a larger one")
    ratio = (after / before) / (1 + 1 / before)
    return ratio, ratio**2 * (1 / before + 1 / after)
