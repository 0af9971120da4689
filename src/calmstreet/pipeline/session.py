"""One analysis on its way: files become frames, frames become runs, and a video is kept."""

import threading
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import Path

import numpy as np

from calmstreet.errors import StoreError, VideoError
from calmstreet.model.run import Run
from calmstreet.perception.detector import Detector
from calmstreet.perception.lamp import LampReader
from calmstreet.pipeline import warned
from calmstreet.pipeline.anchoring import reference_street, shifted_notes
from calmstreet.pipeline.ending import end_watch, judge_ended
from calmstreet.pipeline.eyes import detector_version
from calmstreet.pipeline.keeping import Keeper
from calmstreet.pipeline.pictures import keep_background
from calmstreet.pipeline.planes import camera_plane, length_alarm
from calmstreet.pipeline.planning import KEPT_S, Plan, Request
from calmstreet.pipeline.progress import Progress
from calmstreet.pipeline.seeing import Seer, first_look, in_the_dark
from calmstreet.pipeline.watching import Watch
from calmstreet.report.texts import texts
from calmstreet.store.catalogue import Catalogue, SourceFile
from calmstreet.store.findings import Warned
from calmstreet.store.folder import StoredFile, sha256_of
from calmstreet.units import NS_PER_S, ns_from_s
from calmstreet.video.recorder import ClipWriter
from calmstreet.video.source import FileSource, SourceStats
from calmstreet.video.timeline import GAP_S, Placed

__all__ = ["Session"]

LONGEST_S = 1e8


