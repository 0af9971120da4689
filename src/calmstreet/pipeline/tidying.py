"""Keeps a node's disk within its budget: old video and points go, the rest stays.

``python -m calmstreet.pipeline.tidying --config calmstreet.toml`` does it once.
"""

import argparse
import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from calmstreet.clock import Clock, SystemClock
from calmstreet.config.node import NodeFile, load_node
from calmstreet.errors import StoreError
from calmstreet.pipeline.lines import tell_line
from calmstreet.pipeline.live_camera import results_folder
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.folder import CATALOGUE_NAME
from calmstreet.store.retention import Freed, apply_retention, fit_budget

__all__ = ["main", "tidy"]

NICE = 15
_GB_BYTES = 1_000_000_000
_DAY_S = 86_400.0


def tidy(settings: NodeFile, results: Path, *, clock: Clock) -> tuple[Freed, list[str]]:
    """Remove video and points that are too old, and video that is too much.

    Returns what went and what could not be looked at.

    Raises nothing for a folder that is not proved: it is left alone and named.
    """
    days = settings.node.points_retention_days
    points_s = {"points": days * _DAY_S} if days else {}
    files = size_bytes = 0
    faults: list[str] = []
    with ExitStack() as opened:
        catalogues = []
        for camera in settings.camera:
            folder = results / camera.id
            if not (folder / CATALOGUE_NAME).is_file():
                continue
            try:
                catalogue = opened.enter_context(Catalogue.open(folder, clock=clock))
                keep_s = {**camera.kept_s(), **points_s}
                freed = apply_retention(catalogue, keep_s=keep_s, now_ns=clock.now_ns())
            except StoreError as error:
                faults.append(str(error))
                continue
            files, size_bytes = files + freed.files, size_bytes + freed.size_bytes
            catalogues.append(catalogue)
        budget_bytes = round(settings.node.disk_budget_gb * _GB_BYTES)
        fitted = fit_budget(catalogues, budget_bytes=budget_bytes)
    whole = Freed(
        files=files + fitted.files,
        size_bytes=size_bytes + fitted.size_bytes,
        short_bytes=fitted.short_bytes,
    )
    return whole, faults


def main(arguments: Sequence[str] | None = None) -> None:
    """Tidy the results of a node once; print what went."""
    parser = argparse.ArgumentParser(prog="calmstreet.pipeline.tidying")
    parser.add_argument("--config", type=Path, required=True)
    asked = parser.parse_args(arguments)
    os.nice(NICE)
    settings = load_node(asked.config)
    freed, faults = tidy(settings, results_folder(settings, asked.config), clock=SystemClock())
    tell_line(
        tidied=freed.files, size_bytes=freed.size_bytes, short_bytes=freed.short_bytes,
        faults=faults,
    )  # fmt: skip


if __name__ == "__main__":
    main()
