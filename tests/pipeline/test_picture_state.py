"""A frozen or covered picture is told; a quiet street is not."""

import numpy as np
from numpy.typing import NDArray

from calmstreet.pipeline.picture_state import FROZEN_S, PictureState
from calmstreet.units import NS_PER_S


def street(seed: int = 1) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(20, 200, (90, 160)).astype(np.uint8)


def states(state: PictureState, pictures: list[NDArray[np.uint8]], from_s: float) -> list[str]:
    return [
        state.update(round((from_s + k / 5) * NS_PER_S), picture)
        for k, picture in enumerate(pictures)
    ]


def test_a_street_is_neither() -> None:
    found = states(PictureState(), [street(k) for k in range(50)], 0.0)
    assert set(found) == {""}


def test_a_picture_that_stands_still_is_frozen_until_it_moves() -> None:
    state = PictureState()
    found = states(state, [street()] * round(5 * (FROZEN_S + 5)), 0.0)
    assert found[round(5 * (FROZEN_S - 2))] == ""
    assert found[-1] == "frozen"
    assert states(state, [street(2), street(3), street(4), street(5)], 60.0)[-1] == ""


def test_one_grey_level_is_life() -> None:
    pictures = [street() for _ in range(300)]
    for k, picture in enumerate(pictures):
        picture[k % 90, k % 160] ^= 1
    assert set(states(PictureState(), pictures, 0.0)) == {""}


def test_a_covered_lens_is_told_within_three_seconds() -> None:
    dark = [np.full((90, 160), 7, np.uint8) for _ in range(30)]
    state = PictureState()
    assert states(state, [street(k) for k in range(20)], 0.0)[-1] == ""
    found = states(state, dark, 4.0)
    assert found[5] == ""
    assert found[15] == "obscured"
    assert states(state, [street(9)] * 4, 12.0)[-1] == ""
