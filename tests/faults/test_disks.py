"""A disk that fills, that refuses, that is not there: nothing crashes, nothing stored is lost."""

import errno
import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import av
import pytest
from tests.faults.recorder import CAMERA, STEP_NS, a_kept, an_open_run, mend
from tests.faults.trials import DAY_ZERO_NS, an_image, mounted, why_no_mounts
from tests.store.rows import a_site, a_step

from calmstreet.clock import FakeClock
from calmstreet.errors import StoreError
from calmstreet.model.kept import FinishedFile
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.checking import check_folder, forget_missing
from calmstreet.store.folder import only_writer
from calmstreet.store.points import PointWriter, read_points, read_steps
from calmstreet.store.proof import mark_anew, prove_folder, prove_place
from calmstreet.store.retention import apply_retention
from calmstreet.store.segments import SegmentName, segment_path
from calmstreet.store.space import DiskGuard, space_of
from calmstreet.store.upkeep import close_open_runs
from calmstreet.units import NS_PER_S
from calmstreet.video.segment_writer import SegmentWriter, part_of


@contextmanager
def a_small_disk(tmp_path: Path, *, size_mb: int) -> Iterator[Path]:
    reason = why_no_mounts(tmp_path)
    if reason:
        pytest.skip(reason)
    with mounted(an_image(tmp_path / "small.img", size_mb=size_mb), tmp_path / "small") as place:
        yield place


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = max(int(path.name) for path in Path("/proc/self/fd").iterdir()) + 5
    taken = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, before[1]))
    try:
        with suppress(OSError):
            while True:
                taken.append(os.open("/dev/null", os.O_RDONLY))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
        for handle in taken:
            os.close(handle)


def opened(folder: Path) -> Catalogue:
    return Catalogue.open(folder, create=True, clock=FakeClock(start_ns=DAY_ZERO_NS))


def with_run(catalogue: Catalogue) -> int:
    prove_folder(catalogue, camera_id=CAMERA)
    catalogue.save_site(a_site())
    return catalogue.new_run(an_open_run(DAY_ZERO_NS))


def a_segment(catalogue: Catalogue, run_id: int, *, start_ns: int = DAY_ZERO_NS) -> SegmentWriter:
    name = SegmentName(camera_id=CAMERA, purpose="audit", start_ns=start_ns, run_id=run_id)
    return SegmentWriter(path=segment_path(catalogue.folder, name))


def record(catalogue: Catalogue, run_id: int, *, steps: int, start_ns: int) -> FinishedFile | None:
    """Write a segment of as many pictures; return what the disk took."""
    writer = a_segment(catalogue, run_id, start_ns=start_ns)
    try:
        for i in range(steps):
            writer.write(a_kept(i, start_ns + i * STEP_NS))
    except StoreError:
        pass
    return writer.close()


def fill(place: Path, *, leave_bytes: int) -> Path:
    """Fill a disk up to some bytes."""
    ballast = place / "ballast"
    with ballast.open("wb") as stream:
        os.posix_fallocate(stream.fileno(), 0, space_of(place).free_bytes - leave_bytes)
    return ballast


def test_full_disk_keeps_whole_fragments_and_everything_before(tmp_path: Path) -> None:
    with a_small_disk(tmp_path, size_mb=12) as place, opened(place / "north") as catalogue:
        run_id = with_run(catalogue)
        first = record(catalogue, run_id, steps=40, start_ns=DAY_ZERO_NS)
        assert first is not None
        assert first.pictures == 40
        catalogue.add_segment(first)
        ballast = fill(place, leave_bytes=400_000)
        cut = record(catalogue, run_id, steps=200, start_ns=DAY_ZERO_NS + 60 * NS_PER_S)
        assert cut is not None
        assert 10 <= cut.pictures < 200
        with av.open(str(cut.path)) as container:
            assert sum(1 for _ in container.decode(video=0)) == cut.pictures
        ballast.unlink()
        catalogue.add_segment(cut)
        again = record(catalogue, run_id, steps=20, start_ns=DAY_ZERO_NS + 90 * NS_PER_S)
        assert again is not None
        assert again.pictures == 20
        catalogue.add_segment(again)
        assert not check_folder(catalogue, level="hash").faults


