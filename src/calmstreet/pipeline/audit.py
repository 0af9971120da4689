"""`calmstreet audit --counts`: blurred minutes to count by hand, then how wrong the counts are."""

import csv
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from calmstreet.errors import FormatError, InputError
from calmstreet.model.bins import Bins
from calmstreet.model.kinds import KIND_BY_NAME, KIND_NAMES
from calmstreet.model.run import Run
from calmstreet.pipeline.collected import Collected, collect
from calmstreet.pipeline.eyes import chosen_net
from calmstreet.pipeline.keeping import Keeper
from calmstreet.pipeline.progress import Progress, quiet
from calmstreet.pipeline.results import write_results
from calmstreet.pipeline.seeing import Seer, street_samples
from calmstreet.pipeline.summary import plain
from calmstreet.report.siteplan import draw_site
from calmstreet.safety.audit import CountRatio, Minute, choose_minutes, count_ratio
from calmstreet.safety.bins import minute_bins
from calmstreet.store.catalogue import Catalogue, SourceFile
from calmstreet.store.folder import only_writer, write_whole
from calmstreet.units import NS_PER_S, to_iso
from calmstreet.video.recorder import ClipWriter
from calmstreet.video.source import FileSource

__all__ = ["draw_clips", "language_of", "score_counts"]

MINUTE_NS = 60 * NS_PER_S
LEAD_NS = 3 * NS_PER_S
LEAST_WATCHED_S = 20.0
COLUMNS = ("clip", "minute", "start_ns", "camera", "what", "kind", "count", "stratum", "weight")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawn:
    """One minute drawn for the audit, with the run and camera it belongs to."""

    minute: Minute
    run: Run
    name: str


def draw_clips(
    folder: Path, *, clips: int, seed: int, progress: Progress = quiet
) -> dict[str, Any]:
    """Draw minutes at random, stratified by flow and light; write blurred clips and a CSV to fill.

    The gates are drawn into the clips, the road users are not, so that nobody counts what we saw.
    """
    if clips < 1:
        raise InputError(f"--clips {clips} must be 1 or more")
    with only_writer(folder), Catalogue.open(folder) as catalogue:
        found = collect(catalogue)
        if not found.site.gates and not found.site.zones:
            raise InputError(
                f"{folder} was counted without a site: there is nothing to compare; draw gates "
                "(proposed-site.toml is a start) and analyse again with --site"
            )
        drawn = list(_drawn(found, clips=clips, seed=seed))
        if not drawn:
            raise InputError(
                f"{folder} has no minute that was watched and counted for "
                f"{LEAST_WATCHED_S:.0f} s or more; analyse a longer video"
            )
        target = folder / "audit"
        target.mkdir(exist_ok=True)
        for number, one in enumerate(drawn):
            progress("cutting clips", number / len(drawn))
            _cut(catalogue, found, one, target / one.name)
        progress("cutting clips", 1.0)
        sheet = target / "hand-counts.csv"
        _write_sheet(sheet, found, drawn)
    text = (
        f"{len(drawn)} blurred clips and {sheet} written; fill the column count (leave a cell "
        f"empty where you did not count), then: calmstreet audit {folder} --counts --hand {sheet}"
    )
    return {"clips": [str(target / one.name) for one in drawn], "sheet": str(sheet), "text": text}


def _minutes_of(found: Collected, camera: str) -> Bins:
    return minute_bins(
        found.flows_of(camera),
        site=found.site.of_camera(camera),
        observed_kinds=found.observed,
        light_of=found.light_of(),
    )


def _drawn(found: Collected, *, clips: int, seed: int) -> Iterator[_Drawn]:
    """Yield the drawn minutes, at most ``clips`` over all cameras."""
    number = 0
    for share, camera in enumerate(found.camera_ids):
        bins = _minutes_of(found, camera)
        lot = []
        for start_ns in np.unique(bins.start_ns).tolist():
            mine = bins.start_ns == start_ns
            if float(bins.exposure_s[mine].min()) >= LEAST_WATCHED_S:
                light = found.light.get(start_ns, "")
                lot.append(
                    Minute(start_ns=start_ns, count=float(bins.count[mine].sum()), light=light)
                )
        wanted = clips // len(found.camera_ids) + (share < clips % len(found.camera_ids))
        for minute in choose_minutes(lot, n=wanted, seed=seed):
            number += 1
            run = _run_at(found, camera, minute.start_ns)
            yield _Drawn(minute=minute, run=run, name=f"clip-{number:02d}.mp4")


def _run_at(found: Collected, camera: str, start_ns: int) -> Run:
    def shared_ns(run: Run) -> int:
        return min(run.end_ns, start_ns + MINUTE_NS) - max(run.start_ns, start_ns)

    return max((run for run in found.runs if run.camera_id == camera), key=shared_ns)


def _cut(catalogue: Catalogue, found: Collected, drawn: _Drawn, path: Path) -> None:
    """Look at one minute of the video again and keep it blurred, with the gates drawn in."""
    start_ns, run = drawn.minute.start_ns, drawn.run
    end_ns = start_ns + MINUTE_NS
    site = found.site.of_camera(run.camera_id)
    with ClipWriter(path=path) as writer:
        keeper = Keeper(
            site=site,
            camera_id=run.camera_id,
            width_px=run.width_px,
            height_px=run.height_px,
            writer=writer,
            from_ns=start_ns,
            until_ns=end_ns,
            draw=lambda bgr, scale: draw_site(bgr, site, camera_id=run.camera_id, scale=scale),
        )
        seer: Seer | None = None
        for file in _files_at(catalogue.files_of(run.run_id), start_ns, end_ns):
            source = FileSource(
                path=Path(file.name), camera_id=run.camera_id, start_ns=file.start_ns
            )
            for frame in source.frames(from_ns=max(start_ns - LEAD_NS, file.start_ns)):
                if frame.t_ns > end_ns + LEAD_NS:
                    break
                if frame.t_ns < start_ns - LEAD_NS:
                    continue
                if seer is None:
                    samples = street_samples(Path(file.name), run.width_px)
                    net = chosen_net("nanodet")
                    seer = Seer(site=site, run=run, net=net, samples=samples)
                seen = seer.see(frame)
                if seen is not None:
                    sight, points = seen
                    keeper.take(frame, sight, seer.as_seen(points))
        keeper.close()


