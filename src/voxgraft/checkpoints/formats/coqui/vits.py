"""What is particular about VITS as Coqui TTS has it: its hyper-parameters' names, and what the authors' network lacks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from voxgraft.architectures.dimensions.upsampler import Shapes
from voxgraft.architectures.dimensions.vits import Obstacle, vits_architecture
from voxgraft.architectures.names.vits import inference_names
from voxgraft.checkpoints.containers.tensor_store import LazyTensor
from voxgraft.checkpoints.formats.coqui.config import Config
from voxgraft.checkpoints.formats.vits_tensors import folded_names
from voxgraft.errors import CheckpointError

# Piper's name of a hyper-parameter -> Coqui's.
_RECORDED = {
    "num_symbols": "num_chars",
    "hidden_channels": "hidden_channels",
    "filter_channels": "hidden_channels_ffn_text_encoder",
    "n_heads": "num_heads_text_encoder",
    "n_layers": "num_layers_text_encoder",
    "kernel_size": "kernel_size_text_encoder",
    "p_dropout": "dropout_p_text_encoder",
    "resblock": "resblock_type_decoder",
    "resblock_kernel_sizes": "resblock_kernel_sizes_decoder",
    "resblock_dilation_sizes": "resblock_dilation_sizes_decoder",
    "upsample_rates": "upsample_rates_decoder",
    "upsample_kernel_sizes": "upsample_kernel_sizes_decoder",
    "upsample_initial_channel": "upsample_initial_channel_decoder",
    "flow_layers": "num_layers_flow",
    "flow_kernel": "kernel_size_flow",
    "flow_dilation": "dilation_rate_flow",
    "posterior_layers": "num_layers_posterior_encoder",
    "posterior_kernel": "kernel_size_posterior_encoder",
    "posterior_dilation": "dilation_rate_posterior_encoder",
}
_SCALES = {
    "noise_scale": "inference_noise_scale",
    "length_scale": "length_scale",
    "noise_w": "inference_noise_scale_dp",
}
_DAMAGED = "The file is damaged or incomplete: copy or download it again."


def vits_keywords(shapes: Shapes, config: Config) -> tuple[dict[str, Any], list[str]]:
    """Keyword arguments of the model, and notes on what was contradicted, assumed, or is beyond our network.

    Raises CheckpointError where a part is absent.
    """
    recorded = {ours: value for ours, theirs in _RECORDED.items() if (value := config.get(theirs)) is not None}
    audio = config.fields.get("audio")
    recorded["filter_length"] = audio.get("fft_size") if isinstance(audio, Mapping) else None
    architecture, notes = vits_architecture(shapes, recorded)
    absent = sorted(inference_names(architecture) - folded_names(shapes) - {"dp.cond.weight", "dp.cond.bias"})
    if absent:
        raise CheckpointError(f"{len(absent)} of the voice's tensors are absent", field=absent[0], remedy=_DAMAGED)
    return architecture, notes + _conditions(shapes, architecture)


def obstacle_of(shapes: Shapes, architecture: dict[str, Any], config: Config) -> Obstacle | None:
    """What the network is that voxgraft's VITS can't be, its conditioning aside."""
    durations = shapes.get("dp.pre.weight", (0,))[0]
    hidden = architecture["hidden_channels"]
    # Where languages are embedded, these are what is told.
    if durations not in (0, hidden) and "emb_l.weight" not in shapes:
        return Obstacle(
            "dp.pre.weight",
            f"its duration predictor has {durations} channels, where voxgraft's VITS has {hidden}",
            "Take a base with the usual network.",
        )
    if rate := config.get("encoder_sample_rate"):
        return Obstacle(
            "encoder_sample_rate",
            f"its encoders hear {rate} Hz and its decoder speaks another rate: voxgraft's VITS has one for both",
            "Take a base with one sample rate.",
        )
    return None


def inference_scales(config: Config) -> dict[str, float]:
    """What the voice is spoken with, under our names."""
    stated = {ours: config.get(theirs) for ours, theirs in _SCALES.items()}
    return {
        name: float(x)
        for name, x in stated.items()
        if isinstance(x, int | float) and not isinstance(x, bool) and abs(x) < 1e9
    }


def as_canonical(name: str, tensor: LazyTensor) -> LazyTensor:
    """Coqui's plain duration predictor keeps its norms' parameters as [1, C, 1]; the authors' as [C]."""
    if not name.startswith("dp.norm_") or len(tensor.shape) != 3:
        return tensor

    def load() -> np.ndarray:
        return tensor.load().reshape(-1)

    return LazyTensor((tensor.shape[0] * tensor.shape[1] * tensor.shape[2],), load)


def _conditions(shapes: Shapes, architecture: dict[str, Any]) -> list[str]:
    notes = []
    languages = shapes.get("emb_l.weight")
    if languages is not None:
        notes.append(
            f"{languages[0]} languages are embedded (emb_l, dp.cond_lang, {languages[-1]} more channels in the text "
            "encoder): voxgraft's VITS has one language and would take none of it"
        )
    conditioned = shapes.get("dec.cond.weight")
    if conditioned is not None and "emb_g.weight" not in shapes:
        notes.append(
            f"it speaks with voice vectors of {conditioned[1]} numbers from a speaker encoder, not with a table of "
            "speakers: voxgraft's VITS has no place for them"
        )
    elif conditioned is not None and architecture["speakers"] == 1:
        notes.append("its only speaker is embedded: that constant goes into the biases of a voice with one speaker")
    if architecture["speakers"] > 1 and "dp.cond.weight" not in shapes:
        notes.append("its durations do not depend on the speaker; voxgraft's VITS has that connection (dp.cond)")
    return notes
