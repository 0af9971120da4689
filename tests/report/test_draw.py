from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from calmstreet.model.kinds import Flag, Kind
from calmstreet.model.points import TrackPoints, make_points, track_id_of
from calmstreet.model.site import Camera, Gate, Mask, Movement, Signal, Site, Zone
from calmstreet.report.colours import FAULT_HEX, GATE_HEX, KIND_HEX, PARKED_HEX, bgr_of
from calmstreet.report.draw import draw_caption, draw_counts, draw_points, draw_trajectories
from calmstreet.report.ink import Labels, arrow, curve, pen_for
from calmstreet.report.siteplan import draw_pixel_grid, draw_site, gate_middle

SIZES = [(240, 320), (360, 640), (720, 1280)]
STEP_NS = 100_000_000


def street(size: tuple[int, int] = (360, 640)) -> NDArray[np.uint8]:
    return np.full((*size, 3), 70, np.uint8)


def near(bgr: NDArray[np.uint8], colour: tuple[int, int, int], apart: int = 20) -> int:
    """Return how many pixels have (nearly) a colour."""
    return int((np.abs(bgr.astype(int) - colour).max(axis=2) <= apart).sum())


def a_way(kind: Kind = Kind.CAR, flags: int = 0, *, still: bool = False) -> TrackPoints:
    """Return 40 rows from left to right of a picture of 640 x 360."""
    x = np.full(40, 200.0) if still else np.linspace(60, 560, 40)
    return make_points(
        camera_id="north",
        run_id=3,
        t_ns=np.arange(40) * STEP_NS,
        track_id=np.full(40, track_id_of(3, 17)),
        kind=np.full(40, kind),
        flags=np.full(40, flags),
        box_px=np.stack([x - 20, np.full(40, 180.0), x + 20, np.full(40, 220.0)], axis=1),
    )


def a_site(*, name: str = "north") -> Site:
    zone = ((40.0, 40.0), (200.0, 40.0), (200.0, 120.0), (40.0, 120.0))
    return Site(
        id="abay",
        cameras=(Camera(id=name),),
        gates=(Gate(id="line", camera_id=name, points_px=((100.0, 250.0), (500.0, 250.0))),),
        zones=(
            Zone(id="n", camera_id=name, kind="approach", polygon_px=zone),
            Zone(id="metres", camera_id=name, kind="lane", polygon_m=((0, 0), (1, 0), (1, 1))),
        ),
        movements=(
            Movement(id="n-line", from_id="n", to_id="line", turn="left"),
            Movement(id="n-n", from_id="n", to_id="n", turn="u"),
            Movement(id="gone", from_id="n", to_id="metres"),
        ),
        masks=(Mask(camera_id=name, polygon_px=((500.0, 0), (640.0, 0), (640.0, 60.0))),),
        signals=(Signal(id="head", camera_id=name, lamps_px={"red": (300, 20, 312, 32)}),),
    )


def test_a_moving_road_user_gets_a_box_a_name_and_a_trail() -> None:
    way, bgr = a_way(), street()
    draw_points(bgr, way[-1:], trail=way)
    colour = bgr_of(KIND_HEX[Kind.CAR])
    assert near(bgr[175:226, 535:585], colour) > 150
    assert near(bgr[150:180, 520:600], colour, 40) > 200
    trail = near(bgr[218:223, 320:530], colour)
    assert trail > 150
    assert near(bgr[218:223, :280], colour) == 0, "only the last two seconds"


def test_a_parked_one_is_grey_and_a_coasted_one_dashed_and_both_unnamed() -> None:
    parked, coasted, plain = street(), street(), street()
    draw_points(parked, a_way(flags=Flag.PARKED, still=True)[-1:])
    draw_points(coasted, a_way(flags=Flag.COASTED)[-1:])
    draw_points(plain, a_way()[-1:])
    colour = bgr_of(KIND_HEX[Kind.CAR])
    assert near(parked, bgr_of(PARKED_HEX), 24) > 100
    assert near(parked, colour) == 0
    assert 0 < near(coasted, colour) < near(plain, colour) / 2
    assert (coasted[:170] == 70).all()


def test_scale_maps_camera_pixels_to_picture_pixels() -> None:
    whole, half = street(), street((180, 320))
    draw_points(whole, a_way()[-1:])
    draw_points(half, a_way()[-1:], scale=0.5)
    rows, columns = np.nonzero((half != 70).any(axis=2))
    assert 80 <= rows.max() <= 112
    assert columns.min() >= 255
    assert (whole[100, 290] == 70).all()


