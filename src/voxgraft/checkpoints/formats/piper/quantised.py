"""Quantised voices as if their weights were stored as floating point: `scale * (q - zero)`, which is what they compute.

Covers what onnxruntime's tools write: dynamic quantisation (ConvInteger with DynamicQuantizeLinear), static quantisation as
pairs of QuantizeLinear and DequantizeLinear or as QLinearConv, and 16-bit weights that are cast back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from voxgraft.checkpoints.containers.onnx import Initialiser, Node, OnnxGraph

_FLOAT = 1
# Numbers of TensorProto.DataType that hold 8 bits, and those that hold 16-bit floating point.
_EIGHT_BITS = (2, 3)
_SIXTEEN_BITS = (10, 16)
# What only passes a constant on.
_PASSES = ("Cast", "Identity", "Reshape", "Unsqueeze", "Squeeze")

Load = Callable[[], np.ndarray]


@dataclass(frozen=True)
class FloatGraph(OnnxGraph):
    """A graph some of whose constants are worked out when they are asked for."""

    computed: dict[str, Load] = field(default_factory=dict)

    def array(self, name: str) -> np.ndarray:
        """The values of a constant, worked out or as stored."""
        return self.computed[name]() if name in self.computed else super().array(name)


def dequantised(graph: OnnxGraph) -> tuple[OnnxGraph, tuple[str, ...]]:
    """The graph with its quantised weights as floating point, and a note that says so; the graph itself where none are."""
    view = _View(graph)
    for node in graph.nodes:
        view.take(node)
    bits = view.bits
    if not bits:
        return graph, ()
    how = "quantised to 8 bits" if bits == 8 else "stored in 16 bits"
    note = f"a Piper voice {how}: as a base its weights are rounded, so prefer the same voice with 32-bit weights"
    float_graph = FloatGraph(
        graph.buffer,
        graph.initialisers | view.constants,
        tuple(view.replaced.get(node.outputs, node) for node in graph.nodes),
        graph.inputs,
        graph.outputs,
        graph.metadata,
        graph.producer,
        view.computed,
    )
    return float_graph, (note,)


class _View:
    """What is gathered node by node: constants that can be worked out, and convolutions that stand for quantised ones."""

    def __init__(self, graph: OnnxGraph) -> None:
        self.graph = graph
        self.made_by = {output: node for node in graph.nodes for output in node.outputs}
        self.readers: dict[str, list[Node]] = {}
        for node in graph.nodes:
            for name in node.inputs:
                self.readers.setdefault(name, []).append(node)
        self.constants: dict[str, Initialiser] = {}
        self.computed: dict[str, Load] = {}
        self.replaced: dict[tuple[str, ...], Node] = {}

    @property
    def bits(self) -> int:
        """Width of the quantised weights; 0 where there are none."""
        kinds = {self.graph.initialisers[name].data_type for name in self.graph.initialisers if self._is_weight(name)}
        return 8 if self.computed and kinds & set(_EIGHT_BITS) else 16 if kinds & set(_SIXTEEN_BITS) else 0

    def take(self, node: Node) -> None:
        """Look at one node."""
        if node.op == "Cast" and node.inputs and node.inputs[0] in self.graph.initialisers:
            self._put(node.outputs[0], node.inputs[0], partial(self.graph.array, node.inputs[0]))
        elif node.op == "DequantizeLinear" and len(node.inputs) >= 2:
            self._dequantise(node)
        elif node.op == "ConvInteger" and len(node.inputs) >= 2:
            self._integer_convolution(node)
        elif node.op == "QLinearConv" and len(node.inputs) >= 6:
            self._linear_convolution(node)

    def _is_weight(self, name: str) -> bool:
        return self.graph.initialisers[name].numel > 1

    def _put(self, name: str, source: str, load: Load) -> None:
        self.constants[name] = replace(self.graph.initialisers[source], name=name, data_type=_FLOAT)
        self.computed[name] = load

    def _dequantise(self, node: Node) -> None:
        stored, scale, zero = (*node.inputs, "")[:3]
        if scale not in self.graph.initialisers:
            return
        axis = node.ints.get("axis", (1,))[0]
        if stored in self.graph.initialisers:
            self._put(node.outputs[0], stored, lambda: self._values(stored, scale, zero, axis))
            return
        maker = self.made_by.get(stored)
        if maker is not None and maker.op == "Gather" and maker.inputs[0] in self.graph.initialisers:
            table = maker.inputs[0]
            self._put(table, table, lambda: self._values(table, scale, zero, 0))

    def _integer_convolution(self, node: Node) -> None:
        """Conv without bias, then the scales of input and weight multiplied in, then the bias added."""
        kernel, zero = node.inputs[1], node.inputs[3] if len(node.inputs) > 3 else ""
        scaled = self._next(self._next(node, "Cast"), "Mul")
        if scaled is None or kernel not in self.graph.initialisers:
            return
        factors = [self._through(name) for name in scaled.inputs]
        product = next((maker for name in factors if (maker := self.made_by.get(name)) and maker.op == "Mul"), None)
        scale = self._constant(product.inputs if product is not None else scaled.inputs)
        if scale is None:
            return
        added = self._next(scaled, "Add")
        bias = self._constant(added.inputs) if added is not None else None
        self._put(kernel, kernel, lambda: self._values(kernel, scale, zero, 0))
        inputs = (node.inputs[0], kernel, *((bias,) if bias is not None else ()))
        self.replaced[node.outputs] = Node("Conv", node.name, inputs, node.outputs, node.ints)

    def _linear_convolution(self, node: Node) -> None:
        _, heard, _, kernel, scale, zero = node.inputs[:6]
        if any(name not in self.graph.initialisers for name in (heard, kernel, scale)):
            return
        self._put(kernel, kernel, lambda: self._values(kernel, scale, zero, 0))
        bias = node.inputs[8] if len(node.inputs) > 8 else None
        if bias in self.graph.initialisers and bias is not None:
            self._put(bias, bias, partial(self._bias, bias, heard, scale))
        inputs = (node.inputs[0], kernel, *((bias,) if bias is not None else ()))
        self.replaced[node.outputs] = Node("Conv", node.name, inputs, node.outputs, node.ints)

    def _values(self, stored: str, scale: str, zero: str, axis: int) -> np.ndarray:
        """`scale * (q - zero)`; where there is a scale a channel, `axis` is that of the channels."""
        whole, step = self._stored(stored), self._stored(scale)
        offset = self._stored(zero) if zero in self.graph.initialisers else np.zeros(1)
        along = [-1 if i == axis else 1 for i in range(whole.ndim)]
        step, offset = (part.reshape(along if part.size > 1 else ()) for part in (step, offset))
        values: np.ndarray = ((whole - offset) * step).astype(np.float32)
        return values

    def _bias(self, stored: str, heard: str, scale: str) -> np.ndarray:
        """A bias is stored in steps of the input's scale times the kernel's."""
        values: np.ndarray = (self._stored(stored) * self._stored(heard) * self._stored(scale)).astype(np.float32)
        return values

    def _stored(self, name: str) -> np.ndarray:
        values: np.ndarray = self.graph.array(name).astype(np.float64)
        return values

    def _next(self, node: Node | None, op: str) -> Node | None:
        """The only reader of that kind of what a node makes."""
        if node is None or not node.outputs:
            return None
        found = [reader for reader in self.readers.get(node.outputs[0], []) if reader.op == op]
        return found[0] if len(found) == 1 else None

    def _through(self, name: str) -> str:
        """The name behind what only passes a value on."""
        for _ in range(8):
            maker = self.made_by.get(name)
            if maker is None or maker.op not in _PASSES or not maker.inputs:
                return name
            name = maker.inputs[0]
        return name

    def _constant(self, names: tuple[str, ...]) -> str | None:
        """The constant among the inputs of a node."""
        return next((found for name in names if (found := self._through(name)) in self.graph.initialisers), None)
