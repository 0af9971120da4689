"""The loop of one live camera: moments in; runs, events, clips, gaps and beats of the heart out.

At most ten hops lie between camera and screen: source, eyes, tracker, ground, points, rules, blur,
ring, scribe, live picture.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from calmstreet.clock import Clock
from calmstreet.errors import CalmstreetError, StoreError
from calmstreet.model.event import Event
from calmstreet.model.frame import Frame
from calmstreet.model.gap import NEW_RUN_S, Gap
from calmstreet.model.kept import BlurredFrame
from calmstreet.model.points import TrackPoints
from calmstreet.perception.detector import Detector
from calmstreet.pipeline.disk_pause import DiskPause
from calmstreet.pipeline.lines import tell_line
from calmstreet.pipeline.live_camera import LiveCamera
from calmstreet.pipeline.live_health import Health
from calmstreet.pipeline.live_pictures import LivePictures
from calmstreet.pipeline.live_run import LiveRuns
from calmstreet.pipeline.main_clips import MainClips
from calmstreet.pipeline.picture_state import PictureState
from calmstreet.pipeline.process_figures import process_figures
from calmstreet.pipeline.recording import Recording
from calmstreet.pipeline.scribe import Scribe
from calmstreet.pipeline.shedding import Load, efforts, spacing_s
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.live import save_live
from calmstreet.store.proof import prove_folder
from calmstreet.store.space import least_bytes, space_of
from calmstreet.store.upkeep import close_open_runs
from calmstreet.units import NS_PER_S, ns_from_s
from calmstreet.video.live_source import LiveStats, Moment, Waiting

__all__ = ["CameraWatch", "Source", "Tell"]

BEAT_S = 1.0
RETRY_S = 2.0
HELD_S = 30.0
GRACE_S = 15.0
KEYFRAMES_S = 10.0
_ANOTHER_PICTURE = frozenset({"stream-jump", "clock-step", "size-changed", "codec-changed"})
_OURS = frozenset({"disk-full", "frozen", "obscured"})
"""Why we do not watch though pictures come: what the source tells meanwhile is another matter."""


class Source(Protocol):
    """Where moments come from: ``LiveSource``, or a script in a test."""

    keyframes_only: bool

    @property
    def stats(self) -> LiveStats:
        """Return what the camera delivers at this moment."""
        ...

    def moments(self) -> Any:
        """Yield frames, gaps and words of waiting until stopped."""
        ...


Tell = Callable[..., None]


@dataclass(slots=True, kw_only=True)
class CameraWatch:
    """Watches one camera. ``run`` returns when the source ends or was told to stop.

    ``known_ns`` is until when every second is accounted for; ``tell`` writes a line to whoever
    supervises; ``turn`` is the file at whose lock the scribes of the node queue.
    """

    camera: LiveCamera
    catalogue: Catalogue
    source: Source
    clock: Clock
    net: Detector | None
    known_ns: int
    turn: Path
    tell: Tell = tell_line
    cut_s: float = 900.0
    longest_s: float = 3600.0
    main: MainClips | None = None
    health: Health = field(init=False)
    runs: LiveRuns = field(init=False)
    recording: Recording = field(init=False)
    _scribe: Scribe = field(init=False)
    _pictures: LivePictures = field(init=False)
    _load: Load = field(init=False)
    _disk: DiskPause = field(init=False)
    _state: PictureState = field(default_factory=PictureState)
    _reason: str = "starting"
    _beat_s: float = float("-inf")
    _retry_s: float = float("-inf")
    _alarmed_s: float = float("-inf")
    _connected_s: float = float("inf")
    _busy_s: float = 0.0
    _worst_lag_s: float = 0.0
    _dropped: int = 0
    _looked: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        camera, settings = self.camera, self.camera.settings
        self.health = Health(camera_id=camera.id)
        self._scribe = Scribe(folder=camera.folder, turn=self.turn)
        self.recording = Recording(camera=settings, scribe=self._scribe, main=self.main)
        self._pictures = LivePictures(
            site=camera.site.of_camera(camera.id),
            camera_id=camera.id,
            recording=self.recording,
            show=self._show,
            failed=self._blur_failed,
        )
        self._load = Load(
            efforts(
                net_every=settings.net_every,
                analysed_fps=settings.analysed_fps,
                has_net=self.net is not None,
                records=self.recording.wanted,
            )
        )
        self.runs = LiveRuns(
            camera=camera,
            catalogue=self.catalogue,
            net=self.net,
            pictures=self._pictures,
            effort=self._load.effort,
            known_ns=self.known_ns,
            tell=self._event,
            cut_s=self.cut_s,
            longest_s=self.longest_s,
        )
        self._disk = DiskPause(
            camera_id=camera.id,
            folder=camera.folder,
            clock=self.clock,
            alarm=self._alarm,
            declare=self.runs.declare,
        )

    def run(self) -> None:
        """Watch until the source ends; whatever happens, what was seen is stored."""
        state = "partial"
        try:
            moments = self.source.moments()
            for moment in self.main.beside(moments) if self.main else moments:
                begun_s = self.clock.monotonic_s()
                self._take(moment)
                self._busy_s += self.clock.monotonic_s() - begun_s
                self._beat()
            state = "complete"
        finally:
            self._leave(state)

    def _take(self, moment: Moment) -> None:
        try:
            if isinstance(moment, Frame):
                self._frame(moment)
            elif isinstance(moment, Gap):
                self._gap(moment)
            else:
                self._wait(moment)
        except StoreError as error:
            self._refused(error)

    # Moments

    def _frame(self, frame: Frame) -> None:
        self.health.frames += 1
        self.health.frame_ns = frame.t_ns
        blind = self._state.update(frame.t_ns, frame.luma)
        if blind:
            self._because(blind, frame.t_ns)
            self._end("complete", reason=blind, forget=True)
            self.health.idle("blind", blind)
            return
        if self.clock.monotonic_s() < self._retry_s:
            return
        if self._needs_new_run(frame):
            self._end("complete", reason=self._reason, until_ns=frame.t_ns)
            if not self._begin(frame):
                return
        if self._comes_too_late(frame):
            self.health.passed_over += 1
            return
        self.runs.take(frame)
        self._worst_lag_s = max(self._worst_lag_s, self._lag_s(frame))

    def _lag_s(self, frame: Frame) -> float:
        return (self.clock.now_ns() - frame.t_ns) / NS_PER_S

    def _comes_too_late(self, frame: Frame) -> bool:
        """Return whether to pass over a frame because we are late and have just looked at one."""
        apart_s = spacing_s(self._lag_s(frame))
        watch = self.runs.watch
        if not apart_s or watch is None or not watch.tally.frames:
            return False
        return frame.t_ns - watch.tally.last_ns < ns_from_s(apart_s)

    def _needs_new_run(self, frame: Frame) -> bool:
        run, watch = self.runs.run, self.runs.watch
        if run is None or watch is None:
            return True
        pause_ns = frame.t_ns - max(watch.tally.last_ns, run.start_ns)
        same = (run.width_px, run.height_px) == (frame.width_px, frame.height_px)
        return not same or not 0 <= pause_ns <= self._longest_pause_ns()

    def _longest_pause_ns(self) -> int:
        """Return how far apart two pictures of one run may be; keyframes are seconds apart."""
        return ns_from_s(KEYFRAMES_S if self._load.effort.keyframes_only else NEW_RUN_S)

    def _begin(self, frame: Frame) -> bool:
        """Begin a run; return False where the picture does not fit the site or the disk is full."""
        space = space_of(self.camera.folder)
        if space.free_bytes < least_bytes(space):
            raise StoreError(f"the disk of {self.camera.folder} is full; free it")
        prove_folder(self.catalogue, camera_id=self.camera.id)
        close_open_runs(self.catalogue, self.camera.id)
        try:
            self.runs.begin(frame, declared_fps=self.source.stats.declared_fps, reason=self._reason)
        except CalmstreetError as error:
            if isinstance(error, StoreError):
                raise
            self._reason, self._retry_s = "size-changed", self.clock.monotonic_s() + RETRY_S
            self.health.idle("waiting", self._reason, str(error))
            self.tell(alarm=self.camera.id, reason=self._reason, note=str(error))
            return False
        self.health.runs += 1
        self.health.watching(self.runs.run.run_id if self.runs.run else 0)
        self._reason = ""
        return True

    def _gap(self, gap: Gap) -> None:
        if gap.affects == "all":
            self._because(gap.reason, gap.start_ns)
        if gap.demands_new_run:
            forget = gap.reason in _ANOTHER_PICTURE
            self._end("complete", reason=gap.reason, until_ns=gap.start_ns, forget=forget)
        now_s = self.clock.monotonic_s()
        if gap.reason == "overload" and self._is_settled(now_s) and self._load.overrun(now_s):
            self._spare()
        self.health.gap(gap.reason, gap.duration_s)
        self.tell(gap=self.camera.id, reason=gap.reason, seconds=gap.duration_s, note=gap.note)
        self.runs.declare(gap)

    def _wait(self, waiting: Waiting) -> None:
        self.health.idle("waiting", waiting.reason, waiting.note)
        if waiting.t_ns - waiting.since_ns > self._longest_pause_ns():
            self._because(waiting.reason, waiting.since_ns)
            self._end("complete", reason=waiting.reason)
        else:
            self.runs.wait()

    def _because(self, reason: str, from_ns: int) -> None:
        """Where we have not been watching, account for the time before another reason began."""
        if self.runs.run is None and self._reason in _OURS and reason != self._reason:
            self.runs.account(from_ns, self._reason)

    def _end(self, state: str, *, reason: str, until_ns: int = 0, forget: bool = False) -> None:
        """End the run on its way; ``reason`` is why what follows is not watched."""
        run = self.runs.run
        self._reason = reason or self._reason
        if run is None:
            return
        self.runs.end(state, until_ns=until_ns, forget=forget)
        self.tell(closed=self.camera.id, run_id=run.run_id)

    def _refused(self, error: StoreError) -> None:
        """Go on without the disk: rows wait in memory for a while, then the run ends."""
        self.health.store_failures += 1
        if self.runs.run is not None and self.runs.held_s < HELD_S:
            self._alarm(str(error))
            return
        with suppress(StoreError):
            self._end("partial", reason="disk-full")
        self._reason, self._retry_s = "disk-full", self.clock.monotonic_s() + RETRY_S
        self.health.idle("paused", "disk-full", str(error))
        self._alarm(str(error))

    def _alarm(self, note: str) -> None:
        now_s = self.clock.monotonic_s()
        if now_s - self._alarmed_s >= RETRY_S:
            self._alarmed_s = now_s
            self.tell(alarm=self.camera.id, reason="disk-full", note=note)

    # What is told and shown

    def _event(self, event: Event, new: bool) -> None:
        run = self.runs.run
        if run is not None:
            self.recording.event(event, run_id=run.run_id)
        if new:
            self.health.events += 1
            self.tell(
                event=self.camera.id, kind=event.kind, event_id=event.event_id,
                severity=event.severity, start_ns=event.start_ns,
            )  # fmt: skip

    def _show(self, picture: BlurredFrame, rows: TrackPoints) -> None:
        save_live(
            self.camera.folder, picture,
            box_px=rows.box_px, kind=rows.kind, track_id=rows.track_id, note=self.health.shed,
        )  # fmt: skip

    def _blur_failed(self, t_ns: int) -> None:
        self.health.blur_failures += 1
        gap = Gap(
            camera_id=self.camera.id, start_ns=t_ns, end_ns=t_ns,
            reason="blur-failed", affects="pictures",
        )  # fmt: skip
        self.catalogue.save_gap(gap)

    # The beat

    def _beat(self) -> None:
        now_s = self.clock.monotonic_s()
        passed_s = now_s - self._beat_s
        if passed_s < BEAT_S:
            return
        self._beat_s = now_s
        stats, health = self.source.stats, self.health
        health.busy_share = self._busy_s / passed_s
        health.lag_s, self._busy_s, self._worst_lag_s = self._worst_lag_s, 0.0, 0.0
        dropped, self._dropped = stats.dropped - self._dropped, stats.dropped
        changed = self._is_settled(now_s) and self._load.update(
            now_s, lag_s=health.lag_s, busy_share=health.busy_share, dropped=dropped
        )
        silent_s = (self.clock.now_ns() - health.frame_ns) / NS_PER_S
        if self._load.effort.keyframes_only and stats.connected and silent_s > KEYFRAMES_S:
            changed |= self._load.without_keyframes()
        if changed:
            self._spare()
        self._ask_disk()
        self._measure(passed_s)
        self.tell(**health.row(stats, now_ns=self.clock.now_ns()), **process_figures())

    def _ask_disk(self, *, ends: bool = False) -> None:
        room = self._disk.has_room(ends=ends)
        self.recording.records = self._load.effort.records and room

    def _is_settled(self, now_s: float) -> bool:
        """Return whether lateness says anything: not while everything has just begun."""
        if not self.source.stats.connected:
            return False
        self._connected_s = min(self._connected_s, now_s)
        return now_s - self._connected_s >= GRACE_S

    def _spare(self) -> None:
        effort = self._load.effort
        self.source.keyframes_only = effort.keyframes_only
        self.runs.spare(effort)
        self.health.shed = effort.shed
        self.tell(shed=self.camera.id, effort=effort.shed or "everything again")

    def _measure(self, passed_s: float) -> None:
        health, watch, said = self.health, self.runs.watch, self._scribe.stats
        run_id, before = self._looked
        if watch is not None and watch.run.run_id == run_id:
            health.analysed_fps = (watch.tally.analysed - before) / passed_s
            health.analysed += watch.tally.analysed - before
        self._looked = (watch.run.run_id, watch.tally.analysed) if watch else (0, 0)
        health.net_every = self._load.effort.net_every
        health.clips, health.clip_pictures = said.segments, said.pictures
        health.clip_pictures_dropped, health.clip_failures = said.dropped, said.failed
        health.main = self.recording.main_figures()
        if watch is not None:
            minutes = watch.light.minutes()
            health.light = minutes[-1][2] if minutes else ""
            health.moved = bool(watch.seer.moved)

    def _leave(self, state: str) -> None:
        """End everything; what follows until the next start is a stop."""
        with suppress(StoreError):
            self._because("stopped", self.clock.now_ns())
            self._end(state, reason="stopped")
        self._ask_disk(ends=True)
        self._pictures.finish()
        self.recording.close()
        self._scribe.close()
        now_ns = self.clock.now_ns()
        if now_ns > self.runs.known_ns:
            reason = self._reason or "stopped"
            gap = Gap(
                camera_id=self.camera.id, start_ns=self.runs.known_ns, end_ns=now_ns, reason=reason
            )
            with suppress(StoreError):
                self.runs.declare(gap)
        self._measure(BEAT_S)
        row = self.health.row(self.source.stats, now_ns=now_ns)
        self.tell(**row, **process_figures())
