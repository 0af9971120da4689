"""The camera and the span of time that a page is about."""

from dataclasses import dataclass

from fastapi import HTTPException

from calmstreet.model.site import Site
from calmstreet.store.seen import CameraRow, Seen
from calmstreet.units import local_datetime
from calmstreet.web.answers_junction import Period
from calmstreet.web.ground import Ground, site_of
from calmstreet.web.numbers import ms, ns
from calmstreet.web.queries import SpanQuery

__all__ = ["View", "period_of", "view_of", "view_on"]

_MS_NS = 1_000_000
_S_NS = 1_000_000_000
_LONG_NS = 2 * 86_400 * _S_NS


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class View:
    """One camera of a result over one span, UTC ns, end excluded."""

    seen: Seen
    row: CameraRow
    site: Site
    ground: Ground
    start_ns: int
    end_ns: int

    @property
    def camera_id(self) -> str:
        """Return the camera."""
        return self.row.camera_id

    @property
    def tz(self) -> str:
        """Return the time zone of the place."""
        return self.site.tz

    @property
    def period(self) -> Period:
        """Return the span as it is said."""
        return period_of(self.start_ns, self.end_ns, self.tz, self.row.time_known)


def period_of(start_ns: int, end_ns: int, tz: str, time_known: str) -> Period:
    """Return a span as it is said."""
    return Period.of(start_ms=ms(start_ns), end_ms=ms(end_ns), tz=tz, time_known=time_known)


def _begun(t_ns: int, tz: str, *, day: bool) -> int:
    """Return when the local hour or day of an instant began: slices of time begin there."""
    local = local_datetime(t_ns, tz)
    hours_s = 3600 * local.hour if day else 0
    return t_ns - t_ns % _S_NS - (hours_s + 60 * local.minute + local.second) * _S_NS


def view_of(seen: Seen, camera_id: str, span: SpanQuery) -> View:
    """Return the view of a camera; raise 404 when it is not there or not open to the asker."""
    row = next((row for row in seen.camera_rows() if row.camera_id == camera_id), None)
    site = site_of(seen, row.site_version) if row else None
    if row is None or site is None:
        raise HTTPException(404, "there is no such camera")
    return view_on(seen, row, site, span)


def view_on(seen: Seen, row: CameraRow, site: Site, span: SpanQuery) -> View:
    """Return the view of a camera of a result that was read before."""
    long = row.end_ns - row.start_ns > _LONG_NS
    start_ns = _begun(row.start_ns, site.tz, day=long)
    start_ns = start_ns if span.start_ms is None else ns(span.start_ms)
    end_ns = row.end_ns + _MS_NS if span.end_ms is None else ns(span.end_ms)
    if start_ns >= end_ns:
        raise HTTPException(422, "a span ends after it starts; give an end_ms above start_ms")
    ground = Ground.of(site, row)
    return View(
        seen=seen,
        row=row,
        site=ground.site,
        ground=ground,
        start_ns=start_ns,
        end_ns=end_ns,
    )
