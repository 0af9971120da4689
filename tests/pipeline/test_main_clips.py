"""Clips of the main stream are ordered, forgone and drawn; the work itself is in tests/whole."""

import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.builders import points_at

from calmstreet.clock import FakeClock
from calmstreet.config.node import load_node
from calmstreet.model.site import Mask
from calmstreet.pipeline import main_clips
from calmstreet.pipeline.live_camera import live_camera
from calmstreet.pipeline.main_clips import MainClips
from calmstreet.pipeline.main_filming import Forgone, clip_size_px, of_sub
from calmstreet.pipeline.scribe import Scribe, trail_drawing
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.proof import prove_folder
from calmstreet.store.segments import SegmentName
from calmstreet.units import NS_PER_S
from calmstreet.video.main_stream import MainStream

CONFIG = '[[camera]]\nid = "north"\nurl = "file:sub.mp4"\nmain_url = "rtsp://10.0.0.4/main"\n'
NAME = SegmentName(camera_id="north", purpose="event", start_ns=0, run_id=1, event_id="a" * 16)


class Silent:
    """A camera that has not answered yet."""

    info = None
    dropped = 0

    def next(self, timeout_s: float) -> None:
        return None

    def decode(self, packet: Any) -> list[Any]:
        return []

    def close(self) -> None:
        return None


class Made:
    """The main clips of a camera whose main stream says nothing."""

    def __init__(self, home: Path, *, records: bool = True) -> None:
        (home / "results").mkdir()
        config = home / "calmstreet.toml"
        config.write_text(CONFIG, encoding="utf-8")
        camera = live_camera(load_node(config), "north", config=config, environ={})
        assert camera.main is not None
        with Catalogue.open(camera.folder, create=True) as catalogue:
            prove_folder(catalogue, camera_id="north")
        clock = FakeClock()
        stream = MainStream(address=camera.main, clock=clock, open_stream=lambda _: Silent())
        self.said: list[dict[str, Any]] = []
        self.stop = threading.Event()
        self.clips = MainClips(
            camera=camera,
            stream=stream,
            net=None,
            clock=clock,
            stop=self.stop,
            tell=lambda **fields: self.said.append(fields),
        )
        self.scribe = Scribe(folder=camera.folder, turn=home / "turn")
        self.clips.open(self.scribe, lambda: records)

    def order(self, times: int = 1) -> list[str]:
        """Order clips; return why they stayed those of the sub-stream."""
        for _ in range(times):
            self.clips.order(NAME, until_ns=10 * NS_PER_S, steps=[])
        self.clips.close()
        self.scribe.close()
        assert {row["cut_from"] for row in self.said} <= {"sub"}
        return [row["reason"] for row in self.said]


def test_without_packets_the_clip_stays_that_of_the_sub_stream(tmp_path: Path) -> None:
    made = Made(tmp_path)
    assert made.order() == ["gone"]
    figures = made.clips.figures()
    assert (figures["main_clips"], figures["main_not"]) == (0, {"gone": 1})
    assert figures["main_offset_s"] is None


def test_nothing_is_written_where_the_disk_is_gone(tmp_path: Path) -> None:
    made = Made(tmp_path)
    shutil.rmtree(tmp_path / "results" / "north")
    assert made.order() == ["disk"]
    assert list((tmp_path / "results").iterdir()) == []


def test_where_recording_is_shed_no_clip_is_made(tmp_path: Path) -> None:
    assert Made(tmp_path, records=False).order() == ["shed"]


def test_more_than_can_be_made_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = threading.Event()

    def waiting(self: MainClips, *_: Any) -> None:
        free.wait(20.0)
        raise Forgone("gone")

    monkeypatch.setattr(MainClips, "_make", waiting)
    made = Made(tmp_path)
    for _ in range(main_clips.MOST_WAITING):
        made.clips.order(NAME, until_ns=NS_PER_S, steps=[])
    made.clips.order(NAME, until_ns=NS_PER_S, steps=[])
    free.set()
    assert sorted(made.order(0)) == ["busy", "gone", "gone"]


def test_a_stop_gives_up_what_is_on_its_way(tmp_path: Path) -> None:
    made = Made(tmp_path)
    made.stop.set()
    assert made.order() == ["stopped"]


def test_masks_lie_in_the_main_picture_as_in_the_other(tmp_path: Path) -> None:
    made = Made(tmp_path)
    made.order(0)
    mask = Mask(camera_id="north", polygon_px=((0.0, 0.0), (320.0, 0.0), (320.0, 240.0)))
    site = made.clips._site
    site = type(site)(**{n: getattr(site, n) for n in site.__slots__} | {"masks": (mask,)})
    moved = of_sub(site, from_px=(640, 480), to_px=(1920, 1080))
    assert moved.masks[0].polygon_px == ((0.0, 0.0), (960.0, 0.0), (960.0, 540.0))


@pytest.mark.parametrize("size", [(1920, 1080), (2560, 1920), (1080, 1920), (704, 576), (640, 360)])
def test_a_clip_has_720_lines_at_most_and_is_not_enlarged(size: tuple[int, int]) -> None:
    (width, height), _, _ = clip_size_px(*size, has_net=True)
    assert height <= 720
    assert width <= size[0]
    assert width / height == pytest.approx(size[0] / size[1], rel=0.01)
    assert max(clip_size_px(*size, has_net=False)[0]) <= 665


def test_ways_are_not_drawn_across_a_cut_between_two_runs() -> None:
    t_ns = np.arange(12, dtype=np.int64) * (NS_PER_S // 10)
    feet = np.stack([np.linspace(20, 130, 12), np.full(12, 80.0)], axis=1)
    rows = [points_at(t_ns[k : k + 1], feet[k : k + 1], run_id=1 + k // 6) for k in range(12)]
    steps = list(rows)
    bgr = np.zeros((96, 160, 3), np.uint8)
    trail_drawing(steps, int(t_ns[-1]), scale=1.0)(bgr)
    assert bgr.any()
    assert not bgr[:, :60].any()
