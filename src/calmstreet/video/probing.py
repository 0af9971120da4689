"""A few seconds with a camera: what it declares, what it delivers, what it can be used for."""

import math
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from calmstreet.clock import Clock, SystemClock
from calmstreet.errors import VideoError
from calmstreet.model.frame import Frame
from calmstreet.units import NS_PER_S
from calmstreet.video.address import DEFAULT_NETWORKS, Address, Network
from calmstreet.video.file_stream import FileStream
from calmstreet.video.live_frames import LiveFrames
from calmstreet.video.live_stats import LiveStats
from calmstreet.video.packet_stream import PacketStream, StreamEnded
from calmstreet.video.rtsp_answer import QUIRKS, answers_quirks
from calmstreet.video.rtsp_stream import RtspStream
from calmstreet.video.stream_offset import StreamOffset

__all__ = [
    "CameraReport",
    "Use",
    "judge_use",
    "offset_words",
    "probe_camera",
    "report_fields",
    "report_lines",
]

_FIRST_PICTURE_S = 20.0
_COUNT_FPS = 4.5
_SPEED_FPS = 9.0
_SHARE = 0.02
_RATE_SHARE = 0.01
_POLL_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """Whether a camera serves a purpose: counts, speeds or conflicts; if not, why not."""

    purpose: str
    serves: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraReport:
    """What a camera declared and delivered; NaN where not known.

    ``keyframe_s`` is the time between keyframes; ``camera_ahead_s`` by how much the camera's own
    clock is ahead of ours (from its RTCP reports); ``stream_rate`` how long a second of its
    timestamps really is; ``quirks`` are keys of ``rtsp_answer.QUIRKS``.
    """

    address: str
    codec: str
    width_px: int
    height_px: int
    declared_fps: float
    delivered_fps: float
    keyframe_s: float
    bitrate_mbps: float
    first_picture_s: float
    camera_ahead_s: float
    stream_rate: float
    frames: int
    corrupt_frames: int
    repeated_frames: int
    without_timestamp: int
    quirks: tuple[str, ...]
    uses: tuple[Use, ...]


def judge_use(stats: LiveStats) -> tuple[Use, ...]:
    """Return what a camera with these figures can be used for.

    Counts need 4.5 frames a second, speeds and conflicts 9 and true timestamps; both also need a
    plane with at most 0.15 m per pixel where they are measured, which a stream cannot tell.
    """
    fps, frames = stats.delivered_fps, max(1, stats.frames)
    new_fps = fps * (1.0 - stats.repeated / frames)
    slow = f"only {new_fps:.1f} new pictures a second"
    damaged = stats.corrupt_frames / frames > _SHARE
    untimed = stats.by_arrival / frames > _SHARE
    false = abs(stats.stream_rate - 1.0) > _RATE_SHARE
    wrong = "its timestamps run at a false speed" if false else ""
    wrong = "many of its pictures have no timestamp" if untimed else wrong
    wrong = "many of its pictures are damaged" if damaged else wrong
    counts = "many of its pictures are damaged" if damaged else ""
    counts = slow if not new_fps >= _COUNT_FPS else counts
    moving = slow if not new_fps >= _SPEED_FPS else wrong
    return (
        Use(purpose="counts", serves=not counts, why=counts),
        Use(purpose="speeds", serves=not moving, why=moving or "with a plane of good scale"),
        Use(purpose="conflicts", serves=not moving, why=moving or "with a plane of good scale"),
    )


def probe_camera(
    address: Address,
    *,
    seconds: float = 5.0,
    networks: Sequence[Network] = DEFAULT_NETWORKS,
    transport: str = "tcp",
    clock: Clock | None = None,
) -> CameraReport:
    """Watch a camera for some seconds after its first picture.

    Raises VideoError in one sentence, without credentials, where it cannot be reached, refuses us
    or shows no picture in 20 s.
    """
    clock, stop = clock or SystemClock(), threading.Event()
    frames = LiveFrames(camera_id="probe", clock=clock)
    began_s = clock.monotonic_s()
    stream: PacketStream
    if address.is_file:
        stream = FileStream(path=Path(address.path), clock=clock, stop=stop, loop=address.loop)
    else:
        stream = RtspStream(address=address, clock=clock, networks=networks, transport=transport)
    tally = _Tally(clock=clock, began_s=began_s)
    try:
        tally.watch(stream, frames, seconds)
    except StreamEnded as ended:
        if not tally.shown:
            raise VideoError(_refusal(address, str(ended))) from None
    finally:
        stream.close()
    if not tally.shown:
        raise VideoError(_refusal(address, f"no picture in {_FIRST_PICTURE_S:.0f} s"))
    return tally.report(address, stream, frames.stats(None))


