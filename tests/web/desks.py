"""A small node for the tests of the desk: two cameras, days of bins, events, pictures, people."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from tests.builders import points_at

from calmstreet.clock import FakeClock
from calmstreet.config.node import NodeFile, NodeFolders
from calmstreet.config.site import parse_site
from calmstreet.model.bins import Bins
from calmstreet.model.event import Event, event_id_of
from calmstreet.model.flow import Crossings, Flow, Journeys, Minutes
from calmstreet.model.kinds import Kind
from calmstreet.model.points import concat_points
from calmstreet.model.run import Run
from calmstreet.model.signals import SignalChanges
from calmstreet.model.site import Site
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.drafts import Upload
from calmstreet.store.evidence import Evidence, write_evidence
from calmstreet.store.findings import Picture, Warned
from calmstreet.store.folder import StoredFile
from calmstreet.store.shelf import ResultFolder
from calmstreet.units import NS_PER_S
from calmstreet.web.app import create_app
from calmstreet.web.gate import COOKIE, token_digest
from calmstreet.web.knocking import Knocker
from calmstreet.web.node import Node

MONDAY_NS = 1_772_391_600 * NS_PER_S  # 2026-03-02 00:00 in Almaty
DAY_NS = 86_400 * NS_PER_S
CAMERAS = ("north", "south")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(2000)
PLANE = """
[camera.plane]
points_px = [[100, 300], [540, 300], [430, 120], [210, 120], [320, 180], [320, 300]]
points_m = [[-4, 8], [4, 8], [4, 16], [-4, 16], [0, 12], [0, 8]]
size_px = [640, 360]
"""


def approaches(camera: str, north: str, south: str) -> str:
    """Return the zones at both ends of the street of a camera."""
    return f"""
