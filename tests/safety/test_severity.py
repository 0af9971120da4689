"""Consequence curves hit their published points; the top level needs both axes."""

import numpy as np
import pytest

from calmstreet.model.kinds import Kind
from calmstreet.safety.severity import (
    MASS_KG,
    fatal_share_occupants,
    level_of,
    severe_share_unprotected,
)

MPH = 0.44704


@pytest.mark.parametrize(
    ("mph", "share"), [(17.1, 0.10), (24.9, 0.25), (33.0, 0.50), (40.8, 0.75), (48.1, 0.90)]
)
def test_published_points_of_struck_pedestrians(mph: float, share: float) -> None:
    assert severe_share_unprotected(mph * MPH) == pytest.approx(share, abs=1e-9)


def test_curves_rise_and_stay_shares() -> None:
    speed = np.linspace(0, 60, 200)
    for share in (severe_share_unprotected(speed), fatal_share_occupants(speed)):
        assert (np.diff(share) >= 0).all()
        assert ((share >= 0) & (share <= 1)).all()
    assert np.isnan(severe_share_unprotected(np.nan))


def test_nearness_alone_never_reaches_the_top() -> None:
    near = np.linspace(-0.5, 3, 50)
    assert level_of(near, is_grave=np.zeros(50, np.bool_)).max() == 2
    assert level_of(near, is_grave=np.ones(50, np.bool_)).max() == 4
    assert level_of(2.9, is_grave=True) == 1


def test_masses_are_those_of_the_kinds() -> None:
    assert MASS_KG[Kind.PEDESTRIAN] == 75
    assert MASS_KG[Kind.TRUCK] == MASS_KG[Kind.BUS] == 12000
