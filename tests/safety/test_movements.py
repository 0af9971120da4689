import numpy as np
import pytest
from tests.builders import a_site, a_track, points_at, steps_of, together
from tests.safety.test_flow import APPROACHES, count, scene

from calmstreet.model.kinds import Kind
from calmstreet.model.points import TrackPoints
from calmstreet.model.site import Movement, Site
from calmstreet.safety.movements import movements_of, turn_of, turns_of

ID = 1 << 32


def names(points: TrackPoints, site: Site) -> dict[int, str]:
    mine = count(points, site=site).journeys
    return {int(i) - ID: str(m) for i, m in zip(mine.track_id, mine.movement_id, strict=True)}


def test_every_journey_finds_its_pair_and_fragments_stay_unknown() -> None:
    site, points = scene()
    assert names(points, site) == {1: "w-e", 2: "w-s", 3: "e-e", 4: "unknown", 5: "w-e"}


def test_turns_come_from_headings_on_the_picture() -> None:
    site, points = scene()
    turns = {turn.id: turn for turn in turns_of(site, [count(points, site=site)])}
    assert len(turns) == 9
    assert (turns["w-e"].turn, turns["w-e"].source, turns["w-e"].journeys) == (
        "through",
        "picture",
        2,
    )
    assert turns["w-s"].turn == "right"
    assert (turns["e-e"].turn, turns["e-e"].source) == ("u", "same approach")
    assert turns["s-w"].turn == ""


def test_metres_are_believed_before_the_picture() -> None:
    site, _ = scene()
    track = a_track(via=((40, 220), (330, 220), (330, 355)), speed_mps=7)
    feet = track.foot_px()
    track.xy_m[:] = feet * np.array([0.1, 0.1], np.float32)
    turns = {turn.id: turn for turn in turns_of(site, [count(track, site=site)])}
    assert (turns["w-s"].turn, turns["w-s"].source) == ("left", "metres")


def test_a_given_turn_wins_and_only_given_pairs_count() -> None:
    _, points = scene()
    site = a_site(
        approaches=APPROACHES, movements=(Movement(id="main", from_id="w", to_id="e", turn="left"),)
    )
    assert names(points, site) == {1: "main", 2: "unknown", 3: "unknown", 4: "unknown", 5: "main"}
    (turn,) = turns_of(site, [count(points, site=site)])
    assert (turn.turn, turn.source) == ("left", "given")


def test_gates_may_be_ends_of_movements() -> None:
    gates = {"a": ((150, 300), (150, 100)), "b": ((450, 300), (450, 100))}
    pairs = (("a", "b"), ("b", "a"), ("a", "a"))
    site = a_site(
        gates=gates,
        movements=tuple(Movement(id=f"{f}-{t}", from_id=f, to_id=t) for f, t in pairs),
    )
    tracks = (
        a_track(serial=1),
        a_track(serial=2, via=((540, 220), (100, 220))),
        a_track(serial=3, via=((100, 150), (300, 150), (300, 180), (100, 180))),
        a_track(serial=4, via=((100, 250), (300, 250))),
    )
    assert names(together(*tracks), site) == {1: "a-b", 2: "b-a", 3: "a-a", 4: "unknown"}


def test_who_never_leaves_its_approach_made_no_movement() -> None:
    site, _ = scene()
    wiggle = a_track(via=((30, 150), (120, 150), (120, 200), (30, 200)), speed_mps=4)
    mine = count(wiggle, site=site).journeys
    assert (mine.entry_id[0], mine.exit_id[0], mine.movement_id[0]) == ("w", "unknown", "unknown")


def test_trembling_on_the_border_of_an_approach_is_no_u_turn() -> None:
    site, _ = scene()
    steps = steps_of(20)
    feet = np.array([(140 + (4 if i % 2 else -4), 200) for i in range(len(steps))], float)
    feet[:20, 0] = np.linspace(20, 136, 20)
    mine = count(points_at(steps, feet), site=site, steps=steps).journeys
    assert mine.movement_id[0] == "unknown"


def test_first_seen_in_the_middle_and_leaving_is_an_exit() -> None:
    site, _ = scene()
    mine = count(a_track(via=((330, 200), (600, 200))), site=site).journeys
    assert (mine.entry_id[0], mine.exit_id[0]) == ("unknown", "e")


def test_a_small_approach_that_is_passed_right_through_is_still_touched() -> None:
    small = {"w": ((100, 150), (110, 150), (110, 250), (100, 250)), "e": APPROACHES["e"]}
    track = a_track(via=((60, 200), (600, 200)), speed_mps=20, fps=5)
    assert names(track, a_site(approaches=small)) == {1: "w-e"}


def test_no_approaches_no_movements() -> None:
    assert movements_of(a_site()) == ()
    assert names(a_track(kind=Kind.BICYCLE), a_site()) == {1: "unknown"}


@pytest.mark.parametrize(
    ("leave", "turn"),
    [((0, 1), "through"), ((-1, 0.1), "left"), ((1, 0.1), "right"), ((0, 0), ""), ((0, -1), "u")],
)
def test_turns(leave: tuple[float, float], turn: str) -> None:
    assert turn_of((0, 2), leave) == turn
