"""What one asker may see of a result: every query carries the cameras that are open to them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.clock import Clock
from calmstreet.model.run import Run
from calmstreet.model.speeds import GateSpeeds, SpeedCheck
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.database import Database
from calmstreet.store.findings import Warned
from calmstreet.store.speeds import read_checks
from calmstreet.store.tables import TABLES, Columns, columns_of

__all__ = ["RUNS_OF", "SEEN", "BinRows", "CameraRow", "Medium", "Seen"]

SEEN = (
    "runs.live = 1 AND (:scope IS NULL OR runs.camera_id IN (SELECT value FROM json_each(:scope)))"
)
"""The clause that every query here carries: published runs of cameras open to the asker."""

_RUN = (
    "run_id, camera_id, site_version, source, start_ns, end_ns, state, time_known, width_px,"
    " height_px, declared_fps, delivered_fps, detector, frames, repeated_frames, analysed_frames,"
    " counted, note"
)
RUNS_OF = (
    f"SELECT run_id FROM runs WHERE {SEEN} AND runs.camera_id = :camera"
    " AND runs.start_ns < :end AND runs.end_ns >= :start"
)
"""The runs of one camera in a span, as a query within another one."""

# CROSS JOIN keeps the order of the tables: first the few runs, then their own bins by the key.
_BINS = (
    f"FROM runs CROSS JOIN bins USING (run_id) WHERE {SEEN} AND runs.camera_id = :camera"
    " AND runs.start_ns < :end AND runs.end_ns >= :start AND measure = :measure"
    " AND width_ns = :width AND (:prefix = '' OR substr(what, 1, length(:prefix)) = :prefix)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraRow:
    """One camera with published runs: when and how long it watched, with what picture."""

    camera_id: str
    name: str
    start_ns: int
    end_ns: int
    watched_s: float
    width_px: int
    height_px: int
    site_version: str
    time_known: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Medium:
    """One blurred picture or clip; ``path``, relative to the folder, never leaves the server."""

    medium_id: str
    what: str
    path: str
    camera_id: str
    start_ns: int
    end_ns: int
    width_px: int
    height_px: int
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BinRows:
    """Bins of one camera and width, joined over its runs; rows sorted by ``what``, kind, start."""

    what: NDArray[np.str_]
    kind: NDArray[np.uint8]
    start_ns: NDArray[np.int64]
    count: NDArray[np.float64]
    exposure_s: NDArray[np.float64]
    flags: NDArray[np.str_]


class Seen:
    """A result as far as an asker may see it; ``cameras`` None opens all of them."""

    def __init__(self, *, folder: Path, database: Database, cameras: frozenset[str] | None) -> None:
        self.folder = folder
        self.cameras = cameras
        self._database = database
        self._scope = None if cameras is None else json.dumps(sorted(cameras))

    @classmethod
    def open(
        cls, folder: Path, *, cameras: frozenset[str] | None, clock: Clock | None = None
    ) -> "Seen":
        """Open a result folder for one asker; raise StoreError when it is none."""
        catalogue = Catalogue.open(folder, clock=clock)
        return cls(folder=folder, database=catalogue.database, cameras=cameras)

    def close(self) -> None:
        """Close the connection."""
        self._database.close()

    def __enter__(self) -> "Seen":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def database(self) -> Database:
        """Return the connection, for the queue of events."""
        return self._database

    def rows(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a query that names ``:scope``."""
        with self._database.guarded() as connection:
            return connection.execute(sql, {"scope": self._scope, **values}).fetchall()

    def camera_rows(self) -> list[CameraRow]:
        """Return the cameras by id, with the size and site of their newest run."""
        rows = self.rows(
            "SELECT runs.camera_id, cameras.name, min(start_ns), max(end_ns),"
            " sum((SELECT coalesce(sum(watched.end_ns - watched.start_ns), 0) FROM watched"
            " WHERE watched.run_id = runs.run_id)) / 1e9, width_px, height_px, site_version,"
            " max(CASE time_known WHEN 'unknown' THEN 1 ELSE 0 END), time_known,"
            " max(CASE state WHEN 'complete' THEN 0 ELSE 1 END), max(run_id)"
            f" FROM runs JOIN cameras USING (camera_id) WHERE {SEEN}"
            " GROUP BY runs.camera_id ORDER BY runs.camera_id"
        )
        return [
            CameraRow(
                camera_id=row[0],
                name=row[1],
                start_ns=row[2],
                end_ns=row[3],
                watched_s=float(row[4]),
                width_px=row[5],
                height_px=row[6],
                site_version=row[7],
                time_known="unknown" if row[8] else row[9],
                state="partial" if row[10] else "complete",
            )
            for row in rows
        ]

    def runs(self) -> list[Run]:
        """Return the runs in order of start."""
        return [
            _run(row)
            for row in self.rows(f"SELECT {_RUN} FROM runs WHERE {SEEN} ORDER BY start_ns, run_id")
        ]

    def site_json(self, site_version: str = "") -> tuple[str, str, str] | None:
        """Return (version, canonical JSON, text of the file) of the newest run's or a given site.

        None where no run of a camera open to the asker was watched under it.
        """
        rows = self.rows(
            "SELECT site_version, json, file_text FROM sites JOIN runs USING (site_version)"
            f" WHERE {SEEN} AND (:version = '' OR site_version = :version)"
            " ORDER BY run_id DESC LIMIT 1",
            version=site_version,
        )
        return None if not rows else (str(rows[0][0]), str(rows[0][1]), str(rows[0][2]))

    def site_versions(self) -> list[tuple[str, int]]:
        """Return every site that a run was watched under, with when it was saved, newest first."""
        return [
            (str(version), int(saved_ns))
            for version, saved_ns in self.rows(
                "SELECT DISTINCT site_version, saved_ns FROM sites JOIN runs USING (site_version)"
                f" WHERE {SEEN} ORDER BY saved_ns DESC"
            )
        ]

    def warnings(self, camera_id: str | None = None) -> list[Warned]:
        """Return the distinct warnings of the runs."""
        rows = self.rows(
            "SELECT DISTINCT code, text, args_json FROM warnings JOIN runs USING (run_id)"
            f" WHERE {SEEN} AND (:camera IS NULL OR camera_id = :camera)"
            " ORDER BY run_id, position",
            camera=camera_id,
        )
        return [Warned(code=code, text=text, args=json.loads(args)) for code, text, args in rows]

    def bins(
        self,
        camera_id: str,
        *,
        start_ns: int,
        end_ns: int,
        width_ns: int,
        measure: str = "counts",
        prefix: str = "",
    ) -> BinRows:
        """Return bins of a camera that begin in a span, joined over its runs."""
        rows = self.rows(
            f"SELECT what, kind, bins.start_ns, count, exposure_s, flags {_BINS}"
            " AND bins.start_ns >= :start AND bins.start_ns < :end",
            camera=camera_id,
            start=start_ns,
            end=end_ns,
            width=width_ns,
            measure=measure,
            prefix=prefix,
        )
        dtypes = (np.str_, np.uint8, np.int64, np.float64, np.float64, np.str_)
        names = ("what", "kind", "start_ns", "count", "exposure_s", "flags")
        return _joined(columns_of(rows, dict(zip(names, dtypes, strict=True))))

    def bin_totals(
        self, camera_id: str, *, start_ns: int, end_ns: int, width_ns: int, prefix: str
    ) -> list[tuple[str, int, float, float]]:
        """Return (what, kind, count, seconds watched) over all bins that begin in a span."""
        rows = self.rows(
            f"SELECT what, kind, sum(count), sum(exposure_s) {_BINS}"
            " AND bins.start_ns >= :start AND bins.start_ns < :end"
            " GROUP BY what, kind ORDER BY what, kind",
            camera=camera_id,
            start=start_ns,
            end=end_ns,
            width=width_ns,
            measure="counts",
            prefix=prefix,
        )
        return [(str(w), int(k), float(n or 0.0), float(s)) for w, k, n, s in rows]

    def watched(self, camera_id: str, *, start_ns: int, end_ns: int) -> NDArray[np.int64]:
        """Return the unbroken spells (n, 2) in which a camera watched, cut to a span."""
        rows = self.rows(
            "SELECT max(start_ns, :start), min(end_ns, :end) FROM watched"
            f" WHERE run_id IN ({RUNS_OF}) AND start_ns < :end AND end_ns > :start"
            " ORDER BY start_ns",
            camera=camera_id,
            start=start_ns,
            end=end_ns,
        )
        return np.array(rows, np.int64).reshape(-1, 2)

    def occupied(
        self, camera_id: str, *, start_ns: int, end_ns: int, width_ns: int
    ) -> tuple[dict[int, float], dict[str, dict[int, float]]]:
        """Return seconds watched by slice, and by gate the seconds that it was covered.

        Slices begin at whole multiples of ``width_ns`` from 1970, UTC.
        """
        values = {"camera": camera_id, "start": start_ns, "end": end_ns, "width": width_ns}
        within = f"WHERE run_id IN ({RUNS_OF}) AND start_ns >= :start AND start_ns < :end"
        watched = self.rows(
            f"SELECT start_ns / :width * :width, sum(watched_s) FROM minutes {within} GROUP BY 1",
            **values,
        )
        covered: dict[str, dict[int, float]] = {}
        for gate_id, slice_ns, seconds in self.rows(
            "SELECT gate_id, start_ns / :width * :width, sum(occupied_s) FROM occupancies"
            f" {within} GROUP BY 1, 2",
            **values,
        ):
            covered.setdefault(str(gate_id), {})[int(slice_ns)] = float(seconds or 0.0)
        return {int(t): float(s) for t, s in watched}, covered

    def passages(
        self, table: str, names: Sequence[str], camera_id: str, *, start_ns: int, end_ns: int
    ) -> Columns:
        """Return columns of crossings or speeds of a camera in a span, in order of time."""
        if table not in {"crossings", "speeds"}:
            raise ValueError(f"{table} holds no passages")
        dtypes = {name: TABLES[table][name] for name in names}
        rows = self.rows(
            f"SELECT {', '.join(dtypes)} FROM {table} WHERE run_id IN ({RUNS_OF})"
            " AND t_ns >= :start AND t_ns < :end ORDER BY t_ns",
            camera=camera_id,
            start=start_ns,
            end=end_ns,
        )
        return columns_of(rows, dtypes)

    def headings(self, camera_id: str, *, start_ns: int, end_ns: int) -> list[tuple[Any, ...]]:
        """Return per movement: mean unit vectors of entry and exit, and whether they are metric."""
        return self.rows(
            "SELECT movement_id, avg(entry_heading_x), avg(entry_heading_y),"
            " avg(exit_heading_x), avg(exit_heading_y), min(metric), count(*) FROM journeys"
            f" WHERE run_id IN ({RUNS_OF}) AND counted = 1 AND done_ns >= :start"
            " AND done_ns < :end GROUP BY movement_id",
            camera=camera_id,
            start=start_ns,
            end=end_ns,
        )

    def media(self) -> list[Medium]:
        """Return every blurred picture and clip."""
        pictures = self.rows(
            "SELECT 'p' || pictures.rowid, what, path, camera_id, t_ns, t_ns, pictures.width_px,"
            f" pictures.height_px, size_bytes, sha256 FROM pictures JOIN runs USING (run_id)"
            f" WHERE {SEEN} ORDER BY run_id, what, t_ns"
        )
        clips = self.rows(
            "SELECT 's' || segment_id, 'clip', path, runs.camera_id, segments.start_ns,"
            " segments.end_ns, runs.width_px, runs.height_px, size_bytes, sha256"
            f" FROM segments JOIN runs USING (run_id) WHERE {SEEN} ORDER BY segments.start_ns"
        )
        names = Medium.__slots__
        return [Medium(**dict(zip(names, row, strict=True))) for row in (*pictures, *clips)]

    def passed_check(self, camera_id: str, site_version: str) -> SpeedCheck | None:
        """Return the last comparison with radar or GPS under a site if it was passed."""
        if self.cameras is not None and camera_id not in self.cameras:
            return None
        mine = [
            check
            for check in read_checks(self._database)
            if check.camera_id == camera_id and check.site_version == site_version
        ]
        return mine[-1] if mine and mine[-1].passed else None

    def gate_speeds(self, camera_id: str, *, start_ns: int, end_ns: int) -> GateSpeeds:
        """Return the speeds at gates of a camera in a span, in order of time."""
        columns = self.passages(
            "speeds", list(TABLES["speeds"]), camera_id, start_ns=start_ns, end_ns=end_ns
        )
        return GateSpeeds(camera_id=camera_id, run_id=0, **columns)


