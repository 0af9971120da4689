"""Keeps a node's cameras watched: one process each, started again when it dies or falls silent.

Cameras and their sites may change while the node runs: what changed is started again, the others
go on; a calmstreet.toml that cannot be used changes nothing and is told. Ended runs are judged by a
process of low priority, one at a time. The supervisor itself holds nothing that must survive it:
when it is killed its children end by themselves, because their standard input ends.
"""

import os
import queue
import sys
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

from calmstreet.clock import Clock
from calmstreet.config.node import NodeFile
from calmstreet.errors import CalmstreetError, StoreError
from calmstreet.pipeline.child import Child
from calmstreet.pipeline.lines import read_line, tell_line
from calmstreet.pipeline.live_camera import LiveCamera, live_cameras
from calmstreet.pipeline.metrics import MetricsServer, metrics_text
from calmstreet.pipeline.node_health import HEALTH_NAME, write_health
from calmstreet.pipeline.places import enter_place, is_there
from calmstreet.pipeline.room_watch import RoomWatch
from calmstreet.store.folder import CATALOGUE_NAME
from calmstreet.units import to_iso

__all__ = ["Supervisor"]

TICK_S = 0.2
SILENT_S = 20.0
STARTING_S = 120.0
ALONE_S = 8.0
STOP_S = 20.0
JUDGE_S = 3600.0
JUDGE_EVERY_S = 10.0
AFTER_FAULT_S = 60.0
CHANGED_S = 2.0
HEALTH_S = 2.0
TIDY_S = 600.0
STEADY_S = 60.0
LONGEST_REST_S = 60.0

Say = Callable[..., None]


@dataclass(slots=True, kw_only=True)
class _Post:
    """One camera with the process that watches it."""

    camera: LiveCamera
    child: Child | None = None
    row: dict[str, Any] = field(default_factory=dict)
    heard_s: float = 0.0
    due_s: float = 0.0
    rest_s: float = 1.0
    restarts: int = 0
    begun: bool = False
    ended: bool = False


