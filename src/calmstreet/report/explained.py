"""One event drawn from above: who was where, the lines and zones, speeds and signals over time."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from calmstreet.model.event import Event
from calmstreet.model.points import TrackPoints
from calmstreet.model.signals import SignalChanges, SignalState
from calmstreet.model.site import Site
from calmstreet.report.svg import INK, standalone, styled, svg_of

__all__ = ["event_svg"]

Array = NDArray[np.float64]
_OWN = ("#0b6fa4", "#c2410c", "#4d7c0f", "#7e22ce")
_OTHERS = "#9aa3ad"
_ZONE = "#5b6570"
_SIGNAL_COLOURS = {
    SignalState.RED: "#c81e1e",
    SignalState.RED_AMBER: "#c2410c",
    SignalState.AMBER: "#d99a00",
    SignalState.GREEN: "#15803d",
}
_AROUND_M = 15.0


def event_svg(
    event: Event, points: TrackPoints, *, site: Site, changes: SignalChanges, title: str
) -> str:
    """Return a whole SVG file of an event: a map above, speeds and signals below.

    On the ground in metres where rows have them, else on the picture.
    """
    metric = bool(np.isfinite(points.xy_m).all(axis=1).any())
    with styled(event.event_id):
        figure = Figure(figsize=(7.6, 7.6), layout="constrained")
        above, below = figure.subplots(2, 1, height_ratios=[3, 1])
        _draw_site(above, site, metric)
        _draw_tracks(above, event, points, metric)
        _frame(above, event, points, metric)
        _draw_speeds(below, event, points)
        _draw_signals(below, event, changes, site)
        return standalone(svg_of(figure, f"event-{event.event_id}", title))


def _places(points: TrackPoints, metric: bool) -> Array:
    return (points.xy_m if metric else points.foot_px()).astype(np.float64)


def _draw_site(axes: Axes, site: Site, metric: bool) -> None:
    for zone in site.zones:
        corners = zone.polygon_m if metric else zone.polygon_px
        if corners:
            x, y = zip(*corners, corners[0], strict=True)
            axes.plot(x, y, color=_ZONE, linewidth=0.7, linestyle=":")
            axes.text(x[0], y[0], zone.id, color=_ZONE, fontsize=7, clip_on=True)
    for gate in site.gates:
        ends = gate.points_m if metric else gate.points_px
        if ends:
            x, y = zip(*ends, strict=True)
            axes.plot(x, y, color=INK, linewidth=2.0)
            axes.text(x[-1], y[-1], gate.id, fontsize=7, clip_on=True)


def _draw_tracks(axes: Axes, event: Event, points: TrackPoints, metric: bool) -> None:
    for track in points.tracks():
        place = _places(track.points, metric)
        own = track.track_id in event.track_ids
        colour = _OWN[event.track_ids.index(track.track_id) % len(_OWN)] if own else _OTHERS
        axes.plot(place[:, 0], place[:, 1], color=colour, linewidth=1.6 if own else 0.7)
        if own and metric:
            for t_ns in (event.start_ns, event.end_ns):
                _draw_footprint(axes, track.points, t_ns, colour)
        if own:
            axes.plot(*place[-1], marker="o", markersize=4, color=colour)


def _draw_footprint(axes: Axes, rows: TrackPoints, t_ns: int, colour: str) -> None:
    row = int(np.abs(rows.t_ns - t_ns).argmin())
    heading = float(rows.heading_rad[row])
    if not np.isfinite(heading):
        return
    half = np.array([rows.length_m[row], rows.width_m[row]], float) / 2
    corners = np.array([(1, 1), (1, -1), (-1, -1), (-1, 1), (1, 1)]) * half
    cos, sin = np.cos(heading), np.sin(heading)
    x = rows.xy_m[row, 0] + corners[:, 0] * cos - corners[:, 1] * sin
    y = rows.xy_m[row, 1] + corners[:, 0] * sin + corners[:, 1] * cos
    axes.plot(x, y, color=colour, linewidth=1.0)


def _frame(axes: Axes, event: Event, points: TrackPoints, metric: bool) -> None:
    """Show the surroundings of the event's road users."""
    own = (
        np.isin(points.track_id, event.track_ids) if event.track_ids else np.ones(len(points), bool)
    )
    near = own & (points.t_ns >= event.start_ns - 3 * 10**9)
    near &= points.t_ns <= event.end_ns + 3 * 10**9
    place = _places(points[near], metric)
    place = place[np.isfinite(place).all(axis=1)]
    axes.set_aspect("equal")
    if len(place):
        around = _AROUND_M if metric else 60.0
        low, high = place.min(axis=0) - around, place.max(axis=0) + around
        axes.set_xlim(low[0], high[0])
        axes.set_ylim(*((low[1], high[1]) if metric else (high[1], low[1])))
    axes.set_xlabel("m east" if metric else "px")
    axes.set_ylabel("m north" if metric else "px")


def _draw_speeds(axes: Axes, event: Event, points: TrackPoints) -> None:
    for number, track_id in enumerate(event.track_ids):
        mine = points[points.track_id == track_id]
        speed = np.sqrt((mine.velocity_mps.astype(np.float64) ** 2).sum(axis=1))
        when_s = (mine.t_ns - event.start_ns) / 1e9
        axes.plot(when_s, speed, color=_OWN[number % len(_OWN)], linewidth=1.4)
    axes.axvline(0.0, color=INK, linewidth=0.8)
    axes.axvline((event.end_ns - event.start_ns) / 1e9, color=INK, linewidth=0.8, linestyle="--")
    axes.set_xlabel("s from the start of the event")
    axes.set_ylabel("m/s")


def _draw_signals(axes: Axes, event: Event, changes: SignalChanges, site: Site) -> None:
    """Draw a band for each head that the event names."""
    named = _named(event, site)
    low, high = axes.get_xlim()
    for number, head in enumerate(named):
        mine = changes.signal_id == head
        when_s = (changes.t_ns[mine] - event.start_ns) / 1e9
        ends = np.append(when_s[1:], high)
        for begin, end, state in zip(when_s, ends, changes.state[mine].tolist(), strict=True):
            colour = _SIGNAL_COLOURS.get(SignalState(state), _OTHERS)
            span = max(begin, low), min(end, high)
            if span[1] > span[0]:
                bottom = 1.02 + 0.07 * number
                axes.plot(span, [bottom] * 2, color=colour, linewidth=4, clip_on=False,
                          transform=axes.get_xaxis_transform())  # fmt: skip
    axes.set_xlim(low, high)


def _named(event: Event, site: Site) -> Sequence[str]:
    heads = {part for gate in site.gates if (part := gate.signal)}
    heads |= {part for zone in site.zones if (part := zone.signal)}
    return sorted(heads & set(" ".join(event.reasons).split()))
