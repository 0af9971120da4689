"""Road users in pictures: boxes, trails, trajectories and running counts.

Callers hand in arrays copied from a BlurredFrame; everything is drawn in place. Shapes are in
camera pixels and ``scale`` is picture pixels per camera pixel. The drawing of a site itself (gates,
zones, pixel grid) is ``draw_site`` and ``draw_pixel_grid`` of ``calmstreet.report.siteplan``.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.kinds import KIND_NAMES, Flag
from calmstreet.model.points import TrackPoints
from calmstreet.model.site import Gate, Site
from calmstreet.report.colours import DARK_BGR, GATE_HEX, KIND_HEX, PARKED_HEX, Bgr, bgr_of
from calmstreet.report.ink import (
    Labels,
    Pen,
    arrow,
    dashes,
    pen_for,
    polyline,
    ring,
    tint,
)
from calmstreet.report.siteplan import draw_pixel_grid, draw_site, gate_middle
from calmstreet.units import ns_from_s

__all__ = [
    "TRAIL_S",
    "draw_caption",
    "draw_counts",
    "draw_pixel_grid",
    "draw_points",
    "draw_site",
    "draw_trajectories",
]

TRAIL_S = 2.0
_FEW, _MANY = 25, 150
_PARKED: Bgr = bgr_of(PARKED_HEX)
_KIND_BGR: tuple[Bgr, ...] = tuple(bgr_of(KIND_HEX[code]) for code in range(len(KIND_NAMES)))


def draw_points(
    bgr: NDArray[np.uint8],
    points: TrackPoints,
    *,
    trail: TrackPoints | None = None,
    scale: float = 1.0,
    words: Sequence[str] = KIND_NAMES,
) -> None:
    """Draw the road users of one step: box, kind and serial number, and where they came from.

    ``points`` are the rows of one step; ``trail`` any rows, of which those of the last two
    seconds of the same tracks are used; ``words`` names the kinds by their code. A coasted box
    is dashed and unnamed, a parked one grey.
    """
    pen = pen_for(bgr)
    if trail is not None and len(points):
        _draw_trails(bgr, points, trail, scale=scale, pen=pen)
    labels = Labels(bgr=bgr, pen=pen)
    boxes = points.box_px * np.float32(scale)
    for row in np.flatnonzero(np.isfinite(boxes).all(axis=1)):
        flags = int(points.flags[row])
        colour = _PARKED if flags & Flag.PARKED else _KIND_BGR[points.kind[row]]
        _draw_box(bgr, boxes[row], colour=colour, flags=flags, pen=pen)
        if not flags & (Flag.PARKED | Flag.COASTED):
            serial = int(points.track_id[row]) & 0xFFFFFFFF
            text = f"{words[points.kind[row]]} {serial}"
            height = labels.size_px(text)[1]
            at = ((boxes[row, 0] + boxes[row, 2]) / 2, boxes[row, 1] - height / 2 - 1)
            labels.put(text, at=at, colour=colour)
    labels.draw()


def _draw_box(
    bgr: NDArray[np.uint8], box: NDArray[np.float32], *, colour: Bgr, flags: int, pen: Pen
) -> None:
    """Draw one box l, t, r, b in picture pixels."""
    left, top, right, bottom = (float(v) for v in box)
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    if flags & Flag.COASTED:
        dashes(bgr, corners, colour=colour, width_px=pen.thin_px, closed=True)
        return
    width_px = pen.thin_px if flags & Flag.PARKED else pen.line_px
    polyline(bgr, corners, colour=colour, width_px=width_px, closed=True)


def _draw_trails(
    bgr: NDArray[np.uint8], points: TrackPoints, trail: TrackPoints, *, scale: float, pen: Pen
) -> None:
    """Draw the way of each foot over the last two seconds, the older half thinner."""
    now_ns = int(points.t_ns.max())
    moving = points.track_id[(points.flags & Flag.PARKED) == 0]
    recent = (trail.t_ns > now_ns - ns_from_s(TRAIL_S)) & (trail.t_ns <= now_ns)
    for track in trail[recent & np.isin(trail.track_id, moving)].tracks():
        foot = track.points.foot_px() * np.float32(scale)
        half = len(foot) // 2
        colour = _KIND_BGR[track.kind]
        polyline(bgr, foot[: half + 1], colour=colour, width_px=pen.thin_px)
        polyline(bgr, foot[half:], colour=colour, width_px=pen.line_px)


def draw_trajectories(
    bgr: NDArray[np.uint8],
    points: TrackPoints,
    *,
    scale: float = 1.0,
    legend: bool = True,
    words: Sequence[str] = KIND_NAMES,
) -> None:
    """Draw every trajectory over the picture, thin where it begins, an arrow where it ends.

    ``points`` are all rows of one camera. Parked road users are grey dots. ``legend`` names the
    kinds seen, without numbers: not every trajectory is a road user that was counted.
    """
    pen = pen_for(bgr)
    under = bgr.copy()
    tracks = [(t.kind, _is_parked(t.points), t.points.foot_px() * scale) for t in points.tracks()]
    for kind, parked, foot in tracks:
        if parked:
            ring(bgr, foot[-1].tolist(), radius_px=pen.line_px + 1, colour=_PARKED)
        else:
            polyline(bgr, foot, colour=_KIND_BGR[kind], width_px=pen.line_px)
    share = 0.85 if len(tracks) < _MANY else 0.55
    np.copyto(bgr, np.clip(under * (1 - share) + bgr * share, 0, 255).astype(np.uint8))
    for kind, parked, foot in tracks:
        if not parked:
            end = foot[-(len(foot) // 3 + 2) :]
            arrow(bgr, end, colour=_KIND_BGR[kind], width_px=pen.line_px, halo=len(tracks) < _FEW)
    if legend:
        _draw_legend(bgr, [k for k, parked, _ in tracks if not parked], words=words, pen=pen)


def _is_parked(points: TrackPoints) -> bool:
    """Say whether most of a track's rows are parked."""
    return bool(((points.flags & Flag.PARKED) != 0).mean() > 0.5)


