"""Results and the map."""

from fastapi import HTTPException

from calmstreet.web.answers import ResultCard, ResultDetail
from calmstreet.web.answers_junction import MapPage
from calmstreet.web.doors import Door, Right
from calmstreet.web.queries import CameraQuery, ResultId, Span
from calmstreet.web.visit import Here

__all__ = ["DOORS"]


def list_results(here: Here) -> list[ResultCard]:
    """List the results with their cameras."""
    raise HTTPException(501)


def show_result(here: Here, result_id: ResultId) -> ResultDetail:
    """Show one result with runs and warnings."""
    raise HTTPException(501)


def show_city_map(here: Here) -> MapPage:
    """Show all cameras whose place on earth is known."""
    raise HTTPException(501)


def show_map(here: Here, result_id: ResultId, span: Span, camera_id: CameraQuery = None) -> MapPage:
    """Show cameras, gates, zones, flows and events of one result."""
    raise HTTPException(501)


DOORS: tuple[Door, ...] = (
    Door(method="GET", path="/api/results", call=list_results, right=Right.LOOK, tag="results"),
    Door(
        method="GET",
        path="/api/results/{result_id}",
        call=show_result,
        right=Right.LOOK,
        tag="results",
    ),
    Door(method="GET", path="/api/map", call=show_city_map, right=Right.LOOK, tag="results"),
    Door(
        method="GET",
        path="/api/results/{result_id}/map",
        call=show_map,
        right=Right.LOOK,
        tag="results",
    ),
)
