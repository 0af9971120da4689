"""Cameras that go, come back, refuse, change; clocks that jump; a node that is too slow."""

import threading
from itertools import pairwise

import pytest
from tests.faults.hostile import Connection, ScriptedCamera, encoded
from tests.faults.watched import START_NS, Watched, watch

from calmstreet.clock import FakeClock
from calmstreet.model.frame import Frame
from calmstreet.video.address import parse_address
from calmstreet.video.live_source import LiveSource

TEN_S = encoded(count=250)
SMALL = encoded(count=250, width=96, height=64)
HEVC = encoded(count=250, codec="libx265")
HOUR_S = 3600
NS = 1_000_000_000


def accounted(watched: Watched) -> None:
    assert watched.accounted_share() == pytest.approx(1.0, abs=1e-3)
    assert watched.silence_s() <= 1.1


def test_a_camera_that_is_gone_and_comes_back() -> None:
    gone = [Connection(ends="not-reachable")] * 5
    watched = watch([Connection(shots=TEN_S), *gone, Connection(shots=TEN_S)], for_s=40)
    accounted(watched)
    assert watched.reasons == ["not-reachable"]
    assert 17 < watched.gaps[1].duration_s < 30
    assert watched.stats.reconnects == 1
    assert all(later - sooner <= 9 for sooner, later in pairwise(watched.calls_s[1:7]))


def test_a_camera_that_was_never_there_is_called_ever_more_rarely() -> None:
    watched = watch([], for_s=HOUR_S)
    accounted(watched)
    assert [gap.reason for gap in watched.gaps] == ["not-reachable"]
    assert watched.gaps[0].duration_s == pytest.approx(HOUR_S, abs=1.5)
    in_first_ten_minutes = sum(t < 600 for t in watched.calls_s)
    assert 60 < in_first_ten_minutes < 120
    assert len(watched.calls_s) - in_first_ten_minutes < 150


def test_a_wrong_password_does_not_lock_the_account() -> None:
    watched = watch([Connection(ends="refused", opens_s=0.1)], again=True, for_s=HOUR_S)
    accounted(watched)
    assert [gap.reason for gap in watched.gaps] == ["refused"]
    assert sum(t < 60 for t in watched.calls_s) <= 3
    assert len(watched.calls_s) <= 20
    assert all(wait.reason in {"refused", "starting"} for wait in watched.waits)


def test_a_camera_that_hangs_up_after_each_picture_is_no_storm() -> None:
    watched = watch([Connection(shots=TEN_S[:1])], again=True, for_s=600)
    accounted(watched)
    assert len(watched.calls_s) < 120
    assert watched.stats.frames == len(watched.frames) > 50


def test_a_camera_that_falls_silent() -> None:
    silent = Connection(shots=TEN_S, ends="silent", ends_after_s=4.0)
    watched = watch([silent, Connection(shots=TEN_S)], for_s=25)
    accounted(watched)
    assert watched.reasons == ["silent"]
    first = next(wait for wait in watched.waits if wait.reason == "silent")
    assert first.t_ns - first.since_ns <= 5 * NS


def test_a_camera_that_reboots_with_another_size() -> None:
    watched = watch([Connection(shots=TEN_S), Connection(shots=SMALL)], for_s=21)
    accounted(watched)
    assert watched.reasons == ["size-changed"]
    assert {frame.width_px for frame in watched.frames} == {64, 96}
    long = watch(
        [Connection(shots=TEN_S), *[Connection(ends="not-reachable")] * 2, Connection(shots=SMALL)],
        for_s=26,
    )
    accounted(long)
    assert long.reasons == ["not-reachable", "size-changed"]


def test_a_camera_that_comes_back_with_another_codec() -> None:
    watched = watch([Connection(shots=TEN_S), Connection(shots=HEVC, codec="hevc")], for_s=21)
    accounted(watched)
    assert watched.reasons == ["codec-changed"]
    assert "h264 to hevc" in watched.gaps[1].note
    assert watched.stats.codec == "hevc"


def test_a_connection_renewed_within_two_seconds_breaks_no_run() -> None:
    watched = watch([Connection(shots=TEN_S), Connection(shots=TEN_S)], for_s=20)
    accounted(watched)
    assert watched.reasons == []
    assert watched.stats.reconnects == 1
    assert len(watched.frames) > 440