def test_points_outlast_a_full_disk(tmp_path: Path) -> None:
    with a_small_disk(tmp_path, size_mb=12) as place, opened(place / "north") as catalogue:
        run_id = with_run(catalogue)
        writer = PointWriter(
            folder=catalogue.folder,
            camera_id=CAMERA,
            run_id=run_id,
            on_file=catalogue.add_file,
            durable=True,
        )
        ballast, refused = None, 0
        for i in range(600):
            if i == 100:
                ballast = fill(place, leave_bytes=4096)
            if i == 400 and ballast is not None:
                ballast.unlink()
            t_ns = DAY_ZERO_NS + i * STEP_NS
            try:
                writer.append(t_ns, a_step(t_ns, rows=30, run_id=run_id))
            except StoreError as error:
                refused += "No space left" in str(error)
        writer.close()
        assert 10 <= refused <= 20, "once in every two seconds"
        steps = read_steps(catalogue.folder, catalogue.step_files(run_id))
        assert steps.tolist() == [DAY_ZERO_NS + i * STEP_NS for i in range(600)]
        rows = read_points(catalogue.folder, catalogue.point_files(run_id))
        assert sum(map(len, rows)) == 600 * 30


def test_points_that_waited_too_long_are_given_up_in_one_piece(tmp_path: Path) -> None:
    with a_small_disk(tmp_path, size_mb=12) as place, opened(place / "north") as catalogue:
        run_id = with_run(catalogue)
        writer = PointWriter(
            folder=catalogue.folder, camera_id=CAMERA, run_id=run_id, on_file=catalogue.add_file
        )
        for i in range(100):
            t_ns = DAY_ZERO_NS + i * STEP_NS
            writer.append(t_ns, a_step(t_ns, rows=30, run_id=run_id))
        writer.flush()
        ballast = fill(place, leave_bytes=4096)
        for i in range(100, 300):
            t_ns = DAY_ZERO_NS + i * STEP_NS
            with suppress(StoreError):
                writer.append(t_ns, a_step(t_ns, rows=30, run_id=run_id))
        assert 19.0 <= writer.held_s <= 20.0
        assert writer.drop() == DAY_ZERO_NS + 99 * STEP_NS
        assert writer.held_s == 0.0
        ballast.unlink()
        writer.close()
        assert len(read_steps(catalogue.folder, catalogue.step_files(run_id))) == 100


def test_recording_pauses_before_the_disk_is_full_and_comes_back(tmp_path: Path) -> None:
    with a_small_disk(tmp_path, size_mb=12) as place:
        guard = DiskGuard(folder=place, reserve_bytes=2_000_000)
        assert guard.may_record()
        ballast = fill(place, leave_bytes=1_000_000)
        assert not guard.may_record()
        os.truncate(ballast, ballast.stat().st_size - 1_200_000)
        assert not guard.may_record(), "a little more than the reserve is not enough to come back"
        ballast.unlink()
        assert guard.may_record()
    assert not DiskGuard(folder=tmp_path / "gone", reserve_bytes=1).may_record()


