"""Clips of events from a camera's main stream: ordered when their event is over, made in a thread.

The main stream is received beside the sub-stream and not decoded. When the clip of an event was cut
from the sub-stream, the packets of its span go to a thread of low priority, which makes the same
clip of them and lets it take the other's place. Where that cannot be, the clip from the sub-stream
stays, and why is told. On the whole node one clip is made at a time.
"""

import fcntl
import os
import queue
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from calmstreet.clock import Clock
from calmstreet.errors import CalmstreetError, PrivacyError, StoreError
from calmstreet.model.frame import Frame
from calmstreet.model.points import TrackPoints
from calmstreet.perception.detector import Detector
from calmstreet.pipeline.live_camera import LiveCamera
from calmstreet.pipeline.main_filming import (
    LONGEST_HOLE_S,
    Forgone,
    Look,
    Order,
    film,
    longest_hole_s,
    look_through,
)
from calmstreet.pipeline.scribe import Scribe
from calmstreet.store.segments import SegmentName
from calmstreet.units import NS_PER_S, ns_from_s
from calmstreet.video.main_stream import MainStream
from calmstreet.video.stream_match import Album, Match, match_streams

__all__ = ["LAST_S", "MOST_OFFSET_S", "KnownOffset", "MainClips"]

MOST_OFFSET_S = 0.2
LAST_S = 15.0
MEASURED_S = 14.0
AGAIN_S = 600.0
FIRST_REST_S = 30.0
VALID_S = 3600.0
TAIL_S = 1.5
MOST_WAITING = 2
TURN = ".main-clips"
TRY_S = 0.2
MOST_DAMAGED_SHARE = 0.1
_NICE = 10

Tell = Callable[..., None]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownOffset:
    """By how much the main stream is ahead, when that was told, and of which connections."""

    offset_s: float
    quality: float
    t_ns: int
    connection: int
    street: int


