"""A film watched as a live camera: what analyse finds is found, nothing lost, nobody shown."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.video.clips import a_clip
from tests.whole.line import gate, watched
from tests.whole.road import X264, Block, a_film, even_times, picture_at

from calmstreet.clock import FakeClock
from calmstreet.config.node import load_node
from calmstreet.errors import PrivacyError, StoreError
from calmstreet.pipeline.closing import Judged, judge_waiting
from calmstreet.pipeline.live_camera import live_camera
from calmstreet.pipeline.watch import watch_camera
from calmstreet.store.accounting import accounted, exposures_s
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.live import read_live
from calmstreet.store.parts import Parts
from calmstreet.store.space import Space
from calmstreet.units import NS_PER_S, from_iso
from calmstreet.video.blur import Blur

START = "2026-05-01T08:00:00+00:00"
FILM_S = 11.04
BLOCKS = (
    Block(at_s=3.0),
    Block(at_s=5.5, speed_px_s=-70.0, foot_px=120.0, grey=35),
    Block(at_s=8.0, speed_px_s=-60.0, foot_px=65.0, grey=225),
)
SITE = """
[site]
id = "road"
tz = "Asia/Almaty"

[[camera]]
id = "kerb"

[[gate]]
id = "middle"
points_px = [[160, 179], [160, 20]]

