"""Calibration, sites and their drafts."""

from fastapi import HTTPException

from calmstreet.config.site import dump_site_toml
from calmstreet.store.drafts import SiteDraft
from calmstreet.store.seen import Seen
from calmstreet.web.answers_site import (
    CalibrationReport,
    Confirm,
    Draft,
    DraftRow,
    Picks,
    SiteCheck,
    SitePage,
    SiteVersion,
    SiteWish,
)
from calmstreet.web.calibrating import calibration_report
from calmstreet.web.doors import Door, Right
from calmstreet.web.numbers import ms
from calmstreet.web.queries import ResultId, RowId, VersionQuery
from calmstreet.web.siting import (
    check_wish,
    current_site,
    draft_of,
    draft_row,
    judged,
    tables_of,
)
from calmstreet.web.visit import Here, Visit

__all__ = ["DOORS"]


def calibrate_picks(asked: Picks) -> CalibrationReport:
    """Fit a plane to picked points; nothing is stored."""
    return calibration_report(asked)


def _sizes_px(seen: Seen) -> dict[str, tuple[int, int]]:
    return {row.camera_id: (row.width_px, row.height_px) for row in seen.camera_rows()}


def _confirmed(here: Visit, result_id: str) -> SiteDraft | None:
    """Return the draft in force of a result; those that see only some cameras get the run's."""
    if here.who.cameras is not None:
        return None
    with here.desk() as desk:
        return desk.drafts.confirmed(result_id)


def show_site(here: Here, result_id: ResultId, site_version: VersionQuery = None) -> SitePage:
    """Show the site of a result, or an earlier version of it."""
    confirmed = _confirmed(here, result_id)
    with here.seen(result_id) as seen:
        found = current_site(seen, confirmed, site_version)
        used = dict(seen.site_versions())
    if found is None:
        raise HTTPException(404, "there is no such site")
    site, text = found
    versions = [
        SiteVersion(site_version=v, saved_ms=ms(t), used=True, confirmed_by="", note="")
        for v, t in used.items()
    ]
    if confirmed is not None and confirmed.site_version not in used:
        versions.insert(
            0,
            SiteVersion(
                site_version=confirmed.site_version,
                saved_ms=ms(confirmed.decided_ns or 0),
                used=False,
                confirmed_by=confirmed.decided_by,
                note=confirmed.note,
            ),
        )
    return SitePage(
        result_id=result_id,
        site_version=site.site_version,
        current=site_version is None,
        document=tables_of(text),
        toml=text,
        versions=versions,
    )


def check_site(here: Here, result_id: ResultId, asked: SiteWish) -> SiteCheck:
    """Say what is impossible in a site; nothing is stored."""
    with here.seen(result_id) as seen:
        return check_wish(asked, sizes_px=_sizes_px(seen), cameras=here.who.cameras)


def list_drafts(here: Here, result_id: ResultId) -> list[DraftRow]:
    """List the proposed sites of a result."""
    with here.seen(result_id):
        pass
    _all_cameras(here)
    with here.desk() as desk:
        return [draft_row(draft) for draft in desk.drafts.of_result(result_id)]


def _all_cameras(here: Visit) -> None:
    """Raise 403 unless all cameras are open: a draft is of a whole site."""
    if here.who.cameras is not None:
        raise HTTPException(403, "a site is drawn by those to whom all its cameras are open")


def propose_site(here: Here, result_id: ResultId, asked: SiteWish) -> Draft:
    """Propose a site; refused with every reason when it is impossible."""
    _all_cameras(here)
    confirmed = _confirmed(here, result_id)
    with here.seen(result_id) as seen:
        site, faults = judged(asked, sizes_px=_sizes_px(seen), cameras=None)
        before = current_site(seen, confirmed, None)
    stopping = [fault.model_dump() for fault in faults if fault.severity == "fault"]
    if site is None or stopping:
        raise HTTPException(422, stopping)
    based_on = before[0].site_version if before else ""
    if asked.based_on not in (None, based_on):
        raise HTTPException(409, "somebody confirmed another site meanwhile; load it and redo")
    text = asked.toml if asked.toml is not None else dump_site_toml(site)
    with here.desk() as desk:
        number = desk.drafts.propose(
            result_id,
            site_version=site.site_version,
            based_on=based_on,
            file_text=text,
            note=asked.note,
            asked_by=here.who.name,
            now_ns=here.now_ns,
        )
        draft = _draft(desk.drafts.one(number))
    here.details.update(draft_id=number, site_version=site.site_version)
    return draft_of(draft, before=before[1] if before else "", warnings=faults)


