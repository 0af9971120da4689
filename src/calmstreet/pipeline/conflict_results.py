"""What a result says of conflicts: sums by type, rates, tables, the map and its picture."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.conflicts import CONFLICT_TYPES, Conflicts
from calmstreet.model.run import Run
from calmstreet.model.site import Site
from calmstreet.pipeline.collected import Collected
from calmstreet.pipeline.planes import camera_plane
from calmstreet.pipeline.summary import plain
from calmstreet.report.conflict_charts import conflict_map, draw_conflicts
from calmstreet.report.conflicts_csv import write_conflicts_csv
from calmstreet.report.texts import Texts
from calmstreet.safety.conflict_rates import ConflictRate, conflict_rate, day_counts
from calmstreet.safety.conflict_rules import conflict_settings
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.conflicts import ConflictRun

__all__ = ["ConflictResults", "collect_conflicts"]

_PARTS = ("pet", "ttc", "evasion")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictResults:
    """Everything on conflicts of one result: ``parts`` and ``about`` in the order of its runs."""

    site: Site
    runs: tuple[Run, ...]
    parts: tuple[Conflicts, ...]
    about: tuple[ConflictRun, ...]
    labels: Mapping[int, str]
    tz: str | None

    def summary(self) -> dict[str, Any]:
        """Return the part ``conflicts`` of summary.json, one row per camera."""
        return {"cameras": [self._camera(camera) for camera in self._cameras()]}

    def _cameras(self) -> list[str]:
        return sorted({run.camera_id for run in self.runs})

    def _of(self, camera: str) -> list[tuple[Conflicts, ConflictRun]]:
        every = zip(self.runs, self.parts, self.about, strict=True)
        return [(part, about) for run, part, about in every if run.camera_id == camera]

    def _camera(self, camera: str) -> dict[str, Any]:
        mine = self._of(camera)
        looked = [part for part, about in mine if not about.why_not]
        if not looked:
            return {"camera": camera, "looked": False, "why_not": mine[-1][1].why_not}
        counts = day_counts(looked, tz=self.tz or "UTC")
        share = conflict_settings(self.site.rules).rate_share
        per_pair = conflict_rate(counts.conflicts, exposure=counts.pairs / 1000, wanted_share=share)
        per_hour = conflict_rate(counts.conflicts, exposure=counts.hours, wanted_share=share)
        return {
            "camera": camera,
            "looked": True,
            "why_not": "",
            "exposure_s": round(sum(part.watched_s for part in looked), 3),
            "pairs": int(counts.pairs.sum()),
            "conflicts": int(counts.conflicts.sum()),
            "types": _types(looked),
            "rejected": _rejected(looked),
            "per_1000_pairs": _rate_row(per_pair),
            "per_hour": _rate_row(per_hour),
            "paths": sorted({about.paths_version[:12] for _, about in mine} - {""}),
        }

    def write_table(self, folder: Path) -> None:
        """Write conflicts.csv."""
        write_conflicts_csv(
            folder / "conflicts.csv",
            self.parts,
            tz=self.tz or "UTC",
            time_known="given" if self.tz else "unknown",
            labels=self.labels,
        )

    def charts(self, words: Texts) -> dict[str, str]:
        """Return a map from above of each camera with conflicts."""
        found = {}
        for camera in self._cameras():
            mine = [part[part.is_conflict] for part, _ in self._of(camera)]
            if any(len(part) for part in mine):
                found[f"conflicts-{camera}"] = conflict_map(
                    mine, site=self.site.of_camera(camera), texts=words, name=f"conflicts-{camera}"
                )
        return found

    def draw(self, bgr: NDArray[np.uint8], run: Run, *, scale: float) -> int:
        """Draw the conflicts of a run's camera on its street, in place; return how many."""
        plane = camera_plane(
            self.site, run.camera_id, width_px=run.width_px, height_px=run.height_px
        ).plane
        if plane is None:
            return 0
        mine = [part[part.is_conflict] for part, _ in self._of(run.camera_id)]
        places = np.concatenate([np.stack([p.x_m, p.y_m], axis=1) for p in mine])
        levels = np.concatenate([part.level for part in mine])
        return draw_conflicts(bgr, plane.to_px(places) * scale, levels=levels)


def collect_conflicts(catalogue: Catalogue, found: Collected) -> ConflictResults:
    """Return what the published runs say of conflicts."""
    return ConflictResults(
        site=found.site,
        runs=found.runs,
        parts=tuple(catalogue.conflicts(run.run_id, run.camera_id) for run in found.runs),
        about=tuple(catalogue.conflict_run(run.run_id) for run in found.runs),
        labels=catalogue.track_labels([run.run_id for run in found.runs]),
        tz=found.tz,
    )


def _types(parts: Sequence[Conflicts]) -> list[dict[str, Any]]:
    """Return per type: pairs, conflicts, by part of the definition and by level."""
    every = [
        (str(kind), bool(conflict), int(level), str(why))
        for part in parts
        for kind, conflict, level, why in zip(
            part.type, part.is_conflict, part.level, part.why, strict=True
        )
    ]
    every.sort(key=lambda row: CONFLICT_TYPES.index(row[0]))
    return [_type_row(kind, list(rows)) for kind, rows in groupby(every, key=lambda row: row[0])]


def _type_row(kind: str, rows: list[tuple[str, bool, int, str]]) -> dict[str, Any]:
    conflicts = [row for row in rows if row[1]]
    return {
        "type": kind,
        "pairs": len(rows),
        "conflicts": len(conflicts),
        **{f"by_{part}": sum(part in row[3].split("+") for row in conflicts) for part in _PARTS},
        **{f"level_{level}": sum(row[2] == level for row in conflicts) for level in (4, 3, 2, 1)},
    }


def _rejected(parts: Sequence[Conflicts]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part.rejections())
    return dict(sorted(total.items()))


def _rate_row(rate: ConflictRate) -> dict[str, Any]:
    more = rate.days_needed - rate.days
    return {
        "rate": plain(rate.rate),
        "low95": plain(rate.low95),
        "high95": plain(rate.high95),
        "days": rate.days,
        "enough": rate.enough,
        "more_days": None if not np.isfinite(more) else max(int(more), 0),
    }
