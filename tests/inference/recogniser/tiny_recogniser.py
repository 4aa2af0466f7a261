"""Recognisers without training: ONNX graphs of a few nodes whose outputs are known from what they hear."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from voxgraft.audio.mfcc import MfccSpec
from voxgraft.audio.spec import AudioSpec
from voxgraft.inference.recogniser.settings import RecogniserSettings, StreamState, write_recogniser_settings
from voxgraft.text.alphabet import alphabet_table

RATE = 16000
LETTERS = " abcde"
HOP = 320
SHARPNESS = 12.0


def save(nodes, inputs, outputs, constants, path: Path) -> Path:
    """An ONNX model of `nodes`; inputs and outputs are (name, type, shape)."""
    import onnx
    from onnx import helper, numpy_helper

    graph = helper.make_graph(
        nodes,
        "recogniser",
        [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in inputs],
        [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in outputs],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def settings_of(**changes) -> RecogniserSettings:
    """Settings of a model that hears samples and gives a frame for each 20 ms."""
    samples = AudioSpec(RATE, HOP, HOP, HOP, 0, log_base="none")
    usual = {"family": "wav2vec2", "symbols": alphabet_table(LETTERS), "audio": samples, "frame_seconds": HOP / RATE}
    return RecogniserSettings(**(usual | changes))


def loudness_recogniser(folder: Path, **changes) -> Path:
    """A model that writes what `speech` says: the mean level of each 20 ms is the number of a symbol.

    Each frame's output for symbol s is -SHARPNESS · 100 · (level - (s + 1) / 100)²: only the frame itself counts.
    """
    from onnx import TensorProto, helper

    symbols = len(LETTERS) + 1
    # (level - target)² but for the level's own square: 2 · level · target - target².
    targets = (np.arange(symbols, dtype=np.float32) + 1) / 10
    nodes = [
        helper.make_node("Unsqueeze", ["features", "axis"], ["channel"]),
        helper.make_node("Conv", ["channel", "mean"], ["level"], kernel_shape=[HOP], strides=[HOP]),
        helper.make_node("Conv", ["level", "weight", "bias"], ["symbols"], kernel_shape=[1]),
        helper.make_node("Transpose", ["symbols"], ["logits"], perm=[0, 2, 1]),
    ]
    constants = {
        "axis": np.array([1], np.int64),
        "mean": np.full((1, 1, HOP), 10 / HOP, np.float32),
        "weight": (2 * targets * SHARPNESS * 100)[:, None, None].astype(np.float32),
        "bias": (-(targets**2) * SHARPNESS * 100).astype(np.float32),
    }
    inputs = [("features", TensorProto.FLOAT, [1, "samples"])]
    outputs = [("logits", TensorProto.FLOAT, [1, "frames", symbols])]
    path = save(nodes, inputs, outputs, constants, folder / "loud.onnx")
    write_recogniser_settings(path, settings_of(**changes))
    return path


def speech(text: str, *, frames: int = 5, pause: int = 3) -> np.ndarray:
    """Sound that the loudness recogniser writes as `text`: a level a letter, the blank's between letters."""
    numbers = {letter: number for number, letter in enumerate(LETTERS)}
    levels: list[int] = [len(LETTERS)] * pause
    for letter in text:
        levels += [numbers[letter]] * frames + [len(LETTERS)] * pause
    return np.repeat((np.array(levels) + 1) / 100, HOP).astype(np.float32)


def stateful_recogniser(folder: Path, *, context: int = 2, seed: int = 0) -> Path:
    """MFCCs with context frames, a smoothing that carries a state on, and random weights: streaming can go wrong in it."""
    from onnx import TensorProto, helper

    rng = np.random.default_rng(seed)
    symbols, hidden, spec = len(LETTERS) + 1, 8, MfccSpec()
    nodes = [
        helper.make_node("Transpose", ["features"], ["frames"], perm=[0, 2, 1]),
        helper.make_node("Conv", ["frames", "w1"], ["c"], kernel_shape=[2 * context + 1]),
        helper.make_node("Transpose", ["c"], ["x"], perm=[2, 0, 1]),
        helper.make_node("LSTM", ["x", "W", "R", "", "", "h0", "c0"], ["y", "h1", "c1"], hidden_size=hidden),
        helper.make_node("Squeeze", ["y", "one"], ["s"]),
        helper.make_node("Transpose", ["s"], ["t"], perm=[1, 0, 2]),
        helper.make_node("MatMul", ["t", "out"], ["logits"]),
    ]
    constants = {
        "w1": (0.05 * rng.normal(size=(hidden, spec.coefficients, 2 * context + 1))).astype(np.float32),
        "W": rng.normal(size=(1, 4 * hidden, hidden)).astype(np.float32),
        "R": rng.normal(size=(1, 4 * hidden, hidden)).astype(np.float32),
        "one": np.array([1], np.int64),
        "out": (6 * rng.normal(size=(hidden, symbols))).astype(np.float32),
    }
    state = [1, 1, hidden]
    inputs = [
        ("features", TensorProto.FLOAT, [1, "frames", spec.coefficients]),
        ("h0", TensorProto.FLOAT, state),
        ("c0", TensorProto.FLOAT, state),
    ]
    outputs = [
        ("logits", TensorProto.FLOAT, [1, "T", symbols]),
        ("h1", TensorProto.FLOAT, state),
        ("c1", TensorProto.FLOAT, state),
    ]
    path = save(nodes, inputs, outputs, constants, folder / "stateful.onnx")
    states = tuple(StreamState(input=a, output=b, shape=tuple(state)) for a, b in (("h0", "h1"), ("c0", "c1")))
    changes = {"family": "deepspeech", "audio": spec, "context": context, "states": states}
    write_recogniser_settings(path, settings_of(**changes))
    return path