class MainClips:
    """The main stream of one camera and the clips made of it.

    ``open`` is called once with the scribe that keeps them and with what says whether anything may
    be recorded now. Everything but the work itself happens in the camera's loop.
    """

    def __init__(
        self,
        *,
        camera: LiveCamera,
        stream: MainStream,
        net: Detector | None,
        clock: Clock,
        stop: threading.Event,
        tell: Tell,
    ) -> None:
        self._camera, self._stream, self._net = camera, stream, net
        self._site = camera.site.of_camera(camera.id)
        self._clock, self._stop, self._tell = clock, stop, tell
        self._album = Album()
        self._size_px = (0, 0)
        self._street = 0
        self._known: KnownOffset | None = None
        self._due_s = clock.monotonic_s() + FIRST_REST_S
        self._rest_s = FIRST_REST_S
        self._made = self._blur_failures = 0
        self._not: Counter[str] = Counter()
        self._why = ""
        self._orders: queue.SimpleQueue[Order | None] = queue.SimpleQueue()
        self._pending = 0
        self._said: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._news = threading.Condition()
        self._over = False
        self._scribe: Scribe | None = None
        self._records: Callable[[], bool] = lambda: False
        self._thread = threading.Thread(target=self._work, name="main-clips", daemon=True)

    # In the camera's loop

    def open(self, scribe: Scribe, records: Callable[[], bool]) -> None:
        """Begin."""
        self._scribe, self._records = scribe, records
        self._thread.start()

    def beside(self, moments: Iterator[Any]) -> Iterator[Any]:
        """Yield the moments of the sub-stream; take what the main stream sent meanwhile."""
        self.pump()
        for moment in moments:
            self.pump()
            yield moment

    def pump(self) -> None:
        """Take what the main stream sent, tell what was done, have the offset measured."""
        self._stream.pump()
        self._tell_said()
        now_s = self._clock.monotonic_s()
        if now_s >= self._due_s and not self._pending and self._records():
            self._measure(now_s)

    def saw(self, frame: Frame) -> None:
        """Take note of an analysed picture of the sub-stream."""
        self._size_px = (frame.width_px, frame.height_px)
        self._album.add(frame.t_ns, frame.luma)

    def hold(self, t_ns: int) -> None:
        """Keep the packets from an instant on, for a clip on its way."""
        self._stream.ring.hold(t_ns - ns_from_s(2 * MOST_OFFSET_S))

    def forget(self) -> None:
        """The sub-stream's next pictures are of another time or size."""
        self._album.clear()
        self._street += 1

    def order(
        self, name: SegmentName, *, until_ns: int, steps: Sequence[tuple[int, TrackPoints]]
    ) -> None:
        """Ask for the clip of a segment that was cut from the sub-stream."""
        self._stream.ring.release()
        if self._pending >= MOST_WAITING:
            self._forgo(name, "busy")
        elif not self._records():
            self._forgo(name, "shed")
        else:
            tail_ns = ns_from_s(TAIL_S + MOST_OFFSET_S)
            from_ns = name.start_ns - ns_from_s(2 * MOST_OFFSET_S)
            self._ask(self._order(name, from_ns, until_ns, tail_ns, steps))

    def figures(self) -> dict[str, Any]:
        """Return the fields of a beat."""
        known, ring = self._valid(self._stream.connections, self._street), self._stream.ring
        now_ns = self._clock.now_ns()
        return {
            "main_connected": int(self._stream.connected),
            "main_reason": self._stream.reason,
            "main_ring_s": ring.reach_s,
            "main_ring_bytes": ring.size_bytes,
            "main_offset_s": known.offset_s if known else None,
            "main_offset_age_s": (now_ns - known.t_ns) / NS_PER_S if known else None,
            "main_clips": self._made,
            "main_clips_not": sum(self._not.values()),
            "main_not": dict(self._not),
            "main_why": self._why,
            "main_blur_failures": self._blur_failures,
        }

    def close(self) -> None:
        """Let a clip on its way be finished if that does not take long, unless we must stop."""
        self._orders.put(None)
        with self._news:
            self._news.wait_for(lambda: self._stop.is_set() or not self._pending, LAST_S)
        self._over = True
        self._thread.join(LAST_S)
        self._tell_said()
        self._stream.close()

    def _tell_said(self) -> None:
        while not self._said.empty():
            self._tell(**self._said.get_nowait())

    def _measure(self, now_s: float) -> None:
        """Have the offset measured from the newest seconds, seldom where they tell nothing."""
        ring = self._stream.ring
        self._due_s = now_s + self._rest_s
        if ring.newest_ns is None or ring.reach_s < MEASURED_S:
            return
        self._rest_s = min(self._rest_s * 2, AGAIN_S)
        since_ns = ring.newest_ns - ns_from_s(MEASURED_S)
        name = SegmentName(camera_id=self._camera.id, purpose="", start_ns=since_ns, run_id=0)
        self._ask(self._order(name, since_ns, ring.newest_ns, 0, ()))

    def _order(
        self,
        name: SegmentName,
        from_ns: int,
        until_ns: int,
        tail_ns: int,
        steps: Sequence[tuple[int, TrackPoints]],
    ) -> Order:
        packets = self._stream.ring.span(from_ns, until_ns + tail_ns)
        return Order(
            name=name,
            until_ns=until_ns,
            steps=steps,
            size_px=self._size_px,
            packets=packets,
            sub=self._album.leaf(),
            connection=packets[-1].form.connection if packets else 0,
            street=self._street,
        )

    def _ask(self, order: Order) -> None:
        with self._news:
            self._pending += 1
        self._orders.put(order)

    def _valid(self, connection: int, street: int) -> KnownOffset | None:
        """Return the known offset where it is of these connections and not too old."""
        known = self._known
        if known is None or (known.connection, known.street) != (connection, street):
            return None
        return known if self._clock.now_ns() - known.t_ns <= ns_from_s(VALID_S) else None

    # In the thread

    def _work(self) -> None:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        while (order := self._orders.get()) is not None:
            try:
                self._do(order)
            finally:
                with self._news:
                    self._pending -= 1
                    self._news.notify_all()

    def _do(self, order: Order) -> None:
        name = order.name
        try:
            with self._in_turn():
                self._make(order)
        except Forgone as error:
            self._forgo(name, error.reason, error.note)
        except PrivacyError as error:
            self._blur_failures += 1
            self._forgo(name, "blur-failed", str(error))
        except StoreError as error:
            self._forgo(name, "disk", str(error))
        except (CalmstreetError, ArithmeticError, LookupError, ValueError, OSError) as error:
            self._forgo(name, "failed", str(error))

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        """Wait until no other camera of the node makes a clip; raises Forgone like ``_go``."""
        self._go()
        if self._scribe is not None:
            self._scribe.prove()
        with (self._camera.folder.parent / TURN).open("w") as stream:
            while True:
                self._go()
                try:
                    fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    self._stop.wait(TRY_S)
            yield

    def _make(self, order: Order) -> None:
        scribe = self._scribe
        if scribe is None or not order.packets:
            raise Forgone("gone", "nothing of the main stream was kept of that time")
        look, damaged = look_through(order.packets, camera_id=self._camera.id, go=self._go)
        match = match_streams(order.sub, look.main)
        known = self._learn(order, match, look)
        if not order.name.purpose:
            return
        offset_s = self._judged(order, match, known, look)
        if damaged > MOST_DAMAGED_SHARE * max(1, len(look.main.shown.t_ns)):
            raise Forgone("damaged", f"{damaged} pictures")
        file = film(
            order, look, offset_s=offset_s, site=self._site, net=self._net,
            folder=self._camera.folder, go=self._go,
        )  # fmt: skip
        scribe.replace(file)
        self._made += 1
        self._why = ""
        self._say(order.name, cut_from="main", offset_s=offset_s, pictures=file.pictures)

    def _learn(self, order: Order, match: Match, look: Look) -> KnownOffset | None:
        """Remember an offset that was told; return what is known of these connections."""
        if match.offset is not None:
            self._known = KnownOffset(
                offset_s=float(match.offset.offset_s),
                quality=match.offset.quality,
                t_ns=int(look.main.shown.t_ns[-1]),
                connection=order.connection,
                street=order.street,
            )
            self._rest_s = AGAIN_S
        return self._valid(order.connection, order.street)

    def _judged(self, order: Order, match: Match, known: KnownOffset | None, look: Look) -> float:
        """Return the offset to cut by; raise Forgone where it must not be cut."""
        if len({packet.form.connection for packet in order.packets}) > 1:
            raise Forgone("gone", "the main stream was called again meanwhile")
        if known is None:
            raise Forgone("offset-unknown", "the pictures do not tell how the streams lie")
        if abs(known.offset_s) > MOST_OFFSET_S:
            raise Forgone("offset", f"{known.offset_s:+.3f} s")
        if not match.same_view:
            raise Forgone("other-view", f"they agree to {match.view_fit:.2f} only")
        shown_ns = look.main.shown.t_ns - ns_from_s(known.offset_s)
        hole_s = longest_hole_s(shown_ns, start_ns=order.name.start_ns, until_ns=order.until_ns)
        if hole_s > LONGEST_HOLE_S:
            raise Forgone("gone", f"{hole_s:.1f} s of the main stream are missing")
        return known.offset_s

    def _go(self) -> None:
        """Go on with a clip; raises Forgone where recording is shed or we are to stop."""
        if self._stop.is_set() or self._over:
            raise Forgone("stopped")
        if not self._records():
            raise Forgone("shed")

    def _forgo(self, name: SegmentName, reason: str, note: str = "") -> None:
        if not name.purpose:
            return
        self._not[reason] += 1
        self._why = reason
        self._say(name, cut_from="sub", reason=reason, note=note)

    def _say(self, name: SegmentName, **fields: Any) -> None:
        self._said.put({"clip": self._camera.id, "event_id": name.event_id, **fields})
