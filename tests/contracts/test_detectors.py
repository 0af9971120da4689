"""What every detector keeps to: the shipped net, a net of one's own, and a plug-in."""

from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from calmstreet.model.detections import Detections
from calmstreet.model.frame import Frame
from calmstreet.model.kinds import Eye, Kind
from calmstreet.perception.detector import Detector, Eyes
from calmstreet.perception.onnx import load_net, net_is_installed

SIDE_PX = 64


def a_frame(width_px: int, height_px: int, *, t_ns: int = 5, level: int = 90) -> Frame:
    """Return a frame of one grey with a dark block."""
    picture = np.full((height_px, width_px, 3), level, np.uint8)
    picture[height_px // 3 : height_px // 2, width_px // 3 : width_px // 2] = 20

    def to_bgr(width: int, height: int) -> NDArray[np.uint8]:
        return np.asarray(cv2.resize(picture, (width, height)), np.uint8)

    return Frame(camera_id="north", t_ns=t_ns, index=0, luma=picture[..., 0].copy(), to_bgr=to_bgr)


class Fake:
    """A detector that always sees one car in the middle."""

    name = "fake"
    version = "fake/1"
    kinds = frozenset({Kind.CAR})

    def detect(self, frame: Frame) -> Detections:
        w, h = frame.width_px, frame.height_px
        return Detections(
            camera_id=frame.camera_id,
            t_ns=frame.t_ns,
            box_px=np.array([[w / 4, h / 4, w / 2, h / 2]], np.float32),
            score=np.array([0.9], np.float32),
            kind=np.array([Kind.CAR], np.uint8),
            source=np.array([Eye.NET], np.uint8),
            looked=Eye.NET,
        )


def own_net(folder: Path) -> Path:
    """Write a net of the YOLOv8 shape (1, 84, cells) that sees one car and one thing it may not."""
    rows = np.zeros((1, 84, 84), np.float32)
    rows[0, :4, 0] = (32, 32, 16, 8)
    rows[0, 4 + 2, 0] = 0.9
    rows[0, :4, 1] = (10, 10, 90, 90)
    rows[0, 4 + 0, 1] = 0.05
    rows[0, :4, 2] = (60, 60, 20, 20)
    rows[0, 4 + 7, 2] = 0.4
    value = helper.make_tensor("value", TensorProto.FLOAT, rows.shape, rows.ravel())
    graph = helper.make_graph(
        [
            helper.make_node("Constant", [], ["constant"], value=value),
            helper.make_node("ReduceMean", ["images"], ["mean"], keepdims=0),
            helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
            helper.make_node("Add", ["constant", "nothing"], ["output0"]),
        ],
        "own",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, SIDE_PX, SIDE_PX])],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, rows.shape)],
        [helper.make_tensor("zero", TensorProto.FLOAT, [1], [0.0])],
    )
    path = folder / "own.onnx"
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), str(path))
    return path


@pytest.fixture(params=["nanodet", "own", "fake"])
def detector(request: pytest.FixtureRequest, tmp_path: Path) -> Detector:
    if request.param == "fake":
        return Fake()
    if request.param == "own":
        return load_net(f"onnx:{own_net(tmp_path)}")
    if not net_is_installed():
        pytest.skip("the net is not installed")
    return load_net()


def test_it_says_what_it_is(detector: Detector) -> None:
    assert "/" in detector.version
    assert detector.name
    assert detector.kinds
    assert Kind.UNKNOWN not in detector.kinds


@pytest.mark.parametrize("size", [(320, 180), (97, 211), (640, 64)])
def test_its_boxes_are_of_the_frame(detector: Detector, size: tuple[int, int]) -> None:
    width, height = size
    found = detector.detect(a_frame(width, height))
    assert (found.camera_id, found.t_ns, found.looked) == ("north", 5, Eye.NET)
    assert found.box_px.dtype == np.float32
    assert found.box_px.shape == (len(found), 4)
    assert (found.score >= 0.15).all()
    assert (found.score <= 1).all()
    assert {Kind(kind) for kind in found.kind.tolist()} <= detector.kinds
    assert (found.source == Eye.NET).all()
    assert (found.box_px[:, :2] >= 0).all()
    assert (found.box_px[:, 2:] <= (width, height)).all()
    assert (found.box_px[:, :2] < found.box_px[:, 2:]).all()


def test_the_same_frame_gives_the_same_bits(detector: Detector) -> None:
    first, second = (detector.detect(a_frame(320, 180)) for _ in range(2))
    assert first.box_px.tobytes() == second.box_px.tobytes()
    assert first.score.tobytes() == second.score.tobytes()


def test_both_eyes_take_it(detector: Detector) -> None:
    eyes = Eyes(net=detector, net_every=1, samples=None, masks_px=())
    for k in range(3):
        sight = eyes.look(a_frame(320, 180, t_ns=k * 10**8), np.empty((0, 4), np.float32))
        assert sight.detections.looked & Eye.NET


def test_the_own_net_sees_its_car(tmp_path: Path) -> None:
    found = load_net(f"onnx:{own_net(tmp_path)}").detect(a_frame(320, 320))
    cars = found.box_px[found.kind == Kind.CAR]
    assert cars.tolist() == [pytest.approx([120, 140, 200, 180], abs=3)]
    assert (found.kind == Kind.TRUCK).sum() == 1
