"""One clip of a camera's main stream: looked through, then seen, blurred and written.

The span is decoded twice. The first time only small pictures are made of it: when the street it
shows was seen by the sub-stream, whether it is the same view, what the empty street looks like. The
second time both eyes look at its own pictures, the net at their parts too, so that what is stored
may be larger; what the sub-stream's eyes followed is covered as well. Whatever cannot be done as it
should is forgone: the clip from the sub-stream is on the disk already.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import CalmstreetError, PrivacyError
from calmstreet.model.frame import Frame
from calmstreet.model.kept import BlurredFrame, FinishedFile
from calmstreet.model.points import TrackPoints, concat_points, no_points
from calmstreet.model.run import Run
from calmstreet.model.site import Mask, Site
from calmstreet.perception.detector import Detector
from calmstreet.perception.motion import halved
from calmstreet.perception.tiles import TILE_SHARE, TiledNet
from calmstreet.pipeline.eyes import detector_version
from calmstreet.pipeline.scribe import trail_drawing
from calmstreet.pipeline.seeing import SMALL_WIDTH_PX, Seer
from calmstreet.store.segments import SegmentName, segment_path
from calmstreet.units import NS_PER_S, ns_from_s
from calmstreet.video.blur import Blur, annotate
from calmstreet.video.packet_ring import KeptPacket
from calmstreet.video.segment_writer import MAX_HEIGHT_PX, SegmentWriter
from calmstreet.video.span_decoder import SpanDecoder
from calmstreet.video.stream_match import Album, Leaf
from calmstreet.video.zones import NET_SIDE_PX, longest_stored_side_px, stored_size_px

__all__ = [
    "LONGEST_HOLE_S",
    "Forgone",
    "Look",
    "Order",
    "clip_size_px",
    "film",
    "longest_hole_s",
    "look_through",
    "of_sub",
]

CLIP_FPS = 10.0
NET_EVERY = 2
SAMPLES = 40
SAMPLE_EVERY_S = 0.5
NEAR_S = 0.15
LONGEST_HOLE_S = 1.0

Go = Callable[[], None]


class Forgone(CalmstreetError):
    """No clip of the main stream is made; ``reason`` is one word, ``note`` says more."""

    def __init__(self, reason: str, note: str = "") -> None:
        super().__init__(f"{reason}: {note}" if note else reason)
        self.reason, self.note = reason, note


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Order:
    """A clip that is wanted, with all that it can be made of.

    ``name`` is that of the sub-stream's clip, ``until_ns`` its last picture, ``steps`` its times
    and rows in pixels of the sub-stream's ``size_px`` (width, height); ``sub`` is what that stream
    showed. ``connection`` and ``street`` say which connections of both streams all of it is from.
    """

    name: SegmentName
    until_ns: int
    steps: Sequence[tuple[int, TrackPoints]]
    size_px: tuple[int, int]
    packets: Sequence[KeptPacket]
    sub: Leaf
    connection: int = 0
    street: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Look:
    """What a span of the main stream showed; ``samples`` uint8 (k, h, w) are low-scale pictures."""

    size_px: tuple[int, int]
    main: Leaf
    samples: NDArray[np.uint8]


def look_through(packets: Sequence[KeptPacket], *, camera_id: str, go: Go) -> tuple[Look, int]:
    """Decode a span into small pictures; return them and how many pictures were damaged.

    Raises Forgone where it holds no pictures, or of several sizes; ``go`` may raise as well.
    """
    album, samples = Album(), _Samples()
    sizes: set[tuple[int, int]] = set()
    decoder = SpanDecoder(packets, camera_id=camera_id)
    for frame in decoder.frames():
        go()
        album.add(frame.t_ns, frame.luma)
        samples.add(frame)
        sizes.add((frame.width_px, frame.height_px))
    if len(sizes) != 1:
        raise Forgone("size" if sizes else "gone", "no picture" if not sizes else "it changes")
    look = Look(size_px=sizes.pop(), main=album.leaf(), samples=np.stack(samples.pictures))
    return look, decoder.damaged


def longest_hole_s(t_ns: NDArray[np.int64], *, start_ns: int, until_ns: int) -> float:
    """Return the longest time without a picture within a span; ``t_ns`` (n,) are their times.

    >>> longest_hole_s(np.array([0, 4, 5, 9]) * 10**9, start_ns=3 * 10**9, until_ns=6 * 10**9)
    1.0
    """
    inside = t_ns[(t_ns >= start_ns) & (t_ns <= until_ns)]
    return float(np.diff(np.concatenate([[start_ns], inside, [until_ns]])).max() / NS_PER_S)


class _Samples:
    """Low-scale pictures spread over a span; every second one goes where they become too many."""

    def __init__(self) -> None:
        self.pictures: list[NDArray[np.uint8]] = []
        self._every_ns, self._due_ns = ns_from_s(SAMPLE_EVERY_S), 0

    def add(self, frame: Frame) -> None:
        """Take a frame where it is time."""
        if frame.t_ns < self._due_ns:
            return
        self._due_ns = frame.t_ns + self._every_ns
        small = halved(frame.luma, SMALL_WIDTH_PX)
        if self.pictures and small.shape != self.pictures[0].shape:
            return
        self.pictures.append(small.copy())
        if len(self.pictures) > SAMPLES:
            self.pictures = self.pictures[::2]
            self._every_ns *= 2


def clip_size_px(
    width_px: int, height_px: int, *, has_net: bool
) -> tuple[tuple[int, int], float, int]:
    """Return the stored size of a clip, how long the net sees its longer side, and its widest side.

    At most 720 lines; without a net, or where the net needs no parts, as small as any picture.

    >>> clip_size_px(1920, 1080, has_net=True)[0], clip_size_px(1920, 1080, has_net=False)[0]
    ((1280, 720), (664, 372))
    """
    widest = max(2, min(width_px, MAX_HEIGHT_PX * width_px // height_px))
    in_parts = has_net and max(width_px, height_px) > longest_stored_side_px()
    side = NET_SIDE_PX / TILE_SHARE if in_parts else float(NET_SIDE_PX)
    return stored_size_px(width_px, height_px, widest, side), side, widest


def of_sub(site: Site, *, from_px: tuple[int, int], to_px: tuple[int, int]) -> Site:
    """Return a site whose masks lie in the main stream's picture as in the sub-stream's."""
    ratio = np.array(to_px) / np.array(from_px)
    masks = tuple(
        Mask(
            camera_id=mask.camera_id,
            polygon_px=tuple(
                (x * float(ratio[0]), y * float(ratio[1])) for x, y in mask.polygon_px
            ),
        )
        for mask in site.masks
    )
    return replace(site, masks=masks)


class _Steps:
    """The sub-stream's rows by time, in pixels of the main stream's picture."""

    def __init__(self, order: Order, to_px: tuple[int, int]) -> None:
        ratio = np.array(to_px) / np.array(order.size_px)
        self._to_main = np.tile(ratio, 2).astype(np.float32)
        self._steps = sorted(order.steps, key=lambda step: step[0])
        self._times = [t_ns for t_ns, _ in self._steps]

    def at(self, t_ns: int) -> TrackPoints | None:
        """Return the rows of the nearest step, as if they were of this instant; None for none."""
        k = bisect_left(self._times, t_ns)
        near = [i for i in (k - 1, k) if 0 <= i < len(self._times)]
        best = min(near, key=lambda i: abs(self._times[i] - t_ns), default=None)
        if best is None or abs(self._times[best] - t_ns) > ns_from_s(NEAR_S):
            return None
        rows = self._steps[best][1]
        return replace(
            rows,
            t_ns=np.full(len(rows), t_ns, np.int64),
            box_px=(rows.box_px * self._to_main).astype(np.float32),
        )


class _Film:
    """Sees, blurs and writes the pictures of one clip."""

    def __init__(
        self, order: Order, look: Look, *, site: Site, net: Detector | None, folder: Path
    ) -> None:
        width_px, height_px = look.size_px
        size_px, net_side_px, widest_px = clip_size_px(width_px, height_px, has_net=net is not None)
        site = of_sub(site, from_px=order.size_px, to_px=look.size_px)
        if net is not None and net_side_px > NET_SIDE_PX:
            net = TiledNet(net=net, size_px=size_px)
        self._order, self._size_px = order, size_px
        self._steps = _Steps(order, look.size_px)
        self._seer = Seer(
            site=site,
            run=_run(order.name, look, net),
            net=net,
            samples=look.samples,
            net_every=NET_EVERY,
            analysed_fps=CLIP_FPS,
        )
        self._blur = Blur(
            camera_id=order.name.camera_id,
            width_px=width_px,
            height_px=height_px,
            masks=tuple(mask.polygon_px for mask in site.masks),
            strict=site.strict_blur,
            max_width_px=widest_px,
            net_side_px=net_side_px,
        )
        path = segment_path(folder, replace(order.name, main=True))
        self.writer = SegmentWriter(path=path, fps=CLIP_FPS, durable=False)
        self._trail: list[TrackPoints] = []
        self._written_ns = order.name.start_ns

    def take(self, frame: Frame) -> None:
        """Take the next frame, at the sub-stream's time; raises PrivacyError, Forgone."""
        if not self._seer.wants(frame):
            return
        frame = _remembered(frame, self._size_px)
        sight, points = self._seer.look(frame)
        points = self._seer.as_seen(points)
        known = self._steps.at(frame.t_ns)
        if known is not None and len(known):
            points = concat_points([points, replace(known, run_id=points.run_id)])
        self._write(self._blur.update(frame, sight.detections, points, sight.moving.mask))

    def end(self) -> FinishedFile:
        """Write what waits; return the finished file."""
        self._write(self._blur.flush())
        self._ask_hole(self._order.until_ns)
        file = self.writer.close()
        if file is None:
            raise Forgone("gone", "no picture in its span")
        return file

    def _write(self, pictures: list[BlurredFrame]) -> None:
        for picture in pictures:
            if not self._order.name.start_ns <= picture.t_ns <= self._order.until_ns:
                continue
            self._ask_hole(picture.t_ns)
            self._written_ns = picture.t_ns
            rows = self._steps.at(picture.t_ns)
            self._trail.append(rows if rows is not None else _nobody(picture))
            drawing = trail_drawing(self._trail, picture.t_ns, scale=picture.scale)
            self.writer.write(annotate(picture, drawing))

    def _ask_hole(self, t_ns: int) -> None:
        if t_ns - self._written_ns > ns_from_s(LONGEST_HOLE_S):
            raise Forgone("gone", f"{(t_ns - self._written_ns) / 1e9:.1f} s are missing")


