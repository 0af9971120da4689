"""Why an event is one, line by line: what was found, measured, compared with, and who was there."""

from collections.abc import Iterator, Mapping

import numpy as np

from calmstreet.model.event import Event
from calmstreet.model.kinds import KIND_NAMES
from calmstreet.model.points import TrackPoints
from calmstreet.model.signals import SignalChanges, SignalState
from calmstreet.model.site import Site
from calmstreet.report.said import said_in
from calmstreet.report.texts import Texts, texts
from calmstreet.units import kmh_from_mps, to_iso

__all__ = ["explained_lines"]


def explained_lines(
    event: Event,
    *,
    points: TrackPoints,
    changes: SignalChanges,
    thresholds: Mapping[str, float],
    site: Site | None,
    lang: str = "en",
) -> Iterator[str]:
    """Yield kind, place, reasons, exceptions, numbers, thresholds, road users and signals.

    ``points`` and ``changes`` are those around the event; ``site`` None where it is not known.
    """
    words = texts(lang)
    yield from _heading(event, site, words)
    for reason in event.reasons:
        yield words.t("explain.because", reason=said_in(reason, words))
    for reason in event.exceptions:
        yield words.t("explain.exception", reason=said_in(reason, words))
    for name, value in event.values.items():
        yield words.t("explain.measured", name=name, value=_n(f"{value:.4g}", words))
    for name, value in thresholds.items():
        yield words.t("explain.threshold", name=name, value=_n(f"{value:g}", words))
    yield from _users(event, points, words)
    yield from _signals(event, changes, words)
    if site is not None:
        yield from _calibration(site, words)


def _n(number: str, words: Texts) -> str:
    """Return a number that is written already with the language's comma."""
    return number if words.lang == "en" else number.replace(".", ",")


def _heading(event: Event, site: Site | None, words: Texts) -> Iterator[str]:
    yield words.t(
        "explain.severity",
        kind=event.kind if words.lang == "en" else words.or_raw("event", event.kind),
        event=event.event_id,
        severity=event.severity,
        rule=event.rule,
    )
    begun = to_iso(event.start_ns, site.tz if site else "UTC")
    yield words.t("explain.camera", camera=event.camera_id, time=begun)
    lasted_s = (event.end_ns - event.start_ns) / 1e9
    x, y = (_n(f"{place:.1f}", words) for place in event.place_m)
    yield words.t("explain.lasted", lasted=_n(f"{lasted_s:.2f}", words), x=x, y=y)


def _users(event: Event, points: TrackPoints, words: Texts) -> Iterator[str]:
    """Tell kind, size, place and speed of each road user at the start of the event."""
    for track_id in event.track_ids:
        mine = points[points.track_id == track_id]
        if not len(mine):
            continue
        row = int(np.abs(mine.t_ns - event.start_ns).argmin())
        speed = float(np.sqrt((mine.velocity_mps[row].astype(np.float64) ** 2).sum()))
        sigma = float(np.sqrt(np.nanmax(mine.cov_m2[row, [0, 2]], initial=0.0)))
        numbers = {
            "length": f"{mine.length_m[row]:.1f}",
            "width": f"{mine.width_m[row]:.1f}",
            "x": f"{mine.xy_m[row, 0]:.2f}",
            "y": f"{mine.xy_m[row, 1]:.2f}",
            "sigma": f"{sigma:.2f}",
            "speed": f"{kmh_from_mps(speed):.1f}",
        }
        kind = KIND_NAMES[mine.kind[row]]
        yield words.t(
            "explain.user",
            user=str(track_id & 0xFFFFFFFF),
            kind=kind if words.lang == "en" else words.or_raw("mark", kind),
            rows=str(len(mine)),
            **{name: _n(number, words) for name, number in numbers.items()},
        )


def _signals(event: Event, changes: SignalChanges, words: Texts) -> Iterator[str]:
    named = set(" ".join(event.reasons).split())
    for t_ns, head, state in zip(
        changes.t_ns.tolist(), changes.signal_id.tolist(), changes.state.tolist(), strict=True
    ):
        if head in named:
            after_s = (t_ns - event.start_ns) / 1e9
            shown = SignalState(state).name.lower()
            yield words.t(
                "explain.signal",
                signal=head,
                state=shown if words.lang == "en" else words.or_raw("signal_state", shown),
                after=_n(f"{after_s:+.2f}", words),
            )


def _calibration(site: Site, words: Texts) -> Iterator[str]:
    yield words.t("explain.site", version=site.site_version[:16])
    for camera in site.cameras:
        if camera.plane is None:
            yield words.t("explain.no_plane", camera=camera.id)
        else:
            points = str(len(camera.plane.points_px))
            yield words.t("explain.plane", camera=camera.id, points=points)
