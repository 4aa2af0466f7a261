"""A vocoder as an ONNX graph."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from voxgraft.errors import MissingExtra
from voxgraft.export.piper.graph import quietly
from voxgraft.inference.vocoder.vocoder import NOISE

if TYPE_CHECKING:
    import onnx
    import torch
    from torch import nn

OPSET = 15
EXAMPLE_FRAMES = 23
AUDIO = ("audio",)
# sherpa-onnx's Vocos: magnitude, and cosine and sine of the phase.
SPECTRUM = ("mag", "x", "y")


def trace(generator: nn.Module, mels: int, *, spectrum: bool = False) -> onnx.ModelProto:
    """ONNX graph of a folded generator: `mel` float32 [batch, mels, frames] -> `audio` float32 [batch, samples].

    Networks that want noise have `noise` [batch, channels, frames] of N(0, 1) besides. With `spectrum` a Vocos gives what
    sherpa-onnx takes: `mag`, `x` and `y`, [batch, bins, frames] each.
    """
    import torch

    from voxgraft.models.vocoders.speak import noise_channels

    try:
        import onnx
    except ImportError as fault:
        raise MissingExtra("onnx", "train", "exporting a vocoder") from fault

    channels = noise_channels(generator)
    inputs: tuple[torch.Tensor, ...] = (torch.zeros(1, mels, EXAMPLE_FRAMES),)
    inputs += (torch.zeros(1, channels, EXAMPLE_FRAMES),) if channels else ()
    names = ["mel", NOISE][: len(inputs)]
    outputs = SPECTRUM if spectrum else AUDIO
    axes = {name: {0: "batch", 2: "frames"} for name in (*names, *(SPECTRUM if spectrum else ()))}
    buffer = io.BytesIO()
    with quietly(), torch.no_grad():
        torch.onnx.export(
            graph_module(generator, spectrum=spectrum),
            inputs,
            buffer,
            dynamo=False,
            # Folding here would drop the names of what it folds; onnxruntime folds the same at load.
            do_constant_folding=False,
            opset_version=OPSET,
            input_names=names,
            output_names=list(outputs),
            dynamic_axes=axes if spectrum else axes | {"audio": {0: "batch", 1: "samples"}},
        )
    return onnx.load_from_string(buffer.getvalue())


def graph_module(generator: nn.Module, *, spectrum: bool = False) -> nn.Module:
    """The generator with what goes in and comes out of its graph; for graphs that join it to an acoustic model too."""
    from torch import nn

    from voxgraft.models.vocoders.univnet import UnivNet

    class VocoderGraph(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.generator = generator

        def train(self, mode: bool = True) -> VocoderGraph:
            """Stay marked as training while the generator is in evaluation: else the exporter merges weights of equal value."""
            self.training = True
            return self

        def forward(
            self, mel: torch.Tensor, noise: torch.Tensor | None = None
        ) -> torch.Tensor | tuple[torch.Tensor, ...]:
            if spectrum:
                found: tuple[torch.Tensor, ...] = self.generator.spectrum(mel)
                return found
            if isinstance(self.generator, UnivNet):
                return self.generator.with_tail(mel, noise).squeeze(1)
            audio: torch.Tensor = self.generator(mel).squeeze(1)
            return audio

    return VocoderGraph().train()