def _run(name: SegmentName, look: Look, net: Detector | None) -> Run:
    return Run(
        run_id=0,
        camera_id=name.camera_id,
        site_version="",
        source="main",
        start_ns=name.start_ns,
        end_ns=name.start_ns,
        state="open",
        time_known="given",
        width_px=look.size_px[0],
        height_px=look.size_px[1],
        declared_fps=float("nan"),
        delivered_fps=float("nan"),
        detector=detector_version(net),
    )


def _nobody(picture: BlurredFrame) -> TrackPoints:
    return no_points(camera_id=picture.camera_id, run_id=0)


def _remembered(frame: Frame, size_px: tuple[int, int]) -> Frame:
    """Return a frame that makes its colours of the stored size once."""
    bgr = frame.bgr(*size_px)

    def to_bgr(width_px: int, height_px: int) -> NDArray[np.uint8]:
        return bgr if (width_px, height_px) == size_px else frame.to_bgr(width_px, height_px)

    return replace(frame, to_bgr=to_bgr)


def film(
    order: Order,
    look: Look,
    *,
    offset_s: float,
    site: Site,
    net: Detector | None,
    folder: Path,
    go: Go,
) -> FinishedFile:
    """Make the clip; nothing is left of it on the disk where this raises.

    ``offset_s`` is by how much the main stream's times are ahead. Raises Forgone, PrivacyError
    where a picture could not be blurred, StoreError where the disk refuses.
    """
    filming = _Film(order, look, site=site, net=net, folder=folder)
    frames = SpanDecoder(order.packets, camera_id=order.name.camera_id).frames()
    offset_ns = ns_from_s(offset_s)
    try:
        for frame in frames:
            go()
            filming.take(replace(frame, t_ns=frame.t_ns - offset_ns))
        return filming.end()
    except CalmstreetError:
        filming.writer.discard()
        raise
    except Exception as error:
        filming.writer.discard()
        raise PrivacyError(f"a main-stream picture failed ({type(error).__name__})") from error
