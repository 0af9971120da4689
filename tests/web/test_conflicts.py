"""Conflicts of every level on the desk, over the time in which they could be seen."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.web.desks import (
    DAY_NS,
    MONDAY_NS,
    SITE,
    Person,
    a_flow,
    a_run,
    a_site,
    add_person,
    app_of,
    signed_in,
    some_bins,
    the_result,
)
from tests.web.pairs import pairs_at

from calmstreet.clock import FakeClock
from calmstreet.config.node import NodeFolders
from calmstreet.safety.conflict_events import conflict_events
from calmstreet.safety.conflict_rates import day_counts
from calmstreet.safety.conflict_rules import conflict_settings
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.conflicts import ConflictRun
from calmstreet.store.seen import Seen
from calmstreet.units import NS_PER_S
from calmstreet.web.comparing import compare
from calmstreet.web.conflicting import happened
from calmstreet.web.knocking import Knocker
from calmstreet.web.node import Node
from calmstreet.web.queries import SpanQuery
from calmstreet.web.spans import view_of

BOSS = Person(role="administrator")
NORTH = Person(role="reviewer", cameras=("north",))
HOUR_NS = 3600 * NS_PER_S
LEVELS = [1, 2, 3, 0, 1, 0, 4]
REJECTED = ["", "", "", "id switch", "", "uncertain gap", ""]


def filled(kept: Catalogue, camera_id: str, day: int, about: ConflictRun | None) -> None:
    """Keep a run in which pairs met every half hour from five o'clock on."""
    site, start_ns = a_site(), MONDAY_NS + day * DAY_NS
    run = a_run(site, camera_id, start_ns)
    run_id = kept.new_run(run)
    kept.save_flow(a_flow(site, replace(run, run_id=run_id), run_id))
    found = pairs_at(
        camera_id,
        run_id,
        [start_ns + 5 * HOUR_NS + n * HOUR_NS // 2 for n in range(len(LEVELS))],
        level=LEVELS,
        rejected=REJECTED,
        watched_ns=(start_ns + 5 * HOUR_NS, start_ns + 15 * HOUR_NS),
    )
    if about is not None:
        kept.save_conflicts(run_id, found, about)
    kept.save_bins(run_id, some_bins(camera_id, site, start_ns, width_s=3600.0, level=20.0))
    kept.save_events(run_id, conflict_events(found, settings=conflict_settings({})))
    kept.publish([run_id])


def a_street(place: Path, about: ConflictRun | None) -> Node:
    site = a_site()
    with Catalogue.open(
        place / "results" / "abay", create=True, clock=FakeClock(start_ns=MONDAY_NS)
    ) as kept:
        kept.save_site(site, SITE)
        for day in range(3):
            for camera_id in ("north", "south"):
                filled(kept, camera_id, day, about)
    node = Node(
        folders=NodeFolders(results=place / "results", desk=place / "desk"),
        clock=FakeClock(start_ns=MONDAY_NS + 30 * DAY_NS),
    )
    for person in (BOSS, NORTH):
        add_person(node, person)
    return node


@pytest.fixture
def street(tmp_path: Path) -> Node:
    return a_street(tmp_path, ConflictRun())


def page(knocker: Knocker, node: Node, more: str = "", camera: str = "north") -> Any:
    target = f"/api/results/{the_result(node).result_id}/cameras/{camera}/conflicts{more}"
    answer = knocker.ask("GET", target)
    assert answer.status == 200, answer.body
    return answer.json()


def test_every_level_is_counted_over_the_time_it_could_be_seen(street: Node) -> None:
    found = page(signed_in(street, app_of(street), BOSS), street)
    sums = found["conflicts"]
    assert sums["why_not"] == ""
    assert sums["by_level"] == {"1": 6, "2": 3, "3": 3, "4": 3}
    assert (sums["total"], sums["by_type"]) == (15, {"crossing": 15})
    assert sums["pairs"] == 18, "an id switch is no pair of road users"
    assert sums["exposure_s"] == 3 * 10 * 3600
    assert [h for h, s in enumerate(sums["hours_exposure_s"]) if s] == list(range(5, 15))
    cells = {(c["movement_id"], c["hour"], c["level"]): c["n"] for c in found["cells"]}
    assert cells == {
        ("n-s", 5, 1): 3,
        ("n-s", 5, 2): 3,
        ("n-s", 6, 3): 3,
        ("n-s", 7, 1): 3,
        ("n-s", 8, 4): 3,
    }
    assert found["by_kind"] == {"conflict": 15}


def test_rates_are_those_of_the_report_with_days_as_blocks(street: Node) -> None:
    sums = page(signed_in(street, app_of(street), BOSS), street)["conflicts"]
    assert sums["per_hour"]["rate"] == 0.5
    assert sums["per_hour"]["days"] == 3
    assert sums["per_hour"]["low"] <= 0.5 <= sums["per_hour"]["high"]
    assert sums["per_1000_pairs"]["rate"] == pytest.approx(15 / 18 * 1000, abs=1e-4)
    with Catalogue.open(the_result(street).folder) as kept:
        parts = [kept.conflicts(r.run_id, "north") for r in kept.runs() if r.camera_id == "north"]
    told = day_counts(parts, tz="Asia/Almaty")
    assert sums["pairs"] == told.pairs.sum()
    assert sums["total"] == told.conflicts.sum()
    assert sums["exposure_s"] == pytest.approx(told.hours.sum() * 3600)


def test_a_shorter_period_holds_only_its_own(street: Node) -> None:
    boss = signed_in(street, app_of(street), BOSS)
    start = (MONDAY_NS + 6 * HOUR_NS) // 10**6
    found = page(boss, street, f"?start_ms={start}&end_ms={start + 2 * 3_600_000}")
    assert found["conflicts"]["by_level"] == {"1": 1, "2": 0, "3": 1, "4": 0}
    assert found["conflicts"]["exposure_s"] == 7200
    assert found["conflicts"]["per_hour"]["low"] is None, "one day gives no interval"
    assert found["conflicts"]["pairs"] == 3


def test_a_rejected_conflict_leaves_the_sums_and_the_other_camera_alone(street: Node) -> None:
    reviewer = signed_in(street, app_of(street), NORTH)
    top = f"/api/results/{the_result(street).result_id}/events"
    worst = reviewer.ask("GET", "/api/events?severity_min=4").json()["events"][0]
    body = {"verdict": "reject", "reason": "wrong-track"}
    assert reviewer.ask("POST", f"{top}/{worst['event_id']}/reviews", body=body).status == 201
    sums = page(reviewer, street)["conflicts"]
    assert sums["by_level"] == {"1": 6, "2": 3, "3": 3, "4": 2}
    assert sums["per_hour"]["rate"] == round(14 / 30, 4)
    boss = signed_in(street, app_of(street), BOSS)
    assert page(boss, street, camera="south")["conflicts"]["total"] == 15


def test_a_comparison_counts_every_level_too(street: Node) -> None:
    with Seen.open(the_result(street).folder, cameras=None) as seen:
        levels = [one.level for one in happened(view_of(seen, "north", SpanQuery()))]
    assert sorted(set(levels)) == [1, 2, 3, 4]


def test_results_that_were_not_judged_show_events_and_say_why(tmp_path: Path) -> None:
    old = a_street(tmp_path / "old", None)
    found = page(signed_in(old, app_of(old), BOSS), old)
    assert found["conflicts"]["why_not"] == "not-judged"
    assert found["conflicts"]["total"] == 0
    assert found["conflicts"]["per_hour"]["rate"] is None
    assert found["by_kind"] == {"conflict": 9}, "what the queue holds is not hidden"


def test_where_nobody_looked_the_reason_is_named(tmp_path: Path) -> None:
    node = a_street(tmp_path, ConflictRun(why_not="plane-not-trusted"))
    boss = signed_in(node, app_of(node), BOSS)
    assert page(boss, node)["conflicts"]["why_not"] == "plane-not-trusted"
    later = (MONDAY_NS + 20 * DAY_NS) // 10**6
    unseen = page(boss, node, f"?start_ms={later}&end_ms={later + 1000}")
    assert unseen["conflicts"]["why_not"] == "not-watched"


def compared(node: Node) -> dict[str, float | None]:
    """Return the rate of each kind of event, by comparing a period with itself."""
    with Seen.open(the_result(node).folder, cameras=None) as seen:
        view = view_of(seen, "north", SpanQuery())
        rows = compare(view, view, language="en").rows
        return {row.place_id: row.before for row in rows if row.what == "events"}


def test_what_nobody_looked_for_is_not_compared_as_zero(tmp_path: Path, street: Node) -> None:
    assert compared(street)["conflict"] == pytest.approx(15 / (3 * 23), abs=1e-4)
    node = a_street(tmp_path / "sketch", ConflictRun(why_not="plane-not-trusted"))
    assert compared(node) == {}
