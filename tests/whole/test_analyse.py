"""`calmstreet analyse` from the video to every file of the result."""

import csv
import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pytest
from openpyxl import load_workbook
from tests.whole.line import Outcome, calm, codes, gate, tree, watched
from tests.whole.road import SITE, Block, a_film, a_site

from calmstreet.config.site import load_site

BLOCKS = (
    Block(at_s=3.0),
    Block(at_s=5.0, speed_px_s=-75.0, foot_px=65.0, grey=225),
    Block(at_s=6.5),
)
FILES = {
    *("summary.json", "counts.csv", "movements.csv", "headways.csv", "counts.xlsx"),
    *("report.html", "tracks.mp4", "catalogue.sqlite"),
}


class Made:
    """One analysis that several tests look at."""

    def __init__(self, folder: Path) -> None:
        self.film = a_film(folder / "cam_2026-03-02_07-30-00.mp4", BLOCKS, duration_s=10.0)
        self.site = a_site(folder / "SITE.toml")
        self.out = folder / "out"
        self.done: Outcome = calm(
            *("analyse", self.film, "--site", self.site, "--out", self.out),
            *("--detector", "motion", "--json"),
        )

    @property
    def summary(self) -> dict[str, Any]:
        return self.done.summary


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("analyse"))


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_standard_output_is_the_summary_and_nothing_else(made: Made) -> None:
    assert made.done.code == 0
    assert made.done.summary == json.loads((made.out / "summary.json").read_text("utf-8"))
    assert "calmstreet:" not in made.done.err


def test_the_summary_counts_what_passed(made: Made) -> None:
    summary = made.summary
    assert gate(summary) == (1, 2)
    assert summary["gates"][0]["camera"] == "kerb"
    assert summary["gates"][0]["to_right"]["unknown"] == 2
    assert summary["tracks"]["total"] == 3
    assert (summary["state"], summary["counted"]) == ("complete", True)
    assert summary["exposure_s"] == pytest.approx(10.0, abs=0.2)
    assert summary["runs"][0]["start"] == "2026-03-02T07:30:00.000+05:00"


def test_the_summary_says_what_the_video_was(made: Made) -> None:
    video = made.summary["video"]
    assert video["frames"] == 125
    assert video["duration_s"] == pytest.approx(10.0, abs=0.01)
    assert video["repeated_frames"] == 0
    assert video["declared_fps"] == pytest.approx(12.5, abs=0.1)
    assert video["delivered_fps"] == pytest.approx(12.5, abs=0.01)


def test_every_file_is_there_and_no_leftover(made: Made) -> None:
    names = set(tree(made.out))
    assert names >= FILES
    assert not [name for name in names if Path(name).name.startswith(".")]
    assert not [name for name in names if "proposed" in name]


def test_counts_csv_is_the_agreed_table(made: Made) -> None:
    path = made.out / "counts.csv"
    first = path.read_text("utf-8").splitlines()[0]
    assert first == "series,time,value,exposure_share,camera,what,kind,flag"
    rows = rows_of(path)
    total = sum(float(row["value"]) for row in rows if row["what"] == "gate:middle:to_right")
    assert total == 2
    assert {row["time"] for row in rows} == {"2026-03-02T07:30:00+05:00"}
    assert all(0 < float(row["exposure_share"]) <= 1 for row in rows)
    kinds = {row["kind"] for row in rows}
    assert "car" not in kinds or all(row["value"] == "" for row in rows if row["kind"] == "car")


def test_headways_and_movements(made: Made) -> None:
    headways = rows_of(made.out / "headways.csv")
    assert len(headways) == 3
    assert [row["headway_s"] for row in headways if row["direction"] == "to_left"] == [""]
    between = [float(row["headway_s"]) for row in headways if row["headway_s"]]
    assert between == [pytest.approx(3.5, abs=0.2)]
    first = (made.out / "movements.csv").read_text("utf-8").splitlines()[0]
    assert first == "camera,movement,from,to,turn,kind,start,count,exposure_share,flag"


def test_movements_between_two_approaches(made: Made, tmp_path: Path) -> None:
    text = made.site.read_text("utf-8")
    for name, left in (("west", 0), ("east", 250)):
        corners = [[left, 20], [left + 69, 20], [left + 69, 179], [left, 179]]
        text += f'\n[[zone]]\nid = "{name}"\nkind = "approach"\npolygon_px = {corners}\n'
    site = a_site(tmp_path / "S.toml", text)
    summary = watched(made.film, "--site", site, "--out", tmp_path / "out", "--video", "none")
    counts = {(row["from"], row["to"]): row["counts"]["total"] for row in summary["movements"]}
    assert counts["west", "east"] == 2
    assert counts["east", "west"] == 1
    assert sum(counts.values()) == summary["tracks"]["total"] == 3
    rows = rows_of(tmp_path / "out" / "movements.csv")
    assert sum(float(row["count"] or 0) for row in rows) == 3


def test_the_workbook_opens_and_says_what_is_not_enough(made: Made) -> None:
    book = load_workbook(made.out / "counts.xlsx", read_only=True)
    cells = [str(cell) for sheet in book for row in sheet.values for cell in row if cell]
    book.close()
    assert any("0 of 60 min" in cell or "0 of 60" in cell for cell in cells), cells[:80]


def test_the_report_needs_nothing_from_outside(made: Made) -> None:
    page = (made.out / "report.html").read_text("utf-8")
    assert not re.findall(r"""(?:src|href|action)\s*=\s*["'](?!data:|#)[^"']*["']""", page)
    assert not re.findall(r"url\(\s*['\"]?(?!data:|#)", page)
    assert "@import" not in page
    assert not re.search(r"<(?:link|iframe|object|embed)\b", page)
    assert "to_right" in page or "right" in page


