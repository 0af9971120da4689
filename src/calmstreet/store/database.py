"""The catalogue's SQLite file: how it is opened, brought up to date and written to."""

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

from calmstreet.errors import StoreError

__all__ = ["BUSY_TIMEOUT_S", "Database", "marks", "migrations", "open_database"]

BUSY_TIMEOUT_S = 5.0
_APPLICATION_ID = 0x43414C4D  # "CALM"
_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def migrations() -> dict[int, str]:
    """Return the text of every migration by its number, in order.

    >>> min(migrations())
    1
    """
    files = resources.files("calmstreet.store").joinpath("migrations").iterdir()
    texts = {
        int(file.name.removesuffix(".sql")): file.read_text(encoding="utf-8")
        for file in files
        if file.name.endswith(".sql")
    }
    return dict(sorted(texts.items()))


def marks(values: Sequence[object]) -> str:
    """Return as many question marks as there are values.

    >>> marks([4, 5, 6])
    '?, ?, ?'
    """
    return ", ".join("?" * len(values))


class Database:
    """One connection to a catalogue: short transactions, every fault a StoreError."""

    def __init__(self, *, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection

    @contextmanager
    def guarded(self) -> Iterator[sqlite3.Connection]:
        """Give the connection for reading; turn its faults into StoreError."""
        try:
            yield self._connection
        except sqlite3.Error as error:
            raise StoreError(sentence(error, self._path)) from error

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give the connection inside one transaction (BEGIN IMMEDIATE), all or nothing."""
        with self.guarded() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def sentence(error: sqlite3.Error, path: Path) -> str:
    """Return what a fault of SQLite means to the user and what helps."""
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if isinstance(code, int) else None
    if primary in _LOCKED:
        return f"{path} is locked by another program; wait until it has ended and try again"
    if primary in _DAMAGED:
        return (
            f"{path} is damaged ({error}); bring it back from a copy or analyse into a new folder"
        )
    if primary == sqlite3.SQLITE_FULL:
        return f"{path} cannot grow: the disk is full; free some space and try again"
    if primary == sqlite3.SQLITE_IOERR:
        return f"{path} cannot be written: the disk is full or fails; free some space or check it"
    if primary in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return f"{path} cannot be opened for writing ({error}); check the rights on the folder"
    return f"{path} refused what was asked ({error}); please report it"


def open_database(
    path: Path, *, now_ns: int, create: bool, busy_timeout_s: float = BUSY_TIMEOUT_S
) -> Database:
    """Open the catalogue at ``path``, made new if asked, brought up to date if old.

    Raises StoreError when it is not ours, newer than this program, locked or damaged.
    """
    uri = f"{path.resolve().as_uri()}?mode={'rwc' if create else 'rw'}"
    try:
        connection = sqlite3.connect(uri, uri=True, timeout=busy_timeout_s, isolation_level=None)
    except sqlite3.Error as error:
        raise StoreError(sentence(error, path)) from error
    database = Database(path=path, connection=connection)
    try:
        _prepare(database, path, now_ns)
    except BaseException:
        database.close()
        raise
    return database


def _prepare(database: Database, path: Path, now_ns: int) -> None:
    with database.guarded() as connection:
        version = _version(connection, path)
        newest = max(migrations())
        if version > newest:
            raise StoreError(
                f"{path} was written by a newer Calmstreet (catalogue {version}, this program "
                f"knows {newest}); install the newer version"
            )
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")
    if version < newest:
        _migrate(database, path, now_ns)


def _version(connection: sqlite3.Connection, path: Path) -> int:
    application_id = connection.execute("PRAGMA application_id").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if application_id != _APPLICATION_ID and tables:
        raise StoreError(f"{path} is not a Calmstreet catalogue; name another folder")
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _migrate(database: Database, path: Path, now_ns: int) -> None:
    with database.writing() as connection:
        version = _version(connection, path)  # another process may have been faster
        for number, text in migrations().items():
            if number > version:
                for statement in _statements(text):
                    connection.execute(statement)
                digest = hashlib.sha256(text.encode()).hexdigest()
                connection.execute(
                    "INSERT INTO migrations VALUES (?, ?, ?)", (number, now_ns, digest)
                )
        if not version:
            connection.execute("INSERT INTO meta VALUES ('created_ns', ?)", (str(now_ns),))
        connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {max(migrations())}")


def _statements(text: str) -> Iterator[str]:
    """Yield whole statements; executescript would end the transaction."""
    statement = ""
    for line in text.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
