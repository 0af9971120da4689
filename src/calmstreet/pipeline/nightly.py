"""`nightly -c`: each camera's days summed up, doubted, thinned and forecast; safe to run twice.

For every whole local day of the last two weeks: how long was watched for counts, speeds and
conflicts, how long not and why, and what is odd about its counts. Nothing is added up from what an
earlier night wrote: a second run, or one after a crash, gives the same.
"""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from calmstreet.clock import Clock
from calmstreet.config.node import load_node
from calmstreet.errors import CalmstreetError, InputError, StoreError
from calmstreet.model.bins import Bins
from calmstreet.model.quality_flag import QualityFlag
from calmstreet.model.run import Run
from calmstreet.model.site import Site, site_from_json
from calmstreet.pipeline.binning import keep_run_bins
from calmstreet.pipeline.collected import kinds_not_observed
from calmstreet.pipeline.live_camera import results_folder
from calmstreet.pipeline.outlook_nightly import run_nightly
from calmstreet.pipeline.tidying import tidy
from calmstreet.safety.day_quality import CountedDays, judge_day
from calmstreet.store.accounting import accounted, exposures_s
from calmstreet.store.bins import joined_bins
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.folder import CATALOGUE_NAME, write_whole
from calmstreet.store.quality import save_quality
from calmstreet.units import NS_PER_S, local_datetime, zone_info

__all__ = ["run_node_nightly", "sum_up_camera"]

DAYS_ANEW = 14
DAYS_OF_HISTORY = 60
GAP_SHARE = 0.05
UNACCOUNTED_SHARE = 0.001

_DAY_S = 86_400.0
_COLUMNS = (
    "date",
    "watched_s",
    "gap_s",
    "unaccounted_s",
    "counts_s",
    "speeds_s",
    "conflicts_s",
    "gaps",
    "flags",
)

Progress = Callable[[str, float], None]


def run_node_nightly(
    config: Path, *, clock: Clock, outlook: bool = True, lang: str = "en", progress: Progress
) -> dict[str, Any]:
    """Do the nightly work of a node: each live camera's days, retention, the outlook.

    A camera that fails is told under "faults" and does not keep the others waiting. Raises
    ConfigError or InputError where calmstreet.toml cannot be used.
    """
    settings = load_node(config)
    results = results_folder(settings, config)
    if not settings.camera:
        raise InputError(f"{config} names no camera; add [[camera]] with an id and a url")
    cameras: dict[str, Any] = {}
    faults: list[str] = []
    for i, camera_id in enumerate(camera.id for camera in settings.camera):
        progress(camera_id, i / len(settings.camera))
        folder = results / camera_id
        if not (folder / CATALOGUE_NAME).is_file():
            continue
        try:
            cameras[camera_id] = sum_up_camera(folder, camera_id, now_ns=clock.now_ns())
        except CalmstreetError as error:
            faults.append(f"{camera_id}: {error}")
    freed, not_looked_at = tidy(settings, results, clock=clock)
    for camera_id in cameras if outlook else ():
        progress(f"outlook of {camera_id}", 0.9)
        cameras[camera_id]["outlook"] = _outlook(results / camera_id, lang)
    return {
        "verb": "nightly",
        "cameras": cameras,
        "retention": asdict(freed),
        "faults": [*faults, *not_looked_at],
    }


def _outlook(folder: Path, lang: str) -> dict[str, Any]:
    """Return what the outlook's own nightly says, or why there is none yet."""
    try:
        with Catalogue.open(folder) as catalogue:
            tz = _site_of(catalogue, catalogue.runs()).tz
        out = folder / "out" / "outlook"
        return run_nightly(folder, out=out, tz=tz, lang=lang, progress=lambda _, __: None)
    except CalmstreetError as error:
        return {"not_yet": str(error)}


