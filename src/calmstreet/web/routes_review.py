"""The queue of events, their evidence, and verdicts."""

from fastapi import HTTPException
from starlette.responses import Response

from calmstreet.web.answers_review import EventDetail, EventPage, MediumCard, ReviewRow, Verdict
from calmstreet.web.doors import Door, Right
from calmstreet.web.queries import EventId, LanguageQuery, MediumId, QueueQuery, ResultId
from calmstreet.web.visit import Here

__all__ = ["DOORS"]


def list_events(here: Here, asked: QueueQuery) -> EventPage:
    """List events by severity, newest first within one."""
    raise HTTPException(501)


def show_event(
    here: Here, result_id: ResultId, event_id: EventId, language: LanguageQuery = "en"
) -> EventDetail:
    """Show one event: why, tracks from above, curves, clip, verdicts."""
    raise HTTPException(501)


def review_event(here: Here, result_id: ResultId, event_id: EventId, asked: Verdict) -> ReviewRow:
    """Keep a verdict or a note."""
    raise HTTPException(501)


def list_media(here: Here, result_id: ResultId) -> list[MediumCard]:
    """List the blurred pictures and clips of a result."""
    raise HTTPException(501)


def get_medium(here: Here, result_id: ResultId, medium_id: MediumId) -> Response:
    """Give a blurred picture or clip, or a range of it."""
    raise HTTPException(501)


DOORS: tuple[Door, ...] = (
    Door(method="GET", path="/api/events", call=list_events, right=Right.LOOK, tag="review"),
    Door(
        method="GET",
        path="/api/results/{result_id}/events/{event_id}",
        call=show_event,
        right=Right.LOOK,
        tag="review",
    ),
    Door(
        method="POST",
        path="/api/results/{result_id}/events/{event_id}/reviews",
        call=review_event,
        right=Right.JUDGE,
        tag="review",
        status=201,
    ),
    Door(
        method="GET",
        path="/api/results/{result_id}/media",
        call=list_media,
        right=Right.LOOK,
        tag="review",
    ),
    Door(
        method="GET",
        path="/api/media/{result_id}/{medium_id}",
        call=get_medium,
        right=Right.LOOK,
        tag="review",
    ),
)
