"""What the samples of pairs say: where each pair was nearest, how long, and who evaded."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calmstreet.safety.conflict_rules import ConflictSettings
from calmstreet.safety.samples import Samples
from calmstreet.safety.series import first_lowest, lasting, rolling_median

__all__ = ["Course", "course_of"]

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_MEDIAN_S = 0.3
_ONSET_NS = 600_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Course:
    """The samples of n pairs (``bounds`` (n + 1,) rows of each) and what follows from them.

    ``smooth_s`` the 0.3 s median of the TTC (of given trajectories the TTC itself); ``at`` (n,)
    the row at which each pair was nearest, -1 where never on a collision course; ``straight``
    only on straight lines; ``held`` short for long enough; ``evaded`` somebody braked hard or
    swerved on a short TTC; ``drac_mps2`` (n,) highest; ``first``, ``last`` rows on a collision
    course.
    """

    samples: Samples
    smooth_s: Array
    bounds: Ints
    at: Ints
    straight: Bools
    held: Bools
    evaded: Bools
    drac_mps2: Array
    first: Ints
    last: Ints

    def rows_of(self, pair: int) -> slice:
        """Return the rows of one pair."""
        return slice(int(self.bounds[pair]), int(self.bounds[pair + 1]))


def course_of(rows: Samples, *, numbers: Ints, born_ns: Ints, settings: ConflictSettings) -> Course:
    """Return the course of pairs ``numbers`` (n,) rising; ``rows`` lie by pair, then time.

    ``born_ns`` (n,) is when the younger of both was first seen.
    """
    n = len(numbers)
    group = np.searchsorted(numbers, rows.pair)
    old = rows.given | (rows.t_ns - born_ns[group] >= round(settings.least_age_s * 1e9))
    smooth = rolling_median(
        np.where(old, rows.ttc_s, np.nan), group=group, t_ns=rows.t_ns, width_s=_MEDIAN_S
    )
    smooth = np.where(rows.given, rows.ttc_s, smooth)
    counts = old & (rows.closing_mps >= settings.closing_mps)
    counts &= smooth <= settings.interacting_ttc_s
    on_path = first_lowest(np.where(counts & rows.on_paths, smooth, np.inf), group=group, groups=n)
    any_way = first_lowest(np.where(counts, smooth, np.inf), group=group, groups=n)
    straight = (on_path < 0) & (any_way >= 0)
    counts &= rows.on_paths | straight[group]
    sure = counts & rows.on_paths
    order = np.flatnonzero(counts)
    first, last = np.full(n, -1, np.int64), np.full(n, -1, np.int64)
    last[group[order]] = order
    first[group[order[::-1]]] = order[::-1]
    drac = np.full(n, -np.inf)
    np.maximum.at(drac, group[order], rows.drac_mps2[order])
    short = sure & (rows.ttc_s <= settings.ttc_s)
    return Course(
        samples=rows,
        smooth_s=smooth,
        bounds=np.searchsorted(group, np.arange(n + 1)),
        at=np.where(on_path >= 0, on_path, any_way),
        straight=straight,
        held=lasting(short, group=group, t_ns=rows.t_ns, least_s=settings.ttc_for_s, groups=n),
        evaded=_evaded(rows, group, smooth, sure, settings, n),
        drac_mps2=np.where(drac >= 0, drac, np.nan),
        first=first,
        last=last,
    )


def _evaded(
    rows: Samples, group: Ints, smooth: Array, sure: Bools, settings: ConflictSettings, n: int
) -> Bools:
    """Return which pairs saw hard braking or swerving begin on a short TTC."""
    before = np.zeros(len(rows), np.bool_)
    before[1:] = (np.diff(group) == 0) & (np.diff(rows.t_ns) <= _ONSET_NS)
    short = sure & (smooth <= settings.evasion_ttc_s)
    soon = short.copy()
    for offset in (1, 2, 3):
        recent = (group[offset:] == group[:-offset]) & (
            rows.t_ns[offset:] - rows.t_ns[:-offset] <= _ONSET_NS
        )
        soon[offset:] |= recent & short[:-offset]
    acts = np.zeros(len(rows), np.bool_)
    for braking, swerving, mine in (
        (rows.braking_a_mps2, rows.swerving_a_mps2, rows.lane >= 0),
        (rows.braking_b_mps2, rows.swerving_b_mps2, rows.lane <= 0),
    ):
        hard = (braking >= settings.braking_mps2) | (swerving >= settings.swerving_mps2)
        acts |= mine & hard & before & ~np.concatenate([[True], hard[:-1]])
    found = np.zeros(n, np.bool_)
    found[group[acts & soon]] = True
    return found
