"""The net that comes along sees the stage's road users, as it sees real ones."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from calmstreet.model.frame import Frame
from calmstreet.model.kinds import Kind
from calmstreet.perception.onnx import load_net, net_is_installed
from calmstreet.scene.film import rendered
from calmstreet.scene.script import demo_street
from calmstreet.scene.truth import TruthRow

_SCORE, _OVERLAP = 0.35, 0.5
_LEAST_PX = 50


def frame_of(picture: NDArray[np.uint8], tick: int) -> Frame:
    def to_bgr(width: int, height: int) -> NDArray[np.uint8]:
        small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
        return np.asarray(small, np.uint8)

    luma = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
    return Frame(camera_id="stage", t_ns=tick, index=tick, luma=luma, to_bgr=to_bgr)


def overlap(box_px: NDArray[np.float32], row: TruthRow) -> NDArray[np.float64]:
    """Return intersection over union of boxes (n, 4) with the box of a row."""
    truth = np.array(row.box_px)
    sides = np.minimum(box_px[:, 2:], truth[2:]) - np.maximum(box_px[:, :2], truth[:2])
    both = np.clip(sides, 0, None).prod(axis=1)
    areas = (box_px[:, 2:] - box_px[:, :2]).prod(axis=1) + (truth[2:] - truth[:2]).prod()
    return np.asarray(both / (areas - both))


def plain(row: TruthRow) -> bool:
    """Tell whether a road user is whole, hardly hidden and not tiny."""
    left, top, right, bottom = row.box_px
    whole = left > 1 and right < 959 and top > 1 and bottom < 539
    return whole and row.visible_share > 0.6 and max(right - left, bottom - top) > _LEAST_PX


def test_cars_and_people_are_seen() -> None:
    if not net_is_installed():
        pytest.skip("the net is not in this checkout; build the package to make it")
    net = load_net()
    shown = {Kind.CAR: 0, Kind.PEDESTRIAN: 0}
    seen = dict(shown)
    for tick, picture, rows in rendered(demo_street(24.0), fps=1.0):
        found = net.detect(frame_of(picture, tick))
        found = found[found.score >= _SCORE]
        for row in (row for row in rows if plain(row) and row.kind in shown):
            shown[Kind(row.kind)] += 1
            seen[Kind(row.kind)] += bool((overlap(found.box_px, row) > _OVERLAP).any())
    assert min(shown.values()) >= 20
    assert seen[Kind.CAR] >= 0.7 * shown[Kind.CAR]
    assert seen[Kind.PEDESTRIAN] >= 0.5 * shown[Kind.PEDESTRIAN]
