"""Every parameter that the description names, as text in an address, on every route that reads."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from tests.web.desks import (
    DAY_NS,
    MONDAY_NS,
    Person,
    a_site,
    add_person,
    app_of,
    signed_in,
    the_result,
)

from calmstreet.web.app import openapi_of
from calmstreet.web.knocking import Knocker
from calmstreet.web.node import Node
from calmstreet.web.queries import ExportForm

BOSS = Person(role="administrator")
START_MS, DAY_MS = MONDAY_NS // 10**6, DAY_NS // 10**6
LATEST = "4102444800000"
EXAMPLES: dict[str, list[str]] = {
    "actor": [BOSS.name, "nobody", "Айгүл"],
    "action": ["show_event", "none"],
    "kind": ["conflict", "red-light"],
    "place_id": ["stop", "n", "Абай", "a b"],
    "site_version": [a_site().site_version],
    "start_ms": [str(START_MS), "0"],
    "end_ms": [str(START_MS + DAY_MS), LATEST],
    "before_start_ms": [str(START_MS)],
    "before_end_ms": [str(START_MS + 7 * DAY_MS)],
    "after_start_ms": [str(START_MS + 7 * DAY_MS)],
    "after_end_ms": [str(START_MS + 14 * DAY_MS)],
}
"""What may stand for a parameter besides the ends of its range and its words."""


def reading() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in openapi_of()["paths"].items():
        if any(p["in"] == "query" for p in methods.get("get", {}).get("parameters", ())):
            yield path, methods["get"]


def plain(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a value that is not left away."""
    choices = schema.get("anyOf", [schema])
    return next(choice for choice in choices if choice.get("type") != "null")


def values(name: str, schema: dict[str, Any], ids: dict[str, str]) -> list[str]:
    if name in ids:
        return [ids[name]]
    if name in EXAMPLES:
        return EXAMPLES[name]
    one = plain(schema)
    if "enum" in one:
        return [str(word) for word in one["enum"]]
    assert {"minimum", "maximum"} <= set(one), f"an example of {name} is missing"
    return [str(one["minimum"]), str(one["maximum"])]


@pytest.fixture(scope="module")
def boss(node: Node) -> Knocker:
    add_person(node, BOSS)
    return signed_in(node, app_of(node), BOSS)


@pytest.fixture(scope="module")
def ids(node: Node, boss: Knocker) -> dict[str, str]:
    result_id = the_result(node).result_id
    names = ("result_id", "before_result", "after_result")
    event_id = boss.ask("GET", "/api/events").json()["events"][0]["event_id"]
    others = {"camera_id": "north", "form": "counts.csv", "event_id": event_id}
    return {**dict.fromkeys(names, result_id), **others}


@pytest.mark.parametrize(
    ("path", "operation"), [pytest.param(*one, id=one[0]) for one in reading()]
)
def test_every_documented_parameter_is_taken_as_text(
    boss: Knocker, ids: dict[str, str], path: str, operation: dict[str, Any]
) -> None:
    asked = [p for p in operation["parameters"] if p["in"] == "query"]
    needed = {p["name"]: values(p["name"], p["schema"], ids)[0] for p in asked if p["required"]}
    target = path.format(**ids)
    for parameter in asked:
        for value in values(parameter["name"], parameter["schema"], ids):
            query = {**needed, parameter["name"]: value}
            text = "&".join(f"{name}={quote(told)}" for name, told in query.items())
            answer = boss.ask("GET", f"{target}?{text}")
            long = "/export/" in path and value in ("0", LATEST)
            assert answer.status == (422 if long else 200), (text, answer.body[:300])
            assert not long or b"at most 62 days" in answer.body
    every = {p["name"]: values(p["name"], p["schema"], ids)[0] for p in asked}
    text = "&".join(f"{name}={quote(told)}" for name, told in every.items())
    assert boss.ask("GET", f"{target}?{text}").status == 200, text


@pytest.mark.parametrize(
    ("path", "operation"), [pytest.param(*one, id=one[0]) for one in reading()]
)
def test_nothing_outside_its_range_is_taken(
    boss: Knocker, ids: dict[str, str], path: str, operation: dict[str, Any]
) -> None:
    asked = [p for p in operation["parameters"] if p["in"] == "query"]
    needed = {p["name"]: values(p["name"], p["schema"], ids)[0] for p in asked if p["required"]}
    for parameter in asked:
        one = plain(parameter["schema"])
        wrong = ["x" * 300, "\x00"] if one["type"] == "string" else ["x", "1.5", "-1", "", "1e3"]
        if "maximum" in one:
            wrong.append(str(one["maximum"] + 1))
        for value in wrong:
            query = {**needed, parameter["name"]: value}
            text = "&".join(f"{name}={quote(told)}" for name, told in query.items())
            answer = boss.ask("GET", f"{path.format(**ids)}?{text}")
            free = parameter["name"] in ("actor", "action") and value == "\x00"
            assert answer.status == (200 if free else 422), (text, answer.body[:300])


@pytest.mark.parametrize("form", ExportForm.__args__)  # type: ignore[attr-defined]
def test_files_of_every_form_are_taken_by_name(
    boss: Knocker, ids: dict[str, str], form: str
) -> None:
    span = f"start_ms={START_MS}&end_ms={START_MS + DAY_MS}&language=uz"
    top = f"/api/results/{ids['result_id']}/cameras/north/export"
    assert boss.ask("GET", f"{top}/{form}?{span}").status == 200


def test_a_width_in_an_address_is_the_width_of_the_slices(
    boss: Knocker, ids: dict[str, str]
) -> None:
    top = f"/api/results/{ids['result_id']}/cameras/north"
    for name in ("counts", "queues"):
        for width_s in (900, 3600, 86_400):
            query = f"width_s={width_s}&start_ms={START_MS}&end_ms={START_MS + DAY_MS}"
            assert boss.ask("GET", f"{top}/{name}?{query}").json()["width_s"] == width_s


def test_filters_of_the_queue_leave_out_what_they_say(boss: Knocker, ids: dict[str, str]) -> None:
    def found(query: str) -> tuple[int, list[Any]]:
        page = boss.ask("GET", f"/api/events?state=all&{query}").json()
        return page["total"], page["events"]

    total, every = found("limit=200")
    assert total == len(every) == 4
    assert found("kind=red-light") == (0, [])
    assert found("kind=conflict")[0] == total
    assert found("camera_id=south")[0] == 2
    assert found(f"result_id={ids['result_id']}")[0] == total
    assert found("severity_min=2")[0] == sum(one["severity"] >= 2 for one in every)
    assert found(f"end_ms={START_MS + DAY_MS}")[0] == 2
    assert found(f"start_ms={START_MS + DAY_MS}")[0] == 2
    assert [found(f"offset={n}&limit=1")[1][0] for n in range(4)] == every
    assert found("offset=4")[1] == []