def test_the_kept_video_is_small_and_slow(made: Made) -> None:
    with av.open(str(made.out / "tracks.mp4")) as container:
        stream = container.streams.video[0]
        times = [float(frame.time) for frame in container.decode(stream) if frame.time is not None]
        assert stream.width <= 640
    assert 98 <= len(times) <= 101
    assert min(b - a for a, b in pairwise(times)) >= 0.079
    assert times[-1] == pytest.approx(9.9, abs=0.3)


@pytest.mark.parametrize("lang", ["ru", "kk", "uz"])
def test_languages(made: Made, tmp_path: Path, lang: str) -> None:
    words = ("--site", made.site, "--lang", lang, "--video", "none")
    summary = watched(made.film, *words, "--out", tmp_path / "out")
    assert gate(summary) == (1, 2)
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert f'lang="{lang}"' in page
    assert not (tmp_path / "out" / "tracks.mp4").exists()
    load_workbook(tmp_path / "out" / "counts.xlsx", read_only=True).close()


def test_all_of_the_video_or_a_minute_of_it(tmp_path: Path) -> None:
    film = a_film(tmp_path / "long.mp4", BLOCKS, times_s=[i / 2.5 for i in range(66 * 5 // 2)])
    for kept, least, most in (("60s", 59.0, 60.9), ("full", 65.0, 66.1)):
        watched(film, "--out", tmp_path / "out", "--video", kept)
        with av.open(str(tmp_path / "out" / "tracks.mp4")) as container:
            assert least <= float(container.duration or 0) / av.time_base <= most
    watched(film, "--out", tmp_path / "out", "--video", "none")
    assert not (tmp_path / "out" / "tracks.mp4").exists()


def test_without_a_site_gates_are_proposed_that_load_again(tmp_path: Path) -> None:
    film = a_film(tmp_path / "v.mp4", BLOCKS, duration_s=10.0)
    summary = watched(film, "--out", tmp_path / "out", "--video", "none")
    proposed = tmp_path / "out" / "proposed-site.toml"
    site, _ = load_site(proposed)
    assert [row["gate"] for row in summary["gates"]] == [gate.id for gate in site.gates]
    assert site.gates
    assert "no-site" in codes(summary)
    again = watched(film, "--out", tmp_path / "again", "--site", proposed, "--video", "none")
    assert [(row["to_left"], row["to_right"]) for row in again["gates"]] == [
        (row["to_left"], row["to_right"]) for row in summary["gates"]
    ]
    assert max(max(gate(again, g.id)) for g in site.gates) >= 2
    pictures = {path.name for path in (tmp_path / "out" / "pictures").iterdir()}
    assert any("background" in name for name in pictures)
    assert any(name.startswith("grid") for name in pictures)
    assert any(name.startswith("trajectories") for name in pictures)


def test_a_street_with_nobody_in_it(tmp_path: Path) -> None:
    film = a_film(tmp_path / "v.mp4", (), duration_s=4.0)
    site = a_site(tmp_path / "S.toml")
    summary = watched(film, "--site", site, "--out", tmp_path / "out")
    assert gate(summary) == (0, 0)
    assert summary["tracks"]["total"] == 0
    assert "gate-never-crossed" in codes(summary)
    without = watched(film, "--out", tmp_path / "without")
    assert without["gates"] == []
    load_site(tmp_path / "without" / "proposed-site.toml")


def test_the_same_command_again_replaces_the_result(tmp_path: Path) -> None:
    film = a_film(tmp_path / "v.mp4", BLOCKS, duration_s=10.0)
    words = (film, "--site", a_site(tmp_path / "S.toml"), "--out", tmp_path / "out")
    first = watched(*words)
    files = set(tree(tmp_path / "out"))
    second = watched(*words)
    assert gate(second) == gate(first) == (1, 2)
    assert second["video"] == first["video"]
    numbered = re.compile(r"\b\d+-")
    assert sorted(numbered.sub("N-", n) for n in tree(tmp_path / "out")) == sorted(
        numbered.sub("N-", n) for n in files
    )


def test_what_the_terminal_says(tmp_path: Path) -> None:
    film = a_film(tmp_path / "v.mp4", BLOCKS, duration_s=10.0)
    site = a_site(tmp_path / "S.toml")
    done = calm(
        *("analyse", film, "--site", site, "--out", tmp_path / "out", "--detector", "motion")
    )
    assert done.code == 0
    assert "gate middle: to_left 1 (unknown 1), to_right 2 (unknown 2)" in done.out
    assert "clock time of the video is unknown" in done.out
    assert "report.html" in done.out
    assert not re.search(r"\d\d:\d\d", done.out), "a time of day though none is known"
    for name in ("counts.csv", "report.html", "movements.csv", "headways.csv"):
        assert "1970" not in (tmp_path / "out" / name).read_text("utf-8"), name


def test_a_site_of_two_cameras_needs_to_know_which(tmp_path: Path) -> None:
    two = SITE.replace("points_px", 'camera = "kerb"\npoints_px') + '\n[[camera]]\nid = "roof"\n'
    site = a_site(tmp_path / "S.toml", two)
    film = a_film(tmp_path / "v.mp4", BLOCKS, duration_s=10.0)
    words = (film, "--site", site, "--out", tmp_path / "out", "--video", "none")
    assert gate(watched(*words, "--camera", "kerb")) == (1, 2)
    other = watched(*words, "--camera", "roof")
    assert sorted(other["cameras"]) == ["kerb", "roof"]
