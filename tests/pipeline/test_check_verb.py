"""`calmstreet check` as it is typed."""

import json
import shutil
from pathlib import Path

from tests.store.rows import a_run, a_site, a_step
from tests.whole.line import calm

from calmstreet.store.catalogue import Catalogue
from calmstreet.store.points import PointWriter
from calmstreet.store.proof import prove_folder


def a_result(folder: Path) -> Path:
    """Make a live camera's folder with one run; return its file of points."""
    with Catalogue.open(folder, create=True) as catalogue:
        prove_folder(catalogue, camera_id="north")
        catalogue.save_site(a_site())
        run_id = catalogue.new_run(a_run(a_site()))
        with PointWriter(
            folder=folder, camera_id="north", run_id=run_id, on_file=catalogue.add_file
        ) as writer:
            writer.append(1, a_step(1, rows=2, run_id=run_id))
        catalogue.publish([run_id])
    return next(folder.glob("points/**/*.parquet"))


def test_a_folder_in_order_and_one_that_is_not(tmp_path: Path) -> None:
    points = a_result(tmp_path / "results" / "north")
    done = calm("check", tmp_path / "results" / "north", "--level", "hash")
    assert done.code == 0
    assert "files 2," in done.out
    assert "all in order" in done.out
    points.write_bytes(points.read_bytes()[:-1])
    done = calm("check", tmp_path / "results" / "north")
    assert done.code == 1
    assert "1 wrong" in done.out
    assert f"size points/camera=north/date=1970-01-01/{points.name}: " in done.out


def test_a_node_and_what_is_given_up(tmp_path: Path) -> None:
    config = tmp_path / "calmstreet.toml"
    config.write_text('[[camera]]\nid = "north"\nurl = "file:x.mp4"\n', encoding="utf-8")
    (tmp_path / "results").mkdir()
    assert "none of its cameras has a result" in calm("check", "-c", config).err
    a_result(tmp_path / "results" / "north")
    shutil.rmtree(tmp_path / "results" / "north" / "points")
    done = calm("check", "-c", config, "--json")
    assert done.code == 1
    assert [fault["kind"] for fault in json.loads(done.out)["north"]["faults"]] == ["missing"]
    done = calm("check", "-c", config, "--forget-missing")
    assert done.code == 0
    assert "files given up: 1" in done.out


def test_wrong_words_are_one_sentence(tmp_path: Path) -> None:
    for words in (("check",), ("check", tmp_path, "-c", tmp_path), ("check", tmp_path)):
        done = calm(*words)
        assert done.code == 2
        assert len(done.faults) == 1
    done = calm("check", tmp_path, "--level", "deep")
    assert done.faults == ["calmstreet: --level deep is none of presence, size, hash"]
