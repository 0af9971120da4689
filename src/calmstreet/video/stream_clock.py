"""From a stream's own timestamps and the moments of arrival to honest UTC.

A frame cannot have been taken after it arrived, and the network only delays. So the frame that was
delayed least tells how the stream's time lies on ours (Scott Lamb, Moonfire NVR, design/time.md,
2021), and this anchor rises only slowly, by the drift that a crystal can have. Timestamps that run
at another speed than the pictures arrive (25 declared, 21 delivered) are told by the slope of the
least delayed frames (Theil 1950, Sen 1968: the median of slopes between pairs).
Everything is counted in whole nanoseconds.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np

__all__ = ["JUMP", "SETTLING", "STEP", "Stamp", "StreamClock"]

STEP = "step"
"""The wall clock was set: a new run begins."""
JUMP = "jump"
"""The stream's time took another line, more than a second away: a new run begins."""
SETTLING = "settling"
"""Of the first seconds of a connection: an older picture sent in a burst; it has no good time."""

_MS_NS = 1_000_000
_S_NS = 1_000_000_000
_STEP_NS = 250 * _MS_NS
_ODD_NS = 5 * _S_NS
_ODD_IN_A_ROW = 3
_AGREE_NS = _S_NS
_BUCKET_NS = 500 * _MS_NS
_BUCKETS = 40
_SHORT_BUCKETS = 10
_LATE_BUCKETS = 4
_LOST_BUCKETS = 8
_LOST_NS = _S_NS
_NEAR_NS = 50 * _MS_NS
_CRYSTAL_SHARE = 500e-6
_CATCH_UP_SHARE = 0.01
_CHASE_SHARE = 0.25
_SETTLE_NS = 3 * _S_NS
_LEAST_NS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """The time of one frame, UTC ns, and what happened to time just before it.

    ``verdict`` is empty, STEP, JUMP or SETTLING; ``by_arrival`` says that the frame's own timestamp
    was missing or could not be true; ``moved_s`` is by how much the clock or the line moved.
    """

    t_ns: int
    verdict: str = ""
    by_arrival: bool = False
    moved_s: float = 0.0


class _Seen(NamedTuple):
    media_ns: int
    arrival_ns: int


