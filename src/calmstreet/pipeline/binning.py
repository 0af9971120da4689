"""Bins of a result for pages that must not count again: quarter hours, hours and days by run."""

from calmstreet.model.bins import Bins
from calmstreet.pipeline.collected import Collected
from calmstreet.safety.bins import aggregate, minute_bins
from calmstreet.store.catalogue import Catalogue

__all__ = ["WIDTHS_S", "keep_bins"]

WIDTHS_S: tuple[float, ...] = (900.0, 3600.0, 86_400.0)


def keep_bins(catalogue: Catalogue, found: Collected) -> None:
    """Keep the counts of every run in slices of each width, on the local clock."""
    for run, flow in zip(found.runs, found.flows, strict=True):
        minutes = minute_bins(
            [flow],
            site=found.site.of_camera(run.camera_id),
            observed_kinds=found.observed,
            light_of=found.light_of(),
        )
        for width_s in WIDTHS_S:
            catalogue.save_bins(run.run_id, _seen(minutes, width_s, found.tz or "UTC"))


def _seen(minutes: Bins, width_s: float, tz: str) -> Bins:
    return aggregate(minutes, width_s=width_s, tz=tz)
