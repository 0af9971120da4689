"""One event as a reviewer sees it: the rule's words, the tracks from above, curves, verdicts."""

import json
from collections.abc import Mapping

import numpy as np

from calmstreet.errors import StoreError
from calmstreet.model.event import Event
from calmstreet.model.signals import SignalChanges, SignalState
from calmstreet.model.site import Site, site_from_json
from calmstreet.report.explained_lines import explained_lines
from calmstreet.report.said import said_in
from calmstreet.report.texts import texts
from calmstreet.store.evidence import Evidence, read_evidence
from calmstreet.store.queue import Queue, QueuedEvent, Review
from calmstreet.store.seen import CameraRow, Seen
from calmstreet.web.answers_review import EventCard, EventDetail, ReviewRow, Threshold, ValueRow
from calmstreet.web.curves import curves_of
from calmstreet.web.ground import Ground
from calmstreet.web.media import medium_card
from calmstreet.web.numbers import ms, plain
from calmstreet.web.tracks import track_paths

__all__ = ["event_card", "event_detail", "review_row", "unit_of"]

_UNITS = (
    ("_mps2", "m/s²"),
    ("_mps", "m/s"),
    ("_kmh", "km/h"),
    ("_share", "share"),
    ("_rad", "rad"),
    ("_deg", "°"),
    ("_m", "m"),
    ("_s", "s"),
)


def unit_of(name: str) -> str:
    """Return the unit that the name of a number ends with.

    >>> unit_of("min_ttc_s"), unit_of("max_drac_mps2"), unit_of("count")
    ('s', 'm/s²', '')
    """
    return next((unit for end, unit in _UNITS if name.endswith(end)), "")


def event_card(result_id: str, one: QueuedEvent) -> EventCard:
    """Return one row of the queue."""
    event = one.event
    return EventCard.of(
        result_id=result_id,
        event_id=event.event_id,
        kind=event.kind,
        camera_id=event.camera_id,
        start_ms=ms(event.start_ns),
        end_ms=ms(event.end_ns),
        severity=event.severity,
        rule=event.rule,
        state=one.state,
        reviewed_by=one.reviewer,
        reviewed_ms=None if one.reviewed_ns is None else ms(one.reviewed_ns),
        values={name: plain(value, 4) for name, value in event.values.items()},
        has_clip=one.has_clip,
    )


def review_row(review: Review) -> ReviewRow:
    """Return one verdict or note."""
    return ReviewRow.of(
        review_id=review.review_id,
        verdict=review.verdict,
        reason=review.reason,
        note=review.note,
        by=review.reviewer,
        t_ms=ms(review.t_ns),
    )


def event_detail(
    seen: Seen,
    result_id: str,
    one: QueuedEvent,
    *,
    next_event_id: str | None,
    language: str = "en",
) -> EventDetail:
    """Return everything about one event, from its evidence where there is any.

    Reasons, exceptions and what explains it are in ``language`` as far as their words are known.
    """
    words = texts(language)
    queue, event = Queue(seen=seen), one.event
    row = next(row for row in seen.camera_rows() if row.camera_id == event.camera_id)
    evidence = _evidence(seen, queue, event)
    site = _site(evidence) if evidence else None
    ground = Ground.of(site, row)
    places = ground.lonlat([event.place_m]) if np.isfinite(event.place_m).all() else []
    clips = [m for m in seen.media() if m.camera_id == event.camera_id and m.what == "clip"]
    shown = [m for m in clips if m.start_ns <= event.end_ns and m.end_ns >= event.start_ns]
    thresholds = dict(evidence.thresholds) if evidence else {}
    return EventDetail(
        **event_card(result_id, one).model_dump(),
        track_ids=[str(track_id) for track_id in event.track_ids],
        place_m=event.place_m if np.isfinite(event.place_m).all() else None,
        place_lonlat=places[0] if places else None,
        explained=_explained(evidence, site, language) if evidence else [],
        reasons=[said_in(reason, words) for reason in event.reasons],
        exceptions=[said_in(exception, words) for exception in event.exceptions],
        numbers=_numbers(event.values),
        thresholds=[
            Threshold(name=name, value=plain(value), unit=unit_of(name))
            for name, value in thresholds.items()
        ],
        tracks=track_paths(evidence, queue.labels(one)) if evidence else [],
        curves=curves_of(evidence, thresholds) if evidence else [],
        shapes=[*ground.gates(), *ground.zones()],
        signals=_signals(evidence.signal_changes, event) if evidence else [],
        media=[card for medium in shown if (card := medium_card(medium)) is not None],
        clip_offset_s=plain((event.start_ns - shown[0].start_ns) / 1e9, 3) if shown else None,
        reviews=[review_row(review) for review in queue.reviews(event.event_id)],
        site_version=site.site_version if site else row.site_version,
        size_px=_size_px(evidence, row),
        next_event_id=next_event_id,
    )


def _evidence(seen: Seen, queue: Queue, event: Event) -> Evidence | None:
    """Return the evidence of an event, None where none was kept or it is damaged."""
    paths = queue.evidence_paths(event.event_id)
    if not paths:
        return None
    try:
        return read_evidence(seen.folder, paths)
    except StoreError:
        return None


def _explained(evidence: Evidence, site: Site | None, language: str) -> list[str]:
    return list(
        explained_lines(
            evidence.event,
            points=evidence.points,
            changes=evidence.signal_changes,
            thresholds=evidence.thresholds,
            site=site,
            lang=language,
        )
    )


def _site(evidence: Evidence) -> Site | None:
    return site_from_json(json.loads(evidence.site_json)) if evidence.site_json else None


def _size_px(evidence: Evidence | None, row: CameraRow) -> tuple[int, int] | None:
    size_px = (
        evidence.size_px if evidence and evidence.size_px[0] else (row.width_px, row.height_px)
    )
    return size_px if size_px[0] else None


def _numbers(values: Mapping[str, float]) -> list[ValueRow]:
    """Return each number of an event beside its standard error, where it has one."""
    return [
        ValueRow(
            name=name,
            value=plain(value, 4),
            sigma=plain(values.get(f"sigma_{name}", float("nan")), 4),
            unit=unit_of(name),
        )
        for name, value in values.items()
        if not (name.startswith("sigma_") and name.removeprefix("sigma_") in values)
    ]


def _signals(changes: SignalChanges, event: Event) -> list[tuple[str, float, str]]:
    """Return head, seconds from the start of the event, and new state of each change."""
    return [
        (str(head), round((t_ns - event.start_ns) / 1e9, 3), SignalState(state).name.lower())
        for t_ns, head, state in zip(
            changes.t_ns.tolist(), changes.signal_id.tolist(), changes.state.tolist(), strict=True
        )
    ]
