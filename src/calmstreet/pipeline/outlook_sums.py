"""Series that add up: sums are made from their parts, and forecasts of both agree to 1e-6."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import FormatError
from calmstreet.forecast.engine import Fitted
from calmstreet.forecast.grid import Grid
from calmstreet.forecast.hierarchy import reconciled, summing_matrix
from calmstreet.forecast.lags import LookBack
from calmstreet.pipeline.outlook_tables import read_table

__all__ = ["agreed", "read_parts", "with_sums"]

Floats = NDArray[np.float32]


def read_parts(path: Path, grid: Grid) -> dict[str, list[str]]:
    """Return the parts of each sum from a table ``series, parent``.

    Raises FormatError for a series that is neither in the counts nor a parent.
    """
    table = read_table(path)
    parts: dict[str, list[str]] = {}
    for child, parent in zip(table.names("series"), table.words("parent"), strict=True):
        if parent:
            parts.setdefault(parent, []).append(child)
    known = {*grid.names, *parts}
    strange = [c for members in parts.values() for c in members if c not in known]
    if strange:
        raise FormatError(f"{path.name}: series {strange[0]!r} is not in the counts; check it")
    return parts


def with_sums(grid: Grid, parts: Mapping[str, list[str]]) -> tuple[Grid, NDArray[np.float64]]:
    """Return the grid with a series for each sum, and the summing matrix in its order.

    A sum is known where all its parts are. Series of the counts that are sums are made anew.
    """
    bottom = [name for name in grid.names if name not in parts]
    names = [*parts, *bottom]
    summing = summing_matrix(names, parts=parts)
    place = {name: i for i, name in enumerate(grid.names)}
    own = grid.values[[place[name] for name in bottom]].astype(np.float64)
    known = np.isfinite(own)
    total = summing @ np.where(known, own, 0)
    lost = (summing @ (~known).astype(float)) > 0
    values = np.where(lost, np.nan, total).astype(np.float32)
    return Grid(
        names=tuple(names),
        values=values,
        start_ns=grid.start_ns,
        step_ns=grid.step_ns,
        tz=grid.tz,
        wall_ns=grid.wall_ns,
        whole=grid.whole,
        repairs=grid.repairs,
        outside=grid.outside,
    ), summing


def agreed(
    quantiles: NDArray[np.float64], *, grid: Grid, fitted: Fitted, summing: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return quantiles (5, s, h) whose medians add up; the others move with their median.

    Steps at which a part is unknown keep what they have, and their sums become unknown.
    """
    found = quantiles.copy()
    residuals = _residuals(grid, fitted)
    median = quantiles[2]
    known = np.isfinite(median).all(axis=0)
    best = reconciled(median[:, known], summing=summing, residuals=residuals)
    bottom = np.argmax(summing, axis=1)[(summing.sum(axis=1) == 1)]
    single = np.flatnonzero(summing.sum(axis=1) == 1)
    leaves = np.round(np.maximum(best[single[np.argsort(bottom)]], 0), 4)
    best = summing @ leaves
    moved = best - median[:, known]
    found[:, :, known] = np.maximum(found[:, :, known] + moved[None], 0)
    found[2][:, known] = best
    sums = summing.sum(axis=1) > 1
    found[:, sums[:, None] & ~known[None]] = np.nan
    return found


def _residuals(grid: Grid, fitted: Fitted) -> NDArray[np.float64] | None:
    """Return errors (s, t) of the first group one step ahead, newest 500; None for too few."""
    count = grid.values.shape[1]
    at = np.arange(max(2, count - 500), count, dtype=np.int64)
    look = LookBack(grid, ahead=0)
    group = fitted.groups[0]
    median = fitted.quantiles(look, at, origin=at - 1, group=group)[2]
    errors = (grid.values[:, at] - median).astype(np.float64)
    enough = np.isfinite(errors).all(axis=0).sum() >= 50
    return errors if enough else None
