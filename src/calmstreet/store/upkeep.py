"""Mending what a crash, a power cut or a stop left in a live camera's folder."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from calmstreet.errors import StoreError
from calmstreet.model.gap import Gap
from calmstreet.model.kept import FinishedFile
from calmstreet.model.run import Run
from calmstreet.store import garbage
from calmstreet.store.accounting import watched_until_ns
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.folder import remove_quietly
from calmstreet.store.live import live_path, sweep_live
from calmstreet.store.points import last_step_ns
from calmstreet.store.points import recover as recover_points
from calmstreet.store.proof import prove_folder
from calmstreet.store.segments import SegmentName, name_of, segment_path
from calmstreet.units import NS_PER_S

__all__ = ["Recovered", "Salvage", "close_open_runs", "recover"]

_STILL_WRITTEN_S = 3600.0
_CONTENTS = ("points", "smoothed", "steps", "segments", "pictures", "evidence")


class Salvage(Protocol):
    """How a segment is read or cut to what is whole: ``video.segment_writer.salvage``."""

    def __call__(self, path: Path, *, start_ns: int) -> FinishedFile | None:
        """Return what the file holds in its place; None for nothing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What was mended: parts of points, pieces of video, runs closed, the gap since the last step.

    ``removed`` files were swept; ``left`` holds one sentence for each thing that could not be
    mended now and stays for the next start.
    """

    points: int = 0
    segments: int = 0
    runs: tuple[int, ...] = ()
    gap: Gap | None = None
    removed: int = 0
    left: tuple[str, ...] = ()


def recover(catalogue: Catalogue, *, camera_id: str, now_ns: int, salvage: Salvage) -> Recovered:
    """Mend a live camera's folder at start; call it while holding ``only_writer``.

    Files that were on their way out go; ``.part``s of points and video become files with rows;
    whole video without a row gets one; open runs are closed as partial; the time from the last
    thing known to ``now_ns`` becomes a gap, "restart" after a crash, "stopped" otherwise: what
    comes next must be accounted for from ``now_ns`` on. Raises StoreError, changing nothing,
    where the folder is not proved.
    """
    prove_folder(catalogue, camera_id=camera_id)
    left: list[str] = []
    removed = garbage.sweep(catalogue.database, catalogue.folder)
    opened = _open_runs(catalogue, camera_id)
    until_ns = _known_until_ns(catalogue, camera_id)
    points = recover_points(
        catalogue.folder,
        catalogue.add_file,
        camera_id=camera_id,
        on_fault=lambda part, error: left.append(f"{part.name}: {error}"),
    )
    closed = [run.run_id for run in opened if _close_run(catalogue, run)]
    segments = _mend_segments(catalogue, camera_id, salvage, left)
    removed += _remove_leftovers(catalogue.folder, camera_id, now_ns)
    return Recovered(
        points=points,
        segments=segments,
        runs=tuple(closed),
        gap=_save_gap(catalogue, camera_id, until_ns, now_ns, crashed=bool(opened)),
        removed=removed,
        left=tuple(left),
    )


def _known_until_ns(catalogue: Catalogue, camera_id: str) -> int | None:
    runs = [run for live in (True, False) for run in catalogue.runs(live=live)]
    ends = [watched_until_ns(catalogue, run) for run in runs if run.camera_id == camera_id]
    gaps = catalogue.gaps(camera_id)
    return max([*ends, *(gap.end_ns for gap in gaps if gap.affects == "all")], default=None)


def close_open_runs(catalogue: Catalogue, camera_id: str) -> tuple[int, ...]:
    """Close the runs of a camera that a refusing disk left open; call it while none is written.

    They end with their last step on the disk; their ``.part``s become files when they are judged.
    """
    opened = _open_runs(catalogue, camera_id)
    return tuple(run.run_id for run in opened if _close_run(catalogue, run))


def _open_runs(catalogue: Catalogue, camera_id: str) -> list[Run]:
    runs = catalogue.runs(live=False)
    return [run for run in runs if run.state == "open" and run.camera_id == camera_id]


def _close_run(catalogue: Catalogue, run: Run) -> bool:
    """Close an open run with its last step; one without any step goes."""
    files = catalogue.step_files(run.run_id)
    end_ns = watched_until_ns(catalogue, run)
    if not files and last_step_ns(catalogue.folder, run.camera_id, run.run_id) is None:
        catalogue.publish([], [run.run_id])
        return False
    analysed = sum(file.rows for file in files)
    catalogue.update_run(
        run.run_id,
        state="partial",
        end_ns=end_ns,
        analysed_frames=max(run.analysed_frames, analysed),
        frames=max(run.frames, analysed),
    )
    return True


def _mend_segments(catalogue: Catalogue, camera_id: str, salvage: Salvage, left: list[str]) -> int:
    known = {segment.path for segment in catalogue.segments(camera_id)}
    mended = 0
    found = [
        (name_of(path), path) for path in _segments_without_row(catalogue.folder, camera_id, known)
    ]
    named = [(name, path) for name, path in found if name is not None]
    for name, path in sorted(named, key=lambda one: (one[0].main, one[1])):
        if _is_needless(catalogue.folder, path, name):
            remove_quietly(path)
            continue
        try:
            file = salvage(path, start_ns=name.start_ns)
            if file is not None:
                catalogue.add_segment(file)
                mended += 1
        except (StoreError, OSError) as error:
            left.append(f"{path.name}: {error}")
    return mended


def _is_needless(folder: Path, path: Path, name: SegmentName) -> bool:
    """Return whether a clip of the main stream was not finished while its twin is whole."""
    unfinished = name.main and path.name.endswith(".part")
    return unfinished and segment_path(folder, replace(name, main=False)).is_file()


def _segments_without_row(folder: Path, camera_id: str, known: set[str]) -> Iterator[Path]:
    for path in (folder / "segments" / f"camera={camera_id}").glob("date=*/*"):
        if path.relative_to(folder).as_posix() not in known:
            yield path


def _remove_leftovers(folder: Path, camera_id: str, now_ns: int) -> int:
    """Remove the live picture, and temporary files too old to be still written by anybody."""
    gone = sweep_live(folder, now_ns=now_ns)
    live = live_path(folder, camera_id)
    old = [path for content in _CONTENTS for path in (folder / content).glob("**/.*.tmp")]
    for path in [live, *(path for path in old if _age_s(path, now_ns) > _STILL_WRITTEN_S)]:
        gone += path.is_file()
        remove_quietly(path)
    return gone


def _age_s(path: Path, now_ns: int) -> float:
    try:
        return abs(now_ns - path.stat().st_mtime_ns) / NS_PER_S
    except FileNotFoundError:
        return 0.0


def _save_gap(
    catalogue: Catalogue, camera_id: str, until_ns: int | None, now_ns: int, *, crashed: bool
) -> Gap | None:
    if until_ns is None or now_ns <= until_ns:
        return None
    reason = "restart" if crashed else "stopped"
    gap = Gap(camera_id=camera_id, start_ns=until_ns, end_ns=now_ns, reason=reason)
    catalogue.save_gap(gap)
    return gap
