"""The verbs of live cameras."""

import re
from pathlib import Path
from typing import Annotated

import typer

from calmstreet.errors import InputError

__all__ = ["add_live_verbs", "duration_s", "watch"]

_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}


def add_live_verbs(app: typer.Typer) -> None:
    """Add every verb of live cameras to the command line."""
    app.command()(watch)


def duration_s(text: str) -> float:
    """Return the seconds of a duration; raise InputError for one that does not read.

    >>> duration_s("60s"), duration_s("1.5h")
    (60.0, 5400.0)
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|m|min|h|d)?", text.strip())
    if found is None or float(found[1]) <= 0:
        raise InputError(f"--for {text} is no duration; write it as 60s, 30m or 12h")
    return float(found[1]) * _SECONDS[found[2] or ""]


def watch(
    config: Annotated[Path, typer.Option("--config", "-c", help="calmstreet.toml of the node.")],
    for_: Annotated[
        str | None, typer.Option("--for", help="Stop after this long, such as 60s or 12h.")
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="Stop when every file is played and judged.")
    ] = False,
) -> None:
    """Watch the cameras of a node around the clock until told to stop."""
    import signal
    import threading

    from calmstreet.clock import SystemClock
    from calmstreet.pipeline.supervise import Supervisor

    stop, reload, clock = threading.Event(), threading.Event(), SystemClock()
    lasts_s = duration_s(for_) if for_ else None
    supervisor = Supervisor(config=config, clock=clock, stop=stop, reload=reload, once=once)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    signal.signal(signal.SIGHUP, lambda *_: reload.set())
    timer = None
    if lasts_s is not None:
        timer = threading.Timer(lasts_s, stop.set)
        timer.daemon = True
        timer.start()
    try:
        supervisor.run()
    finally:
        if timer is not None:
            timer.cancel()
