"""What an ONNX model is, told by its inputs and outputs, so that one that can't be read here is named all the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from voxgraft.checkpoints.containers.onnx import OnnxGraph
from voxgraft.inference.acoustic.settings import METADATA_KEY


@dataclass(frozen=True)
class Kind:
    """Inputs that it has, outputs that it has, a model type or an entry in its metadata, and what it is then."""

    what: str
    inputs: frozenset[str] = frozenset()
    outputs: frozenset[str] = frozenset()
    model_type: str | None = None
    entry: str | None = None

    def fits(self, graph: OnnxGraph) -> bool:
        """Whether a graph is of this kind."""
        if self.entry is not None:
            return self.entry in graph.metadata
        if self.model_type is not None:
            return graph.metadata.get("model_type", "").lower().startswith(self.model_type)
        return self.inputs <= set(graph.inputs) and self.outputs <= set(graph.outputs)


# The first that fits counts.
KINDS: Sequence[Kind] = (
    Kind("a voice of Piper", frozenset({"input", "input_lengths", "scales"})),
    Kind("a text-to-spec model that voxgraft exported", entry=METADATA_KEY),
    Kind("an acoustic model of Matcha-TTS", model_type="matcha"),
    Kind("a Kokoro voice", frozenset({"style", "speed"})),
    Kind("a recogniser of NeMo", frozenset({"audio_signal", "length"})),
    Kind("a Whisper encoder or decoder", model_type="whisper"),
    Kind("a VITS voice of sherpa-onnx or Coqui TTS", frozenset({"x", "x_length", "noise_scale", "noise_scale_w"})),
    Kind("a vocoder that gives a spectrum, as sherpa-onnx takes Vocos", outputs=frozenset({"mag", "x", "y"})),
    Kind("a vocoder of Hifi-GAN's interface", model_type="hifigan"),
)


def kind_of(graph: OnnxGraph) -> str:
    """What a graph is, in words, with its inputs and outputs."""
    what = next((kind.what for kind in KINDS if kind.fits(graph)), "of no kind that is known here")
    return f"{what}: {_listed(graph.inputs)} → {_listed(graph.outputs)}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)[:120] or "nothing"
