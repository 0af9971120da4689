"""The desk's own folder: accounts, audit log, jobs, drafts and uploads of a node.

It is a catalogue like that of a result, with the same tables, and holds no runs.
"""

from pathlib import Path

from calmstreet.clock import Clock, SystemClock
from calmstreet.store.accounts import Accounts
from calmstreet.store.audit_log import AuditLog
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.database import Database
from calmstreet.store.drafts import Drafts, Uploads
from calmstreet.store.jobs import Jobs

__all__ = ["UPLOADS", "Desk"]

UPLOADS = "uploads"
"""The folder of clips that were handed in, inside that of the desk."""


class Desk:
    """What the desk keeps. One for one thread; use it as a context manager."""

    def __init__(self, *, folder: Path, database: Database) -> None:
        self.folder = folder
        self.accounts = Accounts(database=database)
        self.audit = AuditLog(database=database)
        self.jobs = Jobs(database=database)
        self.drafts = Drafts(database=database)
        self.uploads = Uploads(database=database)
        self._database = database

    @classmethod
    def open(cls, folder: Path, *, clock: Clock | None = None) -> "Desk":
        """Open the desk's folder, made new when nothing is there.

        Raises StoreError when it is of a newer version, locked or damaged.
        """
        catalogue = Catalogue.open(folder, create=True, clock=clock or SystemClock())
        return cls(folder=folder, database=catalogue.database)

    def upload_path(self, upload_id: str) -> Path:
        """Return where the file of an upload lies; ``upload_id`` are hex digits, never a path."""
        if len(upload_id) != 16 or not set(upload_id) <= set("0123456789abcdef"):
            raise ValueError("an upload is named by 16 hex digits")
        return self.folder / UPLOADS / upload_id

    def close(self) -> None:
        """Close the connection."""
        self._database.close()

    def __enter__(self) -> "Desk":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
