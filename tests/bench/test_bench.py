"""Every bench runs on a tiny clip, so that none can rot; figures are not judged here."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.bench.clips import Clip, camera_clip
from tests.bench.counts import bench_counts, staged, wrong_by
from tests.bench.desk import bench_desk
from tests.bench.loop import gate_site, watched
from tests.bench.loops import bare_decode, bench_loops, bench_pipeline
from tests.bench.measure import Cost, Row, row, table, take_turns
from tests.bench.parts import bench_mosaic, bench_reading, bench_store
from tests.bench.tracking import bench_tracker
from tests.video.clips import a_picture

from calmstreet.scene.script import one_car

FRAMES = 50


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    folder = tmp_path_factory.mktemp("bench")
    pictures = (a_picture(i) for i in range(FRAMES))
    return camera_clip(folder, "tiny", pictures, 180, frames=FRAMES)


def checked(rows: Iterator[Row]) -> dict[str, float]:
    """Return the values by name; what says whether a result is right must say yes."""
    found = list(rows)
    assert all(r.ok for r in found if r.unit == "1 = yes"), found
    return {r.what: r.value for r in found}


def test_a_clip_is_made_once_and_whole(tiny: Clip) -> None:
    before = tiny.path.stat().st_mtime_ns
    again = camera_clip(tiny.path.parent, "tiny", iter(()), 180, frames=FRAMES)
    assert again == tiny
    assert again.path.stat().st_mtime_ns == before
    assert bare_decode(tiny.path, times=2) == 2 * FRAMES


def test_pipeline(tiny: Clip) -> None:
    values = checked(bench_pipeline(tiny, rounds=1, times=1))
    assert 0 < values["pipeline / bare decode"] < 1
    assert values["pipeline"] > values["bare decode"] > 0


def test_loops(tiny: Clip) -> None:
    values = checked(bench_loops(tiny, None, rounds=1))
    assert values["tiny: no net, no video"] > 0


def test_parts(tiny: Clip) -> None:
    assert checked(bench_reading(tiny, rounds=1))["cv2.VideoCapture.read / PyAV + luma"] > 0
    assert checked(bench_mosaic(height_px=270, rounds=1, times=1))["Gaussian / our mosaic"] > 0
    assert checked(bench_store(users=5, seconds=3, rounds=1))["store"] > 0


def test_tracker() -> None:
    assert checked(bench_tracker({5: 1e9}, steps=20, rounds=1))["tracker at 5 users"] > 0


def test_counts_of_one_rendered_car(tmp_path: Path) -> None:
    clip = staged(tmp_path, scene=one_car(6.0), fps=8.0)
    assert sum(left[0] + right[0] for left, right in clip.expected.values()) == 2
    assert list(checked(bench_counts(clip, None, every=(2,)))) == ["stage one-car: wrong at N=2"]
    assert wrong_by(clip, dict.fromkeys(clip.expected, (0, 0))) == 2


def test_a_watched_clip_keeps_what_it_analysed(tiny: Clip) -> None:
    site = gate_site(((100.0, 0.0), (100.0, 180.0)))
    found = watched(tiny.path, site=site, keep=True, times=2)
    assert found.tally.frames == 2 * FRAMES
    assert found.kept_pictures == found.tally.analysed
    assert found.net_calls == 0


def test_rows_are_judged_and_told() -> None:
    rows = [row("a", 2.0, "ms", most=1.0), row("b", 2.0, "ms", least=1.0), row("c", 2.0, "ms")]
    assert [r.ok for r in rows] == [False, True, None]
    text, records = table(rows)
    assert [("MISS" in line, "ok" in line) for line in text.splitlines()] == [
        (True, False),
        (False, True),
        (False, False),
    ]
    assert json.loads(json.dumps(records))[0]["bar"] == "<= 1"


def test_turns_are_taken_in_order() -> None:
    order: list[str] = []
    runs = {"a": lambda: order.append("a"), "b": lambda: order.append("b")}
    cost = take_turns(runs, rounds=2)
    assert order == ["a", "b"] * 3
    assert cost["a"].median_s >= cost["a"].min_s >= 0
    assert Cost(median_s=2.0, min_s=1.0).over(Cost(median_s=4.0, min_s=1.0)) == 0.5


def test_rules_over_generated_hours_and_staged_violations() -> None:
    from tests.bench.rules import found_in_hours, upper_bound
    from tests.bench.violations import detection_rates

    events = [event for hour in found_in_hours(1, lasts_s=240.0) for event in hour]
    assert all(event.exceptions for event in events), [event.kind for event in events]
    assert upper_bound(0) == pytest.approx(3.689, abs=1e-3)
    found = dict(detection_rates(2))
    assert sum(found.values()) >= 2 * len(found) - 4


def test_every_page_of_the_desk_is_asked_beside_its_query() -> None:
    found = checked(bench_desk(rounds=1, cameras=2, days=2, events=40))
    assert {"desk results", "desk queue of events", "desk comparison, 14 days each"} <= set(found)
    assert all(value > 0 for value in found.values())
