"""The errors that we measured: complete rows, of known light, in every report."""

from calmstreet.perception.light import LIGHTS
from calmstreet.report.known_errors import KnownError, known_errors
from calmstreet.report.page import report_html


def test_every_row_has_every_field_of_the_right_sort() -> None:
    wanted = {
        name: kind for name, kind in KnownError.__annotations__.items() if name != "points_px"
    }
    for row in known_errors():
        plain = {name: value for name, value in row.items() if name != "points_px"}
        assert {name: type(value) for name, value in plain.items()} == wanted, row["clip"]
        assert row["light"] in LIGHTS
        assert row["truth"] > 0
        assert row["counted"] >= 0
        assert row["note"].strip()


def test_gates_have_two_points_or_more() -> None:
    gates = [row["points_px"] for row in known_errors() if "points_px" in row]
    assert gates
    assert all(len(points) >= 2 and {len(p) for p in points} == {2} for points in gates)


def test_no_clip_stands_twice() -> None:
    names = [row["clip"] for row in known_errors()]
    assert len(set(names)) == len(names)


def test_a_report_shows_them_with_their_notes() -> None:
    page = report_html(summary={}, pictures={}, charts={}, known_errors=known_errors())
    for row in known_errors():
        assert row["clip"] in page
        assert row["note"] in page
