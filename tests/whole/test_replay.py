"""Trajectories in, a result folder out; replay finds what the analysis found; events explained."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.builders import together
from tests.drives import SITE, a_drive, boxes_from_above, busy_place, fcd_of
from tests.shared_data import shared_data
from tests.whole.line import calm, refused, watched
from tests.whole.road import SITE as ROAD
from tests.whole.road import Block, a_film, a_site

from calmstreet.interop.points_csv import write_points_csv

STATES = "t_s,signal,state\n0,head,green\n7,head,amber\n10,head,red\n"


class Replayed:
    """A busy street replayed from SUMO's format once."""

    def __init__(self, folder: Path) -> None:
        site, rows = busy_place()
        self.folder, self.out = folder, folder / "out"
        self.site = a_site(folder / "SITE.toml", site)
        self.fcd = fcd_of(folder / "x.fcd.csv.gz", rows)
        self.signals = folder / "signals.csv"
        self.signals.write_text(STATES, encoding="utf-8")
        self.words = ("--site", self.site, "--signals", self.signals)
        self.summary = replayed(self.fcd, *self.words, "--out", self.out)


def replayed(what: Path, *words: object) -> dict[str, Any]:
    done = calm("replay", what, *words, "--json")
    assert done.code == 0, done.err
    return done.summary


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Replayed:
    return Replayed(tmp_path_factory.mktemp("replay"))


def test_a_replay_writes_the_same_folder_as_an_analysis(street: Replayed) -> None:
    names = {path.name for path in street.out.iterdir()}
    wanted = {"summary.json", "report.html", "counts.csv", "movements.csv", "events.csv"}
    assert wanted <= names
    events = rows_of(street.out / "events.csv")
    assert {"red-light", "wrong-way", "stopped-vehicle"} <= {row["kind"] for row in events}
    assert {row["road_users"] for row in events if row["kind"] == "red-light"} == {"1"}
    told = street.summary["events"]["by_kind"]
    ruled = [row for row in events if not row["kind"].startswith("conflict")]
    assert sum(row["violations"] + row["exceptions"] for row in told.values()) == len(ruled)
    assert {row["rule"]: row["ran"] for row in street.summary["rules"]}["red-light/2"] is True
    silent = {row["rule"]: row["why_not"] for row in street.summary["rules"] if not row["ran"]}
    assert silent["stop-sign/2"] == 'no gate has control = "stop"'
    assert street.summary["signals"][0]["gates"][0]["on_red"] >= 1


def test_replay_of_a_result_is_the_result(street: Replayed, tmp_path: Path) -> None:
    out = tmp_path / "again"
    replayed(street.out, "--site", street.site, "--out", out)
    for name in ("events.csv", "counts.csv", "movements.csv", "headways.csv"):
        assert (out / name).read_bytes() == (street.out / name).read_bytes(), name
    for path in sorted((street.out / "evidence").iterdir()):
        if path.suffix != ".svg":
            assert (out / "evidence" / path.name).read_bytes() == path.read_bytes(), path.name


