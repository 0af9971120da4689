"""The desk as one application: its doors, its documentation, its pages."""

from fastapi import FastAPI

from calmstreet import __version__
from calmstreet.web import (
    routes_admin,
    routes_export,
    routes_junction,
    routes_results,
    routes_review,
    routes_session,
    routes_site,
    routes_work,
)
from calmstreet.web.doors import Door

__all__ = ["DOORS", "create_app"]

DOORS: tuple[Door, ...] = (
    *routes_session.DOORS,
    *routes_results.DOORS,
    *routes_junction.DOORS,
    *routes_export.DOORS,
    *routes_review.DOORS,
    *routes_site.DOORS,
    *routes_work.DOORS,
    *routes_admin.DOORS,
)
"""Every door of the desk."""


def create_app() -> FastAPI:
    """Return the application."""
    app = FastAPI(title="Calmstreet", version=__version__, docs_url=None, redoc_url=None)
    for door in DOORS:
        app.add_api_route(
            door.path,
            door.call,
            methods=[door.method],
            status_code=door.status,
            operation_id=door.call.__name__,
            tags=[door.tag],
            openapi_extra={"x-right": door.right.value},
        )
    return app