class StreamClock:
    """Stamps the frames of one camera, through all its connections, in the order of showing.

    ``ahead_ns`` is by how much the wall clock is ahead of the monotonic one, if known already;
    ``began_ns`` when the watch began, on the monotonic clock.
    """

    def __init__(
        self,
        *,
        time_base: Fraction,
        wrap_bits: int = 0,
        ahead_ns: int | None = None,
        began_ns: int = 0,
    ) -> None:
        self._ahead_ns = ahead_ns
        self._last_ns: int | None = None
        self._last_arrival_ns = 0
        self._watch_began_ns = began_ns
        self.restart(time_base, wrap_bits=wrap_bits)

    def restart(self, time_base: Fraction, *, wrap_bits: int = 0) -> None:
        """Begin a new connection: its timestamps have nothing to do with the former ones."""
        self._time_base = time_base
        self._wrap_ticks = 1 << wrap_bits if wrap_bits else 0
        self._unwrapped: int | None = None
        self._origin = 0
        self._began_ns: int | None = None
        self._last_media_ns = self._usual_ns = 0
        self._pivot = _Seen(0, 0)
        self._rate = 1.0
        self._odd: list[_Seen] = []
        self._forget()

    def _forget(self) -> None:
        self._minima: deque[_Seen] = deque(maxlen=_BUCKETS)
        self._bucket: tuple[int, _Seen] | None = None

    @property
    def rate(self) -> float:
        """Return how long a second of the stream really is; 1 unless its timestamps lie."""
        return self._rate

    @property
    def last_ns(self) -> int:
        """Return when the last frame was taken, on the monotonic clock, or the watch began."""
        return self._watch_began_ns if self._last_ns is None else self._last_ns

    @property
    def drift_share(self) -> float:
        """Return how much slower the stream's clock runs than ours; NaN before 10 s are seen."""
        if len(self._minima) < 2 or self._span_ns() < 10 * _S_NS:
            return float("nan")
        return _slope(self._minima) - 1.0

    def stamp(self, ticks: int | None, *, arrival_ns: int, ahead_ns: int) -> Stamp:
        """Return the time of a frame with the timestamp ``ticks``.

        ``arrival_ns`` is when its packet came, on the monotonic clock; ``ahead_ns`` by how much
        the wall clock was then ahead of the monotonic one. Times grow strictly between verdicts.
        """
        stepped_ns = self._step(ahead_ns)
        media_ns = self._media(ticks)
        verdict, moved_ns = (STEP, stepped_ns) if stepped_ns else ("", 0)
        if media_ns is None:
            return self._by_arrival(arrival_ns, verdict, moved_ns)
        if self._began_ns is None:
            self._began_ns = arrival_ns
            self._aim(_Seen(media_ns, arrival_ns))
        elif self._is_odd(media_ns, arrival_ns):
            jumped_ns = self._new_line(_Seen(media_ns, arrival_ns))
            if jumped_ns is None:
                return self._by_arrival(arrival_ns, verdict, moved_ns)
            if abs(jumped_ns) > _AGREE_NS:
                verdict, moved_ns = verdict or JUMP, moved_ns or jumped_ns
        else:
            self._odd.clear()
            lost_ns = self._follow(_Seen(media_ns, arrival_ns))
            if lost_ns:
                verdict, moved_ns = verdict or JUMP, moved_ns or lost_ns
        return self._by_stream(media_ns, arrival_ns, verdict, moved_ns)

    def _step(self, ahead_ns: int) -> int:
        if self._ahead_ns is None:
            self._ahead_ns = ahead_ns
        moved_ns = ahead_ns - self._ahead_ns
        if abs(moved_ns) <= _STEP_NS:
            return 0
        self._ahead_ns = ahead_ns
        return moved_ns

    def _media(self, ticks: int | None) -> int | None:
        if ticks is None:
            return None
        if self._unwrapped is None:
            self._unwrapped = self._origin = ticks
        elif self._wrap_ticks:
            half = self._wrap_ticks // 2
            self._unwrapped += (ticks - self._unwrapped + half) % self._wrap_ticks - half
        else:
            self._unwrapped = ticks
        base = self._time_base
        return (self._unwrapped - self._origin) * base.numerator * _S_NS // base.denominator

    def _on_line(self, media_ns: int) -> int:
        since_ns = media_ns - self._pivot.media_ns
        return self._pivot.arrival_ns + (
            since_ns if self._rate == 1.0 else round(since_ns * self._rate)
        )

    def _aim(self, seen: _Seen) -> None:
        self._pivot = seen
        self._last_media_ns = seen.media_ns

    def _is_odd(self, media_ns: int, arrival_ns: int) -> bool:
        """Return whether a frame goes back in the stream's time, or came long before it was due."""
        early_ns = self._on_line(media_ns) - arrival_ns
        return media_ns <= self._last_media_ns or early_ns > _ODD_NS

    def _new_line(self, seen: _Seen) -> int | None:
        """Return by how much time moved if the last odd frames agree on another line, else None."""
        if self._odd and not _agree(self._odd[-1], seen):
            self._odd.clear()
        self._odd.append(seen)
        if len(self._odd) < _ODD_IN_A_ROW:
            return None
        moved_ns = self._on_line(seen.media_ns) - seen.arrival_ns
        self._odd.clear()
        self._forget()
        self._rate = 1.0
        self._aim(seen)
        return moved_ns

    def _follow(self, seen: _Seen) -> int:
        """Let the line follow a frame; return by how much it had to jump, 0 as a rule."""
        late_ns = seen.arrival_ns - self._on_line(seen.media_ns)
        if late_ns < 0:
            self._pivot = seen
        number = seen.arrival_ns // _BUCKET_NS
        if self._bucket is None:
            self._bucket = (number, seen)
            return 0
        if number == self._bucket[0]:
            if late_ns < self._late_ns(self._bucket[1]):
                self._bucket = (number, seen)
            return 0
        self._minima.append(self._bucket[1])
        passed_ns = (number - self._bucket[0]) * _BUCKET_NS
        self._bucket = (number, seen)
        return self._follow_minima(seen, min(passed_ns, _S_NS))

    def _late_ns(self, seen: _Seen) -> int:
        return seen.arrival_ns - self._on_line(seen.media_ns)

    def _follow_minima(self, seen: _Seen, passed_ns: int) -> int:
        self._judge_rate()
        recent = list(self._minima)[-_LOST_BUCKETS:]
        late_ns = [self._late_ns(one) for one in recent]
        if len(recent) == _LOST_BUCKETS and min(late_ns) > _LOST_NS:
            moved_ns = self._late_ns(seen)
            self._forget()
            self._rate = 1.0
            self._pivot = seen
            return moved_ns
        least_ns = min(late_ns[-_LATE_BUCKETS:])
        if least_ns > 0:
            share = _CRYSTAL_SHARE if least_ns < _NEAR_NS else _CATCH_UP_SHARE
            share = _CHASE_SHARE if self._rate != 1.0 and least_ns >= _NEAR_NS else share
            rise_ns = min(least_ns, round(share * passed_ns))
            self._pivot = self._pivot._replace(arrival_ns=self._pivot.arrival_ns + rise_ns)
        return 0

    def _span_ns(self) -> int:
        return self._minima[-1].arrival_ns - self._minima[0].arrival_ns

    def _judge_rate(self) -> None:
        """Tell timestamps that run at a false speed from those that merely came late."""
        seen = list(self._minima)
        lately = seen[-_SHORT_BUCKETS:]
        slope = _steady_slope(lately)
        if slope is None and self._rate == 1.0:
            slope = _steady_slope(seen)
        if slope is None and (self._rate == 1.0 or not _is_true(lately)):
            return
        here = seen[-1].media_ns
        self._pivot = _Seen(here, self._on_line(here))
        self._rate = slope or 1.0

    def _by_arrival(self, arrival_ns: int, verdict: str, moved_ns: int) -> Stamp:
        """Stamp a frame without a usable timestamp: as long after the last one as it came.

        One alone among good ones is not put further on than they lie apart: it may have been late.
        """
        since_ns = min(arrival_ns - self._last_arrival_ns, self._usual_ns or _ODD_NS)
        m_ns = arrival_ns if self._last_ns is None else min(arrival_ns, self._last_ns + since_ns)
        self._usual_ns = 0
        return self._stamped(m_ns, arrival_ns, verdict, moved_ns, by_arrival=True)

    def _by_stream(self, media_ns: int, arrival_ns: int, verdict: str, moved_ns: int) -> Stamp:
        m_ns = self._on_line(media_ns)
        self._usual_ns = max(0, media_ns - self._last_media_ns)
        least_ns = self._usual_ns // 2
        self._last_media_ns = media_ns
        if self._last_ns is not None and m_ns < self._last_ns + least_ns:
            young = self._began_ns is not None and arrival_ns - self._began_ns < _SETTLE_NS
            if young and not verdict:
                return Stamp(t_ns=m_ns + (self._ahead_ns or 0), verdict=SETTLING)
            m_ns = self._last_ns + min(least_ns, _S_NS)
        return self._stamped(m_ns, arrival_ns, verdict, moved_ns, by_arrival=False)

    def _stamped(
        self, m_ns: int, arrival_ns: int, verdict: str, moved_ns: int, *, by_arrival: bool
    ) -> Stamp:
        m_ns = min(m_ns, arrival_ns)
        if self._last_ns is not None:
            m_ns = max(m_ns, self._last_ns + _LEAST_NS)
        self._last_ns, self._last_arrival_ns = m_ns, arrival_ns
        return Stamp(
            t_ns=m_ns + (self._ahead_ns or 0),
            verdict=verdict,
            by_arrival=by_arrival,
            moved_s=moved_ns / _S_NS,
        )


