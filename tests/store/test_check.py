"""`check` finds every disagreement between a folder and its catalogue, and changes nothing."""

from pathlib import Path

import pytest
from tests.store.test_catalogue import fill, opened, with_run

from calmstreet.store.catalogue import Catalogue
from calmstreet.store.checking import Fault, check_folder
from calmstreet.store.folder import is_written, only_writer, sha256_of


def kinds(catalogue: Catalogue, level: str = "hash") -> list[str]:
    return sorted(fault.kind for fault in check_folder(catalogue, level=level).faults)


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A folder with one row and one file of each kind, all in order."""
    with opened(tmp_path) as catalogue:
        run_id = with_run(catalogue)
        fill(catalogue, run_id)
        picture = tmp_path / f"pictures/{run_id}.png"
        with catalogue.database.writing() as connection:
            connection.execute("UPDATE pictures SET sha256 = ?", (sha256_of(picture),))
    return tmp_path


def test_a_good_folder_has_no_faults_at_any_level(filled: Path) -> None:
    with opened(filled, create=False) as catalogue:
        for level in ("presence", "size", "hash"):
            checked = check_folder(catalogue, level=level)
            assert (checked.faults, checked.written, checked.files) == ((), False, 3)
            assert checked.size_bytes > 0
        with pytest.raises(ValueError, match="level 'all'"):
            check_folder(catalogue, level="all")


def test_levels_find_more_and_more(filled: Path) -> None:
    path = next(filled.glob("points/**/*.parquet"))
    content = path.read_bytes()
    with opened(filled, create=False) as catalogue:
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        assert (kinds(catalogue, "size"), kinds(catalogue, "hash")) == ([], ["hash"])
        path.write_bytes(content[:-1])
        assert (kinds(catalogue, "presence"), kinds(catalogue, "size")) == ([], ["size"])
        path.unlink()
        assert kinds(catalogue, "presence") == ["missing"]


def test_files_without_rows_and_leftovers_are_named(filled: Path) -> None:
    unknown = filled / "segments" / "camera=north" / "odd.mp4"
    leftover = filled / "points" / "camera=north" / "9-0000.part"
    temporary = filled / "evidence" / ".1-abc.json.tmp"
    for path in (unknown, leftover, temporary):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    (filled / "out").mkdir()
    (filled / "out" / "counts.csv").write_text("not ours to judge", encoding="utf-8")
    with opened(filled, create=False) as catalogue:
        assert check_folder(catalogue).faults == (
            Fault(kind="leftover", path="evidence/.1-abc.json.tmp"),
            Fault(kind="leftover", path="points/camera=north/9-0000.part"),
            Fault(kind="unknown", path="segments/camera=north/odd.mp4"),
        )
        assert unknown.exists()
        assert not is_written(filled)
        with only_writer(filled):
            checked = check_folder(catalogue)
            assert (checked.written, checked.faults) == (True, ())


def test_broken_references_are_found(filled: Path) -> None:
    with opened(filled, create=False) as catalogue:
        with catalogue.database.guarded() as connection:
            connection.execute("PRAGMA foreign_keys = OFF")
            connection.execute("DELETE FROM runs")
        faults = check_folder(catalogue, level="presence").faults
        assert faults
        assert {fault.kind for fault in faults} == {"catalogue"}
