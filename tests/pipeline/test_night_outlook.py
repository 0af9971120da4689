"""The outlook of a live camera's own counts: forecast each night, scored by what came."""

import csv
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.pipeline import live_days
from tests.pipeline.live_days import DAY_NS, first_midnight_ns

from calmstreet.cli_upkeep import _tell_night
from calmstreet.clock import FakeClock
from calmstreet.pipeline import outlook_nightly, outlook_store
from calmstreet.pipeline.nightly import run_node_nightly
from calmstreet.pipeline.outlook_forecast import ForecastRequest
from calmstreet.pipeline.outlook_store import read_stored
from calmstreet.store.catalogue import Catalogue
from calmstreet.units import NS_PER_S

DAYS = 22
SERIES = {f"north/gate:gate-0:{to}/car" for to in ("to_left", "to_right")}


def night(config: Path, days: int) -> dict[str, Any]:
    """Do the night after so many days; return what was said of the camera."""
    now_ns = first_midnight_ns() + days * DAY_NS + 2 * 3600 * NS_PER_S
    clock = FakeClock(start_ns=now_ns)
    done = run_node_nightly(config, clock=clock, progress=lambda _, __: None)
    assert not done["faults"]
    found: dict[str, Any] = done["cameras"]["north"]
    return found


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


@pytest.mark.slow
def test_two_nights_of_a_live_camera(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = live_days.a_node(tmp_path / "node", days=DAYS, runs_a_day=4)
    folder = config.parent / "results" / "north"
    out = folder / "out" / "outlook"
    first = night(config, DAYS)["outlook"]
    assert "not_yet" not in first
    (path,) = out.glob("forecast-*.csv")
    rows = table(path)
    assert {row["series"] for row in rows} == SERIES
    assert len(rows) == 96 * len(SERIES)
    assert rows[0]["time"] == first["issued"] == "2026-03-24T00:00:00+05:00"
    quantiles = np.array(
        [[float(r[f"p{p}"]) for p in ("05", "25", "50", "75", "95")] for r in rows]
    )
    assert (np.diff(quantiles, axis=1) >= 0).all()
    assert not (out / "scores.csv").exists(), "nothing came yet"
    with Catalogue.open(folder) as catalogue:
        live_days.add_a_day(catalogue, day=DAYS, runs_a_day=4, missing=1)
    floors = partial(ForecastRequest, models=("floors",))
    monkeypatch.setattr(outlook_nightly, "ForecastRequest", floors)
    said = night(config, DAYS + 1)
    assert said["days"][-1]["gaps"] == {"silent": 21_600.0}
    assert said["days"][-1]["flags"][0]["flag"] == "gaps"
    (score,) = table(out / "scores.csv")
    assert int(score["forecasts"]) == 72 * len(SERIES), "six hours were a gap, no zero traffic"
    assert float(score["mae"]) < 1.2 * float(score["naive_mae"])
    assert 0.75 <= float(score["coverage90"]) <= 1.0
    assert said["outlook"]["issued"] == "2026-03-25T00:00:00+05:00"
    assert len(list(out.glob("*.csv"))) == 5


def test_a_young_camera_has_no_outlook_yet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = night(live_days.a_node(tmp_path / "node", days=0, runs_a_day=2), 1)
    assert "no judged run yet" in said["outlook"]["not_yet"]
    assert said["days"] == []
    made = {"series": 2, "issued": "2026-03-24T00:00:00+05:00", "files": ["out/outlook/a.csv"]}
    ready = {**said, "outlook": {**made, "alarms_of_the_last_day": []}}
    freed = {"files": 0, "short_bytes": 0}
    _tell_night({"cameras": {"a": said, "b": ready}, "retention": freed, "faults": []})
    told = capsys.readouterr().out.splitlines()
    assert told[1].startswith("  no outlook yet: ")
    assert told[3].endswith("00:00+05:00, of the last day 0 not expected: out/outlook")


def test_a_night_reads_its_weeks_and_no_flow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = live_days.a_node(tmp_path / "node", days=40, runs_a_day=1)
    folder = config.parent / "results" / "north"
    whole = read_stored(folder)
    asked: list[int] = []
    read = Catalogue.bins

    def bins(self: Catalogue, run_ids: Any, **more: Any) -> Any:
        asked.append(len(run_ids))
        return read(self, run_ids, **more)

    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("a night needs no flow")

    monkeypatch.setattr(Catalogue, "bins", bins)
    monkeypatch.setattr(Catalogue, "flow", never)
    newest = read_stored(folder, weeks=3)
    assert asked == [21], "the runs of three weeks"
    assert newest.names == whole.names
    assert (newest.start_ns - first_midnight_ns()) % DAY_NS == 0
    steps = newest.values.shape[1]
    assert steps == 21 * 96
    assert np.array_equal(newest.values, whole.values[:, -steps:], equal_nan=True)


def test_the_weeks_of_a_night_are_whole_local_days() -> None:
    assert outlook_nightly.WEEKS >= 8, "bands rest on eight weeks"
    end_ns = first_midnight_ns() + 40 * DAY_NS + 5 * 3600 * NS_PER_S
    since_ns = outlook_store._since_ns(end_ns, 3, live_days.TZ)
    assert since_ns == first_midnight_ns() + 19 * DAY_NS
