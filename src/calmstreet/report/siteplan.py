"""A site over a picture of its camera: gates, movements, zones, masks, lamps and a pixel grid.

Everything is drawn in place on ``bgr``, uint8 (height, width, 3); ``scale`` is picture pixels per
camera pixel. Parts of a site that are given in metres only are not drawn.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calmstreet.model.site import Gate, Movement, Signal, Site, Zone
from calmstreet.report.colours import (
    DARK_BGR,
    FAULT_HEX,
    GATE_HEX,
    LAMP_HEX,
    LIGHT_BGR,
    MASK_HEX,
    TURN_HEX,
    ZONE_HEX,
    bgr_of,
)
from calmstreet.report.ink import (
    Labels,
    Pen,
    arrow,
    curve,
    dashes,
    pen_for,
    polyline,
    ring,
    tint,
)

__all__ = ["draw_pixel_grid", "draw_site", "gate_middle"]

_GRID_STEPS_PX = (10, 20, 50, 100, 200, 500, 1000)


def gate_middle(line: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the middle of a polyline (n, 2) and the unit vector to its left, both (2,) px.

    Left is meant on the picture, looking along the line from its first point.

    >>> [v.tolist() for v in gate_middle([(0, 0), (10, 0)])]
    [[5.0, 0.0], [0.0, -1.0]]
    """
    xy = np.asarray(line, np.float64)
    lengths = np.hypot(*np.diff(xy, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    half = along[-1] / 2
    part = int(np.clip(np.searchsorted(along, half) - 1, 0, len(lengths) - 1))
    way = (xy[part + 1] - xy[part]) / max(float(lengths[part]), 1e-9)
    return xy[part] + way * (half - along[part]), np.array([way[1], -way[0]]) + 0.0


def draw_site(
    bgr: NDArray[np.uint8],
    site: Site,
    *,
    camera_id: str | None = None,
    scale: float = 1.0,
    faults: Mapping[str, str] | None = None,
) -> None:
    """Draw what SITE.toml says: zones, masks, lamps, movements, gates with their two sides.

    ``camera_id`` picks one camera of several. ``faults`` maps the id of a gate, zone or movement
    to a short reason why nothing can be counted there; such a gate is drawn red and dashed.
    """
    mine = site if camera_id is None else site.of_camera(camera_id)
    pen, reasons = pen_for(bgr), faults or {}
    labels = Labels(bgr=bgr, pen=pen)
    for zone in mine.zones:
        _draw_zone(bgr, zone, labels=labels, pen=pen, scale=scale, fault=reasons.get(zone.id, ""))
    for mask in mine.masks:
        _draw_mask(bgr, np.asarray(mask.polygon_px, np.float64) * scale, labels=labels, pen=pen)
    for signal in mine.signals:
        _draw_signal(bgr, signal, labels=labels, pen=pen, scale=scale)
    _draw_movements(bgr, mine, labels=labels, pen=pen, scale=scale)
    for gate in mine.gates:
        _draw_gate(bgr, gate, labels=labels, pen=pen, scale=scale, fault=reasons.get(gate.id, ""))
    labels.draw()


def _draw_zone(
    bgr: NDArray[np.uint8], zone: Zone, *, labels: Labels, pen: Pen, scale: float, fault: str
) -> None:
    """Fill a zone with the colour of its kind and name it."""
    if len(zone.polygon_px) < 3:
        return
    polygon = np.asarray(zone.polygon_px, np.float64) * scale
    colour = bgr_of(FAULT_HEX if fault else ZONE_HEX.get(zone.kind, "#ffffff"))
    tint(bgr, polygon, colour=colour, share=0.28)
    polyline(bgr, polygon, colour=colour, width_px=pen.thin_px, closed=True)
    text = f"{zone.id}: {zone.kind}" if zone.kind != zone.id else zone.id
    labels.put(f"{text} - {fault}" if fault else text, at=_inside(polygon), colour=colour)


def _draw_mask(
    bgr: NDArray[np.uint8], polygon: NDArray[np.float64], *, labels: Labels, pen: Pen
) -> None:
    """Darken a mask, in which nobody is looked for."""
    tint(bgr, polygon, colour=bgr_of(MASK_HEX), share=0.75)
    dashes(bgr, polygon, colour=LIGHT_BGR, width_px=pen.thin_px, closed=True)
    labels.put("mask", at=_inside(polygon), colour=DARK_BGR)


def _draw_signal(
    bgr: NDArray[np.uint8], signal: Signal, *, labels: Labels, pen: Pen, scale: float
) -> None:
    """Frame the lamps of a signal head and name it."""
    boxes = np.asarray(list(signal.lamps_px.values()), np.float64).reshape(-1, 4) * scale
    for name, (left, top, right, bottom) in zip(signal.lamps_px, boxes, strict=True):
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        colour = bgr_of(LAMP_HEX.get(name, "#ffffff"))
        polyline(bgr, corners, colour=colour, width_px=pen.line_px, closed=True, halo=True)
    if len(boxes):
        at = (float(boxes[:, [0, 2]].mean()), float(boxes[:, 3].max()) + pen.text_px)
        labels.put(signal.id, at=at, colour=DARK_BGR)


def _draw_movements(
    bgr: NDArray[np.uint8], site: Site, *, labels: Labels, pen: Pen, scale: float
) -> None:
    """Draw an arrow per movement from the middle of its first place to that of its last."""
    places = {z.id: np.asarray(_inside(z.polygon_px)) for z in site.zones if z.polygon_px}
    places |= {g.id: gate_middle(g.points_px)[0] for g in site.gates if len(g.points_px) > 1}
    for movement in site.movements:
        if movement.from_id not in places or movement.to_id not in places:
            continue
        way = _way_of(movement, places, pen.text_px / scale) * scale
        colour = bgr_of(TURN_HEX.get(movement.turn, "#e8e8e8"))
        arrow(bgr, way, colour=colour, width_px=pen.line_px)
        turn = f": {movement.turn}" if movement.turn else ""
        labels.put(f"{movement.id}{turn}", at=way[len(way) // 2].tolist(), colour=colour)


def _way_of(
    movement: Movement, places: Mapping[str, NDArray[np.float64]], unit_px: float
) -> NDArray[np.float64]:
    """Return the drawn way of a movement (n, 2) in camera pixels, a loop if it comes back."""
    start, end = places[movement.from_id], places[movement.to_id]
    if movement.from_id == movement.to_id:
        turn = np.linspace(np.pi, -0.7 * np.pi, 25)
        ring_of_points = np.stack([np.cos(turn), np.sin(turn)], axis=1) * 1.5 * unit_px
        return np.asarray(start + ring_of_points + (1.5 * unit_px, 0))
    return curve(start, end, {"left": -0.15, "right": 0.15, "u": 0.5}.get(movement.turn, 0.06))


def _draw_gate(
    bgr: NDArray[np.uint8], gate: Gate, *, labels: Labels, pen: Pen, scale: float, fault: str
) -> None:
    """Draw a gate, a dot at its first point and an arrow to either side."""
    if len(gate.points_px) < 2:
        return
    line = np.asarray(gate.points_px, np.float64) * scale
    colour = bgr_of(FAULT_HEX if fault else GATE_HEX)
    if fault:
        dashes(bgr, line, colour=colour, width_px=pen.line_px + 1, dash_px=pen.text_px)
    else:
        polyline(bgr, line, colour=colour, width_px=pen.line_px + 1, halo=True)
    ring(bgr, line[0].tolist(), radius_px=pen.line_px + 2, colour=colour)
    middle, left = gate_middle(line)
    for name, side in (("to_left", left), ("to_right", -left)):
        tip = middle + side * 3.2 * pen.text_px
        arrow(bgr, [middle, tip], colour=colour, width_px=pen.line_px)
        labels.put(name, at=(tip + side * 0.9 * pen.text_px).tolist(), colour=colour)
    text = f"{gate.id}: {fault}" if fault else gate.id
    at = line[-1] + (line[-2] - line[-1]) * 0.12
    labels.put(text, at=at.tolist(), colour=colour)


def _inside(polygon: ArrayLike) -> tuple[float, float]:
    """Return the middle of the corners of a polygon (n, 2).

    >>> _inside([(0, 0), (4, 0), (4, 2), (0, 2)])
    (2.0, 1.0)
    """
    x, y = np.asarray(polygon, np.float64).mean(axis=0)
    return float(x), float(y)


def _grid_step_px(scale: float, wanted_px: float) -> int:
    """Return the smallest round step in camera pixels that is ``wanted_px`` wide in the picture.

    >>> _grid_step_px(0.5, 45)
    100
    """
    return next((s for s in _GRID_STEPS_PX if s * scale >= wanted_px), _GRID_STEPS_PX[-1])


def draw_pixel_grid(bgr: NDArray[np.uint8], *, scale: float = 1.0) -> None:
    """Draw a grid with the camera's pixel numbers on the margins, to read off for SITE.toml.

    Fine lines are 10 to 100 camera pixels apart; every numbered line is stronger.
    """
    pen = pen_for(bgr)
    labels = Labels(bgr=bgr, pen=pen)
    wide = _grid_step_px(scale, labels.size_px("1000")[0] * 1.4)
    fine = _grid_step_px(scale, labels.size_px("1000")[0] * 0.55)
    height, width = bgr.shape[:2]
    over = bgr.copy()
    for axis, size in enumerate((width, height)):
        for at in np.arange(fine, size / scale, fine):
            strong = at % wide == 0
            ends = np.array([[0.0, at * scale], [float((height, width)[axis]), at * scale]])
            ends = ends if axis else ends[:, ::-1]
            shade = LIGHT_BGR if strong else (200, 200, 200)
            polyline(over, ends, colour=shade, width_px=1, halo=bool(strong))
    np.copyto(bgr, (bgr * 0.55 + over * 0.45).astype(np.uint8))
    _number_grid(bgr, labels, wide, scale)


def _number_grid(bgr: NDArray[np.uint8], labels: Labels, step: int, scale: float) -> None:
    """Write the numbers: x along the top and bottom, y along the left and right."""
    height, width = bgr.shape[:2]
    for at in range(step, int(width / scale) + 1, step):
        labels.put(str(at), at=(at * scale, 0.0), fixed=True)
        labels.put(str(at), at=(at * scale, float(height)), fixed=True)
    for at in range(step, int(height / scale) + 1, step):
        if at * scale < height - labels.size_px("0")[1] * 1.5:
            labels.put(str(at), at=(0.0, at * scale), fixed=True)
            labels.put(str(at), at=(float(width), at * scale), fixed=True)
    labels.put("x, y px", at=(0.0, 0.0), fixed=True)
    labels.draw()
