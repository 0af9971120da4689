"""Synthetic streets: counts with a daily and weekly shape, slow surprises and chance."""

import numpy as np

from calmstreet.forecast.grid import Grid, grid_of, wall_clock

STEP_NS = 900 * 10**9


def a_street(
    *, series: int = 6, weeks: int = 10, step_min: int = 60, seed: int = 1, tz: str = "UTC"
) -> Grid:
    """Return counts of ``series`` gates: what a model can learn beyond last week is in them."""
    random = np.random.default_rng(seed)
    step_ns = step_min * 60 * 10**9
    count = weeks * 7 * 1440 // step_min
    t_ns = np.arange(count, dtype=np.int64) * step_ns + 1_767_225_600 * 10**9
    wall = wall_clock(t_ns, tz)
    day_share = wall % (86_400 * 10**9) / (86_400 * 10**9)
    weekend = (wall // (86_400 * 10**9) + 3) % 7 >= 5
    values = np.empty((series, count))
    for i in range(series):
        shape = np.exp(1.2 * np.sin(2 * np.pi * (day_share - 0.3 - 0.02 * i)))
        shape = shape * np.where(weekend, 0.6, 1.0) * random.uniform(30, 90)
        drift = np.zeros(count)
        for k in range(1, count):
            drift[k] = 0.95 * drift[k - 1] + random.normal(0, 0.08)
        values[i] = random.poisson(shape * np.exp(drift))
    return Grid(
        names=tuple(f"gate-{i}" for i in range(series)),
        values=values.astype(np.float32),
        start_ns=int(t_ns[0]),
        step_ns=step_ns,
        tz=tz,
        wall_ns=wall,
        whole=True,
    )


def rows_of(values: list[float], *, step_ns: int = STEP_NS, tz: str = "UTC") -> Grid:
    """Return one series of values, one a step."""
    return grid_of(
        ["one"],
        series=np.zeros(len(values), np.int32),
        t_ns=np.arange(len(values), dtype=np.int64) * step_ns,
        value=np.array(values, float),
        tz=tz,
        step_ns=step_ns,
    )
