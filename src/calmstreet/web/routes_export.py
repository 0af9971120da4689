"""Files to take away."""

from fastapi import HTTPException
from starlette.responses import Response

from calmstreet.web.doors import Door, Right
from calmstreet.web.queries import CameraId, ExportForm, LanguageQuery, ResultId, Span
from calmstreet.web.visit import Here

__all__ = ["DOORS"]


def export_table(
    here: Here,
    result_id: ResultId,
    camera_id: CameraId,
    form: ExportForm,
    span: Span,
    language: LanguageQuery = "en",
) -> Response:
    """Give a table, picture or report of one camera and period as a file."""
    raise HTTPException(501)


DOORS: tuple[Door, ...] = (
    Door(
        method="GET",
        path="/api/results/{result_id}/cameras/{camera_id}/export/{form}",
        call=export_table,
        right=Right.EXPORT,
        tag="export",
    ),
)
