"""What a result folder holds, gathered for its files: runs, flows, light, warnings."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from calmstreet.errors import StoreError
from calmstreet.model.flow import Flow
from calmstreet.model.kinds import KIND_BY_NAME, KIND_NAMES, Kind
from calmstreet.model.run import Run
from calmstreet.model.site import Site, site_from_json
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.findings import Picture, Warned

__all__ = ["Collected", "collect", "distinct"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """Everything published in one folder; all runs are of one site."""

    site: Site
    runs: tuple[Run, ...]
    flows: tuple[Flow, ...]
    light: dict[int, str]
    warnings: tuple[Warned, ...]
    pictures: tuple[Picture, ...]
    not_observed: tuple[str, ...]

    @property
    def tz(self) -> str | None:
        """Return the time zone, None where the clock time of any run is unknown."""
        unknown = any(run.time_known == "unknown" for run in self.runs)
        return None if unknown else self.site.tz

    @property
    def observed(self) -> frozenset[Kind]:
        """Return the kinds that the detector can tell."""
        return frozenset(Kind) - {KIND_BY_NAME[name] for name in self.not_observed}

    @property
    def camera_ids(self) -> list[str]:
        """Return the cameras with a run."""
        return sorted({run.camera_id for run in self.runs})

    def flows_of(self, camera_id: str) -> list[Flow]:
        """Return the flows of one camera."""
        return [flow for flow in self.flows if flow.camera_id == camera_id]

    def light_of(self) -> Callable[[int], str]:
        """Return the function from a minute's start to its light, "" when nobody knows."""
        return lambda start_ns: self.light.get(start_ns, "")

    @property
    def exposure_s(self) -> float:
        """Return the seconds really watched, all runs."""
        return sum(float((f.watched_ns[:, 1] - f.watched_ns[:, 0]).sum()) for f in self.flows) / 1e9


def collect(catalogue: Catalogue) -> Collected:
    """Read everything published; raise StoreError when there is nothing."""
    runs = catalogue.runs()
    if not runs:
        raise StoreError(f"{catalogue.folder} holds no finished run; analyse a video into it")
    ids = [run.run_id for run in runs]
    light = catalogue.light(ids)
    warnings = distinct(catalogue.warnings(ids))
    return Collected(
        site=site_from_json(json.loads(catalogue.site(runs[-1].site_version))),
        runs=tuple(runs),
        flows=tuple(catalogue.flow(run_id) for run_id in ids),
        light=dict(zip(light["start_ns"].tolist(), light["light"].tolist(), strict=True)),
        warnings=tuple(warnings),
        pictures=tuple(catalogue.pictures(ids)),
        not_observed=kinds_not_observed(warnings),
    )


def kinds_not_observed(warnings: list[Warned]) -> tuple[str, ...]:
    """Return the kinds that a detector said it cannot tell."""
    said = {
        name
        for warning in warnings
        if warning.code == "kinds-not-observed"
        for name in str(warning.args.get("kinds", "")).split(", ")
    }
    return tuple(name for name in KIND_NAMES[1:] if name in said)


def distinct(warnings: list[Warned]) -> list[Warned]:
    """Return the warnings without those that say the same of the same thing."""
    seen: dict[tuple[str, str], Warned] = {}
    for warning in warnings:
        seen.setdefault((warning.code, json.dumps(dict(warning.args), sort_keys=True)), warning)
    return list(seen.values())
