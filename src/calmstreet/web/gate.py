"""The gate in front of every route, socket and file: who may pass, with how much, how often.

It is the outermost layer. What it does not know it turns away; sockets it does not know at all.
"""

import hashlib
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from typing import Any

from fastapi import HTTPException
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp

from calmstreet.errors import StoreError
from calmstreet.web.doors import Door, Right
from calmstreet.web.headers import (
    content_security_policy,
    is_same_site,
    private_headers,
    public_headers,
)
from calmstreet.web.node import Node
from calmstreet.web.pace import Pace
from calmstreet.web.pages import Pages
from calmstreet.web.visit import Asker, Visit

__all__ = ["COOKIE", "Gate", "Refused", "token_digest"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

COOKIE = "calmstreet_session"
_SAFE = {"GET", "HEAD"}
_SEEN_EVERY_NS = 30 * 10**9


class Refused(HTTPException):
    """A request that the gate turns away with a status and one sentence."""

    def __init__(self, status: int, sentence: str, *, wait_s: float = 0.0) -> None:
        wait = {"retry-after": str(int(wait_s) + 1)} if wait_s else None
        super().__init__(status, sentence, headers=wait)


def token_digest(token: str) -> str:
    """Return what is stored of a session's token: its sha256, hex.

    >>> len(token_digest("x"))
    64
    """
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


class Gate:
    """One gate for one application."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        node: Node,
        doors: Sequence[tuple[BaseRoute, Door]],
        pages: Pages,
        hosts: frozenset[str] | None,
    ) -> None:
        settings = node.settings
        self._app = app
        self._node = node
        self._doors = doors
        self._pages = pages
        self._hosts = hosts
        self._idle_ns = round(settings.desk.idle_minutes * 60e9)
        self._upload_bytes = settings.limits.upload_mb * 1_000_000
        self._tls = settings.desk.behind_tls
        self._public = public_headers(content_security_policy(settings.node.tiles_url))
        self._pace = Pace(per_minute=settings.limits.requests_per_minute, clock=node.clock)
        self._wrong = Pace(per_minute=settings.limits.wrong_passwords_per_minute, clock=node.clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request pass or turn it away."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008, "reason": "no socket here"})
        else:
            await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        marked = _with_headers(send, self._public)
        try:
            self._check_host(scope)
            page = self._pages.find(scope["path"]) if scope["method"] in _SAFE else None
            if page is not None:
                self._take(_address(scope))
                await page(scope, receive, marked)
                return
            door = self._door(scope)
            visit = await self._visit(scope, door)
        except Refused as refused:
            await _refusal(refused)(scope, receive, _with_headers(marked, private_headers()))
            return
        scope["visit"] = visit
        largest = door.largest_bytes or self._upload_bytes
        private = _with_headers(marked, private_headers())
        try:
            await self._app(
                scope, _limited(receive, scope, largest), self._noting(private, scope, door, visit)
            )
        except Refused as refused:
            await _refusal(refused)(scope, receive, private)

    def _check_host(self, scope: Scope) -> None:
        host = _header(scope, b"host").rsplit(":", 1)
        name = host[0] if len(host) == 2 and host[1].isdigit() else ":".join(host)
        if self._hosts is not None and name.lower() not in self._hosts and not _is_number(name):
            raise Refused(421, "the desk does not go by this name; see desk.hosts")

    def _take(self, key: str) -> None:
        wait_s = self._pace.take(key)
        if wait_s:
            raise Refused(429, "too many requests; wait a moment", wait_s=wait_s)

    def _door(self, scope: Scope) -> Door:
        """Return the door of a request; raise Refused where there is none."""
        other_method = False
        for route, door in self._doors:
            match, _ = route.matches(scope)
            if match is Match.FULL:
                return door
            other_method |= match is Match.PARTIAL
        if other_method:
            raise Refused(405, "this address does not take that method")
        raise Refused(404, "there is nothing here")

    async def _visit(self, scope: Scope, door: Door) -> Visit:
        """Return the visit; raise Refused unless the asker may pass the door."""
        unsafe = door.method not in _SAFE
        if not is_same_site(scope["headers"], scheme=scope["scheme"], unsafe=unsafe):
            raise Refused(403, "requests from other sites are refused")
        asker = await run_in_threadpool(self._asker, scope)
        self._take(_address(scope) if asker is None else f"session {asker.session_id}")
        _check_right(door, asker)
        return Visit(
            node=self._node,
            asker=asker,
            address=_address(scope),
            agent=_header(scope, b"user-agent")[:200],
            wrong_passwords=self._wrong,
        )

    def _asker(self, scope: Scope) -> Asker | None:
        token = _token(scope)
        if not token:
            return None
        now_ns = self._node.clock.now_ns()
        try:
            with self._node.desk() as desk:
                session = desk.accounts.session(
                    token_digest(token), now_ns=now_ns, idle_ns=self._idle_ns
                )
                if session is not None and now_ns - session.seen_ns > _SEEN_EVERY_NS:
                    desk.accounts.saw(session.session_id, now_ns=now_ns)
        except StoreError as error:
            raise Refused(503, "the desk's store cannot be read now") from error
        if session is None:
            return None
        account = session.account
        return Asker(
            user_id=account.user_id,
            session_id=session.session_id,
            name=account.name,
            role=account.role,
            cameras=account.cameras,
            must_change_password=account.must_change,
            expires_ns=session.expires_ns,
        )

    def _noting(self, send: Send, scope: Scope, door: Door, visit: Visit) -> Send:
        """Return a send that writes a passage into the audit log before the answer leaves."""

        async def noting(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                for cookie in visit.cookies:
                    message["headers"].append((b"set-cookie", cookie.encode("latin-1")))
                if door.noted and message["status"] < 400:
                    await run_in_threadpool(self._note, scope, door, visit)
            await send(message)

        return noting

    def _note(self, scope: Scope, door: Door, visit: Visit) -> None:
        actor = visit.asker.name if visit.asker else str(visit.details.pop("name", "nobody"))
        detail = {**scope.get("path_params", {}), **visit.details, "address": visit.address}
        with self._node.desk() as desk:
            desk.audit.add(
                door.call.__name__, actor=actor, now_ns=self._node.clock.now_ns(), **detail
            )


def _check_right(door: Door, asker: Asker | None) -> None:
    if door.right is Right.OPEN:
        return
    if asker is None:
        raise Refused(401, "sign in first")
    if door.right is Right.OWN:
        return
    if asker.must_change_password:
        raise Refused(403, "change the one-time password first")
    if door.right not in asker.rights:
        raise Refused(403, f"this needs the right to {door.right.value}")


def _is_number(host: str) -> bool:
    """Return whether a host is an address in numbers, which no foreign name server can turn."""
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else "unknown"


def _token(scope: Scope) -> str:
    try:
        cookies = SimpleCookie(_header(scope, b"cookie"))
    except CookieError:
        return ""
    return cookies[COOKIE].value if COOKIE in cookies else ""


def _refusal(refused: Refused) -> JSONResponse:
    return JSONResponse(
        {"detail": refused.detail}, status_code=refused.status_code, headers=refused.headers
    )


def _with_headers(send: Send, headers: list[tuple[bytes, bytes]]) -> Send:
    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            mine = {name for name, _ in headers}
            rest = [pair for pair in message.get("headers", []) if pair[0].lower() not in mine]
            message["headers"] = [*rest, *headers]
        await send(message)

    return sending


def _limited(receive: Receive, scope: Scope, largest_bytes: int) -> Receive:
    """Return a receive that refuses a body larger than allowed, as declared or as it comes."""
    declared = _header(scope, b"content-length")
    if declared.isdigit() and int(declared) > largest_bytes:
        raise Refused(413, f"the body is larger than {largest_bytes} bytes")
    came = 0

    async def limited() -> MutableMapping[str, Any]:
        nonlocal came
        message = await receive()
        came += len(message.get("body", b""))
        if came > largest_bytes:
            raise Refused(413, f"the body is larger than {largest_bytes} bytes")
        return message

    return limited