def _run(row: Sequence[Any]) -> Run:
    values = dict(zip([name.strip() for name in _RUN.split(",")], row, strict=True))
    for name in ("declared_fps", "delivered_fps"):
        values[name] = float("nan") if values[name] is None else values[name]
    values["counted"] = bool(values["counted"])
    return Run(**values)


def _joined(rows: Columns) -> BinRows:
    """Return rows sorted by series, kind and time, those of several runs in one slice as one."""
    names, number = np.unique(rows["what"], return_inverse=True)
    order = np.lexsort((rows["start_ns"], rows["kind"], number))
    keys = [column[order] for column in (number, rows["kind"], rows["start_ns"])]
    new = np.ones(len(order), bool)
    new[1:] = np.any([key[1:] != key[:-1] for key in keys], axis=0)
    first = np.flatnonzero(new)
    flags = rows["flags"][order]
    if not new.all():
        ends = np.append(first[1:], len(order))
        joined = [";".join(flags[a:b]) for a, b in zip(first, ends, strict=True)]
        flags, kept = np.array(joined, np.str_), first
    else:
        kept = first
    return BinRows(
        what=names[keys[0][kept]] if len(kept) else rows["what"],
        kind=rows["kind"][order][kept],
        start_ns=keys[2][kept],
        count=_summed(rows["count"][order], first),
        exposure_s=_summed(rows["exposure_s"][order], first),
        flags=flags,
    )


def _summed(values: NDArray[np.float64], first: NDArray[np.intp]) -> NDArray[np.float64]:
    summed: NDArray[np.float64] = np.add.reduceat(values, first) if len(first) else values
    return summed
