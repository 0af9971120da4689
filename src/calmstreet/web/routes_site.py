"""Calibration, sites and their drafts."""

from fastapi import HTTPException

from calmstreet.web.answers_site import (
    CalibrationReport,
    Confirm,
    Draft,
    DraftRow,
    Picks,
    SiteCheck,
    SitePage,
    SiteWish,
)
from calmstreet.web.doors import Door, Right
from calmstreet.web.queries import ResultId, RowId, VersionQuery
from calmstreet.web.visit import Here

__all__ = ["DOORS"]


def calibrate_picks(here: Here, asked: Picks) -> CalibrationReport:
    """Fit a plane to picked points; nothing is stored."""
    raise HTTPException(501)


def show_site(here: Here, result_id: ResultId, site_version: VersionQuery = None) -> SitePage:
    """Show the site of a result, or an earlier version of it."""
    raise HTTPException(501)


def check_site(here: Here, result_id: ResultId, asked: SiteWish) -> SiteCheck:
    """Say what is impossible in a site; nothing is stored."""
    raise HTTPException(501)


def list_drafts(here: Here, result_id: ResultId) -> list[DraftRow]:
    """List the proposed sites of a result."""
    raise HTTPException(501)


def propose_site(here: Here, result_id: ResultId, asked: SiteWish) -> Draft:
    """Propose a site; refused with every reason when it is impossible."""
    raise HTTPException(501)


def show_draft(here: Here, draft_id: RowId) -> Draft:
    """Show a proposed site and what it changes."""
    raise HTTPException(501)


def confirm_draft(here: Here, draft_id: RowId, asked: Confirm) -> DraftRow:
    """Make a proposed site the one in force; offer a recount."""
    raise HTTPException(501)


def withdraw_draft(here: Here, draft_id: RowId) -> DraftRow:
    """Withdraw a proposed site."""
    raise HTTPException(501)


DOORS: tuple[Door, ...] = (
    Door(
        method="POST", path="/api/calibration", call=calibrate_picks, right=Right.DRAW, tag="site"
    ),
    Door(
        method="GET",
        path="/api/results/{result_id}/site",
        call=show_site,
        right=Right.LOOK,
        tag="site",
    ),
    Door(
        method="POST",
        path="/api/results/{result_id}/site/check",
        call=check_site,
        right=Right.DRAW,
        tag="site",
    ),
    Door(
        method="GET",
        path="/api/results/{result_id}/drafts",
        call=list_drafts,
        right=Right.LOOK,
        tag="site",
    ),
    Door(
        method="POST",
        path="/api/results/{result_id}/drafts",
        call=propose_site,
        right=Right.DRAW,
        tag="site",
        status=201,
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
    ),
    Door(
        method="POST",
        path="/api/drafts/{draft_id}/withdraw",
        call=withdraw_draft,
        right=Right.DRAW,
        tag="site",
    ),
)
