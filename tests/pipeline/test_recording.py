"""Clips begin before their event, are bounded, and only what was asked for leaves the ring."""

from pathlib import Path
from typing import Any

import pytest
from tests.video.test_segment_writer import START_NS, a_kept

from calmstreet.config.cameras import NodeCamera
from calmstreet.model.event import Event
from calmstreet.model.kept import Segment
from calmstreet.model.points import no_points
from calmstreet.pipeline import recording
from calmstreet.pipeline.recording import LONGEST_CLIP_S, Recording
from calmstreet.pipeline.scribe import Scribe
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.proof import prove_folder
from calmstreet.units import NS_PER_S, ns_from_s

NOTHING = no_points(camera_id="north", run_id=1)


class Camera:
    """A recording of one camera with its scribe and folder."""

    def __init__(self, folder: Path, *, queue_bytes: int = 10**8, **settings: Any) -> None:
        self.folder = folder / "north"
        with Catalogue.open(self.folder, create=True) as catalogue:
            prove_folder(catalogue, camera_id="north")
        keys: dict[str, Any] = {"audit_windows_per_hour": 0, **settings}
        self.scribe = Scribe(
            folder=self.folder,
            turn=folder / "turn",
            queue_bytes=queue_bytes,
        )
        camera = NodeCamera(id="north", url="file:x", **keys)
        self.recording = Recording(camera=camera, scribe=self.scribe)

    def film(self, from_s: float, until_s: float, *, fps: float = 10.0) -> None:
        for k in range(round((until_s - from_s) * fps)):
            picture = a_kept(k, from_s + k / fps)
            self.recording.take(picture, NOTHING, run_id=1)

    def event(self, start_s: float, end_s: float, *, name: str = "a", severity: int = 2) -> None:
        self.recording.event(an_event(start_s, end_s, name, severity), run_id=1)

    def segments(self) -> list[Segment]:
        self.recording.end_run()
        assert self.scribe.settle()
        with Catalogue.open(self.folder) as catalogue:
            return catalogue.segments("north")

    def spans(self) -> list[tuple[str, float, float]]:
        return [(s.purpose, since(s.start_ns), since(s.end_ns)) for s in self.segments()]


def since(t_ns: int) -> float:
    return round((t_ns - START_NS) / NS_PER_S, 1)


def an_event(start_s: float, end_s: float, name: str, severity: int) -> Event:
    return Event(
        event_id=name * 16,
        kind="wrong-way",
        camera_id="north",
        start_ns=START_NS + ns_from_s(start_s),
        end_ns=START_NS + ns_from_s(end_s),
        place_m=(float("nan"), float("nan")),
        track_ids=(1,),
        values={},
        severity=severity,
        rule="wrong-way/1",
        reasons=(),
        exceptions=(),
    )


def test_a_clip_begins_before_its_event_and_ends_after_it(tmp_path: Path) -> None:
    camera = Camera(tmp_path)
    camera.film(100.0, 120.0)
    camera.event(114.0, 116.0)
    camera.film(120.0, 130.0)
    assert camera.spans() == [("event", 109.0, 121.0)]
    camera.scribe.close()


def test_an_event_that_goes_on_lengthens_its_clip(tmp_path: Path) -> None:
    camera = Camera(tmp_path)
    camera.film(100.0, 112.0)
    for until_s in (112.0, 114.0, 118.0):
        camera.event(110.0, until_s)
        camera.film(until_s, until_s + 2.0)
    camera.film(120.0, 130.0)
    assert camera.spans() == [("event", 105.0, 123.0)]
    camera.scribe.close()


def test_an_endless_event_has_a_clip_that_ends(tmp_path: Path) -> None:
    camera = Camera(tmp_path, pre_roll_s=0.0, post_roll_s=0.0)
    camera.film(100.0, 101.0, fps=2)
    for k in range(60):
        camera.event(100.0, 101.0 + 2 * k)
        camera.film(101.0 + 2 * k, 103.0 + 2 * k, fps=2)
    first = camera.spans()[0]
    assert first[2] - first[1] <= LONGEST_CLIP_S
    camera.scribe.close()


