"""Work that is asked for in one process and done in another."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from calmstreet.store.database import Database

__all__ = ["Job", "Jobs"]

_COLUMNS = (
    "job_id, kind, args_json, state, asked_ns, asked_by, started_ns, ended_ns, doing, share,"
    " result_json"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One piece of work: ``args`` say what is to be done, ``result`` what came of it."""

    job_id: int
    kind: str
    args: Mapping[str, Any]
    state: str
    asked_ns: int
    asked_by: str
    started_ns: int | None
    ended_ns: int | None
    doing: str
    share: float
    result: Mapping[str, Any]


class Jobs:
    """The queue of work, first asked first done."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    def ask(self, kind: str, *, args: Mapping[str, Any], asked_by: str, now_ns: int) -> int:
        """Ask for work; return the number of the job."""
        with self._database.writing() as connection:
            number = connection.execute(
                "INSERT INTO jobs (kind, args_json, state, asked_ns, asked_by, doing, share,"
                " result_json) VALUES (?, ?, 'waiting', ?, ?, '', 0.0, '{}')",
                (kind, json.dumps(dict(args)), now_ns, asked_by),
            ).lastrowid
        return int(number or 0)

    def one(self, job_id: int) -> Job | None:
        """Return a job, None when there is none."""
        found = self._read("WHERE job_id = ?", (job_id,))
        return found[0] if found else None

    def newest(self, limit: int = 200) -> list[Job]:
        """Return the newest jobs, the newest first."""
        return self._read("ORDER BY job_id DESC LIMIT ?", (limit,))

    def _read(self, where: str, values: tuple[object, ...]) -> list[Job]:
        with self._database.guarded() as connection:
            rows = connection.execute(f"SELECT {_COLUMNS} FROM jobs {where}", values).fetchall()
        return [
            Job(
                job_id=row[0],
                kind=row[1],
                args=json.loads(row[2]),
                state=row[3],
                asked_ns=row[4],
                asked_by=row[5],
                started_ns=row[6],
                ended_ns=row[7],
                doing=row[8],
                share=row[9],
                result=json.loads(row[10]),
            )
            for row in rows
        ]

    def take(self, *, now_ns: int) -> Job | None:
        """Take the job that waits longest and mark it as running; None when nothing waits."""
        with self._database.writing() as connection:
            row = connection.execute(
                "UPDATE jobs SET state = 'running', started_ns = ? WHERE job_id ="
                " (SELECT job_id FROM jobs WHERE state = 'waiting' ORDER BY asked_ns, job_id"
                " LIMIT 1) RETURNING job_id",
                (now_ns,),
            ).fetchone()
        return None if row is None else self.one(row[0])

    def tell(self, job_id: int, *, doing: str, share: float) -> None:
        """Write down how far a running job came."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE jobs SET doing = ?, share = ? WHERE job_id = ? AND state = 'running'",
                (doing, min(max(share, 0.0), 1.0), job_id),
            )

    def end(self, job_id: int, *, failure: str, result: Mapping[str, Any], now_ns: int) -> None:
        """Mark a job as done, or as failed when ``failure`` says why."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE jobs SET state = ?, ended_ns = ?, share = ?, result_json = ?"
                " WHERE job_id = ?",
                (
                    "failed" if failure else "done",
                    now_ns,
                    0.0 if failure else 1.0,
                    json.dumps({**result, "failure": failure}, ensure_ascii=False),
                    job_id,
                ),
            )

    def cancel(self, job_id: int, *, now_ns: int) -> bool:
        """Cancel a job that waits; return False when it does not."""
        with self._database.writing() as connection:
            changed = connection.execute(
                "UPDATE jobs SET state = 'cancelled', ended_ns = ?"
                " WHERE job_id = ? AND state = 'waiting'",
                (now_ns, job_id),
            ).rowcount
        return changed == 1

    def give_up_running(self, *, now_ns: int) -> int:
        """Mark jobs that a stopped worker left behind as failed; return how many."""
        with self._database.writing() as connection:
            return connection.execute(
                "UPDATE jobs SET state = 'failed', ended_ns = ?, result_json = ?"
                " WHERE state = 'running'",
                (now_ns, json.dumps({"failure": "the worker stopped; ask again"})),
            ).rowcount
