"""Smoothed rows of a stored run, beside the causal ones: for pictures, exports and studies.

Long runs are smoothed in spans of a minute, each with ten seconds before and after it: a smoother
forgets within two or three, so that the cut hardly shows (by what became known of a length
meanwhile), and memory stays bounded.
"""

from collections.abc import Iterator
from itertools import count

import numpy as np

from calmstreet.geometry.plane import Plane
from calmstreet.model.points import TrackPoints, concat_points
from calmstreet.model.run import Run
from calmstreet.perception.smoothing import smoothed_rows
from calmstreet.pipeline.counting import step_blocks
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.points import write_smoothed
from calmstreet.units import ns_from_s

__all__ = ["smooth_run", "smoothed_spans"]

SPAN_S = 60.0
MARGIN_S = 10.0


def smooth_run(catalogue: Catalogue, run: Run, plane: Plane) -> int:
    """Store the smoothed rows of a run; return how many there are."""
    rows = 0
    blocks = (points for _, points in step_blocks(catalogue, run) if len(points))
    for sequence, points in zip(count(), smoothed_spans(blocks, plane), strict=False):
        catalogue.add_file(write_smoothed(catalogue.folder, points, sequence=sequence))
        rows += len(points)
    return rows


def smoothed_spans(
    blocks: Iterator[TrackPoints],
    plane: Plane,
    *,
    span_s: float = SPAN_S,
    margin_s: float = MARGIN_S,
) -> Iterator[TrackPoints]:
    """Yield the smoothed rows of blocks of whole steps in spans of time, in their order."""
    span_ns, margin_ns = ns_from_s(span_s), ns_from_s(margin_s)
    held: list[TrackPoints] = []
    start_ns = -1
    for block in blocks:
        held.append(block)
        if start_ns < 0:
            start_ns = int(block.t_ns[0])
        while held and held[-1].t_ns[-1] >= start_ns + span_ns + margin_ns:
            rows = concat_points(held)
            end_ns = start_ns + span_ns
            yield from _emitted(rows, plane, start_ns, end_ns, margin_ns)
            held = [rows[rows.t_ns >= end_ns - margin_ns]]
            start_ns = end_ns
    if held:
        rows = concat_points(held)
        yield from _emitted(rows, plane, start_ns, int(rows.t_ns[-1]) + 1, margin_ns)


def _emitted(
    rows: TrackPoints, plane: Plane, start_ns: int, end_ns: int, margin_ns: int
) -> Iterator[TrackPoints]:
    """Yield what lies in a span, smoothed with what lies around it."""
    near = rows[rows.t_ns < end_ns + margin_ns]
    if not len(near):
        return
    smooth = smoothed_rows(near, plane)
    mine = (smooth.t_ns >= start_ns) & (smooth.t_ns < end_ns)
    if np.count_nonzero(mine):
        yield smooth[mine]
