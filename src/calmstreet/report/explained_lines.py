"""Why an event is one, line by line: what was found, measured, compared with, and who was there."""

from collections.abc import Iterator, Mapping

import numpy as np

from calmstreet.model.event import Event
from calmstreet.model.kinds import KIND_NAMES
from calmstreet.model.points import TrackPoints
from calmstreet.model.signals import SignalChanges, SignalState
from calmstreet.model.site import Site
from calmstreet.units import kmh_from_mps, to_iso

__all__ = ["explained_lines"]


def explained_lines(
    event: Event,
    *,
    points: TrackPoints,
    changes: SignalChanges,
    thresholds: Mapping[str, float],
    site: Site | None,
) -> Iterator[str]:
    """Yield kind, place, reasons, exceptions, numbers, thresholds, road users and signals.

    ``points`` and ``changes`` are those around the event; ``site`` None where it is not known.
    """
    lasted_s = (event.end_ns - event.start_ns) / 1e9
    yield f"{event.kind} {event.event_id}, severity {event.severity} of 4, rule {event.rule}"
    yield f"camera {event.camera_id}, {to_iso(event.start_ns, site.tz if site else 'UTC')}"
    yield f"lasted {lasted_s:.2f} s at ({event.place_m[0]:.1f}, {event.place_m[1]:.1f}) m"
    yield from (f"because: {reason}" for reason in event.reasons)
    yield from (f"EXCEPTION, no violation: {reason}" for reason in event.exceptions)
    yield from (f"measured: {name} = {value:.4g}" for name, value in event.values.items())
    yield from (f"threshold: {name} = {value:g}" for name, value in thresholds.items())
    yield from _users(event, points)
    yield from _signals(event, changes)
    if site is not None:
        yield from _calibration(site)


def _users(event: Event, points: TrackPoints) -> Iterator[str]:
    """Tell kind, size, place and speed of each road user at the start of the event."""
    for track_id in event.track_ids:
        mine = points[points.track_id == track_id]
        if not len(mine):
            continue
        row = int(np.abs(mine.t_ns - event.start_ns).argmin())
        speed = float(np.sqrt((mine.velocity_mps[row].astype(np.float64) ** 2).sum()))
        sigma = float(np.sqrt(np.nanmax(mine.cov_m2[row, [0, 2]], initial=0.0)))
        yield (
            f"road user {track_id & 0xFFFFFFFF}: {KIND_NAMES[mine.kind[row]]}, "
            f"{mine.length_m[row]:.1f} x {mine.width_m[row]:.1f} m, at "
            f"({mine.xy_m[row, 0]:.2f}, {mine.xy_m[row, 1]:.2f}) m +- {sigma:.2f} m, "
            f"{kmh_from_mps(speed):.1f} km/h, {len(mine)} rows"
        )


def _signals(event: Event, changes: SignalChanges) -> Iterator[str]:
    words = set(" ".join(event.reasons).split())
    for t_ns, head, state in zip(
        changes.t_ns.tolist(), changes.signal_id.tolist(), changes.state.tolist(), strict=True
    ):
        if head in words:
            after_s = (t_ns - event.start_ns) / 1e9
            yield f"signal {head}: {SignalState(state).name.lower()} from {after_s:+.2f} s"


def _calibration(site: Site) -> Iterator[str]:
    yield f"site version {site.site_version[:16]}"
    for camera in site.cameras:
        if camera.plane is None:
            yield f"camera {camera.id}: no plane of its own"
        else:
            yield f"camera {camera.id}: plane from {len(camera.plane.points_px)} points"
