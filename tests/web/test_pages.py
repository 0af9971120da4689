"""What the pages are told: numbers that can be checked by hand, gaps as gaps, intervals."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.web.desks import (
    DAY_NS,
    MONDAY_NS,
    Person,
    a_node,
    add_person,
    app_of,
    signed_in,
    the_result,
)

from calmstreet.web.app import openapi_of
from calmstreet.web.comparing import REGRESSION, ratio_of
from calmstreet.web.knocking import Knocker
from calmstreet.web.node import Node
from calmstreet.web.queries import ExportForm

ROOT = Path(__file__).resolve().parents[2]
MONDAY_MS, DAY_MS = MONDAY_NS // 10**6, DAY_NS // 10**6
BOSS = Person(role="administrator")


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> Node:
    """Return a node of two weeks, the second of them half as busy again."""
    node = a_node(tmp_path_factory.mktemp("weeks"), days=(0, 1, 7, 8))
    add_person(node, BOSS)
    return node


@pytest.fixture
def boss(weeks: Node) -> Knocker:
    return signed_in(weeks, app_of(weeks), BOSS)


def camera_of(node: Node, camera: str = "north") -> str:
    return f"/api/results/{the_result(node).result_id}/cameras/{camera}"


def read(knocker: Knocker, target: str) -> Any:
    answer = knocker.ask("GET", target)
    assert answer.status == 200, answer.body
    return answer.json()


def test_the_description_in_the_repository_is_that_of_the_desk() -> None:
    stored = json.loads((ROOT / "frontend" / "openapi.json").read_text(encoding="utf-8"))
    assert stored == json.loads(json.dumps(openapi_of())), "run: python -m calmstreet.web.describe"


def test_an_hour_that_nobody_watched_is_a_gap_not_a_zero(weeks: Node, boss: Knocker) -> None:
    span = f"start_ms={MONDAY_MS}&end_ms={MONDAY_MS + DAY_MS}"
    page = read(boss, f"{camera_of(weeks)}/counts?{span}")
    assert page["width_s"] == 900
    assert len(page["starts_ms"]) == 96
    unseen = [i for i, seconds in enumerate(page["exposure_s"]) if not seconds]
    assert unseen == [12, 13, 14, 15]
    for series in page["series"]:
        assert [i for i, n in enumerate(series["counts"]) if n is None] == unseen
        assert series["total"] == sum(n for n in series["counts"] if n is not None)
    assert all("partial" in page["flags"][i] for i in unseen)
    by_kind = {s["kind"]: s["total"] for s in page["series"] if s["what"] == "gate:stop:to_left"}
    assert by_kind["total"] == by_kind["car"] + by_kind["pedestrian"]
    assert 0 < page["peak_hour_factor"] <= 1


def test_days_between_that_nobody_watched_are_shown_as_gaps(weeks: Node, boss: Knocker) -> None:
    page = read(boss, f"{camera_of(weeks)}/counts")
    assert page["width_s"] == 3600
    assert len(page["starts_ms"]) == 9 * 24
    watched = np.array(page["exposure_s"]) > 0
    assert watched[:48].sum() == 46
    assert not watched[48 : 7 * 24].any()
    steps = np.diff(page["starts_ms"])
    assert (steps == 3_600_000).all()


def test_wider_slices_hold_the_same_counts(weeks: Node, boss: Knocker) -> None:
    span = f"start_ms={MONDAY_MS}&end_ms={MONDAY_MS + DAY_MS}&place_id=stop"
    page = read(boss, f"{camera_of(weeks)}/counts?{span}&width_s=86400")
    assert len(page["starts_ms"]) == 1
    assert {s["place_id"] for s in page["series"]} == {"stop"}
    quarters = read(boss, f"{camera_of(weeks)}/counts?{span}")
    assert [s["total"] for s in page["series"]] == [s["total"] for s in quarters["series"]]


def test_a_long_period_of_whole_days_has_the_turns_of_its_days(weeks: Node, boss: Knocker) -> None:
    hour_ms = 3_600_000

    def total(start_ms: int, end_ms: int) -> int:
        span = f"start_ms={MONDAY_MS + start_ms}&end_ms={MONDAY_MS + end_ms}"
        page = read(boss, f"{camera_of(weeks)}/turns?{span}")
        return int(page["movements"][0]["total"] + page["unknown"])

    days = [total(day * DAY_MS, (day + 1) * DAY_MS) for day in range(14)]
    assert total(0, 14 * DAY_MS) == sum(days) > 0
    assert total(hour_ms, 14 * DAY_MS) == sum(days) - total(0, hour_ms)


def test_turns_have_rates_with_intervals_and_name_the_unknown(weeks: Node, boss: Knocker) -> None:
    page = read(boss, f"{camera_of(weeks)}/turns")
    (cell,) = page["movements"]
    assert cell["total"] == sum(cell["by_kind"].values())
    assert page["exposure_s"] == 4 * 23 * 3600
    assert cell["per_hour"] == pytest.approx(cell["total"] / (4 * 23), rel=1e-3)
    assert cell["per_hour_low"] < cell["per_hour"] < cell["per_hour_high"]
    assert page["unknown"] > 0
    angles = {end["id"]: end["angle_deg"] for end in page["ends"]}
    assert angles == {"n": 0.0, "s": 180.0}


def test_headways_queues_speeds_and_events(weeks: Node, boss: Knocker) -> None:
    (group,) = read(boss, f"{camera_of(weeks)}/headways")["groups"]
    assert (group["n"], group["median_s"], group["gap_median_s"]) == (4 * 39, 5.0, 4.5)
    queues = read(boss, f"{camera_of(weeks)}/queues")
    covered = [v for v in queues["series"][0]["values"] if v is not None]
    assert covered == [0.1] * 4
    assert read(boss, f"{camera_of(weeks, 'south')}/speeds")["reason"] == "no-plane"
    events = read(boss, f"{camera_of(weeks)}/conflicts")
    assert sum(cell["n"] for cell in events["cells"]) == 4
    assert {cell["movement_id"] for cell in events["cells"]} == {"n-s"}
    assert {cell["hour"] for cell in events["cells"]} == {1}
    assert events["hours_exposure_s"][3] == 0
    assert events["hours_exposure_s"][4] == pytest.approx(4 * 3600, abs=1)


def compared(node: Node, boss: Knocker, days: tuple[int, int, int, int]) -> Any:
    result_id = the_result(node).result_id
    names = ("before_start_ms", "before_end_ms", "after_start_ms", "after_end_ms")
    span = "&".join(
        f"{name}={MONDAY_MS + day * DAY_MS}" for name, day in zip(names, days, strict=True)
    )
    return read(
        boss,
        f"/api/compare?before_result={result_id}&after_result={result_id}&camera_id=north"
        f"&{span}&language=ru",
    )


def test_two_weeks_are_compared_over_hours_watched_in_both(weeks: Node, boss: Knocker) -> None:
    page = compared(weeks, boss, (0, 7, 7, 14))
    assert page["matched_hours"] == 2 * 23
    assert [0, 3] not in page["matched"]
    assert page["warning_code"] == REGRESSION
    assert "возврат к среднему" in page["warning"]
    row = next(r for r in page["rows"] if r["what"] == "gate:stop:to_left" and r["kind"] == "motor")
    assert row["ratio_low"] < 1.5 < row["ratio_high"]
    assert row["verdict"] == "more"
    assert any(r["what"] == "events" and r["place_id"] == "conflict" for r in page["rows"])


def test_periods_without_a_common_hour_are_not_compared(weeks: Node, boss: Knocker) -> None:
    page = compared(weeks, boss, (0, 1, 8, 9))
    assert (page["matched_hours"], page["rows"], page["reason"]) == (0, [], "no-matched-hours")


def test_the_interval_of_a_ratio_holds_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    hours, weekday = np.ones(5 * 12), np.repeat(np.arange(5), 12)
    held = 0
    for _ in range(400):
        level = rng.uniform(20, 80, 60)
        before, after = rng.poisson(level), rng.poisson(1.25 * level)
        ratio = ratio_of(before.astype(float), after.astype(float), hours, hours, weekday)
        held += ratio.low <= 1.25 <= ratio.high
    assert held / 400 > 0.93


def test_nothing_counted_on_a_side_gives_no_interval() -> None:
    one = np.ones(3)
    ratio = ratio_of(one, 0 * one, one, one, np.arange(3))
    assert ratio.value == 0
    assert np.isnan([ratio.low, ratio.high]).all()


def test_the_map_without_degrees_is_in_metres_or_on_the_picture(weeks: Node, boss: Knocker) -> None:
    top = f"/api/results/{the_result(weeks).result_id}/map"
    north = read(boss, f"{top}?camera_id=north")
    assert north["frame"] == "lonlat"
    lon, lat = north["events"]["features"][0]["geometry"]["coordinates"]
    assert (round(lon, 2), round(lat, 2)) == (76.95, 43.25)
    (flow,) = north["flows"]["features"]
    assert flow["properties"]["total"] > 0
    both = read(boss, top)
    assert both["frame"] == "lonlat", "a camera without a plane takes the map from nobody"
    assert both["zones"] == north["zones"]
    assert {f["id"] for f in both["cameras"]["features"]} == {"north", "south"}
    south = read(boss, f"{top}?camera_id=south")
    assert (south["frame"], south["size_px"]) == ("pixels", [640, 360])
    assert south["bounds"] == [0, -360, 640, 0]
    assert read(boss, "/api/map")["cameras"]["features"][0]["id"].endswith(" north")


@pytest.mark.parametrize("form", ExportForm.__args__)  # type: ignore[attr-defined]
def test_every_export_is_a_file_of_its_kind(weeks: Node, boss: Knocker, form: str) -> None:
    span = f"start_ms={MONDAY_MS}&end_ms={MONDAY_MS + DAY_MS}"
    answer = boss.ask("GET", f"{camera_of(weeks)}/export/{form}?{span}&language=kk")
    assert answer.status == 200, answer.body
    begins = {"csv": b"", "xlsx": b"PK", "png": b"\x89PNG", "pdf": b"%PDF"}
    assert answer.body.startswith(begins[form.rpartition(".")[2]])
    assert len(answer.body) > 60
    assert f'filename="north-2026-03-02-{form}"' in answer.headers["content-disposition"]
    assert "no-store" in answer.headers["cache-control"]


def test_an_event_is_explained_with_its_evidence(weeks: Node, boss: Knocker) -> None:
    queue = read(boss, "/api/events?state=open&limit=200")
    assert [one["severity"] for one in queue["events"]] == sorted(
        (one["severity"] for one in queue["events"]), reverse=True
    )
    assert queue["total"] == 8
    first = next(one for one in queue["events"] if one["camera_id"] == "north")
    where = f"/api/results/{first['result_id']}/events/{first['event_id']}"
    event = read(boss, where)
    assert event["explained"][0].startswith(f"conflict {first['event_id']}")
    assert "because: both came to the same place within 0.9 s" in event["explained"]
    told = read(boss, f"{where}?language=kk")
    assert told["reasons"] == ["both came to the same place within 0.9 s", "контурлары жанасты"]
    assert "себебі: контурлары жанасты" in told["explained"]
    assert told["numbers"] == event["numbers"]
    assert {t["name"]: t["value"] for t in event["thresholds"]} == {"ttc_s": 1.5, "pet_s": 2.0}
    assert event["numbers"][0] == {"name": "min_ttc_s", "value": 0.9, "sigma": 0.2, "unit": "s"}
    ttc = next(curve for curve in event["curves"] if curve["name"] == "ttc_s")
    assert ttc["threshold"] == 1.5
    assert min(v for v in ttc["values"] if v is not None) == 0
    assert [track["involved"] for track in event["tracks"]] == [True, True]
    assert event["tracks"][0]["speed_kmh"][0] == pytest.approx(28.8, abs=0.01)
    assert event["tracks"][1]["heading_deg"][0] == 0
    assert event["clip_offset_s"] == 3600
    assert event["has_clip"]


def test_a_clip_is_given_in_ranges(weeks: Node, boss: Knocker) -> None:
    top = f"/api/media/{the_result(weeks).result_id}/p1"
    whole = boss.ask("GET", top)
    part = boss.ask("GET", top, headers={"range": "bytes=4-9"})
    assert (part.status, part.body) == (206, whole.body[4:10])
    assert part.headers["content-range"] == f"bytes 4-9/{len(whole.body)}"
    assert boss.ask("GET", top, headers={"range": "bytes=-5"}).body == whole.body[-5:]
    assert boss.ask("GET", top, headers={"range": "bytes=9999-"}).status == 416
    assert boss.ask("GET", top, headers={"range": "bytes=0-1,3-4"}).status == 200
    assert boss.ask("GET", top, headers={"range": "lines=1"}).body == whole.body
