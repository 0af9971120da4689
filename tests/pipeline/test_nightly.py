"""The night of a node: days summed up, doubted and thinned; running it twice changes nothing."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from tests.store.rows import a_run
from tests.store.test_catalogue import a_flow

from calmstreet.clock import FakeClock
from calmstreet.errors import InputError
from calmstreet.model.bins import Bins
from calmstreet.model.gap import Gap
from calmstreet.model.site import Camera, Gate, Site
from calmstreet.pipeline import nightly
from calmstreet.pipeline.nightly import run_node_nightly
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.proof import prove_folder
from calmstreet.store.quality import read_quality
from calmstreet.units import NS_PER_S

TZ = "Asia/Almaty"
DAY_NS = 86_400 * NS_PER_S
MONDAY_NS = round(datetime(2026, 9, 13, 19, tzinfo=UTC).timestamp()) * NS_PER_S
"""Monday 2026-09-14, midnight in Almaty."""

SITE = Site(id="abay", name="Abay", tz=TZ, cameras=(Camera(id="north"),))
GATE = ("gate:stop:to_left", "gate:stop:to_right")


def a_node(tmp_path: Path, counts: list[tuple[int, int]], *, gap_h: float = 0.0) -> Path:
    """Write a node with one camera and a run a day; the last day has a gap; return its config."""
    (tmp_path / "results").mkdir()
    config = tmp_path / "calmstreet.toml"
    config.write_text('[[camera]]\nid = "north"\nurl = "file:clip.mp4"\n', encoding="utf-8")
    gap_ns = round(gap_h * 3600 * NS_PER_S)
    with Catalogue.open(
        tmp_path / "results" / "north", create=True, clock=FakeClock(start_ns=7)
    ) as catalogue:
        prove_folder(catalogue, camera_id="north")
        catalogue.save_site(SITE)
        for i, both in enumerate(counts):
            start_ns, last = MONDAY_NS + i * DAY_NS, i == len(counts) - 1
            end_ns = start_ns + DAY_NS - (gap_ns if last else 0)
            run = replace(a_run(SITE, start_ns=start_ns), end_ns=end_ns)
            run_id = catalogue.new_run(run)
            catalogue.save_bins(run_id, a_day(start_ns, both, (end_ns - start_ns) / NS_PER_S))
            catalogue.publish([run_id])
        if gap_ns:
            gap = Gap(camera_id="north", start_ns=end_ns, end_ns=end_ns + gap_ns, reason="silent")
            catalogue.save_gap(gap)
            catalogue.save_gap(
                replace(gap, start_ns=start_ns, end_ns=start_ns + NS_PER_S, affects="speeds")
            )
    return config


def a_day(start_ns: int, counts: tuple[int, int], exposure_s: float) -> Bins:
    return Bins(
        camera_id="north",
        site_version=SITE.site_version,
        width_s=86_400.0,
        what=np.array(GATE),
        kind=np.array([4, 4], np.uint8),
        start_ns=np.array([start_ns, start_ns]),
        count=np.array(counts, np.float32),
        exposure_s=np.array([exposure_s, exposure_s], np.float32),
        flags=np.array(["", ""]),
    )


def night(config: Path, days: int) -> dict[str, object]:
    clock = FakeClock(start_ns=MONDAY_NS + days * DAY_NS + 2 * 3600 * NS_PER_S)
    done = run_node_nightly(config, clock=clock, outlook=False, progress=lambda _, __: None)
    assert not done["faults"]
    found: dict[str, object] = done["cameras"]["north"]["days"][-1]
    return found


def flags(day: dict[str, object]) -> list[tuple[str, str]]:
    found = day["flags"]
    assert isinstance(found, list)
    return [(flag["flag"], flag.get("what", "")) for flag in found]


USUAL = [(300, 200), (310, 190), (290, 205), (305, 200), (300, 195)]


def test_a_day_is_watched_a_gap_or_missing(tmp_path: Path) -> None:
    config = a_node(tmp_path, [*USUAL, (285, 190)], gap_h=2.0)
    day = night(config, 6)
    assert (day["date"], day["watched_s"], day["gap_s"], day["unaccounted_s"]) == (
        "2026-09-19", 79_200.0, 7200.0, 0.0
    )  # fmt: skip
    assert (day["counts_s"], day["speeds_s"], day["conflicts_s"]) == (79_200.0, 79_199.0, 79_200.0)
    assert day["gaps"] == {"silent": 7200.0, "silent (speeds)": 1.0}
    assert flags(day) == [("gaps", "")]


@pytest.mark.parametrize(
    ("last", "found"),
    [
        ((295, 204), []),
        ((0, 198), [("silent", GATE[0]), ("balance", "gate:stop")]),
        ((900, 205), [("balance", "gate:stop"), ("jump", GATE[0])]),
        ((200, 300), [("swapped", "gate:stop")]),
        ((100, 66), [("jump", GATE[0]), ("jump", GATE[1])]),
    ],
)
def test_odd_days_are_doubted(
    tmp_path: Path, last: tuple[int, int], found: list[tuple[str, str]]
) -> None:
    assert sorted(flags(night(a_node(tmp_path, [*USUAL, last]), 6))) == sorted(found)


def test_time_that_nobody_can_account_for_is_a_doubt(tmp_path: Path) -> None:
    config = a_node(tmp_path, USUAL)
    day = night(config, 6)
    assert day["unaccounted_s"] == 86_400.0
    assert flags(day) == [("unaccounted", "")]


def test_twice_is_once_and_a_crash_in_between_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = a_node(tmp_path, [*USUAL, (900, 205)], gap_h=1.0)
    night(config, 6)
    first = kept(tmp_path)
    night(config, 6)
    assert kept(tmp_path) == first
    for step in ("save_quality", "write_whole", "tidy"):
        with monkeypatch.context() as patched:
            patched.setattr(nightly, step, _crash)
            with pytest.raises(KeyboardInterrupt):
                night(config, 6)
        night(config, 6)
        assert kept(tmp_path) == first


def _crash(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def kept(tmp_path: Path) -> tuple[str, str, object]:
    """Return all that a night leaves."""
    folder = tmp_path / "results" / "north"
    with Catalogue.open(folder) as catalogue:
        rows = read_quality(catalogue.database, "north", start_ns=0, end_ns=2 * MONDAY_NS)
    table = (folder / "out" / "nightly.csv").read_text(encoding="utf-8")
    return table, (folder / "out" / "nightly.json").read_text(encoding="utf-8"), repr(rows)


def test_the_table_is_plain(tmp_path: Path) -> None:
    night(a_node(tmp_path, [*USUAL, (900, 205)], gap_h=2.0), 6)
    out = tmp_path / "results" / "north" / "out"
    lines = (out / "nightly.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1 + 6
    assert lines[-1] == (
        "2026-09-19,79200.0,7200.0,0.0,79200.0,79199.0,79200.0,"
        "silent=7200;silent (speeds)=1,gaps;balance:gate:stop;jump:gate:stop:to_left"
    )
    assert len(json.loads((out / "nightly.json").read_text(encoding="utf-8"))["days"]) == 6


def test_runs_that_wait_are_told_and_cameras_without_results_are_passed_over(
    tmp_path: Path,
) -> None:
    config = a_node(tmp_path, USUAL)
    text = config.read_text(encoding="utf-8")
    config.write_text(text + '[[camera]]\nid = "south"\nurl = "file:x.mp4"\n', encoding="utf-8")
    with Catalogue.open(tmp_path / "results" / "north") as catalogue:
        run = a_run(SITE, start_ns=MONDAY_NS + 4 * DAY_NS)
        catalogue.new_run(replace(run, end_ns=run.start_ns + 60 * NS_PER_S))
    assert ("not-judged", "") in flags(night(config, 5))


def test_runs_without_bins_get_them_once(tmp_path: Path) -> None:
    config = a_node(tmp_path, USUAL[:1])
    folder = tmp_path / "results" / "north"
    gate = Gate(id="stop-line", camera_id="north", points_px=((0.0, 50.0), (640.0, 50.0)))
    site = replace(SITE, gates=(gate,))
    with Catalogue.open(folder) as catalogue:
        catalogue.save_site(site)
        run_id = catalogue.new_run(a_run(site, start_ns=MONDAY_NS + DAY_NS))
        flow = a_flow(run_id)
        later_ns = MONDAY_NS + DAY_NS
        minutes = replace(flow.minutes, start_ns=flow.minutes.start_ns + later_ns)
        crossings = replace(flow.crossings, t_ns=flow.crossings.t_ns + later_ns)
        flow = replace(flow, minutes=minutes, crossings=crossings, site_version=site.site_version)
        catalogue.save_flow(replace(flow, watched_ns=flow.watched_ns + later_ns))
        catalogue.publish([run_id])
    night(config, 2)
    with Catalogue.open(folder) as catalogue:
        bins = catalogue.bins([run_id], width_s=86_400.0)
    assert [float(one.count.sum()) for one in bins] == [1.0]
    clock = FakeClock(start_ns=MONDAY_NS + 2 * DAY_NS)
    again = run_node_nightly(config, clock=clock, outlook=False, progress=lambda _, __: None)
    assert again["cameras"]["north"]["binned"] == 0


def test_a_node_without_cameras_has_no_night(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    config = tmp_path / "calmstreet.toml"
    config.write_text("[node]\n", encoding="utf-8")
    with pytest.raises(InputError, match="names no camera"):
        run_node_nightly(config, clock=FakeClock(), progress=lambda _, __: None)
