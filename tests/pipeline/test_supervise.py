"""The supervisor: patient with the dying, hard on the silent; old settings stay, secrets too."""

import json
import queue
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from calmstreet.clock import FakeClock
from calmstreet.errors import ConfigError
from calmstreet.pipeline import supervise, watch
from calmstreet.pipeline.supervise import SILENT_S, STARTING_S, Supervisor

CAMERA = '[[camera]]\nid = "{0}"\nurl_env = "{1}"\nsite = "{0}.toml"\n'
SITE = '[site]\nid = "{0}"\n[[camera]]\nid = "{0}"\n'
SECRETS = {"NORTH": "rtsp://a:north-secret@10.0.0.4/x", "SOUTH": "rtsp://a:south-secret@10.0.0.5/x"}


@dataclass(slots=True, kw_only=True)
class FakeChild:
    """A process that does what a test tells it."""

    module: str
    words: list[str]
    name: str
    lines: "queue.SimpleQueue[tuple[str, str]]"
    environ: dict[str, str]
    since_s: float
    asked_s: float = float("inf")
    ended: int | None = None
    killed: bool = False
    pid: int = 1

    def code(self) -> int | None:
        return self.ended

    def ask_to_stop(self, now_s: float) -> None:
        self.asked_s = now_s
        self.ended = 0

    def kill(self) -> None:
        self.killed, self.ended = True, -9

    def end(self, longest_s: float) -> None:
        self.ended = 0 if self.ended is None else self.ended

    def close(self) -> None:
        pass

    def tell(self, **fields: Any) -> None:
        self.lines.put((self.name, json.dumps(fields)))


@dataclass(slots=True, kw_only=True)
class Node:
    """A supervisor over two cameras, with its children and its log."""

    home: Path
    clock: FakeClock = field(default_factory=FakeClock)
    stop: threading.Event = field(default_factory=threading.Event)
    made: list[FakeChild] = field(default_factory=list)
    said: list[dict[str, Any]] = field(default_factory=list)
    beating: set[str] = field(default_factory=lambda: {"north", "south"})
    supervisor: Supervisor = field(init=False)

    def __post_init__(self) -> None:
        (self.home / "results").mkdir()
        for name in ("north", "south"):
            (self.home / f"{name}.toml").write_text(SITE.format(name), encoding="utf-8")
        self.write(CAMERA.format("north", "NORTH") + CAMERA.format("south", "SOUTH"))
        self.supervisor = Supervisor(
            config=self.config,
            clock=self.clock,
            stop=self.stop,
            environ={**SECRETS, "PATH": "/bin"},
            say=lambda **line: self.said.append(line),
        )

    @property
    def config(self) -> Path:
        return self.home / "calmstreet.toml"

    def write(self, text: str) -> None:
        self.config.write_text(text, encoding="utf-8")

    def watchers(self, name: str = "") -> list[FakeChild]:
        kept = [child for child in self.made if child.module.endswith(".watch")]
        return [child for child in kept if name in ("", child.name)]

    def pass_time(self, seconds: float) -> None:
        """Let time go by; those that beat do so every second."""
        for _ in range(round(seconds)):
            for child in self.watchers():
                if child.ended is None and child.name in self.beating:
                    child.tell(beat=child.name, state="watching", delivered_fps=10.0)
            self.supervisor.tick()
            self.clock.advance(1.0)

    def says(self, words: str) -> list[dict[str, Any]]:
        return [line for line in self.said if words in json.dumps(line)]


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Node:
    made: list[FakeChild] = []

    def child(**keys: Any) -> FakeChild:
        made.append(FakeChild(**{**keys, "words": list(keys["words"])}))
        return made[-1]

    monkeypatch.setattr(supervise, "Child", child)
    return Node(home=tmp_path, made=made)


def test_every_camera_has_a_process_with_its_own_secret_alone(node: Node) -> None:
    node.pass_time(3)
    north, south = node.watchers("north")[0], node.watchers("south")[0]
    assert north.environ["NORTH"] == SECRETS["NORTH"]
    assert "SOUTH" not in north.environ
    assert "NORTH" not in south.environ
    assert "secret" not in " ".join(north.words + south.words)
    assert north.environ["PATH"] == "/bin"


