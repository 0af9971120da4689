"""A near miss before a live camera: its clip is cut at once, by the usual paths of earlier runs."""

from pathlib import Path

from tests.safety.crossing_street import START_NS, S, at_once, driven
from tests.video.test_segment_writer import START_NS as CLIP_NS
from tests.video.test_segment_writer import a_kept

from calmstreet.config.cameras import NodeCamera
from calmstreet.model.event import Event
from calmstreet.model.kept import Segment
from calmstreet.model.points import TrackPoints
from calmstreet.model.run import Run
from calmstreet.model.site import Camera, Site
from calmstreet.pipeline.live_rules import LiveRules
from calmstreet.pipeline.recording import RING_S, Recording
from calmstreet.pipeline.scribe import Scribe
from calmstreet.safety.conflict_events import conflict_events
from calmstreet.safety.conflict_rules import ConflictSettings
from calmstreet.safety.conflicts import ConflictWatch
from calmstreet.safety.learn_paths import PathLearner
from calmstreet.safety.paths import Paths
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.proof import prove_folder

SITE = Site(id="crossing", cameras=(Camera(id="north"),))
LASTS_S = 40.0
MEET_S = 9.0


def traffic(*, near_miss: bool) -> TrackPoints:
    """Return two who cross each other's way, a second or half a minute apart."""
    other_s = 4.0 if near_miss else 34.0
    return at_once(
        driven(1, (-50.0, 0.0), (50.0, 0.0), speed_mps=10.0, start_s=4.0),
        driven(2, (0.0, -60.0), (0.0, 40.0), speed_mps=10.0, start_s=other_s),
    )


def usual_paths() -> Paths:
    learner = PathLearner()
    learner.update(traffic(near_miss=False))
    return learner.close()


class Live:
    """The rules and the recording of an open run, wired as ``pipeline.camera_watch`` wires them."""

    def __init__(self, home: Path, *, paths: Paths | None) -> None:
        self.folder = home / "north"
        with Catalogue.open(self.folder, create=True) as catalogue:
            prove_folder(catalogue, camera_id="north")
        self.scribe = Scribe(folder=self.folder, turn=home / "turn")
        camera = NodeCamera(id="north", url="file:x", audit_windows_per_hour=0)
        self.recording = Recording(camera=camera, scribe=self.scribe)
        run = Run(
            run_id=1, camera_id="north", site_version="", source="rtsp", start_ns=START_NS,
            end_ns=0, state="open", time_known="given", width_px=64, height_px=48,
            declared_fps=10.0, delivered_fps=10.0, detector="motion",
        )  # fmt: skip
        self.rules = LiveRules(run=run, site=SITE, paths=paths)
        self.told: list[tuple[float, Event]] = []

    def watch(self, points: TrackPoints, *, lasts_s: float = LASTS_S) -> list[Segment]:
        """Watch it step by step; return the clips that were kept."""
        for k in range(round(lasts_s * 10)):
            t_ns = START_NS + k * S // 10
            rows = points[points.t_ns == t_ns]
            self.rules.add(t_ns, rows)
            self.recording.take(a_kept(k, (t_ns - CLIP_NS) / S), rows, run_id=1)
            assert self.rules.ready([]) == []
            self.film(k / 10, self.rules.near_misses())
        self.film(lasts_s, self.rules.last_near_misses())
        self.recording.end_run()
        assert self.scribe.settle()
        self.scribe.close()
        with Catalogue.open(self.folder) as catalogue:
            return catalogue.segments("north")

    def film(self, at_s: float, events: list[Event]) -> None:
        for event in events:
            self.told.append((at_s, event))
            self.recording.event(event, run_id=1)


def test_a_near_miss_is_filmed_while_it_goes_on(tmp_path: Path) -> None:
    live = Live(tmp_path, paths=usual_paths())
    (clip,) = live.watch(traffic(near_miss=True))
    ((told_s, event),) = live.told
    assert event.kind == "conflict"
    assert told_s - MEET_S < RING_S - 20.0, "while the ring still holds what led to it"
    judge = ConflictWatch(paths=usual_paths())
    judge.update(traffic(near_miss=True))
    (judged,) = conflict_events(judge.close(), settings=ConflictSettings())
    assert event.event_id == judged.event_id, "the desk finds the clip of the judged event"
    assert clip.event_id == event.event_id
    assert clip.purpose == "event"
    assert clip.start_ns <= START_NS + round((MEET_S - 2.0) * S), "it begins before they meet"
    assert clip.end_ns >= event.end_ns + 4 * S
    assert (live.folder / clip.path).stat().st_size == clip.size_bytes


def test_a_near_miss_just_before_a_run_is_cut_is_filmed(tmp_path: Path) -> None:
    live = Live(tmp_path, paths=usual_paths())
    (clip,) = live.watch(traffic(near_miss=True), lasts_s=17.0)
    ((told_s, event),) = live.told
    assert told_s == 17.0
    assert clip.event_id == event.event_id
    assert clip.start_ns <= START_NS + round((MEET_S - 2.0) * S)


def test_without_usual_paths_or_without_a_near_miss_nothing_is_filmed(tmp_path: Path) -> None:
    for name, paths, near_miss in (("a", None, True), ("b", usual_paths(), False)):
        live = Live(tmp_path / name, paths=paths)
        assert live.watch(traffic(near_miss=near_miss)) == []
        assert live.told == []
