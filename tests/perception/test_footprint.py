"""Footprints from boxes: the round trip, both ends of a vehicle, unknown headings."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.perception.on_the_ground import exact_plane

from calmstreet.model.kinds import LENGTH_M, WIDTH_M, Kind
from calmstreet.perception.footprint import Body, body_box_px, place_bodies

PLANE = exact_plane()


def a_body(kind: Kind, heading_rad: float) -> Body:
    return Body(
        kind=np.array([kind], np.uint8),
        heading_rad=np.array([heading_rad]),
        length_m=np.array([LENGTH_M[kind]]),
        width_m=np.array([WIDTH_M[kind]]),
    )


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(list(Kind)),
    heading=st.floats(-3.2, 3.2),
    east=st.floats(-6, 6),
    north=st.floats(18, 40),
)
def test_a_body_is_found_where_it_was_put(
    kind: Kind, heading: float, east: float, north: float
) -> None:
    body = a_body(kind, heading)
    place = np.array([[east, north]])
    found = place_bodies(PLANE, body, body_box_px(PLANE, body, place))
    assert np.hypot(*(found - place)[0]) < 0.1


@pytest.mark.parametrize(("heading", "end"), [(np.pi / 2, -1), (-np.pi / 2, 1)])
def test_the_foot_is_the_rear_of_who_leaves_and_the_front_of_who_comes(
    heading: float, end: int
) -> None:
    body = a_body(Kind.CAR, heading)
    place = np.array([[1.0, 25.0]])
    box = body_box_px(PLANE, body, place)
    foot = PLANE.to_m([[(box[0, 0] + box[0, 2]) / 2, box[0, 3]]])[0]
    along = (foot - place[0]) @ [np.cos(heading), np.sin(heading)]
    assert 0.5 < end * along / (LENGTH_M[Kind.CAR] / 2) < 1.01


def test_an_unknown_heading_puts_the_centre_behind_the_foot() -> None:
    box = body_box_px(PLANE, a_body(Kind.CAR, 0.0), np.array([[0.0, 25.0]]))
    found = place_bodies(PLANE, a_body(Kind.CAR, np.nan), box)
    assert np.hypot(*(found[0] - [0.0, 25.0])) < 1.6


def test_over_the_horizon_there_is_no_place() -> None:
    box = np.array([[400.0, -200.0, 420.0, -150.0]])
    assert np.isnan(place_bodies(PLANE, a_body(Kind.CAR, 0.0), box)).all()