def test_a_main_stream_has_its_own_secret_that_no_other_process_gets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SECRETS, "NORTH_MAIN", "rtsp://a:main-secret@10.0.0.4/main")
    made: list[FakeChild] = []

    def child(**keys: Any) -> FakeChild:
        made.append(FakeChild(**{**keys, "words": list(keys["words"])}))
        return made[-1]

    monkeypatch.setattr(supervise, "Child", child)
    node = Node(home=tmp_path, made=made)
    main = CAMERA.format("north", "NORTH") + 'main_url_env = "NORTH_MAIN"\n'
    node.write(main + CAMERA.format("south", "SOUTH"))
    node.pass_time(12)
    north, south = node.watchers("north")[-1], node.watchers("south")[-1]
    assert north.environ["NORTH_MAIN"] == SECRETS["NORTH_MAIN"]
    assert "NORTH_MAIN" not in south.environ
    assert all("main-secret" not in str(row) for row in node.said)


def test_who_dies_is_started_again_with_growing_patience(node: Node) -> None:
    node.pass_time(2)
    waits = []
    for _ in range(4):
        node.watchers("north")[-1].ended = -11
        number, begun_s = len(node.watchers("north")), node.clock.monotonic_s()
        while len(node.watchers("north")) == number:
            node.pass_time(1)
        waits.append(node.clock.monotonic_s() - begun_s)
    assert waits == sorted(waits)
    assert waits[0] <= 3
    assert waits[-1] >= 8
    assert len(node.watchers("south")) == 1


def test_patience_is_forgotten_by_a_process_that_lasts(node: Node) -> None:
    node.pass_time(2)
    for _ in range(4):
        node.watchers("north")[-1].ended = 1
        node.pass_time(12)
    node.pass_time(90)
    node.watchers("north")[-1].ended = 1
    number = len(node.watchers("north"))
    node.pass_time(4)
    assert len(node.watchers("north")) == number + 1


def test_who_falls_silent_is_killed(node: Node) -> None:
    node.pass_time(5)
    node.beating.discard("south")
    node.pass_time(SILENT_S - 2)
    assert not node.watchers("south")[0].killed
    node.pass_time(5)
    assert node.watchers("south")[0].killed
    assert not node.watchers("north")[0].killed
    assert len(node.watchers("south")) == 2


def test_who_never_speaks_is_killed_later(node: Node) -> None:
    node.beating.clear()
    node.pass_time(STARTING_S - 5)
    assert not any(child.killed for child in node.watchers())
    node.pass_time(20)
    assert len([child for child in node.watchers() if child.killed]) == 2


def test_settings_that_cannot_be_used_change_nothing_and_are_told(node: Node) -> None:
    node.pass_time(3)
    good = node.config.read_text(encoding="utf-8")
    node.write(good + '[[camera]]\nid = "north"\nurl = "file:x"\nfoo = 1\n')
    node.pass_time(5)
    (line,) = node.says("the old ones stay")
    assert any("foo is not a known key" in fault for fault in line["faults"])
    assert "calmstreet_broken_settings 1" in node.supervisor.metrics()
    assert len(node.watchers()) == 2
    assert all(child.ended is None for child in node.watchers())
    node.write(good)
    node.pass_time(5)
    assert "calmstreet_broken_settings 0" in node.supervisor.metrics()
    assert len(node.watchers()) == 2


def test_a_changed_site_starts_its_camera_again_and_no_other(node: Node) -> None:
    node.pass_time(3)
    text = SITE.format("north") + '[[gate]]\nid = "g"\npoints_px = [[1, 1], [9, 9]]\n'
    (node.home / "north.toml").write_text(text, encoding="utf-8")
    node.pass_time(6)
    assert node.watchers("north")[0].asked_s < float("inf")
    assert len(node.watchers("north")) == 2
    assert len(node.watchers("south")) == 1


def test_cameras_come_and_go_with_the_settings(node: Node) -> None:
    node.pass_time(3)
    node.write(CAMERA.format("north", "NORTH"))
    node.pass_time(6)
    assert node.watchers("south")[0].ended == 0
    assert list(node.supervisor.pids) == ["north"]
    node.write(CAMERA.format("north", "NORTH") + CAMERA.format("south", "SOUTH"))
    node.pass_time(6)
    assert sorted(node.supervisor.pids) == ["north", "south"]


