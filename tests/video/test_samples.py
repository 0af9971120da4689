"""Samples for a background: spread over the clip, and their median has nobody in it."""

from pathlib import Path

import numpy as np
from tests.video.clips import a_clip, a_picture

from calmstreet.video.samples import read_background_bgr, read_luma_samples


def test_samples_are_spread_whether_there_are_keyframes_or_not(tmp_path: Path) -> None:
    for keyframe_every in ("1", "250"):
        clip = a_clip(
            tmp_path / f"k{keyframe_every}.mp4",
            times_s=[i / 10 for i in range(60)],
            options={"g": keyframe_every},
        )
        samples = read_luma_samples(clip, count=10, small_width_px=80)
        times = [t_s for t_s, _ in samples]
        assert len(samples) == 10
        assert times[0] == 0.0
        assert times[-1] > 5.5
        assert max(np.diff(times)) < 1.5
        assert samples[0][1].shape == (48, 80)


def test_a_few_pictures_follow_each_keyframe_where_these_are_few(tmp_path: Path) -> None:
    options = {"g": "10", "bf": "2", "sc_threshold": "0"}
    clip = a_clip(tmp_path / "c.mp4", times_s=[i / 10 for i in range(100)], options=options)
    samples = read_luma_samples(clip, count=40, small_width_px=80)
    times = np.array([t_s for t_s, _ in samples])
    assert len(times) == 40
    expected = np.add.outer(np.arange(10.0), [0.0, 0.2, 0.4, 0.6]).ravel()
    np.testing.assert_allclose(times, expected, atol=1e-6)
    whole = {round(s, 1): luma for s, luma in read_luma_samples(clip, count=100, small_width_px=80)}
    for t_s, luma in samples:
        if round(t_s, 1) in whole:
            np.testing.assert_array_equal(luma, whole[round(t_s, 1)])


def test_the_median_has_nobody_in_it(tmp_path: Path) -> None:
    clip = a_clip(tmp_path / "m.mp4", times_s=[i / 10 for i in range(60)])
    empty = a_picture(0).copy()
    empty[20:44] = empty[60:61]
    background = read_background_bgr(clip)
    assert background.shape == (96, 160, 3)
    assert np.abs(background.astype(int) - empty).mean() < 8
