"""The motion eye on streets of numbers: bodies are seen, light and noise are nobody."""

import numpy as np
import pytest
from numpy.typing import NDArray

from calmstreet.perception.motion import MotionEye, Moving

HEIGHT, WIDTH = 180, 320
NOBODY = np.empty((0, 4), np.float32)
STEP_NS = 100_000_000


def street(seed: int = 1) -> NDArray[np.uint8]:
    rough = np.random.default_rng(seed).integers(80, 150, (HEIGHT // 4, WIDTH // 4))
    return np.kron(rough, np.ones((4, 4))).astype(np.uint8)


def with_car(
    picture: NDArray[np.uint8], left: int, top: int = 80, light: int = 230
) -> NDArray[np.uint8]:
    out = picture.copy()
    out[top : top + 30, left : left + 50] = light
    out[top + 6 : top + 14, left + 8 : left + 42] = 20
    return out


def look(
    eye: MotionEye, step: int, picture: NDArray[np.uint8], held: NDArray[np.float32] = NOBODY
) -> Moving:
    return eye.look((step + 1) * STEP_NS, picture, 2.0, held)


def bodies(moving: Moving) -> NDArray[np.float32]:
    return moving.box_px[moving.body_share >= 0.12]


def test_a_car_is_one_box_in_picture_pixels() -> None:
    eye = MotionEye(samples=np.stack([street()] * 5))
    found = bodies(look(eye, 0, with_car(street(), 100)))
    assert found.shape == (1, 4)
    assert found[0] == pytest.approx([200, 160, 300, 220], abs=8)


def test_noise_is_nobody() -> None:
    rng = np.random.default_rng(2)
    noisy = [np.clip(street() + rng.normal(0, 4, (HEIGHT, WIDTH)), 0, 255) for _ in range(40)]
    eye = MotionEye(samples=np.stack(noisy[:10]).astype(np.uint8))
    for step, picture in enumerate(noisy[10:]):
        assert len(bodies(look(eye, step, picture.astype(np.uint8)))) == 0


@pytest.mark.parametrize("factor", [0.55, 0.75, 1.3])
def test_a_soft_shadow_or_headlight_is_nobody(factor: float) -> None:
    eye = MotionEye(samples=np.stack([street()] * 5))
    x = np.linspace(-1, 1, WIDTH)[None, :]
    y = np.linspace(-1, 1, HEIGHT)[:, None]
    spot = np.clip(1.4 - np.hypot(3 * x, 2.5 * y), 0, 1)
    lit = np.clip(street() * (1 + (factor - 1) * spot), 0, 255).astype(np.uint8)
    assert len(bodies(look(eye, 0, lit))) == 0


def test_a_beam_on_a_dark_road_is_nobody_and_a_car_there_is_somebody() -> None:
    """A sensor's noise and all: the beam makes the road four times as bright."""
    dice = np.random.default_rng(4)
    dark = (street() * 0.35).astype(np.uint8)

    def noisy(picture: NDArray[np.float64]) -> NDArray[np.uint8]:
        return np.clip(picture + dice.normal(0, 3, picture.shape), 0, 255).astype(np.uint8)

    x = np.linspace(-1, 1, WIDTH)[None, :]
    y = np.linspace(-1, 1, HEIGHT)[:, None]
    beam = 1 + 3 * np.clip(1.4 - np.hypot(3 * x, 2.5 * y), 0, 1)
    eye = MotionEye(samples=np.stack([noisy(dark.astype(float)) for _ in range(25)]))
    assert len(bodies(look(eye, 0, noisy(dark * beam)))) == 0
    assert len(bodies(look(eye, 1, noisy(with_car(dark, 100, light=60).astype(float))))) == 1


def test_a_cloud_over_everything_is_nobody() -> None:
    eye = MotionEye(samples=np.stack([street()] * 5))
    for step in range(20):
        dim = (street() * (1 - 0.015 * step)).astype(np.uint8)
        assert len(bodies(look(eye, step, dim))) == 0


def test_a_sway_of_one_pixel_is_nobody() -> None:
    eye = MotionEye(samples=np.stack([street()] * 5))
    for step, shift in enumerate((1, -1, 1, 0, -1)):
        assert len(bodies(look(eye, step, np.roll(street(), shift, axis=1)))) == 0


def test_a_car_that_stands_ten_minutes_is_not_learned_while_somebody_holds_it() -> None:
    eye = MotionEye(samples=np.stack([street()] * 5))
    held = np.array([[200, 160, 300, 220]], np.float32)
    picture = with_car(street(), 100)
    for second in range(600):
        seen = eye.look((second + 1) * 10**9, picture, 2.0, held)
    assert len(bodies(seen)) == 1
    assert np.abs(eye.street().astype(int) - street()).max() <= 12


def test_a_ghost_fades() -> None:
    eye = MotionEye(samples=np.stack([with_car(street(), 100)] * 5))
    empty = street()
    assert len(bodies(look(eye, 0, empty))) == 1
    for second in range(1, 60):
        seen = eye.look(second * 10**9, empty, 2.0, NOBODY)
    assert len(bodies(seen)) == 0


def test_what_is_ignored_is_not_seen() -> None:
    ignore = np.zeros((HEIGHT, WIDTH), np.uint8)
    ignore[:, 90:170] = 255
    eye = MotionEye(samples=np.stack([street()] * 5), ignore=ignore)
    assert len(look(eye, 0, with_car(street(), 100)).box_px) == 0


def test_without_samples_the_first_frame_is_the_street() -> None:
    eye = MotionEye()
    assert len(bodies(look(eye, 0, street()))) == 0
    assert len(bodies(look(eye, 1, with_car(street(), 30)))) == 1
