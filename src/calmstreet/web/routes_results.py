"""Results and the map."""

from collections.abc import Mapping

from calmstreet.model.run import Run
from calmstreet.model.site import Site
from calmstreet.store.queue import Queue
from calmstreet.store.seen import CameraRow, Medium, Seen
from calmstreet.store.shelf import ResultFolder
from calmstreet.web.answers import CameraCard, Note, ResultCard, ResultDetail, RunRow
from calmstreet.web.answers_junction import MapPage
from calmstreet.web.doors import Door, Right
from calmstreet.web.ground import Ground, camera_lonlat, site_of
from calmstreet.web.mapping import city_map, result_map
from calmstreet.web.numbers import ms, plain
from calmstreet.web.queries import CameraQuery, ResultId, Span
from calmstreet.web.visit import Here

__all__ = ["DOORS", "background_of", "card_of"]


def list_results(here: Here) -> list[ResultCard]:
    """List the results with their cameras."""
    cards = [card_of(result, seen) for result, seen in here.all_seen()]
    return [card for card in cards if card.cameras or here.who.cameras is None]


def card_of(result: ResultFolder, seen: Seen) -> ResultCard:
    """Return what is known of a result as far as it may be seen."""
    rows, site = seen.camera_rows(), site_of(seen)
    media = seen.media() if rows else []
    events = Queue(seen=seen).by_camera()
    starts, ends = [row.start_ns for row in rows], [row.end_ns for row in rows]
    whole = all(row.state == "complete" for row in rows)
    return ResultCard(
        result_id=result.result_id,
        name=result.name,
        site_id=site.id if site else "",
        site_name=site.name if site else "",
        site_version=site.site_version if site else "",
        tz=site.tz if site else "UTC",
        time_known="unknown" if any(row.time_known == "unknown" for row in rows) else "given",
        state="empty" if not rows else ("complete" if whole else "partial"),
        start_ms=ms(min(starts)) if starts else None,
        end_ms=ms(max(ends)) if ends else None,
        cameras=[_camera(row, site, media, events.get(row.camera_id, {})) for row in rows],
    )


def _camera(
    row: CameraRow, site: Site | None, media: list[Medium], states: dict[str, int]
) -> CameraCard:
    mine = site.of_camera(row.camera_id) if site else None
    return CameraCard(
        camera_id=row.camera_id,
        name=row.name,
        start_ms=ms(row.start_ns),
        end_ms=ms(row.end_ns),
        watched_s=row.watched_s,
        size_px=(row.width_px, row.height_px) if row.width_px else None,
        has_plane=Ground.of(site, row).plane is not None,
        lonlat_deg=camera_lonlat(Ground.of(site, row)),
        gates=len(mine.gates) if mine else 0,
        zones=len(mine.zones) if mine else 0,
        movements=len(mine.movements) if mine else 0,
        events=sum(states.values()),
        open_events=states.get("open", 0),
        picture_id=background_of(media, row.camera_id),
    )


def background_of(media: list[Medium], camera_id: str) -> str | None:
    """Return the medium that shows the empty street of a camera, None when there is none."""
    found = [m for m in media if m.what == "background" and m.camera_id == camera_id]
    return found[-1].medium_id if found else None


def show_result(here: Here, result_id: ResultId) -> ResultDetail:
    """Show one result with runs and warnings."""
    with here.seen(result_id) as seen:
        card = card_of(here.folder(result_id), seen)
        runs = [_run(run) for run in seen.runs()]
        notes = [note_of(w.code, w.text, w.args) for w in seen.warnings()]
    return ResultDetail(**card.model_dump(), runs=runs, warnings=notes)


def note_of(code: str, text: str, args: Mapping[str, float | str]) -> Note:
    """Return one warning."""
    return Note(code=code, text=text, args=dict(args))


def _run(run: Run) -> RunRow:
    return RunRow.of(
        run_id=run.run_id,
        camera_id=run.camera_id,
        site_version=run.site_version,
        source=run.source.replace("\\", "/").rsplit("/", 1)[-1],
        start_ms=ms(run.start_ns),
        end_ms=ms(run.end_ns),
        state=run.state,
        time_known=run.time_known,
        size_px=(run.width_px, run.height_px),
        delivered_fps=plain(run.delivered_fps),
        analysed_frames=run.analysed_frames,
        detector=run.detector,
        counted=run.counted,
        note=run.note,
    )


def show_city_map(here: Here) -> MapPage:
    """Show all cameras whose place on earth is known."""
    return city_map(here.all_seen())


def show_map(here: Here, result_id: ResultId, span: Span, camera_id: CameraQuery = None) -> MapPage:
    """Show cameras, gates, zones, flows and events of one result."""
    with here.seen(result_id) as seen:
        return result_map(seen, camera_id=camera_id, span=span)


DOORS: tuple[Door, ...] = (
    Door(method="GET", path="/api/results", call=list_results, right=Right.LOOK, tag="results"),
    Door(
        method="GET",
        path="/api/results/{result_id}",
        call=show_result,
        right=Right.LOOK,
        tag="results",
    ),
    Door(method="GET", path="/api/map", call=show_city_map, right=Right.LOOK, tag="results"),
    Door(
        method="GET",
        path="/api/results/{result_id}/map",
        call=show_map,
        right=Right.LOOK,
        tag="results",
    ),
)
