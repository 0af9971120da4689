"""Whether every second of a camera is accounted for: watched, or a declared gap."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.run import Run
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.points import last_step_ns
from calmstreet.units import NS_PER_S

__all__ = ["Accounted", "accounted", "exposures_s", "watched_until_ns"]

_MEASURES = ("counts", "speeds", "conflicts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounted:
    """How a span of wall time was spent: watched, a declared gap, or nobody knows; seconds."""

    stored_s: float
    gap_s: float
    unaccounted_s: float

    @property
    def share(self) -> float:
        """Return the share of the span that is accounted for; 1 for an empty span.

        >>> Accounted(stored_s=6.0, gap_s=3.0, unaccounted_s=1.0).share
        0.9
        """
        whole_s = self.stored_s + self.gap_s + self.unaccounted_s
        return 1.0 if whole_s == 0 else (self.stored_s + self.gap_s) / whole_s


def accounted(catalogue: Catalogue, camera_id: str, *, start_ns: int, end_ns: int) -> Accounted:
    """Return how the span was spent: runs, published or not, then gaps that affect all, then rest.

    Where a run and a gap overlap the run counts; what two runs cover counts once. An open run ends
    with its last step on the disk.
    """
    runs = _watched(catalogue, camera_id)
    gaps = [
        (gap.start_ns, gap.end_ns)
        for gap in catalogue.gaps(camera_id, start_ns=start_ns, end_ns=end_ns)
        if gap.affects == "all"
    ]
    stored_ns = _covered_ns(runs, start_ns, end_ns)
    known_ns = _covered_ns([*runs, *gaps], start_ns, end_ns)
    return Accounted(
        stored_s=stored_ns / NS_PER_S,
        gap_s=(known_ns - stored_ns) / NS_PER_S,
        unaccounted_s=(max(end_ns - start_ns, 0) - known_ns) / NS_PER_S,
    )


def exposures_s(
    catalogue: Catalogue, camera_id: str, *, start_ns: int, end_ns: int
) -> dict[str, float]:
    """Return how long counts, speeds and conflicts were watched, as far as pictures go; seconds.

    That is the time of runs that may be counted without the gaps that take that exposure; whether a
    camera is calibrated is not asked.
    """
    runs = _watched(catalogue, camera_id, counted=True)
    gaps = catalogue.gaps(camera_id, start_ns=start_ns, end_ns=end_ns)
    found = {}
    for measure in _MEASURES:
        without = [(g.start_ns, g.end_ns) for g in gaps if measure in g.affects.split("+")]
        both_ns = _covered_ns([*runs, *without], start_ns, end_ns)
        found[measure] = (both_ns - _covered_ns(without, start_ns, end_ns)) / NS_PER_S
    return found


def _watched(
    catalogue: Catalogue, camera_id: str, *, counted: bool = False
) -> list[tuple[int, int]]:
    return [
        (run.start_ns, watched_until_ns(catalogue, run))
        for live in (True, False)
        for run in catalogue.runs(live=live)
        if run.camera_id == camera_id and (run.counted or not counted)
    ]


def watched_until_ns(catalogue: Catalogue, run: Run) -> int:
    """Return the last moment of a run; of an open one its last step on the disk."""
    if run.state != "open":
        return run.end_ns
    files = catalogue.step_files(run.run_id)
    part_ns = last_step_ns(catalogue.folder, run.camera_id, run.run_id)
    return max([run.end_ns, *(file.end_ns for file in files), *([part_ns] if part_ns else [])])


def _covered_ns(spans: Iterable[tuple[int, int]], start_ns: int, end_ns: int) -> int:
    """Return how much of the span start_ns..end_ns the spans cover together."""
    inside: NDArray[np.int64] = np.array(
        sorted((max(a, start_ns), min(b, end_ns)) for a, b in spans if a < end_ns and b > start_ns),
        np.int64,
    ).reshape(-1, 2)
    if not len(inside):
        return 0
    ends = np.maximum.accumulate(inside[:, 1])
    starts = np.maximum(inside[1:, 0], ends[:-1])
    return int(inside[0, 1] - inside[0, 0] + np.maximum(inside[1:, 1] - starts, 0).sum())
