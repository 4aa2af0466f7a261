"""export_recogniser: a recogniser as an ONNX model that `voxgraft transcribe` runs, whole or as sound comes in, and
sherpa-onnx too where it has a loader for it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from voxgraft.audio.recogniser_features import FeatureSpec, hears_samples
from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.errors import ExportError, MissingExtra, VoxgraftError
from voxgraft.export.piper.graph import OPSET, quietly
from voxgraft.export.recogniser.sherpa import TOKENS, sherpa_metadata, sherpa_onnx_of, sherpa_tokens
from voxgraft.export.whole import whole_or_nothing
from voxgraft.inference.recogniser.recogniser import FEATURES, LENGTHS, OUTPUT_LENGTHS, Recogniser
from voxgraft.inference.recogniser.settings import RecogniserSettings, StreamState, write_recogniser_settings
from voxgraft.progress import notice

if TYPE_CHECKING:
    import torch
    from torch import nn

TOLERANCE = 1e-4
# Frames of features of the recordings that are compared.
LENGTHS_COMPARED = (40, 41, 173)
LOGITS = "logits"


@dataclass(frozen=True)
class Graph:
    """A module as it is traced: its example inputs, the names of inputs and outputs, and the axes that vary."""

    module: nn.Module
    inputs: tuple[torch.Tensor, ...]
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]
    axes: dict[str, dict[int, str]]
    states: tuple[StreamState, ...] = ()
    context: int = 0
    bands_first: bool = False


def export_recogniser(checkpoint: Checkpoint, folder: Path, name: str) -> Path:
    """Write FOLDER/NAME.onnx, its settings and what sherpa-onnx reads, verified against torch before any takes its name.

    Raises ExportError; then the folder is as it was.
    """
    from voxgraft.graft.recogniser import whole_network
    from voxgraft.models.ctc.networks import NETWORKS

    hearing = checkpoint.features or checkpoint.audio
    if checkpoint.family not in NETWORKS or checkpoint.symbols is None or hearing is None:
        raise ExportError(
            "not a recogniser that can be exported",
            file=checkpoint.provenance.path,
            expected=" or ".join(NETWORKS) + " with its alphabet",
            got=checkpoint.family,
            remedy="Give a run of `voxgraft train`, or a base with its alphabet.txt beside it.",
        )
    network = whole_network(checkpoint).requires_grad_(False)
    graph = _graph(network, hearing)
    step = 1 if hears_samples(hearing) else hearing.hop
    subsampling = int(checkpoint.architecture.get("subsampling_factor", NETWORKS[checkpoint.family].subsampling))
    settings = RecogniserSettings(
        family=checkpoint.family,
        symbols=checkpoint.symbols,
        audio=hearing,
        frame_seconds=subsampling * step / hearing.sample_rate,
        context=graph.context,
        states=graph.states,
        bands_first=graph.bands_first,
        language=checkpoint.languages[0] if checkpoint.languages else None,
        name=name,
        about=_about(checkpoint),
    )
    sherpa = sherpa_onnx_of(checkpoint.family, hearing, checkpoint.symbols)
    with whole_or_nothing(folder, f"{name}.onnx") as partial:
        path = partial / f"{name}.onnx"
        path.write_bytes(_traced(graph))
        write_recogniser_settings(path, settings, sherpa_metadata(sherpa, checkpoint.symbols, subsampling))
        if sherpa.loader is not None:
            (partial / TOKENS).write_text(sherpa_tokens(checkpoint.symbols), "utf-8", newline="\n")
        verify_recogniser(path, network)
    notice(sherpa.note)
    return folder / f"{name}.onnx"


def verify_recogniser(onnx: Path, network: nn.Module, tolerance: float = TOLERANCE) -> float:
    """The largest difference of any log-probability between onnxruntime and torch, as a share of it where it is below -1.

    ExportError over `tolerance`.
    """
    import torch

    try:
        recogniser = Recogniser.load(onnx, threads=1)
    except VoxgraftError as fault:
        raise ExportError(f"can't be run: {fault.problem}", file=onnx, remedy=fault.remedy) from fault
    spec, context = recogniser.settings.audio, recogniser.settings.context
    random = np.random.default_rng(0)
    worst = 0.0
    for length in LENGTHS_COMPARED:
        features = _random_features(random, spec, length)
        with torch.no_grad():
            tensor = torch.from_numpy(features if features.ndim == 2 else features[:, None])[None]
            ours = torch.log_softmax(network(tensor, torch.tensor([len(features)])), dim=-1)[0].numpy()
        padded = np.pad(features, ((context, context), (0, 0))) if context else features
        found, _ = recogniser.run(padded)
        if found.shape != ours.shape or not np.isfinite(ours).all():
            raise _different(onnx, f"{ours.shape}, finite", f"{found.shape}")
        worst = max(worst, float((np.abs(found - ours) / np.maximum(1, np.abs(ours))).max()))
    if worst > tolerance:
        raise _different(onnx, f"at most {tolerance:g} apart", f"{worst:.2g}")
    return worst


def _random_features(random: np.random.Generator, spec: FeatureSpec, length: int) -> np.ndarray:
    if hears_samples(spec):
        return random.standard_normal(length * 320).astype(np.float32)
    values = getattr(spec, "coefficients", spec.n_mels)
    return (3 * random.standard_normal((length, values))).astype(np.float32)


def _graph(network: Any, hearing: FeatureSpec) -> Graph:
    if hasattr(network, "stream"):
        return _streaming(network, hearing)
    return _of_samples(network) if hears_samples(hearing) else _whole(network, hearing)


def _streaming(network: Any, hearing: FeatureSpec) -> Graph:
    """A module that goes on from a state: a piece with its context, and two states of an LSTM."""
    import torch
    from torch import nn

    class Streaming(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(
            self, features: torch.Tensor, hidden: torch.Tensor, cell: torch.Tensor
        ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
            logits, (hidden, cell) = network.stream(features, (hidden, cell))
            return logits, hidden, cell

    context, width = network.n_context, network.lstm.hidden_size
    values = getattr(hearing, "coefficients", hearing.n_mels)
    # Two utterances, so that their number stays open: several at once cost little more than one.
    state = torch.zeros(1, 2, width)
    states = tuple(StreamState(input=f"state_{n}", output=f"next_state_{n}", shape=(1, 1, width)) for n in "hc")
    return Graph(
        module=Streaming().eval(),
        inputs=(torch.zeros(2, 2 * context + 5, values), state, state),
        input_names=(FEATURES, *(one.input for one in states)),
        output_names=(LOGITS, *(one.output for one in states)),
        axes={
            FEATURES: {0: "utterances", 1: "frames"},
            LOGITS: {0: "utterances", 1: "output_frames"},
            **{name: {1: "utterances"} for one in states for name in (one.input, one.output)},
        },
        states=states,
        context=context,
    )


def _whole(network: Any, hearing: FeatureSpec) -> Graph:
    """A module that hears whole utterances of log mels, several at once. As sherpa-onnx wants it: bands before frames,
    logarithms of probabilities out."""
    import torch
    from torch import nn

    class Whole(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, features: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            logits = network(features.transpose(1, 2), lengths)
            return torch.log_softmax(logits, dim=2), network.output_lengths(lengths)

    values = getattr(hearing, "coefficients", hearing.n_mels)
    return Graph(
        module=Whole().eval(),
        inputs=(torch.zeros(2, values, 100), torch.tensor([100, 80])),
        input_names=(FEATURES, LENGTHS),
        output_names=(LOGITS, OUTPUT_LENGTHS),
        axes={
            FEATURES: {0: "utterances", 2: "frames"},
            LENGTHS: {0: "utterances"},
            LOGITS: {0: "utterances", 1: "output_frames"},
            OUTPUT_LENGTHS: {0: "utterances"},
        },
        bands_first=True,
    )


def _of_samples(network: Any) -> Graph:
    """A module that hears the samples of an utterance, which need no length."""
    import torch
    from torch import nn

    class OfSamples(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, samples: torch.Tensor) -> torch.Tensor:
            return torch.log_softmax(network(samples.unsqueeze(2)), dim=2)

    return Graph(
        module=OfSamples().eval(),
        inputs=(torch.zeros(1, 16000),),
        input_names=(FEATURES,),
        output_names=(LOGITS,),
        axes={FEATURES: {1: "samples"}, LOGITS: {1: "output_frames"}},
    )


def _traced(graph: Graph) -> bytes:
    import torch

    try:
        import onnx  # noqa: F401
    except ImportError as fault:
        raise MissingExtra("onnx", "train", "exporting a recogniser") from fault
    buffer = io.BytesIO()
    with quietly(), torch.no_grad():
        torch.onnx.export(
            graph.module,
            graph.inputs,
            buffer,
            dynamo=False,
            opset_version=OPSET,
            input_names=list(graph.input_names),
            output_names=list(graph.output_names),
            dynamic_axes=graph.axes,
        )
    return buffer.getvalue()


def _about(checkpoint: Checkpoint) -> dict[str, Any]:
    known = {
        "licence": checkpoint.provenance.licence,
        "base": checkpoint.config.get("base"),
        "epoch": checkpoint.epoch,
        "step": checkpoint.step,
        "corpus_sha256": checkpoint.provenance.dataset,
    }
    return {name: value for name, value in known.items() if value is not None}


def _different(path: Path, expected: str, got: str) -> ExportError:
    return ExportError(
        "the exported recogniser doesn't hear the same as the model",
        file=path,
        expected=expected,
        got=got,
        remedy="Nothing was written; report it with the versions of torch and onnxruntime that `pip list` shows.",
    )
