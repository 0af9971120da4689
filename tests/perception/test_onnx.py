"""The net eye: stored boxes are found again, own nets are read, damaged ones refused."""

import hashlib
import json
from pathlib import Path

import av
import cv2
import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from tests.shared_data import shared_data

from calmstreet.errors import ModelError
from calmstreet.model.frame import Frame
from calmstreet.model.kinds import KIND_BY_NAME, Eye, Kind
from calmstreet.perception import onnx as net_eye
from calmstreet.perception.onnx import Net, fit_letterbox, load_net, net_is_installed

DATA = Path(__file__).with_name("data")
GOLDEN = json.loads((DATA / "detections.json").read_text())
needs_net = pytest.mark.skipif(not net_is_installed(), reason="the net is not installed")


def a_frame(picture: NDArray[np.uint8]) -> Frame:
    """Return a frame of a BGR picture that scales itself when asked."""

    def to_bgr(width_px: int, height_px: int) -> NDArray[np.uint8]:
        if (width_px, height_px) == (picture.shape[1], picture.shape[0]):
            return picture
        scaled = cv2.resize(picture, (width_px, height_px), interpolation=cv2.INTER_AREA)
        return np.asarray(scaled, np.uint8)

    luma = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
    return Frame(camera_id="north", t_ns=7, index=0, luma=luma, to_bgr=to_bgr)


def a_clip_frame(name: str, index: int) -> Frame:
    with av.open(str(shared_data(name))) as container:
        for number, picture in enumerate(container.decode(video=0)):
            if number == index:
                return a_frame(np.asarray(picture.to_ndarray(format="bgr24"), np.uint8))
    raise AssertionError(f"{name} has no frame {index}")


def grey(width_px: int, height_px: int) -> NDArray[np.uint8]:
    return np.full((height_px, width_px, 3), 90, np.uint8)


@pytest.fixture(scope="module")
def net() -> Net:
    return load_net()


@needs_net
@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_finds_the_stored_boxes(net: Net, name: str) -> None:
    picture = np.asarray(cv2.imread(str(DATA / f"{name}.jpg")), np.uint8)
    found = net.detect(a_frame(picture))
    # JPEG decoders differ by a level or two, so boxes close to the floor may come and go.
    wanted = [row for row in GOLDEN[name] if row["score"] > 0.2]
    assert len(found) >= len(wanted)
    assert len(wanted) >= 3
    for row in wanted:
        same = found.kind == KIND_BY_NAME[row["kind"]]
        apart_px = np.abs(found.box_px - np.clip(row["box_px"], 0, [416, 177] * 2)).max(axis=1)
        assert (same & (apart_px < 2) & (np.abs(found.score - row["score"]) < 0.02)).any(), row


@needs_net
def test_detections_are_marked_as_seen_by_the_net(net: Net) -> None:
    picture = np.asarray(cv2.imread(str(DATA / "cars.jpg")), np.uint8)
    found = net.detect(a_frame(picture))
    assert (found.camera_id, found.t_ns, found.looked) == ("north", 7, Eye.NET)
    assert set(found.source.tolist()) == {int(Eye.NET)}
    assert found.score.min() >= 0.15
    assert {Kind(kind) for kind in found.kind} <= net.kinds
    assert Kind.VAN not in net.kinds


@needs_net
@pytest.mark.parametrize(
    ("width_px", "height_px"), [(1920, 1080), (800, 600), (300, 900), (64, 48)]
)
def test_one_file_serves_every_shape_of_picture(net: Net, width_px: int, height_px: int) -> None:
    car = np.asarray(cv2.imread(str(DATA / "cars.jpg")), np.uint8)
    picture = np.asarray(cv2.resize(car, (width_px, height_px)), np.uint8)
    found = net.detect(a_frame(picture))
    assert (found.box_px >= 0).all()
    assert (found.box_px <= [width_px, height_px, width_px, height_px]).all()


@needs_net
def test_boxes_do_not_depend_on_the_size_of_the_picture(net: Net) -> None:
    small = np.asarray(cv2.imread(str(DATA / "walker.jpg")), np.uint8)
    large = np.asarray(cv2.resize(small, None, fx=3, fy=3, interpolation=cv2.INTER_NEAREST))
    first, second = net.detect(a_frame(small)), net.detect(a_frame(large.astype(np.uint8)))
    assert np.allclose(first.box_px * 3, second.box_px, atol=0.5)
    assert np.allclose(first.score, second.score, atol=1e-4)