class Supervisor:
    """Supervises the cameras of one calmstreet.toml. ``run`` returns when ``stop`` is set.

    ``once`` ends it when every file has been played and every run judged. Raises ConfigError with
    every fault where the file cannot be used at the start.
    """

    def __init__(
        self,
        *,
        config: Path,
        clock: Clock,
        stop: Event,
        reload: Event | None = None,
        environ: Mapping[str, str] | None = None,
        say: Say | None = None,
        once: bool = False,
    ) -> None:
        self._config, self._clock, self._stop, self._once = config, clock, stop, once
        self._reload = reload or Event()
        self._environ = dict(os.environ if environ is None else environ)
        self._said = say
        self._lines: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        self._settings, cameras = live_cameras(config, environ=self._environ)
        self._posts = {camera.id: _Post(camera=camera) for camera in cameras}
        self._leaving: list[Child] = []
        self._waiting: deque[str] = deque(camera.id for camera in cameras)
        self._judge: Child | None = None
        self._judged_s = float("-inf")
        self._tidier: Child | None = None
        self._tidied_s = clock.monotonic_s()
        self._seen = self._stamps()
        self._looked_s = self._told_s = float("-inf")
        self._broken = ""
        self._metrics: MetricsServer | None = None
        self._room = RoomWatch(folders=self._folders, say=self.say, clock=clock)

    @property
    def metrics_port(self) -> int:
        """Return the port of the figures, 0 for none."""
        return self._metrics.port if self._metrics else 0

    @property
    def pids(self) -> dict[str, int]:
        """Return the process of each camera that is being watched."""
        return {
            name: post.child.pid for name, post in self._posts.items() if post.child is not None
        }

    def run(self) -> None:
        """Watch until told to stop; then let everybody end in peace."""
        if self._settings.node.metrics_port:
            self._metrics = MetricsServer(port=self._settings.node.metrics_port, text=self.metrics)
        self.say("info", says="the node is watched", cameras=sorted(self._posts))
        self._room.begin()
        try:
            while not self._stop.is_set() and not (self._once and self._is_over()):
                self.tick()
                self._clock.wait(self._stop, TICK_S)
        finally:
            self._end()

    def tick(self) -> None:
        """Do what is due."""
        now_s = self._clock.monotonic_s()
        self._hear(now_s)
        for post in self._posts.values():
            self._tend(post, now_s)
        self._leaving = [child for child in self._leaving if not self._gone(child, now_s)]
        self._tend_judge(now_s)
        self._tend_tidier(now_s)
        if now_s - self._looked_s >= CHANGED_S or self._reload.is_set():
            self._looked_s = now_s
            self._look_for_changes()
        if now_s - self._told_s >= HEALTH_S:
            self._told_s = now_s
            self._tell_health()

    def say(self, level: str, **fields: Any) -> None:
        """Write a line to the log, on standard error unless the node was given another way."""
        line = {"time": to_iso(self._clock.now_ns(), "UTC"), "level": level, **fields}
        if self._said is not None:
            self._said(**line)
        else:
            tell_line(sys.stderr, **line)

    # Cameras

    def _hear(self, now_s: float) -> None:
        while True:
            try:
                source, text = self._lines.get_nowait()
            except queue.Empty:
                return
            fields = read_line(text)
            post = self._posts.get(source)
            if fields is None or post is None:
                self.say("warning", camera=source, says=text[:500])
                continue
            post.heard_s = now_s
            if "beat" in fields and not post.begun:
                post.begun = True
                self._prove(post.camera)
            if "beat" in fields:
                post.row = fields
            else:
                level = "warning" if fields.keys() & {"alarm", "failure", "shed"} else "info"
                self.say(level, camera=source, **fields)
            if "closed" in fields and source not in self._waiting:
                self._waiting.append(source)

    def _tend(self, post: _Post, now_s: float) -> None:
        child = post.child
        if child is None:
            if not post.ended and now_s >= post.due_s and not self._is_starting(now_s):
                self._start(post, now_s)
            return
        code = child.code()
        if code is None:
            silent_s = now_s - post.heard_s
            if silent_s > (SILENT_S if post.begun else STARTING_S):
                self.say("error", camera=post.camera.id, says="silent, killed", seconds=silent_s)
                child.kill()
            elif now_s - child.since_s > STEADY_S:
                post.rest_s = 1.0
            return
        child.close()
        post.child = None
        self._waiting.append(post.camera.id)
        played = post.camera.address.is_file and not post.camera.address.loop
        if code == 0 and played:
            post.ended = True
            self.say("info", camera=post.camera.id, says="the file was played")
            return
        post.due_s, post.restarts = now_s + post.rest_s, post.restarts + 1
        self.say("error", camera=post.camera.id, says="ended", code=code, again_in_s=post.rest_s)
        post.rest_s = min(post.rest_s * 2, LONGEST_REST_S)

    def _is_starting(self, now_s: float) -> bool:
        """Return whether a process is still loading: two at once would slow those that watch."""
        children = [post.child for post in self._posts.values() if not post.begun and post.child]
        return any(now_s - child.since_s < ALONE_S for child in children)

    def _start(self, post: _Post, now_s: float) -> None:
        camera = post.camera
        if not self._prove(camera):
            post.due_s = now_s + LONGEST_REST_S
            return
        post.child = self._child("watch", camera.id, lines=self._lines)
        post.heard_s, post.begun, post.row = now_s, False, {}

    def _prove(self, camera: LiveCamera) -> bool:
        """Return whether a camera's folder is where it was, and not an empty place to mount."""
        try:
            enter_place(self._settings, self._config, camera.id)
        except StoreError as error:
            self.say("error", camera=camera.id, says=str(error))
            return False
        return True

    def _child(
        self, module: str, name: str, *, lines: "queue.SimpleQueue[tuple[str, str]] | None"
    ) -> Child:
        words = ["--config", str(self._config)]
        if module != "tidying":
            words += ["--camera", name]
        return Child(
            module=f"calmstreet.pipeline.{module}",
            words=words,
            name=name,
            lines=self._lines if lines is None else lines,
            environ=self._environ_of(name if module == "watch" else ""),
            since_s=self._clock.monotonic_s(),
        )

    def _environ_of(self, camera_id: str) -> dict[str, str]:
        """Return the environment of a process: of the cameras' addresses only its own."""
        secret = {name for camera in self._settings.camera for name in camera.secrets}
        own = {name for c in self._settings.camera if c.id == camera_id for name in c.secrets}
        return {k: v for k, v in self._environ.items() if k not in secret or k in own}

    def _gone(self, child: Child, now_s: float) -> bool:
        if child.code() is None:
            if now_s - child.asked_s > STOP_S:
                child.kill()
            return False
        child.close()
        self._waiting.append(child.name)
        return True

    # Judging and tidying

    def _tend_judge(self, now_s: float) -> None:
        if self._judge is not None:
            if self._judge.code() is None:
                if now_s - self._judge.since_s > JUDGE_S:
                    self._judge.kill()
                return
            if self._judge.code() != 0:
                self._judged_s = now_s + AFTER_FAULT_S
                self._waiting.append(self._judge.name)
            self._judge.close()
            self._judge = None
        if self._waiting and now_s - self._judged_s >= JUDGE_EVERY_S:
            name = self._waiting.popleft()
            if (self._folder(name) / CATALOGUE_NAME).is_file():
                self._judged_s = now_s
                self._judge = self._child("closing", name, lines=None)

    def _folders(self) -> dict[str, Path]:
        return {name: post.camera.folder for name, post in list(self._posts.items())}

    def _folder(self, name: str) -> Path:
        return self._config.resolve().parent / self._settings.node.results / name

    def _tend_tidier(self, now_s: float) -> None:
        if self._tidier is not None:
            if self._tidier.code() is None:
                return
            self._tidier.close()
            self._tidier = None
        if now_s - self._tidied_s >= TIDY_S:
            self._tidied_s = now_s
            self._tidier = self._child("tidying", "node", lines=None)

    # Changes of the configuration

    def _stamps(self) -> dict[str, tuple[int, int]]:
        found = {}
        files = [post.camera.site_file for post in self._posts.values()]
        for path in (self._config, *files):
            if path is not None:
                with suppress(OSError):
                    state = path.stat()
                    found[str(path)] = (state.st_mtime_ns, state.st_size)
        return found

    def _look_for_changes(self) -> None:
        stamps = self._stamps()
        if stamps == self._seen and not self._reload.is_set():
            return
        self._reload.clear()
        self._seen = stamps
        try:
            settings, cameras = live_cameras(self._config, environ=self._environ)
        except CalmstreetError as error:
            self._broken = str(error)
            self.say("error", says="the new settings cannot be used, the old ones stay",
                     faults=self._broken.splitlines())  # fmt: skip
            return
        self._broken = ""
        self._take_over(settings, cameras)
        self._seen = self._stamps()

    def _take_over(self, settings: NodeFile, cameras: list[LiveCamera]) -> None:
        self._settings = settings
        wanted = {camera.id: camera for camera in cameras}
        for name in [name for name in self._posts if name not in wanted]:
            self._let_go(self._posts.pop(name))
            self.say("info", camera=name, says="not watched any more")
        for name, camera in wanted.items():
            post = self._posts.get(name)
            if post is None:
                self._posts[name] = _Post(camera=camera)
                self.say("info", camera=name, says="watched from now on")
            elif post.camera.version != camera.version:
                post.camera, post.ended, post.rest_s = camera, False, 1.0
                if post.child is not None:
                    post.child.ask_to_stop(self._clock.monotonic_s())
                self.say("info", camera=name, says="its settings changed, it starts again")

    def _let_go(self, post: _Post) -> None:
        if post.child is not None:
            post.child.ask_to_stop(self._clock.monotonic_s())
            self._leaving.append(post.child)

    # Health

    def _rows(self) -> dict[str, dict[str, Any]]:
        return {
            name: {
                **post.row,
                "up": int(post.child is not None),
                "watching": int(post.row.get("state") == "watching" and post.child is not None),
                "shedding": int(bool(post.row.get("shed"))),
                "restarts": post.restarts,
            }
            for name, post in self._posts.items()
        }

    def metrics(self) -> str:
        """Return the figures of the node as Prometheus text."""
        node = {
            "waiting_judgements": len(self._waiting),
            "broken_settings": int(bool(self._broken)),
            "disk_full": int(self._room.troubled),
        }
        return metrics_text(node, self._rows())

    def _tell_health(self) -> None:
        """Write the health, unless the disk of the results is gone: not beside where it was."""
        if not is_there(self._settings, self._config):
            return
        place = self._config.resolve().parent / self._settings.node.results / HEALTH_NAME
        with suppress(OSError):
            write_health(
                place, t_ns=self._clock.now_ns(), cameras=self._rows(), broken=self._broken
            )

    # The end

    def _is_over(self) -> bool:
        ended = all(post.ended for post in self._posts.values())
        return ended and not self._waiting and self._judge is None

    def _end(self) -> None:
        """Ask everybody to stop and wait for it; runs that wait are judged at the next start."""
        now_s = self._clock.monotonic_s()
        children = [post.child for post in self._posts.values() if post.child] + self._leaving
        for child in children:
            child.ask_to_stop(now_s)
        children += [child for child in (self._judge, self._tidier) if child is not None]
        for child in children:
            child.end(STOP_S)
        self._hear(self._clock.monotonic_s())
        self._tell_health()
        self._room.close()
        if self._metrics is not None:
            self._metrics.close()
        self.say("info", says="the node has stopped")
