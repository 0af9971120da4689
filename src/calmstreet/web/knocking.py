"""Asks the desk without a network: for the check after `calmstreet demo`, and for tests."""

import asyncio
import json
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from starlette.types import ASGIApp

__all__ = ["Answered", "Knocker"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One answer: status, headers by name in small letters, body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body read as JSON."""
        return json.loads(self.body)


class Knocker:
    """One browser: keeps the session cookie, comes from one address."""

    def __init__(
        self, app: ASGIApp, *, host: str = "127.0.0.1", address: str = "127.0.0.1"
    ) -> None:
        self._app = app
        self._host = host
        self._address = address
        self.cookie = ""

    def ask(
        self,
        method: str,
        target: str,
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answered:
        """Ask for a target (path and query); ``body`` is bytes, or anything said as JSON."""
        content = (
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        )
        sent = {"host": self._host, "content-length": str(len(content))}
        if body is not None and not isinstance(body, bytes):
            sent["content-type"] = "application/json"
        if self.cookie:
            sent["cookie"] = self.cookie
        sent |= {name.lower(): value for name, value in (headers or {}).items()}
        answer = asyncio.run(self._ask(method, target, content, sent))
        if "set-cookie" in answer.headers:
            self.cookie = answer.headers["set-cookie"].split(";")[0]
        return answer

    async def _ask(
        self, method: str, target: str, content: bytes, headers: Mapping[str, str]
    ) -> Answered:
        parts = urlsplit(target)
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": parts.path,
            "raw_path": quote(parts.path).encode(),
            "query_string": parts.query.encode(),
            "root_path": "",
            "headers": [(k.encode(), v.encode("latin-1")) for k, v in headers.items()],
            "client": (self._address, 50000),
            "server": (self._host, 80),
            "state": {},
        }
        came: list[MutableMapping[str, Any]] = []
        waiting = [{"type": "http.request", "body": content, "more_body": False}]

        async def receive() -> MutableMapping[str, Any]:
            if waiting:
                return waiting.pop()
            await asyncio.Event().wait()
            return {"type": "http.disconnect"}

        async def send(message: MutableMapping[str, Any]) -> None:
            came.append(message)

        await self._app(scope, receive, send)
        start = next(m for m in came if m["type"] == "http.response.start")
        found = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in start["headers"]}
        body = b"".join(m.get("body", b"") for m in came if m["type"] == "http.response.body")
        return Answered(status=start["status"], headers=found, body=body)

    def sign_in(self, name: str, password: str) -> Answered:
        """Sign in and keep the cookie."""
        return self.ask("POST", "/api/session", body={"name": name, "password": password})
