"""A video file as frames with honest times.

A frame's time is the file's own timestamp (pts, else dts) counted from the first frame and laid on
``start_ns``; it is never a number divided by a nominal frame rate.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import av
import av.error
import cv2

from calmstreet.errors import InputError, VideoError
from calmstreet.model.frame import Frame
from calmstreet.units import NS_PER_S, from_iso, s_from_ns
from calmstreet.video.container import (
    BARE_FPS,
    Container,
    Packet,
    Stream,
    frame_ticks,
    open_video,
    redacted,
    ticks_to_ns,
)
from calmstreet.video.picture import Planes
from calmstreet.video.repeats import RepeatWatch

__all__ = ["FileSource", "SourceStats", "VideoInfo", "find_videos", "natural_key", "probe"]

SUFFIXES = frozenset(
    {
        *(".mp4", ".m4v", ".mov", ".mkv", ".avi", ".ts", ".m2ts", ".mts", ".mpg", ".mpeg", ".webm"),
        *(".wmv", ".flv", ".3gp", ".asf", ".dav", ".h264", ".264", ".h265", ".265", ".hevc"),
        *(".mjpeg", ".mjpg", ".ogv", ".vob", ".gif"),
    }
)
_LOST_TAIL_S = 1.0
_LOST_TAIL_SHARE = 0.05
_OLDEST_YEAR = 1990


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoInfo:
    """What a file says about itself. Sizes are upright; NaN = not declared.

    ``creation_ns`` is UTC ns from the container, None where absent or nonsense; ``rotation_deg``
    counter-clockwise, already applied to the sizes. ``times_assumed`` is True where the file holds
    no times at all (a bare H.264 stream): then frames are spaced by the nominal rate, 25 a second
    where not even that is declared, and the source's note says so.
    """

    path: Path
    codec: str
    width_px: int
    height_px: int
    declared_fps: float
    duration_s: float
    declared_frames: int
    rotation_deg: int
    pixel_format: str
    creation_ns: int | None
    times_assumed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStats:
    """What came out of a file so far.

    ``misordered_frames`` were dropped because their time did not grow; ``corrupt_frames`` could
    not be decoded or are damaged; ``duration_s`` runs from the first frame to the end of the last;
    ``delivered_fps`` comes from the timestamps of all frames, repeated ones too. ``partial`` says
    that the file ends before what it declares, ``note`` why, in one sentence.
    """

    frames: int
    repeated_frames: int
    corrupt_frames: int
    misordered_frames: int
    first_ns: int | None
    last_ns: int | None
    duration_s: float
    declared_fps: float
    delivered_fps: float
    partial: bool
    note: str


def natural_key(path: Path) -> list[tuple[int, str]]:
    """Return a sort key under which clip2 comes before clip10.

    >>> sorted([Path("clip10.mp4"), Path("clip2.mp4")], key=natural_key)[0].name
    'clip2.mp4'
    """
    parts = re.split(r"(\d+)", path.name.casefold())
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def find_videos(paths: Sequence[Path]) -> list[Path]:
    """Return the video files named, folders opened (one level, natural order), none twice.

    Raises VideoError for a path that is not there or a folder without a video.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        for video in _in_folder(path) if path.is_dir() else [path]:
            if not video.exists():
                raise VideoError(f"{video} is not there; check the path of the video")
            found.setdefault(video.resolve(), video)
    if not found:
        raise VideoError("no video was named; name a file or a folder with videos")
    return list(found.values())


def _in_folder(folder: Path) -> list[Path]:
    videos = [
        path
        for path in folder.iterdir()
        if path.suffix.lower() in SUFFIXES and path.is_file() and not path.name.startswith(".")
    ]
    if not videos:
        raise VideoError(f"{folder} holds no video file; name a folder with mp4, mkv or avi files")
    return sorted(videos, key=natural_key)


def probe(path: Path) -> VideoInfo:
    """Read what the file declares and decode two frames of it.

    What was read once is remembered as long as the file is not written to. Raises VideoError for a
    file that is absent, empty, not decodable, sound only or a still.
    """
    try:
        state = path.stat()
    except OSError:
        return _probed(path, -1, -1)
    return _probed(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=64)
def _probed(path: Path, _size_bytes: int, _changed_ns: int) -> VideoInfo:
    with open_video(path) as (container, stream):
        first = _first_of_two(path, container, stream)
        return _info(path, container, stream, first)


