import re
from xml.etree import ElementTree

import numpy as np
import pytest

from calmstreet.model.bins import Bins
from calmstreet.model.kinds import Kind
from calmstreet.report.charts import (
    counts_chart,
    cumulative_chart,
    headway_chart,
    light_chart,
    shares_chart,
)
from calmstreet.report.colours import KIND_HEX
from calmstreet.report.texts import LANGUAGES, texts
from calmstreet.report.turning import turning_chart

QUARTER_NS = 900 * 10**9
MOVES = [
    {"from": "s", "to": "n", "turn": "through", "counts": {"total": 1700}},
    {"from": "s", "to": "e", "turn": "right", "counts": {"total": 220}},
    {"from": "unknown", "to": "unknown", "turn": "unknown", "counts": {"total": 99}},
]


def some_bins(exposure_s: tuple[float, ...] = (900.0, 900.0, 0.0, 300.0)) -> Bins:
    n = len(exposure_s)
    return Bins(
        camera_id="north",
        site_version="x",
        width_s=900.0,
        what=np.array(["gate:g:to_left"] * n),
        kind=np.array([Kind.CAR, Kind.BUS, Kind.CAR, Kind.CAR], np.uint8)[:n],
        start_ns=np.arange(n) * QUARTER_NS,
        count=np.array([5, 3, 0, 2], np.float32)[:n],
        exposure_s=np.array(exposure_s, np.float32),
        flags=np.array([""] * n),
    )


def all_charts(lang: str) -> dict[str, str]:
    words = texts(lang)
    return {
        "counts": counts_chart(some_bins(), texts=words, tz="Asia/Almaty"),
        "offsets": counts_chart(some_bins(), texts=words, tz=None, name="offsets"),
        "cumulative": cumulative_chart({"g": [1.0, 2.5]}, duration_s=9.0, texts=words),
        "headways": headway_chart([1.0, 2.0, np.nan, 40.0], texts=words),
        "shares": shares_chart({"car": 9, "bus": 1}, texts=words),
        "light": light_chart([(0, QUARTER_NS, "day")], texts=words, tz="UTC"),
        "turning": turning_chart(MOVES, texts=words),
    }


@pytest.mark.parametrize("lang", LANGUAGES)
def test_charts_are_whole_elements_that_ask_for_nothing(lang: str) -> None:
    for name, svg in all_charts(lang).items():
        assert svg.startswith("<svg"), name
        ElementTree.fromstring(svg)
        assert not re.search(r"https?:|xmlns|<style|<metadata|<script", svg), name
        assert "currentColor" in svg, name


def test_ids_are_single_over_all_charts_of_a_page_and_references_hit() -> None:
    svgs = "".join(all_charts("en").values())
    ids = re.findall(r'\bid="([^"]+)"', svgs)
    assert len(ids) == len(set(ids))
    used = set(re.findall(r'(?:href="|url\()#([^")]+)', svgs))
    assert used
    assert used <= set(ids)


def test_the_same_data_give_the_same_bytes() -> None:
    assert all_charts("ru") == all_charts("ru")


def test_what_nobody_watched_is_hatched_and_named() -> None:
    gap = counts_chart(some_bins(), texts=texts("ru"), tz="UTC")
    whole = counts_chart(some_bins((900.0, 900.0, 900.0, 900.0)), texts=texts("ru"), tz="UTC")
    assert "нет наблюдения" in gap
    assert "наблюдалось частично" in gap
    assert "<pattern" in gap
    assert "нет наблюдения" not in whole
    assert "<pattern" not in whole


def test_a_slice_without_any_row_was_not_watched_either() -> None:
    bins = some_bins((900.0, 900.0))
    apart = Bins(
        camera_id="n", site_version="x", width_s=900.0, what=bins.what, kind=bins.kind,
        start_ns=np.array([0, 3 * QUARTER_NS]), count=bins.count,
        exposure_s=bins.exposure_s, flags=bins.flags,
    )  # fmt: skip
    assert "not watched" in counts_chart(apart, texts=texts("en"), tz="UTC")


def test_clock_times_only_where_the_clock_is_known() -> None:
    charts = all_charts("en")
    assert "Time of day, 1970-01-01, Asia/Almaty" in charts["counts"]
    assert "06:15" in charts["counts"]
    assert ":15" not in re.sub(r'style="[^"]*"', "", charts["offsets"])
    assert "Minutes from the start" in charts["offsets"]


def test_kinds_wear_the_colours_of_the_pictures_and_the_words_of_the_language() -> None:
    svg = all_charts("kk")["counts"]
    assert KIND_HEX[Kind.CAR] in svg
    assert KIND_HEX[Kind.BUS] in svg
    assert KIND_HEX[Kind.TRUCK] not in svg
    assert "Жеңіл көліктер" in svg


def test_turning_names_known_ends_only_and_writes_numbers_locally() -> None:
    svg = turning_chart(MOVES, texts=texts("uz"))
    assert "1\u202f700" in svg
    assert ">99<" not in svg
    assert ">unknown<" not in svg
    assert "toʻgʻriga" in svg


def test_empty_data_give_a_chart_without_a_fault() -> None:
    words = texts("en")
    empty = some_bins(())
    for svg in (
        counts_chart(empty, texts=words, tz=None),
        cumulative_chart({}, duration_s=0.0, texts=words),
        headway_chart([], texts=words),
        shares_chart({}, texts=words),
        light_chart([], texts=words, tz=None),
        turning_chart([], texts=words),
    ):
        ElementTree.fromstring(svg)


def test_hostile_names_stay_text() -> None:
    name = '<script>$x^2$ & "--></svg>'
    svg = cumulative_chart({name: [1.0]}, duration_s=2.0, texts=texts("en"))
    root = ElementTree.fromstring(svg)
    assert f"{name}: 1" in {element.text for element in root.iter()}
