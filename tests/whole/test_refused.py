"""What cannot be done is refused in one sentence with exit code 2, and nothing is lost."""

import fcntl
import os
import resource
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from tests.video.clips import a_sound, a_still
from tests.whole.line import calm, gate, refused, spawned, tree, watched
from tests.whole.road import SITE, Block, a_film, a_site

BLOCKS = (Block(at_s=3.0),)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return a_film(tmp_path / "v.mp4", BLOCKS, duration_s=6.0)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return a_site(tmp_path / "SITE.toml")


def a_bad_video(folder: Path, what: str) -> Path:
    path = folder / f"{what}.mp4"
    if what == "wrong path":
        return path
    if what == "folder":
        (folder / "empty").mkdir()
        return folder / "empty"
    if what == "sound":
        return a_sound(folder / "sound.m4a")
    if what == "still":
        return a_still(folder / "still.png")
    path.write_bytes({"empty": b"", "noise": bytes(range(256)) * 40, "text": b"[site]\n"}[what])
    return path


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("wrong path", "is not there"),
        ("empty", "empty (0 bytes)"),
        ("noise", "cannot be decoded"),
        ("text", "cannot be decoded"),
        ("sound", "sound only"),
        ("still", "still picture"),
        ("folder", "holds no video file"),
    ],
)
def test_videos_that_are_none(tmp_path: Path, what: str, says: str) -> None:
    bad = a_bad_video(tmp_path, what)
    sentence = refused("analyse", bad, "--out", tmp_path / "out", says=says)
    assert str(bad) in sentence
    assert not (tmp_path / "out").exists()


def test_one_bad_video_among_good_ones_stops_everything(tmp_path: Path, film: Path) -> None:
    bad = a_bad_video(tmp_path, "noise")
    refused("analyse", film, bad, "--out", tmp_path / "out", says="noise.mp4")
    assert not (tmp_path / "out").exists()


def test_a_truncated_mp4_without_an_index(tmp_path: Path, film: Path) -> None:
    film.write_bytes(film.read_bytes()[:-3000])
    refused("analyse", film, "--out", tmp_path / "out", says="v.mp4")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (SITE.replace("[160, 179]", "[900, 179]"), "middle"),
        (SITE + '[[zone]]\nid = "z"\nkind = "lane"\npolygon_px = [[1, 1], [9, 9]]\n', "corners"),
        (SITE.replace("[160, 179], [160, 20]", "[160, 179]"), "middle"),
        ("[site", "SITE.toml"),
        (SITE.replace("Asia/Almaty", "Asia/Nowhere"), "Asia/Nowhere"),
    ],
)
def test_sites_that_are_wrong(tmp_path: Path, film: Path, text: str, says: str) -> None:
    site = a_site(tmp_path / "SITE.toml", text)
    refused("analyse", film, "--site", site, "--out", tmp_path / "out", says=says)
    assert not (tmp_path / "out").exists()


def test_every_fault_of_a_site_at_once(tmp_path: Path, film: Path) -> None:
    text = SITE.replace("name =", 'colour = "red"\nname =').replace('id = "middle"', 'id = "M!"')
    text += "[rules.counting]\nhysteresis = 1\n"
    site = a_site(tmp_path / "SITE.toml", text)
    done = calm("analyse", film, "--site", site, "--out", tmp_path / "out")
    assert done.code == 2
    assert len(done.faults) == 3
    for word in ("colour", "M!", "hysteresis"):
        assert sum(word in fault for fault in done.faults) == 1
    assert all("SITE.toml" in fault for fault in done.faults)


def test_a_site_that_is_not_there(tmp_path: Path, film: Path) -> None:
    absent = tmp_path / "absent.toml"
    refused("analyse", film, "--site", absent, "--out", tmp_path / "out", says=str(absent))


@pytest.mark.parametrize("start", ["yesterday", "2026-13-01", "12:00", "2026-03-02T25:00:00"])
def test_a_start_that_is_no_time(tmp_path: Path, film: Path, start: str) -> None:
    words = ("--out", tmp_path / "out", "--start", start)
    assert start in refused("analyse", film, *words, says="ISO 8601")


def test_a_camera_that_must_be_named(tmp_path: Path, film: Path) -> None:
    text = SITE.replace("points_px", 'camera = "kerb"\npoints_px') + '\n[[camera]]\nid = "roof"\n'
    site = a_site(tmp_path / "SITE.toml", text)
    words = ("analyse", film, "--site", site, "--out", tmp_path / "out")
    refused(*words, says="--camera")
    assert "kerb, roof" in refused(*words, "--camera", "cellar", says="--camera cellar")


@pytest.mark.parametrize(
    ("option", "value"), [("--analysed-fps", "0"), ("--net-every", "0"), ("--analysed-fps", "nan")]
)
def test_settings_out_of_range(tmp_path: Path, film: Path, option: str, value: str) -> None:
    refused("analyse", film, "--out", tmp_path / "out", option, value, says=option)


