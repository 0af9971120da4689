"""Surrogate safety measures: closed forms on arrays; inf = never, NaN = unknown or not defined.

``gap_m`` is bumper to bumper; ``closing_mps`` the speed of the second (follower) minus that of
the first (leader). Sources: TTC Hayward 1972; DRAC Almqvist, Hyden and Risser 1991; MTTC Ozbay,
Yang, Bartin and Mudigonda 2008; TET and TIT Minderhoud and Bovy 2001; T2 and extended Delta-V
Laureshyn, Svensson and Hyden 2010 and Laureshyn et al. 2017; MDRAC as in SUMO.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "crossing_drac_mps2",
    "delta_v_mps",
    "drac_mps2",
    "extended_delta_v_mps",
    "following_ttc_s",
    "mdrac_mps2",
    "mttc_s",
    "pet_s",
    "t2_s",
    "tet_s",
    "tit_s2",
]

Array = NDArray[np.float64]

_TINY = 1e-12


def following_ttc_s(gap_m: ArrayLike, *, closing_mps: ArrayLike) -> Array:
    """Return gap / closing speed; inf where the gap does not close, 0 where there is no gap.

    >>> following_ttc_s([35, 35], closing_mps=[5, -1]).tolist()
    [7.0, inf]
    """
    gap, closing = _floats(gap_m, closing_mps)
    ttc = np.where(closing > 0, gap / np.where(closing > 0, closing, 1.0), np.inf)
    return _known(np.where(gap <= 0, 0.0, ttc), gap, closing)


def drac_mps2(gap_m: ArrayLike, *, closing_mps: ArrayLike) -> Array:
    """Return the deceleration that just avoids the leader, closing^2 / (2 gap); 0 if not closing.

    >>> drac_mps2([25], closing_mps=[5]).tolist()
    [0.5]
    """
    gap, closing = _floats(gap_m, closing_mps)
    needed = closing * closing / np.where(gap > 0, 2.0 * gap, 1.0)
    needed = np.where(gap > 0, needed, np.inf)
    return _known(np.where(closing > 0, needed, 0.0), gap, closing)


def crossing_drac_mps2(speed_mps: ArrayLike, *, distance_m: ArrayLike, clear_s: ArrayLike) -> Array:
    """Return the deceleration by which the second comes to the area just when the first has left.

    2 (v - d / t) / t: v speed of the second, d its distance to the area, t when the first is out.
    The factor 2 is part of the formula here: some papers leave it out. 0 where none is needed.

    >>> crossing_drac_mps2([10], distance_m=[15], clear_s=[2]).tolist()
    [2.5]
    """
    speed, distance, clear = _floats(speed_mps, distance_m, clear_s)
    after = np.where(clear > 0, clear, 1.0)
    needed = np.where(clear > 0, 2.0 * (speed - distance / after) / after, 0.0)
    return _known(np.maximum(needed, 0.0), speed, distance, clear)


def mdrac_mps2(ttc_s: ArrayLike, *, closing_mps: ArrayLike, reaction_s: float = 1.0) -> Array:
    """Return closing / (2 (TTC - reaction)); inf where the reaction takes longer than the TTC.

    >>> mdrac_mps2([7, 0.5], closing_mps=[5, 5]).round(4).tolist()
    [0.4167, inf]
    """
    ttc, closing = _floats(ttc_s, closing_mps)
    left = ttc - reaction_s
    needed = np.where(left > 0, closing / np.where(left > 0, 2.0 * left, 1.0), np.inf)
    return _known(np.where(closing > 0, needed, 0.0), ttc, closing)


def mttc_s(gap_m: ArrayLike, *, closing_mps: ArrayLike, closing_mps2: ArrayLike) -> Array:
    """Return the smallest positive root of closing_mps2 t^2 / 2 + closing_mps t = gap, else inf.

    >>> mttc_s([20, 20], closing_mps=[5, 5], closing_mps2=[0, 2]).round(5).tolist()
    [4.0, 2.62348]
    """
    gap, closing, surge = _floats(gap_m, closing_mps, closing_mps2)
    inside = closing * closing + 2.0 * surge * gap
    root = np.sqrt(np.maximum(inside, 0.0))
    # 2 gap / (v + root) is the same root as (-v + root) / a without its loss of digits
    below = closing + root
    early = np.where(below > _TINY, 2.0 * gap / np.where(below > _TINY, below, 1.0), np.inf)
    found = np.where(inside >= 0, early, np.inf)
    return _known(np.where(gap <= 0, 0.0, found), gap, closing, surge)


def pet_s(exit_first_s: ArrayLike, *, entry_second_s: ArrayLike) -> Array:
    """Return the second's entry minus the first's exit; below 0 both were there at once.

    >>> pet_s([10.75], entry_second_s=[11.25]).tolist()
    [0.5]
    """
    left, came = _floats(exit_first_s, entry_second_s)
    return np.asarray(came - left)


def t2_s(arrival_a_s: ArrayLike, *, arrival_b_s: ArrayLike) -> Array:
    """Return the expected arrival of whoever comes second to the common place, s from now.

    >>> t2_s([1.0, np.inf], arrival_b_s=[2.5, 3.0]).tolist()
    [2.5, inf]
    """
    one, two = _floats(arrival_a_s, arrival_b_s)
    return np.asarray(np.maximum(one, two))


def tet_s(ttc_s: ArrayLike, *, t_s: ArrayLike, threshold_s: float = 3.0) -> float:
    """Return how long 0 < TTC <= threshold; each sample stands until the next one.

    >>> t_s = np.arange(0, 7.05, 0.1)
    >>> round(tet_s(7 - t_s, t_s=t_s), 6)
    3.0
    """
    ttc, times = _floats(ttc_s, t_s)
    close = (ttc[:-1] > _TINY) & (ttc[:-1] <= threshold_s + 1e-9)
    return float(np.where(close, np.diff(times), 0.0).sum())


def tit_s2(ttc_s: ArrayLike, *, t_s: ArrayLike, threshold_s: float = 3.0) -> float:
    """Return the integral of (threshold - TTC) where TTC is below it, by trapezoids, s^2.

    >>> t_s = np.arange(0, 7.05, 0.1)
    >>> round(tit_s2(7 - t_s, t_s=t_s), 6)
    4.5
    """
    ttc, times = _floats(ttc_s, t_s)
    short = np.maximum(threshold_s - np.maximum(np.nan_to_num(ttc, nan=np.inf), 0.0), 0.0)
    return float((0.5 * (short[1:] + short[:-1]) * np.diff(times)).sum())


def delta_v_mps(
    velocity_a_mps: ArrayLike,
    *,
    velocity_b_mps: ArrayLike,
    mass_a_kg: ArrayLike,
    mass_b_kg: ArrayLike,
) -> tuple[Array, Array]:
    """Return the changes of speed of both in a plastic impact: m_other / (m + m) |v_b - v_a|.

    Velocities (n, 2), masses (n,).

    >>> one, two = delta_v_mps([[15, 0]], velocity_b_mps=[[0, 10]], mass_a_kg=1500, mass_b_kg=80)
    >>> one.round(3).tolist(), two.round(3).tolist()
    ([0.913], [17.115])
    """
    way = np.asarray(velocity_b_mps, np.float64) - np.asarray(velocity_a_mps, np.float64)
    clash = np.sqrt(way[:, 0] * way[:, 0] + way[:, 1] * way[:, 1])
    heavy_a, heavy_b = _floats(mass_a_kg, mass_b_kg)
    total = heavy_a + heavy_b
    return heavy_b / total * clash, heavy_a / total * clash


def extended_delta_v_mps(
    velocity_a_mps: ArrayLike,
    *,
    velocity_b_mps: ArrayLike,
    mass_a_kg: ArrayLike,
    mass_b_kg: ArrayLike,
    t2_s: ArrayLike,
    braking_mps2: float,
) -> tuple[Array, Array]:
    """Return Delta-V after both braked by ``braking_mps2`` for T2 seconds.

    >>> one, _ = extended_delta_v_mps([[15, 0]], velocity_b_mps=[[0, 10]], mass_a_kg=1500,
    ...                               mass_b_kg=1500, t2_s=[1.2], braking_mps2=4)
    >>> one.round(3).tolist()
    [5.725]
    """
    braked = [
        _braked(np.asarray(velocity, np.float64), braking_mps2 * np.asarray(t2_s, np.float64))
        for velocity in (velocity_a_mps, velocity_b_mps)
    ]
    return delta_v_mps(
        braked[0], velocity_b_mps=braked[1], mass_a_kg=mass_a_kg, mass_b_kg=mass_b_kg
    )


def _braked(velocity_mps: Array, lost_mps: Array) -> Array:
    speed = np.sqrt(velocity_mps[:, 0] ** 2 + velocity_mps[:, 1] ** 2)
    left = np.maximum(speed - lost_mps, 0.0) / np.where(speed > 0, speed, 1.0)
    return velocity_mps * left[:, None]


def _floats(*values: ArrayLike) -> tuple[Array, ...]:
    arrays = np.broadcast_arrays(*(np.asarray(value, np.float64) for value in values))
    return tuple(np.atleast_1d(array) for array in arrays)


def _known(result: Array, *inputs: Array) -> Array:
    """Return the result, NaN where any input is unknown."""
    return np.where(np.logical_or.reduce([np.isnan(one) for one in inputs]), np.nan, result)
