"""Builds the ONNX net from the TensorFlow.js graph of NanoDet-g.

The graph keeps its pictures now as (n, h, w, c), now as (n, c, h, w) and turns them at every step.
Here all stay (n, c, h, w): a turn changes only the note of which axis is which, so that no
transposition of a picture is left. Paddings move into the convolution that follows, biases into the
one before, resizing is written as a factor: height and width stay free (any multiple of 32).
Weights stay float16 in the file; the run time widens them once, when it loads the net.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from build_net.tfjs import Graph, Node, read_graph

__all__ = ["INPUT", "OUTPUTS", "build_model", "convert_files"]

INPUT = "picture"
OUTPUTS = {
    "Identity": "score8",
    "Identity_1": "score16",
    "Identity_2": "score32",
    "Identity_3": "side8",
    "Identity_4": "side16",
    "Identity_5": "side32",
}
"""Name in the graph -> name in the net: class scores and box sides at strides 8, 16 and 32."""

_OPSET = 18
_IR_VERSION = 9
_NCHW = (0, 1, 2, 3)
_NHWC = (0, 2, 3, 1)
_WIDTHS = {"score": 80, "side": 44}
_LOWEST_FLOAT16 = -65504.0
_NO_PADS = (0, 0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tensor:
    """A value: the graph's axis i lies on axis ``axes[i]`` of the net's value ``name``.

    ``stride`` is the number of picture pixels per cell; ``pads`` (top, left, bottom, right) are
    waiting for the next convolution or pooling, which must fill them with ``fill``.
    """

    name: str
    axes: tuple[int, ...]
    stride: int = 1
    pads: tuple[int, int, int, int] = _NO_PADS
    fill: float = 0.0


class _Builder:
    """Walks through the graph once and collects the nodes of the net."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.tensors: dict[str, _Tensor] = {}
        self.biases = _biases(graph)
        self.size_px = 0

    def add(self, op: str, inputs: list[str], outputs: int = 1, **attributes: Any) -> list[str]:
        names = [f"v{len(self.nodes)}_{k}" for k in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, **attributes))
        return names

    def constant(self, array: NDArray[Any]) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def weight(self, array: NDArray[Any]) -> str:
        return self.add("Cast", [self.constant(array)], to=TensorProto.FLOAT)[0]

    def value(self, node: Node, index: int = 0) -> _Tensor:
        """Return an input of ``node`` on which no padding is waiting."""
        tensor = self.tensors[_key(node.inputs[index])]
        if tensor.pads != _NO_PADS:
            raise ValueError(f"{node.op} {node.name} after a padding is not known here")
        return tensor

    def fixed(self, node: Node, index: int) -> NDArray[Any]:
        return self.graph.weights[node.inputs[index]]

    def keep(self, node: Node, tensor: _Tensor, output: int = 0) -> None:
        self.tensors[f"{node.name}:{output}"] = tensor

    def convolve(self, node: Node) -> None:
        source = self.tensors[_key(node.inputs[0])]
        _require(node, source.fill == 0.0 and set(node.numbers("dilations")) == {1})
        kernel = self.fixed(node, 1).transpose(3, 2, 0, 1)
        inputs = [source.name, self.weight(kernel)]
        if node.name in self.biases:
            inputs.append(self.weight(self.biases[node.name]))
        step = _step(node, source)
        made = self.add(
            "Conv",
            inputs,
            kernel_shape=kernel.shape[2:],
            pads=list(source.pads),
            strides=[step, step],
        )
        self.keep(node, _Tensor(name=made[0], axes=source.axes, stride=source.stride * step))

    def pool(self, node: Node) -> None:
        source = self.tensors[_key(node.inputs[0])]
        _require(node, source.fill <= _LOWEST_FLOAT16)
        step = _step(node, source)
        made = self.add(
            "MaxPool",
            [source.name],
            kernel_shape=node.numbers("ksize")[1:3],
            strides=[step, step],
            pads=list(source.pads),
        )
        self.keep(node, _Tensor(name=made[0], axes=source.axes, stride=source.stride * step))

    def pad(self, node: Node) -> None:
        source = self.value(node)
        around = self.fixed(node, 1)
        physical = np.zeros_like(around)
        physical[list(source.axes)] = around
        _require(node, not physical[:2].any())
        fill = float(self.fixed(node, 2)) if node.op == "PadV2" else 0.0
        (top, bottom), (left, right) = physical[2:].tolist()
        self.keep(node, replace(source, pads=(top, left, bottom, right), fill=fill))

    def turn(self, node: Node) -> None:
        source = self.tensors[_key(node.inputs[0])]
        order = [int(axis) for axis in self.fixed(node, 1)]
        if len(order) == len(_NCHW):
            self.keep(node, replace(source, axes=tuple(source.axes[axis] for axis in order)))
            return
        made = self.add("Transpose", [source.name], perm=order)
        self.keep(node, _Tensor(name=made[0], axes=tuple(range(len(order)))))

    def sum(self, node: Node) -> None:
        first = self.value(node)
        if node.inputs[1] in self.graph.weights:
            _require(node, node.inputs[0] in self.biases)
            self.keep(node, first)
            return
        second = self.value(node, 1)
        _require(node, first.axes == second.axes)
        self.keep(node, replace(first, name=self.add("Add", [first.name, second.name])[0]))

    def join(self, node: Node) -> None:
        parts = [self.value(node, index) for index in range(len(node.inputs) - 1)]
        _require(node, len({part.axes for part in parts}) == 1)
        axis = parts[0].axes[int(self.fixed(node, len(parts)))]
        made = self.add("Concat", [part.name for part in parts], axis=axis)
        self.keep(node, replace(parts[0], name=made[0]))

    def split(self, node: Node) -> None:
        source = self.value(node)
        sizes = self.fixed(node, 1).astype(np.int64)
        axis = source.axes[int(self.fixed(node, 2))]
        made = self.add("Split", [source.name, self.constant(sizes)], outputs=len(sizes), axis=axis)
        for output, name in enumerate(made):
            self.keep(node, replace(source, name=name), output)

    def resize(self, node: Node) -> None:
        source = self.value(node)
        _require(node, node.flag("half_pixel_centers") and not node.flag("align_corners"))
        stride = self.size_px // int(self.fixed(node, 1)[0])
        factor = source.stride / stride
        scales = self.constant(np.array([1, 1, factor, factor], np.float32))
        made = self.add(
            "Resize",
            [source.name, "", scales],
            mode="linear",
            coordinate_transformation_mode="half_pixel",
        )
        self.keep(node, replace(source, name=made[0], stride=stride))

    def flatten(self, node: Node) -> None:
        source = self.value(node)
        _require(node, source.axes == _NCHW)
        shape = self.constant(np.array([0, 0, -1], np.int64))
        made = self.add("Reshape", [source.name, shape])
        self.keep(node, _Tensor(name=made[0], axes=(0, 1, 2)))

    def squash(self, node: Node) -> None:
        source = self.value(node)
        attributes: dict[str, Any] = (
            {"alpha": node.number("alpha")} if node.op == "LeakyRelu" else {}
        )
        made = self.add(node.op, [source.name], **attributes)
        self.keep(node, replace(source, name=made[0]))

    def begin(self, node: Node) -> None:
        shape = node.attributes["shape"]["shape"]["dim"]
        self.size_px = int(shape[2]["size"])
        self.keep(node, _Tensor(name=INPUT, axes=_NCHW))

    def finish(self, node: Node) -> None:
        self.nodes.append(
            helper.make_node("Identity", [self.value(node).name], [OUTPUTS[node.name]])
        )


