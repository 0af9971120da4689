"""A clip of the main stream takes the place of its twin from the sub-stream, whatever crashes."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.video.test_segment_writer import START_NS, a_kept

from calmstreet.model.kept import FinishedFile
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.checking import check_folder
from calmstreet.store.garbage import sweep
from calmstreet.store.segments import SegmentName, name_of, segment_path
from calmstreet.store.upkeep import recover
from calmstreet.units import NS_PER_S
from calmstreet.video.segment_writer import SegmentWriter, part_of, salvage

SUB = SegmentName(
    camera_id="north", purpose="event", start_ns=START_NS, run_id=1, event_id="0123456789abcdef"
)
MAIN = replace(SUB, main=True)


def written(folder: Path, name: SegmentName, *, height: int = 96) -> FinishedFile:
    with SegmentWriter(path=segment_path(folder, name), durable=False) as writer:
        for k in range(25):
            writer.write(a_kept(k, k / 10, width=height * 5 // 3, height=height))
        file = writer.close()
    assert file is not None
    return file


def mended(folder: Path) -> tuple[list[str], list[str]]:
    """Recover a folder; return the files with a row and all files of video."""
    with Catalogue.open(folder, create=True) as catalogue:
        recover(catalogue, camera_id="north", now_ns=START_NS + NS_PER_S, salvage=salvage)
        sweep(catalogue.database, folder)
        rows = [segment.path for segment in catalogue.segments("north")]
        assert check_folder(catalogue, level="hash").faults == ()
    files = [path.relative_to(folder).as_posix() for path in folder.rglob("*.mp4*")]
    return rows, sorted(files)


def test_names_come_back(tmp_path: Path) -> None:
    for name in (SUB, MAIN, replace(MAIN, event_id="")):
        path = segment_path(tmp_path, name)
        assert name_of(path) == name
        assert name_of(part_of(path)) == name


def test_it_takes_over_row_and_lock_and_the_other_file_goes(tmp_path: Path) -> None:
    with Catalogue.open(tmp_path, create=True) as catalogue:
        kept = catalogue.add_segment(written(tmp_path, SUB), locked=True, expires_ns=7)
        taken = catalogue.add_segment(written(tmp_path, MAIN, height=192))
        (found,) = catalogue.segments("north")
        assert found == taken
        assert (found.segment_id, found.locked, found.expires_ns) == (kept.segment_id, True, 7)
        assert (kept.stream, found.stream) == ("sub", "main")
        assert found.sha256 != kept.sha256
        assert sweep(catalogue.database, tmp_path) == 1
    assert [path.name for path in tmp_path.rglob("*.mp4")] == [Path(found.path).name]


def test_without_a_twin_it_has_a_row_of_its_own(tmp_path: Path) -> None:
    with Catalogue.open(tmp_path, create=True) as catalogue:
        catalogue.add_segment(written(tmp_path, MAIN))
        assert [segment.stream for segment in catalogue.segments("north")] == ["main"]


@pytest.mark.parametrize("twin_has_row", [True, False])
def test_a_crash_before_the_row_leaves_one_clip(tmp_path: Path, twin_has_row: bool) -> None:
    sub = written(tmp_path, SUB)
    with Catalogue.open(tmp_path, create=True) as catalogue:
        if twin_has_row:
            catalogue.add_segment(sub)
    written(tmp_path, MAIN)
    rows, files = mended(tmp_path)
    assert rows == files == [segment_path(tmp_path, MAIN).relative_to(tmp_path).as_posix()]


@pytest.mark.parametrize("twin", [True, False])
def test_an_unfinished_one_is_kept_only_without_its_twin(tmp_path: Path, twin: bool) -> None:
    with Catalogue.open(tmp_path, create=True) as catalogue:
        if twin:
            catalogue.add_segment(written(tmp_path, SUB))
    path = written(tmp_path, MAIN).path
    path.rename(part_of(path))
    rows, files = mended(tmp_path)
    assert rows == files
    assert [row.endswith("-main.mp4") for row in rows] == [not twin]