def test_recovery_on_a_full_disk_waits_and_loses_nothing(tmp_path: Path) -> None:
    with a_small_disk(tmp_path, size_mb=12) as place:
        with opened(place / "north") as catalogue:
            run_id = with_run(catalogue)
            writer = PointWriter(
                folder=catalogue.folder, camera_id=CAMERA, run_id=run_id, durable=True
            )
            for i in range(200):
                t_ns = DAY_ZERO_NS + i * STEP_NS
                writer.append(t_ns, a_step(t_ns, rows=40, run_id=run_id))
            writer.leave()
        ballast = fill(place, leave_bytes=200_000)
        now_ns = DAY_ZERO_NS + 30 * NS_PER_S
        with opened(place / "north") as catalogue:
            first = mend(catalogue, camera_id=CAMERA, now_ns=now_ns)
            assert first.points == 0
            assert len(first.left) == 1
            assert first.gap is not None
            assert first.gap.start_ns == DAY_ZERO_NS + 199 * STEP_NS
            assert [run.state for run in catalogue.runs(live=False)] == ["partial"]
            ballast.unlink()
            second = mend(catalogue, camera_id=CAMERA, now_ns=now_ns + NS_PER_S)
            assert second.points == 1
            assert not second.left
            steps = read_steps(catalogue.folder, catalogue.step_files(run_id))
            assert len(steps) == 200
            assert not check_folder(catalogue, level="hash").faults


def test_no_more_descriptors(tmp_path: Path) -> None:
    with opened(tmp_path / "north") as catalogue:
        run_id = with_run(catalogue)
        points = PointWriter(
            folder=catalogue.folder,
            camera_id=CAMERA,
            run_id=run_id,
            on_file=catalogue.add_file,
        )
        points.append(DAY_ZERO_NS, a_step(DAY_ZERO_NS, rows=2, run_id=run_id))
        video = a_segment(catalogue, run_id)
        with no_descriptor_left():
            with pytest.raises(StoreError, match="Too many open files"):
                points.flush()
            with pytest.raises(StoreError, match="Too many open files"):
                video.write(a_kept(0, DAY_ZERO_NS))
        assert video.close() is None
        points.close()
        assert len(read_steps(catalogue.folder, catalogue.step_files(run_id))) == 1


def test_read_only_disk(tmp_path: Path) -> None:
    reason = why_no_mounts(tmp_path)
    if reason:
        pytest.skip(reason)
    disk = an_image(tmp_path / "disk.img", size_mb=12)
    with mounted(disk, tmp_path / "disk") as place:
        with opened(place / "north") as catalogue:
            run_id = with_run(catalogue)
            finished = record(catalogue, run_id, steps=30, start_ns=DAY_ZERO_NS)
            assert finished is not None
            catalogue.add_segment(finished)
            later = a_segment(catalogue, run_id, start_ns=DAY_ZERO_NS + 60 * NS_PER_S)
        subprocess.run(["mount", "-o", "remount,ro", place], check=True)
        with pytest.raises(StoreError, match="Read-only"):
            later.write(a_kept(0, DAY_ZERO_NS))
        with pytest.raises(StoreError, match="cannot be"), only_writer(place / "north"):
            pass
        with pytest.raises(StoreError, match="cannot be"):
            opened(place / "north")
        subprocess.run(["mount", "-o", "remount,rw", place], check=True)
        with opened(place / "north") as catalogue:
            assert not check_folder(catalogue, level="hash").faults


def test_a_disk_that_is_not_mounted_deletes_no_rows(tmp_path: Path) -> None:
    folder, register = tmp_path / "results" / "north", tmp_path / "desk" / "folders.json"
    prove_place(register, camera_id=CAMERA, folder=folder)
    with opened(folder) as catalogue:
        run_id = with_run(catalogue)
        finished = record(catalogue, run_id, steps=30, start_ns=DAY_ZERO_NS)
        assert finished is not None
        path = catalogue.add_segment(finished).path
        shutil.move(folder / "segments", tmp_path / "unplugged")
        (folder / "segments").mkdir()
        later_ns = DAY_ZERO_NS + 10**6 * NS_PER_S
        for _ in range(2):
            with pytest.raises(StoreError, match="is its disk mounted"):
                mend(catalogue, camera_id=CAMERA, now_ns=later_ns)
            with pytest.raises(StoreError, match="is its disk mounted"):
                apply_retention(catalogue, keep_s={"audit": 1.0}, now_ns=later_ns)
        assert [segment.path for segment in catalogue.segments(CAMERA)] == [path]
        (folder / "segments").rmdir()
        shutil.move(tmp_path / "unplugged", folder / "segments")
        mend(catalogue, camera_id=CAMERA, now_ns=later_ns)
        assert not check_folder(catalogue, level="hash").faults
    prove_place(register, camera_id=CAMERA, folder=folder)
    shutil.move(folder, tmp_path / "unplugged")
    with pytest.raises(StoreError, match="is its disk mounted"):
        prove_place(register, camera_id=CAMERA, folder=folder)
    shutil.move(tmp_path / "unplugged", folder)
    prove_place(register, camera_id=CAMERA, folder=folder)


