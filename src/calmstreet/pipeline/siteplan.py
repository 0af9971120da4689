"""`calmstreet site`: the site drawn over the empty street, and gates that nobody can cross."""

from collections.abc import Iterator
from pathlib import Path

from calmstreet.config.site import check_frame, load_site
from calmstreet.pipeline.eyes import chosen_net
from calmstreet.pipeline.pictures import drawn, empty_street
from calmstreet.pipeline.planes import camera_plane
from calmstreet.pipeline.planning import chosen_camera
from calmstreet.report.calibration import draw_metric_grid
from calmstreet.report.siteplan import draw_site
from calmstreet.safety.uncrossable import uncrossable
from calmstreet.store.folder import write_whole
from calmstreet.video.samples import read_background_bgr
from calmstreet.video.source import find_videos, probe

__all__ = ["draw_site_plan"]


def draw_site_plan(
    site_file: Path, *, video: Path, out: Path, camera: str | None = None
) -> Iterator[str]:
    """Draw a site over the blurred empty street of a video; yield what is to be said.

    A camera with a plane gets its metric grid. Raises ConfigError where a shape lies outside the
    frame, CalibrationError for points that contradict each other, VideoError for a bad video.
    """
    site, _ = load_site(site_file)
    camera_id = chosen_camera(site, camera)
    path = find_videos([video])[0]
    info = probe(path)
    size_px = (info.width_px, info.height_px)
    check_frame(site, camera_id, *size_px)
    mine = site.of_camera(camera_id)
    picture = empty_street(
        read_background_bgr(path),
        site=mine,
        camera_id=camera_id,
        t_ns=0,
        size_px=size_px,
        net=chosen_net("nanodet"),
    )
    faults = uncrossable(mine, *size_px)
    fitted = camera_plane(site, camera_id, width_px=info.width_px, height_px=info.height_px)
    plane, grid = fitted.plane, []
    if plane is not None:
        grid.append(lambda bgr: draw_metric_grid(bgr, plane, scale=picture.scale))
    png = drawn(
        picture.bgr,
        *grid,
        lambda bgr: draw_site(bgr, mine, camera_id=camera_id, scale=picture.scale, faults=faults),
    )

    def put(part: Path) -> None:
        part.write_bytes(png)

    write_whole(out, put)
    for note in fitted.notes:
        yield str(note.args["note"])
    for gate_id, reason in faults.items():
        yield f"gate {gate_id} can never be crossed: {reason}"
    yield (
        f"{out} written: {len(mine.gates)} gates, {len(mine.zones)} zones, "
        f"{len(mine.movements)} movements, {len(mine.masks)} masks, {len(mine.signals)} signals"
    )
