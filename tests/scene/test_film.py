"""Films carry the times of the truth, and counts of the truth are conserved."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from calmstreet.errors import VideoError
from calmstreet.model.kinds import Kind
from calmstreet.scene.film import DEMO_NAME, DEMO_START_ISO, film_times_s, render_film, rendered
from calmstreet.scene.script import demo_street, one_car
from calmstreet.scene.truth import SceneTruth
from calmstreet.units import from_iso
from calmstreet.video.timeline import time_in_name


@pytest.mark.parametrize("jitter", [0.0, 0.7])
def test_a_film_holds_the_times_of_the_truth(tmp_path: Path, jitter: float) -> None:
    path = tmp_path / "film.mp4"
    heard: list[float] = []
    truth = render_film(
        one_car(2.0, seed=7), path, fps=10.0, jitter=jitter, start_ns=5, on_progress=heard.append
    )
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        times = [float(frame.time) for frame in container.decode(video=0) if frame.time is not None]
        assert (stream.width, stream.height) == (960, 540)
    np.testing.assert_allclose(times, truth.t_s, atol=1e-4)
    np.testing.assert_allclose((truth.t_ns - 5) / 1e9, truth.t_s, atol=1e-8)
    assert heard[-1] == 1.0
    assert heard == sorted(heard)
    steps = np.diff(truth.t_s)
    assert (steps.std() > 0.01) == (jitter > 0)


def test_times_never_run_backwards() -> None:
    ticks = film_times_s(20.0, 12.0, jitter=0.9, seed=3)
    assert all(a < b for a, b in pairwise(ticks))


def test_a_film_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="cannot be written"):
        render_film(one_car(0.5, seed=7), tmp_path / "nowhere" / "film.mp4")


def test_the_demos_name_tells_its_time() -> None:
    zero = time_in_name(DEMO_NAME, "Asia/Almaty")
    assert zero is not None
    assert (zero.t_ns, zero.time_known) == (from_iso(DEMO_START_ISO), "name")


def truth_of(duration_s: float, fps: float) -> SceneTruth:
    scene = replace(demo_street(duration_s), noise=0.0)
    frames = list(rendered(scene, fps=fps))
    ticks = np.array([tick for tick, _, _ in frames])
    return SceneTruth(
        site=scene.site,
        camera_id="stage",
        t_ns=ticks * 78_125,
        t_s=ticks / 12_800,
        rows=tuple(row for _, _, rows in frames for row in rows),
    )


def test_who_goes_in_is_inside_or_has_come_out() -> None:
    truth = truth_of(24.0, 5.0)
    near, far, zebra = truth.gate_counts()
    between = near["to_right"]["total"] - far["to_right"]["total"]
    waiting = [c.actor for c in truth.crossings() if c.gate == "near" and not c.to_left]
    passed = [c.actor for c in truth.crossings() if c.gate == "far" and not c.to_left]
    assert between == len(set(waiting) - set(passed))
    assert set(passed) <= set(waiting)
    assert len(waiting) == len(set(waiting))
    assert near["to_right"]["total"] >= 3
    assert zebra["to_left"]["total"] + zebra["to_right"]["total"] >= 1
    assert all(c.kind == Kind.PEDESTRIAN for c in truth.crossings() if c.gate == "zebra")
