"""Planted marks are gone, nothing leaves early, and what fails is never shown."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from calmstreet.errors import PrivacyError
from calmstreet.model.detections import Detections, no_detections
from calmstreet.model.frame import Frame
from calmstreet.model.kept import BlurredFrame
from calmstreet.model.kinds import Kind
from calmstreet.model.points import TrackPoints, make_points, no_points
from calmstreet.units import NS_PER_S, ns_from_s
from calmstreet.video import blur as blur_module
from calmstreet.video.blur import Blur, annotate, blur_still
from calmstreet.video.recorder import write_video
from calmstreet.video.source import FileSource
from calmstreet.video.zones import (
    FLOOR_NET_PX,
    HEAD_LIMIT_PX,
    HEAD_SHARE,
    NET_SIDE_PX,
    PLATE_LIMIT_PX,
    PLATE_SHARE,
    stored_size_px,
)

WIDTH, HEIGHT = 640, 360
STEP_S = 0.1
GONE = 0.4
"""A mark of 2 px modules is gone when cells of 6 px or more (1/3 of its correlation) cover it."""


def a_street(seed: int = 0) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(60, 180, (18, 32, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR), np.uint8)


def a_mark(width: int, height: int) -> NDArray[np.uint8]:
    """Random black and white modules of 2 px, as on a matrix code."""
    rng = np.random.default_rng(5)
    modules = rng.integers(0, 2, (height // 2, width // 2)).astype(np.uint8) * 255
    return np.asarray(modules.repeat(2, 0).repeat(2, 1)[..., None].repeat(3, 2), np.uint8)


def likeness(picture: NDArray[np.uint8], mark: NDArray[np.uint8], x: int, y: int) -> float:
    here = picture[y : y + mark.shape[0], x : x + mark.shape[1]].astype(float).ravel()
    wanted = mark.astype(float).ravel()
    here -= here.mean()
    wanted -= wanted.mean()
    return abs(
        float(here @ wanted) / max(float(np.linalg.norm(here) * np.linalg.norm(wanted)), 1e-9)
    )


def a_frame(bgr: NDArray[np.uint8], t_s: float) -> Frame:
    luma = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), np.uint8)

    def to_bgr(width: int, height: int) -> NDArray[np.uint8]:
        return np.array(cv2.resize(bgr, (width, height), interpolation=cv2.INTER_AREA), np.uint8)

    return Frame(camera_id="north", t_ns=ns_from_s(t_s), index=0, luma=luma, to_bgr=to_bgr)


def seen(
    t_s: float, *boxes: tuple[float, float, float, float], kind: int, score: float = 0.2
) -> Detections:
    return Detections(
        camera_id="north",
        t_ns=ns_from_s(t_s),
        box_px=np.array(boxes, np.float32).reshape(-1, 4),
        score=np.full(len(boxes), score, np.float32),
        kind=np.full(len(boxes), kind, np.uint8),
        source=np.ones(len(boxes), np.uint8),
    )


def nothing(t_s: float) -> tuple[Detections, TrackPoints]:
    return no_detections(camera_id="north", t_ns=ns_from_s(t_s)), no_points(
        camera_id="north", run_id=1
    )


def a_blur(**options: bool | float) -> Blur:
    return Blur(camera_id="north", width_px=WIDTH, height_px=HEIGHT, **options)  # type: ignore[arg-type]


def tracked(t_s: float, box: tuple[float, float, float, float], kind: int) -> TrackPoints:
    return make_points(
        camera_id="north",
        run_id=1,
        t_ns=[ns_from_s(t_s)],
        track_id=[7],
        kind=[kind],
        box_px=[box],
    )


PERSON = (300.0, 100.0, 340.0, 220.0)
CAR = (100.0, 150.0, 260.0, 270.0)
HEAD_AT = (308, 102)
PLATE_AT = (150, 228)
HEAD = a_mark(24, 28)
PLATE = a_mark(60, 14)


def marked() -> NDArray[np.uint8]:
    picture = a_street()
    picture[102:130, 308:332] = HEAD
    picture[228:242, 150:210] = PLATE
    return picture


def test_marks_in_heads_and_plates_are_gone_from_picture_and_file(tmp_path: Path) -> None:
    blur, out = a_blur(), []
    assert likeness(marked(), HEAD, *HEAD_AT) > 0.99
    for i in range(30):
        t_s = i * STEP_S
        found = seen(t_s, PERSON, kind=Kind.PEDESTRIAN)
        out += blur.update(a_frame(marked(), t_s), found, tracked(t_s, CAR, Kind.CAR))
    out += blur.flush()
    assert len(out) == 30
    write_video(out, path=tmp_path / "o.mp4")
    again = FileSource(path=tmp_path / "o.mp4", camera_id="north", start_ns=0)
    for picture in [*(kept.bgr for kept in out), *(frame.bgr() for frame in again.frames())]:
        assert likeness(picture, HEAD, *HEAD_AT) < GONE
        assert likeness(picture, PLATE, *PLATE_AT) < GONE


@pytest.mark.parametrize("kind", list(Kind))
def test_each_kind_hides_what_could_name_it(kind: Kind) -> None:
    for strict in (False, True):
        still = blur_still(
            marked(),
            camera_id="north",
            t_ns=0,
            camera_width_px=WIDTH,
            camera_height_px=HEIGHT,
            box_px=np.array([PERSON, CAR], np.float32),
            kind=np.array([kind, kind], np.uint8),
            strict=strict,
        )
        heads = kind in (Kind.PEDESTRIAN, Kind.BICYCLE, Kind.MOTORCYCLE, Kind.UNKNOWN) or strict
        plates = kind not in (Kind.PEDESTRIAN, Kind.BICYCLE) or strict
        assert not heads or likeness(still.bgr, HEAD, *HEAD_AT) < GONE
        assert not plates or likeness(still.bgr, PLATE, *PLATE_AT) < GONE


def test_nothing_leaves_before_the_delay_is_over() -> None:
    blur, left = a_blur(delay_s=1.0), []
    for i in range(25):
        t_s = i * STEP_S
        for kept in blur.update(a_frame(a_street(), t_s), *nothing(t_s)):
            assert ns_from_s(t_s) - kept.t_ns >= NS_PER_S
            left.append(kept.t_ns)
    left += [kept.t_ns for kept in blur.flush()]
    assert left == [ns_from_s(i * STEP_S) for i in range(25)]


def test_a_head_found_late_is_covered_before_and_after() -> None:
    blur, out = a_blur(), []
    for i in range(30):
        t_s = i * STEP_S
        found, points = nothing(t_s)
        if i == 12:
            found = seen(t_s, PERSON, kind=Kind.PEDESTRIAN)
        out += blur.update(a_frame(marked(), t_s), found, points)
    out += blur.flush()
    covered = [likeness(kept.bgr, HEAD, *HEAD_AT) < GONE for kept in out]
    assert covered == [abs(i - 12) <= 10 for i in range(30)]


def test_masks_move_along_the_track_into_frames_that_nobody_looked_at() -> None:
    blur, out, speed_px_per_s = a_blur(), [], 100.0
    for i in range(30):
        t_s = i * STEP_S
        x = round(speed_px_per_s * t_s)
        picture = a_street()
        picture[102:130, 108 + x : 132 + x] = HEAD
        found, points = nothing(t_s)
        if 8 <= i <= 20 and i % 4 == 0:
            points = tracked(t_s, (100.0 + x, 100.0, 140.0 + x, 220.0), Kind.PEDESTRIAN)
        out += blur.update(a_frame(picture, t_s), found, points)
    out += blur.flush()
    for i in range(2, 28):
        x = round(speed_px_per_s * i * STEP_S)
        assert likeness(out[i].bgr, HEAD, 108 + x, 102) < GONE, i


def test_a_parked_car_stays_covered_until_it_leaves() -> None:
    blur, out = a_blur(), []
    for i in range(160):
        t_s = i * STEP_S
        found, points = nothing(t_s)
        if i < 25:
            found = seen(t_s, CAR, kind=Kind.CAR)
        picture = a_street(0 if i < 110 else 3)
        if i < 110:
            picture[150:270, 100:260] = 30
            picture[228:242, 150:210] = PLATE
        out += blur.update(a_frame(picture, t_s), found, points)
    assert all(likeness(kept.bgr, PLATE, *PLATE_AT) < GONE for kept in out[:110])
    mask = blur.masks_out[-1]
    assert not mask.any()


def test_what_moves_and_is_not_understood_is_covered_whole() -> None:
    blur = a_blur()
    moving = np.zeros((90, 160), np.uint8)
    moving[25:33, 77:84] = 1
    found, points = nothing(0.0)
    blur.update(a_frame(marked(), 0.0), found, points, moving)
    kept = blur.flush()[0]
    assert likeness(kept.bgr, HEAD, *HEAD_AT) < GONE
    assert likeness(kept.bgr, PLATE, *PLATE_AT) > 0.99


def test_site_masks_are_one_grey_and_the_rest_is_untouched() -> None:
    polygon = [(140.0, 220.0), (220.0, 220.0), (220.0, 250.0), (140.0, 250.0)]
    blur = Blur(camera_id="north", width_px=WIDTH, height_px=HEIGHT, masks=[polygon])
    blur.update(a_frame(marked(), 0.0), *nothing(0.0))
    kept = blur.flush()[0]
    assert np.unique(kept.bgr[222:249, 142:219]).size == 1
    assert likeness(kept.bgr, HEAD, *HEAD_AT) > 0.99


def broken(width: int, height: int) -> NDArray[np.uint8]:
    raise MemoryError(f"no room for {width}x{height}")


def test_a_hundred_failures_show_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = a_frame(marked(), 0.0)
    wrong = Frame(camera_id="north", t_ns=0, index=0, luma=frame.luma, to_bgr=broken)
    nan_box = (np.nan, 1.0, 2.0, 3.0)
    for i in range(100):
        blur, out = a_blur(), []
        out += blur.update(frame, *nothing(0.0))
        if i % 4 == 0:
            bad, found = (
                Frame(camera_id="north", t_ns=NS_PER_S, index=1, luma=wrong.luma, to_bgr=broken),
                nothing(1.0)[0],
            )
        elif i % 4 == 1:
            bad, found = a_frame(marked(), 1.5), seen(1.5, nan_box, kind=Kind.CAR)
        elif i % 4 == 2:
            bad, found = a_frame(marked()[::2, ::2], 1.5), nothing(1.5)[0]
        else:
            bad, found = a_frame(marked(), 1.5), nothing(1.5)[0]
            monkeypatch.setattr(blur_module, "mosaic", lambda *_: 1 // 0)
        with pytest.raises(PrivacyError, match="dropped"):
            blur.update(bad, found, no_points(camera_id="north", run_id=1))
        out += blur.flush()
        monkeypatch.undo()
        assert out == []
        assert blur.dropped == 2


def test_a_still_that_fails_is_not_shown() -> None:
    with pytest.raises(PrivacyError):
        blur_still(
            marked(),
            camera_id="north",
            t_ns=0,
            camera_width_px=WIDTH,
            camera_height_px=HEIGHT,
            box_px=np.array([[np.nan, 0, 1, 1]], np.float32),
            kind=np.array([1], np.uint8),
        )


boxes = st.lists(
    st.tuples(st.floats(-50, 680), st.floats(-50, 400), st.floats(1, 300), st.floats(1, 300)),
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(boxes, st.integers(0, 7), st.booleans())
def test_outside_the_mask_the_picture_is_the_scaled_frame(
    parts: list[tuple[float, float, float, float]], kind: int, strict: bool
) -> None:
    blur = a_blur(strict=strict)
    frame = a_frame(marked(), 0.0)
    corners = [(x, y, x + w, y + h) for x, y, w, h in parts]
    blur.update(frame, seen(0.0, *corners, kind=kind), no_points(camera_id="north", run_id=1))
    kept = blur.flush()[0]
    mask = blur.masks_out[0]
    scaled = frame.bgr(*blur.size_px)
    assert kept.bgr.shape == scaled.shape
    assert (kept.bgr[mask == 0] == scaled[mask == 0]).all()


@given(st.integers(64, 8000), st.integers(64, 8000), st.integers(64, 2000))
def test_below_the_detectors_floor_nothing_can_be_told(
    width: int, height: int, max_width: int
) -> None:
    stored_width, stored_height = stored_size_px(width, height, max_width)
    assert stored_width <= min(width, max_width)
    object_px = FLOOR_NET_PX / NET_SIDE_PX * max(stored_width, stored_height)
    assert object_px * HEAD_SHARE < HEAD_LIMIT_PX
    assert object_px * PLATE_SHARE < PLATE_LIMIT_PX
    assert stored_width % 2 == stored_height % 2 == 0


def test_annotate_draws_on_a_copy_of_the_blurred_pixels() -> None:
    blur = a_blur()
    blur.update(a_frame(marked(), 0.0), *nothing(0.0))
    kept = blur.flush()[0]
    before = kept.bgr.copy()

    def draw(bgr: NDArray[np.uint8]) -> None:
        bgr[:10] = 255

    drawn = annotate(kept, draw)
    assert isinstance(drawn, BlurredFrame)
    assert (drawn.bgr[:10] == 255).all()
    assert (kept.bgr == before).all()
    assert drawn.t_ns == kept.t_ns


GUARD = (250.0, 60.0, 390.0, 350.0)
"""A person so near that the box is a sixth of the picture, seen weakly, who does not move."""


def guarded(
    through_px: tuple[float, float, float, float] | None, delay_s: float = 1.0
) -> list[BlurredFrame]:
    """Eight seconds of a weak large person who stands there, others driving at ``through_px``."""
    blur, out = a_blur(delay_s=delay_s), []
    for i in range(80):
        t_s = i * STEP_S
        found = seen(t_s, GUARD, kind=Kind.PEDESTRIAN)
        others = nothing(t_s)[1] if through_px is None else tracked(t_s, through_px, Kind.CAR)
        out += blur.update(a_frame(marked(), t_s), found, others)
    return out + blur.flush()


@pytest.mark.parametrize(
    "others_px", [None, (280.0, 300.0, 360.0, 358.0), (0.0, 60.0, 260.0, 90.0)]
)
def test_a_large_still_person_seen_weakly_stays_covered(
    others_px: tuple[float, float, float, float] | None,
) -> None:
    assert all(likeness(kept.bgr, HEAD, *HEAD_AT) < GONE for kept in guarded(others_px))


def test_a_large_weak_box_that_others_drive_through_is_the_street() -> None:
    pictures = guarded((300.0, 180.0, 340.0, 200.0))
    assert likeness(pictures[0].bgr, HEAD, *HEAD_AT) < GONE
    assert likeness(pictures[-1].bgr, HEAD, *HEAD_AT) > 0.9


def test_what_comes_after_a_picture_tells_whether_a_guess_in_it_is_the_street() -> None:
    pictures = guarded((300.0, 180.0, 340.0, 200.0), delay_s=5.0)
    assert len(pictures) == 80
    assert all(likeness(kept.bgr, HEAD, *HEAD_AT) > 0.9 for kept in pictures)


def test_a_guess_that_a_clear_box_agrees_with_later_stays_covered() -> None:
    blur, out = a_blur(delay_s=5.0), []
    for i in range(80):
        t_s = i * STEP_S
        found = seen(t_s, GUARD, kind=Kind.PEDESTRIAN, score=0.3 if i < 30 else 0.7)
        out += blur.update(
            a_frame(marked(), t_s), found, tracked(t_s, (300.0, 180.0, 340.0, 200.0), Kind.CAR)
        )
    out += blur.flush()
    assert all(likeness(kept.bgr, HEAD, *HEAD_AT) < GONE for kept in out)
