"""Proposed sites and clips that were handed in."""

from dataclasses import dataclass

from calmstreet.store.database import Database

__all__ = ["Drafts", "SiteDraft", "Upload", "Uploads"]

_DRAFT = (
    "draft_id, result_id, site_version, based_on, file_text, state, note, asked_by, asked_ns,"
    " decided_by, decided_ns"
)
_UPLOAD = "upload_id, name, size_bytes, sha256, asked_by, asked_ns"


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteDraft:
    """A proposed site: text of its file, what it was drawn from, who decided what on it."""

    draft_id: int
    result_id: str
    site_version: str
    based_on: str
    file_text: str
    state: str
    note: str
    asked_by: str
    asked_ns: int
    decided_by: str
    decided_ns: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A clip that was handed in; its file is named by ``upload_id`` alone."""

    upload_id: str
    name: str
    size_bytes: int
    sha256: str
    asked_by: str
    asked_ns: int


class Drafts:
    """Proposed sites of every result."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    def propose(
        self,
        result_id: str,
        *,
        site_version: str,
        based_on: str,
        file_text: str,
        note: str,
        asked_by: str,
        now_ns: int,
    ) -> int:
        """Keep a proposed site; return its number."""
        with self._database.writing() as connection:
            number = connection.execute(
                "INSERT INTO site_drafts (result_id, site_version, based_on, file_text, state,"
                " note, asked_by, asked_ns, decided_by)"
                " VALUES (?, ?, ?, ?, 'proposed', ?, ?, ?, '')",
                (result_id, site_version, based_on, file_text, note, asked_by, now_ns),
            ).lastrowid
        return int(number or 0)

    def one(self, draft_id: int) -> SiteDraft | None:
        """Return a draft, None when there is none."""
        found = self._read("WHERE draft_id = ?", (draft_id,))
        return found[0] if found else None

    def of_result(self, result_id: str) -> list[SiteDraft]:
        """Return the drafts of a result, the newest first."""
        return self._read("WHERE result_id = ? ORDER BY draft_id DESC", (result_id,))

    def confirmed(self, result_id: str) -> SiteDraft | None:
        """Return the draft that was confirmed last, None when none was."""
        found = self._read(
            "WHERE result_id = ? AND state = 'confirmed' ORDER BY decided_ns DESC, draft_id DESC"
            " LIMIT 1",
            (result_id,),
        )
        return found[0] if found else None

    def decide(self, draft_id: int, *, state: str, decided_by: str, now_ns: int) -> bool:
        """Confirm or withdraw a proposed draft; return False when it was decided before."""
        with self._database.writing() as connection:
            changed = connection.execute(
                "UPDATE site_drafts SET state = ?, decided_by = ?, decided_ns = ?"
                " WHERE draft_id = ? AND state = 'proposed'",
                (state, decided_by, now_ns, draft_id),
            ).rowcount
        return changed == 1

    def _read(self, where: str, values: tuple[object, ...]) -> list[SiteDraft]:
        with self._database.guarded() as connection:
            rows = connection.execute(
                f"SELECT {_DRAFT} FROM site_drafts {where}", values
            ).fetchall()
        names = [name.strip() for name in _DRAFT.split(",")]
        return [SiteDraft(**dict(zip(names, row, strict=True))) for row in rows]


class Uploads:
    """Clips that were handed in."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    def add(self, upload: Upload) -> None:
        """Keep a clip whose file is in its place."""
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO uploads VALUES (?, ?, ?, ?, ?, ?)",
                (upload.upload_id, upload.name, upload.size_bytes, upload.sha256,
                 upload.asked_by, upload.asked_ns),
            )  # fmt: skip

    def all(self) -> list[Upload]:
        """Return the clips, the newest first."""
        return self._read("ORDER BY asked_ns DESC, upload_id", ())

    def one(self, upload_id: str) -> Upload | None:
        """Return a clip, None when there is none."""
        found = self._read("WHERE upload_id = ?", (upload_id,))
        return found[0] if found else None

    def remove(self, upload_id: str) -> bool:
        """Forget a clip; return whether it was there."""
        with self._database.writing() as connection:
            gone = connection.execute(
                "DELETE FROM uploads WHERE upload_id = ?", (upload_id,)
            ).rowcount
        return gone == 1

    def _read(self, where: str, values: tuple[object, ...]) -> list[Upload]:
        with self._database.guarded() as connection:
            rows = connection.execute(f"SELECT {_UPLOAD} FROM uploads {where}", values).fetchall()
        names = [name.strip() for name in _UPLOAD.split(",")]
        return [Upload(**dict(zip(names, row, strict=True))) for row in rows]
