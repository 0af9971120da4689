"""One request on its way: who asks, of which node, at what time."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, HTTPException
from starlette.requests import HTTPConnection

from calmstreet.store.desk import Desk
from calmstreet.store.queue import Queue
from calmstreet.store.seen import Seen
from calmstreet.store.shelf import ResultFolder
from calmstreet.web.doors import ROLE_RIGHTS, Right
from calmstreet.web.node import Node
from calmstreet.web.pace import Pace

__all__ = ["Asker", "Here", "Visit", "visit_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who is signed in; ``cameras`` None opens all of them."""

    user_id: int
    session_id: int
    name: str
    role: str
    cameras: frozenset[str] | None
    must_change_password: bool
    expires_ns: int

    @property
    def rights(self) -> frozenset[Right]:
        """Return what they may do."""
        return ROLE_RIGHTS.get(self.role, frozenset())


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A request that the gate let in. ``details`` go into the audit log beside the address."""

    node: Node
    asker: Asker | None
    address: str
    agent: str
    wrong_passwords: Pace
    details: dict[str, Any] = field(default_factory=dict)
    cookies: list[str] = field(default_factory=list)

    @property
    def who(self) -> Asker:
        """Return who asks; the gate let nobody in here without a session."""
        if self.asker is None:
            raise HTTPException(401, "sign in first")
        return self.asker

    @property
    def now_ns(self) -> int:
        """Return the time, UTC ns."""
        return self.node.clock.now_ns()

    @contextmanager
    def desk(self) -> Iterator[Desk]:
        """Open the desk's folder for this thread."""
        with self.node.desk() as desk:
            yield desk

    def folder(self, result_id: str) -> ResultFolder:
        """Return a result folder; raise 404 when there is none of which they may see a camera."""
        found = self.node.result(result_id)
        if found is None:
            raise HTTPException(404, "there is no such result")
        return found

    @contextmanager
    def seen(self, result_id: str) -> Iterator[Seen]:
        """Open a result as far as they may see it; raise 404 when that is nothing."""
        with Seen.open(
            self.folder(result_id).folder, cameras=self.who.cameras, clock=self.node.clock
        ) as seen:
            if self.who.cameras is not None and not seen.camera_rows():
                raise HTTPException(404, "there is no such result")
            yield seen

    @contextmanager
    def queue(self, result_id: str) -> Iterator[Queue]:
        """Open the queue of events of a result."""
        with self.seen(result_id) as seen:
            yield Queue(seen=seen)

    def all_seen(self) -> Iterator[tuple[ResultFolder, Seen]]:
        """Yield every result of which they may see anything, opened one after the other."""
        for result in self.node.result_folders():
            with Seen.open(result.folder, cameras=self.who.cameras, clock=self.node.clock) as seen:
                yield result, seen


def visit_of(connection: HTTPConnection) -> Visit:
    """Return what the gate wrote down about a request."""
    visit: Visit = connection.scope["visit"]
    return visit


Here = Annotated[Visit, Depends(visit_of)]