def _agree(one: _Seen, other: _Seen) -> bool:
    """Return whether two frames lie on one line of time.

    >>> _agree(_Seen(0, 0), _Seen(40_000_000, 41_000_000))
    True
    """
    media_ns, arrival_ns = other.media_ns - one.media_ns, other.arrival_ns - one.arrival_ns
    return media_ns > 0 and abs(media_ns - arrival_ns) < _AGREE_NS


def _slope(seen: Sequence[_Seen]) -> float:
    """Return the median slope of arrival over stream time between pairs far apart.

    >>> _slope([_Seen(0, 0), _Seen(10, 20), _Seen(20, 40)])
    2.0
    """
    both = np.array(seen, np.float64)
    first, second = np.triu_indices(len(both), max(1, len(both) // 3))
    media, arrival = (both[second] - both[first]).T
    good = media > 0
    return float(np.median(arrival[good] / media[good])) if good.any() else 1.0


def _limit(seen: Sequence[_Seen]) -> float:
    """Return how far from 1 a slope may be by the network's doing alone."""
    span_ns = seen[-1].arrival_ns - seen[0].arrival_ns
    return 0.003 + 60 * _MS_NS / max(span_ns, _MS_NS)


def _steady_slope(seen: Sequence[_Seen]) -> float | None:
    """Return the slope if both halves say that it is false, in the same sense; else None."""
    half = len(seen) // 2
    if half < 2:
        return None
    halves = seen[:half], seen[-half:]
    if all(_slope(part) - 1.0 > _limit(part) for part in halves):
        return _slope(seen)
    calm = seen[-1].arrival_ns - seen[0].arrival_ns > 4 * _S_NS
    if calm and all(1.0 - _slope(part) > _limit(part) for part in halves):
        return _slope(seen)
    return None


def _is_true(seen: Sequence[_Seen]) -> bool:
    """Return whether the timestamps run at the right speed again."""
    return len(seen) == _SHORT_BUCKETS and abs(_slope(seen) - 1.0) < _limit(seen) / 2
