"""The slope of a way over time, with an interval that stands up to noise that remembers itself.

Model: s = s0 + v t + a t^2 / 2 + noise, t counted from the instant that is asked about, so that v
is the speed there. The noise of a tracked place is not white: boxes wander (an autocorrelation of
rho per step) with a sigma that grows with the distance from the camera, and time stamps that
tremble add white noise of one size. Neither rho nor the shares are known and 10 to 40 residuals
do not tell them well, so that no single value is taken: the fit is made by generalised least
squares for each of a table of noises, each is weighed by its restricted likelihood (Patterson and
Thompson, 1971; Harville, 1974), and the interval is that of the mixture of Student distributions.
The size of the noise is taken from the residuals; what the tracker promises counts as much as two
more of them, which tells a slow wander, that hides in the fit, from a box that is truly still.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

__all__ = ["LEAST_ROWS", "SlopeFit", "fit_slope"]

Array = NDArray[np.float64]

LEAST_ROWS = 6
"""Fewer rows cannot tell three unknowns and their noise."""

_MOST_ROWS = 60
_RHO = np.array([0.3, 0.5, 0.65, 0.8, 0.9, 0.96])
_RHO_WEIGHT = np.array([0.25, 0.175, 0.15, 0.125, 0.08, 0.07])
_MEMORYLESS_WEIGHT = 0.075  # two of these; with _RHO_WEIGHT all of 0..1 is as likely
_WHITE = np.array([0.0, 0.35, 0.7])
_PROMISED = 2
_SIGNIFICANT = 2.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SlopeFit:
    """A speed at one instant.

    ``speed_mps``; ``sigma_mps`` its standard uncertainty; ``half95_mps`` half of the 95 %
    interval; ``accel_mps2``; ``quadratic`` whether the acceleration is significant; ``rho`` the
    likely autocorrelation per step; ``n`` rows; ``weights`` (n,): the speed is their sum times s.
    """

    speed_mps: float
    sigma_mps: float
    half95_mps: float
    accel_mps2: float
    quadratic: bool
    rho: float
    n: int
    weights: Array


def fit_slope(
    t_s: Array, s_m: Array, sigma_m: Array, *, at_s: float, accel_sigma_mps2: float = 1.0
) -> SlopeFit:
    """Return the speed at ``at_s`` from places along a way: times, places and sigmas, all (n,).

    ``sigma_m`` is the promised noise of each row. The acceleration is fitted freely where it is
    significant (more than 2 sigma); else it is taken as 0, give or take ``accel_sigma_mps2``, and
    what that leaves open is part of the uncertainty. Raises ValueError for fewer than LEAST_ROWS
    rows or times that do not rise.

    >>> t = np.arange(15) * 0.1
    >>> fit = fit_slope(t, 3 + 12.5 * t, np.full(15, 0.1), at_s=0.7)
    >>> round(fit.speed_mps, 6), fit.quadratic
    (12.5, False)
    """
    if len(t_s) < LEAST_ROWS or not (np.diff(t_s) > 0).all():
        raise ValueError(f"a slope needs {LEAST_ROWS} rows of rising times, got {len(t_s)}")
    pick = _together(len(t_s))
    t, s, sigma = pick @ (t_s - at_s), pick @ s_m, pick @ sigma_m
    noises, prior = _noises(t, sigma)
    table = _fit_all(t, s - s[0], noises)
    free = _mixed(table, prior, accel_sigma_mps2=np.inf)
    quadratic = bool(abs(free.accel) > _SIGNIFICANT * free.accel_sigma)
    best = free if quadratic else _mixed(table, prior, accel_sigma_mps2=accel_sigma_mps2)
    rho = np.concatenate([[0.0, 0.0], np.repeat(_RHO, len(_WHITE))])
    return SlopeFit(
        speed_mps=best.speed_mps,
        sigma_mps=best.sigma,
        half95_mps=best.half95_mps,
        accel_mps2=best.accel,
        quadratic=quadratic,
        rho=float((best.share * rho).sum()),
        n=len(t_s),
        weights=best.weights @ pick,
    )


def _together(n: int) -> Array:
    """Return the matrix (m, n) that averages neighbours where there are too many rows."""
    group = np.arange(n) // -(-n // _MOST_ROWS)
    pick = (group[None, :] == np.arange(group[-1] + 1)[:, None]).astype(np.float64)
    return np.asarray(pick / pick.sum(axis=1, keepdims=True))


def _noises(t: Array, spread: Array) -> tuple[Array, Array]:
    """Return the candidate covariances (k, n, n) and their prior weights (k,)."""
    lag = np.abs(t[:, None] - t[None, :]) / np.median(np.diff(t))
    own, even = spread[:, None] * spread[None, :], np.eye(len(t)) * np.mean(spread**2)
    memory = _RHO[:, None, None] ** lag
    mixed = (1 - _WHITE)[None, :, None, None] * (own * memory)[:, None] + (
        _WHITE[None, :, None, None] * even
    )
    cells = np.concatenate([[np.diag(spread**2), even], mixed.reshape(-1, len(t), len(t))])
    prior = np.concatenate(
        [[_MEMORYLESS_WEIGHT] * 2, np.repeat(_RHO_WEIGHT, len(_WHITE)) / len(_WHITE)]
    )
    return cells, prior


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Table:
    """Fits under k noises: coefficients (k, 3), covariances (k, 3, 3), log likelihoods, rows."""

    beta: Array
    cov: Array
    likelihood: Array
    hat: Array
    dof: int


def _fit_all(t: Array, s: Array, noises: Array) -> _Table:
    """Fit s0, v, a by generalised least squares under each noise (k, n, n)."""
    design = np.stack([np.ones_like(t), t, t * t / 2], axis=1)
    root = np.linalg.cholesky(noises)
    flat = np.linalg.solve(root, np.broadcast_to(design, (len(noises), *design.shape)))
    normal = np.einsum("kni,knj->kij", flat, flat)
    inverse = np.linalg.inv(normal)
    hat = np.linalg.solve(root.transpose(0, 2, 1), np.einsum("kni,kij->knj", flat, inverse))
    beta = np.einsum("knj,n->kj", hat, s)
    rest = s - np.einsum("ni,ki->kn", design, beta)
    white = np.linalg.solve(root, rest[:, :, None])[:, :, 0]
    dof = len(t) - 3 + _PROMISED
    power = (white * white).sum(axis=1) + _PROMISED
    likelihood = (
        -np.log(np.einsum("kii->ki", root)).sum(axis=1)
        - 0.5 * np.linalg.slogdet(normal)[1]
        - 0.5 * dof * np.log(power)
    )
    cov = inverse * (power / dof)[:, None, None]
    return _Table(beta=beta, cov=cov, likelihood=likelihood, hat=hat, dof=dof)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Mixture:
    """The mixture over all noises; ``share`` (k,) of each, ``weights`` (n,) of the rows."""

    speed_mps: float
    sigma: float
    half95_mps: float
    accel: float
    accel_sigma: float
    share: Array
    weights: Array


def _mixed(table: _Table, prior: Array, *, accel_sigma_mps2: float) -> _Mixture:
    """Weigh the fits, with the acceleration free (inf) or taken as 0 give or take a sigma."""
    speed, accel = table.beta[:, 1], table.beta[:, 2]
    var, cross, var_accel = table.cov[:, 1, 1], table.cov[:, 1, 2], table.cov[:, 2, 2]
    likelihood, pull = table.likelihood, np.zeros_like(speed)
    if np.isfinite(accel_sigma_mps2):
        total = var_accel + accel_sigma_mps2**2
        pull = cross / total
        likelihood = likelihood - 0.5 * (np.log(total) + accel * accel / total)
    speeds = speed - pull * accel
    sigmas = np.sqrt(np.maximum(var - pull * cross, 0.0))
    share = prior * np.exp(likelihood - likelihood.max())
    share = share / share.sum()
    mean = float((share * speeds).sum())
    mean_accel = float((share * accel).sum())
    inflated = table.dof / max(table.dof - 2, 1)
    return _Mixture(
        speed_mps=mean,
        sigma=float(np.sqrt((share * (sigmas**2 * inflated + (speeds - mean) ** 2)).sum())),
        half95_mps=_half_width(share, speeds - mean, sigmas, table.dof),
        accel=mean_accel,
        accel_sigma=float(
            np.sqrt((share * (var_accel * inflated + (accel - mean_accel) ** 2)).sum())
        ),
        share=share,
        weights=np.einsum(
            "k,kn->n", share, table.hat[:, :, 1] - pull[:, None] * table.hat[:, :, 2]
        ),
    )


def _half_width(share: Array, offset: Array, sigma: Array, dof: int) -> float:
    """Return h so that the mixture of Student distributions holds 95 % within +-h."""
    sigma = np.maximum(sigma, 1e-12)
    low, high = 0.0, float(np.max(np.abs(offset) + 60 * sigma))
    for _ in range(60):
        middle = 0.5 * (low + high)
        inside = stdtr(dof, (middle - offset) / sigma) - stdtr(dof, (-middle - offset) / sigma)
        if float((share * inside).sum()) < 0.95:
            low = middle
        else:
            high = middle
    return high
