"""Sites as people draw them: tables in, faults or a version out, differences line by line."""

import difflib
import tomllib
from typing import Any

import numpy as np

from calmstreet.config.site import check_frame, dump_site_toml, parse_site, site_of_tables
from calmstreet.errors import CalibrationError, ConfigError
from calmstreet.geometry.planes import planes_of
from calmstreet.model.site import Site
from calmstreet.safety.uncrossable import uncrossable
from calmstreet.store.drafts import SiteDraft
from calmstreet.store.seen import Seen
from calmstreet.web.answers_junction import PlaceShape
from calmstreet.web.answers_site import Draft, DraftRow, Fault, SiteCheck, SiteWish
from calmstreet.web.ground import Ground, site_of
from calmstreet.web.numbers import ms
from calmstreet.web.saying import said

__all__ = [
    "check_wish",
    "current_site",
    "diff_lines",
    "draft_of",
    "draft_row",
    "judged",
    "tables_of",
]

Sizes = dict[str, tuple[int, int]]
_SOURCE = "SITE.toml"
_DEEPEST = 8


def tables_of(toml: str) -> dict[str, Any]:
    r"""Return the tables of a site's text.

    >>> tables_of('[site]\nid = "abay"')
    {'site': {'id': 'abay'}}
    """
    return tomllib.loads(toml)


def check_wish(wish: SiteWish, *, sizes_px: Sizes, cameras: frozenset[str] | None) -> SiteCheck:
    """Say everything that speaks against a wished site."""
    site, faults = judged(wish, sizes_px=sizes_px, cameras=cameras)
    stopped = site is None or any(fault.severity == "fault" for fault in faults)
    return SiteCheck(
        possible=not stopped,
        faults=faults,
        site_version=site.site_version if site else None,
        toml=dump_site_toml(site) if site else wish.toml or "",
        from_metres=_from_metres(site, sizes_px) if site else [],
    )


def judged(
    wish: SiteWish, *, sizes_px: Sizes, cameras: frozenset[str] | None
) -> tuple[Site | None, list[Fault]]:
    """Return the wished site, None where it does not read as one, and what speaks against it.

    ``sizes_px`` are the pictures of the cameras; ``cameras`` those that the asker may draw.
    """
    if (wish.document is None) == (wish.toml is None):
        return None, [_fault("", "give either document or toml")]
    try:
        site = _site(wish)
    except ConfigError as error:
        return None, [_parted(sentence) for sentence in error.faults]
    if cameras is not None and not {camera.id for camera in site.cameras} <= cameras:
        return None, [_fault("camera", "names a camera that is not open to you; leave it away")]
    faults = [fault for name, size in sizes_px.items() for fault in _on_picture(site, name, size)]
    return site, [*faults, *_planes(site, sizes_px)]


def _site(wish: SiteWish) -> Site:
    try:
        if wish.toml is not None:
            wish.toml.encode()
            return parse_site(wish.toml, source=_SOURCE)
        document = wish.document or {}
        _check_plain(document, _DEEPEST)
        return site_of_tables(document, source=_SOURCE)
    except (UnicodeEncodeError, RecursionError) as error:
        raise ConfigError(f"{_SOURCE}: holds letters or nesting that no file can hold") from error


def _check_plain(value: Any, deep: int) -> None:
    """Raise ConfigError for what TOML cannot say: null, and lists within lists without end."""
    if value is None:
        raise ConfigError(f"{_SOURCE}: holds null; leave keys without a value away")
    if isinstance(value, str):
        value.encode()
    elif isinstance(value, (dict, list)):
        if not deep:
            raise ConfigError(f"{_SOURCE}: is nested too deeply; write it as documented")
        for inner in value.values() if isinstance(value, dict) else value:
            _check_plain(inner, deep - 1)
        for key in value if isinstance(value, dict) else ():
            key.encode()


def _fault(where: str, sentence: str) -> Fault:
    return Fault(where=where, sentence=sentence, said=said(sentence), severity="fault")


def _warning(camera_id: str, sentence: str) -> Fault:
    where = f"camera {camera_id}"
    return Fault(where=where, sentence=sentence, said=said(sentence), severity="warning")


