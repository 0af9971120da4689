from pathlib import Path
from typing import Any

import numpy as np
import pytest
from openpyxl import load_workbook
from tests.builders import START_NS, S, a_site, a_track
from tests.safety.test_flow import count, scene

from calmstreet.errors import InputError
from calmstreet.model.bins import Bins
from calmstreet.model.flow import PeakHour
from calmstreet.model.kinds import Kind
from calmstreet.report.texts import LANGUAGES, texts
from calmstreet.report.workbook import CameraCounts, write_workbook
from calmstreet.safety.bins import aggregate, minute_bins, peak_hours
from calmstreet.safety.movements import turns_of

SEEN = (Kind.PEDESTRIAN, Kind.BICYCLE, Kind.CAR, Kind.TRUCK)


def camera_counts() -> CameraCounts:
    site, points = scene()
    flow = count(points, site=site)
    bins = minute_bins([flow], site=site, observed_kinds=SEEN, light_of=lambda _: "dusk")
    quarters = aggregate(bins, width_s=900, tz=site.tz)
    return CameraCounts(bins=quarters, turns=turns_of(site, [flow]), peaks=peak_hours(quarters))


def pages(path: Path, *cameras: CameraCounts, lang: str = "en", **more: Any) -> dict[str, Any]:
    write_workbook(path, cameras, words=texts(lang), tz="Asia/Almaty", **more)
    book = load_workbook(path)
    return {
        name: [[c.value for c in row] for row in book[name].iter_rows()] for name in book.sheetnames
    }


def filled(rows: list[list[Any]]) -> list[tuple[str, str, str]]:
    """Return the three heading lines of each column with joined cells spread out again."""
    lines: list[list[str]] = []
    for row in rows[:3]:
        spread: list[str] = []
        for place, value in enumerate(row):
            spread.append(str(value or (spread[-1] if place and row is not rows[2] else "")))
        lines.append(spread)
    return list(zip(*lines, strict=True))


def test_counts_by_approach_turn_and_class(tmp_path: Path) -> None:
    rows = pages(tmp_path / "counts.xlsx", camera_counts())["Counts"]
    cells = dict(zip(filled(rows), rows[3], strict=True))
    assert rows[3][0] == "2026-01-01T05:00:00+05:00"
    assert cells["w", "Through", "Cars"] == 1
    assert cells["w", "Through", "Trucks"] == 1
    assert cells["w", "Right", "Cars"] == 1
    assert cells["e", "U-turn", "Cars"] == 1
    assert ("w", "Right", "Pedestrians") not in cells
    assert rows[0].count("Pedestrians") == rows[0].count("Bicycles") == 1
    assert rows[-1][0] == "Total"
    total = rows[0].index("Total")
    assert rows[3][total] == rows[-1][total] == 5
    assert rows[3][total - 1] == 1
    assert rows[3][total + 1] == pytest.approx(1 / 30, abs=1e-4)
    assert rows[3][total + 2] == "dusk;unvalidated;partial"


def test_equal_headings_are_joined(tmp_path: Path) -> None:
    pages(tmp_path / "c.xlsx", camera_counts())
    joined = {str(area) for area in load_workbook(tmp_path / "c.xlsx")["Gates"].merged_cells.ranges}
    assert joined == {"B1:M1", "B2:G2", "H2:M2"}


def test_gates_by_direction_and_kind(tmp_path: Path) -> None:
    rows = pages(tmp_path / "counts.xlsx", camera_counts())["Gates"]
    cells = dict(zip(filled(rows), rows[3], strict=True))
    assert cells["line", "to right", "Total"] == 4
    assert cells["line", "to left", "Cars"] == 1
    assert cells["line", "to right", "Trucks"] == 1


def test_the_peak_hour_is_shown_or_refused_with_its_minutes(tmp_path: Path) -> None:
    mine = camera_counts()
    peaks = {
        "gate:a:to_left": PeakHour(watched_min=60, start_ns=START_NS, volume=1050, phf=0.84677)
    }
    shown = CameraCounts(bins=mine.bins, turns=mine.turns, peaks={**mine.peaks, **peaks})
    rows = pages(tmp_path / "counts.xlsx", shown)["Peak hour"]
    assert rows[1][2] == "not enough: 0 of 60 min"
    assert rows[-1] == [
        "north",
        "gate:a:to_left",
        "2026-01-01T05:00:00+05:00",
        1050,
        0.8468,
    ]


def test_a_hole_is_named_and_not_filled_with_zeros(tmp_path: Path) -> None:
    mine = camera_counts().bins
    later = Bins(
        camera_id=mine.camera_id,
        site_version="",
        width_s=900,
        what=np.tile(mine.what, 2),
        kind=np.tile(mine.kind, 2),
        start_ns=np.concatenate([mine.start_ns, mine.start_ns + 3 * 900 * S]),
        count=np.tile(mine.count, 2),
        exposure_s=np.tile(mine.exposure_s, 2),
        flags=np.tile(mine.flags, 2),
    )
    rows = pages(tmp_path / "c.xlsx", CameraCounts(bins=later, turns=(), peaks={}))["Gates"]
    assert [row[1] for row in rows[4:6]] == ["not watched"] * 2
    assert [row[2] for row in rows[4:6]] == [None] * 2
    assert len(rows) == 3 + 4 + 1


def test_without_movements_the_page_says_so(tmp_path: Path) -> None:
    flow = count(a_track())
    bins = minute_bins([flow], site=a_site(), observed_kinds=SEEN, light_of=lambda _: "day")
    quarters = aggregate(bins, width_s=900)
    table = pages(tmp_path / "c.xlsx", CameraCounts(bins=quarters, turns=(), peaks={}))
    assert table["Counts"] == [["No movements are set for this site."]]


def test_two_cameras_have_their_own_pages_and_notes_are_kept(tmp_path: Path) -> None:
    mine = camera_counts()
    table = pages(tmp_path / "c.xlsx", mine, mine, notes=("Not audited on this camera",))
    assert len(table) == 6
    assert table["Notes"][-1] == ["Not audited on this camera"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_language_has_the_words(tmp_path: Path, lang: str) -> None:
    assert len(pages(tmp_path / "c.xlsx", camera_counts(), lang=lang)) == 4


def test_without_a_clock_no_time_of_day_is_shown(tmp_path: Path) -> None:
    rows = pages(tmp_path / "c.xlsx", camera_counts(), time_known="unknown")["Counts"]
    assert str(rows[3][0]).startswith("+")


def test_a_place_that_cannot_be_written_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        pages(tmp_path / "missing" / "c.xlsx", camera_counts())