def _draft(draft: SiteDraft | None) -> SiteDraft:
    if draft is None:
        raise HTTPException(404, "there is no such draft")
    return draft


def _known_draft(here: Visit, draft_id: int) -> SiteDraft:
    """Return a draft of a result that is there; raise 404 otherwise."""
    _all_cameras(here)
    with here.desk() as desk:
        draft = _draft(desk.drafts.one(draft_id))
    here.folder(draft.result_id)
    return draft


def show_draft(here: Here, draft_id: RowId) -> Draft:
    """Show a proposed site and what it changes."""
    draft = _known_draft(here, draft_id)
    with here.seen(draft.result_id) as seen:
        before = current_site(seen, _confirmed(here, draft.result_id), None)
        _, faults = judged(SiteWish(toml=draft.file_text), sizes_px=_sizes_px(seen), cameras=None)
    return draft_of(draft, before=before[1] if before else "", warnings=faults)


def confirm_draft(here: Here, draft_id: RowId, asked: Confirm) -> DraftRow:
    """Make a proposed site the one in force; the stored points are counted anew when asked."""
    draft = _decided(here, draft_id, "confirmed")
    if asked.rerun:
        with here.desk() as desk:
            here.details["job_id"] = desk.jobs.ask(
                "recount",
                args={"result_id": draft.result_id, "draft_id": draft_id},
                asked_by=here.who.name,
                now_ns=here.now_ns,
            )
    return draft_row(draft)


def withdraw_draft(here: Here, draft_id: RowId) -> DraftRow:
    """Withdraw a proposed site."""
    return draft_row(_decided(here, draft_id, "withdrawn"))


def _decided(here: Visit, draft_id: int, state: str) -> SiteDraft:
    draft = _known_draft(here, draft_id)
    here.details.update(result_id=draft.result_id, site_version=draft.site_version)
    with here.desk() as desk:
        changed = desk.drafts.decide(
            draft_id, state=state, decided_by=here.who.name, now_ns=here.now_ns
        )
        if not changed:
            raise HTTPException(409, "this draft was decided before")
        return _draft(desk.drafts.one(draft_id))


_OF = "/api/results/{result_id}"

DOORS: tuple[Door, ...] = (
    Door(
        method="POST",
        path="/api/calibration",
        call=calibrate_picks,
        right=Right.DRAW,
        tag="site",
    ),
    Door(method="GET", path=f"{_OF}/site", call=show_site, right=Right.LOOK, tag="site"),
    Door(method="POST", path=f"{_OF}/site/check", call=check_site, right=Right.DRAW, tag="site"),
    Door(method="GET", path=f"{_OF}/drafts", call=list_drafts, right=Right.LOOK, tag="site"),
    Door(
        method="POST",
        path=f"{_OF}/drafts",
        call=propose_site,
        right=Right.DRAW,
        tag="site",
        status=201,
        noted=True,
    ),
    Door(
        method="GET", path="/api/drafts/{draft_id}", call=show_draft, right=Right.LOOK, tag="site"
    ),
    Door(
        method="POST",
        path="/api/drafts/{draft_id}/confirm",
        call=confirm_draft,
        right=Right.DRAW,
        tag="site",
        noted=True,
    ),
    Door(
        method="POST",
        path="/api/drafts/{draft_id}/withdraw",
        call=withdraw_draft,
        right=Right.DRAW,
        tag="site",
        noted=True,
    ),
)
