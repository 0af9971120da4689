"""The desk on a port: its first administrator, its names, its server."""

import gc
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import uvicorn

from calmstreet.errors import InputError
from calmstreet.web.app import create_app
from calmstreet.web.knocking import Knocker
from calmstreet.web.node import Node
from calmstreet.web.pages import Pages, built_pages
from calmstreet.web.passwords import digest_of, one_time_password

__all__ = [
    "ADMINISTRATOR",
    "check_desk",
    "first_administrator",
    "is_loopback",
    "serve",
    "settle_memory",
]

ADMINISTRATOR = "admin"
_NAMES = frozenset({"localhost"})


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a host.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def first_administrator(node: Node, *, host: str) -> str | None:
    """Make the first administrator where there is no account; return the one-time password.

    Returns None when there are accounts. Raises InputError on a host that others can reach: who
    came first would own the desk.
    """
    with node.desk() as desk:
        if desk.accounts.count():
            return None
        if not is_loopback(host):
            raise InputError(
                f"the desk has no account yet and --host {host} can be reached by others; "
                "start it once with --host 127.0.0.1 and note the password that it prints"
            )
        password = one_time_password()
        desk.accounts.add(
            ADMINISTRATOR,
            role="administrator",
            cameras=None,
            password_hash=digest_of(password),
            now_ns=node.clock.now_ns(),
        )
        desk.audit.add("first_administrator", actor="system", now_ns=node.clock.now_ns())
    return password


def serve(node: Node, *, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve the desk until it is interrupted; ``ready`` is told the address once it answers."""
    names = _NAMES | {host.lower(), *(name.lower() for name in node.settings.desk.hosts)}
    config = uvicorn.Config(
        create_app(node, hosts=sorted(names)),
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=30,
        limit_concurrency=512,
    )
    settle_memory()
    _Server(config, ready=ready).run()


def settle_memory() -> None:
    """Keep what is loaded out of the rounds of the garbage collector.

    A page reads tens of thousands of rows, which start a full round; looking at every object of
    every library then costs more than the page.
    """
    gc.collect()
    gc.freeze()


class _Server(uvicorn.Server):
    """A server that says when it answers."""

    def __init__(self, config: uvicorn.Config, *, ready: Callable[[str], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: Any = None) -> None:
        """Listen, then say where."""
        await super().startup(sockets)
        if self.started:
            port = self.servers[0].sockets[0].getsockname()[1]
            host = self.config.host
            self._ready(f"http://{f'[{host}]' if ':' in host else host}:{port}")


def check_desk(node: Node, *, pages: Path | None = None) -> Iterator[str]:
    """Ask every page about every result of a node once; yield what did not answer.

    No network and no account of the node is used: the desk that is asked is made for it.
    """
    with tempfile.TemporaryDirectory() as place:
        passing = replace(node, folders=replace(node.folders, desk=Path(place)))
        password = first_administrator(passing, host="127.0.0.1") or ""
        knocker = Knocker(create_app(passing, pages=pages))
        knocker.sign_in(ADMINISTRATOR, password)
        later = one_time_password()
        knocker.ask("PUT", "/api/session/password", body={"old": password, "new": later})
        for target in _targets(knocker, pages or built_pages()):
            answer = knocker.ask("GET", target)
            if answer.status != 200:
                yield f"{target} answered {answer.status}"


def _targets(knocker: Knocker, pages: Path) -> Iterator[str]:
    """Yield the address of every page and of the data of every result."""
    yield from Pages(pages).addresses()
    yield from (f"/api/{name}" for name in ("node", "health", "session", "openapi.json"))
    yield from (f"/api/{name}" for name in ("map", "results", "events?state=all", "uploads"))
    yield from (f"/api/{name}" for name in ("jobs", "users", "sessions", "storage", "audit"))
    yield from ("/api/audit/check", "/api/metrics")
    for result in knocker.ask("GET", "/api/results").json():
        top = f"/api/results/{result['result_id']}"
        yield from (top, f"{top}/map", f"{top}/site", f"{top}/drafts", f"{top}/media")
        for medium in knocker.ask("GET", f"{top}/media").json():
            yield f"/api/media/{result['result_id']}/{medium['medium_id']}"
        for camera in result["cameras"]:
            mine = f"{top}/cameras/{camera['camera_id']}"
            names = ("junction", "counts", "turns", "speeds", "queues", "headways", "conflicts")
            yield from (f"{mine}/{name}" for name in names)
            yield f"{mine}/export/report.pdf"
    found = knocker.ask("GET", "/api/events?state=all&limit=5").json()["events"]
    yield from (f"/api/results/{one['result_id']}/events/{one['event_id']}" for one in found)
