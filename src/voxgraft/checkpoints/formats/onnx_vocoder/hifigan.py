"""Which initialiser of an exported HiFi-GAN is which parameter: by names where the exporter kept some, else by the order of
its convolutions, which is that of the network.

A stage is a transposed convolution and the residual blocks after it; `conv_pre` comes before the first, `conv_post` last.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from voxgraft.checkpoints.containers.onnx import Node, OnnxGraph
from voxgraft.checkpoints.containers.tensor_store import LazyTensor

_CONVOLUTIONS = ("Conv", "ConvTranspose")
_MODULE = re.compile(r"(?:^|[./])(conv_pre|conv_post|ups[./]\d+|resblocks[./]\d+[./]convs[12]?[./]\d+)[./]")
_NORMED = re.compile(r"(?:^|\.)(?P<module>conv_pre|conv_post|ups\.\d+|resblocks\.\d+\.convs[12]?\.\d+)\.(?P<kind>.+)$")
_KINDS = {
    "weight_g": "weight_g",
    "weight_v": "weight_v",
    "parametrizations.weight.original0": "weight_g",
    "parametrizations.weight.original1": "weight_v",
}
_EDGE_KERNEL = 7


@dataclass
class RecoveredHifiGan:
    """Tensors by canonical name, and what only the graph states."""

    tensors: dict[str, LazyTensor] = field(default_factory=dict)
    upsample_rates: tuple[int, ...] = ()
    dilations: dict[str, int] = field(default_factory=dict)


def recover_hifigan(graph: OnnxGraph) -> RecoveredHifiGan | None:
    """The generator in a graph; None where it is none."""
    nodes = [node for node in graph.nodes if node.op in _CONVOLUTIONS]
    ups = [place for place, node in enumerate(nodes) if node.op == "ConvTranspose"]
    if len(graph.inputs) != 1 or len(graph.outputs) != 1 or len(nodes) < 4 or not ups or ups[0] != 1:
        return None
    if not any(node.op == "Tanh" for node in graph.nodes):
        return None
    modules = _named(nodes) or _in_order(graph, nodes, ups)
    if modules is None:
        return None
    found = RecoveredHifiGan(upsample_rates=tuple(nodes[place].ints.get("strides", (1,))[0] for place in ups))
    for node, module in zip(nodes, modules, strict=True):
        found.tensors |= dict(_tensors(graph, node, module))
        found.dilations[f"generator.{module}"] = node.ints.get("dilations", (1,))[0]
    wanted = {f"generator.{module}" for module in modules}
    held = {name.rpartition(".")[0] for name in found.tensors if ".weight" in name}
    return found if held == wanted else None


def _named(nodes: Sequence[Node]) -> list[str] | None:
    """Each convolution's module by its scope or by what it reads; None where some have no name, or two have one."""
    found = []
    for node in nodes:
        texts = (f"{node.name}/", *(f"{name}." for name in node.inputs[1:]))
        fits = [match[1] for text in texts if (match := _MODULE.search(text))]
        if not fits:
            return None
        found.append(fits[0].replace("/", "."))
    return found if len(set(found)) == len(found) else None


def _in_order(graph: OnnxGraph, nodes: Sequence[Node], ups: Sequence[int]) -> list[str] | None:
    """The modules by their order alone. Blocks of one stage are told apart by their kernels, which differ."""
    modules: dict[int, str] = {0: "conv_pre", len(nodes) - 1: "conv_post"}
    block = 0
    ends = [*ups[1:], len(nodes) - 1]
    for stage, (begin, end) in enumerate(zip(ups, ends, strict=True)):
        modules[begin] = f"ups.{stage}"
        for places in _blocks(graph, nodes, range(begin + 1, end)):
            dilations = [nodes[place].ints.get("dilations", (1,))[0] for place in places]
            pairs = len(places) % 2 == 0 and all(dilation == 1 for dilation in dilations[1::2])
            for number, place in enumerate(places):
                stem, layer = (f"convs{1 + number % 2}", number // 2) if pairs else ("convs", number)
                modules[place] = f"resblocks.{block}.{stem}.{layer}"
            block += 1
    return [modules[place] for place in range(len(nodes))] if len(modules) == len(nodes) else None


def _blocks(graph: OnnxGraph, nodes: Sequence[Node], places: range) -> Iterator[list[int]]:
    current: list[int] = []
    for place in places:
        if current and _kernel(graph, nodes[place]) != _kernel(graph, nodes[current[0]]):
            yield current
            current = []
        current.append(place)
    if current:
        yield current


def _kernel(graph: OnnxGraph, node: Node) -> int:
    stated = node.ints.get("kernel_shape")
    tensor = graph.initialisers.get(node.inputs[1]) if len(node.inputs) > 1 else None
    return stated[0] if stated else tensor.shape[-1] if tensor is not None and tensor.shape else 0


def _tensors(graph: OnnxGraph, node: Node, module: str) -> Iterator[tuple[str, LazyTensor]]:
    """Weight and bias of a convolution; gain and direction where weight norm is in the graph."""
    for kind, source in zip(("weight", "bias"), node.inputs[1:3], strict=False):
        if source in graph.initialisers:
            yield f"generator.{module}.{kind}", _lazy(graph, source)
    if node.inputs[1] in graph.initialisers:
        return
    for name in graph.initialisers:
        fit = _NORMED.search(name)
        if fit is not None and fit["module"] == module and fit["kind"] in _KINDS:
            yield f"generator.{module}.{_KINDS[fit['kind']]}", _lazy(graph, name)


def _lazy(graph: OnnxGraph, name: str) -> LazyTensor:
    return LazyTensor(graph.initialisers[name].shape, lambda: graph.array(name))


def looks_like_hifigan(shapes: Mapping[str, tuple[int, ...]]) -> bool:
    """Whether the first and last convolutions are those of HiFi-GAN: seven wide, the last with one channel."""
    first, last = (_shape(shapes, f"generator.{name}") for name in ("conv_pre", "conv_post"))
    return all(len(s) == 3 and s[2] == _EDGE_KERNEL for s in (first, last)) and last[0] == 1


def _shape(shapes: Mapping[str, tuple[int, ...]], module: str) -> tuple[int, ...]:
    return shapes.get(f"{module}.weight") or shapes.get(f"{module}.weight_v") or ()
