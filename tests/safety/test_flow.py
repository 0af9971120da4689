from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.builders import (
    HEIGHT_PX,
    START_NS,
    WIDTH_PX,
    S,
    a_site,
    a_track,
    along,
    points_at,
    steps_of,
    together,
)

from calmstreet.errors import ConfigError
from calmstreet.geometry.shapes import inside_polygon
from calmstreet.model.flow import Flow
from calmstreet.model.kinds import Flag, Kind
from calmstreet.model.points import POINT_COLUMNS, TrackPoints, make_points
from calmstreet.model.site import Gate, Site
from calmstreet.safety.flow import FlowCounter, counting_settings


def count(
    points: TrackPoints,
    *,
    site: Site | None = None,
    steps: NDArray[np.int64] | None = None,
    cuts: tuple[int, ...] = (),
    duration_s: float = 30.0,
) -> Flow:
    counter = FlowCounter(
        site=site or a_site(),
        camera_id="north",
        run_id=1,
        width_px=WIDTH_PX,
        height_px=HEIGHT_PX,
    )
    times = steps_of(duration_s) if steps is None else steps
    for block in np.split(times, sorted(set(cuts))):
        inside = np.isin(points.t_ns, block)
        counter.update(block, points[inside])
    return counter.finish()


def directions(flow: Flow) -> list[str]:
    return [str(d) for d in flow.crossings.direction[flow.crossings.counted]]


def test_one_car_is_one_crossing_to_the_right() -> None:
    flow = count(a_track())
    assert directions(flow) == ["to_right"]
    wanted_s = (320 - 100) / (14 * 20)
    assert (flow.crossings.t_ns[0] - START_NS) / S == pytest.approx(wanted_s, abs=1e-6)


def test_a_car_that_waits_on_the_line_for_minutes_is_one() -> None:
    rng = np.random.default_rng(8)
    steps = steps_of(200)

    def place(t_s: float) -> tuple[float, float]:
        if t_s < 5:
            return 220 + 20 * t_s, 200
        tremble = rng.uniform(-4, 4)
        return (320 + tremble, 200 + tremble) if t_s < 190 else (320 + 20 * (t_s - 190), 200)

    flow = count(points_at(steps, along(steps, place)), steps=steps)
    assert directions(flow) == ["to_right"]


def test_flicker_over_the_line_is_nobody() -> None:
    steps = steps_of(30)
    feet = along(steps, lambda t_s: (318 + 8 * np.sin(9 * t_s), 200))
    assert directions(count(points_at(steps, feet), steps=steps)) == []


def test_a_step_back_below_the_hysteresis_is_no_reverse_crossing() -> None:
    steps = steps_of(6)
    xs = [300, 330, 323, 317, 322, 326, 360]
    flow = count(points_at(steps[:7], np.array([(x, 200) for x in xs], float)), steps=steps)
    assert directions(flow) == ["to_right"]


def test_a_u_turn_is_two_one_each_way() -> None:
    flow = count(a_track(via=((100, 200), (500, 200), (500, 250), (100, 250))))
    assert directions(flow) == ["to_right", "to_left"]


def test_rows_without_a_track_are_not_one_track() -> None:
    steps = steps_of(10)
    feet = np.array([(300 if i % 2 else 340, 200) for i in range(len(steps))], float)
    flow = count(points_at(steps, feet, serial=-1), steps=steps)
    assert len(flow.crossings.t_ns) == 0
    assert len(flow.journeys) == 0


@pytest.mark.parametrize(
    ("line", "via", "wanted"),
    [
        (((0, 350), (640, 350)), ((320, 100), (320, 390)), ["to_right"]),
        (((0, 350), (640, 350)), ((320, 390), (320, 100)), ["to_left"]),
        (((10, 300), (10, 100)), ((300, 200), (-30, 200)), ["to_left"]),
        (((630, 300), (630, 100)), ((670, 200), (300, 200)), ["to_left"]),
    ],
)
@pytest.mark.parametrize("speed_mps", [1.2, 2.5, 4.0])
def test_a_line_ten_pixels_from_the_edge_counts(
    line: Any, via: Any, wanted: list[str], speed_mps: float
) -> None:
    track = as_the_camera_sees_it(a_track(via=via, kind=Kind.PEDESTRIAN, speed_mps=speed_mps))
    assert directions(count(track, site=a_site(gates={"g": line}))) == wanted