def _files_at(files: list[SourceFile], start_ns: int, end_ns: int) -> list[SourceFile]:
    """Return the files that may show the minute, in order; raise InputError when one is gone."""
    wanted = []
    for k, file in enumerate(files):
        until = files[k + 1].start_ns if k + 1 < len(files) else end_ns
        if file.start_ns < end_ns and until > start_ns:
            if not Path(file.name).is_file():
                raise InputError(f"{file.name} is not there any more; clips are cut from the video")
            wanted.append(file)
    return wanted


def _write_sheet(path: Path, found: Collected, drawn: list[_Drawn]) -> None:
    kinds = ["total", *(name for name in KIND_NAMES if name not in found.not_observed)]

    def write(part: Path) -> None:
        with part.open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(COLUMNS)
            for one in drawn:
                table.writerows(_sheet_rows(found, one, kinds))

    write_whole(path, write)


def _sheet_rows(found: Collected, one: _Drawn, kinds: list[str]) -> Iterator[tuple[Any, ...]]:
    minute, camera = one.minute, one.run.camera_id
    when = to_iso(minute.start_ns, found.tz) if found.tz else f"+{minute.start_ns // NS_PER_S} s"
    series = np.unique(_minutes_of(found, camera).what).tolist()
    for what in [name for name in series if "unknown" not in name]:
        for kind in kinds:
            cells = (one.name, when, minute.start_ns, camera, what, kind, "")
            yield (*cells, minute.stratum, minute.weight)


def score_counts(folder: Path, *, hand: Path) -> dict[str, Any]:
    """Compare hand counts with ours; keep the ratios in audit.json and in the report."""
    rows = _read_sheet(hand)
    with only_writer(folder), Catalogue.open(folder) as catalogue:
        found = collect(catalogue)
        ratios = list(_ratios(found, rows))
        audit = {
            "minutes": len({(row["camera"], row["start_ns"]) for row in rows}),
            "rows": [_ratio_row(ratio) for ratio in ratios],
        }
        data = json.dumps(audit, indent=2).encode()

        def write(part: Path) -> None:
            part.write_bytes(data)

        write_whole(folder / "audit.json", write)
        write_results(catalogue, lang=language_of(folder))
    lines = [
        f"{r.what} {r.kind}: {r.counted:.0f} counted / {r.truth:.0f} by hand = {r.ratio:.3f} "
        f"(95 %: {r.low:.3f} to {r.high:.3f}), GEH {r.geh:.1f}"
        for r in ratios
    ]
    return {**audit, "text": "\n".join([*lines, f"{audit['minutes']} minutes audited"])}


def language_of(folder: Path) -> str:
    """Return the language of the report of a result, English where none is known."""
    path = folder / "summary.json"
    try:
        return str(json.loads(path.read_text(encoding="utf-8")).get("lang", "en"))
    except (OSError, ValueError):
        return "en"


def _read_sheet(path: Path) -> list[dict[str, str]]:
    """Return the rows with a count; raise FormatError naming the line that does not read."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read; give the CSV that audit wrote") from error
    reader = csv.DictReader(text.splitlines())
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or [])]
    if missing:
        raise FormatError(f"{path} lacks the columns {', '.join(missing)}; keep the header line")
    rows = [row for row in reader if (row["count"] or "").strip()]
    if not rows:
        raise FormatError(f"{path} holds no hand count yet; fill the column count")
    for row in rows:
        count, kind = row["count"].strip(), row["kind"]
        if not count.isdigit():
            raise FormatError(f"{path}: count {count!r} of {row['clip']} must be a whole number")
        if kind != "total" and kind not in KIND_BY_NAME:
            raise FormatError(f"{path}: kind {kind!r} of {row['clip']} is not known")
    return rows


def _ratios(found: Collected, rows: list[dict[str, str]]) -> Iterator[CountRatio]:
    bins = {camera: _minutes_of(found, camera) for camera in found.camera_ids}
    for row in rows:
        if row["camera"] not in bins:
            raise FormatError(f"camera {row['camera']!r} of the hand counts is not in this result")
    for what, kind in dict.fromkeys((row["what"], row["kind"]) for row in rows):
        mine = [row for row in rows if (row["what"], row["kind"]) == (what, kind)]
        yield count_ratio(
            [_counted(bins[row["camera"]], row) for row in mine],
            [int(row["count"]) for row in mine],
            strata=[row["stratum"] for row in mine],
            weights=[float(row["weight"]) for row in mine],
            what=what,
            kind=kind,
        )


def _counted(bins: Bins, row: dict[str, str]) -> float:
    mine = (bins.what == row["what"]) & (bins.start_ns == int(row["start_ns"]))
    if row["kind"] != "total":
        mine &= bins.kind == KIND_BY_NAME[row["kind"]]
    return float(bins.count[mine].sum())


def _ratio_row(ratio: CountRatio) -> dict[str, Any]:
    return {
        name: value if isinstance(value, (str, int)) else plain(value)
        for name, value in asdict(ratio).items()
    }
