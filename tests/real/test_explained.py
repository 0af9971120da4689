"""Every grave conflict of five minutes of a junction gives the same verdict from its evidence."""

import csv
from pathlib import Path

import pytest
from tests.shared_data import shared_data
from tests.whole.line import calm
from tests.whole.road import a_site

from calmstreet.pipeline.explaining import SAME_VERDICT, verdict_again

pytestmark = [pytest.mark.real, pytest.mark.slow]

SITE = """
[site]
id = "junction"
[[gate]]
id = "far"
points_m = [[0, 200], [400, 200]]
"""


def test_all_are_judged_the_same_from_evidence_alone(tmp_path: Path) -> None:
    out = tmp_path / "out"
    site = a_site(tmp_path / "SITE.toml", SITE)
    done = calm("replay", shared_data("ssm/rand17.fcd.csv.gz"), "--site", site, "--out", out)
    assert done.code == 0, done.err
    with (out / "events.csv").open(encoding="utf-8", newline="") as text:
        ids = [event["event_id"] for event in csv.DictReader(text) if event["kind"] == "conflict"]
    assert len(ids) >= 50
    for row, store in enumerate((out / "catalogue.sqlite", out / "points", out / "steps")):
        store.rename(tmp_path / f"gone-{row}")
    told = {event_id: verdict_again(out, event_id) for event_id in ids}
    assert {name: said for name, said in told.items() if said != SAME_VERDICT} == {}
