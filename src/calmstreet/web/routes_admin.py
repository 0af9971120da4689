"""Accounts, sessions, storage, audit log."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import HTTPException

from calmstreet.store.accounts import Account
from calmstreet.store.desk import UPLOADS, Desk
from calmstreet.store.folder import PARTS
from calmstreet.web.answers_work import (
    AuditPage,
    AuditRow,
    ChainCheck,
    ChangeUser,
    NewUser,
    OneTimePassword,
    ResultStorage,
    SessionRow,
    StoragePage,
    UserRow,
)
from calmstreet.web.doors import Door, Right
from calmstreet.web.passwords import digest_of, one_time_password
from calmstreet.web.queries import AuditQuery, RowId
from calmstreet.web.visit import Here, Visit

__all__ = ["DOORS"]

_MS_NS = 1_000_000
_ALL = "an administrator sees all cameras; leave cameras away"


def _idle_ns(here: Visit) -> int:
    return round(here.node.settings.desk.idle_minutes * 60e9)


def _user(account: Account, sessions: int) -> UserRow:
    return UserRow.of(
        user_id=account.user_id,
        name=account.name,
        role=account.role,
        cameras=None if account.cameras is None else sorted(account.cameras),
        created_ms=account.created_ns // _MS_NS,
        disabled=account.disabled,
        must_change_password=account.must_change,
        sessions=sessions,
    )


def _account(desk: Desk, user_id: int) -> Account:
    account = desk.accounts.by_id(user_id)
    if account is None:
        raise HTTPException(404, "there is no such account")
    return account


def list_users(here: Here) -> list[UserRow]:
    """List the accounts."""
    with here.desk() as desk:
        open_now = [
            session.account.user_id
            for session in desk.accounts.sessions(now_ns=here.now_ns, idle_ns=_idle_ns(here))
        ]
        return [_user(one, open_now.count(one.user_id)) for one in desk.accounts.all()]


def add_user(here: Here, asked: NewUser) -> OneTimePassword:
    """Make an account; its password is shown once."""
    if asked.role == "administrator" and asked.cameras is not None:
        raise HTTPException(422, _ALL)
    password = one_time_password()
    cameras = None if asked.cameras is None else frozenset(asked.cameras)
    here.details.update(name=asked.name, role=asked.role, cameras=asked.cameras)
    with here.desk() as desk:
        made = desk.accounts.add(
            asked.name,
            role=asked.role,
            cameras=cameras,
            password_hash=digest_of(password),
            now_ns=here.now_ns,
        )
        account = desk.accounts.by_name(asked.name)
    if not made or account is None:
        raise HTTPException(409, "this name is taken; choose another")
    return OneTimePassword(user=_user(account, 0), password=password)


def change_user(here: Here, user_id: RowId, asked: ChangeUser) -> UserRow:
    """Change role, cameras or state of an account; its sessions end."""
    with here.desk() as desk:
        account = _account(desk, user_id)
        role = asked.role or account.role
        cameras = account.cameras if asked.cameras is None else frozenset(asked.cameras)
        cameras = None if asked.all_cameras else cameras
        disabled = account.disabled if asked.disabled is None else asked.disabled
        if role == "administrator" and cameras is not None:
            raise HTTPException(422, _ALL)
        here.details.update(asked.model_dump(exclude_none=True))
        if not desk.accounts.change(user_id, role=role, cameras=cameras, disabled=disabled):
            raise HTTPException(409, "one administrator must be left; make another one first")
        return _user(_account(desk, user_id), 0)


def reset_password(here: Here, user_id: RowId) -> OneTimePassword:
    """Give an account a new one-time password; its sessions end."""
    password = one_time_password()
    with here.desk() as desk:
        _account(desk, user_id)
        desk.accounts.set_password(user_id, password_hash=digest_of(password), must_change=True)
        return OneTimePassword(user=_user(_account(desk, user_id), 0), password=password)


def list_sessions(here: Here) -> list[SessionRow]:
    """List the open sessions."""
    with here.desk() as desk:
        found = desk.accounts.sessions(now_ns=here.now_ns, idle_ns=_idle_ns(here))
    return [
        SessionRow.of(
            session_id=one.session_id,
            user_name=one.account.name,
            role=one.account.role,
            created_ms=one.created_ns // _MS_NS,
            seen_ms=one.seen_ns // _MS_NS,
            expires_ms=one.expires_ns // _MS_NS,
            address=one.address,
            agent=one.agent,
            mine=one.session_id == here.who.session_id,
        )
        for one in found
    ]


def end_session(here: Here, session_id: RowId) -> None:
    """End a session."""
    with here.desk() as desk:
        if not desk.accounts.end_session(session_id):
            raise HTTPException(404, "there is no such session")


def show_storage(here: Here) -> StoragePage:
    """Show what lies on the disk."""
    disk = shutil.disk_usage(here.node.results)
    rows = []
    for result, seen in here.all_seen():
        parts = {part: _size_bytes(result.folder / part) for part in PARTS}
        whole_bytes = _size_bytes(result.folder)
        runs = seen.runs()
        rows.append(
            ResultStorage(
                result_id=result.result_id,
                name=result.name,
                size_bytes=whole_bytes,
                parts={**parts, "other": whole_bytes - sum(parts.values())},
                start_ms=min((run.start_ns for run in runs), default=0) // _MS_NS if runs else None,
                end_ms=max((run.end_ns for run in runs), default=0) // _MS_NS if runs else None,
            )
        )
    return StoragePage(
        total_bytes=disk.total,
        free_bytes=disk.free,
        results=rows,
        uploads_bytes=_size_bytes(here.node.desk_folder / UPLOADS),
        desk_bytes=_size_bytes(here.node.desk_folder),
    )


def _size_bytes(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())


def list_audit(here: Here, asked: AuditQuery) -> AuditPage:
    """List the audit log, newest first."""
    with here.desk() as desk:
        total, entries = desk.audit.page(
            actor=asked.actor, action=asked.action, offset=asked.offset, limit=asked.limit
        )
    return AuditPage(
        total=total,
        offset=asked.offset,
        rows=[
            AuditRow(
                audit_id=entry.audit_id,
                t_ms=entry.t_ns // _MS_NS,
                actor=entry.actor,
                action=entry.action,
                detail=dict(entry.detail),
                sha256=entry.sha256,
            )
            for entry in entries
        ],
    )


def check_audit(here: Here) -> ChainCheck:
    """Check the chain of the audit log."""
    with here.desk() as desk:
        chain = desk.audit.check()
    return ChainCheck(
        whole=chain.broken_at is None,
        entries=chain.entries,
        broken_at=chain.broken_at,
        last_sha256=chain.last_sha256,
    )


def _door(
    method: str, path: str, call: Callable[..., Any], *, status: int = 200, noted: bool = False
) -> Door:
    return Door(
        method=method,
        path=path,
        call=call,
        right=Right.ADMINISTER,
        tag="admin",
        status=status,
        noted=noted,
    )


DOORS: tuple[Door, ...] = (
    _door("GET", "/api/users", list_users),
    _door("POST", "/api/users", add_user, status=201, noted=True),
    _door("PATCH", "/api/users/{user_id}", change_user, noted=True),
    _door("POST", "/api/users/{user_id}/password", reset_password, noted=True),
    _door("GET", "/api/sessions", list_sessions),
    _door("DELETE", "/api/sessions/{session_id}", end_session, status=204, noted=True),
    _door("GET", "/api/storage", show_storage),
    _door("GET", "/api/audit", list_audit, noted=True),
    _door("GET", "/api/audit/check", check_audit),
)