def _parted(sentence: str) -> Fault:
    """Return a fault of config with its place apart from its words."""
    words = sentence.removeprefix(f"{_SOURCE}: ")
    where, _, rest = words.partition(" ")
    placed = bool(rest) and ("[" in where or where.replace("_", "").replace(".", "").islower())
    return _fault(where if placed else "", words)


def _on_picture(site: Site, camera_id: str, size_px: tuple[int, int]) -> list[Fault]:
    """Return shapes beyond the picture as faults, gates that nobody can cross too."""
    if not any(camera.id == camera_id for camera in site.cameras) or not size_px[0]:
        return []
    try:
        check_frame(site, camera_id, *size_px)
    except ConfigError as error:
        return [_parted(sentence) for sentence in error.faults]
    return [
        _fault(gate_id, f"gate {gate_id} can never be crossed: {reason}")
        for gate_id, reason in uncrossable(site.of_camera(camera_id), *size_px).items()
    ]


def _planes(site: Site, sizes_px: Sizes) -> list[Fault]:
    try:
        with np.errstate(all="ignore"):
            found = planes_of(site, {name: size for name, size in sizes_px.items() if size[0]})
    except CalibrationError as error:
        return [_fault("camera.plane", str(error))]
    except np.linalg.LinAlgError:
        return [_fault("camera.plane", "its points determine no plane; spread them on the ground")]
    sketches = [
        _warning(name, reason) for name, plane in found.planes.items() for reason in plane.reasons
    ]
    return [*sketches, *(_warning(*missing) for missing in found.counts_only.items())]


def _from_metres(site: Site, sizes_px: Sizes) -> list[PlaceShape]:
    """Return gates and zones that are given in metres alone, on the pictures of their cameras."""
    metric = {gate.id for gate in site.gates if not gate.points_px}
    metric |= {zone.id for zone in site.zones if not zone.polygon_px}
    if not metric:
        return []
    try:
        with np.errstate(all="ignore"):
            found = planes_of(site, {name: size for name, size in sizes_px.items() if size[0]})
    except (CalibrationError, np.linalg.LinAlgError):
        return []
    grounds = [
        Ground(site=site.of_camera(name), plane=plane, origin=None)
        for name, plane in found.planes.items()
    ]
    shapes = [shape for ground in grounds for shape in (*ground.gates(), *ground.zones())]
    return [shape for shape in shapes if shape.id in metric and shape.points_px]


def current_site(
    seen: Seen, confirmed: SiteDraft | None, site_version: str | None
) -> tuple[Site, str] | None:
    """Return a site and its text: a version that was asked for, else the one in force."""
    if confirmed is not None and site_version in (None, confirmed.site_version):
        site = parse_site(confirmed.file_text)
        return site, confirmed.file_text
    found = seen.site_json(site_version or "")
    if found is None:
        return None
    known = site_of(seen, found[0])
    whole = seen.cameras is None and bool(found[2])
    return None if known is None else (known, found[2] if whole else dump_site_toml(known))


def diff_lines(before: str, after: str) -> list[str]:
    """Return the lines of a unified diff.

    >>> diff_lines("a", "b")[-2:]
    ['-a', '+b']
    """
    return [
        line.rstrip("\n")
        for line in difflib.unified_diff(
            before.splitlines(), after.splitlines(), "in force", "proposed", lineterm=""
        )
    ]


def draft_row(draft: SiteDraft) -> DraftRow:
    """Return one row of the list of drafts."""
    return DraftRow.of(
        draft_id=draft.draft_id,
        result_id=draft.result_id,
        site_version=draft.site_version,
        based_on=draft.based_on,
        state=draft.state,
        note=draft.note,
        by=draft.asked_by,
        t_ms=ms(draft.asked_ns),
        decided_by=draft.decided_by,
        decided_ms=None if draft.decided_ns is None else ms(draft.decided_ns),
    )


def draft_of(draft: SiteDraft, *, before: str, warnings: list[Fault]) -> Draft:
    """Return a draft with what it changes."""
    return Draft(
        **draft_row(draft).model_dump(),
        document=tables_of(draft.file_text),
        toml=draft.file_text,
        diff=diff_lines(before, draft.file_text),
        warnings=warnings,
    )