[[zone]]
id = "{north}"
camera = "{camera}"
kind = "approach"
polygon_px = [[200, 120], [440, 120], [440, 150], [200, 150]]
[[zone]]
id = "{south}"
camera = "{camera}"
kind = "approach"
polygon_px = [[100, 300], [540, 300], [540, 340], [100, 340]]
"""


SITE = f"""
[site]
id = "abay"
name = "Abay / Dostyk"
tz = "Asia/Almaty"
speed_limit_kmh = 60
origin_lonlat = [76.95, 43.25]
[[camera]]
id = "north"{PLANE}[[camera]]
id = "south"
[[gate]]
id = "stop"
camera = "north"
points_px = [[150, 250], [500, 250]]
[[gate]]
id = "bridge"
camera = "south"
points_px = [[150, 250], [500, 250]]
{approaches("north", "n", "s")}[[movement]]
id = "n-s"
from = "n"
to = "s"
turn = "through"
"""


def a_site() -> Site:
    return parse_site(SITE)


def a_run(site: Site, camera_id: str, start_ns: int, days: int = 1) -> Run:
    return Run(
        run_id=0,
        camera_id=camera_id,
        site_version=site.site_version,
        source=f"{camera_id}.mp4",
        start_ns=start_ns,
        end_ns=start_ns + days * DAY_NS - 1,
        state="complete",
        time_known="given",
        width_px=640,
        height_px=360,
        declared_fps=25.0,
        delivered_fps=25.0,
        detector="nanodet/1",
    )


def some_bins(camera_id: str, site: Site, start_ns: int, *, width_s: float, level: float) -> Bins:
    """Return one whole day of bins; the third hour of it was not watched."""
    slices = round(86_400 / width_s)
    gate = "stop" if camera_id == "north" else "bridge"
    whats = [f"gate:{gate}:to_left", f"gate:{gate}:to_right"]
    whats += ["movement:n:s", "movement:unknown:unknown"] if camera_id == "north" else []
    starts = start_ns + np.arange(slices) * round(width_s * NS_PER_S)
    watched = np.arange(96) // 4 != 3
    exposure_s = (watched * 900.0).reshape(slices, -1).sum(axis=1)
    rng = np.random.default_rng(round(level) + len(camera_id))
    rows: dict[str, list[Any]] = {
        n: [] for n in ("what", "kind", "start_ns", "count", "exposure_s", "flags")
    }
    for what in whats:
        for kind in (Kind.CAR, Kind.PEDESTRIAN):
            quarters = rng.poisson(level, 96) * watched
            rows["what"] += [what] * slices
            rows["kind"] += [int(kind)] * slices
            rows["start_ns"] += starts.tolist()
            rows["count"] += quarters.reshape(slices, -1).sum(axis=1).tolist()
            rows["exposure_s"] += exposure_s.tolist()
            rows["flags"] += ["day" if s == width_s else "day;partial" for s in exposure_s]
    columns: dict[str, Any] = rows
    return Bins(camera_id=camera_id, site_version=site.site_version, width_s=width_s, **columns)


def a_flow(site: Site, run: Run, run_id: int) -> Flow:
    """Return a few crossings and journeys; the run was watched whole but for its fourth hour."""
    gate = "stop" if run.camera_id == "north" else "bridge"
    n, t0 = 40, run.start_ns
    times = t0 + np.arange(1, n + 1) * 5 * NS_PER_S
    ids = (run_id << 32) + np.arange(1, n + 1)
    hour = 3600 * NS_PER_S
    return Flow(
        camera_id=run.camera_id,
        run_id=run_id,
        site_version=site.site_version,
        crossings=Crossings(
            gate_id=np.array([gate] * n),
            t_ns=times,
            track_id=ids,
            kind=np.full(n, 4, np.uint8),
            direction=np.array(["to_left"] * n),
            headway_s=np.r_[np.nan, np.full(n - 1, 5.0)],
            gap_s=np.r_[np.nan, np.full(n - 1, 4.5)],
            speed_mps=np.full(n, np.nan),
            length_m=np.full(n, np.nan),
            counted=np.ones(n, bool),
        ),
        journeys=Journeys(
            track_id=ids,
            kind=np.full(n, 4, np.uint8),
            start_ns=times - NS_PER_S,
            end_ns=times + NS_PER_S,
            done_ns=times,
            entry_px=np.full((n, 2), 10.0, np.float32),
            exit_px=np.full((n, 2), 20.0, np.float32),
            entry_id=np.array(["n"] * n),
            exit_id=np.array(["s"] * n),
            movement_id=np.array(["n-s"] * n),
            entry_heading=np.tile([0.0, -1.0], (n, 1)),
            exit_heading=np.tile([0.0, -1.0], (n, 1)),
            metric=np.ones(n, bool),
            rows=np.full(n, 9),
            counted=np.ones(n, bool),
            reason=np.array([""] * n),
        ),
        minutes=Minutes(
            gate_ids=(gate,),
            start_ns=t0 + np.arange(60) * 60 * NS_PER_S,
            watched_s=np.full(60, 60.0),
            occupied_s=np.full((60, 1), 6.0),
        ),
        watched_ns=np.array([[t0, t0 + 3 * hour], [t0 + 4 * hour, run.end_ns]]),
    )


def an_event(camera_id: str, run_id: int, start_ns: int, severity: int = 3) -> Event:
    tracks = ((run_id << 32) + 1, (run_id << 32) + 2)
    rule = "conflict/1"
    return Event(
        event_id=event_id_of(camera_id=camera_id, rule=rule, track_ids=tracks, start_ns=start_ns),
        kind="conflict",
        camera_id=camera_id,
        start_ns=start_ns,
        end_ns=start_ns + 2 * NS_PER_S,
        place_m=(0.0, 12.0),
        track_ids=tracks,
        values={"min_ttc_s": 0.9, "sigma_min_ttc_s": 0.2, "pet_s": float("inf")},
        severity=severity,
        rule=rule,
        reasons=("both came to the same place within 0.9 s", "the footprints touched"),
    )


def keep_evidence(catalogue: Catalogue, event: Event, run_id: int, site: Site) -> None:
    """Write two road users who meet at right angles."""
    t_ns = event.start_ns + np.arange(-20, 21) * NS_PER_S // 10
    along = np.arange(-20, 21) / 10 * 8.0
    tracks = []
    for serial, way in ((1, (1.0, 0.0)), (2, (0.0, 1.0))):
        place = np.array([0.0, 12.0]) + along[:, None] * way
        tracks.append(
            points_at(
                t_ns,
                np.full((len(t_ns), 2), 200.0),
                serial=serial,
                camera_id=event.camera_id,
                run_id=run_id,
                xy_m=place,
                velocity_mps=np.tile(np.array(way) * 8.0, (len(t_ns), 1)),
                heading_rad=np.full(len(t_ns), np.arctan2(way[1], way[0])),
                length_m=np.full(len(t_ns), 4.5),
                width_m=np.full(len(t_ns), 1.8),
                cov_m2=np.tile([0.04, 0.0, 0.04], (len(t_ns), 1)),
            )
        )
    points = concat_points(tracks)
    points = points[np.argsort(points.t_ns, kind="stable")]
    nothing = SignalChanges(
        t_ns=np.empty(0, np.int64), signal_id=np.empty(0, np.str_),
        state=np.empty(0, np.uint8), confidence=np.empty(0, np.float32),
    )  # fmt: skip
    files = write_evidence(
        catalogue.folder,
        Evidence(
            event=event,
            points=points,
            signal_changes=nothing,
            thresholds={"ttc_s": 1.5, "pet_s": 2.0},
            site_json=site.of_camera(event.camera_id).canonical_json(),
            size_px=(640, 360),
        ),
    )
    catalogue.save_evidence(event.event_id, files)


def fill_camera(catalogue: Catalogue, site: Site, camera_id: str, days: Sequence[int]) -> None:
    for day in days:
        start_ns = MONDAY_NS + day * DAY_NS
        run = a_run(site, camera_id, start_ns)
        run_id = catalogue.new_run(run)
        catalogue.save_flow(a_flow(site, replace(run, run_id=run_id), run_id))
        for width_s in (900.0, 3600.0, 86_400.0):
            catalogue.save_bins(
                run_id,
                some_bins(camera_id, site, start_ns, width_s=width_s, level=20.0 + 10 * (day >= 7)),
            )
        event = an_event(camera_id, run_id, start_ns + 3600 * NS_PER_S, severity=1 + day % 4)
        catalogue.save_events(run_id, [event])
        keep_evidence(catalogue, event, run_id, site)
        catalogue.save_warnings(run_id, [Warned(code="gap", text="a gap", args={"gap_s": 2.5})])
        keep_media(catalogue, camera_id, run_id, start_ns)
        catalogue.publish([run_id])


def keep_media(catalogue: Catalogue, camera_id: str, run_id: int, start_ns: int) -> None:
    for name, what in ((f"{camera_id}-{run_id}.png", "background"), (f"{run_id}.mp4", "clip")):
        path = catalogue.folder / "pictures" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(PNG)
        inside = path.relative_to(catalogue.folder).as_posix()
        digest = hashlib.sha256(PNG).hexdigest()
        if what == "background":
            catalogue.save_picture(
                run_id,
                Picture(path=inside, what=what, t_ns=start_ns, width_px=640, height_px=360,
                        size_bytes=len(PNG), sha256=digest),
            )  # fmt: skip
        else:
            catalogue.save_segment(
                run_id,
                StoredFile(content="segments", path=inside, camera_id=camera_id, run_id=run_id,
                           rows=1, start_ns=start_ns, end_ns=start_ns + 7200 * NS_PER_S,
                           size_bytes=len(PNG), sha256=digest),
            )  # fmt: skip


def a_node(place: Path, *, days: Sequence[int] = (0, 7), **settings: Any) -> Node:
    """Return a node with one result of two cameras over some days from Monday on."""
    site = a_site()
    with Catalogue.open(
        place / "results" / "abay", create=True, clock=FakeClock(start_ns=MONDAY_NS)
    ) as kept:
        kept.save_site(site, SITE)
        for camera_id in CAMERAS:
            fill_camera(kept, site, camera_id, days)
    return Node(
        folders=NodeFolders(results=place / "results", desk=place / "desk"),
        settings=NodeFile.model_validate(settings),
        clock=FakeClock(start_ns=MONDAY_NS + 30 * DAY_NS),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody at the desk: a role, the cameras open to them, and whether they must change."""

    role: str
    cameras: tuple[str, ...] | None = None
    must_change: bool = False

    @property
    def name(self) -> str:
        scope = "all" if self.cameras is None else "-".join(self.cameras) or "none"
        return f"{self.role}.{scope}{'.new' if self.must_change else ''}"