def _first_of_two(path: Path, container: Container, stream: Stream) -> av.VideoFrame:
    frames: list[av.VideoFrame] = []
    for frame in _Decoder(container, stream).frames():
        frames.append(frame)
        if len(frames) == 2:
            return frames[0]
    if frames:
        raise VideoError(f"{path} is a still picture; counting needs a video of several frames")
    raise VideoError(
        f"{path} holds nothing that can be decoded; "
        "play it to see whether it is whole, or export it again as mp4"
    )


def _info(path: Path, container: Container, stream: Stream, frame: av.VideoFrame) -> VideoInfo:
    rate = stream.average_rate or stream.base_rate
    lying = round(frame.rotation / 90) % 2 == 1
    width, height = frame.width, frame.height
    return VideoInfo(
        path=path,
        codec=stream.codec_context.name,
        width_px=height if lying else width,
        height_px=width if lying else height,
        declared_fps=float(rate) if rate else float("nan"),
        duration_s=_declared_s(container, stream),
        declared_frames=stream.frames,
        rotation_deg=frame.rotation,
        pixel_format=frame.format.name,
        creation_ns=_creation_ns(container, stream),
        times_assumed=stream.duration is None
        and container.duration is None
        and _is_bare(container),
    )


def _is_bare(container: Container) -> bool:
    return container.format.name in {"h264", "hevc", "mjpeg", "m4v", "mpegvideo", "vc1", "obu"}


def _declared_s(container: Container, stream: Stream) -> float:
    if stream.duration is not None and stream.time_base is not None:
        return s_from_ns(ticks_to_ns(stream.duration, stream.time_base))
    if container.duration is not None and not container.streams.audio:
        return container.duration / av.time_base
    return float("nan")


def _creation_ns(container: Container, stream: Stream) -> int | None:
    for metadata in (container.metadata, stream.metadata):
        text = metadata.get("com.apple.quicktime.creationdate") or metadata.get("creation_time")
        if not text:
            continue
        try:
            t_ns = from_iso(re.sub(r"([+-]\d\d)(\d\d)$", r"\1:\2", text.strip()))
        except (InputError, OverflowError):
            continue
        if t_ns >= from_iso(datetime(_OLDEST_YEAR, 1, 1).isoformat()):
            return t_ns
    return None


class _Decoder:
    """Every picture of a stream, damaged packets passed over and counted."""

    def __init__(self, container: Container, stream: Stream) -> None:
        self._container = container
        self._stream = stream
        self.packets = 0
        self.damaged = 0
        self.broken = ""

    def frames(self) -> Iterator[av.VideoFrame]:
        packets = iter(self._container.demux(self._stream))
        while True:
            try:
                packet = next(packets, None)
            except (av.error.FFmpegError, OSError) as error:
                self.broken = redacted(str(getattr(error, "strerror", "") or "read error"))
                yield from self._decode(None)
                return
            if packet is None:
                return
            self.packets += packet.size > 0
            yield from self._decode(packet)

    def _decode(self, packet: "Packet | None") -> list[av.VideoFrame]:
        try:
            return self._stream.decode(packet)
        except (av.error.FFmpegError, OSError):
            self.damaged += 1
            return []


class _FrameTimes:
    """Nanoseconds of each picture since the first one."""

    def __init__(self, container: Container, stream: Stream, info: VideoInfo) -> None:
        self._time_base = stream.time_base
        self._by_dts = container.format.name == "avi"
        self._period_ns = 0.0
        if info.times_assumed or stream.time_base is None:
            self._period_ns = NS_PER_S / float(stream.average_rate or BARE_FPS)
        self._origin: int | None = None
        self._latest: int | None = None
        self._pictures = 0

    def enter(self, container: Container, stream: Stream, decoder: _Decoder, since_ns: int) -> None:
        """Learn the first picture's time, then go to the keyframe before ``since_ns`` after it."""
        first = next(decoder.frames(), None)
        if first is None or self._period_ns or self._time_base is None:
            return
        if self.since_first_ns(first) is None or self._origin is None:
            return
        ticks = self._origin + int(since_ns / NS_PER_S / self._time_base)
        with suppress(av.error.FFmpegError, OSError):
            container.seek(max(ticks, self._origin), stream=stream, backward=True)
        self._latest = None

    def since_first_ns(self, picture: av.VideoFrame) -> int | None:
        """Return the time, None for a picture without one."""
        self._pictures += 1
        if self._period_ns or self._time_base is None:
            return round((self._pictures - 1) * self._period_ns)
        ticks = self._in_turn(picture.dts) if self._by_dts else frame_ticks(picture)
        if ticks is None:
            return None
        self._origin = ticks if self._origin is None else self._origin
        return ticks_to_ns(ticks - self._origin, self._time_base)

    def _in_turn(self, ticks: int | None) -> int | None:
        """Return the ticks of an AVI's picture, of which the file tells only the order of decoding.

        A decoder that puts pictures in order gives each with the time of what was decoded last:
        it may give two at once, and the last ones with no time. They follow a tick apart.
        """
        if self._latest is not None:
            ticks = self._latest + 1 if ticks is None else max(ticks, self._latest + 1)
        self._latest = ticks
        return ticks


