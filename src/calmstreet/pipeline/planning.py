"""What an analysis will do, checked before anything is written."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from calmstreet.config.site import check_frame, default_site, load_site
from calmstreet.errors import InputError
from calmstreet.model.run import Run
from calmstreet.model.site import Site
from calmstreet.pipeline.planes import camera_plane
from calmstreet.pipeline.seeing import ANALYSED_FPS, NET_EVERY
from calmstreet.store.catalogue import Catalogue
from calmstreet.units import NS_PER_S, from_iso, ns_from_s
from calmstreet.video.source import FileSource, VideoInfo, find_videos, probe
from calmstreet.video.timeline import Clip, Placed, lay_out, time_zero

__all__ = [
    "BEHIND_S",
    "KEPT_S",
    "Plan",
    "Request",
    "check_joins",
    "chosen_camera",
    "make_plan",
    "plan_against",
]

KEPT_S = {"60s": 60.0, "none": 0.0, "full": float("inf")}
BEHIND_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the user asked for; see ``calmstreet analyse --help``."""

    videos: tuple[Path, ...]
    out: Path
    site: Path | None = None
    camera: str | None = None
    start: str | None = None
    video: str = "60s"
    lang: str = "en"
    analysed_fps: float = ANALYSED_FPS
    net_every: int = NET_EVERY
    detector: str = "nanodet"

    def __post_init__(self) -> None:
        if not 1 <= self.analysed_fps <= 60:
            raise InputError(f"--analysed-fps {self.analysed_fps:g} must lie between 1 and 60")
        if not 1 <= self.net_every <= 50:
            raise InputError(f"--net-every {self.net_every} must lie between 1 and 50")
        if self.video not in KEPT_S:
            raise InputError(f"--video {self.video} must be one of {', '.join(KEPT_S)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Files laid on the clock, the site they are counted under, and the runs they replace.

    ``taken_ns`` are spans (start, end) of other runs of this camera, not to be counted twice.
    """

    site: Site
    site_text: str
    camera_id: str
    placed: tuple[Placed, ...]
    fps: Mapping[Path, float]
    replaced_run_ids: tuple[int, ...] = ()
    taken_ns: tuple[tuple[int, int], ...] = ()

    @property
    def duration_s(self) -> float:
        """Return how long all files last."""
        return sum((p.end_ns - p.start_ns) / NS_PER_S for p in self.placed)

    def is_taken(self, t_ns: int) -> bool:
        """Return whether another run watched this instant already."""
        return any(start <= t_ns <= end for start, end in self.taken_ns)


def chosen_camera(site: Site, wanted: str | None) -> str:
    """Return the camera that the videos come from; raise InputError when it must be named.

    >>> chosen_camera(default_site(), None)
    'camera'
    """
    ids = [camera.id for camera in site.cameras]
    if wanted is None and len(ids) == 1:
        return ids[0]
    if wanted is None:
        raise InputError(f"the site has several cameras; add --camera with one of {', '.join(ids)}")
    if wanted not in ids:
        raise InputError(f"--camera {wanted} is not in the site; it has {', '.join(ids)}")
    return wanted


def make_plan(request: Request) -> Plan:
    """Read the site, open every video once and lay them on the clock.

    Raises InputError (or ConfigError, VideoError) before anything is written.
    """
    site, text = load_site(request.site) if request.site else (default_site(), "")
    camera_id = chosen_camera(site, request.camera)
    given_ns = from_iso(request.start, site.tz) if request.start else None
    clips, fps = [], {}
    for path in find_videos(request.videos):
        info = probe(path)
        if request.site is not None:
            check_frame(site, camera_id, info.width_px, info.height_px)
            camera_plane(site, camera_id, width_px=info.width_px, height_px=info.height_px)
        zero = time_zero(path, info, given_ns=given_ns, tz=site.tz)
        clips.append(Clip(path=path, zero=zero, duration_s=_duration_s(info)))
        fps[path] = info.declared_fps
    return Plan(
        site=site, site_text=text, camera_id=camera_id, placed=tuple(lay_out(clips)), fps=fps
    )


def _duration_s(info: VideoInfo) -> float:
    """Return how long a file lasts; one that does not say is read through once."""
    if math.isfinite(info.duration_s) and info.duration_s > 0:
        return info.duration_s
    source = FileSource(path=info.path, camera_id="any", start_ns=0)
    for _ in source.frames():
        pass
    return source.stats.duration_s


def plan_against(plan: Plan, catalogue: Catalogue) -> Plan:
    """Return the plan beside what the folder holds already.

    Runs made from any of the same files are replaced. Other runs stay, and their time is not
    watched again; videos of unknown time are laid behind them. Raises InputError when they were
    counted under another site.
    """
    sources = {str(p.path.resolve()) for p in plan.placed}
    replaced: list[Run] = []
    others: list[Run] = []
    for run in catalogue.runs():
        names = {str(Path(f.name).resolve()) for f in catalogue.files_of(run.run_id)}
        same = run.camera_id == plan.camera_id and bool(names & sources)
        (replaced if same else others).append(run)
        if same and not names <= sources:
            raise InputError(_needs_all(catalogue, names - sources))
    check_joins(catalogue.folder, others, site=plan.site, time_known=plan.placed[0].time_known)
    mine = [run for run in others if run.camera_id == plan.camera_id]
    taken = tuple((run.start_ns, run.end_ns) for run in mine)
    return replace(
        _behind(plan, mine),
        replaced_run_ids=tuple(run.run_id for run in replaced),
        taken_ns=taken,
    )


def check_joins(folder: Path, others: Sequence[Run], *, site: Site, time_known: str) -> None:
    """Raise InputError when a new run cannot stand beside the others of a folder.

    They are of one site, and either all on the wall clock or all of unknown time.
    """
    for run in others:
        if run.site_version != site.site_version:
            raise InputError(
                f"{folder} holds {run.source} counted under another site; give another "
                "--out, or analyse all its videos again in one command"
            )
        if (run.time_known == "unknown") != (time_known == "unknown"):
            known = "is not known" if run.time_known == "unknown" else "is known"
            raise InputError(
                f"{folder} holds {run.source}, whose clock time {known}: the two cannot be laid on "
                "one clock; add --start, or give another --out"
            )


def _needs_all(catalogue: Catalogue, missing: set[str]) -> str:
    names = ", ".join(sorted(Path(name).name for name in missing))
    return (
        f"{catalogue.folder} holds these videos in one unbroken run with {names}; "
        f"analyse them together with {names}, or give another --out"
    )


def _behind(plan: Plan, runs: list[Run]) -> Plan:
    """Lay videos of unknown time behind the runs of unknown time that are there."""
    ends = [run.end_ns for run in runs if run.time_known == "unknown"]
    if not ends or plan.placed[0].time_known != "unknown":
        return plan
    shift = max(ends) + ns_from_s(BEHIND_S) - plan.placed[0].start_ns
    moved = (
        replace(p, start_ns=p.start_ns + shift, end_ns=p.end_ns + shift, from_ns=p.from_ns + shift)
        for p in plan.placed
    )
    return replace(plan, placed=tuple(moved))
