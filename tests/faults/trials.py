"""Kills and power cuts, one by one, and what each of them lost."""

import multiprocessing
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import numpy as np
from tests.faults.recorder import CAMERA, STEP_NS, mend, read_acks, record

from calmstreet.store.accounting import accounted
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.checking import check_folder
from calmstreet.store.folder import only_writer
from calmstreet.store.points import read_steps
from calmstreet.units import NS_PER_S

_SHARE_UNMENDED = 0.3
DAY_ZERO_NS = 1_790_000_000 * NS_PER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What one fault cost: seconds of video and of points, committed pieces, faults of check."""

    video_s: float
    points_s: float
    committed: int
    committed_lost: int
    faults: tuple[str, ...]
    accounted_share: float


def worst(losses: Sequence[Loss]) -> str:
    """Return the figures of all trials in one line."""
    video, points = ([getattr(loss, n) for loss in losses] for n in ("video_s", "points_s"))
    return (
        f"{len(losses)} trials; video lost: median {np.median(video):.1f} s, most {max(video):.1f} "
        f"s; points lost: median {np.median(points):.1f} s, most {max(points):.1f} s; committed "
        f"pieces looked for {sum(loss.committed for loss in losses)} times, missing "
        f"{sum(loss.committed_lost for loss in losses)} times; faults of check "
        f"{sum(len(loss.faults) for loss in losses)}; least accounted time "
        f"{100 * min(loss.accounted_share for loss in losses):.2f} %"
    )


@contextmanager
def recording(folder: Path, acks: Path, start_ns: int) -> Iterator[ForkServerProcess]:
    """Give a process that records into ``folder``; it is killed at the end."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.recorder"])
    process = context.Process(target=record, args=(folder, acks, start_ns), daemon=True)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()
        process.close()


def kill_trials(folder: Path, acks: Path, *, trials: int, seed: int) -> Iterator[Loss]:
    """Kill a recorder at random moments, its mending at start included; yield each loss.

    Some kills more are not mended here but by the next recorder, which may be killed doing so.
    """
    draw = np.random.default_rng(seed)
    start_ns, mended, compared = DAY_ZERO_NS, True, 0
    while compared < trials:
        before = read_acks(acks)
        with recording(folder, acks, start_ns) as process:
            process.join(timeout=float(draw.uniform(0.02, 1.2)))
            assert process.is_alive(), "the recorder ended by itself"
        told = read_acks(acks)
        now_ns = max(start_ns, told.last_step_ns) + 3 * NS_PER_S
        if mended and draw.random() < _SHARE_UNMENDED:
            start_ns, mended = now_ns, False
            continue
        if not (folder / "catalogue.sqlite").exists():
            assert not before.committed
            continue
        yield loss_of(folder, acks, now_ns=now_ns, whole=mended)
        start_ns, mended, compared = now_ns + NS_PER_S, True, compared + 1


def loss_of(folder: Path, acks: Path, *, now_ns: int, whole: bool = True) -> Loss:
    """Mend the folder as the next start would, and compare it with what was acknowledged.

    Without ``whole`` more than one recorder was killed since the last mending.
    """
    told = read_acks(acks)
    with only_writer(folder), Catalogue.open(folder, create=True) as catalogue:
        recovered = mend(catalogue, camera_id=CAMERA, now_ns=now_ns)
        checked = check_folder(catalogue, level="hash")
        segments = {segment.path: segment for segment in catalogue.segments(CAMERA)}
        runs = catalogue.runs(live=False)
        files = [file for run in runs for file in catalogue.step_files(run.run_id)]
        steps_ns = read_steps(folder, files)
        share = accounted(catalogue, CAMERA, start_ns=DAY_ZERO_NS, end_ns=now_ns).share
    last = told.last_step_ns or told.start_ns - STEP_NS
    inside = [s.end_ns for s in segments.values() if s.end_ns >= told.start_ns]
    return Loss(
        video_s=(last - max(inside, default=told.start_ns - STEP_NS)) / NS_PER_S,
        points_s=(last - max([*steps_ns[-1:].tolist(), told.start_ns - STEP_NS])) / NS_PER_S,
        committed=len(told.committed),
        committed_lost=len(set(told.committed) - set(segments)),
        faults=(*(f"{f.kind} {f.path} {f.note}" for f in checked.faults), *recovered.left),
        accounted_share=share if whole else 1.0,
    )


@contextmanager
def mounted(image: Path, place: Path, *options: str) -> Iterator[Path]:
    """Mount an image; only root can."""
    place.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-o", ",".join(("loop", *options)), image, place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


def why_no_mounts(tmp_path: Path) -> str:
    """Return why this machine cannot mount images, "" where it can."""
    if os.geteuid() != 0:
        return "only root may mount disk images"
    if shutil.which("mkfs.ext4") is None:
        return "mkfs.ext4 is not installed"
    try:
        with mounted(an_image(tmp_path / "probe.img", size_mb=4), tmp_path / "probe"):
            return ""
    except subprocess.CalledProcessError:
        return "this machine mounts no loop devices"


def an_image(path: Path, *, size_mb: int) -> Path:
    """Make an empty ext4 disk."""
    with path.open("wb") as stream:
        stream.truncate(size_mb * 1_000_000)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", path], check=True)
    return path


def power_cut_trials(work: Path, *, trials: int, seed: int) -> Iterator[Loss]:
    """Record onto a disk image, copy the image at random moments, mount the copies; yield losses.

    What was not forced to the disk is not in the image, as after a power cut. The recorder stands
    still while the image is copied.
    """
    draw = np.random.default_rng(seed)
    disk, copy, acks = work / "disk.img", work / "copy.img", work / "acks"
    done = 0
    while done < trials:
        an_image(disk, size_mb=96)
        acks.unlink(missing_ok=True)
        with (
            mounted(disk, work / "disk") as place,
            recording(place / "north", acks, DAY_ZERO_NS) as process,
        ):
            while done < trials and shutil.disk_usage(place).free > 50_000_000:
                process.join(timeout=float(draw.uniform(0.1, 1.0)))
                assert process.pid is not None
                os.kill(process.pid, signal.SIGSTOP)
                subprocess.run(["cp", "--sparse=always", disk, copy], check=True)
                told = shutil.copy(acks, work / "acks-then") if acks.exists() else None
                os.kill(process.pid, signal.SIGCONT)
                if told is not None and read_acks(Path(told)).steps:
                    yield _after_the_cut(work, copy, Path(told))
                    done += 1


def _after_the_cut(work: Path, copy: Path, acks: Path) -> Loss:
    now_ns = read_acks(acks).last_step_ns + 60 * NS_PER_S
    with mounted(copy, work / "after") as place:
        return loss_of(place / "north", acks, now_ns=now_ns)
