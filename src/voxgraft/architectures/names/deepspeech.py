"""The tensors of DeepSpeech: their canonical names and shapes, and how torch's modules hold the same numbers.

TensorFlow keeps dense weights [inputs, outputs] and one LSTM kernel [inputs + hidden, 4 · hidden] with the gates in
the order input, new, forget, output; torch keeps weights [outputs, inputs], two for an LSTM, and puts forget before new.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

Layout = Literal["same", "transposed", "lstm_input", "lstm_hidden", "lstm_bias", "zeros"]

LSTM = "cudnn_lstm/rnn/multi_rnn_cell/cell_0/cudnn_compatible_lstm_cell"
DENSE = ("layer_1", "layer_2", "layer_3", "layer_5", "layer_6")
# Layers that layer normalisation follows, where a network has it.
NORMALISED = ("layer_1", "layer_2", "layer_3", "layer_5")
# torch's gates, as places in TensorFlow's order; the same places lead back.
_GATES = (0, 2, 1, 3)


@dataclass(frozen=True)
class Conversion:
    """A tensor of the module, the canonical tensor that it is made of, and how."""

    name: str
    source: str
    layout: Layout


def conversions(layer_norm: bool = False) -> tuple[Conversion, ...]:
    """One for each tensor of the module. `bias_hh_l0` is zero: torch has two biases where TensorFlow has one."""
    found = []
    for layer in DENSE:
        found += [
            Conversion(f"{layer}.weight", f"{layer}/weights", "transposed"),
            Conversion(f"{layer}.bias", f"{layer}/bias", "same"),
        ]
    found += [
        Conversion("lstm.weight_ih_l0", f"{LSTM}/kernel", "lstm_input"),
        Conversion("lstm.weight_hh_l0", f"{LSTM}/kernel", "lstm_hidden"),
        Conversion("lstm.bias_ih_l0", f"{LSTM}/bias", "lstm_bias"),
        Conversion("lstm.bias_hh_l0", f"{LSTM}/bias", "zeros"),
    ]
    for layer in NORMALISED if layer_norm else ():
        number = layer.removeprefix("layer_")
        found += [
            Conversion(f"norm_{number}.weight", f"{layer}/LayerNorm/gamma", "same"),
            Conversion(f"norm_{number}.bias", f"{layer}/LayerNorm/beta", "same"),
        ]
    return tuple(found)


def canonical_shapes(
    symbols: int, n_hidden: int = 2048, n_input: int = 26, n_context: int = 9, layer_norm: bool = False
) -> dict[str, tuple[int, ...]]:
    """Canonical name -> shape of every tensor of a network with `symbols` outputs, the blank among them."""
    inputs = {"layer_1": n_input * (2 * n_context + 1)}
    outputs = {"layer_6": symbols}
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in DENSE:
        width = outputs.get(layer, n_hidden)
        shapes |= {f"{layer}/weights": (inputs.get(layer, n_hidden), width), f"{layer}/bias": (width,)}
    shapes |= {f"{LSTM}/kernel": (2 * n_hidden, 4 * n_hidden), f"{LSTM}/bias": (4 * n_hidden,)}
    for layer in NORMALISED if layer_norm else ():
        shapes |= {f"{layer}/LayerNorm/gamma": (n_hidden,), f"{layer}/LayerNorm/beta": (n_hidden,)}
    return shapes


def tensors_for_module(tensors: Mapping[str, np.ndarray], layer_norm: bool = False) -> dict[str, np.ndarray]:
    """Canonical tensors as the module's state, name -> float32 array."""
    return {made.name: converted(np.asarray(tensors[made.source]), made.layout) for made in conversions(layer_norm)}


def tensors_from_module(state: Mapping[str, np.ndarray], layer_norm: bool = False) -> dict[str, np.ndarray]:
    """The module's state as canonical tensors: `tensors_for_module` backwards, both biases of the LSTM added."""
    tensors = {
        made.source: np.ascontiguousarray(state[made.name].T) if made.layout == "transposed" else state[made.name]
        for made in conversions(layer_norm)
        if made.layout in ("same", "transposed")
    }
    parts = [_reordered(np.asarray(state[f"lstm.{name}_l0"])).T for name in ("weight_ih", "weight_hh")]
    bias = np.asarray(state["lstm.bias_ih_l0"]) + np.asarray(state["lstm.bias_hh_l0"])
    return tensors | {f"{LSTM}/kernel": np.ascontiguousarray(np.concatenate(parts)), f"{LSTM}/bias": _reordered(bias)}


def converted(tensor: np.ndarray, layout: Layout) -> np.ndarray:
    """One tensor of the module out of the canonical one."""
    if layout == "same":
        return tensor
    if layout == "zeros":
        return np.zeros_like(tensor)
    if layout == "lstm_bias":
        return _reordered(tensor)
    if layout == "transposed":
        return np.ascontiguousarray(tensor.T)
    hidden = len(tensor) // 2
    rows = tensor[:hidden] if layout == "lstm_input" else tensor[hidden:]
    return _reordered(rows.T)


def _reordered(gates: np.ndarray) -> np.ndarray:
    """[4 · hidden, …] with the second and third quarter changed places."""
    quarters = gates.reshape(4, len(gates) // 4, *gates.shape[1:])
    return np.ascontiguousarray(quarters[list(_GATES)]).reshape(gates.shape)
