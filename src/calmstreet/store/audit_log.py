"""The audit log: every look, verdict, export and change, each entry sealed by the one before."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from calmstreet.store.database import Database

__all__ = ["AuditEntry", "AuditLog", "Chain", "seal_of"]

_FIRST = "0" * 64
_COLUMNS = "audit_id, t_ns, actor, action, detail_json, previous_sha256, sha256"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One entry: who did what when, and its seal."""

    audit_id: int
    t_ns: int
    actor: str
    action: str
    detail: Mapping[str, Any]
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Whether ``entries`` follow from one another; ``broken_at`` is the first that does not."""

    entries: int
    broken_at: int | None
    last_sha256: str


def seal_of(row: tuple[object, ...]) -> str:
    """Return the sha256 over the columns of an entry before its own seal, hex.

    >>> seal_of((1, 0, "system", "start", "{}", "0" * 64))[:8]
    '1a78f49d'
    """
    text = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class AuditLog:
    """Entries are added and read, never changed: the database refuses it."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    def add(self, action: str, *, actor: str, now_ns: int, **detail: Any) -> None:
        """Add one entry at the end of the chain."""
        text = json.dumps(detail, ensure_ascii=False, sort_keys=True)
        with self._database.writing() as connection:
            last = connection.execute(
                "SELECT audit_id, sha256 FROM audit ORDER BY audit_id DESC LIMIT 1"
            ).fetchone()
            number, previous = (last[0] + 1, last[1]) if last else (1, _FIRST)
            row = (number, now_ns, actor, action, text, previous)
            connection.execute(
                "INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)", (*row, seal_of(row))
            )

    def page(
        self, *, actor: str | None, action: str | None, offset: int, limit: int
    ) -> tuple[int, list[AuditEntry]]:
        """Return how many entries fit, and some of them, the newest first."""
        where = "WHERE (?1 IS NULL OR actor = ?1) AND (?2 IS NULL OR action = ?2)"
        with self._database.guarded() as connection:
            total = connection.execute(
                f"SELECT count(*) FROM audit {where}", (actor, action)
            ).fetchone()[0]
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM audit {where} ORDER BY audit_id DESC LIMIT ?3 OFFSET ?4",
                (actor, action, limit, offset),
            ).fetchall()
        return int(total), [
            AuditEntry(
                audit_id=row[0],
                t_ns=row[1],
                actor=row[2],
                action=row[3],
                detail=json.loads(row[4]),
                sha256=row[6],
            )
            for row in rows
        ]

    def check(self) -> Chain:
        """Follow the whole chain."""
        previous, entries = _FIRST, 0
        with self._database.guarded() as connection:
            for row in connection.execute(f"SELECT {_COLUMNS} FROM audit ORDER BY audit_id"):
                entries += 1
                if row[0] != entries or row[5] != previous or row[6] != seal_of(row[:6]):
                    return Chain(entries=entries, broken_at=row[0], last_sha256=previous)
                previous = row[6]
        return Chain(entries=entries, broken_at=None, last_sha256=previous)
