"""What was found in the runs: rows of the catalogue as columns and nouns."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.bins import Bins
from calmstreet.model.conflicts import Conflicts
from calmstreet.model.event import Event
from calmstreet.model.flow import Flow
from calmstreet.model.gap import Gap
from calmstreet.model.shifts import Shifts
from calmstreet.model.signals import SignalChanges
from calmstreet.model.speeds import GateSpeeds, SpeedCheck, ZoneTimes
from calmstreet.store import bins as bin_rows
from calmstreet.store import conflicts as conflict_rows
from calmstreet.store import events as event_rows
from calmstreet.store import flows as flow_rows
from calmstreet.store import gaps as gap_rows
from calmstreet.store import speeds as speed_rows
from calmstreet.store.database import Database, marks
from calmstreet.store.folder import StoredFile
from calmstreet.store.tables import Columns, read_rows, save_rows

__all__ = ["Findings", "Picture", "Warned"]

_MATRIX = [f"m{row}{column}" for row in (1, 2, 3) for column in (1, 2, 3)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One kept blurred picture: ``path`` relative to the folder; ``what`` it shows; its size."""

    path: str
    what: str
    t_ns: int
    width_px: int
    height_px: int
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """One warning: a ``code`` for programs, a ``text`` for people, ``args`` for translations."""

    code: str
    text: str
    args: Mapping[str, float | str]


