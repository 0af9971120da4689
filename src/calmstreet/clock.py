"""The only place that asks the machine for the time.

A clock is passed as a parameter, so that tests hold the time in their hand.
"""

import threading
import time
from typing import Protocol

__all__ = ["Clock", "FakeClock", "SystemClock"]


class Clock(Protocol):
    """What the rooms may ask of a clock."""

    def now_ns(self) -> int:
        """Return UTC nanoseconds since 1970."""
        ...

    def monotonic_s(self) -> float:
        """Return seconds that never run backwards."""
        ...

    def wait(self, stop: threading.Event, duration_s: float) -> bool:
        """Let ``duration_s`` pass, or less if ``stop`` is set; return whether it is set."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now_ns(self) -> int:
        """Return UTC nanoseconds since 1970."""
        return time.time_ns()

    def monotonic_s(self) -> float:
        """Return seconds that never run backwards."""
        return time.monotonic()

    def wait(self, stop: threading.Event, duration_s: float) -> bool:
        """Let ``duration_s`` pass, or less if ``stop`` is set; return whether it is set."""
        return stop.wait(max(0.0, duration_s))


class FakeClock:
    """A clock that moves only when told to.

    >>> clock = FakeClock(start_ns=5)
    >>> clock.advance(1.5)
    >>> clock.now_ns()
    1500000005
    """

    def __init__(self, *, start_ns: int = 0) -> None:
        self._now_ns = start_ns
        self._monotonic_s = 0.0

    def now_ns(self) -> int:
        """Return the instant that was set."""
        return self._now_ns

    def monotonic_s(self) -> float:
        """Return the seconds advanced so far."""
        return self._monotonic_s

    def advance(self, duration_s: float) -> None:
        """Move on by ``duration_s`` seconds."""
        self._now_ns += round(duration_s * 1e9)
        self._monotonic_s += duration_s

    def step(self, duration_s: float) -> None:
        """Set the wall clock forward, or back, as an administrator would."""
        self._now_ns += round(duration_s * 1e9)

    def wait(self, stop: threading.Event, duration_s: float) -> bool:
        """Move on at once, unless ``stop`` is set; return whether it is."""
        if not stop.is_set():
            self.advance(max(0.0, duration_s))
        return stop.is_set()
