"""Both eyes together: who is explained, who rides, who is hidden."""

import numpy as np
import pytest

from calmstreet.model.detections import Detections
from calmstreet.model.frame import Frame
from calmstreet.model.kinds import Eye, Kind
from calmstreet.perception.detector import Eyes, covered_share, fuse, join_riders
from calmstreet.perception.motion import Moving


def found(*rows: tuple[list[float], float, Kind]) -> Detections:
    return Detections(
        camera_id="c",
        t_ns=1,
        box_px=np.array([row[0] for row in rows], np.float32).reshape(-1, 4),
        score=np.array([row[1] for row in rows], np.float32),
        kind=np.array([row[2] for row in rows], np.uint8),
        source=np.full(len(rows), Eye.NET, np.uint8),
        looked=Eye.NET,
    )


def moving(*boxes: list[float], share: float = 0.6) -> Moving:
    mask = np.zeros((100, 200), np.uint8)
    for left, top, right, bottom in boxes:
        mask[int(top) : int(bottom), int(left) : int(right)] = 255
    return Moving(
        mask=mask,
        box_px=np.array(boxes, np.float32).reshape(-1, 4),
        body_share=np.full(len(boxes), share, np.float32),
    )


def test_a_blob_that_no_box_explains_is_unknown() -> None:
    named = found(([10, 10, 50, 40], 0.8, Kind.CAR))
    seen = fuse(named, moving([10, 10, 50, 40], [120, 50, 160, 80]), scale=1, min_body_share=0.1)
    assert seen.kind.tolist() == [Kind.CAR, Kind.UNKNOWN]
    assert seen.source.tolist() == [Eye.BOTH, Eye.MOTION]
    assert seen.looked == Eye.BOTH


def test_a_blob_that_is_only_light_is_nobody() -> None:
    seen = fuse(found(), moving([120, 50, 160, 80], share=0.02), scale=1, min_body_share=0.1)
    assert len(seen) == 0


def test_a_weak_box_explains_nothing() -> None:
    named = found(([10, 10, 50, 40], 0.2, Kind.PEDESTRIAN))
    seen = fuse(named, moving([10, 10, 50, 40]), scale=1, min_body_share=0.1)
    assert seen.source.tolist() == [Eye.BOTH, Eye.MOTION]


def test_a_box_over_the_whole_street_is_nobody_and_explains_nothing() -> None:
    """A net that does not know such pictures takes all of the street for one vehicle."""
    named = found(([5, 5, 195, 95], 0.6, Kind.TRUCK))
    seen = fuse(named, moving([10, 10, 50, 40], [120, 50, 160, 80]), scale=1, min_body_share=0.1)
    assert seen.kind.tolist() == [Kind.TRUCK, Kind.UNKNOWN, Kind.UNKNOWN]
    assert seen.score[0] == pytest.approx(0.15)
    assert seen.source.tolist() == [Eye.NET, Eye.MOTION, Eye.MOTION]


def test_a_bus_that_fills_the_view_is_a_bus() -> None:
    named = found(([20, 5, 180, 95], 0.6, Kind.BUS))
    seen = fuse(named, moving([30, 10, 170, 90]), scale=1, min_body_share=0.1)
    assert seen.kind.tolist() == [Kind.BUS]
    assert seen.score[0] == pytest.approx(0.6)


def test_a_box_over_a_still_street_is_of_the_net_alone() -> None:
    seen = fuse(found(([10, 10, 50, 40], 0.8, Kind.CAR)), moving(), scale=1, min_body_share=0.1)
    assert seen.source.tolist() == [Eye.NET]


def test_a_rider_and_the_bicycle_are_one() -> None:
    both = found(
        ([100, 20, 120, 70], 0.7, Kind.PEDESTRIAN),
        ([90, 50, 130, 90], 0.5, Kind.BICYCLE),
        ([10, 20, 30, 90], 0.9, Kind.PEDESTRIAN),
    )
    joined = join_riders(both)
    assert joined.kind.tolist() == [Kind.BICYCLE, Kind.PEDESTRIAN]
    assert joined.box_px[0].tolist() == [90, 20, 130, 90]
    assert joined.score[0] == pytest.approx(0.7)


def test_a_person_beside_a_bicycle_walks() -> None:
    apart = found(([60, 20, 80, 90], 0.7, Kind.PEDESTRIAN), ([90, 50, 130, 90], 0.5, Kind.BICYCLE))
    assert len(join_riders(apart)) == 2


def test_covered_share_counts_an_overlap_once() -> None:
    box = np.array([0, 0, 10, 10], np.float32)
    halves = np.array([[0, 0, 5, 10], [0, 0, 5, 10], [20, 20, 30, 30]], np.float32)
    assert covered_share(box, halves) == pytest.approx(0.5, abs=0.04)


class _OneCar:
    name = "one-car"
    version = "one-car/1"
    kinds = frozenset({Kind.CAR})

    def __init__(self) -> None:
        self.asked = 0

    def detect(self, frame: Frame) -> Detections:
        self.asked += 1
        return found(([10, 10, 50, 40], 0.8, Kind.CAR), ([100, 50, 140, 80], 0.8, Kind.CAR))


def frame_at(step: int) -> Frame:
    luma = np.full((100, 200), 90, np.uint8)
    return Frame(
        camera_id="c",
        t_ns=step * 10**8 + 1,
        index=step,
        luma=luma,
        to_bgr=lambda w, h: np.zeros((h, w, 3), np.uint8),
    )


@pytest.mark.parametrize(("every", "asked"), [(1, 10), (2, 5), (5, 2)])
def test_the_net_looks_at_every_nth_frame(every: int, asked: int) -> None:
    net = _OneCar()
    eyes = Eyes(net=net, net_every=every)
    looked = [
        eyes.look(frame_at(k), np.empty((0, 4), np.float32)).detections.looked for k in range(10)
    ]
    assert net.asked == eyes.net_calls == asked
    assert looked.count(Eye.BOTH) == asked
    assert looked.count(Eye.MOTION) == 10 - asked


def test_nobody_is_looked_for_under_a_mask() -> None:
    mask = ((90.0, 40.0), (199.0, 40.0), (199.0, 99.0), (90.0, 99.0))
    eyes = Eyes(net=_OneCar(), masks_px=(mask,))
    seen = eyes.look(frame_at(0), np.empty((0, 4), np.float32)).detections
    assert seen.box_px.tolist() == [[10, 10, 50, 40]]


def test_without_a_net_the_motion_eye_is_alone() -> None:
    sight = Eyes(net=None).look(frame_at(0), np.empty((0, 4), np.float32))
    assert sight.detections.looked == Eye.MOTION
    assert len(sight.detections) == 0
