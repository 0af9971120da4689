"""Speeds in the report: the section in four languages, charts, the map, the workbook, the docs."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calmstreet.geometry.speed import REASONS
from calmstreet.model.points import TrackPoints, make_points
from calmstreet.report.speed_charts import spread_chart, times_chart
from calmstreet.report.speed_map import draw_speed_map
from calmstreet.report.speed_sections import speeds_shown
from calmstreet.report.speed_tables import (
    QUARTER_COLUMNS,
    SPEED_COLUMNS,
    ZONE_COLUMNS,
    speed_sheet,
)
from calmstreet.report.texts import LANGUAGES, texts

DOCS = Path(__file__).resolve().parents[2] / "docs"


def stats(n: int = 40, **changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"n": n, "indicative": n < 100, "space_mean_kmh": 47.1}
    for name, value in (("mean", 48.2), ("v85", 55.4)):
        ends = (value, value - 3, value + 3)
        for end, number in zip(("", "_low95", "_high95"), ends, strict=True):
            found[f"{name}{end}_kmh"] = number
    found |= {"over_limit_share": 0.3, "over_limit_low95": 0.1, "over_limit_high95": 0.5}
    return found | changes


def a_summary(**camera: Any) -> dict[str, Any]:
    gate = {
        "camera": "north",
        "gate": "stop <b>",
        "direction": "to_left",
        "group": "motor",
        "verified": False,
        "limit_kmh": 50.0,
        "passes": 55,
        "withheld": {"coarse": 9, "gap": 6},
        "all": stats(),
        "free": stats(0),
    }
    zone = {"camera": "north", "zone": "lane", "group": "motor", "n": 7}
    zone |= {"median_s": 4.0, "p15_s": 3.0, "p85_s": 6.0}
    row = {"camera": "north", "verified": False, "check": None} | camera
    return {"speeds": {"cameras": [row], "gates": [gate], "zones": [zone]}}


CHECK = {
    "time": "2026-03-02T10:00:00.000+00:00",
    "reference": "radar.csv",
    "n": 12,
    "unmatched": 0,
    "bias_kmh": 0.4,
    "bias_half95_kmh": 0.3,
    "spread_kmh": None,
    "coverage": 1.0,
    "passed": True,
}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_section_says_what_is_sure_and_what_is_withheld(lang: str) -> None:
    words = texts(lang)
    html = speeds_shown(a_summary(), words)
    assert words.t("speeds.unverified_long", camera="north") in html
    assert words.t("speeds.reason.coarse") in html
    assert words.t("speeds.indicative") in html
    assert "stop &lt;b&gt;" in html
    verified = speeds_shown(a_summary(verified=True, check=CHECK), words)
    assert words.t("speeds.unverified_long", camera="north") not in verified
    assert "2026-03-02" in verified
    failed = speeds_shown(a_summary(verified=False, check=CHECK), words)
    assert failed != verified
    assert words.t("speeds.none").split(".")[0] in speeds_shown({}, words)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_reason_has_words(lang: str) -> None:
    assert all(texts(lang).has(f"speeds.reason.{reason}") for reason in REASONS)


def test_charts_carry_their_marks() -> None:
    speeds = np.random.default_rng(1).normal(48, 7, 200)
    chart = spread_chart(
        speeds, stats(), limit_kmh=50.0, texts=texts("en"), name="speeds-a", title="a"
    )
    assert chart.startswith("<svg")
    assert "v85: 55.4 (52.4 – 58.4)" in chart
    assert "limit 50" in chart
    bare = spread_chart(
        np.empty(0), stats(0, v85_kmh=None), limit_kmh=None, texts=texts("ru"), name="b", title="b"
    )
    assert "v85" not in bare
    numbers = {f"{k}{end}": 50.0 for k in ("mean", "v85") for end in ("", "_low", "_high")}
    gone = dict.fromkeys(numbers, float("nan"))
    times = times_chart(
        [("07:00", numbers), ("07:15", gone)],
        limit_kmh=50.0,
        texts=texts("en"),
        name="c",
        title="c",
    )
    assert "07:15" in times


def rows_at(speed_mps: float, n: int) -> TrackPoints:
    return make_points(
        camera_id="c",
        run_id=1,
        t_ns=np.arange(n),
        track_id=np.arange(n),
        box_px=np.tile([300.0, 150.0, 340.0, 180.0], (n, 1)),
        velocity_mps=np.tile([speed_mps, 0.0], (n, 1)),
    )


def test_the_map_tints_places_where_speeds_are_known() -> None:
    street = np.full((360, 640, 3), 120, np.uint8)
    fast, slow = street.copy(), street.copy()
    assert draw_speed_map(fast, [rows_at(25.0, 5)], scale=1.0) == 1
    assert draw_speed_map(slow, [rows_at(2.0, 5)], scale=1.0) == 1
    assert (fast[180, 322] != slow[180, 322]).any()
    assert fast[180, 322].sum() > slow[180, 322].sum()
    for nothing in (rows_at(np.nan, 5), rows_at(25.0, 1)):
        untouched = street.copy()
        assert draw_speed_map(untouched, [nothing], scale=1.0) == 0
        assert (untouched == street).all()


def test_the_page_of_the_workbook_has_a_row_per_group_of_drivers() -> None:
    rows = speed_sheet(a_summary()["speeds"]["gates"], texts("en"))
    assert len(rows) == 2
    assert len(rows[0]) == len(rows[1])
    assert rows[1][6] == 48.2
    assert "unverified" in rows[1][-1]


def test_every_column_is_explained() -> None:
    text = (DOCS / "formats.md").read_text(encoding="utf-8")
    for name, columns in (
        ("speeds.csv", SPEED_COLUMNS),
        ("speed_quarters.csv", QUARTER_COLUMNS),
        ("zone_quarters.csv", ZONE_COLUMNS),
    ):
        section = text.split(f"\n## {name}\n")[1].split("\n## ")[0]
        said = [
            word
            for line in section.splitlines()
            if line.startswith("| `")
            for word in re.findall(r"`(\w+)`", line.split("|")[1])
        ]
        assert said == list(columns), name
    reasons = (DOCS / "speeds.md").read_text(encoding="utf-8")
    assert all(f"| `{reason}` |" in reasons for reason in REASONS)