class FileSource:
    """The frames of one file, first to last.

    ``frames()`` may be called once; ``stats`` can be read at any moment.
    """

    def __init__(self, *, path: Path, camera_id: str, start_ns: int) -> None:
        self.info = probe(path)
        self._camera_id = camera_id
        self._start_ns = start_ns
        self._frames = 0
        self._repeated = 0
        self._corrupt = 0
        self._misordered = 0
        self._first_ns: int | None = None
        self._last_ns: int | None = None
        self._partial = False
        self._note = ""

    @property
    def stats(self) -> SourceStats:
        """Return what came out so far."""
        span_s = s_from_ns((self._last_ns or 0) - (self._first_ns or 0))
        fps = (self._frames - 1) / span_s if self._frames > 1 else float("nan")
        return SourceStats(
            frames=self._frames,
            repeated_frames=self._repeated,
            corrupt_frames=self._corrupt,
            misordered_frames=self._misordered,
            first_ns=self._first_ns,
            last_ns=self._last_ns,
            duration_s=span_s + 1.0 / fps if self._frames > 1 else 0.0,
            declared_fps=self.info.declared_fps,
            delivered_fps=fps,
            partial=self._partial,
            note=self._note,
        )

    def frames(self, *, from_ns: int | None = None) -> Iterator[Frame]:
        """Yield every frame in order of time; times grow strictly.

        A file that is cut off gives what it has; ``stats.partial`` and ``stats.note`` then say so.
        With ``from_ns`` the file is entered at the last keyframe before that instant, where its
        format can; frames before it may still come, and nothing is said of the file's end.
        """
        with open_video(self.info.path) as (container, stream):
            decoder = _Decoder(container, stream)
            watch = RepeatWatch()
            times = _FrameTimes(container, stream, self.info)
            if from_ns is not None:
                times.enter(container, stream, decoder, from_ns - self._start_ns)
            for picture in decoder.frames():
                since_ns = times.since_first_ns(picture)
                t_ns = self._start_ns + (since_ns or 0)
                if since_ns is None or (self._last_ns is not None and t_ns <= self._last_ns):
                    self._misordered += 1
                    continue
                frame = self._frame(picture, t_ns, watch)
                if frame is not None:
                    yield frame
            self._corrupt += decoder.damaged
            if from_ns is None:
                self._judge_end(decoder)

    def _frame(self, picture: av.VideoFrame, t_ns: int, watch: RepeatWatch) -> Frame | None:
        try:
            planes = Planes(picture)
        except (av.error.FFmpegError, cv2.error, ValueError):
            self._corrupt += 1
            return None
        repeated = watch.is_repeated(planes.luma)
        frame = Frame(
            camera_id=self._camera_id,
            t_ns=t_ns,
            index=self._frames,
            luma=planes.luma,
            to_bgr=planes.to_bgr,
            repeated=repeated,
            pick_bgr=planes.pick_bgr,
        )
        self._first_ns = t_ns if self._first_ns is None else self._first_ns
        self._last_ns = t_ns
        self._frames += 1
        self._repeated += repeated
        self._corrupt += picture.is_corrupt
        return frame

    def _judge_end(self, decoder: _Decoder) -> None:
        info, stats = self.info, self.stats
        if self._frames == 0:
            raise VideoError(f"{info.path} gives no picture with a time; export it again as mp4")
        lost_s = info.duration_s - stats.duration_s
        missing = info.declared_frames - decoder.packets
        limit_s = max(_LOST_TAIL_S, _LOST_TAIL_SHARE * info.duration_s)
        if decoder.broken:
            self._note = f"{info.path.name} breaks off ({decoder.broken})"
        elif lost_s > limit_s or (missing > 1 and lost_s > 1.5 / stats.delivered_fps):
            self._note = (
                f"{info.path.name} is cut off: it declares {info.duration_s:.1f} s "
                f"and gives {stats.duration_s:.1f} s"
            )
        self._partial = bool(self._note)
        if info.times_assumed and not self._note:
            self._note = (
                f"{info.path.name} holds no times; its nominal frame rate is taken for true"
            )
