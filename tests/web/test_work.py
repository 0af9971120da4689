"""What changes something: verdicts, drafts, uploads, jobs, accounts, passwords, the first start."""

import sqlite3
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from tests.web.desks import SITE, Person, a_node, add_person, app_of, signed_in, the_result

from calmstreet.clock import FakeClock
from calmstreet.errors import ConfigError, InputError
from calmstreet.pipeline.jobs import do_job
from calmstreet.web.knocking import Knocker
from calmstreet.web.node import Node, node_of
from calmstreet.web.serving import check_desk, first_administrator, is_loopback

BOSS = Person(role="administrator")
PICKS: dict[str, Any] = {
    "width_px": 640,
    "height_px": 360,
    "points_px": [[100, 300], [540, 300], [430, 120], [210, 120], [320, 180], [320, 300]],
    "points_m": [[-4, 8], [4, 8], [4, 16], [-4, 16], [0, 12], [0, 8]],
}


@pytest.fixture
def fresh(tmp_path: Path) -> Node:
    node = a_node(tmp_path, days=(0,))
    add_person(node, BOSS)
    return node


@pytest.fixture
def boss(fresh: Node) -> Knocker:
    return signed_in(fresh, app_of(fresh), BOSS)


def top(node: Node) -> str:
    return f"/api/results/{the_result(node).result_id}"


def test_verdicts_move_an_event_through_the_queue(fresh: Node, boss: Knocker) -> None:
    one = boss.ask("GET", "/api/events").json()["events"][0]
    target = f"{top(fresh)}/events/{one['event_id']}/reviews"
    assert boss.ask("POST", target, body={"verdict": "reject"}).status == 422
    assert boss.ask("POST", target, body={"verdict": "accept", "reason": "other"}).status == 422
    assert boss.ask("POST", target, body={"verdict": "note", "note": ""}).status == 422
    assert boss.ask("POST", target, body={"verdict": "escalate"}).status == 201
    assert boss.ask("POST", target, body={"verdict": "note", "note": "ask Aliya"}).status == 201
    done = boss.ask("POST", target, body={"verdict": "reject", "reason": "wrong-track"})
    assert done.json()["by"] == BOSS.name
    states = boss.ask("GET", "/api/events?state=rejected").json()
    assert (states["total"], states["states"]) == (1, {"open": 1, "rejected": 1})
    event = boss.ask("GET", target.removesuffix("/reviews")).json()
    assert [r["verdict"] for r in event["reviews"]] == ["escalate", "note", "reject"]
    assert event["next_event_id"] not in (None, one["event_id"])
    counted = boss.ask("GET", f"{top(fresh)}/cameras/{one['camera_id']}/conflicts").json()
    assert counted["cells"] == [], "a rejected event is no conflict"


def test_the_audit_log_shows_every_change_and_cannot_be_changed(fresh: Node, boss: Knocker) -> None:
    for n in range(5):
        boss.ask("POST", "/api/users", body={"name": f"u{n}", "role": "viewer"})
    check = boss.ask("GET", "/api/audit/check").json()
    assert check["whole"]
    assert check["entries"] == boss.ask("GET", "/api/audit").json()["total"]
    raw = sqlite3.connect(fresh.desk_folder / "catalogue.sqlite")
    for sql in ("UPDATE audit SET actor = 'x'", "DELETE FROM audit WHERE audit_id = 2"):
        with pytest.raises(sqlite3.IntegrityError, match="audit log is never"):
            raw.execute(sql)
    raw.execute("DROP TRIGGER audit_is_not_changed")
    raw.execute("UPDATE audit SET actor = 'x' WHERE audit_id = 3")
    raw.commit()
    raw.close()
    broken = boss.ask("GET", "/api/audit/check").json()
    assert (broken["whole"], broken["broken_at"]) == (False, 3)


