from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.video.clips import a_clip

from calmstreet.config.site import default_site
from calmstreet.model.frame import Frame
from calmstreet.model.points import TrackPoints, concat_points
from calmstreet.model.run import Run
from calmstreet.perception.detector import Eyes
from calmstreet.pipeline import watching
from calmstreet.pipeline.keeping import Keeper
from calmstreet.pipeline.seeing import Seer, street_samples
from calmstreet.pipeline.watching import Watch, low_scale
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.points import read_points
from calmstreet.video.source import FileSource


def walking(i: int) -> NDArray[np.uint8]:
    picture = np.full((96, 160, 3), 90, np.uint8)
    x = 4 * i - 16
    picture[30:60, max(x, 0) : max(x + 20, 0)] = (30, 220, 240)
    picture[36:42, max(x + 4, 0) : max(x + 16, 0)] = 20
    return picture


def a_watch(catalogue: Catalogue, at_once: int, samples: NDArray[np.uint8] | None = None) -> Watch:
    site = default_site()
    catalogue.save_site(site, "")
    run = Run(
        run_id=0,
        camera_id="camera",
        site_version=site.site_version,
        source="clip",
        start_ns=0,
        end_ns=1,
        state="open",
        time_known="unknown",
        width_px=160,
        height_px=96,
        declared_fps=10.0,
        delivered_fps=10.0,
        detector="motion/1",
    )
    run_id = catalogue.new_run(run, files=[])
    run = next(r for r in catalogue.runs(live=False) if r.run_id == run_id)
    return Watch(
        catalogue=catalogue,
        run=run,
        seer=Seer(site=site, run=run, net=None, samples=samples),
        keeper=Keeper(site=site, camera_id="camera", width_px=160, height_px=96, writer=None),
        at_once=at_once,
    )


def points_of(folder: Path, clip: Path, at_once: int) -> TrackPoints:
    with Catalogue.open(folder, create=True) as catalogue:
        watch = a_watch(catalogue, at_once, street_samples(clip, 160))
        for frame in FileSource(path=clip, camera_id="camera", start_ns=0).frames():
            watch.take(frame)
        assert watch.tally.analysed == watch.tally.frames == 40
        watch.close()
        files = catalogue.point_files(watch.run.run_id)
        return concat_points(list(read_points(folder, files)))


@pytest.mark.parametrize("at_once", [7, 10, 100])
def test_waiting_for_each_other_changes_nothing(tmp_path: Path, at_once: int) -> None:
    times_s = [k / 10 for k in range(40)]
    clip = a_clip(tmp_path / "clip.mp4", times_s=times_s, picture=walking)
    alone = points_of(tmp_path / "alone", clip, 1)
    together = points_of(tmp_path / "together", clip, at_once)
    assert len(alone) > 10
    for name in ("t_ns", "track_id", "kind", "score", "flags", "box_px"):
        np.testing.assert_array_equal(getattr(alone, name), getattr(together, name))


def test_large_pictures_do_not_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "MOST_WAITING_PX", 2 * 160 * 96)
    source = FileSource(path=a_clip(tmp_path / "clip.mp4"), camera_id="camera", start_ns=0)
    with Catalogue.open(tmp_path / "out", create=True) as catalogue:
        watch = a_watch(catalogue, 10)
        for frame in source.frames():
            watch.take(frame)
            assert len(watch._waiting) < 2
        watch.close()


def test_a_frame_at_low_scale_shows_the_motion_eye_the_same() -> None:
    rng = np.random.default_rng(3)
    street = rng.integers(40, 200, (360, 1280)).astype(np.uint8)
    whole, small = Eyes(net=None), Eyes(net=None)
    for k in range(4):
        luma = street.copy()
        luma[100:220, 200 + 40 * k : 400 + 40 * k] = 255
        frame = Frame(
            camera_id="north", t_ns=k * 100_000_000, index=k, luma=luma, to_bgr=no_picture
        )
        light = low_scale(frame)
        assert (light.width_px, light.height_px, light.luma.shape) == (1280, 360, (180, 640))
        held = np.empty((0, 4), np.float32)
        expected, seen = whole.look(frame, held), small.look(light, held)
        np.testing.assert_array_equal(expected.small, seen.small)
        np.testing.assert_array_equal(expected.detections.box_px, seen.detections.box_px)
    assert len(seen.detections)
    with pytest.raises(ValueError, match="not kept"):
        light.bgr()


def no_picture(width_px: int, height_px: int) -> NDArray[np.uint8]:
    return np.zeros((height_px, width_px, 3), np.uint8)
