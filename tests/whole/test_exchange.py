"""Road users out in open formats and in again; the site drawn; counting without a second look."""

import csv
import json
from pathlib import Path
from typing import Any

import cv2
import pytest
from tests.shared_data import shared_data
from tests.whole.line import calm, codes, gate, refused, watched
from tests.whole.road import SITE, Block, a_film, a_site

BLOCKS = (
    Block(at_s=3.0),
    Block(at_s=5.0, speed_px_s=-60.0, foot_px=65.0, grey=225),
    Block(at_s=6.5),
)


class Made:
    """One result that is handed out in several formats."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.film = a_film(folder / "cam_2026-03-02_07-30-00.mp4", BLOCKS, duration_s=10.0)
        self.site = a_site(folder / "SITE.toml")
        self.out = folder / "out"
        self.summary = watched(self.film, "--site", self.site, "--out", self.out)

    def exported(self, form: str, name: str) -> Path:
        path = self.folder / name
        done = calm("export", self.out, "--format", form, "--out", path)
        assert (done.code, done.err) == (0, "")
        assert str(path) in done.out
        return path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("exchange"))


def taken_in(file: Path, site: Path, out: Path, *more: object) -> dict[str, Any]:
    done = calm("import", file, "--site", site, "--out", out, "--json", *more)
    assert done.code == 0, done.err
    return done.summary


def test_parquet_there_and_back_counts_the_same(made: Made, tmp_path: Path) -> None:
    file = made.exported("parquet", "x.parquet")
    summary = taken_in(file, made.site, tmp_path / "out", "--size", "320x180")
    assert gate(summary) == gate(made.summary) == (1, 2)
    assert summary["runs"][0]["start"][:19] == "2026-03-02T07:30:00"
    assert summary["exposure_s"] == pytest.approx(made.summary["exposure_s"], abs=0.01)


def test_mot_there_and_back_counts_the_same(made: Made, tmp_path: Path) -> None:
    file = made.exported("mot", "x.txt")
    words = ("--fps", "10", "--size", "320x180", "--start", "2026-03-02T07:30:00")
    summary = taken_in(file, made.site, tmp_path / "out", *words)
    assert gate(summary) == (1, 2)
    again = taken_in(file, made.site, tmp_path / "out", *words)
    assert gate(again) == (1, 2)
    assert len(again["runs"]) == 1


def test_an_import_replaces_and_joins_like_an_analysis(made: Made, tmp_path: Path) -> None:
    file = made.exported("mot", "x.txt")
    other = tmp_path / "other.txt"
    other.write_bytes(file.read_bytes())
    words = ("--fps", "10", "--size", "320x180")
    out = tmp_path / "out"
    taken_in(file, made.site, out, *words, "--start", "2026-03-02T07:30:00")
    both = taken_in(other, made.site, out, *words, "--start", "2026-03-02T08:30:00")
    assert gate(both) == (2, 4)
    changed = a_site(tmp_path / "S.toml", SITE.replace("[160, 179]", "[150, 179]"))
    refused("import", other, "--site", changed, "--out", out, *words, says="another site")
    third = tmp_path / "third.txt"
    third.write_bytes(file.read_bytes())
    line = ("import", third, "--site", made.site, "--out", out, *words)
    assert "--start" in refused(*line, says="clock time is known")
    refused(*line, "--start", "2026-03-02T07:30:04", says="x.txt")


def test_imports_of_unknown_time_follow_each_other(made: Made, tmp_path: Path) -> None:
    file = made.exported("mot", "x.txt")
    other = tmp_path / "other.txt"
    other.write_bytes(file.read_bytes())
    words = ("--fps", "10", "--size", "320x180")
    first = taken_in(file, made.site, tmp_path / "out", *words)
    both = taken_in(other, made.site, tmp_path / "out", *words)
    assert gate(both) == (2, 4)
    assert both["runs"][1]["start"] > both["runs"][0]["end"]
    assert both["exposure_s"] == pytest.approx(2 * first["exposure_s"])


def test_csv_and_geojson_read_as_what_they_are(made: Made) -> None:
    with made.exported("csv", "x.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len({row["track_id"] for row in rows}) >= 3
    geo = json.loads(made.exported("geojson", "x.geojson").read_text("utf-8"))
    assert geo["type"] == "FeatureCollection"


def test_what_cannot_be_exported(made: Made, tmp_path: Path) -> None:
    refused("export", tmp_path, "--format", "csv", "--out", tmp_path / "x", says="result folder")
    where = tmp_path / "absent" / "x.csv"
    done = calm("export", made.out, "--format", "csv", "--out", where)
    assert done.code == 0 or "absent" in done.faults[0]
    done = calm("export", made.out, "--format", "xml", "--out", tmp_path / "x")
    assert done.code == 2
    (tmp_path / "folder").mkdir()
    refused("export", made.out, "--format", "csv", "--out", tmp_path / "folder", says="folder")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.txt", "", "a.txt"),
        ("b.txt", "frame,id\nhello,world\n", "b.txt"),
        ("c.parquet", "no parquet", "c.parquet"),
        ("d.txt", "1,1,10,10,nan,20,1,-1,-1,-1\n", "d.txt"),
        ("e.xml", "<a/>", "e.xml"),
    ],
)
def test_what_cannot_be_imported(
    made: Made, tmp_path: Path, name: str, content: str, says: str
) -> None:
    file = tmp_path / name
    file.write_text(content)
    refused("import", file, "--site", made.site, "--out", tmp_path / "out", says=says)
    again = taken_in(made.exported("mot", "x.txt"), made.site, tmp_path / "out")
    assert gate(again) == (1, 2)


def test_an_import_with_wrong_words(made: Made, tmp_path: Path) -> None:
    file = made.exported("mot", "x.txt")
    words = ("import", file, "--site", made.site, "--out", tmp_path / "out")
    refused(*words, "--size", "wide", says="--size")
    refused(*words, "--size", "100x100", says="middle")
    refused(*words, "--fps", "0", says="--fps")
    refused(*words, "--fps", "-3", says="--fps")
    refused(*words, "--start", "noon", says="ISO 8601")
    absent = tmp_path / "absent.txt"
    refused("import", absent, "--site", made.site, "--out", tmp_path / "out", says="absent.txt")
    assert not (tmp_path / "out").exists()


def test_the_rate_of_a_mot_file_is_assumed_and_said(made: Made, tmp_path: Path) -> None:
    summary = taken_in(made.exported("mot", "x.txt"), made.site, tmp_path / "out")
    assert {"fps-assumed", "time-unknown"} <= codes(summary)


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "least", "most"), [("TUD-Campus_gt.txt", 6, 8), ("TUD-Campus_test.txt", 4, 12)]
)
def test_mot_files_of_other_programs(tmp_path: Path, name: str, least: int, most: int) -> None:
    file = shared_data(f"tracking/{name}")
    text = SITE.replace("[[160, 179], [160, 20]]", "[[320, 479], [320, 0]]")
    site = a_site(tmp_path / "SITE.toml", text)
    words = ("--fps", "25", "--size", "640x480")
    summary = taken_in(file, site, tmp_path / "out", *words)
    assert least <= summary["tracks"]["total"] <= most
    assert 2 <= sum(gate(summary)) <= most
    assert summary["runs"][0]["width_px"] == 640


def test_a_site_is_drawn(made: Made, tmp_path: Path) -> None:
    picture = tmp_path / "site.png"
    done = calm("site", made.site, "--video", made.film, "--out", picture)
    assert (done.code, done.err) == (0, "")
    assert "1 gates" in done.out
    assert "never" not in done.out
    drawn = cv2.imread(str(picture))
    assert drawn is not None
    assert drawn.shape[1] <= 640


def test_gates_that_nobody_can_cross_are_named(made: Made, tmp_path: Path) -> None:
    text = SITE + (
        '[[gate]]\nid = "roof"\npoints_px = [[10, 0], [300, 0]]\n'
        '[[gate]]\nid = "hidden"\npoints_px = [[250, 60], [250, 100]]\n'
        "[[mask]]\npolygon_px = [[200, 40], [300, 40], [300, 120], [200, 120]]\n"
    )
    site = a_site(tmp_path / "SITE.toml", text)
    done = calm("site", site, "--video", made.film, "--out", tmp_path / "x.png")
    assert done.code == 0
    assert "gate roof can never be crossed" in done.out
    assert "gate hidden can never be crossed" in done.out
    assert "gate middle" not in done.out


def test_a_site_that_cannot_be_drawn(made: Made, tmp_path: Path) -> None:
    out = tmp_path / "x.png"
    wrong = a_site(tmp_path / "SITE.toml", SITE.replace("[160, 179]", "[900, 179]"))
    refused("site", wrong, "--video", made.film, "--out", out, says="middle")
    refused("site", made.site, "--video", tmp_path / "no.mp4", "--out", out, says="no.mp4")
    refused("site", made.site, "--video", made.film, "--out", tmp_path, says=str(tmp_path))
    assert not out.exists()
