"""How often somebody may do something: so many per minute, by whoever asks."""

import threading
from collections import OrderedDict

from calmstreet.clock import Clock

__all__ = ["Pace"]

_MOST_KEYS = 10_000


class Pace:
    """A bucket for each asker that fills evenly and is never fuller than a minute's worth."""

    def __init__(self, *, per_minute: int, clock: Clock) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> float:
        """Take one from the bucket of ``key``; return 0, or the seconds to wait when it is empty.

        >>> from calmstreet.clock import FakeClock
        >>> pace = Pace(per_minute=2, clock=FakeClock())
        >>> [pace.take("x"), pace.take("x"), pace.take("x"), pace.take("y")]
        [0.0, 0.0, 30.0, 0.0]
        """
        now_s = self._clock.monotonic_s()
        with self._lock:
            left, since_s = self._buckets.pop(key, (float(self._per_minute), now_s))
            left = min(self._per_minute, left + (now_s - since_s) * self._per_minute / 60)
            wait_s = 0.0 if left >= 1 else (1 - left) * 60 / self._per_minute
            self._buckets[key] = (left - 1 if left >= 1 else left, now_s)
            while len(self._buckets) > _MOST_KEYS:
                self._buckets.popitem(last=False)
        return wait_s

    def give_back(self, key: str) -> None:
        """Put back what was taken last, when it turned out not to count."""
        with self._lock:
            if key in self._buckets:
                left, since_s = self._buckets[key]
                self._buckets[key] = (min(self._per_minute, left + 1), since_s)