[[zone]]
id = "near-lane"
kind = "lane"
direction_deg = 90
polygon_px = [[0, 80], [320, 80], [320, 150], [0, 150]]
"""


class StoppingClock(FakeClock):
    """A clock whose time passes at once and that ends the watch at an instant."""

    def __init__(self, *, stop: threading.Event, ends_s: float) -> None:
        super().__init__(start_ns=from_iso(START))
        self._stop_event, self._ends_s = stop, ends_s

    def wait(self, stop: threading.Event, duration_s: float) -> bool:
        if self.monotonic_s() >= self._ends_s:
            self._stop_event.set()
        return super().wait(stop, duration_s)


@dataclass(slots=True, kw_only=True)
class Node:
    """One camera of a node, its folder, and what its process said."""

    home: Path
    film: Path
    said: list[dict[str, Any]] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        return self.home / "results" / "kerb"

    def watch(self, *, for_s: float, cut_s: float = 900.0, **camera: Any) -> None:
        """Watch the film over and over for so long, by a clock that does not wait."""
        self.configure(**camera)
        stop = threading.Event()
        config = self.home / "calmstreet.toml"
        watch_camera(
            live_camera(load_node(config), "kerb", config=config, environ={}),
            stop=stop,
            clock=StoppingClock(stop=stop, ends_s=for_s),
            tell=lambda **fields: self.said.append(fields),
            cut_s=cut_s,
        )

    def configure(self, **camera: Any) -> None:
        keys = {"detector": "motion", "audit_windows_per_hour": 0, **camera}
        lines = [f"{key} = {value!r}".replace("'", '"') for key, value in keys.items()]
        (self.home / "results").mkdir(exist_ok=True)
        (self.home / "SITE.toml").write_text(SITE, encoding="utf-8")
        (self.home / "calmstreet.toml").write_text(
            f'[[camera]]\nid = "kerb"\nsite = "SITE.toml"\nurl = "file:{self.film}?loop=1"\n'
            + "\n".join(lines),
            encoding="utf-8",
        )

    def judge(self) -> list[Judged]:
        with Catalogue.open(self.folder) as catalogue:
            return judge_waiting(catalogue)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Node:
    """Return a node that watched a film three times, cut in the middle of nothing, and judged."""
    home = tmp_path_factory.mktemp("node")
    node = Node(home=home, film=a_film(home / "v.mp4", BLOCKS, duration_s=FILM_S))
    node.watch(for_s=2.5 * FILM_S)
    node.judge()
    return node


@pytest.fixture(scope="module")
def analysed(made: Node) -> dict[str, Any]:
    """Return the summary of the same film through analyse."""
    out = made.home / "analysed"
    words = (made.film, "--site", made.home / "SITE.toml", "--out", out, "--start", START)
    return watched(*words, "--video", "none")


def test_every_pass_counts_as_analyse_does(made: Node, analysed: dict[str, Any]) -> None:
    with Catalogue.open(made.folder) as catalogue:
        runs = catalogue.runs()
        passes = [catalogue.crossings([run.run_id]) for run in runs]
        bins = sum(len(part) for part in catalogue.bins([run.run_id for run in runs]))
    left, right = gate(analysed)
    assert (left, right) == (1, 2) or (left, right) == (2, 1)
    for found in passes[:2]:
        counted = found["direction"][found["counted"].astype(bool)].tolist()
        assert (counted.count("to_left"), counted.count("to_right")) == (left, right)
    assert bins > 0


@pytest.mark.usefixtures("analysed")
def test_times_of_crossings_are_those_of_the_film(made: Node) -> None:
    with Catalogue.open(made.folder) as catalogue, Catalogue.open(made.home / "analysed") as other:
        first = catalogue.runs()[0]
        (run,) = other.runs()
        live_ns = catalogue.crossings([first.run_id])["t_ns"] - first.start_ns
        film_ns = other.crossings([run.run_id])["t_ns"] - run.start_ns
    assert live_ns.tolist() == film_ns.tolist()


@pytest.mark.usefixtures("analysed")
def test_events_are_told_at_once_and_are_those_of_the_judgement(made: Node) -> None:
    told = [line for line in made.said if "event" in line]
    assert {line["kind"] for line in told} == {"wrong-way"}
    with Catalogue.open(made.folder) as catalogue, Catalogue.open(made.home / "analysed") as other:
        events = catalogue.events([run.run_id for run in catalogue.runs()])
        known = other.events([run.run_id for run in other.runs()])
    assert {event.event_id for event in events} == {line["event_id"] for line in told}
    assert len(known) == 1
    assert events[0].values == known[0].values


def test_the_desk_finds_the_clip_of_an_event(made: Node) -> None:
    with Catalogue.open(made.folder) as catalogue:
        event = catalogue.events([run.run_id for run in catalogue.runs()])[0]
        clips = catalogue.segments("kerb", purposes=("event",), event_id=event.event_id)
    (clip,) = clips
    assert clip.start_ns < event.start_ns < clip.end_ns
    assert clip.expires_ns is None, "its age and its camera's retention decide"
    assert (made.folder / clip.path).stat().st_size == clip.size_bytes


def test_every_second_is_accounted_for(made: Node) -> None:
    end_ns = from_iso(START) + round(2.5 * FILM_S * NS_PER_S)
    with Catalogue.open(made.folder) as catalogue:
        found = accounted(catalogue, "kerb", start_ns=from_iso(START), end_ns=end_ns)
    assert found.share == pytest.approx(1.0, abs=0.001)
    assert found.gap_s < 1.0


def test_the_newest_picture_is_shown(made: Node) -> None:
    at_ns = from_iso(START) + round(2.5 * FILM_S * NS_PER_S)
    picture = read_live(made.folder, "kerb", now_ns=at_ns)
    assert picture is not None
    assert at_ns - picture.t_ns < 3 * NS_PER_S


def test_a_cut_loses_no_passage(tmp_path: Path) -> None:
    blocks = (Block(at_s=2.5), Block(at_s=11.0, speed_px_s=-70.0, grey=225))
    node = Node(home=tmp_path, film=a_film(tmp_path / "v.mp4", blocks, duration_s=14.0))
    node.watch(for_s=13.5, cut_s=2.0, record="none")
    judged = node.judge()
    assert len(judged) == 2
    assert [line for line in node.said if line.get("alarm")] == []
    assert [run.crossings for run in judged] == [1, 1]
    with Catalogue.open(node.folder) as catalogue:
        runs = catalogue.runs()
    assert all(a.end_ns == b.start_ns for a, b in pairwise(runs))


def test_a_second_start_accounts_for_the_pause(made: Node, tmp_path: Path) -> None:
    node = Node(home=tmp_path, film=made.film)
    node.watch(for_s=4.0, record="none")
    node.watch(for_s=4.0, record="none")
    assert [line["recovered"] for line in node.said if "recovered" in line] == ["kerb", "kerb"]
    with Catalogue.open(node.folder) as catalogue:
        runs = catalogue.runs(live=False)
    assert [run.state for run in runs] == ["complete", "complete"]


def failing(self: Blur, *_: Any) -> Any:
    raise PrivacyError("injected")


def test_what_cannot_be_blurred_is_written_nowhere(
    made: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Blur, "update", failing)
    monkeypatch.setattr(Blur, "flush", failing)
    node = Node(home=tmp_path, film=made.film)
    node.watch(for_s=10.5, record="continuous", purpose="a test")
    last = [line for line in node.said if "beat" in line][-1]
    assert last["blur_failures"] >= 100
    assert last["clips"] == 0
    assert not list(node.folder.rglob("*.mp4*"))
    assert not list(node.folder.rglob("*.live"))
    judged = node.judge()
    assert judged[0].crossings > 0


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda text: text.replace('id = "kerb"', 'id = "other"', 1), "is not in SITE.toml"),
        (lambda text: text.replace("file:", "gopher:"), "must begin with rtsp"),
    ],
)
def test_a_camera_that_cannot_be_watched_says_why(
    made: Node, tmp_path: Path, change: Callable[[str], str], says: str
) -> None:
    from calmstreet.errors import InputError

    node = Node(home=tmp_path, film=made.film)
    node.configure()
    config = tmp_path / "calmstreet.toml"
    config.write_text(change(config.read_text(encoding="utf-8")), encoding="utf-8")
    settings = load_node(config)
    with pytest.raises(InputError, match=says):
        live_camera(settings, settings.camera[0].id, config=config, environ={})


@pytest.mark.slow
def test_a_camera_that_left_its_preset_is_told_until_it_is_back(tmp_path: Path) -> None:
    times = even_times(90.0, fps=6.0)

    def picture(i: int) -> NDArray[np.uint8]:
        seen = picture_at(times[i], (Block(at_s=3.0), Block(at_s=30.0), Block(at_s=80.0)))
        away = 14.0 <= times[i] < 46.0
        return np.ascontiguousarray(seen[::-1, ::-1]) if away else seen

    film = a_clip(tmp_path / "v.mp4", times_s=times, picture=picture, options=X264)
    node = Node(home=tmp_path, film=film)
    node.watch(for_s=89.0, record="none", analysed_fps=6)
    node.judge()
    with Catalogue.open(node.folder) as catalogue:
        (gap,) = [g for g in catalogue.gaps("kerb") if g.reason == "left-preset"]
        (run,) = catalogue.runs()
        exposure = exposures_s(catalogue, "kerb", start_ns=run.start_ns, end_ns=run.end_ns)
        found = catalogue.crossings([run.run_id])
    away_s = ((gap.start_ns - run.start_ns) / NS_PER_S, (gap.end_ns - run.start_ns) / NS_PER_S)
    assert away_s == pytest.approx((14.0, 46.0), abs=2.0)
    assert gap.affects == "counts+speeds+conflicts"
    lasted_s = (run.end_ns - run.start_ns) / NS_PER_S
    assert exposure["counts"] == pytest.approx(lasted_s - gap.duration_s)
    counted_s = (found["t_ns"][found["counted"].astype(bool)] - run.start_ns) / NS_PER_S
    assert counted_s.tolist() == pytest.approx([3.0, 80.0], abs=0.3)
    last = [line for line in node.said if "beat" in line][-1]
    assert not last["moved"], "it is back"


def test_points_that_cannot_be_written_are_told_within_two_beats(
    made: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = Node(home=tmp_path, film=made.film)
    append, refused_at = Parts.append, []

    def refuses(self: Parts, *rows: Any) -> None:
        beats = sum("beat" in line for line in node.said)
        if 3 <= beats < 8:
            refused_at.append(len(node.said))
            raise StoreError("points cannot be written (Input/output error); check the disk")
        append(self, *rows)

    monkeypatch.setattr(Parts, "append", refuses)
    node.watch(for_s=10.5, record="none")
    told = next(i for i, line in enumerate(node.said) if "alarm" in line)
    before = node.said[refused_at[0] : told]
    assert sum("beat" in line for line in before) <= 2, "a beat is a second"
    assert "Input/output error" in node.said[told]["note"]
    with Catalogue.open(node.folder) as catalogue:
        (run,) = catalogue.runs(live=False)
        assert not [g for g in catalogue.gaps("kerb") if g.reason == "disk-full"]
    node.judge()
    with Catalogue.open(node.folder) as catalogue:
        steps = sum(file.rows for file in catalogue.step_files(run.run_id))
    assert steps == run.analysed_frames, "what waited in memory is there"


def test_a_disk_that_fills_costs_video_and_nothing_else(
    made: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = Node(home=tmp_path, film=made.film)

    def space(folder: Path) -> Space:
        beats = sum("beat" in line for line in node.said)
        return Space(free_bytes=0 if 3 <= beats < 6 else 10**9, total_bytes=10**10)

    monkeypatch.setattr("calmstreet.store.space.space_of", space)
    node.watch(for_s=10.5, record="continuous", purpose="a test")
    assert [line["reason"] for line in node.said if "alarm" in line] == ["disk-full"]
    with Catalogue.open(node.folder) as catalogue:
        (gap,) = [g for g in catalogue.gaps("kerb") if g.reason == "disk-full"]
        (run,) = catalogue.runs(live=False)
    assert gap.affects == "pictures"
    assert gap.duration_s == pytest.approx(3.0, abs=0.5)
    assert (run.end_ns - run.start_ns) / NS_PER_S > 10