class Findings:
    """What was found: columns in, columns out (``store.tables`` names them)."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    def save_flow(self, flow: Flow) -> None:
        """Keep all that was counted in a run, in place of what it had."""
        save_rows(self._database, flow.run_id, flow_rows.tables_of(flow))

    def flow(self, run_id: int) -> Flow:
        """Return all that was counted in a run; raise StoreError for an unknown run."""
        return flow_rows.read_flow(self._database, run_id)

    def crossings(self, run_ids: Sequence[int]) -> Columns:
        """Return the crossings of gates of the runs in order of time."""
        return read_rows(self._database, "crossings", run_ids)

    def journeys(self, run_ids: Sequence[int]) -> Columns:
        """Return one row per road user of the runs in order of start."""
        return read_rows(self._database, "journeys", run_ids)

    def save_track_labels(self, run_id: int, labels: Mapping[int, str]) -> None:
        """Keep the foreign ids of imported tracks in place of those the run had."""
        columns = {
            "track_id": np.array(list(labels), np.int64),
            "label": np.array(list(labels.values()), np.str_),
        }
        save_rows(self._database, run_id, {"track_labels": columns})

    def track_labels(self, run_ids: Sequence[int]) -> dict[int, str]:
        """Return the foreign ids by our track_id."""
        columns = read_rows(self._database, "track_labels", run_ids)
        return dict(zip(columns["track_id"].tolist(), columns["label"].tolist(), strict=True))

    def save_light(self, run_id: int, columns: Mapping[str, NDArray[Any]]) -> None:
        """Keep the spans of light and road surface of a run in place of those it had."""
        save_rows(self._database, run_id, {"light": columns})

    def light(self, run_ids: Sequence[int]) -> Columns:
        """Return the spans of light of the runs in order of time."""
        return read_rows(self._database, "light", run_ids)

    def event_states(self) -> dict[str, str]:
        """Return by event what the last verdict of the desk made of it; open ones are left out.

        "accepted", "rejected" or "escalated", see ``store.queue.EVENT_STATES``.
        """
        with self._database.guarded() as connection:
            rows = connection.execute("SELECT event_id, state FROM event_states").fetchall()
        return {str(event_id): str(state) for event_id, state in rows}

    def save_shifts(self, run_id: int, shifts: Shifts) -> None:
        """Keep the lasting shifts of a run's camera in place of those it had."""
        parts = shifts.matrix.reshape(-1, 9).T
        cells = dict(zip(_MATRIX, parts, strict=True))
        columns = {"start_ns": shifts.start_ns, "end_ns": shifts.end_ns, **cells}
        save_rows(self._database, run_id, {"shifts": columns})

    def shifts(self, run_ids: Sequence[int]) -> Shifts:
        """Return the lasting shifts of the runs' camera in order of time."""
        columns = read_rows(self._database, "shifts", run_ids)
        return Shifts(
            start_ns=columns["start_ns"],
            end_ns=columns["end_ns"],
            matrix=np.stack([columns[name] for name in _MATRIX], axis=1).reshape(-1, 3, 3),
        )

    def save_speeds(self, run_id: int, speeds: GateSpeeds, times: ZoneTimes) -> None:
        """Keep the speeds at gates and the times in zones of a run in place of what it had."""
        save_rows(self._database, run_id, speed_rows.tables_of(speeds, times))

    def speeds(self, run_id: int, camera_id: str) -> GateSpeeds:
        """Return the speeds at gates of a run in order of time."""
        return speed_rows.read_speeds(self._database, run_id, camera_id)

    def zone_times(self, run_id: int, camera_id: str) -> ZoneTimes:
        """Return the times in zones of a run in order of entry."""
        return speed_rows.read_zone_times(self._database, run_id, camera_id)

    def save_conflicts(
        self, run_id: int, conflicts: Conflicts, about: conflict_rows.ConflictRun
    ) -> None:
        """Keep the interacting pairs of a run in place of those it had."""
        save_rows(self._database, run_id, conflict_rows.tables_of(conflicts, about))

    def conflicts(self, run_id: int, camera_id: str) -> Conflicts:
        """Return the interacting pairs of a run in order of start."""
        return conflict_rows.read_conflicts(self._database, run_id, camera_id)

    def conflict_run(self, run_id: int) -> conflict_rows.ConflictRun:
        """Return how conflicts were looked for in a run."""
        return conflict_rows.read_conflict_run(self._database, run_id)

    def save_speed_check(self, check: SpeedCheck) -> None:
        """Keep a comparison of speeds with a reference; older ones stay."""
        speed_rows.save_check(self._database, check)

    def speed_checks(self) -> list[SpeedCheck]:
        """Return the comparisons with a reference, the oldest first."""
        return speed_rows.read_checks(self._database)

    def save_signal_changes(self, run_id: int, changes: SignalChanges) -> None:
        """Keep the changes of signal heads of a run in place of those it had."""
        names = ("t_ns", "signal_id", "state", "confidence")
        columns = {name: getattr(changes, name) for name in names}
        save_rows(self._database, run_id, {"signal_changes": columns})

    def signal_changes(self, run_ids: Sequence[int]) -> SignalChanges:
        """Return the changes of signal heads of the runs in order of time."""
        columns = read_rows(self._database, "signal_changes", run_ids)
        return SignalChanges(**{name: columns[name] for name in columns if name != "run_id"})

    def save_events(self, run_id: int, events: Sequence[Event]) -> None:
        """Add events, or write them anew where they are known already."""
        event_rows.save_events(self._database, run_id, events)

    def drop_events(self, run_id: int, event_ids: Sequence[str]) -> None:
        """Take events out of a run that were told before it was judged."""
        event_rows.drop_events(self._database, run_id, event_ids)

    def events(self, run_ids: Sequence[int]) -> list[Event]:
        """Return the events of the runs in order of start."""
        return event_rows.read_events(self._database, run_ids)

    def save_bins(self, run_id: int, bins: Bins, *, measure: str = "counts") -> None:
        """Add bins of one of ``store.bins.MEASURES``; the same slice again replaces the old."""
        bin_rows.save_bins(self._database, run_id, bins, measure=measure)

    def bins(
        self, run_ids: Sequence[int], *, measure: str = "counts", width_s: float | None = None
    ) -> list[Bins]:
        """Return the bins of the runs, of one width or all, one Bins for each run and width."""
        return bin_rows.read_bins(self._database, run_ids, measure=measure, width_s=width_s)

    def save_evidence(self, event_id: str, files: Sequence[StoredFile]) -> None:
        """Keep the evidence files of one saved event; the same path again replaces the row."""
        with self._database.writing() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO evidence_files VALUES (?, ?, ?, ?, ?)",
                [(f.path, f.run_id, event_id, f.size_bytes, f.sha256) for f in files],
            )

    def evidence_paths(self, event_id: str) -> list[str]:
        """Return the paths of the evidence of an event in the published runs."""
        rows = self._select(
            "SELECT path FROM evidence_files JOIN runs USING (run_id)"
            " WHERE event_id = ? AND live = 1 ORDER BY path",
            [event_id],
        )
        return [str(row[0]) for row in rows]

    def save_ruling(self, run_id: int, ruling: Mapping[str, Any]) -> None:
        """Keep which rules ran over a run and what its signals achieved, in place of the old."""
        text = json.dumps(ruling, ensure_ascii=False, allow_nan=False)
        with self._database.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO rulings VALUES (?, ?)", (run_id, text))

    def ruling(self, run_id: int) -> dict[str, Any]:
        """Return what ``save_ruling`` kept, {} when there is nothing."""
        rows = self._select("SELECT ruling_json FROM rulings WHERE run_id = ?", [run_id])
        found: dict[str, Any] = json.loads(rows[0][0]) if rows else {}
        return found

    def save_warnings(self, run_id: int, warnings: Sequence[Warned]) -> None:
        """Keep the warnings of a run in place of those it had."""
        rows = [
            (run_id, i, w.code, w.text, json.dumps(dict(w.args), sort_keys=True))
            for i, w in enumerate(warnings)
        ]
        with self._database.writing() as connection:
            connection.execute("DELETE FROM warnings WHERE run_id = ?", (run_id,))
            connection.executemany("INSERT INTO warnings VALUES (?, ?, ?, ?, ?)", rows)

    def warnings(self, run_ids: Sequence[int]) -> list[Warned]:
        """Return the warnings of the runs in their order."""
        rows = self._select(
            f"SELECT code, text, args_json FROM warnings WHERE run_id IN ({marks(run_ids)})"
            " ORDER BY run_id, position",
            run_ids,
        )
        return [Warned(code=code, text=text, args=json.loads(args)) for code, text, args in rows]

    def save_segment(self, run_id: int, file: StoredFile) -> None:
        """Keep the row of a blurred clip of a run; the same path again replaces it."""
        with self._database.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO segments (camera_id, run_id, start_ns, end_ns, path,"
                " size_bytes, sha256) SELECT camera_id, run_id, ?, ?, ?, ?, ? FROM runs"
                " WHERE run_id = ?",
                (file.start_ns, file.end_ns, file.path, file.size_bytes, file.sha256, run_id),
            )

    def save_gap(self, gap: Gap) -> None:
        """Keep a gap of a camera; the same gap again only renews its note."""
        gap_rows.save_gap(self._database, gap)

    def gaps(
        self, camera_id: str, *, start_ns: int | None = None, end_ns: int | None = None
    ) -> list[Gap]:
        """Return the gaps of a camera that touch the span, whole, in order of time."""
        return gap_rows.read_gaps(self._database, camera_id, start_ns=start_ns, end_ns=end_ns)

    def save_picture(self, run_id: int, picture: Picture) -> None:
        """Keep the row of a blurred picture; the same path again replaces it."""
        path, *rest = astuple(picture)
        with self._database.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO pictures VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (path, run_id, *rest),
            )

    def pictures(self, run_ids: Sequence[int]) -> list[Picture]:
        """Return the pictures of the runs in order of time."""
        names = ("path", "what", "t_ns", "width_px", "height_px", "size_bytes", "sha256")
        rows = self._select(
            f"SELECT {', '.join(names)} FROM pictures WHERE run_id IN ({marks(run_ids)})"
            " ORDER BY t_ns, path",
            run_ids,
        )
        return [Picture(**dict(zip(names, row, strict=True))) for row in rows]

    def _select(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._database.guarded() as connection:
            return connection.execute(sql, list(values)).fetchall()
