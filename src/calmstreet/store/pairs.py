"""Interacting pairs as one asker may see them: conflicts of all levels, and where they could be."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calmstreet.store.seen import RUNS_OF, Seen

__all__ = ["ConflictRow", "Pairs"]

_REJECTED = (
    "SELECT events.run_id, events.start_ns, min(track_id), max(track_id) FROM events"
    " JOIN event_states USING (event_id) JOIN event_tracks USING (run_id, event_id)"
    " WHERE event_states.state = 'rejected' AND events.kind = 'conflict'"
    f" AND events.run_id IN ({RUNS_OF}) GROUP BY events.run_id, event_id"
)
_MOVEMENT = (
    "SELECT movement_id FROM journeys WHERE journeys.run_id = conflicts.run_id"
    " AND journeys.track_id IN (user_a, user_b) AND movement_id != 'unknown'"
    " ORDER BY track_id LIMIT 1"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictRow:
    """One conflict: the movement of the first road user whose journey is known, type, level."""

    movement_id: str
    type: str
    level: int
    start_ns: int


class Pairs:
    """Interacting pairs of one camera in a span, UTC ns, end excluded."""

    def __init__(self, *, seen: Seen, camera_id: str, start_ns: int, end_ns: int) -> None:
        self._seen = seen
        self._span = {"camera": camera_id, "start": start_ns, "end": end_ns}

    def reasons(self) -> dict[int, str]:
        """Return by run why nobody looked for conflicts, "" where somebody did.

        Runs of older versions, which say nothing of conflicts, are "not-judged".
        """
        rows = self._seen.rows(
            "SELECT run_id, coalesce(why_not, 'not-judged') FROM runs"
            f" LEFT JOIN conflict_runs USING (run_id) WHERE run_id IN ({RUNS_OF}) ORDER BY run_id",
            **self._span,
        )
        return {int(run_id): str(why_not) for run_id, why_not in rows}

    def conflicts(self) -> list[ConflictRow]:
        """Return conflicts of every level in order of time, without those that were rejected."""
        rejected = {tuple(row) for row in self._seen.rows(_REJECTED, **self._span)}
        rows = self._seen.rows(
            f"SELECT run_id, start_ns, user_a, user_b, coalesce(({_MOVEMENT}), 'unknown'), type,"
            f" level FROM conflicts WHERE run_id IN ({RUNS_OF}) AND is_conflict = 1"
            " AND start_ns >= :start AND start_ns < :end ORDER BY start_ns",
            **self._span,
        )
        return [
            ConflictRow(movement_id=row[4], type=row[5], level=row[6], start_ns=row[1])
            for row in rows
            if row[:4] not in rejected
        ]

    def by_slice(self, *, width_ns: int, without: Sequence[str]) -> dict[int, int]:
        """Return how many pairs began in each slice of time, counted from 1970.

        Pairs whose verdict is one of the words of ``without`` are left out.
        """
        names = [f"w{n}" for n in range(len(without))]
        rows = self._seen.rows(
            "SELECT start_ns / :width * :width, count(*) FROM conflicts"
            f" WHERE run_id IN ({RUNS_OF}) AND start_ns >= :start AND start_ns < :end"
            " AND rejected_because NOT IN"
            f" ({', '.join(f':{name}' for name in names)}) GROUP BY 1",
            **self._span,
            **dict(zip(names, without, strict=True)),
            width=width_ns,
        )
        return {int(t): int(n) for t, n in rows}

    def watched(self) -> NDArray[np.int64]:
        """Return the unbroken spells (n, 2) in which conflicts could be seen, cut to the span."""
        rows = self._seen.rows(
            "SELECT max(start_ns, :start), min(end_ns, :end) FROM conflicts_watched"
            f" WHERE run_id IN ({RUNS_OF}) AND start_ns < :end AND end_ns > :start"
            " ORDER BY start_ns",
            **self._span,
        )
        return np.array(rows, np.int64).reshape(-1, 2)
