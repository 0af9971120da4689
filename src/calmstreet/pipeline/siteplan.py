"""`calmstreet site`: the site drawn over the empty street, and gates that nobody can cross."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calmstreet.config.site import check_frame, load_site
from calmstreet.geometry.shapes import inside_polygon
from calmstreet.model.site import Gate, Site
from calmstreet.pipeline.eyes import chosen_net
from calmstreet.pipeline.pictures import drawn, empty_street
from calmstreet.pipeline.planes import camera_plane
from calmstreet.pipeline.planning import chosen_camera
from calmstreet.report.calibration import draw_metric_grid
from calmstreet.report.siteplan import draw_site
from calmstreet.store.folder import write_whole
from calmstreet.video.samples import read_background_bgr
from calmstreet.video.source import find_videos, probe

__all__ = ["draw_site_plan", "uncrossable"]

ROOM_SHARE = 0.02
PROBES = 15


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


def uncrossable(site: Site, width_px: int, height_px: int) -> dict[str, str]:
    """Return the gates that no track can cross, with the reason.

    A gate needs room on both sides for a road user's anchor: inside the picture and outside the
    masks. A foot cannot reach the upper border, where boxes of the least size still stand below it.

    >>> edge = Gate(id="edge", camera_id="c", points_px=((0, 99), (99, 99)))
    >>> uncrossable(Site(id="x", gates=(edge,)), 100, 100)
    {'edge': 'it lies at the border of the picture, with no room on one side'}
    """
    found = {}
    for gate in site.gates:
        if len(gate.points_px) < 2:
            continue
        sides = [_room(gate, site, sign, width_px, height_px) for sign in (-1.0, 1.0)]
        if all(sides):
            continue
        hidden = all(_room(gate, replace(site, masks=()), s, width_px, height_px) for s in (-1, 1))
        found[gate.id] = (
            "a mask lies over it"
            if hidden
            else "it lies at the border of the picture, with no room on one side"
        )
    return found


def _room(gate: Gate, site: Site, sign: float, width_px: int, height_px: int) -> bool:
    """Return whether any place beside the gate on one side can hold a road user's anchor."""
    room_px = ROOM_SHARE * height_px
    places = _beside(np.asarray(gate.points_px, np.float64), sign * room_px)
    least = 0.5 * room_px * (gate.anchor[1] > 0.5)
    inside = (places[:, 0] >= 0) & (places[:, 0] <= width_px - 1)
    inside &= (places[:, 1] >= least) & (places[:, 1] <= height_px - 1)
    for mask in site.masks:
        inside &= ~inside_polygon(places, mask.polygon_px)
    return bool(inside.any())


def _beside(line: NDArray[np.float64], offset_px: float) -> NDArray[np.float64]:
    """Return places (n, 2) along a polyline, moved sideways."""
    shares = np.linspace(0.05, 0.95, PROBES)[:, None]
    places = []
    for start, end in pairwise(line):
        along = (end - start) / max(float(np.hypot(*(end - start))), 1e-9)
        side = np.array([-along[1], along[0]])
        places.append(start + shares * (end - start) + offset_px * side)
    return np.concatenate(places)