@pytest.mark.parametrize("size", SIZES)
def test_everything_draws_at_every_size(size: tuple[int, int]) -> None:
    scale = size[1] / 640
    drawings: tuple[Callable[[NDArray[np.uint8]], None], ...] = (
        lambda bgr: draw_points(bgr, a_way()[-1:], trail=a_way(), scale=scale),
        lambda bgr: draw_site(bgr, a_site(), camera_id="north", scale=scale),
        lambda bgr: draw_pixel_grid(bgr, scale=scale),
        lambda bgr: draw_trajectories(bgr, a_way(), scale=scale),
        lambda bgr: draw_counts(bgr, {"line": (3, 12)}, gates=a_site(), scale=scale),
        lambda bgr: draw_caption(bgr, "north 07:30"),
    )
    for draw in drawings:
        bgr = street(size)
        draw(bgr)
        assert (bgr != 70).any()


def test_trajectories_end_in_an_arrow_and_the_legend_names_the_kinds() -> None:
    bare, told = street(), street()
    draw_trajectories(bare, a_way(Kind.TRUCK), legend=False)
    draw_trajectories(told, a_way(Kind.TRUCK), words=["грузовой"] * 8)
    colour = bgr_of(KIND_HEX[Kind.TRUCK])
    tall = [(np.abs(bare[:, x].astype(int) - colour).max(axis=1) <= 25).sum() for x in (100, 553)]
    assert tall[0] >= 1
    assert tall[1] > tall[0]
    assert (bare[320:, :100] == 70).all()
    assert (told[320:, :100] != 70).any()


def test_a_gate_has_arrows_to_both_sides_and_a_fault_is_red() -> None:
    good, bad = street(), street()
    draw_site(good, a_site())
    draw_site(bad, a_site(), faults={"line": "outside"})
    assert near(good[235:265, 100:500], bgr_of(GATE_HEX)) > 500
    assert near(good[205:240, 290:310], bgr_of(GATE_HEX)) > 20
    assert near(good[260:295, 290:310], bgr_of(GATE_HEX)) > 20
    assert near(good, bgr_of(FAULT_HEX), 8) < near(bad, bgr_of(FAULT_HEX), 8)
    assert near(bad, bgr_of(GATE_HEX)) == 0


def test_a_site_shows_only_what_belongs_to_the_camera() -> None:
    bgr = street()
    draw_site(bgr, a_site(name="south"), camera_id="north")
    assert (bgr == 70).all()


def test_the_grid_is_numbered_in_camera_pixels() -> None:
    bgr = street()
    draw_pixel_grid(bgr, scale=1.0)
    assert (bgr[150, 200] != bgr[150, 225]).any()
    assert (bgr[:, 640 - 1] != 70).any()
    half = street()
    draw_pixel_grid(half, scale=0.5)
    assert (bgr != half).any()


@given(st.floats(-900, 900), st.floats(-900, 900), st.floats(-900, 900), st.floats(-900, 900))
def test_left_of_a_gate_is_left_on_the_picture(ax: float, ay: float, bx: float, by: float) -> None:
    if np.hypot(bx - ax, by - ay) < 1e-3:
        return
    middle, left = gate_middle([(ax, ay), (bx, by)])
    assert middle == pytest.approx([(ax + bx) / 2, (ay + by) / 2], abs=1e-6)
    assert np.hypot(*left) == pytest.approx(1.0)
    # y grows downwards on a picture: left is where the cross product is negative
    assert (bx - ax) * left[1] - (by - ay) * left[0] < 0


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(-1e9, 1e9) | st.just(float("nan")), st.floats(-1e9, 1e9)),
        min_size=0,
        max_size=6,
    )
)
def test_wild_points_never_break_a_picture(points: list[tuple[float, float]]) -> None:
    bgr = street((60, 80))
    arrow(bgr, np.array(points).reshape(-1, 2), colour=(1, 2, 3), width_px=2)
    labels = Labels(bgr=bgr, pen=pen_for(bgr))
    for point in points:
        labels.put("x", at=point)
    labels.draw()
    assert bgr.shape == (60, 80, 3)


def test_labels_stay_inside_and_apart() -> None:
    bgr = street()
    labels = Labels(bgr=bgr, pen=pen_for(bgr))
    for _ in range(3):
        labels.put("same place", at=(-50.0, 100.0), colour=(0, 0, 200))
    labels.draw()
    red = (np.abs(bgr.astype(int) - (10, 10, 180)).max(axis=2) < 40).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(red)
    areas = sorted(int(a) for a in stats[1:count, cv2.CC_STAT_AREA] if a > 300)
    assert len(areas) == 3


def test_a_curve_leans_to_the_right_of_the_way() -> None:
    assert curve((0, 0), (0, -10), 0.2)[12][0] > 0
    assert curve((0, 0), (0, -10), -0.2)[12][0] < 0
