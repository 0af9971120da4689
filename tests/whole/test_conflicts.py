"""Conflicts of a replayed crossing: table, summary, report, explained and replayed the same."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.builders import together
from tests.drives import SITE, a_drive, fcd_of
from tests.whole.line import calm
from tests.whole.road import a_site

from calmstreet.model.gap import Gap
from calmstreet.model.kinds import Kind
from calmstreet.model.site import site_from_json
from calmstreet.pipeline.judging import judge_run
from calmstreet.report.conflicts_csv import CSV_COLUMNS
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.proof import prove_folder
from calmstreet.store.retention import apply_retention
from calmstreet.units import NS_PER_S

GATE = """
[[gate]]
id = "west"
points_m = [[-20, -5], [-20, 5]]
"""


class Crossing:
    """Cars that cross one after the other, and somebody on foot before one of them."""

    def __init__(self, folder: Path, extra: str = "") -> None:
        rows = together(
            a_drive([(0, -50, 0), (10, 50, 0)], serial=1),
            a_drive([(0, 0, -60), (10, 0, 40)], serial=2),
            a_drive([(20, -50, 0), (30, 50, 0)], serial=3),
            a_drive([(20, 20, -6.5), (30, 20, 6.5)], serial=4, kind=Kind.PEDESTRIAN),
        )
        self.site = a_site(folder / "SITE.toml", SITE + extra)
        self.out = folder / "out"
        fcd = fcd_of(folder / "x.fcd.csv.gz", rows)
        self.summary = replayed(fcd, "--site", self.site, "--out", self.out)
        self.rows = rows_of(self.out / "conflicts.csv")


def replayed(what: Path, *words: object) -> dict[str, Any]:
    done = calm("replay", what, *words, "--json")
    assert done.code == 0, done.err
    return done.summary


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


@pytest.fixture(scope="module")
def crossing(tmp_path_factory: pytest.TempPathFactory) -> Crossing:
    return Crossing(tmp_path_factory.mktemp("conflicts"))


def test_every_interacting_pair_is_in_the_table(crossing: Crossing) -> None:
    assert tuple(crossing.rows[0]) == CSV_COLUMNS
    pairs = {(row["user_a"], row["user_b"]): row for row in crossing.rows}
    assert pairs["1", "2"]["type"] == "crossing"
    assert pairs["3", "4"]["type"] == "pedestrian"
    assert {row["is_conflict"] for row in pairs.values()} == {"true"}
    assert "pet" in pairs["1", "2"]["why"].split("+")


def test_the_summary_keeps_the_parts_apart_and_counts_the_exposure(crossing: Crossing) -> None:
    (camera,) = crossing.summary["conflicts"]["cameras"]
    assert camera["looked"]
    assert (camera["pairs"], camera["conflicts"]) == (2, 2)
    assert [row["type"] for row in camera["types"]] == ["crossing", "pedestrian"]
    assert camera["types"][0]["by_pet"] == 1
    assert camera["exposure_s"] == pytest.approx(crossing.summary["exposure_s"])
    assert camera["per_hour"]["rate"] == pytest.approx(2 * 3600 / camera["exposure_s"], rel=0.01)
    assert not camera["per_1000_pairs"]["enough"]
    assert camera["paths"] == [crossing.rows[0]["paths_version"]]
    assert "conflict" not in crossing.summary["events"]["by_kind"]


def test_a_time_with_too_few_pictures_counts_nowhere_live_or_replayed(
    crossing: Crossing, tmp_path: Path
) -> None:
    site_file = a_site(tmp_path / "SITE.toml", SITE + GATE)
    live, words = tmp_path / "live", ("--site", site_file, "--out")
    before = replayed(crossing.out, *words, live)
    with Catalogue.open(live) as catalogue:
        (run,) = catalogue.runs()
        first, second = sorted(catalogue.conflicts(run.run_id, run.camera_id).start_ns.tolist())
        gap = Gap(
            camera_id=run.camera_id, start_ns=run.start_ns, end_ns=(first + second) // 2,
            reason="overload", affects="speeds+conflicts",
        )  # fmt: skip
        catalogue.save_gap(gap)
        site = site_from_json(json.loads(catalogue.site(run.site_version)))
        told = [event.event_id for event in catalogue.events([run.run_id])]
        catalogue.drop_events(run.run_id, told)
        judge_run(catalogue, run, site)
        mine = catalogue.conflicts(run.run_id, run.camera_id)
        speeds = catalogue.speeds(run.run_id, run.camera_id)
        events = [e.event_id for e in catalogue.events([run.run_id]) if e.kind == "conflict"]
    assert mine.is_conflict.tolist() == [False, True]
    assert mine.rejected_because[0] == "too-few-pictures"
    assert len(events) == 1
    inside = speeds.t_ns < gap.end_ns
    assert inside.any()
    assert not speeds.measured[inside].any()
    assert speeds.measured[~inside].any()
    assert "slow-rate" in speeds.reason[inside]
    again = replayed(live, *words, tmp_path / "again")
    (camera,) = again["conflicts"]["cameras"]
    assert (camera["pairs"], camera["conflicts"]) == (1, 1)
    assert camera["exposure_s"] == pytest.approx(before["exposure_s"] / 2, rel=0.01)
    assert camera["per_hour"]["rate"] == pytest.approx(3600 / camera["exposure_s"], rel=0.01)
    assert again["gates"] == before["gates"], "counts stay"
    withheld = [row["withheld"] for row in again["speeds"]["gates"]]
    assert sum(row.get("slow-rate", 0) for row in withheld) == int(
        (speeds.reason == "slow-rate").sum()
    )


def test_points_that_were_removed_are_neither_replayed_nor_exported(
    crossing: Crossing, tmp_path: Path
) -> None:
    shutil.copytree(crossing.out, tmp_path / "old")
    with Catalogue.open(tmp_path / "old") as catalogue:
        (run,) = catalogue.runs()
        prove_folder(catalogue, camera_id=run.camera_id)
        later_ns = run.end_ns + 60 * NS_PER_S
        assert apply_retention(catalogue, keep_s={"points": 1.0}, now_ns=later_ns).files
    again = calm("replay", tmp_path / "old", "--site", crossing.site, "--out", tmp_path / "out")
    table = calm("export", tmp_path / "old", "--format", "csv", "--out", tmp_path / "x.csv")
    for done in (again, table):
        assert done.code == 2
        assert "points_retention_days" in done.err
    events = [e for e in rows_of(tmp_path / "old" / "events.csv") if e["kind"] == "conflict"]
    told = calm("explain", tmp_path / "old", events[0]["event_id"])
    assert told.code == 0, told.err


def test_report_and_workbook_show_them(crossing: Crossing) -> None:
    page = (crossing.out / "report.html").read_text(encoding="utf-8")
    assert "(c) evasive action" in page
    assert "Where conflicts happened, from above" in page


def test_the_grave_ones_are_events_that_explain_themselves(crossing: Crossing) -> None:
    events = [e for e in rows_of(crossing.out / "events.csv") if e["kind"] == "conflict"]
    assert len(events) == 2
    for event in events:
        done = calm("explain", crossing.out, event["event_id"])
        assert done.code == 0, done.err
        assert "the same verdict" in done.out
        assert "threshold: pet_unprotected_s = 3" in done.out
        assert f"usual paths {crossing.rows[0]['paths_version']}" in done.out
    told = calm("explain", crossing.out, events[0]["event_id"], "--lang", "ru")
    assert "потому что: (а) один пришёл через " in told.out
    assert "рассмотрено заново по сохранённым данным: тот же вывод" in told.out
    assert "because" not in told.out
    (crossing.out / "evidence" / "1-paths.json").rename(crossing.out / "evidence" / "kept")
    refused = calm("explain", crossing.out, events[0]["event_id"])
    (crossing.out / "evidence" / "kept").rename(crossing.out / "evidence" / "1-paths.json")
    assert refused.code != 0
    assert "1-paths.json is missing" in refused.err


def test_replay_of_the_result_finds_the_same_pairs(crossing: Crossing, tmp_path: Path) -> None:
    again = tmp_path / "again"
    replayed(crossing.out, "--site", crossing.site, "--out", again)
    ours, theirs = (f / "conflicts.csv" for f in (crossing.out, again))
    assert ours.read_bytes() == theirs.read_bytes()


def test_a_site_may_turn_them_off_or_move_the_thresholds(tmp_path: Path) -> None:
    off = Crossing(tmp_path, extra="[rules.conflicts]\non = false\n")
    (camera,) = off.summary["conflicts"]["cameras"]
    assert (camera["looked"], camera["why_not"], off.rows) == (False, "off", [])
    (tmp_path / "b").mkdir()
    strict = Crossing(tmp_path / "b", extra="[rules.conflicts]\npet_s = 0.01\nttc_s = 0\n")
    kinds = {row["type"]: row["is_conflict"] for row in strict.rows}
    assert kinds["crossing"] == "false"


def test_an_unknown_setting_is_one_sentence(tmp_path: Path) -> None:
    site = a_site(tmp_path / "S.toml", SITE + "[rules.conflicts]\npet = 2\n")
    fcd = fcd_of(tmp_path / "x.fcd.csv.gz", a_drive([(0, 0, 0), (5, 50, 0)]))
    done = calm("replay", fcd, "--site", site, "--out", tmp_path / "out")
    assert done.code == 2
    assert "rules.conflicts" in done.err