@needs_net
def test_same_picture_gives_the_same_bits(net: Net) -> None:
    frame = a_frame(np.asarray(cv2.imread(str(DATA / "cars.jpg")), np.uint8))
    first, second = net.detect(frame), load_net().detect(frame)
    assert first.box_px.tobytes() == second.box_px.tobytes()
    assert first.score.tobytes() == second.score.tobytes()


@needs_net
def test_an_empty_street_is_empty(net: Net) -> None:
    assert len(net.detect(a_frame(grey(640, 360)))) == 0


@needs_net
@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "index", "kind", "least"),
    [
        ("video/ozlu_input_video.mp4", 60, Kind.CAR, 8),
        ("video/opencv_vtest_pets09_s2l1.mp4", 100, Kind.PEDESTRIAN, 6),
        ("video/sobral_video1_freeway.avi", 333, Kind.CAR, 3),
    ],
)
def test_finds_road_users_in_real_clips(
    net: Net, name: str, index: int, kind: Kind, least: int
) -> None:
    found = net.detect(a_clip_frame(name, index))
    assert ((found.kind == kind) & (found.score > 0.35)).sum() >= least


@needs_net
@pytest.mark.real
def test_is_blind_from_straight_above(net: Net) -> None:
    found = net.detect(a_clip_frame("video/intel_car-detection.mp4", 60))
    assert (found.score < 0.35).all()


@given(width_px=st.integers(16, 8000), height_px=st.integers(16, 8000))
def test_letterbox_is_the_smallest_multiple_of_32(width_px: int, height_px: int) -> None:
    box = fit_letterbox(width_px, height_px)
    assert max(box.width_px, box.height_px) == max(box.inner_width_px, box.inner_height_px) == 416
    for inner_px, outer_px in (
        (box.inner_width_px, box.width_px),
        (box.inner_height_px, box.height_px),
    ):
        assert outer_px % 32 == 0
        assert 0 <= outer_px - inner_px < 32


