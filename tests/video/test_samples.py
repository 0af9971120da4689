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


def test_the_median_has_nobody_in_it(tmp_path: Path) -> None:
    clip = a_clip(tmp_path / "m.mp4", times_s=[i / 10 for i in range(60)])
    empty = a_picture(0).copy()
    empty[20:44] = empty[60:61]
    background = read_background_bgr(clip)
    assert background.shape == (96, 160, 3)
    assert np.abs(background.astype(int) - empty).mean() < 8
