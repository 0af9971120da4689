"""Series on one even grid of time: what was not watched is missing, and missing is not zero.

Rows come as they were written down: with gaps, twice, out of order, partly watched. Every repair is
counted and told; nothing is filled in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import InputError
from calmstreet.units import NS_PER_S, local_datetime

__all__ = ["DAY_NS", "Grid", "LEAST_EXPOSURE", "grid_of", "step_of", "wall_clock"]

Floats = NDArray[np.float32]
Times = NDArray[np.int64]
DAY_NS = 86_400 * NS_PER_S
LEAST_EXPOSURE = 0.8
_MOST_CELLS = 400_000_000
_MINUTE_NS = 60 * NS_PER_S
_NICE_MIN = (1, 2, 3, 5, 6, 10, 12, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720, 1440)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grid:
    """Values (s, t) of s series at t even steps; NaN is missing.

    ``start_ns`` UTC of the first step, ``wall_ns`` (t,) its local clock as if it were UTC;
    ``whole`` says that all values are counts; ``repairs`` counts what was wrong with the rows;
    ``outside`` (t,) holds other known columns, such as weather, by name.
    """

    names: tuple[str, ...]
    values: Floats
    start_ns: int
    step_ns: int
    tz: str
    wall_ns: Times
    whole: bool
    repairs: Mapping[str, int] = field(default_factory=dict)
    outside: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def steps_per_day(self) -> int:
        """Return how many steps a day has, at least one."""
        return max(1, DAY_NS // self.step_ns)

    def until(self, end: int) -> "Grid":
        """Return the first ``end`` steps, as if nothing later were known."""
        return Grid(
            names=self.names,
            values=self.values[:, :end],
            start_ns=self.start_ns,
            step_ns=self.step_ns,
            tz=self.tz,
            wall_ns=self.wall_ns[:end],
            whole=self.whole,
            repairs=self.repairs,
            outside={name: column[:end] for name, column in self.outside.items()},
        )

    def times_ns(self, first: int, count: int) -> Times:
        """Return UTC times of ``count`` steps from ``first``, which may lie in the future."""
        return self.start_ns + self.step_ns * np.arange(first, first + count, dtype=np.int64)


def step_of(t_ns: Times, *, series: NDArray[np.int32]) -> int:
    """Return the step in ns: the most frequent distance of neighbours, as a usual length.

    Raises InputError when no series has two different times.

    >>> step_of(np.array([0, 900, 1800, 4500]) * NS_PER_S, series=np.zeros(4, np.int32)) // NS_PER_S
    900
    """
    few = series <= np.sort(np.unique(series))[:200][-1] if len(series) else np.zeros(0, bool)
    order = np.lexsort((t_ns[few], series[few]))
    times, owner = t_ns[few][order], series[few][order]
    gap = np.diff(times)[(np.diff(owner) == 0) & (np.diff(times) > 0)]
    if not len(gap):
        raise InputError("no series has two different times, so there is no step; give more rows")
    sizes, counts = np.unique(gap, return_counts=True)
    usual = int(sizes[np.argmax(counts)])
    nice = np.array(_NICE_MIN, np.int64) * _MINUTE_NS
    near = int(nice[np.argmin(np.abs(np.log(nice / usual)))])
    return near if abs(near - usual) <= 0.1 * usual else usual


def wall_clock(times_ns: Times, tz: str) -> Times:
    """Return the local clock (n,) of UTC times, as ns as if it were UTC.

    >>> wall_clock(np.array([0]), "Asia/Almaty").tolist()[0] // 3_600_000_000_000
    6
    """
    if tz == "UTC":
        return times_ns.copy()
    quarter = 900 * NS_PER_S
    parts, back = np.unique(times_ns // quarter, return_inverse=True)
    offset = [_offset_ns(int(part) * quarter, tz) for part in parts]
    return times_ns + np.asarray(offset, np.int64)[back]


def _offset_ns(t_ns: int, tz: str) -> int:
    shift = local_datetime(t_ns, tz).utcoffset()
    return round(shift.total_seconds()) * NS_PER_S if shift is not None else 0


def grid_of(
    names: Sequence[str],
    *,
    series: NDArray[np.int32],
    t_ns: Times,
    value: NDArray[np.float64],
    exposure_share: NDArray[np.float64] | None = None,
    outside: Mapping[str, NDArray[np.float64]] | None = None,
    tz: str = "UTC",
    step_ns: int | None = None,
    zero_is_missing: bool = False,
) -> Grid:
    """Lay rows (n,) on a grid; ``series`` are places in ``names``.

    Rows watched for less than 80 % are missing, others are scaled up; negative and infinite values
    are missing; the same time twice with different values is missing; different times of one step
    are averaged. All of that is counted in ``repairs``. Raises InputError for shares outside 0..1
    and grids too large for memory.

    >>> grid = grid_of(["a"], series=np.zeros(3, np.int32), value=np.array([1.0, 2.0, 4.0]),
    ...     t_ns=np.array([0, 900, 2700]) * NS_PER_S)
    >>> grid.values.tolist()
    [[1.0, 2.0, nan, 4.0]]
    """
    step = step_ns or step_of(t_ns, series=series)
    if step >= DAY_NS:
        t_ns, tz = wall_clock(t_ns, tz), "UTC"
    repairs: dict[str, int] = {}
    clean = _cleaned(value, exposure_share, repairs, zero_is_missing=zero_is_missing)
    start = int(t_ns.min()) // step * step
    slot = (t_ns - start) // step
    count = int(slot.max()) + 1
    if count * len(names) > _MOST_CELLS:
        raise InputError(
            f"{len(names)} series over {count} steps of {step / NS_PER_S:g} s do not fit in "
            "memory; cut the table into parts or check its times"
        )
    values = _laid(series, slot, t_ns, clean, shape=(len(names), count), repairs=repairs)
    times = start + step * np.arange(count, dtype=np.int64)
    known = values[np.isfinite(values)]
    return Grid(
        names=tuple(names),
        values=values,
        start_ns=start,
        step_ns=step,
        tz=tz,
        wall_ns=wall_clock(times, tz),
        whole=bool(len(known)) and _all_whole(value),
        repairs=repairs,
        outside={k: _outside(slot, v, count) for k, v in (outside or {}).items()},
    )


def _all_whole(value: NDArray[np.float64]) -> bool:
    known = value[np.isfinite(value)]
    return bool((known == np.round(known)).all())


def _cleaned(
    value: NDArray[np.float64],
    exposure_share: NDArray[np.float64] | None,
    repairs: dict[str, int],
    *,
    zero_is_missing: bool,
) -> NDArray[np.float64]:
    clean = np.asarray(value, np.float64).copy()
    bad = {"negative": clean < 0, "infinite": np.isinf(clean)}
    if zero_is_missing:
        bad["zero"] = clean == 0
    if exposure_share is not None:
        share = np.where(np.isnan(exposure_share), 1.0, exposure_share)
        if ((share < 0) | (share > 1.02)).any():
            odd = share[(share < 0) | (share > 1.02)][0]
            raise InputError(f"exposure_share {odd:g} is not within 0 and 1; write 0.95 for 95 %")
        bad["unwatched"] = (share < LEAST_EXPOSURE) & np.isfinite(clean)
        with np.errstate(divide="ignore", invalid="ignore"):
            clean = clean / np.clip(share, 1e-9, 1.0)
    for reason, rows in bad.items():
        if rows.any():
            repairs[reason] = int(rows.sum())
            clean[rows] = np.nan
    return clean


def _laid(
    series: NDArray[np.int32],
    slot: Times,
    t_ns: Times,
    clean: NDArray[np.float64],
    *,
    shape: tuple[int, int],
    repairs: dict[str, int],
) -> Floats:
    """Return values (s, t); what stands twice is averaged, or missing where it contradicts."""
    values = np.full(shape, np.nan, np.float32)
    cells = series.astype(np.int64) * shape[1] + slot
    if len(np.unique(cells)) == len(cells):
        values.reshape(-1)[cells] = clean
        return values
    order = np.lexsort((clean, t_ns, cells))
    order = order[np.isfinite(clean[order])]
    cell, time, number = cells[order], t_ns[order], clean[order]
    same_time = (np.diff(cell) == 0) & (np.diff(time) == 0)
    differs = np.abs(np.diff(number)) > 1e-9 * np.abs(number[1:])
    twice = np.zeros(len(cell), bool)
    twice[1:] = same_time & ~differs
    contradicted = np.unique(cell[1:][same_time & differs])
    cell, number = cell[~twice], number[~twice]
    _count(repairs, "repeated", int(twice.sum()))
    unique, back, often = np.unique(cell, return_inverse=True, return_counts=True)
    mean = np.bincount(back, number) / np.maximum(often, 1) if len(unique) else number
    lost = np.isin(unique, contradicted)
    _count(repairs, "contradicted", len(contradicted))
    _count(repairs, "averaged", int(((often > 1) & ~lost).sum()))
    values.reshape(-1)[unique] = np.where(lost, np.nan, mean)
    return values


def _count(repairs: dict[str, int], reason: str, rows: int) -> None:
    if rows:
        repairs[reason] = rows


def _outside(slot: Times, column: NDArray[np.float64], count: int) -> Floats:
    """Return another column (t,): the mean of its known rows of each step."""
    known = np.isfinite(column)
    total = np.bincount(slot[known], column[known], minlength=count)
    often = np.bincount(slot[known], minlength=count)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (total / often).astype(np.float32)
