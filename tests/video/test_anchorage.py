"""How a picture lies on its street: found to a fraction of a pixel, whatever else changes."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from math import radians

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.shared_data import shared_data

from calmstreet.geometry.turning import points_through, turn_matrix
from calmstreet.scene.camera import Pinhole
from calmstreet.scene.script import demo_street
from calmstreet.scene.stage import Scene, Stage
from calmstreet.units import ns_from_s
from calmstreet.video.anchorage import Anchorage, Registration
from calmstreet.video.landmarks import Landmarks
from calmstreet.video.source import FileSource

Picture = NDArray[np.uint8]
WIDTH, HEIGHT = 480, 270
CENTRE = (WIDTH / 2, HEIGHT / 2)
PROBES = np.array([[x, y] for x in (60, 240, 420) for y in (60, 135, 220)], np.float64)
Turn = tuple[float, float, float, float]
STILL: Turn = (0.0, 0.0, 0.0, 0.0)


def a_street(seed: int = 3) -> Picture:
    """A textured view with soft and hard edges."""
    dice = np.random.default_rng(seed)
    coarse = dice.normal(120, 30, (HEIGHT // 9, WIDTH // 9)).astype(np.float32)
    grey = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    for x in dice.integers(0, WIDTH, (6, 2)).tolist():
        cv2.line(grey, (x[0], HEIGHT), (x[1], 40), 220.0, 3)
    return np.clip(grey, 0, 255).astype(np.uint8)


STREET = a_street()


def turn_px(turn: Turn) -> NDArray[np.float64]:
    return turn_matrix(turn, focal_px=0.9 * WIDTH, centre_px=CENTRE)


def seen(turn: Turn, *, noise: float = 3.0, seed: int = 0, street: Picture = STREET) -> Picture:
    moved = cv2.warpPerspective(
        street, turn_px(turn), (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT
    )
    noisy = moved + np.random.default_rng(seed).normal(0, noise, moved.shape)
    return np.asarray(np.clip(noisy, 0, 255), np.uint8)


def watched(
    picture_at: Callable[[float], Picture],
    *,
    seconds: float = 24.0,
    reference: Picture | None = None,
) -> tuple[Anchorage, list[Registration]]:
    anchorage = Anchorage(width_px=2 * WIDTH, reference=reference)
    every = [
        anchorage.update(ns_from_s(k / 10), picture_at(k / 10)) for k in range(round(10 * seconds))
    ]
    return anchorage, every


def off_px(lies: Registration, turn: Turn) -> float:
    """Return by how many camera pixels at most a registered place is wrong."""
    true = points_through(PROBES, turn_px(turn))
    back = points_through(2 * true, lies.matrix)
    return float(np.hypot(*(back - 2 * PROBES).T).max())


@pytest.mark.parametrize(
    "turn",
    [
        STILL,
        (0.002, 0.0, 0.0, 0.0),
        (0.0, -0.01, 0.0, 0.0),
        (0.035, 0.01, 0.0, 0.0),
        (0.0, 0.0, 0.009, 0.0),
        (0.0, 0.0, 0.0, 0.02),
    ],
)
def test_a_turn_is_measured_to_a_fraction_of_a_pixel(turn: Turn) -> None:
    landmarks = Landmarks(STREET)
    picture = seen(turn)
    found = landmarks.locate(picture, near=np.zeros(4))
    found = found if found.sure else landmarks.search(picture)
    assert found.sure
    wrong = points_through(PROBES, landmarks.matrix(found.turn)) - points_through(
        PROBES, turn_px(turn)
    )
    assert np.hypot(*wrong.T).max() < 0.15
    assert found.sigma_px < 0.1


def test_another_view_is_not_taken_for_this_one() -> None:
    landmarks = Landmarks(STREET)
    for seed in range(10, 16):
        assert not landmarks.search(seen(STILL, street=a_street(seed), seed=seed)).sure


def test_plain_grey_has_no_landmarks() -> None:
    assert len(Landmarks(np.full((HEIGHT, WIDTH), 90, np.uint8))) == 0
    anchorage, every = watched(lambda _: np.full((HEIGHT, WIDTH), 90, np.uint8))
    assert len(anchorage.shifts()) == 0
    assert all(lies.still for lies in every)


def changing(t_s: float) -> Picture:
    """A still camera: a cloud passes, exposure swings, a bus fills 40 % of the view, rain falls."""
    picture = seen(STILL, seed=round(10 * t_s)).astype(np.float32)
    shade = 1 - 0.45 / (1 + np.exp(-(np.arange(WIDTH) - 60 * (t_s - 6)) / 15))
    picture *= shade * (1 + 0.15 * np.sin(t_s / 2))
    left = round((t_s % 8) / 8 * 700) - 200
    picture[60:250, max(left, 0) : max(left + 190, 0)] = 70
    dice = np.random.default_rng(round(10 * t_s))
    for x, y in dice.integers(0, (WIDTH, HEIGHT), (60, 2)):
        picture[y : y + 12, x] += 30
    return np.clip(picture, 0, 255).astype(np.uint8)


def test_light_rain_and_a_bus_are_no_shift() -> None:
    anchorage, every = watched(changing, seconds=30.0)
    assert len(anchorage.shifts()) == 0
    assert anchorage.sway_px == 0
    assert all(lies.still and not lies.moved for lies in every)


def test_a_lorry_before_the_lens_for_ten_seconds_is_no_shift() -> None:
    lorry = np.tile(np.arange(WIDTH) % 60 * 3, (HEIGHT, 1)).astype(np.uint8)
    anchorage, every = watched(lambda t_s: lorry if 9 <= t_s < 19 else seen(STILL))
    assert len(anchorage.shifts()) == 0
    assert not any(lies.moved for lies in every)


def test_a_sway_is_registered_out_picture_by_picture() -> None:
    def swing(t_s: float) -> Turn:
        return (0.0, 0.005 * float(np.sin(2 * np.pi * t_s)), 0.0, 0.0)

    anchorage, every = watched(lambda t_s: seen(swing(t_s), seed=round(10 * t_s)))
    assert len(anchorage.shifts()) == 0
    assert anchorage.sway_px == pytest.approx(2 * 0.9 * WIDTH * 0.005, abs=0.6)
    wrong = [off_px(lies, swing(k / 10)) for k, lies in enumerate(every)][70:]
    assert np.quantile(wrong, 0.95) < 0.8
    boxes = np.array([[100, 100, 180, 160]], np.float32)
    assert np.allclose(every[-1].as_seen(every[-1].registered(boxes)), boxes, atol=0.1)


def _picture_of(pictures: list[Picture], t_s: float) -> Picture:
    return pictures[round(10 * t_s)]


def test_a_slow_sway_needs_few_samples_and_a_quick_one_each_picture() -> None:
    """A sample costs as much as half of the motion eye: who swings slowly gets few of them."""
    shares = []
    for hz in (0.1, 2.0):
        phases = 2 * np.pi * hz * np.maximum(np.arange(240) / 10 - 6, 0)
        swings: list[Turn] = [(0.0, 0.003 * float(part), 0.0, 0.0) for part in np.sin(phases)]
        pictures = [seen(swing, seed=k) for k, swing in enumerate(swings)]
        anchorage, every = watched(partial(_picture_of, pictures))
        wrong = [off_px(*pair) for pair in zip(every, swings, strict=True)][70:]
        shares.append(anchorage.sightings / 170)
        assert np.quantile(wrong, 0.95) < 1.2
    assert shares[0] < 0.55
    assert shares[1] > 0.85


def test_a_push_has_its_start_and_its_place() -> None:
    turn: Turn = (0.004, 0.0, 0.0, 0.0)
    anchorage, every = watched(lambda t_s: seen(turn if t_s >= 12 else STILL, seed=round(9 * t_s)))
    shifts = anchorage.shifts()
    assert len(shifts) == 1
    assert shifts.start_ns[0] / 1e9 == pytest.approx(11.7, abs=0.4)
    assert shifts.end_ns[0] == ns_from_s(23.9)
    assert off_px(every[-1], turn) < 0.3
    assert every[-1].moved
    assert np.allclose(shifts.matrix[0], every[-1].matrix)


def test_a_camera_turned_far_away_is_lost_until_it_is_back() -> None:
    other = seen(STILL, street=a_street(9))
    anchorage, _ = watched(lambda t_s: other if 10 <= t_s < 34 else seen(STILL), seconds=45.0)
    shifts = anchorage.shifts()
    assert shifts.found.tolist() == [False]
    assert shifts.start_ns[0] / 1e9 == pytest.approx(9.7, abs=0.4)
    assert shifts.end_ns[0] / 1e9 == pytest.approx(34.3, abs=0.5)


def test_night_falls_and_the_camera_is_still_known() -> None:
    """Within five minutes nothing is alike any more; still, and then pushed."""
    night = cv2.GaussianBlur(a_street(21), (0, 0), 3)

    def dusk(t_s: float) -> Picture:
        share = float(np.clip((t_s - 20) / 300, 0, 1))
        turn: Turn = (0.006, 0.0, 0.0, 0.0) if t_s >= 330 else STILL
        both = cv2.addWeighted(STREET, 1 - share, night, share, 0)
        return seen(turn, street=np.asarray(both, np.uint8), seed=round(10 * t_s))

    anchorage = Anchorage(width_px=2 * WIDTH)
    for t_s in np.arange(0, 360, 0.6):
        anchorage.update(ns_from_s(float(t_s)), dusk(float(t_s)))
    (start_ns,) = anchorage.shifts().start_ns
    assert anchorage.shifts().found.all()
    assert start_ns / 1e9 == pytest.approx(329.5, abs=1.5)


def test_the_reference_finds_a_run_that_starts_elsewhere() -> None:
    turn: Turn = (0.008, 0.0, 0.0, 0.0)
    blurred = STREET.copy()
    blurred[100:180, 100:220] = cv2.blur(blurred[100:180, 100:220], (31, 31))
    anchorage, every = watched(lambda _: seen(turn), seconds=8.0, reference=blurred)
    assert anchorage.compared is True
    assert every[0].moved
    assert off_px(every[0], turn) < 0.4
    assert anchorage.shifts().start_ns.tolist() == [0]
    large = np.asarray(cv2.resize(STREET, (640, 360)), np.uint8)
    same, _ = watched(lambda _: seen(STILL), seconds=8.0, reference=large)
    assert same.compared is True
    assert len(same.shifts()) == 0
    other, _ = watched(lambda _: seen(STILL), seconds=8.0, reference=a_street(30))
    assert other.compared is False
    assert len(other.shifts()) == 0


def test_what_is_masked_is_no_landmark() -> None:
    """A clock burnt into the picture does not turn with the camera."""
    turn: Turn = (0.008, 0.0, 0.0, 0.0)
    hidden = np.zeros((HEIGHT, WIDTH), np.uint8)
    hidden[:, WIDTH // 4 :] = 255
    assert 0 < len(Landmarks(STREET, hidden=hidden)) < 16
    found = Landmarks(STREET, hidden=hidden).search(seen(turn))
    assert found.turn[0] == pytest.approx(0.008, abs=0.001)


def shifted_by(scene: Scene, camera: Pinhole) -> Anchorage:
    stage = Stage(replace(scene, turns=((8.0, camera),)))
    anchorage = Anchorage(width_px=camera.width_px)
    for k in range(140):
        picture, _ = stage.picture(k / 10, k)
        small = cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        anchorage.update(
            ns_from_s(k / 10), np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.uint8)
        )
    return anchorage


@pytest.mark.slow
@pytest.mark.parametrize("pan_deg", [0.08, 1.0])
def test_a_rendered_street_from_a_turned_camera(pan_deg: float) -> None:
    scene = demo_street(20.0)
    camera = replace(scene.camera, yaw_rad=radians(pan_deg))
    shifts = shifted_by(scene, camera).shifts()
    assert len(shifts) == 1
    assert shifts.start_ns[0] / 1e9 == pytest.approx(7.7, abs=0.4)
    places = 2 * PROBES
    wrong = points_through(points_through(places, camera.seen_from(scene.camera)), shifts.matrix[0])
    assert np.hypot(*(wrong - places).T).max() < 0.7


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "most_px"),
    [
        ("opencv_vtest_pets09_s2l1.mp4", 0.0),
        ("ozlu_input_video.mp4", 0.0),
        ("sobral_video1_freeway.avi", 0.0),
        ("intel_car-detection.mp4", 16.0),
        ("OTVision_Testvideo_Cars-Cyclist_FR20_2020-01-01_00-00-00.mp4", 0.0),
        ("OTVision_Testvideo_Cars-Truck_FR20_2020-01-01_00-00-00.mp4", 0.0),
    ],
)
def test_real_clips(name: str, most_px: float) -> None:
    """Only the car park's camera really moves: its stones wander by 11 of 768 pixels."""
    source = FileSource(path=shared_data(f"video/{name}"), camera_id="a", start_ns=0)
    anchorage, next_ns = None, 0
    for frame in source.frames():
        if frame.t_ns < next_ns:
            continue
        next_ns = frame.t_ns + ns_from_s(0.095)
        scale = 2 if frame.width_px > 640 else 1
        size = (frame.width_px // scale, frame.height_px // scale)
        small = np.asarray(cv2.resize(frame.luma, size, interpolation=cv2.INTER_AREA), np.uint8)
        anchorage = anchorage or Anchorage(width_px=frame.width_px)
        anchorage.update(frame.t_ns, small)
    assert anchorage is not None
    shifts = anchorage.shifts()
    assert shifts.found.all()
    assert bool(len(shifts)) == (most_px > 0)
    for matrix in shifts.matrix:
        middle = np.array([[384.0, 216.0]])
        assert np.hypot(*(points_through(middle, matrix) - middle).T).max() < most_px