@pytest.mark.parametrize(("content", "word"), [(None, "not installed"), (b"half", "damaged")])
def test_absent_and_damaged_net(
    content: bytes | None, word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(net_eye, "_FOLDER", tmp_path)
    if content is not None:
        (tmp_path / "nanodet-g.onnx").write_bytes(content)
        whole = hashlib.sha256(content + b" the rest").hexdigest()
        (tmp_path / "nanodet-g.json").write_text(json.dumps({"sha256": whole}))
    assert net_is_installed() is (content is not None)
    with pytest.raises(ModelError, match=word):
        load_net()


def test_net_without_its_note_is_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(net_eye, "_FOLDER", tmp_path)
    (tmp_path / "nanodet-g.onnx").write_bytes(b"x")
    (tmp_path / "nanodet-g.json").write_text("{}")
    with pytest.raises(ModelError, match="damaged"):
        load_net()


def test_unknown_name_is_refused() -> None:
    with pytest.raises(ModelError, match="no net 'yolo'; there are: nanodet, onnx:PATH"):
        load_net("yolo")


# --- own nets -------------------------------------------------------------------------------------


def an_own_net(
    path: Path,
    answer: NDArray[np.float32],
    *,
    shape: tuple[int | str, ...] = (1, 3, 64, 96),
    dtype: int = TensorProto.FLOAT,
    fed_gain: float = 0.0,
) -> str:
    """Write a net with a constant answer (plus ``fed_gain`` x the mean of its input)."""
    nodes = [
        helper.make_node("Cast", ["picture"], ["wide"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["wide"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "gain"], ["extra"]),
        helper.make_node("Add", ["answer", "extra"], ["boxes"]),
    ]
    constants = [
        numpy_helper.from_array(answer, "answer"),
        numpy_helper.from_array(np.array(fed_gain, np.float32), "gain"),
    ]
    picture = helper.make_tensor_value_info("picture", dtype, shape)
    boxes = helper.make_tensor_value_info("boxes", TensorProto.FLOAT, answer.shape)
    graph = helper.make_graph(nodes, "own", [picture], [boxes], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 9
    onnx.save(model, path)
    return f"onnx:{path}"


# A picture of 96x64 has 12x8 + 6x4 + 3x2 cells.
CELLS = 126


def one_box(*, wide: bool, box: tuple[float, ...], cell: int = 0) -> NDArray[np.float32]:
    """Return an answer with one truck (class 7) of score 0.8, for YOLOX (85 wide) or YOLOv8."""
    table = np.zeros((CELLS, 85 if wide else 84), np.float32)
    table[cell, :4] = box
    if wide:
        table[cell, 4] = 1.0
    table[cell, (5 if wide else 4) + 7] = 0.8
    return table[None] if wide else np.ascontiguousarray(table.T[None])


@pytest.mark.parametrize(
    "answer",
    [
        one_box(wide=False, box=(48, 32, 24, 16)),
        one_box(wide=True, box=(48, 32, 24, 16)),
        # Stride 16: cell 96 + 2 rows of 6 + 3 is column 3, row 2; 0 strides on, 1.5 and 1 large.
        one_box(wide=True, box=(0, 0, np.log(1.5), 0.0), cell=96 + 2 * 6 + 3),
        # Stride 32: cell 120 + 1 row of 3 + 1 is column 1, row 1.
        one_box(wide=True, box=(0.5, 0, np.log(0.75), np.log(0.5)), cell=120 + 3 + 1),
    ],
    ids=["yolov8", "yolox", "yolox raw, stride 16", "yolox raw, stride 32"],
)
def test_own_nets_give_the_same_box(answer: NDArray[np.float32], tmp_path: Path) -> None:
    own = load_net(an_own_net(tmp_path / "street.onnx", answer))
    found = own.detect(a_frame(grey(192, 128)))
    assert np.allclose(found.box_px, [[72, 48, 120, 80]], atol=1e-3)
    assert found.kind.tolist() == [Kind.TRUCK]
    assert np.allclose(found.score, 0.8)
    assert own.name == "street"
    assert own.version.startswith("street/")


def test_own_net_of_free_size_sees_640_pixels(tmp_path: Path) -> None:
    cells = 80 * 80 + 40 * 40 + 20 * 20
    answer = np.zeros((1, 84, cells), np.float32)
    answer[0, :5, 0] = [320, 160, 64, 32, 0.9]
    own = load_net(an_own_net(tmp_path / "free.onnx", answer, shape=(1, 3, "h", "w")))
    found = own.detect(a_frame(grey(1280, 720)))
    assert np.allclose(found.box_px, [[576, 288, 704, 352]], atol=1e-3)
    assert found.kind.tolist() == [Kind.PEDESTRIAN]


def test_yolov8_is_fed_with_shares_and_yolox_with_levels(tmp_path: Path) -> None:
    # The mean of the input is added to every score: 0.2 of full white, or 51 levels.
    picture = a_frame(np.full((64, 96, 3), 51, np.uint8))
    v8 = one_box(wide=False, box=(48, 32, 24, 16))
    own = load_net(an_own_net(tmp_path / "v8.onnx", v8, fed_gain=0.5))
    assert own.detect(picture).score.max() == pytest.approx(0.9, abs=1e-4)
    x = one_box(wide=True, box=(48, 32, 24, 16))
    own = load_net(an_own_net(tmp_path / "x.onnx", x, fed_gain=0.001))
    assert own.detect(picture).score.max() == pytest.approx((1 + 0.051) * (0.8 + 0.051), abs=1e-4)


@pytest.mark.parametrize(
    "answer",
    [
        np.zeros((1, 100, 6), np.float32),
        np.zeros((1, CELLS, 84), np.float32),
        np.zeros((1, 3 * CELLS, 85), np.float32),
    ],
)
def test_other_shapes_are_refused_by_name(answer: NDArray[np.float32], tmp_path: Path) -> None:
    name = an_own_net(tmp_path / "other.onnx", answer)
    seen = str(tuple(answer.shape)).replace("(", r"\(").replace(")", r"\)")
    with pytest.raises(ModelError, match=rf"{seen}; accepted .* YOLOX \(1, 126, 85\) and YOLOv8"):
        load_net(name)


def test_input_that_is_no_picture_is_refused(tmp_path: Path) -> None:
    answer = one_box(wide=False, box=(48, 32, 24, 16))
    with pytest.raises(ModelError, match=r"accepted is one picture, tensor\(float\)"):
        load_net(an_own_net(tmp_path / "a.onnx", answer, dtype=TensorProto.UINT8))
    with pytest.raises(ModelError, match=r"\[1, 64, 96, 3\]"):
        load_net(an_own_net(tmp_path / "b.onnx", answer, shape=(1, 64, 96, 3)))


def test_absent_and_broken_own_nets(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read: No such file"):
        load_net(f"onnx:{tmp_path / 'none.onnx'}")
    (tmp_path / "text.onnx").write_text("this is no net")
    with pytest.raises(ModelError, match="does not read as an ONNX file"):
        load_net(f"onnx:{tmp_path / 'text.onnx'}")
