"""Reads a TensorFlow.js graph model: its nodes and its weights."""

import base64
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Graph", "Node", "read_graph"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One operation: ``inputs`` are names of nodes, with ``:k`` for the k-th output."""

    name: str
    op: str
    inputs: tuple[str, ...] = ()
    attributes: dict[str, Any] = field(default_factory=dict)

    def number(self, key: str) -> float:
        """Return a float attribute."""
        return float(self.attributes[key]["f"])

    def numbers(self, key: str) -> list[int]:
        """Return an attribute that is a list of whole numbers."""
        return [int(value) for value in self.attributes[key]["list"]["i"]]

    def text(self, key: str) -> str:
        """Return a text attribute (the format writes text in base64)."""
        return base64.b64decode(self.attributes[key]["s"]).decode()

    def flag(self, key: str) -> bool:
        """Return a yes-or-no attribute, no when it is absent."""
        return bool(self.attributes.get(key, {}).get("b", False))


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """``nodes`` in the order of calculation; ``weights`` by node name, float16 kept as float16."""

    nodes: tuple[Node, ...]
    weights: dict[str, NDArray[Any]]


def read_graph(json_path: Path) -> Graph:
    """Read ``json_path`` and the weight files it names, which lie beside it.

    Raises ValueError when the weights are shorter than promised or packed in another way than
    float32, float16 or int32.
    """
    document = json.loads(json_path.read_text())
    weights: dict[str, NDArray[Any]] = {}
    for group in document["weightsManifest"]:
        packed = b"".join((json_path.parent / path).read_bytes() for path in group["paths"])
        weights |= _unpack(group["weights"], packed)
    nodes = (_node(entry) for entry in document["modelTopology"]["node"])
    return Graph(nodes=_in_order(list(nodes)), weights=weights)


def _node(entry: dict[str, Any]) -> Node:
    # A name with a leading ^ only says "after that one".
    inputs = tuple(name for name in entry.get("input", ()) if not name.startswith("^"))
    return Node(name=entry["name"], op=entry["op"], inputs=inputs, attributes=entry.get("attr", {}))


def _unpack(entries: list[dict[str, Any]], packed: bytes) -> dict[str, NDArray[Any]]:
    weights = {}
    offset = 0
    for entry in entries:
        dtype = _stored_dtype(entry)
        count = int(np.prod(entry["shape"], dtype=np.int64))
        if offset + count * dtype.itemsize > len(packed):
            raise ValueError(f"the weights end before {entry['name']}")
        flat = np.frombuffer(packed, dtype, count, offset)
        weights[entry["name"]] = flat.reshape(entry["shape"])
        offset += count * dtype.itemsize
    return weights


def _stored_dtype(entry: dict[str, Any]) -> np.dtype[Any]:
    stored = entry.get("quantization", {}).get("dtype", entry["dtype"])
    if stored not in ("float32", "float16", "int32"):
        raise ValueError(f"weights of {entry['name']} are packed as {stored}, which is not read")
    dtype: np.dtype[Any] = np.dtype(stored).newbyteorder("<")
    return dtype


def _in_order(nodes: list[Node]) -> tuple[Node, ...]:
    """Return the nodes so that each one comes after its inputs."""
    by_name = {node.name: node for node in nodes}
    ordered: dict[str, Node] = {}
    waiting = list(reversed(nodes))
    while waiting:
        node = waiting[-1]
        missing = [by_name[name] for name in map(_bare, node.inputs) if name not in ordered]
        if missing and node.name not in ordered:
            waiting += missing
            continue
        ordered.setdefault(waiting.pop().name, node)
    return tuple(ordered.values())


def _bare(name: str) -> str:
    return name.partition(":")[0]
