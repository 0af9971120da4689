"""The queue of events, their evidence, and verdicts."""

from collections import Counter
from collections.abc import Iterator

from fastapi import HTTPException, Request
from starlette.responses import Response

from calmstreet.store.queue import EventFilter, Queue, QueuedEvent
from calmstreet.store.seen import Seen
from calmstreet.web.answers_review import (
    EventCard,
    EventDetail,
    EventPage,
    MediumCard,
    ReviewRow,
    Verdict,
)
from calmstreet.web.doors import Door, Right
from calmstreet.web.media import medium_card, medium_of, medium_response
from calmstreet.web.numbers import ns
from calmstreet.web.queries import EventId, LanguageQuery, MediumId, QueueQuery, ResultId
from calmstreet.web.reviewing import event_card, event_detail, review_row
from calmstreet.web.visit import Here, Visit

__all__ = ["DOORS"]


def list_events(here: Here, asked: QueueQuery) -> EventPage:
    """List events by severity, newest first within one."""
    wanted = EventFilter(
        camera_id=asked.camera_id,
        kind=asked.kind,
        state=asked.state,
        severity_min=asked.severity_min,
        start_ns=0 if asked.start_ms is None else ns(asked.start_ms),
        end_ns=2**62 if asked.end_ms is None else ns(asked.end_ms),
    )
    found: list[EventCard] = []
    states: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    for result_id, seen in _asked(here, asked.result_id):
        queue = Queue(seen=seen)
        mine, own_kinds = queue.tallies(wanted)
        states.update(mine)
        kinds.update(own_kinds)
        page = queue.page(wanted, limit=asked.offset + asked.limit)
        found += [event_card(result_id, one) for one in page]
    found.sort(key=lambda card: (-card.severity, -card.start_ms, card.event_id))
    return EventPage(
        total=sum(states.values()) if asked.state == "all" else states[asked.state],
        offset=asked.offset,
        events=found[asked.offset : asked.offset + asked.limit],
        states=dict(states),
        kinds=dict(kinds),
    )


def _asked(here: Visit, result_id: str | None) -> Iterator[tuple[str, Seen]]:
    """Yield the result that was asked for, or all of them."""
    if result_id is None:
        yield from ((result.result_id, seen) for result, seen in here.all_seen())
    else:
        with here.seen(result_id) as seen:
            yield result_id, seen


def _one(queue: Queue, event_id: str) -> QueuedEvent:
    found = queue.one(event_id)
    if found is None:
        raise HTTPException(404, "there is no such event")
    return found


def show_event(
    here: Here, result_id: ResultId, event_id: EventId, language: LanguageQuery = "en"
) -> EventDetail:
    """Show one event: why (in the asked language), tracks from above, curves, clip, verdicts."""
    with here.seen(result_id) as seen:
        queue = Queue(seen=seen)
        one = _one(queue, event_id)
        following = _next(queue, event_id)
        return event_detail(seen, result_id, one, next_event_id=following, language=language)


def _next(queue: Queue, event_id: str) -> str | None:
    """Return the open event that waits first besides this one."""
    waiting = queue.page(EventFilter(state="open"), limit=2)
    return next((o.event.event_id for o in waiting if o.event.event_id != event_id), None)


def review_event(here: Here, result_id: ResultId, event_id: EventId, asked: Verdict) -> ReviewRow:
    """Keep a verdict or a note."""
    here.details.update(verdict=asked.verdict, reason=asked.reason)
    with here.queue(result_id) as queue:
        kept = queue.review(
            event_id,
            verdict=asked.verdict,
            reason=asked.reason or "",
            note=asked.note,
            reviewer=here.who.name,
            now_ns=here.now_ns,
        )
    if kept is None:
        raise HTTPException(404, "there is no such event")
    return review_row(kept)


def list_media(here: Here, result_id: ResultId) -> list[MediumCard]:
    """List the blurred pictures and clips of a result."""
    with here.seen(result_id) as seen:
        cards = [medium_card(medium) for medium in seen.media()]
    return [card for card in cards if card is not None]


def get_medium(here: Here, result_id: ResultId, medium_id: MediumId, request: Request) -> Response:
    """Give a blurred picture or clip, or a range of it."""
    with here.seen(result_id) as seen:
        medium = medium_of(seen, medium_id)
        here.details.update(what=medium.what, camera_id=medium.camera_id)
        return medium_response(seen.folder, medium, request.headers.get("range", ""))


DOORS: tuple[Door, ...] = (
    Door(method="GET", path="/api/events", call=list_events, right=Right.LOOK, tag="review"),
    Door(
        method="GET",
        path="/api/results/{result_id}/events/{event_id}",
        call=show_event,
        right=Right.LOOK,
        tag="review",
        noted=True,
    ),
    Door(
        method="POST",
        path="/api/results/{result_id}/events/{event_id}/reviews",
        call=review_event,
        right=Right.JUDGE,
        tag="review",
        status=201,
        noted=True,
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
        noted=True,
    ),
)