def as_the_camera_sees_it(track: TrackPoints) -> TrackPoints:
    """Cut boxes off at the border; drop rows of which less than a sixth is left."""
    whole = (track.box_px[:, 2:] - track.box_px[:, :2]).prod(axis=1)
    limit = np.array([WIDTH_PX, HEIGHT_PX] * 2, np.float32)
    track.box_px[:] = np.clip(track.box_px, 0, limit)
    left = (track.box_px[:, 2:] - track.box_px[:, :2]).prod(axis=1)
    return track[left > whole / 6]


def test_standing_at_the_border_on_a_line_near_the_edge_counts_once() -> None:
    rng = np.random.default_rng(1)
    steps = steps_of(60)

    def place(t_s: float) -> tuple[float, float]:
        return 320, min(300 + 20 * t_s, 350 + float(rng.uniform(-5, 5)))

    site = a_site(gates={"g": ((0, 350), (640, 350))})
    flow = count(points_at(steps, along(steps, place)), steps=steps, site=site)
    assert len(directions(flow)) <= 1


def test_several_lines_count_only_their_own() -> None:
    gates = {
        "a": ((200, 300), (200, 100)),
        "b": ((400, 300), (400, 220)),
        "c": ((450, 250), (450, 90)),
    }
    flow = count(a_track(), site=a_site(gates=gates))
    assert flow.crossings.gate_id.tolist() == ["a", "c"]


def test_parked_rows_never_count_and_coasted_rows_do_not_decide() -> None:
    track = a_track()
    past = track.t_ns > START_NS + int(0.75 * S)
    assert directions(count(points_with(track, past * int(Flag.COASTED)))) == []
    assert directions(count(points_with(track, np.full(len(track), int(Flag.PARKED))))) == []
    hidden = (track.t_ns > START_NS + int(0.5 * S)) & (track.t_ns < START_NS + int(1.2 * S))
    assert directions(count(points_with(track, hidden * int(Flag.COASTED)))) == ["to_right"]


def points_with(track: TrackPoints, flags: NDArray[Any]) -> TrackPoints:
    columns = {name: getattr(track, name) for name in ("t_ns", "track_id", "kind", "box_px")}
    blank = points_at(track.t_ns, np.zeros((len(track), 2)), flags=flags.astype(np.uint8))
    return TrackPoints(
        camera_id="north",
        run_id=1,
        **columns,
        **{
            name: getattr(blank, name)
            for name in TrackPoints.__dataclass_fields__
            if name not in {*columns, "camera_id", "run_id"}
        },
    )


def test_the_kind_is_the_last_vote_of_the_whole_track() -> None:
    track = a_track(kind=Kind.CAR)
    track.kind[-3:] = Kind.VAN
    flow = count(track)
    assert flow.crossings.kind.tolist() == [Kind.VAN]
    assert flow.journeys.kind.tolist() == [Kind.VAN]


def test_a_silence_of_more_than_two_seconds_ends_a_track() -> None:
    first, second = (
        a_track(via=((100, 200), (300, 200))),
        a_track(via=((350, 200), (540, 200)), start_s=3.2),
    )
    flow = count(together(first, second))
    assert len(flow.journeys) == 2
    assert directions(flow) == []


def test_tracks_too_short_or_never_moving_are_listed_but_not_counted() -> None:
    steps = steps_of(20)
    flash = a_track(via=((290, 200), (380, 200)), serial=1)
    cone = points_at(steps, np.full((len(steps), 2), 120.0), serial=2)
    flow = count(together(flash, cone), steps=steps)
    mine = flow.journeys
    by_id = {int(i) & 0xFFFF: str(r) for i, r in zip(mine.track_id, mine.reason, strict=True)}
    assert by_id == {1: "too short", 2: "did not move"}
    assert directions(flow) == []
    assert len(flow.crossings) == 1


