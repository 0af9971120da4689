"""How long work shows where it is, on standard error."""

import sys
from collections.abc import Callable
from typing import TextIO

from calmstreet.clock import Clock, SystemClock

__all__ = ["Progress", "quiet", "reporter"]

Progress = Callable[[str, float], None]
"""Takes what is being done and the share done, 0..1."""


def quiet(what: str, share: float) -> None:
    """Say nothing.

    >>> quiet("reading", 0.5)
    """


def reporter(stream: TextIO | None = None, clock: Clock | None = None) -> Progress:
    """Return a reporter: one line kept up to date on a terminal, else a line now and then.

    The remaining time is what the share done so far took, carried on.
    """
    return _Reporter(stream or sys.stderr, clock or SystemClock())


class _Reporter:
    """Holds what was told last, and when."""

    def __init__(self, stream: TextIO, clock: Clock) -> None:
        self._out = stream
        self._clock = clock
        self._terminal = stream.isatty()
        self._what = ""
        self._begun_s = 0.0
        self._told_s = 0.0

    def __call__(self, what: str, share: float) -> None:
        now_s = self._clock.monotonic_s()
        if what != self._what:
            self._what, self._begun_s, self._told_s = what, now_s, now_s
        over = share >= 1.0
        if not over and now_s - self._told_s < (0.5 if self._terminal else 10.0):
            return
        self._told_s = now_s
        line = f"{what}: {_remaining(now_s - self._begun_s, share)}"
        self._out.write(f"\r\x1b[2K{line}{chr(10) * over}" if self._terminal else f"{line}\n")
        self._out.flush()


def _remaining(spent_s: float, share: float) -> str:
    """Return the share and the time left in words.

    >>> _remaining(10.0, 0.25)
    '25 %, 30 s left'
    >>> _remaining(10.0, 1.0)
    'done in 10 s'
    """
    if share >= 1.0:
        return f"done in {spent_s:.0f} s"
    if share < 0.02:
        return f"{100 * share:.0f} %"
    left_s = spent_s * (1 - share) / share
    words = f"{left_s:.0f} s" if left_s < 120 else f"{left_s / 60:.0f} min"
    return f"{100 * share:.0f} %, {words} left"
