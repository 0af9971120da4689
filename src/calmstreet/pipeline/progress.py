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
    out = stream or sys.stderr
    time = clock or SystemClock()
    state = {"what": "", "begun": 0.0, "told": -1e9}
    terminal = out.isatty()
    pause_s = 0.5 if terminal else 10.0

    def report(what: str, share: float) -> None:
        now = time.monotonic_s()
        if what != state["what"]:
            state.update(what=what, begun=now, told=-1e9 if terminal else now)
        over = share >= 1.0
        if not over and now - float(state["told"]) < pause_s:
            return
        state["told"] = now
        line = f"{what}: {_remaining(now - float(state['begun']), share)}"
        out.write(f"\r\x1b[2K{line}" + ("\n" if over else "") if terminal else f"{line}\n")
        out.flush()

    return report


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
