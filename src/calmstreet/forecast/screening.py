"""Network screening: which sites have more crashes than sites like them, by empirical Bayes.

Method of the Highway Safety Manual, 1st ed., and of Hauer, Harwood, Council and Griffith (2002): a
safety performance function predicts, the count corrects, and the more the less the prediction is
sure. Sites are ranked by the excess over the prediction, never by the count or by the crash rate.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import digamma, gammaln, polygamma

from calmstreet.errors import InputError

__all__ = [
    "LEVELS",
    "Screened",
    "SpfFit",
    "eb_estimate",
    "fit_spf",
    "level_of_service",
    "top_share",
]

Floats = NDArray[np.float64]
LEVELS = ("I", "II", "III", "IV")
"""Levels of service of safety: I low potential for a gain, IV high."""
FEWEST_SITES = 30
FEWEST_CRASHES = 100


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Screened:
    """Estimates of n sites; crashes over the same years as observed."""

    expected: Floats
    variance: Floats
    weight: Floats
    excess: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpfFit:
    """A fitted safety performance function.

    ``names`` and ``coefficients`` (p,) of log mean; ``sd`` (p,) their standard errors;
    ``dispersion`` k of Var = mu + k mu^2 with ``dispersion_sd``; ``predicted`` (n,) crashes over
    the years of each row; ``enough`` says whether the data reach the manual's least numbers.
    """

    names: tuple[str, ...]
    coefficients: Floats
    sd: Floats
    dispersion: float
    dispersion_sd: float
    predicted: Floats
    enough: bool


def eb_estimate(observed: ArrayLike, *, predicted: ArrayLike, dispersion: ArrayLike) -> Screened:
    """Return empirical Bayes estimates; all of shape (n,), crashes over the same years.

    ``dispersion`` is k of Var = mu + k mu^2 at the site (k per length divided by the length).
    It is the mean and variance of the gamma posterior.

    >>> found = eb_estimate([12.0], predicted=[2.4], dispersion=[0.5])
    >>> round(float(found.expected[0]), 3), round(float(found.weight[0]), 3)
    (7.636, 0.455)
    """
    counted, mean, k = np.broadcast_arrays(
        *(np.asarray(v, np.float64) for v in (observed, predicted, dispersion))
    )
    weight = 1 / (1 + k * mean)
    expected = weight * mean + (1 - weight) * counted
    return Screened(
        expected=expected,
        variance=(1 - weight) * expected,
        weight=weight,
        excess=expected - mean,
    )


def level_of_service(
    estimate: ArrayLike, *, predicted: ArrayLike, dispersion: ArrayLike
) -> list[str]:
    """Return level I to IV of each site: mean and 1.5 sd of sites like it are the borders.

    >>> level_of_service([0.1, 2.0, 4.0, 20.0], predicted=3.9, dispersion=0.1)
    ['I', 'II', 'III', 'IV']
    """
    mean = np.asarray(predicted, np.float64)
    sd = np.sqrt(mean + np.asarray(dispersion, np.float64) * mean**2)
    value = np.asarray(estimate, np.float64)
    rank = (value > mean - 1.5 * sd).astype(int) + (value > mean) + (value > mean + 1.5 * sd)
    return [LEVELS[int(i)] for i in np.atleast_1d(rank)]


def top_share(
    found: Screened, *, predicted: ArrayLike, top: int, draws: int = 4000, seed: int = 1
) -> Floats:
    """Return for each site the probability (n,) to be among the ``top`` by true excess.

    Drawn from the gamma posteriors (shape mean^2/variance), so that near ties show as such.

    >>> sure = eb_estimate([500.0, 1.0], predicted=[3.0, 3.0], dispersion=[1.0, 1.0])
    >>> top_share(sure, predicted=[3.0, 3.0], top=1).tolist()
    [1.0, 0.0]
    """
    n = len(found.expected)
    top = min(top, n)
    random = np.random.default_rng(seed)
    safe = np.maximum(found.variance, 1e-12)
    shape, scale = found.expected**2 / safe, safe / np.maximum(found.expected, 1e-12)
    mean = np.broadcast_to(np.asarray(predicted, np.float64), (n,))
    hits = np.zeros(n)
    if not n:
        return hits
    for _ in range(draws):
        drawn = random.gamma(shape, scale) - mean
        hits[np.argpartition(-drawn, top - 1)[:top]] += 1
    return hits / draws


def fit_spf(
    observed: ArrayLike, *, features: dict[str, ArrayLike], offset: ArrayLike = 0.0
) -> SpfFit:
    """Fit log mean = b0 + sum b_i x_i + offset with negative binomial spread, by likelihood.

    ``features`` are columns (n,), usually logs of traffic; ``offset`` (n,) the log of years times
    length. Raises InputError when nothing can be fitted. Needs about 30 sites and 100 crashes to
    mean anything: ``enough`` tells.

    >>> random = np.random.default_rng(0)
    >>> x = random.normal(size=3000)
    >>> fit = fit_spf(random.poisson(np.exp(0.5 + 0.7 * x)), features={"x": x})
    >>> [round(float(b), 1) for b in fit.coefficients]
    [0.5, 0.7]
    """
    y = np.asarray(observed, np.float64)
    columns = [np.ones(len(y)), *(np.asarray(v, np.float64) for v in features.values())]
    design, shift = np.column_stack(columns), np.broadcast_to(np.asarray(offset, float), y.shape)
    if len(y) <= design.shape[1] + 1 or y.sum() <= 0:
        raise InputError(
            f"a safety performance function cannot be fitted to {len(y)} sites with "
            f"{y.sum():g} crashes; give columns predicted and k of a borrowed one"
        )
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise InputError("traffic is the same at all sites; give columns predicted and k")
    found = _maximised(y, design, shift)
    k = float(np.exp(found[-1]))
    errors = _standard_errors(found, y, design, shift)
    return SpfFit(
        names=("constant", *features),
        coefficients=found[:-1],
        sd=errors[:-1],
        dispersion=k,
        dispersion_sd=float(k * errors[-1]),
        predicted=np.exp(design @ found[:-1] + shift),
        enough=len(y) >= FEWEST_SITES and y.sum() >= FEWEST_CRASHES,
    )


def _maximised(y: Floats, design: Floats, shift: Floats) -> Floats:
    start = np.zeros(design.shape[1] + 1)
    start[0] = np.log(y.sum() / np.exp(shift).sum())
    start[-1] = np.log(0.5)
    bounds = [(None, None)] * design.shape[1] + [(np.log(1e-6), np.log(100.0))]
    done = minimize(
        lambda b: _loss(b, y, design, shift)[0],
        start,
        jac=lambda b: _loss(b, y, design, shift)[1],
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": 500, "ftol": 1e-12, "gtol": 1e-8},
    )
    return np.asarray(done.x, np.float64)


def _loss(b: Floats, y: Floats, design: Floats, shift: Floats) -> tuple[float, Floats]:
    """Return minus the mean NB2 log likelihood and its gradient; last of b is log k."""
    size = np.exp(-b[-1])
    mean = np.exp(np.clip(design @ b[:-1] + shift, -50, 50))
    both = size + mean
    likely = (
        gammaln(y + size)
        - gammaln(size)
        - gammaln(y + 1)
        + size * np.log(size / both)
        + y * np.log(mean / both)
    )
    slope = size * (y - mean) / both
    by_size = digamma(y + size) - digamma(size) + np.log(size / both) + (mean - y) / both
    gradient = np.append(design.T @ slope, -size * by_size.sum())
    return -float(likely.mean()), -gradient / len(y)


def _standard_errors(b: Floats, y: Floats, design: Floats, shift: Floats) -> Floats:
    """Return errors from the expected information of b and the observed one of log k."""
    size = np.exp(-b[-1])
    mean = np.exp(design @ b[:-1] + shift)
    both = size + mean
    inner = np.linalg.pinv(design.T @ (design * (size * mean / both)[:, None]))
    first = digamma(y + size) - digamma(size) + np.log(size / both) + (mean - y) / both
    second = polygamma(1, y + size) - polygamma(1, size) + mean / (size * both)
    second = second - (mean - y) / both**2
    curve = -(size**2 * second.sum() + size * first.sum())
    tail = 1 / np.sqrt(curve) if curve > 0 else np.inf
    return np.append(np.sqrt(np.diag(inner)), tail)