def test_an_unknown_word_of_an_option(tmp_path: Path, film: Path) -> None:
    for words in (("--video", "all"), ("--lang", "xx"), ("--colour", "red")):
        done = calm("analyse", film, "--out", tmp_path / "out", *words)
        assert done.code == 2
        assert words[-1] in done.err or words[0] in done.err
        assert "Traceback" not in done.err


def test_an_out_that_is_a_file(tmp_path: Path, film: Path) -> None:
    out = tmp_path / "out"
    out.write_text("mine")
    refused("analyse", film, "--out", out, says=str(out))
    assert out.read_text() == "mine"
    refused("analyse", film, "--out", out / "below", says=str(out))


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_an_out_that_cannot_be_written(tmp_path: Path, film: Path) -> None:
    out = tmp_path / "out"
    out.mkdir(mode=0o555)
    refused("analyse", film, "--out", out, says=str(out))


def a_net(path: Path, *output: int) -> Path:
    """Write a net of the shape (1, 3, 64, 64) to ``output`` that says nothing useful."""
    node = helper.make_node("ConstantOfShape", ["shape"], ["output"])
    shape = helper.make_tensor("shape", TensorProto.INT64, [len(output)], output)
    graph = helper.make_graph(
        [node],
        "net",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, 64, 64])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, output)],
        [shape],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, str(path))
    return path


def test_nets_that_cannot_be_used(tmp_path: Path, film: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(np.arange(999).tobytes())
    shape = a_net(tmp_path / "shape.onnx", 1, 7)
    for name, says in (
        (f"onnx:{tmp_path / 'absent.onnx'}", "absent.onnx"),
        (f"onnx:{broken}", "broken.onnx"),
        (f"onnx:{shape}", "shape.onnx"),
        ("onnx:", "onnx:PATH"),
        ("yolo", "yolo"),
    ):
        refused("analyse", film, "--out", tmp_path / "out", "--detector", name, says=says)
    assert not (tmp_path / "out").exists()


def a_result(tmp_path: Path, film: Path, site: Path) -> Path:
    out = tmp_path / "out"
    watched(film, "--site", site, "--out", out, "--video", "none")
    return out


def test_a_damaged_catalogue(tmp_path: Path, film: Path, site: Path) -> None:
    out = a_result(tmp_path, film, site)
    catalogue = out / "catalogue.sqlite"
    data = catalogue.read_bytes()
    catalogue.write_bytes(b"nothing of SQLite" * 40 + data[680:])
    before = tree(out)
    words = ("analyse", film, "--site", site, "--out", out, "--detector", "motion")
    refused(*words, says="damaged")
    assert {n for n in tree(out) if "sqlite-" not in n} == set(before)
    refused("export", out, "--format", "csv", "--out", tmp_path / "x.csv", says="damaged")
    assert not (tmp_path / "x.csv").exists()


def test_a_catalogue_of_a_newer_version(tmp_path: Path, film: Path, site: Path) -> None:
    out = a_result(tmp_path, film, site)
    with closing(sqlite3.connect(out / "catalogue.sqlite")) as connection:
        connection.execute("PRAGMA user_version = 99")
    words = ("analyse", film, "--site", site, "--out", out, "--detector", "motion")
    refused(*words, says="newer")


def test_two_at_once(tmp_path: Path, film: Path, site: Path) -> None:
    out = a_result(tmp_path, film, site)
    before = tree(out)
    with (out / ".writing").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        words = ("analyse", film, "--site", site, "--out", out, "--detector", "motion")
        refused(*words, says="another analysis")
    (out / ".writing").unlink()
    assert tree(out) == before
    assert gate(watched(film, "--site", site, "--out", out, "--video", "none")) == (0, 1)


@pytest.mark.parametrize("limit_bytes", [30_000, 240_000, 300_000])
def test_a_full_disk(tmp_path: Path, film: Path, site: Path, limit_bytes: int) -> None:
    """No file may grow beyond the limit, as on a disk that is full."""
    out = a_result(tmp_path, film, site)
    kept = tmp_path / "kept"
    shutil.copytree(out, kept)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))

    words = ("analyse", film, "--site", site, "--out", out, "--detector", "motion")
    process = spawned(*words, "--video", "full", preexec_fn=limit)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2, err
    assert "Traceback" not in err, err
    assert len([line for line in err.splitlines() if line.startswith("calmstreet: ")]) == 1, err
    assert [n for n in tree(out) if n.endswith((".tmp", ".part", ".writing"))] == []
    again = watched(film, "--site", site, "--out", out, "--video", "none")
    assert gate(again) == (0, 1)
    exported = calm("export", out, "--format", "csv", "--out", tmp_path / "x.csv")
    assert exported.code == 0, exported.err
