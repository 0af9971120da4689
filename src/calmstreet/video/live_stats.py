"""What a live camera really delivers."""

from collections import deque
from dataclasses import dataclass

from calmstreet.units import NS_PER_S

__all__ = ["LiveCount", "LiveStats"]

_WINDOW_NS = 10 * NS_PER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveStats:
    """Figures of one camera since the start; fps, sizes and codec as they are now.

    ``delivered_fps`` is of the last 10 s by the frames' own times, NaN before two frames.
    ``dropped`` frames came too late to be analysed or were never read; ``settling`` ones were older
    pictures sent in a burst after connecting; ``by_arrival`` had no usable timestamp.
    ``stream_rate`` is how long a second of the stream really is, 1 where its timestamps are true;
    ``drift_ppm`` how much slower its clock runs than ours, NaN before 10 s; ``camera_ahead_s`` by
    how much the camera's wall clock is ahead of ours by its own account, NaN where it gives none.
    """

    connected: bool
    codec: str
    width_px: int
    height_px: int
    declared_fps: float
    delivered_fps: float
    frames: int
    corrupt_frames: int
    repeated: int
    dropped: int
    settling: int
    by_arrival: int
    reconnects: int
    clock_steps: int
    stream_jumps: int
    stream_rate: float
    drift_ppm: float
    camera_ahead_s: float = float("nan")


class LiveCount:
    """The counters behind LiveStats."""

    def __init__(self) -> None:
        self.connected = False
        self.codec = ""
        self.width_px = self.height_px = 0
        self.declared_fps = float("nan")
        self.frames = self.corrupt = self.repeated = self.dropped = 0
        self.settling = self.by_arrival = self.reconnects = 0
        self.clock_steps = self.stream_jumps = 0
        self._recent: deque[int] = deque()

    def shown(self, t_ns: int) -> None:
        """Count a frame of this time."""
        self.frames += 1
        if self._recent and t_ns < self._recent[-1]:
            self._recent.clear()
        self._recent.append(t_ns)
        while t_ns - self._recent[0] > _WINDOW_NS:
            self._recent.popleft()

    def broken(self) -> None:
        """Begin the delivered rate anew."""
        self._recent.clear()

    def _delivered_fps(self) -> float:
        if len(self._recent) < 2:
            return float("nan")
        return (len(self._recent) - 1) * NS_PER_S / (self._recent[-1] - self._recent[0])

    def stats(self, *, stream_rate: float, drift_share: float, unread: int) -> LiveStats:
        """Return the figures of this moment; ``unread`` packets were dropped by the reader."""
        return LiveStats(
            connected=self.connected,
            codec=self.codec,
            width_px=self.width_px,
            height_px=self.height_px,
            declared_fps=self.declared_fps,
            delivered_fps=self._delivered_fps(),
            frames=self.frames,
            corrupt_frames=self.corrupt,
            repeated=self.repeated,
            dropped=self.dropped + unread,
            settling=self.settling,
            by_arrival=self.by_arrival,
            reconnects=self.reconnects,
            clock_steps=self.clock_steps,
            stream_jumps=self.stream_jumps,
            stream_rate=stream_rate,
            drift_ppm=drift_share * 1e6,
        )
