"""Counts straight from a result folder: every gate and movement, by kind and summed."""

import json
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import InputError, StoreError
from calmstreet.forecast.grid import Grid, grid_of
from calmstreet.model.bins import Bins
from calmstreet.model.kinds import KIND_NAMES
from calmstreet.model.site import site_from_json
from calmstreet.pipeline.collected import collect
from calmstreet.store.bins import joined_bins
from calmstreet.store.catalogue import Catalogue
from calmstreet.units import NS_PER_S, local_datetime, ns_from_s, zone_info

__all__ = ["ALL", "hours_by_camera", "read_stored"]

ALL = "all"
_WIDTH_S = 900.0
_EVER_NS = -(2**62)
_FAMILIES = ("gate:", "movement:")
_Row = tuple[str, NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]


def read_stored(folder: Path, *, step_ns: int | None = None, weeks: int | None = None) -> Grid:
    """Return the quarter hours of every gate and movement as a grid, on the site's clock.

    A series is "camera/what/kind" as in counts.csv, and "camera/what/all" is the sum over kinds
    where there are several. With ``weeks`` no more than the newest weeks, of whole local days, are
    read. Raises StoreError when the folder is no result, InputError when its clock is unknown or
    nothing was counted.
    """
    with Catalogue.open(folder) as catalogue:
        runs = catalogue.runs()
        if not runs:
            raise StoreError(f"{folder} holds no finished run; analyse a video into it")
        if any(run.time_known == "unknown" for run in runs):
            raise InputError(
                f"{folder}: nobody said when its videos began; a forecast needs the clock: analyse "
                "again with --start"
            )
        tz = site_from_json(json.loads(catalogue.site(runs[-1].site_version))).tz
        since_ns = _since_ns(runs[-1].end_ns, weeks, tz)
        wanted = [run.run_id for run in runs if run.end_ns > since_ns]
        parts = catalogue.bins(wanted, width_s=_WIDTH_S)
    rows = [row for mine in joined_bins(parts) for row in _rows(mine, since_ns)]
    if not rows:
        raise InputError(f"{folder} has no counts of gates or movements; give its site some gates")
    return _grid(rows, tz=tz, step_ns=step_ns or ns_from_s(_WIDTH_S))


def _since_ns(end_ns: int, weeks: int | None, tz: str) -> int:
    """Return the local midnight so many weeks before the day on which the last run ends."""
    if weeks is None:
        return _EVER_NS
    day = local_datetime(end_ns, tz).date() - timedelta(weeks=weeks)
    return int(datetime.combine(day, time(), zone_info(tz)).timestamp()) * NS_PER_S


def hours_by_camera(folder: Path) -> dict[str, float]:
    """Return the hours really watched by each camera of a result folder.

    Raises StoreError when the folder is no result.
    """
    with Catalogue.open(folder) as catalogue:
        found = collect(catalogue)
    return {
        camera: sum(
            float((flow.watched_ns[:, 1] - flow.watched_ns[:, 0]).sum()) / 3.6e12
            for flow in found.flows_of(camera)
        )
        for camera in found.camera_ids
    }


def _rows(bins: Bins, since_ns: int) -> Iterator[_Row]:
    """Yield name, times, values and shares watched of each series of one camera."""
    told = ((bins.exposure_s > 0) | (bins.count > 0)) & (bins.start_ns >= since_ns)
    share = np.clip(bins.exposure_s.astype(np.float64) / bins.width_s, 0, 1)
    for what in np.unique(bins.what).tolist():
        if not what.startswith(_FAMILIES):
            continue
        here = told & (bins.what == what)
        kinds = np.unique(bins.kind[here]).tolist()
        for kind in kinds:
            mine = here & (bins.kind == kind)
            name = f"{bins.camera_id}/{what}/{KIND_NAMES[kind]}"
            yield name, bins.start_ns[mine], bins.count[mine].astype(np.float64), share[mine]
        if len(kinds) > 1:
            times, back = np.unique(bins.start_ns[here], return_inverse=True)
            least = np.ones(len(times))
            np.minimum.at(least, back, share[here])
            name = f"{bins.camera_id}/{what}/{ALL}"
            total = np.bincount(back, bins.count[here]).astype(np.float64)
            yield name, times, total, least


def _grid(rows: list[_Row], *, tz: str, step_ns: int) -> Grid:
    """Lay the series on one grid; those of several site versions continue each other."""
    names = sorted({row[0] for row in rows})
    place = {name: i for i, name in enumerate(names)}
    owner = [np.full(len(row[1]), place[row[0]], np.int32) for row in rows]
    return grid_of(
        names,
        series=np.concatenate(owner),
        t_ns=np.concatenate([row[1] for row in rows]),
        value=np.concatenate([row[2] for row in rows]),
        exposure_share=np.concatenate([row[3] for row in rows]),
        tz=tz,
        step_ns=step_ns,
    )
