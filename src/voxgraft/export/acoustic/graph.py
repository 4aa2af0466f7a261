"""A text-to-spec network as an ONNX graph; with a vocoder behind it, as one that speaks like a Piper voice.

Letters in shapes: N symbols, T frames, M mel bands, S samples.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from voxgraft.errors import MissingExtra
from voxgraft.export.acoustic.framing import Framing
from voxgraft.export.acoustic.speaking import Scales, speak
from voxgraft.export.piper.graph import OPSET, quietly
from voxgraft.inference.voice.scales import FUSED

if TYPE_CHECKING:
    import onnx
    import torch
    from torch import nn

# So many symbols that a length of the example taken for a fixed one is found out at once.
EXAMPLE_IDS = (1, 3, 2, 3, 1, 2, 3, 2, 1, 3, 2)
# Inputs that a caller may leave out, with what they are then.
OPTIONAL: Mapping[str, float | int] = {"pitch_scale": 1.0, "energy_scale": 1.0, "lid": 0}


def acoustic_graph(
    family: str, network: nn.Module, framing: Framing, *, several_speakers: bool, several_languages: bool
) -> onnx.ModelProto:
    """Inputs and outputs as inference/acoustic/settings.py says, in the order in which sherpa-onnx gives them."""
    from torch import nn

    class Mel(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, ids: Any, lengths: Any, noise: Any, length: Any, *rest: Any) -> Any:
            named = dict(zip(names[4:], rest, strict=True))
            scales = Scales(length[0], named["pitch_scale"][0], named["energy_scale"][0], noise[0])
            mel, durations = _said(family, network, framing, ids, scales, named.get("sid"), named.get("lid"))
            return _heeding(mel, lengths, noise, *rest), durations

    names = ["input", "input_lengths", "noise_scale", "length_scale", *_speaker(several_speakers)]
    names += ["pitch_scale", "energy_scale", *_language(several_languages)]
    return _traced(Mel(), names, ("mel", "durations"), {"mel": {2: "frames"}, "durations": {1: "symbols"}})


def fused_graph(
    family: str,
    network: nn.Module,
    framing: Framing,
    vocoder: nn.Module,
    *,
    several_speakers: bool,
    several_languages: bool,
    language: int = 0,
) -> onnx.ModelProto:
    """Piper's inputs `input`, `input_lengths`, `scales` and `sid`. Outputs: `output` float32 [1, 1, S], `durations` int64
    [1, N] in frames, which Piper takes for the alignment.

    `scales` is float32 of 3 to 6 numbers, `inference/voice/scales.py: FUSED` says which; those that are left out are as usual, the last one `language`:
    a runtime that knows of three gives three. `vocoder` makes [1, 1, S] of a mel [1, M, T].
    """
    import torch
    from torch import nn

    usual = torch.tensor([*(usual for _, usual in FUSED[:-1]), float(language)])

    class Voice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network, self.vocoder = network, vocoder

        def forward(self, ids: Any, lengths: Any, scales: Any, speaker: Any = None) -> Any:
            noise, length, _, pitch, energy, chosen = torch.cat([scales, usual[scales.shape[0] :]]).unbind()
            own = Scales(length, pitch, energy, noise)
            spoken = chosen.long().unsqueeze(0) if several_languages else None
            mel, durations = _said(family, network, framing, ids, own, speaker, spoken)
            return _heeding(vocoder(mel), lengths, scales), durations

    names = ["input", "input_lengths", "scales", *_speaker(several_speakers)]
    axes = {"scales": {0: "scales"}, "output": {2: "samples"}, "durations": {1: "symbols"}}
    return _traced(Voice(), names, ("output", "durations"), axes)


def _said(
    family: str, network: nn.Module, framing: Framing, ids: Any, scales: Scales, speaker: Any, language: Any
) -> tuple[Any, Any]:
    """The mel of what of a sentence is the model's own; durations [1, N] of all that was given, 0 for what is not."""
    kept = framing.kept(ids)
    own = ids[:, kept[0].nonzero().flatten()]
    mel, durations = speak(family, network, own, kept.sum(1), scales, speaker, language)
    places = (kept.long().cumsum(1) - 1).clamp(min=0)
    return mel, durations.gather(1, places) * kept.long()


def _speaker(several: bool) -> list[str]:
    return ["sid"] if several else []


def _language(several: bool) -> list[str]:
    return ["lid"] if several else []


def _heeding(result: Any, *inputs: Any) -> Any:
    """The result, in which every input plays a part: a graph whose input nothing uses is refused by some runtimes."""
    return result + sum(value.flatten()[0].to(result.dtype) for value in inputs) * 0


def _traced(
    module: nn.Module, names: Sequence[str], outputs: Sequence[str], axes: Mapping[str, Mapping[int, str]]
) -> onnx.ModelProto:
    import torch

    try:
        import onnx
    except ImportError as fault:
        raise MissingExtra("onnx", "train", "exporting a model") from fault
    from voxgraft.export.acoustic.attention import make_traceable

    buffer = io.BytesIO()
    with quietly(), torch.no_grad():
        torch.onnx.export(
            make_traceable(module).eval(),
            tuple(_example(name) for name in names),
            buffer,
            dynamo=False,
            opset_version=OPSET,
            input_names=list(names),
            output_names=list(outputs),
            dynamic_axes={"input": {1: "symbols"}, **{name: dict(found) for name, found in axes.items()}},
        )
    return _with_defaults(onnx.load_from_string(buffer.getvalue()), names)


def _example(name: str) -> torch.Tensor:
    import torch

    whole = {"input": [EXAMPLE_IDS], "input_lengths": [len(EXAMPLE_IDS)], "sid": [0], "lid": [0]}
    if name in whole:
        return torch.tensor(whole[name])
    return torch.tensor([0.667, 1.0, 0.8] if name == "scales" else [1.0])


def _with_defaults(graph: onnx.ModelProto, names: Sequence[str]) -> onnx.ModelProto:
    """The same graph whose optional inputs have a value of their own, which a caller may override."""
    import numpy as np
    from onnx import numpy_helper

    for name in names:
        if name in OPTIONAL:
            kind = np.int64 if isinstance(OPTIONAL[name], int) else np.float32
            graph.graph.initializer.append(numpy_helper.from_array(np.array([OPTIONAL[name]], kind), name))
    return graph
