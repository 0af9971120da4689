import csv
import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.safety.test_flow import count, scene

from calmstreet.errors import InputError
from calmstreet.model.bins import Bins
from calmstreet.model.flow import Flow
from calmstreet.model.kinds import Kind
from calmstreet.model.site import Site
from calmstreet.report.tables import (
    COUNT_COLUMNS,
    HEADWAY_COLUMNS,
    MOVEMENT_COLUMNS,
    gates_summary,
    journeys_summary,
    movements_summary,
    not_observed,
    replacing,
    time_text,
    write_counts,
    write_headways,
    write_movements,
)
from calmstreet.safety.bins import aggregate, minute_bins
from calmstreet.safety.movements import turns_of

SEEN = (Kind.CAR, Kind.TRUCK)


def made() -> tuple[Site, Flow, Bins]:
    site, points = scene()
    flow = count(points, site=site)
    bins = minute_bins([flow], site=site, observed_kinds=SEEN, light_of=lambda _: "day")
    return site, flow, aggregate(bins, width_s=900, tz=site.tz)


def read(path: Path) -> tuple[tuple[str, ...], list[dict[str, str]]]:
    with path.open(newline="", encoding="utf-8") as file:
        table = csv.DictReader(file)
        rows = list(table)
        return tuple(table.fieldnames or ()), rows


def test_counts_have_one_row_per_series_and_time_and_add_up(tmp_path: Path) -> None:
    _, flow, bins = made()
    write_counts(tmp_path / "counts.csv", [bins], tz="Asia/Almaty")
    columns, rows = read(tmp_path / "counts.csv")
    assert columns == COUNT_COLUMNS
    assert max(Counter((r["series"], r["time"]) for r in rows).values()) == 1
    assert {r["time"] for r in rows} == {"2026-01-01T05:00:00+05:00"}
    gates = [float(r["value"]) for r in rows if r["what"].startswith("gate:")]
    assert sum(gates) == flow.crossings.counted.sum()
    assert {r["series"] for r in rows} == {f"{r['camera']}/{r['what']}/{r['kind']}" for r in rows}
    assert {r["kind"] for r in rows} == {"unknown", "car", "truck"}
    assert {r["exposure_share"] for r in rows} == {"0.0333"}
    assert {r["flag"] for r in rows} == {"day;partial"}


def test_times_are_those_of_the_local_clock_with_its_offset(tmp_path: Path) -> None:
    _, _, bins = made()
    write_counts(tmp_path / "counts.csv", [bins], tz="Asia/Almaty")
    _, rows = read(tmp_path / "counts.csv")
    moment = dt.datetime.fromisoformat(rows[0]["time"])
    assert moment.timestamp() * 1e9 == bins.start_ns[0]


def test_without_a_clock_no_time_of_day_is_written(tmp_path: Path) -> None:
    _, flow, bins = made()
    zero = Bins(
        camera_id="north",
        site_version="",
        width_s=900,
        what=bins.what,
        kind=bins.kind,
        start_ns=bins.start_ns - bins.start_ns.min() + 900 * 10**9,
        count=bins.count,
        exposure_s=bins.exposure_s,
        flags=bins.flags,
    )
    write_counts(tmp_path / "counts.csv", [zero], tz="Asia/Almaty", time_known="unknown")
    assert {r["time"] for r in read(tmp_path / "counts.csv")[1]} == {"+00:15:00"}
    write_headways(tmp_path / "h.csv", [flow], tz="Asia/Almaty", time_known="unknown")
    assert all(r["time"].startswith("+") for r in read(tmp_path / "h.csv")[1])


def test_slices_that_nobody_watched_have_no_row(tmp_path: Path) -> None:
    _, _, bins = made()
    unseen = Bins(
        camera_id="north",
        site_version="",
        width_s=900,
        what=bins.what,
        kind=bins.kind,
        start_ns=bins.start_ns,
        count=np.zeros(len(bins), np.float32),
        exposure_s=np.zeros(len(bins), np.float32),
        flags=bins.flags,
    )
    write_counts(tmp_path / "counts.csv", [unseen], tz="UTC")
    assert read(tmp_path / "counts.csv")[1] == []


