"""One watch from the opened file to the counts, as `calmstreet analyse` runs it, without report."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calmstreet.config.site import default_site
from calmstreet.model.flow import Flow
from calmstreet.model.run import Run
from calmstreet.model.site import Gate, Site
from calmstreet.perception.detector import Detector
from calmstreet.pipeline.counting import count_run
from calmstreet.pipeline.eyes import detector_version
from calmstreet.pipeline.keeping import Keeper
from calmstreet.pipeline.seeing import Seer, in_the_dark
from calmstreet.pipeline.watching import Tally, Watch
from calmstreet.store.catalogue import Catalogue
from calmstreet.units import NS_PER_S
from calmstreet.video.recorder import ClipWriter
from calmstreet.video.source import FileSource, probe

__all__ = ["Watched", "gate_site", "watched"]

CAMERA = "camera"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What came out of a watch."""

    flow: Flow
    tally: Tally
    net_calls: int
    kept_pictures: int

    def passes(self, gate: str) -> tuple[int, int]:
        """Return counted crossings of a gate: (to_left, to_right)."""
        crossed = self.flow.crossings
        mine = crossed.counted & (crossed.gate_id == gate)
        left = int(np.count_nonzero(mine & (crossed.direction == "to_left")))
        return left, int(np.count_nonzero(mine)) - left


def gate_site(points_px: Sequence[tuple[float, float]]) -> Site:
    """Return a site with one gate, called "line"."""
    gate = Gate(id="line", camera_id=CAMERA, points_px=tuple(points_px))
    return replace(default_site(), gates=(gate,))


def watched(
    path: Path,
    *,
    site: Site | None = None,
    samples: NDArray[np.uint8] | None = None,
    net: Detector | None = None,
    net_every: int = 2,
    analysed_fps: float = 10.0,
    keep: bool = False,
    times: int = 1,
) -> Watched:
    """Watch a clip ``times`` in a row as one run: decode, see, track, store, count.

    ``keep`` also blurs, draws and writes the whole video.
    """
    site = site or default_site()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Catalogue.open(folder, create=True) as catalogue:
            run = _new_run(catalogue, site, path, net)
            writer = ClipWriter(path=folder / "kept.mp4") if keep else None
            seer = Seer(
                site=site,
                run=run,
                net=net,
                samples=samples,
                net_every=net_every,
                dark_net_every=in_the_dark(net_every),
                analysed_fps=analysed_fps,
            )
            watch = Watch(
                catalogue=catalogue, run=run, seer=seer, keeper=_keeper(site, run, writer)
            )
            _feed(watch, path, times)
            pictures = 0 if writer is None else writer.pictures
            if writer is not None:
                writer.close()
            flow = count_run(catalogue, replace(run, counted=True), site)
            return Watched(
                flow=flow, tally=watch.tally, net_calls=seer.net_calls, kept_pictures=pictures
            )


def _new_run(catalogue: Catalogue, site: Site, path: Path, net: Detector | None) -> Run:
    info = probe(path)
    catalogue.save_site(site, "")
    run = Run(
        run_id=0,
        camera_id=site.cameras[0].id,
        site_version=site.site_version,
        source=path.name,
        start_ns=0,
        end_ns=1,
        state="open",
        time_known="unknown",
        width_px=info.width_px,
        height_px=info.height_px,
        declared_fps=info.declared_fps,
        delivered_fps=info.declared_fps,
        detector=detector_version(net),
    )
    return replace(run, run_id=catalogue.new_run(run, files=[]))


def _keeper(site: Site, run: Run, writer: ClipWriter | None) -> Keeper:
    return Keeper(
        site=site,
        camera_id=run.camera_id,
        width_px=run.width_px,
        height_px=run.height_px,
        writer=writer,
    )


def _feed(watch: Watch, path: Path, times: int) -> None:
    start_ns = NS_PER_S
    for _ in range(times):
        source = FileSource(path=path, camera_id=watch.run.camera_id, start_ns=start_ns)
        for frame in source.frames():
            watch.take(frame)
        start_ns += round(source.stats.duration_s * NS_PER_S)
    watch.close()
