"""The files that people open, made anew from the store: summary, tables, report, pictures."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.config.site import dump_site_toml
from calmstreet.model.bins import Bins
from calmstreet.model.flow import MovementTurn
from calmstreet.model.kinds import Flag
from calmstreet.model.points import TrackPoints, concat_points
from calmstreet.model.run import Run
from calmstreet.model.site import Gate, Site
from calmstreet.pipeline.binning import keep_bins
from calmstreet.pipeline.charting import make_charts
from calmstreet.pipeline.collected import Collected, collect
from calmstreet.pipeline.conflict_results import ConflictResults, collect_conflicts
from calmstreet.pipeline.counting import count_run, step_blocks
from calmstreet.pipeline.happenings import happenings, write_event_table
from calmstreet.pipeline.pictures import drawn, load_picture
from calmstreet.pipeline.progress import Progress, quiet
from calmstreet.pipeline.speeding import collect_speeds
from calmstreet.pipeline.summary import camera_bins, make_summary
from calmstreet.pipeline.warned import warn
from calmstreet.report.conflict_sections import conflict_sheet
from calmstreet.report.draw import draw_pixel_grid, draw_trajectories
from calmstreet.report.known_errors import known_errors
from calmstreet.report.page import write_report
from calmstreet.report.siteplan import draw_site
from calmstreet.report.speed_map import draw_speed_map
from calmstreet.report.speed_tables import speed_sheet
from calmstreet.report.tables import write_counts, write_headways, write_movements
from calmstreet.report.texts import Texts, texts
from calmstreet.report.workbook import CameraCounts, write_workbook
from calmstreet.safety.bins import minute_bins, peak_hour_of
from calmstreet.safety.movements import turns_of
from calmstreet.safety.propose import Path as Way
from calmstreet.safety.propose import propose_gates
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.folder import write_whole

__all__ = ["write_results"]

MAX_DRAWN_ROWS = 200_000
PROPOSED = "proposed-site.toml"


def write_results(
    catalogue: Catalogue,
    *,
    lang: str,
    propose: bool = False,
    progress: Progress = quiet,
) -> dict[str, Any]:
    """Write every file for people from what is published; return the summary.

    ``propose`` also writes proposed-site.toml and counts at the gates proposed there.
    """
    folder = catalogue.folder
    progress("writing the report", 0.0)
    found = collect(catalogue)
    ways = _ways(catalogue, found.runs)
    if propose:
        found = _with_proposal(catalogue, found, ways)
        _put(folder / PROPOSED, dump_site_toml(found.site).encode())
    minutes = {
        camera: minute_bins(
            found.flows_of(camera),
            site=found.site.of_camera(camera),
            observed_kinds=found.observed,
            light_of=found.light_of(),
        )
        for camera in found.camera_ids
    }
    keep_bins(catalogue, found)
    speeding = collect_speeds(catalogue, found, minutes)
    conflicts = collect_conflicts(catalogue, found)
    summary = {
        "lang": lang,
        **make_summary(found, minutes, audit=_audit(folder)),
        **happenings(catalogue, found),
        "speeds": speeding.summary(),
        "conflicts": conflicts.summary(),
    }
    speeding.write_tables(folder)
    conflicts.write_table(folder)
    write_event_table(catalogue, found, folder / "events.csv")
    _write_tables(folder, found, minutes, summary, lang=lang)
    progress("writing the report", 0.4)
    pictures = _pictures(catalogue, found, ways, conflicts, words=texts(lang).kinds())
    charts = make_charts(found, minutes, summary, lang=lang)
    charts |= speeding.charts(summary["speeds"], texts(lang)) | conflicts.charts(texts(lang))
    _put(folder / "summary.json", json.dumps(summary, ensure_ascii=False, indent=2).encode())
    write_report(
        folder / "report.html",
        summary=summary,
        pictures=pictures,
        charts=charts,
        lang=lang,
        known_errors=known_errors(),
    )
    progress("writing the report", 1.0)
    return summary


def _put(path: Path, data: bytes) -> None:
    def write(part: Path) -> None:
        part.write_bytes(data)

    write_whole(path, write)


def _audit(folder: Path) -> dict[str, Any] | None:
    path = folder / "audit.json"
    if not path.is_file():
        return None
    audit: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return audit


def _write_tables(
    folder: Path,
    found: Collected,
    minutes: Mapping[str, Bins],
    notes: Mapping[str, Any],
    *,
    lang: str,
) -> None:
    tz = found.tz or "UTC"
    known = "given" if found.tz else "unknown"
    quarters = list(camera_bins(dict(minutes), found.tz).values())
    turns = _turns(found)
    write_counts(folder / "counts.csv", quarters, tz=tz, time_known=known)
    write_movements(folder / "movements.csv", quarters, turns=turns, tz=tz, time_known=known)
    write_headways(folder / "headways.csv", found.flows, tz=tz, time_known=known)
    words = texts(lang)
    write_workbook(
        folder / "counts.xlsx",
        [_camera_counts(found, bins) for bins in quarters],
        words=words,
        tz=tz,
        time_known=known,
        notes=[
            words.t(f"note.{row['code']}") for row in (*notes["warnings"], *notes["assumptions"])
        ],
        more=_more_pages(notes, words),
    )


def _more_pages(notes: Mapping[str, Any], words: Texts) -> dict[str, list[list[Any]]]:
    pages = {
        words.t("speeds.sheet.title"): speed_sheet(notes["speeds"]["gates"], words),
        words.t("conflicts.sheet.title"): conflict_sheet(notes, words),
    }
    return {title: rows for title, rows in pages.items() if len(rows) > 1}


def _camera_counts(found: Collected, bins: Bins) -> CameraCounts:
    site = found.site.of_camera(bins.camera_id)
    return CameraCounts(
        bins=bins,
        turns=turns_of(site, found.flows_of(bins.camera_id)),
        peaks={str(what): peak_hour_of(bins, whats=[str(what)]) for what in np.unique(bins.what)},
    )


def _turns(found: Collected) -> list[MovementTurn]:
    return [
        turn
        for camera in found.camera_ids
        for turn in turns_of(found.site.of_camera(camera), found.flows_of(camera))
    ]


def _ways(catalogue: Catalogue, runs: tuple[Run, ...]) -> dict[str, list[TrackPoints]]:
    """Return the rows of moving road users of each camera, thinned where there are very many."""
    ways: dict[str, list[TrackPoints]] = {}
    for run in runs:
        kept: list[TrackPoints] = []
        rows = 0
        for _, points in step_blocks(catalogue, run):
            moving = points[(points.flags & (Flag.PARKED | Flag.TENTATIVE)) == 0]
            rows += len(moving)
            if rows <= MAX_DRAWN_ROWS:
                kept.append(moving)
        if kept:
            ways.setdefault(run.camera_id, []).append(concat_points(kept))
    return ways


def _with_proposal(
    catalogue: Catalogue, found: Collected, ways: Mapping[str, list[TrackPoints]]
) -> Collected:
    """Return the result counted at proposed gates, for a site that nobody has drawn yet."""
    gates: list[Gate] = []
    for camera, blocks in ways.items():
        run = next(run for run in found.runs if run.camera_id == camera)
        counted = {
            int(track)
            for flow in found.flows_of(camera)
            for track in flow.journeys.track_id[flow.journeys.counted]
        }
        trails = [
            Way(foot_px=track.points.foot_px(), size_px=_height_px(track.points))
            for points in blocks
            for track in points.tracks()
            if track.track_id in counted
        ]
        gates += propose_gates(
            trails, camera_id=camera, width_px=run.width_px, height_px=run.height_px
        )
    site: Site = replace(found.site, gates=tuple(gates))
    flows = tuple(count_run(catalogue, run, site) for run in found.runs)
    return replace(found, site=site, flows=flows, warnings=(*found.warnings, warn("no-site")))


def _height_px(points: TrackPoints) -> float:
    return float(np.median(points.box_px[:, 3] - points.box_px[:, 1]))


def _pictures(
    catalogue: Catalogue,
    found: Collected,
    ways: Mapping[str, list[TrackPoints]],
    conflicts: ConflictResults,
    *,
    words: Sequence[str],
) -> dict[str, bytes]:
    """Draw and keep, for the newest run of each camera, its ways, gates and pixel grid."""
    made: dict[str, bytes] = {}
    newest = {run.camera_id: run for run in found.runs}
    for camera, run in newest.items():
        stored = [p for p in catalogue.pictures([run.run_id]) if p.what == "background"]
        if not stored:
            continue
        street = load_picture(catalogue.folder / stored[0].path)
        made |= _camera_pictures(street, found.site, run, ways.get(camera, []), words)
        made |= _conflict_picture(street, run, conflicts)
    for name, data in made.items():
        _put(catalogue.folder / "pictures" / f"{name}.png", data)
    return made


def _conflict_picture(
    street: NDArray[np.uint8], run: Run, conflicts: ConflictResults
) -> dict[str, bytes]:
    drawn_ones = 0

    def points(bgr: NDArray[np.uint8]) -> None:
        nonlocal drawn_ones
        drawn_ones = conflicts.draw(bgr, run, scale=street.shape[1] / run.width_px)

    picture = drawn(street, points)
    return {f"conflicts-{run.camera_id}": picture} if drawn_ones else {}


def _camera_pictures(
    street: NDArray[np.uint8],
    site: Site,
    run: Run,
    blocks: list[TrackPoints],
    words: Sequence[str],
) -> dict[str, bytes]:
    camera = run.camera_id
    scale = street.shape[1] / run.width_px

    def ways(bgr: NDArray[np.uint8]) -> None:
        for points in blocks:
            draw_trajectories(bgr, points, scale=scale, words=words)

    cells = 0

    def speeds(bgr: NDArray[np.uint8]) -> None:
        nonlocal cells
        cells = draw_speed_map(bgr, blocks, scale=scale)

    map_of_speeds = drawn(street, speeds)
    return ({f"speeds-{camera}": map_of_speeds} if cells else {}) | {
        f"trajectories-{camera}": drawn(street, ways),
        f"site-{camera}": drawn(
            street, lambda bgr: draw_site(bgr, site, camera_id=camera, scale=scale)
        ),
        f"grid-{camera}": drawn(street, lambda bgr: draw_pixel_grid(bgr, scale=scale)),
    }
