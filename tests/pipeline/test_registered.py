"""Rows lie where the reference shows them; what is drawn and blurred, where the picture does."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.video.clips import a_clip
from tests.whole.road import X264, Block, even_times, picture_at

from calmstreet.model.points import TrackPoints
from calmstreet.model.run import Run
from calmstreet.model.site import Camera, Site
from calmstreet.pipeline.seeing import Seer
from calmstreet.video.source import FileSource

ASIDE_PX = 9.0
PUSHED_S = 8.0
CARS = (Block(at_s=4.0, speed_px_s=60.0), Block(at_s=21.0, speed_px_s=60.0))


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    times = even_times(24.0)

    def picture(i: int) -> NDArray[np.uint8]:
        aside = ASIDE_PX if times[i] >= PUSHED_S else 0.0
        shift = np.array([[1.0, 0.0, aside], [0.0, 1.0, 0.0]])
        moved = cv2.warpAffine(
            picture_at(times[i], CARS), shift, (320, 180), borderMode=cv2.BORDER_REFLECT
        )
        return np.asarray(moved, np.uint8)

    path = tmp_path_factory.mktemp("pushed") / "v.mp4"
    return a_clip(path, times_s=times, picture=picture, options=X264)


def a_run() -> Run:
    return Run(
        run_id=1,
        camera_id="kerb",
        site_version="",
        source="v.mp4",
        start_ns=0,
        end_ns=0,
        state="open",
        time_known="given",
        width_px=320,
        height_px=180,
        declared_fps=12.5,
        delivered_fps=12.5,
        detector="motion/1",
    )


def middle_px(points: TrackPoints) -> float:
    """Return the middle of the widest box."""
    widest = int((points.box_px[:, 2] - points.box_px[:, 0]).argmax())
    return float(points.box_px[widest, [0, 2]].mean())


@pytest.mark.slow
def test_rows_do_not_notice_that_the_camera_was_pushed(film: Path) -> None:
    seer = Seer(
        site=Site(id="road", cameras=(Camera(id="kerb"),)), run=a_run(), net=None, samples=None
    )
    rows, seen = {}, {}
    for frame in FileSource(path=film, camera_id="kerb", start_ns=0).frames():
        found = seer.see(frame)
        if found is not None and len(found[1]):
            rows[frame.t_ns / 1e9] = middle_px(found[1])
            seen[frame.t_ns / 1e9] = middle_px(seer.as_seen(found[1]))
    before = [rows[t_s] - (160 + 60 * (t_s - 4)) for t_s in rows if 3 < t_s < 5.5]
    after = [rows[t_s] - (160 + 60 * (t_s - 21)) for t_s in rows if 20 < t_s < 22.5]
    drawn = [seen[t_s] - (160 + 60 * (t_s - 21)) for t_s in seen if 20 < t_s < 22.5]
    assert min(len(before), len(after)) > 10
    assert np.median(after) == pytest.approx(np.median(before), abs=1.5)
    assert np.median(drawn) - np.median(after) == pytest.approx(ASIDE_PX, abs=0.7)
