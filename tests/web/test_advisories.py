"""Classes of faults that other camera software had: each has a test, and a few are tried here."""

import os
import re
import resource
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.web.desks import Person, a_node, add_person, an_upload, app_of, signed_in, the_result

from calmstreet.clock import FakeClock
from calmstreet.config.node import parse_node
from calmstreet.pipeline import jobs
from calmstreet.web.app import DOORS, openapi_of
from calmstreet.web.node import Node

ROOT = Path(__file__).resolve().parents[2]
BOSS = Person(role="administrator")
SECRET = "Planted-Camera-Secret-27182"
CONFIG = """[node]
[[camera]]
id = "north"
url_env = "NORTH_URL"
"""


def table() -> list[tuple[str, list[str]]]:
    """Return the rows of the guide's table: what happened elsewhere, and the tests here."""
    text = (ROOT / "docs" / "desk.md").read_text(encoding="utf-8")
    rows = text.split("## What it is tested against")[1].split("\n## ")[0].splitlines()
    cells = [
        [cell.strip() for cell in row.strip("|").split("|")]
        for row in rows
        if "::" in row and row[0] == "|"
    ]
    return [(row[0], re.findall(r"`(test_[\w:.]+)`", row[2])) for row in cells]


def test_every_class_of_fault_has_a_test_that_is_there() -> None:
    rows = table()
    assert len(rows) >= 19
    known = {
        (path.stem, name)
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.M)
    }
    for what, tests in rows:
        assert tests, what
        for test in tests:
            module, _, name = test.partition("::")
            assert (module, name) in known, f"{what}: {test} is not there"


def test_pages_put_no_text_into_markup() -> None:
    sources = [p for kind in ("*.ts", "*.svelte") for p in (ROOT / "frontend/src").rglob(kind)]
    assert len(sources) > 20
    ways = r"\.innerHTML|\.outerHTML|insertAdjacentHTML|\{@html|document\.write|\beval\(|setHTML"
    for path in sources:
        assert not re.search(ways, path.read_text(encoding="utf-8")), path


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Node:
    """Return a node with a live camera whose address holds a password."""
    monkeypatch.setenv("NORTH_URL", f"rtsp://admin:{SECRET}@10.0.0.7/live")
    node = replace(a_node(tmp_path, days=(0,)), settings=parse_node(CONFIG))
    add_person(node, BOSS)
    return node


def test_the_password_of_a_camera_is_in_no_answer_and_no_log(
    watched: Node, caplog: pytest.LogCaptureFixture
) -> None:
    boss = signed_in(watched, app_of(watched), BOSS)
    result = the_result(watched).result_id
    ids = {"result_id": result, "camera_id": "north", "form": "counts.csv", "medium_id": "p1"}
    bodies = [boss.ask("GET", f"/api/results/{result}/cameras/north/counts").body]
    for path, methods in openapi_of()["paths"].items():
        if "get" in methods:
            target = re.sub(r"\{(\w+)\}", lambda name: ids.get(name[1], "1"), path)
            answer = boss.ask("GET", target)
            assert answer.status < 500, target
            bodies.append(answer.body)
    assert len(bodies) > 20
    assert not [body for body in bodies if SECRET.encode() in body]
    assert SECRET not in caplog.text
    kept = b"".join(p.read_bytes() for p in watched.desk_folder.glob("catalogue.sqlite*"))
    assert SECRET.encode() not in kept


def test_work_that_breaks_off_is_told_and_its_clip_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, stop = a_node(tmp_path, days=()), threading.Event()
    upload_id = an_upload(node, "somebody")
    with node.desk() as desk:
        job_id = desk.jobs.ask(
            "analyse", args={"uploads": [upload_id]}, asked_by="somebody", now_ns=1
        )
    monkeypatch.setattr(jobs, "_in_child", lambda *_: stop.set())
    jobs.wait_for_jobs(tmp_path / "x.toml", node.folders, clock=FakeClock(start_ns=2), stop=stop)
    with node.desk() as desk:
        job = desk.jobs.one(job_id)
        assert job is not None
        assert job.state == "failed"
        assert "broke off" in job.result["failure"]
        assert not desk.upload_path(upload_id).exists()


def test_a_clip_is_looked_at_with_a_bound_on_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "calmstreet.toml"
    config.write_text("[node]\n")
    (tmp_path / "results").mkdir()
    done: list[Any] = []
    monkeypatch.setattr(os, "nice", lambda _: 0)
    monkeypatch.setattr(resource, "setrlimit", lambda what, most: done.append((what, most)))
    monkeypatch.setattr(jobs, "do_job", lambda *_, **__: done.append("job"))
    jobs.main([str(config), "--job", "1"])
    (what, most), job = done
    assert job == "job", "the bound is set before the clip is opened"
    assert what == resource.RLIMIT_AS
    assert 0 < most[0] == most[1] < 2**40


def test_no_door_is_a_proxy_and_no_body_names_an_address() -> None:
    for door in DOORS:
        assert not re.search(r"proxy|url|path\}|file\}", door.path), door.path
    described = openapi_of()["components"]["schemas"]
    asked = {name: schema for name, schema in described.items() if name.endswith("Wish")}
    names = {key for schema in asked.values() for key in schema["properties"]}
    assert names
    assert not [name for name in names if re.search(r"url|path|host|command|exec", name)]
