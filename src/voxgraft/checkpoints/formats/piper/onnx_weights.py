"""Which initialiser of an exported VITS voice is which parameter of the model.

Exporters rename what they fold (weight norm in the flow), drop what inference never uses and merge tensors of equal
value. So parameters are found by the node that consumes them: by its scope (`/flow/flows.6/enc/in_layers.0/Conv`),
or, where the exporter kept no scopes, by the name of the bias beside an anonymous kernel.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from voxgraft.checkpoints.containers.onnx import Node, OnnxGraph
from voxgraft.checkpoints.containers.tensor_store import LazyTensor

_ROOTS = r"(?:enc_p|dp|flow|dec|emb_g)"
# Quantised voices have `weight_scale` and the like besides, which are no parameters.
_KINDS = r"(?:weight(?:_[gv])?|bias|gamma|beta|emb_rel_[kv]|m|logs)"
_PARAMETER = re.compile(rf"(?:^|\.)({_ROOTS}\.(?:[\w.]+\.)?{_KINDS})$")
_SCOPE = re.compile(rf"(?:^|/)({_ROOTS}(?:/[\w.]+)*)/[^/]+$")
_NORM = re.compile(r"\bnorm")
_CONVOLUTIONS = ("Conv", "ConvTranspose")
_AFFINE = "dp.flows.0"


@dataclass
class Recovered:
    """Parameters by canonical name, and what only the graph states: strides and dilations of convolutions."""

    tensors: dict[str, LazyTensor] = field(default_factory=dict)
    strides: dict[str, int] = field(default_factory=dict)
    dilations: dict[str, int] = field(default_factory=dict)

    @property
    def upsample_rates(self) -> tuple[int, ...]:
        """Strides of the decoder's transposed convolutions, in order."""
        found = {name: stride for name, stride in self.strides.items() if re.fullmatch(r"dec\.ups\.\d+", name)}
        return tuple(found[name] for name in sorted(found, key=lambda name: int(name.rsplit(".", 1)[1])))


def recover_vits(graph: OnnxGraph) -> Recovered:
    """Name the parameters of an exported voice. What can't be found is simply absent from the result."""
    recovered = Recovered()
    for name in graph.initialisers:
        if match := _PARAMETER.search(name):
            _put(recovered, graph, match[1], name)
    for node in graph.nodes:
        scope = _scope(node)
        if node.op in _CONVOLUTIONS:
            _recover_convolution(recovered, graph, node, scope)
        elif node.op == "Gather":
            _recover_embedding(recovered, graph, node, scope)
        elif node.op == "LayerNormalization" and scope:
            for kind, source in zip(("gamma", "beta"), node.inputs[1:3], strict=False):
                _put(recovered, graph, f"{scope}.{kind}", source)
        elif node.op in ("Mul", "Add") and scope and _NORM.search(scope):
            _recover_norm(recovered, graph, node, scope)
    _recover_affine(recovered, graph)
    return recovered


def _recover_convolution(recovered: Recovered, graph: OnnxGraph, node: Node, scope: str | None) -> None:
    kinds = ("weight", "bias")
    sources = dict(zip(kinds, node.inputs[1:3], strict=False))
    known = [match[1] for source in sources.values() if (match := _PARAMETER.search(source))]
    module = scope or next((name.rpartition(".")[0] for name in known), None)
    if module is None:
        return
    for kind, source in sources.items():
        _put(recovered, graph, f"{module}.{kind}", source)
    recovered.strides[module] = node.ints.get("strides", (1,))[0]
    recovered.dilations[module] = node.ints.get("dilations", (1,))[0]


def _recover_embedding(recovered: Recovered, graph: OnnxGraph, node: Node, scope: str | None) -> None:
    """An embedding is gathered by an input of the graph: the first is the text, `sid` the speaker."""
    if len(node.inputs) < 2 or not graph.inputs:
        return
    table, ids = node.inputs[:2]
    if scope == "enc_p.emb" or ids == graph.inputs[0]:
        _put(recovered, graph, "enc_p.emb.weight", table)
    elif scope == "emb_g" or (ids == "sid" and "sid" in graph.inputs):
        _put(recovered, graph, "emb_g.weight", table)


def _recover_norm(recovered: Recovered, graph: OnnxGraph, node: Node, scope: str) -> None:
    """Layer norm as the exporter spells it: scale and shift are the vectors that Mul and Add take."""
    for source in node.inputs:
        tensor = graph.initialisers.get(source)
        if tensor is not None and len(tensor.shape) == 1 and tensor.numel > 1:
            _put(recovered, graph, f"{scope}.{'gamma' if node.op == 'Mul' else 'beta'}", source)


def _recover_affine(recovered: Recovered, graph: OnnxGraph) -> None:
    """The last duration flow is (x - m) · exp(-logs); exporters fold exp(-logs), or -logs, or neither."""
    if f"{_AFFINE}.logs" in recovered.tensors:
        return
    made_by = {output: node for node in graph.nodes for output in node.outputs}
    for node in graph.nodes:
        if node.op != "Mul" or len(node.inputs) != 2:
            continue
        shifted = made_by.get(node.inputs[0])
        if shifted is None or shifted.op != "Sub" or len(shifted.inputs) != 2:
            continue
        if _scope(shifted) != _AFFINE and not shifted.inputs[1].endswith(f"{_AFFINE}.m"):
            continue
        _put(recovered, graph, f"{_AFFINE}.m", shifted.inputs[1])
        scale = made_by.get(node.inputs[1])
        if scale is not None and scale.op == "Exp" and scale.inputs:
            _put(recovered, graph, f"{_AFFINE}.logs", scale.inputs[0], np.negative)
        else:
            _put(recovered, graph, f"{_AFFINE}.logs", node.inputs[1], lambda folded: -np.log(folded))


def _scope(node: Node) -> str | None:
    match = _SCOPE.search(node.name)
    return match[1].replace("/", ".") if match else None


def _put(
    recovered: Recovered,
    graph: OnnxGraph,
    name: str,
    source: str,
    change: Callable[[np.ndarray], np.ndarray] | None = None,
) -> None:
    """Remember where a parameter lies; what is known already stays."""
    tensor = graph.initialisers.get(source)
    if tensor is None or name in recovered.tensors:
        return

    def load() -> np.ndarray:
        array = graph.array(source)
        return array if change is None else change(array)

    recovered.tensors[name] = LazyTensor(tensor.shape, load)