def sum_up_camera(folder: Path, camera_id: str, *, now_ns: int) -> dict[str, Any]:
    """Sum up the whole local days of one camera; return them and write out/nightly.csv, .json.

    Raises StoreError when the folder is no result or cannot be written.
    """
    with Catalogue.open(folder) as catalogue:
        waiting = [run for run in catalogue.runs(live=False) if run.camera_id == camera_id]
        runs = [run for run in catalogue.runs() if run.camera_id == camera_id]
        if not runs:
            return {"days": [], "waiting": len(waiting), "binned": 0}
        site = _site_of(catalogue, runs)
        days = _days(runs[0].start_ns, now_ns, site.tz)
        first_ns = days[0][1] if days else runs[0].start_ns
        binned = _bin_what_is_missing(catalogue, [r for r in runs if r.start_ns >= first_ns])
        rows = [
            _day(catalogue, camera_id, runs, waiting, days[: i + 1])
            for i in range(max(len(days) - DAYS_ANEW, 0), len(days))
        ]
    found = {"days": rows, "waiting": len(waiting), "binned": binned}
    _write(folder, rows, found)
    return found


def _site_of(catalogue: Catalogue, runs: Sequence[Run]) -> Site:
    if not runs:
        raise StoreError(f"{catalogue.folder} holds no judged run yet")
    return site_from_json(json.loads(catalogue.site(runs[-1].site_version)))


def _bin_what_is_missing(catalogue: Catalogue, runs: Sequence[Run]) -> int:
    """Make the bins of runs that have none and whose site counts; return how many that were."""
    with catalogue.database.guarded() as connection:
        known = {row[0] for row in connection.execute("SELECT DISTINCT run_id FROM bins")}
    newest = {run.site_version: run for run in runs}
    sites = {version: _site_of(catalogue, [run]) for version, run in newest.items()}
    made = 0
    for run in runs:
        site = sites[run.site_version]
        if run.run_id in known or not (site.gates or site.movements):
            continue
        not_seen = kinds_not_observed(catalogue.warnings([run.run_id]))
        keep_run_bins(catalogue, run, catalogue.flow(run.run_id), site=site, not_seen=not_seen)
        made += 1
    return made


def _days(first_ns: int, now_ns: int, tz: str) -> list[tuple[date, int, int]]:
    """Return date, start and end of every whole local day, from the first to yesterday."""
    day, today = local_datetime(first_ns, tz).date(), local_datetime(now_ns, tz).date()
    day = max(day, today - timedelta(days=DAYS_OF_HISTORY))
    found = []
    while day < today:
        found.append((day, _midnight_ns(day, tz), _midnight_ns(day + timedelta(days=1), tz)))
        day += timedelta(days=1)
    return found


def _midnight_ns(day: date, tz: str) -> int:
    return int(datetime.combine(day, time(), zone_info(tz)).timestamp()) * NS_PER_S


def _day(
    catalogue: Catalogue,
    camera_id: str,
    runs: Sequence[Run],
    waiting: Sequence[Run],
    days: Sequence[tuple[date, int, int]],
) -> dict[str, Any]:
    """Sum up the last of the days, doubt it against those before, keep the doubts."""
    day, start_ns, end_ns = days[-1]
    start_ns = max(start_ns, runs[0].start_ns) if len(days) == 1 else start_ns
    spent = accounted(catalogue, camera_id, start_ns=start_ns, end_ns=end_ns)
    late = [run for run in waiting if run.start_ns < end_ns and run.end_ns > start_ns]
    flags = [
        *_time_flags(spent.gap_s, spent.unaccounted_s, (end_ns - start_ns) / NS_PER_S),
        *([QualityFlag(flag="not-judged", value=float(len(late)))] if late else []),
        *judge_day(_counted(catalogue, runs, days)),
    ]
    save_quality(catalogue.database, camera_id, flags, start_ns=start_ns, end_ns=end_ns)
    exposure = exposures_s(catalogue, camera_id, start_ns=start_ns, end_ns=end_ns)
    return {
        "date": day.isoformat(),
        "watched_s": round(spent.stored_s, 1),
        "gap_s": round(spent.gap_s, 1),
        "unaccounted_s": round(spent.unaccounted_s, 1),
        **{f"{measure}_s": round(seconds, 1) for measure, seconds in exposure.items()},
        "gaps": _gaps_by_reason(catalogue, camera_id, start_ns, end_ns),
        "flags": [_plain(flag) for flag in flags],
    }


