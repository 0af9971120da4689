"""Pedestrians of the PETS 2009 S2.L1 clip against 220 frames annotated by hand."""

from pathlib import Path

import numpy as np
import pytest
from tests.perception.mot import Boxes, Score, rows_of, score
from tests.shared_data import shared_data

from calmstreet.model.kinds import Flag
from calmstreet.model.points import concat_points
from calmstreet.model.run import Run
from calmstreet.model.site import Site
from calmstreet.perception.onnx import load_net
from calmstreet.pipeline.seeing import Seer, street_samples
from calmstreet.video.source import FileSource

FRAMES = 220
FPS = 10.0
TRUTH = Path(__file__).parent / "pets09_s2l1_truth_0001_0220.txt"
SIZE = (768, 576)

pytestmark = [pytest.mark.real, pytest.mark.slow]


def truth() -> Boxes:
    table = np.loadtxt(TRUTH, delimiter=",")
    box = table[:, 2:6]
    return Boxes(
        frame=table[:, 0].astype(np.int64) - 1,
        who=table[:, 1].astype(np.int64),
        box_px=np.concatenate([box[:, :2], box[:, :2] + box[:, 2:]], axis=1),
        sure=np.ones(len(table)),
    )


def followed(net_every: int, *, without: Flag) -> Score:
    clip = shared_data("video/opencv_vtest_pets09_s2l1.mp4")
    run = Run(
        run_id=1,
        camera_id="c",
        site_version="",
        source=clip.name,
        start_ns=0,
        end_ns=0,
        state="open",
        time_known="unknown",
        width_px=SIZE[0],
        height_px=SIZE[1],
        declared_fps=FPS,
        delivered_fps=FPS,
        detector="",
    )
    seer = Seer(
        site=Site(id="x"),
        run=run,
        net=load_net(),
        samples=street_samples(clip, SIZE[0]),
        net_every=net_every,
    )
    blocks = []
    for frame in FileSource(path=clip, camera_id="c", start_ns=0).frames():
        if frame.index >= FRAMES:
            break
        seen = seer.see(frame)
        if seen is not None:
            blocks.append(seen[1])
    points = concat_points(blocks)
    return score(truth(), rows_of(points[(points.flags & without) == 0], fps=FPS))


def test_every_frame_with_the_net() -> None:
    """Rows that were seen: as a tracker without coasting writes them."""
    result = followed(1, without=Flag.PARKED | Flag.TENTATIVE | Flag.COASTED)
    print(result)
    assert result.mota >= 0.80
    assert result.idf1 >= 0.70


def test_every_second_frame_with_the_net() -> None:
    """The default cadence, bridged rows included."""
    result = followed(2, without=Flag.PARKED | Flag.TENTATIVE)
    print(result)
    assert result.mota >= 0.70
    assert result.idf1 >= 0.70