def test_movements_carry_their_turns_and_show_the_unmatched(tmp_path: Path) -> None:
    site, flow, bins = made()
    turns = turns_of(site, [flow])
    write_movements(tmp_path / "m.csv", [bins], turns=turns, tz=site.tz)
    columns, rows = read(tmp_path / "m.csv")
    assert columns == MOVEMENT_COLUMNS
    assert sum(float(r["count"]) for r in rows) == flow.journeys.counted.sum()
    seen = {(r["movement"], r["turn"], r["kind"]): r["count"] for r in rows}
    assert seen["w-e", "through", "truck"] == "1"
    assert seen["w-s", "right", "car"] == "1"
    assert seen["e-e", "u", "car"] == "1"
    assert seen["unknown", "unknown", "car"] == "1"
    assert seen["s-w", "unknown", "car"] == "0"


def test_headways_are_empty_where_unknown(tmp_path: Path) -> None:
    _, flow, _ = made()
    write_headways(tmp_path / "h.csv", [flow], tz="UTC")
    columns, rows = read(tmp_path / "h.csv")
    assert columns == HEADWAY_COLUMNS
    assert len(rows) == flow.crossings.counted.sum()
    assert rows[0]["headway_s"] == rows[0]["gap_s"] == ""
    first, second = [r for r in rows if r["direction"] == "to_right"][:2]
    times = [dt.datetime.fromisoformat(r["time"]) for r in (first, second)]
    assert float(second["headway_s"]) == pytest.approx(
        (times[1] - times[0]).total_seconds(), abs=0.002
    )


def test_the_summary_of_gates_counts_unknown_into_the_total() -> None:
    site, flow, _ = made()
    flow.crossings.kind[0] = Kind.UNKNOWN
    (row,) = gates_summary([flow], gates=site.gates, observed_kinds=SEEN)
    assert (row["camera"], row["gate"]) == ("north", "line")
    right = row["to_right"]
    assert list(right) == ["car", "truck", "unknown", "total"]
    assert right["unknown"] == 1
    assert right["total"] == sum(n for kind, n in right.items() if kind != "total")
    assert right["total"] + row["to_left"]["total"] == flow.crossings.counted.sum()


def test_a_kind_not_observed_is_absent_and_named_apart() -> None:
    assert not_observed(SEEN) == ["pedestrian", "bicycle", "motorcycle", "van", "bus"]
    site, flow, _ = made()
    (row,) = gates_summary([flow], gates=site.gates, observed_kinds=SEEN)
    assert not set(row["to_left"]) & set(not_observed(SEEN))


def test_the_summaries_of_movements_and_journeys_agree() -> None:
    site, flow, _ = made()
    turns = turns_of(site, [flow])
    rows = movements_summary([flow], camera_id="north", turns=turns, observed_kinds=SEEN)
    tracks: dict[str, Any] = journeys_summary([flow], observed_kinds=SEEN)
    assert rows[-1]["movement"] == "unknown"
    assert sum(row["counts"]["total"] for row in rows) == tracks["counted"]["total"]
    assert tracks["not_counted"] == {}
    assert movements_summary([flow], camera_id="north", turns=(), observed_kinds=SEEN) == []


def half_written(path: Path) -> None:
    with replacing(path) as draft:
        draft.write_text("half")
        raise RuntimeError("broken")


def test_a_failed_write_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "counts.csv"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="broken"):
        half_written(path)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["counts.csv"]


def test_a_place_that_cannot_be_written_is_told_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        write_headways(tmp_path / "missing" / "h.csv", [], tz="UTC")


def test_offsets_go_beyond_a_day() -> None:
    assert time_text(90_061 * 10**9, "UTC", time_known="unknown") == "+25:01:01"