def test_ended_runs_are_judged_one_camera_at_a_time(node: Node) -> None:
    for name in ("north", "south"):
        (node.home / "results" / name).mkdir()
        (node.home / "results" / name / "catalogue.sqlite").touch()
    node.pass_time(2)
    for child in node.watchers():
        child.tell(closed=child.name, run_id=1)
    node.pass_time(30)
    judges = [child for child in node.made if child.module.endswith(".closing")]
    assert len(judges) == 1
    judges[0].ended = 0
    node.pass_time(30)
    judges = [child for child in node.made if child.module.endswith(".closing")]
    assert [child.name for child in judges][:2] == ["north", "south"]
    assert "NORTH" not in judges[0].environ


def test_a_judge_that_fails_is_asked_again_later(node: Node) -> None:
    (node.home / "results" / "north").mkdir()
    (node.home / "results" / "north" / "catalogue.sqlite").touch()
    node.pass_time(12)
    judges = [child for child in node.made if child.module.endswith(".closing")]
    judges[0].ended = 1
    node.pass_time(40)
    assert len([c for c in node.made if c.module.endswith(".closing")]) == 1
    node.pass_time(40)
    assert len([c for c in node.made if c.module.endswith(".closing")]) == 2


def test_what_a_process_cries_is_told_without_its_secret(node: Node) -> None:
    node.pass_time(2)
    node.watchers("north")[0].lines.put(("north", f"Traceback: {SECRETS['NORTH']}"))
    node.watchers("north")[0].tell(alarm="north", reason="disk-full", note="full")
    node.pass_time(2)
    assert node.says("disk-full")[0]["level"] == "warning"
    health = (node.home / "results" / "node-health.json").read_text(encoding="utf-8")
    assert json.loads(health)["cameras"]["north"]["watching"] == 1
    assert "secret" not in health


def test_nothing_is_written_where_the_results_were_mounted(node: Node) -> None:
    results = node.home / "results"
    for name in ("north", "south"):
        (results / name).mkdir()
        (results / name / "catalogue.sqlite").touch()
    node.pass_time(15)
    assert (results / "node-health.json").is_file()
    results.rename(node.home / "unplugged")
    results.mkdir()
    node.watchers("north")[0].ended = 1
    node.pass_time(15)
    assert not any(results.iterdir())
    assert node.says("is its disk mounted")
    results.rmdir()
    (node.home / "unplugged").rename(results)
    (results / "node-health.json").unlink()
    node.pass_time(5)
    assert (results / "node-health.json").is_file()


def test_a_camera_does_not_begin_where_its_disk_was_mounted(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    (node.home / "results" / "north").mkdir()
    (node.home / "results" / "north" / "catalogue.sqlite").touch()
    node.pass_time(3)
    (node.home / "results" / "north").rename(node.home / "unplugged")
    monkeypatch.setenv("NORTH", SECRETS["NORTH"])
    monkeypatch.setattr(watch, "forbid_core_dumps", lambda: None)
    monkeypatch.setattr(watch, "Supervised", lambda _: Silent())
    assert watch.main(["--config", str(node.config), "--camera", "north"]) == 2
    assert not (node.home / "results" / "north").exists()


def test_who_stops_watching_leaves_no_picture(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    live = node.home / "results" / "north" / "live" / "north.live"

    def watched(*_: Any, **__: Any) -> None:
        live.parent.mkdir(parents=True)
        live.write_bytes(b"the newest picture")

    monkeypatch.setenv("NORTH", SECRETS["NORTH"])
    monkeypatch.setattr(watch, "forbid_core_dumps", lambda: None)
    monkeypatch.setattr(watch, "Supervised", lambda _: Silent())
    monkeypatch.setattr(watch, "watch_camera", watched)
    assert watch.main(["--config", str(node.config), "--camera", "north"]) == 0
    assert live.parent.is_dir()
    assert not live.exists()


class Silent:
    """Ties nobody to nothing and says nothing."""

    def tell(self, **_: Any) -> None:
        pass


def test_a_node_without_a_usable_camera_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    config = tmp_path / "calmstreet.toml"
    config.write_text(
        CAMERA.format("north", "NORTH") + CAMERA.format("south", "SOUTH"), encoding="utf-8"
    )
    with pytest.raises(ConfigError) as caught:
        Supervisor(config=config, clock=FakeClock(), stop=threading.Event(), environ={})
    assert len(caught.value.faults) == 2
