"""Memory of one live camera over hours that pass at once: ``python -m tests.bench.memory``.

A film of half an hour is played over and over as a camera by a clock that does not wait, so that an
hour costs the minutes of work in it. Every few minutes of the film memory, runs and clips are told.
"""

import argparse
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from tests.bench.soak import SITE, streams
from tests.whole.test_live import StoppingClock

from calmstreet.config.node import load_node
from calmstreet.pipeline.live_camera import live_camera
from calmstreet.pipeline.watch import watch_camera

TOLD_S = 300.0
FILM_MINUTES = 30.0


def watch(folder: Path, film: Path, *, detector: str, hours: float) -> None:
    """Watch ``film`` for so many of its hours and print a line for each five minutes."""
    (folder / "SITE.toml").write_text(SITE.format(name="kerb"), encoding="utf-8")
    config = folder / "calmstreet.toml"
    config.write_text(
        f'[[camera]]\nid = "kerb"\nsite = "SITE.toml"\nurl = "file:{film}?loop=1"\n'
        f'detector = "{detector}"\n',
        encoding="utf-8",
    )
    (folder / "results").mkdir()
    stop = threading.Event()
    clock = StoppingClock(stop=stop, ends_s=hours * 3600)
    due_s = 0.0

    def tell(**fields: Any) -> None:
        nonlocal due_s
        now_s = clock.monotonic_s()
        if "beat" in fields and now_s >= due_s:
            due_s = now_s + TOLD_S
            sys.stdout.write(
                f"{now_s / 60:4.0f} min  {fields['rss_bytes'] / 1e6:6.1f} MB  "
                f"{fields['runs']} runs  {fields['clips']} clips\n"
            )
            sys.stdout.flush()

    camera = live_camera(load_node(config), "kerb", config=config, environ={})
    watch_camera(camera, stop=stop, clock=clock, tell=tell, cut_s=180.0)


def main() -> None:
    """Encode the film where it is not there yet, then watch it."""
    parser = argparse.ArgumentParser(prog="tests.bench.memory", description=__doc__)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--detector", default="nanodet")
    parser.add_argument("--films", type=Path, default=Path("bench-out"))
    asked = parser.parse_args()
    asked.films.mkdir(parents=True, exist_ok=True)
    film = streams(asked.films, FILM_MINUTES)[0][0].resolve()
    with tempfile.TemporaryDirectory() as folder:
        watch(Path(folder), film, detector=asked.detector, hours=asked.hours)


if __name__ == "__main__":
    main()