def test_headways_are_front_to_front_and_do_not_reach_across_a_pause() -> None:
    tracks = [a_track(start_s=t, serial=n) for n, t in enumerate((0.0, 2.5, 12.0), start=1)]
    steps = steps_of(30)
    steps = steps[(steps < START_NS + 6 * S) | (steps > START_NS + 10 * S)]
    flow = count(together(*tracks), steps=steps)
    assert np.isnan(flow.crossings.headway_s).tolist() == [True, False, True]
    assert flow.crossings.headway_s[1] == pytest.approx(2.5, abs=1e-6)
    assert np.isnan(flow.crossings.gap_s).all()
    assert len(flow.watched_ns) == 2


def test_a_gap_is_told_where_length_and_speed_are_known() -> None:
    tracks = []
    for serial, start_s in ((1, 0.0), (2, 3.0)):
        track = a_track(serial=serial, start_s=start_s, speed_mps=10.0)
        track.velocity_mps[:] = (6.0, 8.0)
        track.length_m[:] = 5.0
        tracks.append(track)
    flow = count(together(*tracks))
    assert flow.crossings.gap_s[1] == pytest.approx(3.0 - 0.5, abs=1e-6)


def test_a_pass_cut_in_two_by_a_restart_counts_once() -> None:
    track = a_track(speed_mps=3)
    for cut in range(1, len(track)):
        cut_ns = int(track.t_ns[cut])
        steps = steps_of(10)
        before, after = steps[steps < cut_ns], steps[steps >= cut_ns]
        flows = [count(track[np.isin(track.t_ns, part)], steps=part) for part in (before, after)]
        total = sum(len(flow.crossings) for flow in flows)
        crossed_between = abs(float(track.foot_px()[cut, 0]) - 320) < 6 + 1e-6
        assert total == 1 or (crossed_between and total == 0)


@pytest.mark.parametrize("fps", [5.0, 10.0, 20.0, 25.0])
def test_counts_and_times_do_not_depend_on_the_frame_rate(fps: float) -> None:
    def flow_at(rate: float) -> Flow:
        tracks = [
            a_track(fps=rate, serial=1, speed_mps=8),
            a_track(fps=rate, serial=2, speed_mps=4, start_s=0.33, kind=Kind.BUS, box_height_px=60),
            a_track(fps=rate, serial=3, speed_mps=6, via=((500, 150), (200, 280), (450, 240))),
        ]
        return count(together(*tracks), steps=steps_of(30, fps=rate))

    flow, fine = flow_at(fps), flow_at(50.0)
    assert directions(flow) == directions(fine)
    assert flow.crossings.track_id.tolist() == fine.crossings.track_id.tolist()
    assert (np.abs(flow.crossings.t_ns - fine.crossings.t_ns) <= S / fps).all()


APPROACHES = {
    "w": ((0, 100), (140, 100), (140, 300), (0, 300)),
    "e": ((500, 100), (640, 100), (640, 300), (500, 300)),
    "s": ((220, 320), (420, 320), (420, 360), (220, 360)),
}


def scene() -> tuple[Site, TrackPoints]:
    site = a_site(gates={"line": ((320, 300), (320, 100))}, approaches=APPROACHES)
    tracks = [
        a_track(serial=1, speed_mps=9, via=((40, 200), (600, 200))),
        a_track(serial=2, speed_mps=7, via=((40, 220), (330, 220), (330, 355)), start_s=1),
        a_track(serial=3, speed_mps=8, via=((600, 180), (300, 180), (300, 140), (600, 140))),
        a_track(serial=4, speed_mps=3, via=((280, 200), (335, 200)), start_s=4),
        a_track(serial=5, speed_mps=6, via=((40, 240), (600, 240)), start_s=15, kind=Kind.TRUCK),
    ]
    return site, together(*tracks)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 299), max_size=12))
def test_any_cutting_into_blocks_gives_the_same_bits(cuts: list[int]) -> None:
    site, points = scene()
    whole, cut = count(points, site=site), count(points, site=site, cuts=tuple(cuts))
    assert bits(whole) == bits(cut)


