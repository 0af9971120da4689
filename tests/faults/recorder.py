"""A camera process in miniature: points, blurred video and catalogue rows, as fast as the disk.

Run in a process of its own, which is killed or whose disk is cut off. What it did is acknowledged,
line by line, in a file on another disk: "step T", "committed PATH", "refused WHY".
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from tests.store.rows import a_run, a_site, a_step

from calmstreet.errors import StoreError
from calmstreet.model.kept import BlurredFrame
from calmstreet.model.run import Run
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.folder import only_writer
from calmstreet.store.points import PointWriter
from calmstreet.store.segments import SegmentName, segment_path
from calmstreet.store.upkeep import Recovered, recover
from calmstreet.units import NS_PER_S
from calmstreet.video.blur import blur_still
from calmstreet.video.segment_writer import SegmentWriter, salvage

CAMERA = "north"
STEP_NS = NS_PER_S // 10
SEGMENT_STEPS = 40
WIDTH_PX, HEIGHT_PX = 320, 180


def a_kept(i: int, t_ns: int) -> BlurredFrame:
    """Return a blurred picture that differs from the one before, hard to compress."""
    draw = np.random.default_rng(i % 97)
    bgr = draw.integers(0, 255, (HEIGHT_PX // 4, WIDTH_PX // 4, 3), dtype=np.uint8)
    return blur_still(
        np.kron(bgr, np.ones((4, 4, 1), np.uint8)),
        camera_id=CAMERA,
        t_ns=t_ns,
        camera_width_px=WIDTH_PX,
        camera_height_px=HEIGHT_PX,
        box_px=np.empty((0, 4), np.float32),
        kind=np.empty(0, np.uint8),
    )


def mend(catalogue: Catalogue, *, camera_id: str = CAMERA, now_ns: int) -> Recovered:
    """Mend a folder as the start of a camera does."""
    return recover(catalogue, camera_id=camera_id, now_ns=now_ns, salvage=salvage)


def record(folder: Path, acks: Path, start_ns: int, steps: int = 100_000) -> None:
    """Mend the folder, then record from ``start_ns`` on until killed or after ``steps``."""
    with acks.open("a", buffering=1) as told:

        def tell(line: str) -> None:
            told.write(line + "\n")

        with only_writer(folder), Catalogue.open(folder, create=True) as catalogue:
            mend(catalogue, camera_id=CAMERA, now_ns=start_ns)
            tell(f"recovered {start_ns}")
            _record_run(catalogue, start_ns, steps, tell)
    raise SystemExit(0)


def _record_run(
    catalogue: Catalogue, start_ns: int, steps: int, tell: Callable[[str], None]
) -> None:
    site = a_site()
    catalogue.save_site(site)
    run_id = catalogue.new_run(an_open_run(start_ns))
    points = PointWriter(
        folder=catalogue.folder,
        camera_id=CAMERA,
        run_id=run_id,
        on_file=catalogue.add_file,
        durable=True,
        rows_per_file=1500,
    )
    video: SegmentWriter | None = None
    for i in range(steps):
        t_ns = start_ns + i * STEP_NS
        points.append(t_ns, a_step(t_ns, rows=i % 4, run_id=run_id))
        if i % SEGMENT_STEPS == 0:
            _commit(catalogue, video, tell)
            name = SegmentName(camera_id=CAMERA, purpose="continuous", start_ns=t_ns, run_id=run_id)
            video = SegmentWriter(path=segment_path(catalogue.folder, name))
        assert video is not None
        video.write(a_kept(i, t_ns))
        tell(f"step {t_ns}")
    _commit(catalogue, video, tell)
    points.close()
    end_ns = start_ns + (steps - 1) * STEP_NS
    catalogue.update_run(run_id, state="complete", end_ns=end_ns)


def _commit(catalogue: Catalogue, video: SegmentWriter | None, tell: Callable[[str], None]) -> None:
    if video is None:
        return
    try:
        file = video.close()
    except StoreError as error:
        tell(f"refused {error}")
        file = video.close()
    if file is not None:
        tell(f"committed {catalogue.add_segment(file).path}")


def an_open_run(start_ns: int) -> Run:
    """Return a run that has only begun."""
    return replace(a_run(a_site(), start_ns=start_ns), end_ns=start_ns, state="open")


@dataclass
class Told:
    """What a recorder acknowledged before it was gone."""

    start_ns: int = 0
    last_step_ns: int = 0
    steps: int = 0
    committed: list[str] = field(default_factory=list)


def read_acks(path: Path) -> Told:
    """Return what the last recorder that wrote to the file acknowledged; commits of all."""
    told = Told()
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
    for line in lines:
        if not line.endswith("\n"):
            break
        word, _, rest = line.strip().partition(" ")
        if word == "recovered":
            told.start_ns, told.last_step_ns, told.steps = int(rest), 0, 0
        elif word == "step":
            told.last_step_ns, told.steps = int(rest), told.steps + 1
        elif word == "committed":
            told.committed.append(rest)
    return told