_STEPS = {
    "Add": _Builder.sum,
    "ConcatV2": _Builder.join,
    "Conv2D": _Builder.convolve,
    "Identity": _Builder.finish,
    "LeakyRelu": _Builder.squash,
    "MaxPool": _Builder.pool,
    "Pad": _Builder.pad,
    "PadV2": _Builder.pad,
    "Placeholder": _Builder.begin,
    "Reshape": _Builder.flatten,
    "ResizeBilinear": _Builder.resize,
    "Sigmoid": _Builder.squash,
    "SplitV": _Builder.split,
    "Transpose": _Builder.turn,
}
_SHAPES_ONLY = frozenset({"AddV2", "Const", "SparseToDense"})


def build_model(graph: Graph) -> onnx.ModelProto:
    """Return the net: input "picture" float32 (1, 3, height, width), six outputs (1, cells, width).

    Raises ValueError at an operation, or a use of one, that NanoDet-g does not have.
    """
    builder = _Builder(graph)
    for node in graph.nodes:
        if node.op in _SHAPES_ONLY:
            continue
        if node.op not in _STEPS:
            raise ValueError(f"operation {node.op} of {node.name} is not known")
        _STEPS[node.op](builder, node)
    picture = helper.make_tensor_value_info(
        INPUT, TensorProto.FLOAT, [1, 3, "height_px", "width_px"]
    )
    outputs = [_output(name) for name in OUTPUTS.values()]
    body = helper.make_graph(builder.nodes, "nanodet-g", [picture], outputs, builder.constants)
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", _OPSET)])
    model.ir_version = _IR_VERSION
    model.producer_name = "calmstreet"
    onnx.checker.check_model(model, full_check=True)
    return model


def convert_files(json_path: Path) -> bytes:
    """Return the bytes of the ONNX file made from ``json_path`` and the weights beside it."""
    content: bytes = build_model(read_graph(json_path)).SerializeToString(deterministic=True)
    return content


def _output(name: str) -> onnx.ValueInfoProto:
    stem = name.rstrip("0123456789")
    cells = f"cells{name.removeprefix(stem)}"
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, cells, _WIDTHS[stem]])


def _biases(graph: Graph) -> dict[str, NDArray[Any]]:
    """Return the constants that are added to convolutions, by the convolution's name."""
    convolutions = {node.name for node in graph.nodes if node.op == "Conv2D"}
    return {
        node.inputs[0]: graph.weights[node.inputs[1]].reshape(-1)
        for node in graph.nodes
        if node.op == "Add" and node.inputs[0] in convolutions and node.inputs[1] in graph.weights
    }


def _step(node: Node, source: _Tensor) -> int:
    """Return the stride of a convolution or pooling, which sees (n, h, w, c) without padding."""
    _, down, across, _ = node.numbers("strides")
    _require(node, down == across and source.axes == _NHWC and node.text("padding") == "VALID")
    return down


def _key(name: str) -> str:
    return name if ":" in name else f"{name}:0"


def _require(node: Node, condition: bool) -> None:
    if not condition:
        raise ValueError(f"{node.op} {node.name} is used in a way that is not known here")
