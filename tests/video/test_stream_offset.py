"""Two streams of one camera: what they show tells how far apart their times lie."""

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.shared_data import shared_data

from calmstreet.video.stream_offset import StreamOffset, stream_offset, thumbnail

S = 1_000_000_000
Pictures = NDArray[np.uint8]


def street(taken_s: NDArray[np.float64], seed: int, *, scale: int = 1) -> Pictures:
    """Return small pictures of lights that pass at random moments and speeds."""
    random = np.random.default_rng(seed)
    begin = random.uniform(-3, 16, 30)
    speed = random.uniform(4, 12, 30) * random.choice([-1, 1], 30)
    row = random.uniform(0, 9, 30)
    y, x = np.mgrid[0 : 9 : 1 / scale, 0 : 16 : 1 / scale]
    frames = []
    for t in taken_s:
        place = np.where(speed > 0, 0, 16) + speed * (t - begin)
        light = np.exp(-((x[..., None] - place) ** 2 + (y[..., None] - row) ** 2)).sum(2)
        frames.append(np.clip(90 + 120 * light, 0, 255))
    return np.array([thumbnail(frame.astype(np.uint8)) for frame in frames])


def offset_of(
    offset_s: float, *, fps: tuple[float, float] = (25.0, 12.0), noise: float = 2.0, seed: int = 1
) -> StreamOffset | None:
    random = np.random.default_rng(seed)
    found = []
    for rate, ahead_s, scale in ((fps[0], 0.0, 2), (fps[1], offset_s, 1)):
        taken = np.arange(0, 14, 1 / rate) + random.uniform(0, 0.02)
        shown = street(taken, seed, scale=scale) + random.normal(0, noise, (len(taken), 9, 16))
        t_ns = np.round((taken + ahead_s) * S).astype(np.int64)
        found.append((t_ns, np.clip(shown, 0, 255).astype(np.uint8)))
    (a_ns, a), (b_ns, b) = found
    return stream_offset(a_ns, first=a, second_ns=b_ns, second=b)


@given(offset_s=st.floats(-1.9, 1.9), seed=st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_the_offset_is_found_to_a_fraction_of_a_frame(offset_s: float, seed: int) -> None:
    found = offset_of(offset_s, seed=seed)
    assert found is not None
    assert found.offset_s == pytest.approx(offset_s, abs=0.5 / 12.0)
    assert found.quality > 0.8


def test_other_rates_and_much_noise_lower_the_quality_first() -> None:
    clean = offset_of(0.137, fps=(30.0, 10.0), noise=0.0)
    noisy = offset_of(0.137, fps=(30.0, 10.0), noise=15.0)
    assert clean is not None
    assert noisy is None or noisy.quality < clean.quality
    assert clean.offset_s == pytest.approx(0.137, abs=0.02)


def test_streams_of_two_cameras_have_none() -> None:
    t_ns = np.arange(0, 14 * S, S // 25)
    a, b = (street(t_ns / S, seed) for seed in (3, 4))
    assert stream_offset(t_ns, first=a, second_ns=t_ns, second=b) is None


def test_a_blinking_lamp_and_noise_and_too_little_tell_nothing() -> None:
    t_ns = np.arange(0, 14 * S, S // 25)
    blink = np.zeros((len(t_ns), 9, 16), np.uint8)
    blink[:, 2:4, 3:5] = ((t_ns // (S // 2)) % 2 * 200)[:, None, None]
    noise = np.random.default_rng(1).integers(0, 9, (2, len(t_ns), 9, 16)).astype(np.uint8)
    few = t_ns[:50]
    moving = street(few / S, 1)
    assert stream_offset(t_ns, first=blink, second_ns=t_ns + 7, second=blink) is None
    assert stream_offset(t_ns, first=noise[0], second_ns=t_ns, second=noise[1]) is None
    assert stream_offset(few, first=moving, second_ns=few, second=moving) is None
    assert stream_offset(few[:1], first=moving[:1], second_ns=few, second=moving) is None


def test_an_offset_beyond_the_lags_tried_is_not_guessed() -> None:
    assert offset_of(2.6) is None


@pytest.mark.real
@pytest.mark.parametrize("offset_s", [-0.73, 0.2, 1.31])
@pytest.mark.parametrize("clip", ["ozlu_input_video.mp4", "intel_car-detection.mp4"])
def test_real_streets_tell_it_too(clip: str, offset_s: float) -> None:
    main: list[tuple[int, Pictures]] = []
    with av.open(str(shared_data("video") / clip)) as container:
        for frame in container.decode(video=0):
            luma = frame.to_ndarray(format="gray", width=320, height=180).astype(np.uint8)
            main.append((round((frame.time or 0.0) * S), thumbnail(luma)))
            if len(main) == 300:
                break
    a_ns = np.array([t for t, _ in main[::2]])
    b_ns = np.array([t for t, _ in main[1::2]]) + round(offset_s * S)
    a, b = (np.array([thumb for _, thumb in main[k::2]]) for k in (0, 1))
    found = stream_offset(a_ns, first=a, second_ns=b_ns, second=b)
    assert found is not None
    assert found.offset_s == pytest.approx(offset_s, abs=0.03)