def test_an_event_long_past_has_what_the_ring_still_holds(tmp_path: Path) -> None:
    camera = Camera(tmp_path)
    camera.film(100.0, 100.0 + recording.RING_S + 20, fps=5)
    camera.event(101.0, 102.0)
    assert camera.spans() == []
    camera.event(125.0, 126.0, name="b")
    assert [round(end - start) for _, start, end in camera.spans()] == [11]
    camera.scribe.close()


@pytest.mark.parametrize("settings", [{"record": "none"}, {"record": "continuous", "purpose": "x"}])
def test_clips_of_events_are_for_cameras_that_record_events(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    camera = Camera(tmp_path, **settings)
    camera.film(100.0, 105.0)
    camera.event(103.0, 104.0)
    camera.film(105.0, 112.0)
    purposes = {purpose for purpose, _, _ in camera.spans()}
    assert purposes == ({"continuous"} if settings["record"] == "continuous" else set())
    camera.scribe.close()


def test_an_excused_event_has_no_clip(tmp_path: Path) -> None:
    camera = Camera(tmp_path)
    camera.film(100.0, 105.0)
    camera.event(103.0, 104.0, severity=0)
    assert camera.spans() == []
    camera.scribe.close()


def test_what_leaves_the_ring_unasked_is_nowhere(tmp_path: Path) -> None:
    camera = Camera(tmp_path)
    camera.film(100.0, 180.0, fps=5)
    assert camera.recording.ring_s <= recording.RING_S
    assert camera.spans() == []
    assert not list(camera.folder.rglob("*.mp4*"))
    camera.scribe.close()


def test_continuous_video_is_cut_into_minutes(tmp_path: Path) -> None:
    camera = Camera(tmp_path, record="continuous", purpose="a test")
    camera.film(60.0, 200.0, fps=2)
    spans = camera.spans()
    assert [purpose for purpose, _, _ in spans] == ["continuous"] * 3
    assert [start for _, start, _ in spans] == pytest.approx([60.0, 120.5, 181.0], abs=1)
    camera.scribe.close()


def test_audit_windows_are_kept_by_their_schedule(tmp_path: Path) -> None:
    camera = Camera(tmp_path, audit_windows_per_hour=30, audit_window_s=20.0)
    camera.film(2800.0, 3160.0, fps=2)
    spans = camera.spans()
    assert [purpose for purpose, _, _ in spans] == ["audit"] * 3
    assert all(15 < end - start <= 20 for _, start, end in spans)
    camera.scribe.close()


def test_pictures_that_find_no_room_are_counted(tmp_path: Path) -> None:
    camera = Camera(tmp_path, queue_bytes=1)
    camera.film(100.0, 105.0)
    camera.event(103.0, 104.0)
    assert camera.spans() == []
    assert camera.scribe.stats.dropped > 10
    camera.scribe.close()


def test_a_disk_that_refuses_is_told_and_the_next_clip_is_written(tmp_path: Path) -> None:
    camera = Camera(tmp_path)
    place = camera.folder / "segments" / "camera=north"
    place.write_text("in the way", encoding="utf-8")
    camera.film(100.0, 105.0)
    camera.event(103.0, 104.0)
    camera.film(105.0, 112.0)
    assert camera.spans() == []
    assert camera.scribe.stats.failed > 0
    place.unlink()
    camera.film(112.0, 120.0)
    camera.event(117.0, 118.0, name="b")
    camera.film(120.0, 130.0)
    assert camera.spans() == [("event", 112.0, 123.0)]
    camera.scribe.close()


def test_nothing_is_written_where_the_disk_was_mounted(tmp_path: Path) -> None:
    camera = Camera(tmp_path)
    camera.folder.rename(tmp_path / "unplugged")
    camera.folder.mkdir()
    camera.film(100.0, 120.0)
    camera.event(114.0, 116.0)
    camera.recording.end_run()
    assert camera.scribe.settle()
    assert camera.scribe.stats.failed > 0
    assert "is its disk mounted" in camera.scribe.stats.note
    assert not any(camera.folder.iterdir())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["north", "unplugged"]
