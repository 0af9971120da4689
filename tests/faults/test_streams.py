"""Hostile streams: every good frame kept, honest times, every second accounted for."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from tests.faults.hostile import (
    Connection,
    Shot,
    encoded,
    joined,
    later,
    paced,
    spoiled,
    stamped,
    thinned,
)
from tests.faults.watched import START_NS, Watched, watch

from calmstreet.units import NS_PER_S

MINUTE = encoded(count=1500)
OPENS_S = 0.3


def seen(shots: Sequence[Shot], *, fps: float = 25.0, codec: str = "h264") -> Watched:
    """Watch one connection that sends these packets, to its end."""
    last_s = shots[-1].arrives_s
    return watch(
        [Connection(shots=shots, declared_fps=fps, codec=codec)], for_s=OPENS_S + last_s - 0.01
    )


def errors_s(watched: Watched, shots: Sequence[Shot]) -> list[float]:
    """Return how far each frame's time is from when the nearest packet's picture was taken."""
    taken = np.array(sorted(shot.taken_s for shot in shots)) + OPENS_S
    told = np.array([(frame.t_ns - START_NS) / NS_PER_S for frame in watched.frames])
    if len(taken) - 1 <= len(told) <= len(taken):
        return list(np.abs(told - taken[: len(told)]))
    return list(np.abs(told[:, None] - taken).min(axis=1))


def check(
    watched: Watched, shots: Sequence[Shot], *, kept: float = 0.995, off_s: float = 0.5
) -> None:
    """Hold a stream to the bars: frames kept, times grow, times honest, time accounted for."""
    assert len(watched.frames) >= kept * len(shots) - 2
    assert max(errors_s(watched, shots)) < off_s
    told = [frame.t_ns for frame in watched.frames]
    assert all(a < b for a, b in pairwise(told))
    assert watched.accounted_share() == pytest.approx(1.0, abs=1e-3)
    assert watched.silence_s() <= 1.1


TIMESTAMPS = {
    "honest": lambda k, s: s.pts,
    "one-in-50-is-9800-s-old": lambda k, s: s.pts - 9_800 * 90_000 * (k % 50 == 30),
    "one-in-50-is-37600-s-ahead": lambda k, s: s.pts + 37_600 * 90_000 * (k % 50 == 30),
    "both-in-turn": lambda k, s: s.pts + 90_000 * {30: -9_800, 40: 37_600}.get(k % 50, 0),
    "all-missing": lambda k, s: None,
    "every-third-missing": lambda k, s: None if k % 3 == 1 else s.pts,
    "all-zero": lambda k, s: 0,
    "each-twice": lambda k, s: k // 2 * 7_200,
    "begins-far-off": lambda k, s: s.pts + 2**40,
    "before-zero": lambda k, s: s.pts - 2**40,
    "steps-back-half-a-second-once": lambda k, s: s.pts - 45_000 * (k > 700),
}


@pytest.mark.parametrize("name", TIMESTAMPS)
def test_false_timestamps(name: str) -> None:
    shots = list(stamped(MINUTE, TIMESTAMPS[name]))
    watched = seen(shots)
    check(watched, shots)
    assert watched.reasons == []


def test_timestamps_of_32_bits_that_wrap() -> None:
    shots = list(stamped(MINUTE, lambda k, s: ((s.pts or 0) + 2**32 - 900_000) % 2**32))
    last_s = OPENS_S + shots[-1].arrives_s - 0.01
    watched = watch([Connection(shots=shots, wrap_bits=32)], for_s=last_s)
    check(watched, shots, off_s=0.05)
    assert watched.reasons == []


@pytest.mark.parametrize("jump_s", [-9_800, 37_600, 20])
def test_a_timeline_that_jumps_for_good_begins_a_new_run(jump_s: int) -> None:
    shots = list(stamped(MINUTE, lambda k, s: (s.pts or 0) + jump_s * 90_000 * (k >= 700)))
    watched = seen(shots)
    check(watched, shots)
    assert watched.reasons == ["stream-jump"]
    assert watched.stats.stream_jumps == 1


def test_25_declared_21_delivered() -> None:
    shots = list(paced(MINUTE, 21.0))
    watched = seen(shots)
    check(watched, shots)
    assert watched.reasons == []
    assert watched.stats.declared_fps == 25.0
    assert watched.stats.delivered_fps == pytest.approx(21.0, abs=0.2)
    assert watched.stats.stream_rate == pytest.approx(25 / 21, abs=0.01)


@pytest.mark.parametrize("fps", [1, 120])
def test_one_and_120_frames_a_second(fps: int) -> None:
    shots = encoded(count=30 * fps, fps=fps, gop=fps)
    watched = seen(shots, fps=fps)
    check(watched, shots)
    assert watched.reasons == []
    assert watched.stats.delivered_fps == pytest.approx(fps, rel=0.02)


def test_b_frames_whose_first_packets_have_no_dts() -> None:
    shots = encoded(count=750, bframes=2)
    watched = seen(shots)
    check(watched, shots)
    assert watched.reasons == []


def test_a_size_that_changes_every_two_seconds() -> None:
    small, large = encoded(count=60), encoded(count=60, width=96, height=64)
    shots = list(joined(*([small, large] * 10), every_s=2.0))
    watched = seen(shots)
    check(watched, shots)
    assert watched.reasons == ["size-changed"] * 19
    assert {frame.width_px for frame in watched.frames} == {64, 96}


def test_a_codec_that_changes_in_the_middle_is_called_again() -> None:
    other = encoded(count=1500, codec="libx265")
    shots = list(joined(MINUTE[:500], other, every_s=20.0))
    watched = watch(
        [Connection(shots=shots), Connection(shots=other[:500], codec="hevc")], for_s=80
    )
    assert watched.reasons[:2] == ["damaged", "codec-changed"]
    assert watched.gaps[1].duration_s < 10
    assert watched.accounted_share() == pytest.approx(1.0, abs=1e-3)
    assert watched.stats.codec == "hevc"


@pytest.mark.parametrize("share", [1e-4, 1e-3, 1e-2])
def test_a_damaged_bitstream_is_counted(share: float) -> None:
    shots = list(spoiled(MINUTE, seed=5, share=share))
    watched = seen(shots)
    check(watched, shots, kept=0.5 if share > 5e-3 else 0.9)
    assert watched.stats.corrupt_frames > 0


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_lost_packets(share: float) -> None:
    shots = list(thinned(MINUTE, seed=6, share=share))
    watched = seen(shots)
    check(watched, shots, kept=0.9 if share < 0.2 else 0.6)


def test_noise_that_is_no_video_at_all() -> None:
    random = np.random.default_rng(1)
    shots = [
        Shot(
            data=random.bytes(200), key=False, taken_s=k / 25, arrives_s=k / 25, pts=k * 3600, dts=0
        )
        for k in range(1500)
    ]
    watched = watch([Connection(shots=shots)], for_s=55)
    assert not watched.frames
    assert len(watched.gaps) == 1
    assert watched.accounted_share() == pytest.approx(1.0, abs=1e-3)
    assert watched.silence_s() <= 1.1
    assert watched.calls_s[1] == pytest.approx(OPENS_S + 30, abs=2)


def test_no_keyframe_ever() -> None:
    shots = [shot for shot in encoded(count=1500, gop=10_000) if not shot.key]
    watched = watch([Connection(shots=shots)], for_s=20)
    assert not watched.frames
    assert watched.reasons == ["no-keyframe"]
    assert watched.accounted_share() == pytest.approx(1.0, abs=1e-3)
    assert watched.silence_s() <= 1.1


def test_a_keyframe_every_20_seconds_joined_in_the_middle() -> None:
    whole = encoded(count=1500, gop=500)
    shots = [shot for shot in whole if shot.taken_s > 5]
    first = [s for s in shots if s.taken_s >= 20]
    watched = seen(shots)
    assert len(watched.frames) >= len(first) - 2
    assert watched.accounted_share() == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("stall_s", [0.8, 2.5])
def test_a_stall_of_the_network_loses_nothing(stall_s: float) -> None:
    shots = list(later(MINUTE, from_s=20, by_s=stall_s))
    watched = seen(shots)
    check(watched, MINUTE)
    assert watched.reasons == []
    assert bool(watched.waits) is (stall_s > 1.0)


def test_a_tiny_and_a_large_picture() -> None:
    for width, height, count in ((16, 16, 100), (1920, 1088, 12)):
        shots = encoded(count=count, width=width, height=height)
        check(seen(shots), shots)


def test_packets_in_the_wrong_order_and_empty_ones() -> None:
    shots = list(MINUTE)
    for k in range(100, 1400, 100):
        shots[k], shots[k + 1] = shots[k + 1], shots[k]
    shots[333] = Shot(data=b"", key=False, taken_s=13.32, arrives_s=13.34, pts=None, dts=None)
    shots.sort(key=lambda shot: shot.arrives_s)
    watched = seen(shots)
    check(watched, shots, kept=0.9)
