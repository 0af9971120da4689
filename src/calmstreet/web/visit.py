"""One request on its way: who asks, of which node, at what time."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A request that the gate let in."""

    asker: Asker | None


def visit_of(connection: HTTPConnection) -> Visit:
    """Return what the gate wrote down about a request."""
    return Visit(asker=connection.scope.get("asker"))


Here = Annotated[Visit, Depends(visit_of)]
