"""Audits of rules and of conflicts: random draws, verdicts of the sheet and of the desk."""

import csv
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.builders import together
from tests.drives import SITE, a_drive, fcd_of
from tests.whole.line import calm
from tests.whole.road import a_site

from calmstreet.store.catalogue import Catalogue
from calmstreet.store.queue import Queue
from calmstreet.store.seen import Seen


@pytest.fixture(scope="module")
def crossing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a result with six conflicts and some pairs that were nearly one."""
    folder = tmp_path_factory.mktemp("crossing")
    drives = []
    for k in range(8):
        t, late = 20.0 * k, 0.0 if k < 6 else 2.4
        drives.append(a_drive([(t, -50, 0), (t + 10, 50, 0)], serial=2 * k + 1))
        drives.append(a_drive([(t + late, 0, -60), (t + 10 + late, 0, 40)], serial=2 * k + 2))
    fcd = fcd_of(folder / "x.fcd.csv.gz", together(*drives))
    site = a_site(folder / "SITE.toml", SITE)
    done = calm("replay", fcd, "--site", site, "--out", folder / "out", "--json")
    assert done.code == 0, done.err
    assert done.summary["conflicts"]["cameras"][0]["conflicts"] == 6
    return folder / "out"


@pytest.fixture
def out(crossing: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(crossing, tmp_path / "out"))


def audited(out: Path, *words: object) -> dict[str, Any]:
    done = calm("audit", out, "--rule", "conflict", *words, "--json")
    assert done.code == 0, done.err
    return dict(json.loads(done.out))


def rows_of(sheet: Path) -> list[dict[str, str]]:
    with sheet.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def kept(sheet: Path, rows: Sequence[dict[str, str]]) -> Path:
    with sheet.open("w", encoding="utf-8", newline="") as text:
        writer = csv.DictWriter(text, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return sheet


def said_in_the_desk(out: Path, verdicts: dict[str, str]) -> None:
    with Seen.open(out, cameras=None) as seen:
        queue = Queue(seen=seen)
        for event_id, verdict in verdicts.items():
            reason = "wrong-track" if verdict == "reject" else ""
            assert queue.review(
                event_id, verdict=verdict, reason=reason, note="", reviewer="ainur", now_ns=1
            )


def test_conflicts_are_drawn_with_those_that_nearly_were(out: Path) -> None:
    drawn = audited(out, "--events", "4")
    rows = rows_of(Path(drawn["sheet"]))
    parts = [row["part"] for row in rows]
    assert (drawn["events"], drawn["near"]) == (6, 2)
    assert (parts.count("event"), parts.count("near")) == (4, 2)
    assert sum(int(row["found"]) for row in rows if row["part"] == "spell") == 6
    for row in rows:
        row["verdict"] = {"event": "right", "near": "wrong", "spell": "7"}[row["part"]]
    found = audited(out, "--hand", kept(Path(drawn["sheet"]), rows))
    assert (found["precision"]["right"], found["precision"]["n"]) == (4, 4)
    assert (found["candidates"]["right"], found["candidates"]["n"]) == (0, 2)
    assert (found["recall"]["right"], found["recall"]["n"]) == (6, 7)
    assert (found["from_desk"], found["by_choice"]["n"]) == (0, 0)


def test_verdicts_of_the_desk_count_only_where_events_were_drawn(out: Path) -> None:
    drawn = audited(out, "--events", "4")
    rows = rows_of(Path(drawn["sheet"]))
    mine = [row["id"] for row in rows if row["part"] == "event"]
    with Catalogue.open(out) as catalogue:
        ids = [e.event_id for e in catalogue.events([r.run_id for r in catalogue.runs()])]
    others = sorted(set(ids) - set(mine))
    said = {mine[0]: "accept", mine[1]: "reject", mine[2]: "escalate"}
    said_in_the_desk(out, said | dict.fromkeys(others, "accept"))
    found = audited(out, "--desk")
    assert (found["precision"]["right"], found["precision"]["n"]) == (1, 2)
    assert (found["from_desk"], found["drawn"]) == (2, 4)
    assert found["by_choice"] == {"accepted": 2, "n": 2}
    assert "2 of 4 drawn events have a verdict, 2 of them from the desk" in found["text"]
    assert "not a random sample" in found["text"]
    assert found["publishable"] is False


def test_the_sheet_goes_before_the_desk_and_survives_another_draw(out: Path) -> None:
    drawn = audited(out, "--events", "6")
    sheet = Path(drawn["sheet"])
    rows = rows_of(sheet)
    said_in_the_desk(out, {rows[0]["id"]: "accept", rows[1]["id"]: "accept"})
    rows[0]["verdict"] = "wrong"
    kept(sheet, rows)
    audited(out, "--events", "6")
    found = audited(out, "--desk")
    assert (found["precision"]["right"], found["precision"]["n"]) == (1, 2)
    assert found["from_desk"] == 1
    assert f"{rows[0]['id']}: the sheet says wrong, the desk accepted" in found["text"]


def test_what_was_not_drawn_is_refused(out: Path) -> None:
    refused = calm("audit", out, "--rule", "conflict", "--desk")
    assert refused.code == 2
    assert "nothing was drawn" in refused.err
    sheet = Path(audited(out, "--events", "2")["sheet"])
    rows = rows_of(sheet)
    rows.append({**rows[0], "id": "0123456789abcdef", "verdict": "right"})
    refused = calm("audit", out, "--rule", "conflict", "--hand", kept(sheet, rows))
    assert refused.code == 2
    assert "0123456789abcdef was not drawn" in refused.err