def test_a_person_can_give_up_what_is_lost(tmp_path: Path) -> None:
    with opened(tmp_path / "north") as catalogue:
        run_id = with_run(catalogue)
        finished = record(catalogue, run_id, steps=30, start_ns=DAY_ZERO_NS)
        assert finished is not None
        catalogue.add_segment(finished)
        shutil.rmtree(catalogue.folder / "segments")
        assert [fault.kind for fault in check_folder(catalogue).faults] == ["missing"]
        assert forget_missing(catalogue) == 1
        mark_anew(catalogue)
        assert not check_folder(catalogue).faults
        mend(catalogue, camera_id=CAMERA, now_ns=DAY_ZERO_NS)


def test_a_disk_unmounted_under_us_takes_no_new_video(tmp_path: Path) -> None:
    with opened(tmp_path / "north") as catalogue:
        guard = DiskGuard(folder=catalogue.folder, reserve_bytes=1)
        assert guard.may_record(), "a folder that is not marked yet"
        with_run(catalogue)
        assert guard.may_record()
        shutil.move(catalogue.folder / "segments", tmp_path / "unplugged")
        assert not guard.may_record()
        (catalogue.folder / "segments").mkdir()
        assert not guard.may_record()
        (catalogue.folder / "segments").rmdir()
        shutil.move(tmp_path / "unplugged", catalogue.folder / "segments")
        assert guard.may_record()


def test_another_cameras_folder_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path / "north") as catalogue:
        with_run(catalogue)
        with pytest.raises(StoreError, match="holds north, not south"):
            mend(catalogue, camera_id="south", now_ns=DAY_ZERO_NS)


def test_failing_disk_under_a_segment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(handle: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with opened(tmp_path / "north") as catalogue:
        run_id = with_run(catalogue)
        writer = a_segment(catalogue, run_id)
        for i in range(10):
            writer.write(a_kept(i, DAY_ZERO_NS + i * STEP_NS))
        monkeypatch.setattr(os, "fsync", fail)
        with pytest.raises(StoreError, match="Input/output error"):
            writer.write(a_kept(10, DAY_ZERO_NS + 10 * STEP_NS))
        monkeypatch.undo()
        assert part_of(writer.path).is_file(), "what may be whole is not thrown away"
        assert writer.close() is None
        recovered = mend(catalogue, camera_id=CAMERA, now_ns=DAY_ZERO_NS + NS_PER_S)
        assert recovered.segments == 1
        assert catalogue.segments(CAMERA)[0].end_ns >= DAY_ZERO_NS + 9 * STEP_NS


def test_runs_that_a_full_disk_left_open_are_closed_when_it_is_back(tmp_path: Path) -> None:
    with opened(tmp_path / "north") as catalogue:
        stepless, run_id = with_run(catalogue), with_run(catalogue)
        writer = PointWriter(folder=catalogue.folder, camera_id=CAMERA, run_id=run_id)
        for i in range(30):
            t_ns = DAY_ZERO_NS + i * STEP_NS
            writer.append(t_ns, a_step(t_ns, rows=1, run_id=run_id))
        writer.leave()
        assert close_open_runs(catalogue, CAMERA) == (run_id,)
        runs = catalogue.runs(live=False)
        assert [(run.run_id, run.state) for run in runs] == [(run_id, "partial")]
        assert runs[0].end_ns == DAY_ZERO_NS + 29 * STEP_NS
        assert stepless not in {run.run_id for run in runs}
        assert close_open_runs(catalogue, CAMERA) == ()
