"""Files to take away."""

from starlette.responses import Response

from calmstreet.web.doors import Door, Right
from calmstreet.web.exporting import export
from calmstreet.web.queries import CameraId, ExportForm, LanguageQuery, ResultId, Span
from calmstreet.web.spans import view_of
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
    here.details.update(start_ms=span.start_ms, end_ms=span.end_ms)
    with here.seen(result_id) as seen:
        found = export(view_of(seen, camera_id, span), form, language=language)
    return Response(
        found.content,
        media_type=found.type,
        headers={"content-disposition": f'attachment; filename="{found.name}"'},
    )


DOORS: tuple[Door, ...] = (
    Door(
        method="GET",
        path="/api/results/{result_id}/cameras/{camera_id}/export/{form}",
        call=export_table,
        right=Right.EXPORT,
        tag="export",
        noted=True,
    ),
)
