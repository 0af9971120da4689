"""What is recorded of a live camera: clips of events, audit windows, or everything; blurred only.

The newest blurred pictures wait packed in a ring in memory, so that a clip begins before its event.
Nothing else of them is kept: what leaves the ring unasked is gone.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from calmstreet.config.cameras import NodeCamera
from calmstreet.model.event import Event
from calmstreet.model.frame import Frame
from calmstreet.model.kept import BlurredFrame
from calmstreet.model.points import TrackPoints
from calmstreet.pipeline.audit_windows import window_at
from calmstreet.pipeline.main_clips import MainClips
from calmstreet.pipeline.scribe import Scribe, Sheet
from calmstreet.store.segments import SegmentName
from calmstreet.units import ns_from_s
from calmstreet.video.blur import Packed, pack

__all__ = ["LONGEST_CLIP_S", "RING_BYTES", "RING_S", "Recording"]

LONGEST_CLIP_S = 90.0
RING_S = 45.0
RING_BYTES = 48_000_000
CLIP_FPS = 10.0
CLIP_HEIGHT_PX = 720
CONTINUOUS_FPS = 5.0
CONTINUOUS_HEIGHT_PX = 360
CONTINUOUS_S = 60.0
_REMEMBERED = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moment:
    packed: Packed
    rows: TrackPoints


@dataclass(slots=True, kw_only=True)
class _Roll:
    """A segment on its way: until when it runs, the last picture and all rows that it got."""

    name: SegmentName
    until_ns: int
    last_ns: int = -1
    steps: list[tuple[int, TrackPoints]] = field(default_factory=list)


class Recording:
    """The ring and the open segments of one camera; the scribe writes them.

    ``records`` False stops every recording until it is True again; the ring goes on. ``main``
    makes each event's clip anew from the camera's main stream where it can.
    """

    def __init__(
        self, *, camera: NodeCamera, scribe: Scribe, main: MainClips | None = None
    ) -> None:
        self.records = True
        self._main = main
        self._camera = camera
        self._scribe = scribe
        self._ring: deque[_Moment] = deque()
        self._ring_bytes = 0
        self._rolls: dict[str, _Roll] = {}
        self._due_ns = 0
        self._filmed: deque[str] = deque(maxlen=_REMEMBERED)
        if main is not None:
            main.open(scribe, lambda: self.records)

    @property
    def wanted(self) -> bool:
        """Return whether this camera keeps pictures at all."""
        return self._camera.record != "none"

    @property
    def ring_s(self) -> float:
        """Return how far back the ring reaches."""
        if not self._ring:
            return 0.0
        return (self._ring[-1].packed.t_ns - self._ring[0].packed.t_ns) / 1e9

    def take(self, picture: BlurredFrame, rows: TrackPoints, *, run_id: int) -> None:
        """Take the next blurred picture with the road users of its moment."""
        if not self.wanted or picture.t_ns < self._due_ns:
            return
        self._due_ns = picture.t_ns + ns_from_s(0.75 / CLIP_FPS)
        moment = _Moment(packed=pack(picture), rows=rows)
        self._ring.append(moment)
        self._ring_bytes += len(moment.packed.jpeg)
        while self._ring_bytes > RING_BYTES or self.ring_s > RING_S:
            self._ring_bytes -= len(self._ring.popleft().packed.jpeg)
        if self.records:
            self._open_due(picture.t_ns, run_id)
        for key, roll in list(self._rolls.items()):
            self._hand_over(roll, [moment])
            if picture.t_ns >= roll.until_ns:
                self._end(key)

    def event(self, event: Event, *, run_id: int) -> None:
        """Begin or lengthen the clip of an event that was told.

        An event has one clip, even where it goes on for longer; one with an excuse has none.
        """
        if self._camera.record != "events" or not self.records or event.severity < 1:
            return
        start_ns = event.start_ns - ns_from_s(self._camera.pre_roll_s)
        until_ns = event.end_ns + ns_from_s(self._camera.post_roll_s)
        roll = self._rolls.get("event")
        if roll is None and event.event_id in self._filmed:
            return
        if event.event_id not in self._filmed:
            self._filmed.append(event.event_id)
        if roll is None:
            past = [moment for moment in self._ring if moment.packed.t_ns >= start_ns]
            newest_ns = self._ring[-1].packed.t_ns if self._ring else 0
            if not past:
                return
            roll = self._begin("event", past[0].packed.t_ns, until_ns, run_id, event.event_id)
            self._hand_over(roll, [m for m in past if m.packed.t_ns <= max(until_ns, start_ns)])
            if until_ns <= newest_ns:
                self._end("event")
            return
        roll.until_ns = max(roll.until_ns, until_ns)
        roll.until_ns = min(roll.until_ns, roll.name.start_ns + ns_from_s(LONGEST_CLIP_S))

    def saw(self, frame: Frame) -> None:
        """Take note of a raw picture that was analysed: the main stream is compared with it."""
        if self._main is not None:
            self._main.saw(frame)

    def main_figures(self) -> dict[str, Any]:
        """Return the fields of a beat that tell of the main stream, none where there is none."""
        return {} if self._main is None else self._main.figures()

    def close(self) -> None:
        """End all segments; wait a little for a clip of the main stream."""
        self.end_run()
        if self._main is not None:
            self._main.close()

    def end_run(self) -> None:
        """End all open segments: they belong to a run, and the next one begins."""
        for key in list(self._rolls):
            self._end(key)

    def forget(self) -> None:
        """Empty the ring: the next pictures are of another size or time."""
        self._ring.clear()
        self._ring_bytes = 0
        self._due_ns = 0
        if self._main is not None:
            self._main.forget()

    def _open_due(self, t_ns: int, run_id: int) -> None:
        camera = self._camera
        if camera.record == "continuous" and "continuous" not in self._rolls:
            self._begin("continuous", t_ns, t_ns + ns_from_s(CONTINUOUS_S), run_id)
        if camera.audit_windows_per_hour and "audit" not in self._rolls:
            window = window_at(
                t_ns,
                camera_id=camera.id,
                per_hour=camera.audit_windows_per_hour,
                window_s=camera.audit_window_s,
                seed=camera.audit_seed,
            )
            if window is not None:
                self._begin("audit", t_ns, window[1], run_id)

    def _begin(
        self, purpose: str, start_ns: int, until_ns: int, run_id: int, event_id: str = ""
    ) -> _Roll:
        name = SegmentName(
            camera_id=self._camera.id,
            purpose=purpose,
            start_ns=start_ns,
            run_id=run_id,
            event_id=event_id,
        )
        slow = purpose == "continuous"
        self._scribe.begin(
            Sheet(
                name=name,
                fps=CONTINUOUS_FPS if slow else CLIP_FPS,
                height_px=CONTINUOUS_HEIGHT_PX if slow else CLIP_HEIGHT_PX,
                drawn=purpose == "event",
            )
        )
        latest_ns = start_ns + ns_from_s(LONGEST_CLIP_S)
        self._rolls[purpose] = roll = _Roll(name=name, until_ns=min(until_ns, latest_ns))
        if self._main is not None and purpose == "event":
            self._main.hold(start_ns)
        return roll

    def _hand_over(self, roll: _Roll, moments: list[_Moment]) -> None:
        for moment in moments:
            if roll.last_ns < moment.packed.t_ns <= roll.until_ns:
                roll.last_ns = moment.packed.t_ns
                roll.steps.append((moment.packed.t_ns, moment.rows))
                self._scribe.write(roll.name, moment.packed, moment.rows)

    def _end(self, key: str) -> None:
        roll = self._rolls.pop(key)
        self._scribe.end(roll.name)
        if self._main is not None and key == "event":
            self._main.order(roll.name, until_ns=roll.last_ns, steps=roll.steps)
