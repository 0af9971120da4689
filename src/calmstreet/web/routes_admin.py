"""Accounts, sessions, storage, audit log."""

from fastapi import HTTPException

from calmstreet.web.answers_work import (
    AuditPage,
    ChainCheck,
    ChangeUser,
    NewUser,
    OneTimePassword,
    SessionRow,
    StoragePage,
    UserRow,
)
from calmstreet.web.doors import Door, Right
from calmstreet.web.queries import AuditQuery, RowId
from calmstreet.web.visit import Here

__all__ = ["DOORS"]


def list_users(here: Here) -> list[UserRow]:
    """List the accounts."""
    raise HTTPException(501)


def add_user(here: Here, asked: NewUser) -> OneTimePassword:
    """Make an account; its password is shown once."""
    raise HTTPException(501)


def change_user(here: Here, user_id: RowId, asked: ChangeUser) -> UserRow:
    """Change role, cameras or state of an account; its sessions end."""
    raise HTTPException(501)


def reset_password(here: Here, user_id: RowId) -> OneTimePassword:
    """Give an account a new one-time password; its sessions end."""
    raise HTTPException(501)


def list_sessions(here: Here) -> list[SessionRow]:
    """List the open sessions."""
    raise HTTPException(501)


def end_session(here: Here, session_id: RowId) -> None:
    """End a session."""
    raise HTTPException(501)


def show_storage(here: Here) -> StoragePage:
    """Show what lies on the disk."""
    raise HTTPException(501)


def list_audit(here: Here, asked: AuditQuery) -> AuditPage:
    """List the audit log, newest first."""
    raise HTTPException(501)


def check_audit(here: Here) -> ChainCheck:
    """Check the chain of the audit log."""
    raise HTTPException(501)


DOORS: tuple[Door, ...] = (
    Door(method="GET", path="/api/users", call=list_users, right=Right.ADMINISTER, tag="admin"),
    Door(
        method="POST",
        path="/api/users",
        call=add_user,
        right=Right.ADMINISTER,
        tag="admin",
        status=201,
    ),
    Door(
        method="PATCH",
        path="/api/users/{user_id}",
        call=change_user,
        right=Right.ADMINISTER,
        tag="admin",
    ),
    Door(
        method="POST",
        path="/api/users/{user_id}/password",
        call=reset_password,
        right=Right.ADMINISTER,
        tag="admin",
    ),
    Door(
        method="GET", path="/api/sessions", call=list_sessions, right=Right.ADMINISTER, tag="admin"
    ),
    Door(
        method="DELETE",
        path="/api/sessions/{session_id}",
        call=end_session,
        right=Right.ADMINISTER,
        tag="admin",
        status=204,
    ),
    Door(method="GET", path="/api/storage", call=show_storage, right=Right.ADMINISTER, tag="admin"),
    Door(method="GET", path="/api/audit", call=list_audit, right=Right.ADMINISTER, tag="admin"),
    Door(
        method="GET", path="/api/audit/check", call=check_audit, right=Right.ADMINISTER, tag="admin"
    ),
)
