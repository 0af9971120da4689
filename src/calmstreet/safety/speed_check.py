"""Our speeds beside those of a radar or of a drive with GPS: who is who, bias, spread, coverage."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from calmstreet.geometry.shapes import Line, steps_through

__all__ = ["FEWEST_MATCHED", "compare", "drive_through", "match_times"]

Array = NDArray[np.float64]
FEWEST_MATCHED = 10
"""So many matched passages are needed before a camera may be called verified."""
_K95 = 1.959963984540054
_NEAR_S = 1.5


def match_times(
    ours_ns: NDArray[np.int64], reference_ns: NDArray[np.int64], *, window_s: float
) -> list[tuple[int, int]]:
    """Pair instants one to one, the nearest first, none further apart than the window.

    Return pairs (row of ours, row of the reference).

    >>> second = 1_000_000_000
    >>> match_times(np.array([0, second]), np.array([second // 5, 9 * second]), window_s=1.0)
    [(0, 0)]
    """
    apart = np.abs(ours_ns[:, None] - reference_ns[None, :]) / 1e9
    rows, columns = np.nonzero(apart <= window_s)
    order = np.lexsort((columns, rows, apart[rows, columns]))
    pairs: list[tuple[int, int]] = []
    taken: tuple[set[int], set[int]] = (set(), set())
    for mine, other in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        if mine not in taken[0] and other not in taken[1]:
            taken[0].add(mine)
            taken[1].add(other)
            pairs.append((mine, other))
    return sorted(pairs)


def compare(
    ours_mps: Array, half95_mps: Array, site_mps: Array, reference_mps: Array
) -> dict[str, float | int | bool]:
    """Compare matched speeds (n,): bias with its 95 % interval, spread, coverage, passed.

    Passed: at least FEWEST_MATCHED, and the bias no greater than its own interval and the site
    part of our uncertainty (``site_mps``, one sigma per row) together allow.

    >>> ones = np.ones(12)
    >>> found = compare(13.9 * ones, 0.5 * ones, 0.2 * ones, 13.8 * ones)
    >>> round(found["bias_mps"], 3), found["coverage"], found["passed"]
    (0.1, 1.0, True)
    """
    n = len(ours_mps)
    difference = ours_mps - reference_mps
    bias = float(difference.mean()) if n else float("nan")
    spread = float(difference.std(ddof=1)) if n > 1 else float("nan")
    half = float(stdtrit(n - 1, 0.975)) * spread / np.sqrt(n) if n > 1 else float("nan")
    allowed = float(np.hypot(half, _K95 * site_mps.mean())) if n else 0.0
    return {
        "n": n,
        "bias_mps": bias,
        "bias_half95_mps": float(half),
        "spread_mps": spread,
        "coverage": float((np.abs(difference) <= half95_mps).mean()) if n else float("nan"),
        "passed": bool(n >= FEWEST_MATCHED and abs(bias) <= allowed),
    }


def drive_through(t_ns: NDArray[np.int64], xy_m: Array, line: Line) -> list[tuple[int, float]]:
    """Return when a drive (times, places (n, 2) m) crossed a line, and how fast in m/s.

    The speed is the slope of the way over the fixes within 1.5 s of the crossing, or over the two
    fixes around it where there are no more.
    """
    hits = steps_through(line, xy_m[:-1], xy_m[1:])
    found = []
    for step, share, own in zip(
        hits.step.tolist(), hits.share.tolist(), hits.own.tolist(), strict=True
    ):
        if own:
            at_ns = int(t_ns[step] + share * (t_ns[step + 1] - t_ns[step]))
            found.append((at_ns, _pace(t_ns, xy_m, at_ns, step)))
    return found


def _pace(t_ns: NDArray[np.int64], xy_m: Array, at_ns: int, step: int) -> float:
    near = np.abs(t_ns - at_ns) <= _NEAR_S * 1e9
    near[[step, step + 1]] = True
    rows = np.flatnonzero(near)
    t_s = (t_ns[rows] - at_ns) / 1e9
    steps = np.hypot(*np.diff(xy_m[rows], axis=0).T)
    reach = np.concatenate([[0.0], np.cumsum(steps)])
    middle = t_s - t_s.mean()
    return float((middle * reach).sum() / (middle * middle).sum())
