"""Watching a live source to its end, and accounting for every second of it."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.faults.hostile import Connection, ScriptedCamera

from calmstreet.clock import FakeClock
from calmstreet.model.frame import Frame
from calmstreet.model.gap import NEW_RUN_S, Gap
from calmstreet.units import NS_PER_S
from calmstreet.video.address import parse_address
from calmstreet.video.live_source import LiveSource, Moment, Waiting
from calmstreet.video.live_stats import LiveStats

START_NS = 1_700_000_000 * NS_PER_S
Doing = Callable[[FakeClock], None]


@dataclass(slots=True, kw_only=True)
class Watched:
    """What came out of a source, and when by the monotonic clock."""

    moments: list[Moment] = field(default_factory=list)
    seen_s: list[float] = field(default_factory=list)
    calls_s: list[float] = field(default_factory=list)
    stats: LiveStats
    began_ns: int
    lasted_s: float

    @property
    def frames(self) -> list[Frame]:
        return [moment for moment in self.moments if isinstance(moment, Frame)]

    @property
    def gaps(self) -> list[Gap]:
        return [moment for moment in self.moments if isinstance(moment, Gap)]

    @property
    def reasons(self) -> list[str]:
        """Return the reasons of the gaps, the start and the stop left out."""
        return [gap.reason for gap in self.gaps if gap.reason not in {"starting", "stopped"}]

    @property
    def waits(self) -> list[Waiting]:
        return [moment for moment in self.moments if isinstance(moment, Waiting)]

    def accounted_share(self) -> float:
        """Return which share of the wall time lies in runs or in declared gaps."""
        total_ns, last_ns, broken = 0, self.began_ns, True
        for moment in self.moments:
            if isinstance(moment, Gap):
                total_ns += moment.end_ns - moment.start_ns
                last_ns, broken = moment.end_ns, True
            elif isinstance(moment, Frame):
                if not broken:
                    assert moment.t_ns - last_ns <= NEW_RUN_S * NS_PER_S, "a silent gap"
                    total_ns += moment.t_ns - last_ns
                last_ns, broken = moment.t_ns, False
        return total_ns / (self.lasted_s * NS_PER_S)

    def silence_s(self) -> float:
        """Return the longest time in which the source said nothing at all."""
        return max((b - a for a, b in zip(self.seen_s, self.seen_s[1:], strict=False)), default=0.0)


def watch(
    script: Sequence[Connection],
    *,
    for_s: float,
    again: bool = False,
    does: dict[float, Doing] | None = None,
    slow: Callable[[float], float] = lambda _: 0.0,
) -> Watched:
    """Watch a scripted camera for some seconds.

    ``does`` maps a second to what then happens to the clock; ``slow(second)`` is how long the
    analysis of a frame takes.
    """
    clock = FakeClock(start_ns=START_NS)
    stop = threading.Event()
    camera = ScriptedCamera(clock=clock, script=script, again=again)
    source = LiveSource(
        address=parse_address("rtsp://op:secret@127.0.0.1/cam"),
        camera_id="north",
        clock=clock,
        stop=stop,
        open_stream=camera,
        seed=1,
    )
    moments: list[Moment] = []
    seen_s: list[float] = []
    due = sorted((does or {}).items())
    for moment in source.moments():
        moments.append(moment)
        seen_s.append(clock.monotonic_s())
        if isinstance(moment, Frame):
            clock.advance(slow(clock.monotonic_s()))
        while due and clock.monotonic_s() >= due[0][0]:
            due.pop(0)[1](clock)
        if clock.monotonic_s() >= for_s:
            stop.set()
    return Watched(
        moments=moments,
        seen_s=seen_s,
        calls_s=camera.calls_s,
        stats=source.stats,
        began_ns=START_NS,
        lasted_s=clock.monotonic_s(),
    )
