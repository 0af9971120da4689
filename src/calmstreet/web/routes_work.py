"""Clips that are handed in and the work on them."""

from fastapi import HTTPException

from calmstreet.web.answers_work import AnalyseWish, JobRow, UploadRow
from calmstreet.web.doors import Door, Right
from calmstreet.web.queries import ClipName, RowId, UploadIdPath
from calmstreet.web.visit import Here

__all__ = ["DOORS"]


def list_uploads(here: Here) -> list[UploadRow]:
    """List the clips that were handed in."""
    raise HTTPException(501)


def upload_clip(here: Here, name: ClipName) -> UploadRow:
    """Hand in one clip as the body of the request."""
    raise HTTPException(501)


def remove_upload(here: Here, upload_id: UploadIdPath) -> None:
    """Remove a clip that was handed in."""
    raise HTTPException(501)


def list_jobs(here: Here) -> list[JobRow]:
    """List the jobs, newest first."""
    raise HTTPException(501)


def show_job(here: Here, job_id: RowId) -> JobRow:
    """Show one job."""
    raise HTTPException(501)


def ask_analysis(here: Here, asked: AnalyseWish) -> JobRow:
    """Ask for uploaded clips to be analysed."""
    raise HTTPException(501)


def cancel_job(here: Here, job_id: RowId) -> JobRow:
    """Cancel a job that has not begun."""
    raise HTTPException(501)


DOORS: tuple[Door, ...] = (
    Door(method="GET", path="/api/uploads", call=list_uploads, right=Right.DRAW, tag="work"),
    Door(
        method="POST",
        path="/api/uploads",
        call=upload_clip,
        right=Right.DRAW,
        tag="work",
        status=201,
        largest_bytes=0,
    ),
    Door(
        method="DELETE",
        path="/api/uploads/{upload_id}",
        call=remove_upload,
        right=Right.DRAW,
        tag="work",
        status=204,
    ),
    Door(method="GET", path="/api/jobs", call=list_jobs, right=Right.DRAW, tag="work"),
    Door(method="GET", path="/api/jobs/{job_id}", call=show_job, right=Right.DRAW, tag="work"),
    Door(
        method="POST",
        path="/api/jobs/analyse",
        call=ask_analysis,
        right=Right.DRAW,
        tag="work",
        status=201,
    ),
    Door(
        method="POST",
        path="/api/jobs/{job_id}/cancel",
        call=cancel_job,
        right=Right.DRAW,
        tag="work",
    ),
)
