"""Minutes with a real camera to which something happens every few seconds, each accounted for."""

import gc
import os
import random
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.camera_clips import a_camera_clip, drawn
from tests.faults.rtsp_server import RtspServer

from calmstreet.clock import SystemClock
from calmstreet.model.frame import Frame
from calmstreet.model.gap import NEW_RUN_S, Gap
from calmstreet.units import NS_PER_S
from calmstreet.video.address import parse_address
from calmstreet.video.live_source import LiveSource, Moment

_WARM_S = 30.0


@dataclass(slots=True, kw_only=True)
class BadDay:
    """What was seen: faults that happened, gaps by reason, and what must not have been."""

    faults: Counter[str] = field(default_factory=Counter)
    gaps: Counter[str] = field(default_factory=Counter)
    frames: int = 0
    accounted_share: float = 0.0
    silence_s: float = 0.0
    untold_gaps: int = 0
    ahead_of_time: int = 0
    more_descriptors: int = 0

    @property
    def is_held(self) -> bool:
        """Return whether every bar was held."""
        wrong = self.untold_gaps + self.ahead_of_time + max(0, self.more_descriptors - 2)
        return abs(self.accounted_share - 1.0) < 1e-3 and self.silence_s < 2.0 and not wrong

    def __str__(self) -> str:
        return (
            f"{self.faults.total()} faults {dict(self.faults)}, gaps {dict(self.gaps)}, "
            f"{self.frames} frames; accounted time {100 * self.accounted_share:.3f} %; never "
            f"without a word for over {self.silence_s:.1f} s; {self.untold_gaps} untold gaps, "
            f"{self.ahead_of_time} frames ahead of time, {self.more_descriptors} descriptors more"
        )


class Mischief:
    """Does something to a camera every 8 to 16 s, by a seed."""

    def __init__(
        self, camera: RtspServer, clips: Sequence[Path], *, stop: threading.Event, seed: int
    ) -> None:
        self._camera = camera
        self._clips = clips
        self._stop = stop
        self._random = random.Random(seed)
        self.done: Counter[str] = Counter()

    def run(self) -> None:
        """Go on until told to stop."""
        while not self._stop.wait(self._random.uniform(8, 16)):
            what = self._random.choice(["kill", "hang", "blink", "other size", "restart"])
            self.done[what] += 1
            if what in {"hang", "blink"}:
                self._camera.freeze()
                self._stop.wait(1.5 if what == "blink" else self._random.uniform(0.3, 9))
                self._camera.thaw()
                continue
            self._camera.kill()
            if what == "kill":
                self._stop.wait(self._random.uniform(0.3, 9))
            if what == "other size":
                self._camera.clip = self._random.choice(self._clips)
            self._camera.start()


def bad_day(work: Path, *, lasting_s: float, seed: int) -> BadDay:
    """Watch a camera in real time while things happen to it; return what was seen."""
    clips = [
        a_camera_clip(work / f"{width}.mp4", drawn(250, width=width), repeats=60)
        for width in (160, 320)
    ]
    clock, stop = SystemClock(), threading.Event()
    with RtspServer(clip=clips[0]) as camera:
        mischief = Mischief(camera, clips, stop=stop, seed=seed)
        thread = threading.Thread(target=mischief.run)
        source = LiveSource(
            address=parse_address(camera.url()), camera_id="north", stop=stop, clock=clock
        )
        thread.start()
        day = _watched(source, stop, clock, lasting_s)
        thread.join()
    day.faults = mischief.done
    return day


def _watched(
    source: LiveSource, stop: threading.Event, clock: SystemClock, lasting_s: float
) -> BadDay:
    day, descriptors = BadDay(), -1
    began_ns, began_s = clock.now_ns(), clock.monotonic_s()
    said_s, last_ns, told_ns, whole = began_s, began_ns, 0, False
    for moment in source.moments():
        now_s = clock.monotonic_s()
        day.silence_s, said_s = max(day.silence_s, now_s - said_s), now_s
        if isinstance(moment, Gap):
            day.gaps[moment.reason] += 1
        start_ns, end_ns = _span(moment, last_ns, whole)
        told_ns += end_ns - start_ns
        day.untold_gaps += isinstance(moment, Frame) and end_ns - start_ns > NEW_RUN_S * NS_PER_S
        day.ahead_of_time += isinstance(moment, Frame) and moment.t_ns > clock.now_ns()
        day.frames += isinstance(moment, Frame)
        whole = isinstance(moment, Frame) or (whole and not isinstance(moment, Gap))
        last_ns = max(last_ns, end_ns)
        if descriptors < 0 and now_s - began_s > _WARM_S:
            descriptors = _descriptors()
        if now_s - began_s > lasting_s:
            stop.set()
    day.accounted_share = told_ns / (clock.now_ns() - began_ns)
    day.more_descriptors = _descriptors() - descriptors if descriptors >= 0 else 0
    return day


def _span(moment: Moment, last_ns: int, whole: bool) -> tuple[int, int]:
    """Return which time a moment accounts for: a gap its own, a frame since the last of its run."""
    if isinstance(moment, Gap):
        return moment.start_ns, moment.end_ns
    if isinstance(moment, Frame):
        return (last_ns if whole else moment.t_ns), moment.t_ns
    return last_ns, last_ns


def _descriptors() -> int:
    gc.collect()
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208
