"""Turns that are allowed on red after a stop: who makes one, who does not, and who was not seen."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import together
from tests.drives import Timed, a_drive, a_place, found_by, states

from calmstreet.config.site import dump_site_toml, parse_site
from calmstreet.errors import ConfigError
from calmstreet.model.event import Event
from calmstreet.model.points import TrackPoints
from calmstreet.model.signals import SignalState

GATE = """
[[gate]]
id = "line"
points_m = [[0, -3], [0, 0]]
signal = "head"
direction = "to_right"
"""
TURNS = GATE + 'turn_on_red = "right"\n'
RED = states([(0.0, "head", SignalState.RED)])
STOPS: tuple[Timed, ...] = ((0.0, -60.0, -1.5), (6.0, -2.5, -1.5), (9.0, -2.5, -1.5))
ROLLS: tuple[Timed, ...] = ((0.0, -60.0, -1.5), (6.0, -12.0, -1.5), (9.0, -2.5, -1.5))


def right(serial: int = 1, before: tuple[Timed, ...] = STOPS) -> TrackPoints:
    return a_drive([*before, (11.5, 5.0, -1.5), (16.0, 5.0, -35.0)], serial=serial)


def runs(rows: TrackPoints, site: str = TURNS) -> list[Event]:
    return found_by(a_place(site), rows, signals=RED, only=["red-light"])


def test_who_stops_and_turns_where_it_is_allowed_runs_no_red_light() -> None:
    assert len(runs(right(), GATE)) == 1
    assert runs(right()) == []


def test_who_does_not_stop_first_runs_it() -> None:
    (event,) = runs(right(before=ROLLS))
    assert event.exceptions == ()
    assert event.severity > 1
    assert event.values["least_mps"] == pytest.approx(3.0, abs=0.01)
    assert "turned right without a stop" in event.reasons[-1]


@pytest.mark.parametrize(
    "after",
    [
        [(12.0, 6.5, -1.5), (18.0, 60.0, -1.5)],
        [(12.0, 6.5, -1.5), (17.0, 6.5, 40.0)],
        [(12.0, 6.5, -1.5), (42.0, 20.0, -1.5)],
    ],
    ids=["straight-on", "to-the-other-side", "slowly-on"],
)
def test_who_stops_and_goes_elsewhere_runs_it(after: list[Timed]) -> None:
    (event,) = runs(a_drive([*STOPS, *after]))
    assert event.exceptions == ()
    assert "least_mps" not in event.values


def test_what_was_not_seen_is_an_exception() -> None:
    (lost,) = runs(a_drive([*STOPS, (11.5, 5.5, -1.5)]))
    assert lost.severity == 0
    assert "turning right is allowed on red; whether it turned was not seen" in lost.exceptions
    began: tuple[Timed, ...] = ((8.0, -5.5, -1.5),)
    (unknown,) = runs(right(before=began))
    assert unknown.severity == 0
    assert "whether it stopped first was not seen" in unknown.exceptions[0]


def test_who_waits_past_the_line_may_be_about_to_turn() -> None:
    past: list[Timed] = [(0.0, -60.0, -1.5), (6.0, 0.0, -1.5), (12.0, 0.0, -1.5)]
    for site, exceptions in ((GATE, ()), (TURNS, ("turning right is allowed here on red",))):
        (event,) = found_by(a_place(site), a_drive(past), signals=RED, only=["stop-line"])
        assert event.exceptions == exceptions


@settings(max_examples=25)
@given(st.lists(st.integers(0, 180), max_size=4))
def test_blocks_may_be_cut_anywhere(cuts: list[int]) -> None:
    rows = together(
        right(), right(serial=2, before=ROLLS), a_drive([*STOPS, (11, 5.5, -1.5)], serial=3)
    )
    whole = runs(rows)
    assert len(whole) == 2
    cut = found_by(a_place(TURNS), rows, signals=RED, only=["red-light"], cuts=cuts)
    assert cut == whole


def test_the_setting_is_read_kept_and_refused_where_it_means_nothing() -> None:
    site = a_place(TURNS.replace("points_m", "points_px") + '[[signal]]\nid = "head"\n')
    assert site.gates[0].turn_on_red == "right"
    assert parse_site(dump_site_toml(site)).site_version == site.site_version
    with pytest.raises(ConfigError, match="turn_on_red belongs to a gate with a signal"):
        a_place(TURNS.replace('signal = "head"\n', ""))
