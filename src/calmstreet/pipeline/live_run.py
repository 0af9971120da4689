"""The runs of a live camera: begun, cut so that they can be judged, ended; every second accounted.

A run is cut at the first step without a moving road user after a quarter of an hour, at the latest
after an hour; the eyes keep their street. What lies between the end of one run and the beginning
of the next is a gap with a reason; where it is shorter than a gap, the first run lasts until then.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from calmstreet.config.site import check_frame
from calmstreet.errors import StoreError
from calmstreet.model.event import Event
from calmstreet.model.frame import Frame
from calmstreet.model.gap import NEW_RUN_S, Gap
from calmstreet.model.kinds import Flag
from calmstreet.model.points import TrackPoints
from calmstreet.model.run import Run
from calmstreet.perception.detector import Detector
from calmstreet.perception.lamp import LampReader
from calmstreet.pipeline.anchoring import reference_street
from calmstreet.pipeline.closing import newest_paths
from calmstreet.pipeline.ending import end_watch
from calmstreet.pipeline.exposure import Exposure
from calmstreet.pipeline.eyes import detector_version
from calmstreet.pipeline.live_camera import LiveCamera
from calmstreet.pipeline.live_pictures import LivePictures
from calmstreet.pipeline.live_rules import LiveRules
from calmstreet.pipeline.live_street import LiveStreet, file_samples, street_sample
from calmstreet.pipeline.planes import camera_plane
from calmstreet.pipeline.preset import preset_gaps
from calmstreet.pipeline.seeing import Seer
from calmstreet.pipeline.shedding import Effort
from calmstreet.pipeline.watching import Watch
from calmstreet.store.accounting import watched_until_ns
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.upkeep import close_open_runs
from calmstreet.units import ns_from_s

__all__ = ["CUT_S", "LONGEST_S", "LiveRuns"]

CUT_S = 900.0
LONGEST_S = 3600.0
EMPTY_S = 2.0
AGAIN_S = 5.0
AT_ONCE = 2
REMEMBERED_S = 120.0
FLUSH_S = 1.0


@dataclass(slots=True, kw_only=True)
class _Open:
    """The run on its way."""

    run: Run
    watch: Watch
    rules: LiveRules
    exposure: Exposure
    busy_ns: int = 0
    told_ns: dict[str, int] = field(default_factory=dict)

    def is_news(self, event: Event, t_ns: int) -> bool:
        """Return whether to keep the newest word of an event that goes on; now and then it is."""
        known_ns = self.told_ns.get(event.event_id)
        news = known_ns is None or t_ns - known_ns >= ns_from_s(AGAIN_S)
        if news:
            self.told_ns[event.event_id] = t_ns
        return news


class LiveRuns:
    """Begins, cuts and ends the runs of one camera.

    ``tell`` is told of every provisional event, and whether it is a new one that was stored.
    ``known_ns`` is until when every second is accounted for.
    """

    def __init__(
        self,
        *,
        camera: LiveCamera,
        catalogue: Catalogue,
        net: Detector | None,
        pictures: LivePictures,
        effort: Effort,
        known_ns: int,
        tell: Callable[[Event, bool], None],
        cut_s: float = CUT_S,
        longest_s: float = LONGEST_S,
    ) -> None:
        self.known_ns = known_ns
        self.begun = self.ended = 0
        self._camera, self._catalogue, self._net = camera, catalogue, net
        self._pictures, self._effort, self._tell = pictures, effort, tell
        self._cut_ns, self._longest_ns = ns_from_s(cut_s), ns_from_s(longest_s)
        self._street = LiveStreet(catalogue=catalogue, site=camera.site, net=net)
        self._seer: Seer | None = None
        self._size_px = (0, 0)
        self._seen_ns = 0
        self._left_open = False
        self._open: _Open | None = None

    @property
    def run(self) -> Run | None:
        """Return the run on its way."""
        return self._open.run if self._open else None

    @property
    def watch(self) -> Watch | None:
        """Return the watch of the run on its way."""
        return self._open.watch if self._open else None

    @property
    def seer(self) -> Seer | None:
        """Return the eyes, which outlive a run."""
        return self._seer

    @property
    def held_s(self) -> float:
        """Return for how long the rows of the run on its way have been waiting for the disk."""
        return self._open.watch.points.held_s if self._open else 0.0

    def take(self, frame: Frame) -> None:
        """Take a frame of the run on its way; cut it first where it is time."""
        if self._due(frame.t_ns):
            self.end("complete", until_ns=frame.t_ns, cut=True)
            self.begin(frame, declared_fps=float("nan"), reason="")
        now = self._open
        assert now is not None
        self._street.take(frame)
        looked = now.watch.tally.analysed
        now.watch.take(frame)
        now.exposure.update(
            frame.t_ns, wanted=now.watch.tally.analysed - looked, repeated=frame.repeated
        )
        self._ask_rules(now)

    def _ask_rules(self, now: _Open) -> None:
        told, now.watch.told = now.watch.told, []
        lamps = now.watch.lamps
        settled_ns = lamps.settled_ns if lamps is not None else 0
        for event in now.rules.ready(told, settled_ns=settled_ns):
            new = event.event_id not in now.told_ns
            if now.is_news(event, now.watch.tally.last_ns):
                self._catalogue.save_events(now.run.run_id, [event])
            self._tell(event, new)
        for event in now.rules.near_misses():
            self._tell(event, False)

    def wait(self) -> None:
        """Look at what waits and bring it to the disk: nothing comes at the moment."""
        if self._open is not None:
            self._open.watch.look_now()
            self._open.watch.points.flush()
            self._ask_rules(self._open)

    def spare(self, effort: Effort) -> None:
        """Look less, or more again."""
        self._effort = effort
        if self._seer is not None:
            self._seer.spare(net_every=effort.net_every, analysed_fps=effort.analysed_fps)
        if self._open is not None:
            self._open.exposure.effort(effort)

    # Beginning

    def begin(self, frame: Frame, *, declared_fps: float, reason: str) -> None:
        """Begin a run with a frame; ``reason`` says why nothing was watched since the last one.

        Raises StoreError when the disk refuses.
        """
        camera, size_px = self._camera, (frame.width_px, frame.height_px)
        check_frame(camera.site, camera.id, *size_px)
        if self._left_open:
            close_open_runs(self._catalogue, camera.id)
            self._left_open = False
        self._catalogue.save_site(camera.site, camera.site_text)
        run = self._new_run(frame, declared_fps)
        found = camera_plane(
            camera.site, camera.id, width_px=frame.width_px, height_px=frame.height_px
        )
        self.account(frame.t_ns, reason)
        known = self._seer is not None and self._size_px == size_px
        if known and 0 < frame.t_ns - self._seen_ns <= ns_from_s(REMEMBERED_S):
            assert self._seer is not None
            self._seer.follow(run)
        else:
            self._size_px = size_px
            self._seer = self._new_seer(run)
        self._pictures.run_id = run.run_id
        exposure = Exposure(
            camera_id=camera.id, plane=found.plane, wanted=self._pictures.recording.wanted
        )
        exposure.effort(self._effort)
        rules = LiveRules(run=run, site=camera.site, paths=newest_paths(camera.folder))
        self._open = _Open(
            run=replace(run, state="complete"),
            watch=self._new_watch(run, self._seer, rules),
            rules=rules,
            exposure=exposure,
            busy_ns=frame.t_ns,
        )
        self._street.begin(run)
        self.begun += 1

    def _new_run(self, frame: Frame, declared_fps: float) -> Run:
        run = Run(
            run_id=0,
            camera_id=self._camera.id,
            site_version=self._camera.site.site_version,
            source=self._camera.address.redacted,
            start_ns=frame.t_ns,
            end_ns=frame.t_ns,
            state="open",
            time_known="given",
            width_px=frame.width_px,
            height_px=frame.height_px,
            declared_fps=declared_fps,
            delivered_fps=float("nan"),
            detector=detector_version(self._net),
        )
        return replace(run, run_id=self._catalogue.new_run(run))

    def _new_seer(self, run: Run) -> Seer:
        camera = self._camera
        plane = camera_plane(
            camera.site, camera.id, width_px=run.width_px, height_px=run.height_px
        ).plane
        return Seer(
            site=camera.site.of_camera(camera.id),
            run=run,
            net=self._net,
            samples=self._first_samples(run),
            net_every=self._effort.net_every,
            analysed_fps=self._effort.analysed_fps,
            plane=plane,
            reference=reference_street(self._catalogue, run, camera.site, camera.site_file),
        )

    def _first_samples(self, run: Run) -> NDArray[np.uint8] | None:
        if self._camera.address.is_file:
            return file_samples(self._camera.address)
        return street_sample(self._catalogue, run, self._camera.site, self._camera.site_file)

    def _new_watch(self, run: Run, seer: Seer, rules: LiveRules) -> Watch:
        site = self._camera.site.of_camera(self._camera.id)

        def step(t_ns: int, points: TrackPoints) -> None:
            rules.add(t_ns, points)
            if self._open is not None and (points.flags & Flag.PARKED == 0).any():
                self._open.busy_ns = t_ns

        return Watch(
            catalogue=self._catalogue,
            run=run,
            seer=seer,
            keeper=self._pictures,
            lamps=LampReader(site.signals, width_px=run.width_px, height_px=run.height_px),
            at_once=AT_ONCE,
            durable=True,
            flush_s=FLUSH_S,
            on_step=step,
        )

    def _due(self, t_ns: int) -> bool:
        """Return whether the run is to be cut before this frame."""
        now = self._open
        assert now is not None
        lasted_ns = t_ns - now.run.start_ns
        empty = t_ns - now.busy_ns > ns_from_s(EMPTY_S)
        return lasted_ns >= self._longest_ns or (lasted_ns >= self._cut_ns and empty)

    # Ending

    def end(
        self, state: str, *, until_ns: int = 0, cut: bool = False, forget: bool = False
    ) -> None:
        """End the run on its way, if any; it lasts until ``until_ns`` where that is near.

        A ``cut`` goes on at once; ``forget`` lets the eyes forget their street, which they do by
        themselves after a longer pause. Raises StoreError when the disk refuses; the run is then
        left to ``recover``.
        """
        for event in self._open.rules.last_near_misses() if self._open else ():
            self._tell(event, False)
        now, self._open = self._open, None
        if now is None:
            return
        try:
            self._finish(now, state, until_ns)
        except StoreError:
            self._left_open = True
            now.watch.points.drop()
            with suppress(StoreError):
                now.watch.points.leave()
            stored_ns = watched_until_ns(self._catalogue, replace(now.run, state="open"))
            self.known_ns = max(self.known_ns, stored_ns)
            raise
        finally:
            self._seen_ns = now.watch.tally.last_ns
            if not cut:
                self._pictures.finish()
            if forget:
                self._seer = None

    def _finish(self, now: _Open, state: str, until_ns: int) -> None:
        now.watch.look_now()
        last_ns = max(now.watch.tally.last_ns, now.run.start_ns)
        near = 0 <= until_ns - last_ns <= ns_from_s(NEW_RUN_S)
        end_ns = until_ns if near else last_ns
        self._catalogue.save_events(now.run.run_id, now.rules.close(now.watch.told))
        for gap in now.exposure.close(end_ns):
            self._catalogue.save_gap(gap)
        self._street.end()
        run = replace(now.run, state=state, end_ns=end_ns)
        ended = end_watch(self._catalogue, run, now.watch, net=self._net)
        self._catalogue.save_warnings(run.run_id, ended.notes)
        shifts = now.watch.seer.shifts_since(run.start_ns)
        for gap in preset_gaps(shifts, run, self._camera.site):
            self._catalogue.save_gap(gap)
        self.known_ns = max(self.known_ns, end_ns)
        self.ended += 1

    # Accounting

    def declare(self, gap: Gap) -> None:
        """Keep a gap that the source told; what lies before it unaccounted for is part of it."""
        if gap.affects == "all":
            gap = replace(gap, start_ns=min(gap.start_ns, max(self.known_ns, 0)))
        self._catalogue.save_gap(gap)
        if gap.affects == "all":
            self.known_ns = max(self.known_ns, gap.end_ns)

    def account(self, t_ns: int, reason: str) -> None:
        """Account for the time from the last thing known until an instant."""
        if t_ns > self.known_ns:
            gap = Gap(
                camera_id=self._camera.id,
                start_ns=self.known_ns,
                end_ns=t_ns,
                reason=reason or "starting",
            )
            self._catalogue.save_gap(gap)
        self.known_ns = max(self.known_ns, t_ns)