def test_a_site_is_proposed_shown_confirmed_and_counted_anew(fresh: Node, boss: Knocker) -> None:
    page = boss.ask("GET", f"{top(fresh)}/site").json()
    document = page["document"]
    document["gate"][0]["points_px"] = [[160, 240], [490, 240]]
    wish = {"document": document, "based_on": page["site_version"], "note": "moved up"}
    draft = boss.ask("POST", f"{top(fresh)}/drafts", body=wish)
    assert draft.status == 201, draft.body
    assert any(line.startswith("+") and "240" in line for line in draft.json()["diff"])
    number = draft.json()["draft_id"]
    assert boss.ask("POST", f"/api/drafts/{number}/confirm", body={"rerun": True}).status == 200
    assert boss.ask("POST", f"/api/drafts/{number}/withdraw").status == 409
    after = boss.ask("GET", f"{top(fresh)}/site").json()
    assert after["site_version"] == draft.json()["site_version"] != page["site_version"]
    assert [version["used"] for version in after["versions"]] == [False, True]
    old = boss.ask("GET", f"{top(fresh)}/site?site_version={page['site_version']}").json()
    assert old["document"]["gate"][0]["points_px"] == [[150, 250], [500, 250]]
    stale = boss.ask("POST", f"{top(fresh)}/drafts", body=wish)
    assert stale.status == 409
    (job,) = boss.ask("GET", "/api/jobs").json()
    assert (job["kind"], job["state"]) == ("recount", "waiting")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda d: d["gate"][0].update(points_px=[[1, 1]]), "gate[0].points_px"),
        (lambda d: d["gate"][0].update(points_px=[[0, 359], [639, 359]]), "never be crossed"),
        (lambda d: d["gate"][0].update(points_px=[[150, 250], [9000, 250]]), "9000"),
        (lambda d: d["gate"].append(dict(d["gate"][0])), "is already the id"),
        (lambda d: d["movement"][0].update(to="nowhere"), "nowhere"),
        (lambda d: d["camera"][0]["plane"].update(points_m=[[0, 0]] * 6), ""),
        (lambda d: d.update(surprise={"a": 1}), "surprise"),
        (lambda d: d["site"].update(name=None), "null"),
        (lambda d: d["site"].update(name="\ud800"), "letters"),
        (lambda d: d.update(gate="x"), "gate"),
        (lambda d: d.update(site=[[[[[[[[[[]]]]]]]]]]), "nested"),
    ],
)
def test_impossible_sites_are_refused_with_the_reason(
    fresh: Node, boss: Knocker, change: Any, sentence: str
) -> None:
    document = boss.ask("GET", f"{top(fresh)}/site").json()["document"]
    change(document)
    check = boss.ask("POST", f"{top(fresh)}/site/check", body={"document": document})
    assert check.status == 200, check.body
    assert not check.json()["possible"]
    assert any(sentence in fault["sentence"] for fault in check.json()["faults"]), check.body
    for fault in check.json()["faults"]:
        assert set(fault["said"]) == {"en", "ru", "kk", "uz"}, fault
        assert fault["said"]["en"] == fault["sentence"]
    refused = boss.ask("POST", f"{top(fresh)}/drafts", body={"document": document})
    assert refused.status == 422
    assert boss.ask("GET", f"{top(fresh)}/drafts").json() == []


def test_picked_points_become_a_plane_or_a_reason(boss: Knocker) -> None:
    good = boss.ask("POST", "/api/calibration", body=PICKS).json()
    assert good["state"] == "trusted"
    assert max(p["residual_m"] for p in good["points"]) < 0.01
    assert {line["axis"] for line in good["grid"]} == {"east", "north"}
    assert good["plane_table"]["points_px"]
    swapped = {**PICKS, "points_m": [*PICKS["points_m"][1::-1], *PICKS["points_m"][2:]]}
    poor = boss.ask("POST", "/api/calibration", body=swapped).json()
    assert poor["state"] != "trusted"
    assert len(poor["reasons_said"]) == len(poor["reasons"])
    assert all(set(told) == {"en", "ru", "kk", "uz"} for told in poor["reasons_said"])
    wrongs: list[dict[str, Any]] = [
        {"points_m": None},
        {"points_lonlat": [[0, 0]] * 6},
        {"points_px": [[1, 1]] * 6},
        {"points_px": [], "points_m": []},
        {"points_m": [[0, 0]] * 6},
    ]
    for wrong in wrongs:
        answer = boss.ask("POST", "/api/calibration", body={**PICKS, **wrong})
        assert (answer.status, answer.json()["state"]) == (200, "refused"), wrong
        assert answer.json()["refused"]
        assert set(answer.json()["refused_said"]) == {"en", "ru", "kk", "uz"}, wrong


