"""Forecasts that add up: approach, junction, corridor, city.

Bottom up, or minimum trace with shrunk error covariance (Wickramasuriya, Athanasopoulos and
Hyndman, 2019; shrinkage of Schäfer and Strimmer, 2005).
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calmstreet.errors import InputError

__all__ = ["reconciled", "summing_matrix"]

Floats = NDArray[np.float64]


def summing_matrix(names: Sequence[str], *, parts: Mapping[str, Sequence[str]]) -> Floats:
    """Return S (n, b): which of the b bottom series each of the n ``names`` adds up.

    ``parts`` names the members of each sum, which may be sums; the others are the bottom, in the
    order of ``names``. Raises InputError for a member that is not there and for circles.

    >>> summing_matrix(["all", "a", "b"], parts={"all": ["a", "b"]}).tolist()
    [[1.0, 1.0], [1.0, 0.0], [0.0, 1.0]]
    """
    bottom = {name: i for i, name in enumerate(n for n in names if n not in parts)}
    found: dict[str, Floats] = dict(zip(bottom, np.eye(len(bottom)), strict=True))

    def row_of(name: str, above: tuple[str, ...]) -> Floats:
        if name in above:
            raise InputError(f"hierarchy: {name!r} is a part of itself; remove the circle")
        if name not in found:
            if name not in parts:
                raise InputError(f"hierarchy: {name!r} is no series; check the spelling")
            rows = [row_of(part, (*above, name)) for part in parts[name]]
            found[name] = np.sum(rows, axis=0)
        return found[name]

    return np.array([row_of(name, ()) for name in names])


def reconciled(
    forecast: ArrayLike, *, summing: Floats, residuals: ArrayLike | None = None
) -> Floats:
    """Return forecasts (n, h) that add up, nearest to those given by the errors of each series.

    ``residuals`` (n, t) of the past weigh the series (minimum trace, shrunk); without any the
    bottom is added up.

    >>> s = summing_matrix(["all", "a", "b"], parts={"all": ["a", "b"]})
    >>> reconciled([[10.0], [4.0], [5.0]], summing=s).tolist()
    [[9.0], [4.0], [5.0]]
    """
    base = np.asarray(forecast, np.float64)
    bottom = (summing.sum(axis=1) == 1) & (np.abs(summing).max(axis=1) == 1)
    if residuals is None:
        own = base[bottom]
        order = np.argmax(summing[bottom], axis=1)
        return np.asarray(summing @ own[np.argsort(order)])
    weight = np.linalg.pinv(_covariance(np.asarray(residuals, np.float64)))
    gain = np.linalg.solve(summing.T @ weight @ summing, summing.T @ weight)
    return np.asarray(summing @ (gain @ base))


def _covariance(residuals: Floats) -> Floats:
    """Return the error covariance (n, n), its correlations shrunk to none by their own doubt."""
    known = np.isfinite(residuals).all(axis=0)
    errors = residuals[:, known]
    count = errors.shape[1]
    sd = np.sqrt((errors**2).mean(axis=1)) + 1e-9
    scaled = errors / sd[:, None]
    correlation = scaled @ scaled.T / max(1, count)
    product = scaled[:, None, :] * scaled[None, :, :]
    doubt = product.var(axis=2) / max(1, count - 1)
    off = ~np.eye(len(sd), dtype=bool)
    square = (correlation[off] ** 2).sum()
    share = float(np.clip(doubt[off].sum() / square, 0, 1)) if square > 0 else 1.0
    shrunk = np.where(off, (1 - share) * correlation, 1.0)
    return shrunk * np.outer(sd, sd)
