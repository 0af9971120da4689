"""Speeds and headways on the desk are those of the report, gate by gate."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
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
    the_result,
)

from calmstreet.clock import FakeClock
from calmstreet.config.node import NodeFolders
from calmstreet.model.kinds import Kind
from calmstreet.model.speeds import GateSpeeds, no_zone_times
from calmstreet.report.speed_tables import UNVERIFIED_FLOOR_MPS
from calmstreet.safety.speed_sums import gate_sums, limits_of
from calmstreet.store.catalogue import Catalogue
from calmstreet.web.node import Node

BOSS = Person(role="administrator")
N = 60


def some_speeds(run_id: int, start_ns: int) -> GateSpeeds:
    """Return speeds of cars, cyclists and people on foot in both directions, some withheld."""
    rng = np.random.default_rng(7)
    withheld = np.arange(N) % 5 == 0
    speed = np.where(withheld, np.nan, rng.normal(14.0, 3.0, N))
    kinds = np.array([Kind.CAR, Kind.BICYCLE, Kind.PEDESTRIAN, Kind.BUS], np.uint8)
    return GateSpeeds(
        camera_id="north",
        run_id=run_id,
        gate_id=np.full(N, "stop"),
        t_ns=start_ns + np.arange(1, N + 1) * 10**9,
        track_id=(run_id << 32) + np.arange(1, N + 1),
        kind=kinds[np.arange(N) % 4],
        direction=np.where(np.arange(N) % 3 == 0, "to_left", "to_right"),
        headway_s=np.r_[np.nan, np.full(N - 1, 5.0)],
        speed_mps=speed,
        sigma_random_mps=np.where(withheld, np.nan, 0.3),
        sigma_site_mps=np.where(withheld, np.nan, 0.2),
        half95_mps=np.where(withheld, np.nan, 0.7),
        n=np.full(N, 9),
        length_m=np.full(N, 9.0),
        method=np.where(withheld, "", "linear"),
        reason=np.where(withheld, np.where(np.arange(N) % 2 == 0, "short", "shaky"), ""),
    )


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Node:
    place: Path = tmp_path_factory.mktemp("street")
    site = a_site()
    with Catalogue.open(
        place / "results" / "abay", create=True, clock=FakeClock(start_ns=MONDAY_NS)
    ) as kept:
        kept.save_site(site, SITE)
        run = a_run(site, "north", MONDAY_NS)
        run_id = kept.new_run(run)
        kept.save_flow(a_flow(site, replace(run, run_id=run_id), run_id))
        times = no_zone_times(camera_id="north", run_id=run_id)
        kept.save_speeds(run_id, some_speeds(run_id, MONDAY_NS), times)
        kept.publish([run_id])
    node = Node(
        folders=NodeFolders(results=place / "results", desk=place / "desk"),
        clock=FakeClock(start_ns=MONDAY_NS + 3 * DAY_NS),
    )
    add_person(node, BOSS)
    return node


def page(node: Node, name: str) -> Any:
    top = f"/api/results/{the_result(node).result_id}/cameras/north"
    answer = signed_in(node, app_of(node), BOSS).ask("GET", f"{top}/{name}")
    assert answer.status == 200, answer.body
    return answer.json()


def test_speeds_are_summed_as_in_the_report(street: Node) -> None:
    groups = page(street, "speeds")["groups"]
    sums = gate_sums(
        some_speeds(1, MONDAY_NS), limits_mps=limits_of(a_site()), floor_mps=UNVERIFIED_FLOOR_MPS
    )
    assert len(groups) == len(sums) == 6
    for group, one in zip(groups, sums, strict=True):
        assert (group["place_id"], group["direction"], group["kind"]) == (
            one.gate_id,
            one.direction,
            one.group,
        )
        assert group["n"] == one.everybody.n
        assert group["n"] + sum(group["withheld"].values()) == one.passes
        assert group["withheld"] == dict(one.withheld)
        assert group["v85_kmh"] == round(one.everybody.v85_mps.value * 3.6, 2)
        assert group["v85_high_kmh"] == round(one.everybody.v85_mps.high * 3.6, 2)
        assert (group["limit_kmh"] is None) == (one.group == "pedestrian")
        assert sum(group["counts"]) == group["n"]


def test_a_gate_is_asked_for_alone(street: Node) -> None:
    assert len(page(street, "speeds?place_id=stop")["groups"]) == 6
    none = page(street, "speeds?place_id=bridge")
    assert (none["groups"], none["reason"]) == ([], "none-measured")
    assert page(street, "headways?place_id=bridge")["groups"] == []


def test_a_period_without_passages_has_no_speeds(street: Node) -> None:
    later = MONDAY_NS // 10**6 + 3_600_000
    found = page(street, f"speeds?start_ms={later}&end_ms={later + 1000}")
    assert (found["groups"], found["reason"]) == ([], "none-measured")
