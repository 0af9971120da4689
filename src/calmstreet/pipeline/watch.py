"""Watches one live camera until it is told to stop: ``calmstreet watch`` runs one of these each.

``python -m calmstreet.pipeline.watch --config calmstreet.toml --camera ID`` writes its heart's
beats as lines of JSON to standard output, and stops cleanly when it gets SIGTERM or when its
standard input ends.
"""

import argparse
import os
import select
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import cv2

from calmstreet.clock import Clock, SystemClock
from calmstreet.config.node import load_node
from calmstreet.errors import CalmstreetError
from calmstreet.perception.detector import Detector
from calmstreet.pipeline.camera_watch import CameraWatch, Tell
from calmstreet.pipeline.eyes import chosen_net
from calmstreet.pipeline.lines import tell_line
from calmstreet.pipeline.live_camera import LiveCamera, live_camera
from calmstreet.pipeline.live_street import file_samples
from calmstreet.pipeline.main_clips import MainClips
from calmstreet.pipeline.places import prove_there
from calmstreet.pipeline.process_figures import forbid_core_dumps
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.folder import only_writer, remove_quietly
from calmstreet.store.live import live_path
from calmstreet.store.upkeep import recover
from calmstreet.video.live_source import LiveSource
from calmstreet.video.main_stream import MainStream
from calmstreet.video.segment_writer import salvage

__all__ = ["Supervised", "main", "main_clips", "watch_camera"]


def watch_camera(
    camera: LiveCamera,
    *,
    stop: threading.Event,
    tell: Tell = tell_line,
    clock: Clock | None = None,
    cut_s: float = 900.0,
    longest_s: float = 3600.0,
) -> None:
    """Mend the folder of a camera, then watch it until ``stop`` is set.

    Raises StoreError where the folder is written by another process, or is not proved.
    """
    clock = clock or SystemClock()
    net = chosen_net(camera.settings.detector)
    if camera.address.is_file:
        file_samples(camera.address)
    with (
        only_writer(camera.folder),
        Catalogue.open(camera.folder, create=True, clock=clock) as catalogue,
    ):
        known_ns = clock.now_ns()
        mended = recover(catalogue, camera_id=camera.id, now_ns=known_ns, salvage=salvage)
        tell(recovered=camera.id, runs=mended.runs, points=mended.points,
                  segments=mended.segments, gap_s=mended.gap.duration_s if mended.gap else 0.0,
                  left=mended.left)  # fmt: skip
        source = LiveSource(
            address=camera.address,
            camera_id=camera.id,
            clock=clock,
            networks=camera.networks,
            transport=camera.settings.transport,
            stop=stop,
        )
        CameraWatch(
            camera=camera,
            catalogue=catalogue,
            source=source,
            clock=clock,
            net=net,
            known_ns=known_ns,
            turn=camera.folder.parent / ".recording",
            tell=tell,
            cut_s=cut_s,
            longest_s=longest_s,
            main=main_clips(camera, net=net, clock=clock, stop=stop, tell=tell),
        ).run()


def main_clips(
    camera: LiveCamera,
    *,
    net: Detector | None,
    clock: Clock,
    stop: threading.Event,
    tell: Tell,
) -> MainClips | None:
    """Return what makes clips of a camera's main stream, None where it has none."""
    if camera.main is None:
        return None
    stream = MainStream(
        address=camera.main,
        clock=clock,
        networks=camera.networks,
        transport=camera.settings.transport,
    )
    return MainClips(camera=camera, stream=stream, net=net, clock=clock, stop=stop, tell=tell)


class Supervised:
    """Ties this process to whoever started it: told to stop, or left alone, it sets ``stop``.

    It is told by SIGTERM or SIGINT; it is left alone when its standard input ends or nobody reads
    its lines any more, which is looked for with every line.
    """

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self._stop.set()

    def tell(self, **fields: Any) -> None:
        """Write a line to standard output."""
        try:
            tell_line(**fields)
            readable = select.select([0], [], [], 0)[0]
            if readable and not os.read(0, 4096):
                self._stop.set()
        except (OSError, ValueError):
            self._stop.set()


def main(arguments: Sequence[str] | None = None) -> int:
    """Watch one camera of a node; return 0, or 2 with one sentence on standard error."""
    parser = argparse.ArgumentParser(prog="calmstreet.pipeline.watch")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--camera", required=True)
    asked = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    forbid_core_dumps()
    stop = threading.Event()
    supervised = Supervised(stop)
    try:
        settings = load_node(asked.config)
        camera = live_camera(settings, asked.camera, config=asked.config)
        prove_there(settings, asked.config, camera.id)
        watch_camera(
            camera,
            stop=stop,
            tell=supervised.tell,
            cut_s=settings.node.cut_minutes * 60,
            longest_s=settings.node.longest_minutes * 60,
        )
        remove_quietly(live_path(camera.folder, camera.id))
    except CalmstreetError as error:
        tell_line(sys.stderr, level="error", camera=asked.camera, says=str(error))
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