def _refusal(address: Address, why: str) -> str:
    told = why if address.redacted in why else f"{address.redacted}: {why}"
    if ";" in told:
        return told
    return f"{told}; check the address, user, password and that the camera is on"


class _Tally:
    """What a probe counts."""

    def __init__(self, *, clock: Clock, began_s: float) -> None:
        self._clock = clock
        self._began_s = began_s
        self._keys_ns: list[int] = []
        self._bytes = 0
        self._arrivals_ns: list[int] = []
        self.shown = 0
        self._first_s = math.nan

    def watch(self, stream: PacketStream, frames: LiveFrames, seconds: float) -> None:
        """Take packets until the seconds are over."""
        while True:
            now_s = self._clock.monotonic_s()
            since_s = now_s - (self._first_s if self.shown else self._began_s)
            if since_s > (seconds if self.shown else _FIRST_PICTURE_S):
                return
            arrival = stream.next(_POLL_S)
            if arrival is None:
                continue
            if arrival.packet is not None:
                self._bytes += arrival.packet.size
                self._arrivals_ns.append(arrival.arrival_ns)
                if arrival.packet.is_keyframe:
                    self._keys_ns.append(arrival.arrival_ns)
            for moment in frames.pictures(stream, arrival):
                if isinstance(moment, Frame):
                    self._first_s = self._first_s if self.shown else self._clock.monotonic_s()
                    self.shown += 1

    def report(self, address: Address, stream: PacketStream, stats: LiveStats) -> CameraReport:
        """Return what was seen."""
        apart = [(b - a) / NS_PER_S for a, b in zip(self._keys_ns, self._keys_ns[1:], strict=False)]
        span_s = (self._arrivals_ns[-1] - self._arrivals_ns[0]) / NS_PER_S
        return CameraReport(
            address=address.redacted,
            codec=stats.codec,
            width_px=stats.width_px,
            height_px=stats.height_px,
            declared_fps=stats.declared_fps,
            delivered_fps=stats.delivered_fps,
            keyframe_s=median(apart) if apart else math.nan,
            bitrate_mbps=self._bytes * 8e-6 / span_s if span_s > 0 else math.nan,
            first_picture_s=self._first_s - self._began_s,
            camera_ahead_s=stream.camera_ahead_s if isinstance(stream, RtspStream) else math.nan,
            stream_rate=stats.stream_rate,
            frames=stats.frames,
            corrupt_frames=stats.corrupt_frames,
            repeated_frames=stats.repeated,
            without_timestamp=stats.by_arrival,
            quirks=answers_quirks(stream.answers) if isinstance(stream, RtspStream) else (),
            uses=judge_use(stats),
        )


def report_fields(report: CameraReport) -> dict[str, Any]:
    """Return a report for JSON: what is not known is null, quirks with their meaning."""
    fields = {name: _known(value) for name, value in asdict(report).items()}
    return {**fields, "quirks": {name: QUIRKS[name] for name in report.quirks}}


def _known(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value


def report_lines(report: CameraReport) -> list[str]:
    """Return a report as lines for people."""
    lines = [
        report.address,
        f"  picture     {report.codec} {report.width_px}x{report.height_px}, "
        f"{_told(report.bitrate_mbps, '.2f')} Mbit/s, "
        f"first after {_told(report.first_picture_s, '.1f')} s",
        f"  frames      declared {_told(report.declared_fps, '.2f')}, "
        f"delivered {_told(report.delivered_fps, '.2f')} a second, "
        f"a keyframe every {_told(report.keyframe_s, '.1f')} s",
        f"  damaged     {report.corrupt_frames} of {report.frames}, "
        f"repeated {report.repeated_frames}, without a timestamp {report.without_timestamp}",
        f"  its clock   {_told(report.camera_ahead_s, '+.3f')} s ahead of ours",
    ]
    if report.stream_rate != 1.0:
        lines.append(f"  timestamps  a second of them is {report.stream_rate:.3f} s long")
    lines += [f"  quirk       {name}: {QUIRKS[name]}" for name in report.quirks]
    for use in report.uses:
        verdict = "yes" if use.serves else "no"
        lines.append(f"  {use.purpose:<11} {verdict}{', ' + use.why if use.why else ''}")
    return lines


def offset_words(offset: StreamOffset | None) -> str:
    """Return the line about the times of the main stream.

    >>> offset_words(StreamOffset(offset_s=0.137, quality=0.93))
    '  main stream +0.137 s ahead of this one (they agree to 93 %)'
    """
    if offset is None:
        return (
            "  main stream its pictures do not tell how its times lie; try again when people move"
        )
    agree = f"they agree to {100 * offset.quality:.0f} %"
    return f"  main stream {offset.offset_s:+.3f} s ahead of this one ({agree})"


def _told(value: float, form: str) -> str:
    return format(value, form) if math.isfinite(value) else "unknown"
