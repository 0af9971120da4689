"""Junctions: counts, turns, speeds, queues, headways, conflicts, comparison."""

from collections.abc import Callable
from typing import Any

import numpy as np

from calmstreet.model.kinds import KIND_NAMES
from calmstreet.safety.movements import movements_of
from calmstreet.units import local_datetime
from calmstreet.web.answers_junction import (
    Comparison,
    ConflictPage,
    CountsPage,
    DayRow,
    HeadwayPage,
    JunctionPage,
    MovementRow,
    QueuePage,
    SpeedPage,
    TurningPage,
)
from calmstreet.web.comparing import compare
from calmstreet.web.conflicting import conflict_page
from calmstreet.web.counting import counts_page, not_observed, queue_page
from calmstreet.web.doors import Door, Right
from calmstreet.web.numbers import ms, plain
from calmstreet.web.passing import headway_page, speed_page
from calmstreet.web.queries import (
    CameraId,
    CompareQuery,
    PlaceQuery,
    ResultId,
    Span,
    SpanQuery,
    WidthS,
)
from calmstreet.web.routes_results import background_of, note_of
from calmstreet.web.spans import View, view_of
from calmstreet.web.turning import turning_page
from calmstreet.web.visit import Here

__all__ = ["DOORS"]

_DAY_NS = 86_400 * 10**9


def show_junction(here: Here, result_id: ResultId, camera_id: CameraId, span: Span) -> JunctionPage:
    """Show what there is of one camera."""
    with here.seen(result_id) as seen:
        view = view_of(seen, camera_id, span)
        rows = seen.bins(
            camera_id, start_ns=view.start_ns - _DAY_NS, end_ns=view.end_ns, width_ns=_DAY_NS
        )
        spells = seen.watched(camera_id, start_ns=view.start_ns, end_ns=view.end_ns)
        return JunctionPage.of(
            result_id=result_id,
            camera_id=camera_id,
            site_version=view.row.site_version,
            period=view.period,
            watched_s=round(float((spells[:, 1] - spells[:, 0]).sum()) / 1e9, 1),
            size_px=(view.row.width_px, view.row.height_px) if view.row.width_px else None,
            picture_id=background_of(seen.media(), camera_id),
            plane=view.ground.state,
            kinds=[KIND_NAMES[kind] for kind in np.unique(rows.kind).tolist()],
            not_observed=not_observed(view),
            gates=view.ground.gates(),
            zones=view.ground.zones(),
            movements=[
                MovementRow(
                    movement_id=one.id,
                    from_id=one.from_id,
                    to_id=one.to_id,
                    turn=one.turn,
                    forbidden=one.forbidden,
                )
                for one in movements_of(view.site)
            ],
            days=_days(view),
            measures=_measures(view),
            warnings=[note_of(w.code, w.text, w.args) for w in seen.warnings(camera_id)],
        )


def _days(view: View) -> list[DayRow]:
    """Return each local day with what all movements, or else all gates, counted."""
    rows = view.seen.bins(
        view.camera_id, start_ns=view.start_ns - _DAY_NS, end_ns=view.end_ns, width_ns=_DAY_NS
    )
    moving = np.char.startswith(rows.what, "movement:")
    chosen = moving if moving.any() else np.char.startswith(rows.what, "gate:")
    found = []
    for start_ns in np.unique(rows.start_ns).tolist():
        here = chosen & (rows.start_ns == start_ns)
        found.append(
            DayRow(
                day=local_datetime(start_ns, view.tz).date().isoformat(),
                start_ms=ms(start_ns),
                watched_s=round(float(rows.exposure_s[here].max(initial=0.0)), 1),
                count=plain(float(rows.count[here].sum()), 1) if here.any() else None,
            )
        )
    return found


def _measures(view: View) -> list[str]:
    names = ["counts", "headways", "queues"] if view.site.gates else ["queues"]
    if movements_of(view.site):
        names.append("turns")
    if view.ground.plane is not None:
        names += ["speeds", "conflicts"]
    return names


def show_counts(
    here: Here,
    result_id: ResultId,
    camera_id: CameraId,
    span: Span,
    width_s: WidthS = 900,
    place_id: PlaceQuery = None,
) -> CountsPage:
    """Show counts by class and slice of time at gates and of movements.

    Spans that are too long for the asked width get the next wider one; ``width_s`` says which.
    """
    with here.seen(result_id) as seen:
        return counts_page(view_of(seen, camera_id, span), width_s=width_s, place_id=place_id)


def show_turns(here: Here, result_id: ResultId, camera_id: CameraId, span: Span) -> TurningPage:
    """Show the turning-movement diagram."""
    with here.seen(result_id) as seen:
        return turning_page(view_of(seen, camera_id, span))


def show_speeds(
    here: Here,
    result_id: ResultId,
    camera_id: CameraId,
    span: Span,
    place_id: PlaceQuery = None,
) -> SpeedPage:
    """Show speed distributions with v85 and its interval."""
    with here.seen(result_id) as seen:
        return speed_page(view_of(seen, camera_id, span), place_id=place_id)


def show_queues(
    here: Here, result_id: ResultId, camera_id: CameraId, span: Span, width_s: WidthS = 900
) -> QueuePage:
    """Show queues and occupancy over time."""
    with here.seen(result_id) as seen:
        return queue_page(view_of(seen, camera_id, span), width_s=width_s)


def show_headways(
    here: Here,
    result_id: ResultId,
    camera_id: CameraId,
    span: Span,
    place_id: PlaceQuery = None,
) -> HeadwayPage:
    """Show headways and gaps at gates."""
    with here.seen(result_id) as seen:
        return headway_page(view_of(seen, camera_id, span), place_id=place_id)


def show_conflicts(
    here: Here, result_id: ResultId, camera_id: CameraId, span: Span
) -> ConflictPage:
    """Show events and conflicts by movement and hour."""
    with here.seen(result_id) as seen:
        return conflict_page(view_of(seen, camera_id, span))


def compare_periods(here: Here, asked: CompareQuery) -> Comparison:
    """Compare two periods over matched weekday-hours watched in both."""
    before = SpanQuery(start_ms=asked.before_start_ms, end_ms=asked.before_end_ms)
    after = SpanQuery(start_ms=asked.after_start_ms, end_ms=asked.after_end_ms)
    with here.seen(asked.before_result) as first, here.seen(asked.after_result) as second:
        return compare(
            view_of(first, asked.camera_id, before),
            view_of(second, asked.camera_id, after),
            language=asked.language,
        )


def _door(name: str, call: Callable[..., Any]) -> Door:
    return Door(
        method="GET",
        path=f"/api/results/{{result_id}}/cameras/{{camera_id}}/{name}",
        call=call,
        right=Right.LOOK,
        tag="junction",
        noted=name == "junction",
    )


DOORS: tuple[Door, ...] = (
    _door("junction", show_junction),
    _door("counts", show_counts),
    _door("turns", show_turns),
    _door("speeds", show_speeds),
    _door("queues", show_queues),
    _door("headways", show_headways),
    _door("conflicts", show_conflicts),
    Door(
        method="GET",
        path="/api/compare",
        call=compare_periods,
        right=Right.LOOK,
        tag="junction",
    ),
)
