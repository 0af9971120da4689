"""The desk as one application: its doors, its documentation, its pages, behind one gate."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from calmstreet import __version__
from calmstreet.errors import CalmstreetError, ConfigError, InputError
from calmstreet.web import (
    routes_admin,
    routes_export,
    routes_junction,
    routes_results,
    routes_review,
    routes_session,
    routes_site,
    routes_tiles,
    routes_work,
)
from calmstreet.web.doors import Door, Right
from calmstreet.web.gate import Gate
from calmstreet.web.node import Node
from calmstreet.web.pages import Pages, built_pages

__all__ = ["DOORS", "create_api", "create_app", "openapi_of"]

DOORS: tuple[Door, ...] = (
    *routes_session.DOORS,
    *routes_results.DOORS,
    *routes_tiles.DOORS,
    *routes_junction.DOORS,
    *routes_export.DOORS,
    *routes_review.DOORS,
    *routes_site.DOORS,
    *routes_work.DOORS,
    *routes_admin.DOORS,
)
"""Every door of the desk but that of its own description."""

_REFUSALS: dict[int | str, dict[str, Any]] = {
    401: {"description": "Sign in first"},
    403: {"description": "Not allowed"},
    404: {"description": "Not there, or not open to the asker"},
    429: {"description": "Too many requests"},
}


def create_api() -> tuple[FastAPI, list[tuple[BaseRoute, Door]]]:
    """Return the routes without the gate, and each with its door."""
    api = FastAPI(
        title="Calmstreet",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        description="The desk of Calmstreet. Times are UTC milliseconds, speeds km/h.",
    )
    api.add_exception_handler(RequestValidationError, _invalid)
    api.add_exception_handler(CalmstreetError, _faulty)
    known: list[tuple[BaseRoute, Door]] = []
    for door in DOORS:
        _add(api, door)
        known.append((api.routes[-1], door))

    def describe() -> JSONResponse:
        """Describe the API (OpenAPI)."""
        return JSONResponse(api.openapi())

    door = Door(
        method="GET", path="/api/openapi.json", call=describe, right=Right.OWN, tag="session"
    )
    api.add_api_route(door.path, door.call, methods=[door.method], include_in_schema=False)
    known.append((api.routes[-1], door))
    return api, known


def _add(api: FastAPI, door: Door) -> None:
    api.add_api_route(
        door.path,
        door.call,
        methods=[door.method],
        status_code=door.status,
        operation_id=door.call.__name__,
        tags=[door.tag],
        responses=_REFUSALS,
        openapi_extra={"x-right": door.right.value},
    )


def openapi_of() -> dict[str, Any]:
    """Return the description of the API; the typed client of the pages is made from it."""
    description: dict[str, Any] = create_api()[0].openapi()
    return description


def create_app(
    node: Node, *, hosts: Sequence[str] | None = None, pages: Path | None = None
) -> ASGIApp:
    """Return the desk of a node behind its gate.

    ``hosts`` are the names by which it may be called, None for any; ``pages`` the built pages.
    """
    api, doors = create_api()
    return Gate(
        api,
        node=node,
        doors=doors,
        pages=Pages(pages or built_pages()),
        hosts=None if hosts is None else frozenset(hosts),
    )


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    """Say what is wrong with a request, never what was in it: it may be a password."""
    faults = error.errors() if isinstance(error, RequestValidationError) else []
    detail = [
        {"loc": [str(part) for part in fault["loc"]], "msg": fault["msg"], "type": fault["type"]}
        for fault in faults
    ]
    return JSONResponse({"detail": detail}, status_code=422)


async def _faulty(_request: Request, error: Exception) -> JSONResponse:
    """Say what the user can mend; of the store say no more than that it does not answer."""
    if isinstance(error, ConfigError):
        return JSONResponse({"detail": list(error.faults)}, status_code=422)
    if isinstance(error, InputError):
        return JSONResponse({"detail": str(error)}, status_code=422)
    return JSONResponse({"detail": "the store does not answer now"}, status_code=503)
