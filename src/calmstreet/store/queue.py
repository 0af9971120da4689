"""The queue of events: what is to be looked at, and what people found."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from calmstreet.model.event import Event
from calmstreet.store.events import COLUMNS, event_of
from calmstreet.store.seen import SEEN, Seen
from calmstreet.store.segments import lock_reviewed

__all__ = ["EVENT_STATES", "EventFilter", "Queue", "QueuedEvent", "Review"]

EVENT_STATES: dict[str, str] = {
    "accept": "accepted",
    "reject": "rejected",
    "escalate": "escalated",
}
"""What an event becomes by a verdict; a note leaves it as it is."""

_FROM = (
    "FROM events JOIN runs USING (run_id) LEFT JOIN event_states USING (event_id)"
    f" WHERE {SEEN} AND (:camera IS NULL OR events.camera_id = :camera)"
    " AND (:kind IS NULL OR events.kind = :kind) AND events.severity >= :severity"
    " AND events.start_ns >= :start AND events.start_ns < :end"
)
_STATE = "coalesce(event_states.state, 'open')"
_HAS_CLIP = (
    "EXISTS (SELECT 1 FROM segments WHERE segments.run_id = events.run_id"
    " AND segments.start_ns <= events.end_ns AND segments.end_ns >= events.start_ns)"
)
_EVENT = ", ".join(f"events.{name.strip()}" for name in COLUMNS.split(","))


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which events; None and "all" leave nothing out."""

    camera_id: str | None = None
    kind: str | None = None
    state: str = "all"
    severity_min: int = 0
    start_ns: int = 0
    end_ns: int = 2**62

    def values(self) -> dict[str, Any]:
        """Return the values of a query."""
        return {
            "camera": self.camera_id,
            "kind": self.kind,
            "severity": self.severity_min,
            "start": self.start_ns,
            "end": self.end_ns,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedEvent:
    """One event of a run with where its review stands; ``reviewer`` "" while it is open."""

    event: Event
    run_id: int
    state: str
    reviewer: str
    reviewed_ns: int | None
    has_clip: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One verdict or note."""

    review_id: int
    verdict: str
    reason: str
    note: str
    reviewer: str
    t_ns: int


class Queue:
    """Events of a result as far as an asker may see them."""

    def __init__(self, *, seen: Seen) -> None:
        self._seen = seen

    def tallies(self, wanted: EventFilter) -> tuple[dict[str, int], dict[str, int]]:
        """Return how many events there are by state, and by kind among those of the state."""
        states: dict[str, int] = {}
        kinds: dict[str, int] = {}
        for state, kind, n in self._seen.rows(
            f"SELECT {_STATE}, events.kind, count(*) {_FROM} GROUP BY 1, 2", **wanted.values()
        ):
            states[state] = states.get(state, 0) + n
            if wanted.state in ("all", state):
                kinds[kind] = kinds.get(kind, 0) + n
        return states, kinds

    def by_camera(self) -> dict[str, dict[str, int]]:
        """Return how many events of each state each camera has."""
        found: dict[str, dict[str, int]] = {}
        for camera_id, state, n in self._seen.rows(
            f"SELECT events.camera_id, {_STATE}, count(*) {_FROM} GROUP BY 1, 2",
            **EventFilter().values(),
        ):
            found.setdefault(str(camera_id), {})[str(state)] = int(n)
        return found

    def page(self, wanted: EventFilter, *, limit: int) -> list[QueuedEvent]:
        """Return the first events: the most severe first, of equal ones the newest first."""
        return self._read(
            f"AND (:state = 'all' OR {_STATE} = :state)"
            " ORDER BY events.severity DESC, events.start_ns DESC, event_id LIMIT :limit",
            **wanted.values(),
            state=wanted.state,
            limit=limit,
        )

    def points(self, wanted: EventFilter, *, limit: int) -> list[QueuedEvent]:
        """Return the first events without their road users and clips, for a map."""
        return self._read(
            "ORDER BY events.severity DESC, events.start_ns DESC LIMIT :limit",
            with_tracks=False,
            **wanted.values(),
            limit=limit,
        )

    def one(self, event_id: str) -> QueuedEvent | None:
        """Return an event, None when there is none or its camera is not open to the asker."""
        found = self._read("AND event_id = :event", **EventFilter().values(), event=event_id)
        return found[0] if found else None

    def _read(self, where: str, *, with_tracks: bool = True, **values: Any) -> list[QueuedEvent]:
        rows = self._seen.rows(
            f"SELECT {_EVENT}, run_id, {_STATE}, coalesce(reviewer, ''), event_states.t_ns,"
            f" {_HAS_CLIP if with_tracks else 0} {_FROM} {where}",
            **values,
        )
        tracks = self._tracks([(row[-5], row[0]) for row in rows] if with_tracks else [])
        return [
            QueuedEvent(
                event=event_of(row[:-5], tracks.get((row[-5], row[0]), ())),
                run_id=row[-5],
                state=row[-4],
                reviewer=row[-3],
                reviewed_ns=row[-2],
                has_clip=bool(row[-1]),
            )
            for row in rows
        ]

    def _tracks(self, keys: Sequence[tuple[int, str]]) -> dict[tuple[int, str], tuple[int, ...]]:
        found: dict[tuple[int, str], tuple[int, ...]] = {}
        for run_id, event_id in keys:
            rows = self._seen.rows(
                "SELECT track_id FROM event_tracks JOIN runs USING (run_id)"
                f" WHERE {SEEN} AND run_id = :run AND event_id = :event ORDER BY position",
                run=run_id,
                event=event_id,
            )
            found[run_id, event_id] = tuple(row[0] for row in rows)
        return found

    def by_movement(self, wanted: EventFilter) -> list[tuple[str, str, int, int, int]]:
        """Return (movement, kind, severity, start_ns, run) of each event that was not rejected.

        The movement is that of the first road user whose journey is known, "unknown" otherwise.
        """
        rows = self._seen.rows(
            "SELECT coalesce((SELECT journeys.movement_id FROM event_tracks JOIN journeys"
            " ON journeys.run_id = event_tracks.run_id"
            " AND journeys.track_id = event_tracks.track_id"
            " WHERE event_tracks.run_id = events.run_id"
            " AND event_tracks.event_id = events.event_id"
            " AND journeys.movement_id != 'unknown' ORDER BY position LIMIT 1), 'unknown'),"
            f" events.kind, events.severity, events.start_ns, run_id {_FROM}"
            f" AND {_STATE} != 'rejected' ORDER BY events.start_ns",
            **wanted.values(),
        )
        return [(str(r[0]), str(r[1]), int(r[2]), int(r[3]), int(r[4])) for r in rows]

    def evidence_paths(self, event_id: str) -> list[str]:
        """Return the paths of the evidence of an event that the asker may see."""
        return [
            str(row[0])
            for row in self._seen.rows(
                "SELECT path FROM evidence_files JOIN runs USING (run_id)"
                f" WHERE {SEEN} AND event_id = :event ORDER BY path",
                event=event_id,
            )
        ]

    def labels(self, event: QueuedEvent) -> dict[int, str]:
        """Return the foreign ids of the road users of an event's run, by track."""
        rows = self._seen.rows(
            "SELECT track_id, label FROM track_labels JOIN runs USING (run_id)"
            f" WHERE {SEEN} AND run_id = :run",
            run=event.run_id,
        )
        return {int(track_id): str(label) for track_id, label in rows}

    def reviews(self, event_id: str) -> list[Review]:
        """Return the verdicts and notes on an event that the asker may see, oldest first."""
        rows = self._seen.rows(
            "SELECT review_id, verdict, reason, note, reviewer, t_ns FROM reviews"
            " WHERE event_id = :event AND EXISTS (SELECT 1 FROM events JOIN runs USING (run_id)"
            f" WHERE events.event_id = reviews.event_id AND {SEEN}) ORDER BY review_id",
            event=event_id,
        )
        names = Review.__slots__
        return [Review(**dict(zip(names, row, strict=True))) for row in rows]

    def review(
        self, event_id: str, *, verdict: str, reason: str, note: str, reviewer: str, now_ns: int
    ) -> Review | None:
        """Keep a verdict; None, and nothing kept, when the asker may not see the event.

        The clips of an accepted or escalated event are locked: retention leaves them.
        """
        event = self.one(event_id)
        if event is None:
            return None
        with self._seen.database.writing() as connection:
            number = connection.execute(
                "INSERT INTO reviews (event_id, camera_id, reviewer, verdict, reason, note, t_ns)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (event_id, event.event.camera_id, reviewer, verdict, reason, note, now_ns),
            ).lastrowid
            if verdict in EVENT_STATES:
                connection.execute(
                    "INSERT OR REPLACE INTO event_states VALUES (?, ?, ?, ?)",
                    (event_id, EVENT_STATES[verdict], reviewer, now_ns),
                )
                one = event.event
                lock_reviewed(connection, one.camera_id, start_ns=one.start_ns, end_ns=one.end_ns)
        return Review(
            review_id=int(number or 0),
            verdict=verdict,
            reason=reason,
            note=note,
            reviewer=reviewer,
            t_ns=now_ns,
        )