def test_a_clip_is_handed_in_asked_for_and_forgotten_when_it_fails(
    fresh: Node, boss: Knocker
) -> None:
    head = bytes([0, 0, 0, 24]) + b"ftypisom" + bytes(500)
    clip = boss.ask("POST", "/api/uploads?name=..%2FAbay%202026.mp4", body=head)
    assert clip.status == 201, clip.body
    assert clip.json()["name"] == "Abay 2026.mp4"
    assert clip.json()["size_bytes"] == len(head)
    wish = {"upload_ids": [clip.json()["upload_id"]], "name": "new-place"}
    assert boss.ask("POST", "/api/jobs/analyse", body={**wish, "start": "noon"}).status == 422
    assert boss.ask("POST", "/api/jobs/analyse", body={**wish, "name": "../x"}).status == 422
    assert boss.ask("POST", "/api/jobs/analyse", body={**wish, "name": "abay"}).status == 409
    asked = boss.ask("POST", "/api/jobs/analyse", body=wish)
    assert asked.status == 201, asked.body
    with fresh.desk() as desk:
        job = desk.jobs.take(now_ns=1)
        assert job is not None
    do_job(fresh.folders, job.job_id, clock=FakeClock(start_ns=2))
    row = boss.ask("GET", f"/api/jobs/{job.job_id}").json()
    assert row["state"] == "failed"
    assert "Abay 2026.mp4" in row["failure"]
    assert str(fresh.desk_folder) not in row["failure"]
    assert boss.ask("GET", "/api/uploads").json() == []
    assert list((fresh.desk_folder / "uploads").iterdir()) == []


def test_waiting_jobs_can_be_cancelled_and_lost_ones_are_given_up(
    fresh: Node, boss: Knocker
) -> None:
    with fresh.desk() as desk:
        one = desk.jobs.ask("recount", args={}, asked_by="x", now_ns=1)
        two = desk.jobs.ask("recount", args={}, asked_by="x", now_ns=2)
    assert boss.ask("POST", f"/api/jobs/{one}/cancel").json()["state"] == "cancelled"
    with fresh.desk() as desk:
        taken = desk.jobs.take(now_ns=3)
        assert taken is not None
        assert taken.job_id == two
        desk.jobs.tell(two, doing="counting", share=0.4)
        assert desk.jobs.take(now_ns=4) is None
    assert boss.ask("GET", f"/api/jobs/{two}").json()["share"] == 0.4
    assert boss.ask("POST", f"/api/jobs/{two}/cancel").status == 409
    with fresh.desk() as desk:
        assert desk.jobs.give_up_running(now_ns=5) == 1
    assert boss.ask("GET", f"/api/jobs/{two}").json()["state"] == "failed"


def test_a_changed_password_ends_every_other_session(fresh: Node) -> None:
    app = app_of(fresh)
    boss = signed_in(fresh, app, BOSS)
    made = boss.ask("POST", "/api/users", body={"name": "aliya", "role": "reviewer"}).json()
    first, second = Knocker(app), Knocker(app)
    for knocker in (first, second):
        answer = knocker.sign_in("aliya", made["password"])
        assert answer.json()["must_change_password"]
    assert first.ask("GET", "/api/results").status == 403
    body = {"old": made["password"], "new": "twelve letters!"}
    for weak in ("short", "aaaaaaaaaaaaaa", "aliya-aliya-1", made["password"]):
        assert first.ask("PUT", "/api/session/password", body={**body, "new": weak}).status == 422
    wrong = {**body, "old": "not the old one"}
    assert first.ask("PUT", "/api/session/password", body=wrong).status == 403
    assert first.ask("PUT", "/api/session/password", body=body).status == 200
    assert first.ask("GET", "/api/results").status == 200
    assert second.ask("GET", "/api/session").status == 401
    assert Knocker(app, address="10.1.1.1").sign_in("aliya", made["password"]).status == 401
    target = f"/api/users/{made['user']['user_id']}"
    assert boss.ask("PATCH", target, body={"role": "viewer"}).json()["role"] == "viewer"
    assert first.ask("GET", "/api/session").status == 401, "a change of role ends sessions"
    again = Knocker(app, address="10.1.1.2")
    assert again.sign_in("aliya", "twelve letters!").status == 200
    boss.ask("PATCH", target, body={"disabled": True})
    assert again.ask("GET", "/api/session").status == 401
    assert Knocker(app, address="10.1.1.3").sign_in("aliya", "twelve letters!").status == 401