def test_replay_of_an_analysed_film_is_the_analysis(tmp_path: Path) -> None:
    lane = """
[[zone]]
id = "east"
kind = "lane"
direction_deg = 270
polygon_px = [[0, 90], [319, 90], [319, 179], [0, 179]]
"""
    film = a_film(tmp_path / "a.mp4", (Block(at_s=3.0), Block(at_s=5.0)), duration_s=8.0)
    site = a_site(tmp_path / "SITE.toml", ROAD + lane)
    first = watched(film, "--site", site, "--out", tmp_path / "one")
    again = replayed(tmp_path / "one", "--site", site, "--out", tmp_path / "two")
    assert again["gates"] == first["gates"]
    assert again["events"] == first["events"]
    assert first["events"]["by_kind"]["wrong-way"]["violations"] == 2
    for name in ("events.csv", "counts.csv"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_our_own_points_replay_as_the_fcd_did(street: Replayed, tmp_path: Path) -> None:
    points = tmp_path / "points.csv"
    calm("export", street.out, "--format", "csv", "--out", points)
    summary = replayed(points, *street.words, "--out", tmp_path / "out")
    assert summary["events"]["by_kind"] == street.summary["events"]["by_kind"]


def test_boxes_of_points_do_not_hide_their_metres(tmp_path: Path) -> None:
    site, rows = busy_place()
    boxed = replace(rows, box_px=boxes_from_above(rows.xy_m.astype(float)))
    file = tmp_path / "points.csv"
    write_points_csv(file, [boxed], np.unique(rows.t_ns))
    words = ("--site", a_site(tmp_path / "S.toml", site), "--out", tmp_path / "out")
    kinds = replayed(file, *words)["events"]["by_kind"]
    assert {"wrong-way", "stopped-vehicle"} <= set(kinds)


def test_every_event_explains_itself_from_evidence_alone(street: Replayed, tmp_path: Path) -> None:
    shutil.copytree(street.out / "evidence", tmp_path / "evidence")
    events = rows_of(street.out / "events.csv")
    assert len(events) >= 4
    for row in events:
        done = calm("explain", tmp_path, row["event_id"], "--json")
        assert done.code == 0, done.err
        found = json.loads(done.out)
        assert found["same_verdict"], (row["kind"], found["verdict"])
        assert Path(found["picture"]).read_text(encoding="utf-8").startswith("<svg")
        assert "threshold: " in found["text"]
        assert "because: " in found["text"]


def test_who_is_too_fast_beyond_doubt(tmp_path: Path) -> None:
    text = SITE + '[[gate]]\nid = "g"\npoints_m = [[0, -3], [0, 3]]\n'
    rows = together(
        *(
            a_drive([(5.0 * i, -60, 0), (5.0 * i + 120 / mps, 60, 0)], serial=i + 1)
            for i, mps in enumerate((10.0, 14.0, 14.6, 16.0, 25.0))
        )
    )
    out = tmp_path / "out"
    site = a_site(tmp_path / "SITE.toml", text)
    summary = replayed(fcd_of(tmp_path / "x.csv", rows), "--site", site, "--out", out)
    found = {row["road_users"][0]: row for row in summary["events"]["first"]}
    assert sorted(found) == ["4", "5"]
    assert found["5"]["values"]["speed_mps"] == pytest.approx(25, abs=0.1)
    assert found["5"]["severity"] > found["4"]["severity"]
    done = calm("explain", out, found["5"]["event_id"], "--json")
    assert json.loads(done.out)["same_verdict"], done.out


def test_a_clock_offset_moves_the_verdict(street: Replayed, tmp_path: Path) -> None:
    words = (*street.words, "--out", tmp_path / "out", "--clock-offset-s", "30")
    assert "red-light" not in replayed(street.fcd, *words)["events"]["by_kind"]


def test_rejected_rows_and_cut_files_are_told(street: Replayed, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    head = "t_s,id,kind,x_m,y_m,angle_deg,speed_mps\n"
    file.write_text(head + "0,a,car,nan,0,90,5\n0,b,car,1,0,90,5\n1,b,car,6,0,90,5\n2,b,ca")
    summary = replayed(file, "--site", street.site, "--out", tmp_path / "out")
    notes = {row["code"]: row["args"] for row in summary["warnings"]}
    assert notes["rows-rejected"]["rows"] == 1
    assert "cut-off" in notes
    assert summary["state"] == "partial"


def test_what_cannot_be_replayed_is_one_sentence(street: Replayed, tmp_path: Path) -> None:
    out = ("--out", tmp_path / "out")
    refused("replay", tmp_path / "none.xml", *street.words, *out, says="is not there")
    other = tmp_path / "other.csv"
    other.write_text(STATES.replace("head", "tail"), encoding="utf-8")
    words = ("--site", street.site, "--signals", other, *out)
    refused("replay", street.fcd, *words, says="has no states of head")
    degrees = a_site(
        tmp_path / "D.toml",
        '[site]\nid = "d"\n[[gate]]\nid = "g"\npoints_m = [[76.9, 43.2], [76.9001, 43.2]]\n',
    )
    refused("replay", street.fcd, "--site", degrees, *out, says="looks like degrees")
    backwards = tmp_path / "b.csv"
    backwards.write_text("t_s,id,x,y\n1,a,0,0\n0,a,1,0\n")
    refused("replay", backwards, "--site", street.site, *out, says="time goes back")
    refused("replay", street.out, "--site", street.site, "--out", street.out, says="another folder")
    refused("explain", street.out, "0" * 16, says="no evidence of event")
    refused("explain", street.out, "x", says="no event id")


def test_metres_need_a_plane_once_there_is_a_picture(street: Replayed, tmp_path: Path) -> None:
    film = a_film(tmp_path / "a.mp4", (Block(at_s=1.0),), duration_s=2.0)
    text = '[site]\nid = "a"\n[[gate]]\nid = "g"\npoints_m = [[0, 0], [9, 0]]\n'
    site = a_site(tmp_path / "M.toml", text)
    refused("analyse", film, "--site", site, "--out", tmp_path / "out", says="no [camera.plane]")


TLS = (
    """
[site]
id = "tls"
"""
    + "".join(
        f'[[gate]]\nid = "{name}"\npoints_m = {points}\nsignal = "{signal}"\n'
        for name, points, signal in (
            ("w", "[[92.8, 96.8], [92.8, 100.0]]", "C/10"),
            ("e", "[[107.2, 100.0], [107.2, 103.2]]", "C/4"),
            ("s", "[[100.0, 92.8], [103.2, 92.8]]", "C/7"),
            ("n", "[[96.8, 107.2], [100.0, 107.2]]", "C/1"),
        )
    )
    + """
[[zone]]
id = "junction"
kind = "junction"
polygon_m = [[92.8, 92.8], [107.2, 92.8], [107.2, 107.2], [92.8, 107.2]]
"""
)


def of_sumo(name: str, folder: Path) -> dict[str, Any]:
    return replayed(
        shared_data(f"signals/{name}.fcd.csv.gz"),
        "--site",
        a_site(folder / "SITE.toml", TLS),
        "--signals",
        shared_data(f"signals/{name}_states.xml"),
        "--routes",
        shared_data("signals/tls.rou.xml"),
        "--out",
        folder / "out",
    )


@pytest.mark.real
def test_exactly_those_that_enter_on_red(tmp_path: Path) -> None:
    summary = of_sumo("rl", tmp_path)
    found = {
        row["road_users"][0]: row["values"]["into_red_s"] for row in summary["events"]["first"]
    }
    assert found == {
        "run_red_1": pytest.approx(2.78, abs=0.1),
        "run_red_2": pytest.approx(3.40, abs=0.1),
        "run_red_3": pytest.approx(11.59, abs=0.1),
    }


@pytest.mark.real
def test_nobody_on_red_where_nobody_was(tmp_path: Path) -> None:
    summary = of_sumo("tls", tmp_path)
    assert "red-light" not in summary["events"]["by_kind"]
    gates = summary["signals"][0]["gates"]
    assert [row["passes"] for row in gates] == [106, 63, 58, 60]
    assert all(row["longest_queue_m"] > 40 for row in gates)


def test_the_maker_of_fcd_is_true_to_the_rows(tmp_path: Path) -> None:
    rows = together(a_drive([(0, 0, 0), (1, 10, 0)]))
    text = fcd_of(tmp_path / "x.csv", rows).read_text(encoding="utf-8").splitlines()
    assert text[1] == "0.000;1;2.2500;0.0000;90.0000;car;10.0000"


def test_a_rule_is_audited_by_its_events_and_by_what_it_missed(
    street: Replayed, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(street.out, out)
    done = calm("audit", out, "--rule", "stopped-vehicle", "--json")
    assert done.code == 0, done.err
    sheet = Path(json.loads(done.out)["sheet"])
    rows = rows_of(sheet)
    assert {row["part"] for row in rows} >= {"event", "spell"}
    assert all((sheet.parent / f"{r['id']}.svg").exists() for r in rows if r["part"] == "event")
    for row in rows:
        row["verdict"] = {"event": "right", "near": "wrong", "spell": "2"}[row["part"]]
    with sheet.open("w", encoding="utf-8", newline="") as text:
        writer = csv.DictWriter(text, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    scored = calm("audit", out, "--rule", "stopped-vehicle", "--hand", sheet, "--json")
    found = json.loads(scored.out)
    assert found["precision"]["right"] == found["precision"]["n"] >= 1
    assert found["publishable"] is False
    assert found["recall"]["n"] == 2
    assert "may NOT be published" in found["text"]
    refused("audit", out, "--rule", "nonsense", says="no rule is called")
    refused("audit", out, says="either --counts or --rule")
    refused("audit", out, "--rule", "queue", "--hand", street.site, says="not the sheet")
