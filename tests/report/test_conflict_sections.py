"""The report's section, sheet and map of conflicts."""

from typing import Any

import numpy as np
import pytest
from tests.report.pages import a_summary
from tests.safety.crossing_street import at_once, driven

from calmstreet.model.site import Site, Zone
from calmstreet.report.conflict_charts import conflict_map, draw_conflicts
from calmstreet.report.conflict_sections import conflict_sheet, conflicts_shown
from calmstreet.report.texts import LANGUAGES, texts
from calmstreet.safety.conflicts import ConflictWatch

RATE = {"rate": 12.5, "low95": 8.0, "high95": 17.0, "days": 4, "enough": False, "more_days": 6}
TYPE = {
    "type": "opposing", "pairs": 80, "conflicts": 7, "by_pet": 5, "by_ttc": 1, "by_evasion": 3,
    "level_4": 0, "level_3": 1, "level_2": 2, "level_1": 4,
}  # fmt: skip


def a_camera(**changes: Any) -> dict[str, Any]:
    return {
        "camera": "north", "looked": True, "why_not": "", "exposure_s": 3600.0, "pairs": 80,
        "conflicts": 7, "types": [TYPE], "rejected": {"camera-moved": 2, "id switch": 1},
        "per_1000_pairs": RATE, "per_hour": {**RATE, "low95": None, "days": 1},
        "paths": ["0123456789ab"], **changes,
    }  # fmt: skip


def shown(lang: str = "en", **changes: Any) -> str:
    return conflicts_shown(a_summary(conflicts={"cameras": [a_camera(**changes)]}), texts(lang))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_parts_of_the_definition_stand_apart(lang: str) -> None:
    page = shown(lang)
    words = texts(lang)
    for name in ("by_pet", "by_ttc", "by_evasion", "level_3"):
        assert words.t(f"conflicts.column.{name}") in page
    assert words.t("conflicts.type.opposing") in page
    assert f"{words.t('conflicts.reason.camera-moved')}: 2" in page
    assert "0123456789ab" in page


def test_how_many_days_are_still_needed_is_said() -> None:
    page = shown()
    assert "8.0 to 17.0 (days: 4). Not enough yet: about 6 more days." in page
    assert "days watched: 1, three are needed" in page
    assert "more days" not in shown(per_1000_pairs={**RATE, "enough": True})


def test_without_metres_it_says_so() -> None:
    page = shown(looked=False, why_not="no-metres")
    assert "conflicts were not looked for: the camera is not calibrated" in page
    assert "<table" not in page
    assert "not judged" in conflicts_shown(a_summary(), texts("en"))


def test_the_sheet_has_a_row_per_type() -> None:
    rows = conflict_sheet(a_summary(conflicts={"cameras": [a_camera()]}), texts("en"))
    assert rows[1] == ["north", "Turning across the oncoming", 80, 7, 5, 1, 3, 0, 1, 2, 4]
    assert conflict_sheet(a_summary(), texts("en"))[1:] == []


def test_conflicts_are_drawn_from_above_and_on_the_street() -> None:
    watch = ConflictWatch()
    watch.update(
        at_once(
            driven(1, (-40.0, 0.0), (40.0, 0.0), speed_mps=10.0),
            driven(2, (0.0, -50.0), (0.0, 40.0), speed_mps=10.0),
        )
    )
    found = watch.close()
    assert found.is_conflict.all()
    zone = Zone(id="z", kind="junction", camera_id="c", polygon_m=((0, 0), (9, 0), (9, 9)))
    svg = conflict_map([found], site=Site(id="x", zones=(zone,)), texts=texts("en"), name="m")
    assert svg.startswith("<svg")
    assert "m east" in svg
    assert "level 4" in svg
    picture = np.zeros((90, 160, 3), np.uint8)
    places = [(80, 40), (500, 10), (np.nan, 3)]
    assert draw_conflicts(picture, places, levels=[3, 4, 4]) == 1
    assert picture.any()
