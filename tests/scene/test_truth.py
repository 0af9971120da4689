"""Passes of gates: sides, direction of drawing, waiting, turning back, journeys."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calmstreet.model.kinds import Kind
from calmstreet.model.site import Camera, Gate, Movement, Point, Site, Zone
from calmstreet.scene.truth import SceneTruth, TruthRow, crossings_of


def rows_along(feet: list[Point], actor: int = 1) -> list[TruthRow]:
    """Return rows whose feet walk through the given places, one a frame."""
    return [
        TruthRow(
            frame=frame,
            actor=actor,
            kind=int(Kind.CAR),
            box_px=(x - 10, y - 20, x + 10, y),
            visible_px=(x - 10, y - 20, x + 10, y),
            visible_share=1.0,
            head_px=None,
            plate_px=None,
            xy_m=(0.0, 0.0),
            velocity_mps=(0.0, 0.0),
            heading_rad=0.0,
            length_m=4.5,
            width_m=1.8,
        )
        for frame, (x, y) in enumerate(feet)
    ]


TIMES = np.linspace(0.0, 9.9, 100)
EAST = Gate(id="g", camera_id="c", points_px=((0.0, 100.0), (200.0, 100.0)))


def test_looking_right_the_upper_side_is_left() -> None:
    up = crossings_of(rows_along([(50, 140), (50, 110), (50, 80)]), TIMES, EAST)
    assert [(crossing.to_left, round(crossing.t_s, 3)) for crossing in up] == [(True, 0.133)]
    down = crossings_of(rows_along([(50, 80), (50, 140)]), TIMES, EAST)
    assert [crossing.to_left for crossing in down] == [False]


def test_beside_the_gate_nobody_passes() -> None:
    assert crossings_of(rows_along([(250, 140), (250, 80)]), TIMES, EAST) == []


def test_waiting_on_the_line_is_one_pass() -> None:
    shaking: list[Point] = [(50, 100 + 2 * (-1) ** i) for i in range(30)]
    feet: list[Point] = [(50, 140), *shaking, (50, 60)]
    assert [crossing.to_left for crossing in crossings_of(rows_along(feet), TIMES, EAST)] == [True]
    back: list[Point] = [(50, 140), *shaking, (50, 140)]
    assert crossings_of(rows_along(back), TIMES, EAST) == []


def test_turning_round_is_two_passes() -> None:
    found = crossings_of(rows_along([(50, 140), (50, 60), (90, 60), (90, 140)]), TIMES, EAST)
    assert [crossing.to_left for crossing in found] == [True, False]


@given(st.floats(0, 2 * math.pi), st.floats(-300, 300), st.floats(-300, 300))
def test_turning_the_picture_changes_nothing(turn: float, x: float, y: float) -> None:
    def moved(point: Point) -> Point:
        c, s = math.cos(turn), math.sin(turn)
        return (c * point[0] - s * point[1] + x, s * point[0] + c * point[1] + y)

    gate = Gate(id="g", camera_id="c", points_px=tuple(moved(p) for p in EAST.points_px))
    feet = [moved(p) for p in ((50.0, 140.0), (52.0, 60.0))]
    assert [crossing.to_left for crossing in crossings_of(rows_along(feet), TIMES, gate)] == [True]
    reverse = Gate(id="g", camera_id="c", points_px=gate.points_px[::-1])
    assert [c.to_left for c in crossings_of(rows_along(feet), TIMES, reverse)] == [False]


def site() -> Site:
    def area(name: str, top: float) -> Zone:
        corners = ((0.0, top), (200.0, top), (200.0, top + 30), (0.0, top + 30))
        return Zone(id=name, camera_id="c", kind="approach", polygon_px=corners)

    return Site(
        id="s",
        cameras=(Camera(id="c"),),
        gates=(EAST,),
        zones=(area("north", 20), area("south", 150)),
        movements=(
            Movement(id="s-n", from_id="south", to_id="north", turn="through"),
            Movement(id="s-s", from_id="south", to_id="south", turn="u"),
        ),
    )


def test_counts_have_the_shape_of_the_summary() -> None:
    through = rows_along([(50, 160), (50, 120), (50, 80), (50, 30)], actor=1)
    back = rows_along([(90, 160), (90, 60), (120, 60), (120, 160)], actor=2)
    truth = SceneTruth(
        site=site(),
        camera_id="c",
        t_ns=np.arange(4, dtype=np.int64),
        t_s=TIMES[:4],
        rows=(*through, *back),
    )
    assert truth.gate_counts() == [
        {
            "camera": "c",
            "gate": "g",
            "to_left": {"car": 2, "total": 2},
            "to_right": {"car": 1, "total": 1},
        }
    ]
    counts = {movement["turn"]: movement["total"] for movement in truth.movement_counts()}
    assert counts == {"through": 1, "u": 1}
    assert [crossing.t_s for crossing in truth.crossings()] == pytest.approx(
        [0.06, 0.15, 0.24], abs=0.1
    )
