"""Bins of a result for pages that must not count again: quarter hours, hours and days by run."""

from collections.abc import Callable, Sequence

from calmstreet.model.bins import Bins
from calmstreet.model.flow import Flow
from calmstreet.model.kinds import KIND_BY_NAME, Kind
from calmstreet.model.run import Run
from calmstreet.model.site import Site
from calmstreet.pipeline.collected import Collected
from calmstreet.safety.bins import aggregate, minute_bins
from calmstreet.store.catalogue import Catalogue

__all__ = ["WIDTHS_S", "keep_bins", "keep_run_bins"]

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
        _keep(catalogue, run, minutes, found.tz or "UTC")


def keep_run_bins(
    catalogue: Catalogue, run: Run, flow: Flow, *, site: Site, not_seen: Sequence[str]
) -> None:
    """Keep the counts of one run; ``not_seen`` are kinds that its detector cannot tell."""
    minutes = minute_bins(
        [flow],
        site=site.of_camera(run.camera_id),
        observed_kinds=frozenset(Kind) - {KIND_BY_NAME[name] for name in not_seen},
        light_of=_light_of(catalogue, run),
    )
    _keep(catalogue, run, minutes, site.tz)


def _light_of(catalogue: Catalogue, run: Run) -> Callable[[int], str]:
    light = catalogue.light([run.run_id])
    known = dict(zip(light["start_ns"].tolist(), light["light"].tolist(), strict=True))
    return lambda start_ns: str(known.get(start_ns, ""))


def _keep(catalogue: Catalogue, run: Run, minutes: Bins, tz: str) -> None:
    for width_s in WIDTHS_S:
        catalogue.save_bins(run.run_id, aggregate(minutes, width_s=width_s, tz=tz))
