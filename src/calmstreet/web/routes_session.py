"""Sign-in, the node, and whether it is well."""

import secrets
from http.cookies import SimpleCookie
from typing import get_args

from fastapi import HTTPException
from starlette.responses import PlainTextResponse

from calmstreet import __version__
from calmstreet.store.accounts import Account
from calmstreet.web.answers import ChangePassword, Language, Me, NodeFacts, SignIn
from calmstreet.web.answers_review import REJECT_REASONS
from calmstreet.web.answers_work import Health
from calmstreet.web.doors import Door, Right
from calmstreet.web.gate import COOKIE, token_digest
from calmstreet.web.passwords import digest_of, fits, too_weak
from calmstreet.web.routes_tiles import tiles_address
from calmstreet.web.uploading import CLIP_SUFFIXES
from calmstreet.web.visit import Asker, Here, Visit

__all__ = ["DOORS"]

_MS_NS = 1_000_000


def sign_in(here: Here, asked: SignIn) -> Me:
    """Sign in; sets the session cookie."""
    key = f"{asked.name} {here.address}"
    wait_s = here.wrong_passwords.take(key)
    if wait_s:
        raise HTTPException(
            429,
            "too many wrong passwords; wait a moment",
            headers={"retry-after": str(int(wait_s) + 1)},
        )
    with here.desk() as desk:
        account = desk.accounts.by_name(asked.name)
        right = fits(asked.password, account.password_hash if account else None)
        if account is None or not right or account.disabled:
            desk.audit.add(
                "sign_in_refused", actor=asked.name, now_ns=here.now_ns, address=here.address
            )
            raise HTTPException(401, "name or password is wrong")
        here.wrong_passwords.give_back(key)
        here.details["name"] = account.name
        return _open_session(here, account)


def _open_session(here: Visit, account: Account) -> Me:
    token, now_ns = secrets.token_urlsafe(32), here.now_ns
    lasts_s = round(here.node.settings.desk.session_hours * 3600)
    expires_ns = now_ns + lasts_s * 10**9
    with here.desk() as desk:
        opened = desk.accounts.open_session(
            account,
            token_sha256=token_digest(token),
            now_ns=now_ns,
            expires_ns=expires_ns,
            address=here.address,
            agent=here.agent,
        )
    if not opened:
        raise HTTPException(401, "name or password is wrong")
    here.cookies.append(_cookie(token, lasts_s, secure=here.node.settings.desk.behind_tls))
    return _me(
        Asker(
            user_id=account.user_id,
            session_id=0,
            name=account.name,
            role=account.role,
            cameras=account.cameras,
            must_change_password=account.must_change,
            expires_ns=expires_ns,
        )
    )


def _cookie(token: str, lasts_s: int, *, secure: bool) -> str:
    cookie: SimpleCookie = SimpleCookie()
    cookie[COOKIE] = token
    morsel = cookie[COOKIE]
    morsel["httponly"] = True
    morsel["samesite"] = "Strict"
    morsel["path"] = "/"
    morsel["max-age"] = lasts_s
    if secure:
        morsel["secure"] = True
    return morsel.OutputString()


def _me(asker: Asker) -> Me:
    return Me.of(
        name=asker.name,
        role=asker.role,
        rights=sorted(right.value for right in asker.rights),
        cameras=None if asker.cameras is None else sorted(asker.cameras),
        must_change_password=asker.must_change_password,
        expires_ms=asker.expires_ns // _MS_NS,
    )


def who_am_i(here: Here) -> Me:
    """Say who is signed in."""
    return _me(here.who)


def sign_out(here: Here) -> None:
    """Sign out; the session ends on the server."""
    with here.desk() as desk:
        desk.accounts.end_session(here.who.session_id)
    here.cookies.append(_cookie("", 0, secure=here.node.settings.desk.behind_tls))


def change_password(here: Here, asked: ChangePassword) -> Me:
    """Change the own password; every session of the account ends and a new one begins."""
    wait_s = here.wrong_passwords.take(f"{here.who.name} {here.address}")
    if wait_s:
        raise HTTPException(429, "too many wrong passwords; wait a moment")
    with here.desk() as desk:
        account = desk.accounts.by_id(here.who.user_id)
        if account is None or not fits(asked.old, account.password_hash):
            raise HTTPException(403, "the old password is wrong")
        weak = too_weak(asked.new, name=account.name)
        if weak or asked.new == asked.old:
            raise HTTPException(422, weak or "the new password is the old one; choose another")
        desk.accounts.set_password(
            account.user_id, password_hash=digest_of(asked.new), must_change=False
        )
        changed = desk.accounts.by_id(account.user_id)
        if changed is None:
            raise HTTPException(403, "the account is gone")
        return _open_session(here, changed)


def node_facts(here: Here) -> NodeFacts:
    """Say what the pages need to know about this installation."""
    settings = here.node.settings
    return NodeFacts(
        version=__version__,
        languages=list(get_args(Language)),
        language=settings.node.language,
        tiles_url=tiles_address(here.node),
        tiles_layers=list(here.node.folders.tiles_layers),
        upload_limit_bytes=settings.limits.upload_mb * 1_000_000,
        upload_suffixes=sorted(CLIP_SUFFIXES),
        reject_reasons=list(REJECT_REASONS),
        now_ms=here.now_ns // _MS_NS,
    )


def health(here: Here) -> Health:
    """Say whether the desk can read its store."""
    with here.desk() as desk:
        return Health(ok=desk.accounts.count() >= 0)


def metrics(here: Here) -> PlainTextResponse:
    """Say figures for a monitoring system, in the Prometheus text format."""
    with here.desk() as desk:
        states = [job.state for job in desk.jobs.newest()]
        sessions = desk.accounts.sessions(now_ns=here.now_ns, idle_ns=3600 * 10**9)
        entries, _ = desk.audit.page(actor=None, action=None, offset=0, limit=1)
    figures = {
        "calmstreet_results": len(here.node.result_folders()),
        "calmstreet_sessions": len(sessions),
        "calmstreet_audit_entries": entries,
        **{
            f'calmstreet_jobs{{state="{state}"}}': states.count(state)
            for state in ("waiting", "running", "done", "failed", "cancelled")
        },
    }
    lines = [f'calmstreet_info{{version="{__version__}"}} 1']
    lines += [f"{name} {value}" for name, value in figures.items()]
    return PlainTextResponse("\n".join(lines) + "\n")


DOORS: tuple[Door, ...] = (
    Door(
        method="POST",
        path="/api/session",
        call=sign_in,
        right=Right.OPEN,
        tag="session",
        largest_bytes=10_000,
        noted=True,
    ),
    Door(method="GET", path="/api/session", call=who_am_i, right=Right.OWN, tag="session"),
    Door(
        method="DELETE",
        path="/api/session",
        call=sign_out,
        right=Right.OWN,
        tag="session",
        status=204,
        noted=True,
    ),
    Door(
        method="PUT",
        path="/api/session/password",
        call=change_password,
        right=Right.OWN,
        tag="session",
        largest_bytes=10_000,
        noted=True,
    ),
    Door(method="GET", path="/api/node", call=node_facts, right=Right.OPEN, tag="session"),
    Door(method="GET", path="/api/health", call=health, right=Right.OPEN, tag="session"),
    Door(method="GET", path="/api/metrics", call=metrics, right=Right.ADMINISTER, tag="session"),
)