def _time_flags(gap_s: float, unaccounted_s: float, day_s: float) -> list[QualityFlag]:
    shares = (("gaps", gap_s, GAP_SHARE), ("unaccounted", unaccounted_s, UNACCOUNTED_SHARE))
    return [
        QualityFlag(flag=flag, value=round(seconds / day_s, 4), usual=0.0)
        for flag, seconds, most in shares
        if seconds > most * day_s
    ]


def _gaps_by_reason(
    catalogue: Catalogue, camera_id: str, start_ns: int, end_ns: int
) -> dict[str, float]:
    found: dict[str, float] = {}
    for gap in catalogue.gaps(camera_id, start_ns=start_ns, end_ns=end_ns):
        inside_ns = min(gap.end_ns, end_ns) - max(gap.start_ns, start_ns)
        name = gap.reason if gap.affects == "all" else f"{gap.reason} ({gap.affects})"
        found[name] = found.get(name, 0.0) + inside_ns / NS_PER_S
    return {name: round(seconds, 1) for name, seconds in sorted(found.items())}


def _counted(
    catalogue: Catalogue, runs: Sequence[Run], days: Sequence[tuple[date, int, int]]
) -> CountedDays:
    """Return the daily counts of gates and movements, all kinds together."""
    first_ns, last_ns = days[0][1], days[-1][2]
    mine = [run.run_id for run in runs if run.end_ns > first_ns and run.start_ns < last_ns]
    place = {start_ns: i for i, (_, start_ns, _) in enumerate(days)}
    cells: dict[tuple[str, int], list[float]] = {}
    for bins in joined_bins(catalogue.bins(mine, width_s=_DAY_S)):
        for (what, start_ns), (count, exposure_s) in _all_kinds(bins).items():
            if start_ns in place and what.startswith(("gate:", "movement:")):
                cell = cells.setdefault((what, place[start_ns]), [0.0, 0.0])
                cell[0] += count
                cell[1] += exposure_s
    names = tuple(sorted({what for what, _ in cells}))
    both = np.zeros((2, len(days), len(names)))
    for (what, row), cell in cells.items():
        both[:, row, names.index(what)] = cell
    weekend = np.array([day.weekday() >= 5 for day, _, _ in days])
    return CountedDays(what=names, count=both[0], exposure_s=both[1], weekend=weekend)


def _all_kinds(bins: Bins) -> dict[tuple[str, int], tuple[float, float]]:
    """Return count and exposure of each series and slice, all kinds together."""
    found: dict[tuple[str, int], tuple[float, float]] = {}
    columns = (bins.what, bins.start_ns, bins.count, bins.exposure_s)
    for what, start_ns, count, exposure_s in zip(*(c.tolist() for c in columns), strict=True):
        before = found.get((what, start_ns), (0.0, 0.0))
        found[what, start_ns] = before[0] + count, max(before[1], exposure_s)
    return found


def _plain(flag: QualityFlag) -> dict[str, Any]:
    return {key: value for key, value in asdict(flag).items() if value == value and value != ""}


def _write(folder: Path, rows: Sequence[Mapping[str, Any]], found: Mapping[str, Any]) -> None:
    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in rows:
        gaps = ";".join(f"{reason}={seconds:g}" for reason, seconds in row["gaps"].items())
        flags = ";".join(":".join(filter(None, (f["flag"], f.get("what")))) for f in row["flags"])
        writer.writerow([*(row[name] for name in _COLUMNS[:-2]), gaps, flags])
    text = json.dumps(found, ensure_ascii=False, indent=1, allow_nan=False)
    for name, content in (("nightly.csv", table.getvalue()), ("nightly.json", text)):
        write_whole(folder / "out" / name, partial(_write_text, content))


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")
