"""Speeds at a line: the usual estimators' errors, ours, coverage, and every reason to withhold."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.geometry.estimators import ESTIMATORS, by_line, m_per_px, passages
from tests.geometry.roadside import Ride, Roadside, a_course, a_ride, a_roadside, courses_of

import calmstreet.geometry.calibrate as calibrate
from calmstreet.geometry.motion import smoothed_tracks
from calmstreet.geometry.regression import fit_slope
from calmstreet.geometry.speed import REASONS, Course, SiteError, SpeedAtLine, measure_speed
from calmstreet.model.kinds import Flag, Kind

Array = NDArray[np.float64]

# Science notes, section 2: what the usual estimators err by in km/h (600 vehicles each).
ROWS: dict[str, dict[str, float]] = {
    "25 fps, 1 px": {"kmh": 50, "fps": 25, "sigma_px": 1},
    "25 fps, 2 px": {"kmh": 50, "fps": 25, "sigma_px": 2},
    "10 fps, 2 px": {"kmh": 50, "fps": 10, "sigma_px": 2},
    "rho 0.9": {"kmh": 50, "fps": 25, "sigma_px": 2, "rho": 0.9},
    "braking": {"kmh": 50, "fps": 25, "sigma_px": 2, "accel_mps2": -2.0},
    "jitter 10 ms": {"kmh": 50, "fps": 25, "sigma_px": 2, "jitter_s": 0.01},
    "90 km/h": {"kmh": 90, "fps": 25, "sigma_px": 2},
    "30 km/h": {"kmh": 30, "fps": 25, "sigma_px": 2},
}
STANDARD_DEVIATIONS = {
    "displacements": (0.26, 0.49, 0.46, 0.64, 0.68, 0.80, 0.90, 0.36),
    "ordinary": (0.12, 0.24, 0.39, 0.67, 0.23, 0.33, 0.62, 0.11),
    "weighted": (0.10, 0.20, 0.32, 0.57, 0.20, 0.33, 0.50, 0.09),
}


@pytest.mark.parametrize("place", range(len(ROWS)), ids=list(ROWS))
def test_the_usual_estimators_err_as_the_notes_say(place: int) -> None:
    row = ROWS[list(ROWS)[place]]
    t, s, v = passages(np.random.default_rng(place), count=600, **row)
    truth = v.mean(axis=1) * 3.6
    for name, estimate in ESTIMATORS.items():
        error = estimate(t, s) * 3.6 - truth
        if "accel_mps2" not in row:
            assert abs(error.mean()) < 0.13, name
        if name in STANDARD_DEVIATIONS:
            said = STANDARD_DEVIATIONS[name][place]
            assert error.std() == pytest.approx(said, rel=0.2), name


def test_a_straight_line_through_braking_is_wrong_and_sure_of_itself() -> None:
    t, s, v = passages(np.random.default_rng(7), count=600, **ROWS["braking"])
    weight = 1 / (2 * m_per_px(s)) ** 2
    slope, power = by_line(t, s, weight)
    error = (slope - v.mean(axis=1)) * 3.6
    assert error.mean() == pytest.approx(0.9, abs=0.2)
    assert (np.abs(error) < 1.96 * 3.6 / np.sqrt(power)).mean() < 0.05


def test_wandering_boxes_make_the_naive_interval_too_short() -> None:
    t, s, v = passages(np.random.default_rng(8), count=600, **ROWS["rho 0.9"])
    slope, power = by_line(t, s, 1 / (2 * m_per_px(s)) ** 2)
    inside = np.abs(slope - v.mean(axis=1)) < 1.96 / np.sqrt(power)
    assert inside.mean() == pytest.approx(0.53, abs=0.06)


@pytest.mark.parametrize("name", list(ROWS))
def test_our_estimate_at_the_line_is_not_biased(name: str) -> None:
    row = ROWS[name]
    t, s, v = passages(np.random.default_rng(11), count=120, **row)
    middle = t.shape[1] // 2
    errors, inside = [], []
    for times, places, truth in zip(t, s, v, strict=True):
        later = np.r_[True, np.diff(np.maximum.accumulate(times)) > 0]
        sigma = np.full(len(places), row["sigma_px"]) * m_per_px(s.mean(axis=0))
        fit = fit_slope(times[later], places[later], sigma[later], at_s=middle / row["fps"])
        errors.append((fit.speed_mps - truth[middle]) * 3.6)
        inside.append(abs(errors[-1]) <= fit.half95_mps * 3.6)
    error = np.array(errors)
    assert abs(error.mean()) < 0.1 + 2 * error.std() / np.sqrt(len(error))
    assert np.mean(inside) >= 0.88


def test_the_slope_of_a_line_without_noise_is_exact() -> None:
    t, s, _ = passages(np.random.default_rng(1), count=1, kmh=50, fps=10)
    fit = fit_slope(t[0], s[0], m_per_px(s[0]), at_s=0.7)
    assert fit.speed_mps * 3.6 == pytest.approx(50.0, abs=0.01)
    assert not fit.quadratic
    assert (fit.weights * s[0]).sum() == pytest.approx(fit.speed_mps)


def test_too_few_rows_or_times_that_stand_are_refused() -> None:
    t = np.linspace(0.0, 1.0, 11)
    with pytest.raises(ValueError, match="rising"):
        fit_slope(t[:5], t[:5], np.ones(5), at_s=0.0)
    with pytest.raises(ValueError, match="rising"):
        fit_slope(np.r_[t[:10], t[9]], t, np.ones(11), at_s=0.0)


def test_many_rows_are_averaged_and_say_the_same() -> None:
    chance = np.random.default_rng(5)
    t = np.linspace(-5.0, 5.0, 301)
    s = 1.4 * t + chance.normal(0, 0.05, 301)
    fit = fit_slope(t, s, np.full(301, 0.05), at_s=0.0, accel_sigma_mps2=0.5)
    assert fit.n == 301
    assert fit.speed_mps == pytest.approx(1.4, abs=0.01)
    assert (fit.weights * s).sum() == pytest.approx(fit.speed_mps, abs=1e-9)


@pytest.fixture(scope="module", autouse=True)
def few_draws() -> Iterator[None]:
    patch = pytest.MonkeyPatch()
    patch.setattr(calibrate, "DRAWS", 40)
    yield
    patch.undo()


@pytest.fixture(scope="module")
def roadside() -> Roadside:
    return a_roadside(np.random.default_rng(4), exact=True)


def measured(roadside: Roadside, course: Course, at_ns: int = 0) -> SpeedAtLine:
    return measure_speed(
        course, at_ns=at_ns, plane=roadside.plane, contact_z_m=0.0, clock_share=0.0
    )


def quiet(**changes: Any) -> Ride:
    """Return a car at 50 km/h whose boxes do not tremble, with these changes."""
    return Ride(**{"kind": Kind.CAR, "speed_mps": 50 / 3.6, "sigma_px": 1e-6, **changes})


def test_fifty_without_noise_is_fifty(roadside: Roadside) -> None:
    for away in (True, False):
        course = a_course(np.random.default_rng(1), roadside, quiet(away=away))
        found = measured(roadside, course)
        assert found.speed_mps * 3.6 == pytest.approx(50.0, abs=0.01)
        assert found.length_m >= 15
        assert found.duration_s >= 1


def test_round_a_corner_the_speed_is_that_along_the_way(roadside: Roadside) -> None:
    for turn in (1 / 15, -1 / 25):
        ride = quiet(speed_mps=30 / 3.6, turn_per_m=turn, sigma_px=1.0, fps=25.0)
        found = [
            measured(roadside, a_course(np.random.default_rng(seed), roadside, ride))
            for seed in range(25)
        ]
        mean_kmh = np.mean([one.speed_mps for one in found]) * 3.6
        assert mean_kmh == pytest.approx(30.0, abs=0.25)


def test_braking_hard_is_told_from_driving_on(roadside: Roadside) -> None:
    ride = quiet(speed_mps=50 / 3.6, accel_mps2=-3.0, sigma_px=0.3)
    found = measured(roadside, a_course(np.random.default_rng(2), roadside, ride))
    assert found.method == "quadratic"
    assert found.accel_mps2 == pytest.approx(-3.0, abs=0.5)
    assert found.speed_mps * 3.6 == pytest.approx(50.0, abs=0.6)
    steady = measured(roadside, a_course(np.random.default_rng(2), roadside, quiet(sigma_px=1.0)))
    assert steady.method == "linear"


def rows_of(course: Course, rows: NDArray[np.intp]) -> Course:
    names = ("t_ns", "xy_m", "cov_m2", "smooth_m", "velocity_mps", "flags", "usable", "m_per_px")
    return replace(course, **{name: getattr(course, name)[rows] for name in names})


def again(course: Course) -> Course:
    """Return the course smoothed anew, as the tracker would after its rows were changed."""
    n = len(course.t_ns)
    path = smoothed_tracks(
        np.zeros(n, np.int64),
        t_ns=course.t_ns,
        xy_m=course.xy_m,
        cov_m2=course.cov_m2,
        q=np.ones(n),
    )
    return replace(course, smooth_m=path.xy_m, velocity_mps=path.velocity_mps)


def test_times_that_stand_still_do_no_harm(roadside: Roadside) -> None:
    course = a_course(np.random.default_rng(3), roadside, quiet(sigma_px=1.0))
    n = len(course.t_ns)
    twice = again(rows_of(course, np.repeat(np.arange(n), np.where(np.arange(n) % 5 == 3, 2, 1))))
    assert measured(roadside, twice) == measured(roadside, course)


def test_a_camera_that_says_25_and_sends_21_is_timed_by_its_stamps(roadside: Roadside) -> None:
    ride = quiet(fps=21.0, sigma_px=1.0)
    course = a_course(np.random.default_rng(4), roadside, ride)
    found = measured(roadside, course)
    assert abs(found.speed_mps - ride.speed_mps) <= found.half95_mps
    counted = again(replace(course, t_ns=(course.t_ns * 21) // 25))
    assert measured(roadside, counted).speed_mps / ride.speed_mps == pytest.approx(1.19, abs=0.03)


def test_a_camera_that_sends_every_frame_twice(roadside: Roadside) -> None:
    ride = quiet(fps=12.5, sigma_px=1.0)
    inside = []
    for seed in range(40):
        course = a_course(np.random.default_rng(seed), roadside, ride)
        double = rows_of(course, np.repeat(np.arange(len(course.t_ns)), 2))
        stamps = double.t_ns + np.tile([0, 40_000_000], len(course.t_ns))
        found = measured(roadside, again(replace(double, t_ns=stamps)))
        inside.append(abs(found.speed_mps - ride.speed_mps) <= found.half95_mps)
        assert found.speed_mps == pytest.approx(ride.speed_mps, abs=1.0)
    assert np.mean(inside) >= 0.9


def test_every_reason_to_withhold_a_speed(roadside: Roadside) -> None:
    course = a_course(np.random.default_rng(5), roadside, quiet(sigma_px=1.0))
    n, near = len(course.t_ns), np.abs(course.t_ns) < 450_000_000
    plane = roadside.plane

    def reason(changed: Course, **more: bool) -> str:
        return measure_speed(changed, at_ns=0, plane=plane, **more).reason

    assert reason(course) == ""
    assert measure_speed(course, at_ns=0, plane=replace(plane, trusted=False)).reason == (
        "untrusted-plane"
    )
    assert reason(course, moved=True) == "camera-moved"
    assert reason(rows_of(course, np.arange(0, n, 2))) == "slow-rate"
    assert reason(replace(course, m_per_px=np.full(n, 0.2))) == "coarse"
    assert reason(replace(course, usable=~near)) == "gap"
    for flag, name in ((Flag.BORDER, "border"), (Flag.OVERLAPPED, "overlapped")):
        flags = np.where(near, 0, flag).astype(np.uint8)
        assert reason(replace(course, flags=flags)) == name
    assert reason(rows_of(course, np.flatnonzero(near))) == "short"
    assert {"untrusted-plane", "camera-moved", "slow-rate", "coarse", "gap", "border"} < set(
        REASONS
    )
    withheld = measure_speed(course, at_ns=0, plane=plane, moved=True)
    assert np.isnan([withheld.speed_mps, withheld.half95_mps]).all()


def test_nine_and_a_half_pictures_per_second_pass_for_ten(roadside: Roadside) -> None:
    course = a_course(np.random.default_rng(6), roadside, quiet(fps=9.5, sigma_px=1.0))
    assert measured(roadside, course).reason == ""


def test_every_second_and_third_of_25_pictures_are_ten_per_second(roadside: Roadside) -> None:
    course = a_course(np.random.default_rng(6), roadside, quiet(fps=25.0, sigma_px=1.0))
    n = len(course.t_ns)
    for first in (0, 2):
        picked = np.cumsum(np.where(np.arange(n) % 2 == 0, 2, 3)) + first
        assert measured(roadside, rows_of(course, picked[picked < n])).reason == ""


def test_cyclists_and_people_on_foot_are_watched_for_two_seconds(roadside: Roadside) -> None:
    rider = quiet(kind=Kind.MOTORCYCLE, speed_mps=14.0, sigma_px=1.0)
    course = a_course(np.random.default_rng(7), roadside, rider)
    found = measured(roadside, course)
    assert found.duration_s >= 2.0
    near = np.flatnonzero(np.abs(course.t_ns) < 800_000_000)
    assert measured(roadside, rows_of(course, near)).reason == "short"
    assert measured(roadside, replace(rows_of(course, near), kind=Kind.CAR)).reason == ""


def test_who_stops_at_the_line_has_no_speed_there(roadside: Roadside) -> None:
    ride = quiet(speed_mps=1.0, accel_mps2=-2.0, sigma_px=1.0)
    assert measured(roadside, a_course(np.random.default_rng(8), roadside, ride)).reason == "short"


def test_what_belongs_to_the_site_is_in_the_budget(roadside: Roadside) -> None:
    course = a_course(np.random.default_rng(9), roadside, quiet(sigma_px=0.5))
    bare = measured(roadside, course)
    whole = measure_speed(course, at_ns=0, plane=roadside.plane)
    height_m = float(roadside.plane.place_m[2])
    contact = 0.3 / (height_m - 0.3) / np.sqrt(3)
    share = SiteError(scale=0.0, contact=contact, time=0.01).total
    expected = np.hypot(whole.speed_mps * share, bare.sigma_site_mps)
    assert whole.sigma_site_mps == pytest.approx(expected, rel=1e-6)
    assert whole.speed_mps == bare.speed_mps
    assert whole.half95_mps > bare.half95_mps


@settings(max_examples=15, deadline=None)
@given(
    st.floats(-np.pi, np.pi),
    st.floats(-50, 50),
    st.integers(-(10**12), 10**12),
    st.integers(0, 10**6),
)
def test_turning_shifting_and_waiting_change_nothing(
    roadside: Roadside, turn_rad: float, shift_m: float, wait_ns: int, seed: int
) -> None:
    course = a_course(np.random.default_rng(seed), roadside, quiet(sigma_px=1.0))
    here = measure_speed(course, at_ns=0, plane=None)
    c, s = np.cos(turn_rad), np.sin(turn_rad)
    turned = np.array([[c, -s], [s, c]])
    full = np.stack([course.cov_m2[:, :2], course.cov_m2[:, 1:]], axis=1)
    cov = np.einsum("ij,njk,lk->nil", turned, full, turned)
    there = replace(
        course,
        t_ns=course.t_ns + wait_ns,
        xy_m=course.xy_m @ turned.T + shift_m,
        smooth_m=course.smooth_m @ turned.T + shift_m,
        velocity_mps=course.velocity_mps @ turned.T,
        cov_m2=np.stack([cov[:, 0, 0], cov[:, 0, 1], cov[:, 1, 1]], axis=1),
    )
    moved = measure_speed(there, at_ns=wait_ns, plane=None)
    assert moved.speed_mps == pytest.approx(here.speed_mps, rel=1e-5)
    assert moved.half95_mps == pytest.approx(here.half95_mps, rel=1e-3)


def coverage(count: int, seed: int) -> tuple[Array, list[Ride], NDArray[np.bool_]]:
    """Return errors in km/h, rides and whether the interval holds, each with its own camera."""
    chances = [np.random.default_rng([seed, k]) for k in range(count)]
    stage = [(a_roadside(chance), a_ride(chance)) for chance in chances]
    courses = courses_of(chances, stage)
    errors, rides, inside = [], [], []
    for (roadside, ride), course in zip(stage, courses, strict=True):
        found = measured(roadside, course)
        if found.reason:
            continue
        errors.append((found.speed_mps - ride.speed_mps) * 3.6)
        rides.append(ride)
        inside.append(abs(errors[-1]) <= found.half95_mps * 3.6)
    return np.array(errors), rides, np.array(inside)


def test_intervals_hold_what_they_promise_on_some_streets() -> None:
    errors, _, inside = coverage(80, seed=1)
    assert len(errors) > 72
    assert inside.mean() >= 0.9
    assert abs(np.median(errors)) < 0.15


@pytest.mark.slow
def test_intervals_hold_what_they_promise_on_two_thousand_streets() -> None:
    errors, rides, inside = coverage(2040, seed=2)
    print(f"\n{len(errors)} road users, 95 % intervals hold {inside.mean():.1%}")
    groups: dict[str, list[float]] = {
        "rho": [ride.rho for ride in rides],
        "km/h": [20 * round(ride.speed_mps * 3.6 / 20) for ride in rides],
        "jitter, ms": [1000 * ride.jitter_s for ride in rides],
        "kind": [ride.kind for ride in rides],
    }
    for name, values in groups.items():
        for value in sorted(set(values)):
            mine = np.array(values) == value
            print(
                f"{name:>10} {value:5.1f}: {inside[mine].mean():6.1%} of {mine.sum():4d},"
                f" bias {errors[mine].mean():+.2f}, sd {errors[mine].std():.2f} km/h"
            )
            assert inside[mine].mean() >= 0.90, (name, value)
    assert len(errors) >= 2000
    assert 0.93 <= inside.mean() <= 0.97
    assert abs(np.median(errors)) < 0.1
