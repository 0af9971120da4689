"""The build makes the net from the published files, checked, or says clearly that it cannot."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from build_net import fetch, make
from build_net.check import check_net
from build_net.convert import build_model
from build_net.fetch import NetAbsent, fetch_weights
from build_net.make import NET, NET_FOLDER, make_net, net_is_made
from build_net.tfjs import Graph, Node, read_graph
from onnx.reference import ReferenceEvaluator

ROOT = Path(__file__).resolve().parents[2]


def numbers(*values: int) -> dict[str, Any]:
    return {"list": {"i": [str(value) for value in values]}}


def text(value: str) -> dict[str, str]:
    return {"s": base64.b64encode(value.encode()).decode()}


def a_head(output: int, source: str) -> list[Node]:
    """Return the nodes from a picture (n, c, h, w) to one flat output of the net."""
    name = "Identity" if output == 0 else f"Identity_{output}"
    return [
        Node(name=f"flat{output}", op="Reshape", inputs=(source, "shape")),
        Node(name=f"turned{output}", op="Transpose", inputs=(f"flat{output}", "swap")),
        Node(name=name, op="Identity", inputs=(f"turned{output}",)),
    ]


def a_small_graph() -> Graph:
    """Return a graph with each operation of NanoDet-g once, whose outputs are easily redone."""
    strides = {"strides": numbers(1, 2, 2, 1), "padding": text("VALID")}
    nodes = [
        Node(name="in", op="Placeholder", attributes={"shape": a_shape(1, 3, 8, 8)}),
        Node(name="padded", op="Pad", inputs=("in", "around")),
        Node(name="turned", op="Transpose", inputs=("padded", "to_last")),
        Node(
            name="conv",
            op="Conv2D",
            inputs=("turned", "kernel"),
            attributes={**strides, "dilations": numbers(1, 1, 1, 1)},
        ),
        Node(name="biased", op="Add", inputs=("conv", "bias")),
        Node(name="leaky", op="LeakyRelu", inputs=("biased",), attributes={"alpha": {"f": 0.1}}),
        Node(name="first", op="Transpose", inputs=("leaky", "to_first")),
        Node(name="walled", op="PadV2", inputs=("first", "around", "low")),
        Node(name="walled_last", op="Transpose", inputs=("walled", "to_last")),
        Node(
            name="pool",
            op="MaxPool",
            inputs=("walled_last",),
            attributes={**strides, "ksize": numbers(1, 3, 3, 1)},
        ),
        Node(
            name="grown",
            op="ResizeBilinear",
            inputs=("pool", "size"),
            attributes={"half_pixel_centers": {"b": True}},
        ),
        Node(name="sum", op="Add", inputs=("leaky", "grown")),
        Node(name="joined", op="ConcatV2", inputs=("sum", "leaky", "last")),
        Node(name="joined_first", op="Transpose", inputs=("joined", "to_first")),
        Node(name="parts", op="SplitV", inputs=("joined_first", "sizes", "one")),
        Node(name="score", op="Sigmoid", inputs=("parts",)),
    ]
    heads = [a_head(k, "score" if k < 3 else "parts:1") for k in range(6)]
    random = np.random.default_rng(3)
    return Graph(
        nodes=(*nodes, *(node for head in heads for node in head)),
        weights={
            "around": np.array([[0, 0], [0, 0], [1, 1], [1, 1]], np.int32),
            "to_last": np.array([0, 2, 3, 1]),
            "to_first": np.array([0, 3, 1, 2]),
            "kernel": random.normal(size=(3, 3, 3, 62)).astype(np.float16),
            "bias": random.normal(size=62).astype(np.float16),
            "low": np.array(-np.inf, np.float16),
            "size": np.array([4, 4], np.int32),
            "last": np.array(3, np.int32),
            "sizes": np.array([80, 44], np.int32),
            "one": np.array(1, np.int32),
            "swap": np.array([0, 2, 1]),
            "shape": np.array([1, 80, 16]),
        },
    )


def a_shape(*sizes: int) -> dict[str, Any]:
    return {"shape": {"dim": [{"size": str(size)} for size in sizes]}}


def redone(picture: np.ndarray[Any, Any], weights: dict[str, Any]) -> list[np.ndarray[Any, Any]]:
    """Return the first score and the first side output of ``a_small_graph`` by plain loops."""
    _, _, rows, columns = picture.shape
    kernel = weights["kernel"].astype(np.float64)
    padded = np.pad(picture[0].astype(np.float64), ((0, 0), (1, 1), (1, 1)))
    grid = np.empty((62, rows // 2, columns // 2))
    for y, x in np.ndindex(rows // 2, columns // 2):
        window = padded[:, 2 * y : 2 * y + 3, 2 * x : 2 * x + 3]
        grid[:, y, x] = np.einsum("chw,hwco->o", window, kernel) + weights["bias"]
    leaky = np.where(grid > 0, grid, 0.1 * grid)
    wall = np.pad(leaky, ((0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
    pool = np.empty((62, rows // 4, columns // 4))
    for y, x in np.ndindex(rows // 4, columns // 4):
        pool[:, y, x] = wall[:, 2 * y : 2 * y + 3, 2 * x : 2 * x + 3].max(axis=(1, 2))
    joined = np.concatenate([leaky + doubled(doubled(pool, 1), 2), leaky])
    flat = joined.reshape(124, -1).T
    return [1 / (1 + np.exp(-flat[:, :80])), flat[:, 80:]]


def doubled(values: np.ndarray[Any, Any], axis: int) -> np.ndarray[Any, Any]:
    """Return values at twice the density, linear between the middles of cells."""
    count = values.shape[axis]
    place = np.clip((np.arange(2 * count) + 0.5) / 2 - 0.5, 0, count - 1)
    low = np.floor(place).astype(int)
    high = np.minimum(low + 1, count - 1)
    share = np.expand_dims(place - low, tuple(k for k in range(3) if k != axis))
    grown: np.ndarray[Any, Any]
    grown = (1 - share) * values.take(low, axis) + share * values.take(high, axis)
    return grown


@pytest.mark.parametrize(("height_px", "width_px"), [(8, 8), (12, 20)])
def test_conversion_calculates_what_the_graph_says(height_px: int, width_px: int) -> None:
    graph = a_small_graph()
    model = build_model(graph)
    picture = np.random.default_rng(1).normal(size=(1, 3, height_px, width_px)).astype(np.float32)
    outputs: Any = ReferenceEvaluator(model).run(None, {"picture": picture})
    score, sides = redone(picture, graph.weights)
    for output in outputs[:3]:
        assert np.allclose(output[0], score, atol=1e-4)
    for output in outputs[3:]:
        assert np.allclose(output[0], sides, atol=1e-4)


def test_weights_stay_small_and_constants_are_no_inputs() -> None:
    model = build_model(a_small_graph())
    assert [value.name for value in model.graph.input] == ["picture"]
    large = [c for c in model.graph.initializer if np.prod(c.dims) > 10]
    assert {constant.data_type for constant in large} == {onnx.TensorProto.FLOAT16}
    assert model.ir_version == 9
    assert model.opset_import[0].version == 18


def test_unknown_operations_and_uses_are_refused() -> None:
    graph = a_small_graph()
    odd = Graph(nodes=(*graph.nodes, Node(name="x", op="Softmax")), weights=graph.weights)
    with pytest.raises(ValueError, match="operation Softmax of x is not known"):
        build_model(odd)
    graph.weights["low"] = np.array(0.0, np.float16)
    with pytest.raises(ValueError, match="MaxPool pool is used in a way"):
        build_model(graph)


def test_reads_half_floats_and_puts_nodes_in_order(tmp_path: Path) -> None:
    half = {"dtype": "float16", "original_dtype": "float32"}
    manifest = [
        {"name": "a", "shape": [2], "dtype": "float32", "quantization": half},
        {"name": "b", "shape": [], "dtype": "int32"},
    ]
    nodes = [
        {"name": "sum", "op": "Add", "input": ["a:0", "b", "^other"]},
        {"name": "b", "op": "Const"},
        {"name": "a", "op": "Const"},
    ]
    document = {
        "weightsManifest": [{"paths": ["w.bin"], "weights": manifest}],
        "modelTopology": {"node": nodes},
    }
    (tmp_path / "m.json").write_text(json.dumps(document))
    packed = np.array([1.5, -2], "<f2").tobytes() + np.array(7, "<i4").tobytes()
    (tmp_path / "w.bin").write_bytes(packed)
    graph = read_graph(tmp_path / "m.json")
    assert graph.weights["a"].tolist() == [1.5, -2.0]
    assert graph.weights["a"].dtype == np.float16
    assert graph.weights["b"] == 7
    assert graph.nodes[-1].name == "sum"
    assert graph.nodes[-1].inputs == ("a:0", "b")
    (tmp_path / "w.bin").write_bytes(packed[:-1])
    with pytest.raises(ValueError, match="the weights end before b"):
        read_graph(tmp_path / "m.json")


def test_folder_without_the_files_is_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALMSTREET_NET_DIR", str(tmp_path / "none"))
    with pytest.raises(NetAbsent, match=r"CALMSTREET_NET_DIR=.*none holds no nanodet.json"):
        make_net(tmp_path)
    assert not net_is_made(tmp_path)


def test_other_files_than_the_published_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, target = tmp_path / "given", tmp_path / "target"
    folder.mkdir()
    target.mkdir()
    for name in fetch.FILES:
        (folder / name).write_text("not the weights")
    monkeypatch.setenv("CALMSTREET_NET_DIR", str(folder))
    with pytest.raises(ValueError, match="SHA-256 differs"):
        fetch_weights(target)


def test_net_of_another_version_or_half_written_is_made_again(tmp_path: Path) -> None:
    place = tmp_path / NET_FOLDER
    place.mkdir(parents=True)
    (place / NET).write_bytes(b"net")
    note = (place / NET).with_suffix(".json")
    right = make._note(hashlib.sha256(b"net").hexdigest())
    note.write_text(json.dumps(right))
    assert net_is_made(tmp_path)
    note.write_text(json.dumps({**right, "net": "nanodet-g/0"}))
    assert not net_is_made(tmp_path)
    note.write_text(json.dumps(right))
    (place / NET).write_bytes(b"ne")
    assert not net_is_made(tmp_path)
    note.unlink()
    assert not net_is_made(tmp_path)


@pytest.mark.skipif(not net_is_made(ROOT), reason="the net is not in the source tree")
def test_stored_detections_accept_this_net_and_refuse_a_spoiled_one() -> None:
    content = (ROOT / NET_FOLDER / NET).read_bytes()
    check_net(content)
    model = onnx.load_from_string(content)
    largest = max(model.graph.initializer, key=lambda constant: len(constant.raw_data))
    spoiled = np.frombuffer(largest.raw_data, "<f2").copy()
    spoiled[::2] = 0
    largest.raw_data = spoiled.tobytes()
    with pytest.raises(ValueError, match="does not find what it found"):
        check_net(model.SerializeToString())
