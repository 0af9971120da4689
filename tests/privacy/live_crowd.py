"""A film of the stage, played to a live camera that records everything."""

import threading
from pathlib import Path

from calmstreet.clock import FakeClock
from calmstreet.config.node import load_node
from calmstreet.pipeline.audit_windows import audit_windows
from calmstreet.pipeline.closing import judge_waiting
from calmstreet.pipeline.lines import tell_line
from calmstreet.pipeline.live_camera import live_camera
from calmstreet.pipeline.watch import watch_camera
from calmstreet.store.catalogue import Catalogue

__all__ = ["watched_live"]

NAME = "crowd"


class EndingClock(FakeClock):
    """A clock that ends the watch after some seconds."""

    def __init__(self, *, stop: threading.Event, ends_s: float) -> None:
        super().__init__(start_ns=0)
        self._ends_s, self._at_end = ends_s, stop

    def wait(self, stop: threading.Event, duration_s: float) -> bool:
        if self.monotonic_s() >= self._ends_s:
            self._at_end.set()
        return super().wait(stop, duration_s)


def watched_live(film: Path, home: Path, *, ends_s: float) -> Path:
    """Watch a film as a camera that records everything, judge it; return its folder."""
    (home / "results").mkdir(parents=True)
    seed = next(s for s in range(10_000) if _first_window_ns(s) < 2_000_000_000)
    config = home / "calmstreet.toml"
    config.write_text(
        f'[[camera]]\nid = "{NAME}"\nurl = "file:{film}?loop=1"\naudit_seed = {seed}\n'
        'record = "continuous"\npurpose = "a test"\naudit_windows_per_hour = 30\n'
        "audit_window_s = 60.0\n",
        encoding="utf-8",
    )
    stop = threading.Event()
    watch_camera(
        live_camera(load_node(config), NAME, config=config, environ={}),
        stop=stop,
        clock=EndingClock(stop=stop, ends_s=ends_s),
        tell=tell_line,
    )
    folder = home / "results" / NAME
    with Catalogue.open(folder) as catalogue:
        judge_waiting(catalogue)
    return folder


def _first_window_ns(seed: int) -> int:
    windows = audit_windows(0, camera_id=NAME, per_hour=30, window_s=60.0, seed=seed)
    return windows[0][0]
