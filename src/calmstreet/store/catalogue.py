"""The catalogue of a result folder: what was watched, what was found, where the files lie.

One connection for one thread; open another for another. Runs are written while nobody sees them
(``live`` 0) and shown by ``publish``, which swaps them for the runs that they replace.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from calmstreet.clock import Clock, SystemClock
from calmstreet.errors import StoreError
from calmstreet.model.kept import PURPOSES, FinishedFile, Segment
from calmstreet.model.run import Run
from calmstreet.model.site import Site
from calmstreet.store import garbage
from calmstreet.store import segments as segment_rows
from calmstreet.store.database import BUSY_TIMEOUT_S, Database, marks, open_database
from calmstreet.store.findings import Findings
from calmstreet.store.folder import CATALOGUE_NAME, StoredFile, remove_quietly

__all__ = ["LIVE_CAMERA", "Catalogue", "SourceFile"]

LIVE_CAMERA = "live_camera"
"""Fact of a folder that a live camera writes: its id."""

_RUN_FIELDS = tuple(field.name for field in fields(Run) if field.name != "run_id")
_FILE_TABLES = {"points": "point_files", "smoothed": "smoothed_files", "steps": "step_files"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """One video of a run: its path as given, bytes, first frame on the clock, why only partly."""

    name: str
    size_bytes: int
    start_ns: int
    note: str = ""


class Catalogue(Findings):
    """The catalogue of one folder. Use it as a context manager."""

    def __init__(self, *, folder: Path, database: Database, clock: Clock) -> None:
        super().__init__(database=database)
        self.folder = folder
        self._clock = clock

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        create: bool = False,
        clock: Clock | None = None,
        busy_timeout_s: float = BUSY_TIMEOUT_S,
    ) -> "Catalogue":
        """Open the catalogue of ``folder``, made new when ``create`` and none is there.

        Raises StoreError when the folder is no result, of a newer version, locked or damaged.
        """
        clock = clock or SystemClock()
        path = folder / CATALOGUE_NAME
        if not create and not path.is_file():
            raise StoreError(
                f"{folder} is not a result folder: it holds no {CATALOGUE_NAME}; "
                "name the folder that was given as --out"
            )
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"{folder} cannot be made ({error.strerror}); choose another folder"
            ) from error
        database = open_database(
            path, now_ns=clock.now_ns(), create=create, busy_timeout_s=busy_timeout_s
        )
        return cls(folder=folder, database=database, clock=clock)

    @property
    def database(self) -> Database:
        """Return the connection, for the other rows that live in a catalogue."""
        return self._database

    def close(self) -> None:
        """Close the connection."""
        self._database.close()

    def fact(self, key: str) -> str:
        """Return a fact about this folder from ``meta``, "" where it is not known."""
        rows = self._select("SELECT value FROM meta WHERE key = ?", [key])
        return str(rows[0][0]) if rows else ""

    def set_fact(self, key: str, value: str) -> None:
        """Keep a fact about this folder in ``meta``."""
        with self._database.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def __enter__(self) -> "Catalogue":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Sites

    def save_site(self, site: Site, text: str = "") -> str:
        """Keep a site with the text of its file; return its version."""
        now_ns = self._clock.now_ns()
        with self._database.writing() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO sites VALUES (?, ?, ?, ?, ?)",
                (site.site_version, site.id, site.canonical_json(), text, now_ns),
            )
            connection.executemany(
                "INSERT OR IGNORE INTO cameras (camera_id, first_ns) VALUES (?, ?)",
                [(camera.id, now_ns) for camera in site.cameras],
            )
        return site.site_version

    def site(self, site_version: str) -> str:
        """Return the canonical JSON of a site; raise StoreError for an unknown version."""
        return str(self._site_column("json", site_version))

    def site_text(self, site_version: str) -> str:
        """Return the text of the file that a site came from, "" when there was none."""
        return str(self._site_column("file_text", site_version))

    def _site_column(self, column: str, site_version: str) -> object:
        rows = self._select(f"SELECT {column} FROM sites WHERE site_version = ?", [site_version])
        if not rows:
            raise StoreError(f"{self.folder} knows no site {site_version[:12]}; analyse again")
        return rows[0][0]

    # Runs

    def new_run(
        self, run: Run, *, files: Sequence[SourceFile] = (), wanted_id: int | None = None
    ) -> int:
        """Keep a new run, not visible until ``publish``; return its id.

        ``run.run_id`` is not read; ``wanted_id`` is taken when it was never used here. Its site
        must have been saved.
        """
        names = ", ".join([*_RUN_FIELDS, "live", "created_ns"])
        now_ns = self._clock.now_ns()
        values = [*(getattr(run, name) for name in _RUN_FIELDS), 0, now_ns]
        if wanted_id is not None and wanted_id > self._newest_run_id():
            names, values = f"{names}, run_id", [*values, wanted_id]
        with self._database.writing() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO cameras (camera_id, first_ns) VALUES (?, ?)",
                (run.camera_id, now_ns),
            )
            run_id = connection.execute(
                f"INSERT INTO runs ({names}) VALUES ({marks(values)})", values
            ).lastrowid
            connection.executemany(
                "INSERT INTO run_files VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (run_id, i, f.name, f.size_bytes, f.start_ns, f.note)
                    for i, f in enumerate(files)
                ],
            )
        return int(run_id or 0)

    def _newest_run_id(self) -> int:
        rows = self._select("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'runs'")
        return int(rows[0][0])

    def update_run(self, run_id: int, **changes: Any) -> None:
        """Change fields of a run, such as ``state``, ``end_ns`` or ``frames``."""
        unknown = set(changes) - set(_RUN_FIELDS)
        if unknown or not changes:
            raise ValueError(f"a run has no fields {sorted(unknown)}")
        names = ", ".join(f"{name} = ?" for name in changes)
        with self._database.writing() as connection:
            connection.execute(
                f"UPDATE runs SET {names} WHERE run_id = ?", [*changes.values(), run_id]
            )

    def publish(self, new_run_ids: Iterable[int], replaced_run_ids: Iterable[int] = ()) -> None:
        """Show the new runs and drop the replaced ones with all their rows, in one transaction.

        Files of the dropped runs are removed afterwards.
        """
        replaced = list(replaced_run_ids)
        with self._database.writing() as connection:
            connection.executemany(
                "UPDATE runs SET live = 1 WHERE run_id = ?", [(run_id,) for run_id in new_run_ids]
            )
            garbage.doom(connection, garbage.paths_of_runs(connection, replaced))
            connection.executemany(
                "DELETE FROM runs WHERE run_id = ?", [(run_id,) for run_id in replaced]
            )
        garbage.sweep(self._database, self.folder)

    def forget_unpublished(self) -> int:
        """Drop runs that a crash left unpublished, with their files; return how many.

        Call it while holding ``only_writer``: another analysis would lose its runs. The folder of
        a live camera keeps them: ``store.upkeep.recover`` closes them instead.
        """
        if self.fact(LIVE_CAMERA):
            return 0
        run_ids = [run.run_id for run in self.runs(live=False)]
        self.publish([], run_ids)
        for run_id in run_ids:
            for content in _FILE_TABLES:
                for leftover in (self.folder / content).glob(f"camera=*/**/{run_id}-*"):
                    remove_quietly(leftover)
        return len(run_ids)

    def runs(self, *, live: bool = True) -> list[Run]:
        """Return the published runs (or those not published) in order of start."""
        rows = self._select(
            f"SELECT run_id, {', '.join(_RUN_FIELDS)} FROM runs WHERE live = ?"
            " ORDER BY start_ns, run_id",
            [int(live)],
        )
        return [_run(row) for row in rows]

    def files_of(self, run_id: int) -> list[SourceFile]:
        """Return the videos of a run in their order."""
        rows = self._select(
            "SELECT name, size_bytes, start_ns, note FROM run_files WHERE run_id = ?"
            " ORDER BY position",
            [run_id],
        )
        return [
            SourceFile(name=name, size_bytes=size_bytes, start_ns=start_ns, note=note)
            for name, size_bytes, start_ns, note in rows
        ]

    # Files of points and steps

    def add_file(self, file: StoredFile) -> None:
        """Keep a finished file of points or steps; the same path again replaces the row."""
        table = _FILE_TABLES[file.content]
        with self._database.writing() as connection:
            connection.execute(
                f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    file.path,
                    file.run_id,
                    file.rows,
                    file.start_ns,
                    file.end_ns,
                    file.size_bytes,
                    file.sha256,
                ),
            )

    def add_segment(
        self, file: FinishedFile, *, expires_ns: int | None = None, locked: bool = False
    ) -> Segment:
        """Keep the row of a finished piece of video that ``store.segments.segment_path`` named."""
        return segment_rows.add_segment(
            self._database, self.folder, file, expires_ns=expires_ns, locked=locked
        )

    def segments(
        self, camera_id: str, *, purposes: Sequence[str] = PURPOSES, event_id: str = ""
    ) -> list[Segment]:
        """Return the pieces of video of a camera in order of time, or those of one event."""
        return segment_rows.read_segments(
            self._database, camera_id, purposes=purposes, event_id=event_id
        )

    def point_files(self, run_id: int) -> list[StoredFile]:
        """Return the files of points of a run in order of time."""
        return self._files("points", run_id)

    def smoothed_files(self, run_id: int) -> list[StoredFile]:
        """Return the files of smoothed points of a run, in order of time."""
        return self._files("smoothed", run_id)

    def step_files(self, run_id: int) -> list[StoredFile]:
        """Return the files of analysed steps of a run in order of time."""
        return self._files("steps", run_id)

    def _files(self, content: str, run_id: int) -> list[StoredFile]:
        rows = self._select(
            "SELECT path, camera_id, rows, f.start_ns, f.end_ns, size_bytes, sha256"
            f" FROM {_FILE_TABLES[content]} AS f JOIN runs USING (run_id)"
            " WHERE run_id = ? ORDER BY f.start_ns, path",
            [run_id],
        )
        names = ("path", "camera_id", "rows", "start_ns", "end_ns", "size_bytes", "sha256")
        return [
            StoredFile(content=content, run_id=run_id, **dict(zip(names, row, strict=True)))
            for row in rows
        ]


def _run(row: Sequence[Any]) -> Run:
    values = dict(zip(("run_id", *_RUN_FIELDS), row, strict=True))
    for name in ("declared_fps", "delivered_fps"):
        values[name] = float("nan") if values[name] is None else values[name]
    values["counted"] = bool(values["counted"])
    return Run(**values)