def test_the_last_administrator_stays(fresh: Node, boss: Knocker) -> None:
    (me,) = boss.ask("GET", "/api/users").json()
    target = f"/api/users/{me['user_id']}"
    assert boss.ask("PATCH", target, body={"role": "viewer"}).status == 409
    assert boss.ask("PATCH", target, body={"disabled": True}).status == 409
    assert boss.ask("PATCH", target, body={"cameras": ["north"]}).status == 422
    assert boss.ask("GET", "/api/session").status == 200


def test_sessions_end_when_told_when_idle_and_in_the_end(fresh: Node, boss: Knocker) -> None:
    other = signed_in(fresh, app_of(fresh), BOSS)
    rows = boss.ask("GET", "/api/sessions").json()
    (theirs,) = [row for row in rows if not row["mine"]]
    assert boss.ask("DELETE", f"/api/sessions/{theirs['session_id']}").status == 204
    assert other.ask("GET", "/api/session").status == 401
    clock = fresh.clock
    assert isinstance(clock, FakeClock)
    for _ in range(3):
        clock.advance(50 * 60)
        assert boss.ask("GET", "/api/session").status == 200
    clock.advance(61 * 60)
    assert boss.ask("GET", "/api/session").status == 401


def test_signing_out_ends_the_session_on_the_server(boss: Knocker) -> None:
    cookie = boss.cookie
    assert boss.ask("DELETE", "/api/session").status == 204
    boss.cookie = cookie
    assert boss.ask("GET", "/api/session").status == 401


def test_the_first_start_makes_one_administrator_on_loopback_only(tmp_path: Path) -> None:
    node = a_node(tmp_path, days=())
    with pytest.raises(InputError, match=r"--host 127\.0\.0\.1"):
        first_administrator(node, host="0.0.0.0")
    password = first_administrator(node, host="127.0.0.1")
    assert password is not None
    assert len(password) == 23
    assert first_administrator(node, host="0.0.0.0") is None
    assert Knocker(app_of(node)).sign_in("admin", password).json()["must_change_password"]
    assert is_loopback("::1")


def test_every_page_answers_and_a_silent_one_is_named(fresh: Node, tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "index.html").write_text("<!doctype html>")
    assert list(check_desk(fresh, pages=pages)) == []
    next((the_result(fresh).folder / "pictures").glob("*.png")).unlink()
    silent = list(check_desk(fresh, pages=pages))
    assert len(silent) == 1
    assert silent[0].endswith("answered 404")


@pytest.mark.slow
def test_serve_prints_password_and_address_once_and_ends_with_its_worker(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    config = tmp_path / "calmstreet.toml"
    config.write_text("[node]\n")
    command = [sys.executable, "-m", "calmstreet.cli", "serve", "-c", str(config), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as served:
        assert served.stdout is not None
        lines = [served.stdout.readline() for _ in range(3)]
        address = lines[2].split()[-1]
        with urllib.request.urlopen(f"{address}/api/health") as answer:
            assert (answer.status, answer.headers["server"]) == (200, None)
        served.terminate()
        assert served.wait(timeout=20) in (0, -15, 143)
    assert "first start: sign in as admin" in lines[0]


def test_settings_name_every_fault(tmp_path: Path) -> None:
    path = tmp_path / "calmstreet.toml"
    path.write_text('[node]\nlanguage = "xx"\n[limits]\nupload_mb = 0\nmore = 1\n')
    with pytest.raises(ConfigError) as caught:
        node_of(path)
    assert len(caught.value.faults) == 3
    assert all(str(path) in fault for fault in caught.value.faults)
    path.write_text("[node]\n")
    with pytest.raises(InputError, match=r"node\.results names .* make it"):
        node_of(path)
    (tmp_path / "results").mkdir()
    assert node_of(path).desk_folder == tmp_path / "desk"


def test_a_site_given_as_text_is_kept_as_it_is(fresh: Node, boss: Knocker) -> None:
    text = "# drawn by hand\n" + SITE
    draft = boss.ask("POST", f"{top(fresh)}/drafts", body={"toml": text}).json()
    assert draft["toml"] == text
    assert "+# drawn by hand" in draft["diff"]