def _draw_legend(
    bgr: NDArray[np.uint8], kinds: Sequence[int], *, words: Sequence[str], pen: Pen
) -> None:
    """Draw a column of the kinds in the lower left corner."""
    codes = np.unique(np.asarray(kinds, np.int64))
    if not len(codes):
        return
    labels = Labels(bgr=bgr, pen=pen)
    texts = [words[code] for code in codes]
    sizes = [labels.size_px(text) for text in texts]
    swatch = pen.text_px
    width, row = max(w for w, _ in sizes) + 1.5 * swatch, sizes[0][1]
    left, bottom = float(pen.gap_px), bgr.shape[0] - float(pen.gap_px)
    top = bottom - row * len(texts)
    panel = [(left, top), (left + width, top), (left + width, bottom), (left, bottom)]
    tint(bgr, panel, colour=DARK_BGR, share=0.8)
    for line, (code, text) in enumerate(zip(codes, texts, strict=True)):
        y = top + (line + 0.5) * row
        ring(bgr, (left + 0.8 * swatch, y), radius_px=pen.text_px / 3, colour=_KIND_BGR[code])
        x = left + 1.4 * swatch + sizes[line][0] / 2
        labels.put(text, at=(x, y), fixed=True)
    labels.draw()


def draw_counts(
    bgr: NDArray[np.uint8],
    counts: Mapping[str, tuple[int, int]],
    *,
    gates: Sequence[Gate] | Site,
    scale: float = 1.0,
) -> None:
    """Draw the gates and, on either side, how many have ended there so far.

    ``counts`` maps a gate's id to (to_left, to_right).
    """
    pen = pen_for(bgr)
    colour = bgr_of(GATE_HEX)
    labels = Labels(bgr=bgr, pen=pen)
    for gate in gates.gates if isinstance(gates, Site) else gates:
        if len(gate.points_px) < 2:
            continue
        line = np.asarray(gate.points_px, np.float64) * scale
        polyline(bgr, line, colour=colour, width_px=pen.thin_px, halo=True)
        middle, left = gate_middle(line)
        for side, count in zip((left, -left), counts.get(gate.id, (0, 0)), strict=True):
            at = middle + side * 2.2 * pen.text_px
            labels.put(str(count), at=at.tolist(), colour=colour, fixed=True)
    labels.draw()


def draw_caption(bgr: NDArray[np.uint8], text: str) -> None:
    """Write one line (a time, a camera) into the upper left corner."""
    pen = pen_for(bgr)
    labels = Labels(bgr=bgr, pen=pen)
    width, height = labels.size_px(text)
    labels.put(text, at=(width / 2, height / 2), fixed=True)
    labels.draw()
