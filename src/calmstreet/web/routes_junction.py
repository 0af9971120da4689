"""Junctions: counts, turns, speeds, queues, headways, conflicts, comparison."""

from fastapi import HTTPException

from calmstreet.web.answers_junction import (
    Comparison,
    ConflictPage,
    CountsPage,
    HeadwayPage,
    JunctionPage,
    QueuePage,
    SpeedPage,
    TurningPage,
)
from calmstreet.web.doors import Door, Right
from calmstreet.web.queries import CameraId, CompareQuery, PlaceQuery, ResultId, Span, WidthS
from calmstreet.web.visit import Here

__all__ = ["DOORS"]


def show_junction(here: Here, result_id: ResultId, camera_id: CameraId, span: Span) -> JunctionPage:
    """Show what there is of one camera."""
    raise HTTPException(501)


def show_counts(
    here: Here,
    result_id: ResultId,
    camera_id: CameraId,
    span: Span,
    width_s: WidthS = 900,
    place_id: PlaceQuery = None,
) -> CountsPage:
    """Show counts by class and slice of time at gates and of movements."""
    raise HTTPException(501)


def show_turns(here: Here, result_id: ResultId, camera_id: CameraId, span: Span) -> TurningPage:
    """Show the turning-movement diagram."""
    raise HTTPException(501)


def show_speeds(
    here: Here, result_id: ResultId, camera_id: CameraId, span: Span, place_id: PlaceQuery = None
) -> SpeedPage:
    """Show speed distributions with v85 and its interval."""
    raise HTTPException(501)


def show_queues(
    here: Here, result_id: ResultId, camera_id: CameraId, span: Span, width_s: WidthS = 900
) -> QueuePage:
    """Show queues and occupancy over time."""
    raise HTTPException(501)


def show_headways(
    here: Here, result_id: ResultId, camera_id: CameraId, span: Span, place_id: PlaceQuery = None
) -> HeadwayPage:
    """Show headways and gaps at gates."""
    raise HTTPException(501)


def show_conflicts(
    here: Here, result_id: ResultId, camera_id: CameraId, span: Span
) -> ConflictPage:
    """Show events and conflicts by movement and hour."""
    raise HTTPException(501)


def compare_periods(here: Here, asked: CompareQuery) -> Comparison:
    """Compare two periods over matched weekday-hours watched in both."""
    raise HTTPException(501)


DOORS: tuple[Door, ...] = (
    Door(
        method="GET",
        path="/api/results/{result_id}/cameras/{camera_id}/junction",
        call=show_junction,
        right=Right.LOOK,
        tag="junction",
    ),
    Door(
        method="GET",
        path="/api/results/{result_id}/cameras/{camera_id}/counts",
        call=show_counts,
        right=Right.LOOK,
        tag="junction",
    ),
    Door(
        method="GET",
        path="/api/results/{result_id}/cameras/{camera_id}/turns",
        call=show_turns,
        right=Right.LOOK,
        tag="junction",
    ),
    Door(
        method="GET",
        path="/api/results/{result_id}/cameras/{camera_id}/speeds",
        call=show_speeds,
        right=Right.LOOK,
        tag="junction",
    ),
    Door(
        method="GET",
        path="/api/results/{result_id}/cameras/{camera_id}/queues",
        call=show_queues,
        right=Right.LOOK,
        tag="junction",
    ),
    Door(
        method="GET",
        path="/api/results/{result_id}/cameras/{camera_id}/headways",
        call=show_headways,
        right=Right.LOOK,
        tag="junction",
    ),
    Door(
        method="GET",
        path="/api/results/{result_id}/cameras/{camera_id}/conflicts",
        call=show_conflicts,
        right=Right.LOOK,
        tag="junction",
    ),
    Door(method="GET", path="/api/compare", call=compare_periods, right=Right.LOOK, tag="junction"),
)