@dataclass(slots=True, kw_only=True)
class Session:
    """One analysis on its way: the runs it makes and the video it keeps."""

    request: Request
    plan: Plan
    net: Detector | None
    catalogue: Catalogue
    progress: Progress
    stop: threading.Event = field(default_factory=threading.Event)
    run_ids: list[int] = field(default_factory=list)
    _writer: ClipWriter | None = None
    _watch: Watch | None = None
    _run: Run | None = None
    _notes: list[Warned] = field(default_factory=list)
    _done_s: float = 0.0
    _left_s: float = 0.0
    _kept_px: tuple[int, int] | None = None

    def watch_all(self) -> list[int]:
        """Watch every placed file; return the ids of the runs."""
        self._left_s = min(KEPT_S[self.request.video], LONGEST_S)
        self._writer = ClipWriter(path=self._video_path) if self._left_s else None
        try:
            for placed in self.plan.placed:
                if not self.stop.is_set():
                    self._watch_file(placed)
            self._end_run()
        except BaseException:
            self.discard()
            raise
        if not self.run_ids and self.stop.is_set():
            raise KeyboardInterrupt
        if not self.run_ids:
            raise VideoError("no picture of the videos lies in a time that was not counted before")
        return self.run_ids

    def discard(self) -> None:
        """Throw away the runs and the video of an analysis that failed."""
        if self._writer is not None:
            self._writer.discard()
        if self._watch is not None:
            self._watch.points.leave()
        with suppress(StoreError):
            self.catalogue.forget_unpublished()

    def put_video(self) -> None:
        """Give the kept video its name, in place of an older one."""
        final = self.request.out / "tracks.mp4"
        if self._writer is not None and self._writer.close() is not None:
            self._video_path.replace(final)
            self.catalogue.save_segment(self.run_ids[0], _kept(self._writer, final))
        elif self.request.video == "none":
            final.unlink(missing_ok=True)

    @property
    def _video_path(self) -> Path:
        return self.request.out / ".tracks.new.mp4"

    def _watch_file(self, placed: Placed) -> None:
        source = FileSource(
            path=placed.path, camera_id=self.plan.camera_id, start_ns=placed.start_ns
        )
        fed = False
        for frame in source.frames():
            if self.stop.is_set():
                break
            if frame.t_ns < placed.from_ns or self.plan.is_taken(frame.t_ns):
                continue
            if self._needs_new_run(frame.t_ns, frame.width_px, frame.height_px):
                self._end_run()
                self._begin_run(placed, frame.t_ns, frame.width_px, frame.height_px)
            assert self._watch is not None
            self._watch.take(frame)
            fed = True
            self._tell(placed, frame.t_ns)
        if fed:
            self._note_file(source.stats, placed)
        self._done_s += (placed.end_ns - placed.start_ns) / NS_PER_S

    def _note_file(self, stats: SourceStats, placed: Placed) -> None:
        """Take over into the run what is known only after a file was read."""
        assert self._run is not None
        run = self._run
        self._notes += warned.of_file(stats, placed.path.name)
        if placed.note and "overlap" in placed.note:
            self._notes.append(warned.warn("overlap-dropped", note=placed.note))
        self._run = replace(
            run,
            state="partial" if stats.partial or self.stop.is_set() else run.state,
            delivered_fps=stats.delivered_fps if np.isnan(run.delivered_fps) else run.delivered_fps,
            note="; ".join(note for note in (run.note, placed.note, stats.note) if note),
        )

    def _needs_new_run(self, t_ns: int, width_px: int, height_px: int) -> bool:
        run, watch = self._run, self._watch
        if run is None or watch is None:
            return True
        if (run.width_px, run.height_px) != (width_px, height_px):
            return True
        return t_ns - watch.tally.last_ns > ns_from_s(GAP_S)

    def _begin_run(self, placed: Placed, t_ns: int, width_px: int, height_px: int) -> None:
        plan, size = self.plan, (width_px, height_px)
        site = plan.site.of_camera(plan.camera_id)
        self.catalogue.save_site(plan.site, plan.site_text)
        run = Run(
            run_id=0,
            camera_id=plan.camera_id,
            site_version=plan.site.site_version,
            source=placed.path.name,
            start_ns=t_ns,
            end_ns=t_ns,
            state="open",
            time_known=placed.time_known,
            width_px=width_px,
            height_px=height_px,
            declared_fps=plan.fps[placed.path],
            delivered_fps=float("nan"),
            detector=detector_version(self.net),
        )
        run = replace(run, run_id=self.catalogue.new_run(run, files=self._files(placed)))
        self._run = replace(run, state="complete")
        self.run_ids.append(run.run_id)
        found = camera_plane(plan.site, plan.camera_id, width_px=width_px, height_px=height_px)
        self._notes += found.notes
        samples, background = first_look(placed.path, width_px)
        self._watch = Watch(
            catalogue=self.catalogue,
            run=run,
            seer=Seer(
                site=site,
                run=run,
                net=self.net,
                samples=samples,
                net_every=self.request.net_every,
                dark_net_every=in_the_dark(self.request.net_every),
                analysed_fps=self.request.analysed_fps,
                plane=found.plane,
                reference=reference_street(self.catalogue, run, site, self.request.site),
            ),
            keeper=self._keeper(t_ns, *size),
            lamps=LampReader(site.signals, width_px=width_px, height_px=height_px),
        )
        keep_background(self.catalogue, run, site, background, self.net)

    def _files(self, first: Placed) -> list[SourceFile]:
        """Return a file and those that follow it without a gap."""
        later = self.plan.placed[self.plan.placed.index(first) + 1 :]
        together = [first, *takewhile(lambda placed: not placed.new_run, later)]
        return [
            SourceFile(
                name=str(placed.path.resolve()),
                size_bytes=placed.path.stat().st_size,
                start_ns=placed.start_ns,
                note=placed.note,
            )
            for placed in together
        ]

    def _keeper(self, t_ns: int, width_px: int, height_px: int) -> Keeper:
        self._kept_px = self._kept_px or (width_px, height_px)
        until_ns = t_ns + ns_from_s(self._left_s)
        kept = self._left_s > 0 and self._kept_px == (width_px, height_px)
        return Keeper(
            site=self.plan.site.of_camera(self.plan.camera_id),
            camera_id=self.plan.camera_id,
            width_px=width_px,
            height_px=height_px,
            writer=self._writer if kept else None,
            until_ns=until_ns,
            words=texts(self.request.lang).kinds(),
        )

    def _end_run(self) -> None:
        if self._run is None or self._watch is None:
            return
        watch, tally = self._watch, self._watch.tally
        ended = end_watch(self.catalogue, self._run, watch, net=self.net)
        self._left_s -= (tally.last_ns - tally.first_ns) / NS_PER_S
        run = ended.run
        flow = judge_ended(self.catalogue, run, self.plan.site, watch.seer.plane)
        notes = [*self._notes, *ended.notes, *shifted_notes(watch.seer.anchorage.shifts(), flow)]
        notes += length_alarm(flow.crossings)
        if self.stop.is_set():
            notes.append(warned.warn("interrupted"))
        self.catalogue.save_warnings(run.run_id, notes)
        self._run, self._watch, self._notes = None, None, []

    def _tell(self, placed: Placed, t_ns: int) -> None:
        here_s = (t_ns - placed.start_ns) / NS_PER_S
        share = (self._done_s + here_s) / max(self.plan.duration_s, 1e-3)
        self.progress("analysing", min(0.999, share))


def _kept(writer: ClipWriter, path: Path) -> StoredFile:
    """Return what the catalogue keeps of the video of an analysis."""
    return StoredFile(
        content="segments",
        path=path.name,
        camera_id="",
        run_id=0,
        rows=writer.pictures,
        start_ns=writer.first_ns or 0,
        end_ns=writer.last_ns or 0,
        size_bytes=path.stat().st_size,
        sha256=sha256_of(path),
    )
