"""Every route x role x camera, generated from the description of the API, and media."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.web.desks import (
    MONDAY_NS,
    Person,
    a_site,
    add_person,
    an_upload,
    app_of,
    signed_in,
    the_result,
)

from calmstreet.store.queue import EventFilter, Queue
from calmstreet.store.seen import Seen
from calmstreet.web.app import openapi_of
from calmstreet.web.node import Node
from calmstreet.web.routes_tiles import tiles_address

PEOPLE: tuple[Person | None, ...] = (
    None,
    Person(role="administrator", must_change=True),
    *(Person(role=role) for role in ("viewer", "analyst", "reviewer", "administrator")),
    *(Person(role=role, cameras=("north",)) for role in ("viewer", "analyst", "reviewer")),
    Person(role="viewer", cameras=()),
)
MAY = {
    "look": {"viewer", "analyst", "reviewer", "administrator"},
    "export": {"analyst", "reviewer", "administrator"},
    "draw": {"analyst", "administrator"},
    "judge": {"reviewer", "administrator"},
    "administer": {"administrator"},
}
"""Who may do what, written down a second time on purpose."""

WHOLE_SITE = {"list_drafts", "propose_site", "show_draft", "confirm_draft", "withdraw_draft"}
"""What only those may do to whom all cameras are open."""
OWN_ONLY = {"remove_upload", "show_job", "cancel_job"}
"""What is open to those who began it, and to those to whom all cameras are open."""

CONSUMING = {"confirm_draft", "withdraw_draft", "remove_upload", "cancel_job"}
"""What can be done to a thing once."""

PICKS = {
    "width_px": 640,
    "height_px": 360,
    "points_px": [[100, 300], [540, 300], [430, 120], [210, 120], [320, 180], [320, 300]],
    "points_m": [[-4, 8], [4, 8], [4, 16], [-4, 16], [0, 12], [0, 8]],
}
BODIES: dict[str, Any] = {
    "sign_in": {"name": "nobody", "password": "wrong"},
    "change_password": {"old": "wrong", "new": "a longer password"},
    "review_event": {"verdict": "note", "note": "seen"},
    "calibrate_picks": PICKS,
    "check_site": {"toml": '[site]\nid = "x"'},
    "propose_site": {"toml": '[site]\nid = "x"'},
    "confirm_draft": {},
    "ask_analysis": {"upload_ids": ["0" * 16], "name": "new"},
    "add_user": {"name": "somebody", "role": "viewer"},
    "change_user": {"disabled": False},
    "upload_clip": b"no video at all, but long enough",
}
QUERIES = {
    "compare_periods": "before_result={result_id}&after_result={result_id}&camera_id={camera_id}"
    f"&before_start_ms={MONDAY_NS // 10**6}&before_end_ms={MONDAY_NS // 10**6 + 86_400_000}"
    f"&after_start_ms={MONDAY_NS // 10**6}&after_end_ms={MONDAY_NS // 10**6 + 86_400_000}",
    "upload_clip": "name=clip.mp4",
}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in openapi_of()["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


class Things:
    """Ids of things that are there, made anew for each request that may change them."""

    def __init__(self, node: Node, camera_id: str) -> None:
        result = the_result(node)
        with Seen.open(result.folder, cameras=None) as seen:
            self.media = [m.medium_id for m in seen.media() if m.camera_id == camera_id]
            events = Queue(seen=seen).page(EventFilter(camera_id=camera_id), limit=1)
        self.ids = {
            "result_id": result.result_id,
            "camera_id": camera_id,
            "event_id": events[0].event.event_id,
            "medium_id": self.media[0],
            "form": "counts.csv",
            "tiles_id": tiles_address(node).rpartition("/")[2],
            "user_id": str(add_user(node)),
        }
        with node.desk() as desk:
            self.ids["draft_id"] = str(
                desk.drafts.propose(
                    result.result_id,
                    site_version=a_site().site_version,
                    based_on="",
                    file_text='[site]\nid = "x"\n',
                    note="",
                    asked_by="somebody.else",
                    now_ns=1,
                )
            )
            self.ids["job_id"] = str(
                desk.jobs.ask("analyse", args={}, asked_by="somebody.else", now_ns=1)
            )
            self.ids["session_id"] = "999999"
        self.ids["upload_id"] = an_upload(node, "somebody.else")


def add_user(node: Node) -> int:
    with node.desk() as desk:
        name = f"target{desk.accounts.count()}"
        desk.accounts.add(name, role="viewer", cameras=None, password_hash="x", now_ns=1)
        account = desk.accounts.by_name(name)
        assert account is not None
        return account.user_id


def expected(person: Person | None, operation: dict[str, Any], path: str, camera: str) -> str:
    """Return "in", or the status with which somebody is turned away."""
    right, name = operation["x-right"], operation["operationId"]
    if right == "open":
        return "in"
    if person is None:
        return "401"
    if right == "own":
        return "in"
    if person.must_change or person.role not in MAY[right]:
        return "403"
    return "in" if person.cameras is None else scoped(person.cameras, name, path, camera)


def scoped(cameras: tuple[str, ...], name: str, path: str, camera: str) -> str:
    """Return what becomes of somebody to whom only some cameras are open."""
    named = f"{path}?{QUERIES.get(name, '')}"
    if not cameras and "{result_id}" in named:
        return "404"
    if name in WHOLE_SITE:
        return "403"
    if name in OWN_ONLY:
        return "404"
    if name == "ask_analysis":
        return "403"
    if any(part in named for part in ("{camera_id}", "{event_id}", "{medium_id}")):
        return "in" if camera in cameras else "404"
    return "in"


def asked(node: Node, app: Any, person: Person | None, operation: Any, method: str, path: str,
          things: Things) -> Any:  # fmt: skip
    name = operation["operationId"]
    target = path + (f"?{QUERIES[name]}" if name in QUERIES else "")
    for key, value in things.ids.items():
        target = target.replace(f"{{{key}}}", value)
    assert "{" not in target, target
    body = BODIES.get(name)
    assert body is not None or "requestBody" not in operation, f"a body for {name} is missing"
    return signed_in(node, app, person).ask(method, target, body=body)


@pytest.fixture(scope="module")
def app(node: Node) -> Any:
    for person in PEOPLE:
        if person is not None:
            add_person(node, person)
    return app_of(node)


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [pytest.param(*row, id=f"{row[0]} {row[1]}") for row in operations()],
)
def test_every_route_opens_to_whom_it_should_and_to_nobody_else(
    node: Node, app: Any, method: str, path: str, operation: dict[str, Any]
) -> None:
    for camera in ("north", "south"):
        things = Things(node, camera)
        for person in PEOPLE:
            if operation["operationId"] in CONSUMING:
                things = Things(node, camera)
            answer = asked(node, app, person, operation, method, path, things)
            wanted = expected(person, operation, path, camera)
            told = (operation["operationId"], person, camera, answer.status, answer.body[:200])
            assert answer.status < 500, told
            if wanted == "in":
                own = operation["operationId"] in ("sign_in", "change_password", "end_session")
                assert answer.status not in ((402,) if own else (401, 403, 404)), told
            else:
                assert answer.status == int(wanted), told


def test_every_medium_opens_to_those_who_see_its_camera_only(node: Node, app: Any) -> None:
    result_id = the_result(node).result_id
    for camera in ("north", "south"):
        for medium_id in Things(node, camera).media:
            target = f"/api/media/{result_id}/{medium_id}"
            for person in PEOPLE:
                answer = signed_in(node, app, person).ask("GET", target)
                wanted = expected(person, {"x-right": "look", "operationId": "get_medium"},
                                  "{result_id}{medium_id}", camera)  # fmt: skip
                assert answer.status == (200 if wanted == "in" else int(wanted)), (person, target)
                assert "no-store" in answer.headers["cache-control"]


def test_lists_hold_only_what_is_open(node: Node, app: Any) -> None:
    mine = signed_in(node, app, Person(role="viewer", cameras=("north",)))
    result_id = the_result(node).result_id
    (card,) = mine.ask("GET", "/api/results").json()
    assert [camera["camera_id"] for camera in card["cameras"]] == ["north"]
    for target in (f"/api/results/{result_id}", f"/api/results/{result_id}/map", "/api/map",
                   f"/api/results/{result_id}/site", f"/api/results/{result_id}/media",
                   "/api/events?state=all"):  # fmt: skip
        body = mine.ask("GET", target).body
        assert b"south" not in body, target
        assert b"bridge" not in body, target
    assert (
        signed_in(node, app, Person(role="viewer", cameras=())).ask("GET", "/api/results").json()
        == []
    )


def test_every_route_is_a_door_and_nothing_else_opens(node: Node, app: Any) -> None:
    boss = signed_in(node, app, Person(role="administrator"))
    for target in (
        "/api",
        "/api/",
        "/api/docs",
        "/api/../etc/passwd",
        "/api/results/",
        "/openapi.json.x",
    ):
        assert boss.ask("GET", target).status == 404, target
    assert boss.ask("POST", "/api/results").status == 405
    assert boss.ask("GET", "/api/openapi.json").status == 200
    assert signed_in(node, app, None).ask("GET", "/api/openapi.json").status == 401