def bits(flow: Flow) -> list[bytes]:
    nouns = (flow.crossings, flow.journeys, flow.minutes)
    columns = [
        getattr(noun, name)
        for noun in nouns
        for name in noun.__dataclass_fields__
        if name != "gate_ids"
    ]
    return [np.asarray(column).tobytes() for column in (*columns, flow.watched_ns)]


YARD = ((250.0, 120.0), (400.0, 120.0), (400.0, 260.0), (320.0, 190.0), (250.0, 260.0))
places = st.tuples(st.integers(200, 450), st.integers(80, 300))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(places, min_size=8, max_size=25), min_size=1, max_size=3))
def test_in_minus_out_is_the_change_of_occupancy(paths: list[list[tuple[int, int]]]) -> None:
    length = max(len(path) for path in paths)
    steps = steps_of((length - 1) / 10)
    feet = [np.array((path * length)[:length], float) for path in paths]
    tracks = [points_at(steps, f, serial=n, box_height_px=8) for n, f in enumerate(feet)]
    flow = count(together(*tracks), steps=steps, site=a_site(gates={"yard": (*YARD, YARD[0])}))
    came_in = int((flow.crossings.direction == "to_right").sum())
    went_out = int((flow.crossings.direction == "to_left").sum())
    before = inside_polygon(np.array([f[0] for f in feet]), YARD).sum()
    after = inside_polygon(np.array([f[-1] for f in feet]), YARD).sum()
    assert came_in - went_out == after - before


def test_a_day_of_blocks_keeps_only_the_living() -> None:
    counter = FlowCounter(
        site=a_site(), camera_id="north", run_id=1, width_px=WIDTH_PX, height_px=HEIGHT_PX
    )
    for number in range(50):
        start_ns = START_NS + number * 10 * S
        steps = steps_of(9.9, start_ns=start_ns)
        counter.update(steps, a_track(start_ns=start_ns, serial=number + 1))
        assert counter.alive <= 1
    assert len(counter.finish().journeys) == 50


def test_steps_must_rise_and_rows_must_belong_to_steps() -> None:
    counter = FlowCounter(
        site=a_site(), camera_id="north", run_id=1, width_px=WIDTH_PX, height_px=HEIGHT_PX
    )
    track = a_track()
    with pytest.raises(ValueError, match="belong"):
        counter.update(steps_of(0.5), track)
    counter.update(steps_of(10), track)
    with pytest.raises(ValueError, match="rise"):
        counter.update(steps_of(10), track)


def test_nothing_seen_is_watched_all_the_same() -> None:
    flow = count(a_track()[:0], duration_s=90)
    assert flow.minutes.watched_s.tolist() == [60.0, 30.0]
    assert not len(flow.crossings)
    assert not len(flow.journeys)


def test_settings_name_every_wrong_key_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        counting_settings(a_site(rules={"counting": {"hysteresis": 1, "min_life_s": -1}}))
    assert len(caught.value.faults) == 2
    assert counting_settings(a_site(rules={"counting": {"hysteresis_m": 0.8}})).hysteresis_m == 0.8


def test_a_gate_without_points_is_refused_by_name() -> None:
    gate = Gate(id="stop", camera_id="north")
    with pytest.raises(ConfigError, match="stop"):
        count(a_track(), site=Site(id="x", gates=(gate,)))


def with_flags(points: TrackPoints, flags: NDArray[np.uint8]) -> TrackPoints:
    columns = {name: getattr(points, name) for name, _, _ in POINT_COLUMNS}
    return make_points(
        camera_id=points.camera_id, run_id=points.run_id, **{**columns, "flags": flags}
    )


def test_a_track_with_tentative_rows_only_is_nobody() -> None:
    track = a_track()
    flow = count(with_flags(track, np.full(len(track), Flag.TENTATIVE, np.uint8)))
    assert flow.journeys.reason.tolist() == ["never confirmed"]
    assert not flow.crossings.counted.any()


def test_tentative_rows_of_a_track_that_is_confirmed_later_count() -> None:
    track = a_track()
    flags = np.full(len(track), Flag.TENTATIVE, np.uint8)
    flags[-1] = 0
    sure, late = count(track), count(with_flags(track, flags))
    assert late.crossings.t_ns.tolist() == sure.crossings.t_ns.tolist()
    assert late.crossings.counted.all()
