"""Clips that are handed in and the work on them."""

from fastapi import HTTPException, Request
from starlette.concurrency import run_in_threadpool

from calmstreet.errors import InputError
from calmstreet.store.desk import UPLOADS
from calmstreet.store.drafts import Upload
from calmstreet.store.folder import remove_quietly
from calmstreet.store.jobs import Job
from calmstreet.units import from_iso
from calmstreet.web.answers_work import AnalyseWish, JobRow, UploadRow
from calmstreet.web.doors import Door, Right
from calmstreet.web.ground import site_of
from calmstreet.web.numbers import ms
from calmstreet.web.queries import ClipName, RowId, UploadIdPath
from calmstreet.web.uploading import Received, clean_name, receive_clip
from calmstreet.web.visit import Here, Visit

__all__ = ["DOORS"]


def _upload(one: Upload) -> UploadRow:
    return UploadRow(
        upload_id=one.upload_id,
        name=one.name,
        size_bytes=one.size_bytes,
        sha256=one.sha256,
        by=one.asked_by,
        t_ms=ms(one.asked_ns),
    )


def _is_mine(here: Visit, name: str) -> bool:
    """Return whether something of ``name`` is open: one's own, or all where all cameras are."""
    return here.who.cameras is None or name == here.who.name


def list_uploads(here: Here) -> list[UploadRow]:
    """List the clips that were handed in."""
    with here.desk() as desk:
        return [_upload(one) for one in desk.uploads.all() if _is_mine(here, one.asked_by)]


async def upload_clip(here: Here, request: Request, name: ClipName) -> UploadRow:
    """Hand in one clip as the body of the request."""
    shown = clean_name(name)
    received = await receive_clip(request.stream(), here.node.desk_folder / UPLOADS)
    here.details.update(upload_id=received.upload_id, sha256=received.sha256)
    return await run_in_threadpool(_keep, here, shown, received)


def _keep(here: Visit, name: str, received: Received) -> UploadRow:
    upload = Upload(
        upload_id=received.upload_id,
        name=name,
        size_bytes=received.size_bytes,
        sha256=received.sha256,
        asked_by=here.who.name,
        asked_ns=here.now_ns,
    )
    with here.desk() as desk:
        desk.uploads.add(upload)
    return _upload(upload)


def remove_upload(here: Here, upload_id: UploadIdPath) -> None:
    """Remove a clip that was handed in."""
    with here.desk() as desk:
        found = desk.uploads.one(upload_id)
        if found is None or not _is_mine(here, found.asked_by):
            raise HTTPException(404, "there is no such clip")
        desk.uploads.remove(upload_id)
        remove_quietly(desk.upload_path(upload_id))


def _job(here: Visit, job: Job) -> JobRow:
    folder = str(job.result.get("folder", job.args.get("folder", "")))
    result_id = job.args.get("result_id")
    if job.state == "done" and folder:  # a recount lies beside what it counted
        made = (r.result_id for r in here.node.result_folders() if r.name == folder)
        result_id = next(made, result_id)
    return JobRow.of(
        job_id=job.job_id,
        kind=job.kind,
        state=job.state,
        asked_ms=ms(job.asked_ns),
        asked_by=job.asked_by,
        started_ms=None if job.started_ns is None else ms(job.started_ns),
        ended_ms=None if job.ended_ns is None else ms(job.ended_ns),
        doing=job.doing,
        share=round(job.share, 4),
        result_id=result_id,
        uploads=[str(name) for name in job.args.get("names", [])],
        failure=str(job.result.get("failure", "")),
    )


def list_jobs(here: Here) -> list[JobRow]:
    """List the jobs, newest first."""
    with here.desk() as desk:
        found = desk.jobs.newest()
    return [_job(here, job) for job in found if _is_mine(here, job.asked_by)]


def _known_job(here: Visit, job_id: int) -> Job:
    with here.desk() as desk:
        job = desk.jobs.one(job_id)
    if job is None or not _is_mine(here, job.asked_by):
        raise HTTPException(404, "there is no such job")
    return job


def show_job(here: Here, job_id: RowId) -> JobRow:
    """Show one job."""
    return _job(here, _known_job(here, job_id))


def ask_analysis(here: Here, asked: AnalyseWish) -> JobRow:
    """Ask for uploaded clips to be analysed.

    A new result is only made by those to whom all cameras are open: nobody else would see it.
    """
    args = _args(here, asked)
    with here.desk() as desk:
        clips = [desk.uploads.one(upload_id) for upload_id in asked.upload_ids]
        known = [one for one in clips if one is not None and _is_mine(here, one.asked_by)]
        if len(known) < len(clips) or len(set(asked.upload_ids)) < len(clips):
            raise HTTPException(422, "upload_ids names a clip twice or one that is not there")
        number = desk.jobs.ask(
            "analyse",
            args={**args, "names": [one.name for one in known]},
            asked_by=here.who.name,
            now_ns=here.now_ns,
        )
        job = desk.jobs.one(number)
    here.details.update(job_id=number)
    if job is None:
        raise HTTPException(404, "there is no such job")
    return _job(here, job)


def _args(here: Visit, asked: AnalyseWish) -> dict[str, object]:
    """Return what the worker needs; raise 422 for what it could not do."""
    _check_start(asked.start)
    args: dict[str, object] = {
        "uploads": list(asked.upload_ids),
        "start": asked.start or "",
        "language": asked.language,
        "camera_id": asked.camera_id or "",
    }
    if asked.result_id is not None:
        args |= _into_result(here, asked.result_id, asked.camera_id)
        return args
    if here.who.cameras is not None:
        raise HTTPException(403, "new results are made by those to whom all cameras are open")
    if asked.name is None:
        raise HTTPException(422, "give result_id or the name of a new result")
    if here.node.new_result_folder(asked.name).exists():
        raise HTTPException(409, "a result of this name is there already; choose another")
    return {**args, "folder": asked.name}


def _check_start(start: str | None) -> None:
    try:
        if start is not None:
            from_iso(start, "UTC")
    except InputError as error:
        raise HTTPException(422, str(error)) from error


def _into_result(here: Visit, result_id: str, camera_id: str | None) -> dict[str, object]:
    with here.seen(result_id) as seen:
        site = site_of(seen)
        cameras = [camera.id for camera in site.cameras] if site else []
    if camera_id is None and len(cameras) != 1:
        raise HTTPException(422, "this result has several cameras; give camera_id")
    chosen = camera_id or cameras[0]
    if chosen not in cameras:
        raise HTTPException(404, "there is no such camera")
    return {"result_id": result_id, "camera_id": chosen}


def cancel_job(here: Here, job_id: RowId) -> JobRow:
    """Cancel a job that has not begun."""
    _known_job(here, job_id)
    with here.desk() as desk:
        if not desk.jobs.cancel(job_id, now_ns=here.now_ns):
            raise HTTPException(409, "this job has begun or ended already")
    return _job(here, _known_job(here, job_id))


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
        noted=True,
    ),
    Door(
        method="DELETE",
        path="/api/uploads/{upload_id}",
        call=remove_upload,
        right=Right.DRAW,
        tag="work",
        status=204,
        noted=True,
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
        noted=True,
    ),
    Door(
        method="POST",
        path="/api/jobs/{job_id}/cancel",
        call=cancel_job,
        right=Right.DRAW,
        tag="work",
        noted=True,
    ),
)
