"""Sign-in, the node, and whether it is well."""

from fastapi import HTTPException
from starlette.responses import PlainTextResponse

from calmstreet.web.answers import ChangePassword, Me, NodeFacts, SignIn
from calmstreet.web.answers_work import Health
from calmstreet.web.doors import Door, Right
from calmstreet.web.visit import Here

__all__ = ["DOORS"]


def sign_in(here: Here, asked: SignIn) -> Me:
    """Sign in; sets the session cookie."""
    raise HTTPException(501)


def who_am_i(here: Here) -> Me:
    """Say who is signed in."""
    raise HTTPException(501)


def sign_out(here: Here) -> None:
    """Sign out; the session ends on the server."""
    raise HTTPException(501)


def change_password(here: Here, asked: ChangePassword) -> Me:
    """Change the own password; every other session of the account ends."""
    raise HTTPException(501)


def node_facts(here: Here) -> NodeFacts:
    """Say what the pages need to know about this installation."""
    raise HTTPException(501)


def health(here: Here) -> Health:
    """Say whether the desk can read and write its store."""
    raise HTTPException(501)


def metrics(here: Here) -> PlainTextResponse:
    """Say figures for a monitoring system, in the Prometheus text format."""
    raise HTTPException(501)


DOORS: tuple[Door, ...] = (
    Door(method="POST", path="/api/session", call=sign_in, right=Right.OPEN, tag="session"),
    Door(method="GET", path="/api/session", call=who_am_i, right=Right.OWN, tag="session"),
    Door(
        method="DELETE",
        path="/api/session",
        call=sign_out,
        right=Right.OWN,
        tag="session",
        status=204,
    ),
    Door(
        method="PUT",
        path="/api/session/password",
        call=change_password,
        right=Right.OWN,
        tag="session",
    ),
    Door(method="GET", path="/api/node", call=node_facts, right=Right.OPEN, tag="session"),
    Door(method="GET", path="/api/health", call=health, right=Right.OPEN, tag="session"),
    Door(method="GET", path="/api/metrics", call=metrics, right=Right.ADMINISTER, tag="session"),
)
