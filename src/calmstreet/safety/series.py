"""Series of many pairs in one column: medians, lowest values and runs within each pair."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["first_lowest", "lasting", "rolling_median"]

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_MOST_AROUND = 12


def rolling_median(values: Array, *, group: Ints, t_ns: Ints, width_s: float) -> Array:
    """Return the median of each group's values within half the width before and after.

    Rows lie by group, then time; inf counts as a value.

    >>> rolling_median(np.array([5.0, 1.0, 4.0]), group=np.zeros(3, int),
    ...                t_ns=np.array([0, 1, 2]) * 10**8, width_s=0.3).tolist()
    [3.0, 4.0, 2.5]
    """
    half_ns = round(width_s * 5e8)
    columns = [values]
    for offset in range(1, _MOST_AROUND + 1):
        near = (group[offset:] == group[:-offset]) & (t_ns[offset:] - t_ns[:-offset] <= half_ns)
        if not near.any():
            break
        ahead, back = np.full(len(values), np.nan), np.full(len(values), np.nan)
        ahead[:-offset][near] = values[offset:][near]
        back[offset:][near] = values[:-offset][near]
        columns += [ahead, back]
    ordered = np.sort(np.stack(columns, axis=1), axis=1)
    known = (~np.isnan(ordered)).sum(axis=1)
    row = np.arange(len(values))
    low, high = np.maximum(known - 1, 0) // 2, known // 2
    low_value, high_value = ordered[row, low], ordered[row, np.minimum(high, len(columns) - 1)]
    same = low_value == high_value
    return np.asarray(np.where(same, low_value, 0.5 * (low_value + high_value)))


def first_lowest(values: Array, *, group: Ints, groups: int) -> Ints:
    """Return for each group the row of its lowest value (the first one), -1 without a finite one.

    >>> first_lowest(np.array([3.0, 2.0, np.inf]), group=np.array([0, 0, 2]), groups=3).tolist()
    [1, -1, -1]
    """
    found = np.full(groups, -1, np.int64)
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.lexsort((known, values[known], group[known]))]
    first = np.diff(group[order], prepend=-1) != 0
    found[group[order[first]]] = order[first]
    return found


def lasting(
    holds: Bools, *, group: Ints, t_ns: Ints, least_s: float, groups: int, gap_s: float = 0.35
) -> Bools:
    """Return for each group whether ``holds`` stays true for ``least_s`` without a gap.

    A sample stands until the next one, so that three samples 0.1 s apart last 0.3 s.

    >>> lasting(np.array([True, True, True]), group=np.zeros(3, int), least_s=0.3, groups=1,
    ...         t_ns=np.array([0, 1, 2]) * 10**8).tolist()
    [True]
    """
    result = np.zeros(groups, np.bool_)
    if not holds.any():
        return result
    step_ns = np.diff(t_ns, append=t_ns[-1:])
    step_ns[np.append(np.diff(group) != 0, True)] = 0
    usual = np.median(step_ns[step_ns > 0]) if (step_ns > 0).any() else 0
    step_ns = np.where((step_ns <= 0) | (step_ns > gap_s * 1e9), usual, step_ns)
    rows = np.flatnonzero(holds)
    fresh = np.diff(rows, prepend=-2) != 1
    fresh |= np.diff(group[rows], prepend=-1) != 0
    fresh |= np.diff(t_ns[rows], prepend=0) > gap_s * 1e9
    run = np.cumsum(fresh) - 1
    long_ns = np.zeros(int(run[-1]) + 1)
    np.add.at(long_ns, run, step_ns[rows])
    done = long_ns >= least_s * 1e9 - 1e6
    result[group[rows[fresh]][done]] = True
    return result