@pytest.mark.parametrize("step_s", [-3600, 86_400, -10 * 365 * 86_400])
def test_the_wall_clock_is_set_while_pictures_come(step_s: int) -> None:
    watched = watch(
        [Connection(shots=encoded(count=1500))],
        for_s=50,
        does={20.0: lambda clock: clock.step(step_s)},
    )
    assert watched.reasons == ["clock-step"]
    step = watched.gaps[1]
    assert f"{step_s:+.3f}" in step.note
    assert len(watched.frames) > 1230
    before = [f.t_ns for f in watched.frames if f.index < 490]
    after = [f.t_ns - step_s * NS for f in watched.frames if f.index > 500]
    assert after[0] - before[-1] < NS
    assert watched.stats.clock_steps == 1
    skipped_s = max(0, step_s)
    assert watched.accounted_share() * watched.lasted_s - skipped_s == pytest.approx(50, abs=0.05)


@pytest.mark.parametrize("step_s", [-3600, 86_400])
def test_the_wall_clock_is_set_while_the_camera_is_away(step_s: int) -> None:
    away = [Connection(ends="not-reachable")] * 2
    watched = watch(
        [Connection(shots=TEN_S), *away, Connection(shots=TEN_S)],
        for_s=24,
        does={12.0: lambda clock: clock.step(step_s)},
    )
    assert watched.reasons == ["not-reachable", "clock-step"]
    away_gap, step = watched.gaps[1:3]
    assert 2 < away_gap.duration_s < 10
    assert step.duration_s == pytest.approx(max(0, step_s), abs=0.01)


def test_a_clock_without_a_battery_is_set_before_the_first_picture() -> None:
    watched = watch(
        [Connection(ends="not-reachable")] * 3 + [Connection(shots=TEN_S)],
        for_s=15,
        does={2.0: lambda clock: clock.step(10 * 365 * 86_400)},
    )
    assert [gap.reason for gap in watched.gaps][:2] == ["not-reachable", "clock-step"]
    assert watched.gaps[0].duration_s < 20


def test_a_node_that_is_too_slow_drops_to_the_newest_and_says_so() -> None:
    watched = watch([Connection(shots=encoded(count=1500))], for_s=59, slow=lambda t: 0.1)
    accounted(watched)
    late_s = [
        seen - (moment.t_ns - START_NS) / NS
        for seen, moment in zip(watched.seen_s, watched.moments, strict=True)
        if moment in watched.frames
    ]
    assert max(late_s) < 1.3
    assert watched.stats.dropped > 500
    assert watched.reasons == []


def test_a_node_that_was_stopped_for_ten_seconds_says_overload() -> None:
    watched = watch(
        [Connection(shots=encoded(count=1500))],
        for_s=59,
        slow=lambda t: 10.0 if 20.0 < t < 20.1 else 0.0,
    )
    assert watched.accounted_share() == pytest.approx(1.0, abs=1e-3)
    assert watched.reasons == ["overload"]
    assert 8 < watched.gaps[1].duration_s < 11


def test_only_keyframes_are_decoded_when_load_is_shed() -> None:

    clock = FakeClock(start_ns=START_NS)
    stop = threading.Event()
    source = LiveSource(
        address=parse_address("rtsp://127.0.0.1/cam"),
        camera_id="north",
        clock=clock,
        stop=stop,
        open_stream=ScriptedCamera(
            clock=clock, script=[Connection(shots=encoded(count=1500, gop=75))]
        ),
    )
    source.keyframes_only = True
    shown = []
    for moment in source.moments():
        if isinstance(moment, Frame):
            shown.append(moment)
            source.keyframes_only = clock.monotonic_s() < 30
        if clock.monotonic_s() > 45:
            stop.set()
        assert getattr(moment, "reason", "") in {"", "starting", "overload", "stopped"} or not shown
    assert [f.t_ns - shown[0].t_ns for f in shown[:3]] == [0, 3 * NS, 6 * NS]
    assert 11 * 25 < len(shown) < 15 * 25 + 11
