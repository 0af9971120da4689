from pathlib import Path

import pytest
from tests.store.rows import a_step

from calmstreet.clock import FakeClock
from calmstreet.errors import StoreError
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.folder import only_writer, write_whole
from calmstreet.store.points import PointWriter


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.txt"

    def breaks(temporary: Path) -> None:
        temporary.write_text("half")
        raise RuntimeError("power cut")

    def writes(temporary: Path) -> None:
        temporary.write_bytes(b"old")

    write_whole(path, writes)
    with pytest.raises(RuntimeError):
        write_whole(path, breaks)
    assert [found.name for found in path.parent.iterdir()] == ["a.txt"]
    assert path.read_bytes() == b"old"


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    with pytest.raises(StoreError, match="cannot be written"), only_writer(blocked / "out"):
        pass
    with pytest.raises(StoreError, match="cannot be made"):
        Catalogue.open(blocked, create=True, clock=FakeClock())
    with pytest.raises(StoreError, match="cannot be written"):
        write_whole(blocked / "a.txt", lambda temporary: None)
    writer = PointWriter(folder=blocked, camera_id="north", run_id=1)
    writer.append(1, a_step(1, rows=1))
    with pytest.raises(StoreError, match="cannot be written"):
        writer.close()
