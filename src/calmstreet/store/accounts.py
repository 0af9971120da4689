"""Accounts and open sessions of the desk."""

import json
from dataclasses import dataclass

from calmstreet.store.database import Database

__all__ = ["Account", "Accounts", "Session"]

_ACCOUNT = "user_id, name, role, cameras_json, password_hash, must_change, created_ns, disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account; ``cameras`` None opens all of them."""

    user_id: int
    name: str
    role: str
    cameras: frozenset[str] | None
    password_hash: str
    must_change: bool
    created_ns: int
    disabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One open session of an account."""

    session_id: int
    account: Account
    created_ns: int
    seen_ns: int
    expires_ns: int
    address: str
    agent: str


class Accounts:
    """Who may sign in, and who is."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    def count(self) -> int:
        """Return how many accounts there are."""
        with self._database.guarded() as connection:
            return int(connection.execute("SELECT count(*) FROM users").fetchone()[0])

    def all(self) -> list[Account]:
        """Return every account by name."""
        with self._database.guarded() as connection:
            rows = connection.execute(f"SELECT {_ACCOUNT} FROM users ORDER BY name").fetchall()
        return [_account(row) for row in rows]

    def by_name(self, name: str) -> Account | None:
        """Return the account of a name, None when there is none."""
        return self._one("name", name)

    def by_id(self, user_id: int) -> Account | None:
        """Return an account, None when there is none."""
        return self._one("user_id", user_id)

    def _one(self, column: str, value: object) -> Account | None:
        with self._database.guarded() as connection:
            row = connection.execute(
                f"SELECT {_ACCOUNT} FROM users WHERE {column} = ?", (value,)
            ).fetchone()
        return None if row is None else _account(row)

    def add(
        self,
        name: str,
        *,
        role: str,
        cameras: frozenset[str] | None,
        password_hash: str,
        now_ns: int,
    ) -> bool:
        """Make an account that must change its password; return False when the name is taken."""
        with self._database.writing() as connection:
            made = connection.execute(
                "INSERT OR IGNORE INTO users (name, role, cameras_json, password_hash, created_ns)"
                " VALUES (?, ?, ?, ?, ?)",
                (name, role, _cameras_json(cameras), password_hash, now_ns),
            ).rowcount
        return made == 1

    def change(
        self, user_id: int, *, role: str, cameras: frozenset[str] | None, disabled: bool
    ) -> bool:
        """Change what an account may do and end its sessions.

        Returns False, and changes nothing, when no enabled administrator of all cameras was left.
        """
        with self._database.writing() as connection:
            connection.execute("SAVEPOINT before")
            connection.execute(
                "UPDATE users SET role = ?, cameras_json = ?, disabled = ? WHERE user_id = ?",
                (role, _cameras_json(cameras), int(disabled), user_id),
            )
            connection.execute("DELETE FROM sessions WHERE user_id = ?", (user_id,))
            left = connection.execute(
                "SELECT count(*) FROM users WHERE role = 'administrator' AND disabled = 0"
                " AND cameras_json IS NULL"
            ).fetchone()[0]
            if not left:
                connection.execute("ROLLBACK TO before")
        return bool(left)

    def set_password(
        self, user_id: int, *, password_hash: str, must_change: bool, kept_session_id: int = 0
    ) -> None:
        """Give an account another password; all its sessions end but ``kept_session_id``."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE users SET password_hash = ?, must_change = ? WHERE user_id = ?",
                (password_hash, int(must_change), user_id),
            )
            connection.execute(
                "DELETE FROM sessions WHERE user_id = ? AND session_id != ?",
                (user_id, kept_session_id),
            )

    def open_session(
        self,
        account: Account,
        *,
        token_sha256: str,
        now_ns: int,
        expires_ns: int,
        address: str,
        agent: str,
    ) -> bool:
        """Open a session unless the password was changed meanwhile; drop those that ended."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM sessions WHERE expires_ns <= ?", (now_ns,))
            made = connection.execute(
                "INSERT INTO sessions (token_sha256, user_id, created_ns, seen_ns, expires_ns,"
                " address, agent) SELECT ?, user_id, ?, ?, ?, ?, ? FROM users"
                " WHERE user_id = ? AND password_hash = ? AND disabled = 0",
                (token_sha256, now_ns, now_ns, expires_ns, address, agent,
                 account.user_id, account.password_hash),
            ).rowcount  # fmt: skip
        return made == 1

    def session(self, token_sha256: str, *, now_ns: int, idle_ns: int) -> Session | None:
        """Return the session of a token, None when it ended, idled or its account is disabled."""
        found = self._sessions(
            "WHERE token_sha256 = ? AND expires_ns > ? AND seen_ns > ? AND disabled = 0",
            (token_sha256, now_ns, now_ns - idle_ns),
        )
        return found[0] if found else None

    def sessions(self, *, now_ns: int, idle_ns: int) -> list[Session]:
        """Return the open sessions, the newest first."""
        return self._sessions(
            "WHERE expires_ns > ? AND seen_ns > ? AND disabled = 0 ORDER BY session_id DESC",
            (now_ns, now_ns - idle_ns),
        )

    def _sessions(self, where: str, values: tuple[object, ...]) -> list[Session]:
        with self._database.guarded() as connection:
            rows = connection.execute(
                "SELECT session_id, sessions.created_ns, seen_ns, expires_ns, address, agent,"
                " users.user_id, name, role, cameras_json, password_hash, must_change,"
                f" users.created_ns, disabled FROM sessions JOIN users USING (user_id) {where}",
                values,
            ).fetchall()
        return [
            Session(
                session_id=row[0],
                created_ns=row[1],
                seen_ns=row[2],
                expires_ns=row[3],
                address=row[4],
                agent=row[5],
                account=_account(row[6:]),
            )
            for row in rows
        ]

    def saw(self, session_id: int, *, now_ns: int) -> None:
        """Write down that a session was used."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE sessions SET seen_ns = ? WHERE session_id = ?", (now_ns, session_id)
            )

    def end_session(self, session_id: int) -> bool:
        """End a session; return whether it was there."""
        with self._database.writing() as connection:
            gone = connection.execute(
                "DELETE FROM sessions WHERE session_id = ?", (session_id,)
            ).rowcount
        return gone == 1


def _cameras_json(cameras: frozenset[str] | None) -> str | None:
    return None if cameras is None else json.dumps(sorted(cameras))


def _account(row: tuple[object, ...]) -> Account:
    user_id, name, role, cameras, password_hash, must_change, created_ns, disabled = row
    return Account(
        user_id=int(str(user_id)),
        name=str(name),
        role=str(role),
        cameras=None if cameras is None else frozenset(json.loads(str(cameras))),
        password_hash=str(password_hash),
        must_change=bool(must_change),
        created_ns=int(str(created_ns)),
        disabled=bool(disabled),
    )