def add_person(node: Node, person: Person, password_hash: str = "x") -> int:
    with node.desk() as desk:
        desk.accounts.add(
            person.name,
            role=person.role,
            cameras=None if person.cameras is None else frozenset(person.cameras),
            password_hash=password_hash,
            now_ns=node.clock.now_ns(),
        )
        account = desk.accounts.by_name(person.name)
        assert account is not None
        if not person.must_change:
            desk.accounts.set_password(
                account.user_id, password_hash=password_hash, must_change=False
            )
    return account.user_id


def signed_in(node: Node, app: Any, person: Person | None) -> Knocker:
    """Return somebody's browser with a session of its own, made without the slow password."""
    knocker = Knocker(app)
    if person is None:
        return knocker
    token = secrets.token_urlsafe(32)
    with node.desk() as desk:
        account = desk.accounts.by_name(person.name)
        assert account is not None
        desk.accounts.open_session(
            account,
            token_sha256=token_digest(token),
            now_ns=node.clock.now_ns(),
            expires_ns=node.clock.now_ns() + DAY_NS,
            address="127.0.0.1",
            agent="test",
        )
    knocker.cookie = f"{COOKIE}={token}"
    return knocker


def the_result(node: Node) -> ResultFolder:
    (result,) = node.result_folders()
    return result


def an_upload(node: Node, by: str) -> str:
    upload_id = secrets.token_hex(8)
    with node.desk() as desk:
        desk.uploads.add(
            Upload(upload_id=upload_id, name="clip.mp4", size_bytes=3, sha256="00" * 32,
                   asked_by=by, asked_ns=node.clock.now_ns())
        )  # fmt: skip
        path = desk.upload_path(upload_id)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"abc")
    return upload_id


def app_of(node: Node) -> Any:
    return create_app(node)
